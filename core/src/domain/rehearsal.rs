//! What a plan would do now: a dry run, as text for a person.

use serde_json::Value;

use crate::domain::ids::FixId;
use crate::domain::plan::{Fix, Plan, Risk};

/// What is known of a plan that is not run.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsal {
    /// Its first step.
    pub fix: FixId,
    /// What the policy would decide now.
    pub decision: String,
    /// Why, as `code: words`.
    pub reasons: Vec<String>,
    /// Each step in lines.
    pub steps: Vec<Vec<String>>,
    /// What would have to hold after it.
    pub verified: Vec<String>,
    /// How much it can hurt.
    pub risk: Risk,
    /// The hash of the plan.
    pub sha256: String,
}

impl Rehearsal {
    /// The whole of it, with what was found by looking at the target and the tools now: `problem`
    /// says why nothing could be called.
    pub fn text(&self, problem: Option<&str>) -> String {
        let mut lines = vec![format!("Dry run of {}: nothing was changed.", self.fix)];
        let mut section = |title: &str, body: Vec<String>| {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(body.into_iter().map(|line| format!("  {line}")));
        };
        section(
            "Now",
            vec![match problem {
                None => "its preconditions hold, and each tool takes its call".to_owned(),
                Some(why) => format!("it would not run: {why}"),
            }],
        );
        let mut decision = vec![self.decision.clone()];
        decision.extend(self.reasons.iter().cloned());
        section("Who decides", decision);
        let many = self.steps.len() > 1;
        for (number, step) in (1..).zip(&self.steps) {
            let title = if many { format!("Step {number}") } else { "The call".to_owned() };
            section(&title, step.clone());
        }
        section("Verified afterwards", self.verified.clone());
        section("Plan", vec![format!("{} {}", self.risk, self.risk.words()), self.sha256.clone()]);
        lines.join("\n")
    }
}

/// What a step does, in lines: the call, what it changes, what takes it back.
pub fn step_lines(step: &Fix) -> Vec<String> {
    let mut lines =
        vec![format!("{} on {} ({})", step.call.tool, step.target.name, step.target.id)];
    for (key, value) in &step.call.arguments {
        lines.push(format!("{key} = {}", shown(value)));
    }
    lines.push(format!("changes: {}", step.diff));
    lines.push(format!("same as: $ {}", step.docker_line));
    lines.push(format!("downtime: {}", step.downtime));
    lines.push(match &step.inverse {
        Some(call) => format!("undo: {}", call.tool),
        None => "undo: impossible, it cannot be taken back".to_owned(),
    });
    lines
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The steps of a plan in lines.
pub fn plan_lines(plan: &Plan) -> Vec<Vec<String>> {
    plan.steps.iter().map(step_lines).collect()
}
