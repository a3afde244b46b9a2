//! What Docker puts around a line: the time before it (`docker logs --timestamps`), or an object
//! with time and stream (a file of the json-file log driver). Without it the line is what the
//! process wrote, as the monitor gets it.

use std::borrow::Cow;

use jiff::Timestamp;
use sentinel_core::domain::log::Stream;
use serde::Deserialize;

/// How a line of the json-file driver begins: the driver writes its keys in this order.
const JSON_FILE: &[u8] = br#"{"log":""#;
/// Bytes of the time that `docker logs --timestamps` puts before a line; always nine digits of
/// fraction and `Z`, which tells it from what processes write themselves.
const STAMP: usize = "2026-11-24T03:15:02.123456789Z".len();

/// A line without what is around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bare<'a> {
    /// The engine's time of it, if it is there.
    pub at: Option<Timestamp>,
    /// The stream, if it is said: otherwise standard output.
    pub stream: Stream,
    /// What the process wrote.
    pub text: Cow<'a, [u8]>,
}

#[derive(Deserialize)]
struct JsonFile<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    stream: Option<Stream>,
    time: Option<Timestamp>,
}

impl<'a> Bare<'a> {
    /// Takes a line out of its envelope, if it is in one.
    pub fn of(raw: &'a [u8]) -> Self {
        if raw.starts_with(JSON_FILE)
            && let Ok(line) = serde_json::from_slice::<JsonFile<'a>>(raw)
        {
            let text = match line.log {
                Cow::Borrowed(text) => Cow::Borrowed(end_off(text.as_bytes())),
                Cow::Owned(text) => Cow::Owned(end_off(text.as_bytes()).to_vec()),
            };
            return Self { at: line.time, stream: line.stream.unwrap_or(Stream::Stdout), text };
        }
        let (at, text) = match stamp(raw) {
            Some((at, text)) => (Some(at), text),
            None => (None, raw),
        };
        Self { at, stream: Stream::Stdout, text: Cow::Borrowed(text) }
    }
}

/// The driver keeps the line end inside the line.
fn end_off(text: &[u8]) -> &[u8] {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    text.strip_suffix(b"\r").unwrap_or(text)
}

fn stamp(raw: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (stamp, rest) = raw.split_at_checked(STAMP)?;
    // A cheap look before the parser: this is asked of every line.
    if stamp.get(10) != Some(&b'T') || stamp.get(19) != Some(&b'.') || stamp.last() != Some(&b'Z') {
        return None;
    }
    let at = std::str::from_utf8(stamp).ok()?.parse().ok()?;
    match rest {
        [] => Some((at, rest)),
        [b' ', text @ ..] => Some((at, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: &str = "2026-11-24T03:15:02.123456789Z";

    #[test]
    fn envelopes_come_off_and_everything_else_stays() {
        let stamped = Some(AT.parse::<Timestamp>().unwrap());
        let (out, err) = (Stream::Stdout, Stream::Stderr);
        let cases: [(&str, Option<Timestamp>, Stream, &str); 10] = [
            (&format!("{AT} hello  you"), stamped, out, "hello  you"),
            (&format!("{AT} "), stamped, out, ""),
            (AT, stamped, out, ""),
            (&format!("{AT}x"), None, out, &format!("{AT}x")),
            (
                &format!(r#"{{"log":"a \"b\"\tc\r\n","stream":"stderr","time":"{AT}"}}"#),
                stamped,
                err,
                "a \"b\"\tc",
            ),
            (r#"{"log":"plain\n"}"#, None, out, "plain"),
            // What a process writes about itself is its own business.
            ("2026-11-24T03:15:02.123Z hello", None, out, "2026-11-24T03:15:02.123Z hello"),
            (r#"{"log":"x","level":1"#, None, out, r#"{"log":"x","level":1"#),
            (r#"{"level":"info","log":"x"}"#, None, out, r#"{"level":"info","log":"x"}"#),
            ("", None, out, ""),
        ];
        for (raw, at, stream, text) in cases {
            let expected = Bare { at, stream, text: Cow::Borrowed(text.as_bytes()) };
            assert_eq!(Bare::of(raw.as_bytes()), expected, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(raw in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Bare::of(&raw).text.len() <= raw.len());
        }
    }
}
