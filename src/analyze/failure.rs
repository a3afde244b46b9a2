//! Why a question has no answer: each a sentence that says what failed, where, and what to do.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::redact::clean;
use thiserror::Error;

/// Bytes of an endpoint's own words that are repeated.
const MOST_WORDS: usize = 300;

/// Who was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `triage` or `analyst`.
    pub role: String,
    /// The model, where one was named.
    pub model: Option<String>,
    /// The address, without a key.
    pub base: String,
    /// The variable that holds the key.
    pub key_name: String,
    /// A key was sent.
    pub keyed: bool,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.model {
            Some(model) => write!(f, "{} ({model} at {})", self.role, self.base),
            None => write!(f, "{} (at {})", self.role, self.base),
        }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// HTTP 401.
    #[error("{asked}: {}{words}", key_advice(asked))]
    Unauthorized {
        /// Who was asked.
        asked: Box<Asked>,
        /// The endpoint's own.
        words: Words,
    },
    /// HTTP 402.
    #[error("{asked}: the account has no credit left (HTTP 402){words}; add some, or set another key in {}", asked.key_name)]
    Unpaid {
        /// Who was asked.
        asked: Box<Asked>,
        /// The endpoint's own.
        words: Words,
    },
    /// HTTP 403.
    #[error("{asked}: this is forbidden (HTTP 403){words}; check what {} may do, or choose another model", asked.key_name)]
    Forbidden {
        /// Who was asked.
        asked: Box<Asked>,
        /// The endpoint's own.
        words: Words,
    },
    /// HTTP 404, or a model that the list does not have.
    #[error(
        "{asked}: the model or the address is not known there{words}; name another model (CEREBRAS_MODEL, LLAMA_MODEL) or correct the address"
    )]
    NoModel {
        /// Who was asked.
        asked: Box<Asked>,
        /// The endpoint's own, or what is offered.
        words: Words,
    },
    /// HTTP 400 or 422, or another answer that says that the question is wrong.
    #[error(
        "{asked}: the question was refused (HTTP {status}){words}; choose another model if this stays"
    )]
    Refused {
        /// Who was asked.
        asked: Box<Asked>,
        /// The answer's status.
        status: u16,
        /// The endpoint's own.
        words: Words,
    },
    /// HTTP 429.
    #[error("{asked}: too many requests (HTTP 429){words}; it may be asked again {}", when(*until))]
    Busy {
        /// Who was asked.
        asked: Box<Asked>,
        /// When it wants to be asked again.
        until: Option<Timestamp>,
        /// The endpoint's own.
        words: Words,
    },
    /// HTTP 408 or 5xx.
    #[error(
        "{asked}: the endpoint failed (HTTP {status}){words}; look at its status page, or name another model as a fall-back"
    )]
    Server {
        /// Who was asked.
        asked: Box<Asked>,
        /// The answer's status.
        status: u16,
        /// When it wants to be asked again.
        until: Option<Timestamp>,
        /// The endpoint's own.
        words: Words,
    },
    /// No connection.
    #[error(
        "{asked}: it cannot be reached{words}; is it running, and does a proxy (HTTPS_PROXY, NO_PROXY) stand between?"
    )]
    Unreachable {
        /// Who was asked.
        asked: Box<Asked>,
        /// The system's.
        words: Words,
    },
    /// A certificate that nobody vouches for.
    #[error(
        "{asked}: its certificate is not trusted, or not for that name; name a file with its authority in models.ca_file or SSL_CERT_FILE"
    )]
    Untrusted {
        /// Who was asked.
        asked: Box<Asked>,
    },
    /// It took too long.
    #[error("{asked}: {what} within {seconds} s; it is overloaded, or the network is slow")]
    Slow {
        /// Who was asked.
        asked: Box<Asked>,
        /// What did not happen in time.
        what: Late,
        /// The bound.
        seconds: u64,
    },
    /// The connection ended before the answer did.
    #[error(
        "{asked}: the answer was cut off{words}; this is tried again, look at the network if it stays"
    )]
    Cut {
        /// Who was asked.
        asked: Box<Asked>,
        /// The system's.
        words: Words,
    },
    /// What came is no answer of such an endpoint.
    #[error(
        "{asked}: the answer cannot be read{words}; does the address end in /v1, and is it an OpenAI-compatible endpoint?"
    )]
    Unreadable {
        /// Who was asked.
        asked: Box<Asked>,
        /// What is wrong with it.
        words: Words,
    },
    /// More than is taken.
    #[error(
        "{asked}: the answer is larger than {most} bytes and was given up; choose another model if this stays"
    )]
    TooLarge {
        /// Who was asked.
        asked: Box<Asked>,
        /// The bound.
        most: usize,
    },
    /// Nothing came.
    #[error("{asked}: the answer is empty; choose another model if this stays")]
    Empty {
        /// Who was asked.
        asked: Box<Asked>,
    },
    /// The circuit breaker is open.
    #[error(
        "{asked}: it is left alone until {until} after failing repeatedly; the last time: {last}"
    )]
    Resting {
        /// Who would be asked.
        asked: Box<Asked>,
        /// Until when.
        until: Timestamp,
        /// The failure before.
        last: String,
    },
    /// The client cannot be made.
    #[error("{asked}: {words}")]
    Setup {
        /// Who would be asked.
        asked: Box<Asked>,
        /// What is wrong and what to do.
        words: String,
    },
    /// Nobody wants to know any more.
    #[error("{asked}: stopped before the answer was complete, because it is no longer needed")]
    Stopped {
        /// Who was asked.
        asked: Box<Asked>,
    },
}

