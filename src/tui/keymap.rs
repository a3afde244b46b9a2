//! Which key means what, where; and the way back for help and footer.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use thiserror::Error;

use crate::config::file::nearest;
use crate::tui::action::Action;
use crate::tui::pane::Pane;

/// Where a binding holds. A binding of a pane wins over a global one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Everywhere.
    Global,
    /// In the list of containers.
    Containers,
    /// In the list of incidents.
    Incidents,
    /// In the list of fixes.
    Fixes,
    /// In the log.
    Logs,
    /// In the inspector.
    Inspector,
}

impl Context {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Global, Self::Containers, Self::Incidents, Self::Fixes, Self::Logs, Self::Inspector];

    /// Its heading in the help.
    pub fn title(self) -> &'static str {
        match self {
            Self::Global => "Everywhere",
            Self::Containers => "Containers",
            Self::Incidents => "Incidents",
            Self::Fixes => "Fixes",
            Self::Logs => "Logs",
            Self::Inspector => "Inspector",
        }
    }
}

impl Context {
    /// Whether its bindings hold where those of `here` do.
    pub fn holds_in(self, here: Self) -> bool {
        self == Self::Global || self == here
    }

    /// The pane that it is of.
    pub fn pane(self) -> Option<Pane> {
        match self {
            Self::Global => None,
            Self::Containers => Some(Pane::Containers),
            Self::Incidents => Some(Pane::Incidents),
            Self::Fixes => Some(Pane::Fixes),
            Self::Logs => Some(Pane::Logs),
            Self::Inspector => Some(Pane::Inspector),
        }
    }
}

/// A key with its modifiers; shift is part of a character already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Hash)]
pub struct Key {
    /// Which.
    pub code: KeyCode,
    /// Held with it.
    pub modifiers: KeyModifiers,
}

impl Key {
    /// What a terminal sent, made comparable.
    pub fn of(event: &KeyEvent) -> Self {
        let mut modifiers =
            event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        if matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code: event.code, modifiers }
    }

    /// A character without modifiers.
    pub fn char(c: char) -> Self {
        Self { code: KeyCode::Char(c), modifiers: KeyModifiers::NONE }
    }

    /// Reads `A`, `enter`, `ctrl-d` or `ctrl+d`, `F1`, `shift-tab`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let found = [
                ("ctrl", KeyModifiers::CONTROL),
                ("alt", KeyModifiers::ALT),
                ("shift", KeyModifiers::SHIFT),
            ]
            .into_iter()
            .find_map(|(name, modifier)| Some((after(rest, name)?, modifier)));
            let Some((left, modifier)) = found else { break };
            modifiers |= modifier;
            rest = left;
        }
        // Names are read in any case; a character alone is meant as it stands.
        let name = if rest.chars().count() > 1 { rest.to_lowercase() } else { rest.to_owned() };
        let code = match name.as_str() {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "tab" if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            "tab" => KeyCode::Tab,
            "space" => KeyCode::Char(' '),
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pgup" => KeyCode::PageUp,
            "pgdn" => KeyCode::PageDown,
            "backspace" => KeyCode::Backspace,
            "del" => KeyCode::Delete,
            other => {
                let mut chars = other.chars();
                match (chars.next(), chars.next()) {
                    // A terminal tells no capital apart while control is held.
                    (Some(c), None) if modifiers.contains(KeyModifiers::CONTROL) => {
                        KeyCode::Char(c.to_ascii_lowercase())
                    }
                    (Some(c), None) => KeyCode::Char(c),
                    (Some('f'), Some(_)) => {
                        let number: u8 = other.get(1..)?.parse().ok()?;
                        (1..=12).contains(&number).then_some(KeyCode::F(number))?
                    }
                    _ => return None,
                }
            }
        };
        if matches!(code, KeyCode::BackTab | KeyCode::Char(_)) {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Some(Self { code, modifiers })
    }
}

