//! The new environment, worked out. Pure; nothing here shows a value.

use std::collections::BTreeMap;

use mcp_kit::failure::Failure;
use sentinel_core::redact::clean;

/// What stands where a value is.
pub const MASK: &str = "***";
/// The most variables of one call.
pub const UPDATES_MAX: usize = 64;
/// The longest name, in bytes.
const NAME_MAX: usize = 256;
/// The longest value, in bytes: what the kernel takes as one string.
const VALUE_MAX: usize = 128 * 1024;
/// The most variables of an answer.
const SHOWN_MAX: usize = 1000;
/// The shortest value that is looked for in a text, in bytes: shorter ones are in every text.
const HIDDEN_MIN: usize = 4;

/// Variables to change: `Some` sets, `None` removes.
pub type Changes = BTreeMap<String, Option<String>>;

/// Whether this can be the name of a variable.
pub fn check_name(name: &str) -> Result<(), Failure> {
    let good = name.len() <= NAME_MAX
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    if good {
        return Ok(());
    }
    Err(Failure::Invalid(format!(
        "{:?} is no variable name: a letter or _, then letters, digits, _ . -",
        mcp_kit::text::line(name)
    )))
}

/// Whether this can be the value of `name`.
pub fn check_value(name: &str, value: &str) -> Result<(), Failure> {
    if value.len() > VALUE_MAX {
        return Err(Failure::Invalid(format!(
            "{name}: the value is longer than {VALUE_MAX} bytes"
        )));
    }
    if value.contains('\0') {
        return Err(Failure::Invalid(format!("{name}: the value holds a NUL byte")));
    }
    Ok(())
}

/// The value of `name` in `KEY=value` pairs, the last one counts. A name alone means "removed".
pub fn value<'a>(env: &'a [String], name: &str) -> Option<&'a str> {
    env.iter().rev().find(|pair| key(pair) == name)?.split_once('=').map(|(_, value)| value)
}

/// The environment after the changes, in the old order, new variables last.
///
/// The engine adds what the image defines and the container does not. A variable that the image
/// defines is therefore removed by its name alone, which is the engine's own form for that.
pub fn changed(current: &[String], image: &[String], changes: &Changes) -> Vec<String> {
    let mut env = Vec::with_capacity(current.len() + changes.len());
    for pair in current {
        match changes.get(key(pair)) {
            None => env.push(pair.clone()),
            Some(Some(value)) => {
                let new = format!("{}={value}", key(pair));
                if !env.contains(&new) {
                    env.push(new);
                }
            }
            Some(None) => {}
        }
    }
    for (name, change) in changes {
        match change {
            Some(value) if !current.iter().any(|pair| key(pair) == name) => {
                env.push(format!("{name}={value}"));
            }
            None if image.iter().any(|pair| key(pair) == name) => env.push(name.clone()),
            _ => {}
        }
    }
    env
}

/// What the changes leave as it is does not count as a change.
pub fn needed(current: &[String], changes: Changes) -> Changes {
    changes.into_iter().filter(|(name, change)| value(current, name) != change.as_deref()).collect()
}

/// What makes the variables `now` out of `before`.
pub fn difference(before: &[String], now: &[String]) -> Changes {
    let set = now.iter().filter(|pair| !before.contains(pair)).filter_map(|pair| {
        let name = key(pair);
        Some((name.to_owned(), Some(value(now, name)?.to_owned())))
    });
    let gone = before.iter().map(|pair| key(pair)).filter(|name| value(now, name).is_none());
    set.chain(gone.map(|name| (name.to_owned(), None))).collect()
}

/// Every variable with its value masked, at most `SHOWN_MAX` of them. Names are somebody's text
/// too.
pub fn masked(env: &[String]) -> BTreeMap<String, String> {
    env.iter()
        .filter(|pair| pair.contains('='))
        .take(SHOWN_MAX)
        .map(|pair| (clean(key(pair).as_bytes(), NAME_MAX), MASK.to_owned()))
        .collect()
}

/// Values that no text may show: what a failing container says quotes them easily.
#[derive(Clone)]
pub struct Hidden(Vec<String>);

