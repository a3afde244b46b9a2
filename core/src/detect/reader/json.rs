//! One JSON object as a line: which key says the level, which one has the message.
//!
//! Nothing is built: the object is walked once, byte by byte, and what is wanted is remembered by
//! where it stands. An object that was cut is read as far as it goes.

use std::ops::Range;

use crate::detect::reader::level;
use crate::domain::log::Level;

/// Objects below objects that are looked into; what lies deeper is passed over.
const DEEPEST: usize = 6;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string; its span is without the quotes.
    Text,
    /// A number, `true`, `false` or `null`.
    Bare,
    /// An array, or an object too deep to look into, brackets included.
    Nested,
    /// An object whose pairs follow; its span is empty.
    Opened,
}

/// One key with its value, as they stand in the line.
#[derive(Clone, Debug)]
pub(super) struct Pair<'t> {
    /// How many objects are around it; 1 for a key of the line itself.
    pub(super) depth: usize,
    /// The key of the object that it is in; empty at depth 1.
    pub(super) parent: &'t [u8],
    /// Its key, without quotes, escapes kept.
    pub(super) key: &'t [u8],
    /// Where its value stands.
    pub(super) value: Range<usize>,
    /// What its value is.
    pub(super) kind: Kind,
}

/// What an object says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Its level.
    pub(super) level: Option<Level>,
    /// Where its message stands.
    pub(super) message: Option<Range<usize>>,
    /// The message is a whole line that another program wrote: Docker's json-file.
    pub(super) wrapped: bool,
    /// Where the text or number of its time stands.
    pub(super) time: Option<Range<usize>>,
}

/// Whether an object may begin at `p`: `{`, then a key or nothing.
pub(super) fn begins(b: &[u8], p: usize) -> bool {
    b.get(p) == Some(&b'{') && matches!(b.get(blank(b, p + 1)), Some(b'"' | b'}'))
}

/// Where white space from `p` on ends.
fn blank(b: &[u8], p: usize) -> usize {
    let rest = b.get(p..).unwrap_or_default();
    p + rest.iter().take_while(|c| c.is_ascii_whitespace()).count()
}

/// Where the string whose opening quote stands before `p` ends: at its closing quote, or at the
/// end of a line that was cut.
fn string_end(b: &[u8], p: usize) -> usize {
    let mut at = p;
    while let Some(c) = b.get(at) {
        match c {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    b.len()
}

/// Where the array or object that begins at `p` ends, behind its closing bracket.
fn nested_end(b: &[u8], p: usize) -> usize {
    let mut at = p;
    let mut depth = 0_usize;
    while let Some(c) = b.get(at) {
        match c {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b'"' => at = string_end(b, at + 1),
            _ => {}
        }
        at += 1;
    }
    b.len()
}

/// Shows `see` every pair of the object that begins at `p`, outer ones before inner ones. `None`
/// if this is no JSON as far as it goes.
pub(super) fn pairs<'t>(b: &'t [u8], p: usize, see: &mut impl FnMut(&Pair<'t>)) -> Option<()> {
    object(b, p, 1, b"", see).map(|_| ())
}

fn object<'t>(
    b: &'t [u8],
    p: usize,
    depth: usize,
    parent: &'t [u8],
    see: &mut impl FnMut(&Pair<'t>),
) -> Option<usize> {
    let mut at = blank(b, p + 1);
    if b.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        match b.get(at) {
            Some(b'"') => {}
            None => return Some(b.len()),
            _ => return None,
        }
        let end = string_end(b, at + 1);
        let key = b.get(at + 1..end)?;
        at = blank(b, end + 1);
        match b.get(at) {
            Some(b':') => at = blank(b, at + 1),
            None => return Some(b.len()),
            _ => return None,
        }
        let pair = |value, kind| Pair { depth, parent, key, value, kind };
        at = match b.get(at) {
            None => return Some(b.len()),
            Some(b'"') => {
                let end = string_end(b, at + 1);
                see(&pair(at + 1..end.min(b.len()), Kind::Text));
                end + 1
            }
            Some(b'{') if depth < DEEPEST && begins(b, at) => {
                // Its end is found on the way.
                see(&pair(at..at, Kind::Opened));
                object(b, at, depth + 1, key, see)?
            }
            Some(b'{' | b'[') => {
                let end = nested_end(b, at);
                see(&pair(at..end, Kind::Nested));
                end
            }
            Some(_) => {
                let rest = b.get(at..)?;
                let run = rest
                    .iter()
                    .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'+'))
                    .count();
                if run == 0 {
                    return None;
                }
                see(&pair(at..at + run, Kind::Bare));
                at + run
            }
        };
        at = blank(b, at);
        match b.get(at) {
            Some(b',') => at = blank(b, at + 1),
            Some(b'}') => return Some(at + 1),
            None => return Some(b.len()),
            // The mark of a cut line.
            Some(_) if b.ends_with("[cut]".as_bytes()) => return Some(b.len()),
            Some(_) => return None,
        }
    }
}

