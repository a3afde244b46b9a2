//! A structured line as one line for people, and as a page of its fields.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::detect::reader::fields::{self, Field, MOST_FIELDS};
use sentinel_core::domain::log::{Format, LogEntry, LogLine};

use crate::tui::highlight;
use crate::tui::role::Role;
use crate::tui::styled::{Styled, paragraph};
use crate::tui::text;

/// Longer lines are shown as they were written.
const LONGEST: usize = 16 * 1024;
/// Columns of the keys on a page.
const KEYS: usize = 24;
/// Keys whose value stands in the gutter already.
const IN_GUTTER: &[&str] = &[
    "level",
    "lvl",
    "severity",
    "levelname",
    "log.level",
    "loglevel",
    "time",
    "ts",
    "timestamp",
    "@timestamp",
    "datetime",
    "asctime",
];

/// A JSON line as its message and `key=value` pairs; level and time stand in the gutter. `None`
/// for what is no JSON object alone, or more than is read of one: nothing may be left out.
pub fn one_line(line: &LogLine) -> Option<String> {
    let text = line.text.trim();
    if line.reading.format != Format::Json
        || text.len() > LONGEST
        || !(text.starts_with('{') && text.ends_with('}'))
    {
        return None;
    }
    let read: Vec<Field<'_>> = fields::of(&line.text, &line.reading).collect();
    if read.is_empty() || read.len() == MOST_FIELDS {
        return None;
    }
    let message = message(line, &read);
    let mut out = message.map(|at| read[at].1.replace(['\n', '\r', '\t'], " ")).unwrap_or_default();
    for (at, (key, value)) in read.iter().enumerate() {
        if Some(at) == message || IN_GUTTER.contains(&key.to_ascii_lowercase().as_str()) {
            continue;
        }
        let space = if out.is_empty() { "" } else { " " };
        let value = value.replace(['\n', '\r', '\t'], " ");
        let quote = if value.is_empty() || value.contains([' ', '=']) { "\"" } else { "" };
        // Writing into a string cannot fail.
        if write!(out, "{space}{key}={quote}{value}{quote}").is_err() {
            return None;
        }
    }
    Some(out)
}

/// Which field is the message.
fn message(line: &LogLine, read: &[Field<'_>]) -> Option<usize> {
    let said = line.reading.message(&line.text);
    let plain = serde_json::from_str::<String>(&format!("\"{said}\""));
    let said = plain.map_or(Cow::Borrowed(said), Cow::Owned);
    read.iter().position(|(_, value)| *value == said)
}

/// A line that is looked at on its own.
#[derive(Clone, Debug)]
pub struct Record {
    /// The line.
    pub entry: Arc<LogEntry>,
    /// Its container's name.
    pub name: String,
}

impl Record {
    /// Its page, for so many columns: where it stands, its fields one below the other, and the
    /// line as it was written.
    pub fn page(&self, zone: &TimeZone, columns: usize) -> Vec<Styled> {
        let line = &self.entry.line;
        let mut lines = vec![
            fact("container", Role::Strong, &self.name),
            fact("time", Role::Text, &moment(line.at, zone)),
            fact("UTC", Role::Text, &line.at.to_string()),
            fact("level", Role::Text, line.reading.level.map_or("none said", |l| l.as_str())),
            fact("line", Role::Dim, &line.seq.to_string()),
        ];
        if let Some(anomaly) = &self.entry.anomaly {
            lines.push(fact("evidence of", Role::Anomaly, anomaly.as_str()));
        }
        lines.push(Styled::new());
        let read: Vec<Field<'_>> = fields::of(&line.text, &line.reading).collect();
        let widest = read.iter().map(|(key, _)| text::width(key)).max().unwrap_or(0).min(KEYS);
        for (key, value) in &read {
            lines.extend(field(key, value, widest, columns));
        }
        if !read.is_empty() {
            lines.push(Styled::new());
            lines.push(Styled::of(Role::Heading, "As written"));
        }
        for piece in text::chunks(&line.text, columns) {
            lines.push(coloured(&piece));
        }
        lines
    }
}

fn fact(label: &str, role: Role, value: &str) -> Styled {
    Styled::of(Role::Dim, text::left(label, 12, "")).and(role, value)
}

fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S%.3f %Z").to_string()
}

/// A field below the others; a value of several lines keeps them.
fn field(key: &str, value: &str, widest: usize, columns: usize) -> Vec<Styled> {
    let head = Styled::of(Role::LogKey, text::left(key, widest, "…")).and(Role::Text, "  ");
    let indent = widest + 2;
    let mut lines = Vec::new();
    for (number, part) in value.split('\n').enumerate() {
        let part = part.replace(['\r', '\t'], " ");
        let first = if number == 0 { head.clone() } else { Styled::new() };
        let role = highlight::marks(&part, part.len());
        let role = match role.first() {
            Some((range, role)) if *range == (0..part.len()) => *role,
            _ => Role::Text,
        };
        lines.extend(paragraph(&first, indent, role, &part, columns));
    }
    lines
}

fn coloured(piece: &str) -> Styled {
    let mut line = Styled::new();
    let marks = highlight::marks(piece, piece.len());
    highlight::split(piece, 0..piece.len(), Role::Text, &marks, |role, part| line.push(role, part));
    line
}

#[cfg(test)]
mod tests {
    use sentinel_core::detect::reader::one;
    use sentinel_core::domain::log::Stream;

    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            container: "c".into(),
            seq: 7,
            at: Timestamp::UNIX_EPOCH,
            stream: Stream::Stdout,
            text: text.into(),
            reading: one(text),
            styles: None,
            history: false,
        }
    }

    #[test]
    fn a_json_line_is_its_message_and_pairs() {
        let json = r#"{"time":"2026-11-24T03:15:02Z","level":"error","msg":"pool \"a\" is empty","pool":{"size":5},"user":"","path":"/a b"}"#;
        assert_eq!(
            one_line(&line(json)).unwrap(),
            r#"pool "a" is empty pool.size=5 user="" path="/a b""#
        );
    }

    #[test]
    fn what_is_not_an_object_alone_stays_as_it_is() {
        for text in
            ["plain words", "level=info msg=ok", r#"api | {"level":"info","msg":"x"}"#, "{broken"]
        {
            assert_eq!(one_line(&line(text)), None, "{text}");
        }
    }

    #[test]
    fn a_page_has_every_field_and_the_line_as_written() {
        for text in [r#"{"level":"warn","msg":"slow","ms":93}"#, "level=warn msg=slow ms=93"] {
            let record = Record {
                entry: Arc::new(LogEntry { line: line(text), anomaly: None, mark: false }),
                name: "api".to_owned(),
            };
            let page: Vec<String> =
                record.page(&TimeZone::UTC, 60).iter().map(Styled::plain).collect();
            assert!(page.iter().any(|l| l.contains("ms") && l.ends_with("93")), "{page:?}");
            assert!(page.iter().any(|l| l == text), "{page:?}");
            assert!(page.iter().any(|l| l.contains("1970-01-01 00:00:00.000 UTC")), "{page:?}");
        }
    }
}
