//! What a stream of events is worth against what a case expects. Pure.

use serde::Serialize;
use serde_json::Value;

/// What is right for a case.
#[derive(Clone, Copy, Debug)]
pub struct Right {
    /// Any of these classes.
    pub classes: &'static [&'static str],
    /// The container at fault; empty: any of the case.
    pub root: &'static str,
    /// The first call, and on which container; `None`: nothing may be changed.
    pub fix: Option<(&'static str, &'static str)>,
    /// Whether it can be mended here (by itself, or once the call was approved).
    pub mends: bool,
    /// It must not be done without a person.
    pub never_alone: bool,
}

/// How a case went.
#[derive(Clone, Debug, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the table")]
pub struct Score {
    pub name: String,
    pub control: bool,
    pub detected: bool,
    pub seconds: Option<f64>,
    /// What the first anomaly was told as.
    pub sign: String,
    pub class: String,
    pub class_right: bool,
    pub root: String,
    pub root_right: bool,
    pub confidence: f64,
    pub grounded: bool,
    pub fix: String,
    pub fix_right: bool,
    pub resolved: bool,
    pub mends: bool,
    pub abstains: bool,
    pub regressions: usize,
    pub incidents: usize,
    /// Questions to a language model.
    pub asked: usize,
    /// Its opinions, and how many of them agree with the rules.
    pub opinions: usize,
    pub agreeing: usize,
    /// Steps staged on a model's word, and those that were done without a person.
    pub model_staged: usize,
    pub model_alone: usize,
    pub error: Option<String>,
}

