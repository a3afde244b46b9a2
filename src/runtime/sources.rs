//! Where a front end may look, beyond snapshots and logs.

use std::fmt;
use std::sync::Arc;

use crate::ports::{ReadTools, Store};
use crate::runtime::events::SharedEvents;
use crate::runtime::paging::Pages;

/// What its handle looks in.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(super) store: Arc<dyn Store>,
    pub(super) reads: Arc<dyn ReadTools>,
    pub(super) recent: SharedEvents,
    pub(super) pages: Pages,
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").finish_non_exhaustive()
    }
}
