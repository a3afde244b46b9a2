//! The lines of one container, and what is out of the ordinary in them: known signatures, bursts,
//! new kinds of line, silence, numbers and values that left their range.
//!
//! Start at [`LogDetector::line`]: reader, miner, signatures and scores meet here. Lines from
//! before the watch are learned by the miner, so that what the container wrote last is no news,
//! and judged by nobody.

mod kept;
mod noticed;
mod patterns;

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::detect::Finding;
use crate::detect::logs::noticed::{Heard, Noticed};
use crate::detect::miner::slots::Slot;
use crate::detect::miner::template::TemplateId;
use crate::detect::miner::{Bounds, Mined, Miner};
use crate::detect::score::chatter::Chatter;
use crate::detect::score::crowd::Crowd;
use crate::detect::score::episode::Episode;
use crate::detect::score::errors::ErrorRate;
use crate::detect::score::judge;
use crate::detect::score::noise::Noise;
use crate::detect::score::novelty::{Fresh, Novelty};
use crate::detect::score::payload::Score;
use crate::detect::score::quote::{Quote, push_bounded};
use crate::detect::score::share::Share;
use crate::detect::score::signs::Signs;
use crate::detect::score::{second_of, values, window_of};
use crate::detect::signatures::Signatures;
use crate::domain::clock;
use crate::domain::container::ContainerRef;
use crate::domain::log::{Level, LogLine};

/// Error lines that are kept as evidence.
const EVIDENCE: usize = 3;
/// Numbers are followed in templates that had so many lines.
const FOLLOWED: u64 = 100;
/// Whoever comes back after so many seconds is a rare guest.
const RARE: i64 = 24 * 3600;
/// Templates are asked for silence this often, in seconds.
const ROUND: u32 = 10;

/// The log detectors of one container.
#[derive(Debug)]
pub struct LogDetector {
    miner: Miner<Score>,
    chatter: Chatter,
    errors: ErrorRate,
    share: Share,
    novelty: Novelty,
    noise: Noise,
    /// Lines since it was last learned from.
    pub(in crate::detect) fresh_lines: u64,
    signs: Signs,
    crowd: Crowd,
    episode: Episode,
    recent_errors: VecDeque<Quote>,
    last: Option<Quote>,
    /// The window in which the watch began; 0: no line came yet.
    first: u32,
    /// The second of the newest line, by the engine's clock, and when it arrived, by ours.
    newest: i64,
    heard: Option<Timestamp>,
    /// It goes on with what was kept, and no line came yet since.
    resumes: bool,
    /// Before this second it did not run, or could not be heard.
    since: u32,
    round: u32,
    /// It has run before, as far as it was watched.
    ran: bool,
}

impl Default for LogDetector {
    fn default() -> Self {
        Self {
            miner: Miner::new(Bounds::default()),
            chatter: Chatter::default(),
            errors: ErrorRate::default(),
            share: Share::default(),
            novelty: Novelty::default(),
            noise: Noise::default(),
            fresh_lines: 0,
            signs: Signs::default(),
            crowd: Crowd::default(),
            episode: Episode::default(),
            recent_errors: VecDeque::new(),
            last: None,
            first: 0,
            newest: 0,
            heard: None,
            resumes: false,
            since: 0,
            round: 0,
            ran: false,
        }
    }
}

impl LogDetector {
    /// A new process: what its predecessor repeated is no longer counted against it.
    pub fn process_started(&mut self, at: Timestamp) {
        self.signs.process_started();
        // A process that ends before it is known how loud it is tells nothing of the next one.
        self.errors.begins(at, self.ran && !self.errors.is_learning(at));
        self.ran = true;
        let second = second_of(at.as_second());
        self.novelty.process_started(second);
        self.since = second;
        for template in self.miner.iter_mut() {
            if let Some(drift) = template.payload.drift.as_mut() {
                drift.restarts();
            }
        }
    }

