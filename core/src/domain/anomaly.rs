//! Something out of the ordinary, as a detector reports it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::container::ContainerRef;
use crate::domain::evidence::Evidence;
use crate::domain::failure::FailureClass;
use crate::domain::ids::AnomalyId;
use crate::domain::judgement::Judgement;
use crate::domain::severity::Severity;

/// What a detector saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnomalyKind {
    /// The process died and nobody had asked for it.
    Death,
    /// At least three unasked deaths within ten minutes, or five within thirty.
    CrashLoop,
    /// The kernel killed something at the memory limit.
    OomKill,
    /// The health check failed `retries` times.
    Unhealthy,
    /// A connection to a peer was refused or unreachable.
    ConnectionRefused,
    /// A known fatal signature in the log.
    FatalSignature,
    /// Errors far above their usual rate.
    ErrorBurst,
    /// Found stopped at start or after a gap: nobody saw why.
    FoundDown,
    /// The container could not be started.
    StartFailure,
    /// A line of a kind never seen before, after the usual ones were learned.
    NewTemplate,
    /// A kind of line came back that had not been seen for a day.
    RareReturn,
    /// One kind of line far above its own usual rate.
    TemplateBurst,
    /// The share of warnings and errors rose far above its usual.
    SeverityShare,
    /// A periodic writer fell silent while it runs.
    LogSilence,
    /// A number in one kind of line (a duration, a size, a count) left its usual range.
    NumericDrift,
    /// A value never seen before at a place that has few (`status=503`).
    NewValue,
    /// Many kinds of line of one container are unusual at once.
    TemplateShare,
    /// Memory stands near its limit.
    MemoryNearLimit,
    /// Memory grows steadily and will reach its limit within the hour.
    MemoryGrowth,
    /// The processor is used up, against the quota or the machine, for minutes.
    CpuSaturation,
    /// The scheduler holds it back because its quota is used up.
    CpuThrottled,
    /// Processes and threads stand near their limit.
    PidsNearLimit,
    /// Open file descriptors stand near their limit.
    FdsNearLimit,
    /// Network or disk traffic left its usual range over every horizon.
    UsageShift,
    /// The container was frozen.
    Paused,
    /// It went up and down, or healthy and unhealthy, at least four times in a quarter of an hour.
    Flapping,
    /// Many containers died within seconds of each other.
    RestartStorm,
    /// Something that it needs was taken away: a network, a volume, its image.
    Surroundings,
}

impl AnomalyKind {
    /// The wire name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Death => "death",
            Self::CrashLoop => "crash_loop",
            Self::OomKill => "oom_kill",
            Self::Unhealthy => "unhealthy",
            Self::ConnectionRefused => "connection_refused",
            Self::FatalSignature => "fatal_signature",
            Self::ErrorBurst => "error_burst",
            Self::FoundDown => "found_down",
            Self::StartFailure => "start_failure",
            Self::NewTemplate => "new_template",
            Self::RareReturn => "rare_return",
            Self::TemplateBurst => "template_burst",
            Self::SeverityShare => "severity_share",
            Self::LogSilence => "log_silence",
            Self::NumericDrift => "numeric_drift",
            Self::NewValue => "new_value",
            Self::TemplateShare => "template_share",
            Self::MemoryNearLimit => "memory_near_limit",
            Self::MemoryGrowth => "memory_growth",
            Self::CpuSaturation => "cpu_saturation",
            Self::CpuThrottled => "cpu_throttled",
            Self::PidsNearLimit => "pids_near_limit",
            Self::FdsNearLimit => "fds_near_limit",
            Self::UsageShift => "usage_shift",
            Self::Paused => "paused",
            Self::Flapping => "flapping",
            Self::RestartStorm => "restart_storm",
            Self::Surroundings => "surroundings",
        }
    }

    /// What it points to by itself, if it is a measure of a log or of resources and no event.
    pub fn measures(self) -> Option<FailureClass> {
        Some(match self {
            Self::NewTemplate | Self::RareReturn => FailureClass::NewError,
            Self::TemplateBurst | Self::SeverityShare | Self::TemplateShare | Self::NewValue => {
                FailureClass::ErrorBurst
            }
            Self::LogSilence => FailureClass::LogSilence,
            Self::NumericDrift => FailureClass::LatencyRise,
            Self::MemoryNearLimit | Self::MemoryGrowth => FailureClass::MemoryLeak,
            Self::CpuSaturation => FailureClass::CpuRunaway,
            Self::CpuThrottled => FailureClass::CpuThrottled,
            Self::PidsNearLimit => FailureClass::PidLimit,
            Self::FdsNearLimit => FailureClass::FdExhaustion,
            _ => return None,
        })
    }

    /// Whether it was read out of what the container writes, or no longer writes.
    pub fn is_said(self) -> bool {
        matches!(
            self,
            Self::ConnectionRefused
                | Self::FatalSignature
                | Self::ErrorBurst
                | Self::NewTemplate
                | Self::RareReturn
                | Self::TemplateBurst
                | Self::SeverityShare
                | Self::LogSilence
                | Self::NumericDrift
        )
    }

    /// Whether it is a fault that the engine itself observed, as opposed to text that anybody could
    /// have written: only such a fault may authorise a fix without a person. What somebody did
    /// through the engine is no fault, and what only sums up faults that were told is no second
    /// one: both join an incident and open none.
    pub fn is_engine_observed(self) -> bool {
        match self {
            Self::Death
            | Self::CrashLoop
            | Self::OomKill
            | Self::Unhealthy
            | Self::StartFailure
            | Self::MemoryNearLimit
            | Self::MemoryGrowth
            | Self::CpuSaturation
            | Self::CpuThrottled
            | Self::PidsNearLimit
            | Self::FdsNearLimit
            | Self::UsageShift => true,
            Self::ConnectionRefused
            | Self::FatalSignature
            | Self::ErrorBurst
            | Self::FoundDown
            | Self::NewTemplate
            | Self::RareReturn
            | Self::TemplateBurst
            | Self::SeverityShare
            | Self::LogSilence
            | Self::NumericDrift
            | Self::NewValue
            | Self::TemplateShare
            | Self::Paused
            | Self::Flapping
            | Self::RestartStorm
            | Self::Surroundings => false,
        }
    }
}

/// One anomaly, with the evidence that supports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Its id.
    pub id: AnomalyId,
    /// Where.
    pub container: ContainerRef,
    /// What.
    pub kind: AnomalyKind,
    /// How bad.
    pub severity: Severity,
    /// How sure and how strong, 0 to 1.
    pub score: f64,
    /// One sentence that a person understands.
    pub summary: String,
    /// When the fault was observable, by the engine's clock.
    pub observed_at: Timestamp,
    /// What supports it.
    pub evidence: Vec<Evidence>,
    /// Detector's detail for diagnosis: the signature's name, the peer's host name.
    pub detail: AnomalyDetail,
}

/// What diagnosis needs to know beyond the kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AnomalyDetail {
    /// Exit status, for a death.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// Name of the matched signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// What the signature points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// What the signature says in words that follow a name and a colon: "cannot resolve a name".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
    /// Host name or address of the peer that a line names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The kind of line: constant words, and `<*>` where they vary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// What was measured: `mem_used`, `cpu_pct`, `lines_per_10s`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// Its usual value, in the measure's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual: Option<f64>,
    /// Its value now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit that it nears.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Seconds until it reaches the limit if it goes on like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_to_limit: Option<u64>,
    /// What triage made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

impl AnomalyDetail {
    /// Nothing beyond the kind and the sentence.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
