//! What PostgreSQL, Redis, nginx, RabbitMQ and their clients really logged, under load while all
//! was well and through their common failures, is judged as a person would: nothing above medium
//! while healthy, and each failure within ten seconds under its right name.
//!
//! The recordings were made by `scripts/must/real-logs/record.sh`, which says what they look like;
//! `scripts/must/real-logs.sh` does the same with the built program on real containers.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use real_logs::replay::{Fallible, Told, replay};
use sentinel_core::domain::severity::Severity;
use serde::Deserialize;

mod real_logs {
    pub(crate) mod replay;
}

/// A failure must be told this soon after it began.
const SOON: SignedDuration = SignedDuration::from_secs(10);
/// From this long before a failure on, a restart that prepares it may be under way.
const PREPARED: SignedDuration = SignedDuration::from_secs(15);
/// All recordings together may not be larger, in bytes.
const ROOM: u64 = 6 << 20;

#[derive(Debug, Deserialize)]
struct Manifest {
    recording: Vec<Recording>,
}

/// The recording of one container through one failure.
#[derive(Debug, Deserialize)]
struct Recording {
    file: String,
    container: String,
    /// When the failure began.
    at: Timestamp,
    /// When the log first told it.
    told_at: Timestamp,
    /// What an anomaly must name, one of them: a failure class, a signature, or its own kind.
    right: Vec<String>,
}

impl Recording {
    fn is_named_by(&self, told: &Told) -> bool {
        let detail = &told.anomaly.detail;
        self.right.iter().any(|name| {
            detail.class.is_some_and(|class| class.as_str() == name)
                || detail.signature.as_deref() == Some(name)
                || told.anomaly.kind.as_str() == name
        })
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs")
}

fn recordings() -> Fallible<Vec<Recording>> {
    let manifest: Manifest = toml::from_str(&fs::read_to_string(folder().join("manifest.toml"))?)?;
    Ok(manifest.recording)
}

/// Every recording in the folder, as paths from there.
fn files() -> Fallible<BTreeSet<String>> {
    let mut files = BTreeSet::new();
    for service in fs::read_dir(folder())? {
        let service = service?;
        if !service.file_type()?.is_dir() {
            continue;
        }
        for file in fs::read_dir(service.path())? {
            let name = file?.file_name().to_string_lossy().into_owned();
            if name.ends_with(".log.gz") {
                files.insert(format!("{}/{name}", service.file_name().to_string_lossy()));
            }
        }
    }
    Ok(files)
}

/// `nginx/healthy.web.log.gz` is of the container `web`, and nothing was wrong with it.
fn healthy_container(file: &str) -> Option<&str> {
    file.split_once("/healthy.")?.1.strip_suffix(".log.gz")
}

/// What was told, a line each.
fn list<'t>(told: impl Iterator<Item = &'t Told>) -> String {
    told.fold(String::new(), |mut list, told| {
        let (a, detail) = (&told.anomaly, &told.anomaly.detail);
        let line = a.evidence.last().map_or("", |e| e.excerpt.as_str());
        let class = detail.class.map_or("", |class| class.as_str());
        let signature = detail.signature.as_deref().unwrap_or_default();
        let written = writeln!(
            list,
            "  {:.1} {} {} [{signature} {class}] {}\n      {line}",
            told.at,
            a.severity,
            a.kind.as_str(),
            a.summary
        );
        debug_assert!(written.is_ok(), "a string takes whatever is written to it");
        list
    })
}

#[test]
fn nothing_above_medium_is_told_of_healthy_services() -> Fallible {
    let mut false_alarms = String::new();
    let mut healthy = 0;
    for file in files()? {
        let Some(container) = healthy_container(&file) else { continue };
        healthy += 1;
        let told = replay(&folder().join(&file), container)?;
        let loud = list(told.iter().filter(|t| t.anomaly.severity > Severity::Medium));
        if !loud.is_empty() {
            writeln!(false_alarms, "{file}:\n{loud}")?;
        }
    }
    assert_eq!(healthy, 12, "four services of three containers each");
    assert!(false_alarms.is_empty(), "false alarms:\n{false_alarms}");
    Ok(())
}

#[test]
fn every_failure_is_told_within_ten_seconds_under_its_right_name_and_nothing_before() -> Fallible {
    let (mut missed, mut false_alarms) = (String::new(), String::new());
    for recording in recordings()? {
        let told = replay(&folder().join(&recording.file), &recording.container)?;
        let before = recording.at.saturating_sub(PREPARED)?;
        let loud =
            list(told.iter().filter(|t| t.at < before && t.anomaly.severity > Severity::Medium));
        if !loud.is_empty() {
            writeln!(false_alarms, "{}:\n{loud}", recording.file)?;
        }
        let after = || told.iter().filter(|t| t.at >= recording.at);
        let right = after().find(|t| recording.is_named_by(t));
        let late = right.map(|t| t.at.duration_since(recording.at));
        if late.is_none_or(|late| late > SOON) {
            writeln!(
                missed,
                "{}: none of {:?} within {SOON:#} of {}, but after {late:?}; the log tells it at \
                 {}; told was:\n{}",
                recording.file,
                recording.right,
                recording.at,
                recording.told_at,
                list(after().take(5)),
            )?;
        }
    }
    assert!(missed.is_empty(), "not told:\n{missed}");
    assert!(false_alarms.is_empty(), "false alarms before the failure:\n{false_alarms}");
    Ok(())
}

#[test]
fn the_manifest_names_every_recording_and_no_other() -> Fallible {
    let named: BTreeSet<String> = recordings()?.into_iter().map(|r| r.file).collect();
    let there: BTreeSet<String> =
        files()?.into_iter().filter(|file| healthy_container(file).is_none()).collect();
    assert_eq!(named, there);
    let mut size = 0;
    for file in files()? {
        size += fs::metadata(folder().join(file))?.len();
    }
    assert!(size <= ROOM, "{size} bytes of recordings: record less, or leave lead-in away");
    Ok(())
}
