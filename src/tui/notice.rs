//! New incidents told outside of the screen: what is told, how often, and in which bytes.

use std::collections::BTreeSet;
use std::time::Duration;

use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::snapshot::Snapshot;

use crate::config::ui::Notify;

/// The shortest time between two of them; what comes within it is told together.
pub const PAUSE: Duration = Duration::from_secs(10);
/// Characters of one.
const LONGEST: usize = 120;

/// What was told already, and what waits.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    /// Whether anything is told.
    pub on: bool,
    known: Option<BTreeSet<IncidentId>>,
    waiting: Option<(String, usize)>,
    next: Duration,
}

impl Notices {
    /// Takes a snapshot: an incident that is new in it waits to be told. What the first one holds
    /// was there before, and is not told.
    pub fn take(&mut self, snapshot: &Snapshot) {
        if !self.on || (self.known.is_none() && snapshot.engine.is_none()) {
            return;
        }
        let ids = snapshot.incidents.iter().map(|i| i.id.clone()).collect();
        // What the snapshot holds is bounded, and so is what is remembered of it.
        let Some(known) = self.known.replace(ids) else { return };
        for incident in &snapshot.incidents {
            if incident.state.is_closed() || known.contains(&incident.id) {
                continue;
            }
            let more = self.waiting.as_ref().map_or(0, |(_, more)| more + 1);
            let first = self.waiting.take().map(|(first, _)| first);
            let words = || format!("{} {}: {}", incident.id, incident.root, incident.title);
            self.waiting = Some((first.unwrap_or_else(words), more));
        }
    }

    /// What is to be told now, if anything.
    pub fn due(&mut self, at: Duration) -> Option<String> {
        if at < self.next {
            return None;
        }
        let (words, more) = self.waiting.take()?;
        self.next = at + PAUSE;
        Some(if more > 0 { format!("{words} (and {more} more)") } else { words })
    }
}

/// The bytes that tell it; none where nothing is to be told.
pub fn encode(how: Notify, words: &str, tmux: bool) -> String {
    let words = safe(words);
    let sequence = match how {
        Notify::Off => return String::new(),
        // tmux has a bell of its own and hands it on.
        Notify::Bell => return "\x07".to_owned(),
        Notify::Osc9 => format!("\x1b]9;sentinel-tui: {words}\x07"),
        Notify::Osc777 => format!("\x1b]777;notify;sentinel-tui;{words}\x07"),
    };
    passed(&sequence, tmux)
}

/// A sequence for the terminal, as tmux hands it on.
pub fn passed(sequence: &str, tmux: bool) -> String {
    if tmux {
        format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
    } else {
        sequence.to_owned()
    }
}

/// Text that ends no sequence, begins none and turns no direction; a `;` would begin a field.
fn safe(words: &str) -> String {
    let invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    words
        .chars()
        .filter(|c| !c.is_control() && !invisible(*c))
        .map(|c| if c == ';' { ',' } else { c })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_has_its_bytes() {
        assert_eq!(encode(Notify::Off, "x", false), "");
        assert_eq!(encode(Notify::Bell, "x", true), "\x07");
        assert_eq!(encode(Notify::Osc9, "x", false), "\x1b]9;sentinel-tui: x\x07");
        assert_eq!(encode(Notify::Osc777, "x", false), "\x1b]777;notify;sentinel-tui;x\x07");
        let passed = "\x1bPtmux;\x1b\x1b]9;sentinel-tui: x\x07\x1b\\";
        assert_eq!(encode(Notify::Osc9, "x", true), passed);
    }

    #[test]
    fn what_a_name_says_stays_text() {
        let evil = "a\x1b]0;t\x07b\u{9c}c;d\u{202e}e\n";
        assert_eq!(safe(evil), "a]0,tbc,de");
        assert_eq!(safe(&"é".repeat(500)).chars().count(), LONGEST);
    }
}
