//! JSON out of what a model wrote: inside a fence or prose, with the mistakes that models make.

use serde_json::{Map, Value};

/// Text beyond this is not looked at.
pub const MOST_BYTES: usize = 1024 * 1024;
/// Arrays and objects inside one another.
const MOST_DEPTH: usize = 64;
/// Places where a document may begin that are tried.
const MOST_STARTS: usize = 64;

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Extracted {
    /// What it says.
    pub value: Value,
    /// It was no valid JSON: something was mended, or its end was missing.
    pub repaired: bool,
}

/// Finds the document in a text: the text itself, what stands in its fence, or else the longest
/// object or array in it. What can be read in two ways is not read.
pub fn extract(text: &str) -> Option<Extracted> {
    if text.len() > MOST_BYTES {
        return None;
    }
    let text = text.trim_start_matches('\u{FEFF}').trim();
    let whole = |text: &str| serde_json::from_str(text).ok();
    if let Some(value) = whole(text).or_else(|| fenced(text).and_then(whole)) {
        return Some(Extracted { value, repaired: false });
    }
    longest(text)
}

/// What stands between the first fence and the last one.
fn fenced(text: &str) -> Option<&str> {
    let (_, behind) = text.split_once("```")?;
    // The rest of the line names the language.
    let (_, body) = behind.split_once('\n')?;
    body.rfind("```").and_then(|end| body.get(..end))
}

/// The longest document that begins anywhere in the text.
fn longest(text: &str) -> Option<Extracted> {
    let mut best: Option<(usize, Extracted)> = None;
    let mut from = 0;
    for _ in 0..MOST_STARTS {
        let Some(at) = text.get(from..).and_then(|rest| rest.find(['{', '['])) else { break };
        let start = from + at;
        let rest = text.get(start..).unwrap_or_default();
        from = match document(rest) {
            Ok((length, found)) => {
                if best.as_ref().is_none_or(|(longest, _)| length > *longest) {
                    best = Some((length, found));
                }
                start + length
            }
            Err(Wrong::NoDocument) => start + 1,
            // A part of a broken document would say something else than the whole.
            Err(Wrong::Broken) => return None,
        };
    }
    best.map(|(_, found)| found)
}

/// The document at the beginning of a text, and how many bytes it has.
fn document(text: &str) -> Result<(usize, Extracted), Wrong> {
    let mut strict = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    if let Some(Ok(value)) = strict.next() {
        return Ok((strict.byte_offset(), Extracted { value, repaired: false }));
    }
    let mut mender = Mender { text, at: 0, begun: false };
    match mender.value(0)? {
        Some(value) if !is_empty(&value) => Ok((mender.at, Extracted { value, repaired: true })),
        _ => Err(Wrong::NoDocument),
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

/// Why something is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    /// It does not begin like one: a bracket in prose.
    NoDocument,
    /// It begins like an object, and goes on in a way that is not understood.
    Broken,
}

/// Reads leniently. `None` for a value means that the text ended before it was certain.
struct Mender<'a> {
    text: &'a str,
    at: usize,
    /// A key and its colon were understood: this is no bracket in prose.
    begun: bool,
}

