//! Detectors over resource readings: memory that grows or stands near its limit, a processor that
//! is used up or held back, processes and open files near their limit, traffic that left its usual
//! range. O(1) per reading, some 10 KiB per container, rules in time and not in readings.
//!
//! Start at [`UsageDetector::sample`]; [`watch`] keeps one per container and what is known of each
//! service beyond one container. Each file is one detector; this one puts what they find in words.

pub mod baseline;
pub mod buckets;
pub mod cpu;
pub mod growth;
pub mod held;
pub mod near_limit;
pub mod shift;
pub mod watch;
pub mod words;

use jiff::{SignedDuration, Timestamp};

use crate::detect::Finding;
use crate::detect::usage::cpu::{Around, Cpu};
use crate::detect::usage::growth::{Growth, Known};
use crate::detect::usage::near_limit::{FDS, MEMORY, NearLimit, PIDS};
use crate::detect::usage::shift::Shift;
use crate::domain::anomaly::{AnomalyDetail, AnomalyKind};
use crate::domain::container::ContainerRef;
use crate::domain::evidence::{Evidence, EvidenceKind};
use crate::domain::ids::EvidenceId;
use crate::domain::severity::Severity;
use crate::domain::usage::{Usage, UsageSample};

/// What is known of a container besides its readings.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UsageFacts {
    /// When its process began; `None`: not known, so long ago.
    pub started_at: Option<Timestamp>,
    /// It has a memory limit of its own: what the readings call its limit is not the machine's.
    pub limited: bool,
    /// Processors of the machine; 0: not known.
    pub cores: f64,
    /// Its health check fails.
    pub unhealthy: bool,
    /// A one-off job: it is there to work until it is done.
    pub job: bool,
}

/// The resources of one container.
#[derive(Debug)]
pub struct UsageDetector {
    growth: Growth,
    memory: NearLimit,
    pids: NearLimit,
    fds: NearLimit,
    cpu: Cpu,
    received: Shift,
    sent: Shift,
    read: Shift,
    written: Shift,
}

impl Default for UsageDetector {
    fn default() -> Self {
        Self::new(Known::default())
    }
}

/// One reading, as the words below need it.
struct Seen<'a> {
    of: &'a ContainerRef,
    at: Timestamp,
    usage: &'a Usage,
    facts: UsageFacts,
}

impl UsageDetector {
    /// `known`: what earlier containers of the service taught.
    pub fn new(known: Known) -> Self {
        Self {
            growth: Growth::new(known),
            memory: NearLimit::new(MEMORY),
            pids: NearLimit::new(PIDS),
            fds: NearLimit::new(FDS),
            cpu: Cpu::default(),
            received: Shift::default(),
            sent: Shift::default(),
            read: Shift::default(),
            written: Shift::default(),
        }
    }

    /// What a later container of the service should know.
    pub fn known(&self) -> Known {
        self.growth.known()
    }

    /// Another process of the same container: what was under way is over.
    pub fn process_started(&mut self) {
        self.growth.process_started();
        self.cpu.process_started();
        for near in [&mut self.memory, &mut self.pids, &mut self.fds] {
            near.process_started();
        }
    }

    /// Looks at one reading. Each finding is told once, again only when it is worse, and anew
    /// after it was over.
    pub fn sample(
        &mut self,
        sample: &UsageSample,
        of: &ContainerRef,
        facts: UsageFacts,
    ) -> Vec<Finding> {
        let seen = Seen { of, at: sample.at, usage: &sample.usage, facts };
        let mut found = Vec::new();
        found.extend(self.memory(&seen));
        found.extend(self.processor(&seen));
        found.extend(self.counts(&seen));
        found.extend(self.traffic(&seen));
        found
    }

