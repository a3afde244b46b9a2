//! Anomalies in what happens to a container: deaths that nobody asked for, loops, memory kills,
//! failing health checks, flapping, pauses, networks that are taken away.

mod deaths;
pub mod exit;
mod flapping;

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::detect::life::deaths::Deaths;
use crate::detect::life::exit::exit_words;
use crate::detect::life::flapping::Flapping;
use crate::detect::{Finding, found, probes};
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::{Container, ContainerRef, Probe, RestartPolicy, RunState};
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::life::{LifeEvent, LifeKind};
use crate::domain::severity::Severity;
use crate::domain::usage::UsageSample;

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
    /// Told as paused, and not resumed or started since.
    told_paused: bool,
    /// Signals sent through the engine since the last start.
    kills: VecDeque<(Timestamp, i32)>,
    stopped: bool,
    oom_at: Option<Timestamp>,
    deaths: Deaths,
    swings: Flapping,
    health_swings: Flapping,
    /// The last runs of the health check, as of the last inspect.
    probes: Vec<Probe>,
    /// Restarts by the restart policy, as of the last inspect.
    restart_count: u32,
    /// A network that it was detached from, until an inspect tells whether it runs without it.
    lost_network: Option<(String, Timestamp)>,
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
            told_paused: false,
            kills: VecDeque::new(),
            stopped: false,
            oom_at: None,
            deaths: Deaths::default(),
            swings: Flapping::default(),
            health_swings: Flapping::default(),
            probes: Vec::new(),
            restart_count: 0,
            lost_network: None,
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
        self.probes.clone_from(&container.probes);
        self.restart_count = container.restart_count;
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
            return self.runs_without(container).into_iter().collect();
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

    /// A network was taken from it, and it runs on. When it ends, the engine detaches it, too.
    fn runs_without(&mut self, container: &Container) -> Option<Finding> {
        let (network, at) = self.lost_network.take()?;
        let has = container.networks.iter().any(|n| n.network == network);
        (container.is_up() && !has).then(|| found::without_network(container, &network, at))
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
                self.told_paused = false;
                self.swings.up(event.at);
                self.lost_network = None;
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
                self.lost_network = None;
                self.death(*exit_code, event, of)
            }
            LifeKind::Unhealthy => self.unhealthy(event, of),
            LifeKind::Healthy => {
                self.health_swings.up(event.at);
                Vec::new()
            }
            // Only the engine freezes, and only because somebody asked it to. It may tell one
            // pause twice: what serves the request and what watches the process both do.
            LifeKind::Pause if std::mem::replace(&mut self.told_paused, true) => Vec::new(),
            LifeKind::Pause => vec![self.finding(
                (AnomalyKind::Paused, Severity::Low),
                event,
                of,
                format!("{} was paused through the engine", of.name),
                None,
            )],
            LifeKind::Unpause => {
                self.told_paused = false;
                Vec::new()
            }
            LifeKind::Disconnect { network } => {
                if self.running {
                    self.lost_network = Some((network.clone(), event.at));
                }
                Vec::new()
            }
            // It runs on; it may not start again, or not be made anew.
            LifeKind::NetworkGone { .. } | LifeKind::ImageGone => vec![self.finding(
                (AnomalyKind::Surroundings, Severity::Low),
                event,
                of,
                format!("{} {}", of.name, event.kind.words()),
                None,
            )],
            // It is new: an error that the first inspect showed is of a start since then, which
            // the next inspect tells. The engine lets nobody look at it while it is being started.
            LifeKind::Create => {
                self.start_error = Some(String::new());
                Vec::new()
            }
            LifeKind::Restart
            | LifeKind::Destroy
            | LifeKind::Rename
            | LifeKind::Update
            | LifeKind::Connect { .. } => Vec::new(),
        }
    }

    fn unhealthy(&mut self, event: &LifeEvent, of: &ContainerRef) -> Vec<Finding> {
        let mut finding = self.finding(
            (AnomalyKind::Unhealthy, Severity::High),
            event,
            of,
            format!("the health check of {} failed", of.name),
            None,
        );
        finding.evidence.extend(probes::failed(&self.probes, of, event.at));
        let swings = self.health_swings.down(event.at);
        let flapping = swings.map(|n| self.flaps(n, "between healthy and unhealthy", event, of));
        [finding].into_iter().chain(flapping).collect()
    }

    /// What falls again and again has an incident already; this says only how it behaves. It
    /// joins that incident and opens none.
    fn flaps(&self, changes: usize, what: &str, event: &LifeEvent, of: &ContainerRef) -> Finding {
        let summary = format!("{} changed {changes} times {what} in a quarter of an hour", of.name);
        self.finding((AnomalyKind::Flapping, Severity::Medium), event, of, summary, None)
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

    fn death(&mut self, exit_code: i64, event: &LifeEvent, of: &ContainerRef) -> Vec<Finding> {
        let asked = self.was_asked_for(event.at);
        self.kills.clear();
        let back = self.policy.restarts_after(exit_code, self.restart_count);
        if asked {
            self.ended_as_asked = Some(event.at);
            self.swings.taken_in_hand();
            return Vec::new();
        }
        // A job that is done does not fall.
        let swings = if exit_code != 0 || back { self.swings.down(event.at) } else { None };
        let flapping = |this: &Self| {
            swings.map(|n| this.flaps(n, "between up and down", event, of)).into_iter()
        };
        if exit_code == 0 {
            return flapping(self).collect();
        }
        let looping = self.deaths.one_more(event.at);
        let oom = self.oom_at.is_some_and(|o| event.at.duration_since(o) <= OOM_EXPLAINS)
            || (exit_code == 137
                && self
                    .memory_near_limit_at
                    .is_some_and(|m| event.at.duration_since(m) <= SignedDuration::from_secs(30)));
        let (name, status) = (&of.name, exit_words(exit_code));
        let gave_up = match self.policy {
            RestartPolicy::OnFailure(most) if most > 0 && !back => {
                format!("; its restart policy gave up after {most} restarts")
            }
            _ => String::new(),
        };
        let (kind, what) = match &looping {
            _ if oom => {
                (AnomalyKind::OomKill, format!("{name} died at its memory limit ({status})"))
            }
            Some(often) => {
                (AnomalyKind::CrashLoop, format!("{name} died {often}, last with {status}"))
            }
            None => (AnomalyKind::Death, format!("{name} died with {status}")),
        };
        let severity = if self.one_off {
            Severity::Medium
        } else if back && looping.is_none() {
            Severity::High
        } else {
            Severity::Critical
        };
        let what = format!("{what}{gave_up}");
        let death = self.finding((kind, severity), event, of, what, Some(exit_code));
        // A loop says as much, and more.
        let flapping = flapping(self).filter(|_| looping.is_none());
        [death].into_iter().chain(flapping).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::container::{Attachment, tests_support};

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
    fn what_goes_up_and_down_flaps_and_a_loop_says_more() {
        let mut slow = Vec::new();
        for n in 0..4 {
            slow.push((n * 330, LifeKind::Die { exit_code: 1 }));
            slow.push((n * 330 + 1, LifeKind::Start));
        }
        let (death, flapping) = (AnomalyKind::Death, AnomalyKind::Flapping);
        assert_eq!(run(&slow), [death, death, death, flapping, death]);
        let asked: Vec<_> = (0..9)
            .flat_map(|n| {
                let at = n * 20;
                [
                    (at, LifeKind::Kill { signal: 15 }),
                    (at + 1, LifeKind::Die { exit_code: 143 }),
                    (at + 1, LifeKind::Stop),
                    (at + 2, LifeKind::Start),
                ]
            })
            .collect();
        assert!(run(&asked).is_empty());
        let health: Vec<_> = (0..3)
            .flat_map(|n| [(n * 60, LifeKind::Unhealthy), (n * 60 + 30, LifeKind::Healthy)])
            .collect();
        let unhealthy = AnomalyKind::Unhealthy;
        assert_eq!(run(&health), [unhealthy, unhealthy, unhealthy, flapping]);
    }

    #[test]
    fn a_job_that_ends_well_does_not_flap_and_a_service_that_does_flaps() {
        let ends: Vec<_> = (0..4)
            .flat_map(|n| [(n * 60, LifeKind::Die { exit_code: 0 }), (n * 60 + 1, LifeKind::Start)])
            .collect();
        assert!(run(&ends).is_empty());
        let mut life = LifeDetector::default();
        let service =
            Container { restart_policy: RestartPolicy::Always, ..tests_support::container("api") };
        life.inspected(&service, false, Timestamp::UNIX_EPOCH);
        let told: Vec<_> = ends
            .iter()
            .flat_map(|(at, kind)| life.event(&event(*at, kind.clone()), &of()))
            .map(|f| (f.kind, f.severity))
            .collect();
        assert_eq!(told, [(AnomalyKind::Flapping, Severity::Medium)]);
    }

    #[test]
    fn a_start_that_failed_before_anybody_could_look_is_told() {
        let mut life = LifeDetector::default();
        let mut failed = tests_support::container("api");
        failed.state = RunState::Created;
        failed.error = "no such program".to_owned();
        let at = Timestamp::UNIX_EPOCH;
        assert!(life.inspected(&failed, false, at).is_empty(), "it may have been so for days");
        assert!(life.event(&event(1, LifeKind::Create), &of()).is_empty());
        let told = life.inspected(&failed, false, at);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].kind, AnomalyKind::StartFailure);
        assert!(life.inspected(&failed, false, at).is_empty(), "once");
    }

    #[test]
    fn a_pause_is_told_once_and_is_no_fault() {
        let mut life = LifeDetector::default();
        let told = life.event(&event(1, LifeKind::Pause), &of());
        assert_eq!((told[0].kind, told[0].severity), (AnomalyKind::Paused, Severity::Low));
        let again = life.event(&event(1, LifeKind::Pause), &of());
        assert!(again.is_empty(), "engines tell one pause twice");
        assert!(life.event(&event(2, LifeKind::Unpause), &of()).is_empty());
        assert_eq!(life.event(&event(3, LifeKind::Pause), &of()).len(), 1);
    }

    #[test]
    fn what_was_removed_around_it_is_told_low() {
        let mut life = LifeDetector::default();
        let gone = LifeKind::NetworkGone { network: "net".to_owned() };
        for (kind, words) in [
            (gone, "api lost network net, which was removed"),
            (LifeKind::ImageGone, "api runs from an image that lost a name or was removed"),
        ] {
            let told = life.event(&event(1, kind), &of());
            assert_eq!(
                (told[0].kind, told[0].severity),
                (AnomalyKind::Surroundings, Severity::Low)
            );
            assert_eq!(told[0].summary, words);
        }
    }

    #[test]
    fn a_stop_that_took_until_the_kill_is_nothing() {
        let kill = |signal| LifeKind::Kill { signal };
        let slow = [
            (1, kill(15)),
            (11, kill(9)),
            (11, LifeKind::Die { exit_code: 137 }),
            (11, LifeKind::Stop),
        ];
        assert!(run(&slow).is_empty());
    }

    #[test]
    fn a_restart_policy_that_gave_up_is_named() {
        for (so_far, severity, gave_up) in
            [(2, Severity::High, false), (3, Severity::Critical, true)]
        {
            let mut life = LifeDetector::default();
            let container = Container {
                restart_policy: RestartPolicy::OnFailure(3),
                restart_count: so_far,
                ..tests_support::container("api")
            };
            life.inspected(&container, false, Timestamp::UNIX_EPOCH);
            let told = life.event(&event(1, LifeKind::Die { exit_code: 1 }), &of());
            assert_eq!(told[0].severity, severity);
            assert_eq!(
                told[0].summary.ends_with("; its restart policy gave up after 3 restarts"),
                gave_up
            );
        }
    }

    #[test]
    fn a_network_that_was_taken_is_told_unless_the_container_ended() {
        let on = |networks: &[&str]| {
            let mut container = tests_support::container("api");
            container.networks = networks
                .iter()
                .map(|n| Attachment {
                    network: (*n).to_owned(),
                    aliases: Vec::new(),
                    address: String::new(),
                })
                .collect();
            container
        };
        let taken = || event(1, LifeKind::Disconnect { network: "net".to_owned() });
        let at = Timestamp::UNIX_EPOCH;
        let mut life = LifeDetector::default();
        life.inspected(&on(&["net", "other"]), false, at);
        assert!(life.event(&taken(), &of()).is_empty());
        let told = life.inspected(&on(&["other"]), false, at);
        assert_eq!((told[0].kind, told[0].severity), (AnomalyKind::Surroundings, Severity::Medium));
        assert!(told[0].summary.ends_with("1 of its networks remain"), "{}", told[0].summary);
        assert!(life.inspected(&on(&["other"]), false, at).is_empty(), "once");
        // Given back at once.
        life.event(&taken(), &of());
        assert!(life.inspected(&on(&["net"]), false, at).is_empty());
        // Taken because it ended, in either order.
        life.event(&taken(), &of());
        life.event(&event(2, LifeKind::Die { exit_code: 0 }), &of());
        life.event(&taken(), &of());
        life.event(&event(3, LifeKind::Start), &of());
        assert!(life.inspected(&on(&[]), false, at).is_empty());
    }

    #[test]
    fn a_failed_health_check_shows_its_last_runs() {
        let probe = Probe {
            exit_code: 22,
            output: "503".to_owned(),
            ended_at: None,
            duration: Duration::from_millis(500),
        };
        let container = Container { probes: vec![probe], ..tests_support::container("api") };
        let mut life = LifeDetector::default();
        life.inspected(&container, false, Timestamp::UNIX_EPOCH);
        let told = life.event(&event(1, LifeKind::Unhealthy), &of());
        let probe = told[0].evidence.iter().find(|e| e.kind == EvidenceKind::Probe).unwrap();
        assert_eq!(probe.excerpt, "probe ended with 22 after 0.5 s: 503");
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
