//! What waits to be sent: first in memory, then in a file, both bounded, always in order.
//!
//! What stands in memory is older than what stands in the file. Nothing leaves before it is
//! acknowledged; a file that is left at the end is read at the next start.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::bus::entry::Entry;

/// Bounds of a spool.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Entries in memory.
    pub entries: usize,
    /// Bytes in memory.
    pub bytes: usize,
    /// Bytes of the file.
    pub file: u64,
}

impl Bounds {
    /// For events.
    pub const EVENTS: Self = Self { entries: 4096, bytes: 8 << 20, file: 64 << 20 };
    /// For lines and readings, which are never kept in a file.
    pub const LOGS: Self = Self { entries: 8192, bytes: 8 << 20, file: 0 };
}

/// A part of the spool that outlives memory and, if need be, the process.
#[derive(Debug)]
struct Overflow {
    path: PathBuf,
    file: File,
    /// Up to where it was read.
    read: u64,
    /// Where its whole lines end.
    end: u64,
}

/// Entries in order, oldest first.
#[derive(Debug)]
pub struct Spool {
    bounds: Bounds,
    memory: VecDeque<Entry>,
    bytes: usize,
    /// Oldest entries that were given out and may have arrived: they are not dropped.
    given: usize,
    overflow: Option<Overflow>,
    dropped: u64,
}

impl Spool {
    /// An empty spool in memory.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, memory: VecDeque::new(), bytes: 0, given: 0, overflow: None, dropped: 0 }
    }

    /// With a file, and what an earlier run left in it.
    pub fn with_file(bounds: Bounds, path: &Path) -> io::Result<Self> {
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = open.open(path)?;
        let end = whole_lines(&mut file)?;
        file.set_len(end)?;
        let overflow = Overflow { path: path.to_owned(), file, read: 0, end };
        Ok(Self { overflow: Some(overflow), ..Self::new(bounds) })
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty() && self.in_file() == 0
    }

    /// Entries in memory.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// The run of the oldest entry in memory.
    pub fn run(&self) -> Option<String> {
        self.memory.front().map(|entry| entry.run.clone())
    }

    /// Bytes of the file that wait.
    pub fn in_file(&self) -> u64 {
        self.overflow.as_ref().map_or(0, |o| o.end - o.read)
    }

    /// How many were dropped since the last question.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Adds an entry behind all others. Where there is no room, what can be spared goes: of lines
    /// the oldest, of events the new one, so that what arrives is without holes up to there.
    pub fn push(&mut self, entry: Entry) {
        let bytes = entry.bytes();
        let fits =
            self.memory.len() < self.bounds.entries && self.bytes + bytes <= self.bounds.bytes;
        if fits && self.in_file() == 0 {
            self.bytes += bytes;
            self.memory.push_back(entry);
            return;
        }
        if self.overflow.is_some() {
            if let Err(error) = self.spill(&entry) {
                self.dropped += 1;
                tracing::warn!("an event for Redis could not be kept: {error}");
            }
            return;
        }
        if self.bounds.file > 0 {
            // Events without a file: those that wait keep their order.
            self.dropped += 1;
            return;
        }
        self.bytes += bytes;
        self.memory.push_back(entry);
        while self.memory.len() > self.bounds.entries || self.bytes > self.bounds.bytes {
            let spared = self.given.min(self.memory.len().saturating_sub(1));
            let Some(oldest) = self.memory.remove(spared) else { break };
            self.bytes -= oldest.bytes();
            self.dropped += 1;
        }
    }

    /// The oldest entries of one run, at most so many; they stay until they are acknowledged.
    pub fn head(&mut self, most: usize) -> Vec<Entry> {
        if self.memory.is_empty() {
            self.load();
        }
        let Some(first) = self.memory.front() else { return Vec::new() };
        let run = first.run.clone();
        let of_run = self.memory.iter().take(most).take_while(|entry| entry.run == run);
        let head: Vec<Entry> = of_run.cloned().collect();
        self.given = self.given.max(head.len());
        head
    }

    /// Everything of a run up to a number has arrived.
    pub fn acknowledge(&mut self, run: &str, number: u64) {
        while self.memory.front().is_some_and(|entry| entry.run == run && entry.number <= number) {
            if let Some(entry) = self.memory.pop_front() {
                self.bytes -= entry.bytes();
                self.given = self.given.saturating_sub(1);
            }
        }
        if self.memory.is_empty() {
            self.load();
        }
    }

    /// Keeps what is in memory in the file, too, for the next start. The end of this one.
    pub fn keep(mut self) -> io::Result<()> {
        let Some(overflow) = &mut self.overflow else { return Ok(()) };
        let mut rest = Vec::new();
        overflow.file.seek(SeekFrom::Start(overflow.read))?;
        io::copy(&mut overflow.file, &mut rest)?;
        if self.memory.is_empty() && rest.is_empty() {
            return overflow.file.set_len(0);
        }
        // Beside the file and then in its place: an end in between loses neither.
        let beside = overflow.path.with_extension("new");
        let mut open = OpenOptions::new();
        let mut file = open.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        for entry in &self.memory {
            file.write_all(entry.line().as_bytes())?;
        }
        file.write_all(&rest)?;
        file.sync_all()?;
        std::fs::rename(&beside, &overflow.path)
    }

    fn spill(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(overflow) = &mut self.overflow else { return Ok(()) };
        let line = entry.line();
        let end = overflow.end + line.len() as u64;
        if end > self.bounds.file {
            return Err(io::Error::other("the file for it is full"));
        }
        overflow.file.seek(SeekFrom::Start(overflow.end))?;
        if let Err(error) = overflow.file.write_all(line.as_bytes()) {
            // Half a line is no entry.
            overflow.file.set_len(overflow.end)?;
            return Err(error);
        }
        overflow.end = end;
        Ok(())
    }

    /// Takes the next entries of the file into memory.
    fn load(&mut self) {
        let Some(overflow) = &mut self.overflow else { return };
        if overflow.read >= overflow.end {
            return;
        }
        match read_from(overflow, self.bounds) {
            Ok((entries, broken)) => {
                self.dropped += broken;
                self.bytes = entries.iter().map(Entry::bytes).sum();
                self.memory = entries;
            }
            Err(error) => {
                tracing::warn!("{} cannot be read: {error}", overflow.path.display());
                self.dropped += 1;
                overflow.read = overflow.end;
            }
        }
        if overflow.read >= overflow.end && overflow.file.set_len(0).is_ok() {
            (overflow.read, overflow.end) = (0, 0);
        }
    }
}

