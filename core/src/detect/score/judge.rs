//! What was measured, as findings: how bad it is, and the sentence that a person reads.
//!
//! Text that anybody could have written opens an incident only for errors that burst beyond doubt
//! or persist; everything else stays visible at low or medium.

use jiff::Timestamp;

use crate::detect::Finding;
use crate::detect::score::drift::Drifted;
use crate::detect::score::errors::ErrorBurst;
use crate::detect::score::rate::Burst;
use crate::detect::score::share::Rise;
use crate::detect::score::silence::Silence;
use crate::detect::score::{values, words};
use crate::detect::signatures::Signature;
use crate::detect::{miner::number::Unit, peer};
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::ContainerRef;
use crate::domain::evidence::Evidence;
use crate::domain::log::{Level, LogLine};
use crate::domain::severity::Severity;

/// Times that a warning is made likely by its statistic: from here on a burst of warnings is
/// medium, and one of ordinary lines too.
const FAR: f32 = 10.0;
/// A duration or size this many times its usual is medium.
const MUCH: f64 = 8.0;

/// The line at hand and whose it is.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Whose line.
    pub of: &'a ContainerRef,
    /// The line.
    pub line: &'a LogLine,
    /// Its template's words.
    pub template: &'a str,
    /// The signature that it shows.
    pub signature: Option<&'a Signature>,
}

impl Scene<'_> {
    fn finding(&self, kind: AnomalyKind, severity: Severity, score: f64, text: String) -> Finding {
        Finding {
            kind,
            severity,
            score: score.clamp(0.0, 1.0),
            summary: text,
            observed_at: self.line.at,
            evidence: vec![crate::detect::score::quote::line(self.line, self.of)],
            detail: AnomalyDetail {
                template: Some(self.template.to_owned()),
                ..AnomalyDetail::default()
            },
        }
    }

    fn level(&self) -> Option<Level> {
        self.line.reading.level
    }

    /// What bursts, in words: "'connection refused' of api to db", "'request <*> failed' of api".
    fn what(&self) -> String {
        let name = &self.of.name;
        let Some(signature) = self.signature else {
            return format!("{} of {name}", words::quoted(self.template));
        };
        let phrase = signature.name.replace('_', " ");
        let to = if signature.peer { peer::candidates(&self.line.text) } else { Vec::new() };
        match to.first() {
            Some(peer) => format!("'{phrase}' of {name} to {peer}"),
            None => format!("'{phrase}' of {name}"),
        }
    }

    /// One kind of line far above its usual rate. `noisy`: this container alarms often.
    pub fn burst(&self, burst: &Burst, noisy: bool) -> Finding {
        let far = burst.strong && burst.z >= FAR;
        let error = self.level().is_some_and(|l| l >= Level::Error);
        let warning = self.level() == Some(Level::Warn);
        let severity = match (error, burst.strong) {
            (true, true) if !noisy => Severity::High,
            (true, _) => Severity::Medium,
            (false, true) if warning || far => Severity::Medium,
            (false, _) => Severity::Low,
        };
        let kind = if error { AnomalyKind::ErrorBurst } else { AnomalyKind::TemplateBurst };
        let usual = f64::from(burst.usual);
        let text = format!("{} rose from {} to {} in 10 s", self.what(), about(usual), burst.count);
        let mut finding = self.finding(kind, severity, f64::from(burst.z) / 20.0, text);
        measured(&mut finding, "lines_per_10s", usual, f64::from(burst.count));
        finding
    }

    /// The errors of a container in all rose. `mine`: how many of them are of this line's
    /// template. `noisy`: this container alarms often, so that it must last.
    pub fn errors(&self, burst: &ErrorBurst, mine: u32, noisy: bool) -> Finding {
        let usual = f64::from(burst.usual);
        let what = if mine * 2 >= burst.count {
            self.what()
        } else {
            format!("errors of {}", self.of.name)
        };
        let text = format!("{what} rose from {} to {} in 10 s", about(usual), burst.count);
        let severity = if noisy && burst.lasts < 3 { Severity::Medium } else { Severity::High };
        let score = f64::from(burst.count) / (usual + 1.0) / 20.0;
        let mut finding = self.finding(AnomalyKind::ErrorBurst, severity, score, text);
        measured(&mut finding, "errors_per_10s", usual, f64::from(burst.count));
        finding
    }

    /// A kind of line never seen before.
    pub fn new_template(&self, severity: Severity) -> Finding {
        let of = &self.of.name;
        let level = self.level().filter(|l| *l >= Level::Warn).map_or("a line", |l| match l {
            Level::Warn => "a warning",
            Level::Fatal => "a fatal error",
            _ => "an error",
        });
        let text = format!("{of} wrote {level} of a new kind: {}", words::quoted(self.template));
        let score = if severity >= Severity::Medium { 0.6 } else { 0.3 };
        self.finding(AnomalyKind::NewTemplate, severity, score, text)
    }

    /// A new kind of error that did not stay alone.
    pub fn new_persists(&self) -> Finding {
        let text = format!(
            "{} keeps writing an error of a new kind: {}",
            self.of.name,
            words::quoted(self.template)
        );
        self.finding(AnomalyKind::NewTemplate, Severity::High, 0.8, text)
    }

    /// Many new kinds of line within a minute.
    pub fn many_new(&self, count: usize) -> Finding {
        let text = format!(
            "{} wrote {count} new kinds of line within a minute, as after a deploy",
            self.of.name
        );
        self.finding(AnomalyKind::NewTemplate, Severity::Low, 0.4, text)
    }

    /// A kind of line that had not been seen for so many seconds.
    pub fn return_of(&self, seconds: i64) -> Finding {
        let text = format!(
            "{} of {} came back after {}",
            words::quoted(self.template),
            self.of.name,
            words::time(seconds as f64)
        );
        let error = self.level().is_some_and(|l| l >= Level::Error);
        let severity = if error { Severity::Medium } else { Severity::Low };
        self.finding(AnomalyKind::RareReturn, severity, 0.4, text)
    }

    /// A number left its usual range.
    pub fn drift(&self, drifted: &Drifted) -> Finding {
        let (now, usual) = (drifted.value, drifted.usual);
        let (takes, measure) = match drifted.unit {
            Unit::Seconds => ("takes", "seconds"),
            Unit::Bytes => ("is at", "bytes"),
            Unit::Percent => ("is at", "percent"),
            Unit::None => ("has", "number"),
        };
        let text = format!(
            "{} of {} {takes} {}, usually {}",
            words::quoted(self.template),
            self.of.name,
            words::value(now, drifted.unit),
            words::value(usual, drifted.unit)
        );
        let times = (now / usual).max(usual / now.max(f64::MIN_POSITIVE));
        let much = times >= MUCH && drifted.unit != Unit::None;
        let severity = if much { Severity::Medium } else { Severity::Low };
        let mut finding =
            self.finding(AnomalyKind::NumericDrift, severity, times.log2() / 8.0, text);
        measured(&mut finding, measure, usual, now);
        finding
    }

    /// A value never seen before where few are usual.
    pub fn new_value(&self, value: &str) -> Finding {
        let text = format!(
            "{} of {} has the new value {}",
            words::quoted(self.template),
            self.of.name,
            words::quoted(value)
        );
        let bad = self.level().is_some_and(|l| l >= Level::Error) || values::is_failure(value);
        let severity = if bad { Severity::Medium } else { Severity::Low };
        self.finding(AnomalyKind::NewValue, severity, 0.4, text)
    }

    /// The share of warnings and errors rose.
    pub fn share(&self, rise: &Rise) -> Finding {
        let what = if rise.errors { "errors" } else { "warnings and errors" };
        let text = format!(
            "{} % of the lines of {} were {what} in the last minute, usually {} %",
            words::number(rise.share * 100.0),
            self.of.name,
            words::number(rise.usual * 100.0)
        );
        let severity = if rise.errors { Severity::Medium } else { Severity::Low };
        let mut finding = self.finding(AnomalyKind::SeverityShare, severity, rise.share, text);
        finding.detail.template = None;
        measured(&mut finding, "warn_share", rise.usual, rise.share);
        finding
    }

    /// Many kinds of line are unusual at once.
    pub fn crowd(&self, count: usize, worst: Severity) -> Finding {
        let text = format!(
            "{count} kinds of line of {} are unusual within five minutes, the last: {}",
            self.of.name,
            words::quoted(self.template)
        );
        let severity = worst.clamp(Severity::Low, Severity::Medium);
        self.finding(AnomalyKind::TemplateShare, severity, count as f64 / 20.0, text)
    }
}

