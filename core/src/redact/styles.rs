//! The colours that a program gave to its own lines, as spans beside the clean text.
//!
//! The text itself never holds a control byte; what is kept of a sequence is one of eight words.
//! Where a secret was masked, or anything else but colours was taken out in a way that moves the
//! text, there are no spans: they would stand on other words.

use std::sync::Arc;

use crate::domain::log::{Ink, Span};
use crate::redact::display;

/// At most so many spans of a line are kept; behind them it has no colours.
const MOST: usize = 64;
/// Numbers of one sequence that are read.
const NUMBERS: usize = 16;

/// The spans of a line as it came, `shown` being what [`crate::redact::clean`] made of it.
pub fn spans(raw: &[u8], shown: &str) -> Option<Arc<[Span]>> {
    if !raw.contains(&0x1b) {
        return None;
    }
    let text = String::from_utf8_lossy(raw);
    let mut spans: Vec<Span> = Vec::new();
    let mut pen = Pen::default();
    let mut at = 0;
    for (number, piece) in text.split("\u{1b}[").enumerate() {
        let mut words = piece;
        if number > 0 {
            // A sequence of another kind moves the text in ways that only the cleaning knows.
            let end = piece.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
            let rest = piece.get(end..)?.strip_prefix('m')?;
            pen.take(piece.get(..end)?);
            words = rest;
        }
        let safe = display::safe(words);
        let end = at + safe.len();
        if shown.get(at..end) != Some(safe.as_ref()) {
            return None;
        }
        if let (Some(ink), true) = (pen.ink(), end > at && spans.len() < MOST) {
            spans.push(Span { start: u32::try_from(at).ok()?, end: u32::try_from(end).ok()?, ink });
        }
        at = end;
    }
    (at == shown.len() && !spans.is_empty()).then(|| spans.into())
}

/// What is set now.
#[derive(Clone, Copy, Debug, Default)]
struct Pen {
    color: Option<Ink>,
    bold: bool,
    dim: bool,
}

impl Pen {
    fn ink(self) -> Option<Ink> {
        match self.color {
            Some(color) => Some(color),
            None if self.dim => Some(Ink::Dim),
            None => self.bold.then_some(Ink::Bold),
        }
    }

    /// Takes the numbers of a sequence. A background is not kept: it could hide what is on it.
    fn take(&mut self, numbers: &str) {
        let mut list = numbers.split([';', ':']).take(NUMBERS).map(|n| n.parse().unwrap_or(0_u16));
        while let Some(number) = list.next() {
            match number {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                22 => (self.bold, self.dim) = (false, false),
                30..=37 => self.color = basic(number - 30),
                90..=97 => self.color = basic(number - 90).or(Some(Ink::Dim)),
                39 => self.color = None,
                38 | 48 => {
                    let color = match list.next() {
                        Some(5) => list.next().and_then(table),
                        Some(2) => {
                            let mut part = || list.next().unwrap_or(0);
                            mixed(part(), part(), part())
                        }
                        _ => None,
                    };
                    if number == 38 {
                        self.color = color;
                    }
                }
                _ => {}
            }
        }
    }
}

/// One of the eight colours. Black and white are the terminal's own.
fn basic(number: u16) -> Option<Ink> {
    match number {
        1 => Some(Ink::Red),
        2 => Some(Ink::Green),
        3 => Some(Ink::Yellow),
        4 => Some(Ink::Blue),
        5 => Some(Ink::Magenta),
        6 => Some(Ink::Cyan),
        _ => None,
    }
}

/// A number of the table of 256 colours.
fn table(number: u16) -> Option<Ink> {
    match number {
        0..=7 => basic(number),
        8 | 232..=243 => Some(Ink::Dim),
        9..=15 => basic(number - 8),
        16..=231 => {
            let cube = number - 16;
            mixed(cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51)
        }
        _ => None,
    }
}

/// The nearest of the eight to a mixture: which parts stand out.
fn mixed(red: u16, green: u16, blue: u16) -> Option<Ink> {
    let most = red.max(green).max(blue);
    let least = red.min(green).min(blue);
    if most - least < most / 3 + 1 {
        return None;
    }
    let middle = least + (most - least) / 2;
    let parts = [red, green, blue].map(|part| part > middle);
    basic(match parts {
        [true, false, false] => 1,
        [false, true, false] => 2,
        [true, true, false] => 3,
        [false, false, true] => 4,
        [true, false, true] => 5,
        [false, true, true] => 6,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redact::clean;

    fn of(raw: &str) -> Vec<(String, Ink)> {
        let shown = clean(raw.as_bytes(), 4096);
        let found = spans(raw.as_bytes(), &shown);
        let found = found.iter().flat_map(|s| s.iter());
        found.map(|s| (shown[s.start as usize..s.end as usize].to_owned(), s.ink)).collect()
    }

    #[test]
    fn colours_stand_beside_the_words_that_had_them() {
        let cases: &[(&str, &[(&str, Ink)])] = &[
            ("\u{1b}[31mred\u{1b}[0m plain", &[("red", Ink::Red)]),
            ("\u{1b}[1;32mok\u{1b}[m \u{1b}[2mquiet", &[("ok", Ink::Green), ("quiet", Ink::Dim)]),
            ("\u{1b}[38;5;208morange\u{1b}[39m", &[("orange", Ink::Red)]),
            ("\u{1b}[38;2;0;200;210mé\u{1b}[0m", &[("é", Ink::Cyan)]),
            ("\u{1b}[48;5;1mbackground", &[]),
            ("plain", &[]),
            // Anything but colours, and nothing is coloured.
            ("\u{1b}[31mred\u{1b}[2J", &[]),
            ("\u{1b}[31m\u{1b}]0;title\u{7}x", &[("x", Ink::Red)]),
            ("\u{1b}[31mpassword=hunter2 rest\u{1b}[0m", &[]),
        ];
        for (raw, expected) in cases {
            let expected: Vec<_> = expected.iter().map(|(t, i)| ((*t).to_owned(), *i)).collect();
            assert_eq!(of(raw), expected, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn spans_are_within_the_text_in_order_and_few(
            raw in "(\\x1b\\[[0-9;]{0,9}[mKJ]?|[a-zé=\\x00-\\x1f]{0,6}){0,90}",
        ) {
            let shown = clean(raw.as_bytes(), 512);
            let found = spans(raw.as_bytes(), &shown);
            let mut end = 0;
            for span in found.iter().flat_map(|s| s.iter()) {
                prop_assert!(span.start >= end && span.end > span.start);
                prop_assert!(shown.get(span.start as usize..span.end as usize).is_some());
                end = span.end;
            }
            prop_assert!(found.is_none_or(|s| s.len() <= MOST));
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
