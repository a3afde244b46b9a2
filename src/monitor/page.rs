//! Pages of a log that is not in memory: older lines, its beginning, and what lies behind.
//!
//! A page is found by the line at its edge, because the engine gives lines by whole seconds and
//! by their count from the end only. It is put together by the pure [`Before`] and [`After`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bollard::errors::Error;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::reader;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::domain::log_page::{PageAsk, PageFrom, PastPage, Seam};
use sentinel_core::redact::clean;
use sentinel_core::redact::key_block::KeyBlock;
use sentinel_core::redact::secrets::MASK;
use sentinel_core::redact::styles;
use tokio::time::timeout;

use crate::monitor::client::{LogQuery, Reader};
use crate::monitor::follow::is_unreadable;
use crate::monitor::lines::{Assembler, LINE_BYTES, RawLine};
use crate::ports::PortError;

/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Lines of one page at most, whatever is asked for.
const MOST_LINES: usize = 2_000;
/// Bytes of the lines that are held while a page is looked for.
const MOST_BYTES: usize = 8 << 20;
/// Lines before a page that are read, too: a private key may have begun in them.
const CONTEXT: usize = 100;
/// How far before its edge a later page is read, for the same reason.
const CONTEXT_TIME: SignedDuration = SignedDuration::from_secs(2);
/// More lines may have come since the reader counted those behind the page.
const CAME_SINCE: u64 = 500;

/// Reads a page.
pub(super) async fn read(reader: &Reader, ask: PageAsk) -> Result<PastPage, PortError> {
    let id = ask.container.clone();
    let Some(container) = reader.container(&id).await? else {
        return Err(PortError("the container is gone, and its log with it".to_owned()));
    };
    let paging = Paging { reader, id: &id, tty: container.tty };
    let limit = ask.limit.min(MOST_LINES);
    match timeout(PATIENCE, paging.page(ask.from, limit)).await {
        Ok(Ok(page)) => Ok(page),
        Ok(Err(error)) if is_unreadable(&error) => {
            Err(PortError(format!("the log driver `{}` cannot be read back", container.log_driver)))
        }
        Ok(Err(error)) => Err(PortError(format!("the engine did not give them: {error}"))),
        Err(_) => {
            Err(PortError(format!("the engine did not find them within {} s", PATIENCE.as_secs())))
        }
    }
}

struct Paging<'a> {
    reader: &'a Reader,
    id: &'a ContainerId,
    tty: bool,
}

impl Paging<'_> {
    async fn page(&self, from: PageFrom, limit: usize) -> Result<PastPage, Error> {
        match from {
            PageFrom::Start => {
                let mut after = After::new(None, limit);
                self.each(self.query(0), |line| after.take(line)).await?;
                Ok(after.page(self.id))
            }
            PageFrom::After(seam) => {
                let since = second(seam.at - CONTEXT_TIME);
                let mut after = After::new(Some(seam), limit);
                self.each(self.query(since), |line| after.take(line)).await?;
                Ok(after.page(self.id))
            }
            PageFrom::Before(seam, behind) => self.before(&seam, behind, limit).await,
        }
    }

    /// Asks for as many of the newest lines as lie behind the page and in it. Engines cut and
    /// count long lines in their own ways, so a short answer is no beginning: that is only
    /// believed after all of the log was looked at.
    async fn before(&self, seam: &Seam, behind: u64, limit: usize) -> Result<PastPage, Error> {
        let wanted = behind.saturating_add(CAME_SINCE).saturating_add((limit + CONTEXT) as u64);
        let newest = LogQuery {
            until: Some(second(seam.at).saturating_add(1)),
            tail: u32::try_from(wanted).ok(),
            ..self.query(0)
        };
        let mut before = Before::new(seam, limit);
        self.each(newest, |line| before.take(line)).await?;
        if before.is_short() && newest.tail.is_some() {
            before = Before::new(seam, limit);
            self.each(LogQuery { tail: None, ..newest }, |line| before.take(line)).await?;
        }
        Ok(before.page(self.id))
    }

    fn query(&self, since: i32) -> LogQuery {
        LogQuery { since, until: None, tail: None, follow: false, tty: self.tty }
    }

    /// Gives the lines of an answer until one is the last that is wanted.
    async fn each(
        &self,
        query: LogQuery,
        mut take: impl FnMut(RawLine) -> bool,
    ) -> Result<(), Error> {
        let mut stream = self.reader.logs(self.id, query);
        let mut assembler = Assembler::default();
        let mut lines = Vec::new();
        while let Some(output) = stream.next().await {
            assembler.take(&output?, &mut lines);
            for line in lines.drain(..) {
                if !take(line) {
                    return Ok(());
                }
            }
        }
        assembler.flush(&mut lines);
        for line in lines {
            if !take(line) {
                break;
            }
        }
        Ok(())
    }
}