    /// The watch begins; the container `runs` already, or is about to.
    pub fn watch_begins(&mut self, at: Timestamp, runs: bool) {
        // Who goes on with what was kept is known already.
        if !self.resumes {
            self.errors.begins(at, runs);
        }
        self.ran = runs;
    }

    /// It can be heard again, or goes on after it was frozen: it was not silent meanwhile.
    pub fn resumed(&mut self, now: Timestamp) {
        self.since = second_of(self.clock(now));
    }

    /// The wall clock jumped by `by`.
    pub fn clock_jumped(&mut self, by: SignedDuration) {
        clock::shift(self.heard.as_mut(), by);
    }

    /// Whether a line was judged, or it goes on with what was kept.
    pub fn has_heard(&self) -> bool {
        self.first != 0
    }

    /// Sets how many templates it may keep.
    pub fn set_bound(&mut self, templates: usize) {
        self.miner.set_bound(templates);
    }

    /// Bytes of memory that it takes, to a few kilobytes.
    pub fn memory(&self) -> usize {
        let scores: usize = self.miner.iter().map(|t| t.payload.heap()).sum();
        size_of::<Self>() + self.miner.memory() + scores
    }

    /// The engine's time of `now`, in seconds, as far as its lines tell.
    fn clock(&self, now: Timestamp) -> i64 {
        match self.heard {
            Some(heard) => self.newest + now.duration_since(heard).as_secs().max(0),
            None => now.as_second(),
        }
    }

    /// Looks at lines that arrived together.
    pub fn lines(
        &mut self,
        lines: &[LogLine],
        of: &ContainerRef,
        signatures: &Signatures,
        now: Timestamp,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        for line in lines {
            if line.history {
                self.history(line);
            } else {
                self.line(line, of, signatures, &mut findings);
            }
        }
        if let Some(last) = lines.iter().rev().find(|l| !l.history) {
            self.last = Some(Quote::of(last));
            self.heard = Some(now);
        }
        findings
    }

    /// Lines from before the watch give the miner a first idea of what is usual.
    fn history(&mut self, line: &LogLine) {
        if !line.reading.continues {
            self.miner.mine(line.reading.message(&line.text), line.at);
        }
    }

    /// Looks at one line.
    pub fn line(
        &mut self,
        line: &LogLine,
        of: &ContainerRef,
        signatures: &Signatures,
        findings: &mut Vec<Finding>,
    ) {
        let level = line.reading.level;
        let signature = signatures
            .find(&line.text)
            // A line that calls itself ordinary is believed: `INFO retrying after connection refused`.
            .filter(|s| s.always || level.is_none_or(|l| l >= Level::Warn))
            .filter(|s| !s.begins || !line.reading.continues);
        let sign = signature.and_then(|s| self.signs.line(s, line, of));
        if let Some(sign) = &sign {
            self.episode.known(sign.observed_at, sign.severity);
        }
        findings.extend(sign);
        if line.reading.continues {
            return;
        }
        let mut noticed = None;
        let id = self.score(line, &mut noticed);
        if let Some(noticed) = noticed {
            self.judge(&noticed, id, Heard { line, of, signature }, findings);
        }
    }

