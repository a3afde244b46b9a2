//! The lines of an input, mined and counted.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::miner::slots::Slot;
use sentinel_core::detect::miner::template::{Payload, TemplateId};
use sentinel_core::detect::miner::{Bounds, Miner};
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::log::{Level, Stream};
use sentinel_core::redact::display;
use sentinel_core::redact::key_block::KeyBlock;
use sentinel_core::redact::secrets::MASK;

use crate::commands::patterns::row::Row;
use crate::commands::patterns::spark::Scale;
use crate::commands::patterns::spool::{Spool, SpoolError};
use crate::commands::patterns::tally::Tally;

/// What stands in the place of an id for lines that no template was made for, because too many
/// were made already.
pub const OTHER: &str = "other";
/// Templates of one input: as many as the whole program keeps for all containers.
const TEMPLATES: usize = 20_000;
/// No template; ids are far below it.
const NONE: u32 = u32::MAX;
/// What passes between two lines for the miner, which stops to make templates for a minute when
/// they are too many: the length of the input decides, not the speed of the machine.
const LINE_TIME: SignedDuration = SignedDuration::from_millis(1);

impl Payload for Tally {
    fn absorb(&mut self, other: Self) {
        self.merge(other);
    }
}

/// What is known of an input.
#[derive(Debug)]
pub struct Survey {
    reader: Reader,
    /// A private key that is written line by line.
    keys: KeyBlock,
    miner: Miner<Tally>,
    scale: Scale,
    /// The ids of all lines, if they are wanted.
    spool: Option<Spool>,
    now: Timestamp,
    lines: u64,
    /// Lines that go on with a record.
    continued: u64,
    /// The template of the record that goes on.
    last: Option<TemplateId>,
}

impl Survey {
    /// `ids`: whether [`Self::ids`] will be asked for.
    pub fn new(ids: bool) -> Self {
        Self {
            reader: Reader::default(),
            keys: KeyBlock::default(),
            miner: Miner::new(Bounds::of(TEMPLATES)),
            scale: Scale::default(),
            spool: ids.then(Spool::default),
            now: Timestamp::UNIX_EPOCH,
            lines: 0,
            continued: 0,
            last: None,
        }
    }

    /// Takes the next line.
    pub fn line(&mut self, raw: &[u8]) -> Result<(), SpoolError> {
        let mut text = printable(raw);
        if self.keys.line(&text) {
            text = Cow::Borrowed(MASK);
        }
        let reading = self.reader.read(Stream::Stdout, &text);
        if reading.continues {
            self.continued += 1;
        } else {
            self.mine(reading.message(&text), reading.level);
        }
        self.lines += 1;
        self.now = self.now.saturating_add(LINE_TIME).unwrap_or(Timestamp::MAX);
        match &mut self.spool {
            Some(spool) => spool.push(self.last.map_or(NONE, |id| id.0)),
            None => Ok(()),
        }
    }

    fn mine(&mut self, message: &str, level: Option<Level>) {
        let bucket = loop {
            if let Some(bucket) = self.scale.bucket(self.lines) {
                break bucket;
            }
            self.scale.double();
            self.miner.iter_mut().for_each(|t| t.payload.spark.halve());
        };
        let number = self.lines + 1;
        self.last = self.miner.mine(message, self.now).map(|mined| {
            let tally = &mut mined.template.payload;
            if mined.is_new {
                tally.begins(number, message);
            }
            tally.counts(number, level, bucket);
            for slot in mined.slots {
                if let Slot::Word { hash, start, end, fresh: true, .. } = *slot
                    && let Some(value) = message.get(usize::from(start)..usize::from(end))
                {
                    tally.meets(hash, value);
                }
            }
            mined.id
        });
    }

    /// Lines taken so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines that go on with the record of a line before: they belong to its template.
    pub fn continued(&self) -> u64 {
        self.continued
    }

    /// Lines that no template was made for.
    pub fn other(&self) -> u64 {
        self.miner.other()
    }

    /// Every template, the most frequent first, the earlier first of two.
    pub fn rows(&self) -> Vec<Row> {
        let records = self.lines - self.continued;
        let used = self.scale.used(self.lines);
        let mut rows: Vec<Row> = self.miner.iter().map(|t| Row::of(t, records, used)).collect();
        rows.sort_by_key(|row| (std::cmp::Reverse(row.count), row.first_line));
        rows
    }

    /// The final id of every line's template, in order; `None` where there is none.
    pub fn ids<E: From<SpoolError>>(
        self,
        mut each: impl FnMut(Option<u32>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { spool, miner, .. } = self;
        let Some(spool) = spool else { return Ok(()) };
        spool.replay(|id| each((id != NONE).then(|| miner.resolve(TemplateId(id)).0)))
    }
}

/// A line as text that harms no terminal. Most lines are plain ASCII already, which is told in a
/// few nanoseconds; the others are cleaned as the monitor cleans them.
fn printable(raw: &[u8]) -> Cow<'_, str> {
    if raw.iter().all(|b| matches!(b, b' '..=b'~')) {
        return String::from_utf8_lossy(raw);
    }
    match String::from_utf8_lossy(raw) {
        Cow::Borrowed(text) => display::safe(text),
        Cow::Owned(text) => Cow::Owned(display::safe(&text).into_owned()),
    }
}
