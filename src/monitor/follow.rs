//! Follows the log of one container over restarts, breaks and rotation, without loss and without
//! duplicates.

use std::sync::Arc;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::reader;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::signal::Signal;
use sentinel_core::redact::clean;
use sentinel_core::redact::key_block::KeyBlock;
use sentinel_core::redact::secrets::MASK;
use sentinel_core::redact::styles;
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use crate::monitor::client::{LogQuery, Reader};
use crate::monitor::lines::{Assembler, LINE_BYTES, RawLine};
use crate::monitor::resume::{Memory, Verdict};
use crate::ports::Inbox;

/// Lines shown from before the start.
const HISTORY: u32 = 200;
/// Lines looked at when an earlier run left a mark of what it judged.
const CATCH_UP: u32 = 2000;
/// A mark older than this is no reason to judge what came since.
const MARK_LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Most lines in one batch.
const BATCH_LINES: usize = 256;
/// Most bytes in one batch (at least one line goes through).
const BATCH_BYTES: usize = 64 * 1024;
/// A stream that stays silent this long is counted as attached.
const SILENT_START: Duration = Duration::from_millis(300);
/// A silent stream is checked this often: some engines leave a follower hanging when the log
/// file is cut or rotated.
const CHECK_SILENCE: Duration = Duration::from_secs(30);
/// Words that a process wrote last are in its log this long after the end of its stream.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// First pause before a stream that broke is opened again; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// See [`FIRST_PAUSE`].
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a follower knows of its container's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pulse {
    /// How often it was seen to start, or the engine came back.
    pub(super) starts: u64,
    /// Whether it runs.
    pub(super) running: bool,
    /// Whether it was removed.
    pub(super) gone: bool,
}

/// Which lines are old news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// The container is new: everything is news.
    None,
    /// It was there before: what was written until then is history.
    Until(Timestamp),
    /// An earlier run judged the lines until then.
    Judged(Timestamp),
}

impl Past {
    /// What is history for a container that was there at `now`, when an earlier run left a mark.
    pub(super) fn of(mark: Option<Timestamp>, now: Timestamp) -> Self {
        match mark {
            Some(mark) if now.duration_since(mark) <= MARK_LIFE => Self::Judged(mark),
            _ => Self::Until(now),
        }
    }

    fn holds(self, at: Timestamp) -> bool {
        match self {
            Self::None => false,
            Self::Until(time) | Self::Judged(time) => at <= time,
        }
    }

    /// Why lines may be missing when the first one that can be read was written at `at`.
    fn begins_behind(self, at: Timestamp) -> Option<&'static str> {
        match self {
            Self::Judged(mark) if at > mark => Some("more was written than could be read back"),
            _ => None,
        }
    }

    /// What the first reading asks for.
    fn first(self) -> (i32, Option<u32>) {
        match self {
            Self::None => (0, None),
            Self::Until(_) => (0, Some(HISTORY)),
            Self::Judged(_) => (0, Some(CATCH_UP)),
        }
    }

    /// What a later reading asks for when the first one brought nothing: everything since.
    fn again(self) -> (i32, Option<u32>) {
        match self {
            Self::None => (0, None),
            Self::Until(time) | Self::Judged(time) => {
                (i32::try_from(time.as_second()).unwrap_or(i32::MAX), None)
            }
        }
    }
}

/// How reading a stream ended.
enum End {
    /// The engine closed it: the process died, or the engine is going away.
    Closed,
    /// It broke.
    Broken(Error),
    /// It hung.
    Stuck,
    /// Nobody wants lines any more.
    Unwanted,
}

/// A follower of one container.
pub(super) struct Follower {
    reader: Reader,
    container: ContainerId,
    inbox: Inbox,
    past: Past,
    memory: Memory,
    seq: u64,
    /// Private keys that are written line by line, on either stream.
    keys: (KeyBlock, KeyBlock),
    words: reader::Reader,
    tty: bool,
    attached: Option<oneshot::Sender<()>>,
}

impl Follower {
    /// `attached` is told once lines flow (or there are none to flow).
    pub(super) fn new(
        reader: Reader,
        container: &Container,
        inbox: Inbox,
        past: Past,
        attached: oneshot::Sender<()>,
    ) -> Self {
        Self {
            reader,
            container: container.of.id.clone(),
            inbox,
            past,
            memory: Memory::default(),
            seq: 0,
            keys: (KeyBlock::default(), KeyBlock::default()),
            words: reader::Reader::default(),
            tty: container.tty,
            attached: Some(attached),
        }
    }

