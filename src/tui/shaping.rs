//! Dialogs in which a plan gets another shape: other arguments, another time, a grant; and what it
//! would do now. Each holds the plan that it shows; only that one is changed.

use std::sync::Arc;

use sentinel_core::diagnose::amend::{self, Field, Mistake, Room};
use sentinel_core::domain::command::Command;
use sentinel_core::domain::diagnosis::Action;
use sentinel_core::domain::grant::{LONGEST, MAX_RISK, MOST_USES, SHORTEST};
use sentinel_core::domain::ids::FixId;
use sentinel_core::domain::plan::{Fix, Plan};
use sentinel_core::domain::snapshot::{ContainerView, Snapshot};
use sentinel_core::domain::snooze::CHOICES;
use serde_json::{Map, Value};
use tui_textarea::TextArea;

use crate::cli;
use crate::tui::field::{one_line, typed};
use crate::tui::schema;

/// An argument that is being typed.
#[derive(Clone, Debug)]
pub struct Edited {
    /// Which.
    pub field: Field,
    /// What stands there.
    pub typed: TextArea<'static>,
}

/// Arguments in the making.
#[derive(Clone, Debug)]
pub struct Editing {
    /// The plan as shown.
    pub plan: Plan,
    /// The step that is changed, from 0.
    pub step: usize,
    /// What may be changed of it.
    pub fields: Vec<Edited>,
    /// The field with the focus.
    pub cursor: usize,
    /// Why nothing can be changed any more.
    pub void: Option<String>,
}

impl Editing {
    /// The arguments of a step of a plan, as they are. `None` if its target is gone.
    pub fn of(snapshot: &Snapshot, plan: Plan, step: usize) -> Option<Self> {
        let fix = plan.steps.get(step)?;
        let container = Arc::clone(&view(snapshot, fix)?.container);
        let room = Room::of(snapshot, &fix.target.id);
        let fields = amend::fields(fix, &container, &room)
            .into_iter()
            .map(|field| {
                let mut typed = one_line();
                typed.insert_str(&field.value);
                Edited { field, typed }
            })
            .collect();
        Some(Self { plan, step, fields, cursor: 0, void: None })
    }

    /// The step.
    pub fn fix(&self) -> Option<&Fix> {
        self.plan.steps.get(self.step)
    }

    /// All arguments of the call as they stand.
    pub fn arguments(&self) -> Map<String, Value> {
        let texts: Vec<(String, String)> =
            self.fields.iter().map(|e| (e.field.path.clone(), typed(&e.typed))).collect();
        let pairs = texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        self.fix().map_or_else(Map::new, |fix| amend::with(fix, pairs))
    }

    /// What comes of it, or every mistake: by the tool's schema, and by our own bounds.
    pub fn outcome(&self, snapshot: &Snapshot) -> Result<Action, Vec<Mistake>> {
        let gone = || vec![Mistake { path: String::new(), words: "its target is gone".to_owned() }];
        let Some(fix) = self.fix() else { return Err(gone()) };
        let Some(view) = view(snapshot, fix) else { return Err(gone()) };
        let room = Room::of(snapshot, &fix.target.id);
        let arguments = self.arguments();
        let tool = snapshot.tools.iter().find(|t| t.name == fix.call.tool);
        let by_schema = tool.map(|t| schema::mistakes(t, &arguments)).unwrap_or_default();
        match amend::amended(fix, &arguments, &view.container, &room) {
            Ok(action) if by_schema.is_empty() => Ok(action),
            Ok(_) => Err(by_schema),
            // Our own words say what is possible; the schema's are for what they do not name.
            Err(mut own) => {
                own.extend(by_schema.into_iter().filter(|m| !m.path.is_empty()));
                let mut seen = std::collections::BTreeSet::new();
                own.retain(|m| seen.insert(m.path.clone()));
                Err(own)
            }
        }
    }

