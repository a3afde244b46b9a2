//! The brake: when new templates drive out known ones in numbers, no more are made for a while.
//!
//! A stream of lines that are all different (binary noise, dumps, a message made of user input)
//! would otherwise wash out everything that is known. Loki has the same rule (it stops above
//! 25 % evictions); the least number of new templates keeps it from acting on a full miner that
//! meets a new line now and then.

use jiff::{SignedDuration, Timestamp};

/// New templates are counted for so long, and none are made for so long.
const SPAN: SignedDuration = SignedDuration::from_mins(1);
/// So many new templates in one span are no explosion.
const LEAST: u32 = 64;
/// One eviction for so many new templates is one.
const SHARE: u32 = 4;

/// Counts new and evicted templates.
#[derive(Debug, Default)]
pub struct Brake {
    began: Option<Timestamp>,
    created: u32,
    evicted: u32,
    until: Option<Timestamp>,
}

impl Brake {
    /// Whether it is on: no new template now.
    pub fn is_on(&mut self, now: Timestamp) -> bool {
        if let Some(until) = self.until {
            // A clock that was set back does not keep it on.
            if now < until && until.duration_since(now) <= SPAN {
                return true;
            }
            self.until = None;
            self.began = None;
        }
        let began = *self.began.get_or_insert(now);
        let since = now.duration_since(began);
        if since >= SPAN || since.is_negative() {
            self.began = Some(now);
            self.created = 0;
            self.evicted = 0;
        }
        if self.created >= LEAST && self.evicted * SHARE > self.created {
            self.until = now.checked_add(SPAN).ok();
            self.created = 0;
            self.evicted = 0;
            return true;
        }
        false
    }

    /// A template was made, and so many had to go for it.
    pub fn created(&mut self, evicted: u32) {
        self.created = self.created.saturating_add(1);
        self.evicted = self.evicted.saturating_add(evicted).min(u32::MAX / SHARE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_flood_that_evicts_is_stopped_for_a_minute() {
        let mut brake = Brake::default();
        let made = (0..1000)
            .take_while(|_| {
                !brake.is_on(at(0)) && {
                    brake.created(1);
                    true
                }
            })
            .count();
        assert_eq!(made, 64);
        assert!(brake.is_on(at(59)));
        assert!(!brake.is_on(at(60)));
    }

    #[test]
    fn a_flood_with_room_for_it_is_not_stopped() {
        let mut brake = Brake::default();
        for i in 0..1000 {
            assert!(!brake.is_on(at(0)), "{i}");
            brake.created(u32::from(i % 5 == 0));
        }
    }

    #[test]
    fn a_full_miner_meets_new_lines_now_and_then() {
        let mut brake = Brake::default();
        for i in 0..1000 {
            assert!(!brake.is_on(at(i)), "{i}");
            brake.created(1);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_lets_go() {
        let mut brake = Brake::default();
        while !brake.is_on(at(10_000)) {
            brake.created(1);
        }
        assert!(!brake.is_on(at(0)));
    }
}
