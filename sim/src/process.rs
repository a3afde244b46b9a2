//! A running process: what it does at which time, and what a fault made of it. Pure.

use std::sync::Arc;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use crate::noise;
use crate::program::{Noise, OnTerm, Program};

/// Between two rounds of questions to the peers.
const ROUND: SignedDuration = SignedDuration::from_secs(1);
/// Between two steps of a leak.
const GROWTH: SignedDuration = SignedDuration::from_millis(30);
/// What a step of the fault `oom` takes.
const EATEN: u64 = 4 << 20;
/// Failed requests of the fault `errors`, all in all and in one round.
const ERRORS: (u32, u32) = (400, 20);
/// Between two of them in a round.
const ERROR_PAUSE: SignedDuration = SignedDuration::from_millis(20);

/// How a peer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Well.
    Answers,
    /// It does not run.
    Refuses,
    /// It hangs, or is paused.
    Silent,
    /// No network of both knows its name.
    Unknown,
}

/// What a process did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Wrote a line.
    Say {
        /// To standard error.
        error: bool,
        /// What.
        text: String,
    },
    /// Ended by itself.
    Exit(i64),
    /// Went over its memory limit.
    OutOfMemory,
}

/// A fault that can be put into a running process. A restart takes it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It ends with an error.
    Crash,
    /// It takes memory until it is killed.
    Oom,
    /// It answers nobody any more.
    Hang,
    /// It fails most requests for some seconds.
    Errors,
}

/// A running process.
#[derive(Clone, Debug)]
pub struct Process {
    program: Arc<Program>,
    /// Whether a variable that it needs is missing.
    lacks: Option<String>,
    started: Timestamp,
    said: usize,
    noise_at: Option<Timestamp>,
    round_at: Option<Timestamp>,
    growth_at: Option<Timestamp>,
    exit_at: Option<Timestamp>,
    code: i64,
    round: u32,
    eats: bool,
    errors_left: u32,
    error_at: Option<Timestamp>,
    /// Bytes that it takes.
    pub memory: u64,
    /// It answers nobody.
    pub hangs: bool,
}

impl Process {
    /// Starts.
    pub fn start(program: Arc<Program>, env: &[String], now: Timestamp) -> Self {
        let has = |name: &str| {
            env.iter().any(|pair| pair.split_once('=').is_some_and(|(key, _)| key == name))
        };
        let lacks = program.needs.iter().find(|name| !has(name)).cloned();
        let demo = program.role.is_some();
        let exit = program.exit.map(|exit| (now + millis(exit.after_ms), exit.code));
        let growing = program.memory.grows > 0;
        Self {
            lacks,
            started: now,
            said: 0,
            noise_at: program.noise.filter(|n| n.per_second > 0.0).map(|n| now + pace(n)),
            round_at: (demo || !program.peers.is_empty()).then(|| now + ROUND),
            growth_at: growing.then(|| now + GROWTH),
            exit_at: exit.map(|(at, _)| at),
            code: exit.map_or(0, |(_, code)| code),
            round: 0,
            eats: false,
            errors_left: 0,
            error_at: None,
            memory: program.memory.base,
            hangs: false,
            program,
        }
    }

