//! A small world to ask about: containers, what was seen on them, what changed of them.

use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::score::learned::ServiceKey;
use sentinel_core::diagnose::world::{Facts, World};
use sentinel_core::diagnose::{Case, diagnose};
use sentinel_core::domain::anomaly::{Anomaly, AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::{Attachment, Container, ContainerRef};
use sentinel_core::domain::diagnosis::Diagnosis;
use sentinel_core::domain::evidence::{Evidence, EvidenceKind, LineAddress};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::{AnomalyId, ContainerId, EvidenceId};
use sentinel_core::domain::setup::Variable;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::domain::spec::History;

/// Seconds of the story's own clock.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24) + SignedDuration::from_secs(seconds)
}

/// A container of the project `shop` that has run since a day, on the network `shop_net`.
pub(crate) fn container(name: &str) -> Container {
    Container {
        image: format!("shop-{name}:1"),
        image_id: "sha256:1".to_owned(),
        created_at: Some(at(-86_000)),
        started_at: Some(at(-86_000)),
        started_at_raw: "then".to_owned(),
        networks: vec![Attachment {
            network: "shop_net".to_owned(),
            aliases: vec![name.to_owned()],
            address: String::new(),
        }],
        network_mode: "shop_net".to_owned(),
        ..Container::plain(ContainerRef {
            id: ContainerId(format!("{name:-<64}")),
            name: format!("shop-{name}-1"),
            service: name.to_owned(),
            project: Some("shop".to_owned()),
        })
    }
}

/// The same, naming another service in its settings.
pub(crate) fn needing(mut container: Container, host: &str) -> Container {
    let variable = Variable {
        hash: host.to_owned(),
        value: Some(host.to_owned()),
        hosts: vec![format!("{host}:80")],
    };
    container.env.insert(format!("{}_URL", host.to_uppercase()), variable);
    container
}

/// What was seen, and where.
pub(crate) struct Told {
    pub(crate) world: World,
    anomalies: Vec<Anomaly>,
}

impl Told {
    pub(crate) fn new(containers: Vec<Container>) -> Self {
        let mut world = World {
            engine: EngineInfo { cpus: 4, memory: 8 << 30, ..EngineInfo::default() },
            ..World::default()
        };
        for container in containers {
            let service = ServiceKey::of(&container.of);
            world.histories.insert(service, History::begin(&container));
            world.containers.insert(container.of.id.clone(), Facts::new(container));
        }
        Self { world, anomalies: Vec::new() }
    }

    pub(crate) fn of(&self, service: &str) -> Container {
        let mut all = self.world.containers.values();
        let found = all.find(|f| f.container.of.service == service);
        found.map_or_else(|| container(service), |f| (*f.container).clone())
    }

    /// Changes a container as an inspect would show it, and what is remembered of it.
    pub(crate) fn becomes(
        mut self,
        service: &str,
        seconds: i64,
        change: impl FnOnce(&mut Container),
    ) -> Self {
        let mut container = self.of(service);
        change(&mut container);
        let service = ServiceKey::of(&container.of);
        let history = self.world.histories.entry(service).or_default();
        history.see(&container, at(seconds));
        let id = container.of.id.clone();
        let fresh = || Facts::new(container.clone());
        self.world.containers.entry(id).or_insert_with(fresh).container = container.clone().into();
        self
    }

    pub(crate) fn sees(
        mut self,
        service: &str,
        kind: AnomalyKind,
        seconds: i64,
        detail: AnomalyDetail,
    ) -> Self {
        let of = self.of(service).of;
        let number = self.anomalies.len();
        let evidence = |kind, line| Evidence {
            id: EvidenceId(format!("e{number}")),
            kind,
            container: of.name.clone(),
            ts: at(seconds),
            excerpt: format!("sign {number} {}", detail.words.as_deref().unwrap_or_default()),
            line,
        };
        let piece = if detail.words.is_some() {
            let address = LineAddress { container: of.id.clone(), seq: 1 };
            evidence(EvidenceKind::Log, Some(address))
        } else {
            evidence(EvidenceKind::Event, None)
        };
        self.anomalies.push(Anomaly {
            id: AnomalyId(format!("a{number}")),
            container: of,
            kind,
            severity: Severity::High,
            score: 0.9,
            summary: format!("{service}: {kind:?}"),
            observed_at: at(seconds),
            evidence: vec![piece],
            detail,
        });
        self
    }

    pub(crate) fn dies(self, service: &str, code: i64, seconds: i64) -> Self {
        let detail = AnomalyDetail { exit_code: Some(code), ..AnomalyDetail::default() };
        self.becomes(service, seconds, |c| {
            c.state = sentinel_core::domain::container::RunState::Exited;
            c.exit_code = code;
            c.finished_at = Some(at(seconds));
        })
        .sees(service, AnomalyKind::Death, seconds, detail)
    }

    pub(crate) fn says(
        self,
        service: &str,
        class: FailureClass,
        peer: Option<&str>,
        seconds: i64,
    ) -> Self {
        let refused = class == FailureClass::DependencyDown && peer.is_some();
        let kind =
            if refused { AnomalyKind::ConnectionRefused } else { AnomalyKind::FatalSignature };
        let detail = AnomalyDetail {
            class: Some(class),
            words: Some(class.words()),
            signature: Some(class.as_str().to_owned()),
            peer: peer.map(str::to_owned),
            ..AnomalyDetail::default()
        };
        self.sees(service, kind, seconds, detail)
    }

    /// Diagnoses the incident of a service, ten seconds after the last sign.
    pub(crate) fn diagnosed(&self, service: &str) -> Diagnosis {
        let subject = self.of(service).of;
        let last = self.anomalies.iter().map(|a| a.observed_at).max().unwrap_or(at(0));
        let now = last + SignedDuration::from_secs(10);
        let case = Case { subject: &subject, anomalies: &self.anomalies, world: &self.world, now };
        let diagnosis = diagnose(&case);
        let again = diagnose(&case);
        assert_eq!(diagnosis, again, "the same question, the same answer");
        for piece in &diagnosis.evidence {
            assert!(!piece.id.0.is_empty() && !piece.excerpt.is_empty(), "{piece:?}");
            let known = self.anomalies.iter().flat_map(|a| &a.evidence).any(|e| e == piece);
            let of_inspect = matches!(piece.kind, EvidenceKind::Inspect | EvidenceKind::Probe);
            assert!(known || of_inspect || piece.line.is_some(), "from nowhere: {piece:?}");
            assert!(
                self.world.containers.values().any(|f| f.container.of.name == piece.container),
                "of nobody: {piece:?}"
            );
        }
        let mut ids: Vec<_> = diagnosis.evidence.iter().map(|e| &e.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), diagnosis.evidence.len(), "each piece once");
        diagnosis
    }
}

/// Names of the tools of a plan.
pub(crate) fn tools(diagnosis: &Diagnosis) -> Vec<&str> {
    diagnosis.plan.iter().map(|a| a.call.tool.as_str()).collect()
}