    fn memory(&mut self, seen: &Seen<'_>) -> Vec<Finding> {
        let held = seen.usage.mem_held() as f64;
        let limit = seen.usage.mem_limit as f64;
        let mut found = Vec::new();
        if let Some(growing) = self.growth.sample(seen.at, held, limit, seen.age()) {
            let rate = words::bytes(growing.per_second * 60.0);
            let left = SignedDuration::try_from_secs_f64(growing.seconds_to_limit.ceil());
            let summary = format!(
                "memory of {} grows {rate}/min and will reach {} in about {}",
                seen.of.name,
                seen.limit_words(),
                words::time(left.unwrap_or_default())
            );
            let span = SignedDuration::try_from_secs_f64(growing.span).unwrap_or_default();
            let excerpt = format!(
                "memory without page cache rose from {} to {} within {}, limit {}",
                words::bytes(growing.from),
                words::bytes(held),
                words::time(span),
                words::bytes(limit)
            );
            let detail = AnomalyDetail {
                usual: Some(growing.from.max(0.0)),
                limit: Some(limit),
                seconds_to_limit: Some(whole(growing.seconds_to_limit)),
                ..measured("mem_held", held)
            };
            let what = (AnomalyKind::MemoryGrowth, growing.severity, growing.score);
            found.push(seen.finding(what, summary, excerpt, detail));
        }
        if let Some(severity) = self.memory.sample(seen.at, held, limit) {
            let percent = held / limit * 100.0;
            let summary = format!(
                "memory of {} stands at {percent:.0} % of {}",
                seen.of.name,
                seen.limit_words()
            );
            let excerpt = format!(
                "memory without page cache {} of {}",
                words::bytes(held),
                words::bytes(limit)
            );
            let detail = AnomalyDetail { limit: Some(limit), ..measured("mem_held", held) };
            let what = (AnomalyKind::MemoryNearLimit, severity, percent / 100.0);
            found.push(seen.finding(what, summary, excerpt, detail));
        }
        found
    }

    fn processor(&mut self, seen: &Seen<'_>) -> Vec<Finding> {
        let (usage, name) = (seen.usage, &seen.of.name);
        let limit = usage.cpu_limit_pct.unwrap_or(seen.facts.cores * 100.0);
        let around =
            Around { limit, age: seen.age(), unhealthy: seen.facts.unhealthy, job: seen.facts.job };
        let mut found = Vec::new();
        if let Some(saturated) = self.cpu.saturation(seen.at, usage, around) {
            let usual =
                saturated.usual.map_or_else(String::new, |pct| format!(", usually {pct:.0} %"));
            let lasted = words::time(saturated.lasted);
            let whose = match (saturated.whole_cores, usage.cpu_limit_pct) {
                (Some(cores), _) => format!("{cores:.0} whole core(s)"),
                (None, Some(quota)) => format!("its quota of {quota:.0} % of a core"),
                (None, None) => "the whole machine".to_owned(),
            };
            let summary = format!("{name} has used {whose} for {lasted}{usual}");
            let excerpt = format!("processor {:.0} % of one core{usual}", usage.cpu_pct);
            let detail = AnomalyDetail {
                usual: saturated.usual,
                limit: Some(limit),
                ..measured("cpu_pct", usage.cpu_pct)
            };
            let score = if saturated.usual.is_some() { 0.8 } else { 0.5 };
            let what = (AnomalyKind::CpuSaturation, saturated.severity, score);
            found.push(seen.finding(what, summary, excerpt, detail));
        }
        if let Some((severity, lasted)) = self.cpu.throttling(seen.at, usage, around) {
            let percent = usage.throttled_pct.unwrap_or_default();
            let quota = usage.cpu_limit_pct.unwrap_or_default();
            let summary = format!(
                "{name} is held back in {percent:.0} % of its periods for {}: its quota of {quota:.0} % of a core is too small for what it does",
                words::time(lasted)
            );
            let excerpt = format!(
                "held back in {percent:.0} % of the scheduler's periods, processor {:.0} % of one core, quota {quota:.0} %",
                usage.cpu_pct
            );
            let detail = AnomalyDetail { limit: Some(quota), ..measured("throttled_pct", percent) };
            let what = (AnomalyKind::CpuThrottled, severity, 0.8);
            found.push(seen.finding(what, summary, excerpt, detail));
        }
        found
    }

