//! How long to wait before a question is asked again.

use std::time::Duration;

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

/// The longest wait; an endpoint that wants more is given up for now.
pub const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// The wait behind the first try, before chance is added.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait that nobody asked for.
const LONGEST_BACKOFF: Duration = Duration::from_secs(15);

/// The wait behind try number `attempt` (from 0): it doubles, and `chance` (0 to 1) spreads it, so
/// that programs that failed together do not come back together.
pub fn backoff(attempt: u32, chance: f64) -> Duration {
    let factor = 1_u32.checked_shl(attempt.min(16)).unwrap_or(u32::MAX);
    let most = FIRST_WAIT.saturating_mul(factor).min(LONGEST_BACKOFF);
    most.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// When an endpoint wants to be asked again, out of its headers: `Retry-After` in seconds or as a
/// date, else what providers say of their rate limits.
pub fn wanted<'a>(header: impl Fn(&str) -> Option<&'a str>, now: Timestamp) -> Option<Timestamp> {
    if let Some(text) = header("retry-after") {
        return after(text, now).or_else(|| {
            let date = rfc2822::DateTimeParser::new().parse_timestamp(text.trim());
            date.ok().map(|date| date.max(now))
        });
    }
    // Cerebras: seconds until the bucket that is empty is filled again.
    for (left, reset) in [
        ("x-ratelimit-remaining-tokens-minute", "x-ratelimit-reset-tokens-minute"),
        ("x-ratelimit-remaining-requests-day", "x-ratelimit-reset-requests-day"),
    ] {
        let empty = header(left).is_some_and(|n| n.trim().parse::<f64>().is_ok_and(|n| n <= 0.0));
        if empty && let Some(until) = header(reset).and_then(|text| after(text, now)) {
            return Some(until);
        }
    }
    // OpenRouter: milliseconds since 1970.
    let at = header("x-ratelimit-reset")?.trim().parse().ok()?;
    Timestamp::from_millisecond(at).ok().filter(|at| *at >= now)
}

/// So many seconds from now.
fn after(text: &str, now: Timestamp) -> Option<Timestamp> {
    let seconds: f64 = text.trim().trim_end_matches('s').parse().ok()?;
    // A year is for ever, and does not overflow a date.
    let seconds = seconds.clamp(0.0, 366.0 * 86_400.0);
    let by = SignedDuration::try_from_secs_f64(seconds).ok()?;
    now.checked_add(by).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_spread_within_bounds() {
        assert_eq!(backoff(0, 0.0), Duration::from_millis(250));
        assert_eq!(backoff(0, 1.0), Duration::from_millis(500));
        assert_eq!(backoff(2, 1.0), Duration::from_secs(2));
        assert_eq!(backoff(u32::MAX, 1.0), LONGEST_BACKOFF);
    }

    #[test]
    fn what_the_endpoint_wants_is_understood() {
        let now: Timestamp = "2026-10-21T07:28:00Z".parse().unwrap();
        let ask = |headers: &[(&str, &'static str)]| {
            wanted(|name| headers.iter().find(|(n, _)| *n == name).map(|(_, v)| *v), now)
                .map(|until| until.duration_since(now).as_secs_f64())
        };
        assert_eq!(ask(&[("retry-after", "7")]), Some(7.0));
        assert_eq!(ask(&[("retry-after", "0.5")]), Some(0.5));
        assert_eq!(ask(&[("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT")]), Some(30.0));
        assert_eq!(ask(&[("retry-after", "Wed, 21 Oct 2015 07:28:30 GMT")]), Some(0.0));
        assert_eq!(ask(&[("retry-after", "soon")]), None);
        assert_eq!(ask(&[("retry-after", "NaN")]), None);
        assert_eq!(ask(&[("retry-after", "1e99")]), Some(366.0 * 86_400.0));
        let cerebras = [
            ("x-ratelimit-remaining-requests-day", "10"),
            ("x-ratelimit-reset-requests-day", "33011.382867"),
            ("x-ratelimit-remaining-tokens-minute", "0"),
            ("x-ratelimit-reset-tokens-minute", "11.25"),
        ];
        assert_eq!(ask(&cerebras), Some(11.25));
        assert_eq!(ask(&[("x-ratelimit-reset", "1792567690000")]), Some(10.0));
        assert_eq!(ask(&[]), None);
    }
}
