//! The command palette: everything that can be done by its name, and what fits the typed text.

use sentinel_core::domain::ids::ContainerId;

use crate::tui::action::Action;
use crate::tui::field::typed;
use crate::tui::keymap::Context;
use crate::tui::looks::Looks;
use crate::tui::modal::Palette;
use crate::tui::state::{State, Subject};
use crate::tui::theme::BUILT_IN;

/// Entries that are offered at once; a longer text finds the others.
pub const OFFERED: usize = 200;

/// What an entry does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// What the action's key does.
    Action(Action),
    /// Shows the log of a container.
    Logs(ContainerId),
    /// Opens the inspector.
    Inspect(Subject),
    /// Takes another theme.
    Theme(&'static str),
    /// Opens a dialog about the look of the screen.
    Looks(Looks),
}

/// Something that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, as it is typed.
    pub words: String,
    /// What it does.
    pub what: String,
    /// Its keys.
    pub keys: String,
    /// What is run. Names from outside only find an entry; they never say what it does.
    pub run: Run,
}

/// What fits the typed text, best first.
pub fn matches(state: &State, palette: &Palette) -> Vec<Entry> {
    let query = typed(&palette.typed).to_lowercase();
    let query = query.trim_start_matches(':').trim();
    let mut found: Vec<(u8, Entry)> = entries(state)
        .into_iter()
        .filter_map(|entry| Some((rank(&entry.words.to_lowercase(), query)?, entry)))
        .collect();
    // Stable: what fits equally well stays in its order.
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().take(OFFERED).map(|(_, entry)| entry).collect()
}

/// How well a name fits, 0 best; `None` if it does not.
fn rank(words: &str, query: &str) -> Option<u8> {
    let starts = |part: &str| words.split([' ', '-', '_', '.']).any(|w| w.starts_with(part));
    if words == query {
        Some(0)
    } else if words.starts_with(query) {
        Some(1)
    } else if query.split_whitespace().all(starts) {
        Some(2)
    } else if query.split_whitespace().all(|part| words.contains(part)) {
        Some(3)
    } else {
        let mut letters = words.chars();
        let in_order = query.chars().filter(|c| *c != ' ').all(|c| letters.any(|l| l == c));
        in_order.then_some(4)
    }
}

fn entries(state: &State) -> Vec<Entry> {
    let mut actions: Vec<Action> =
        Action::ALL.iter().copied().filter(|a| *a != Action::Palette).collect();
    // What does something here comes first, and what only moves last: nobody types that.
    let here = state.context();
    actions.sort_by_key(|a| match state.keymap.place(here, *a) {
        _ if a.moves() => 3,
        Some(place) if place == here => 0,
        Some(Context::Global) => 1,
        _ => 2,
    });
    let mut list: Vec<Entry> = actions.into_iter().map(|a| of_action(state, a)).collect();
    let entry = |words: String, what: &str, run: Run| Entry {
        words,
        what: what.to_owned(),
        keys: String::new(),
        run,
    };
    for (name, _) in BUILT_IN {
        list.push(entry(format!("theme {name}"), "take this theme", Run::Theme(name)));
    }
    let tour = "four cards: what you see, an incident, a decision, help";
    list.push(entry("tour".to_owned(), tour, Run::Looks(Looks::Tour { card: 0 })));
    for incident in &state.snapshot.incidents {
        let run = Run::Inspect(Subject::Incident(incident.id.clone()));
        list.push(entry(format!("inspect {}", incident.id), &incident.title, run));
    }
    for view in &state.snapshot.containers {
        let of = &view.container.of;
        list.push(entry(format!("logs {}", of.name), "its log", Run::Logs(of.id.clone())));
        let run = Run::Inspect(Subject::Container(of.id.clone()));
        list.push(entry(format!("inspect {}", of.name), "its page", run));
    }
    list
}

fn of_action(state: &State, action: Action) -> Entry {
    let here = state.context();
    let place = state.keymap.place(here, action).filter(|place| !place.holds_in(here));
    let keys = state.keymap.key_for(place.unwrap_or(here), action);
    let what = match place {
        Some(place) => format!("{} (in {})", action.describe(), place.title()),
        None => action.describe().to_owned(),
    };
    let words = action.word().to_owned();
    let keys = keys.map(|key| key.to_string()).unwrap_or_default();
    Entry { words, what, keys, run: Run::Action(action) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_comes_first() {
        for (words, query, expected) in [
            ("wrap", "wrap", Some(0)),
            ("wrap", "wr", Some(1)),
            ("logs shop-api-1", "logs api", Some(2)),
            ("go-fixes", "fix", Some(2)),
            ("logs shop-api-1", "gs pi", Some(3)),
            ("go-incidents", "gnc", Some(4)),
            ("wrap", "warp", None),
            ("wrap", "", Some(1)),
        ] {
            assert_eq!(rank(words, query), expected, "{query} in {words}");
        }
    }
}
