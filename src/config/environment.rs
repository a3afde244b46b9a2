//! The environment and `.env` files, read once into a map.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;

/// What a `.env` in the working folder may not set unless it is named: a cloned repository must
/// not decide where we connect or whether we act.
const NEEDS_NAMING: &[&str] = &[
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "AUTO_HEAL_ENABLED",
    "SENTINEL_WATCH_ALL",
    "SENTINEL_CATALOG",
    "SENTINEL_STATE_DIR",
    "SENTINEL_RUNBOOKS",
    "MCP_GATEWAY_URL",
    "MCP_GATEWAY_AUTH_TOKEN",
    "MCP_SERVER_AUTH_TOKEN",
    "LLAMA_API_BASE",
    "CEREBRAS_API_BASE",
    "REDIS_URL",
    "REDIS_HOST",
    "REDIS_CA_FILE",
    "SENTINEL_REDIS_COMMANDS",
    "SENTINEL_REDIS_LEASES",
    "API_HOST",
    "API_PORT",
    "API_TOKEN",
    "API_ALLOWED_HOSTS",
];

/// Variables by name. A blank value means unset.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

/// Values may be secrets: only names are shown.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

impl Environment {
    /// Reads `.env` (or the named file), then the process's environment over it.
    pub fn read(named: Option<&Path>, ignored: &mut Vec<String>) -> Result<Self, ConfigError> {
        let mut variables = BTreeMap::new();
        let here = Path::new(".env");
        if let Some(path) = named {
            variables.extend(dotenv(path)?);
        } else if here.is_file() {
            for (key, value) in dotenv(here)? {
                if NEEDS_NAMING.contains(&key.as_str()) {
                    ignored.push(format!(
                        "{key} in ./.env is ignored; name the file with --env-file to use it"
                    ));
                } else {
                    variables.insert(key, value);
                }
            }
        }
        for (key, value) in std::env::vars_os() {
            if let (Ok(key), Ok(value)) = (key.into_string(), value.into_string()) {
                variables.insert(key, value);
            }
        }
        Ok(Self::of(variables))
    }

    /// These variables and no others; blank ones are unset.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut variables: BTreeMap<String, String> = variables.into_iter().collect();
        variables.retain(|_, value| !value.trim().is_empty());
        Self { variables }
    }

    /// A value as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    /// A value as a path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A value as a boolean: true/1/yes/on or false/0/no/off.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, ConfigError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Some(true)),
            "false" | "0" | "no" | "off" => Ok(Some(false)),
            _ => Err(ConfigError::Invalid(format!(
                "{name} must be true or false (1/0, yes/no and on/off work, too)"
            ))),
        }
    }

    /// A value as whole seconds.
    pub fn seconds(&self, name: &str) -> Result<Option<u64>, ConfigError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.trim()
            .parse()
            .map(Some)
            .map_err(|_| ConfigError::Invalid(format!("{name} must be a whole number of seconds")))
    }

    /// All variables, for child processes to choose from.
    pub fn all(&self) -> BTreeMap<String, String> {
        self.variables.clone()
    }

    /// The XDG configuration folder.
    pub fn config_home(&self) -> Result<PathBuf, ConfigError> {
        self.home_or("XDG_CONFIG_HOME", ".config")
    }

    /// The XDG state folder.
    pub fn state_home(&self) -> Result<PathBuf, ConfigError> {
        self.home_or("XDG_STATE_HOME", ".local/state")
    }

    fn home_or(&self, name: &str, below: &str) -> Result<PathBuf, ConfigError> {
        self.path(name)
            .filter(|p| p.is_absolute())
            .or_else(|| self.path("HOME").map(|home| home.join(below)))
            .ok_or(ConfigError::NoHome)
    }
}

fn dotenv(path: &Path) -> Result<Vec<(String, String)>, ConfigError> {
    let entries = dotenvy::from_path_iter(path)
        .map_err(|e| ConfigError::Invalid(format!("cannot read {}: {e}", path.display())))?;
    entries
        .collect::<Result<_, _>>()
        .map_err(|e| ConfigError::Invalid(format!("{}: {e}", path.display())))
}
