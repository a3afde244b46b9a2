//! Start, stop, restart, kill, pause, and what the engine does after an end.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::container::{Container, Health, Status, Stopping, Then};
use crate::process::Process;
use crate::refused::Refused;
use crate::spec::Policy;
use crate::world::World;

/// The first delay of a restart policy; each next one is twice as long.
const FIRST_DELAY: SignedDuration = SignedDuration::from_millis(100);
/// The longest.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(60);
/// A run this long makes the delay short again.
const GOOD_RUN: SignedDuration = SignedDuration::from_secs(10);
/// What an obedient process takes to end.
const FAREWELL: SignedDuration = SignedDuration::from_millis(20);

impl World {
    /// Starts a container; its policy counts anew.
    pub fn start(&mut self, name: &str) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        match container.status {
            Status::Running | Status::Restarting => return Err(Refused::unchanged()),
            Status::Paused => {
                return Err(Refused::conflict(
                    "cannot start a paused container, try unpause instead",
                ));
            }
            Status::Created | Status::Exited => {}
        }
        self.start_by_hand(key)
    }

    fn start_by_hand(&mut self, key: u64) -> Result<(), Refused> {
        let container = self.change(key)?;
        container.restarts = 0;
        container.delay = SignedDuration::ZERO;
        container.stopped_by_hand = false;
        self.launch(key)
    }

    fn launch(&mut self, key: u64) -> Result<(), Refused> {
        self.join_networks(key)?;
        let now = self.now;
        self.next_pid = self.next_pid.wrapping_add(7);
        let pid = self.next_pid;
        let api = self.setting.api;
        let started = self.moment();
        let container = self.change(key)?;
        let spec = Arc::clone(&container.spec);
        container.pid = pid;
        container.status = Status::Running;
        container.started = Some(started);
        container.exit_code = 0;
        container.oom_killed = false;
        container.restart_at = None;
        container.stopping = None;
        container.run += 1;
        container.written.clone_from(&spec.program.writes);
        container.process = Some(Process::start(Arc::clone(&spec.program), &spec.env, now));
        container.health = spec.check.as_ref().map(|check| {
            let early = api.has_start_interval() && check.start_period > SignedDuration::ZERO;
            Health::starting(now + if early { check.start_interval } else { check.interval })
        });
        self.tell(key, "start", &[]);
        self.plan(key);
        Ok(())
    }

    /// The restart policy's turn.
    pub(in crate::world) fn start_again(&mut self, key: u64) {
        let Ok(container) = self.change(key) else { return };
        if container.restart_at.is_some() && container.spec.policy == Policy::No {
            // The policy was taken away in the delay.
            container.restart_at = None;
            container.status = Status::Exited;
            return;
        }
        container.restarts += 1;
        if let Err(refused) = self.launch(key) {
            tracing::debug!("a container cannot be started again: {refused}");
            if let Ok(container) = self.change(key) {
                container.restart_at = None;
                container.status = Status::Exited;
            }
        }
    }

    /// Begins to stop a container. It has ended when [`Container::stopping`] is `None` again.
    pub fn stop(&mut self, name: &str, grace: Option<i64>) -> Result<u64, Refused> {
        let (key, container) = self.look(name)?;
        if !container.is_up() {
            return Err(Refused::unchanged());
        }
        self.change(key)?.stopped_by_hand = true;
        self.begin_to_stop(key, grace, Then::Stop)?;
        Ok(key)
    }

    /// Begins to restart a container; one that does not run is just started.
    pub fn restart(&mut self, name: &str, grace: Option<i64>) -> Result<u64, Refused> {
        let (key, container) = self.look(name)?;
        if container.is_up() {
            self.begin_to_stop(key, grace, Then::Restart)?;
        } else {
            self.start_by_hand(key)?;
            self.tell(key, "restart", &[]);
        }
        Ok(key)
    }

    fn begin_to_stop(&mut self, key: u64, grace: Option<i64>, then: Then) -> Result<(), Refused> {
        let now = self.now;
        let container = self.change(key)?;
        if container.status == Status::Restarting {
            // There is no process: the delay ends, and that is all.
            container.restart_at = None;
            container.status = Status::Exited;
            self.plan(key);
            return self.after_stop(key, then);
        }
        let seconds = grace.unwrap_or(container.spec.grace);
        let obeys = container.process.as_ref().is_some_and(Process::obeys);
        let paused = container.status == Status::Paused;
        container.stopping = Some(Stopping {
            ends_at: obeys.then(|| now + FAREWELL),
            // Below zero: for ever.
            kill_at: (seconds >= 0).then(|| now + SignedDuration::from_secs(seconds)),
            then,
        });
        self.tell_signal(key, 15);
        if paused {
            self.thaw(key);
        }
        self.plan(key);
        Ok(())
    }

    fn after_stop(&mut self, key: u64, then: Then) -> Result<(), Refused> {
        match then {
            Then::Nothing => {}
            Then::Stop => self.tell(key, "stop", &[]),
            Then::Restart => {
                self.tell(key, "stop", &[]);
                self.start_by_hand(key)?;
                self.tell(key, "restart", &[]);
            }
        }
        Ok(())
    }

    /// Sends a signal.
    pub fn kill(&mut self, name: &str, signal: i32) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        if !container.has_process() {
            return Err(Refused::conflict(format!(
                "Cannot kill container: {name}: Container {} is not running",
                container.id
            )));
        }
        let paused = container.status == Status::Paused;
        let obeys = container.process.as_ref().is_some_and(Process::obeys);
        self.tell_signal(key, signal);
        match signal {
            9 => {
                self.change(key)?.stopped_by_hand = true;
                self.end(key, 137, false);
            }
            // A paused one gets it when it goes on.
            2 | 15 if obeys && !paused => {
                let ends_at = Some(self.now + FAREWELL);
                let container = self.change(key)?;
                container.stopped_by_hand = true;
                container.stopping = Some(Stopping { ends_at, kill_at: None, then: Then::Nothing });
                self.plan(key);
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends a container's process as the machine does it: nobody asked the engine.
    pub fn kill_from_outside(&mut self, name: &str) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        if !container.has_process() {
            return Err(Refused::not_running(&container.id));
        }
        self.end(key, 137, false);
        Ok(())
    }

    pub(in crate::world) fn tell_signal(&mut self, key: u64, signal: i32) {
        self.tell(key, "kill", &[("signal", signal.to_string())]);
    }

    /// The process has ended.
    pub(in crate::world) fn end(&mut self, key: u64, code: i64, out_of_memory: bool) {
        let now = self.now;
        if out_of_memory {
            self.tell(key, "oom", &[]);
        }
        let finished = self.moment();
        let Ok(container) = self.change(key) else { return };
        let lasted = container.started.map_or(SignedDuration::ZERO, |s| now.duration_since(s));
        let stopping = container.stopping.take();
        container.process = None;
        container.pid = 0;
        container.exit_code = code;
        container.oom_killed = out_of_memory;
        container.finished = Some(finished);
        container.status = Status::Exited;
        let wished = container.stopped_by_hand || stopping.is_some();
        if !wished && wants_restart(container) {
            let next = if lasted >= GOOD_RUN { SignedDuration::ZERO } else { container.delay * 2 };
            container.delay = next.clamp(FIRST_DELAY, LONGEST_DELAY);
            container.status = Status::Restarting;
            container.restart_at = Some(now + container.delay);
        }
        let removed = container.spec.auto_remove && container.status == Status::Exited;
        self.execs.end_of(key);
        let duration = lasted.as_secs().to_string();
        self.tell(key, "die", &[("exitCode", code.to_string()), ("execDuration", duration)]);
        self.leave_networks(key);
        self.plan(key);
        if let Some(stopping) = stopping
            && let Err(refused) = self.after_stop(key, stopping.then)
        {
            tracing::debug!("a container cannot be started again: {refused}");
        }
        if removed {
            self.forget(key);
        }
    }

    /// Freezes a container.
    pub fn pause(&mut self, name: &str) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        match container.status {
            Status::Paused => {
                return Err(Refused::conflict(format!(
                    "Container {} is already paused",
                    container.id
                )));
            }
            Status::Running => {}
            Status::Restarting => {
                return Err(Refused::conflict(format!(
                    "Container {} is restarting, wait until the container is running",
                    container.id
                )));
            }
            Status::Created | Status::Exited => return Err(Refused::not_running(&container.id)),
        }
        self.change(key)?.status = Status::Paused;
        self.tell(key, "pause", &[]);
        self.plan(key);
        Ok(())
    }

    /// Lets a frozen container go on.
    pub fn unpause(&mut self, name: &str) -> Result<(), Refused> {
        let (key, container) = self.look(name)?;
        if container.status != Status::Paused {
            return Err(Refused::failed(format!("Container {} is not paused", container.id)));
        }
        self.thaw(key);
        Ok(())
    }

    fn thaw(&mut self, key: u64) {
        let now = self.now;
        let Ok(container) = self.change(key) else { return };
        container.status = Status::Running;
        container.thaw(now);
        self.tell(key, "unpause", &[]);
        self.plan(key);
    }

    /// The daemon ends. Without live restore it takes its containers along, and nobody is told.
    pub fn daemon_ends(&mut self) {
        if self.setting.live_restore {
            return;
        }
        let up: Vec<u64> = self.containers().filter(|(_, c)| c.is_up()).map(|(k, _)| k).collect();
        for key in up {
            let Ok(container) = self.change(key) else { continue };
            let by_hand = container.stopped_by_hand;
            let code = if container.process.as_ref().is_some_and(Process::obeys) { 0 } else { 137 };
            container.restart_at = None;
            // What it ends with the engine does not hold against it.
            container.stopped_by_hand = true;
            if container.has_process() {
                self.end(key, code, false);
            } else {
                container.status = Status::Exited;
            }
            if let Ok(container) = self.change(key) {
                container.stopped_by_hand = by_hand;
            }
            self.plan(key);
        }
    }

    /// The daemon begins anew: it starts what its policies say, and knows no earlier event.
    pub fn daemon_begins(&mut self) {
        self.events.forget();
        let wanted = |container: &Container| {
            !container.is_up()
                && container.started.is_some()
                && match container.spec.policy {
                    Policy::Always => true,
                    Policy::UnlessStopped => !container.stopped_by_hand,
                    Policy::No | Policy::OnFailure(_) => false,
                }
        };
        let again: Vec<u64> =
            self.containers().filter(|(_, c)| wanted(c)).map(|(k, _)| k).collect();
        for key in again {
            self.start_again(key);
        }
    }
}

fn wants_restart(container: &Container) -> bool {
    match container.spec.policy {
        Policy::No => false,
        Policy::Always | Policy::UnlessStopped => true,
        Policy::OnFailure(most) => {
            container.exit_code != 0 && (most == 0 || container.restarts < most)
        }
    }
}
