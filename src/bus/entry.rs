//! An event as it is sent.

use sentinel_core::domain::event::{Envelope, Event};
use serde::Serialize;

/// Bytes of the longest event that is sent.
const LONGEST: usize = 1 << 20;

/// Which stream an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// What must arrive.
    Events,
    /// Lines and readings, which may be dropped and never push out an event.
    Logs,
}

impl Lane {
    /// Where an event goes.
    pub fn of(event: &Event) -> Self {
        match event {
            Event::Log { .. } | Event::Usage { .. } | Event::LogDropped { .. } => Self::Logs,
            _ => Self::Events,
        }
    }
}

/// An event that is ready to be sent. Run, lane and number name it among all of its host: what is
/// sent twice arrives once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The run that told it.
    pub run: String,
    /// Counts what the run told on this lane, from 1. What had to be dropped leaves a hole.
    pub number: u64,
    /// Its type.
    pub kind: String,
    /// As JSON, with the run.
    pub json: String,
}

/// An event of the contract, and which run told it.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    envelope: &'a Envelope,
    run: &'a str,
}

impl Entry {
    /// `None`: it cannot be sent.
    pub fn new(run: &str, number: u64, envelope: &Envelope) -> Option<Self> {
        let json = serde_json::to_string(&Told { envelope, run }).ok()?;
        let kind = envelope.event.type_name();
        let entry = Self { run: run.to_owned(), number, kind, json };
        (entry.json.len() <= LONGEST).then_some(entry)
    }

    /// How much room it takes, about.
    pub fn bytes(&self) -> usize {
        self.run.len() + self.kind.len() + self.json.len() + 64
    }

    /// As a line of a file.
    pub fn line(&self) -> String {
        format!("{} {} {} {}\n", self.run, self.number, self.kind, self.json)
    }

    /// The line of a file; `None` if it is not whole.
    pub fn read(line: &str) -> Option<Self> {
        let mut parts = line.strip_suffix('\n')?.splitn(4, ' ');
        let (run, number) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        let (kind, json) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        (json.starts_with('{') && json.ends_with('}')).then_some(Self { run, number, kind, json })
    }
}
