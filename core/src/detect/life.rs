//! Anomalies in what happens to a container: deaths that nobody asked for, loops, memory kills,
//! failing health checks.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::detect::{Finding, found};
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::{Container, ContainerRef, RestartPolicy, RunState};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::life::{LifeEvent, LifeKind};
use crate::domain::severity::Severity;
use crate::domain::usage::UsageSample;

/// Deaths within [`LOOP_SHORT`] that make a loop.
const LOOP_COUNT_SHORT: usize = 3;
/// See [`LOOP_COUNT_SHORT`].
const LOOP_SHORT: SignedDuration = SignedDuration::from_mins(10);
/// Deaths within [`LOOP_LONG`] that make a slow loop.
const LOOP_COUNT_LONG: usize = 5;
/// See [`LOOP_COUNT_LONG`].
const LOOP_LONG: SignedDuration = SignedDuration::from_mins(30);
/// An `oom` event this long before a death explains it.
const OOM_EXPLAINS: SignedDuration = SignedDuration::from_secs(10);
/// A kill event explains a death within the stop timeout plus this.
const KILL_SLACK: Duration = Duration::from_secs(2);
/// Memory at this share of the limit, seen within the last half minute, makes an unexplained
/// SIGKILL a memory kill.
const MEMORY_NEAR_LIMIT: f64 = 90.0;

/// What is remembered of one container.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or do not, independently")]
pub struct LifeDetector {
    stop_signal: i32,
    stop_timeout: Duration,
    policy: RestartPolicy,
    one_off: bool,
    running: bool,
    /// Signals sent through the engine since the last start.
    kills: VecDeque<(Timestamp, i32)>,
    stopped: bool,
    oom_at: Option<Timestamp>,
    deaths: VecDeque<Timestamp>,
    memory_near_limit_at: Option<Timestamp>,
    events: u64,
    /// When it ended because somebody asked for it, since its last start.
    ended_as_asked: Option<Timestamp>,
    /// The engine shut down and took it along.
    shut_down: bool,
    /// What the engine last said of a failed start; `None` before the first inspect.
    start_error: Option<String>,
    /// `StartedAt` of the last run that an inspect showed.
    run: String,
    /// `StartedAt` of the run whose death an event told.
    ended_run: Option<String>,
    /// It was stopped while the engine was out of sight: nobody knows by whom. An engine that
    /// crashed ends what it finds left over when it starts again.
    stopped_unseen: bool,
    /// It ended after that.
    ended_unseen: bool,
}

impl Default for LifeDetector {
    fn default() -> Self {
        Self {
            stop_signal: 15,
            stop_timeout: Duration::from_secs(10),
            policy: RestartPolicy::No,
            one_off: false,
            running: false,
            kills: VecDeque::new(),
            stopped: false,
            oom_at: None,
            deaths: VecDeque::new(),
            memory_near_limit_at: None,
            events: 0,
            ended_as_asked: None,
            shut_down: false,
            start_error: None,
            run: String::new(),
            ended_run: None,
            stopped_unseen: false,
            ended_unseen: false,
        }
    }
}

impl LifeDetector {
    /// Takes over what an inspect says. A container found stopped without a witnessed death is
    /// an anomaly of its own kind: nobody knows whether it was meant.
    pub fn inspected(
        &mut self,
        container: &Container,
        unwitnessed: bool,
        now: Timestamp,
    ) -> Vec<Finding> {
        self.stop_signal = container.stop_signal;
        self.stop_timeout = container.stop_timeout;
        self.policy = container.restart_policy;
        self.one_off = container.is_one_off();
        if container.is_up() && self.ended_run.as_ref() == Some(&container.started_at_raw) {
            // It was looked at before the death that we know of.
            return Vec::new();
        }
        self.run.clone_from(&container.started_at_raw);
        let was_running = self.running;
        self.running = container.state == RunState::Running;
        let before = self.start_error.replace(container.error.clone());
        let down = matches!(container.state, RunState::Exited | RunState::Dead);
        let not_started = down || container.state == RunState::Created;
        if not_started
            && !container.error.is_empty()
            && before.is_some_and(|b| b != container.error)
        {
            return vec![found::start_failure(container, now)];
        }
        if !down {
            self.shut_down &= !container.is_up();
            self.ended_unseen &= !container.is_up();
            return Vec::new();
        }
        let taken_along = std::mem::take(&mut self.shut_down)
            && !matches!(
                container.restart_policy,
                RestartPolicy::Always | RestartPolicy::UnlessStopped
            );
        let ended_unseen = unwitnessed && std::mem::take(&mut self.ended_unseen);
        let lost = ended_unseen || (unwitnessed && was_running && container.exit_code != 0);
        if !(taken_along || lost) {
            return Vec::new();
        }
        vec![found::down(container, taken_along, now)]
    }