/// A container, or one kind of its lines, fell silent.
pub fn silence(
    of: &ContainerRef,
    silence: &Silence,
    template: Option<&str>,
    at: Timestamp,
    last: Option<Evidence>,
) -> Finding {
    let name = &of.name;
    let gap = words::time(f64::from(silence.gap));
    let often = words::often(f64::from(silence.usual));
    let summary = match template {
        Some(text) => format!(
            "{name} does not write {} any more: nothing for {gap}, usually {often}",
            words::quoted(text)
        ),
        None => format!("{name} has written nothing for {gap}; it usually writes {often}"),
    };
    let medium = template.is_none() && silence.regular;
    let mut finding = Finding {
        kind: AnomalyKind::LogSilence,
        severity: if medium { Severity::Medium } else { Severity::Low },
        score: if silence.regular { 0.5 } else { 0.3 },
        summary,
        observed_at: at,
        evidence: last.into_iter().collect(),
        detail: AnomalyDetail { template: template.map(str::to_owned), ..Default::default() },
    };
    measured(&mut finding, "lines_per_10s", f64::from(silence.usual), 0.0);
    finding
}

/// "0", "about 4".
fn about(usual: f64) -> String {
    if usual < 0.05 { "0".to_owned() } else { format!("about {}", words::number(usual)) }
}

fn measured(finding: &mut Finding, measure: &str, usual: f64, value: f64) {
    finding.detail.measure = Some(measure.to_owned());
    finding.detail.usual = Some(usual);
    finding.detail.value = Some(value);
}
