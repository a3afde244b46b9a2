//! What the detectors learned of each service's log: read when the engine is first reached, kept
//! from time to time and at the end.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use sentinel_core::consult::triage::Judged;
use sentinel_core::detect::score::learned::ServiceKey;
use sentinel_core::domain::brakes::KeptBrakes;
use sentinel_core::domain::past::{MAX_PAST, Past};
use sentinel_core::domain::quiet::Silence;
use sentinel_core::domain::snapshot::EngineInfo;
use sentinel_core::domain::spec::History;
use sentinel_core::session::input::Input;
use serde::Serialize;

use crate::ports::LearnedLog;
use crate::runtime::hands::Hands;
use crate::runtime::run::Loop;
use crate::runtime::storing::Job;

/// Makes everything due that came since it was last kept.
const LATER: SignedDuration = SignedDuration::from_hours(1);
/// How the key of a service's change memory begins; that of its log begins with the engine.
const SPECS: &str = "specs|";
/// How the key of an engine's kill switch and failing servers begins.
const BRAKES: &str = "brakes|";
/// How the key of what triage said on an engine begins.
const JUDGED: &str = "judged|";
/// How the key of an engine's silences begins.
const SILENCES: &str = "silences|";
/// Services kept at the end, at most; the store has older states of the rest.
const AT_THE_END: usize = 1000;

impl Loop {
    /// The engine is reached for the first time: what an earlier run learned of its services.
    pub(super) async fn recall_learned(&mut self, engine: &EngineInfo, now: Timestamp) {
        self.learned_of = Some(format!("{}/", engine.name));
        let lost = "the usual lines of all services are learned anew";
        for (key, service, content) in self.kept("", lost).await {
            let service = match serde_json::from_str::<ServiceKey>(&service) {
                Ok(service) => Cow::Owned(service),
                Err(error) => {
                    tracing::warn!("cannot read whose lines were learned: {error}");
                    continue;
                }
            };
            let learned = Input::Learned { service, content: content.into() };
            if let Err(error) = self.core.tell(learned, now) {
                tracing::warn!("{key}: {error}");
            }
        }
    }

