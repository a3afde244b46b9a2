//! The level of a log line: structured keys first, then a level word where levels stand.
//!
//! A word like "error" in the middle of a message is no level: `INFO 0 errors`, `err=nil` and
//! `GET /error 200` are ordinary lines.

use std::sync::LazyLock;

use regex::Regex;

use crate::domain::log::Level;

/// `"level":"error"`, `level=error`, `severity: WARN`, `"lvl":"E"`.
static KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?i)(?:^|[\s,{])"?(?:level|lvl|severity|log\.level|loglevel|levelname)"?\s*[:=]\s*"?([a-z]+|\d{2})\b"#,
    )
    .ok()
});

/// Lines that runtimes print when they give up, without any level.
static CRASH: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:panic: |fatal error: |thread '[^']*' (?:\(\d+\) )?panicked at|Traceback \(most recent call last\)|Unhandled exception|Uncaught |Exception in thread |Segmentation fault|[A-Za-z_.]*(?:Error|Exception): )",
    )
    .ok()
});

/// How far into a line a level is looked for.
const LOOK: usize = 256;

/// The level of a line; `None` when it does not say.
pub fn of(text: &str) -> Option<Level> {
    let head = head(text);
    if has_key(head)
        && let Some(found) = KEY.as_ref().and_then(|r| r.captures(head))
        && let Some(level) = found.get(1).and_then(|m| named(m.as_str()))
    {
        return Some(level);
    }
    if let Some(level) = word(head).or_else(|| leading(head)) {
        return Some(level);
    }
    if let Some(level) = klog(head) {
        return Some(level);
    }
    if let Some(level) = access_log(head) {
        return Some(level);
    }
    CRASH.as_ref().filter(|r| r.is_match(head)).map(|_| Level::Error)
}

/// The first bytes of the line, cut at a character.
fn head(text: &str) -> &str {
    let mut end = text.len().min(LOOK);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A cheap look for `level`, `lvl` or `severity` that spares most lines the expression.
fn has_key(head: &str) -> bool {
    head.as_bytes().windows(3).any(|w| {
        let lower = |b: &u8| b.to_ascii_lowercase();
        match w {
            [a, v, b] if lower(v) == b'v' => {
                let (a, b) = (lower(a), lower(b));
                (a == b'e' && b == b'e') || (a == b'l' && b == b'l')
            }
            _ => false,
        }
    })
}

/// How many words may stand before the level: zone, process, thread, logger.
const WORDS_BEFORE: usize = 4;
/// No timestamp or thread name is longer.
const LONGEST_WORD: usize = 40;

/// A level word near the start: after timestamps, brackets, thread and logger names, and before
/// the message. Upper case alone, or any case inside brackets.
fn word(head: &str) -> Option<Level> {
    let mut before = 0;
    let mut rest = head.trim_start();
    while !rest.is_empty() && before <= WORDS_BEFORE {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        if token.len() > LONGEST_WORD {
            return None;
        }
        if let Some(level) = in_brackets(token).or_else(|| upper(token, !after.is_empty())) {
            return Some(level);
        }
        before += usize::from(!is_stamp(token));
        rest = after.trim_start();
    }
    None
}

/// `[warn]`, `(ERROR)`, `<info>`.
fn in_brackets(token: &str) -> Option<Level> {
    let inner = token.strip_prefix(['[', '(', '<'])?;
    let end = inner.find(|c: char| !c.is_ascii_alphabetic())?;
    let closed = inner.get(end..)?.starts_with([']', ')', '>']);
    (closed && end >= 3).then(|| named(inner.get(..end)?)).flatten()
}

/// `ERROR`, `WARN:`, `INFO|`, `[main]ERROR`; alone at the end of a line it is a word like others.
fn upper(token: &str, goes_on: bool) -> Option<Level> {
    let token = token.rsplit_once([']', ')', '>']).map_or(token, |(_, rest)| rest);
    let end = token.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(token.len());
    let delimited = match token.get(end..)?.chars().next() {
        Some(c) => matches!(c, ':' | '|' | ']' | '-'),
        None => goes_on,
    };
    (delimited && end >= 3).then(|| named(token.get(..end)?)).flatten()
}

/// Part of a time, a number, or a dash between fields.
fn is_stamp(token: &str) -> bool {
    token.chars().all(|c| c.is_ascii_digit() || "TZ:.,+/-[]()<>".contains(c))
}

/// A line that begins with the level in any case and a colon: `error: cannot open …`,
/// `error[E0308]: …`.
fn leading(head: &str) -> Option<Level> {
    let end = head.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, rest) = head.split_at(end);
    let rest = match rest.strip_prefix('[') {
        Some(code) => code.split_once(']').filter(|(code, _)| code.len() <= 20)?.1,
        None => rest,
    };
    (rest.starts_with(':') && word.len() >= 4).then(|| named(word)).flatten()
}