impl Mender<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn wrong(&self) -> Wrong {
        if self.begun { Wrong::Broken } else { Wrong::NoDocument }
    }

    fn value(&mut self, depth: usize) -> Result<Option<Value>, Wrong> {
        self.blank();
        match self.peek() {
            None => Ok(None),
            Some(_) if depth > MOST_DEPTH => Err(self.wrong()),
            Some(b'{') => self.object(depth).map(Some),
            Some(b'[') => self.array(depth).map(Some),
            Some(quote @ (b'"' | b'\'')) => self.string(quote).map(|(text, _)| Some(text.into())),
            Some(_) => self.bare(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut members = Map::new();
        self.at += 1;
        loop {
            self.blank();
            let quote = match self.peek() {
                None => break,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                Some(quote @ (b'"' | b'\'')) => quote,
                Some(_) => return Err(self.wrong()),
            };
            let (key, ended) = self.string(quote)?;
            self.blank();
            match self.peek() {
                Some(b':') if ended => {
                    self.at += 1;
                    self.begun = true;
                }
                None => break,
                _ => return Err(self.wrong()),
            }
            let Some(value) = self.value(depth + 1)? else { break };
            members.insert(key, value);
            if !self.another(b'}')? {
                break;
            }
        }
        Ok(Value::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.blank();
            match self.peek() {
                None => break,
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                Some(_) => {}
            }
            let Some(value) = self.value(depth + 1)? else { break };
            items.push(value);
            if !self.another(b']')? {
                break;
            }
        }
        Ok(Value::Array(items))
    }

    /// Whether more may follow: behind a comma. The end of the text closes everything.
    fn another(&mut self, close: u8) -> Result<bool, Wrong> {
        self.blank();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(b) if b == close => {
                self.at += 1;
                Ok(false)
            }
            None => Ok(false),
            Some(_) => Err(self.wrong()),
        }
    }

    /// A string, and whether its end was there.
    fn string(&mut self, quote: u8) -> Result<(String, bool), Wrong> {
        self.at += 1;
        let mut out = String::new();
        while let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            self.at += c.len_utf8();
            match c {
                '\\' => match self.escape() {
                    Ok(Some(c)) => out.push(c),
                    Ok(None) => return Ok((out, false)),
                    Err(()) => return Err(self.wrong()),
                },
                _ if c == char::from(quote) => {
                    // An apostrophe inside a text in single quotes would end it too early.
                    if quote == b'\'' && !self.closes() {
                        return Err(self.wrong());
                    }
                    return Ok((out, true));
                }
                _ => out.push(c),
            }
        }
        Ok((out, false))
    }

    /// What is behind a quote shows that it ended the string.
    fn closes(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default().trim_ascii_start();
        rest.is_empty() || rest.starts_with([',', ':', '}', ']'])
    }

    /// The character behind a backslash; `None` where the text ends within.
    fn escape(&mut self) -> Result<Option<char>, ()> {
        let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            return Ok(None);
        };
        self.at += c.len_utf8();
        Ok(Some(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '"' | '\\' | '/' | '\'' => c,
            'u' => {
                let Some(first) = self.unit()? else { return Ok(None) };
                return self.character(first);
            }
            _ => return Err(()),
        }))
    }

    fn character(&mut self, first: u16) -> Result<Option<char>, ()> {
        if !(0xD800..0xDC00).contains(&first) {
            return Ok(Some(char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with("\\u") {
            let cut = rest.is_empty() || rest == "\\";
            return Ok(if cut { None } else { Some(char::REPLACEMENT_CHARACTER) });
        }
        self.at += 2;
        let Some(second) = self.unit()? else { return Ok(None) };
        let pair = char::decode_utf16([first, second]).next().and_then(Result::ok);
        Ok(Some(pair.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<Option<u16>, ()> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let digits = rest.get(..rest.len().min(4)).unwrap_or_default();
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(());
        }
        self.at += digits.len();
        let text = std::str::from_utf8(digits).map_err(|_| ())?;
        Ok(if text.len() < 4 { None } else { u16::from_str_radix(text, 16).ok() })
    }

    /// A number or a word of JSON (or the same word of Python).
    fn bare(&mut self) -> Result<Option<Value>, Wrong> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')))
            .unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let cut = length == rest.len();
        let known = [
            ("true", Value::Bool(true)),
            ("True", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("False", Value::Bool(false)),
            ("null", Value::Null),
            ("None", Value::Null),
        ];
        let value = known.into_iter().find(|(name, _)| *name == word).map(|(_, value)| value);
        // A number at the end of the text may have lost digits.
        let number = || word.parse::<serde_json::Number>().ok().map(Value::Number);
        match value.or_else(number) {
            Some(Value::Number(_)) | None if cut => {
                self.at += length;
                Ok(None)
            }
            Some(value) => {
                self.at += length;
                Ok(Some(value))
            }
            None => Err(self.wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn mended(text: &str) -> Option<Value> {
        extract(text).map(|found| {
            assert!(found.repaired, "{text}");
            found.value
        })
    }

    #[test]
    fn a_document_is_found_where_models_put_it() {
        let value = json!({"a": [1, "```"]});
        for text in [
            "{\"a\":[1,\"```\"]}",
            "```json\n{\"a\":[1,\"```\"]}\n```",
            "Sure! Here it is:\n```\n{\"a\":[1,\"```\"]}\n```\nAnything else?",
            "The container [web] says {no}: {\"a\":[1,\"```\"]} as of [1].",
            "```json\n{\"a\":[1,\"```\"]}",
        ] {
            let expected = Some(Extracted { value: value.clone(), repaired: false });
            assert_eq!(extract(text), expected, "{text}");
        }
        assert_eq!(extract("```json\n42\n```").map(|f| f.value), Some(json!(42)));
        for text in ["", "no", "{placeholder}", "[web, api]", "{", "it's {'a': 'it's'}"] {
            assert_eq!(extract(text), None, "{text}");
        }
    }

    #[test]
    fn the_mistakes_of_models_are_mended() {
        for (text, value) in [
            ("{\"a\": 1, \"b\": [1, 2,],}", json!({"a": 1, "b": [1, 2]})),
            ("{'a': 'b', 'c': None, 'd': True}", json!({"a": "b", "c": null, "d": true})),
            ("{\"a\": \"two\nlines\"}", json!({"a": "two\nlines"})),
            ("{\"a\": \"\\u00e4\\ud83d\\ude00\", }", json!({"a": "ä😀"})),
        ] {
            assert_eq!(mended(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_was_cut_is_closed_and_what_is_uncertain_is_left_out() {
        for (text, value) in [
            ("{\"a\": \"restart the con", json!({"a": "restart the con"})),
            ("{\"a\": {\"b\": [\"x\", {\"c\": \"y\"", json!({"a": {"b": ["x", {"c": "y"}]}})),
            ("{\"a\": 1, \"b", json!({"a": 1})),
            ("{\"a\": 1, \"b\":", json!({"a": 1})),
            ("{\"a\": 1, \"b\": 12", json!({"a": 1})),
            ("{\"a\": 1, \"b\": tru", json!({"a": 1})),
            ("{\"a\": \"x\\u00", json!({"a": "x"})),
            ("```json\n{\"a\": \"x\\", json!({"a": "x"})),
        ] {
            assert_eq!(mended(text), Some(value), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_broken_document_does_not_pass_for_the_whole() {
        for text in [
            "{\"a\": 1, \"b\": {\"c\": 2} junk}",
            "{\"a\": 1 \"b\": {\"c\": 2}}",
            "{'a': 'b's', 'c': {\"d\": 1}}",
        ] {
            assert_eq!(extract(text), None, "{text}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        assert_eq!(extract(&"[".repeat(100_000)), None);
        assert_eq!(extract(&"{\"a\":".repeat(100_000)), None);
        assert_eq!(extract(&format!("[{}1]", " ".repeat(MOST_BYTES))), None);
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            Just(Value::from("```\n{\"a\": [")),
        ];
        let tree = leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("\\PC{0,6}", inner, 0..5)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map("[a-z]{1,6}", tree, 1..5)
            .prop_map(|m| Value::Object(m.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn a_valid_document_survives_any_wrapping(
            value in documents(),
            pretty: bool,
            before in "[a-zA-Z .,:!\n]{0,30}",
            language in "(json|JSON|)",
            fence: bool,
            after in "[a-zA-Z .,:!\n]{0,30}",
        ) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            let text = if fence {
                format!("{before}\n```{language}\n{text}\n```\n{after}")
            } else {
                format!("{before}{text}{after}")
            };
            prop_assert_eq!(extract(&text), Some(Extracted { value, repaired: false }));
        }

        #[test]
        fn a_cut_document_says_nothing_that_the_whole_does_not(value in documents(), at: proptest::sample::Index) {
            let text = value.to_string();
            let mut end = at.index(text.len());
            while !text.is_char_boundary(end) { end -= 1; }
            if let Some(found) = extract(&text[..end]) {
                prop_assert!(is_part(&found.value, &value), "{} of {}", found.value, value);
            }
        }

        #[test]
        fn any_text_ends(text in "[{}\\[\\]\"',:\\\\a1u`\n ]{0,200}") {
            extract(&text);
        }
    }

    fn is_part(part: &Value, whole: &Value) -> bool {
        match (part, whole) {
            (Value::Object(a), Value::Object(b)) => {
                a.iter().all(|(k, v)| b.get(k).is_some_and(|w| is_part(v, w)))
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() <= b.len() && a.iter().zip(b).all(|(v, w)| is_part(v, w))
            }
            (Value::String(a), Value::String(b)) => b.starts_with(a.as_str()),
            (a, b) => a == b,
        }
    }
}
