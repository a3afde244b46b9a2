//! `attach`: the screen over an instance that runs elsewhere.

use std::process::ExitCode;

use color_eyre::eyre::Report;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::api::attach;
use crate::api::attach::target::Target;
use crate::api::token;
use crate::cli::serving::AttachArgs;
use crate::commands::{ENDED, watch};
use crate::config::Settings;
use crate::tui;

/// Connects, then opens the screen.
pub async fn run(settings: Settings, arguments: AttachArgs) -> Result<ExitCode, Report> {
    tui::terminal::check()?;
    let options = watch::options(&settings, None)?;
    let token = token_for(&settings, &arguments);
    let name = settings.operator.clone();
    let (handle, attached) = attach::open(Target { url: arguments.url, token, name }).await?;
    let stop = CancellationToken::new();
    watch::stop_on_signals(stop.clone())?;
    let keeping = tokio::spawn(attached.run(stop.clone()));
    let shown = tui::run::run(handle, options, stop.clone()).await;
    stop.cancel();
    keeping.await?;
    shown?;
    Ok(ExitCode::from(ENDED))
}

/// What is shown to the instance: as told, else, on this machine, what it keeps in its state
/// folder.
fn token_for(settings: &Settings, arguments: &AttachArgs) -> Option<String> {
    let told = arguments.token.clone().or_else(|| settings.environment.text("API_TOKEN"));
    told.map(|token| token.trim().to_owned()).or_else(|| {
        let here = is_here(&arguments.url).then(|| token::kept(&settings.state_dir));
        match here? {
            Ok(token) => token.map(|token| token.reveal().to_owned()),
            Err(error) => {
                tracing::warn!("the token in the state folder cannot be read: {error}");
                None
            }
        }
    })
}

/// Whether an address is of this machine: a token is never sent elsewhere without being named.
fn is_here(url: &str) -> bool {
    let text = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let Ok(url) = Url::parse(text.trim()) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_shown_the_kept_token() {
        for (url, here) in [
            ("http://127.0.0.1:8000", true),
            ("localhost:8000", true),
            ("http://[::1]:8000", true),
            ("http://localhost.example:8000", false),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.1:8000", false),
            ("", false),
        ] {
            assert_eq!(is_here(url), here, "{url}");
        }
    }
}
