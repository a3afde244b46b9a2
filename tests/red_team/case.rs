//! The table of cases, and what makes a text harmful.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::support::Fallible;

/// One thing that an attacker writes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// Where the text stands.
    pub(crate) at: Vec<String>,
    text: String,
    #[serde(default = "once")]
    repeat: usize,
    #[serde(default = "once")]
    repeat_lines: usize,
    #[serde(default)]
    split: bool,
    /// For `at = ["tool"]`: the tool's name, its hints, and what it answers.
    #[serde(default)]
    pub(crate) tool: Option<String>,
    #[serde(default)]
    pub(crate) hints: BTreeMap<String, bool>,
    #[serde(default)]
    pub(crate) result: Option<toml::Table>,
    /// A word that is in no other case.
    #[serde(skip)]
    pub(crate) canary: String,
}

fn once() -> usize {
    1
}

impl Case {
    /// All cases.
    pub(crate) fn all() -> Fallible<Vec<Self>> {
        #[derive(Deserialize)]
        struct Table {
            case: Vec<Case>,
        }
        let Table { mut case } = toml::from_str(include_str!("cases.toml"))?;
        for (number, case) in case.iter_mut().enumerate() {
            case.canary = format!("zq7canary{number}");
        }
        Ok(case)
    }

    /// Those whose text stands in one of these places.
    pub(crate) fn at(places: &[&str]) -> Fallible<Vec<Self>> {
        let mut all = Self::all()?;
        all.retain(|case| case.at.iter().any(|place| places.contains(&place.as_str())));
        Ok(all)
    }

    pub(crate) fn stands_in(&self, place: &str) -> bool {
        self.at.iter().any(|at| at == place)
    }

    fn filled(&self, text: &str, n: usize) -> String {
        text.replace("{canary}", &self.canary).replace("{n}", &n.to_string())
    }

    /// The text, as it comes.
    pub(crate) fn text(&self) -> String {
        self.filled(&self.text, 0).repeat(self.repeat)
    }

    /// The answer of its tool.
    pub(crate) fn answer(&self) -> serde_json::Value {
        let text = serde_json::to_string(&self.result).unwrap_or_default();
        serde_json::from_str(&self.filled(&text, 0)).unwrap_or_default()
    }

    /// The lines that it writes into a log.
    pub(crate) fn lines(&self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for n in 0..self.repeat_lines {
            let text = self.filled(&self.text, n).repeat(self.repeat);
            if self.split {
                lines.extend(text.split('\n').map(|line| line.as_bytes().to_vec()));
            } else {
                lines.push(text.into_bytes());
            }
        }
        lines
    }
}

/// Whether a character could act upon a terminal or turn the order of what is read.
pub(crate) fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}' | '\u{2029}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// The first harmful character of a text, with what stands around it.
pub(crate) fn harm(text: &str) -> Option<String> {
    let (at, c) = text.char_indices().find(|(_, c)| is_harmful(*c))?;
    let around: String =
        text[..at].chars().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect();
    Some(format!("U+{:04X} behind {around:?}", u32::from(c)))
}

/// Every text in a value, keys included.
pub(crate) fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(all) => all.iter().for_each(|one| texts(one, found)),
        serde_json::Value::Object(all) => {
            for (key, value) in all {
                found.push(key.clone());
                texts(value, found);
            }
        }
        _ => {}
    }
}
