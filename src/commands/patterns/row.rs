//! A template as it is written out: safe to show, with its counts.

use sentinel_core::detect::miner::template::Template;
use sentinel_core::domain::log::Level;
use serde::Serialize;

use crate::commands::patterns::place::PlaceRow;
use crate::commands::patterns::tally::Tally;

/// One template.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its id in this run, the same as in the rows of `--format csv`.
    pub id: u32,
    /// Its words, and `<*>` for what varies; redacted.
    pub template: String,
    /// Lines that it has, without those that go on with them.
    pub count: u64,
    /// Which part of all such lines, 0 to 1.
    pub share: f64,
    /// The level that most of them have.
    pub level: Option<Level>,
    /// Number of its first line, from 1.
    pub first_line: u64,
    /// Number of its last one.
    pub last_line: u64,
    /// Lines in each of up to 32 equal stretches of the input.
    pub timeline: Vec<u32>,
    /// The message of its first line, redacted and cut.
    pub sample: String,
    /// What stood at its first few places that vary.
    pub slots: Vec<PlaceRow>,
}

impl Row {
    /// `records`: lines in all, without those that go on with others; `used`: stretches of the
    /// timeline that the input takes.
    pub fn of(template: &Template<Tally>, records: u64, used: usize) -> Self {
        let tally = &template.payload;
        Self {
            id: template.id.0,
            template: tally.safe(template.text().as_ref()),
            count: template.count,
            share: if records == 0 { 0.0 } else { template.count as f64 / records as f64 },
            level: tally.level(),
            first_line: tally.first,
            last_line: tally.last,
            timeline: tally.spark.counts(used).to_vec(),
            sample: tally.sample.to_string(),
            slots: template
                .slots
                .places()
                .iter()
                .filter_map(|place| PlaceRow::of(place, tally))
                .collect(),
        }
    }
}
