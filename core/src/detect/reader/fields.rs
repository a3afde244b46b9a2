//! The fields of a structured line, on demand: nothing here runs for every line.

use std::borrow::Cow;

use crate::detect::reader::{access, json, logfmt, shape};
use crate::domain::log::{Format, Reading};

/// Fields that are read of one line; what comes behind them is passed over.
pub const MOST_FIELDS: usize = 128;

/// A key with its value: `("http.status", "200")`. Keys of nested objects are joined by dots,
/// values of strings are unescaped, others as they stand.
pub type Field<'t> = (Cow<'t, str>, Cow<'t, str>);

/// The fields of a line that was read. A plain line has none.
pub fn of<'t>(text: &'t str, reading: &Reading) -> impl Iterator<Item = Field<'t>> + use<'t> {
    let fields = match reading.format {
        Format::Plain => Vec::new(),
        Format::Json => of_json(text, reading),
        Format::Logfmt => of_logfmt(text, reading),
        Format::Access => of_access(text, reading),
    };
    fields.into_iter()
}

/// What an escaped string means; as it stands if it was cut.
fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    serde_json::from_str::<String>(&format!("\"{raw}\"")).map_or(Cow::Borrowed(raw), Cow::Owned)
}

/// Where the object begins whose message is the reading's: the first brace before it that
/// begins one, or the message itself.
fn object_begin(text: &str, reading: &Reading) -> Option<usize> {
    let b = text.as_bytes();
    let until = (reading.message_start as usize + 1).min(b.len());
    (0..until).find(|at| json::begins(b, *at))
}

fn of_json<'t>(text: &'t str, reading: &Reading) -> Vec<Field<'t>> {
    let mut out = Vec::new();
    let Some(begin) = object_begin(text, reading) else { return out };
    // The keys of the objects around a pair, outermost first.
    let mut path: Vec<&'t [u8]> = Vec::new();
    let read = json::pairs(text.as_bytes(), begin, &mut |pair| {
        path.truncate(pair.depth - 1);
        if pair.kind == json::Kind::Opened {
            path.push(pair.key);
            return;
        }
        if out.len() == MOST_FIELDS {
            return;
        }
        let name = |key: &'t [u8]| str::from_utf8(key).map(unescaped).unwrap_or_default();
        let key = if path.is_empty() {
            name(pair.key)
        } else {
            let mut joined: Vec<Cow<'t, str>> = path.iter().map(|key| name(key)).collect();
            joined.push(name(pair.key));
            Cow::Owned(joined.join("."))
        };
        let value = text.get(pair.value.clone()).unwrap_or_default();
        let value = if pair.kind == json::Kind::Text { unescaped(value) } else { value.into() };
        out.push((key, value));
    });
    // What was read before a fault is no guess.
    read.map_or_else(Vec::new, |()| out)
}

fn of_logfmt<'t>(text: &'t str, reading: &Reading) -> Vec<Field<'t>> {
    let b = text.as_bytes();
    let mut at = reading.message_start as usize;
    let mut out = Vec::new();
    while at < b.len() && out.len() < MOST_FIELDS {
        let end = if let Some((key, value, end)) = logfmt::pair(b, at) {
            if let (Some(key), Some(value)) = (text.get(key), text.get(value)) {
                out.push((key.into(), unescaped(value)));
            }
            end
        } else {
            shape::token_end(b, at)
        };
        at = end + shape::spaces(b, end).max(1);
    }
    out
}

fn of_access<'t>(text: &'t str, reading: &Reading) -> Vec<Field<'t>> {
    let b = text.as_bytes();
    let begin = reading.message_start as usize;
    let mut out: Vec<Field<'t>> = Vec::new();
    let Some(request) = access::read(b, begin, true) else { return out };
    let mut put = |key: &'static str, value: Option<&'t str>| {
        if let Some(value) = value.filter(|value| !matches!(*value, "" | "-")) {
            out.push((Cow::Borrowed(key), Cow::Borrowed(value)));
        }
    };
    // `10.0.0.7 - alice [24/Nov/2026:03:15:02 +0000] `, or an address and a dash.
    let before = text.get(..begin).unwrap_or_default();
    if let Some((names, time)) = before.trim_end().trim_end_matches(']').split_once('[') {
        let mut names = names.split_ascii_whitespace();
        put("remote", names.next());
        put("user", names.nth(1));
        put("time", Some(time));
    } else {
        let mut names = before.split_ascii_whitespace().rev();
        put("remote", names.find(|name| name.bytes().any(|c| c.is_ascii_digit())));
    }
    let line = text.get(request.line.clone()).unwrap_or_default();
    let mut parts = line.split(' ');
    put("method", parts.next());
    put("path", parts.next());
    put("protocol", parts.next());
    put("status", text.get(request.status.clone()));
    put("bytes", text.get(request.size.clone()));
    let mut quoted = text.get(reading.message_end as usize..).unwrap_or_default().split('"');
    put("referer", quoted.nth(1));
    put("agent", quoted.nth(1));
    out
}
