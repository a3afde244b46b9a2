//! The configuration file: TOML, every key known, unknown ones an error that helps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::ConfigError;
use crate::config::models::ModelsSection;
use crate::config::policy::{BrakeSettings, PolicySettings};
use crate::config::redact::RedactSettings;
use crate::config::ui::{KeyNames, UiSettings};

/// A file with every key at its default, shown by `config default`.
pub const DEFAULT: &str = r#"# sentinel-tui: every key with its default. Flags and environment win over this file.

# Docker engine; without it DOCKER_HOST, the current context and the known sockets are tried.
# host = "unix:///var/run/docker.sock"

# Watch every container, not only those labelled sre-sentinel.monitor=true.
watch_all = false

# Forbid every change.
read_only = false

# Apply fixes that the policy allows without asking.
auto_heal = false

# dark, light, mono, colour-blind, high-contrast, or the path of a TOML file (also as ui.theme).
theme = "dark"

# Draw with plain ASCII characters.
ascii = false

# How long every check must hold before an incident is resolved, in seconds.
verify_seconds = 30

# Seconds between resource readings.
usage_seconds = 2

# Folder for incidents, audit trail and logs (default: the XDG state folder).
# state_dir = "/var/lib/sentinel-tui"

# Catalogue of MCP servers instead of the built-in one.
# catalog = "mcp-servers/catalog.yaml"

# MCP gateway that tools come from instead of the catalogue's own servers; its token is in
# MCP_GATEWAY_AUTH_TOKEN.
# mcp_gateway_url = "http://127.0.0.1:8811"

# Known failures in log lines, before the built-in ones (default: sentinel-tui/signatures.toml in
# the XDG folder for configuration).
# signatures = "signatures.toml"

# Folder of runbooks: Markdown files for kinds of failure (default: sentinel-tui/runbooks in the XDG
# folder for configuration).
# runbooks = "runbooks"

# Hours for which a container that a fix replaced is kept aside, as the way back.
park_hours = 24

# What is hidden in all text beside the built-in rules, which cannot be switched off: regular
# expressions, and of the values that stay readable all the same.
[redact]
patterns = []
allow = []

# What keeps auto-heal from doing too much.
[brakes]
cooldown_seconds = 300
strikes = 3
lock_seconds = 3600
plans_per_hour = 6
ineffective_fixes = 2
circuit_failures = 3
circuit_seconds = 300

# What auto-heal may do: this can only tighten what is built in.
[policy]
classes = ["transient_crash", "native_crash", "oom_kill", "hang", "dependency_down"]
max_risk = "R2"
min_confidence = 0.7

# The least risk that calls of a tool have; R3 and above always ask, R4 is never offered.
[policy.risk]
# restart_container = "R3"

# The terminal UI: the mouse (a click focuses and selects, the wheel scrolls; text is then selected
# with shift held), and how a new incident is told outside of the screen: off, bell, osc9, osc777.
[ui]
mouse = false
notify = "off"
# The tour of four cards, shown once by itself.
tour = true
# Columns of the list of containers; without it all that fit.
# columns = ["health", "cpu", "cpu-chart", "memory", "memory-bar", "errors", "up"]

# Language models, which explain and never act; without a key (CEREBRAS_API_KEY, LLAMA_API_KEY, in
# the environment or .env only) and without an address there are none.
[models]
enabled = true
# Seconds to wait for an answer to begin or to go on; more for a model on a slow machine.
patience_seconds = 20
# A PEM file with the authority of an endpoint of your own, and a proxy instead of HTTPS_PROXY.
# ca_file = "/etc/ssl/own.pem"
# proxy = "http://proxy.example:3128"

# Looks at lines; without a key or address of its own it uses the analyst's.
[models.triage]
# base = "https://api.cerebras.ai/v1"
# model = "gpt-oss-120b"
# Models instead of it, in this order, where it is not offered.
fallbacks = []

# Looks at incidents.
[models.analyst]
# base = "https://openrouter.ai/api/v1"
# model = "meta-llama/llama-4-scout"
fallbacks = []

# What may be spent, in tokens and USD; the unknown price is assumed for models without one.
[models.caps]
tokens_per_minute = 100000
tokens_per_hour = 500000
tokens_per_day = 2000000
usd_per_hour = 0.5
usd_per_day = 3.0
unknown_price = { prompt = 1.0, completion = 2.0 }

# USD for a million tokens.
[models.prices]
# "meta-llama/llama-4-scout" = { prompt = 0.08, completion = 0.3 }

# Keys of the terminal UI: for an action a key, or a list of keys, which take the place of all that
# it has; an empty list leaves it none. `sentinel-tui config default` lists the actions below.
[keys]
"#;

