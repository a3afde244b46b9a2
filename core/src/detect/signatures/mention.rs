//! Whether a line that has a literal says that it happened, or only speaks of it: a name in a
//! test, a rule for the case, a query, an address.

/// Behind these words, somebody speaks of what might happen.
const BEFORE: &[&str] = &[
    "handler for",
    "handlers for",
    "handling of",
    "handle",
    "handles",
    "handling",
    "retry on",
    "retries on",
    "retrying on",
    "in case of",
    "number of",
    "count of",
    "counter for",
    "alert for",
    "alert on",
    "rule for",
    "test for",
    "tests for",
    "check for",
    "checks for",
    "checking for",
    "watch for",
    "watching for",
    "looking for",
    "search for",
    "searching for",
    "if",
    "whenever",
    "no",
    "without",
    "never",
    "ignore",
    "ignores",
    "ignoring",
    "ignored",
    "simulate",
    "simulates",
    "simulating",
    "simulated",
    "expected",
    "expects",
    "expecting",
    "avoid",
    "avoids",
    "avoiding",
    "prevent",
    "prevents",
    "preventing",
    "e.g.",
    "such as",
    "like",
    "called",
    "named",
    "recovered from",
    "recovering from",
    "zero",
    "inject",
    "injecting",
    "policy for",
    "docs on",
    "tolerates",
    "survives",
];
/// And before these.
const AFTER: &[&str] = &[
    " errors registered",
    " error registered",
    " handler",
    " handling",
    " policy",
    " tests",
    " test ",
    " metric",
    " counter",
    " rule",
    " detection",
    " detector",
    " simulation",
    " scenario",
    " as expected",
    " (expected)",
    "=0",
    ": 0",
    "=false",
    ": false",
    "=none",
    "=no",
    ": none",
    " = 0",
    " errors: 0",
    " errors=0",
    " count=0",
    " count: 0",
    " listener registered",
    " (recovered)",
    " retries enabled",
    "%",
];
/// How test runs begin their lines.
const TESTS: &[&str] =
    &["ok ", "not ok ", "pass", "=== run", "--- pass", "--- fail", "\u{2713}", "test "];
/// How far back a query is looked for.
const QUERY: usize = 400;

/// Whether the occurrence at `start..end` only speaks of it.
pub(super) fn is_mention(text: &[u8], start: usize, end: usize) -> bool {
    let head = text.get(..start).unwrap_or_default();
    let tail = text.get(end..).unwrap_or_default();
    let literal = text.get(start..end).unwrap_or_default();
    follows(head)
        || precedes(tail)
        || is_setting(literal, tail)
        || in_address(head)
        || in_query(head)
        || in_test(text)
}

/// Whether what stands at `start..end` does not begin or end within a number or a word.
pub(super) fn is_whole(text: &[u8], start: usize, end: usize) -> bool {
    let within =
        |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let cut_before = within(start.checked_sub(1)) && within(Some(start));
    let cut_after = within(end.checked_sub(1)) && within(Some(end));
    !cut_before && !cut_after
}

fn follows(head: &[u8]) -> bool {
    let quote = |b: &u8| matches!(b, b' ' | b'"' | b'\'' | b'`' | b'\\');
    let kept = head.iter().rposition(|b| !quote(b)).map_or(0, |at| at + 1);
    let head = head.get(..kept).unwrap_or_default();
    BEFORE.iter().any(|words| {
        head.len() >= words.len() && {
            let (rest, end) = head.split_at(head.len() - words.len());
            end.last().map(u8::to_ascii_lowercase) == words.as_bytes().last().copied()
                && end.eq_ignore_ascii_case(words.as_bytes())
                && !rest
                    .last()
                    .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        }
    })
}

