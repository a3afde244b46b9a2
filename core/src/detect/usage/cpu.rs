//! The processor used up: against the quota or the machine, or by loops that take whole cores; and
//! the scheduler that holds a container back.

use jiff::{SignedDuration, Timestamp};

use crate::detect::usage::baseline::Baseline;
use crate::detect::usage::held::Held;
use crate::domain::severity::Severity;
use crate::domain::usage::Usage;

/// Share of the quota, or of the machine, that is saturation, in percent (FAILURES.md row 9).
const SATURATED: f64 = 90.0;
/// Below this it is over.
const RELIEVED: f64 = 75.0;
/// It has to last this long (FAILURES.md row 9).
const SATURATED_FOR: SignedDuration = SignedDuration::from_mins(2);
/// The same for one whose usual load is not known, because it was always like that.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_mins(15);
/// One whose usual load is known and that nothing explains does not work, it runs away, once it
/// lasts this long: no rule of FAILURES.md, but five times the time that makes it worth a word.
const RUNS_AWAY_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// After a start a process works hard: code is loaded, caches are filled.
const START_UP: SignedDuration = SignedDuration::from_mins(3);
/// Far above the usual: this many times, and by this share of the limit (in percent).
const TIMES: f64 = 3.0;
/// See [`TIMES`].
const MORE: f64 = 30.0;
/// Whole cores, give or take this many percent of one: what a thread that never waits takes.
const WHOLE: f64 = 6.0;
/// Traffic or disk work this many times the usual explains the load.
const WORK_TIMES: f64 = 3.0;
/// Less work than this, in bytes per second, explains nothing.
const WORK_FLOOR: f64 = 256.0 * 1024.0;
/// Share of held-back periods (FAILURES.md row 10), in percent.
pub const THROTTLED: f64 = 25.0;
/// Below this it is over.
const UNTHROTTLED: f64 = 15.0;
/// It has to last this long.
const THROTTLED_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Held back in more than this many percent of its periods it crawls.
const CRAWLS: f64 = 50.0;
/// Crawling this long is worth an incident, four times the time that makes it worth a word.
const CRAWLS_FOR: SignedDuration = SignedDuration::from_mins(2);
/// A start may use the quota up for this long.
const THROTTLED_START: SignedDuration = SignedDuration::from_mins(1);

/// What the detectors of the processor know besides the reading.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Percent of one core that there is: the quota, or all cores of the machine.
    pub limit: f64,
    /// How long the process has run; `None`: long.
    pub age: Option<SignedDuration>,
    /// Its health check fails.
    pub unhealthy: bool,
    /// A job that is there to work until it is done.
    pub job: bool,
}

/// Saturation, with what was usual before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturated {
    /// How bad.
    pub severity: Severity,
    /// Usual percent of one core, if known.
    pub usual: Option<f64>,
    /// How long it lasts by now.
    pub lasted: SignedDuration,
    /// It takes this many whole cores of a machine that has more.
    pub whole_cores: Option<f64>,
}

/// The processor of one container.
#[derive(Debug, Default)]
pub struct Cpu {
    usual: Baseline,
    work: Baseline,
    saturated: Held,
    /// The number of cores that it takes while it takes whole ones.
    cores: f64,
    throttled: Held,
}

impl Cpu {
    /// Another process. What is usual for the service stays.
    pub fn process_started(&mut self) {
        self.saturated.clear();
        self.throttled.clear();
    }

