//! What kind of word it is, by its shape alone: no regular expression, no list of programs.

use crate::detect::miner::class;

/// The shape of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Constant.
    Word,
    /// Constant but for its digits: `en0`, `blk_-17`, `HTTP/1.1`.
    Part,
    /// A value: an address, an id, a path, a time, …
    Value,
    /// A value that is one number, perhaps with its unit.
    Number,
}

/// So many changes between letters and digits look like an id, not like a name with a number.
/// `broadcast_9_piece0` has three.
const ID_CHANGES: u32 = 4;
/// So long a word of hexadecimal digits, with at least one decimal among them, is an id.
const HEX_LENGTH: usize = 6;

/// Units that stand directly behind a number. Longest first is not needed: all of it must match.
const UNITS: &[&[u8]] = &[
    b"ms",
    b"s",
    b"B",
    b"KB",
    b"kB",
    b"MB",
    b"GB",
    b"K",
    b"k",
    b"M",
    b"G",
    b"us",
    b"ns",
    b"m",
    b"h",
    b"d",
    b"KiB",
    b"MiB",
    b"GiB",
    b"TB",
    b"TiB",
    b"T",
    b"\xc2\xb5s",
    b"\xce\xbcs",
    b"sec",
    b"secs",
    b"min",
    b"mins",
    b"hr",
    b"hrs",
    b"b",
    b"kb",
    b"mb",
    b"gb",
    b"Ki",
    b"Mi",
    b"Gi",
    b"Hz",
    b"MHz",
    b"GHz",
    b"C",
    b"px",
    b"x",
    b"kbps",
    b"Mbps",
    b"bytes",
    b"th",
    b"st",
    b"nd",
    b"rd",
];

/// First labels of names that are written backwards, as Java packages and bundles are.
const BACKWARDS: &[&[u8]] = &[b"com", b"org", b"net", b"io", b"edu"];

/// Last labels of host names that no file or class has.
const DOMAINS: &[&[u8]] = &[
    b"com",
    b"net",
    b"org",
    b"edu",
    b"gov",
    b"mil",
    b"info",
    b"io",
    b"dev",
    b"cloud",
    b"local",
    b"internal",
    b"localdomain",
    b"lan",
    b"svc",
    b"cn",
    b"de",
    b"uk",
    b"jp",
    b"fr",
    b"ru",
    b"nl",
    b"br",
    b"it",
    b"kr",
    b"hk",
    b"tw",
    b"eu",
    b"us",
    b"in",
    b"au",
    b"ca",
    b"ch",
    b"se",
    b"pl",
    b"es",
    b"biz",
    b"arpa",
];

/// The shape of a word; `flags` are the classes of its bytes, together.
#[inline]
pub fn of(word: &[u8], flags: u8) -> Shape {
    if flags & (class::DIGIT | class::SLASH | class::INNER) == 0 {
        return if is_long_hex(word) { Shape::Value } else { Shape::Word };
    }
    if flags & class::LETTER == 0 {
        return without_letters(word, flags);
    }
    if flags & class::SLASH != 0 && is_path(word) {
        return Shape::Value;
    }
    if flags & class::INNER != 0 && (is_host(word) || is_mail(word)) {
        return Shape::Value;
    }
    if flags & class::DIGIT == 0 {
        return Shape::Word;
    }
    with_digits(word)
}

fn without_letters(word: &[u8], flags: u8) -> Shape {
    if flags & class::DIGIT == 0 {
        return if flags & class::SLASH != 0 && is_path(word) { Shape::Value } else { Shape::Word };
    }
    let digits = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    let digits = digits.strip_suffix(b"%").unwrap_or(digits);
    let mut points = 0;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {}
            b'.' => points += 1,
            _ => return Shape::Value,
        }
    }
    if points <= 1 { Shape::Number } else { Shape::Value }
}

fn with_digits(word: &[u8]) -> Shape {
    let bare = word.strip_prefix(b"-").unwrap_or(word);
    if let Some(rest) = bare.strip_prefix(b"0x").or_else(|| bare.strip_prefix(b"0X"))
        && !rest.is_empty()
        && rest.iter().all(u8::is_ascii_hexdigit)
    {
        return Shape::Value;
    }
    if bare.first().is_some_and(u8::is_ascii_digit) {
        let end = bare.iter().position(|b| !b.is_ascii_digit() && *b != b'.').unwrap_or(bare.len());
        let unit = &bare[end..];
        if UNITS.contains(&unit) {
            return Shape::Number;
        }
    }
    let mut changes = 0;
    let mut hex = word.len() >= HEX_LENGTH;
    let mut before = 0;
    for byte in word {
        let class = class::of(*byte) & (class::LETTER | class::DIGIT);
        let class = if class & class::LETTER != 0 { class::LETTER } else { class };
        if class != 0 {
            changes += u32::from(before != 0 && before != class);
            before = class;
        }
        hex &= byte.is_ascii_hexdigit() || *byte == b'-';
    }
    if hex || changes >= ID_CHANGES { Shape::Value } else { Shape::Part }
}

/// `/a/b`, `./a`, `~/a`, `a/b/c`, `\a`, `host/1.2.3.4`.
fn is_path(word: &[u8]) -> bool {
    let slash = |b: &u8| *b == b'/' || *b == b'\\';
    match word {
        [b'/' | b'\\', _, ..] | [b'.' | b'~', b'/', ..] | [b'.', b'.', b'/', ..] => return true,
        _ => {}
    }
    let mut parts = word.split(slash);
    let last = parts.next_back().unwrap_or_default();
    parts.clone().count() >= 2 || (parts.next().is_some() && is_address(last))
}

/// `ffffffff`, `deadbeef`: no word of a language is so long and has no other letters.
fn is_long_hex(word: &[u8]) -> bool {
    word.len() >= 8 && word.iter().all(u8::is_ascii_hexdigit)
}

/// Four numbers with points between.
fn is_address(word: &[u8]) -> bool {
    word.split(|b| *b == b'.').count() == 4 && word.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// `name@host.domain`.
fn is_mail(word: &[u8]) -> bool {
    let Some(at) = word.iter().position(|b| *b == b'@') else { return false };
    at > 0 && word[at + 1..].contains(&b'.')
}

/// A host name, or a name written backwards.
fn is_host(word: &[u8]) -> bool {
    let mut labels = word.split(|b| *b == b'.');
    let (Some(first), Some(last)) = (labels.next(), labels.next_back()) else { return false };
    let dots = labels.clone().count() + 1;
    if dots < 2 || first.is_empty() {
        return false;
    }
    if BACKWARDS.contains(&first) {
        return !is_exception(last);
    }
    if last.ends_with(b"Exception") || last.ends_with(b"Error") {
        return false;
    }
    let country = last.len() == 2 && last.iter().all(u8::is_ascii_lowercase);
    country || DOMAINS.contains(&last) || labels.any(|l| l.first().is_some_and(u8::is_ascii_digit))
}

/// The class of an error says what happened: it stays.
fn is_exception(label: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[b"Exception", b"Error", b"Failure", b"Fault"];
    ENDS.iter().any(|end| label.ends_with(end))
}