/// How well a key names the message, lower is better. Zap, pino, bunyan, logrus and slog write
/// `msg`; Python's and Java's encoders `message`; hclog `@message`; GELF `short_message`;
/// structlog `event`; Serilog `@m`, `@mt`; OpenTelemetry `body`; Docker `log`.
fn message_rank(key: &[u8]) -> Option<u8> {
    Some(match key {
        b"msg" | b"message" | b"Message" | b"MESSAGE" | b"@message" | b"short_message" | b"Msg" => {
            0
        }
        b"@m" | b"RenderedMessage" | b"textPayload" => 1,
        b"@mt" | b"MessageTemplate" | b"event" | b"_msg" => 2,
        b"text" | b"body" | b"Body" | b"log" | b"content" => 3,
        b"error" | b"err" | b"exception" | b"reason" => 9,
        _ => return None,
    })
}

/// Keys of objects that hold what others write beside: Rust's tracing, Elastic's schema, loguru.
fn holds_record(parent: &[u8]) -> bool {
    matches!(
        parent,
        b"fields" | b"log" | b"record" | b"event" | b"jsonPayload" | b"data" | b"message" | b"msg"
    )
}

fn is_level(key: &[u8]) -> bool {
    match key.first() {
        Some(b'l' | b'L') => {
            key.eq_ignore_ascii_case(b"level")
                || key.eq_ignore_ascii_case(b"lvl")
                || key.eq_ignore_ascii_case(b"loglevel")
                || key.eq_ignore_ascii_case(b"log_level")
                || key.eq_ignore_ascii_case(b"log.level")
                || key.eq_ignore_ascii_case(b"levelname")
                || key.eq_ignore_ascii_case(b"level_name")
        }
        Some(b's' | b'S') => {
            key.eq_ignore_ascii_case(b"severity")
                || key.eq_ignore_ascii_case(b"severity_text")
                || key.eq_ignore_ascii_case(b"severitytext")
        }
        Some(b'@') => key == b"@level" || key == b"@l",
        Some(b'p' | b'P') => key.eq_ignore_ascii_case(b"priority"),
        _ => false,
    }
}

fn is_time(key: &[u8]) -> bool {
    matches!(
        key,
        b"time"
            | b"ts"
            | b"timestamp"
            | b"@timestamp"
            | b"@t"
            | b"t"
            | b"Timestamp"
            | b"date"
            | b"datetime"
            | b"asctime"
            | b"$date"
            | b"eventTime"
            | b"Time"
            | b"TIMESTAMP"
    )
}

/// Reads the object that begins at `p`.
pub(super) fn read(b: &[u8], p: usize) -> Option<Said> {
    let mut said = Said::default();
    let (mut best, mut level_depth) = (u8::MAX, usize::MAX);
    let (mut stream, mut log, mut letter, mut context) = (false, false, None, false);
    pairs(b, p, &mut |pair| {
        let value = b.get(pair.value.clone()).unwrap_or_default();
        let single = matches!(pair.kind, Kind::Text | Kind::Bare);
        if pair.depth <= 3 && single && pair.depth < level_depth {
            let named = is_level(pair.key) || (pair.key == b"name" && is_level(pair.parent));
            if named && let Some(level) = level::valued(value) {
                (said.level, level_depth) = (Some(level), pair.depth);
            }
        }
        if pair.kind == Kind::Text
            && !value.is_empty()
            && let Some(rank) = message_rank(pair.key)
        {
            let rank = match pair.depth {
                1 => rank,
                2 if rank < 9 && holds_record(pair.parent) => rank + 4,
                _ => u8::MAX,
            };
            if rank < best {
                (said.message, best) = (Some(pair.value.clone()), rank);
            }
        }
        if single && said.time.is_none() && pair.depth <= 2 && is_time(pair.key) {
            said.time = Some(pair.value.clone());
        }
        if pair.depth == 1 {
            match pair.key {
                b"stream" => stream = matches!(value, b"stdout" | b"stderr"),
                b"log" => log = pair.kind == Kind::Text,
                // MongoDB.
                b"s" => letter = level::named(value),
                b"c" | b"ctx" => context = true,
                _ => {}
            }
        }
    })?;
    if said.level.is_none() && context {
        said.level = letter;
    }
    said.wrapped = stream && log && best == 3 && said.level.is_none();
    Some(said)
}
