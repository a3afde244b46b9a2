//! Made-up containers in the monitor's hands.

#![allow(unreachable_pub, reason = "benches that measure a whole run share it")]

use jiff::Timestamp;
use sentinel_core::detect::reader::Reader;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Stream};
use sentinel_core::redact::clean;

use crate::synthetic::Service;

/// Bytes of a line that the monitor keeps.
const LINE_BYTES: usize = 16 * 1024;

/// A container in the monitor's hands.
pub struct Followed {
    pub id: ContainerId,
    pub service: Service,
    reader: Reader,
    seq: u64,
}

impl Followed {
    /// The container at a place, nothing read yet.
    pub fn new(id: ContainerId, place: usize) -> Self {
        Self { id, service: Service::new(place), reader: Reader::default(), seq: 0 }
    }

    /// What the real follower does with the bytes of a line.
    pub fn take(&mut self, raw: &[u8], at: Timestamp) -> LogLine {
        let text = clean(raw, LINE_BYTES);
        self.seq += 1;
        LogLine {
            container: self.id.clone(),
            seq: self.seq,
            at,
            stream: Stream::Stdout,
            reading: self.reader.read(Stream::Stdout, &text),
            text: text.into(),
            styles: None,
            history: false,
        }
    }
}
