//! The audit trail, or a part of it, for others: lines of the trail between an opening and a closing
//! line, so that a file by itself shows whether anything of it is missing.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::store::chain::{ChainFault, ChainProblem, GENESIS, Verified};
use crate::store::trail::{self, FileError, Line};

/// The first line of an export that leaves nothing out.
const WHOLE: &[u8] = b"{\"audit\":1,\"part\":false}\n";
/// The first line of one that was asked for a part of the trail.
const PART: &[u8] = b"{\"audit\":1,\"part\":true}\n";
/// What a closing line begins with.
const CLOSING: &[u8] = b"{\"exported\":";

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    /// Records in the file.
    exported: u64,
    /// The hash of the last of them; [`GENESIS`] if there is none.
    head: String,
    /// SHA-256 over every byte before this line.
    sha256: String,
}

/// Writes an export, line by line.
#[derive(Debug)]
pub struct Export {
    digest: Sha256,
    good: Verified,
}

impl Export {
    /// Begins one; the second value is its opening line.
    pub fn new(part: bool) -> (Self, String) {
        let opening = if part { PART } else { WHOLE };
        let digest = Sha256::new_with_prefix(opening);
        let good = Verified { count: 0, head: GENESIS.to_owned() };
        (Self { digest, good }, String::from_utf8_lossy(opening).into_owned())
    }

    /// Takes the next line of the trail, its end included.
    pub fn take(&mut self, line: &trail::TrailLine) {
        self.digest.update(&line.line);
        self.good = Verified { count: self.good.count + 1, head: line.hash.clone() };
    }

    /// The closing line.
    pub fn close(self) -> serde_json::Result<String> {
        let Verified { count: exported, head } = self.good;
        serde_json::to_string(&Closing { exported, head, sha256: hex(self.digest) })
            .map(|line| line + "\n")
    }
}

fn hex(digest: Sha256) -> String {
    let halves = digest.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.filter_map(|half| char::from_digit(half.into(), 16)).collect()
}

/// What a file was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An export of the whole trail: nothing is missing up to its head.
    Whole,
    /// An export of a part: its lines are as they were exported.
    Part,
    /// The trail's own file: where it should end, its head must tell.
    Trail,
}

/// Checks a file by itself: an export, or a copy of the trail of which `head` tells the last hash.
pub fn check(lines: &mut impl BufRead, head: Option<&str>) -> Result<(Kind, Verified), FileError> {
    let opening = {
        let seen = lines.fill_buf()?;
        seen.starts_with(b"{\"audit\":")
    };
    if !opening {
        let good = trail::walk(lines)?;
        let (n, why) = match head {
            Some(head) if head == good.head => return Ok((Kind::Trail, good)),
            Some(_) => (good.count, ChainFault::HeadDiffers),
            None => (good.count + 1, ChainFault::Unclosed),
        };
        return Err(ChainProblem { n, why }.into());
    }
    let mut raw = Vec::new();
    trail::next(lines, &mut raw)?;
    let part = match raw.as_slice() {
        WHOLE => false,
        PART => true,
        _ => return Err(ChainProblem { n: 1, why: ChainFault::Unreadable }.into()),
    };
    let mut digest = Sha256::new_with_prefix(&raw);
    let mut good = Verified { count: 0, head: GENESIS.to_owned() };
    let mut last = 0;
    loop {
        if !trail::next(lines, &mut raw)? {
            return Err(ChainProblem { n: last + 1, why: ChainFault::Unclosed }.into());
        }
        if raw.starts_with(CLOSING) {
            closed(&raw, digest, &good, last)?;
            nothing_more(lines, last)?;
            let kind = if part { Kind::Part } else { Kind::Whole };
            return Ok((kind, good));
        }
        if part {
            follow_part(&mut good, &mut last, &raw)?;
        } else {
            trail::follow(&mut good, &raw).map_err(|found| found.explained(lines))?;
            last = good.count;
        }
        digest.update(&raw);
    }
}

/// A line of a part: it may leave out records, but each is as it was written, and those that stand
/// side by side in the trail do so here.
fn follow_part(good: &mut Verified, last: &mut u64, raw: &[u8]) -> Result<(), FileError> {
    let fault = |n, why| Err(FileError::Chain(ChainProblem { n, why }));
    let Some(body) = raw.strip_suffix(b"\n") else { return fault(*last + 1, ChainFault::Cut) };
    let Some(line) = Line::read(body) else { return fault(*last + 1, ChainFault::Unreadable) };
    if line.n <= *last {
        return fault(line.n, ChainFault::Inserted);
    }
    if !line.is_whole() {
        return fault(line.n, ChainFault::Changed);
    }
    if line.n == *last + 1 && line.prev_hash != good.head {
        return fault(line.n, ChainFault::Unlinked);
    }
    *last = line.n;
    *good = Verified { count: good.count + 1, head: line.hash.to_owned() };
    Ok(())
}

fn closed(raw: &[u8], digest: Sha256, good: &Verified, last: u64) -> Result<(), FileError> {
    let wanted = Closing { exported: good.count, head: good.head.clone(), sha256: hex(digest) };
    let wanted = serde_json::to_string(&wanted).map_err(io::Error::from)? + "\n";
    if raw == wanted.as_bytes() {
        return Ok(());
    }
    let why = match serde_json::from_slice::<Closing>(raw) {
        Ok(closing) if closing.exported > good.count => ChainFault::Missing,
        _ if !raw.ends_with(b"\n") => ChainFault::Cut,
        _ => ChainFault::ClosingDiffers,
    };
    Err(ChainProblem { n: last + 1, why }.into())
}

fn nothing_more(lines: &mut impl BufRead, last: u64) -> Result<(), FileError> {
    if lines.fill_buf()?.is_empty() {
        return Ok(());
    }
    Err(ChainProblem { n: last + 1, why: ChainFault::Added }.into())
}
