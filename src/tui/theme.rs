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
    ("colour-blind", include_str!("../../themes/colour-blind.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
];

/// Why a theme could not be used.
#[derive(Debug, Error)]
pub enum ThemeError {
    /// Neither a built-in nor a readable file.
    #[error("theme `{name}` is not built in ({}) and cannot be read as a file: {source}", names())]
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

fn names() -> String {
    BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
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
                syntax(format!("`base` is `{base}`; it may be one of {}", names()))
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

    /// Whether a name is that of a file.
    pub fn is_file(name: &str) -> bool {
        !BUILT_IN.iter().any(|(built_in, _)| *built_in == name)
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
        assert!(Theme::load("colour-blind", false).unwrap().has_colors());
    }

    /// The lightness of a colour that is the same on every terminal, as WCAG 2 reckons it.
    fn lightness(color: Color) -> Option<f64> {
        let Color::Indexed(number) = color else { return None };
        let (r, g, b) = match number {
            0..16 => return None,
            16..232 => {
                let level = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
                let at = number - 16;
                (level(at / 36), level(at / 6 % 6), level(at % 6))
            }
            _ => [8 + (number - 232) * 10; 3].into(),
        };
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.039_28 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
    }

    /// The least contrast of a theme's text with what is behind it, where nothing else is on a
    /// background of `behind`; and whose it is.
    fn least_contrast(name: &str, behind: u8) -> (f64, Role) {
        let theme = Theme::load(name, false).unwrap();
        let frames = [Role::Rule, Role::GaugeEmpty, Role::Button];
        let mut least = (f64::MAX, Role::Text);
        for role in Role::ALL.iter().filter(|r| !frames.contains(r)) {
            let style = theme.style(*role);
            let bg = style.bg.and_then(lightness).or(lightness(Color::Indexed(behind))).unwrap();
            let Some(fg) = style.fg.and_then(lightness) else { continue };
            let contrast = (fg.max(bg) + 0.05) / (fg.min(bg) + 0.05);
            if contrast < least.0 {
                least = (contrast, *role);
            }
        }
        least
    }

    #[test]
    fn every_text_can_be_read_on_what_is_behind_it() {
        for (name, behind, wanted) in [
            ("high-contrast", 16, 7.0),
            ("colour-blind", 16, 3.0),
            ("dark", 16, 3.0),
            ("light", 231, 3.0),
        ] {
            let (contrast, role) = least_contrast(name, behind);
            assert!(contrast >= wanted, "{name}: `{}` has {contrast:.1}", role.key());
        }
    }

    #[test]
    fn colour_blind_tells_well_and_wrong_apart_by_more_than_red_and_green() {
        let theme = Theme::load("colour-blind", false).unwrap();
        // What is left of red and green for such an eye is their mean; blue stays.
        let seen = |role: Role| {
            let Some(Color::Indexed(n)) = theme.style(role).fg else { return None };
            let at = i32::from(n.checked_sub(16)?);
            Some(((at / 36 + at / 6 % 6), at % 6 * 2))
        };
        let [ok, warn, error] = [Role::Ok, Role::Warn, Role::Error].map(|r| seen(r).unwrap());
        let apart = |a: (i32, i32), b: (i32, i32)| (a.0 - b.0).abs() + (a.1 - b.1).abs();
        for (a, b) in [(ok, warn), (ok, error), (warn, error)] {
            assert!(apart(a, b) >= 3, "{a:?} and {b:?}");
        }
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
