//! Fault switches: what goes wrong between a client and the engine.

use serde::Deserialize;

/// Switches that may be on at once.
const MOST: usize = 100;

/// What goes wrong, and where.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Part of the path without its version, such as `/logs`; empty: everywhere.
    #[serde(default)]
    pub path: String,
    /// `GET`, `POST` or `DELETE`; `None`: each.
    #[serde(default)]
    pub method: Option<String>,
    /// What.
    pub fault: Wire,
    /// How often; `None`: until it is taken away.
    #[serde(default)]
    pub times: Option<u32>,
}

/// A fault on the wire.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// The answer begins so many milliseconds later.
    Slow(u64),
    /// There is no answer.
    Hang,
    /// The answer is this status with the engine's form of an error.
    Fail(u16),
    /// The answer breaks off after so many bytes of its body.
    Cut(u64),
}

/// All that are on.
#[derive(Clone, Debug, Default)]
pub struct Switches(Vec<Switch>);

impl Switches {
    /// Turns one on. False: there are too many already.
    pub fn on(&mut self, switch: Switch) -> bool {
        let fits = self.0.len() < MOST;
        if fits {
            self.0.push(switch);
        }
        fits
    }

    /// Turns all off.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Everything that goes wrong with this request; counts it.
    pub fn take(&mut self, method: &str, path: &str) -> Vec<Wire> {
        let mut found = Vec::new();
        for switch in &mut self.0 {
            let fits = path.contains(&switch.path)
                && switch.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(method));
            if fits {
                found.push(switch.fault);
                switch.times = switch.times.map(|times| times.saturating_sub(1));
            }
        }
        self.0.retain(|switch| switch.times != Some(0));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_for_its_requests_and_its_number_of_times() {
        let mut switches = Switches::default();
        let text = r#"{"path":"/logs","method":"GET","fault":{"cut":10},"times":2}"#;
        assert!(switches.on(serde_json::from_str(text).unwrap()));
        assert!(switches.on(serde_json::from_str(r#"{"fault":"hang"}"#).unwrap()));
        assert_eq!(switches.take("POST", "/containers/x/start"), [Wire::Hang]);
        for _ in 0..2 {
            assert_eq!(switches.take("GET", "/containers/x/logs"), [Wire::Cut(10), Wire::Hang]);
        }
        assert_eq!(switches.take("GET", "/containers/x/logs"), [Wire::Hang]);
        switches.clear();
        assert_eq!(switches.take("GET", "/info"), []);
    }
}
