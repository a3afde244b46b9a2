//! Sentences of the rules without the values of variables that they name.
//!
//! A person reads `env PEER_URL http://data:9000 → (missing)`; a language model is told that
//! `PEER_URL` was removed. The rules compose such sentences from [`SpecChange::words`] and from the
//! settings of a call, so these very pieces are looked up and put into other words.

use serde_json::Value;

use crate::domain::incident::Incident;
use crate::domain::plan::Fix;
use crate::domain::spec::{SpecChange, SpecField};

/// Pieces of sentences that name values, with what stands in their place.
#[derive(Clone, Debug, Default)]
pub struct Unvalued(Vec<(String, String)>);

impl Unvalued {
    /// Those of an incident, its plans and the changes that are known beside them.
    pub fn of<'a>(
        incident: Option<&Incident>,
        changes: impl IntoIterator<Item = &'a SpecChange>,
    ) -> Self {
        let env = changes.into_iter().filter(|c| c.field == SpecField::Env);
        let mut pieces: Vec<_> = env.map(|c| (c.words(), c.without_values())).collect();
        let told = incident.and_then(|i| i.diagnosis.as_ref());
        pieces.extend(told.iter().flat_map(|d| &d.recent_changes).filter_map(|words| {
            let head = format!("{} ", SpecField::Env.words());
            let (name, _) = words.strip_prefix(&head)?.split_once(' ')?;
            Some((words.clone(), format!("variable {name} was changed")))
        }));
        let plans = incident.into_iter().flat_map(|i| i.plan.iter().chain(&i.earlier_plans));
        for step in plans.flat_map(|p| &p.steps) {
            pieces.extend(settings(step));
        }
        // What a diagnosis that was not staged would set.
        let meant = told.iter().flat_map(|d| &d.plan);
        pieces.extend(meant.flat_map(|a| of_arguments(a.call.arguments.get("env_updates"))));
        // A piece may be part of a longer one.
        pieces.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        pieces.dedup();
        Self(pieces)
    }

    /// A sentence without them.
    pub fn text(&self, sentence: &str) -> String {
        let mut text = sentence.to_owned();
        for (piece, instead) in &self.0 {
            if text.contains(piece.as_str()) {
                text = text.replace(piece.as_str(), instead);
            }
        }
        text
    }
}

fn settings(step: &Fix) -> Vec<(String, String)> {
    of_arguments(step.call.arguments.get("env_updates"))
}

/// `KEY=value`, as the `docker` line of a call names what it sets.
fn of_arguments(updates: Option<&Value>) -> Vec<(String, String)> {
    let updates = updates.and_then(Value::as_object).into_iter().flatten();
    let set = updates.filter_map(|(key, value)| Some((key, value.as_str()?)));
    set.map(|(key, value)| (format!("{key}={value}"), format!("{key} as before"))).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn change(name: &str, old: Option<&str>, new: Option<&str>) -> SpecChange {
        SpecChange {
            at: Timestamp::UNIX_EPOCH,
            container: "c1".into(),
            field: SpecField::Env,
            name: name.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        }
    }

    #[test]
    fn a_sentence_names_the_variable_and_no_value() {
        let changes = [
            change("PEER_URL", Some("http://data:9000"), None),
            change("MODE", Some("fast; and → loose"), Some("slow")),
        ];
        let words: Vec<String> = changes.iter().map(SpecChange::words).collect();
        let sentence = format!("api dies since it was changed 4 s before: {}", words.join("; "));
        assert_eq!(
            Unvalued::of(None, &changes).text(&sentence),
            "api dies since it was changed 4 s before: variable PEER_URL was removed; \
             variable MODE was changed"
        );
    }

    #[test]
    fn a_piece_within_a_longer_one_does_not_spoil_it() {
        let changes = [change("A", Some("x"), Some("y")), change("A", Some("x"), Some("y z"))];
        let text = Unvalued::of(None, &changes).text("env A x → y z, env A x → y");
        assert_eq!(text, "variable A was changed, variable A was changed");
    }

    #[test]
    fn what_is_no_variable_stays() {
        let mut other = change("", Some("api:1"), Some("api:2"));
        other.field = SpecField::Image;
        assert_eq!(Unvalued::of(None, [&other]).text(&other.words()), "image api:1 → api:2");
    }
}