    /// What it does.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// When it has something to do next.
    pub fn due(&self) -> Option<Timestamp> {
        if self.lacks.is_some() {
            return Some(self.started);
        }
        let said = self.program.says.get(self.said).map(|s| self.started + millis(s.after_ms));
        [said, self.noise_at, self.round_at, self.growth_at, self.exit_at, self.error_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// After a pause: nothing that should have happened meanwhile did.
    pub fn thaw(&mut self, now: Timestamp) {
        for at in [
            &mut self.noise_at,
            &mut self.round_at,
            &mut self.growth_at,
            &mut self.exit_at,
            &mut self.error_at,
        ] {
            *at = at.map(|at| at.max(now));
        }
    }

    /// Whether it ends when it is told to.
    pub fn obeys(&self) -> bool {
        self.program.on_term == OnTerm::Exit
    }

    /// Whether a health probe at this time is answered, and how.
    pub fn probe(&self, now: Timestamp) -> Result<String, String> {
        let program = &self.program;
        if self.hangs {
            return Err(format!("no answer on port {}: timed out", program.port));
        }
        let sick = program.unhealthy_after_ms.is_some_and(|ms| now >= self.started + millis(ms));
        if sick { Err("bad answer: HTTP/1.0 503".to_owned()) } else { Ok("ok".to_owned()) }
    }

    /// Puts a fault in; says what the process wrote about it.
    pub fn break_by(&mut self, fault: Fault, now: Timestamp) -> Vec<Act> {
        match fault {
            Fault::Crash => {
                self.exit_at = Some(now);
                self.code = 1;
                vec![
                    error(
                        "unhandled exception in request handler: index 7 out of range for length 5",
                    ),
                    say("FATAL cannot continue, exiting".to_owned()),
                ]
            }
            Fault::Oom => {
                self.eats = true;
                self.growth_at = Some(now + GROWTH);
                Vec::new()
            }
            Fault::Hang => {
                self.hangs = true;
                vec![say("WARN  lock order inversion between cache and session store".to_owned())]
            }
            Fault::Errors => {
                self.errors_left = ERRORS.0;
                self.error_at = Some(now + ERROR_PAUSE);
                Vec::new()
            }
        }
    }

    /// Does what is due at this time. `peers` answers for the program's peers, in their order.
    pub fn act(
        &mut self,
        now: Timestamp,
        peers: &[Peer],
        limit: Option<u64>,
        rng: &mut Rng,
    ) -> Vec<Act> {
        if let Some(name) = &self.lacks {
            return vec![
                say(format!("FATAL environment variable {name} is required")),
                Act::Exit(78),
            ];
        }
        let mut acts = Vec::new();
        while let Some(line) = self.program.says.get(self.said)
            && self.started + millis(line.after_ms) <= now
        {
            acts.push(Act::Say { error: line.error, text: line.text.clone() });
            self.said += 1;
        }
        if is_due(self.noise_at, now)
            && let Some(noise) = self.program.noise
        {
            self.noise_at = self.noise_at.map(|at| at + pace(noise));
            if !self.hangs {
                acts.push(say(noise::line(noise.format, now, rng)));
            }
        }
        if is_due(self.round_at, now) {
            self.round_at = Some(now + ROUND);
            if !self.hangs {
                self.work(peers, &mut acts);
            }
        }
        if is_due(self.error_at, now) {
            let number = self.errors_left * 31;
            acts.push(error(&format!("request {number} failed: upstream returned 502")));
            self.errors_left = self.errors_left.saturating_sub(1);
            let round_ends = self.errors_left.is_multiple_of(ERRORS.1);
            let pause = if round_ends { ROUND } else { ERROR_PAUSE };
            self.error_at = (self.errors_left > 0).then(|| now + pause);
        }
        if is_due(self.growth_at, now) {
            self.grow(now, limit, &mut acts);
        }
        if is_due(self.exit_at, now) {
            self.exit_at = None;
            acts.push(Act::Exit(self.code));
        }
        acts
    }

    fn grow(&mut self, now: Timestamp, limit: Option<u64>, acts: &mut Vec<Act>) {
        let memory = self.program.memory;
        let step = if self.eats {
            EATEN
        } else {
            let left = memory.up_to.saturating_sub(self.memory);
            (memory.grows.saturating_mul(GROWTH.as_millis().unsigned_abs().try_into().unwrap_or(0))
                / 1000)
                .min(left)
        };
        self.memory = self.memory.saturating_add(step);
        self.growth_at = (step > 0).then(|| now + GROWTH);
        if self.eats {
            let grown = (self.memory - memory.base) >> 20;
            acts.push(say(format!("WARN  cache grew to {grown} MiB")));
        }
        if limit.is_some_and(|limit| self.memory > limit) {
            self.growth_at = None;
            acts.push(Act::OutOfMemory);
        }
    }

    /// One round of a service: it asks its peers and says how that went.
    fn work(&mut self, peers: &[Peer], acts: &mut Vec<Act>) {
        self.round = self.round.saturating_add(1);
        let (round, program) = (self.round, &self.program);
        let name = program.role.as_deref().unwrap_or("service");
        for (peer, answer) in program.peers.iter().zip(peers) {
            match answer {
                Peer::Answers if round.is_multiple_of(2) => acts.push(say(format!(
                    "INFO  {name} round={round} peer={peer} value={} took={}ms",
                    round * 3,
                    3 + round % 5
                ))),
                Peer::Answers => {}
                Peer::Refuses => acts.push(error(&format!(
                    "cannot reach http://{peer}: Connection refused (os error 111)"
                ))),
                Peer::Unknown => acts.push(error(&format!(
                    "cannot reach http://{peer}: failed to lookup address information: Name does not resolve"
                ))),
                Peer::Silent => {
                    acts.push(say(format!("WARN  {peer} did not answer: timed out")));
                }
            }
        }
        if program.role.is_some() && program.peers.is_empty() && round.is_multiple_of(3) {
            acts.push(say(format!(
                "INFO  {name} served={} since start, checkpoint {round} written",
                round * 2
            )));
        }
    }
}

fn is_due(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}

fn say(text: String) -> Act {
    Act::Say { error: false, text }
}

/// As the demo's services do it: on standard output, the level in front.
fn error(text: &str) -> Act {
    say(format!("ERROR {text}"))
}

fn millis(ms: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// The time between two ordinary lines.
fn pace(noise: Noise) -> SignedDuration {
    SignedDuration::try_from_secs_f64(1.0 / noise.per_second)
        .unwrap_or(SignedDuration::from_hours(1))
        .max(SignedDuration::from_nanos(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Memory, Said};

    fn run(process: &mut Process, until: Timestamp, limit: Option<u64>) -> Vec<(i64, Act)> {
        let mut rng = Rng::with_seed(1);
        let mut all = Vec::new();
        while let Some(at) = process.due().filter(|at| *at <= until) {
            let acts = process.act(at, &[Peer::Refuses], limit, &mut rng);
            all.extend(acts.into_iter().map(|act| (at.as_second(), act)));
            if matches!(all.last(), Some((_, Act::Exit(_) | Act::OutOfMemory))) {
                break;
            }
        }
        all
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn started(program: Program) -> Process {
        Process::start(Arc::new(program), &[], at(0))
    }

    #[test]
    fn a_leak_ends_at_the_limit_unless_the_limit_is_high_enough() {
        let memory = Memory { base: 10 << 20, grows: 10 << 20, up_to: 60 << 20 };
        let leaking = || started(Program { memory, ..Program::default() });
        let end = run(&mut leaking(), at(60), Some(32 << 20));
        let (second, act) = end.last().unwrap();
        assert_eq!((*second, act), (2, &Act::OutOfMemory));
        let mut healed = leaking();
        assert_eq!(run(&mut healed, at(60), Some(64 << 20)), []);
        assert_eq!((healed.memory, healed.due()), (60 << 20, None), "it stays where it is");
    }

    #[test]
    fn lines_peers_and_the_end_come_at_their_times() {
        let mut process = started(Program {
            says: vec![Said { after_ms: 1500, error: true, text: "hello".to_owned() }],
            peers: vec!["db:5432".to_owned()],
            exit: Some(crate::program::Exit { after_ms: 2500, code: 3 }),
            ..Program::default()
        });
        let all = run(&mut process, at(9), None);
        let seconds: Vec<i64> = all.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [1, 1, 2, 2]);
        assert!(
            matches!(&all[0].1, Act::Say { text, .. } if text.contains("db:5432: Connection refused"))
        );
        assert_eq!(all[1].1, Act::Say { error: true, text: "hello".to_owned() });
        assert_eq!(all[3].1, Act::Exit(3));
    }

    #[test]
    fn what_is_missing_ends_it_and_a_fault_is_of_this_run_only() {
        let needs = Program { needs: vec!["URL".to_owned()], ..Program::default() };
        let end = run(&mut started(needs), at(1), None);
        assert_eq!(end.last().map(|(_, act)| act), Some(&Act::Exit(78)));

        let mut process = started(Program::default());
        assert!(process.probe(at(1)).is_ok());
        process.break_by(Fault::Hang, at(1));
        assert!(process.probe(at(2)).unwrap_err().contains("timed out"));
        let mut crashed = started(Program::default());
        crashed.break_by(Fault::Crash, at(1));
        assert_eq!(run(&mut crashed, at(1), None).last(), Some(&(1, Act::Exit(1))));
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let noise = Noise { format: noise::Format::Plain, per_second: 10.0 };
        let mut process = started(Program { noise: Some(noise), ..Program::default() });
        process.thaw(at(60));
        assert_eq!(run(&mut process, at(61), None).len(), 11);
    }
}