    /// Follows until the container is gone or the runtime is.
    pub(super) async fn run(mut self, mut pulse: watch::Receiver<Pulse>) {
        let mut pause = FIRST_PAUSE;
        let mut told_unreadable = false;
        let mut empty_once = false;
        // The start behind whose end the log was looked at once more.
        let mut looked_behind = None;
        loop {
            let opened_at = *pulse.borrow_and_update();
            let before = self.seq;
            let end = self.read(&pulse).await;
            self.now_attached();
            if self.seq > before {
                pause = FIRST_PAUSE;
            }
            match end {
                End::Unwanted
                | End::Broken(Error::DockerResponseServerError { status_code: 404, .. }) => return,
                End::Broken(error) if is_unreadable(&error) => {
                    if !std::mem::replace(&mut told_unreadable, true) {
                        self.lost(0, "its log driver cannot be read back".to_owned()).await;
                    }
                }
                End::Broken(error) => {
                    tracing::debug!(
                        container = self.container.short(),
                        "log stream broke: {error}"
                    );
                }
                End::Closed | End::Stuck => {}
            }
            let now = *pulse.borrow();
            // Opened a moment before the process ran, or before its first line reached the log, a
            // stream ends with nothing: only when a second look finds nothing either was it all.
            let early = self.seq == before && (now.running || !opened_at.running);
            let told = !early || std::mem::replace(&mut empty_once, true);
            if told {
                empty_once = false;
                let end = Signal::LogEnd { container: self.container.clone() };
                if !self.inbox.log_word(end).await {
                    return;
                }
            }
            if now.gone {
                return;
            }
            if now.starts > opened_at.starts {
                continue;
            }
            if now.running && !told_unreadable {
                // Either the news of its death is still on its way, or the engine hiccups.
                tokio::select! {
                    () = sleep(pause) => {}
                    changed = pulse.changed() => if changed.is_err() { return },
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            // The engine may end a stream a moment before the last words are in the log.
            if looked_behind != Some(opened_at.starts) {
                looked_behind = Some(opened_at.starts);
                let news = pulse.wait_for(|p| p.gone || p.starts > opened_at.starts);
                let quiet = timeout(LAST_WORDS, news).await.is_err();
                if quiet && self.missed_something().await {
                    continue;
                }
            }
            // A stopped container writes nothing: wait for its next start.
            let wait = pulse.wait_for(|p| p.gone || p.starts > opened_at.starts).await;
            match wait {
                Ok(p) if !p.gone => {}
                _ => return,
            }
        }
    }

    async fn read(&mut self, pulse: &watch::Receiver<Pulse>) -> End {
        let (since, tail) = match self.memory.since() {
            Some(since) => (since, None),
            None if self.attached.is_some() => self.past.first(),
            None => self.past.again(),
        };
        let query = LogQuery { since, until: None, tail, follow: true, tty: self.tty };
        self.memory.reopen();
        let mut stream = self.reader.logs(&self.container, query);
        let mut assembler = Assembler::default();
        let mut lines = Vec::new();
        loop {
            let patience = if self.attached.is_some() { SILENT_START } else { CHECK_SILENCE };
            match timeout(patience, stream.next()).await {
                Ok(Some(Ok(output))) => {
                    assembler.take(&output, &mut lines);
                    let end = drain(&mut stream, &mut assembler, &mut lines);
                    if end.is_some() {
                        assembler.flush(&mut lines);
                    }
                    if !self.deliver(&mut lines).await {
                        return End::Unwanted;
                    }
                    if let Some(end) = end {
                        return end;
                    }
                    if self.attached.is_some() && self.caught_up() {
                        self.now_attached();
                    }
                }
                Ok(Some(Err(error))) => {
                    assembler.flush(&mut lines);
                    self.deliver(&mut lines).await;
                    return End::Broken(error);
                }
                Ok(None) => {
                    assembler.flush(&mut lines);
                    let wanted = self.deliver(&mut lines).await;
                    return if wanted { End::Closed } else { End::Unwanted };
                }
                Err(_) if self.attached.is_some() => self.now_attached(),
                Err(_) => {
                    if pulse.borrow().running && self.missed_something().await {
                        return End::Stuck;
                    }
                }
            }
        }
    }

    /// Whether the lines from before the start have been read.
    fn caught_up(&self) -> bool {
        self.memory.last().is_some_and(|last| !self.past.holds(last))
    }

    fn now_attached(&mut self) {
        if let Some(attached) = self.attached.take()
            && attached.send(()).is_err()
        {
            tracing::trace!("nobody waits for this log to be attached");
        }
    }

    /// Whether the log has a last line that this follower did not get.
    async fn missed_something(&self) -> bool {
        let query = LogQuery { since: 0, until: None, tail: Some(1), follow: false, tty: self.tty };
        let mut stream = self.reader.logs(&self.container, query);
        let mut assembler = Assembler::default();
        let mut lines = Vec::new();
        let read = async {
            while let Some(Ok(output)) = stream.next().await {
                assembler.take(&output, &mut lines);
            }
        };
        if timeout(LONGEST_PAUSE, read).await.is_err() {
            return false;
        }
        let last = self.memory.last();
        lines.last().is_some_and(|line| last.is_none_or(|last| line.at > last))
    }

    /// Sends what is new of these lines. False once nobody wants them any more.
    async fn deliver(&mut self, lines: &mut Vec<RawLine>) -> bool {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for line in lines.drain(..) {
            let gap = match self.memory.judge(&line) {
                Verdict::Repeated => continue,
                // The line at the mark of an earlier run should have come first.
                Verdict::New if self.seq == 0 => self.past.begins_behind(line.at),
                Verdict::New => None,
                Verdict::NewAfterGap => Some("the log was cut or rotated during a break"),
            };
            if let Some(why) = gap
                && !self.lost(0, format!("{why}; lines may be missing")).await
            {
                return false;
            }
            self.seq += 1;
            bytes += line.text.len();
            let text = self.shown(&line);
            let styles = styles::spans(&line.text, &text);
            let reading = self.words.read(line.stream, &text);
            batch.push(LogLine {
                container: self.container.clone(),
                seq: self.seq,
                at: line.at,
                stream: line.stream,
                text,
                reading,
                styles,
                history: self.past.holds(line.at),
            });
            if batch.len() >= BATCH_LINES || bytes >= BATCH_BYTES {
                bytes = 0;
                let full = std::mem::take(&mut batch);
                if !self.send(full).await {
                    return false;
                }
            }
        }
        batch.is_empty() || self.send(batch).await
    }

    /// A line as it may be shown: once it is here nothing of it can be hidden any more.
    fn shown(&mut self, line: &RawLine) -> Arc<str> {
        let key = match line.stream {
            Stream::Stdout => &mut self.keys.0,
            Stream::Stderr => &mut self.keys.1,
        };
        if key.line(&String::from_utf8_lossy(&line.text)) {
            return MASK.into();
        }
        clean(&line.text, LINE_BYTES).into()
    }

    async fn send(&mut self, batch: Vec<LogLine>) -> bool {
        let dropped = self.inbox.lines(batch).await;
        if dropped == 0 {
            return true;
        }
        let why = "sentinel-tui could not keep up".to_owned();
        self.lost(u64::try_from(dropped).unwrap_or(u64::MAX), why).await
    }

    async fn lost(&mut self, count: u64, why: String) -> bool {
        let container = self.container.clone();
        self.inbox.log_word(Signal::LogLost { container, count, why }).await
    }
}

/// Takes what is there already, so that a busy log travels in batches.
fn drain(
    stream: &mut BoxStream<'static, Result<LogOutput, Error>>,
    assembler: &mut Assembler,
    lines: &mut Vec<RawLine>,
) -> Option<End> {
    while lines.len() < BATCH_LINES {
        match stream.next().now_or_never() {
            None => return None,
            Some(Some(Ok(output))) => assembler.take(&output, lines),
            Some(Some(Err(error))) => return Some(End::Broken(error)),
            Some(None) => return Some(End::Closed),
        }
    }
    None
}

/// Whether the container's log driver does not keep what it is given (`none`, `syslog`, …).
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 501, .. })
        || matches!(error, Error::DockerResponseServerError { message, .. }
        if message.contains("does not support reading") || message.contains("logging driver"))
}
