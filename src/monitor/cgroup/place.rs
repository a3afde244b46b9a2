//! Where the files of one container are.

use std::path::{Path, PathBuf};

use crate::monitor::cgroup::text::Kept;

/// Names of the file with bytes read and written on cgroup v1, best first: what a throttled group
/// counts is what every group counts, whichever scheduler the disk has.
const V1_BLOCK_BYTES: [&str; 2] =
    ["blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"];

/// Its folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// One per controller; those that may be missing are optional.
    V1 {
        memory: PathBuf,
        cpuacct: PathBuf,
        cpu: Option<PathBuf>,
        blkio: Option<PathBuf>,
        pids: Option<PathBuf>,
    },
    /// One for everything.
    V2(PathBuf),
}

impl Place {
    /// A folder that lists its processes.
    pub(super) fn group(&self) -> &Path {
        match self {
            Self::V1 { memory, .. } => memory,
            Self::V2(group) => group,
        }
    }

    /// Whether it is one on cgroup v2.
    pub(super) fn is_v2(&self) -> bool {
        matches!(self, Self::V2(_))
    }

    /// The files that are read each time. A controller that is not there, or not delegated, has
    /// none.
    pub(super) fn counters(&self) -> Counters {
        let there = |path: PathBuf| path.exists().then(|| Kept::new(path));
        match self {
            Self::V1 { memory, cpuacct, cpu, blkio, pids } => Counters {
                memory_usage: Kept::new(memory.join("memory.usage_in_bytes")),
                memory_stat: Kept::new(memory.join("memory.stat")),
                cpu_time: Kept::new(cpuacct.join("cpuacct.usage")),
                periods: cpu.as_ref().and_then(|cpu| there(cpu.join("cpu.stat"))),
                blocks: blkio
                    .as_ref()
                    .and_then(|b| V1_BLOCK_BYTES.iter().find_map(|name| there(b.join(name)))),
                pids: pids.as_ref().and_then(|pids| there(pids.join("pids.current"))),
            },
            Self::V2(group) => Counters {
                memory_usage: Kept::new(group.join("memory.current")),
                memory_stat: Kept::new(group.join("memory.stat")),
                cpu_time: Kept::new(group.join("cpu.stat")),
                periods: None,
                blocks: there(group.join("io.stat")),
                pids: there(group.join("pids.current")),
            },
        }
    }
}

/// The files that are read each time.
#[derive(Debug)]
pub(super) struct Counters {
    pub(super) memory_usage: Kept,
    pub(super) memory_stat: Kept,
    /// On v2 it holds the scheduler's periods, too.
    pub(super) cpu_time: Kept,
    pub(super) periods: Option<Kept>,
    pub(super) blocks: Option<Kept>,
    pub(super) pids: Option<Kept>,
}