fn precedes(tail: &[u8]) -> bool {
    let tail = tail.strip_prefix(b"\"").or_else(|| tail.strip_prefix(b"'")).unwrap_or(tail);
    AFTER.iter().any(|words| {
        tail.len() >= words.len()
            && tail.get(..words.len()).is_some_and(|t| t.eq_ignore_ascii_case(words.as_bytes()))
            // `=0` and not `=0.5` or `=01`.
            && !(words.ends_with('0')
                && tail.get(words.len()).is_some_and(|b| b.is_ascii_digit() || *b == b'.'))
    })
}

/// `connect timeout: 10s` says how long, not that it was too long.
fn is_setting(literal: &[u8], tail: &[u8]) -> bool {
    let named = literal.last_chunk::<7>().is_some_and(|l| l.eq_ignore_ascii_case(b"timeout"));
    let value = tail.strip_prefix(b"=").or_else(|| tail.strip_prefix(b": "));
    named && value.and_then(<[u8]>::first).is_some_and(u8::is_ascii_digit)
}

/// Whether what comes before belongs to the same address or path.
fn in_address(head: &[u8]) -> bool {
    let ends = |b: &u8| {
        b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'(' | b',' | b'{' | b'<' | b'[')
    };
    let from = head.iter().rposition(ends).map_or(0, |at| at + 1);
    let token = head.get(from..).unwrap_or_default();
    token.first() == Some(&b'/') || token.windows(3).any(|w| w == b"://") || token.contains(&b'%')
}

/// Whether what comes before is the beginning of a query.
fn in_query(head: &[u8]) -> bool {
    let head = head.get(head.len().saturating_sub(QUERY)..).unwrap_or_default();
    // What a query looks for or writes stands in quotes.
    if memchr::memchr(b'\'', head).is_none() {
        return false;
    }
    let has =
        |words: &str| head.windows(words.len()).any(|w| w.eq_ignore_ascii_case(words.as_bytes()));
    (has("select ") && has(" from ") && (has(" where ") || has("like ")))
        || (has("insert into ") && has("values"))
        || (has("update ") && has(" set ") && has("="))
        || (has("delete from ") && has(" where "))
}

fn in_test(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let begins = |words: &str| {
        text.get(..words.len()).is_some_and(|t| t.eq_ignore_ascii_case(words.as_bytes()))
    };
    let verdict = text.trim_ascii_end();
    if verdict.ends_with(b" PASSED") {
        return true;
    }
    TESTS.iter().filter(|t| begins(t)).any(|t| match *t {
        "test " => verdict.ends_with(b"... ok") || verdict.ends_with(b"... ignored"),
        "pass" => text.get(4).is_some_and(|b| matches!(b, b':' | b' ' | b'E' | b'e')),
        "ok " => text.get(3).is_some_and(u8::is_ascii_digit),
        "not ok " => text.get(7).is_some_and(u8::is_ascii_digit),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(text: &str, literal: &str) -> bool {
        let start = text.find(literal).unwrap();
        is_mention(text.as_bytes(), start, start + literal.len())
    }

    #[test]
    fn what_is_only_spoken_of_is_told_from_what_happened() {
        for text in [
            "handler for connection refused errors registered",
            "retry on \"connection refused\"",
            "no connection refused in the last hour",
            "connection refused: 0",
            "GET /search?q=connection+x-connection refused",
            "see https://example.org/#connection refused",
            "INSERT INTO events (text) VALUES ('connection refused')",
            "select * from events where text like '%connection refused%'",
            "ok 12 - connection refused is found",
            "test connection refused ... ok",
        ] {
            assert!(mentions(text, "connection refused"), "{text}");
        }
        for text in [
            "connection refused",
            "dial tcp 10.0.0.2:5432: connect: connection refused",
            "cannot select a peer from the list: connection refused",
            "http://api:3000/x: connection refused",
            "{\"url\":\"http://api\",\"err\":\"connection refused\"}",
            "(Errno 111) connection refused (SQL: select * from users)",
            "piano: connection refused",
            "ok, then: connection refused",
            "connection refused=0.5",
        ] {
            assert!(!mentions(text, "connection refused"), "{text}");
        }
    }
}
