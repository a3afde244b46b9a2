//! Log output of the engine put together into lines: each with the engine's timestamp, its stream
//! and a bounded length. Pure.
//!
//! A frame is usually one line. The engine cuts lines of more than 16 KiB into several frames,
//! each with a timestamp of its own and only the last with a line end; a terminal's output comes
//! without frames.

use bollard::container::LogOutput;
use jiff::Timestamp;
use sentinel_core::domain::clock::is_plausible;
use sentinel_core::domain::log::Stream;

/// Bytes of a line that are kept; what is beyond is cut with a mark.
pub(super) const LINE_BYTES: usize = 16 * 1024;

/// A whole line, not yet redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawLine {
    /// The engine's time of it.
    pub(super) at: Timestamp,
    /// Its stream.
    pub(super) stream: Stream,
    /// Its bytes without the line end, at most one more than [`LINE_BYTES`] (so that a cut is
    /// seen).
    pub(super) text: Vec<u8>,
}

/// What of a line has come so far.
#[derive(Debug, Default)]
struct Part {
    at: Option<Timestamp>,
    text: Vec<u8>,
}

/// Puts lines together, one unfinished one per stream.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    stdout: Part,
    stderr: Part,
}

impl Assembler {
    /// Takes a piece of output; gives the lines that it completes.
    pub(super) fn take(&mut self, output: &LogOutput, out: &mut Vec<RawLine>) {
        let (stream, bytes) = match output {
            LogOutput::StdErr { message } => (Stream::Stderr, message),
            LogOutput::StdOut { message }
            | LogOutput::Console { message }
            | LogOutput::StdIn { message } => (Stream::Stdout, message),
        };
        let part = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let mut rest: &[u8] = bytes;
        while !rest.is_empty() {
            let (stamp, text) = split_stamp(rest);
            let end = text.iter().position(|b| *b == b'\n');
            let piece = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
            // The first stamp of a line counts; the later ones belong to its continuations.
            part.at = part.at.or(stamp);
            let room = (LINE_BYTES + 1).saturating_sub(part.text.len());
            part.text.extend_from_slice(piece.get(..room).unwrap_or(piece));
            match end {
                Some(end) => {
                    finish(part, stream, out);
                    rest = text.get(end + 1..).unwrap_or_default();
                }
                None => break,
            }
        }
    }

    /// The stream ended: what is left is a line, too.
    pub(super) fn flush(&mut self, out: &mut Vec<RawLine>) {
        finish(&mut self.stdout, Stream::Stdout, out);
        finish(&mut self.stderr, Stream::Stderr, out);
    }
}

fn finish(part: &mut Part, stream: Stream, out: &mut Vec<RawLine>) {
    let Part { at, mut text } = std::mem::take(part);
    // Without a timestamp nothing came from the engine: there is no line.
    let Some(at) = at else { return };
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    out.push(RawLine { at, stream, text });
}

/// Splits `2026-11-24T03:15:02.123456789Z text` into time and text.
fn split_stamp(bytes: &[u8]) -> (Option<Timestamp>, &[u8]) {
    // The longest form has nine digits of fraction and a zone offset.
    let head = bytes.get(..40.min(bytes.len())).unwrap_or(bytes);
    let end = head.iter().position(|b| matches!(b, b' ' | b'\n' | b'\r'));
    let Some(end) = end else { return (None, bytes) };
    let stamp = head
        .get(..end)
        .filter(|s| s.len() >= 20 && s.first().is_some_and(u8::is_ascii_digit))
        .and_then(|s| std::str::from_utf8(s).ok())
        .and_then(|s| s.parse::<Timestamp>().ok())
        .filter(|at| is_plausible(*at));
    match stamp {
        // An empty line is a stamp and its space, or the stamp alone.
        Some(at) if head.get(end) == Some(&b' ') => {
            (Some(at), bytes.get(end + 1..).unwrap_or_default())
        }
        Some(at) => (Some(at), bytes.get(end..).unwrap_or_default()),
        None => (None, bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAMP: &str = "2026-11-24T03:15:02.123456789Z";

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.as_bytes().to_vec().into() }
    }

    fn err(text: &str) -> LogOutput {
        LogOutput::StdErr { message: text.as_bytes().to_vec().into() }
    }

    fn texts(outputs: &[LogOutput]) -> Vec<(Stream, String)> {
        let mut lines = Vec::new();
        let mut assembler = Assembler::default();
        for output in outputs {
            assembler.take(output, &mut lines);
        }
        assembler.flush(&mut lines);
        lines
            .into_iter()
            .map(|l| (l.stream, String::from_utf8_lossy(&l.text).into_owned()))
            .collect()
    }

    #[test]
    fn a_frame_is_a_line_and_a_split_line_is_put_together() {
        let lines = texts(&[
            out(&format!("{STAMP} one\n")),
            out(&format!("{STAMP} begin-")),
            err(&format!("{STAMP} between\n")),
            out(&format!("{STAMP} end\n")),
        ]);
        assert_eq!(
            lines,
            [
                (Stream::Stdout, "one".to_owned()),
                (Stream::Stderr, "between".to_owned()),
                (Stream::Stdout, "begin-end".to_owned()),
            ]
        );
    }

    #[test]
    fn several_lines_in_one_frame_and_empty_lines_survive() {
        let lines = texts(&[out(&format!("{STAMP} a\n{STAMP} \n{STAMP} b\r\n{STAMP} c"))]);
        let text: Vec<_> = lines.iter().map(|(_, t)| t.as_str()).collect();
        assert_eq!(text, ["a", "", "b", "c"]);
    }

    #[test]
    fn the_first_timestamp_of_a_line_counts() {
        let mut lines = Vec::new();
        let mut assembler = Assembler::default();
        assembler.take(&out("2026-11-24T03:15:02.000000001Z x"), &mut lines);
        assembler.take(&out("2026-11-24T03:15:03Z y\n"), &mut lines);
        assert_eq!(lines[0].at.subsec_nanosecond(), 1);
    }

    #[test]
    fn a_huge_line_is_bounded() {
        let mut lines = Vec::new();
        let mut assembler = Assembler::default();
        for _ in 0..100 {
            assembler.take(&out(&format!("{STAMP} {}", "x".repeat(16 * 1024))), &mut lines);
        }
        assembler.take(&out(&format!("{STAMP} \n")), &mut lines);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].text.len(), LINE_BYTES + 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_without_harm(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let mut lines = Vec::new();
            let mut assembler = Assembler::default();
            for piece in pieces {
                assembler.take(&LogOutput::Console { message: piece.into() }, &mut lines);
            }
            assembler.flush(&mut lines);
            prop_assert!(lines.iter().all(|l| l.text.len() <= LINE_BYTES + 1));
        }
    }
}