    /// Saturation (FAILURES.md row 9).
    pub fn saturation(
        &mut self,
        at: Timestamp,
        usage: &Usage,
        around: Around,
    ) -> Option<Saturated> {
        if around.limit <= 0.0 {
            return None;
        }
        let starting = around.age.is_some_and(|age| age < START_UP);
        let used = usage.cpu_pct;
        let percent = used / around.limit * 100.0;
        let cores = (used / 100.0).round();
        let whole = cores >= 1.0 && (used - cores * 100.0).abs() <= WHOLE;
        if self.cores > 0.0 && (cores - self.cores).abs() > 0.5 {
            // Another number of cores: no single loop.
            self.cores = 0.0;
        }
        if whole && self.cores == 0.0 && !self.saturated.is_on() {
            self.cores = cores;
        }
        let looping = whole && self.cores > 0.0;
        let usual = self.usual.usual();
        let work = usage.net_rx_bps + usage.net_tx_bps + usage.disk_read_bps + usage.disk_write_bps;
        let usual_work = self.work.usual();
        let explained = around.job
            || usual_work.is_some_and(|usual| work >= WORK_FLOOR.max(usual * WORK_TIMES));
        let far = usual.is_none_or(|usual| {
            used >= usual * TIMES && used - usual >= (around.limit * MORE / 100.0).min(MORE)
        });
        let on = !starting && !explained && far && (percent >= SATURATED || looping);
        let off = starting || (percent < RELIEVED && !looping);
        let long = if usual.is_some() { SATURATED_FOR } else { UNKNOWN_FOR };
        let holds = self.saturated.holds(at, on, off, long);
        if !self.saturated.is_on() {
            // Only an ordinary time says what is usual.
            if !starting && !on {
                self.usual.push(at, used);
                self.work.push(at, work);
            }
            self.cores = 0.0;
        }
        if !holds {
            return None;
        }
        let held_back = usage.throttled_pct.is_some_and(|pct| pct > THROTTLED);
        let runs_away = usual.is_some() && self.saturated.lasted(at) >= RUNS_AWAY_AFTER;
        let bad = held_back || around.unhealthy || runs_away;
        let severity = if bad { Severity::High } else { Severity::Medium };
        self.saturated.tells(severity).then(|| Saturated {
            severity,
            usual,
            lasted: self.saturated.lasted(at),
            whole_cores: (percent < SATURATED).then_some(cores),
        })
    }

