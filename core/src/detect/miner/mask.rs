//! A word without its digits.

use crate::detect::miner::class;

/// Stands for a run of digits. No word contains it: control characters separate words.
pub const DIGITS: u8 = 1;
/// Longer words are cut when their digits are masked.
pub const BYTES: usize = 64;

/// Room for a masked word.
pub type Mask = [u8; BYTES];

/// Writes a word with each run of digits replaced by [`DIGITS`]; returns how many bytes it has,
/// and how often letters and digits change in it. Numbers that are joined by marks, and a sign,
/// belong to the run.
#[inline]
pub fn write(word: &[u8], into: &mut [u8]) -> (usize, u32) {
    let mut length = 0;
    // The last two that were written.
    let (mut before, mut last) = (0_u8, 0_u8);
    let mut changes = 0;
    // The last that was a letter or a digit: 0 none, 1 a letter, 2 a digit.
    let mut side = 0;
    for byte in word {
        let mut byte = *byte;
        if byte.is_ascii_digit() {
            if last == DIGITS {
                continue;
            }
            byte = DIGITS;
            changes += u32::from(side == 1);
            side = 2;
            let joins = before == DIGITS && matches!(last, b'.' | b'-' | b'_' | b'+');
            let signs = last == b'-' && !before.is_ascii_alphanumeric() && before != DIGITS;
            if joins || signs {
                // The mark is written over. What stood before it matters no more.
                length -= usize::from(length > 0);
                length -= usize::from(joins && length > 0);
            }
        } else if class::of(byte) & class::LETTER != 0 {
            changes += u32::from(side == 2);
            side = 1;
        }
        if let Some(place) = into.get_mut(length) {
            *place = byte;
            length += 1;
        }
        (before, last) = (last, byte);
    }
    (length, changes)
}

/// Appends a word with each run of digits as `wild`.
pub fn show(word: &[u8], wild: &str, text: &mut Vec<u8>) {
    let mut masked = vec![0; word.len()];
    let (length, _) = write(word, &mut masked);
    for byte in masked.iter().take(length) {
        match *byte {
            DIGITS => text.extend_from_slice(wild.as_bytes()),
            byte => text.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_masked_with_their_sign_and_joints() {
        for (word, expected) in [
            ("en0", "en#"),
            ("blk_-17", "blk_#"),
            ("blk_17", "blk_#"),
            ("application_1485248649253_0147", "application_#"),
            ("attempt_1_20_m_000_0", "attempt_#_m_#"),
            ("HTTP/1.1", "HTTP/#"),
            ("-5x", "#x"),
            ("a-5", "a-#"),
            ("v1.2.", "v#."),
        ] {
            let mut text = Vec::new();
            show(word.as_bytes(), "#", &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), expected, "{word}");
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let mut mask = [0; BYTES];
        assert_eq!(write(&[b'a'; 100], &mut mask), (BYTES, 0));
        assert_eq!(write(&[b'7'; 100], &mut mask), (1, 0));
        assert_eq!(write(b"ab12-3c_d4", &mut mask), (7, 3));
    }
}