    /// Counts a line everywhere; what is noticed is rare, so that it costs an allocation.
    fn score(&mut self, line: &LogLine, noticed: &mut Option<Box<Noticed>>) -> Option<TemplateId> {
        let at = line.at.as_second();
        let (second, window) = (second_of(at), window_of(at));
        if self.resumes {
            self.catch_up(at);
        }
        if self.first == 0 || window < self.first {
            self.first = window;
        }
        let watched = window - self.first;
        self.newest = self.newest.max(at);
        self.fresh_lines += 1;
        self.novelty.line(second);
        self.chatter.line(window, second, watched);
        let level = line.reading.level;
        let error = level.is_some_and(|l| l >= Level::Error);
        let warning = level.is_some_and(|l| l >= Level::Warn);
        if let Some(rise) = self.share.line(second / 60, warning, error) {
            noticed.get_or_insert_default().rise = Some(rise);
        }
        if error {
            push_bounded(&mut self.recent_errors, Quote::of(line), EVIDENCE);
            if let Some(burst) = self.errors.error(line.at) {
                noticed.get_or_insert_default().errors = Some(burst);
            }
        }
        let message = line.reading.message(&line.text);
        if message.trim_ascii().is_empty() {
            return None;
        }
        let warm = self.novelty.is_warm();
        let Mined { id, template, is_new, nearest, slots } = self.miner.mine(message, line.at)?;
        let score = &mut template.payload;
        if score.rate.add(window, watched)
            && let Some(burst) = score.rate.burst()
        {
            // An error is no less of one because it happened before.
            if !error {
                score.rate.accept();
            }
            noticed.get_or_insert_default().burst = Some(burst);
        }
        let away = score.gaps.heard(second);
        if i64::from(away) >= RARE && warm {
            noticed.get_or_insert_default().back_after = Some(i64::from(away));
        }
        if is_new {
            let words = nearest.map(|(_, words)| words);
            noticed.get_or_insert_default().fresh = Some(Fresh { id, level, words });
        }
        if warm && !slots.is_empty() && template.count >= FOLLOWED {
            for slot in slots {
                match slot {
                    Slot::Number { position, value, .. } => {
                        let drift = template.payload.drift.get_or_insert_default();
                        let drifted = drift.number(*position, *value, second, &template.slots);
                        if drifted.is_some() {
                            noticed.get_or_insert_default().drifted = drifted;
                        }
                    }
                    Slot::Word { position, start, end, fresh: true, .. } => {
                        if template.slots.at(*position).is_some_and(values::is_news) {
                            let value = message.get(usize::from(*start)..usize::from(*end));
                            noticed.get_or_insert_default().value = value.map(str::to_owned);
                        }
                    }
                    Slot::Word { .. } => {}
                }
            }
        }
        if error && self.novelty.persists(id, second) {
            noticed.get_or_insert_default().persists = true;
        }
        Some(id)
    }

