//! What one diagnosis costs: fifty containers in five projects that need each other, a hundred
//! thousand lines gone by (the world keeps the last of each container), an incident with a death,
//! complaints of those behind it, and recent changes. Bound: 20 ms of processor time.

use std::error::Error;
use std::io::Write;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::score::learned::ServiceKey;
use sentinel_core::diagnose::world::{Facts, World};
use sentinel_core::diagnose::{Case, diagnose, topology};
use sentinel_core::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::{Attachment, Container, ContainerRef, RunState};
use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::{AnomalyId, ContainerId, EvidenceId};
use sentinel_core::domain::log::{Level, LogLine, Reading, Stream};
use sentinel_core::domain::setup::Variable;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::domain::spec::History;

#[path = "shared/cpu.rs"]
mod cpu;

const CONTAINERS: usize = 50;
const PROJECTS: usize = 5;
const LINES: u64 = 100_000;
/// Signs that an incident holds when it is loud.
const SIGNS: u32 = 60;
/// Nanoseconds of processor time that one diagnosis may take.
const BOUND: u64 = 20_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24) + SignedDuration::from_secs(seconds)
}

/// Each service needs the one before it in its project, the first is the store.
fn container(number: usize) -> Container {
    let (project, place) = (number % PROJECTS, number / PROJECTS);
    let of = ContainerRef {
        id: ContainerId(format!("{number:064x}")),
        name: format!("p{project}-s{place}-1"),
        service: format!("s{place}"),
        project: Some(format!("p{project}")),
    };
    let mut container = Container::plain(of);
    container.networks.push(Attachment {
        network: format!("p{project}_net"),
        aliases: vec![format!("s{place}")],
        address: format!("10.{project}.0.{place}"),
    });
    for other in 0..place {
        let host = format!("s{other}:80");
        let variable = Variable { hash: host.clone(), value: None, hosts: vec![host] };
        container.env.insert(format!("PEER_{other}"), variable);
    }
    container
}

fn world() -> World {
    let engine = EngineInfo { cpus: 4, memory: 8 << 30, ..EngineInfo::default() };
    let mut world = World { engine, ..World::default() };
    for number in 0..CONTAINERS {
        let mut container = container(number);
        let mut history = History::begin(&container);
        for release in 0..20 {
            container.image = format!("shop:{release}");
            history.see(&container, at(i64::from(release) * 60 - 1200));
        }
        if number == 0 {
            container.state = RunState::Exited;
            container.exit_code = 1;
            container.finished_at = Some(at(0));
        }
        world.histories.insert(ServiceKey::of(&container.of), history);
        world.containers.insert(container.of.id.clone(), Facts::new(container));
    }
    let text: Arc<str> = Arc::from("ERROR upstream p0-s0-1 refused the connection: try 3 of 5");
    for seq in 0..LINES {
        let id = ContainerId(format!("{:064x}", seq % CONTAINERS as u64));
        let Some(facts) = world.containers.get_mut(&id) else { continue };
        facts.heard(&LogLine {
            container: id,
            seq,
            at: at(0),
            stream: Stream::Stderr,
            text: Arc::clone(&text),
            reading: Reading { level: Some(Level::Error), ..Reading::default() },
            styles: None,
            history: false,
        });
    }
    world
}

fn signs(world: &World) -> Vec<Anomaly> {
    let family: Vec<ContainerRef> = world
        .containers
        .values()
        .map(|f| f.container.of.clone())
        .filter(|of| of.project.as_deref() == Some("p0"))
        .collect();
    let kinds =
        [AnomalyKind::ConnectionRefused, AnomalyKind::ErrorBurst, AnomalyKind::NumericDrift];
    (0_u32..SIGNS)
        .zip(family.iter().cycle())
        .map(|(n, of)| {
            let kind = if n == 0 { AnomalyKind::Death } else { kinds[n as usize % kinds.len()] };
            let refused = kind == AnomalyKind::ConnectionRefused;
            let evidence = Evidence {
                id: EvidenceId(format!("e{n}")),
                kind: EvidenceKind::Log,
                container: of.name.clone(),
                ts: at(i64::from(n)),
                excerpt: "ERROR upstream refused the connection".to_owned(),
                line: Some(LineAddress { container: of.id.clone(), seq: u64::from(n) }),
            };
            Anomaly {
                id: AnomalyId(format!("a{n}")),
                container: of.clone(),
                kind,
                severity: Severity::High,
                score: 0.9,
                summary: format!("{} is in trouble", of.name),
                observed_at: at(i64::from(n)),
                evidence: vec![evidence; 4],
                detail: AnomalyDetail {
                    exit_code: (n == 0).then_some(1),
                    class: refused.then_some(FailureClass::DependencyDown),
                    words: refused.then(|| "cannot reach a peer".to_owned()),
                    peer: refused.then(|| "s0".to_owned()),
                    ..AnomalyDetail::default()
                },
            }
        })
        .collect()
}

/// Calls `ask` with the case of the incident, seen from the last of those that suffer.
fn with_case<T>(ask: impl FnOnce(&Case<'_>) -> T) -> T {
    let world = world();
    let anomalies = signs(&world);
    let subject = container(CONTAINERS - PROJECTS).of;
    ask(&Case { subject: &subject, anomalies: &anomalies, world: &world, now: at(70) })
}

#[divan::bench(sample_count = 200)]
fn one_incident_of_fifty_containers(bencher: divan::Bencher<'_, '_>) {
    with_case(|case| bencher.bench_local(|| diagnose(case)));
}

/// What the screen shows of fifty containers, found anew when one of them is wired differently.
#[divan::bench(sample_count = 200)]
fn all_edges_of_fifty_containers(bencher: divan::Bencher<'_, '_>) {
    let world = world();
    bencher.bench_local(|| topology::all(&world));
}

/// The bound, checked in processor time: what others do on the machine does not count.
fn main() -> Result<(), Box<dyn Error>> {
    const TIMES: u64 = 20;
    let (answer, spent) = with_case(|case| {
        let answer = diagnose(case);
        let before = cpu::cpu();
        for _ in 0..TIMES {
            divan::black_box(diagnose(case));
        }
        (answer, before.zip(cpu::cpu()).map(|(before, after)| (after - before) / TIMES))
    });
    // A bench of the wrong answer would measure nothing.
    if (answer.class, answer.root.as_str()) != (FailureClass::DependencyDown, "p0-s0-1") {
        return Err(format!("diagnosed as {} of {}", answer.class, answer.root).into());
    }
    if let Some(each) = spent {
        let mut out = std::io::stdout().lock();
        writeln!(out, "one diagnosis: {:.2} ms of CPU (bound: 20 ms)", each as f64 / 1e6)?;
        if each > BOUND {
            return Err("a diagnosis takes longer than it may".into());
        }
    }
    divan::main();
    Ok(())
}
