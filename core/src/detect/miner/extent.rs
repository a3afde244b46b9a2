//! Where words and values end that are more than one run of letters.

use crate::detect::miner::class;

/// Where a word ends, and the classes of its bytes. Four bytes at a time: half of all
/// instructions of a line were spent here.
#[inline]
pub fn word_end(line: &[u8], start: usize) -> (usize, u8) {
    let mut flags = 0;
    let mut rest = line.get(start..).unwrap_or_default();
    while let Some(([a, b, c, d], further)) = rest.split_first_chunk() {
        let four = class::of(*a) | class::of(*b) | class::of(*c) | class::of(*d);
        if four & class::END != 0 {
            break;
        }
        flags |= four;
        rest = further;
    }
    while let Some((byte, further)) = rest.split_first() {
        let class = class::of(*byte);
        if class & class::END != 0 {
            break;
        }
        flags |= class;
        rest = further;
    }
    (line.len() - rest.len(), flags)
}

/// An apostrophe inside a word: don't, kernel's.
pub fn is_apostrophe(line: &[u8], at: usize) -> bool {
    let letter = |at: usize| line.get(at).is_some_and(|b| class::of(*b) & class::LETTER != 0);
    letter(at - 1) && letter(at + 1)
}

/// Where a word ends without the full stop of its sentence.
pub fn sentence_end(line: &[u8], start: usize, end: usize) -> usize {
    let mut stop = end;
    while stop > start && matches!(line[stop - 1], b'.' | b'!' | b'?') {
        stop -= 1;
    }
    // Nothing but such marks.
    if stop == start { end } else { stop }
}

/// Where an URL ends.
pub fn url_end(line: &[u8], from: usize) -> usize {
    let ends = |b: &u8| {
        class::of(*b) & class::SPACE != 0
            || matches!(
                b,
                b'"' | b'\'' | b'<' | b'>' | b'`' | b')' | b']' | b'}' | b',' | b';' | b'|'
            )
    };
    let end = line[from..].iter().position(ends).map_or(line.len(), |length| from + length);
    let closing = line[from..end].iter().rev().take_while(|b| matches!(b, b'.' | b':')).count();
    end - closing
}

/// Where an IPv6 or hardware address ends whose first group is `start..end`.
pub fn colons_end(line: &[u8], start: usize, end: usize) -> Option<usize> {
    let hex = |group: &[u8]| group.len() <= 4 && group.iter().all(u8::is_ascii_hexdigit);
    if end - start > 4 || !hex(&line[start..end]) {
        return None;
    }
    let stop = line[end..]
        .iter()
        .position(|b| !b.is_ascii_hexdigit() && *b != b':')
        .map_or(line.len(), |length| end + length);
    let text = &line[start..stop];
    let text = text.strip_suffix(b":").unwrap_or(text);
    let groups = text.split(|b| *b == b':');
    if groups.clone().all(hex)
        && groups.clone().count() >= 3
        && (text.iter().any(u8::is_ascii_digit) || is_hardware(text))
    {
        Some(start + text.len())
    } else {
        None
    }
}

/// Six groups of two digits.
fn is_hardware(text: &[u8]) -> bool {
    text.len() == 17 && text.split(|b| *b == b':').all(|group| group.len() == 2)
}
