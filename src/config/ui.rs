//! The sections `[ui]` and `[keys]`: the terminal UI as its user wants it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::cli::WatchArgs;
use crate::config::environment::Environment;

/// The terminal UI as its user wants it.
#[derive(Clone, Debug, Default)]
pub struct Ui {
    /// The mouse is listened to.
    pub mouse: bool,
    /// How a new incident is told outside of the screen.
    pub notify: Notify,
    /// The terminal is one of tmux.
    pub tmux: bool,
    /// The display whose clipboard can be reached.
    pub display: Display,
    /// Keys of the user's own: action to keys.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Columns of the list of containers, as they are written.
    pub columns: Option<Vec<String>>,
    /// The tour may be shown by itself, the first time.
    pub tour: bool,
}

impl Ui {
    /// What the file and the flags say, and what the terminal is.
    pub fn decide(
        section: Option<UiSettings>,
        keys: Option<BTreeMap<String, KeyNames>>,
        flags: &WatchArgs,
        environment: &Environment,
    ) -> Self {
        let section = section.unwrap_or_default();
        let keys = keys.unwrap_or_default().into_iter();
        Self {
            mouse: flags.mouse || section.mouse == Some(true),
            notify: section.notify.unwrap_or_default(),
            tmux: environment.text("TMUX").is_some(),
            display: Display::of(environment),
            keys: keys.map(|(action, keys)| (action, keys.list())).collect(),
            columns: section.columns,
            tour: !flags.no_tour && section.tour != Some(false),
        }
    }
}

/// The section `[ui]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UiSettings {
    /// The mouse is listened to.
    pub mouse: Option<bool>,
    /// How a new incident is told.
    pub notify: Option<Notify>,
    /// How it looks: what `theme` says, too.
    pub theme: Option<String>,
    /// Columns of the list of containers.
    pub columns: Option<Vec<String>>,
    /// Whether the tour is shown by itself, the first time.
    pub tour: Option<bool>,
}

/// How a new incident is told outside of the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// Not at all.
    #[default]
    Off,
    /// The terminal's bell.
    Bell,
    /// A notification as iTerm2, WezTerm and Windows Terminal show it.
    Osc9,
    /// A notification as urxvt, foot and Ghostty show it.
    Osc777,
}

/// The display of this machine, whose clipboard can be reached besides the terminal's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Display {
    /// None: a server, or a terminal that came over the network.
    #[default]
    None,
    /// A Wayland compositor.
    Wayland,
    /// An X server.
    X11,
    /// That of a Mac.
    Mac,
}

impl Display {
    /// Over ssh a Mac's own display is not that of who looks; what `ssh -X` hands on is.
    fn of(environment: &Environment) -> Self {
        let set = |name| environment.text(name).is_some();
        if cfg!(target_os = "macos") {
            if set("SSH_CONNECTION") { Self::None } else { Self::Mac }
        } else if set("WAYLAND_DISPLAY") {
            Self::Wayland
        } else if set("DISPLAY") {
            Self::X11
        } else {
            Self::None
        }
    }
}

/// The keys of an action in `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a key or a list of keys")]
pub enum KeyNames {
    /// One.
    One(String),
    /// Several, or none.
    Several(Vec<String>),
}

impl KeyNames {
    /// As a list.
    pub fn list(self) -> Vec<String> {
        match self {
            Self::One(key) => vec![key],
            Self::Several(keys) => keys,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file::FileSettings;

    #[test]
    fn keys_are_one_or_several() {
        let file = "[keys]\nwrap = \"x\"\nfilter = [\"F5\", \"ctrl+k\"]\nhelp = []";
        let keys = FileSettings::parse(file).unwrap().keys.unwrap_or_default();
        let lists: Vec<_> = keys.into_values().map(KeyNames::list).collect();
        assert_eq!(lists, [vec!["F5", "ctrl+k"], vec![], vec!["x"]]);
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn a_display_is_used_where_there_is_one() {
        let of = |names: &[&str]| {
            let set = names.iter().map(|name| ((*name).to_owned(), "x".to_owned()));
            Display::of(&Environment::of(set))
        };
        assert_eq!(of(&[]), Display::None);
        assert_eq!(of(&["DISPLAY"]), Display::X11);
        assert_eq!(of(&["DISPLAY", "WAYLAND_DISPLAY"]), Display::Wayland);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, words) in [
            ("[keys]\nwrap = 1", "a key or a list of keys"),
            ("[ui]\nnotify = \"osc8\"", "unknown variant `osc8`"),
            ("[ui]\nmouze = true", "did you mean `mouse`"),
        ] {
            let error = FileSettings::parse(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
