//! The engine's events, decoded: what happened to which container. Pure.

use std::collections::HashMap;

use bollard::models::{EventMessage, EventMessageTypeEnum};
use jiff::Timestamp;
use sentinel_core::domain::clock::is_plausible;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::life::{LifeEvent, LifeKind};

use crate::monitor::decode::signal_number;

/// An event with what the engine says of its container.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    /// What happened.
    pub(super) life: LifeEvent,
    /// Labels and more, as the engine sends them along (empty for network events).
    pub(super) attributes: HashMap<String, String>,
}

/// Something that containers may need was taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    /// What.
    pub(super) what: Thing,
    /// The engine's time of it.
    pub(super) at: Timestamp,
}

/// What a container may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thing {
    /// A network, by its name.
    Network(String),
    /// An image, by its digest.
    Image(String),
}

/// Decodes the removal of a network or of (a name of) an image. A volume that a container needs
/// cannot be removed: the engine refuses.
pub(super) fn taken(raw: &EventMessage) -> Option<Taken> {
    let actor = raw.actor.as_ref()?;
    let what = match (raw.typ?, raw.action.as_deref()?) {
        (EventMessageTypeEnum::NETWORK, "destroy" | "remove") => {
            Thing::Network(actor.attributes.as_ref()?.get("name")?.clone())
        }
        (EventMessageTypeEnum::IMAGE, "untag" | "delete") => Thing::Image(actor.id.clone()?),
        _ => return None,
    };
    Some(Taken { what, at: time(raw)? })
}

fn time(raw: &EventMessage) -> Option<Timestamp> {
    let nanos = raw
        .time_nano
        .map(i128::from)
        .or_else(|| raw.time.map(|s| i128::from(s) * 1_000_000_000))?;
    Timestamp::from_nanosecond(nanos).ok().filter(|at| is_plausible(*at))
}

/// Decodes an event; `None` for what does not matter (`exec_*` floods the stream with every
/// health probe).
pub(super) fn decode(raw: EventMessage) -> Option<Seen> {
    let at = time(&raw)?;
    let action = raw.action?;
    let actor = raw.actor.unwrap_or_default();
    let attributes = actor.attributes.unwrap_or_default();
    if raw.typ == Some(EventMessageTypeEnum::IMAGE) {
        return None;
    }
    if raw.typ == Some(EventMessageTypeEnum::NETWORK) {
        let container = ContainerId(attributes.get("container")?.clone());
        let network = attributes.get("name").cloned().unwrap_or_default();
        let kind = match action.as_str() {
            "connect" => LifeKind::Connect { network },
            "disconnect" => LifeKind::Disconnect { network },
            _ => return None,
        };
        return Some(Seen { life: LifeEvent { container, at, kind }, attributes: HashMap::new() });
    }
    let number = |key: &str| attributes.get(key).and_then(|v| v.parse::<i64>().ok());
    let kind = match action.as_str() {
        "create" => LifeKind::Create,
        "start" => LifeKind::Start,
        "restart" => LifeKind::Restart,
        "kill" => LifeKind::Kill {
            // Some engines write the name, most the number.
            signal: attributes.get("signal").and_then(|s| signal_number(s)).unwrap_or(15),
        },
        "die" => LifeKind::Die { exit_code: number("exitCode").unwrap_or_default() },
        "stop" => LifeKind::Stop,
        "oom" => LifeKind::Oom,
        "pause" => LifeKind::Pause,
        "unpause" => LifeKind::Unpause,
        "destroy" => LifeKind::Destroy,
        "rename" => LifeKind::Rename,
        "update" => LifeKind::Update,
        "health_status: healthy" => LifeKind::Healthy,
        "health_status: unhealthy" => LifeKind::Unhealthy,
        _ => return None,
    };
    let container = ContainerId(actor.id?);
    Some(Seen { life: LifeEvent { container, at, kind }, attributes })
}

/// A place in the event stream as the engine's `since` wants it: seconds with nanoseconds.
pub(super) fn since(at: Timestamp) -> String {
    format!("{}.{:09}", at.as_second(), at.subsec_nanosecond().max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Option<Seen> {
        decode(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn events_of_the_engine_are_decoded_and_noise_is_dropped() {
        let die = event(
            r#"{"status":"die","id":"abc","from":"i","Type":"container","Action":"die",
                "Actor":{"ID":"abc","Attributes":{"exitCode":"137","image":"i","name":"api","sre-sentinel.monitor":"true"}},
                "scope":"local","time":1764040502,"timeNano":1764040502123456789}"#,
        )
        .unwrap();
        assert_eq!(die.life.kind, LifeKind::Die { exit_code: 137 });
        assert_eq!(die.life.at.as_nanosecond(), 1_764_040_502_123_456_789);
        assert_eq!(die.attributes["sre-sentinel.monitor"], "true");

        let kill = event(
            r#"{"Type":"container","Action":"kill","Actor":{"ID":"a","Attributes":{"signal":"9"}},"timeNano":1}"#,
        );
        assert_eq!(kill.map(|k| k.life.kind), Some(LifeKind::Kill { signal: 9 }));

        let health = event(
            r#"{"Type":"container","Action":"health_status: unhealthy","Actor":{"ID":"a","Attributes":{}},"timeNano":1}"#,
        );
        assert_eq!(health.map(|h| h.life.kind), Some(LifeKind::Unhealthy));

        let network = event(
            r#"{"Type":"network","Action":"disconnect","Actor":{"ID":"n","Attributes":{"container":"a","name":"net"}},"timeNano":1}"#,
        );
        assert_eq!(
            network.map(|n| n.life.kind),
            Some(LifeKind::Disconnect { network: "net".to_owned() })
        );

        for noise in ["exec_create: /probe", "exec_start: /probe", "exec_die", "top", "attach"] {
            let text = format!(
                r#"{{"Type":"container","Action":"{noise}","Actor":{{"ID":"a","Attributes":{{}}}},"timeNano":1}}"#
            );
            assert_eq!(event(&text), None, "{noise}");
        }
    }

    #[test]
    fn what_is_taken_away_is_decoded() {
        let of = |text: &str| taken(&serde_json::from_str(text).unwrap()).map(|t| t.what);
        assert_eq!(
            of(
                r#"{"Type":"network","Action":"destroy","Actor":{"ID":"n","Attributes":{"name":"net","type":"bridge"}},"timeNano":1}"#
            ),
            Some(Thing::Network("net".to_owned()))
        );
        assert_eq!(
            of(
                r#"{"Type":"image","Action":"untag","Actor":{"ID":"sha256:1","Attributes":{"name":"x"}},"timeNano":1}"#
            ),
            Some(Thing::Image("sha256:1".to_owned()))
        );
        for other in [
            r#"{"Type":"image","Action":"pull","Actor":{"ID":"x:1","Attributes":{}},"timeNano":1}"#,
            r#"{"Type":"network","Action":"create","Actor":{"ID":"n","Attributes":{"name":"net"}},"timeNano":1}"#,
            r#"{"Type":"container","Action":"destroy","Actor":{"ID":"n","Attributes":{"name":"c"}},"timeNano":1}"#,
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(
            event(
                r#"{"Type":"image","Action":"delete","Actor":{"ID":"x","Attributes":{}},"timeNano":1}"#
            ),
            None
        );
    }

    #[test]
    fn since_keeps_the_nanoseconds() {
        let at = Timestamp::from_nanosecond(1_764_040_502_000_000_007).unwrap();
        assert_eq!(since(at), "1764040502.000000007");
    }
}
