//! [`RedisBus`]: the port, put together.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::signal::Signal;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::bus::intake::{Heard, Intake, intake};
use crate::bus::keys::Keys;
use crate::bus::listen::Listener;
use crate::bus::place::Place;
use crate::bus::publish::Publisher;
use crate::ports::{Bus, Front};

/// Who speaks on the bus.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Name of the engine's host: in every key and event.
    pub host: String,
    /// Names the instance, also after a restart.
    pub instance: String,
    /// Names this run of it.
    pub run: String,
}

/// Events and commands over Redis.
pub struct RedisBus {
    place: Arc<Place>,
    identity: Identity,
    /// Where events wait while Redis is away for long.
    file: Option<PathBuf>,
    commands: bool,
    intake: Intake,
    /// Until it runs.
    heard: Mutex<Option<Heard>>,
}

impl RedisBus {
    /// `file` belongs to this instance alone, or there is none.
    pub fn new(place: Arc<Place>, identity: Identity, file: Option<PathBuf>) -> Self {
        let (intake, heard) = intake();
        let heard = Mutex::new(Some(heard));
        Self { place, identity, file, commands: false, intake, heard }
    }

    /// The same, taking commands.
    #[must_use]
    pub fn with_commands(mut self, on: bool) -> Self {
        self.commands = on;
        self
    }
}

impl Bus for RedisBus {
    fn hear(&self, event: &Arc<Envelope>) {
        self.intake.put(event);
    }

    fn run(
        &self,
        front: Arc<dyn Front>,
        out: mpsc::Sender<Signal>,
        stop: CancellationToken,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(heard) = heard else {
                tracing::error!("a bus runs once");
                return;
            };
            let Identity { host, instance, run } = self.identity.clone();
            let keys = Keys::of(&host);
            let place = Arc::clone(&self.place);
            let publisher = Publisher::new(place, keys, run, self.file.as_deref(), out);
            let place = Arc::clone(&self.place);
            let listener = Listener { place, host, instance, front: Arc::clone(&front) };
            let listening = async {
                if self.commands {
                    listener.run(stop.clone()).await;
                }
            };
            tokio::join!(publisher.run(front, heard, stop.clone()), listening);
        })
    }
}