fn second(at: Timestamp) -> i32 {
    i32::try_from(at.as_second().max(0)).unwrap_or(i32::MAX)
}

/// Whether a line is like the one at the edge. One that is masked as part of a key may be read
/// differently from another beginning.
fn is_like(line: &RawLine, seam: &Seam) -> bool {
    line.at == seam.at
        && line.stream == seam.stream
        && (seam.text.as_ref() == MASK || clean(&line.text, LINE_BYTES) == seam.text.as_ref())
}

/// Finds the lines before an edge among lines in their order.
struct Before<'a> {
    seam: &'a Seam,
    limit: usize,
    lines: VecDeque<RawLine>,
    bytes: usize,
    /// Lines that gave way.
    passed: usize,
    /// Lines before each one that is like the edge.
    found: VecDeque<usize>,
}

impl<'a> Before<'a> {
    fn new(seam: &'a Seam, limit: usize) -> Self {
        Self { seam, limit, lines: VecDeque::new(), bytes: 0, passed: 0, found: VecDeque::new() }
    }

    /// Takes the next line. False once enough lies behind the edge to know where it is.
    fn take(&mut self, line: RawLine) -> bool {
        if is_like(&line, self.seam) {
            self.found.push_back(self.passed + self.lines.len());
            // Of all that are like it the reader has the last ones.
            if self.found.len() > self.seam.copies.max(1) {
                self.found.pop_front();
            }
        }
        self.bytes += line.text.len();
        self.lines.push_back(line);
        let first = self.found.front().copied().unwrap_or(usize::MAX);
        while self.passed < first
            && (self.bytes > MOST_BYTES || self.before() > self.limit + CONTEXT)
        {
            let Some(old) = self.lines.pop_front() else { break };
            self.bytes -= old.text.len();
            self.passed += 1;
        }
        self.bytes <= 2 * MOST_BYTES && self.lines.len() < 2 * MOST_LINES + CONTEXT
    }

    /// How many of the lines at hand lie before the edge, as far as it is known.
    fn before(&self) -> usize {
        self.found.front().map_or(self.lines.len(), |at| at.saturating_sub(self.passed))
    }

    fn is_short(&self) -> bool {
        self.older() + self.passed < self.limit
    }

    /// The same at the end. Where the edge is not in the log any more its time decides.
    fn older(&self) -> usize {
        match self.found.front() {
            Some(_) => self.before(),
            None => self.lines.iter().take_while(|l| l.at < self.seam.at).count(),
        }
    }

    fn page(mut self, id: &ContainerId) -> PastPage {
        let older = self.older();
        self.lines.truncate(older);
        let ends = older + self.passed <= self.limit;
        let skip = older.saturating_sub(self.limit);
        PastPage { lines: safe(id, self.lines, skip, None), ends }
    }
}

/// Finds the lines behind an edge; without one all of them.
struct After {
    seam: Option<Seam>,
    limit: usize,
    seen: usize,
    /// Lines before the edge, for what they say of the first one behind it.
    context: VecDeque<RawLine>,
    lines: VecDeque<RawLine>,
    bytes: usize,
    full: bool,
}

impl After {
    fn new(seam: Option<Seam>, limit: usize) -> Self {
        let (context, lines) = (VecDeque::new(), VecDeque::new());
        Self { seam, limit, seen: 0, context, lines, bytes: 0, full: false }
    }

    /// Takes the next line. False once there are enough.
    fn take(&mut self, line: RawLine) -> bool {
        let missing = self.seam.as_ref().is_some_and(|seam| self.seen < seam.copies.max(1));
        if let Some(seam) = self.seam.as_ref().filter(|_| missing) {
            let like = is_like(&line, seam);
            self.seen += usize::from(like);
            if like || line.at <= seam.at {
                // What was behind the edge by its time is before it by its place.
                self.context.extend(self.lines.drain(..));
                self.context.push_back(line);
                self.bytes = 0;
                while self.context.len() > CONTEXT {
                    self.context.pop_front();
                }
                return true;
            }
        }
        if self.lines.len() >= self.limit || self.bytes > MOST_BYTES {
            self.full = true;
            return false;
        }
        self.bytes += line.text.len();
        self.lines.push_back(line);
        true
    }

    fn page(mut self, id: &ContainerId) -> PastPage {
        let skip = self.context.len();
        self.context.extend(self.lines);
        let ends = !self.full;
        PastPage { lines: safe(id, self.context, skip, self.seam.as_ref()), ends }
    }
}