    fn counts(&mut self, seen: &Seen<'_>) -> Vec<Finding> {
        let usage = seen.usage;
        let pids = usage.pids_limit.map(|limit| (usage.pids, limit));
        let fds = usage.fds.zip(usage.fds_limit);
        let rows = [
            (&mut self.pids, pids, AnomalyKind::PidsNearLimit, "pids", "processes and threads"),
            (&mut self.fds, fds, AnomalyKind::FdsNearLimit, "fds", "open files"),
        ];
        let mut found = Vec::new();
        for (near, known, kind, measure, what) in rows {
            let Some((count, limit)) = known else { continue };
            let (value, most) = (count as f64, limit as f64);
            let Some(severity) = near.sample(seen.at, value, most) else { continue };
            let summary = format!("{} has {count} of {limit} {what}", seen.of.name);
            let excerpt = format!("{what}: {count}, limit {limit}");
            let detail = AnomalyDetail { limit: Some(most), ..measured(measure, value) };
            let what = (kind, severity, (value / most).min(1.0));
            found.push(seen.finding(what, summary, excerpt, detail));
        }
        found
    }

    fn traffic(&mut self, seen: &Seen<'_>) -> Vec<Finding> {
        let usage = seen.usage;
        let rows = [
            (&mut self.received, usage.net_rx_bps, "net_rx_bps", "receives"),
            (&mut self.sent, usage.net_tx_bps, "net_tx_bps", "sends"),
            (&mut self.read, usage.disk_read_bps, "disk_read_bps", "reads from disk"),
            (&mut self.written, usage.disk_write_bps, "disk_write_bps", "writes to disk"),
        ];
        let mut found = Vec::new();
        for (shift, rate, measure, does) in rows {
            let Some(shifted) = shift.sample(seen.at, rate) else { continue };
            let (now, usual) = (words::bytes(shifted.now), words::bytes(shifted.usual));
            let summary = format!("{} {does} {now}/s, usually {usual}/s", seen.of.name);
            let excerpt = format!("{does} {now}/s over half a minute, usually {usual}/s");
            let detail =
                AnomalyDetail { usual: Some(shifted.usual), ..measured(measure, shifted.now) };
            let what = (AnomalyKind::UsageShift, Severity::Low, (shifted.z / 20.0).min(1.0));
            found.push(seen.finding(what, summary, excerpt, detail));
        }
        found
    }
}

impl Seen<'_> {
    /// How long the process has run.
    fn age(&self) -> Option<SignedDuration> {
        self.facts.started_at.map(|started| self.at.duration_since(started))
    }

    fn limit_words(&self) -> String {
        let limit = words::bytes(self.usage.mem_limit as f64);
        let whose = if self.facts.limited { "its limit" } else { "the machine's memory" };
        format!("{whose} of {limit}")
    }

    fn finding(
        &self,
        (kind, severity, score): (AnomalyKind, Severity, f64),
        summary: String,
        excerpt: String,
        detail: AnomalyDetail,
    ) -> Finding {
        let measure = detail.measure.as_deref().unwrap_or_default();
        let second = self.at.as_second();
        let id = format!("sample-{}-{}-{measure}-{second}", self.of.id.short(), kind.as_str());
        Finding {
            kind,
            severity,
            score,
            summary,
            observed_at: self.at,
            evidence: vec![Evidence {
                id: EvidenceId(id),
                kind: EvidenceKind::Sample,
                container: self.of.name.clone(),
                ts: self.at,
                excerpt,
                line: None,
            }],
            detail,
        }
    }
}

fn measured(measure: &str, value: f64) -> AnomalyDetail {
    AnomalyDetail {
        measure: Some(measure.to_owned()),
        value: Some(value),
        ..AnomalyDetail::default()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float stops at the ends of the integer"
)]
fn whole(seconds: f64) -> u64 {
    seconds.max(0.0).ceil() as u64
}

#[cfg(test)]
mod tests;
