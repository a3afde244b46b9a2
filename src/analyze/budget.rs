//! How much may be spent in a minute, an hour and a day, in tokens and in money.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::analyze::reply::Usage;
use crate::config::models::Caps;

/// Slots of a window. What is older than a window leaves it one slot at a time.
const SLOTS: i64 = 60;

/// What is capped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// Tokens in a minute.
    TokensPerMinute,
    /// Tokens in an hour.
    TokensPerHour,
    /// Tokens in a day.
    TokensPerDay,
    /// Money in an hour.
    UsdPerHour,
    /// Money in a day.
    UsdPerDay,
}

impl Which {
    /// Its key in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokensPerMinute => "tokens_per_minute",
            Self::TokensPerHour => "tokens_per_hour",
            Self::TokensPerDay => "tokens_per_day",
            Self::UsdPerHour => "usd_per_hour",
            Self::UsdPerDay => "usd_per_day",
        }
    }
}

/// A cap would be exceeded.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the budget models.caps.{} is used up until {until}; raise it in the configuration if that is too little", which.as_str())]
pub struct Capped {
    /// When there is room again.
    pub until: Timestamp,
    /// Which cap.
    pub which: Which,
}

/// What was spent in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Slot {
    /// The slot's number since 1970.
    number: i64,
    tokens: u64,
    usd: f64,
}

/// One window that slides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Window {
    /// Seconds of a slot.
    slot_seconds: i64,
    slots: VecDeque<Slot>,
}

impl Window {
    fn of(seconds: i64) -> Self {
        Self { slot_seconds: seconds / SLOTS, slots: VecDeque::new() }
    }

    fn number(&self, now: Timestamp) -> i64 {
        now.as_second().div_euclid(self.slot_seconds.max(1))
    }

    /// The slots that still count. A slot from the future is a clock that was set back: it counts.
    fn counting(&self, now: Timestamp) -> impl Iterator<Item = &Slot> {
        let oldest = self.number(now) - SLOTS;
        self.slots.iter().filter(move |slot| slot.number > oldest)
    }

    fn add(&mut self, now: Timestamp, tokens: u64, usd: f64) {
        let number = self.number(now);
        self.slots.retain(|slot| slot.number > number - SLOTS);
        match self.slots.back_mut() {
            Some(slot) if slot.number >= number => {
                slot.tokens = slot.tokens.saturating_add(tokens);
                slot.usd += usd;
            }
            _ => self.slots.push_back(Slot { number, tokens, usd }),
        }
    }

    /// When there is room for so much more, if there is none now.
    fn full_until(
        &self,
        now: Timestamp,
        cap: f64,
        wanted: f64,
        of: impl Fn(&Slot) -> f64,
    ) -> Option<Timestamp> {
        let mut spent: f64 = self.counting(now).map(&of).sum();
        if spent + wanted <= cap {
            return None;
        }
        let mut until = now;
        for slot in self.counting(now) {
            let leaves = (slot.number + SLOTS).saturating_mul(self.slot_seconds);
            until = Timestamp::from_second(leaves).unwrap_or(Timestamp::MAX);
            spent -= of(slot);
            if spent + wanted <= cap {
                return Some(until);
            }
        }
        // More than the whole cap at once: it does not fit later, either.
        let window = SignedDuration::from_secs(self.slot_seconds.saturating_mul(SLOTS));
        Some(until.max(now.checked_add(window).unwrap_or(Timestamp::MAX)))
    }
}

/// What was spent lately. Kept over a restart, so that a day's budget is a day's.
///
/// Calls that are made at the same time are each asked about before any of them has spent
/// something: the caps can be exceeded by as much as the calls in flight cost, and no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    #[serde(skip)]
    caps: Caps,
    minute: Window,
    hour: Window,
    day: Window,
}

impl Ledger {
    /// Nothing was spent yet.
    pub fn new(caps: Caps) -> Self {
        Self { caps, minute: Window::of(60), hour: Window::of(3600), day: Window::of(24 * 3600) }
    }

    /// The same spending under these caps: what was kept does not say which are in force.
    #[must_use]
    pub fn with_caps(self, caps: Caps) -> Self {
        // What was kept may have been edited: the windows keep their own lengths.
        let same = |window: Window, seconds| Window { slot_seconds: seconds / SLOTS, ..window };
        Self {
            caps,
            minute: same(self.minute, 60),
            hour: same(self.hour, 3600),
            day: same(self.day, 24 * 3600),
        }
    }

    /// Whether so much may be spent now.
    pub fn may(&self, now: Timestamp, estimated: &Usage) -> Result<(), Capped> {
        let (tokens, usd) = (estimated.tokens() as f64, self.money(estimated));
        let of_tokens = |slot: &Slot| slot.tokens as f64;
        let of_money = |slot: &Slot| slot.usd;
        let caps = &self.caps;
        let until = [
            (
                Which::TokensPerMinute,
                self.minute.full_until(now, caps.tokens_per_minute as f64, tokens, of_tokens),
            ),
            (
                Which::TokensPerHour,
                self.hour.full_until(now, caps.tokens_per_hour as f64, tokens, of_tokens),
            ),
            (
                Which::TokensPerDay,
                self.day.full_until(now, caps.tokens_per_day as f64, tokens, of_tokens),
            ),
            (Which::UsdPerHour, self.hour.full_until(now, caps.usd_per_hour, usd, of_money)),
            (Which::UsdPerDay, self.day.full_until(now, caps.usd_per_day, usd, of_money)),
        ];
        // The one that lasts longest is the one to tell.
        until
            .into_iter()
            .filter_map(|(which, until)| until.map(|until| Capped { until, which }))
            .max_by_key(|capped| capped.until)
            .map_or(Ok(()), Err)
    }

