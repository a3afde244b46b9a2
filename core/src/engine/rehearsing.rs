//! A dry run: what a staged plan would do now, who would decide, what would be verified.

use crate::domain::ids::FixId;
use crate::domain::rehearsal::{Rehearsal, plan_lines};
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};
use crate::policy::{Decision, decide};

impl Engine {
    /// Asks the shell to look, which answers the request itself: there are no words yet.
    pub(crate) fn rehearse(
        &mut self,
        request: u64,
        fix: &FixId,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let (id, plan) = self.staged_plan(fix)?;
        let Some(first) = plan.steps.first() else { return Err(format!("no fix {fix}")) };
        let now = turn.now;
        let neighbour = self.neighbour_changed(&first.target.id, now);
        let Some(decision) = self.judge(&id, neighbour.as_deref(), now, decide) else {
            return Err(format!("{} is gone", first.target.name));
        };
        let (words, reasons) = match decision {
            Decision::Allow => ("the policy would run it now, without a person", Vec::new()),
            Decision::NeedsApproval(reasons) => ("a person decides, because", reasons),
            Decision::Refuse(reasons) => ("nobody may run it here and now, because", reasons),
        };
        let hold = self.settings.verify_hold.as_secs();
        let rehearsal = Rehearsal {
            fix: fix.clone(),
            decision: words.to_owned(),
            reasons: reasons
                .into_iter()
                .map(|r| format!("{}: {}", r.code.as_str(), r.words))
                .collect(),
            steps: plan_lines(&plan),
            verified: vec![
                format!("{} runs with the same start for {hold} s", first.target.name),
                "its health check passes, if it has one".to_owned(),
                "the signals of the incident stay quiet, and errors are no more than before"
                    .to_owned(),
                "no container that depends on it is worse than before".to_owned(),
            ],
            risk: plan.risk(),
            sha256: plan.sha256.clone(),
        };
        turn.effects.push(Effect::Rehearse {
            request,
            plan: Box::new(plan),
            rehearsal: Box::new(rehearsal),
        });
        Ok(String::new())
    }
}
