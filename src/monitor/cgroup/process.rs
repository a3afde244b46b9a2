//! What `/proc` has of a container's main process: network counters, open files.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::monitor::cgroup::text::{Scratch, began, most_files, network_bytes};
use crate::monitor::usage::Reading;

/// Open files are counted at each reading up to this many, and every [`FILES_EVERY`] above: an
/// older kernel has them listed one by one.
const FEW_FILES: u64 = 256;
/// See [`FEW_FILES`].
const FILES_EVERY: Duration = Duration::from_secs(10);
/// Processes that are looked at to find the main one.
const MOST_LOOKED_AT: usize = 256;
/// Groups below a container's own that are looked into when it has no process itself.
const MOST_BELOW: usize = 16;

/// Open files, and when they were counted.
#[derive(Clone, Copy, Debug)]
struct Files {
    counted_at: Instant,
    open: u64,
    most: Option<u64>,
    /// When the limit was read.
    limit_at: Instant,
}

/// A main process.
#[derive(Debug)]
pub(super) struct MainProcess {
    folder: PathBuf,
    /// Its `net/dev`; `None` when it shares the machine's network, which is not its own traffic.
    network: Option<PathBuf>,
    files: Option<Files>,
    /// Its open files may not be seen from here.
    hidden: bool,
}

impl MainProcess {
    /// Adds what is its to a reading. An error means that it ended.
    pub(super) fn read(
        &mut self,
        scratch: &mut Scratch,
        now: Instant,
        reading: &mut Reading,
    ) -> io::Result<()> {
        match &self.network {
            Some(path) => (reading.rx, reading.tx) = network_bytes(scratch.read(path)?),
            None => {
                fs::metadata(&self.folder)?;
            }
        }
        let due = self
            .files
            .is_none_or(|f| f.open <= FEW_FILES || now.duration_since(f.counted_at) >= FILES_EVERY);
        if due && !self.hidden {
            self.count_files(scratch, now);
        }
        reading.fds = self.files.map(|f| f.open);
        reading.fds_limit = self.files.and_then(|f| f.most);
        Ok(())
    }

    fn count_files(&mut self, scratch: &mut Scratch, now: Instant) {
        let mut limit_at = self.files.map_or(now, |known| known.limit_at);
        let folder = self.folder.join("fd");
        // Linux 6.2 tells their number as the folder's size.
        let told = fs::metadata(&folder).map(|m| m.size()).ok().filter(|n| *n > 0);
        let most = match self.files {
            // Only `prlimit` changes it.
            Some(known) if now.duration_since(known.limit_at) < FILES_EVERY => known.most,
            _ => {
                limit_at = now;
                scratch.read(&self.folder.join("limits")).ok().and_then(most_files)
            }
        };
        let open = told.or_else(|| {
            fs::read_dir(&folder).ok().map(|all| u64::try_from(all.count()).unwrap_or(u64::MAX))
        });
        // Another user's process lists them for root only, which does not change by asking again.
        self.hidden = open.is_none();
        self.files = open.map(|open| Files { counted_at: now, open, most, limit_at });
    }
}

/// The main process of a group: the one that began first, for whatever was executed in a running
/// container came later. `mode` is the container's network mode.
pub(super) fn main_of(
    proc: &Path,
    group: &Path,
    mode: &str,
    scratch: &mut Scratch,
) -> Option<MainProcess> {
    let mut pids = pids_in(group, scratch);
    if pids.is_empty() {
        // A container that runs systemd keeps its processes in groups of its own.
        let below = fs::read_dir(group).ok()?.flatten().map(|entry| entry.path());
        for folder in below.filter(|path| path.is_dir()).take(MOST_BELOW) {
            pids.extend(pids_in(&folder, scratch));
        }
    }
    let main = pids
        .into_iter()
        .take(MOST_LOOKED_AT)
        .filter_map(|pid| {
            let folder = proc.join(pid.to_string());
            Some((began(scratch.read(&folder.join("stat")).ok()?)?, pid, folder))
        })
        .min_by_key(|(began, pid, _)| (*began, *pid));
    let (_, _, folder) = main?;
    let shares = mode == "host"
        || (mode.starts_with("container:") && same_network(&folder, &proc.join("self")));
    Some(MainProcess {
        network: (!shares).then(|| folder.join("net/dev")),
        folder,
        files: None,
        hidden: false,
    })
}

/// The processes of a group as they are numbered here; zero is one that is not seen from here.
fn pids_in(group: &Path, scratch: &mut Scratch) -> Vec<u32> {
    let text = scratch.read(&group.join("cgroup.procs")).unwrap_or_default();
    text.lines().filter_map(|line| line.trim().parse().ok()).filter(|pid| *pid > 0).collect()
}

fn same_network(a: &Path, b: &Path) -> bool {
    let of = |folder: &Path| fs::metadata(folder.join("ns/net")).map(|m| (m.dev(), m.ino())).ok();
    of(a).is_some_and(|a| of(b) == Some(a))
}

/// The user that we are.
pub(super) fn owner(proc: &Path) -> Option<u32> {
    fs::metadata(proc.join("self")).map(|m| m.uid()).ok()
}
