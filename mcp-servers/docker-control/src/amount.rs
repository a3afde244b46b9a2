//! Sizes and CPU counts, given as a number or as text.

use serde::{Deserialize, Serialize};

/// The smallest memory limit that the engine takes, in bytes.
pub const MEMORY_MIN: u64 = 6 << 20;
/// The longest text that is repeated, in bytes.
const SHOWN_MAX: usize = 64;
/// One CPU in the engine's unit.
pub const NANOS_PER_CPU: f64 = 1e9;

/// A number, or a number as text.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged, expecting = "expected a number or a text such as \"512m\" or \"0.5\"")]
pub enum Amount {
    /// As a number.
    Number(f64),
    /// As text, perhaps with a unit.
    Text(String),
}

impl Amount {
    /// As it was given, safe to show and not too long.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => sentinel_core::redact::clean(text.as_bytes(), SHOWN_MAX),
        }
    }

    /// As bytes; units are powers of 1024. The error says what is wrong with it.
    pub fn bytes(&self) -> Result<u64, String> {
        let wrong = || {
            format!(
                "memory {:?} is no size; use bytes or digits with k, m, g or t (512m, 1.5g, 64MiB)",
                mcp_kit::text::line(&self.shown())
            )
        };
        let value = match self {
            Self::Number(number) => *number,
            Self::Text(text) => {
                let text = text.trim();
                let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
                let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
                let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
                    "" | "b" => 1.0,
                    "k" | "kb" | "ki" | "kib" => 1024.0,
                    "m" | "mb" | "mi" | "mib" => 1_048_576.0,
                    "g" | "gb" | "gi" | "gib" => 1_073_741_824.0,
                    "t" | "tb" | "ti" | "tib" => 1_099_511_627_776.0,
                    _ => return Err(wrong()),
                };
                plain(number).ok_or_else(wrong)? * factor
            }
        };
        // Far above any machine, and safely inside both number types.
        if !value.is_finite() || !(0.0..1e18).contains(&value) {
            return Err(wrong());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 1e18; parts of a byte do not count"
        )]
        let bytes = value as u64;
        if bytes < MEMORY_MIN {
            return Err(format!("memory {} is below the engine's minimum of 6m", self.shown()));
        }
        Ok(bytes)
    }

    /// As CPUs. The error says what is wrong with it.
    pub fn cpus(&self) -> Result<f64, String> {
        let value = match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => plain(text.trim()),
        };
        match value {
            Some(cpus) if cpus.is_finite() && cpus >= 0.001 => Ok(cpus),
            Some(_) => Err(format!("cpu {} is not more than 0", self.shown())),
            None => Err(format!(
                "cpu {:?} is no number; use CPUs such as 0.5 or 2",
                mcp_kit::text::line(&self.shown())
            )),
        }
    }
}

/// Digits with at most one point in between; no sign, no exponent, no "inf".
fn plain(text: &str) -> Option<f64> {
    let form = text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    form.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Amount {
        Amount::Text(value.to_owned())
    }

    #[test]
    fn sizes_have_units_decimals_and_both_spellings() {
        for (given, bytes) in [
            ("512m", 536_870_912),
            ("1g", 1_073_741_824),
            ("1.5g", 1_610_612_736),
            ("64MiB", 67_108_864),
            ("64 MB", 67_108_864),
            ("65536k", 67_108_864),
            ("67108864", 67_108_864),
            ("67108864b", 67_108_864),
        ] {
            assert_eq!(text(given).bytes(), Ok(bytes), "{given}");
        }
        assert_eq!(Amount::Number(67_108_864.0).bytes(), Ok(67_108_864));
    }

    #[test]
    fn what_is_no_size_is_refused_by_name() {
        for given in ["", "m", "-1g", "1e9", "inf", "1.2.3g", "5x", "6291455", "99999999999t"] {
            assert!(text(given).bytes().is_err(), "{given}");
        }
        assert!(Amount::Number(f64::NAN).bytes().is_err());
        assert!(text("4m").bytes().unwrap_err().contains("minimum of 6m"));
    }

    #[test]
    fn cpus_are_numbers_or_text() {
        assert_eq!(text("1.0").cpus(), Ok(1.0));
        assert_eq!(Amount::Number(0.5).cpus(), Ok(0.5));
        for bad in ["0", "-1", "one", "", "1e3"] {
            assert!(text(bad).cpus().is_err(), "{bad}");
        }
    }
}
