//! The engine's events, and which of them a reader wants.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::query::Filters;
use crate::refused::Refused;
use crate::version::Api;

/// Events that a reader may be behind before it misses some.
const KEPT: usize = 16_384;
/// Events that `since` finds again: the engine keeps no more.
const REPLAYED: usize = 256;
/// What may be filtered by.
const FILTERS: [&str; 9] =
    ["type", "event", "container", "image", "label", "network", "scope", "daemon", "volume"];

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `container`, `network` or `image`.
    pub kind: &'static str,
    /// What happened.
    pub action: String,
    /// To what.
    pub id: String,
    /// What else the engine says of it.
    pub attributes: BTreeMap<String, String>,
    /// When.
    pub at: Timestamp,
}

impl Event {
    /// As it stands in the stream.
    pub fn json(&self, api: Api) -> Value {
        let mut out = json!({
            "Type": self.kind,
            "Action": self.action,
            "Actor": {"ID": self.id, "Attributes": self.attributes},
            "scope": "local",
            "time": self.at.as_second(),
            "timeNano": i64::try_from(self.at.as_nanosecond()).unwrap_or(i64::MAX),
        });
        if self.kind == "container"
            && api.has_old_event_fields()
            && let Some(out) = out.as_object_mut()
        {
            out.insert("status".to_owned(), json!(self.action));
            out.insert("id".to_owned(), json!(self.id));
            out.insert("from".to_owned(), json!(self.attributes.get("image")));
        }
        out
    }
}

/// What a reader wants.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    filters: Filters,
    /// Nothing after that.
    pub until: Option<Timestamp>,
}

impl Wanted {
    /// Checks the filters.
    pub fn read(filters: Filters, until: Option<Timestamp>) -> Result<Self, Refused> {
        match filters.keys().find(|key| !FILTERS.contains(&key.as_str())) {
            Some(key) => Err(Refused::bad(format!("invalid filter '{key}'"))),
            None => Ok(Self { filters, until }),
        }
    }

    /// Whether an event is wanted.
    pub fn has(&self, event: &Event) -> bool {
        self.filters.iter().all(|(name, values)| {
            values.is_empty() || values.iter().any(|value| matches(event, name, value))
        })
    }
}

fn matches(event: &Event, name: &str, value: &str) -> bool {
    let attribute = |key: &str| event.attributes.get(key).map(String::as_str);
    let is = |kind: &str| event.kind == kind;
    match name {
        "type" => is(value),
        // `health_status` finds `health_status: healthy` as well.
        "event" => {
            event.action == value
                || event.action.split(':').next() == Some(value) && !value.is_empty()
        }
        "container" => {
            is("container")
                && (event.id.starts_with(value)
                    || attribute("name") == Some(value.trim_start_matches('/')))
        }
        "network" => {
            is("network") && (event.id.starts_with(value) || attribute("name") == Some(value))
        }
        "image" => {
            let tagged = attribute("image").or(attribute("name"));
            tagged.is_some_and(|image| image == value || image.split(':').next() == Some(value))
        }
        "label" => match value.split_once('=') {
            Some((key, wanted)) => attribute(key) == Some(wanted),
            None => attribute(value).is_some(),
        },
        "scope" => value == "local",
        _ => false,
    }
}

/// The newest events, numbered.
#[derive(Clone, Debug, Default)]
pub struct Events {
    kept: VecDeque<Event>,
    first: u64,
}

impl Events {
    /// Adds one.
    pub fn push(&mut self, event: Event) {
        self.kept.push_back(event);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
            self.first += 1;
        }
    }

    /// Forgets all, as an engine does that starts anew.
    pub fn forget(&mut self) {
        self.first = self.end();
        self.kept.clear();
    }

    /// The number of the next one.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.kept.len()).unwrap_or(u64::MAX))
    }

    /// The number of the first event that a reader from this moment on may still have.
    pub fn begin(&self, since: Option<Timestamp>) -> u64 {
        let Some(since) = since else { return self.end() };
        let replayed = self.kept.iter().rev().take(REPLAYED);
        let count = replayed.take_while(|event| event.at >= since).count();
        self.end().saturating_sub(u64::try_from(count).unwrap_or_default())
    }

    /// Events from number `from` on, and the number after the last.
    pub fn read(&self, from: u64) -> (impl Iterator<Item = &Event>, u64) {
        let skip = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        (self.kept.iter().skip(skip), self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, second: i64) -> Event {
        Event {
            kind: "container",
            action: action.to_owned(),
            id: "abc".to_owned(),
            attributes: [("name", "api"), ("image", "shop:1"), ("tier", "web")]
                .map(|(k, v)| (k.to_owned(), v.to_owned()))
                .into(),
            at: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn filters_of_one_name_are_alternatives_and_names_add_up() {
        let has = |filters: Value| {
            let filters = serde_json::from_value(filters).unwrap();
            Wanted::read(filters, None).unwrap().has(&event("health_status: healthy", 1))
        };
        assert!(has(json!({"type": ["network", "container"], "container": ["api"]})));
        assert!(has(json!({"event": ["health_status"], "label": ["tier=web"], "image": ["shop"]})));
        assert!(!has(json!({"type": ["container"], "label": ["tier=db"]})));
        assert!(!has(json!({"event": ["die"]})));
        let odd: Filters = [("colour".to_owned(), vec!["red".to_owned()])].into();
        assert_eq!(Wanted::read(odd, None).unwrap_err().status, 400);
    }

    #[test]
    fn only_the_newest_are_replayed() {
        let mut events = Events::default();
        for second in 0..1000 {
            events.push(event("start", second));
        }
        let since = |second| events.begin(Timestamp::from_second(second).ok());
        assert_eq!((since(990), since(0), events.begin(None)), (990, 744, 1000));
        assert_eq!(events.read(990).0.count(), 10);
    }
}
