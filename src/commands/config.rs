//! `config`: where it is, whether it is valid, what is in force.

use std::process::ExitCode;

use color_eyre::eyre::Report;
use sentinel_core::policy::rules::{HEALED, Rules};
use sentinel_core::redact::custom::Custom;

use crate::app::AppError;
use crate::cli::ConfigVerb;
use crate::commands::out;
use crate::config::bus::BusSettings;
use crate::config::engine::resolve;
use crate::config::file::DEFAULT;
use crate::config::models::{Caps, ModelEndpoint};
use crate::config::{ConfigError, Settings, file::FileSettings};
use crate::tui::action::Action;
use crate::tui::columns::Column;
use crate::tui::keymap::Keymap;

/// A file with every key at its default.
pub fn default() -> Result<ExitCode, Report> {
    out::bytes(written().as_bytes())
}

fn written() -> String {
    let line = |(action, keys): (Action, &[&str])| {
        let keys: Vec<String> = keys.iter().map(|k| toml::Value::from(*k).to_string()).collect();
        format!("# {} = [{}]\n", action.word(), keys.join(", "))
    };
    let keys: String = Keymap::shipped().into_iter().map(line).collect();
    format!("{DEFAULT}{keys}")
}

/// Shows or checks the configuration; it was read without error to get here.
pub fn run(settings: &Settings, verb: &ConfigVerb) -> Result<ExitCode, Report> {
    match verb {
        ConfigVerb::Path => out::lines([path(settings)]),
        ConfigVerb::Check => {
            keymap(settings)?;
            columns(settings)?;
            out::lines(check(settings))
        }
        ConfigVerb::Show => out::lines(show(settings)),
        ConfigVerb::Default => default(),
    }
}

/// The keys in force.
pub fn keymap(settings: &Settings) -> Result<Keymap, AppError> {
    Keymap::with(&settings.ui.keys).map_err(|why| {
        let file = path(settings);
        AppError::Config(ConfigError::Invalid(format!("{file}: [keys] {why}")))
    })
}

/// The columns of the list of containers, if somebody chose some.
pub fn columns(settings: &Settings) -> Result<Option<Vec<Column>>, AppError> {
    let read = settings.ui.columns.as_ref().map(|words| Column::parse(words)).transpose();
    read.map_err(|why| AppError::Config(ConfigError::Invalid(format!("{}: {why}", path(settings)))))
}

fn check(settings: &Settings) -> Vec<String> {
    let mut lines = vec![match &settings.config_file {
        Some(path) if FileSettings::exists(path) => format!("{}: valid", path.display()),
        _ => format!(
            "{}: not there; defaults are in force (`sentinel-tui config default` prints one)",
            path(settings)
        ),
    }];
    if let Some(file) =
        settings.signatures.file.as_ref().filter(|_| settings.signatures.is_extended())
    {
        lines.push(format!("{}: valid", file.display()));
    }
    lines.extend(settings.ignored.iter().map(|note| format!("note: {note}")));
    lines
}

fn path(settings: &Settings) -> String {
    settings
        .config_file
        .as_ref()
        .map_or_else(|| "no home folder, so no file".to_owned(), |p| p.display().to_string())
}

