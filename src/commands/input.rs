//! The lines of a file, of standard input, or of either gzip-compressed: in blocks of whole lines,
//! read ahead by a thread of its own, so that a reader that blocks never holds up a signal.
//!
//! Bounded: `AHEAD` blocks wait, a block holds at most `BLOCK` bytes and one cut line, and a
//! line keeps [`LINE_BYTES`], whatever its length (so much the monitor keeps, too).

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;
use thiserror::Error;
use tokio::sync::mpsc;

/// Bytes read at once.
const BLOCK: usize = 64 * 1024;
/// Blocks that may wait.
const AHEAD: usize = 8;
/// Bytes of a line that are kept; of a longer one a byte more stays, so that the cut is seen.
pub const LINE_BYTES: usize = 16 * 1024;
/// How a gzip file begins (RFC 1952, 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Why there are no (more) lines.
#[derive(Debug, Error)]
pub enum InputError {
    /// It cannot be opened.
    #[error("cannot read {}: {source}; name a file, or - for standard input", path.display())]
    Open {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a folder.
    #[error("cannot read {}: it is a folder; name a file, or - for standard input", path.display())]
    Folder {
        /// What.
        path: PathBuf,
    },
    /// It broke off.
    #[error("{name} broke off after {lines} lines: {source}")]
    Broken {
        /// What.
        name: String,
        /// Lines read until then.
        lines: u64,
        /// Why.
        source: io::Error,
    },
}

/// Whole lines, one after the other.
#[derive(Debug)]
pub struct Block(Vec<u8>);

impl Block {
    /// Its lines without their ends, each of at most one byte more than [`LINE_BYTES`].
    pub fn lines(&self) -> Lines<'_> {
        Lines(&self.0)
    }
}

/// See [`Block::lines`].
#[derive(Clone, Debug)]
pub struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        // A slice skips without copying and never fails.
        let length = { self.0 }.skip_until(b'\n').unwrap_or(self.0.len());
        let (line, rest) = self.0.split_at(length);
        self.0 = rest;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(line.get(..=LINE_BYTES).unwrap_or(line))
    }
}

/// Where lines come from.
#[derive(Debug)]
pub struct Input {
    name: String,
    blocks: mpsc::Receiver<io::Result<Block>>,
    /// Bytes read, before any decompression.
    read: Arc<AtomicU64>,
    size: Option<u64>,
    lines: u64,
}

impl Input {
    /// Opens a file, or standard input for `-`, and begins to read.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path == Path::new("-") {
            return Ok(Self::new("standard input".to_owned(), io::stdin(), None));
        }
        let failed = |source| InputError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(InputError::Folder { path: path.to_owned() });
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self::new(name, file, about.is_file().then_some(about.len())))
    }

    fn new(name: String, source: impl Read + Send + 'static, size: Option<u64>) -> Self {
        let read = Arc::new(AtomicU64::new(0));
        let (out, blocks) = mpsc::channel(AHEAD);
        let counted = Counted { source, read: Arc::clone(&read) };
        // Left alone when the process ends: it may be waiting for input that never comes.
        std::thread::spawn(move || pump(counted, &out));
        Self { name, blocks, read, size, lines: 0 }
    }

    /// What it is called: the file's name without its folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file, if that is known; compressed ones if it is compressed.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes read so far, as they lie in the file.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The next block; `None` at the end. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self) -> Result<Option<Block>, InputError> {
        match self.blocks.recv().await {
            None => Ok(None),
            Some(Ok(block)) => Ok(Some(block)),
            Some(Err(source)) => {
                Err(InputError::Broken { name: self.name.clone(), lines: self.lines, source })
            }
        }
    }

    /// So many lines of what came were taken; told when it breaks off.
    pub fn taken(&mut self, lines: u64) {
        self.lines += lines;
    }
}

