//! What a container has said: the newest lines, numbered, so that every reader knows where it is.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;

use crate::frame;

/// One line, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was written.
    pub at: Timestamp,
    /// To standard error.
    pub error: bool,
    /// What was written.
    pub text: Arc<str>,
}

/// Which lines are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the engine's own parameters")]
pub struct Select {
    /// Lines of standard output.
    pub stdout: bool,
    /// Lines of standard error.
    pub stderr: bool,
    /// Each line behind its time.
    pub timestamps: bool,
    /// Lines that come later, too.
    pub follow: bool,
    /// Only lines from then on.
    pub since: Option<Timestamp>,
    /// Only lines before then.
    pub until: Option<Timestamp>,
    /// Only so many of the newest ones that exist already.
    pub tail: Option<usize>,
}

/// The log of one container, bounded.
#[derive(Clone, Debug)]
pub struct Log {
    lines: VecDeque<Line>,
    /// The number of the oldest line that is kept.
    first: u64,
    keep: usize,
}

impl Log {
    /// An empty log that keeps so many lines.
    pub fn new(keep: usize) -> Self {
        Self { lines: VecDeque::new(), first: 0, keep: keep.max(1) }
    }

    /// Adds a line; the oldest goes when there are too many, as with rotation.
    pub fn push(&mut self, line: Line) {
        self.lines.push_back(line);
        if self.lines.len() > self.keep {
            self.drop_oldest(1);
        }
    }

    /// The number that the next line will have.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.lines.len()).unwrap_or(u64::MAX))
    }

    /// Lines that are kept.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The file was rotated away: only the newest `keep` lines are left.
    pub fn rotate(&mut self, keep: usize) {
        self.drop_oldest(self.lines.len().saturating_sub(keep));
    }

    fn drop_oldest(&mut self, count: usize) {
        self.lines.drain(..count.min(self.lines.len()));
        self.first = self.first.saturating_add(u64::try_from(count).unwrap_or_default());
    }

    /// The number of the first line that a reader with this request begins at.
    pub fn begin(&self, select: &Select) -> u64 {
        let skipped = select.tail.map_or(0, |tail| self.lines.len().saturating_sub(tail));
        self.first.saturating_add(u64::try_from(skipped).unwrap_or_default())
    }

    /// Lines from number `from` on that the request wants, up to `most`, and the number after the
    /// last one that was looked at. A reader that was overtaken goes on with the oldest.
    pub fn read<'a>(
        &'a self,
        from: u64,
        most: usize,
        select: &'a Select,
    ) -> (impl Iterator<Item = &'a Line>, u64) {
        let from = from.max(self.first);
        let skip = usize::try_from(from - self.first).unwrap_or(usize::MAX).min(self.lines.len());
        let count = most.min(self.lines.len() - skip);
        let lines = self.lines.range(skip..skip + count).filter(|line| select.wants(line));
        (lines, from.saturating_add(u64::try_from(count).unwrap_or_default()))
    }
}

impl Select {
    fn wants(&self, line: &Line) -> bool {
        let stream = if line.error { self.stderr } else { self.stdout };
        stream
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at <= until)
    }
}

/// Appends a line as the engine sends it: framed, or as a terminal would show it.
pub fn write(out: &mut Vec<u8>, line: &Line, timestamps: bool, tty: bool) {
    let mut content = Vec::with_capacity(line.text.len() + 40);
    if timestamps {
        content.extend_from_slice(format!("{:.9} ", line.at).as_bytes());
    }
    content.extend_from_slice(line.text.as_bytes());
    if tty {
        content.extend_from_slice(b"\r\n");
        out.append(&mut content);
    } else {
        content.push(b'\n');
        frame::write(out, line.error, &content);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(second: i64, error: bool) -> Line {
        Line {
            at: Timestamp::from_second(second).unwrap(),
            error,
            text: format!("{second}").into(),
        }
    }

    proptest! {
        #[test]
        fn a_reader_in_pieces_sees_what_one_in_one_go_sees(
            streams in prop::collection::vec(any::<bool>(), 0..60),
            tail in prop::option::of(0_usize..70),
            since in prop::option::of(0_i64..60),
            (stdout, stderr) in any::<(bool, bool)>(),
            keep in 1_usize..70,
            piece in 1_usize..9,
        ) {
            let mut log = Log::new(keep);
            for (i, error) in streams.iter().enumerate() {
                log.push(line(i64::try_from(i).unwrap(), *error));
            }
            let since = since.map(|s| Timestamp::from_second(s).unwrap());
            let select = Select { stdout, stderr, since, tail, ..Select::default() };
            let whole: Vec<Line> = log.read(log.begin(&select), usize::MAX, &select).0.cloned().collect();
            let kept = streams.len().min(keep);
            let expected: Vec<Line> = streams.iter().enumerate()
                .skip(streams.len() - kept.min(tail.unwrap_or(usize::MAX)))
                .map(|(i, error)| line(i64::try_from(i).unwrap(), *error))
                .filter(|l| since.is_none_or(|s| l.at >= s))
                .filter(|l| if l.error { stderr } else { stdout })
                .collect();
            prop_assert_eq!(&whole, &expected);
            let (mut pieces, mut at) = (Vec::new(), log.begin(&select));
            while at < log.end() {
                let (lines, next) = log.read(at, piece, &select);
                pieces.extend(lines.cloned());
                prop_assert!(next > at);
                at = next;
            }
            prop_assert_eq!(pieces, whole);
        }
    }

    #[test]
    fn a_reader_that_was_overtaken_goes_on_with_the_oldest_line() {
        let mut log = Log::new(10);
        for i in 0..5 {
            log.push(line(i, false));
        }
        log.rotate(2);
        let select = Select { stdout: true, ..Select::default() };
        let (lines, next) = log.read(1, 10, &select);
        assert_eq!(lines.map(|l| l.text.as_ref()).collect::<Vec<_>>(), ["3", "4"]);
        assert_eq!(next, log.end());
    }
}
