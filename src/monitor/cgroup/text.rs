//! How the kernel writes the files of a control group. Pure but for [`Scratch`] and
//! [`Kept`], which read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::str::from_utf8;

/// Longest file that is read. `memory.stat` has some 2 KiB; a line of `net/dev` 120 bytes.
const LONGEST: usize = 64 << 10;

/// A buffer that is used for one file after the other.
#[derive(Debug)]
pub(super) struct Scratch(Box<[u8]>);

impl Default for Scratch {
    fn default() -> Self {
        Self(vec![0; LONGEST].into_boxed_slice())
    }
}

impl Scratch {
    /// The text of a file, cut at [`LONGEST`] bytes.
    pub(super) fn read(&mut self, path: &Path) -> io::Result<&str> {
        self.fill(&File::open(path)?)
    }

    /// The number that a file consists of.
    pub(super) fn number(&mut self, path: &Path) -> io::Result<u64> {
        number(self.read(path)?).ok_or_else(no_number)
    }

    fn fill(&mut self, file: &File) -> io::Result<&str> {
        let mut length = 0;
        while let Some(room) = self.0.get_mut(length..).filter(|room| !room.is_empty()) {
            match file.read_at(room, length as u64)? {
                0 => break,
                more => length += more,
            }
        }
        from_utf8(self.0.get(..length).unwrap_or_default())
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }
}

fn no_number() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it holds no number")
}

/// A file that is read again and again. Opening costs ten times what reading does (11 µs against
/// 1.3 µs for a counter on Linux 6.18), so it may stay open.
#[derive(Debug)]
pub(super) struct Kept {
    path: PathBuf,
    file: Option<File>,
}

impl Kept {
    /// Nothing is opened yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// Its text as it is now. `keep`: it may stay open until the next time.
    pub(super) fn read<'a>(&mut self, scratch: &'a mut Scratch, keep: bool) -> io::Result<&'a str> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        let text = scratch.fill(&file)?;
        self.file = keep.then_some(file);
        Ok(text)
    }

    /// The number that it consists of.
    pub(super) fn number(&mut self, scratch: &mut Scratch, keep: bool) -> io::Result<u64> {
        number(self.read(scratch, keep)?).ok_or_else(no_number)
    }
}

/// A number alone; `max` and `-1`, which mean no limit, are none.
pub(super) fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The number behind a key in lines of `key number`.
pub(super) fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?;
        // `rss` must not find `rss_huge`.
        let rest = rest.strip_prefix(|c: char| c.is_ascii_whitespace())?;
        rest.split_ascii_whitespace().next()?.parse().ok()
    })
}

/// Bytes read and written, of lines of `8:0 Read 4096`.
pub(super) fn v1_block_bytes(text: &str) -> (u64, u64) {
    let (mut read, mut written) = (0_u64, 0_u64);
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(_device), Some(what), Some(bytes)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let bytes = bytes.parse().unwrap_or_default();
        match what {
            "Read" => read = read.saturating_add(bytes),
            "Write" => written = written.saturating_add(bytes),
            _ => {}
        }
    }
    (read, written)
}

/// Bytes read and written, of lines of `8:0 rbytes=4096 wbytes=0 …`.
pub(super) fn v2_block_bytes(text: &str) -> (u64, u64) {
    let (mut read, mut written) = (0_u64, 0_u64);
    for word in text.split_ascii_whitespace() {
        if let Some(bytes) = word.strip_prefix("rbytes=") {
            read = read.saturating_add(bytes.parse().unwrap_or_default());
        } else if let Some(bytes) = word.strip_prefix("wbytes=") {
            written = written.saturating_add(bytes.parse().unwrap_or_default());
        }
    }
    (read, written)
}

/// `50000 100000` is half a core, in percent; `max 100000` no quota.
pub(super) fn v2_quota_pct(text: &str) -> Option<f64> {
    let mut words = text.split_ascii_whitespace();
    let quota: u64 = words.next()?.parse().ok()?;
    let period: u64 = words.next()?.parse().ok().filter(|p| *p > 0)?;
    Some(quota as f64 / period as f64 * 100.0)
}

/// Bytes received and sent over all interfaces but the loopback, of a `net/dev`.
pub(super) fn network_bytes(text: &str) -> (u64, u64) {
    let (mut rx, mut tx) = (0_u64, 0_u64);
    for line in text.lines() {
        // The two lines of headings have no colon.
        let Some((name, numbers)) = line.split_once(':') else { continue };
        if name.trim() == "lo" {
            continue;
        }
        let mut numbers = numbers.split_ascii_whitespace().map(|n| n.parse().unwrap_or(0_u64));
        rx = rx.saturating_add(numbers.next().unwrap_or_default());
        // Eight columns of what was received come before what was sent.
        tx = tx.saturating_add(numbers.nth(7).unwrap_or_default());
    }
    (rx, tx)
}

/// The soft limit of open files, of a `limits`.
pub(super) fn most_files(text: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// When a process began, in ticks since the machine did, of its `stat`.
pub(super) fn began(text: &str) -> Option<u64> {
    // The name in brackets may hold anything, brackets included.
    let (_, rest) = text.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_whole_and_only_at_the_start_of_a_line() {
        let text = "rss_huge 7\ntotal_rss 5\nrss 3\nMemTotal:       24684092 kB\n";
        assert_eq!(keyed(text, "rss"), Some(3));
        assert_eq!(keyed(text, "total_rss"), Some(5));
        assert_eq!(keyed(text, "MemTotal:"), Some(24_684_092));
        assert_eq!(keyed(text, "huge"), None);
    }

    #[test]
    fn limits_that_are_none_are_no_number() {
        for text in ["max\n", "-1\n", ""] {
            assert_eq!(number(text), None, "{text:?}");
        }
        assert_eq!(number("512\n"), Some(512));
        assert_eq!(v2_quota_pct("max 100000\n"), None);
        assert_eq!(v2_quota_pct("50000 100000\n"), Some(50.0));
        assert_eq!(v2_quota_pct("50000 0\n"), None);
    }

    #[test]
    fn bytes_of_all_disks_are_summed() {
        let v1 = "254:0 Read 4096\n254:0 Write 100\n254:0 Sync 4196\n254:16 Read 4\n254:16 Total 4\nTotal 4200\n";
        assert_eq!(v1_block_bytes(v1), (4100, 100));
        assert_eq!(v1_block_bytes("Total 0\n"), (0, 0));
        let v2 =
            "259:0 rbytes=1000 wbytes=5 rios=1 wios=0 dbytes=9 dios=0\n8:0 rbytes=24 wbytes=1\n";
        assert_eq!(v2_block_bytes(v2), (1024, 6));
    }

    #[test]
    fn all_interfaces_count_but_the_loopback() {
        let text = "Inter-|   Receive  |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes packets\n    lo:    1680      32    0    0    0     0          0         0     1680      32    0    0    0     0       0          0\n  eth0:    7628      51    0    0    0     0          0         0     5904      64    0    0    0     0       0          0\n  eth1:12 1 0 0 0 0 0 0 34 1 0 0 0 0 0 0\n";
        assert_eq!(network_bytes(text), (7640, 5938));
    }

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 777 1000 2";
        assert_eq!(began(stat), Some(777));
        let limits = "Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 524288               files     \n";
        assert_eq!(most_files(limits), Some(1024));
        assert_eq!(most_files("Max open files            unlimited unlimited files"), None);
    }
}
