//! One HTTP exchange: a question is sent, and its answer read piece by piece, within the limits.

use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{RequestBuilder, Response};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::analyze::assembly::{Assembly, Unfit};
use crate::analyze::endpoint::Limits;
use crate::analyze::failure::{Asked, Failure, Late, Words};
use crate::analyze::lines::EventReader;
use crate::analyze::reply::{Finish, Heard};
use crate::analyze::retry::wanted;
use crate::analyze::transport::{is_untrusted, told};
use crate::analyze::wire::error_words;

/// Bytes of an answer that is an error.
const MOST_ERROR: usize = 16 * 1024;
/// A stream may have so many bytes for each byte of the answer: a token of four bytes comes in an
/// event of some three hundred.
const OVERHEAD: usize = 96;

/// Somebody who hears the answer while it comes.
pub(crate) struct Ear {
    to: Option<mpsc::Sender<Heard>>,
    heard: bool,
}

impl Ear {
    pub(crate) fn new(to: Option<mpsc::Sender<Heard>>) -> Self {
        Self { to, heard: false }
    }

    async fn piece(&mut self, text: String) {
        if !text.is_empty() {
            self.heard = true;
            self.say(Heard::Piece(text)).await;
        }
    }

    /// What was heard so far is void.
    pub(crate) async fn anew(&mut self) {
        if std::mem::take(&mut self.heard) {
            self.say(Heard::Anew).await;
        }
    }

    async fn say(&mut self, what: Heard) {
        if let Some(to) = &self.to
            && to.send(what).await.is_err()
        {
            // Nobody listens any more; the answer itself may still be wanted.
            self.to = None;
        }
    }
}

