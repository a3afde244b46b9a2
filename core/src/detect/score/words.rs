//! Numbers and templates as a person says them.

use crate::detect::miner::number::Unit;

/// Characters of a template or value that a sentence shows.
const SHOWN: usize = 60;

/// A text in quotes, cut to what a sentence bears.
pub fn quoted(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= SHOWN {
        return format!("'{text}'");
    }
    let cut: String = text.chars().take(SHOWN).collect();
    format!("'{}…'", cut.trim_end())
}

/// A time in seconds: "40 ms", "1.9 s", "3 min", "2 h".
pub fn time(seconds: f64) -> String {
    if seconds < 0.001 {
        format!("{} µs", number(seconds * 1e6))
    } else if seconds < 1.0 {
        format!("{} ms", number(seconds * 1e3))
    } else if seconds < 120.0 {
        format!("{} s", number(seconds))
    } else if seconds < 7200.0 {
        format!("{} min", number(seconds / 60.0))
    } else {
        format!("{} h", number(seconds / 3600.0))
    }
}

/// A size: "512 bytes", "3.5 KiB", "40 MiB".
pub fn size(bytes: f64) -> String {
    let mut left = bytes;
    for unit in ["bytes", "KiB", "MiB", "GiB"] {
        if left.abs() < 1024.0 {
            return format!("{} {unit}", number(left));
        }
        left /= 1024.0;
    }
    format!("{} TiB", number(left))
}

/// A number to two digits, or to the unit: "0", "0.3", "1.9", "40", "1200".
pub fn number(value: f64) -> String {
    let text = if value.abs() < 0.01 && value != 0.0 {
        format!("{value:.1e}")
    } else if value.abs() < 1.0 {
        format!("{value:.2}")
    } else if value.abs() < 10.0 {
        format!("{value:.1}")
    } else {
        return format!("{value:.0}");
    };
    if text.contains('e') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number of a line in its unit.
pub fn value(value: f64, unit: Unit) -> String {
    match unit {
        Unit::None => number(value),
        Unit::Bytes => size(value),
        Unit::Seconds => time(value),
        Unit::Percent => format!("{} %", number(value)),
    }
}

/// How often something comes that comes `per_window` times in ten seconds: "every 2 s",
/// "12 times a second".
pub fn often(per_window: f64) -> String {
    if per_window > 20.0 {
        return format!("{} times a second", number(per_window / 10.0));
    }
    let seconds = 10.0 / per_window.max(0.001);
    if seconds < 1.0 {
        return format!("every {} s", number(seconds));
    }
    format!("every {}", time(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (is, wanted) in [
            (time(0.04), "40 ms"),
            (time(1.9), "1.9 s"),
            (time(180.0), "3 min"),
            (time(2.0), "2 s"),
            (time(0.000_25), "250 µs"),
            (size(0.0), "0 bytes"),
            (size(3584.0), "3.5 KiB"),
            (size(41_943_040.0), "40 MiB"),
            (number(0.0), "0"),
            (number(0.3), "0.3"),
            (number(41.0), "41"),
            (often(5.0), "every 2 s"),
            (often(1000.0), "100 times a second"),
            (value(99.0, Unit::Percent), "99 %"),
        ] {
            assert_eq!(is, wanted);
        }
    }

    #[test]
    fn long_templates_are_cut_at_a_character() {
        let long = quoted(&"ä".repeat(500));
        assert_eq!(long.chars().count(), SHOWN + 3);
        assert_eq!(quoted(" slow query "), "'slow query'");
    }
}