fn show(settings: &Settings) -> Vec<String> {
    let source = |key: &str| {
        settings
            .sources
            .iter()
            .find(|(k, _)| k == key)
            .map_or_else(|| "default".to_owned(), |(_, source)| source.clone())
    };
    let line = |key: &str, value: String| format!("{key:<16} {value}  [{}]", source(key));
    let engine = match resolve(settings.host.as_deref(), &settings.environment) {
        Ok(endpoint) => endpoint.words(),
        Err(error) => error.to_string(),
    };
    vec![
        format!("{:<16} {engine}", "engine"),
        line("mode", settings.mode.as_str().to_owned()),
        line("watch_all", settings.watch_all.to_string()),
        line("theme", settings.theme.clone()),
        line("verify_seconds", settings.verify_hold.as_secs().to_string()),
        line("usage_seconds", settings.usage_seconds.to_string()),
        line("state_dir", settings.state_dir.display().to_string()),
        line(
            "catalog",
            settings
                .catalog
                .as_ref()
                .map_or_else(|| "built in".to_owned(), |c| c.display().to_string()),
        ),
        line("redis", settings.bus.as_ref().map_or_else(|| "none".to_owned(), BusSettings::shown)),
        line(
            "mcp_gateway_url",
            settings.gateway.as_ref().map_or_else(
                || "none: the catalogue's own servers".to_owned(),
                |g| format!("{} ({} token)", g.url, if g.token.is_some() { "with" } else { "no" }),
            ),
        ),
        line(
            "api",
            settings
                .api
                .as_ref()
                .map_or_else(|| "off".to_owned(), |api| format!("http://{}", api.listen)),
        ),
        line(
            "signatures",
            match &settings.signatures.file {
                Some(file) if settings.signatures.is_extended() => {
                    format!("{} before the built-in ones", file.display())
                }
                _ => "built in".to_owned(),
            },
        ),
        line(
            "runbooks",
            match &settings.runbooks.folder {
                Some(folder) => {
                    format!("{} in {}", settings.runbooks.books.count(), folder.display())
                }
                None => "none: no home folder is known".to_owned(),
            },
        ),
        line(
            "brakes",
            format!(
                "cooldown {} s, {} strikes, lock {} s, {} plans an hour",
                settings.limits.cooldown.as_secs(),
                settings.limits.strikes,
                settings.limits.lock.as_secs(),
                settings.limits.per_hour
            ),
        ),
        line("redact", redact(&settings.redact)),
        line("policy", policy(&settings.rules)),
        line("triage", model(settings.models.triage.as_ref())),
        line("analyst", model(settings.models.analyst.as_ref())),
        line("models.caps", caps(&settings.models.caps)),
    ]
}

/// Where a language model is asked; never its key.
fn model(endpoint: Option<&ModelEndpoint>) -> String {
    endpoint.map_or_else(|| "none: no key and no address".to_owned(), ModelEndpoint::words)
}

/// What may be spent on models.
fn caps(caps: &Caps) -> String {
    format!(
        "tokens {} a minute, {} an hour, {} a day; {} USD an hour, {} USD a day",
        caps.tokens_per_minute,
        caps.tokens_per_hour,
        caps.tokens_per_day,
        caps.usd_per_hour,
        caps.usd_per_day
    )
}

/// What is hidden beyond what is built in.
fn redact(custom: &Custom) -> String {
    let count = custom.patterns.len();
    let more =
        if count == 0 { String::new() } else { format!(" and {count} patterns of your own") };
    format!("always on: what is built in{more}")
}

/// What auto-heal may do.
fn policy(rules: &Rules) -> String {
    let classes: Vec<String> =
        HEALED.iter().filter(|c| rules.heals(**c)).map(ToString::to_string).collect();
    let raised: Vec<String> =
        rules.risks.iter().map(|(tool, risk)| format!("{tool} at least {risk}")).collect();
    let mut words = format!(
        "heals {} up to {}, {:.0} % sure",
        if classes.is_empty() { "nothing".to_owned() } else { classes.join(", ") },
        rules.max_risk(),
        rules.min_confidence() * 100.0
    );
    for raised in raised {
        words.push_str("; ");
        words.push_str(&raised);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ui::KeyNames;

    #[test]
    fn the_default_lists_every_action_with_keys_that_are_taken() {
        let text = written();
        let (_, keys) = text.split_once("[keys]\n").unwrap();
        let file = format!("[keys]\n{}", keys.replace("# ", ""));
        let own = FileSettings::parse(&file).unwrap().keys.unwrap_or_default();
        let own = own.into_iter().map(|(action, keys)| (action, KeyNames::list(keys))).collect();
        assert_eq!(Keymap::with(&own).unwrap(), Keymap::default());
        assert_eq!(own.len(), Action::ALL.len());
    }
}
