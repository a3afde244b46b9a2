//! The new environment, worked out. Pure; nothing here shows a value.

use std::collections::BTreeMap;

use mcp_kit::failure::Failure;

/// What stands where a value is.
pub const MASK: &str = "***";
/// The most variables of one call.
pub const UPDATES_MAX: usize = 64;
/// The longest name, in bytes.
const NAME_MAX: usize = 256;
/// The longest value, in bytes: what the kernel takes as one string.
const VALUE_MAX: usize = 128 * 1024;

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

/// Every variable with its value masked.
pub fn masked(env: &[String]) -> BTreeMap<String, String> {
    env.iter()
        .filter(|pair| pair.contains('='))
        .map(|pair| (key(pair).to_owned(), MASK.to_owned()))
        .collect()
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
    fn names_are_checked_and_values_masked() {
        for good in ["A", "_a", "spring.datasource.url", "A-B", "a1"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "1A", "A=B", "A B", "A\nB", "É", "$A"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert!(check_value("A", "x\0y").is_err());
        let shown = masked(&list(&["A=secret", "GONE"]));
        assert_eq!(shown.get("A").map(String::as_str), Some(MASK));
        assert_eq!(shown.len(), 1);
    }
}
