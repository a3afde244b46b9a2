//! What things are called in Redis, and how much of them is kept.

use std::time::Duration;

use sentinel_core::domain::ids::ContainerId;

/// The channel on which every event is published.
pub(super) const CHANNEL: &str = "sre-sentinel-events-v1";
/// Newest events that are kept for each host, about.
pub(super) const EVENTS_KEPT: usize = 50_000;
/// Newest lines and readings that are kept for each host, about.
pub(super) const LOGS_KEPT: usize = 100_000;
/// How long events are kept.
pub(super) const EVENTS_AGE: Duration = Duration::from_hours(7 * 24);
/// How long lines and readings are kept.
pub(super) const LOGS_AGE: Duration = Duration::from_hours(24);
/// How long it is known which events of a run arrived.
pub(super) const SEEN_AGE: Duration = Duration::from_hours(30 * 24);
/// Commands and answers that are kept for each host, about.
pub(super) const COMMANDS_KEPT: usize = 1000;
/// How long a stream of commands that nobody uses stays.
pub(super) const COMMANDS_AGE: Duration = Duration::from_hours(7 * 24);
/// Bytes of a host's name in a key.
const NAME: usize = 128;

/// The keys of one host. Its name stands in braces: a Redis Cluster keeps all of them on one node,
/// so that a script may touch several.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    host: String,
    prefix: String,
}

impl Keys {
    pub(super) fn of(host: &str) -> Self {
        let name: String = host
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' })
            .take(NAME)
            .collect();
        Self { host: host.to_owned(), prefix: format!("sentinel:{{{name}}}:") }
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    fn named(&self, rest: &str) -> String {
        format!("{}{rest}", self.prefix)
    }

    pub(super) fn events(&self) -> String {
        self.named("events")
    }

    pub(super) fn logs(&self) -> String {
        self.named("logs")
    }

    /// Up to where the events of a run arrived.
    pub(super) fn seen(&self, run: &str) -> String {
        self.named(&format!("seen:{run}"))
    }

    pub(super) fn commands(&self) -> String {
        self.named("commands")
    }

    pub(super) fn answers(&self) -> String {
        self.named("answers")
    }

    /// That a command was taken up by an instance.
    pub(super) fn taken(&self, instance: &str, command: &str) -> String {
        self.named(&format!("taken:{instance}:{command}"))
    }

    pub(super) fn lease(&self, container: &ContainerId) -> String {
        self.named(&format!("lease:{}", container.0))
    }

    /// Who acted on a container a moment ago.
    pub(super) fn rest(&self, container: &ContainerId) -> String {
        self.named(&format!("rest:{}", container.0))
    }

    /// Counts the leases of a host: each one's token is higher than those before it.
    pub(super) fn fence(&self) -> String {
        self.named("fence")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_name_the_keys_of_another() {
        assert_eq!(Keys::of("web-1.example").events(), "sentinel:{web-1.example}:events");
        assert_eq!(Keys::of("a}:x {b").logs(), "sentinel:{a--x--b}:logs");
        assert!(Keys::of(&"x".repeat(999)).fence().len() < 160);
    }
}