impl Hidden {
    /// Hides the values of the variables in `copied`, and each value that redaction would hide
    /// beside its name, with the password of a URL by itself. Others stay readable, since an
    /// error without them explains nothing.
    pub fn new(env: &[String], copied: &[String]) -> Self {
        let mut values = Vec::new();
        for pair in env {
            let Some((name, value)) = pair.split_once('=') else { continue };
            let secret = copied.iter().any(|copied| copied == name)
                || !mcp_kit::text::line(pair).contains(value);
            if !secret {
                continue;
            }
            let login = value.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
            let password = login.and_then(|(user, _)| user.split_once(':')).map(|(_, word)| word);
            values.extend(value.lines().chain(password).map(str::trim).map(str::to_owned));
        }
        values.retain(|value| value.len() >= HIDDEN_MIN);
        // The longest first: one value may be a part of another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values)
    }

    /// The text without them.
    pub fn mask(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, value| text.replace(value.as_str(), MASK))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hidden({} values)", self.0.len())
    }
}

/// The name in a `KEY=value` pair.
pub fn key(pair: &str) -> &str {
    pair.split_once('=').map_or(pair, |(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(pairs: &[&str]) -> Vec<String> {
        pairs.iter().map(|pair| (*pair).to_owned()).collect()
    }

    fn changes(pairs: &[(&str, Option<&str>)]) -> Changes {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect()
    }

    #[test]
    fn order_stays_and_values_may_hold_anything() {
        let env = changed(
            &list(&["PATH=/bin", "URL=a=b", "OLD=1"]),
            &list(&["PATH=/bin"]),
            &changes(&[("URL", Some("x y=z\"'")), ("NEW", Some("")), ("OLD", None)]),
        );
        assert_eq!(env, ["PATH=/bin", "URL=x y=z\"'", "NEW="]);
    }

    #[test]
    fn what_the_image_defines_is_removed_by_its_bare_name() {
        let env = changed(
            &list(&["PATH=/bin", "MODE=dev"]),
            &list(&["PATH=/bin", "MODE=prod"]),
            &changes(&[("MODE", None)]),
        );
        assert_eq!(env, ["PATH=/bin", "MODE"]);
        assert_eq!(value(&env, "MODE"), None);
        let back = changed(&env, &list(&["MODE=prod"]), &changes(&[("MODE", Some("x"))]));
        assert_eq!(back, ["PATH=/bin", "MODE=x"]);
    }

    #[test]
    fn only_real_changes_count() {
        let current = list(&["A=1", "B=2", "GONE"]);
        let asked = changes(&[("A", Some("1")), ("C", None), ("GONE", None)]);
        assert!(needed(&current, asked).is_empty());
        assert_eq!(needed(&current, changes(&[("B", None)])).len(), 1);
    }

    #[test]
    fn secret_values_are_hidden_wherever_they_stand() {
        let env = list(&[
            "DB_PASSWORD=hunter2",
            "URL=postgres://app:pass-word@db/x",
            "DSN=copied value",
            "MODE=broken",
            "PIN_TOKEN=12",
        ]);
        let hidden = Hidden::new(&env, &["DSN".to_owned()]);
        let said = "broken: hunter2, pass-word and copied value are wrong, 12 times";
        assert_eq!(hidden.mask(said), "broken: ***, *** and *** are wrong, 12 times");
        assert!(!format!("{hidden:?}").contains("hunter2"));
    }

    #[test]
    fn names_are_checked_and_values_masked() {
        for good in ["A", "_a", "spring.datasource.url", "A-B", "a1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1A", "A=B", "A B", "A\nB", "É", "$A"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_value("A", "x\0y").is_err());
        let shown = masked(&list(&["A=secret", "GONE"]));
        let noisy = masked(&list(&["\u{1b}[31mA=x"]));
        assert_eq!(noisy.keys().next().map(String::as_str), Some("A"));
        assert_eq!(shown.get("A").map(String::as_str), Some(MASK));
        assert_eq!(shown.len(), 1);
    }
}
