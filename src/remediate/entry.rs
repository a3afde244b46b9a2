//! One entry of the catalogue, in the form of Docker's MCP gateway: what it may say, and what it
//! comes to on this machine.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use yaml_serde::Value;

use crate::config::gateway::endpoint;
use crate::remediate::container;
use crate::remediate::spec::{ServerSpec, Way};

/// What stands for our own executable.
const SELF: &str = "$SELF";
/// Elements that any list of an entry may have.
const MAX_LIST: usize = 256;
/// Bytes of one text of an entry.
const MAX_TEXT: usize = 4096;

/// What we read of an entry. Every other key is for the gateway, or for people.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    image: Option<String>,
    #[serde(deserialize_with = "or_none")]
    command: Vec<Scalar>,
    #[serde(deserialize_with = "or_none")]
    env: Vec<Variable>,
    #[serde(deserialize_with = "or_none")]
    volumes: Vec<String>,
    user: Option<Scalar>,
    #[serde(rename = "disableNetwork")]
    disable_network: Option<bool>,
    remote: Option<Remote>,
    #[serde(deserialize_with = "or_none")]
    tools: Vec<Named>,
    #[serde(rename = "x-sentinel")]
    local: Option<Value>,
}

/// A list; a key with nothing behind it is one without elements.
fn or_none<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A value of the environment or an argument: YAML takes `2375` for a number and `yes` for text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value,
        }
    }
}

#[derive(Deserialize)]
struct Variable {
    name: String,
    value: Option<Scalar>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Entry { name: String },
    Name(String),
}

#[derive(Deserialize)]
struct Remote {
    url: String,
    #[serde(default)]
    transport_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, Scalar>,
}

/// Our own key; nothing but us reads it, so that a key which is not known is a mistake.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Local {
    exec: Vec<String>,
    #[serde(default)]
    env: Vec<String>,
}

/// Reads one entry. An error means that it is not understood; an entry that is understood and
/// cannot work here is [`Way::Unusable`], so that it does not take the others with it.
pub(crate) fn read(name: &str, entry: Value, executable: &Path) -> Result<ServerSpec, String> {
    if !entry.is_mapping() {
        return Err(format!("{name}: an entry is a list of keys with values"));
    }
    let entry: Entry = yaml_serde::from_value(entry).map_err(|e| format!("{name}: {e}"))?;
    let lists = [entry.command.len(), entry.env.len(), entry.volumes.len(), entry.tools.len()];
    if lists.iter().any(|length| *length > MAX_LIST) {
        return Err(format!("{name}: one of its lists has more than {MAX_LIST} elements"));
    }
    let mut tools = Vec::new();
    for tool in entry.tools {
        let (Named::Entry { name: tool } | Named::Name(tool)) = tool;
        plain(name, "tools", &tool)?;
        tools.push(tool);
    }
    let (way, own) = match (entry.local, entry.remote, entry.image) {
        // Ours come first: what is meant for this machine.
        (Some(local), _, _) => program(name, local, executable)?,
        (None, Some(at), _) => (remote(name, at)?, false),
        (None, None, Some(image)) => {
            plain(name, "image", &image)?;
            let mut env = Vec::new();
            for variable in entry.env {
                plain(name, "env", &variable.name)?;
                let value = variable.value.map(Scalar::into_text).unwrap_or_default();
                plain(name, "env", &value)?;
                env.push((variable.name, value));
            }
            for volume in &entry.volumes {
                plain(name, "volumes", volume)?;
            }
            let command: Vec<String> = entry.command.into_iter().map(Scalar::into_text).collect();
            for argument in &command {
                plain(name, "command", argument)?;
            }
            let run = container::Run {
                image,
                command,
                env,
                volumes: entry.volumes,
                user: entry.user.map(Scalar::into_text),
                network: entry.disable_network != Some(true),
            };
            (run.way(), false)
        }
        (None, None, None) => {
            let why = "its entry names no image, no remote and no x-sentinel.exec, so nothing can be started";
            (Way::Unusable(why.to_owned()), false)
        }
    };
    Ok(ServerSpec { name: name.to_owned(), way, tools, own })
}

fn program(name: &str, local: Value, executable: &Path) -> Result<(Way, bool), String> {
    let local: Local =
        yaml_serde::from_value(local).map_err(|e| format!("{name}.x-sentinel: {e}"))?;
    if local.exec.first().is_none_or(|program| program.trim().is_empty()) {
        return Err(format!("{name}.x-sentinel.exec names no program"));
    }
    if local.exec.len() > MAX_LIST || local.env.len() > MAX_LIST {
        return Err(format!("{name}.x-sentinel: a list has more than {MAX_LIST} elements"));
    }
    for argument in &local.exec {
        plain(name, "x-sentinel.exec", argument)?;
    }
    if let Some(bad) = local.env.iter().find(|variable| !is_variable(variable)) {
        return Err(format!("{name}.x-sentinel.env: {bad:?} is no name of a variable"));
    }
    let own = local.exec.first().is_some_and(|program| program == SELF);
    let executable = executable.to_str().ok_or("the path of this executable is no valid text")?;
    let put = |argument: String| if argument == SELF { executable.to_owned() } else { argument };
    let exec = local.exec.into_iter().map(put).collect();
    Ok((Way::Program { exec, env: local.env }, own))
}

fn remote(name: &str, remote: Remote) -> Result<Way, String> {
    plain(name, "remote.url", &remote.url)?;
    match remote.transport_type.as_deref().unwrap_or("http") {
        "http" | "streamable" | "streaming" | "streamable-http" => {}
        "sse" => {
            let why = "its transport_type is sse, which the protocol has given up; if the server offers streamable HTTP, name that address with transport_type: http";
            return Ok(Way::Unusable(why.to_owned()));
        }
        other => {
            return Err(format!("{name}.remote.transport_type: {other:?} is not known; use http"));
        }
    }
    let url = endpoint(&remote.url).map_err(|why| format!("{name}.remote.url: {why}"))?;
    let mut headers = BTreeMap::new();
    if remote.headers.len() > MAX_LIST {
        return Err(format!("{name}.remote.headers: more than {MAX_LIST} headers"));
    }
    for (header, value) in remote.headers {
        plain(name, "remote.headers", &header)?;
        let value = value.into_text();
        plain(name, "remote.headers", &value)?;
        headers.insert(header, value);
    }
    Ok(Way::Remote { url, headers })
}

/// Texts are bounded, and hold nothing that a terminal or a command line would take otherwise.
fn plain(name: &str, place: &str, text: &str) -> Result<(), String> {
    if text.len() > MAX_TEXT {
        return Err(format!("{name}.{place}: a text has more than {MAX_TEXT} bytes"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{name}.{place}: a text holds a control character"));
    }
    Ok(())
}

fn is_variable(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
