//! The MCP gateway that tools come from instead of the embedded servers.

use hyper::Uri;

use crate::config::ConfigError;

/// The path of an MCP endpoint where only the machine is named.
const ENDPOINT: &str = "/mcp";

/// A secret that never shows in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the value; white space around it is no part of it. `None` if nothing is left.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// The value itself, for the one place that sends or compares it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Where the gateway is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewaySettings {
    /// Its MCP endpoint, path included.
    pub url: String,
    /// What is sent as `Authorization: Bearer …`.
    pub token: Option<Secret>,
}

impl GatewaySettings {
    /// Reads the address as it was given: of the machine (`http://host:8811`) or of the endpoint
    /// (`http://host:8811/mcp`).
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, ConfigError> {
        let url = endpoint(url).map_err(|why| {
            ConfigError::Invalid(format!(
                "MCP_GATEWAY_URL or mcp_gateway_url: {why}; write it like http://127.0.0.1:8811"
            ))
        })?;
        Ok(Self { url, token: token.and_then(Secret::new) })
    }
}

/// The address of an MCP endpoint in full. The error does not repeat what was given: it may hold
/// a password.
pub fn endpoint(url: &str) -> Result<String, String> {
    let url = url.trim();
    let parsed: Uri = url.parse().map_err(|e| format!("this is no address: {e}"))?;
    if !matches!(parsed.scheme_str(), Some("http" | "https")) {
        return Err("an address begins with http:// or https://".to_owned());
    }
    let authority = parsed.authority().ok_or("the address names no machine")?;
    if authority.host().is_empty() {
        return Err("the address names no machine".to_owned());
    }
    if authority.as_str().contains('@') {
        return Err("the address holds a name or password, which would end up in logs".to_owned());
    }
    let bare = url.trim_end_matches('/');
    Ok(match parsed.path() {
        "" | "/" if parsed.query().is_none() => format!("{bare}{ENDPOINT}"),
        _ => bare.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_machine_is_enough() {
        for (given, expected) in [
            ("http://localhost:8811", "http://localhost:8811/mcp"),
            ("http://localhost:8811/", "http://localhost:8811/mcp"),
            (" https://gate.example/mcp ", "https://gate.example/mcp"),
            ("https://gate.example/mcp/", "https://gate.example/mcp"),
            ("https://gate.example/teams/a", "https://gate.example/teams/a"),
            ("http://[::1]:8811", "http://[::1]:8811/mcp"),
        ] {
            assert_eq!(endpoint(given).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for given in ["localhost:8811", "/mcp", "ftp://x", "http://ann:hunter2@x", "http://", ""] {
            let error = GatewaySettings::new(given, None).unwrap_err().to_string();
            assert!(error.contains("MCP_GATEWAY_URL"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_token_never_shows() {
        let settings = GatewaySettings::new("http://x", Some(" hunter2\n")).unwrap();
        assert_eq!(settings.token.as_ref().map(Secret::reveal), Some("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
