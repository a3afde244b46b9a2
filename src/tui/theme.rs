//! Themes: a style for every [`Role`], from a TOML file of flat keys.
//!
//! A style is words: `bold red`, `white on 237`, `reverse`, `#ff8800 on default`. Colours are the
//! sixteen names, numbers of the 256-colour table, or `#rrggbb`.

use std::fmt;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use thiserror::Error;

use crate::tui::role::Role;

/// Themes that are built in, with their text.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Why a theme could not be used.
#[derive(Debug, Error)]
pub enum ThemeError {
    /// Neither a built-in nor a readable file.
    #[error(
        "theme `{name}` is not built in (dark, light, mono) and cannot be read as a file: {source}"
    )]
    Read {
        /// What was asked for.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or not text values.
    #[error("theme `{name}` is not valid: {why}")]
    Syntax {
        /// Which theme.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// A key that means nothing.
    #[error("theme `{name}` has the unknown key `{key}`; known keys are: {}", keys())]
    UnknownKey {
        /// Which theme.
        name: String,
        /// The key.
        key: String,
    },
    /// A style that cannot be read.
    #[error("theme `{name}`, key `{key}`: `{word}` is no colour and no modifier")]
    Style {
        /// Which theme.
        name: String,
        /// The key.
        key: String,
        /// The word that is not understood.
        word: String,
    },
}

fn keys() -> String {
    Role::ALL.iter().map(|r| r.key()).collect::<Vec<_>>().join(", ")
}

/// A style for every role.
#[derive(Clone, PartialEq)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
}

impl fmt::Debug for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Theme").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Theme {
    /// A built-in theme by name, or the file at a path. With `no_color` it is always `mono`.
    pub fn load(name_or_path: &str, no_color: bool) -> Result<Self, ThemeError> {
        let name = if no_color { "mono" } else { name_or_path };
        if let Some((_, text)) = BUILT_IN.iter().find(|(n, _)| *n == name) {
            return Self::parse(name, text);
        }
        let text = std::fs::read_to_string(Path::new(name))
            .map_err(|source| ThemeError::Read { name: name.to_owned(), source })?;
        Self::parse(name, &text)
    }

    /// Reads a theme from its text. Keys that it does not name come from `base` (default
    /// `dark`), so that a user's file may be short.
    pub fn parse(name: &str, text: &str) -> Result<Self, ThemeError> {
        let syntax = |why: String| ThemeError::Syntax { name: name.to_owned(), why };
        let table: toml::Table =
            text.parse().map_err(|e: toml::de::Error| syntax(e.to_string()))?;
        let base = match table.get("base") {
            None => "dark",
            Some(value) => {
                value.as_str().ok_or_else(|| syntax("`base` must be text".to_owned()))?
            }
        };
        let mut styles = if BUILT_IN.iter().any(|(n, _)| *n == name) {
            vec![Style::default(); Role::ALL.len()]
        } else {
            let (base_name, text) = BUILT_IN.iter().find(|(n, _)| *n == base).ok_or_else(|| {
                syntax(format!("`base` is `{base}`; it may be dark, light or mono"))
            })?;
            Self::parse(base_name, text)?.styles
        };
        for (key, value) in table.iter().filter(|(k, _)| k.as_str() != "base") {
            let role = Role::ALL.iter().find(|r| r.key() == key).ok_or_else(|| {
                ThemeError::UnknownKey { name: name.to_owned(), key: key.clone() }
            })?;
            let words = value
                .as_str()
                .ok_or_else(|| syntax(format!("`{key}` must be text, such as \"bold red\"")))?;
            let style = style(words).map_err(|word| ThemeError::Style {
                name: name.to_owned(),
                key: key.clone(),
                word,
            })?;
            if let Some(slot) = styles.get_mut(*role as usize) {
                *slot = style;
            }
        }
        Ok(Self { name: name.to_owned(), styles })
    }

    /// Its name or path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// Whether it uses colours at all. Where it does not, no colour sequence may be sent: a
    /// terminal library told to be colourless would reset the modifiers with it.
    pub fn has_colors(&self) -> bool {
        let real = |c: Option<Color>| c.is_some_and(|c| c != Color::Reset);
        self.styles.iter().any(|s| real(s.fg) || real(s.bg))
    }
}

