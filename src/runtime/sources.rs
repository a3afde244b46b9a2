//! Where a front end may look, beyond snapshots and logs.

use std::fmt;
use std::sync::Arc;

use crate::ports::{ReadTools, Store};
use crate::runtime::events::SharedEvents;
use crate::runtime::paging::Pages;

/// Why nothing can be looked up through the handle of a screen whose run loop is elsewhere.
const FAR: &str = "that is only to be seen where this instance runs: open sentinel-tui there";

/// What its handle looks in.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(super) recent: SharedEvents,
    /// What is where the run loop is; `None`: that is elsewhere.
    pub(super) near: Option<Near>,
}

/// What is where the run loop is.
#[derive(Clone)]
pub(crate) struct Near {
    pub(super) store: Arc<dyn Store>,
    pub(super) reads: Arc<dyn ReadTools>,
    pub(super) pages: Pages,
}

impl Sources {
    /// What is where the run loop is, or why nothing is.
    pub(super) fn near(&self) -> Result<&Near, String> {
        self.near.as_ref().ok_or_else(|| FAR.to_owned())
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}
