//! How long servers may take.

use std::time::Duration;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From a server's start to the end of the handshake.
    pub connect: Duration,
    /// One page of a server's list of tools.
    pub list: Duration,
    /// One call, from its last sign of progress.
    pub call: Duration,
    /// One call in all, whatever progress it makes.
    pub total: Duration,
    /// Between two looks at a connection that cannot tell its own end (HTTP).
    pub check: Duration,
    /// Waiting for a server that is being started, before a call.
    pub patience: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(15),
            list: Duration::from_secs(10),
            call: Duration::from_mins(2),
            total: Duration::from_mins(10),
            check: Duration::from_secs(15),
            patience: Duration::from_secs(20),
        }
    }
}
