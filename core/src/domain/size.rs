//! Amounts of memory as people and tools write them.

/// Bytes of `512m`, `1.5g`, `64MiB` or `268435456`; units are powers of 1024. `None` for
/// anything else, zero included.
pub fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..)? {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        _ => return None,
    };
    let digits = digits.trim();
    let bytes = match digits.parse::<u64>() {
        Ok(whole) => whole.checked_mul(unit)?,
        Err(_) => fraction(digits, unit)?,
    };
    (bytes > 0).then_some(bytes)
}

/// Bytes for people: `96 MiB`.
pub fn bytes_words(bytes: u64) -> String {
    const MIB: f64 = 1024.0 * 1024.0;
    let value = bytes as f64;
    if value >= 1024.0 * MIB {
        format!("{:.1} GiB", value / 1024.0 / MIB)
    } else {
        format!("{:.0} MiB", value / MIB)
    }
}

fn fraction(digits: &str, unit: u64) -> Option<u64> {
    // Only digits and one point: no sign, exponent, infinity.
    if !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let bytes = digits.parse::<f64>().ok()? * unit as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie between zero and what a u64 holds"
    )]
    (bytes >= 1.0 && bytes < u64::MAX as f64).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn sizes_are_read_as_docker_and_people_write_them() {
        let cases = [
            ("512m", Some(512 << 20)),
            ("1.5G", Some(1536 << 20)),
            ("64MiB", Some(64 << 20)),
            (" 2 gb ", Some(2 << 30)),
            ("1000", Some(1000)),
            ("lots", None),
            ("0", None),
            ("-5m", None),
            ("1e9", None),
            ("inf", None),
            ("99999999999999999999g", None),
            ("18446744073709551615g", None),
            ("", None),
            ("m", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }
}