/// Lines as they may be shown, without the first ones, which are there for what they tell of the
/// others.
fn safe(
    id: &ContainerId,
    lines: VecDeque<RawLine>,
    skip: usize,
    behind: Option<&Seam>,
) -> Vec<LogLine> {
    let mut keys = (KeyBlock::default(), KeyBlock::default());
    if let Some(seam) = behind.filter(|seam| seam.text.as_ref() == MASK) {
        // The edge was part of a key that goes on.
        let key = if seam.stream == Stream::Stdout { &mut keys.0 } else { &mut keys.1 };
        key.line("-----BEGIN PRIVATE KEY-----");
    }
    let mut words = reader::Reader::default();
    let mut out = Vec::with_capacity(lines.len().saturating_sub(skip));
    for (at, line) in lines.into_iter().enumerate() {
        let key = if line.stream == Stream::Stdout { &mut keys.0 } else { &mut keys.1 };
        let hidden = key.line(&String::from_utf8_lossy(&line.text));
        let text: Arc<str> =
            if hidden { MASK.into() } else { clean(&line.text, LINE_BYTES).into() };
        let styles = styles::spans(&line.text, &text);
        let reading = words.read(line.stream, &text);
        if at >= skip {
            out.push(LogLine {
                container: id.clone(),
                seq: 0,
                at: line.at,
                stream: line.stream,
                text,
                reading,
                styles,
                history: true,
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(at: i64, stream: Stream, text: &str) -> RawLine {
        RawLine {
            at: Timestamp::from_nanosecond(1_000_000_000_000 + i128::from(at)).unwrap(),
            stream,
            text: text.as_bytes().to_vec(),
        }
    }

    fn seam(lines: &[RawLine], edge: &RawLine) -> Seam {
        let same = |l: &&RawLine| *l == edge;
        Seam {
            at: edge.at,
            stream: edge.stream,
            text: String::from_utf8_lossy(&edge.text).into_owned().into(),
            copies: lines.iter().filter(same).count(),
        }
    }

    fn text(page: &PastPage) -> Vec<String> {
        page.lines.iter().map(|l| format!("{} {}", l.at, l.text)).collect()
    }

    fn expected(lines: &[RawLine]) -> Vec<String> {
        lines.iter().map(|l| format!("{} {}", l.at, String::from_utf8_lossy(&l.text))).collect()
    }

    #[test]
    fn a_key_that_began_before_the_page_is_not_shown_in_it() {
        let mut all: Vec<RawLine> = vec![line(0, Stream::Stdout, "-----BEGIN PRIVATE KEY-----")];
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        all.extend((1..8).map(|at| line(at, Stream::Stdout, body)));
        all.push(line(9, Stream::Stdout, "edge"));
        let seam = seam(&all, &all[8]);
        let mut before = Before::new(&seam, 3);
        for line in all {
            before.take(line);
        }
        let page = before.page(&"c".into());
        assert_eq!(page.lines.iter().map(|l| l.text.as_ref()).collect::<Vec<_>>(), [MASK; 3]);
        assert!(!page.ends);
    }

    #[test]
    fn a_log_without_the_edge_is_cut_by_its_time() {
        let all: Vec<RawLine> = (0..5).map(|at| line(at, Stream::Stdout, "x")).collect();
        let gone = line(3, Stream::Stderr, "gone");
        let seam = seam(&[], &gone);
        let mut before = Before::new(&seam, 10);
        let mut after = After::new(Some(seam.clone()), 10);
        for line in &all {
            before.take(line.clone());
            after.take(line.clone());
        }
        assert_eq!(text(&before.page(&"c".into())), expected(&all[..3]));
        assert_eq!(text(&after.page(&"c".into())), expected(&all[4..]));
    }

    proptest! {
        /// Times rise but not strictly, and lines repeat within a nanosecond.
        #[test]
        fn pages_join_without_a_line_twice_or_lost(
            steps in prop::collection::vec((0..3_i64, any::<bool>(), 0..2_u8), 2..60),
            cut in 0..100_usize,
            limit in 1..20_usize,
        ) {
            let mut now = 0;
            let all: Vec<RawLine> = steps
                .iter()
                .map(|(step, error, text)| {
                    now += step;
                    let stream = if *error { Stream::Stderr } else { Stream::Stdout };
                    line(now, stream, &text.to_string())
                })
                .collect();
            let cut = 1 + (all.len() - 1) * cut / 100;
            let cut = cut.min(all.len() - 1);
            let held = seam(&all[cut..], &all[cut]);
            let mut before = Before::new(&held, limit);
            for line in &all {
                before.take(line.clone());
            }
            let page = before.page(&"c".into());
            prop_assert_eq!(text(&page), expected(&all[cut.saturating_sub(limit)..cut]));
            prop_assert_eq!(page.ends, cut <= limit);

            let held = seam(&all[..cut], &all[cut - 1]);
            let mut after = After::new(Some(held), limit);
            for line in &all {
                if !after.take(line.clone()) {
                    break;
                }
            }
            let page = after.page(&"c".into());
            let end = all.len().min(cut + limit);
            prop_assert_eq!(text(&page), expected(&all[cut..end]));
            prop_assert_eq!(page.ends, end == all.len());
        }
    }
}