    /// What is asked of the engine, if there is no mistake and something differs.
    pub fn command(&self, snapshot: &Snapshot) -> Option<Command> {
        let fix = self.fix()?;
        let action = self.outcome(snapshot).ok()?;
        let differs = action.call.arguments != fix.call.arguments;
        differs.then(|| Command::Edit {
            fix: fix.id.clone(),
            sha256: self.plan.sha256.clone(),
            arguments: self.arguments(),
        })
    }
}

/// A snooze in the making.
#[derive(Clone, Debug)]
pub struct Snoozing {
    /// A step of the plan.
    pub fix: FixId,
    /// What is put off, in words.
    pub about: String,
    /// It is put off already: the last choice ends that.
    pub runs: bool,
    /// The current choice.
    pub cursor: usize,
}

impl Snoozing {
    /// What there is to choose: the seconds, and the words.
    pub fn choices(&self) -> Vec<(u64, String)> {
        let mut list: Vec<(u64, String)> =
            CHOICES.iter().map(|s| (*s, format!("for {} minutes", s / 60))).collect();
        if self.runs {
            list.push((0, "not any more: check it again now".to_owned()));
        }
        list
    }
}

/// A grant in the making.
#[derive(Clone, Debug)]
pub struct Granting {
    /// The plan as shown: it is the scope.
    pub plan: Plan,
    /// For how long.
    pub duration: TextArea<'static>,
    /// For how many plans.
    pub uses: TextArea<'static>,
    /// The second field has the focus.
    pub in_uses: bool,
    /// Why nothing can be granted any more.
    pub void: Option<String>,
}

impl Granting {
    /// A grant of an hour and two plans like this one.
    pub fn of(plan: Plan) -> Self {
        let (mut duration, mut uses) = (one_line(), one_line());
        duration.insert_str("1h");
        uses.insert_str("2");
        Self { plan, duration, uses, in_uses: false, void: None }
    }

    /// Why plans like this one are never allowed beforehand.
    pub fn refusal(plan: &Plan) -> Option<String> {
        if plan.risk() > MAX_RISK {
            return Some(format!(
                "What {} ({}) is approved each time.",
                plan.risk().words(),
                plan.risk()
            ));
        }
        let own = plan.is_from_model() || plan.is_edited();
        own.then(|| "Only what the rules propose can be allowed beforehand.".to_owned())
    }

    /// The field with the focus.
    pub fn field(&mut self) -> &mut TextArea<'static> {
        if self.in_uses { &mut self.uses } else { &mut self.duration }
    }

    /// For how many seconds, or why not.
    pub fn seconds(&self) -> Result<u64, String> {
        let asked = cli::duration(typed(&self.duration).trim())
            .map_err(|_| "no time: try 30m, 1h".to_owned())?;
        let within = (SHORTEST..=LONGEST).contains(&asked.as_secs());
        within.then_some(asked.as_secs()).ok_or_else(|| "one minute to one day".to_owned())
    }

    /// For how many plans, or why not.
    pub fn count(&self) -> Result<u32, String> {
        let asked: u32 = typed(&self.uses).trim().parse().map_err(|_| "a number".to_owned())?;
        let within = (1..=MOST_USES).contains(&asked);
        within.then_some(asked).ok_or_else(|| format!("1 to {MOST_USES}"))
    }

    /// What is asked of the engine, if there is no mistake.
    pub fn command(&self) -> Option<Command> {
        let (seconds, uses) = (self.seconds().ok()?, self.count().ok()?);
        let fix = self.plan.steps.first()?.id.clone();
        Some(Command::Grant { fix, sha256: self.plan.sha256.clone(), seconds, uses })
    }
}

/// A dry run that was asked for.
#[derive(Clone, Debug)]
pub struct Rehearsing {
    /// A step of the plan.
    pub fix: FixId,
    /// What came of it, once it is there.
    pub outcome: Option<Result<String, String>>,
    /// First line in view.
    pub scroll: usize,
}

/// The target of a step, if it is still there.
fn view<'s>(snapshot: &'s Snapshot, fix: &Fix) -> Option<&'s ContainerView> {
    snapshot.containers.iter().find(|v| v.container.of.id == fix.target.id)
}