/// One exchange.
pub(crate) struct Exchange<'a> {
    pub asked: Asked,
    pub limits: &'a Limits,
    /// The key, to be taken out of what the endpoint says.
    pub key: Option<&'a str>,
    began: Instant,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(asked: Asked, limits: &'a Limits, key: Option<&'a str>) -> Self {
        Self { asked, limits, key, began: Instant::now() }
    }

    fn asked(&self) -> Asked {
        self.asked.clone()
    }

    /// What came before a failure is in `assembly`, too.
    pub(crate) async fn run(
        &self,
        request: RequestBuilder,
        body: String,
        assembly: &mut Assembly,
        ear: &mut Ear,
    ) -> Result<(), Failure> {
        let request = request
            .header(ACCEPT, "text/event-stream, application/json")
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let mut response = self.send(request).await?;
        let kind = response.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if kind.contains("html") {
            return Err(self.unreadable("it is a web page"));
        }
        if kind.contains("application/json") {
            let body = self.whole(&mut response, self.limits.reply_bytes.saturating_mul(2)).await?;
            let piece =
                assembly.event(&String::from_utf8_lossy(&body)).map_err(|e| self.unfit(e))?;
            ear.piece(piece).await;
            assembly.done = true;
        } else {
            self.stream(&mut response, assembly, ear).await?;
        }
        if assembly.finish.is_none() && !assembly.done {
            return Err(self.cut("the stream ended before the answer did"));
        }
        let kept_back = matches!(assembly.finish, Some(Finish::ContentFilter | Finish::Length));
        if assembly.is_empty() && !kept_back {
            return Err(Failure::Empty { asked: Box::new(self.asked()) });
        }
        Ok(())
    }

    /// Sends a request and gives the answer, if its status says that it is one.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let sent = timeout_at(self.first(), request.send()).await;
        let mut response = match sent {
            Err(_) => return Err(self.slow(Late::FirstByte)),
            Ok(Err(error)) if is_untrusted(&error) => {
                return Err(Failure::Untrusted { asked: Box::new(self.asked()) });
            }
            Ok(Err(error)) => {
                let words = Words::new(&told(&error));
                return Err(Failure::Unreachable { asked: Box::new(self.asked()), words });
            }
            Ok(Ok(response)) => response,
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let headers = response.headers().clone();
        let until = wanted(|name| headers.get(name)?.to_str().ok(), Timestamp::now());
        let words = if status.is_redirection() {
            "it redirects elsewhere, where the key does not belong".to_owned()
        } else {
            // The status alone says enough if its body does not come.
            let body = self.whole(&mut response, MOST_ERROR).await.unwrap_or_default();
            self.hide(&error_words(&String::from_utf8_lossy(&body)))
        };
        Err(Failure::of_status(self.asked(), status.as_u16(), &words, until))
    }

    /// A body in one piece.
    pub(crate) async fn whole(
        &self,
        response: &mut Response,
        most: usize,
    ) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(bytes) = self.next(response, body.is_empty()).await? {
            if body.len() + bytes.len() > most {
                return Err(Failure::TooLarge { asked: Box::new(self.asked()), most });
            }
            body.extend_from_slice(&bytes);
        }
        Ok(body)
    }

    async fn stream(
        &self,
        response: &mut Response,
        assembly: &mut Assembly,
        ear: &mut Ear,
    ) -> Result<(), Failure> {
        let most = self.limits.reply_bytes;
        let mut reader = EventReader::new(most.saturating_mul(2), most.saturating_mul(OVERHEAD));
        let too_long = |_| Failure::TooLarge { asked: Box::new(self.asked()), most };
        let mut nothing_yet = true;
        while !assembly.done {
            let bytes = match self.next(response, nothing_yet).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => break,
                // The answer is complete; only the usage behind it is missing.
                Err(_) if assembly.finish.is_some() => return Ok(()),
                Err(failure) => return Err(failure),
            };
            nothing_yet = false;
            for event in reader.push(&bytes).map_err(too_long)? {
                ear.piece(assembly.event(&event).map_err(|e| self.unfit(e))?).await;
            }
        }
        if !assembly.done
            && let Some(event) = reader.finish().map_err(too_long)?
        {
            match assembly.event(&event) {
                Ok(piece) => ear.piece(piece).await,
                // The last event was cut in two.
                Err(Unfit::Unreadable) => {}
                Err(unfit) => return Err(self.unfit(unfit)),
            }
        }
        Ok(())
    }

    /// The next bytes of a body.
    async fn next(
        &self,
        response: &mut Response,
        is_first: bool,
    ) -> Result<Option<impl AsRef<[u8]> + std::ops::Deref<Target = [u8]>>, Failure> {
        let end = self.began + self.limits.whole;
        let until = if is_first { self.first() } else { Instant::now() + self.limits.idle };
        match timeout_at(until.min(end), response.chunk()).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(self.cut(&told(&error))),
            Err(_) if Instant::now() >= end => Err(self.slow(Late::End)),
            Err(_) if is_first => Err(self.slow(Late::FirstByte)),
            Err(_) => Err(self.slow(Late::Piece)),
        }
    }

    fn first(&self) -> Instant {
        self.began + self.limits.first_byte.min(self.limits.whole)
    }

    fn slow(&self, what: Late) -> Failure {
        let bound = match what {
            Late::FirstByte => self.limits.first_byte.min(self.limits.whole),
            Late::Piece => self.limits.idle,
            Late::End => self.limits.whole,
        };
        // Never "within 0 s".
        let seconds = bound.as_secs_f64().ceil().max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a whole number of seconds, of a bound that a person chose"
        )]
        let seconds = seconds as u64;
        Failure::Slow { asked: Box::new(self.asked()), what, seconds }
    }

    fn cut(&self, words: &str) -> Failure {
        Failure::Cut { asked: Box::new(self.asked()), words: Words::new(words) }
    }

    pub(crate) fn unreadable(&self, words: &str) -> Failure {
        Failure::Unreadable { asked: Box::new(self.asked()), words: Words::new(words) }
    }

    fn unfit(&self, unfit: Unfit) -> Failure {
        match unfit {
            Unfit::Unreadable => self.unreadable("an event of the stream is no JSON"),
            Unfit::TooLarge => {
                Failure::TooLarge { asked: Box::new(self.asked()), most: self.limits.reply_bytes }
            }
            // Without a status it is the endpoint that failed: it had begun to answer.
            Unfit::Told { status, words } => Failure::of_status(
                self.asked.clone(),
                status.unwrap_or(500),
                &self.hide(&words),
                None,
            ),
        }
    }

    /// Some endpoints repeat the key that they refuse.
    fn hide(&self, words: &str) -> String {
        match self.key {
            Some(key) => words.replace(key, "***"),
            None => words.to_owned(),
        }
    }
}
