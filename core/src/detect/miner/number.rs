//! Numbers with their units, in base units: bytes and seconds.

/// What a number counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unit {
    /// Nothing that is said.
    #[default]
    None,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Hundredths.
    Percent,
}

/// Reads `17`, `-1.5`, `12ms`, `5.2 KB`, `97%`, `1m2.5s`. `None`: it is no such number.
#[inline]
pub fn read(text: &[u8]) -> Option<(f64, Unit)> {
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, text),
    };
    let (value, rest) = decimal(text)?;
    if rest.is_empty() {
        return Some((sign * value, Unit::None));
    }
    let rest = rest.trim_ascii_start();
    let end = rest.iter().position(|b| b.is_ascii_digit() || *b == b'.').unwrap_or(rest.len());
    let (factor, unit) = unit(&rest[..end]);
    let mut sum = value * factor;
    let mut rest = &rest[end..];
    // 1m2.5s: a sum of parts, all of them times.
    while !rest.is_empty() {
        let (part, behind) = decimal(rest)?;
        let end =
            behind.iter().position(|b| b.is_ascii_digit() || *b == b'.').unwrap_or(behind.len());
        let (factor, Unit::Seconds) = self::unit(&behind[..end]) else { return None };
        if unit != Unit::Seconds {
            return None;
        }
        sum += part * factor;
        rest = &behind[end..];
    }
    Some((sign * sum, unit))
}

/// The number that `text` begins with, and what comes behind it.
#[inline]
fn decimal(text: &[u8]) -> Option<(f64, &[u8])> {
    let mut whole = 0_u64;
    let mut scale = 0_i32;
    let mut point = false;
    let mut digits = 0;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'0'..=b'9' => {
                digits += 1;
                // What does not fit into 18 digits is scale only.
                if whole < 100_000_000_000_000_000 {
                    whole = whole * 10 + u64::from(byte - b'0');
                    scale -= i32::from(point);
                } else {
                    scale += i32::from(!point);
                }
            }
            b'.' if !point => point = true,
            _ => break,
        }
        at += 1;
    }
    if digits == 0 {
        return None;
    }
    let value = whole as f64;
    let value = match scale {
        0 => value,
        -9..=-1 => value / POWERS[scale.unsigned_abs() as usize],
        _ => (value * 10_f64.powi(scale)).min(f64::MAX),
    };
    Some((value, &text[at..]))
}

const POWERS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// What one of a unit is in the base unit. `K` and its kind are 1,024 of something that is not
/// said.
fn unit(name: &[u8]) -> (f64, Unit) {
    const K: f64 = 1024.0;
    match name {
        b"s" | b"sec" | b"secs" | b"second" | b"seconds" => (1.0, Unit::Seconds),
        b"ms" | b"msec" | b"msecs" | b"millis" | b"milliseconds" => (1e-3, Unit::Seconds),
        b"us" | b"usec" | b"microseconds" | b"\xc2\xb5s" | b"\xce\xbcs" => (1e-6, Unit::Seconds),
        b"ns" | b"nsec" => (1e-9, Unit::Seconds),
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => (60.0, Unit::Seconds),
        b"h" | b"hr" | b"hrs" | b"hour" | b"hours" => (3600.0, Unit::Seconds),
        b"d" | b"day" | b"days" => (86_400.0, Unit::Seconds),
        b"B" | b"b" | b"byte" | b"bytes" | b"Bytes" => (1.0, Unit::Bytes),
        b"KB" | b"kB" | b"kb" | b"KiB" | b"Ki" => (K, Unit::Bytes),
        b"MB" | b"mb" | b"MiB" | b"Mi" => (K * K, Unit::Bytes),
        b"GB" | b"gb" | b"GiB" | b"Gi" => (K * K * K, Unit::Bytes),
        b"TB" | b"tb" | b"TiB" | b"Ti" => (K * K * K * K, Unit::Bytes),
        b"K" | b"k" => (K, Unit::None),
        b"M" => (K * K, Unit::None),
        b"G" => (K * K * K, Unit::None),
        b"T" => (K * K * K * K, Unit::None),
        b"%" => (1.0, Unit::Percent),
        _ => (1.0, Unit::None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_in_base_units() {
        for (text, value, unit) in [
            ("17", 17.0, Unit::None),
            ("-1.5", -1.5, Unit::None),
            ("12ms", 0.012, Unit::Seconds),
            ("5.2 KB", 5324.8, Unit::Bytes),
            ("97%", 97.0, Unit::Percent),
            ("1m2.5s", 62.5, Unit::Seconds),
            ("1h0m1s", 3601.0, Unit::Seconds),
            ("250µs", 0.00025, Unit::Seconds),
            ("512  bytes", 512.0, Unit::Bytes),
            ("42C", 42.0, Unit::None),
            (".5", 0.5, Unit::None),
        ] {
            let (got, got_unit) = read(text.as_bytes()).unwrap();
            assert!((got - value).abs() <= value.abs() * 1e-12, "{text}: {got}");
            assert_eq!(got_unit, unit, "{text}");
        }
        for text in ["", "-", "abc", "1m2x3s", ".", "1KB2KB"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_the_language_writes(value in -1e12_f64..1e12) {
            let text = format!("{value:.6}");
            let (got, _) = read(text.as_bytes()).unwrap();
            let expected: f64 = text.parse().unwrap();
            prop_assert!((got - expected).abs() <= expected.abs() * 1e-14);
        }

        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Some((value, _)) = read(&bytes) {
                prop_assert!(value.is_finite());
            }
        }
    }
}