/// What stands behind a modifier's name and its `-` or `+`.
fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.get(..name.len())?;
    let rest = text.get(name.len()..)?.strip_prefix(['-', '+'])?;
    (head.eq_ignore_ascii_case(name) && !rest.is_empty()).then_some(rest)
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("^")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("alt-")?;
        }
        match self.code {
            KeyCode::Char(' ') => f.write_str("space"),
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "F{n}"),
            KeyCode::Enter => f.write_str("enter"),
            KeyCode::Esc => f.write_str("esc"),
            KeyCode::Tab => f.write_str("tab"),
            KeyCode::BackTab => f.write_str("shift-tab"),
            KeyCode::PageUp => f.write_str("pgup"),
            KeyCode::PageDown => f.write_str("pgdn"),
            other => f.write_str(&format!("{other:?}").to_lowercase()),
        }
    }
}

/// Why a keymap cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeymapError {
    /// Two meanings for one key in one place.
    #[error("key `{key}` is bound to both `{first}` and `{second}` ({place}); unbind one of them")]
    Clash {
        /// The key.
        key: String,
        /// The first meaning.
        first: &'static str,
        /// The second.
        second: &'static str,
        /// Where.
        place: &'static str,
    },
    /// A key that cannot be read.
    #[error("`{0}` is no key; write a character, enter, esc, tab, f1, ctrl-d, …")]
    NoSuchKey(String),
    /// A word that means nothing.
    #[error("`{word}` is no action{hint}; `sentinel-tui config default` lists them all")]
    NoSuchAction {
        /// The word.
        word: String,
        /// The nearest action, as an end of the sentence.
        hint: String,
    },
    /// The key that opens a question would also answer it.
    #[error("key `{key}` cannot open `{action}`: it answers the question that this asks")]
    Answers {
        /// The key.
        key: String,
        /// The action.
        action: &'static str,
    },
}