fn of<'v>(events: &'v [Value], kind: &'v str) -> impl Iterator<Item = &'v Value> {
    events.iter().filter(move |e| e["type"] == kind)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Scores the events since `injected` (RFC 3339). `full` gives a container's whole name.
pub fn score(
    right: Option<&Right>,
    events: &[Value],
    injected: jiff::Timestamp,
    full: impl Fn(&str) -> String,
    grounded: impl Fn(&Value) -> bool,
) -> Score {
    let merged: Vec<&str> = of(events, "incident_merged").map(|e| text(&e["id"])).collect();
    let opened: Vec<&Value> = of(events, "incident_opened")
        .filter(|e| !merged.contains(&text(&e["incident"]["id"])))
        .collect();
    let mut score = Score { incidents: opened.len(), ..Score::default() };
    score_model(&mut score, events);
    let Some(right) = right else {
        score.control = true;
        return score;
    };
    score.mends = right.mends;
    score.abstains = right.fix.is_none();
    let root = full(right.root);
    let is = |name: &str, short: &str| {
        if short.is_empty() { name.starts_with(&root) } else { name == full(short) }
    };
    let names: Vec<&str> = opened.iter().map(|e| text(&e["incident"]["container"])).collect();
    let at = |e: &Value| text(&e["ts"]).parse::<jiff::Timestamp>().ok();
    let first = of(events, "anomaly").filter(|e| at(e) >= Some(injected)).find(|e| {
        let container = text(&e["anomaly"]["container"]);
        is(container, right.root) || names.contains(&container)
    });
    score.detected = first.is_some();
    score.sign = first.map_or_else(String::new, |e| text(&e["anomaly"]["kind"]).to_owned());
    score.seconds = first.and_then(at).map(|at| at.duration_since(injected).as_secs_f64().max(0.0));
    let kept: Vec<&Value> = of(events, "diagnosis_ready")
        .filter(|e| !merged.contains(&text(&e["incident_id"])))
        .collect();
    // What was known when something was done, or at the end.
    let acted = events.iter().position(|e| e["type"] == "fix_applying").unwrap_or(events.len());
    let before = |e: &&&Value| events.iter().position(|x| std::ptr::eq(x, **e)) < Some(acted);
    let last = kept.iter().rfind(before).or(kept.first());
    if let Some(diagnosis) = last.map(|e| &e["diagnosis"]) {
        text(&diagnosis["class"]).clone_into(&mut score.class);
        text(&diagnosis["root"]).clone_into(&mut score.root);
        score.confidence = diagnosis["confidence"].as_f64().unwrap_or_default();
        score.class_right = right.classes.contains(&score.class.as_str());
        score.root_right = is(&score.root, right.root);
        let evidence = diagnosis["evidence"].as_array().cloned().unwrap_or_default();
        score.grounded = !evidence.is_empty() && evidence.iter().all(grounded);
    }
    let staged = of(events, "fix_staged").next();
    score.fix = staged.map_or_else(String::new, |e| {
        format!("{} {}", text(&e["fix"]["tool"]), text(&e["fix"]["target"]))
    });
    score.fix_right = match (right.fix, score.fix.split_once(' ')) {
        (Some((tool, on)), Some((staged, target))) => tool == staged && is(target, on),
        (wanted, staged) => wanted.is_none() && staged.is_none(),
    };
    if right.never_alone && of(events, "fix_approved").any(|e| e["by"] == "policy") {
        score.fix_right = false;
    }
    score.resolved = of(events, "incident_resolved").next().is_some();
    score.regressions = of(events, "fix_undone").count();
    score
}

/// What a language model had a part in.
fn score_model(score: &mut Score, events: &[Value]) {
    let opinions = || of(events, "opinion_ready");
    score.opinions = opinions().count();
    score.agreeing = opinions().filter(|e| e["opinion"]["agreement"] == "agrees").count();
    let staged: Vec<&Value> =
        of(events, "fix_staged").filter(|e| e["fix"]["source"] == "model").collect();
    score.model_staged = staged.len();
    let alone =
        |e: &&Value| e["by"] == "policy" && staged.iter().any(|s| s["fix"]["id"] == e["fix_id"]);
    score.model_alone = of(events, "fix_approved").filter(alone).count();
}

/// The scoring itself, checked before anything is played: this target has no test harness.
pub mod check {
    use serde_json::{Value, json};

    use crate::score::{Right, Score, score};

    const RIGHT: Right = Right {
        classes: &["transient_crash"],
        root: "api",
        fix: Some(("start_container", "api")),
        mends: true,
        never_alone: false,
    };

    fn events() -> Vec<Value> {
        vec![
            json!({"type": "anomaly", "ts": "2026-11-24T03:15:02.500Z", "anomaly": {"container": "x-api"}}),
            json!({"type": "incident_opened", "incident": {"id": "I", "container": "x-api"}}),
            json!({"type": "diagnosis_ready", "incident_id": "I", "diagnosis": {"class": "transient_crash",
                "root": "x-api", "confidence": 0.8, "evidence": [{"id": "e"}]}}),
            json!({"type": "fix_staged", "fix": {"tool": "start_container", "target": "x-api"}}),
            json!({"type": "fix_approved", "by": "policy"}),
            json!({"type": "fix_applying"}),
            json!({"type": "incident_resolved", "incident": {"id": "I"}}),
        ]
    }

    fn scored(right: Option<&Right>, events: &[Value]) -> Score {
        let at = "2026-11-24T03:15:02Z".parse().unwrap_or_default();
        score(right, events, at, |name| format!("x-{name}"), |_| true)
    }

    /// Panics if the scoring is wrong.
    pub fn scoring() {
        a_case_that_went_right_is_right_in_every_column();
        each_wrong_thing_shows_in_its_column();
    }

    fn a_case_that_went_right_is_right_in_every_column() {
        let score = scored(Some(&RIGHT), &events());
        assert!(score.detected && score.class_right && score.root_right && score.grounded);
        assert!(score.fix_right && score.resolved);
        assert_eq!((score.incidents, score.regressions, score.seconds), (1, 0, Some(0.5)));
    }

    fn each_wrong_thing_shows_in_its_column() {
        let mut wrong = events();
        wrong[2]["diagnosis"]["class"] = json!("hang");
        wrong[3]["fix"]["tool"] = json!("restart_container");
        wrong.pop();
        let score = scored(Some(&RIGHT), &wrong);
        assert!(!score.class_right && !score.fix_right && !score.resolved && score.root_right);
        let alone = Right { never_alone: true, ..RIGHT };
        assert!(!scored(Some(&alone), &events()).fix_right, "done without a person");
        assert_eq!(scored(None, &events()).incidents, 1, "a control with an incident");
    }
}
