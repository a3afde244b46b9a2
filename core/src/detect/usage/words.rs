//! Amounts as people say them.

use jiff::SignedDuration;

/// `12 MiB`, `1.5 GiB`, `800 KiB`.
pub fn bytes(amount: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = amount.max(0.0);
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit = UNITS.get(unit).copied().unwrap_or_default();
    if value < 9.95 && unit != "B" {
        let text = format!("{value:.1}");
        return format!("{} {unit}", text.trim_end_matches(".0"));
    }
    format!("{value:.0} {unit}")
}

/// `45 s`, `9 min`, `3 h`.
pub fn time(time: SignedDuration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 90.0 {
        return format!("{seconds:.0} s");
    }
    if seconds < 90.0 * 60.0 {
        return format!("{:.0} min", seconds / 60.0);
    }
    format!("{:.0} h", seconds / 3600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well() {
        for (amount, words) in [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (1024.0, "1 KiB"),
            (1536.0, "1.5 KiB"),
            (12.0 * 1_048_576.0, "12 MiB"),
            (1000.0 * 1_048_576.0, "1 GiB"),
            (256.0 * 1_048_576.0, "256 MiB"),
            (-5.0, "0 B"),
        ] {
            assert_eq!(bytes(amount), words);
        }
        for (seconds, words) in [(45, "45 s"), (540, "9 min"), (4000, "67 min"), (10_800, "3 h")] {
            assert_eq!(time(SignedDuration::from_secs(seconds)), words);
        }
    }
}
