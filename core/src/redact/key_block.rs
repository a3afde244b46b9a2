//! Private keys that arrive line by line: which lines are the body of one.

/// A key has no more lines than this; an end that never comes hides no log for ever.
const LONGEST: u32 = 100;
/// So many foreign lines in a row mean that the key is over. A few may come in between, from
/// another thread that writes at the same time.
const FOREIGN: u32 = 8;
/// A word of a line with something before it is taken for a line of a key from this length on.
const LONG_WORD: usize = 32;

/// What begins a key: the second is that of commercial SSH, the last that of PuTTY.
const BEGINS: [&str; 3] = ["-----BEGIN ", "---- BEGIN ", "Private-Lines:"];
const ENDS: [&str; 3] = ["-----END ", "---- END ", "Private-MAC:"];

/// Names of the headers that may precede the body.
const HEADERS: [&str; 6] = ["Proc-Type", "DEK-Info", "Version", "Comment", "Hash", "Charset"];

/// Follows the lines of one stream and knows whether a PEM private key is being written. The first
/// line and the last need no look beyond themselves: [`crate::redact::clean`] masks what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyBlock {
    open: bool,
    lines: u32,
    foreign: u32,
}

impl KeyBlock {
    /// Takes the next line. True if it belongs to a private key that an earlier line began and no
    /// line has ended yet: then nothing of it may be shown.
    pub fn line(&mut self, text: &str) -> bool {
        if let Some(after) = begins(text) {
            *self = Self { open: end_of(after).is_none(), ..Self::default() };
            return false;
        }
        if !self.open {
            return false;
        }
        self.lines += 1;
        if let Some(before) = end_of(text) {
            self.open = false;
            return !before.trim().is_empty();
        }
        let belongs = looks_like_key(text);
        let is_blank = text.trim().is_empty();
        self.foreign = if belongs || is_blank { 0 } else { self.foreign + 1 };
        self.open = self.lines < LONGEST && self.foreign < FOREIGN;
        belongs
    }
}

/// What follows the beginning of a private key.
fn begins(text: &str) -> Option<&str> {
    let [pem, ssh, putty] = BEGINS;
    if let Some((_, after)) = text.split_once(pem).or_else(|| text.split_once(ssh)) {
        return after.contains("PRIVATE KEY").then_some(after);
    }
    text.split_once(putty).map(|(_, after)| after)
}

/// What precedes the end of a private key.
fn end_of(text: &str) -> Option<&str> {
    ENDS.iter().find_map(|end| text.split_once(end)).map(|(before, _)| before)
}

/// Base64 alone, a long word of it behind a logger's prefix, or a header.
fn looks_like_key(text: &str) -> bool {
    let text = text.trim();
    let bare = |word: &str| -> usize {
        let word = word.trim_matches(|c| "\"',[]()".contains(c)).trim_end_matches("\\n");
        let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        if word.chars().all(base64) { word.len() } else { 0 }
    };
    let is_header =
        || text.split_once(':').is_some_and(|(name, _)| HEADERS.contains(&name.trim_end()));
    let last = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    bare(text) > 0 || bare(last) >= LONG_WORD || is_header()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(lines: &[&str]) -> Vec<bool> {
        let mut key = KeyBlock::default();
        lines.iter().map(|line| key.line(line)).collect()
    }

    const LINE: &str = "MIIEpAIBAAKCAQEAq83Vx+3hZm9vYmFyYmF6cXV4MTIzNDU2Nzg5MDEyMzQ1Njc4";

    #[test]
    fn the_body_of_a_key_is_hidden_and_what_is_around_it_is_not() {
        let lines = [
            "INFO loading",
            "-----BEGIN RSA PRIVATE KEY-----",
            "Proc-Type: 4,ENCRYPTED",
            "DEK-Info: AES-128-CBC,0123",
            "",
            LINE,
            "q83V==",
            "-----END RSA PRIVATE KEY-----",
            "ok",
            LINE,
        ];
        let expected = [false, false, true, true, false, true, true, false, false, false];
        assert_eq!(hidden(&lines), expected);
    }

    #[test]
    fn keys_of_other_programs_are_hidden() {
        let lines = [
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
            LINE,
            "---- END SSH2 ENCRYPTED PRIVATE KEY ----",
            "ok",
        ];
        assert_eq!(hidden(&lines), [false, true, false, false]);
        let lines = [
            "PuTTY-User-Key-File-3: ssh-ed25519",
            "Private-Lines: 2",
            LINE,
            LINE,
            "Private-MAC: 00",
            LINE,
        ];
        assert_eq!(hidden(&lines), [false, false, true, true, false, false]);
    }

    #[test]
    fn a_prefix_quotes_and_an_end_on_the_same_line_hide_nothing_from_it() {
        let prefixed = format!("2026-01-01T00:00:00Z api | {LINE}");
        let quoted = format!("    \"{LINE}\\n\",");
        let lines = [
            "key: -----BEGIN PRIVATE KEY-----",
            &prefixed,
            &quoted,
            "aGk=-----END PRIVATE KEY-----",
            "ok",
        ];
        assert_eq!(hidden(&lines), [false, true, true, true, false]);
    }

    #[test]
    fn lines_of_others_in_between_are_shown_and_do_not_end_it() {
        let lines = ["-----BEGIN PRIVATE KEY-----", LINE, "GET /health 200 in 3 ms", LINE];
        assert_eq!(hidden(&lines), [false, true, false, true]);
    }

    #[test]
    fn an_end_that_never_comes_hides_no_log_for_ever() {
        let mut key = KeyBlock::default();
        assert!(!key.line("-----BEGIN PRIVATE KEY-----"));
        assert_eq!((0..1000).filter(|_| key.line(LINE)).count(), 100);
        let mut key = KeyBlock::default();
        assert!(!key.line("-----BEGIN PRIVATE KEY-----"));
        assert!((0..8).all(|_| !key.line("the log goes on: nothing to hide")));
        assert!(!key.line("done"));
    }

    #[test]
    fn a_certificate_and_a_key_on_one_line_open_nothing() {
        let one = "-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----";
        assert_eq!(hidden(&[one, "ok"]), [false, false]);
        assert_eq!(hidden(&["-----BEGIN CERTIFICATE-----", LINE]), [false, false]);
    }
}
