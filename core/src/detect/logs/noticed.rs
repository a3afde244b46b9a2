//! What a line showed beyond what is usual, on its way to being told.

use crate::detect::Finding;
use crate::detect::logs::LogDetector;
use crate::detect::miner::template::{Template, TemplateId};
use crate::detect::score::drift::Drifted;
use crate::detect::score::errors::ErrorBurst;
use crate::detect::score::judge::Scene;
use crate::detect::score::novelty::{Fresh, Verdict};
use crate::detect::score::rate::Burst;
use crate::detect::score::second_of;
use crate::detect::score::share::Rise;
use crate::detect::signatures::Signature;
use crate::domain::anomaly::AnomalyKind;
use crate::domain::container::ContainerRef;
use crate::domain::log::{Level, LogLine};

/// Windows before the same burst is told again: five minutes.
const PAUSE: u32 = 30;

/// What a line showed; gathered while its template is at hand.
#[derive(Debug, Default)]
pub(super) struct Noticed {
    /// Its template is new.
    pub(super) fresh: Option<Fresh>,
    /// Its template bursts.
    pub(super) burst: Option<Burst>,
    /// Its template was away for so many seconds.
    pub(super) back_after: Option<i64>,
    /// A number of it left its range.
    pub(super) drifted: Option<Drifted>,
    /// A value of it is new.
    pub(super) value: Option<String>,
    /// A new kind of error came often by now.
    pub(super) persists: bool,
    /// The errors of the container burst.
    pub(super) errors: Option<ErrorBurst>,
    /// The share of warnings and errors rose.
    pub(super) rise: Option<Rise>,
}

/// A line and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Heard<'a> {
    /// The line.
    pub(super) line: &'a LogLine,
    /// Whose.
    pub(super) of: &'a ContainerRef,
    /// The signature that it shows.
    pub(super) signature: Option<&'a Signature>,
}

impl LogDetector {
    /// Decides what of it is told.
    pub(in crate::detect::logs) fn judge(
        &mut self,
        noticed: &Noticed,
        id: Option<TemplateId>,
        heard: Heard<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let Heard { line, of, signature } = heard;
        let second = second_of(line.at.as_second());
        let template = id.and_then(|id| self.miner.get(id));
        let mine = template.map_or(0, |t| t.payload.rate.count());
        let text = template.map(Template::text).unwrap_or_default();
        let scene = Scene { of, line, template: &text, signature };
        let mut found: Vec<(Finding, bool)> = Vec::new();
        if let Some(burst) = &noticed.errors {
            let noisy = self.noise.is_noisy(second);
            let finding = scene.errors(burst, mine, noisy);
            if burst.lasts == 1 {
                self.noise.errors(second);
            }
            found.push((finding, true));
        }
        if let Some(burst) = &noticed.burst {
            found.extend(self.burst(&scene, burst, second));
        }
        if let Some(fresh) = noticed.fresh {
            match self.novelty.judge(fresh, second) {
                Verdict::Learn => {}
                // The signature says more.
                Verdict::Tell(_) if signature.is_some() => {}
                Verdict::Tell(severity) => found.push((scene.new_template(severity), false)),
                Verdict::Many(count) => found.push((scene.many_new(count), false)),
            }
        }
        if noticed.persists && signature.is_none() {
            found.push((scene.new_persists(), false));
        }
        let starting = self.novelty.is_starting(second);
        if !starting {
            found.extend(noticed.back_after.map(|seconds| (scene.return_of(seconds), false)));
            found.extend(noticed.drifted.as_ref().map(|d| (scene.drift(d), false)));
            found.extend(noticed.value.as_ref().map(|v| (scene.new_value(v), false)));
            found.extend(noticed.rise.as_ref().map(|rise| (scene.share(rise), false)));
        }
        if let (Some(id), Some(worst)) = (id, found.iter().map(|(f, _)| f.severity).max()) {
            let crowd = self.crowd.unusual(id, self.miner.len(), second);
            if let Some(count) = crowd.filter(|_| !starting && self.novelty.is_warm()) {
                found.push((scene.crowd(count, worst), false));
            }
        }
        for (finding, repeats) in found {
            findings.extend(self.tell(finding, repeats, second, of));
        }
    }

    /// A burst of one kind of line, if it is to be told.
    fn burst(&mut self, scene: &Scene<'_>, burst: &Burst, second: u32) -> Option<(Finding, bool)> {
        let error = scene.line.reading.level.is_some_and(|l| l >= Level::Error);
        // What a process writes at its start, and errors while their usual noise is being
        // learned, are no burst.
        let starting = if error {
            self.errors.is_learning(scene.line.at)
        } else {
            self.novelty.is_starting(second)
        };
        let told = burst.since.is_some_and(|windows| windows <= PAUSE) && !burst.strong;
        if starting || told {
            return None;
        }
        let noisy = self.noise.is_noisy(second);
        if error && burst.since.is_none_or(|windows| windows > PAUSE) {
            self.noise.errors(second);
        }
        Some((scene.burst(burst, noisy), false))
    }

    /// Passes a finding through what holds several of one cause together.
    pub(in crate::detect::logs) fn tell(
        &mut self,
        finding: Finding,
        repeats: bool,
        second: u32,
        of: &ContainerRef,
    ) -> Option<Finding> {
        let burst = finding.kind == AnomalyKind::ErrorBurst;
        let mut finding = self.episode.take(finding, repeats)?;
        if !self.noise.may_tell(finding.severity, second) {
            return None;
        }
        if burst {
            for quote in self.recent_errors.iter().rev().skip(1) {
                finding.evidence.insert(0, quote.evidence(of));
            }
        }
        Some(finding)
    }
}