fn named(word: &str) -> Option<Level> {
    Some(match word.to_ascii_lowercase().as_str() {
        "trace" | "trc" | "10" => Level::Trace,
        "debug" | "dbg" | "d" | "20" => Level::Debug,
        "info" | "inf" | "i" | "notice" | "log" | "hint" | "detail" | "statement" | "30" => {
            Level::Info
        }
        "warn" | "warning" | "wrn" | "w" | "40" => Level::Warn,
        "error" | "err" | "e" | "severe" | "50" => Level::Error,
        "fatal" | "critical" | "crit" | "panic" | "emerg" | "alert" | "f" | "60" => Level::Fatal,
        _ => return None,
    })
}

/// glog and klog: `E1124 03:15:02.123456  1 file.go:12] message`.
fn klog(text: &str) -> Option<Level> {
    let bytes = text.as_bytes();
    let digits = bytes.get(1..5)?.iter().all(u8::is_ascii_digit);
    if !digits || bytes.get(5) != Some(&b' ') {
        return None;
    }
    match bytes.first() {
        Some(b'I') => Some(Level::Info),
        Some(b'W') => Some(Level::Warn),
        Some(b'E') => Some(Level::Error),
        Some(b'F') => Some(Level::Fatal),
        _ => None,
    }
}

/// nginx and Apache access lines: the status decides.
fn access_log(text: &str) -> Option<Level> {
    let request_end = text.find(" HTTP/")?;
    let status = text
        .get(request_end..)?
        .split(['"', ' '])
        .find(|p| p.len() == 3 && p.bytes().all(|b| b.is_ascii_digit()))?;
    Some(if status.starts_with('5') { Level::Error } else { Level::Info })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_where_levels_stand() {
        let cases: &[(&str, Option<Level>)] = &[
            (r#"{"level":"error","msg":"x"}"#, Some(Level::Error)),
            (r#"{"time":"t","severity":"WARNING"}"#, Some(Level::Warn)),
            ("ts=1 level=info msg=\"no error\" err=nil", Some(Level::Info)),
            ("2026-11-24 03:15:02,123 ERROR [main] boom", Some(Level::Error)),
            ("2026-11-24T03:15:02Z [warn] slow", Some(Level::Warn)),
            ("2026-11-24 03:15:02.123 UTC [77] LOG:  checkpoint", Some(Level::Info)),
            ("2026-11-24 03:15:02.123 UTC [77] FATAL:  too many connections", Some(Level::Fatal)),
            ("[ERROR] x", Some(Level::Error)),
            ("ERROR x", Some(Level::Error)),
            ("error: cannot open", Some(Level::Error)),
            ("E1124 03:15:02.1 1 a.go:1] boom", Some(Level::Error)),
            ("1.2.3.4 - - [x] \"GET /error HTTP/1.1\" 200 12", Some(Level::Info)),
            ("1.2.3.4 - - [x] \"GET / HTTP/1.1\" 502 12", Some(Level::Error)),
            ("INFO 0 errors, 0 failed", Some(Level::Info)),
            ("panic: runtime error: index out of range", Some(Level::Fatal)),
            ("thread 'main' panicked at src/main.rs:1:1:", Some(Level::Error)),
            ("ValueError: bad", Some(Level::Error)),
            ("[2026-11-24 03:15:02]ERROR boom", Some(Level::Error)),
            ("2026-11-24 03:15:02,123 - app.db - WARNING - slow", Some(Level::Warn)),
            ("2026-11-24 03:15:02.123  INFO 1 --- [main] c.e.App : up", Some(Level::Info)),
            ("Nov 24 03:15:02 host app[1]: ERROR boom", Some(Level::Error)),
            ("time=\"2026\" level=warning msg=x", Some(Level::Warn)),
            (r#"{"msg":"ok","lvl":"E"}"#, Some(Level::Error)),
            (r#"{"level":50,"msg":"pino"}"#, Some(Level::Error)),
            ("error[E0308]: mismatched types", Some(Level::Error)),
            ("(warn) slow", Some(Level::Warn)),
            ("<ERROR> x", Some(Level::Error)),
            ("Error: boom", Some(Level::Error)),
            ("ERROR", None),
            ("DEBUG| x", Some(Level::Debug)),
            ("*1 connect() failed (111: Connection refused)", None),
            ("2026/11/24 03:15:02 [error] 7#7: *1 connect() failed", Some(Level::Error)),
            ("INFO request failed: error=nil, 0 failed", Some(Level::Info)),
            ("0 failed, 12 passed", None),
            ("every level of the building", None),
            ("the server said ERROR to me", Some(Level::Error)),
            ("é ERROR x", Some(Level::Error)),
            ("processing 12 errors report", None),
            ("GET /error 200", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(of(text), *expected, "{text}");
        }
    }
}