    /// The engine is reached for the first time: how its services were configured.
    pub(super) async fn recall_histories(&mut self, now: Timestamp) {
        let lost = "changes before this start are not known";
        let mut histories = Vec::new();
        for (key, service, content) in self.kept(SPECS, lost).await {
            match (serde_json::from_str(&service), serde_json::from_str::<History>(&content)) {
                (Ok(service), Ok(history)) => histories.push((service, history)),
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!("{key}: {error}; its earlier changes are not known");
                }
            }
        }
        self.tell(Input::Histories(histories.into()), now);
    }

    /// The engine is reached for the first time: silences that still last.
    pub(super) async fn recall_silences(&mut self, now: Timestamp) {
        let lost = "silences of the last run are forgotten";
        for (key, rest, content) in self.kept(SILENCES, lost).await {
            // One engine's name may begin another one's.
            if !rest.is_empty() {
                continue;
            }
            match serde_json::from_str::<Vec<Silence>>(&content) {
                Ok(silences) => self.tell(Input::Silences(silences.into()), now),
                Err(error) => tracing::warn!("{key}: {error}; silences are forgotten"),
            }
        }
    }

    /// The engine is reached for the first time, or its keeper has ended: the kill switch, and
    /// servers that fail.
    pub(super) async fn recall_brakes(&mut self, now: Timestamp) {
        let lost = "a kill switch of the last run is not known: throw it again if it shall be on";
        for (key, rest, content) in self.kept(BRAKES, lost).await {
            if !rest.is_empty() {
                continue;
            }
            match serde_json::from_str::<KeptBrakes>(&content) {
                Ok(kept) => self.tell(Input::Brakes(Cow::Owned(kept)), now),
                Err(error) => tracing::warn!("{key}: {error}; {lost}"),
            }
        }
    }

    /// The engine is reached for the first time: what triage said of kinds of lines.
    pub(super) async fn recall_judged(&mut self, now: Timestamp) {
        let lost = "kinds of lines are judged anew";
        for (key, rest, content) in self.kept(JUDGED, lost).await {
            if !rest.is_empty() {
                continue;
            }
            match serde_json::from_str::<Vec<Judged>>(&content) {
                Ok(judged) => self.tell(Input::Judged(judged.into()), now),
                Err(error) => tracing::warn!("{key}: {error}; {lost}"),
            }
        }
    }

    /// Keeps what triage said.
    pub(super) async fn keep_judged(&self, judged: &[Judged], hands: &Hands) {
        self.keep_json(JUDGED, "", judged, hands).await;
    }

    /// The engine is reached for the first time, or its keeper has ended: what became of incidents
    /// that the engine does not hold any more.
    pub(super) async fn recall_past(&mut self, now: Timestamp) {
        match self.store.load(MAX_PAST).await {
            Ok(earlier) => {
                let past: Vec<Past> = earlier.iter().filter_map(Past::of).collect();
                self.tell(Input::Past(past.into()), now);
            }
            Err(error) => tracing::warn!("{error}; what helped in past incidents is not known"),
        }
    }

    /// Keeps the kill switch and what is known of failing servers.
    pub(super) async fn keep_brakes(&self, kept: &KeptBrakes, hands: &Hands) {
        self.keep_json(BRAKES, "", kept, hands).await;
    }

    /// What the store has of one kind for this engine: each key, what of it is behind kind and
    /// engine, and the content. Where it cannot be read, that is told, and what it means.
    async fn kept(&self, kind: &str, lost: &str) -> Vec<(String, String, String)> {
        let prefix = format!("{kind}{}", self.learned_of.as_deref().unwrap_or_default());
        match self.store.load_learned(prefix.clone()).await {
            Ok(kept) => kept
                .into_iter()
                .map(|LearnedLog { key, content }| {
                    let rest = key.strip_prefix(&prefix).unwrap_or(&key).to_owned();
                    (key, rest, content)
                })
                .collect(),
            Err(error) => {
                tracing::warn!("{error}; {lost}");
                Vec::new()
            }
        }
    }

    /// Keeps how a service was configured.
    pub(super) async fn keep_history(&self, of: &ServiceKey, history: &History, hands: &Hands) {
        match serde_json::to_string(of) {
            Ok(service) => self.keep_json(SPECS, &service, history, hands).await,
            Err(error) => {
                tracing::warn!("the changes of {} cannot be kept: {error}", of.service);
            }
        }
    }

    /// Keeps the silences that are in force.
    pub(super) async fn keep_silences(&self, silences: &[Silence], hands: &Hands) {
        self.keep_json(SILENCES, "", silences, hands).await;
    }

    /// Keeps a value of one kind for this engine, as JSON.
    async fn keep_json<T: Serialize + ?Sized>(
        &self,
        kind: &str,
        of: &str,
        value: &T,
        hands: &Hands,
    ) {
        let Some(engine) = &self.learned_of else { return };
        let key = format!("{kind}{engine}{of}");
        match serde_json::to_string(value) {
            Ok(content) => hands.queue(Job::Kept(LearnedLog { key, content })).await,
            Err(error) => tracing::warn!("{key} cannot be kept: {error}"),
        }
    }

    /// Keeps what was learned of the service that waits longest for it, if one is due.
    pub(super) async fn keep_learned(&mut self, now: Timestamp, hands: &Hands) -> bool {
        let Some(prefix) = &self.learned_of else { return false };
        let Some((service, learned)) = self.core.due_learned(now) else { return false };
        match serde_json::to_string(&service) {
            Ok(service) => {
                let key = format!("{prefix}{service}");
                let job = Job::Learned { key, learned: Box::new(learned) };
                hands.queue(job).await;
            }
            Err(error) => tracing::warn!("cannot keep what was learned: {error}"),
        }
        true
    }

    /// Keeps what was learned of all services since it was last kept.
    pub(super) async fn keep_all_learned(&mut self, hands: &Hands) {
        let later = Timestamp::now() + LATER;
        for _ in 0..AT_THE_END {
            if !self.keep_learned(later, hands).await {
                return;
            }
        }
    }
}