/// What did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// The first byte.
    FirstByte,
    /// The next piece.
    Piece,
    /// The end.
    End,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstByte => "no answer began",
            Self::Piece => "the answer stopped half-way: no further piece came",
            Self::End => "the answer did not end",
        })
    }
}

/// Words of somebody else, made safe and short; empty or shown behind a colon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Takes them in.
    pub fn new(text: &str) -> Self {
        let end = text.char_indices().map(|(at, _)| at).nth(2 * MOST_WORDS);
        let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self(clean(line.as_bytes(), MOST_WORDS))
    }

    /// Whether they have a word in them.
    pub fn mention(&self, word: &str) -> bool {
        self.0.contains(word)
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.0.trim_end_matches(['.', ' ']))
        }
    }
}

fn key_advice(asked: &Asked) -> String {
    if asked.keyed {
        format!("the key is refused (HTTP 401); check {}", asked.key_name)
    } else {
        format!("a key is asked for (HTTP 401); set {}", asked.key_name)
    }
}

fn when(until: Option<Timestamp>) -> String {
    until.map_or_else(|| "later".to_owned(), |until| format!("at {}", rounded(until)))
}

/// Whole seconds: a time to read.
fn rounded(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().saturating_add(1)).unwrap_or(at)
}

impl Failure {
    /// The failure that an HTTP status means; a status inside a stream counts as one.
    pub fn of_status(asked: Asked, status: u16, words: &str, until: Option<Timestamp>) -> Self {
        let (asked, words) = (Box::new(asked), Words::new(words));
        match status {
            401 => Self::Unauthorized { asked, words },
            402 => Self::Unpaid { asked, words },
            403 => Self::Forbidden { asked, words },
            404 => Self::NoModel { asked, words },
            429 => Self::Busy { asked, until, words },
            408 | 425 | 500.. => Self::Server { asked, status, until, words },
            _ => Self::Refused { asked, status, words },
        }
    }

    /// Asking again may help.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Server { .. }
                | Self::Unreachable { .. }
                | Self::Slow { what: Late::FirstByte | Late::Piece | Late::End, .. }
                | Self::Cut { .. }
                | Self::Unreadable { .. }
                | Self::Empty { .. }
        )
    }

    /// The next question would fail for the same reason: the circuit breaker counts it.
    pub fn is_the_endpoints(&self) -> bool {
        self.is_transient()
            || matches!(
                self,
                Self::Unauthorized { .. }
                    | Self::Unpaid { .. }
                    | Self::Forbidden { .. }
                    | Self::NoModel { .. }
                    | Self::Untrusted { .. }
            )
    }

    /// When the endpoint itself wants to be asked again.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Busy { until, .. } | Self::Server { until, .. } => *until,
            _ => None,
        }
    }

    /// How long the endpoint itself wants to be left alone.
    pub fn wanted_pause(&self, now: Timestamp) -> Option<SignedDuration> {
        self.until().map(|until| until.duration_since(now).max(SignedDuration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            role: "triage".to_owned(),
            model: Some("m".to_owned()),
            base: "https://x/v1".to_owned(),
            key_name: "CEREBRAS_API_KEY".to_owned(),
            keyed: true,
        }
    }

    #[test]
    fn each_status_says_what_to_do() {
        for (status, words) in [
            (400, "the question was refused (HTTP 400): because; choose another model"),
            (401, "the key is refused (HTTP 401); check CEREBRAS_API_KEY: because"),
            (
                402,
                "no credit left (HTTP 402): because; add some, or set another key in CEREBRAS_API_KEY",
            ),
            (403, "forbidden (HTTP 403): because"),
            (404, "the model or the address is not known there: because; name another model"),
            (422, "refused (HTTP 422)"),
            (429, "too many requests (HTTP 429): because; it may be asked again later"),
            (503, "the endpoint failed (HTTP 503): because"),
        ] {
            let failure = Failure::of_status(asked(), status, "because.\n", None);
            let text = failure.to_string();
            assert!(text.starts_with("triage (m at https://x/v1): "), "{text}");
            assert!(text.contains(words), "{text}");
            assert_eq!(failure.is_transient(), matches!(status, 429 | 503), "{text}");
        }
        let none = Failure::of_status(Asked { keyed: false, ..asked() }, 401, "", None);
        assert!(none.to_string().contains("a key is asked for (HTTP 401); set CEREBRAS_API_KEY"));
    }

    #[test]
    fn foreign_words_are_short_and_safe() {
        let words = Words::new(&format!("\u{1b}[31mred\u{202e}\r\n{}", "x".repeat(5000)));
        assert!(words.0.len() < MOST_WORDS + 40, "{}", words.0.len());
        assert!(!words.0.contains(['\u{1b}', '\u{202e}', '\n']), "{words}");
    }
}
