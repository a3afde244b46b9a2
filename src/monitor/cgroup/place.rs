//! Where the files of one container are.

use std::path::{Path, PathBuf};

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
}