    /// Whether it runs, as far as events and inspects say.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// When it ended because somebody asked for it, if that is how its last run ended.
    pub fn ended_as_asked(&self) -> Option<Timestamp> {
        self.ended_as_asked
    }

    /// The engine itself shut down: it was this that asked for the end.
    pub fn engine_shut_down(&mut self) {
        self.shut_down = true;
        self.ended_as_asked = None;
    }

    /// Remembers that memory stood near the limit.
    pub fn usage(&mut self, sample: &UsageSample) {
        if sample.usage.mem_pct() >= MEMORY_NEAR_LIMIT {
            self.memory_near_limit_at = Some(sample.at);
        }
    }

    /// Looks at one event that is told after the engine was out of sight. Who stopped a container
    /// meanwhile is not known: it proves no operator's wish, and a death after it is no crash. The
    /// inspect that follows decides.
    pub fn replayed(&mut self, event: &LifeEvent, of: &ContainerRef) -> Vec<Finding> {
        match &event.kind {
            LifeKind::Kill { signal } => {
                // A wish that was seen before goes on to count.
                self.stopped_unseen |= self.stops(*signal) && !self.was_asked_for(event.at);
                self.events += 1;
                Vec::new()
            }
            LifeKind::Die { .. } if self.stopped_unseen => {
                self.events += 1;
                self.running = false;
                self.ended_run = (!self.run.is_empty()).then(|| self.run.clone());
                self.kills.clear();
                self.ended_unseen = true;
                Vec::new()
            }
            LifeKind::Stop if !self.stopped && self.ended_as_asked.is_none() => {
                self.events += 1;
                self.ended_unseen |= self.stopped_unseen;
                Vec::new()
            }
            _ => self.event(event, of),
        }
    }

    /// Looks at one event.
    pub fn event(&mut self, event: &LifeEvent, of: &ContainerRef) -> Vec<Finding> {
        self.events += 1;
        match &event.kind {
            LifeKind::Kill { signal } => {
                if self.kills.len() == 8 {
                    self.kills.pop_front();
                }
                self.kills.push_back((event.at, *signal));
                Vec::new()
            }
            LifeKind::Stop => {
                self.stopped = true;
                self.ended_as_asked = Some(event.at);
                Vec::new()
            }
            LifeKind::Start => {
                self.running = true;
                self.ended_as_asked = None;
                self.shut_down = false;
                self.stopped_unseen = false;
                self.ended_unseen = false;
                self.kills.clear();
                self.stopped = false;
                self.oom_at = None;
                Vec::new()
            }
            LifeKind::Oom => {
                self.oom_at = Some(event.at);
                vec![self.finding(
                    (AnomalyKind::OomKill, Severity::High),
                    event,
                    of,
                    format!("the kernel killed a process of {} at its memory limit", of.name),
                    None,
                )]
            }
            LifeKind::Die { exit_code } => {
                self.running = false;
                self.ended_run = (!self.run.is_empty()).then(|| self.run.clone());
                self.death(*exit_code, event, of).into_iter().collect()
            }
            LifeKind::Unhealthy => vec![self.finding(
                (AnomalyKind::Unhealthy, Severity::High),
                event,
                of,
                format!("the health check of {} failed", of.name),
                None,
            )],
            LifeKind::Create
            | LifeKind::Restart
            | LifeKind::Healthy
            | LifeKind::Pause
            | LifeKind::Unpause
            | LifeKind::Destroy
            | LifeKind::Rename
            | LifeKind::Update
            | LifeKind::Connect { .. }
            | LifeKind::Disconnect { .. } => Vec::new(),
        }
    }

    /// Whether somebody asked for a death at `at`: a kill event with a signal that stops, within
    /// the stop timeout plus two seconds before it, or a stop.
    fn was_asked_for(&self, at: Timestamp) -> bool {
        let patience = SignedDuration::try_from(self.stop_timeout + KILL_SLACK)
            .unwrap_or(SignedDuration::from_secs(12));
        self.stopped
            || self
                .kills
                .iter()
                .any(|(sent, signal)| self.stops(*signal) && at.duration_since(*sent) <= patience)
    }

    fn stops(&self, signal: i32) -> bool {
        signal == self.stop_signal || matches!(signal, 2 | 3 | 9 | 15)
    }

