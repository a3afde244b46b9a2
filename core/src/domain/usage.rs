//! One reading of a container's resources, already turned into rates.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::ids::ContainerId;

/// Rates are per second, over the time since the previous reading. Memory is what
/// `docker stats` shows: usage without the page cache that the kernel can drop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Percent of one core: 200 means two cores.
    pub cpu_pct: f64,
    /// Bytes in use.
    pub mem_used: u64,
    /// Limit in bytes (the host's memory when it has none).
    pub mem_limit: u64,
    /// Bytes received per second, all interfaces.
    pub net_rx_bps: f64,
    /// Bytes sent per second, all interfaces.
    pub net_tx_bps: f64,
    /// Bytes read from disk per second.
    pub disk_read_bps: f64,
    /// Bytes written to disk per second.
    pub disk_write_bps: f64,
    /// Processes and threads.
    pub pids: u64,
    /// How many of them it may have; `None`: as many as it likes, or not known.
    #[serde(default)]
    pub pids_limit: Option<u64>,
    /// How much processor it may use, in percent of one core (its quota); `None`: all, or not
    /// known.
    #[serde(default)]
    pub cpu_limit_pct: Option<f64>,
    /// Share of the scheduler's periods since the previous reading in which it was held back
    /// because its quota was used up, in percent; `None`: no quota, or not known.
    #[serde(default)]
    pub throttled_pct: Option<f64>,
    /// Bytes that no file on a disk stands behind (heap, stacks, shared memory, tmpfs): what a
    /// leak grows and the kernel cannot drop. `None`: not known.
    #[serde(default)]
    pub mem_anon: Option<u64>,
    /// File descriptors that its main process has open; `None`: not visible from here.
    #[serde(default)]
    pub fds: Option<u64>,
    /// How many it may have open.
    #[serde(default)]
    pub fds_limit: Option<u64>,
}

impl Usage {
    /// Memory in use as percent of the limit.
    pub fn mem_pct(&self) -> f64 {
        if self.mem_limit == 0 {
            return 0.0;
        }
        self.mem_used as f64 / self.mem_limit as f64 * 100.0
    }

    /// Bytes that the kernel cannot drop: those without a file behind them where that is known
    /// (what is in use includes the page cache that is read again and again), else all in use.
    pub fn mem_held(&self) -> u64 {
        self.mem_anon.unwrap_or(self.mem_used)
    }
}

/// A reading with its owner and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageSample {
    /// Whose.
    pub container: ContainerId,
    /// When it was read.
    pub at: Timestamp,
    /// The reading.
    pub usage: Usage,
}