/// What the file may say.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Docker engine.
    pub host: Option<String>,
    /// Everything is watched.
    pub watch_all: Option<bool>,
    /// Forbid every change.
    pub read_only: Option<bool>,
    /// Act where the policy allows.
    pub auto_heal: Option<bool>,
    /// Theme name or path.
    pub theme: Option<String>,
    /// Plain ASCII drawing.
    pub ascii: Option<bool>,
    /// How long every check must hold.
    pub verify_seconds: Option<u64>,
    /// Seconds between readings.
    pub usage_seconds: Option<u64>,
    /// Where things are kept.
    pub state_dir: Option<PathBuf>,
    /// Catalogue of MCP servers.
    pub catalog: Option<PathBuf>,
    /// MCP gateway.
    pub mcp_gateway_url: Option<String>,
    /// Known failures in log lines.
    pub signatures: Option<PathBuf>,
    /// Folder of runbooks.
    pub runbooks: Option<PathBuf>,
    /// Hours for which a container that was replaced is kept.
    pub park_hours: Option<u64>,
    /// What is hidden beyond what is built in.
    pub redact: Option<RedactSettings>,
    /// The brakes' bounds.
    pub brakes: Option<BrakeSettings>,
    /// What auto-heal may do.
    pub policy: Option<PolicySettings>,
    /// Language models.
    pub models: Option<ModelsSection>,
    /// The terminal UI.
    pub ui: Option<UiSettings>,
    /// Keys of its actions.
    pub keys: Option<BTreeMap<String, KeyNames>>,
}

const KEYS: &[&str] = &[
    "host",
    "watch_all",
    "read_only",
    "auto_heal",
    "theme",
    "ascii",
    "verify_seconds",
    "usage_seconds",
    "state_dir",
    "catalog",
    "mcp_gateway_url",
    "signatures",
    "runbooks",
    "park_hours",
    "redact",
    "patterns",
    "allow",
    "brakes",
    "cooldown_seconds",
    "strikes",
    "lock_seconds",
    "plans_per_hour",
    "ineffective_fixes",
    "circuit_failures",
    "circuit_seconds",
    "policy",
    "classes",
    "max_risk",
    "min_confidence",
    "risk",
    "models",
    "enabled",
    "triage",
    "analyst",
    "base",
    "model",
    "fallbacks",
    "prices",
    "prompt",
    "completion",
    "caps",
    "tokens_per_minute",
    "tokens_per_hour",
    "tokens_per_day",
    "usd_per_hour",
    "usd_per_day",
    "unknown_price",
    "ca_file",
    "proxy",
    "ui",
    "mouse",
    "notify",
    "columns",
    "tour",
    "keys",
];

impl FileSettings {
    /// Whether the file is there.
    pub fn exists(path: &Path) -> bool {
        path.is_file()
    }

    /// Reads the file. A file that is not there is an empty one, unless somebody named it.
    pub fn read(path: &Path, named: bool) -> Result<Self, ConfigError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !named => {
                return Ok(Self::default());
            }
            Err(source) => return Err(ConfigError::Read { path: path.to_owned(), source }),
        };
        Self::parse(&text).map_err(|e| ConfigError::Invalid(format!("{}: {e}", path.display())))
    }

    /// Parses the text of a file; errors name the line and, for an unknown key, the nearest one.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map(|s| text.get(..s.start).unwrap_or(text).matches('\n').count() + 1)
                .map(|l| format!("line {l}: "))
                .unwrap_or_default();
            let message = error.message();
            let hint = message
                .strip_prefix("unknown field `")
                .and_then(|rest| rest.split('`').next())
                .and_then(|unknown| nearest(unknown, KEYS.iter().copied()))
                .map(|key| format!("; did you mean `{key}`?"))
                .unwrap_or_default();
            format!("{line}{message}{hint}")
        })
    }
}

/// The known word with the smallest edit distance, if it is near.
pub fn nearest(unknown: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    known
        .map(|key| (distance(unknown, key), key))
        .filter(|(d, key)| *d <= key.len().div_ceil(3).max(2))
        .min()
        .map(|(_, key)| key)
}

/// Levenshtein distance over bytes: keys are ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, cell) in b.bytes().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            *cell = (above + 1).min(left + 1).min(diagonal + usize::from(x != y));
            diagonal = above;
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_file_is_valid_and_says_every_key() {
        let uncommented: String = DEFAULT
            .lines()
            .map(|l| {
                let bare = l.strip_prefix("# ").unwrap_or(l);
                if bare.contains(" = \"") { format!("{bare}\n") } else { format!("{l}\n") }
            })
            .collect();
        let parsed = FileSettings::parse(&uncommented).unwrap();
        assert!(parsed.host.is_some() && parsed.catalog.is_some() && parsed.brakes.is_some());
        assert!(KEYS.iter().all(|k| DEFAULT.contains(k)));
    }

    #[test]
    fn an_unknown_key_names_the_line_and_the_nearest_key() {
        let error = FileSettings::parse("theme = \"dark\"\nwatchall = true\n").unwrap_err();
        assert!(error.contains("line 2"), "{error}");
        assert!(error.contains("did you mean `watch_all`"), "{error}");
    }

    #[test]
    fn distance_counts_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