const DEFAULTS: &[(Context, Action, &[&str])] = &[
    (Context::Global, Action::Up, &["up", "k"]),
    (Context::Global, Action::Down, &["down", "j"]),
    (Context::Global, Action::HalfUp, &["ctrl-u"]),
    (Context::Global, Action::HalfDown, &["ctrl-d"]),
    (Context::Global, Action::PageUp, &["pgup"]),
    (Context::Global, Action::PageDown, &["pgdn"]),
    (Context::Global, Action::Top, &["g", "home"]),
    (Context::Global, Action::Bottom, &["G", "end"]),
    (Context::Global, Action::NextPane, &["tab"]),
    (Context::Global, Action::PreviousPane, &["shift-tab"]),
    (Context::Global, Action::GoContainers, &["1"]),
    (Context::Global, Action::GoIncidents, &["2"]),
    (Context::Global, Action::GoFixes, &["3"]),
    (Context::Global, Action::GoLogs, &["4"]),
    (Context::Global, Action::GoInspector, &["5"]),
    (Context::Global, Action::Open, &["enter"]),
    (Context::Global, Action::Back, &["esc"]),
    (Context::Global, Action::Leave, &["q"]),
    (Context::Global, Action::Quit, &["ctrl-c"]),
    (Context::Global, Action::Suspend, &["ctrl-z"]),
    (Context::Global, Action::Help, &["?", "f1"]),
    (Context::Global, Action::Palette, &[":"]),
    (Context::Global, Action::Mouse, &["M"]),
    (Context::Global, Action::Zoom, &["z"]),
    (Context::Global, Action::Redraw, &["ctrl-l"]),
    (Context::Global, Action::Search, &["/"]),
    (Context::Global, Action::Menu, &["F"]),
    (Context::Global, Action::Ask, &["T"]),
    (Context::Global, Action::Silence, &["Z"]),
    (Context::Global, Action::Quiet, &["L"]),
    (Context::Global, Action::Halt, &["K"]),
    (Context::Global, Action::Patterns, &["6"]),
    (Context::Global, Action::Events, &["7"]),
    (Context::Global, Action::Audit, &["8"]),
    (Context::Global, Action::Tools, &["9"]),
    (Context::Global, Action::Doctor, &["0"]),
    (Context::Containers, Action::Logs, &["l"]),
    (Context::Containers, Action::Inspect, &["i"]),
    (Context::Containers, Action::Sort, &["s"]),
    (Context::Containers, Action::SortReverse, &["S"]),
    (Context::Incidents, Action::Inspect, &["i"]),
    (Context::Incidents, Action::Logs, &["l"]),
    (Context::Incidents, Action::Dismiss, &["D"]),
    (Context::Incidents, Action::Undo, &["U"]),
    (Context::Incidents, Action::Postmortem, &["ctrl-s"]),
    (Context::Fixes, Action::Approve, &["A"]),
    (Context::Fixes, Action::Reject, &["R"]),
    (Context::Fixes, Action::EditFix, &["E"]),
    (Context::Fixes, Action::DryRun, &["D"]),
    (Context::Fixes, Action::SnoozeFix, &["S"]),
    (Context::Fixes, Action::Grant, &["ctrl-g"]),
    (Context::Fixes, Action::Inspect, &["i"]),
    (Context::Fixes, Action::Logs, &["l"]),
    (Context::Logs, Action::NextMatch, &["n"]),
    (Context::Logs, Action::PreviousMatch, &["N"]),
    (Context::Logs, Action::Filter, &["&", "\\"]),
    (Context::Logs, Action::NextError, &["E"]),
    (Context::Logs, Action::PreviousError, &["e"]),
    (Context::Logs, Action::LevelFilter, &["v"]),
    (Context::Logs, Action::Follow, &["f", "space"]),
    (Context::Logs, Action::Wrap, &["w"]),
    (Context::Logs, Action::Left, &["left"]),
    (Context::Logs, Action::Right, &["right"]),
    (Context::Logs, Action::Times, &["t"]),
    (Context::Logs, Action::Bookmark, &["m"]),
    (Context::Logs, Action::NextBookmark, &["'"]),
    (Context::Logs, Action::Save, &["ctrl-s"]),
    (Context::Logs, Action::Raw, &["J"]),
    (Context::Logs, Action::Copy, &["y"]),
    (Context::Logs, Action::Inspect, &["i"]),
    (Context::Logs, Action::LogRange, &["r"]),
    (Context::Logs, Action::WhoseLog, &["W"]),
    (Context::Logs, Action::NextAnomaly, &["]"]),
    (Context::Logs, Action::PreviousAnomaly, &["["]),
    (Context::Logs, Action::SelectLines, &["V"]),
    (Context::Logs, Action::CopyAll, &["Y"]),
    (Context::Containers, Action::MarkContainer, &["space"]),
    (Context::Containers, Action::MarkRange, &["V"]),
    (Context::Inspector, Action::Approve, &["A"]),
    (Context::Inspector, Action::Reject, &["R"]),
    (Context::Inspector, Action::EditFix, &["E"]),
    (Context::Inspector, Action::DryRunInspected, &["P"]),
    (Context::Inspector, Action::Grant, &["ctrl-g"]),
    (Context::Inspector, Action::Dismiss, &["D"]),
    (Context::Inspector, Action::Undo, &["U"]),
    (Context::Inspector, Action::Postmortem, &["ctrl-s"]),
    (Context::Inspector, Action::Logs, &["l"]),
    (Context::Inspector, Action::Copy, &["y"]),
    (Context::Inspector, Action::Sort, &["s"]),
    (Context::Inspector, Action::WholeFleet, &["a"]),
    (Context::Inspector, Action::NextEvidence, &["]"]),
    (Context::Inspector, Action::PreviousEvidence, &["["]),
    (Context::Containers, Action::RunningOnly, &["a"]),
    (Context::Containers, Action::Group, &["o"]),
    (Context::Containers, Action::Fold, &["-"]),
    (Context::Containers, Action::Columns, &["c"]),
    (Context::Global, Action::Themes, &["ctrl-t"]),
];

