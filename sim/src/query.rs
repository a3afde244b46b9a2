//! What a request's query says.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::log::Select;
use crate::refused::Refused;

/// The pairs of a query; the last of a name counts.
#[derive(Clone, Debug, Default)]
pub struct Query(BTreeMap<String, String>);

/// What is asked for by name: `{"label": ["a=b"]}`.
pub type Filters = BTreeMap<String, Vec<String>>;

impl Query {
    /// Reads what stands behind the question mark.
    pub fn read(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// A value that is there and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The engine's reading of a switch: anything but these words is on.
    pub fn switch(&self, name: &str, default: bool) -> bool {
        self.0.get(name).map_or(default, |text| {
            !matches!(text.trim().to_ascii_lowercase().as_str(), "" | "0" | "no" | "false" | "none")
        })
    }

    /// A number, or nothing where there is none.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// A moment; zero is none.
    pub fn moment(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Refused> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let at = moment(text, now)
            .ok_or_else(|| Refused::bad(format!("invalid value for {name:?}: {text:?}")))?;
        Ok(Some(at).filter(|at| *at != Timestamp::UNIX_EPOCH))
    }

    /// Filters, in the newer form (lists) or the older one (`{"label": {"a=b": true}}`).
    pub fn filters(&self) -> Result<Filters, Refused> {
        let Some(text) = self.text("filters") else { return Ok(Filters::new()) };
        let wrong = || Refused::bad(format!("invalid filter: {text}"));
        let Ok(Value::Object(all)) = serde_json::from_str(text) else { return Err(wrong()) };
        all.into_iter()
            .map(|(name, values)| {
                let values = match values {
                    Value::Array(all) => all
                        .into_iter()
                        .map(|v| v.as_str().map(str::to_owned))
                        .collect::<Option<Vec<_>>>(),
                    Value::Object(all) => Some(all.into_iter().map(|(value, _)| value).collect()),
                    _ => None,
                };
                Ok((name, values.ok_or_else(wrong)?))
            })
            .collect()
    }

    /// Which lines of a log are asked for.
    pub fn select(&self, now: Timestamp) -> Result<Select, Refused> {
        let (stdout, stderr) = (self.switch("stdout", false), self.switch("stderr", false));
        if !stdout && !stderr {
            return Err(Refused::bad("Bad parameters: you must choose at least one stream"));
        }
        Ok(Select {
            stdout,
            stderr,
            timestamps: self.switch("timestamps", false),
            follow: self.switch("follow", false),
            since: self.moment("since", now)?,
            until: self.moment("until", now)?,
            // What is no number means all, as with the engine.
            tail: self.text("tail").and_then(|text| text.parse().ok()),
        })
    }
}

/// `1700000000.5`, RFC 3339, or an age such as `10m`.
fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !seconds.is_empty() && digits(seconds) && digits(fraction) {
        // Nine digits at most: what follows is finer than any clock here.
        let padded = format!("{fraction:0<9}");
        let nanos: i32 = padded.get(..9)?.parse().ok()?;
        return Timestamp::new(seconds.parse().ok()?, nanos).ok();
    }
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let age: SignedDuration = text.parse().ok()?;
    now.checked_sub(age).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_has_three_forms() {
        let now = Timestamp::new(1_700_000_000, 0).unwrap();
        assert_eq!(moment("1700000000.000000007", now).unwrap().subsec_nanosecond(), 7);
        assert_eq!(moment("1700000000.5", now).unwrap().subsec_millisecond(), 500);
        assert_eq!(moment("2023-11-14T22:13:20Z", now), Some(now));
        assert_eq!(moment("10m", now).unwrap().as_second(), 1_700_000_000 - 600);
        for bad in ["", "soon", "-5.x", ".5"] {
            assert_eq!(moment(bad, now), None, "{bad}");
        }
    }

    #[test]
    fn filters_have_two_forms() {
        let both = [r#"{"label":["a=b"]}"#, r#"{"label":{"a=b":true}}"#];
        for text in both {
            let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
            let query = Query::read(&format!("filters={encoded}"));
            assert_eq!(query.filters().unwrap()["label"], ["a=b"]);
        }
        assert!(Query::read("filters=%5B1%5D").filters().is_err());
    }

    proptest! {
        #[test]
        fn no_query_makes_the_reader_fall_over(text in "\\PC{0,60}", value in "[0-9.:TZ+-]{0,30}") {
            let now = Timestamp::UNIX_EPOCH;
            let query = Query::read(&format!("stdout=1&since={value}&tail={value}&x={text}"));
            if let Ok(select) = query.select(now) {
                prop_assert!(select.stdout && !select.stderr);
            }
        }
    }
}
