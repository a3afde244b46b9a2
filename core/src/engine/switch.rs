//! The kill switch, and the circuit breakers of the MCP servers.

use jiff::SignedDuration;

use crate::domain::audit::{AuditAction, AuditRecord};
use crate::domain::brakes::{Halt, KeptBrakes};
use crate::domain::event::Event;
use crate::domain::ids::{FixId, IncidentId};
use crate::domain::not_acting::NotActing;
use crate::domain::plan::Actor;
use crate::engine::effect::Effect;
use crate::engine::{Engine, Turn};

/// What stands for the incident in the record of the switch, which belongs to none.
const SWITCH: &str = "kill-switch";

impl Engine {
    /// The kill switch and the failing servers, as an earlier run left them.
    pub fn recall_brakes(&mut self, kept: KeptBrakes) {
        self.brakes.recall(kept);
    }

    /// Throws the kill switch: nothing is done without a person until it is released. What is
    /// under way is not cut off.
    pub(crate) fn halt(
        &mut self,
        reason: &str,
        by: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        let halt = Halt { since: turn.now, by: by.to_string(), reason: reason.to_owned() };
        if !self.brakes.switch(Some(halt.clone())) {
            return Err("the kill switch is on already".to_owned());
        }
        turn.emit(Event::HealingHalted { halt });
        self.record_switch(AuditAction::Halted, reason, by, turn);
        self.decide_anew(NotActing::Halted, turn);
        Ok("the kill switch is on: nothing is done without a person".to_owned())
    }

    /// Releases the kill switch: staged plans are decided about anew.
    pub(crate) fn resume(
        &mut self,
        reason: &str,
        by: &Actor,
        turn: &mut Turn,
    ) -> Result<String, String> {
        if !self.brakes.switch(None) {
            return Err("the kill switch is not on".to_owned());
        }
        turn.emit(Event::HealingResumed { by: by.to_string(), reason: reason.to_owned() });
        self.record_switch(AuditAction::Resumed, reason, by, turn);
        self.decide_anew(NotActing::Halted, turn);
        Ok(format!("the kill switch is off; the mode is {} again", self.settings.mode.as_str()))
    }

    fn record_switch(&self, action: AuditAction, reason: &str, by: &Actor, turn: &mut Turn) {
        turn.effects.push(Effect::SaveBrakes(Box::new(self.brakes.kept())));
        turn.effects.push(Effect::Audit(Box::new(AuditRecord {
            at: turn.now,
            actor: by.clone(),
            action,
            incident: IncidentId(SWITCH.to_owned()),
            fix: None,
            target: String::new(),
            target_id: String::new(),
            call: None,
            reason: reason.to_owned(),
            plan_sha256: None,
            result: None,
        })));
    }

    /// A call of a plan came back: what that says of the server that was called.
    pub(crate) fn server_answered(
        &mut self,
        id: &IncidentId,
        fix: &FixId,
        ok: bool,
        turn: &mut Turn,
    ) {
        let steps = self.incidents.get(id).and_then(|o| o.incident.plan.as_ref());
        let step = steps.and_then(|p| p.steps.iter().find(|s| &s.id == fix));
        let Some(tool) = step.map(|s| &s.call.tool) else { return };
        let Some(server) =
            self.world.tools.iter().find(|t| &t.name == tool).map(|t| t.server.clone())
        else {
            return;
        };
        let before = self.brakes.kept();
        let switched = self.brakes.answered(&server, ok, turn.now);
        let kept = self.brakes.kept();
        if switched && ok {
            turn.emit(Event::CircuitClosed { server: server.clone() });
        } else if switched {
            let circuit = kept.circuits.iter().find(|c| c.server == server);
            let failures = circuit.map_or(0, |c| c.failures);
            let until = turn.now
                + SignedDuration::min(self.settings.limits.circuit, SignedDuration::from_hours(24));
            turn.emit(Event::CircuitOpened { server, failures, until });
        }
        if kept != before {
            turn.effects.push(Effect::SaveBrakes(Box::new(kept)));
        }
    }
}
