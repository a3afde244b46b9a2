//! Whether a text is made of words and numbers as people choose them. A generated secret is not:
//! where that is in doubt, it is not.

/// The longest run of digits that is a number.
const NUMBER: usize = 10;
/// A piece up to this long may mix letters and digits: `v2`, `512m`, `eu1a`.
const SHORT: usize = 8;
/// Digits in such a piece, or behind a word: `postgres15`.
const DIGITS: usize = 4;
/// The longest word that is looked at.
const WORD: usize = 20;
/// Pieces that mix letters and digits, in one text: a version has two, a licence key more.
const MIXED: usize = 2;

/// Words and numbers, with `.`, `_` or `-` between them.
pub(super) fn is_plain(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !text.bytes().all(known) {
        return false;
    }
    let pieces = || text.split(['.', '_', '-']);
    let mixed = pieces().filter(|p| {
        p.bytes().any(|b| b.is_ascii_digit()) && p.bytes().any(|b| b.is_ascii_alphabetic())
    });
    mixed.count() <= MIXED && pieces().all(is_piece)
}

fn is_piece(piece: &str) -> bool {
    let digits = piece.bytes().filter(u8::is_ascii_digit).count();
    if digits == piece.len() {
        return digits <= NUMBER;
    }
    if digits == 0 {
        return is_word(piece);
    }
    let word = piece.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = !word.bytes().any(|b| b.is_ascii_digit());
    digits <= DIGITS && ((numbered && is_word(word)) || piece.len() <= SHORT)
}

/// Letters that can be said: vowels among them, no long runs of consonants, few seldom ones, and
/// capitals only where a word begins.
fn is_word(word: &str) -> bool {
    const NO_SYLLABLE: usize = 4;
    const RUN: usize = 5;
    const SMALL_SHARE: usize = 5;
    if word.len() <= NO_SYLLABLE {
        return true;
    }
    let lower = word.to_ascii_lowercase();
    let is_vowel = |b: u8| b"aeiouy".contains(&b);
    let vowels = lower.bytes().filter(|b| is_vowel(*b)).count();
    let longest = lower.split(|c: char| c.is_ascii() && "aeiouy".contains(c)).map(str::len).max();
    let seldom = lower.bytes().filter(|b| b"jqxzkvw".contains(b)).count();
    let bytes = word.as_bytes();
    let case_changes = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .filter(|(a, b)| a.is_ascii_lowercase() != b.is_ascii_lowercase())
        .count();
    word.len() <= WORD
        && vowels * SMALL_SHARE >= word.len()
        && longest.is_none_or(|run| run <= RUN)
        && (word.len() <= SHORT || seldom * SMALL_SHARE <= word.len())
        && case_changes <= 1 + word.len() / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_plain() {
        for text in [
            "",
            "db",
            "postgres",
            "postgres15",
            "mysql8",
            "elasticsearch",
            "rabbitmq",
            "nginx",
            "demo-api",
            "shop_worker_1",
            "1.25.3",
            "10.20.30.40",
            "eu-central-1a",
            "kubernetes",
            "prometheus",
            "INFO",
            "RequestLog",
            "camelCaseWord",
            "k8s",
            "sqlite3",
            "st-f24-3682-24",
            "internalloadbalancer",
            "haproxy",
            "host.docker.internal",
            "lighthouse",
        ] {
            assert!(is_plain(text), "{text}");
        }
    }

    #[test]
    fn what_nobody_would_say_is_not_plain() {
        for text in [
            "xkqzvbnmwrtp",
            "9f86d081884c7d65",
            "a1b2c3d4e5",
            "ABCD1-EFGH2-IJKL3",
            "wJalrXUtnFEMI",
            "12345678901",
            "pneumonoultramicroscopic",
            "aBcDeFgHiJ",
            "with space",
            "semi;colon",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
