//! The loop and the bus to other machines.

use std::sync::Arc;

use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::signal::Signal;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::ports::Bus;
use crate::runtime::handle::Handle;
use crate::runtime::run::Loop;

impl Loop {
    /// The same with a bus to other machines; `handle` is the one to this loop.
    #[must_use]
    pub fn on(mut self, bus: Arc<dyn Bus>, handle: &Handle) -> Self {
        self.bus = Some((bus, handle.clone()));
        self
    }

    /// Tells everybody who listens, here and elsewhere.
    pub(super) fn send(&self, envelope: Envelope) {
        let envelope = Arc::new(envelope);
        if let Some((bus, _)) = &self.bus {
            bus.hear(&envelope);
        }
        // Nobody may be listening; that is fine.
        drop(self.events.send(envelope));
    }

    /// Sets the bus running.
    pub(super) fn tell_others(
        &self,
        out: &mpsc::Sender<Signal>,
        stop: CancellationToken,
    ) -> JoinHandle<()> {
        let (bus, out) = (self.bus.clone(), out.clone());
        tokio::spawn(async move {
            if let Some((bus, front)) = bus {
                bus.run(Arc::new(front), out, stop).await;
            }
        })
    }
}
