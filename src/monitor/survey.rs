//! What is to be known of an engine before trusting what is watched through it.

use std::path::Path;

use jiff::SignedDuration;
use sentinel_core::domain::snapshot::EngineInfo;

use crate::monitor::cgroup::Cgroups;
use crate::monitor::client::Greeting;

/// An engine and the way to it.
#[derive(Clone, Debug)]
pub struct Survey {
    /// What it is.
    pub engine: EngineInfo,
    /// How far its clock is ahead of ours.
    pub ahead: SignedDuration,
    /// Version of its control groups as it says, `1` or `2`; empty if it does not say.
    pub cgroups: String,
    /// Version of the control groups that readings can be taken from without asking the engine,
    /// or why there are none.
    pub readable: Result<&'static str, String>,
    /// Where it keeps layers and logs.
    pub root: String,
    /// Containers, running or not.
    pub containers: usize,
}

impl Survey {
    pub(super) fn of(greeting: Greeting, containers: usize) -> Self {
        let Greeting { engine, ahead, cgroups, root, .. } = greeting;
        let readable = Cgroups::open(Path::new("/proc"))
            .map(|found| found.version())
            .map_err(|error| error.to_string());
        Self { engine, ahead, cgroups, readable, root, containers }
    }
}
