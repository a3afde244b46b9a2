//! How risky a call is, and whether a plan may run without a person.
//!
//! One pure function, [`decide`], returns all reasons at once. What a log, label, probe output
//! or model says may explain a fault, never authorise a call: labels and configuration only tighten.

pub mod brakes;
mod circuits;
mod grants;
pub mod limits;
pub mod reason;
pub mod risk;
pub mod rules;

use jiff::{SignedDuration, Timestamp};

use crate::domain::anomaly::{Anomaly, AnomalyKind};
use crate::domain::container::{Container, LABEL_AUTO_HEAL, LABEL_MONITOR};
use crate::domain::failure::FailureClass;
use crate::domain::grant::Grant;
use crate::domain::not_acting::NotActing;
use crate::domain::plan::{Plan, Risk};
use crate::domain::snapshot::Mode;
use crate::domain::tool::Tool;
use crate::policy::brakes::{About, Brakes};
use crate::policy::reason::Reason;
use crate::policy::rules::{HEALED, Rules};

/// How long healing is frozen once a container was told to flap: the window in which that is
/// counted (FAILURES.md: at least four changes in 15 minutes).
const FROZEN: SignedDuration = SignedDuration::from_mins(15);

/// What the decision rests on.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that each stand for one reason")]
pub struct Request<'a> {
    /// What may be done at all.
    pub mode: Mode,
    /// Whether this instance is the one that acts on the engine.
    pub elected: bool,
    /// Everything is watched, so the monitor label is no opt-in.
    pub watch_all: bool,
    /// What the configuration asks for.
    pub rules: &'a Rules,
    /// The plan.
    pub plan: &'a Plan,
    /// The tools that were discovered.
    pub tools: &'a [Tool],
    /// Its class.
    pub class: FailureClass,
    /// How sure the diagnosis is.
    pub confidence: f64,
    /// The target as last inspected.
    pub target: &'a Container,
    /// Whether an operator stopped the target, or nobody knows why it is down.
    pub operator_intent: bool,
    /// Whether a person said no to a plan for this incident.
    pub refused_by_person: bool,
    /// Whether a person silenced the target's service.
    pub silenced: bool,
    /// What was changed next to the target a moment ago, if anything was.
    pub neighbour: Option<&'a str>,
    /// What the detectors saw in this incident, and on the target.
    pub anomalies: &'a [Anomaly],
    /// What was done lately.
    pub brakes: &'a Brakes,
    /// Now.
    pub now: Timestamp,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may run now, without a person.
    Allow,
    /// A person may approve it; these are the reasons why it does not run by itself.
    NeedsApproval(Vec<Reason>),
    /// Nobody may run it here and now.
    Refuse(Vec<Reason>),
}

/// Whether a plan may run without a person, and if not, all the reasons why.
pub fn decide(request: &Request<'_>) -> Decision {
    let mut refuse = forbidden(request.mode, request.elected, request.plan.risk());
    let mut reasons = consent(request);
    reasons.extend(doubts(request));
    reasons.extend(surroundings(request));
    let servers: Vec<&str> = request
        .tools
        .iter()
        .filter(|t| request.plan.steps.iter().any(|s| s.call.tool == t.name))
        .map(|t| t.server.as_str())
        .collect();
    let about = About { target: &request.target.of, class: request.class, servers: &servers };
    reasons.extend(request.brakes.holds(&about, request.now));
    if !refuse.is_empty() {
        refuse.extend(reasons);
        return Decision::Refuse(refuse);
    }
    if reasons.is_empty() { Decision::Allow } else { Decision::NeedsApproval(reasons) }
}

/// The grant on which a plan that is allowed rests: without it a person would have been asked.
pub fn rests_on<'a>(request: &Request<'a>) -> Option<&'a Grant> {
    let asked = request.mode == Mode::Approve || !request.rules.heals(request.class);
    request.brakes.granted(request.plan, request.now).filter(|_| asked)
}

