//! Takes a session down in a file, for nobody else's eyes. The run loop never waits for the disk: a
//! thread writes, and a recording that cannot go on ends, complete up to there.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;

use futures_util::future::BoxFuture;
use sentinel_core::session::input::{Input, Start};
use sentinel_core::session::wire::{Given, Head, MOST_LINE, VERSION};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::ports::{PortError, Recorder};

/// Bytes of a recording, at most.
pub const MOST_BYTES: u64 = 256 << 20;
/// Room that is left for the line that says why it ends.
const END_ROOM: u64 = 1 << 10;
/// Lines that may wait for the disk.
const QUEUE: usize = 8192;
/// Bytes that may wait for the disk. The first line may have more: nothing waits then.
const WAITING: usize = 32 << 20;

/// A recording under way.
pub struct FileRecorder {
    path: PathBuf,
    lines: SyncSender<Vec<u8>>,
    shared: Arc<Shared>,
    done: oneshot::Receiver<()>,
    written: u64,
    limit: u64,
}

/// What both threads know.
#[derive(Default)]
struct Shared {
    /// Bytes that wait for the disk.
    waiting: AtomicUsize,
    /// Why writing failed.
    failed: OnceLock<io::Error>,
}

impl FileRecorder {
    /// Begins a recording in a new file. One that exists is never written over.
    pub fn create(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, MOST_BYTES)
    }

    /// The same with at most so many bytes.
    pub fn with_limit(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Self::onto(file, path, limit)
    }

    fn onto(file: File, path: &Path, limit: u64) -> io::Result<Self> {
        let (lines, lines_out) = sync_channel(QUEUE);
        let (tell, done) = oneshot::channel();
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        thread::Builder::new().name("recording".to_owned()).spawn(move || {
            if let Err(error) = write_all(file, &lines_out, &theirs.waiting) {
                // It fails once: the thread ends here.
                drop(theirs.failed.set(error));
            }
            // Whoever waited for the end may have given up.
            drop((lines_out, tell.send(())));
        })?;
        Ok(Self { path: path.to_owned(), lines, shared, done, written: 0, limit })
    }

    fn line<T: Serialize>(&mut self, line: &T) -> Result<(), PortError> {
        if self.shared.failed.get().is_some() {
            return Err(self.failure());
        }
        let mut bytes = serde_json::to_vec(line).map_err(|e| self.over(&e.to_string()))?;
        bytes.push(b'\n');
        let length = bytes.len() as u64;
        if bytes.len() > MOST_LINE {
            let most = size(MOST_LINE as u64);
            return Err(self.ends(&format!("a line of more than {most} came")));
        }
        if self.written + length + END_ROOM > self.limit {
            let limit = size(self.limit);
            return Err(self.ends(&format!("it has reached its limit of {limit}")));
        }
        let waiting = self.shared.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
        if waiting > 0 && waiting + bytes.len() > WAITING {
            return Err(self.over("the disk is too slow for what comes"));
        }
        match self.lines.try_send(bytes) {
            Ok(()) => {
                self.written += length;
                Ok(())
            }
            Err(TrySendError::Full(_)) => Err(self.over("the disk is too slow for what comes")),
            Err(TrySendError::Disconnected(_)) => Err(self.failure()),
        }
    }

    /// It may not go on. Its last line says so; there is room for that.
    fn ends(&self, why: &str) -> PortError {
        let end = Given { at: jiff::Timestamp::now(), input: Input::End(why.into()) };
        if let Ok(mut bytes) = serde_json::to_vec(&end) {
            bytes.push(b'\n');
            self.shared.waiting.fetch_add(bytes.len(), Ordering::Relaxed);
            // Without it the recording is as good: a replay says that the end is missing.
            drop(self.lines.try_send(bytes));
        }
        self.over(why)
    }

    fn failure(&self) -> PortError {
        let why = self.shared.failed.get().map(ToString::to_string);
        self.over(&format!("cannot write: {}", why.as_deref().unwrap_or("the writer ended")))
    }

    /// The words for a recording that ends before its time.
    fn over(&self, why: &str) -> PortError {
        PortError(format!(
            "the recording {} has ended: {why}; watching goes on, and a replay tells what came before",
            self.path.display()
        ))
    }
}

impl Recorder for FileRecorder {
    fn begin(&mut self, start: &Start) -> Result<(), PortError> {
        let program = env!("CARGO_PKG_VERSION").to_owned();
        // Incidents of earlier runs are copied once a recording.
        self.line(&Head { version: VERSION, program, start: start.clone() })
    }

    fn put(&mut self, given: &Given<'_>) -> Result<(), PortError> {
        self.line(given)
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<(), PortError>> {
        Box::pin(async move {
            let Self { path, lines, shared, done, .. } = *self;
            drop(lines);
            // The writer says when it has ended, or is gone.
            drop(done.await);
            match shared.failed.get() {
                None => Ok(()),
                Some(error) => {
                    let path = path.display();
                    Err(PortError(format!("the recording {path} is not complete: {error}")))
                }
            }
        })
    }
}

/// Writes what comes until nobody sends any more. What is written is in the file whenever nothing
/// waits, so that a killed process leaves nearly all of it.
fn write_all(file: File, lines: &Receiver<Vec<u8>>, waiting: &AtomicUsize) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    loop {
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty) => {
                out.flush()?;
                let Ok(line) = lines.recv() else { return Ok(()) };
                line
            }
            Err(TryRecvError::Disconnected) => return out.flush(),
        };
        out.write_all(&line)?;
        waiting.fetch_sub(line.len(), Ordering::Relaxed);
    }
}

fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{bytes} bytes"),
        mib => format!("{mib} MiB"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use jiff::Timestamp;

    use super::*;

    fn stand_down() -> Given<'static> {
        Given { at: Timestamp::UNIX_EPOCH, input: Input::StandDown }
    }

    #[test]
    fn a_disk_that_is_full_ends_the_recording_with_words() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut recorder = FileRecorder::onto(full, Path::new("night.jsonl"), MOST_BYTES).unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let error = loop {
            if let Err(PortError(error)) = recorder.put(&stand_down()) {
                break error;
            }
            assert!(Instant::now() < deadline, "it never fails");
            thread::yield_now();
        };
        for part in ["night.jsonl", "No space left", "watching goes on"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[tokio::test]
    async fn a_disk_that_is_full_at_the_end_is_told_at_the_end() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut recorder = FileRecorder::onto(full, Path::new("night.jsonl"), MOST_BYTES).unwrap();
        // It may fail before the end, too.
        drop(recorder.put(&stand_down()));
        let PortError(error) = Box::new(recorder).finish().await.unwrap_err();
        assert!(error.contains("night.jsonl is not complete: No space left"), "{error}");
    }

    #[tokio::test]
    async fn a_line_that_is_longer_than_any_that_is_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.jsonl");
        let mut recorder = FileRecorder::create(&path).unwrap();
        recorder.put(&stand_down()).unwrap();
        let long = "x".repeat(MOST_LINE);
        let given = Given { at: Timestamp::UNIX_EPOCH, input: Input::End(long.as_str().into()) };
        let PortError(error) = recorder.put(&given).unwrap_err();
        assert!(error.contains("a line of more than 64 MiB"), "{error}");
        Box::new(recorder).finish().await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2, "and the end says why: {text}");
    }
}
