//! Where the API listens and what it asks of its clients.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::config::ConfigError;
use crate::config::environment::Environment;
use crate::config::gateway::Secret;

/// The port where nothing else is said.
const PORT: u16 = 8000;

/// How the API is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSettings {
    /// Where.
    pub listen: SocketAddr,
    /// What clients show; without one it is made at the first start and kept.
    pub token: Option<Secret>,
    /// Further names under which this machine is asked for.
    pub hosts: Vec<String>,
}

impl ApiSettings {
    /// Decides whether the API is served, and how. `flag` is the value of `--api`, empty where the
    /// flag stands alone.
    pub fn decide(
        flag: Option<&str>,
        environment: &Environment,
    ) -> Result<Option<Self>, ConfigError> {
        let (host, port) = (environment.text("API_HOST"), environment.text("API_PORT"));
        let port = port.map(|text| parse_port("API_PORT", &text)).transpose()?;
        let host = host.map(|text| parse_host("API_HOST", &text)).transpose()?;
        let told = SocketAddr::new(host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), {
            port.unwrap_or(PORT)
        });
        let listen = match flag.map(str::trim) {
            None if port.is_none() => return Ok(None),
            None | Some("") => told,
            Some(text) => address(text, told)?,
        };
        let hosts = environment.text("API_ALLOWED_HOSTS").unwrap_or_default();
        let hosts = hosts.split(',').map(|name| name.trim().to_ascii_lowercase());
        Ok(Some(Self {
            listen,
            token: environment.text("API_TOKEN").as_deref().and_then(Secret::new),
            hosts: hosts.filter(|name| !name.is_empty()).collect(),
        }))
    }
}

/// `ADDRESS:PORT`, an address, or a port.
fn address(text: &str, told: SocketAddr) -> Result<SocketAddr, ConfigError> {
    if let Ok(whole) = text.parse() {
        return Ok(whole);
    }
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::new(told.ip(), port));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => {
            Ok(SocketAddr::new(parse_host("--api", host)?, parse_port("--api", port)?))
        }
        _ => Ok(SocketAddr::new(parse_host("--api", text)?, told.port())),
    }
}

fn parse_host(source: &str, text: &str) -> Result<IpAddr, ConfigError> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.trim_start_matches('[').trim_end_matches(']').parse().map_err(|_| {
        ConfigError::Invalid(format!(
            "{source}: {text} is no address to listen at: write it like 127.0.0.1:8000 or 0.0.0.0:8000"
        ))
    })
}

fn parse_port(source: &str, text: &str) -> Result<u16, ConfigError> {
    let text = text.trim();
    text.parse().map_err(|_| {
        ConfigError::Invalid(format!("{source}: {text} is no port: write it like 8000"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let named = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        ApiSettings::decide(flag, &Environment::of(named))
            .map(|api| api.map(|api| api.listen.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_api_is_off_until_it_is_asked_for_and_stays_on_this_machine_until_told() {
        let port: &[(&str, &str)] = &[("API_PORT", "9000")];
        let both: &[(&str, &str)] = &[("API_PORT", "9000"), ("API_HOST", "0.0.0.0")];
        for (flag, variables, expected) in [
            (None, &[][..], None),
            (None, &[("API_HOST", "0.0.0.0")], None),
            (None, port, Some("127.0.0.1:9000")),
            (None, both, Some("0.0.0.0:9000")),
            (Some(""), &[], Some("127.0.0.1:8000")),
            (Some(""), both, Some("0.0.0.0:9000")),
            (Some("7000"), both, Some("0.0.0.0:7000")),
            (Some("localhost"), port, Some("127.0.0.1:9000")),
            (Some("localhost:7000"), &[], Some("127.0.0.1:7000")),
            (Some("10.0.0.1:7000"), both, Some("10.0.0.1:7000")),
            (Some("[::1]:7000"), &[], Some("[::1]:7000")),
            (Some("::1"), &[], Some("[::1]:8000")),
        ] {
            let expected = Ok(expected.map(str::to_owned));
            assert_eq!(decided(flag, variables), expected, "{flag:?} {variables:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_name() {
        for (flag, variables, words) in [
            (Some("example.org:80"), &[][..], "--api: example.org is no address"),
            (Some("127.0.0.1:http"), &[], "--api: http is no port"),
            (None, &[("API_PORT", "70000")], "API_PORT: 70000 is no port"),
            (None, &[("API_PORT", "1"), ("API_HOST", "here")], "API_HOST: here is no address"),
        ] {
            let error = decided(flag, variables).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }
}
