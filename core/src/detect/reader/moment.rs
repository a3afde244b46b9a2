//! What a timestamp says, and which moment that is.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// The parts of a timestamp. Zero means unsaid for `year`, `month` and `day`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    pub(super) year: u32,
    pub(super) month: u32,
    pub(super) day: u32,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) nanos: u32,
    /// Minutes east of UTC.
    pub(super) offset: i32,
    /// Nanoseconds since 1970, for a number that counts from there.
    pub(super) epoch: Option<i64>,
}

impl Parts {
    /// The date may be one: a year that logs have, or none.
    pub(super) fn is_dated(&self) -> bool {
        (self.year == 0 || (1970..2200).contains(&self.year))
            && (1..=12).contains(&self.month)
            && (1..=31).contains(&self.day)
    }

    /// The time may be one.
    pub(super) fn is_timed(&self) -> bool {
        self.hour <= 24 && self.minute < 60 && self.second <= 60
    }

    /// The moment. UTC where it names no zone or one by a name (`CET` is read as UTC: only a
    /// number of hours is sure); without a year that of `now`, or the one before when it would
    /// lie more than a day ahead; without a date that of `now`.
    pub(super) fn moment(&self, now: Timestamp) -> Option<Timestamp> {
        if let Some(nanos) = self.epoch {
            return Timestamp::from_nanosecond(i128::from(nanos)).ok();
        }
        let today = Offset::UTC.to_datetime(now);
        let (month, day) = if self.month == 0 {
            (today.month(), today.day())
        } else {
            (i8::try_from(self.month).ok()?, i8::try_from(self.day).ok()?)
        };
        let of_year = |year: i16| -> Option<Timestamp> {
            let civil = DateTime::new(
                year,
                month,
                day,
                i8::try_from(self.hour).ok()?,
                i8::try_from(self.minute).ok()?,
                // A leap second is the one before it.
                i8::try_from(self.second.min(59)).ok()?,
                i32::try_from(self.nanos).ok()?,
            )
            .ok()?;
            let offset = Offset::from_seconds(self.offset * 60).ok()?;
            offset.to_timestamp(civil).ok()
        };
        if self.year != 0 {
            return of_year(i16::try_from(self.year).ok()?);
        }
        let found = of_year(today.year());
        match found {
            Some(at) if at.duration_since(now) <= SignedDuration::from_hours(24) => found,
            _ => of_year(today.year() - 1).or(found),
        }
    }
}
