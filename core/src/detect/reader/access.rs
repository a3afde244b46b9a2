//! Access lines of nginx, Apache and their like: `"GET /a HTTP/1.1" 200 12`.
//!
//! The message is the request, the status and the size. The address, the user and the time before
//! them are header; the referer and the agent behind them would make a template of every browser.

use std::ops::Range;

use crate::domain::log::Level;

/// A request must begin this early: behind an address and a dash.
const LONGEST_ADDRESS: usize = 64;

/// A request with its answer.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The request without its quotes.
    pub(super) line: Range<usize>,
    /// The status.
    pub(super) status: Range<usize>,
    /// The size of the answer, if it follows; empty otherwise.
    pub(super) size: Range<usize>,
}

impl Request {
    /// The whole of it, as it stands in the line.
    pub(super) fn span(&self) -> Range<usize> {
        self.line.start - 1..self.status.end.max(self.size.end)
    }

    /// The level that the status means: the server's failures are errors.
    pub(super) fn level(&self, b: &[u8]) -> Level {
        if b.get(self.status.start) == Some(&b'5') { Level::Error } else { Level::Info }
    }
}

/// The request in a message that begins at `p`: at once, or behind an address. Behind the time of
/// an access line (`sure`) it may be any text, elsewhere it must begin with a method.
pub(super) fn read(b: &[u8], p: usize, sure: bool) -> Option<Request> {
    let quote = match b.get(p)? {
        b'"' => p,
        c if c.is_ascii_digit() || *c == b'[' => {
            let address = b.get(p..)?.iter().take(LONGEST_ADDRESS).position(|c| *c == b'"')?;
            let before = b.get(p..p + address)?;
            if before.iter().any(|c| c.is_ascii_alphabetic() && !c.is_ascii_hexdigit()) {
                return None;
            }
            p + address
        }
        _ => return None,
    };
    let begin = quote + 1;
    let rest = b.get(begin..)?;
    let method = rest.iter().take_while(|c| c.is_ascii_uppercase()).count();
    let named = (3..=10).contains(&method) && rest.get(method) == Some(&b' ');
    if !(sure || named) {
        return None;
    }
    let mut end = begin;
    loop {
        match b.get(end)? {
            b'"' => break,
            b'\\' => end += 2,
            _ => end += 1,
        }
    }
    let status = end + 2;
    let number =
        |p: usize| b.get(p..).unwrap_or_default().iter().take_while(|c| c.is_ascii_digit()).count();
    if b.get(end + 1) != Some(&b' ')
        || number(status) != 3
        || !matches!(b.get(status + 3), None | Some(b' '))
    {
        return None;
    }
    let size = status + 4;
    let digits = if status + 3 < b.len() { number(size) } else { 0 };
    let size = if digits > 0 && matches!(b.get(size + digits), None | Some(b' ')) {
        size..size + digits
    } else {
        status + 3..status + 3
    };
    Some(Request { line: begin..end, status: status..status + 3, size })
}
