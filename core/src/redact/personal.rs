//! What names a person or opens a purse: addresses of e-mail, numbers of cards.

use std::ops::Range;

/// Digits of the shortest number of a card.
const CARD_MIN: usize = 13;
/// Digits of the longest.
const CARD_MAX: usize = 19;
/// The longest part of an address before the `@`.
const LOCAL_MAX: usize = 64;
/// The longest name of a host.
const HOST_MAX: usize = 253;

/// Last parts of names with an `@` that are units, files and hosts inside a network.
const NO_DOMAINS: [&str; 52] = [
    "automount",
    "bak",
    "bin",
    "cfg",
    "cluster",
    "conf",
    "config",
    "css",
    "csv",
    "dat",
    "device",
    "dll",
    "dylib",
    "exe",
    "gif",
    "gz",
    "html",
    "ico",
    "ini",
    "internal",
    "jar",
    "jpeg",
    "jpg",
    "js",
    "json",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "lock",
    "log",
    "map",
    "mount",
    "path",
    "pdf",
    "png",
    "scope",
    "service",
    "slice",
    "socket",
    "svc",
    "svg",
    "swap",
    "target",
    "tgz",
    "timer",
    "toml",
    "txt",
    "war",
    "webp",
    "xml",
    "yaml",
];

/// Programs whose targets are written like addresses.
const REMOTE: [&str; 7] = ["ssh", "scp", "sftp", "rsync", "mosh", "autossh", "ssh-copy-id"];
/// So far before a target its program is looked for, in bytes.
const REMOTE_NEAR: usize = 80;

/// Addresses of e-mail; an `@` that is written `%40` counts.
pub fn mails(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = memchr::memchr2(b'@', b'%', bytes.get(from..).unwrap_or_default()) {
        let at = from + at;
        from = at + 1;
        let mark = match bytes.get(at..) {
            Some([b'@', ..]) => 1,
            Some([b'%', b'4', b'0', ..]) => 3,
            _ => continue,
        };
        if let Some(span) = mail(bytes, at, mark)
            && found.last().is_none_or(|last: &Range<usize>| last.end <= span.start)
            && !is_remote(text, &span)
        {
            from = span.end;
            found.push(span);
        }
    }
    found
}

/// The address around an `@`.
fn mail(bytes: &[u8], at: usize, mark: usize) -> Option<Range<usize>> {
    let local = |b: &u8| b.is_ascii_alphanumeric() || b"._+-".contains(b) || *b >= 0x80;
    let host = |b: &u8| b.is_ascii_alphanumeric() || b".-".contains(b);
    let before = bytes.get(..at)?;
    let mut length = before.iter().rev().take(LOCAL_MAX).take_while(|b| local(b)).count();
    // What is escaped before it (`%3A`) is no part of the name.
    if before.get(..at - length).is_some_and(|b| b.ends_with(b"%")) && length >= 2 {
        length -= 2;
    }
    // Dots, and characters cut in the middle, at its beginning do not count.
    let mut start = at - length;
    while start < at && !bytes.get(start).is_some_and(u8::is_ascii_alphanumeric) {
        start += 1;
    }
    let after = bytes.get(at + mark..)?;
    let mut length = after.iter().take(HOST_MAX).take_while(|b| host(b)).count();
    while length > 0 && after.get(length - 1).is_some_and(|b| b".-".contains(b)) {
        length -= 1;
    }
    let name = after.get(..length)?;
    let previous = before.get(..start).and_then(<[u8]>::last).copied();
    let next = after.get(length).copied();
    let shaped = start < at && is_domain(name);
    // A mark of a secret, the user of a URL, a principal of a realm, a path of a copy, and the
    // user that every host of repositories has.
    let other = previous == Some(b'*')
        || before.get(start..) == Some(b"git")
        || (previous == Some(b'/') && before.get(..start)?.ends_with(b"://"))
        || (previous == Some(b'/') && !name.iter().any(u8::is_ascii_lowercase))
        || (next == Some(b':') && is_place(after.get(length + 1..)?));
    (shaped && !other).then_some(start..at + mark + length)
}