/// Keys that answer a question: none of them may open one.
const ANSWERS: &[KeyCode] = &[
    KeyCode::Char('y'),
    KeyCode::Char('n'),
    KeyCode::Enter,
    KeyCode::Esc,
    KeyCode::Tab,
    KeyCode::BackTab,
];

/// One line of the help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Where it holds.
    pub context: Context,
    /// What it means.
    pub action: Action,
    /// All keys for it.
    pub keys: Vec<Key>,
}

/// Keys and their meanings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Keymap {
    /// The keys as shipped, with the overrides of a user: action word to keys. An override
    /// replaces all keys of an action, everywhere.
    pub fn with(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        for word in overrides.keys() {
            if !Action::ALL.iter().any(|a| a.word() == word) {
                let words = Action::ALL.iter().map(|a| a.word());
                let hint = nearest(word, words)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                return Err(KeymapError::NoSuchAction { word: word.clone(), hint });
            }
        }
        let mut bindings = Vec::new();
        for (context, action, keys) in DEFAULTS {
            let names: Vec<&str> = match overrides.get(action.word()) {
                Some(own) => own.iter().map(String::as_str).collect(),
                None => keys.to_vec(),
            };
            let keys = names
                .into_iter()
                .map(|n| Key::parse(n).ok_or_else(|| KeymapError::NoSuchKey(n.to_owned())))
                .collect::<Result<Vec<_>, _>>()?;
            bindings.push(Binding { context: *context, action: *action, keys });
        }
        let keymap = Self { bindings };
        keymap.check()?;
        Ok(keymap)
    }

    fn check(&self) -> Result<(), KeymapError> {
        for binding in self.bindings.iter().filter(|b| b.action.decides()) {
            if let Some(key) = binding.keys.iter().find(|k| ANSWERS.contains(&k.code)) {
                return Err(KeymapError::Answers {
                    key: key.to_string(),
                    action: binding.action.word(),
                });
            }
        }
        for (at, first) in self.bindings.iter().enumerate() {
            for second in self.bindings.iter().skip(at + 1) {
                // A pane's key would hide one that is meant everywhere.
                let meets = second.context == first.context || first.context == Context::Global;
                let key = first.keys.iter().find(|k| second.keys.contains(k));
                if let (true, Some(key)) = (meets, key) {
                    return Err(KeymapError::Clash {
                        key: key.to_string(),
                        first: first.action.word(),
                        second: second.action.word(),
                        place: second.context.title(),
                    });
                }
            }
        }
        Ok(())
    }

    /// The actions with their keys as shipped, as a file of keys writes them; each once.
    pub fn shipped() -> Vec<(Action, &'static [&'static str])> {
        let mut list: Vec<(Action, &[&str])> = Vec::new();
        for (_, action, keys) in DEFAULTS {
            if !list.iter().any(|(known, _)| known == action) {
                list.push((*action, keys));
            }
        }
        list
    }

    /// Where an action does something, seen from a place: there, everywhere, or in another pane.
    pub fn place(&self, from: Context, action: Action) -> Option<Context> {
        let places = || self.bindings.iter().filter(|b| b.action == action).map(|b| b.context);
        places().find(|c| *c == from || *c == Context::Global).or_else(|| places().next())
    }

    /// What a key means in a place.
    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        let in_place = |place: Context| {
            self.bindings
                .iter()
                .find(|b| b.context == place && b.keys.contains(&key))
                .map(|b| b.action)
        };
        in_place(context).or_else(|| in_place(Context::Global))
    }

    /// The first key for an action in a place, for a hint.
    pub fn key_for(&self, context: Context, action: Action) -> Option<Key> {
        let in_place = |place: Context| {
            self.bindings
                .iter()
                .find(|b| b.context == place && b.action == action)
                .and_then(|b| b.keys.first().copied())
        };
        in_place(context).or_else(|| in_place(Context::Global))
    }

    /// Everything, in the order of the help.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }
}