    /// Time passed: `running` says whether the container runs and is not frozen.
    pub fn tick(&mut self, running: bool, of: &ContainerRef, now: Timestamp) -> Vec<Finding> {
        if !running || self.heard.is_none() {
            return Vec::new();
        }
        let second = second_of(self.clock(now));
        let at = Timestamp::from_second(i64::from(second)).unwrap_or(now);
        let mut findings = Vec::new();
        if let Some(silent) = self.chatter.silence(second, self.since) {
            let last = self.last.as_ref().map(|q| q.evidence(of));
            findings.push(judge::silence(of, &silent, None, at, last));
        }
        if second >= self.round.saturating_add(ROUND) && self.novelty.is_warm() {
            self.round = second;
            let newest = second_of(self.newest);
            // While all is silent, that is told and not each of its parts.
            if second.saturating_sub(newest) < ROUND {
                for template in self.miner.iter_mut() {
                    let score = &mut template.payload;
                    let silent = score.gaps.silence(second, self.since, &score.rate, true);
                    findings.extend(
                        silent.map(|s| judge::silence(of, &s, Some(&template.text()), at, None)),
                    );
                }
            }
        }
        findings.into_iter().filter_map(|f| self.tell(f, false, second, of)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::reader;
    use crate::domain::anomaly::AnomalyKind;
    use crate::domain::log::Stream;
    use crate::domain::severity::Severity;

    fn of() -> ContainerRef {
        ContainerRef {
            id: "abcdef123456789".into(),
            name: "api".into(),
            service: "api".into(),
            project: None,
        }
    }

    /// A detector, its clock, and what it told.
    struct Told {
        logs: LogDetector,
        seq: u64,
        found: Vec<(i64, Finding)>,
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_millis(1_000_000_000 + millis)
    }

    impl Told {
        fn new() -> Self {
            let mut logs = LogDetector::default();
            logs.watch_begins(at(0), true);
            Self { logs, seq: 0, found: Vec::new() }
        }

        fn says(&mut self, millis: i64, text: &str) {
            self.seq += 1;
            let line = LogLine {
                container: "abcdef123456789".into(),
                seq: self.seq,
                at: at(millis),
                stream: Stream::Stderr,
                text: text.into(),
                reading: reader::one(text),
                styles: None,
                history: false,
            };
            let found = self.logs.lines(&[line], &of(), Signatures::builtin(), at(millis));
            self.found.extend(found.into_iter().map(|f| (millis, f)));
        }

        fn ticks(&mut self, from: i64, to: i64) {
            for millis in (from..to).step_by(1000) {
                let found = self.logs.tick(true, &of(), at(millis));
                self.found.extend(found.into_iter().map(|f| (millis, f)));
            }
        }

        /// An ordinary service for so many seconds: a request a second, a heartbeat every five.
        fn healthy(&mut self, from: i64, seconds: i64) {
            for second in 0..seconds {
                let millis = from + second * 1000;
                let ms = 20 + second * 7919 % 30;
                self.says(millis, &format!("INFO served request {second} in {ms} ms"));
                if second % 5 == 0 {
                    self.says(millis + 100, "INFO heartbeat ok");
                }
                self.ticks(millis + 200, millis + 300);
            }
        }

        fn told(&self) -> Vec<(AnomalyKind, Severity, &str)> {
            self.found.iter().map(|(_, f)| (f.kind, f.severity, f.summary.as_str())).collect()
        }
    }

    #[test]
    fn a_refused_connection_is_medium_once_and_high_when_it_persists() {
        let mut story = Told::new();
        for i in 0..4 {
            story.says(i * 500, "ERROR cannot reach db:5432: connection refused");
        }
        let told: Vec<_> = story.found.iter().map(|(_, f)| f).collect();
        let severities: Vec<_> = told.iter().map(|f| f.severity).collect();
        assert_eq!(severities, [Severity::Medium, Severity::High]);
        assert_eq!(told[1].detail.peer.as_deref(), Some("db"));
        assert_eq!(told[1].evidence.len(), 3);
    }

    #[test]
    fn a_line_that_calls_itself_ordinary_is_believed() {
        let mut story = Told::new();
        story.says(1, "INFO retry after connection refused");
        assert_eq!(story.told(), []);
    }

    #[test]
    fn lines_that_only_name_an_error_are_no_errors() {
        // Each was shown as an error, or alarmed, in a tool of this kind.
        let mut story = Told::new();
        for round in 0..20 {
            for text in [
                "INFO request done, 0 failed",
                "level=info msg=\"sync done\" err=nil",
                "level=info msg=\"retrying after connection refused\"",
                "10.0.0.1 - - [24/Nov/2026:03:15:02 +0000] \"GET /error HTTP/1.1\" 200 12",
                "GET /error 200",
                "INFO handler for connection refused errors registered",
                "{\"level\":\"info\",\"msg\":\"error budget: 99 %\"}",
                "loaded 12 error templates",
            ] {
                story.says(round * 10, text);
            }
        }
        assert_eq!(story.told(), []);
    }

    #[test]
    fn a_burst_of_errors_is_told_with_its_lines() {
        let mut story = Told::new();
        story.healthy(0, 30);
        for i in 0..60 {
            story.says(30_000 + i * 50, &format!("ERROR request {i} failed"));
        }
        let bursts: Vec<_> =
            story.found.iter().filter(|(_, f)| f.kind == AnomalyKind::ErrorBurst).collect();
        let (at, burst) = bursts.first().unwrap();
        assert!(*at < 32_000, "{at}");
        assert_eq!(burst.severity, Severity::High);
        assert_eq!(burst.evidence.len(), 3);
        assert!(
            burst.summary.starts_with("'request <*> failed' of api rose from 0 to"),
            "{}",
            burst.summary
        );
    }

    #[test]
    fn a_refused_peer_is_named_when_it_bursts() {
        let mut story = Told::new();
        story.healthy(0, 700);
        for i in 0..41 {
            story.says(700_000 + i * 100, "ERROR cannot reach db:5432: connection refused");
        }
        let burst = story.found.iter().find(|(_, f)| f.kind == AnomalyKind::ErrorBurst);
        let summary = &burst.unwrap().1.summary;
        assert!(
            summary.starts_with("'connection refused' of api to db rose from 0 to"),
            "{summary}"
        );
    }

    #[test]
    fn a_healthy_service_is_not_told_about() {
        let mut story = Told::new();
        story.healthy(0, 3600);
        assert_eq!(story.told(), []);
    }

    #[test]
    fn a_new_kind_of_error_is_medium_and_high_when_it_persists() {
        let mut story = Told::new();
        story.healthy(0, 700);
        for i in 0..12 {
            story.says(700_000 + i * 1100, &format!("ERROR cannot parse the answer {i}"));
        }
        let told = story.told();
        assert_eq!(told[0].0, AnomalyKind::NewTemplate);
        assert_eq!(told[0].1, Severity::Medium);
        assert_eq!(told[0].2, "api wrote an error of a new kind: 'cannot parse the answer <*>'");
        assert!(told[1..].iter().any(|t| t.1 == Severity::High), "{told:?}");
    }

    #[test]
    fn a_service_that_falls_silent_is_told_once_and_again_next_time() {
        let mut story = Told::new();
        story.healthy(0, 900);
        story.ticks(900_000, 1_500_000);
        let told = story.told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, AnomalyKind::LogSilence);
        assert_eq!(told[0].2, "api has written nothing for 60 s; it usually writes every 0.83 s");
        assert_eq!(story.found[0].1.evidence.len(), 1);
    }

    #[test]
    fn a_heartbeat_that_stops_is_low() {
        let mut story = Told::new();
        story.healthy(0, 900);
        for second in 900..1100 {
            story.says(second * 1000, &format!("INFO served request {second} in 31 ms"));
            story.ticks(second * 1000 + 200, second * 1000 + 300);
        }
        let told = story.told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].1, Severity::Low);
        assert!(told[0].2.starts_with("api does not write 'heartbeat ok' any more"), "{told:?}");
    }

    #[test]
    fn a_service_that_is_stopped_or_frozen_or_unheard_is_not_silent() {
        let mut story = Told::new();
        story.healthy(0, 900);
        for second in 900..2000 {
            assert!(story.logs.tick(false, &of(), at(second * 1000)).is_empty());
        }
        story.logs.resumed(at(2_000_000));
        story.ticks(2_000_000, 2_050_000);
        assert_eq!(story.told(), []);
    }

    #[test]
    fn a_query_that_becomes_slow_is_told() {
        let mut story = Told::new();
        story.healthy(0, 900);
        for second in 900..960 {
            let ms = 1900 + second * 7919 % 300;
            story.says(second * 1000, &format!("INFO served request {second} in {ms} ms"));
        }
        let told = story.told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, AnomalyKind::NumericDrift);
        assert!(
            told[0].2.starts_with("'served request <*> in <*> ms' of api takes 2.")
                || told[0].2.starts_with("'served request <*> in <*>' of api takes 2"),
            "{told:?}"
        );
    }

    #[test]
    fn a_value_never_seen_is_told() {
        let mut story = Told::new();
        let access = |story: &mut Told, second: i64, status: u32| {
            story.says(second * 1000, &format!("INFO served status={status} from cache"));
        };
        for second in 0..900 {
            access(&mut story, second, [200, 304][usize::from(second % 3 == 0)]);
        }
        access(&mut story, 900, 503);
        let told = story.told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, AnomalyKind::NewValue);
        assert!(told[0].2.contains("has the new value '503'"), "{told:?}");
    }
}
