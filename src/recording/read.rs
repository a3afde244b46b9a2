//! Reads a recording line by line. It may come from a stranger: what is wrong is told with the
//! number of the line.

use std::io::{self, BufRead, Read as _};

use sentinel_core::session::input::Input;
use sentinel_core::session::wire::{Given, Head, LineError, MOST_LINE};
use thiserror::Error;

/// Why a recording cannot be replayed, or not beyond a line.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("cannot read on behind line {line}: {source}")]
    Io {
        /// The last line that was read.
        line: u64,
        /// Why.
        source: io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line}: {source}")]
    Line {
        /// Its number, from 1.
        line: u64,
        /// What is wrong.
        source: LineError,
    },
    /// A line is longer than any that is written.
    #[error("line {line}: it has more than {MOST_LINE} bytes")]
    TooLong {
        /// Its number.
        line: u64,
    },
    /// There is nothing in it.
    #[error("line 1: the recording is empty")]
    Empty,
    /// There is something where nothing may be.
    #[error("line {line}: the recording ended in the line before, and there is more")]
    BehindTheEnd {
        /// Its number.
        line: u64,
    },
}

/// How the reading ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As the recording says.
    Told(String),
    /// Nothing says why it ends: the recorder was killed.
    Missing,
    /// In the middle of this line.
    Cut {
        /// Its number.
        line: u64,
    },
}

/// What a recording gives next.
#[derive(Debug)]
pub enum Next {
    /// An input.
    Given(Box<Given<'static>>),
    /// Nothing more.
    End(End),
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Recording<R> {
    from: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Recording<R> {
    /// Reads the first line.
    pub fn open(from: R) -> Result<(Head, Self), ReadError> {
        let mut recording = Self { from, line: 0, buffer: Vec::new() };
        if !recording.fill()? {
            return Err(ReadError::Empty);
        }
        let head = Head::read(recording.text());
        let head = head.map_err(|source| ReadError::Line { line: 1, source })?;
        Ok((head, recording))
    }

    /// The number of the line that was read last.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Reads on.
    pub fn read_on(&mut self) -> Result<Next, ReadError> {
        if !self.fill()? {
            return Ok(Next::End(End::Missing));
        }
        let line = self.line;
        match Given::read(self.text()) {
            Ok(Given { input: Input::End(why), .. }) => {
                if self.fill()? {
                    return Err(ReadError::BehindTheEnd { line: self.line });
                }
                Ok(Next::End(End::Told(why.into_owned())))
            }
            Ok(given) => Ok(Next::Given(Box::new(given))),
            // A line that was being written when the recorder was killed is nobody's mistake.
            Err(_) if !self.buffer.ends_with(b"\n") => Ok(Next::End(End::Cut { line })),
            Err(source) => Err(ReadError::Line { line, source }),
        }
    }

    /// The next line into the buffer. False: there is none.
    fn fill(&mut self) -> Result<bool, ReadError> {
        self.buffer.clear();
        let most = MOST_LINE as u64 + 1;
        let taken = self.from.by_ref().take(most).read_until(b'\n', &mut self.buffer);
        let taken = taken.map_err(|source| ReadError::Io { line: self.line, source })?;
        if taken == 0 {
            return Ok(false);
        }
        self.line += 1;
        if self.buffer.len() > MOST_LINE && !self.buffer.ends_with(b"\n") {
            return Err(ReadError::TooLong { line: self.line });
        }
        Ok(true)
    }

    fn text(&self) -> &[u8] {
        self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer)
    }
}
