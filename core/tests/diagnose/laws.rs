//! What holds for every answer, whatever was seen: random stories in a small shop.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use sentinel_core::diagnose::NEAR_TIE;
use sentinel_core::domain::anomaly::{AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::{Health, Probe, RestartPolicy, RunState};
use sentinel_core::domain::diagnosis::Diagnosis;
use sentinel_core::domain::evidence::{Evidence, EvidenceKind};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::log::{LogLine, Reading, Stream};
use sentinel_core::domain::tool::is_read;

use crate::world::{Told, at, container, needing};

const SERVICES: [&str; 4] = ["api", "db", "gateway", "side"];

const KINDS: [AnomalyKind; 28] = [
    AnomalyKind::Death,
    AnomalyKind::CrashLoop,
    AnomalyKind::OomKill,
    AnomalyKind::Unhealthy,
    AnomalyKind::ConnectionRefused,
    AnomalyKind::FatalSignature,
    AnomalyKind::ErrorBurst,
    AnomalyKind::FoundDown,
    AnomalyKind::StartFailure,
    AnomalyKind::NewTemplate,
    AnomalyKind::RareReturn,
    AnomalyKind::TemplateBurst,
    AnomalyKind::SeverityShare,
    AnomalyKind::LogSilence,
    AnomalyKind::NumericDrift,
    AnomalyKind::NewValue,
    AnomalyKind::TemplateShare,
    AnomalyKind::MemoryNearLimit,
    AnomalyKind::MemoryGrowth,
    AnomalyKind::CpuSaturation,
    AnomalyKind::CpuThrottled,
    AnomalyKind::PidsNearLimit,
    AnomalyKind::FdsNearLimit,
    AnomalyKind::UsageShift,
    AnomalyKind::Paused,
    AnomalyKind::Flapping,
    AnomalyKind::RestartStorm,
    AnomalyKind::Surroundings,
];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Sees(AnomalyKind, Option<i64>),
    Says(FailureClass, Option<&'static str>),
    Dies(i64),
    State(RunState),
    Sick(i64),
    Image(u8),
    Setting(u8),
    Alone,
    Policy,
    Limit,
    Line(u8),
    Stopped,
}

fn step() -> impl Strategy<Value = Step> {
    let code = prop::sample::select(vec![0, 1, 126, 127, 134, 137, 139, 143]);
    let state = prop::sample::select(vec![
        RunState::Running,
        RunState::Paused,
        RunState::Restarting,
        RunState::Exited,
        RunState::Created,
    ]);
    let peer = prop::option::of(prop::sample::select(vec!["db", "api", "example.org"]));
    prop_oneof![
        4 => (prop::sample::select(KINDS.to_vec()), prop::option::of(code.clone()))
            .prop_map(|(kind, code)| Step::Sees(kind, code)),
        4 => (prop::sample::select(FailureClass::ALL.to_vec()), peer)
            .prop_map(|(class, peer)| Step::Says(class, peer)),
        2 => code.clone().prop_map(Step::Dies),
        1 => state.prop_map(Step::State),
        1 => code.prop_map(Step::Sick),
        1 => any::<u8>().prop_map(Step::Image),
        1 => any::<u8>().prop_map(Step::Setting),
        1 => Just(Step::Alone),
        1 => Just(Step::Policy),
        1 => Just(Step::Limit),
        1 => any::<u8>().prop_map(Step::Line),
        1 => Just(Step::Stopped),
    ]
}

fn happen(told: Told, who: &str, second: i64, step: &Step) -> Told {
    match step.clone() {
        Step::Sees(kind, exit_code) => {
            told.sees(who, kind, second, AnomalyDetail { exit_code, ..AnomalyDetail::default() })
        }
        Step::Says(class, peer) => told.says(who, class, peer, second),
        Step::Dies(code) => told.dies(who, code, second),
        Step::State(state) => told.becomes(who, second, |c| c.state = state),
        Step::Sick(exit_code) => told.becomes(who, second, |c| {
            c.health = Health::Unhealthy;
            c.probes = vec![Probe {
                exit_code,
                output: "no answer".to_owned(),
                ended_at: Some(at(second)),
                duration: Duration::from_millis(5),
            }];
        }),
        Step::Image(n) => told.becomes(who, second, |c| c.image = format!("shop:{n}")),
        Step::Setting(n) => told.becomes(who, second, |c| {
            if let Some(variable) = c.env.values_mut().next() {
                variable.hash = n.to_string();
                variable.value = Some(n.to_string());
            }
        }),
        Step::Alone => told.becomes(who, second, |c| c.networks.clear()),
        Step::Policy => told.becomes(who, second, |c| c.restart_policy = RestartPolicy::Always),
        Step::Limit => told.becomes(who, second, |c| c.memory_limit = Some(64 << 20)),
        Step::Line(n) => {
            let id = told.of(who).of.id;
            let mut told = told;
            if let Some(facts) = told.world.containers.get_mut(&id) {
                facts.heard(&LogLine {
                    container: id,
                    seq: u64::from(n),
                    at: at(second),
                    stream: Stream::Stdout,
                    text: format!("line {n}").into(),
                    reading: Reading::default(),
                    styles: None,
                    history: false,
                });
            }
            told
        }
        Step::Stopped => {
            let id = told.of(who).of.id;
            let mut told = told.becomes(who, second, |c| c.state = RunState::Exited);
            if let Some(facts) = told.world.containers.get_mut(&id) {
                facts.stopped_by_operator = Some(at(second));
            }
            told
        }
    }
}

fn shop() -> Told {
    let mut side = container("side");
    side.network_mode = format!("container:{}", container("api").of.id.0);
    let gateway = needing(container("gateway"), "api");
    Told::new(vec![container("db"), needing(container("api"), "db"), gateway, side])
}

/// What a piece of evidence stands for is there: the sign, the line, the field, the run of the
/// probe or the change that its id names.
fn resolves(told: &Told, signs: usize, piece: &Evidence) -> bool {
    let id = piece.id.0.as_str();
    let mut of = told.world.containers.values().filter(|f| f.container.of.name == piece.container);
    let Some(facts) = of.next() else { return false };
    let short = facts.container.of.id.short();
    let sign = id.strip_prefix('e').and_then(|n| n.parse::<usize>().ok());
    if let Some(sign) = sign {
        return sign < signs;
    }
    match piece.kind {
        EvidenceKind::Log => {
            piece.line.as_ref().is_some_and(|line| facts.tail.iter().any(|l| l.seq == line.seq))
        }
        EvidenceKind::Probe => {
            let ended = facts.container.probes.iter().any(|p| p.ended_at == Some(piece.ts));
            ended && id.starts_with(&format!("probe-{short}-"))
        }
        EvidenceKind::Inspect if id.starts_with("change-") => {
            let mut histories = told.world.histories.values();
            histories.any(|h| {
                h.changes.iter().any(|c| piece.excerpt.ends_with(&c.words()) && c.at == piece.ts)
            })
        }
        EvidenceKind::Inspect => id.starts_with(&format!("inspect-{short}-")),
        EvidenceKind::Event | EvidenceKind::Sample => false,
    }
}

fn check(told: &Told, signs: usize, diagnosis: &Diagnosis) -> Result<(), TestCaseError> {
    prop_assert!((0.1..=0.99).contains(&diagnosis.confidence));
    prop_assert!(!diagnosis.evidence.is_empty(), "no proof: {diagnosis:?}");
    let ids: BTreeSet<&str> = diagnosis.evidence.iter().map(|e| e.id.0.as_str()).collect();
    prop_assert_eq!(ids.len(), diagnosis.evidence.len(), "each piece once: {:?}", ids);
    for piece in &diagnosis.evidence {
        prop_assert!(!piece.excerpt.is_empty(), "{piece:?}");
        prop_assert!(resolves(told, signs, piece), "leads nowhere: {piece:?}");
    }
    prop_assert!(diagnosis.rejected.len() >= 2, "what else? {diagnosis:?}");
    for other in &diagnosis.rejected {
        prop_assert!(!other.why.is_empty() && other.class != FailureClass::Unknown);
        prop_assert!(
            (other.class, &other.root) != (diagnosis.class, &diagnosis.root),
            "the winner is no loser: {other:?}"
        );
    }
    if diagnosis.near_tie.is_some() {
        prop_assert!(diagnosis.plan.iter().all(|a| is_read(&a.call.tool)), "{diagnosis:?}");
        let rival = diagnosis.rejected.iter().map(|r| r.score).fold(0.0, f64::max);
        prop_assert!(rival > NEAR_TIE && diagnosis.advice.is_some());
    }
    let known = |name: &str| told.world.containers.values().any(|f| f.container.of.name == name);
    prop_assert!(known(&diagnosis.root));
    prop_assert!(diagnosis.affected.iter().all(|name| known(name) && *name != diagnosis.root));
    let affected: BTreeSet<_> = diagnosis.affected.iter().collect();
    prop_assert_eq!(affected.len(), diagnosis.affected.len(), "each of them once");
    for edge in &diagnosis.edges {
        prop_assert!(known(&edge.from) && known(&edge.to) && !edge.why.is_empty());
    }
    for action in &diagnosis.plan {
        let target = &told.world.containers[&action.target.id].container;
        // A pause, a stop: what runs is never started, what is down never restarted.
        match action.call.tool.as_str() {
            "start_container" => prop_assert!(!target.is_up(), "{diagnosis:?}"),
            "restart_container" => prop_assert!(target.is_up(), "{diagnosis:?}"),
            "unpause_container" => prop_assert_eq!(target.state, RunState::Paused),
            "update_env_vars" | "update_resources" | "connect_network" => {}
            other => prop_assert!(false, "{other} is in no plan of the rules"),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn an_answer_is_grounded_compared_and_careful(
        steps in prop::collection::vec((0..SERVICES.len(), -700_i64..60, step()), 1..12),
        subject in 0..SERVICES.len(),
    ) {
        let mut told = shop();
        let mut signs = 0;
        let mut steps = steps;
        steps.sort_by_key(|(_, second, _)| *second);
        for (who, second, step) in &steps {
            signs += usize::from(matches!(step, Step::Sees(..) | Step::Says(..) | Step::Dies(_)));
            told = happen(told, SERVICES[*who], *second, step);
        }
        // An incident has a sign of its own.
        told = told.sees(SERVICES[subject], AnomalyKind::UsageShift, 60, AnomalyDetail::default());
        let diagnosis = told.diagnosed(SERVICES[subject]);
        check(&told, signs + 1, &diagnosis)?;
    }
}
