//! Spans of time and counts, as words.

use jiff::{SignedDuration, Timestamp};

/// A span of time in its two largest units: `450 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d`.
pub fn words(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let pair = |large: i64, unit: &str, small: i64, of: &str| {
        if small == 0 { format!("{large} {unit}") } else { format!("{large} {unit} {small} {of}") }
    };
    match seconds {
        0 => format!("{} ms", span.as_millis().max(0)),
        1..60 => format!("{seconds} s"),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// How long ago something was, in its largest unit: `2 days ago`, `a minute ago`.
pub fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    let (count, unit) = match seconds {
        0..60 => return "a moment ago".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    match count {
        1 => format!("{} {unit} ago", if unit == "hour" { "an" } else { "a" }),
        _ => format!("{count} {unit}s ago"),
    }
}

/// How often: `once`, `twice`, `5 times`.
pub fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// A moment for people of any place: `2026-11-24 03:15:02 UTC`.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_two_largest_units() {
        for (ms, text) in [
            (-5, "0 ms"),
            (450, "450 ms"),
            (12_900, "12 s"),
            (60_000, "1 min"),
            (200_000, "3 min 20 s"),
            (7_500_000, "2 h 5 min"),
            (259_200_000, "3 d"),
        ] {
            assert_eq!(words(SignedDuration::from_millis(ms)), text);
        }
    }

    #[test]
    fn ages_have_one_unit() {
        let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
        for (seconds, text) in [
            (0, "a moment ago"),
            (61, "a minute ago"),
            (3600, "an hour ago"),
            (7200, "2 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(at(seconds), at(0)), text);
        }
        assert_eq!([1, 2, 3].map(times), ["once", "twice", "3 times"]);
    }
}
