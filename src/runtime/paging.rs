//! Lines that fell out of memory, read back through the monitor for a front end that asks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::log_page::{PageAsk, PastPage};
use tokio::time::timeout;

use crate::ports::{Monitor, PortError};

/// How long a front end waits for a page. The monitor gives up before, with a better reason.
const PATIENCE: Duration = Duration::from_secs(15);

/// The monitor, reduced to what reads pages of a log.
#[derive(Clone)]
pub(crate) struct Pages(Arc<dyn Monitor>);

impl Pages {
    pub(super) fn new(monitor: Arc<dyn Monitor>) -> Self {
        Self(monitor)
    }

    pub(super) async fn read(&self, ask: PageAsk) -> Result<PastPage, PortError> {
        match timeout(PATIENCE, self.0.page(ask)).await {
            Ok(page) => page,
            Err(_) => Err(PortError("the engine does not answer".to_owned())),
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}