/// What not even a person may do here and now.
pub fn forbidden(mode: Mode, elected: bool, risk: Risk) -> Vec<Reason> {
    let mut refuse = Vec::new();
    if mode == Mode::ReadOnly {
        refuse.push(Reason::stays(NotActing::ReadOnly, "read-only: no change is made"));
    }
    if !elected {
        refuse.push(Reason::stays(
            NotActing::NotElected,
            "another sentinel-tui on this machine acts on this engine; this one only watches",
        ));
    }
    if risk == Risk::R4 {
        refuse.push(Reason::stays(
            NotActing::RiskTooHigh,
            "it could lose data, or the configuration rules it out (R4)",
        ));
    }
    refuse
}

/// What people have to agree to beforehand: mode, labels, class, risk.
fn consent(request: &Request<'_>) -> Vec<Reason> {
    let Request { plan, target, rules, .. } = *request;
    let mut reasons = Vec::new();
    // A grant is a person's yes: it answers that nobody agreed to act by itself, and that the
    // built-in list lacks the class. What the configuration took off the list stays off.
    let granted = request.brakes.granted(plan, request.now).is_some();
    if request.mode == Mode::Approve && !granted {
        reasons.push(Reason::stays(
            NotActing::AutoHealOff,
            "auto-heal is off; a person decides (start with --auto-heal to change that)",
        ));
    }
    if let Some(why) = opt_in_problem(target, request.watch_all) {
        reasons.push(Reason::stays(NotActing::NotOptedIn, why));
    }
    let class_granted = granted && rules.classes.is_none() && !HEALED.contains(&request.class);
    if !rules.heals(request.class) && !class_granted {
        reasons.push(Reason::stays(
            NotActing::ClassNotAllowed,
            format!("{} is not a class that is healed without a person", request.class),
        ));
    }
    if plan.is_from_model() {
        reasons.push(Reason::stays(
            NotActing::ModelProposed,
            "a language model proposed it; what a model proposes needs a person",
        ));
    }
    if plan.is_edited() {
        reasons.push(Reason::stays(
            NotActing::EditedByPerson,
            "a person changed what it calls; what a person changed a person approves",
        ));
    }
    if plan.risk() > rules.max_risk() {
        reasons.push(Reason::stays(
            NotActing::RiskTooHigh,
            format!("the plan {} ({})", plan.risk().words(), plan.risk()),
        ));
    }
    if plan.steps.iter().any(|s| s.target.id != target.of.id) {
        reasons.push(Reason::stays(
            NotActing::RiskTooHigh,
            "the plan changes more than one container",
        ));
    }
    reasons
}

/// How sure it is that this is a fault, and this one.
fn doubts(request: &Request<'_>) -> Vec<Reason> {
    let Request { target, rules, .. } = *request;
    let name = &target.of.name;
    let mut reasons = Vec::new();
    if request.confidence < rules.min_confidence() {
        reasons.push(Reason::stays(
            NotActing::LowConfidence,
            format!("the diagnosis is only {:.0} % sure", request.confidence * 100.0),
        ));
    }
    if request.operator_intent {
        reasons.push(Reason::stays(
            NotActing::OperatorIntent,
            format!("{name} may have been stopped on purpose"),
        ));
    }
    if request.refused_by_person {
        reasons.push(Reason::stays(
            NotActing::OperatorIntent,
            "a person said no to a plan for this incident; it is theirs now",
        ));
    }
    if !observed_fault(request) {
        reasons.push(Reason::stays(
            NotActing::NoObservedFault,
            format!("the engine itself saw no fault on {name}; text alone authorises nothing"),
        ));
    }
    reasons
}

/// What goes on around the target.
fn surroundings(request: &Request<'_>) -> Vec<Reason> {
    let Request { target, now, .. } = *request;
    let mut reasons = Vec::new();
    let flaps = |a: &&Anomaly| {
        let at_target = a.kind == AnomalyKind::Flapping && a.container.id == target.of.id;
        at_target && now.duration_since(a.observed_at) < FROZEN
    };
    if let Some(flapping) = request.anomalies.iter().rfind(flaps) {
        let words = format!("healing is frozen: {}", flapping.summary);
        reasons.push(Reason::stays(NotActing::Flapping, words));
    }
    if request.silenced {
        reasons.push(Reason::passes(
            NotActing::Maintenance,
            format!("{} is silenced: somebody works on it", target.of.service),
        ));
    }
    if let Some(neighbour) = request.neighbour {
        reasons.push(Reason::passes(NotActing::Neighbourhood, neighbour));
    }
    reasons
}

