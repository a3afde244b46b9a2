//! The cluster id of every line, kept until the whole input was seen: a late merge may still change
//! which id is the final one.
//!
//! Bounded: `IN_MEMORY` ids wait in memory (4 MiB); what is more goes to an unnamed file in the
//! folder for temporary files, four bytes a line, at most [`MOST_LINES`] lines.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom, Write as _};

use thiserror::Error;

/// Ids that are kept in memory.
const IN_MEMORY: usize = 1 << 20;
/// Lines that are numbered: 16 GiB of ids.
pub const MOST_LINES: u64 = 1 << 32;

/// Why a line's id cannot be kept.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The file for what does not fit into memory.
    #[error(
        "cannot keep the ids of more than {IN_MEMORY} lines in a temporary file: {0}; make room there, or set TMPDIR"
    )]
    File(#[from] io::Error),
    /// Too long.
    #[error("the input has more than {MOST_LINES} lines; cut it into pieces")]
    Full,
}

/// Ids in the order of the lines.
#[derive(Debug)]
pub struct Spool {
    recent: Vec<u32>,
    bound: usize,
    file: Option<File>,
    filed: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self::bounded(IN_MEMORY)
    }
}

impl Spool {
    fn bounded(bound: usize) -> Self {
        Self { recent: Vec::new(), bound, file: None, filed: 0 }
    }

    /// Lines so far.
    pub fn lines(&self) -> u64 {
        self.filed + self.recent.len() as u64
    }

    /// Keeps the id of the next line.
    pub fn push(&mut self, id: u32) -> Result<(), SpoolError> {
        if self.recent.len() >= self.bound {
            self.file_away()?;
        }
        self.recent.push(id);
        Ok(())
    }

    fn file_away(&mut self) -> Result<(), SpoolError> {
        if self.lines() >= MOST_LINES {
            return Err(SpoolError::Full);
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let bytes: Vec<u8> = self.recent.iter().flat_map(|id| id.to_le_bytes()).collect();
        file.write_all(&bytes)?;
        self.filed += self.recent.len() as u64;
        self.recent.clear();
        Ok(())
    }

    /// Gives every id to `each`, the first line's first, until it fails.
    pub fn replay<E: From<SpoolError>>(
        mut self,
        mut each: impl FnMut(u32) -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(0)).map_err(SpoolError::File)?;
            let mut ids = BufReader::with_capacity(64 * 1024, file);
            let mut bytes = [0; 4];
            for _ in 0..self.filed {
                ids.read_exact(&mut bytes).map_err(SpoolError::File)?;
                each(u32::from_le_bytes(bytes))?;
            }
        }
        self.recent.into_iter().try_for_each(each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_in_order_from_memory_and_from_the_file() {
        for count in [0, 1, 4, 5, 8, 11] {
            let mut spool = Spool::bounded(4);
            for id in 0..count {
                spool.push(id * 1_000_003).unwrap();
                assert!(spool.recent.len() <= 4);
            }
            assert_eq!(spool.lines(), u64::from(count));
            assert_eq!(spool.file.is_some(), count > 4);
            let mut back = Vec::new();
            spool
                .replay(|id| {
                    back.push(id);
                    Ok::<_, SpoolError>(())
                })
                .unwrap();
            assert_eq!(back, (0..count).map(|id| id * 1_000_003).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_reader_that_has_enough_ends_it() {
        let mut spool = Spool::bounded(2);
        (0..5).for_each(|id| spool.push(id).unwrap());
        let mut seen = 0;
        let ended = spool.replay(|_| {
            seen += 1;
            if seen < 2 { Ok(()) } else { Err(SpoolError::Full) }
        });
        assert!(matches!(ended, Err(SpoolError::Full)) && seen == 2);
    }
}