/// Letters after the last dot that are no unit and no file; and no version before it.
fn is_domain(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let Some((rest, last)) = name.rsplit_once('.') else { return false };
    let version = name.split('.').take(2).all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    // `@2x.png`, `@1.2.3-rc.one`, `@..`.
    !rest.is_empty()
        && !version
        && !name.contains("..")
        && !name.starts_with(['.', '-'])
        && (2..=24).contains(&last.len())
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && NO_DOMAINS.binary_search(&last.to_ascii_lowercase().as_str()).is_err()
}

/// What follows the colon of `git@host:org/repo` and `user@host:~/x`: no space, no digits alone.
fn is_place(after: &[u8]) -> bool {
    let word = after.iter().take_while(|b| b.is_ascii_alphanumeric() || b"~/._-".contains(b));
    let word: Vec<u8> = word.copied().collect();
    !word.is_empty() && (word.contains(&b'/') || word.first() == Some(&b'~'))
}

/// Whether a program before it takes targets of this form.
fn is_remote(text: &str, span: &Range<usize>) -> bool {
    let mut from = span.start.saturating_sub(REMOTE_NEAR);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text.get(from..span.start).unwrap_or_default();
    let end = |c: char| c.is_whitespace() || "\"'`;|&()".contains(c);
    before
        .split(end)
        .any(|word| REMOTE.contains(&word.rsplit('/').next().unwrap_or(word).trim_end_matches(':')))
}

/// Numbers of cards: by length, issuer and check digit.
pub fn cards(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let digits = |b: &u8| b.is_ascii_digit() || b" -".contains(b);
    let mut found = Vec::new();
    // A number covers one of every so many bytes: the others need no look.
    let mut at = CARD_MIN - 1;
    while let Some(byte) = bytes.get(at) {
        if !digits(byte) {
            at += CARD_MIN;
            continue;
        }
        let start = bytes.get(..at).unwrap_or_default().iter().rev().take_while(|b| digits(b));
        let start = at - start.count();
        let end = bytes.get(at..).unwrap_or_default().iter().take_while(|b| digits(b)).count();
        let end = at + end;
        let run = bytes.get(start..end).unwrap_or_default();
        if run.iter().filter(|b| b.is_ascii_digit()).count() >= CARD_MIN {
            within(bytes, start..end, &mut found);
        }
        at = end + CARD_MIN - 1;
    }
    found
}

