//! A container behind the gates.
//!
//! Every tool gets its container here and nowhere else: [`Engine::watched`] for those that read,
//! [`Engine::changeable`] for those that change. A [`Changeable`] can be had in no other way.

use std::ops::Deref;

use sentinel_core::domain::container::{LABEL_MONITOR, LABEL_SELF};
use sentinel_core::domain::names::{is_parked_name, is_staged_name};
use serde_json::Value;

use crate::engine::Engine;
use crate::failure::Failure;

/// Fewest characters of an id that name a container.
const SHORT_ID: usize = 12;
/// Longest name that is looked up.
const NAME_MAX: usize = 255;

/// An inspected container that may be read.
#[derive(Clone, Debug)]
pub struct Target {
    /// Full id.
    pub id: String,
    /// Name without the leading slash.
    pub name: String,
    /// The whole inspect answer. Its environment values never leave the process.
    pub inspect: Value,
}

/// A container that may be changed: only [`Engine::changeable`] makes one.
#[derive(Clone, Debug)]
pub struct Changeable(Target);

impl Deref for Changeable {
    type Target = Target;

    fn deref(&self) -> &Target {
        &self.0
    }
}

impl Target {
    /// The text at a JSON pointer, empty if there is none.
    pub fn text(&self, pointer: &str) -> &str {
        self.inspect.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The number at a JSON pointer, 0 if there is none.
    pub fn number(&self, pointer: &str) -> i64 {
        self.inspect.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
    }

    /// The switch at a JSON pointer, off if there is none.
    pub fn switch(&self, pointer: &str) -> bool {
        self.inspect.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.inspect.pointer("/Config/Labels")?.get(name)?.as_str()
    }

    /// The engine's word for its state: running, exited, restarting, paused, created, dead.
    pub fn status(&self) -> &str {
        self.text("/State/Status")
    }

    /// When it was last started, as the engine writes it.
    pub fn started_at(&self) -> &str {
        self.text("/State/StartedAt")
    }

    /// `KEY=value` pairs of its configuration.
    pub fn env(&self) -> Vec<String> {
        self.inspect
            .pointer("/Config/Env")
            .and_then(Value::as_array)
            .map(|env| env.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default()
    }
}

impl Engine {
    /// Finds a container that may be read: by name, full id or at least 12 characters of it.
    /// Refuses those that are not watched and sentinel-tui's own.
    pub async fn watched(&self, name: &str) -> Result<Target, Failure> {
        let asked = checked_name(name)?;
        let target = self.inspect(asked).await?;
        let settings = self.settings();
        if target.label(LABEL_SELF) == Some("true")
            || settings.own_container.as_deref().is_some_and(|own| own == target.id)
        {
            return Err(Failure::Own(target.name));
        }
        if !settings.watch_all && target.label(LABEL_MONITOR) != Some("true") {
            return Err(Failure::NotWatched(target.name));
        }
        Ok(target)
    }

    /// Finds a container that may be changed. This is the one gate before every change: it
    /// refuses on a read-only server, whatever [`Engine::watched`] refuses, containers that a
    /// recreate keeps aside, and one that was not started at `expect_started_at`.
    pub async fn changeable(
        &self,
        tool: &str,
        name: &str,
        expect_started_at: Option<&str>,
    ) -> Result<Changeable, Failure> {
        if self.settings().read_only {
            return Err(Failure::ReadOnly(tool.to_owned()));
        }
        let target = self.watched(name).await?;
        if is_parked_name(&target.name) || is_staged_name(&target.name) {
            return Err(Failure::Aside(target.name));
        }
        if let Some(expected) = expect_started_at
            && !same_moment(expected, target.started_at())
        {
            return Err(Failure::Stale {
                expected: crate::text::line(expected),
                actual: target.started_at().to_owned(),
                container: target.name,
            });
        }
        Ok(Changeable(target))
    }

    /// Inspects a container without any gate: for looking at the state after a change, and for
    /// finding one's way back.
    pub async fn inspect(&self, name: &str) -> Result<Target, Failure> {
        let doing = format!("inspect {name}");
        let inspect = match self.get(&format!("/containers/{name}/json"), &doing).await {
            Err(Failure::Engine { status: Some(404), .. }) => {
                return Err(Failure::Unknown(name.to_owned()));
            }
            other => other?,
        };
        let field = |key: &str| inspect.get(key).and_then(Value::as_str).unwrap_or_default();
        let id = field("Id").to_owned();
        let found = field("Name").trim_start_matches('/').to_owned();
        // The engine takes any prefix of an id: one character would be enough to hit somebody.
        let meant = found == name || (name.len() >= SHORT_ID && id.starts_with(name));
        if !meant {
            return Err(Failure::Unknown(name.to_owned()));
        }
        Ok(Target { id, name: found, inspect })
    }
}

/// The engine's own rule for names, at most `most` bytes: so that nothing else gets into a path.
pub fn is_name(text: &str, most: usize) -> bool {
    text.len() <= most
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn checked_name(name: &str) -> Result<&str, Failure> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    if is_name(bare, NAME_MAX) {
        Ok(bare)
    } else {
        Err(Failure::Invalid(format!(
            "container_name {:?} is no container name: letters, digits, _ . - only",
            crate::text::line(name)
        )))
    }
}

/// The same instant, whatever the number of zeros behind it.
fn same_moment(a: &str, b: &str) -> bool {
    let parsed = |text: &str| text.parse::<jiff::Timestamp>().ok();
    a == b || parsed(a).is_some_and(|a| Some(a) == parsed(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_get_into_a_path() {
        assert_eq!(checked_name("/demo-api").unwrap(), "demo-api");
        for bad in ["", "/", "../x", "a/b", "a b", "-a", "a?x=1", "a%2f", "é"] {
            assert!(checked_name(bad).is_err(), "{bad}");
        }
        assert!(checked_name(&"a".repeat(256)).is_err());
    }

    #[test]
    fn moments_are_compared_not_their_spelling() {
        assert!(same_moment("2026-11-24T03:15:02.5Z", "2026-11-24T03:15:02.500000000Z"));
        assert!(!same_moment("2026-11-24T03:15:02.5Z", "2026-11-24T03:15:02.500000001Z"));
        assert!(!same_moment("yesterday", "2026-11-24T03:15:02Z"));
    }
}
