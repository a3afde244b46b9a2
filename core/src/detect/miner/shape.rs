//! What kind of word it is, by its shape alone: no regular expression, no list of programs.

use crate::detect::miner::class;
use crate::detect::miner::mask::{self, Mask};
use crate::redact::secrets::MASK;

/// The shape of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Constant.
    Word,
    /// Constant but for its digits: `en0`, `blk_-17`, `HTTP/1.1`. Masked they are so many bytes.
    Part(usize),
    /// A value: an address, an id, a time, …
    Value,
    /// A value that is a path.
    Path,
    /// A value that is one number, perhaps with its unit.
    Number,
}

/// So many changes between letters and digits look like an id, not like a name with a number.
/// `broadcast_9_piece0` has three.
const ID_CHANGES: u32 = 4;
/// So long a word of hexadecimal digits, with at least one decimal among them, is an id.
const HEX_LENGTH: usize = 6;
/// So long a word of hexadecimal letters alone is one too: `ffffffff`, `deadbeef`. No word of a
/// language is so long and has no other letters.
const HEX_LETTERS: usize = 8;

/// The shape of a word; `flags` are the classes of its bytes, together. The masked bytes of a
/// part are written to `masked`.
#[inline]
pub fn of(word: &[u8], flags: u8, masked: &mut Mask) -> Shape {
    const MARKS: u8 = class::INNER | class::SLASH | class::POINT;
    if flags & (class::DIGIT | MARKS) == 0 {
        return letters(word);
    }
    if flags & class::LETTER == 0 {
        // The mark of a secret, whichever it was.
        if word.starts_with(MASK.as_bytes()) {
            return Shape::Part(mask::write(word, masked).0);
        }
        return without_letters(word, flags);
    }
    if flags & class::SLASH != 0 && is_path(word) {
        return Shape::Path;
    }
    if flags & class::POINT != 0 && (is_host(word) || is_mail(word)) {
        return Shape::Value;
    }
    if flags & class::DIGIT == 0 { Shape::Word } else { with_digits(word, masked) }
}

#[inline]
fn letters(word: &[u8]) -> Shape {
    let value = match word.len() {
        3 => is_calendar(word),
        9 if word == b"localhost" => true,
        HEX_LETTERS.. => word.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    };
    if value { Shape::Value } else { Shape::Word }
}

/// A month or a day of the week, as dates have them. May is left out: it is a word, too.
fn is_calendar(word: &[u8]) -> bool {
    matches!(
        word,
        b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
            | b"Mon"
            | b"Tue"
            | b"Wed"
            | b"Thu"
            | b"Fri"
            | b"Sat"
            | b"Sun"
    )
}

#[inline]
fn without_letters(word: &[u8], flags: u8) -> Shape {
    if flags & class::DIGIT == 0 {
        // The root, of a site or of a file system.
        return if word == b"/" || is_path(word) { Shape::Path } else { Shape::Word };
    }
    let digits = word.strip_prefix(b"-").or_else(|| word.strip_prefix(b"+")).unwrap_or(word);
    let digits = digits.strip_suffix(b"%").unwrap_or(digits);
    let mut points = 0;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {}
            b'.' => points += 1,
            b'/' | b'\\' if word.first() == Some(byte) => return Shape::Path,
            _ => return Shape::Value,
        }
    }
    if points <= 1 { Shape::Number } else { Shape::Value }
}

#[inline]
fn with_digits(word: &[u8], masked: &mut Mask) -> Shape {
    let bare = word.strip_prefix(b"-").unwrap_or(word);
    if let Some(b'0'..=b'9') = bare.first() {
        if let [b'0', b'x' | b'X', rest @ ..] = bare
            && !rest.is_empty()
            && rest.iter().all(u8::is_ascii_hexdigit)
        {
            return Shape::Value;
        }
        let digit = |b: &u8| b.is_ascii_digit() || *b == b'.';
        let end = bare.iter().position(|b| !digit(b)).unwrap_or(bare.len());
        if is_unit(&bare[end..]) {
            return Shape::Number;
        }
    }
    let (length, changes) = mask::write(word, masked);
    if changes >= ID_CHANGES || (word.len() >= HEX_LENGTH && is_hex(word)) {
        Shape::Value
    } else {
        Shape::Part(length)
    }
}

/// Hexadecimal digits, in groups perhaps.
fn is_hex(word: &[u8]) -> bool {
    word.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
}