impl Default for Keymap {
    fn default() -> Self {
        // A test proves that the defaults are readable and free of clashes.
        Self::with(&BTreeMap::new()).unwrap_or(Self { bindings: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_clash_and_reach_every_action() {
        let keymap = Keymap::with(&BTreeMap::new()).unwrap();
        for action in Action::ALL {
            assert!(
                keymap.bindings().iter().any(|b| b.action == *action && !b.keys.is_empty()),
                "`{}` has no key",
                action.word()
            );
        }
    }

    #[test]
    fn no_control_letter_changes_anything() {
        for binding in Keymap::default().bindings() {
            if matches!(
                binding.action,
                Action::Approve
                    | Action::Reject
                    | Action::Dismiss
                    | Action::Silence
                    | Action::Undo
                    | Action::Halt
            ) {
                assert!(binding.keys.iter().all(|k| k.modifiers.is_empty()));
            }
        }
    }

    #[test]
    fn approve_and_reject_act_in_two_places_only() {
        let keymap = Keymap::default();
        for context in Context::ALL {
            let expected = matches!(context, Context::Fixes | Context::Inspector);
            for key in ['A', 'R'] {
                let acts = keymap.action(context, Key::char(key)).is_some();
                assert_eq!(acts, expected, "{key} in {context:?}");
            }
        }
    }

    #[test]
    fn digits_switch_panes_everywhere() {
        let keymap = Keymap::default();
        for context in Context::ALL {
            assert_eq!(keymap.action(context, Key::char('2')), Some(Action::GoIncidents));
            assert_eq!(keymap.action(context, Key::char('9')), Some(Action::Tools));
        }
    }

    #[test]
    fn mistakes_are_named() {
        let over = |word: &str, key: &str| {
            Keymap::with(&BTreeMap::from([(word.to_owned(), vec![key.to_owned()])])).unwrap_err()
        };
        assert_eq!(
            over("wrap", "t").to_string(),
            "key `t` is bound to both `wrap` and `times` (Logs); unbind one of them"
        );
        assert!(over("wrap", "hyper-x").to_string().contains("`hyper-x`"));
        assert!(
            over("wrapp", "x").to_string().contains("`wrapp` is no action; did you mean `wrap`?")
        );
        assert!(over("wrap", "g g").to_string().contains("`g g` is no key"));
        assert_eq!(
            over("silence", "w").to_string(),
            "key `w` is bound to both `silence` and `wrap` (Logs); unbind one of them"
        );
        assert!(over("approve", "y").to_string().contains("answers the question"));
        assert!(over("wrap", "ctrl-c").to_string().contains("both `quit` and `wrap`"));
    }

    #[test]
    fn an_action_gets_other_keys_or_none() {
        let own = |keys: &[&str]| {
            let keys = keys.iter().map(|k| (*k).to_owned()).collect();
            Keymap::with(&BTreeMap::from([("wrap".to_owned(), keys)])).unwrap()
        };
        let keymap = own(&["ctrl+k", "F5"]);
        let f5 = Key::parse("f5").unwrap();
        assert_eq!(keymap.action(Context::Logs, f5), Some(Action::Wrap));
        assert_eq!(keymap.action(Context::Logs, Key::char('w')), None);
        assert_eq!(keymap.key_for(Context::Logs, Action::Wrap).unwrap().to_string(), "^k");
        assert_eq!(own(&[]).key_for(Context::Logs, Action::Wrap), None);
    }

    #[test]
    fn keys_are_read_and_written() {
        for (text, shown) in [
            ("ctrl-d", "^d"),
            ("Ctrl+D", "^d"),
            ("F12", "F12"),
            ("+", "+"),
            ("A", "A"),
            ("shift-tab", "shift-tab"),
            ("f1", "F1"),
            ("space", "space"),
            ("pgdn", "pgdn"),
            ("-", "-"),
        ] {
            assert_eq!(Key::parse(text).unwrap().to_string(), shown);
        }
        let typed = KeyEvent::new(KeyCode::Char('A'), KeyModifiers::SHIFT);
        assert_eq!(Key::of(&typed), Key::char('A'));
    }
}