    fn death(&mut self, exit_code: i64, event: &LifeEvent, of: &ContainerRef) -> Option<Finding> {
        let asked = self.was_asked_for(event.at);
        self.kills.clear();
        if asked {
            self.ended_as_asked = Some(event.at);
        }
        if asked || exit_code == 0 {
            return None;
        }
        while self.deaths.front().is_some_and(|d| event.at.duration_since(*d) > LOOP_LONG) {
            self.deaths.pop_front();
        }
        if self.deaths.len() == 64 {
            self.deaths.pop_front();
        }
        self.deaths.push_back(event.at);
        let short =
            self.deaths.iter().filter(|d| event.at.duration_since(**d) <= LOOP_SHORT).count();
        let looping = short >= LOOP_COUNT_SHORT || self.deaths.len() >= LOOP_COUNT_LONG;
        let oom = self.oom_at.is_some_and(|o| event.at.duration_since(o) <= OOM_EXPLAINS)
            || (exit_code == 137
                && self
                    .memory_near_limit_at
                    .is_some_and(|m| event.at.duration_since(m) <= SignedDuration::from_secs(30)));
        let (kind, what) = if oom {
            (
                AnomalyKind::OomKill,
                format!("{} died at its memory limit ({})", of.name, exit_words(exit_code)),
            )
        } else if looping {
            (
                AnomalyKind::CrashLoop,
                if short >= LOOP_COUNT_SHORT {
                    format!(
                        "{} died {short} times within ten minutes, last with {}",
                        of.name,
                        exit_words(exit_code)
                    )
                } else {
                    format!(
                        "{} died {} times within half an hour, last with {}",
                        of.name,
                        self.deaths.len(),
                        exit_words(exit_code)
                    )
                },
            )
        } else {
            (AnomalyKind::Death, format!("{} died with {}", of.name, exit_words(exit_code)))
        };
        let severity = if self.one_off {
            Severity::Medium
        } else if self.policy.restarts_after(exit_code, 0) && !looping {
            Severity::High
        } else {
            Severity::Critical
        };
        Some(self.finding((kind, severity), event, of, what, Some(exit_code)))
    }

    fn finding(
        &self,
        (kind, severity): (AnomalyKind, Severity),
        event: &LifeEvent,
        of: &ContainerRef,
        summary: String,
        exit_code: Option<i64>,
    ) -> Finding {
        Finding {
            kind,
            severity,
            score: 1.0,
            summary,
            observed_at: event.at,
            evidence: vec![Evidence {
                id: EvidenceId(format!("event-{}-{}", of.id.short(), self.events)),
                kind: EvidenceKind::Event,
                container: of.name.clone(),
                ts: event.at,
                excerpt: format!("{} {}", of.name, event.kind.words()),
                line: None,
            }],
            detail: AnomalyDetail { exit_code, ..Default::default() },
        }
    }
}

/// An exit status in words a person reads: `exit status 137 (SIGKILL)`.
pub fn exit_words(code: i64) -> String {
    let meaning = match code {
        0 => "success",
        126 => "command cannot be executed",
        127 => "command not found",
        130 => "SIGINT",
        132 => "SIGILL",
        134 => "SIGABRT",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        143 => "SIGTERM",
        _ => return format!("exit status {code}"),
    };
    format!("exit status {code} ({meaning})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of() -> ContainerRef {
        ContainerRef {
            id: "abcdef123456789".into(),
            name: "api".into(),
            service: "api".into(),
            project: None,
        }
    }

    fn event(seconds: i64, kind: LifeKind) -> LifeEvent {
        LifeEvent {
            container: "abcdef123456789".into(),
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds),
            kind,
        }
    }

    fn run(events: &[(i64, LifeKind)]) -> Vec<AnomalyKind> {
        let mut life = LifeDetector::default();
        events
            .iter()
            .flat_map(|(at, kind)| life.event(&event(*at, kind.clone()), &of()))
            .map(|f| f.kind)
            .collect()
    }

    #[test]
    fn a_crash_is_an_anomaly_and_an_asked_for_death_is_none() {
        type Case<'a> = (&'a [(i64, LifeKind)], &'a [AnomalyKind]);
        let die = |exit_code| LifeKind::Die { exit_code };
        let kill = |signal| LifeKind::Kill { signal };
        let cases: &[Case<'_>] = &[
            (&[(1, die(1))], &[AnomalyKind::Death]),
            (&[(1, die(0))], &[]),
            (&[(1, kill(15)), (1, die(143))], &[]),
            (&[(1, kill(15)), (11, kill(9)), (11, die(137))], &[]),
            (&[(1, kill(1)), (2, die(1))], &[AnomalyKind::Death]),
            (&[(1, kill(15)), (60, die(1))], &[AnomalyKind::Death]),
            (&[(1, LifeKind::Stop), (1, die(1))], &[]),
            (&[(1, LifeKind::Oom), (1, die(137))], &[AnomalyKind::OomKill, AnomalyKind::OomKill]),
            (
                &[
                    (1, die(1)),
                    (2, LifeKind::Start),
                    (3, die(1)),
                    (4, LifeKind::Start),
                    (5, die(1)),
                ],
                &[AnomalyKind::Death, AnomalyKind::Death, AnomalyKind::CrashLoop],
            ),
            // Asked for once does not excuse the next life.
            (
                &[(1, kill(15)), (1, die(143)), (2, LifeKind::Start), (3, die(2))],
                &[AnomalyKind::Death],
            ),
        ];
        for (events, expected) in cases {
            assert_eq!(run(events), *expected, "{events:?}");
        }
    }
}
