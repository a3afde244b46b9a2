//! How the time of a line is shown.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::tui::{text, words};

/// How times are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Not at all.
    Off,
    /// In the terminal's time zone.
    Local,
    /// In UTC.
    Utc,
    /// How long ago.
    Relative,
}

impl Times {
    /// The next form.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Local => Self::Utc,
            Self::Utc => Self::Relative,
            Self::Relative => Self::Off,
            Self::Off => Self::Local,
        }
    }

    /// Its word for the title.
    pub fn word(self) -> &'static str {
        match self {
            Self::Off => "no time",
            Self::Local => "local",
            Self::Utc => "UTC",
            Self::Relative => "ago",
        }
    }

    /// Columns that it takes, with the space behind it.
    pub fn columns(self) -> usize {
        match self {
            Self::Off => 0,
            Self::Local => 13,
            Self::Utc => 14,
            Self::Relative => 5,
        }
    }

    /// A moment in this form, filled to [`Times::columns`].
    pub fn show(self, at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
        match self {
            Self::Off => String::new(),
            Self::Local => format!("{} ", words::clock_ms(at, zone)),
            Self::Utc => format!("{}Z ", words::clock_ms(at, &TimeZone::UTC)),
            Self::Relative => format!("{} ", text::right(&words::age(now, at), 4, "")),
        }
    }
}
