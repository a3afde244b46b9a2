//! Text from outside becomes safe to show, keep and send: control characters out, secrets out.
//!
//! Start at [`clean`]: it is applied exactly once, where a log line, probe output, inspect field
//! or tool result enters. What it hides cannot be brought back.

pub mod display;
pub mod secrets;

/// The mark behind a text that was cut.
pub const CUT_MARK: &str = " … [cut]";

/// Makes text from outside safe: invalid UTF-8 replaced, escape sequences and control
/// characters removed, secrets masked, cut at `max_bytes` of input with a visible mark.
pub fn clean(raw: &[u8], max_bytes: usize) -> String {
    let (head, cut) = match raw.get(..max_bytes) {
        Some(head) if raw.len() > max_bytes => (head, true),
        _ => (raw, false),
    };
    let text = String::from_utf8_lossy(head);
    let mut safe = secrets::mask(display::safe(&text)).into_owned();
    if cut {
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
    fn binary_noise_survives_as_text_without_controls() {
        let noise: Vec<u8> = (0..=255).collect();
        assert!(clean(&noise, 1024).chars().all(|c| !c.is_control()));
    }
}
