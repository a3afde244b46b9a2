//! What a file of signatures says, and what is wrong with one that is not usable.

use std::collections::HashSet;

use serde::Deserialize;
use thiserror::Error;

use crate::domain::failure::FailureClass;
use crate::domain::severity::Severity;

/// A literal shorter than this would be found in too many words.
pub(super) const SHORTEST: usize = 5;
/// Entries that all files may have together.
pub(super) const MOST_ENTRIES: usize = 256;
/// Different literals that all files may have together.
pub(super) const MOST_LITERALS: usize = 4096;
/// A literal may be this long.
const LONGEST: usize = 200;

/// Why a file of signatures is not usable.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SignatureError {
    /// It is not TOML, or has a key that is not known.
    #[error("line {line}: {message}")]
    Form {
        /// Where, from 1.
        line: usize,
        /// What the reader says.
        message: String,
    },
    /// An entry says something that does not fit.
    #[error("signature \"{name}\": {why}")]
    Entry {
        /// Which entry.
        name: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// There are too many of them.
    #[error("{count} {what} are too many: at most {most}, the built-in ones included")]
    TooMany {
        /// How many there are.
        count: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
}

/// A file of signatures.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sheet {
    /// Literals that say that all is well.
    #[serde(default)]
    pub(super) benign: Vec<String>,
    /// The entries, in order of weight.
    #[serde(default, rename = "signature")]
    pub(super) entries: Vec<Entry>,
}

/// One signature as the file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) disabled: bool,
    class: Option<FailureClass>,
    severity: Option<Severity>,
    words: Option<String>,
    #[serde(default)]
    pub(super) any: Vec<String>,
    #[serde(default)]
    pub(super) maybe: Vec<String>,
    #[serde(default)]
    pub(super) all: Vec<String>,
    pub(super) regex: Option<String>,
    #[serde(default)]
    pub(super) unless: Vec<String>,
    #[serde(default)]
    pub(super) peer: bool,
    #[serde(default)]
    pub(super) always: bool,
    #[serde(default)]
    pub(super) begins: bool,
    /// For people: who writes such lines.
    #[serde(default, rename = "stacks")]
    _stacks: String,
    #[serde(default)]
    pub(super) matches: Vec<String>,
    #[serde(default)]
    pub(super) rejects: Vec<String>,
}

impl Sheet {
    /// Reads a file and looks at each of its entries by itself.
    pub(super) fn parse(text: &str) -> Result<Self, SignatureError> {
        let sheet: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let line = text.get(..start).unwrap_or(text).matches('\n').count() + 1;
            SignatureError::Form { line, message: error.message().to_owned() }
        })?;
        if sheet.benign.iter().any(|l| l.len() < SHORTEST) {
            let why = format!("a literal of `benign` has fewer than {SHORTEST} bytes");
            return Err(SignatureError::Entry { name: "benign".to_owned(), why });
        }
        let mut names = HashSet::new();
        for entry in &sheet.entries {
            if !names.insert(entry.name.as_str()) {
                return Err(entry.wrong("the name is used twice in this file".to_owned()));
            }
            entry.check()?;
        }
        Ok(sheet)
    }
}

impl Entry {
    /// The class, severity and words, which only a disabled entry may leave out.
    pub(super) fn meaning(&self) -> Result<(FailureClass, Severity, &str), SignatureError> {
        let missing = |key: &str| self.wrong(format!("`{key}` is missing"));
        Ok((
            self.class.ok_or_else(|| missing("class"))?,
            self.severity.ok_or_else(|| missing("severity"))?,
            self.words.as_deref().ok_or_else(|| missing("words"))?,
        ))
    }

    /// An error about this entry.
    pub(super) fn wrong(&self, why: String) -> SignatureError {
        SignatureError::Entry { name: self.name.clone(), why }
    }

    fn check(&self) -> Result<(), SignatureError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(plain) {
            return Err(self.wrong("a name is 1 to 64 of a-z, 0-9 and _".to_owned()));
        }
        if self.disabled {
            return Ok(());
        }
        self.meaning()?;
        if self.any.is_empty() && self.maybe.is_empty() {
            return Err(self.wrong("it needs a literal in `any` or `maybe`".to_owned()));
        }
        let confirmed = !self.all.is_empty() || self.regex.is_some();
        if confirmed == self.maybe.is_empty() {
            return Err(self
                .wrong("`maybe` and what confirms it (`all` or `regex`) go together".to_owned()));
        }
        for literal in self.any.iter().chain(&self.maybe) {
            if literal.len() < SHORTEST {
                return Err(self.wrong(format!(
                    "the literal \"{literal}\" is shorter than {SHORTEST} bytes: write more of the line"
                )));
            }
        }
        let all = self.any.iter().chain(&self.maybe).chain(&self.all).chain(&self.unless);
        for literal in all {
            if literal.is_empty() || literal.len() > LONGEST {
                return Err(
                    self.wrong(format!("a literal has 1 to {LONGEST} bytes: \"{literal}\""))
                );
            }
        }
        Ok(())
    }
}
