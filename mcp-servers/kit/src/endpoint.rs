//! Where the engine is.

use std::fmt;
use std::path::PathBuf;

use crate::failure::Failure;
use crate::settings::{DEFAULT_DOCKER_HOST, Settings};

/// Where the engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket on this machine.
    Unix(PathBuf),
    /// `HOST:PORT`, in clear.
    Tcp(String),
    /// `HOST:PORT` over TLS.
    Tls {
        /// `HOST:PORT`.
        address: String,
        /// The folder with `ca.pem`, `cert.pem` and `key.pem`.
        certificates: PathBuf,
    },
}

impl Endpoint {
    /// Reads it from the settings. Fails on a form that is not spoken here.
    pub fn of(settings: &Settings) -> Result<Self, Failure> {
        let host = settings.docker_host.as_deref().unwrap_or(DEFAULT_DOCKER_HOST);
        let wrong = |reason: &str| {
            Err(Failure::Unreachable { endpoint: shown(host), reason: reason.to_owned() })
        };
        if let Some(path) = host.strip_prefix("unix://") {
            return if path.is_empty() {
                wrong("unix:// needs a path")
            } else {
                Ok(Self::Unix(PathBuf::from(path)))
            };
        }
        let secure = host.starts_with("https://") || settings.cert_path.is_some();
        let Some(rest) =
            ["tcp://", "http://", "https://"].iter().find_map(|s| host.strip_prefix(s))
        else {
            return wrong("this form is not spoken here; use unix://PATH or tcp://HOST:PORT");
        };
        let address = rest.trim_end_matches('/');
        if address.is_empty() || address.contains(['/', '@', ' ']) {
            return wrong("expected HOST:PORT behind the scheme");
        }
        let has_port = address
            .rsplit_once(':')
            .is_some_and(|(h, p)| !h.is_empty() && p.parse::<u16>().is_ok() && !p.is_empty());
        let address = match (has_port, secure) {
            (true, _) => address.to_owned(),
            (false, true) => format!("{address}:2376"),
            (false, false) => format!("{address}:2375"),
        };
        match (&settings.cert_path, secure) {
            (Some(folder), _) => Ok(Self::Tls { address, certificates: folder.clone() }),
            (None, true) => wrong("https:// needs DOCKER_CERT_PATH and DOCKER_TLS_VERIFY=1"),
            (None, false) => Ok(Self::Tcp(address)),
        }
    }

    /// Whether the engine shares this machine's kernel, as far as its address can tell.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Unix(_))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Tls { address, .. } => write!(f, "tcp://{address} (TLS)"),
        }
    }
}

/// A host as an error may show it: userinfo in it is masked.
fn shown(host: &str) -> String {
    crate::text::line(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(host: &str, certificates: Option<&str>) -> Result<String, Failure> {
        let settings = Settings {
            docker_host: Some(host.to_owned()),
            cert_path: certificates.map(PathBuf::from),
            ..Settings::default()
        };
        Endpoint::of(&settings).map(|e| e.to_string())
    }

    #[test]
    fn the_usual_forms_are_understood() {
        assert_eq!(of("unix:///run/d.sock", None).unwrap(), "unix:///run/d.sock");
        assert_eq!(of("tcp://box:2375", None).unwrap(), "tcp://box:2375");
        assert_eq!(of("tcp://box", None).unwrap(), "tcp://box:2375");
        assert_eq!(of("tcp://[::1]:2375/", None).unwrap(), "tcp://[::1]:2375");
        assert_eq!(of("tcp://box", Some("/c")).unwrap(), "tcp://box:2376 (TLS)");
        assert_eq!(Endpoint::of(&Settings::default()).unwrap().to_string(), DEFAULT_DOCKER_HOST);
    }

    #[test]
    fn other_forms_are_refused_and_named() {
        for host in ["ssh://box", "unix://", "tcp://", "tcp://a/b", "box:2375", "https://box"] {
            let error = of(host, None).unwrap_err();
            assert!(error.to_string().contains(host), "{error}");
        }
        assert!(!of("tcp://me:hunter2@box", None).unwrap_err().to_string().contains("hunter2"));
    }
}