/// The numbers in a run of digits, spaces and dashes.
fn within(bytes: &[u8], run: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut at = run.start;
    while at < run.end {
        let previous = at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
        let begins = bytes.get(at).is_some_and(u8::is_ascii_digit)
            && !previous.is_some_and(|b| b.is_ascii_alphanumeric() || b"_.-+*".contains(&b));
        match begins.then(|| card(bytes, at)).flatten() {
            Some(end) => {
                found.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
}

/// The end of the number that begins here.
fn card(bytes: &[u8], start: usize) -> Option<usize> {
    let mut number = Vec::with_capacity(CARD_MAX);
    let mut groups = vec![0_usize];
    let mut separator = None;
    let mut end = start;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match *byte {
            digit @ b'0'..=b'9' => {
                number.push(u32::from(digit - b'0'));
                if let Some(group) = groups.last_mut() {
                    *group += 1;
                }
                end = at + 1;
            }
            b' ' | b'-'
                if bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
                    && separator.is_none_or(|s| s == *byte)
                    && number.len() < CARD_MAX
                    && groups.last() != Some(&0) =>
            {
                // A number without separators ends at one.
                if separator.is_none() && number.len() >= CARD_MIN {
                    break;
                }
                separator = Some(*byte);
                groups.push(0);
            }
            _ => break,
        }
        if number.len() > CARD_MAX {
            return None;
        }
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let goes_on = match rest {
        [b, ..] if b.is_ascii_alphanumeric() || *b == b'_' => true,
        [b'.' | b'-', next, ..] => next.is_ascii_alphanumeric(),
        _ => false,
    };
    let grouped = matches!(groups.as_slice(), [_] | [4, 4, 4, 4] | [4, 6, 4 | 5] | [4, 4, 4, 4, 3]);
    (!goes_on && grouped && is_issued(&number) && luhn(&number)).then_some(end)
}

/// Whether an issuer gives numbers that begin like this and are so long.
fn is_issued(number: &[u32]) -> bool {
    let head = number.iter().take(4).fold(0, |sum, digit| sum * 10 + digit);
    match number.len() {
        13 => head / 1000 == 4,
        14 => matches!(head / 10, 300..=305) || matches!(head / 100, 36 | 38 | 39),
        15 => matches!(head / 100, 34 | 37),
        16 => {
            matches!(head / 1000, 4)
                || matches!(head / 100, 51..=55 | 62 | 65)
                || matches!(head, 2221..=2720 | 3528..=3589 | 6011)
                || matches!(head / 10, 644..=649)
        }
        17..=CARD_MAX => head / 100 == 62,
        _ => false,
    }
}

/// The check digit is right.
fn luhn(number: &[u32]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail_in(text: &str) -> Vec<&str> {
        mails(text).into_iter().filter_map(|span| text.get(span)).collect()
    }

    fn card_in(text: &str) -> Vec<&str> {
        cards(text).into_iter().filter_map(|span| text.get(span)).collect()
    }

    #[test]
    fn the_list_of_no_domains_is_sorted() {
        assert!(NO_DOMAINS.is_sorted());
    }

    #[test]
    fn addresses_are_found() {
        for (text, mail) in [
            ("mail from=<bob.smith+x@example.com> ok", "bob.smith+x@example.com"),
            ("https://h/p?e=a@b.com", "a@b.com"),
            ("https://h/p?e=a%40b.com&x=1", "a%40b.com"),
            ("user a@b.co.uk.", "a@b.co.uk"),
            ("to:bob@163.com: rejected", "bob@163.com"),
            ("{\"email\":\"BOB@EXAMPLE.COM\"}", "BOB@EXAMPLE.COM"),
            ("q=%3Aann%40example.org", "ann%40example.org"),
        ] {
            assert_eq!(mail_in(text), [mail], "{text}");
        }
    }

    #[test]
    fn what_only_has_an_at_stays() {
        for text in [
            "git@github.com:org/repo",
            "git@github.com: Permission denied (publickey).",
            "ssh deploy@web1.example.com uptime",
            "scp x root@web1.example.com:/tmp",
            "user@host",
            "image@sha256:abc",
            "@scope/pkg@1.2.3-beta.rc",
            "foo@bar.service",
            "getty@tty1.service: Failed",
            "Foo@1a2b3c",
            "logo@2x.png",
            "https://user@host.com/x",
            "x:***12345@db.example.com:5432",
            "@daily",
            "a@b",
            "a@.com",
            "HTTP/web.example.com@EXAMPLE.COM",
            "root@node.internal",
            "@",
            "é@b.com x",
        ] {
            assert_eq!(mail_in(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn cards_are_found() {
        for (text, card) in [
            ("card 4111111111111111 ok", "4111111111111111"),
            ("card=4111-1111-1111-1111", "4111-1111-1111-1111"),
            ("pan:5555 5555 5555 4444,", "5555 5555 5555 4444"),
            ("378282246310005", "378282246310005"),
            ("3782 822463 10005", "3782 822463 10005"),
            ("2026 4111111111111111", "4111111111111111"),
            ("4111111111111111 12", "4111111111111111"),
        ] {
            assert_eq!(card_in(text), [card], "{text}");
        }
    }

    #[test]
    fn other_numbers_stay() {
        for text in [
            "4111111111111112",
            "1732418102123456789",
            "blk_4111111111111111",
            "blk_-4111111111111111",
            "41111111111111111",
            "4111111111111111a",
            "1.4111111111111111",
            "2026-11-24 03 15 02 123",
            "4111 11111111 1111",
            "0000000000000000",
            "-",
            "",
        ] {
            assert_eq!(card_in(text), Vec::<&str>::new(), "{text}");
        }
    }
}