/// The monitor label opts in, the auto-heal label opts out; under `--all` only
/// `sre-sentinel.auto-heal=true` opts in.
fn opt_in_problem(target: &Container, watch_all: bool) -> Option<String> {
    let own = target.label(LABEL_AUTO_HEAL).map(|v| v.eq_ignore_ascii_case("true"));
    let name = &target.of.name;
    match own {
        Some(false) => Some(format!("{name} is labelled {LABEL_AUTO_HEAL}=false")),
        Some(true) => None,
        None if watch_all => {
            Some(format!("under --all only containers labelled {LABEL_AUTO_HEAL}=true are healed"))
        }
        None if target.label(LABEL_MONITOR) == Some("true") => None,
        None => Some(format!("{name} is not labelled {LABEL_MONITOR}=true")),
    }
}

/// Where a signal comes from; two from one source are one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Event,
    Memory,
    Health,
    Log,
    Inspect,
    Usage,
}

fn source(kind: AnomalyKind) -> Source {
    match kind {
        AnomalyKind::Death
        | AnomalyKind::CrashLoop
        | AnomalyKind::StartFailure
        | AnomalyKind::Paused
        | AnomalyKind::Flapping
        | AnomalyKind::RestartStorm
        | AnomalyKind::Surroundings => Source::Event,
        AnomalyKind::OomKill | AnomalyKind::MemoryNearLimit | AnomalyKind::MemoryGrowth => {
            Source::Memory
        }
        AnomalyKind::CpuSaturation
        | AnomalyKind::CpuThrottled
        | AnomalyKind::PidsNearLimit
        | AnomalyKind::FdsNearLimit
        | AnomalyKind::UsageShift => Source::Usage,
        AnomalyKind::Unhealthy => Source::Health,
        AnomalyKind::ConnectionRefused
        | AnomalyKind::FatalSignature
        | AnomalyKind::ErrorBurst
        | AnomalyKind::NewTemplate
        | AnomalyKind::RareReturn
        | AnomalyKind::TemplateBurst
        | AnomalyKind::SeverityShare
        | AnomalyKind::LogSilence
        | AnomalyKind::NumericDrift
        | AnomalyKind::NewValue
        | AnomalyKind::TemplateShare => Source::Log,
        AnomalyKind::FoundDown => Source::Inspect,
    }
}

