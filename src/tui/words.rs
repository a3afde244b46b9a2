//! Numbers and times as an operator reads them: short, aligned, with their unit.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Bytes in at most five columns: `812B`, `96M`, `1.5G`.
pub fn bytes(count: u64) -> String {
    scaled(count as f64, 1024.0, "B")
}

/// Bytes per second in at most five columns, without the unit: `0`, `3.4k`, `12M`.
pub fn rate(per_second: f64) -> String {
    if per_second < 1.0 {
        return "0".to_owned();
    }
    scaled(per_second, 1024.0, "")
}

fn scaled(value: f64, step: f64, none: &str) -> String {
    let mut value = value;
    for unit in [none, "K", "M", "G", "T"] {
        if value < step * 0.9995 || unit == "T" {
            return if unit == none || value >= 9.95 {
                format!("{value:.0}{unit}")
            } else {
                format!("{value:.1}{unit}")
            };
        }
        value /= step;
    }
    String::new()
}

/// A rate of things per second in at most five columns: `0`, `0.3`, `24`, `5.0K`.
pub fn per_second(rate: f64) -> String {
    if rate > 0.0 && rate < 9.95 { format!("{rate:.1}") } else { scaled(rate, 1000.0, "") }
}

/// Percent in at most four columns with the sign: `0.3%`, `7%`, `100%`.
pub fn percent(value: f64) -> String {
    if value > 0.0 && value < 9.95 { format!("{value:.1}%") } else { format!("{value:.0}%") }
}

/// A span of time in its largest unit: `8s`, `12m`, `3h`, `5d`.
pub fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86400),
    }
}

/// How long ago something was, in its largest unit.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    span(now.duration_since(then))
}

/// What is left until a moment: `14:32`, `0:00` when it has passed.
pub fn countdown(now: Timestamp, until: Timestamp) -> String {
    let left = until.duration_since(now).as_secs().max(0);
    format!("{}:{:02}", left / 60, left % 60)
}

/// What is left until a moment, never less than it is: `42s`, `30m`, `1h45`, `23h`, `6d`.
pub fn left(now: Timestamp, until: Timestamp) -> String {
    let seconds = until.duration_since(now).as_secs().max(0);
    let minutes = (seconds + 59) / 60;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..6000 => format!("{minutes}m"),
        6000..36_000 => format!("{}h{:02}", minutes / 60, minutes % 60),
        36_000..172_800 => format!("{}h", (minutes + 59) / 60),
        _ => format!("{}d", (seconds + 86_399) / 86_400),
    }
}

/// A clock time in a time zone, to the second.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// A clock time in a time zone, to the millisecond.
pub fn clock_ms(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%H:%M:%S%.3f").to_string()
}

/// A date and clock time in a time zone.
pub fn date(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A short duration: `12ms`, `1.3s`, `2m`.
pub fn took(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0..1000 => format!("{ms}ms"),
        1000..60_000 => format!("{:.1}s", duration.as_secs_f64()),
        _ => format!("{}m", duration.as_secs() / 60),
    }
}

/// `1 container`, `3 containers`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(bytes(0), "0B");
        assert_eq!(bytes(812), "812B");
        assert_eq!(bytes(96 << 20), "96M");
        assert_eq!(bytes(1536 << 20), "1.5G");
        assert_eq!(bytes((1 << 30) - 1), "1.0G");
        assert_eq!(rate(0.2), "0");
        assert_eq!(rate(3500.0), "3.4K");
        assert_eq!(percent(0.34), "0.3%");
        assert_eq!(percent(100.0), "100%");
        assert_eq!(percent(0.0), "0%");
    }

    #[test]
    fn times_use_their_largest_unit() {
        assert_eq!(span(SignedDuration::from_secs(59)), "59s");
        assert_eq!(span(SignedDuration::from_secs(3700)), "1h");
        assert_eq!(span(SignedDuration::from_secs(-5)), "0s");
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(countdown(now, now + SignedDuration::from_secs(872)), "14:32");
        assert_eq!(countdown(now, now - SignedDuration::from_secs(1)), "0:00");
        assert_eq!(took(Duration::from_millis(1300)), "1.3s");
        for (seconds, expected) in [
            (-1, "0s"),
            (59, "59s"),
            (1799, "30m"),
            (5999, "100m"),
            (6300, "1h45"),
            (7200, "2h00"),
            (86_400, "24h"),
            (7 * 86_400, "7d"),
        ] {
            assert_eq!(left(now, now + SignedDuration::from_secs(seconds)), expected);
        }
    }
}
