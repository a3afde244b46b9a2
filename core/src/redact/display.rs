//! Text that cannot harm a terminal: no escape sequences, no control or bidi characters.

use std::borrow::Cow;

/// Removes ANSI escape sequences whole, turns tabs into spaces, and replaces what is left of
/// C0, C1 and bidirectional controls by a middle dot.
pub fn safe(text: &str) -> Cow<'_, str> {
    // Most lines are plain ASCII, which needs no decoding.
    let plain = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if plain || !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\u{1b}' => skip_escape(after),
            '\u{9b}' => skip_csi(after),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(after),
            '\t' => {
                out.push_str("    ");
                after
            }
            '\r' | '\n' => {
                // A carriage return at the end belongs to the line end; inside it separates.
                if !after.is_empty() {
                    out.push(' ');
                }
                after
            }
            c if is_harmful(c) => {
                out.push('·');
                after
            }
            c => {
                out.push(c);
                after
            }
        };
    }
    Cow::Owned(out)
}

/// C0, DEL, C1, and the characters that reorder text on the screen.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
}

/// What follows an ESC.
fn skip_escape(text: &str) -> &str {
    match text.as_bytes().first() {
        Some(b'[') => skip_csi(&text[1..]),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => skip_string(&text[1..]),
        // Intermediates 0x20-0x2f, then one final byte.
        Some(0x20..=0x7e) => {
            let end = text.bytes().position(|b| !(0x20..=0x2f).contains(&b));
            match end {
                Some(end)
                    if text.as_bytes().get(end).is_some_and(|b| (0x30..=0x7e).contains(b)) =>
                {
                    &text[end + 1..]
                }
                _ => text,
            }
        }
        _ => text,
    }
}

/// Parameters and intermediates 0x20-0x3f, then one final byte 0x40-0x7e.
fn skip_csi(text: &str) -> &str {
    let end = text.bytes().position(|b| !(0x20..=0x3f).contains(&b));
    match end {
        Some(end) if text.as_bytes().get(end).is_some_and(|b| (0x40..=0x7e).contains(b)) => {
            &text[end + 1..]
        }
        _ => text,
    }
}

/// A string sequence (OSC, DCS, …) up to BEL or ST. An unterminated one is no licence to
/// swallow the rest of the line: only its introducer goes.
fn skip_string(text: &str) -> &str {
    for (at, c) in text.char_indices() {
        match c {
            '\u{7}' | '\u{9c}' => return &text[at + c.len_utf8()..],
            '\u{1b}' if text[at + 1..].starts_with('\\') => return &text[at + 2..],
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_go_whole_and_the_text_stays() {
        let cases = [
            ("\u{1b}[31mred\u{1b}[0m plain", "red plain"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\ end", "link end"),
            ("\u{1b}]52;c;aGk=\u{7}x", "x"),
            ("\u{1b}P1$r0m\u{1b}\\x", "x"),
            ("\u{9b}2Jx", "x"),
            ("\u{1b}(Bx", "x"),
            ("\u{1b}cx", "x"),
            ("\u{1b}]0;never closed", "0;never closed"),
            ("a\tb\r", "a    b"),
            ("50%\r100%", "50% 100%"),
            ("x\u{202e}gnp", "x·gnp"),
            ("nul\0bell\u{7}", "nul·bell·"),
        ];
        for (input, expected) in cases {
            assert_eq!(safe(input), expected, "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_harmful_is_ever_left(text in "[\\x00-\\u{2fff}]{0,200}") {
            prop_assert!(!safe(&text).chars().any(is_harmful));
        }

        #[test]
        fn plain_text_is_untouched(text in "[ -~]{0,100}") {
            prop_assert_eq!(safe(&text), text.as_str());
        }
    }
}