    /// Takes down what was spent.
    pub fn spent(&mut self, now: Timestamp, usage: &Usage) {
        let (tokens, usd) = (usage.tokens(), self.money(usage));
        for window in [&mut self.minute, &mut self.hour, &mut self.day] {
            window.add(now, tokens, usd);
        }
    }

    /// Tokens and USD of the last 24 hours.
    pub fn today(&self, now: Timestamp) -> (u64, f64) {
        self.day
            .counting(now)
            .fold((0, 0.0), |(t, usd), slot| (u64::saturating_add(t, slot.tokens), usd + slot.usd))
    }

    /// What it costs, or what is assumed where nobody knows.
    fn money(&self, usage: &Usage) -> f64 {
        usage.cost_usd.filter(|cost| cost.is_finite() && *cost >= 0.0).unwrap_or_else(|| {
            self.caps.unknown_price.of(usage.prompt_tokens, usage.completion_tokens)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn usage(tokens: u64, cost_usd: Option<f64>) -> Usage {
        Usage { prompt_tokens: tokens, completion_tokens: 0, cost_usd, estimated: false }
    }

    fn caps() -> Caps {
        Caps { tokens_per_minute: 100, tokens_per_hour: 1000, ..Caps::default() }
    }

    #[test]
    fn a_minute_is_a_minute() {
        let mut ledger = Ledger::new(caps());
        ledger.spent(at(0), &usage(60, Some(0.0)));
        ledger.spent(at(30), &usage(40, Some(0.0)));
        let capped = ledger.may(at(31), &usage(50, Some(0.0))).unwrap_err();
        assert_eq!(capped, Capped { until: at(60), which: Which::TokensPerMinute });
        assert!(capped.to_string().contains("models.caps.tokens_per_minute"), "{capped}");
        assert_eq!(ledger.may(at(59), &usage(50, Some(0.0))).unwrap_err().until, at(60));
        assert_eq!(ledger.may(at(60), &usage(50, Some(0.0))), Ok(()));
    }

    #[test]
    fn money_is_capped_and_an_unknown_price_counts() {
        let mut ledger = Ledger::new(Caps { usd_per_hour: 1.0, ..Caps::default() });
        ledger.spent(at(0), &usage(10, Some(0.9)));
        let capped = ledger.may(at(61), &usage(10, Some(0.2))).unwrap_err();
        assert_eq!(capped.which, Which::UsdPerHour);
        let mut ledger = Ledger::new(Caps { usd_per_day: 0.001, ..Caps::default() });
        ledger.spent(at(0), &usage(10_000, None));
        assert_eq!(ledger.may(at(0), &usage(1, None)).unwrap_err().which, Which::UsdPerDay);
    }

    #[test]
    fn what_never_fits_is_refused() {
        let ledger = Ledger::new(caps());
        let capped = ledger.may(at(0), &usage(101, Some(0.0))).unwrap_err();
        assert_eq!(capped, Capped { until: at(60), which: Which::TokensPerMinute });
    }

    #[test]
    fn a_day_survives_a_restart() {
        let mut ledger = Ledger::new(Caps { tokens_per_day: 100, ..Caps::default() });
        ledger.spent(at(0), &usage(100, Some(0.0)));
        let kept = serde_json::to_string(&ledger).unwrap();
        let read: Ledger = serde_json::from_str(&kept).unwrap();
        let read = read.with_caps(Caps { tokens_per_day: 100, ..Caps::default() });
        assert_eq!(read, ledger);
        assert_eq!(read.may(at(7200), &usage(1, None)).unwrap_err().which, Which::TokensPerDay);
        assert_eq!(read.may(at(24 * 3600), &usage(1, None)), Ok(()));
        assert_eq!(read.today(at(1)), (100, 0.0));
    }

    proptest! {
        #[test]
        fn no_minute_has_more_than_its_cap(asks in proptest::collection::vec((0i64..20, 1u64..60), 0..60)) {
            let mut ledger = Ledger::new(caps());
            let (mut now, mut spent) = (0, Vec::new());
            for (later, tokens) in asks {
                now += later;
                let wanted = usage(tokens, Some(0.0));
                match ledger.may(at(now), &wanted) {
                    Ok(()) => {
                        ledger.spent(at(now), &wanted);
                        spent.push((now, tokens));
                    }
                    Err(capped) => prop_assert_eq!(ledger.may(capped.until, &wanted), Ok(())),
                }
                let minute: u64 = spent.iter().filter(|(t, _)| now - t < 60).map(|(_, n)| n).sum();
                prop_assert!(minute <= 100);
            }
            prop_assert!(ledger.minute.slots.len() <= 60 && ledger.day.slots.len() <= 60);
        }
    }
}
