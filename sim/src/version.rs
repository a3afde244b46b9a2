//! API versions: which one is spoken, and what changes with it.

use std::fmt;
use std::str::FromStr;

/// A version of the Engine API, `1.40` to `1.53`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Api(u16);

/// The newest and the oldest that are simulated.
const RANGE: std::ops::RangeInclusive<u16> = 40..=53;

impl Api {
    /// What is spoken unless somebody chooses.
    pub const DEFAULT: Self = Self(47);
    /// The last one before health checks had an interval for their start.
    pub const BEFORE_START_INTERVAL: Self = Self(43);

    /// The engine that brought this version.
    pub fn engine(self) -> &'static str {
        match self.0 {
            40 => "19.03.15",
            41 => "20.10.24",
            42 => "23.0.6",
            43 => "24.0.9",
            44 => "25.0.5",
            45 => "26.0.2",
            46 => "27.0.3",
            47 => "27.5.1",
            48 => "28.0.4",
            49 => "28.1.1",
            50 => "28.2.2",
            51 => "28.5.1",
            52 => "29.0.0",
            _ => "29.1.0",
        }
    }

    /// The oldest version that this engine still takes.
    pub fn oldest(self) -> &'static str {
        match self.0 {
            ..=43 => "1.12",
            44..=51 => "1.24",
            _ => "1.44",
        }
    }

    /// Whether a health check begins with an interval of its own.
    pub fn has_start_interval(self) -> bool {
        self > Self::BEFORE_START_INTERVAL
    }

    /// Whether nothing of a container can be changed in the delay of its restart policy.
    pub fn guards_delays(self) -> bool {
        self > Self::BEFORE_START_INTERVAL
    }

    /// Whether events still carry `status`, `id` and `from` beside the actor.
    pub fn has_old_event_fields(self) -> bool {
        self.0 < 52
    }
}

impl Default for Api {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.0)
    }
}

impl FromStr for Api {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        minor(text)
            .filter(|minor| RANGE.contains(minor))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is no API version between 1.40 and 1.53"))
    }
}

/// The second number of `1.47`.
pub fn minor(text: &str) -> Option<u16> {
    text.strip_prefix("1.")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_outside_of_what_is_simulated_are_refused() {
        assert_eq!("1.40".parse::<Api>().unwrap().to_string(), "1.40");
        for bad in ["1.39", "1.54", "2.41", "1.", "1.41.2", "latest"] {
            assert!(bad.parse::<Api>().is_err(), "{bad}");
        }
        assert!("1.9".parse::<Api>().is_err(), "numbers are compared, not texts");
    }
}