/// The engine must have seen the fault on the target itself. For death, memory kill and health
/// its word is enough if it is the word for that class; every other class needs a second kind of
/// signal besides.
fn observed_fault(request: &Request<'_>) -> bool {
    let mut engine = request
        .anomalies
        .iter()
        .filter(|a| a.container.id == request.target.of.id && a.kind.is_engine_observed())
        .map(|a| a.kind);
    match request.class {
        FailureClass::TransientCrash | FailureClass::NativeCrash => engine.any(|k| {
            matches!(k, AnomalyKind::Death | AnomalyKind::CrashLoop | AnomalyKind::OomKill)
        }),
        FailureClass::OomKill => engine.any(|k| k == AnomalyKind::OomKill),
        FailureClass::Hang => engine.any(|k| k == AnomalyKind::Unhealthy),
        _ => {
            let mut sources: Vec<Source> =
                request.anomalies.iter().map(|a| source(a.kind)).collect();
            sources.sort_unstable();
            sources.dedup();
            engine.next().is_some() && sources.len() >= 2
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::anomaly::AnomalyDetail;
    use crate::domain::container::tests_support::container;
    use crate::domain::ids::{AnomalyId, FixId};
    use crate::domain::plan::{Fix, FixState, Preconditions};
    use crate::domain::severity::Severity;
    use crate::domain::tool::ToolCall;
    use crate::policy::limits::Limits;

    fn target(name: &str) -> Container {
        let mut target = container(name);
        target.labels.insert(LABEL_MONITOR.to_owned(), "true".to_owned());
        target
    }

    fn plan(target: &Container, risk: Risk) -> Plan {
        Plan {
            incident: "INC-1".into(),
            source: crate::domain::diagnosis::Source::Rules,
            steps: vec![Fix {
                id: FixId("F1.1".to_owned()),
                step: 1,
                call: ToolCall::new("start_container", []),
                target: target.of.clone(),
                risk,
                reason: String::new(),
                diff: String::new(),
                docker_line: String::new(),
                downtime: String::new(),
                inverse: None,
                compose_patch: None,
                state: FixState::Staged,
                result: None,
                progress: None,
                replaced_by: None,
            }],
            preconditions: Preconditions {
                image_id: String::new(),
                started_at: String::new(),
                config_hash: String::new(),
                running: false,
            },
            staged_at: Timestamp::UNIX_EPOCH,
            expires_at: Timestamp::MAX,
            sha256: String::new(),
        }
        .freeze()
    }

    fn anomaly(on: &Container, kind: AnomalyKind) -> Anomaly {
        Anomaly {
            id: AnomalyId("A".to_owned()),
            container: on.of.clone(),
            kind,
            severity: Severity::High,
            score: 1.0,
            summary: String::new(),
            observed_at: Timestamp::UNIX_EPOCH,
            evidence: Vec::new(),
            detail: AnomalyDetail::default(),
        }
    }

    /// A case in which nothing speaks against acting.
    struct Case {
        api: Container,
        plan: Plan,
        seen: Vec<Anomaly>,
        brakes: Brakes,
        rules: Rules,
    }

    impl Case {
        fn new() -> Self {
            let api = target("api");
            Self {
                plan: plan(&api, Risk::R1),
                seen: vec![anomaly(&api, AnomalyKind::Death)],
                brakes: Brakes::default(),
                rules: Rules::default(),
                api,
            }
        }

        /// The reasons once something about it is changed.
        fn codes<'a>(&'a self, change: impl FnOnce(&mut Request<'a>)) -> Vec<NotActing> {
            let mut request = Request {
                mode: Mode::AutoHeal,
                elected: true,
                watch_all: false,
                rules: &self.rules,
                plan: &self.plan,
                tools: &[],
                class: FailureClass::TransientCrash,
                confidence: 0.8,
                target: &self.api,
                operator_intent: false,
                refused_by_person: false,
                silenced: false,
                neighbour: None,
                anomalies: &self.seen,
                brakes: &self.brakes,
                now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(10),
            };
            change(&mut request);
            match decide(&request) {
                Decision::Allow => Vec::new(),
                Decision::NeedsApproval(reasons) | Decision::Refuse(reasons) => {
                    reasons.into_iter().map(|r| r.code).collect()
                }
            }
        }
    }

    #[test]
    fn each_reason_stands_alone() {
        let api = target("api");
        let db = target("db");
        let nothing: [Anomaly; 0] = [];
        let risky = plan(&api, Risk::R3);
        let lossy = plan(&api, Risk::R4);
        let elsewhere = plan(&db, Risk::R1);
        let mut busy = Brakes::new(Limits::default());
        busy.begin(&"INC-2".into());
        let mut quiet = target("api");
        quiet.labels.insert(LABEL_AUTO_HEAL.to_owned(), "false".to_owned());
        let case = Case::new();
        assert_eq!(case.codes(|_| ()), []);
        let mut unsteady = case.seen.clone();
        unsteady.push(anomaly(&api, AnomalyKind::Flapping));
        let flapped = |minutes| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        for (minutes, codes) in [(14, vec![NotActing::Flapping]), (16, Vec::new())] {
            let told = case.codes(|r| (r.anomalies, r.now) = (&unsteady, flapped(minutes)));
            assert_eq!(told, codes, "{minutes} minutes after it was told to flap");
        }
        assert_eq!(case.codes(|r| r.mode = Mode::ReadOnly), [NotActing::ReadOnly]);
        assert_eq!(case.codes(|r| r.mode = Mode::Approve), [NotActing::AutoHealOff]);
        assert_eq!(case.codes(|r| r.elected = false), [NotActing::NotElected]);
        assert_eq!(case.codes(|r| r.watch_all = true), [NotActing::NotOptedIn]);
        assert_eq!(case.codes(|r| r.target = &quiet), [NotActing::NotOptedIn]);
        assert_eq!(case.codes(|r| r.plan = &risky), [NotActing::RiskTooHigh]);
        assert_eq!(case.codes(|r| r.plan = &lossy), [NotActing::RiskTooHigh; 2]);
        assert_eq!(case.codes(|r| r.silenced = true), [NotActing::Maintenance]);
        assert_eq!(case.codes(|r| r.neighbour = Some("db")), [NotActing::Neighbourhood]);
        let strict = Rules {
            classes: Some([FailureClass::OomKill].into()),
            max_risk: Some(Risk::R0),
            min_confidence: Some(0.9),
            ..Rules::default()
        };
        assert_eq!(
            case.codes(|r| r.rules = &strict),
            [NotActing::ClassNotAllowed, NotActing::RiskTooHigh, NotActing::LowConfidence]
        );
        assert_eq!(case.codes(|r| r.plan = &elsewhere), [NotActing::RiskTooHigh]);
        assert_eq!(case.codes(|r| r.confidence = 0.69), [NotActing::LowConfidence]);
        assert_eq!(case.codes(|r| r.operator_intent = true), [NotActing::OperatorIntent]);
        assert_eq!(case.codes(|r| r.refused_by_person = true), [NotActing::OperatorIntent]);
        assert_eq!(case.codes(|r| r.anomalies = &nothing), [NotActing::NoObservedFault]);
        assert_eq!(case.codes(|r| r.brakes = &busy), [NotActing::InFlight]);
        assert_eq!(
            case.codes(|r| r.class = FailureClass::CrashLoop),
            [NotActing::ClassNotAllowed, NotActing::NoObservedFault]
        );
    }

    #[test]
    fn the_engines_word_must_be_about_the_target_and_fit_the_class() {
        let api = target("api");
        let db = target("db");
        let about = |on: &Container, kinds: &[AnomalyKind]| -> Vec<Anomaly> {
            kinds.iter().map(|k| anomaly(on, *k)).collect()
        };
        let log = AnomalyKind::ConnectionRefused;
        let death = AnomalyKind::Death;
        let cases = [
            (FailureClass::TransientCrash, about(&api, &[death]), true),
            (FailureClass::TransientCrash, about(&db, &[death]), false),
            (FailureClass::TransientCrash, about(&api, &[log, AnomalyKind::ErrorBurst]), false),
            (FailureClass::TransientCrash, about(&api, &[AnomalyKind::Unhealthy]), false),
            (FailureClass::TransientCrash, about(&api, &[AnomalyKind::FoundDown]), false),
            (FailureClass::OomKill, about(&api, &[death, AnomalyKind::FatalSignature]), false),
            (FailureClass::OomKill, about(&api, &[AnomalyKind::OomKill]), true),
            (FailureClass::Hang, about(&api, &[AnomalyKind::Unhealthy]), true),
            (FailureClass::Hang, about(&api, &[death, log]), false),
            // One kind of signal is not enough for what is inferred, nor is text about it.
            (FailureClass::DependencyDown, about(&api, &[death, AnomalyKind::CrashLoop]), false),
            (FailureClass::DependencyDown, about(&api, &[log, AnomalyKind::ErrorBurst]), false),
            (
                FailureClass::DependencyDown,
                [about(&api, &[death]), about(&db, &[log])].concat(),
                true,
            ),
            (
                FailureClass::DependencyDown,
                [about(&api, &[log]), about(&db, &[death])].concat(),
                false,
            ),
        ];
        let case = Case::new();
        for (class, seen, enough) in &cases {
            let told = case.codes(|r| {
                r.class = *class;
                r.anomalies = seen;
            });
            assert_eq!(told.is_empty(), *enough, "{class}: {seen:?} -> {told:?}");
        }
    }
}
