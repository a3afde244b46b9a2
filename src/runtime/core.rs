//! The only way into the core: what it is given is taken down first, where a recording is wanted,
//! with the time that the core is given, too.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use sentinel_core::detect::score::learned::{Learned, LearnedError, ServiceKey};
use sentinel_core::domain::anomaly::Anomaly;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::LogEntry;
use sentinel_core::domain::log_pattern::LogPatterns;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::engine::effect::Effect;
use sentinel_core::session::Session;
use sentinel_core::session::input::{Input, Start};
use sentinel_core::session::wire::Given;

use crate::ports::{PortError, Recorder};

/// The part that is degraded when a recording ends before its time.
const PART: &str = "recording";

/// The session, and who takes down what it is given.
pub(super) struct Core {
    session: Session,
    recorder: Option<Box<dyn Recorder>>,
    /// Why the recording has ended, until that is told.
    ended: Option<PortError>,
}

impl Core {
    pub(super) fn new(start: Start, mut recorder: Option<Box<dyn Recorder>>) -> Self {
        let ended = recorder.as_mut().and_then(|r| r.begin(&start).err());
        let recorder = recorder.filter(|_| ended.is_none());
        Self { session: Session::new(start), recorder, ended }
    }

    /// Gives it what is no signal.
    pub(super) fn tell(&mut self, input: Input<'_>, now: Timestamp) -> Result<(), LearnedError> {
        let given = Given { at: now, input };
        self.take_down(&given);
        self.session.told(given.input, now)
    }

    /// Gives it a signal: the first half of a turn.
    pub(super) fn observe(&mut self, signal: &Signal, now: Timestamp) -> Vec<Anomaly> {
        self.take_down(&Given { at: now, input: Input::Signal(Cow::Borrowed(signal)) });
        self.session.observe(signal, now)
    }

    /// What the stream tells of lines and readings: between the halves of a turn.
    pub(super) fn announce(
        &mut self,
        signal: &Signal,
        anomalies: &[Anomaly],
        now: Timestamp,
    ) -> Vec<Envelope> {
        self.session.announce(signal, anomalies, now)
    }

    /// The second half of a turn.
    pub(super) fn step(
        &mut self,
        signal: Signal,
        anomalies: Vec<Anomaly>,
        now: Timestamp,
    ) -> Vec<Effect> {
        self.session.step(signal, anomalies, now)
    }

    pub(super) fn envelope(&mut self, at: Timestamp, event: Event) -> Envelope {
        self.session.envelope(at, event)
    }

    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.session.wake_at()
    }

    pub(super) fn open_incidents(&self) -> usize {
        self.session.open_incidents()
    }

    pub(super) fn snapshot(&mut self, now: Timestamp) -> Snapshot {
        self.session.snapshot(now)
    }

    pub(super) fn patterns(
        &mut self,
        container: &ContainerId,
        kept: &[Arc<LogEntry>],
        now: Timestamp,
    ) -> Option<LogPatterns> {
        self.session.patterns(container, kept, now)
    }

    pub(super) fn name_of(&self, container: &ContainerId) -> Option<&str> {
        self.session.name_of(container)
    }

    pub(super) fn due_learned(&mut self, now: Timestamp) -> Option<(ServiceKey, Learned)> {
        self.session.due_learned(now)
    }

    /// The news that the recording has ended before its time, once.
    pub(super) fn recording_ended(&mut self) -> Option<Signal> {
        let PortError(detail) = self.ended.take()?;
        Some(Signal::Degraded { part: PART.to_owned(), detail })
    }

    /// The run is over, and so is the recording. What is given now is not taken down any more.
    pub(super) fn end_recording(&mut self, why: &str, now: Timestamp) -> Option<Box<dyn Recorder>> {
        self.take_down(&Given { at: now, input: Input::End(why.into()) });
        self.recorder.take()
    }

    fn take_down(&mut self, given: &Given<'_>) {
        let Some(recorder) = &mut self.recorder else { return };
        if let Err(error) = recorder.put(given) {
            self.recorder = None;
            self.ended = Some(error);
        }
    }
}