/// Counts what is read.
struct Counted<R> {
    source: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Reads to the end, or until nobody wants more.
fn pump(source: impl Read, out: &mpsc::Sender<io::Result<Block>>) {
    let mut source = BufReader::with_capacity(BLOCK, source);
    let compressed = source.fill_buf().map(|head| head.starts_with(&GZIP));
    let ended = match compressed {
        Ok(true) => cut(MultiGzDecoder::new(source), out),
        Ok(false) => cut(source, out),
        Err(error) => Err(error),
    };
    if let Err(error) = ended
        && out.blocking_send(Err(error)).is_err()
    {
        // Whoever would have been told has gone.
    }
}

/// Cuts what comes into blocks of whole lines.
fn cut(mut source: impl Read, out: &mpsc::Sender<io::Result<Block>>) -> io::Result<()> {
    let mut bytes: Vec<u8> = Vec::new();
    // The rest of a line that is too long.
    let mut skipping = false;
    loop {
        let kept = bytes.len();
        bytes.resize(kept + BLOCK, 0);
        let room = bytes.get_mut(kept..).unwrap_or_default();
        let count = match source.read(room) {
            Ok(count) => count,
            Err(error) => {
                bytes.truncate(kept);
                if error.kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                // What came before the break is still good.
                send(out, bytes);
                return Err(error);
            }
        };
        bytes.truncate(kept + count);
        if count == 0 {
            send(out, bytes);
            return Ok(());
        }
        if skipping {
            match bytes.iter().position(|b| *b == b'\n') {
                Some(end) => {
                    bytes.drain(..=end);
                    skipping = false;
                }
                None => bytes.clear(),
            }
        }
        let rest = match bytes.iter().rposition(|b| *b == b'\n') {
            Some(end) => bytes.split_off(end + 1),
            None if bytes.len() > LINE_BYTES => {
                skipping = true;
                bytes.truncate(LINE_BYTES + 1);
                Vec::new()
            }
            None => continue,
        };
        if !send(out, std::mem::replace(&mut bytes, rest)) {
            return Ok(());
        }
    }
}

/// False once nobody wants more.
fn send(out: &mpsc::Sender<io::Result<Block>>, bytes: Vec<u8>) -> bool {
    bytes.is_empty() || out.blocking_send(Ok(Block(bytes))).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in small pieces, as a pipe does, and an error at the end if it has one.
    struct Pipe {
        bytes: Cursor<Vec<u8>>,
        piece: usize,
        error: Option<io::Error>,
    }

    impl Read for Pipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.piece.min(buffer.len());
            match self.bytes.read(&mut buffer[..length])? {
                0 => self.error.take().map_or(Ok(0), Err),
                count => Ok(count),
            }
        }
    }

    fn read_all(
        bytes: &[u8],
        piece: usize,
        error: Option<io::Error>,
    ) -> (Vec<Vec<u8>>, Option<String>) {
        let pipe = Pipe { bytes: Cursor::new(bytes.to_vec()), piece, error };
        let mut input = Input::new("pipe".to_owned(), pipe, None);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut lines = Vec::new();
            loop {
                match input.next().await {
                    Ok(Some(block)) => {
                        let before = lines.len();
                        lines.extend(block.lines().map(<[u8]>::to_vec));
                        input.taken((lines.len() - before) as u64);
                    }
                    Ok(None) => return (lines, None),
                    Err(error) => return (lines, Some(error.to_string())),
                }
            }
        })
    }

    fn lines(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
        read_all(bytes, piece, None).0
    }

    #[test]
    fn line_ends_of_every_kind_end_lines() {
        let expected: [&[u8]; 5] = [b"a", b"", b"b\0\xff", b"c", b"last"];
        assert_eq!(lines(b"a\n\r\nb\0\xff\nc\r\nlast", 1000), expected);
        assert_eq!(lines(b"", 1), Vec::<Vec<u8>>::new());
        assert_eq!(lines(b"\n", 1), [b""]);
    }

    #[test]
    fn a_line_of_any_length_is_cut_and_its_neighbours_are_whole() {
        for length in [LINE_BYTES, LINE_BYTES + 1, BLOCK, BLOCK + 1, 1 << 20, 3 << 20] {
            for piece in [1000, BLOCK - 1, usize::MAX] {
                let mut bytes = b"before\n".to_vec();
                bytes.extend(std::iter::repeat_n(b'x', length));
                bytes.extend(b"\nafter");
                let all = lines(&bytes, piece);
                assert_eq!(all.len(), 3, "{length} in pieces of {piece}");
                assert_eq!(all[0], b"before");
                assert_eq!(all[1].len(), length.min(LINE_BYTES + 1));
                assert_eq!(all[2], b"after");
            }
        }
    }

    #[test]
    fn a_compressed_file_reads_like_its_content_even_in_several_members() {
        let mut bytes = Vec::new();
        for part in ["one\ntwo\n", "three\nfour"] {
            let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(part.as_bytes()).unwrap();
            bytes.extend(packer.finish().unwrap());
        }
        let expected: [&[u8]; 4] = [b"one", b"two", b"three", b"four"];
        assert_eq!(lines(&bytes, 5), expected);
        // What is cut off is told, and what came before is not lost.
        let (all, error) = read_all(&bytes[..bytes.len() - 12], 4096, None);
        assert_eq!(all.first().map(Vec::as_slice), Some(&b"one"[..]));
        assert!(error.is_some_and(|e| e.starts_with("pipe broke off after ")));
    }

    #[test]
    fn what_breaks_off_says_where() {
        let (all, error) = read_all(b"a\nb\nc", 3, Some(io::Error::other("gone")));
        assert_eq!(all, [b"a", b"b", b"c"]);
        assert_eq!(error.as_deref(), Some("pipe broke off after 3 lines: gone"));
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Input::open(&folder.path().join("no.log")).unwrap_err().to_string();
        assert!(
            missing.contains("no.log") && missing.contains("- for standard input"),
            "{missing}"
        );
        assert!(matches!(Input::open(folder.path()), Err(InputError::Folder { .. })));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pieces_make_no_difference(text in "[ab\r\n]{0,200}", piece in 1usize..20) {
            let whole = lines(text.as_bytes(), usize::MAX);
            prop_assert_eq!(&lines(text.as_bytes(), piece), &whole);
            let mut expected: Vec<&str> = text.split('\n').collect();
            if expected.last() == Some(&"") { expected.pop(); }
            let expected: Vec<&[u8]> =
                expected.iter().map(|l| l.strip_suffix('\r').unwrap_or(l).as_bytes()).collect();
            prop_assert_eq!(whole, expected);
        }
    }
}
