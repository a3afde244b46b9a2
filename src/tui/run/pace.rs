//! When the next frame may be drawn: thirty a second, and at once after what a person did.
//!
//! A virtual scheduling of frames (the generic cell rate algorithm, ITU-T I.371): every frame is
//! worth [`FRAME`] of time. What comes by itself waits until the time of all frames so far has
//! passed. A key or a click may run ahead of that by [`AHEAD`], so that its frame does not wait
//! behind one that a log line caused; the frames after it pay for that.

use std::time::Duration;

use tokio::time::Instant;

/// Thirty frames a second.
pub(super) const FRAME: Duration = Duration::from_millis(33);
/// How far frames that answer a person may run ahead.
const AHEAD: Duration = Duration::from_millis(99);
/// Between any two frames: keys that come in one burst share one.
const LEAST: Duration = Duration::from_millis(4);

/// The pace of drawing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// When the last frame was drawn.
    last: Option<Instant>,
    /// Up to when the frames so far take the time.
    taken: Instant,
}

impl Pace {
    /// Nothing was drawn yet.
    pub(super) fn new(now: Instant) -> Self {
        Self { last: None, taken: now }
    }

    /// A frame was drawn.
    pub(super) fn drew(&mut self, now: Instant) {
        self.last = Some(now);
        self.taken = self.taken.max(now) + FRAME;
    }

    /// From when on the next one may be. `answers`: a person waits for it.
    pub(super) fn next(&self, answers: bool) -> Instant {
        let Some(last) = self.last else { return self.taken };
        let ahead = if answers { AHEAD } else { Duration::ZERO };
        self.taken.checked_sub(ahead).map_or(last + LEAST, |at| at.max(last + LEAST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_comes_by_itself_is_drawn_thirty_times_a_second() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        let (mut now, mut frames) = (began, 0);
        while now < began + SECOND {
            pace.drew(now);
            frames += 1;
            now = pace.next(false);
        }
        assert_eq!(frames, 31, "one at the beginning, then thirty");
    }

    #[test]
    fn a_key_does_not_wait_behind_a_frame_of_the_log() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        pace.drew(began);
        assert_eq!(pace.next(true), began + LEAST);
        assert_eq!(pace.next(false), began + FRAME);
        pace.drew(began + LEAST);
        assert_eq!(pace.next(false), began + 2 * FRAME, "the log waits for it");
    }

    #[test]
    fn keys_without_end_are_drawn_no_more_often_in_the_long_run() {
        let began = Instant::now();
        let mut pace = Pace::new(began);
        let (mut now, mut frames) = (began, 0);
        while now < began + 10 * SECOND {
            pace.drew(now);
            frames += 1;
            now = pace.next(true);
        }
        assert!((300..=308).contains(&frames), "{frames}");
    }
}