/// Where the last whole line ends.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let (mut end, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok(end);
        }
        end += read as u64;
    }
}

/// The next entries, as many as memory holds, and how many lines were none.
fn read_from(overflow: &mut Overflow, bounds: Bounds) -> io::Result<(VecDeque<Entry>, u64)> {
    let (mut entries, mut bytes, mut broken) = (VecDeque::new(), 0, 0);
    overflow.file.seek(SeekFrom::Start(overflow.read))?;
    let mut reader = BufReader::new(&overflow.file);
    let mut line = String::new();
    while overflow.read < overflow.end && entries.len() < bounds.entries && bytes < bounds.bytes {
        line.clear();
        let read = reader.read_line(&mut line)?;
        if read == 0 {
            break;
        }
        overflow.read += read as u64;
        match Entry::read(&line) {
            Some(entry) => {
                bytes += entry.bytes();
                entries.push_back(entry);
            }
            None => broken += 1,
        }
    }
    Ok((entries, broken))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy as _, any, prop, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn entry(number: u64) -> Entry {
        let json = format!("{{\"seq\":{number},\"text\":\"a b\\nc\"}}");
        Entry { run: "r1".to_owned(), number, kind: "anomaly".to_owned(), json }
    }

    const SMALL: Bounds = Bounds { entries: 4, bytes: 1 << 20, file: 100_000 };

    #[derive(Clone, Debug)]
    enum Step {
        Push(u8),
        Send(u8),
        Restart,
    }

    proptest! {
        /// Whatever comes in between, all arrive, each once, in order.
        #[test]
        fn nothing_is_lost_doubled_or_moved(steps in prop::collection::vec(prop_oneof![
            any::<u8>().prop_map(|n| Step::Push(n % 12)),
            any::<u8>().prop_map(|n| Step::Send(n % 9)),
            Just(Step::Restart),
        ], 1..40)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("spool");
            let mut spool = Spool::with_file(SMALL, &path).unwrap();
            let (mut told, mut arrived) = (0, Vec::new());
            let send = |spool: &mut Spool, most: usize, arrived: &mut Vec<u64>| {
                let head = spool.head(most);
                arrived.extend(head.iter().map(|e| e.number));
                if let Some(last) = head.last() {
                    spool.acknowledge(&last.run, last.number);
                }
                !head.is_empty()
            };
            for step in steps {
                match step {
                    Step::Push(count) => for _ in 0..count {
                        told += 1;
                        spool.push(entry(told));
                    },
                    Step::Send(most) => { send(&mut spool, usize::from(most), &mut arrived); }
                    Step::Restart => {
                        spool.keep().unwrap();
                        spool = Spool::with_file(SMALL, &path).unwrap();
                    }
                }
            }
            while send(&mut spool, 3, &mut arrived) {}
            prop_assert_eq!(arrived, (1..=told).collect::<Vec<_>>());
            prop_assert_eq!(spool.take_dropped(), 0);
            prop_assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        }
    }

    #[test]
    fn of_lines_the_oldest_go_and_of_events_the_newest_and_both_are_counted() {
        let lines = Bounds { file: 0, ..SMALL };
        for (bounds, left) in [(lines, vec![3, 4, 5, 6]), (SMALL, vec![1, 2, 3, 4])] {
            let mut spool = Spool::new(bounds);
            (1..=6).for_each(|number| spool.push(entry(number)));
            assert_eq!(spool.head(9).iter().map(|e| e.number).collect::<Vec<_>>(), left);
            assert_eq!((spool.take_dropped(), spool.take_dropped()), (2, 0));
        }
    }

    #[test]
    fn lines_that_may_have_arrived_are_not_counted_as_dropped() {
        let mut spool = Spool::new(Bounds { file: 0, ..SMALL });
        (1..=4).for_each(|number| spool.push(entry(number)));
        assert_eq!(spool.head(2).len(), 2);
        (5..=7).for_each(|number| spool.push(entry(number)));
        assert_eq!(spool.head(9).iter().map(|e| e.number).collect::<Vec<_>>(), [1, 2, 6, 7]);
        spool.acknowledge("r1", 2);
        assert_eq!(spool.head(9).len(), 2);
        assert_eq!(spool.take_dropped(), 3);
    }

    #[test]
    fn a_full_file_takes_no_more_and_half_a_line_is_no_entry() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let room = Bounds { file: 3 * entry(1).line().len() as u64, ..SMALL };
        let mut spool = Spool::with_file(room, &path).unwrap();
        (1..=9).for_each(|number| spool.push(entry(number)));
        assert_eq!(spool.take_dropped(), 2);
        drop(spool);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"r1 99 anomaly {\"cut").unwrap();
        let mut again = Spool::with_file(SMALL, &path).unwrap();
        assert_eq!(again.head(9).iter().map(|e| e.number).collect::<Vec<_>>(), [5, 6, 7]);
    }

    #[test]
    fn entries_of_two_runs_are_not_sent_together() {
        let mut spool = Spool::new(SMALL);
        spool.push(Entry { run: "r0".to_owned(), ..entry(7) });
        spool.push(entry(1));
        assert_eq!(spool.head(9).len(), 1);
        spool.acknowledge("r0", 7);
        assert_eq!(spool.head(9), [entry(1)]);
    }

    #[test]
    fn what_stands_in_a_line_comes_back() {
        let whole = entry(3);
        assert_eq!(Entry::read(&whole.line()), Some(whole.clone()));
        assert_eq!(Entry::read(whole.line().trim_end()), None);
        assert_eq!(Entry::read("x\n"), None);
    }
}
