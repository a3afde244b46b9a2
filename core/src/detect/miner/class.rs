//! What a byte is to the tokeniser, looked up in one table.

/// A lower-case letter, or a byte of a letter beyond ASCII.
pub const LOWER: u8 = 1;
/// An upper-case ASCII letter.
pub const UPPER: u8 = 2;
/// A digit.
pub const DIGIT: u8 = 4;
/// A mark that stays inside a word: `_`, `-`, `$`, …
pub const INNER: u8 = 8;
/// `/` or `\`: inside a word too, and what makes it a path.
pub const SLASH: u8 = 16;
/// A mark that is a token of its own.
pub const SPLIT: u8 = 32;
/// White space and control characters.
pub const SPACE: u8 = 64;
/// `.` or `@`: inside a word too, and what makes it a name of a host.
pub const POINT: u8 = 128;

/// Any letter.
pub const LETTER: u8 = LOWER | UPPER;
/// What ends a word.
pub const END: u8 = SPLIT | SPACE;

/// The class of each byte.
pub const CLASS: [u8; 256] = table();

const fn table() -> [u8; 256] {
    let mut table = [INNER; 256];
    let mut byte = 0_u8;
    loop {
        table[byte as usize] = match byte {
            b'a'..=b'z' | 0x80.. => LOWER,
            b'A'..=b'Z' => UPPER,
            b'0'..=b'9' => DIGIT,
            b'/' | b'\\' => SLASH,
            b'.' | b'@' => POINT,
            b'=' | b':' | b',' | b';' | b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'"' | b'\''
            | b'|' | b'<' | b'>' | b'`' => SPLIT,
            0..=b' ' | 0x7f => SPACE,
            _ => INNER,
        };
        if byte == 0xff {
            break;
        }
        byte += 1;
    }
    table
}

/// The class of one byte.
#[inline]
pub fn of(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}