/// Reads the words of a style; the error is the word that is not understood.
fn style(words: &str) -> Result<Style, String> {
    let mut style = Style::default();
    let mut background = false;
    for word in words.split_whitespace() {
        if word == "on" {
            background = true;
            continue;
        }
        let modifier = match word {
            "bold" => Some(Modifier::BOLD),
            "dim" => Some(Modifier::DIM),
            "italic" => Some(Modifier::ITALIC),
            "underline" => Some(Modifier::UNDERLINED),
            "reverse" => Some(Modifier::REVERSED),
            _ => None,
        };
        if let Some(modifier) = modifier {
            style = style.add_modifier(modifier);
            continue;
        }
        let color = color(word).ok_or_else(|| word.to_owned())?;
        style = if background { style.bg(color) } else { style.fg(color) };
    }
    Ok(style)
}

fn color(word: &str) -> Option<Color> {
    Some(match word {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "gray" => Color::Gray,
        "dark_gray" => Color::DarkGray,
        "bright_red" => Color::LightRed,
        "bright_green" => Color::LightGreen,
        "bright_yellow" => Color::LightYellow,
        "bright_blue" => Color::LightBlue,
        "bright_magenta" => Color::LightMagenta,
        "bright_cyan" => Color::LightCyan,
        "white" => Color::White,
        _ => match word.strip_prefix('#') {
            Some(hex) if hex.len() == 6 && hex.is_ascii() => {
                let part =
                    |at: usize| hex.get(at..at + 2).and_then(|h| u8::from_str_radix(h, 16).ok());
                Color::Rgb(part(0)?, part(2)?, part(4)?)
            }
            Some(_) => return None,
            None => Color::Indexed(word.parse().ok()?),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_theme_parses_and_names_every_key() {
        for (name, text) in BUILT_IN {
            let theme = Theme::parse(name, text).unwrap();
            assert_eq!(theme.name(), *name);
            let table: toml::Table = text.parse().unwrap();
            for role in Role::ALL {
                assert!(table.contains_key(role.key()), "{name} lacks `{}`", role.key());
            }
        }
    }

    #[test]
    fn mono_has_no_colour_and_the_others_have() {
        assert!(!Theme::load("mono", false).unwrap().has_colors());
        assert!(Theme::load("dark", false).unwrap().has_colors());
        assert!(Theme::load("light", false).unwrap().has_colors());
    }

    #[test]
    fn no_color_wins_over_any_name() {
        assert_eq!(Theme::load("dark", true).unwrap().name(), "mono");
        assert_eq!(Theme::load("/no/such/file", true).unwrap().name(), "mono");
    }

    #[test]
    fn mistakes_are_named() {
        let unknown = Theme::parse("mine", "sellection = \"red\"").unwrap_err().to_string();
        assert!(unknown.contains("`sellection`") && unknown.contains("selection"), "{unknown}");
        let word = Theme::parse("mine", "ok = \"greenish\"").unwrap_err().to_string();
        assert!(word.contains("`ok`") && word.contains("`greenish`"), "{word}");
        let short = Theme::parse("mine", "ok = \"#a\"").unwrap_err().to_string();
        assert!(short.contains("`#a`"), "{short}");
        let base = Theme::parse("mine", "base = \"darker\"").unwrap_err().to_string();
        assert!(base.contains("`darker`"), "{base}");
        let file = Theme::load("/no/such/file.toml", false).unwrap_err().to_string();
        assert!(
            file.contains("/no/such/file.toml") && file.contains("dark, light, mono"),
            "{file}"
        );
    }

    #[test]
    fn a_short_file_builds_on_its_base() {
        let theme = Theme::parse("mine", "base = \"light\"\nok = \"bold #00ff00 on 17\"").unwrap();
        assert_eq!(
            theme.style(Role::Ok),
            Style::default()
                .fg(Color::Rgb(0, 255, 0))
                .bg(Color::Indexed(17))
                .add_modifier(Modifier::BOLD)
        );
        let light = Theme::load("light", false).unwrap();
        assert_eq!(theme.style(Role::Error), light.style(Role::Error));
    }
}
