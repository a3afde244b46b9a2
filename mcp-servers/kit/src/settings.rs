//! What a server is told at its start.

use std::path::PathBuf;

/// The socket that is used when nothing else is said.
pub const DEFAULT_DOCKER_HOST: &str = "unix:///var/run/docker.sock";

/// What a server is told at its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where the engine is: `unix://PATH`, `tcp://HOST:PORT`, `http://…` or `https://…`;
    /// [`DEFAULT_DOCKER_HOST`] if `None`.
    pub docker_host: Option<String>,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem`; `tcp://` then means TLS.
    pub cert_path: Option<PathBuf>,
    /// Whether containers without the label `sre-sentinel.monitor=true` may be targets too.
    pub watch_all: bool,
    /// Whether every changing tool is refused.
    pub read_only: bool,
    /// The full id of the container that this process runs in; it is never a target.
    pub own_container: Option<String>,
    /// Where journals are kept; a folder under the system's temporary folder if `None`.
    pub state_dir: Option<PathBuf>,
}

impl Settings {
    /// Reads `DOCKER_HOST`, `DOCKER_CERT_PATH`, `DOCKER_TLS_VERIFY`, `SENTINEL_WATCH_ALL`,
    /// `SENTINEL_READ_ONLY` and `SENTINEL_STATE_DIR` through `lookup`. Only the servers' own
    /// binaries call this, with the process's environment; sentinel-tui fills the fields.
    ///
    /// A blank value means unset; switches accept true, 1, yes and on.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| lookup(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let switch = |name: &str| {
            text(name).is_some_and(|v| {
                ["true", "1", "yes", "on"].iter().any(|word| v.eq_ignore_ascii_case(word))
            })
        };
        let tls = text("DOCKER_TLS_VERIFY").is_some();
        Self {
            docker_host: text("DOCKER_HOST"),
            cert_path: text("DOCKER_CERT_PATH").filter(|_| tls).map(PathBuf::from),
            watch_all: switch("SENTINEL_WATCH_ALL"),
            read_only: switch("SENTINEL_READ_ONLY"),
            own_container: None,
            state_dir: text("SENTINEL_STATE_DIR").map(PathBuf::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Settings {
        Settings::from_environment(|name| {
            pairs.iter().find(|(k, _)| *k == name).map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn blank_means_unset_and_switches_have_four_words() {
        assert_eq!(read(&[("DOCKER_HOST", " "), ("SENTINEL_READ_ONLY", "")]), Settings::default());
        for word in ["true", "1", "YES", "on"] {
            assert!(read(&[("SENTINEL_READ_ONLY", word)]).read_only, "{word}");
        }
        assert!(!read(&[("SENTINEL_WATCH_ALL", "0")]).watch_all);
    }

    #[test]
    fn certificates_count_only_with_tls() {
        assert_eq!(read(&[("DOCKER_CERT_PATH", "/c")]).cert_path, None);
        let tls = read(&[("DOCKER_CERT_PATH", "/c"), ("DOCKER_TLS_VERIFY", "1")]);
        assert_eq!(tls.cert_path, Some(PathBuf::from("/c")));
    }
}
