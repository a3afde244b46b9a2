//! The labelled set: lines with secrets, which are made when it is read, and lines without.

#![allow(dead_code, reason = "each test binary uses its own part")]

/// A line with secrets in it.
pub(crate) struct Case {
    /// What kind of secret.
    pub(crate) kind: &'static str,
    /// The line.
    pub(crate) line: String,
    /// The secrets in it.
    pub(crate) secrets: Vec<String>,
    /// The line without them.
    pub(crate) around: String,
}

/// So short a piece of a secret is none.
const PIECE: usize = 6;

impl Case {
    /// A piece of a secret that a text shows.
    pub(crate) fn leak<'a>(&'a self, text: &str) -> Option<&'a str> {
        let shown = |piece: &&str| text.contains(*piece) && !self.around.contains(*piece);
        self.secrets.iter().find_map(|secret| {
            let width = PIECE.min(secret.len());
            let pieces = (0..=secret.len() - width).filter_map(|at| secret.get(at..at + width));
            pieces.into_iter().find(shown)
        })
    }
}

/// The lines of a file that are no comments.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with("# ") && !line.is_empty())
}

/// Lines without a secret.
pub(crate) fn innocent() -> Vec<&'static str> {
    lines(include_str!("innocent.txt")).collect()
}

/// Lines with secrets. Another seed makes others of the same kinds.
pub(crate) fn secrets(seed: u64) -> Vec<Case> {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let all = lines(include_str!("secrets.txt"));
    all.filter_map(|line| Some(case(line.split_once('\t')?, &mut dice))).collect()
}

fn case((kind, pattern): (&'static str, &str), dice: &mut Dice) -> Case {
    let mut case = Case { kind, line: String::new(), secrets: Vec::new(), around: String::new() };
    for (number, part) in pattern.split(['⟦', '⟧']).enumerate() {
        let made = dice.fill(part);
        case.line.push_str(&made);
        if number % 2 == 1 {
            case.secrets.push(made);
            case.around.push('\n');
        } else {
            case.around.push_str(&made);
        }
    }
    case
}

/// Random in the same way every time.
struct Dice(u64);

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    /// A word in which every one of the alphabets has a character, if it is long enough.
    fn word(&mut self, alphabets: &[&str], length: usize) -> String {
        let all: Vec<char> = alphabets.iter().flat_map(|a| a.chars()).collect();
        let mut word: Vec<char> = (0..length).map(|_| all[self.below(all.len())]).collect();
        if length >= 2 * alphabets.len() {
            for (place, alphabet) in alphabets.iter().enumerate() {
                let own: Vec<char> = alphabet.chars().collect();
                word[1 + place] = own[self.below(own.len())];
            }
        }
        word.into_iter().collect()
    }

    /// The pattern with everything made that it names.
    fn fill(&mut self, pattern: &str) -> String {
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let made =
                after.split_once('}').and_then(|(name, after)| Some((self.make(name)?, after)));
            if let Some((made, after)) = made {
                out.push_str(&made);
                rest = after;
            } else {
                out.push('{');
                rest = after;
            }
        }
        out + rest
    }

    fn make(&mut self, what: &str) -> Option<String> {
        let mut parts = what.split(':');
        let name = parts.next()?;
        let length = parts.next().and_then(|n| n.parse().ok());
        Some(match (name, length) {
            ("hex", Some(n)) => self.word(&["abcdef", DIGITS], n),
            ("digits", Some(n)) => self.word(&["123456789"], n),
            ("upper", Some(n)) => self.word(&[UPPER, "234567"], n),
            ("lower", Some(n)) => self.word(&[LOWER, DIGITS], n),
            ("letters", Some(n)) => self.word(&[LOWER], n),
            ("alnum", Some(n)) => self.word(&[LOWER, UPPER, DIGITS], n),
            ("b64", Some(n)) => self.word(&[LOWER, UPPER, DIGITS], n - 1) + "A",
            ("word", Some(n)) => self.word(&[LOWER, UPPER, DIGITS, "_"], n - 1) + "Z",
            ("uuid", None) => [8, 4, 4, 4, 12].map(|n| self.word(&["abcdef", DIGITS], n)).join("-"),
            ("basic", None) => {
                let password = self.word(&[LOWER, UPPER, DIGITS], 14);
                base64(format!("ann:{password}").as_bytes())
            }
            ("card", Some(_)) => self.card(what)?,
            _ => return None,
        })
    }

    /// `card:FIRST:LENGTH:SEPARATOR`, with a right check digit.
    fn card(&mut self, what: &str) -> Option<String> {
        let parts: Vec<&str> = what.split(':').collect();
        let length: usize = parts.get(2)?.parse().ok()?;
        let mut number = (*parts.get(1)?).to_owned();
        number.push_str(&self.word(&[DIGITS], length - 1 - number.len()));
        let sum: u32 = number
            .chars()
            .rev()
            .enumerate()
            .filter_map(|(place, c)| Some((place, c.to_digit(10)?)))
            .map(
                |(place, digit)| {
                    if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
                },
            )
            .sum();
        number.push(char::from_digit((10 - sum % 10) % 10, 10)?);
        let Some(separator) = parts.get(3) else { return Some(number) };
        let groups: Vec<&str> =
            (0..length).step_by(4).filter_map(|at| number.get(at..(at + 4).min(length))).collect();
        Some(groups.join(separator))
    }
}

fn base64(bytes: &[u8]) -> String {
    let alphabet: Vec<char> = [UPPER, LOWER, DIGITS, "+/"].concat().chars().collect();
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_usize, |bits, b| bits << 8 | usize::from(*b));
        let bits = bits << (8 * (3 - three.len()));
        for place in 0..4 {
            let six = bits >> (18 - 6 * place) & 63;
            out.push(if place > three.len() { '=' } else { alphabet[six] });
        }
    }
    out
}
