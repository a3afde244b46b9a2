//! Output kept within a bound: the newest bytes stay.

use std::collections::VecDeque;

/// The newest bytes of an output, at most `max` of them.
#[derive(Debug)]
pub struct Capture {
    bytes: VecDeque<u8>,
    max: usize,
    dropped: u64,
}

/// What a [`Capture`] holds, safe to show.
#[derive(Debug, PartialEq, Eq)]
pub struct Captured {
    /// Whole lines, cleaned and redacted. Begins with a mark if something was cut.
    pub text: String,
    /// How many bytes were cut at its beginning.
    pub dropped: u64,
}

impl Capture {
    /// Nothing captured yet.
    pub fn new(max: usize) -> Self {
        Self { bytes: VecDeque::new(), max, dropped: 0 }
    }

    /// Takes more output; the oldest bytes make room.
    pub fn push(&mut self, more: &[u8]) {
        self.bytes.extend(more);
        let over = self.bytes.len().saturating_sub(self.max);
        self.bytes.drain(..over);
        self.dropped += over as u64;
    }

    /// The text, from a line's beginning: half a line could show half a secret.
    pub fn finish(mut self) -> Captured {
        let raw = self.bytes.make_contiguous();
        if self.dropped == 0 {
            return Captured { text: mcp_kit::text::lines(raw), dropped: 0 };
        }
        let start = raw.iter().position(|b| *b == b'\n').map_or(raw.len(), |at| at + 1);
        let dropped = self.dropped + start as u64;
        let rest = mcp_kit::text::lines(raw.get(start..).unwrap_or_default());
        Captured { text: format!("… [the first {dropped} bytes are cut]\n{rest}"), dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_output_is_whole() {
        let mut capture = Capture::new(64);
        capture.push(b"one\n");
        capture.push(b"two\n");
        assert_eq!(capture.finish(), Captured { text: "one\ntwo\n".to_owned(), dropped: 0 });
    }

    #[test]
    fn long_output_keeps_its_end_in_whole_lines_and_says_so() {
        let mut capture = Capture::new(16);
        for number in 0..100 {
            capture.push(format!("line {number}\n").as_bytes());
        }
        let captured = capture.finish();
        assert!(captured.text.ends_with("]\nline 99\n"), "{}", captured.text);
        assert_eq!(captured.dropped, 790 - 8);
    }
}
