//! Output of containers made safe to show, line by line.

use sentinel_core::redact;
use sentinel_core::redact::key_block::KeyBlock;
use sentinel_core::redact::secrets::MASK;

/// The longest line that is kept, in bytes.
pub const LINE_MAX: usize = 8 * 1024;

/// One line from outside, safe to show: what the engine says, a name, a reason.
pub fn line(raw: &str) -> String {
    redact::clean(raw.as_bytes(), LINE_MAX)
}

/// Many lines from outside, safe to show. A private key that runs over several lines is masked
/// whole, which no look at a single line can do.
pub fn lines(raw: &[u8]) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut key = KeyBlock::default();
    for part in raw.split_inclusive(|b| *b == b'\n') {
        let (body, end) = match part.strip_suffix(b"\n") {
            Some(body) => (body.strip_suffix(b"\r").unwrap_or(body), "\n"),
            None => (part, ""),
        };
        if key.line(&String::from_utf8_lossy(body)) {
            out.push_str(MASK);
        } else {
            out.push_str(&redact::clean(body, LINE_MAX));
        }
        out.push_str(end);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_lines_and_secrets_go() {
        let raw = b"ok\r\nDB_PASS=abc\n\x1b[31mred\x1b[0m\nlast";
        assert_eq!(lines(raw), "ok\nDB_PASS=***\nred\nlast");
    }

    #[test]
    fn a_private_key_over_several_lines_is_masked_whole() {
        let raw =
            b"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAAA\n-----END RSA PRIVATE KEY-----\nb\n";
        let safe = lines(raw);
        assert!(!safe.contains("MIIEow") && !safe.contains("AAAA"), "{safe}");
        assert!(safe.starts_with("a\n") && safe.ends_with("\nb\n"), "{safe}");
    }
}
