//! Text from outside becomes safe to show, keep and send: control characters out, secrets out.
//!
//! Start at [`clean`]: it is applied exactly once, where a log line, probe output, inspect field
//! or tool result enters. What it hides cannot be brought back. Arguments that come one by one have
//! [`clean_args`]; lines that come one by one have [`key_block::KeyBlock`] beside it.

pub mod custom;
pub mod display;
pub mod key_block;
pub mod names;
pub mod ordinary;
pub mod personal;
pub mod rule;
pub mod rules;
pub mod secrets;
pub mod styles;
pub mod tokens;
pub mod trigger;

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

/// Whether a value behind this name would be hidden, whatever it is.
pub fn names_secret(name: &str) -> bool {
    let name = name.get(..NAME_MAX).unwrap_or(name);
    !secrets::mask(format!("{name}={ANY}").into()).contains(ANY)
}

/// The longest name that is looked at, in bytes.
const NAME_MAX: usize = 512;

/// Stands between two arguments: white space that no cleaned text contains.
const BETWEEN: char = '\u{b}';
/// Stands for an argument whose meaning those before it may give away.
const ANY: &str = "Zq7Zq7Zq7";
/// So many arguments before one may say what it is.
const ARGS_BEFORE: usize = 16;

/// Makes the arguments of a command safe, each cut at `max_bytes`. What one of them is may be
/// said by those before it: `-a`, `hunter2` behind `redis-cli`.
pub fn clean_args<S: AsRef<str>>(args: &[S], max_bytes: usize) -> Vec<String> {
    let mut said: Vec<String> = Vec::with_capacity(args.len());
    for arg in args {
        let alone = clean(arg.as_ref().as_bytes(), max_bytes);
        let before = said.get(said.len().saturating_sub(ARGS_BEFORE)..).unwrap_or_default();
        // Names and options are single words; a text with spaces speaks for itself alone.
        let words = before.iter().filter(|word| !word.contains(' '));
        let before: String = words.flat_map(|word| [word.as_str(), "\u{b}"]).collect();
        let behind = |what: &str| secrets::mask(format!("{before}{what}").into()).into_owned();
        let safe = if behind(ANY).contains(ANY) {
            let line = behind(&alone);
            line.rsplit(BETWEEN).next().unwrap_or(secrets::MASK).to_owned()
        } else {
            secrets::mark(arg.as_ref())
        };
        said.push(safe);
    }
    said
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
    fn an_argument_is_what_those_before_it_say() {
        let cases: &[(&[&str], &[&str])] = &[
            (
                &["CMD", "redis-cli", "-a", "hun ter2", "ping"],
                &["CMD", "redis-cli", "-a", "***", "ping"],
            ),
            (
                &["CMD-SHELL", "redis-cli -a hunter2 ping || exit 1"],
                &["CMD-SHELL", "redis-cli -a *** ping || exit 1"],
            ),
            (
                &["curl", "-f", "-u", "app:hunter2", "http://h/x"],
                &["curl", "-f", "-u", "app:***", "http://h/x"],
            ),
            (
                &["mysqladmin", "ping", "-phunter2", "-h", "db"],
                &["mysqladmin", "ping", "-p***", "-h", "db"],
            ),
            (
                &["redis-server", "--requirepass", "hunter2"],
                &["redis-server", "--requirepass", "***"],
            ),
            (
                &["sh", "-c", "PGPASSWORD=abc psql -c 'select 1'"],
                &["sh", "-c", "PGPASSWORD=*** psql -c 'select 1'"],
            ),
            (
                &["wget", "-q", "--spider", "http://localhost:80/a b"],
                &["wget", "-q", "--spider", "http://localhost:80/a b"],
            ),
            (&["CMD", "app", "--name", "x"], &["CMD", "app", "--name", "x"]),
            (&[], &[]),
        ];
        for (args, expected) in cases {
            assert_eq!(clean_args(args, 4096), *expected, "{args:?}");
        }
    }

    #[test]
    fn binary_noise_survives_as_text_without_controls() {
        let noise: Vec<u8> = (0..=255).collect();
        assert!(clean(&noise, 1024).chars().all(|c| !c.is_control()));
    }
}