    /// Throttling (FAILURES.md row 10): how bad it is, and how long it has lasted.
    pub fn throttling(
        &mut self,
        at: Timestamp,
        usage: &Usage,
        around: Around,
    ) -> Option<(Severity, SignedDuration)> {
        let percent = usage.throttled_pct?;
        let starting = around.age.is_some_and(|age| age < THROTTLED_START);
        let (on, off) = (percent > THROTTLED && !starting, percent < UNTHROTTLED || starting);
        let holds = self.throttled.holds(at, on, off, THROTTLED_FOR);
        let lasted = self.throttled.lasted(at);
        let crawls = percent > CRAWLS && lasted >= CRAWLS_FOR && !around.job;
        let severity = if crawls { Severity::High } else { Severity::Medium };
        (holds && self.throttled.tells(severity)).then_some((severity, lasted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AROUND: Around = Around { limit: 200.0, age: None, unhealthy: false, job: false };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_000_000 + seconds)
    }

    fn cpu(pct: f64) -> Usage {
        Usage { cpu_pct: pct, ..Usage::default() }
    }

    fn run(
        around: Around,
        to: i64,
        step: usize,
        usage: impl Fn(i64) -> Usage,
    ) -> Vec<(i64, Saturated)> {
        let mut detector = Cpu::default();
        let mut told = Vec::new();
        for t in (0..to).step_by(step) {
            if let Some(found) = detector.saturation(at(t), &usage(t), around) {
                told.push((t, found));
            }
        }
        told
    }

    #[test]
    fn a_spin_is_told_after_two_minutes_at_any_interval() {
        for step in [1, 2, 5, 10] {
            let told = run(AROUND, 1000, step, |t| cpu(if t < 600 { 4.0 } else { 196.0 }));
            assert_eq!(told.len(), 1, "{step} {told:?}");
            let (when, found) = told[0];
            assert!((720..=730).contains(&when), "{step} {told:?}");
            assert_eq!(found.severity, Severity::Medium);
            assert_eq!((found.usual, found.whole_cores), (Some(4.0), None));
        }
    }

    #[test]
    fn one_core_of_many_that_is_never_let_go_is_a_spin_too() {
        let around = Around { limit: 1600.0, ..AROUND };
        let told = run(around, 1000, 2, |t| cpu(if t < 600 { 3.0 } else { 99.0 + (t % 3) as f64 }));
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].1.whole_cores, Some(1.0));
        // Busy, but with pauses.
        let busy =
            run(around, 2000, 2, |t| cpu(if t < 600 { 3.0 } else { 70.0 + (t % 40) as f64 }));
        assert_eq!(busy, []);
    }

    #[test]
    fn a_quota_that_is_used_up_is_high_when_it_hurts() {
        let around = Around { limit: 50.0, ..AROUND };
        let held = |t: i64| Usage {
            throttled_pct: Some(if t < 600 { 0.0 } else { 90.0 }),
            ..cpu(if t < 600 { 5.0 } else { 50.0 })
        };
        let told = run(around, 1000, 2, held);
        assert_eq!(told[0].1.severity, Severity::High);
        let sick = Around { unhealthy: true, ..AROUND };
        let told = run(sick, 1000, 2, |t| cpu(if t < 600 { 5.0 } else { 198.0 }));
        assert_eq!(told[0].1.severity, Severity::High);
    }

    #[test]
    fn work_that_comes_in_explains_the_load() {
        let served = |t: i64| Usage {
            net_rx_bps: if t < 600 { 1e5 } else { 1e6 },
            ..cpu(if t < 600 { 10.0 } else { 198.0 })
        };
        assert_eq!(run(AROUND, 2000, 2, served), [], "traffic rose tenfold");
        let backup = |t: i64| Usage {
            disk_read_bps: if t < 600 { 0.0 } else { 5e7 },
            ..cpu(if t < 600 { 10.0 } else { 198.0 })
        };
        assert_eq!(run(AROUND, 2000, 2, backup), [], "a backup started");
        let job = Around { job: true, ..AROUND };
        assert_eq!(run(job, 2000, 2, |t| cpu(if t < 600 { 10.0 } else { 198.0 })), []);
    }

    #[test]
    fn what_is_usual_is_no_news() {
        assert_eq!(run(AROUND, 6000, 2, |_| cpu(120.0)), [], "always busy");
        let batches = |t: i64| cpu(if t % 900 < 450 { 195.0 } else { 100.0 });
        assert_eq!(run(AROUND, 9000, 2, batches), [], "busy or very busy");
        // A start works hard.
        let mut detector = Cpu::default();
        for t in (0..170).step_by(2) {
            let around = Around { age: Some(SignedDuration::from_secs(t)), ..AROUND };
            assert_eq!(detector.saturation(at(t), &cpu(199.0), around), None);
        }
        // A minute of work is none.
        let short = |t: i64| cpu(if t > 600 && t % 400 < 100 { 199.0 } else { 5.0 });
        assert_eq!(run(AROUND, 6000, 2, short), []);
    }

    #[test]
    fn one_that_was_always_full_is_told_late() {
        let told = run(AROUND, 3000, 2, |_| cpu(199.0));
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0, told[0].1.usual), (900, None));
    }

    #[test]
    fn a_spin_that_nothing_explains_is_high_after_ten_minutes() {
        let told = run(AROUND, 2000, 2, |t| cpu(if t < 600 { 4.0 } else { 196.0 }));
        let told: Vec<_> = told.into_iter().map(|(t, f)| (t, f.severity)).collect();
        assert_eq!(told, [(720, Severity::Medium), (1200, Severity::High)]);
    }

    #[test]
    fn it_is_told_again_after_it_was_over() {
        let waves = |t: i64| cpu(if t % 1200 > 900 { 199.0 } else { 5.0 });
        assert_eq!(run(AROUND, 3600, 2, waves).len(), 3);
    }

    #[test]
    fn throttling_is_told_after_half_a_minute_and_is_high_after_two() {
        let mut detector = Cpu::default();
        let mut told = Vec::new();
        for t in (0..400).step_by(2) {
            let pct = if (100..140).contains(&t) || t >= 200 { 60.0 } else { 10.0 };
            let usage = Usage { throttled_pct: Some(pct), ..Usage::default() };
            if let Some((severity, _)) = detector.throttling(at(t), &usage, AROUND) {
                told.push((t, severity));
            }
        }
        let (medium, high) = (Severity::Medium, Severity::High);
        assert_eq!(told, [(130, medium), (230, medium), (320, high)]);
        // No quota, no throttling; a start may.
        assert_eq!(detector.throttling(at(500), &cpu(100.0), AROUND), None);
        let young = Around { age: Some(SignedDuration::from_secs(20)), ..AROUND };
        let mut detector = Cpu::default();
        for t in (0..40).step_by(2) {
            let usage = Usage { throttled_pct: Some(90.0), ..Usage::default() };
            assert_eq!(detector.throttling(at(t), &usage, young), None);
        }
    }
}
