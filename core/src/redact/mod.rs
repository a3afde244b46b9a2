//! Text from outside becomes safe to show, keep and send: control characters out, secrets out.
//!
//! Start at [`clean`]: it is applied exactly once, where a log line, probe output, inspect field
//! or tool result enters. What it hides cannot be brought back.

pub mod display;
pub mod secrets;

/// The mark behind a text that was cut.
pub const CUT_MARK: &str = " … [cut]";

/// What is masked beyond the cut, so that a secret that the cut would halve is still recognised.
const MARGIN: usize = 512;

/// Makes text from outside safe: invalid UTF-8 replaced, escape sequences and control
/// characters removed, secrets masked, cut at `max_bytes` with a visible mark.
pub fn clean(raw: &[u8], max_bytes: usize) -> String {
    let cut = raw.len() > max_bytes;
    let head = raw.get(..max_bytes.saturating_add(MARGIN)).unwrap_or(raw);
    let text = String::from_utf8_lossy(head);
    let mut safe = secrets::mask(display::safe(&text)).into_owned();
    if cut {
        let mut end = safe.len().min(max_bytes);
        while !safe.is_char_boundary(end) {
            end -= 1;
        }
        safe.truncate(end);
        safe.push_str(CUT_MARK);
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_with_a_mark() {
        assert_eq!(clean(b"abcdef", 3), format!("abc{CUT_MARK}"));
        assert_eq!(clean(b"abc", 3), "abc");
    }

    #[test]
    fn a_secret_across_the_cut_does_not_show_its_head() {
        let text = b"key AKIAIOSFODNN7EXAMPLE used";
        for max in 5..24 {
            let safe = clean(text, max);
            assert!(!safe.contains("AKIA"), "{max}: {safe}");
        }
        assert_eq!(clean("é".repeat(10).as_bytes(), 3), format!("é{CUT_MARK}"));
    }

    #[test]
    fn a_key_over_several_lines_goes_whole() {
        let text = b"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKC\nq83Vx+3h\n-----END RSA PRIVATE KEY-----\nok";
        let safe = clean(text, 4096);
        assert!(!safe.contains("MIIE") && !safe.contains("q83V"), "{safe}");
        assert!(safe.ends_with("ok"), "{safe}");
    }

    #[test]
    fn binary_noise_survives_as_text_without_controls() {
        let noise: Vec<u8> = (0..=255).collect();
        assert!(clean(&noise, 1024).chars().all(|c| !c.is_control()));
    }
}
