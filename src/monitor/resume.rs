//! What was read already, so that a reopened stream repeats nothing and loses nothing. Pure.
//!
//! A stream is resumed from one second before the last line; what comes again is dropped by
//! (timestamp, stream, bytes, occurrence). Timestamps do not rise strictly over the two streams of
//! a container, so the last timestamp alone would not do.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::{SignedDuration, Timestamp};

use crate::monitor::lines::RawLine;

/// How far before the last line a stream is resumed.
const OVERLAP: SignedDuration = SignedDuration::from_secs(1);
/// Lines are remembered this long before the last one: the overlap, and the whole second that
/// the engine's `since` is rounded down to.
const REMEMBERED: SignedDuration = SignedDuration::from_secs(3);
/// At most this many lines are remembered; a container that writes more within the overlap may
/// see lines repeated after a break, and a mark says so.
const MOST: usize = 65_536;

/// The lines of the last seconds of one container.
#[derive(Debug, Default)]
pub(super) struct Memory {
    recent: VecDeque<(Timestamp, u64)>,
    last: Option<Timestamp>,
    overflowed: bool,
    /// After a reopening: how often each remembered line may still come again.
    expected: HashMap<(Timestamp, u64), u32>,
    /// After a reopening: whether any remembered line came again.
    overlapped: bool,
    resuming_until: Option<Timestamp>,
}

/// What a line is after a reopening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not seen before.
    New,
    /// Seen before the break.
    Repeated,
    /// Not seen before, and nothing of what should have come again did: lines may be missing.
    NewAfterGap,
}

impl Memory {
    /// The second to resume from (Unix time), if anything was read.
    pub(super) fn since(&self) -> Option<i32> {
        self.last.map(|last| i32::try_from((last - OVERLAP).as_second()).unwrap_or(i32::MAX))
    }

    /// The last timestamp.
    pub(super) fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// The stream is about to be reopened.
    pub(super) fn reopen(&mut self) {
        self.expected.clear();
        let from = self.since().map(i64::from);
        for (at, digest) in &self.recent {
            if from.is_some_and(|from| at.as_second() >= from) {
                *self.expected.entry((*at, *digest)).or_default() += 1;
            }
        }
        self.overlapped = self.expected.is_empty() || self.overflowed;
        self.resuming_until = self.last;
    }

    /// Looks at a line that came, and remembers it if it is new.
    pub(super) fn judge(&mut self, line: &RawLine) -> Verdict {
        let key = (line.at, digest(line));
        if let Some(left) = self.expected.get_mut(&key)
            && *left > 0
        {
            *left -= 1;
            self.overlapped = true;
            return Verdict::Repeated;
        }
        // Once the stream has passed the break, nothing comes again.
        let passed = self.resuming_until.is_some_and(|until| line.at > until + REMEMBERED);
        if passed {
            self.expected = HashMap::new();
            self.resuming_until = None;
        }
        let gap = !std::mem::replace(&mut self.overlapped, true);
        self.remember(key);
        if gap { Verdict::NewAfterGap } else { Verdict::New }
    }

    fn remember(&mut self, key: (Timestamp, u64)) {
        let last = self.last.map_or(key.0, |last| last.max(key.0));
        self.last = Some(last);
        self.recent.push_back(key);
        while self.recent.front().is_some_and(|(at, _)| *at < last - REMEMBERED) {
            self.recent.pop_front();
        }
        self.overflowed = self.recent.len() > MOST;
        if self.overflowed {
            self.recent.pop_front();
        }
    }
}

fn digest(line: &RawLine) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.stream.hash(&mut hasher);
    line.text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sentinel_core::domain::log::Stream;

    use super::*;

    fn line(millis: i64, stream: Stream, text: &str) -> RawLine {
        RawLine {
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_millis(10_000 + millis),
            stream,
            text: text.as_bytes().to_vec(),
        }
    }

    /// Reads `first` lines, breaks, and reads again what a `since` of the memory gives.
    fn after_break(all: &[RawLine], first: usize) -> (Vec<RawLine>, bool) {
        let mut memory = Memory::default();
        let mut got = Vec::new();
        let mut gap = false;
        for line in &all[..first] {
            assert_ne!(memory.judge(line), Verdict::Repeated);
            got.push(line.clone());
        }
        memory.reopen();
        let since = memory.since().map_or(i64::MIN, i64::from);
        for line in all.iter().filter(|l| l.at.as_second() >= since) {
            match memory.judge(line) {
                Verdict::Repeated => {}
                verdict => {
                    gap |= verdict == Verdict::NewAfterGap;
                    got.push(line.clone());
                }
            }
        }
        (got, gap)
    }

    #[test]
    fn equal_lines_at_one_instant_are_told_apart_by_how_often_they_came() {
        let all: Vec<_> = (0..5).map(|_| line(0, Stream::Stdout, "x")).collect();
        assert_eq!(after_break(&all, 3).0.len(), 5);
    }

    #[test]
    fn a_stream_that_was_cleared_meanwhile_is_a_gap() {
        let mut memory = Memory::default();
        memory.judge(&line(0, Stream::Stdout, "before"));
        memory.reopen();
        assert_eq!(memory.judge(&line(5000, Stream::Stdout, "later")), Verdict::NewAfterGap);
        assert_eq!(memory.judge(&line(5001, Stream::Stdout, "more")), Verdict::New);
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        for i in 0..200_000_i64 {
            memory.judge(&line(i / 1000, Stream::Stdout, &i.to_string()));
        }
        assert!(memory.recent.len() <= MOST);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_repeated_over_a_break(
            steps in prop::collection::vec((0..400_i64, -3..3_i64, any::<bool>(), 0..3_u8), 1..80),
            cut in 0..100_usize,
        ) {
            // Timestamps rise, but not strictly over the two streams.
            let mut now = 0;
            let all: Vec<RawLine> = steps
                .iter()
                .map(|(step, jitter, stream, text)| {
                    now += step;
                    let stream = if *stream { Stream::Stdout } else { Stream::Stderr };
                    line(now + jitter, stream, &text.to_string())
                })
                .collect();
            let first = all.len() * cut / 100;
            let (got, gap) = after_break(&all, first);
            prop_assert_eq!(got, all);
            prop_assert!(!gap);
        }
    }
}
