//! What log lines alone can tell: a known signature, or a burst of errors. Text authorises no
//! action, so these classes have no plan; they say what a person should look at.

use jiff::SignedDuration;

use crate::diagnose::classes::said_in;
use crate::diagnose::{Case, Hypothesis, topology};
use crate::domain::anomaly::AnomalyKind;
use crate::domain::failure::FailureClass;

/// A line this close to a death names its reason.
const LAST_WORDS: SignedDuration = SignedDuration::from_secs(5);

pub(super) fn judge(case: &Case<'_>) -> Option<Hypothesis> {
    let name = &case.subject.name;
    let signature = case
        .anomalies
        .iter()
        .rev()
        .filter(|a| a.container.id == case.subject.id)
        .find_map(|a| Some((a, a.detail.class?, a.detail.words.as_deref()?)));
    let burst = case.own(AnomalyKind::ErrorBurst).last();
    if let Some((anomaly, class, words)) = signature {
        let peer = anomaly.detail.peer.as_deref().and_then(|p| p.split(',').next());
        let outside = peer.filter(|_| {
            case.facts().is_some_and(|f| topology::named(case.world, f, anomaly).is_empty())
        });
        let said = said_in(anomaly);
        let cause = match (peer, outside) {
            (_, Some(host)) => {
                format!("{name}: {words} ({host}, which is not a watched container){said}")
            }
            (Some(host), None) => format!("{name}: {words} ({host}){said}"),
            (None, None) => format!("{name}: {words}{said}"),
        };
        // Its last words before it died: it will die of the same again, so starting it is no fix.
        let dying = is_deterministic(class)
            && case.own(AnomalyKind::Death).last().is_some_and(|d| {
                let before = d.observed_at.duration_since(anomaly.observed_at);
                before.abs() <= LAST_WORDS
            });
        return Some(Hypothesis {
            class,
            root: case.subject.clone(),
            score: if dying { 0.88 } else { 0.7 },
            cause,
            evidence: anomaly
                .evidence
                .iter()
                .chain(burst.iter().flat_map(|b| &b.evidence))
                .cloned()
                .collect(),
            affected: Vec::new(),
            plan: Vec::new(),
            advice: Some(advice(class, name)),
        });
    }
    let burst = burst?;
    Some(Hypothesis {
        class: FailureClass::ErrorBurst,
        root: case.subject.clone(),
        score: 0.65,
        cause: format!("{}; {name} itself still runs", burst.summary),
        evidence: burst.evidence.clone(),
        affected: Vec::new(),
        plan: Vec::new(),
        advice: Some(format!("Read the error lines of {name}; what changed before they began?")),
    })
}

/// Failures that a new start meets again.
fn is_deterministic(class: FailureClass) -> bool {
    matches!(
        class,
        FailureClass::BadConfig
            | FailureClass::CredentialsRejected
            | FailureClass::PortConflict
            | FailureClass::DiskFull
            | FailureClass::ReadOnlyFs
            | FailureClass::PermissionDenied
            | FailureClass::StartFailure
            | FailureClass::TlsExpired
    )
}

fn advice(class: FailureClass, name: &str) -> String {
    match class {
        FailureClass::BadConfig => {
            format!("Set what the quoted line of {name} names, then recreate it.")
        }
        FailureClass::CredentialsRejected => {
            format!(
                "Compare the credentials of {name} with its peer's; a person has to change them."
            )
        }
        FailureClass::PortConflict => {
            "Find who holds the port and stop it, or change the port.".to_owned()
        }
        FailureClass::DiskFull => {
            "Free space on the named path; never prune volumes blindly.".to_owned()
        }
        FailureClass::DnsFailure => {
            format!("Check the host name in the settings of {name} and its networks.")
        }
        FailureClass::DependencyDown => "Check the peer that the line names.".to_owned(),
        _ => format!("Read the quoted lines of {name} and decide by hand."),
    }
}