/// Units that stand directly behind a number.
fn is_unit(name: &[u8]) -> bool {
    matches!(
        name,
        b"ms"
            | b"s"
            | b"B"
            | b"KB"
            | b"kB"
            | b"MB"
            | b"GB"
            | b"K"
            | b"k"
            | b"M"
            | b"G"
            | b"us"
            | b"ns"
            | b"m"
            | b"h"
            | b"d"
            | b"KiB"
            | b"MiB"
            | b"GiB"
            | b"TB"
            | b"TiB"
            | b"T"
            | b"\xc2\xb5s"
            | b"\xce\xbcs"
            | b"sec"
            | b"secs"
            | b"min"
            | b"mins"
            | b"hr"
            | b"hrs"
            | b"b"
            | b"kb"
            | b"mb"
            | b"gb"
            | b"Ki"
            | b"Mi"
            | b"Gi"
            | b"Hz"
            | b"MHz"
            | b"GHz"
            | b"C"
            | b"px"
            | b"x"
            | b"kbps"
            | b"Mbps"
            | b"bytes"
            | b"th"
            | b"st"
            | b"nd"
            | b"rd"
    )
}

/// `/a/b`, `./a`, `~/a`, `a/b/c`, `\a`, `a/b.txt`, `host/1.2.3.4`.
fn is_path(word: &[u8]) -> bool {
    match word {
        [b'/' | b'\\', _, ..] | [b'.' | b'~', b'/', ..] | [b'.', b'.', b'/', ..] => return true,
        _ => {}
    }
    let slash = |b: &u8| *b == b'/' || *b == b'\\';
    let mut parts = word.split(slash);
    let last = parts.next_back().unwrap_or_default();
    match parts.count() {
        0 => false,
        1 => is_address(last) || is_file(last),
        _ => true,
    }
}

/// Four numbers with points between.
fn is_address(word: &[u8]) -> bool {
    word.split(|b| *b == b'.').count() == 4 && word.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// `name.ext`, the extension of letters and digits.
fn is_file(word: &[u8]) -> bool {
    let Some(point) = word.iter().rposition(|b| *b == b'.') else { return false };
    let extension = &word[point + 1..];
    point > 0
        && extension.len() <= 5
        && extension.first().is_some_and(u8::is_ascii_alphabetic)
        && extension.iter().all(u8::is_ascii_alphanumeric)
}

/// `name@host`. Behind the sign of a version or a line stands a digit.
fn is_mail(word: &[u8]) -> bool {
    let Some(at) = word.iter().position(|b| *b == b'@') else { return false };
    let host = &word[at + 1..];
    at > 0
        && (host.first().is_some_and(u8::is_ascii_alphabetic)
            || host.iter().any(u8::is_ascii_alphabetic))
}

/// A host name, or a name written backwards.
fn is_host(word: &[u8]) -> bool {
    let mut labels = word.split(|b| *b == b'.');
    let (Some(first), Some(last)) = (labels.next(), labels.next_back()) else { return false };
    if first.is_empty() || last.is_empty() {
        return false;
    }
    let between = labels.clone().count();
    if between == 0 {
        // Two labels are a file or a method more often than a host.
        return matches!(last, b"com" | b"net" | b"org" | b"edu" | b"local" | b"internal")
            && !word.contains(&b'@');
    }
    if is_error(last) {
        return false;
    }
    let country = last.len() == 2 && last.iter().all(u8::is_ascii_lowercase);
    // Java packages and bundles are written backwards.
    matches!(first, b"com" | b"org" | b"net" | b"io" | b"edu")
        || country
        || is_domain(last)
        || labels.any(|l| l.first().is_some_and(u8::is_ascii_digit))
}

/// Last labels of host names that no file or class has. Those of two letters are taken as
/// countries.
fn is_domain(label: &[u8]) -> bool {
    matches!(
        label,
        b"com"
            | b"net"
            | b"org"
            | b"edu"
            | b"gov"
            | b"mil"
            | b"info"
            | b"dev"
            | b"cloud"
            | b"local"
            | b"internal"
            | b"localdomain"
            | b"lan"
            | b"svc"
            | b"biz"
            | b"arpa"
    )
}

/// The class of an error says what happened: it stays.
fn is_error(label: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[b"Exception", b"Error", b"Failure", b"Fault"];
    ENDS.iter().any(|end| label.ends_with(end))
}
