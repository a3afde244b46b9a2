//! The catalogue: which MCP servers there are, in which order, and how each is started.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use yaml_serde::{Mapping, Value};

/// The catalogue that is built in.
pub const BUILT_IN: &str = include_str!("../../mcp-servers/catalog.yaml");

/// Servers that a catalogue may list.
const MAX_SERVERS: usize = 32;
/// Bytes that a catalogue may have.
const MAX_BYTES: u64 = 256 * 1024;
/// What stands for our own executable.
const SELF: &str = "$SELF";

/// How one server is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpec {
    /// Its name.
    pub name: String,
    /// Program and arguments.
    pub exec: Vec<String>,
    /// Names of the variables that it may see.
    pub env: Vec<String>,
}

/// Why a catalogue is not usable.
#[derive(Debug, Error)]
pub enum CatalogError {
    /// It cannot be read.
    #[error(
        "cannot read the catalogue of MCP servers {path}: {source}; check `catalog` in the configuration or SENTINEL_CATALOG"
    )]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It says something that is not understood.
    #[error("the catalogue of MCP servers {origin} is not usable: {why}")]
    Invalid {
        /// Its path, or that it is the built-in one.
        origin: String,
        /// What is wrong, where.
        why: String,
    },
}

#[derive(Deserialize)]
struct File {
    registry: Mapping,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Local {
    exec: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
}

/// Reads the catalogue at `path`, or the built-in one, and puts `executable` where it says
/// `$SELF`. Servers come in the order of the file.
pub fn read(path: Option<&Path>, executable: &Path) -> Result<Vec<ServerSpec>, CatalogError> {
    let (origin, text) = match path {
        None => ("(built in)".to_owned(), BUILT_IN.to_owned()),
        Some(path) => {
            let blame = |source| CatalogError::Read { path: path.to_owned(), source };
            let length = std::fs::metadata(path).map_err(blame)?.len();
            if length > MAX_BYTES {
                return Err(CatalogError::Invalid {
                    origin: path.display().to_string(),
                    why: format!("it has {length} bytes, more than {MAX_BYTES}"),
                });
            }
            (path.display().to_string(), std::fs::read_to_string(path).map_err(blame)?)
        }
    };
    parse(&text, executable).map_err(|why| CatalogError::Invalid { origin, why })
}

fn parse(text: &str, executable: &Path) -> Result<Vec<ServerSpec>, String> {
    let file: File = yaml_serde::from_str(text).map_err(|e| e.to_string())?;
    let mut servers = Vec::new();
    for (name, entry) in file.registry {
        let name = name.as_str().map(str::to_owned).ok_or("registry: a name is no text")?;
        if !is_name(&name) {
            return Err(format!(
                "registry: the name {name:?} is not made of 1 to 64 letters, digits, '_', '-', '.'"
            ));
        }
        // Others are for the gateway only.
        let Some(local) = entry.get("x-sentinel").cloned() else {
            tracing::debug!("MCP server {name} has no x-sentinel in the catalogue: not started");
            continue;
        };
        servers.push(server(name, local, executable)?);
    }
    if servers.is_empty() {
        return Err("no entry of registry has x-sentinel.exec: there is nothing to start".into());
    }
    if servers.len() > MAX_SERVERS {
        return Err(format!("it lists more than {MAX_SERVERS} servers"));
    }
    Ok(servers)
}

fn server(name: String, local: Value, executable: &Path) -> Result<ServerSpec, String> {
    let local: Local =
        yaml_serde::from_value(local).map_err(|e| format!("{name}.x-sentinel: {e}"))?;
    if local.exec.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(format!("{name}.x-sentinel.exec names no program"));
    }
    if let Some(bad) = local.env.iter().find(|variable| !is_variable(variable)) {
        return Err(format!("{name}.x-sentinel.env: {bad:?} is no name of a variable"));
    }
    let own = executable.to_str().ok_or("the path of this executable is no valid text")?;
    let put = |argument: String| if argument == SELF { own.to_owned() } else { argument };
    Ok(ServerSpec { name, exec: local.exec.into_iter().map(put).collect(), env: local.env })
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

fn is_variable(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<ServerSpec>, String> {
        parse(text, Path::new("/opt/sentinel-tui"))
    }

    #[test]
    fn the_built_in_one_starts_this_executable() {
        let servers = read(None, Path::new("/opt/sentinel-tui")).unwrap();
        let names: Vec<_> = servers.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["docker-control", "config-patcher"]);
        assert_eq!(servers[0].exec, ["/opt/sentinel-tui", "mcp-server", "docker-control"]);
        assert!(servers[0].env.contains(&"DOCKER_HOST".to_owned()));
    }

    #[test]
    fn order_is_kept_and_entries_for_the_gateway_are_left_out() {
        let servers = parsed(
            "registry:\n  z: {x-sentinel: {exec: [z, $SELF, $SELFISH]}}\n  gate: {image: x}\n  \
             a: {x-sentinel: {exec: [a], env: [PATH]}}\n",
        )
        .unwrap();
        assert_eq!(servers.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["z", "a"]);
        assert_eq!(servers[0].exec, ["z", "/opt/sentinel-tui", "$SELFISH"]);
        assert_eq!(servers[1].env, ["PATH"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("x: 1", "registry"),
            ("registry: [", ""),
            ("registry: {}", "nothing to start"),
            ("registry: {a: {image: x}}", "nothing to start"),
            ("registry: {a: {x-sentinel: {exec: []}}}", "a.x-sentinel.exec names no program"),
            ("registry: {a: {x-sentinel: {exec: [x], env: [A=B]}}}", "\"A=B\" is no name"),
            ("registry: {a: {x-sentinel: {exec: [x], enviroment: []}}}", "enviroment"),
            ("registry: {a/b: {x-sentinel: {exec: [x]}}}", "\"a/b\""),
            ("registry: {a: {x-sentinel: {exec: [x]}}, a: {x-sentinel: {exec: [y]}}}", "duplicate"),
        ];
        for (text, expected) in cases {
            let error = parsed(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let error = read(Some(Path::new("/nowhere/catalog.yaml")), Path::new("x")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/catalog.yaml"), "{error}");
    }
}
