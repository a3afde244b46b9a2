//! A person changes the arguments of a staged plan: a new plan comes of it, for a person to approve.

use serde_json::{Map, Value};

use crate::diagnose::amend::{self, Room};
use crate::diagnose::compose;
use crate::domain::audit::AuditAction;
use crate::domain::diagnosis::Source;
use crate::domain::event::Event;
use crate::domain::ids::{ContainerId, FixId, IncidentId};
use crate::domain::incident::ApproveError;
use crate::domain::plan::{Actor, Fix, FixState, Plan, Risk};
use crate::engine::diagnosing::MAX_PLANS;
use crate::engine::effect::Effect;
use crate::engine::records::{record, word};
use crate::engine::{Engine, Turn};
use crate::policy::risk;

impl Engine {
    /// The staged plan of a fix, if it is the one with this hash.
    pub(crate) fn seen_plan(
        &mut self,
        (fix, sha256): (&FixId, &str),
        turn: &mut Turn,
    ) -> Result<(IncidentId, Plan), String> {
        let id = self.incident_of_fix(fix)?;
        self.expire(&id, turn);
        let plan = self.still_staged(&id, fix)?;
        if plan.sha256 != sha256 || plan.digest() != plan.sha256 {
            return Err(ApproveError::HashMismatch.to_string());
        }
        Ok((id, plan))
    }

    pub(crate) fn edit_request(
        &mut self,
        seen: (&FixId, &str),
        arguments: &Map<String, Value>,
        actor: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let (id, mut plan) = self.seen_plan(seen, turn)?;
        if self.incidents.get(&id).is_none_or(|o| o.incident.plans >= MAX_PLANS) {
            return Err(format!("{MAX_PLANS} plans were made for this incident; decide about one"));
        }
        let Some(step) = plan.steps.iter_mut().find(|s| &s.id == seen.0) else {
            return Err(format!("no fix {}", seen.0));
        };
        let changes = self.amend(step, arguments)?;
        plan.source = Source::Person;
        let number = seen.0.clone();
        self.end_snooze(&id, "the plan was edited", actor, turn);
        let why = format!("{actor} edited step {}: {changes}", step.step);
        self.note(&id, actor.clone(), why.clone(), turn);
        self.restage(&id, plan, &why, actor, turn);
        let Some(plan) = self.incidents.get(&id).and_then(|o| o.incident.plan.clone()) else {
            return Err(format!("no fix {number}"));
        };
        let place = seen.0.as_str().rsplit('.').next().unwrap_or_default().to_owned();
        let step = plan.steps.iter().find(|s| s.step.to_string() == place);
        if let Some(step) = step {
            turn.emit(Event::FixEdited(word(&id, step, actor, Some(changes.clone()))));
            let mut edited = record(AuditAction::Edited, actor.clone(), &id, &plan, step, turn.now);
            edited.reason.clone_from(&why);
            turn.effects.push(Effect::Audit(Box::new(edited)));
        }
        Ok(format!("edited: {changes}; the new plan waits for approval ({})", plan.risk()))
    }

    /// Gives a step other arguments, with all that follows from them; what changed comes back.
    fn amend(&self, step: &mut Fix, arguments: &Map<String, Value>) -> Result<String, String> {
        let Some(facts) = self.world.containers.get(&step.target.id) else {
            return Err(format!("{} is gone", step.target.name));
        };
        let container = facts.container.as_ref();
        let room = self.room(&step.target.id);
        let action = amend::amended(step, arguments, container, &room).map_err(|mistakes| {
            let each = mistakes.iter().map(|m| format!("{}: {}", m.path, m.words));
            each.collect::<Vec<_>>().join("; ")
        })?;
        let changes = amend::changes(&step.call.arguments, &action.call.arguments);
        if changes.is_empty() {
            return Err("nothing was changed".to_owned());
        }
        let tool = self.world.tools.iter().find(|t| t.name == action.call.tool);
        let own = risk::of(&action.call, Some(container), tool);
        let risk = self.settings.rules.raised(&action.call.tool, own);
        if risk == Risk::R4 {
            return Err("it could lose data, or the configuration rules it out (R4)".to_owned());
        }
        *step = Fix {
            id: step.id.clone(),
            step: step.step,
            compose_patch: compose::patch(&action.call, container),
            call: action.call,
            target: step.target.clone(),
            risk,
            reason: action.reason,
            diff: action.diff,
            docker_line: action.docker_line,
            downtime: action.downtime,
            inverse: action.inverse,
            state: FixState::Staged,
            result: None,
            progress: None,
            replaced_by: None,
        };
        Ok(changes)
    }

    /// What the host has room for.
    fn room(&self, target: &ContainerId) -> Room {
        let usage = self.world.containers.get(target).and_then(|f| f.usage.as_ref());
        Room {
            memory: self.world.unclaimed_memory(),
            cpus: self.world.engine.cpus,
            used: usage.map(|u| u.mem_used),
        }
    }
}
