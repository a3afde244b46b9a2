//! A plan, or its inverse, step by step: everything is checked before the first call, the first
//! failure ends it, nothing is called twice.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rmcp::model::ProgressNotificationParam;
use sentinel_core::domain::ids::{ContainerId, FixId, IncidentId};
use sentinel_core::domain::plan::{Fix, FixState, Plan};
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::ports::Monitor;
use crate::remediate::calling::{self, News};
use crate::remediate::carry::Carry;
use crate::remediate::directory::{Absent, Directory};
use crate::remediate::leave::{Asking, Leave};
use crate::remediate::staleness;
use crate::remediate::timeouts::Timeouts;

/// What calls need.
pub(crate) struct Caller<'a> {
    /// Who offers what.
    pub(crate) directory: &'a Directory,
    /// Bounds.
    pub(crate) timeouts: Timeouts,
    /// Whose leave it takes to act.
    pub(crate) asking: Asking<'a>,
}

/// Why a call was not sent.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// Its tool is not there, now.
    Absent(String),
    /// Its arguments are not what the tool takes.
    Refused(String),
}

impl NotSent {
    pub(crate) fn into_message(self) -> String {
        match self {
            Self::Absent(why) | Self::Refused(why) => why,
        }
    }
}

impl Caller<'_> {
    /// Whether a call could be sent as it stands.
    pub(crate) async fn check(&self, call: &ToolCall) -> Result<(), NotSent> {
        self.ready(call).await.map(|_| ())
    }

    async fn ready(&self, call: &ToolCall) -> Result<calling::Link, NotSent> {
        let tool = &call.tool;
        let (offer, link) =
            self.directory.find(tool, self.timeouts.patience).await.map_err(|absent| {
                NotSent::Absent(match absent {
                    Absent::Unknown => format!("no MCP server offers the tool {tool}"),
                    Absent::Down(why) => {
                        format!("the MCP server that offers {tool} is not connected: {why}")
                    }
                })
            })?;
        offer.check(&call.arguments).map_err(|why| {
            NotSent::Refused(format!("the arguments of {tool} do not fit its schema: {why}"))
        })?;
        Ok(link)
    }

    /// Checks a call and sends it.
    pub(crate) async fn call(
        &self,
        call: &ToolCall,
        news: Option<News>,
    ) -> Result<(ToolResult, Value), NotSent> {
        let link = self.ready(call).await?;
        tracing::info!("calling {} on an MCP server", call.tool);
        Ok(calling::call(&link, call, self.timeouts, news).await)
    }

    /// Whether a plan could run as it stands. Makes all checks of a run, and no call.
    pub(crate) async fn rehearse(&self, plan: &Plan, monitor: &dyn Monitor) -> Result<(), String> {
        for step in &plan.steps {
            self.check(&step.call).await.map_err(NotSent::into_message)?;
        }
        staleness::check(plan, monitor).await
    }

    /// Runs an approved plan; returns what its steps changed.
    pub(crate) async fn plan(
        &self,
        plan: &Plan,
        monitor: &dyn Monitor,
        out: &mpsc::Sender<Signal>,
    ) -> Carry {
        let incident = &plan.incident;
        let mut carry = Carry::default();
        for step in &plan.steps {
            match self.check(&step.call).await {
                Ok(()) => {}
                // The tool may be back by the time that it is planned again.
                Err(NotSent::Absent(why)) => {
                    tell(out, Signal::PlanStale { incident: incident.clone(), why }).await;
                    return carry;
                }
                // Planned again it would be refused again: a person has to look at it.
                Err(NotSent::Refused(why)) => {
                    if let Some(first) = plan.steps.first() {
                        let message = format!("nothing was called: step {}: {why}", step.step);
                        tell(out, done(plan, first, not_called(message), None, Timestamp::now()))
                            .await;
                    }
                    let signal = Signal::PlanDone { incident: incident.clone(), ok: false };
                    tell(out, signal).await;
                    return carry;
                }
            }
        }
        let leave = match self.asking.take(plan).await {
            Ok(leave) => leave,
            Err(why) => {
                tell(out, Signal::PlanStale { incident: incident.clone(), why }).await;
                return carry;
            }
        };
        // Last, so that as little as possible can change between this look and the first call; with
        // the lease, so that what another instance did is seen.
        let mut ready = staleness::check(plan, monitor).await;
        if ready.is_ok() {
            ready = leave.check().await;
        }
        if let Err(why) = ready {
            leave.end(false).await;
            tell(out, Signal::PlanStale { incident: incident.clone(), why }).await;
            return carry;
        }
        let ok = self.steps(plan, monitor, out, &leave, &mut carry).await;
        // First the word, so that nobody waits for it; then others may look again.
        tell(out, Signal::PlanDone { incident: incident.clone(), ok }).await;
        leave.end(true).await;
        carry
    }

    /// Calls step by step; true if all of them succeeded.
    async fn steps(
        &self,
        plan: &Plan,
        monitor: &dyn Monitor,
        out: &mpsc::Sender<Signal>,
        leave: &Leave,
        carry: &mut Carry,
    ) -> bool {
        let incident = &plan.incident;
        for (at, step) in plan.steps.iter().enumerate() {
            // Of the first step that was looked at a moment ago.
            if at > 0
                && let Err(why) = leave.check().await
            {
                let result = not_called(format!("not called: {why}"));
                tell(out, done(plan, step, result, None, Timestamp::now())).await;
                return false;
            }
            let began_at = Timestamp::now();
            let before = carry.now(&step.target.id);
            let (news, heard) = mpsc::channel(NEWS);
            let (result, ()) = tokio::join!(
                self.step(step, news, monitor, carry),
                pass_on(heard, incident, &step.id, out)
            );
            let ok = result.ok;
            let replaced_by = Some(carry.now(&step.target.id)).filter(|now| *now != before);
            tell(out, done(plan, step, result, replaced_by, began_at)).await;
            if !ok {
                return false;
            }
        }
        true
    }

    async fn step(
        &self,
        step: &Fix,
        news: News,
        monitor: &dyn Monitor,
        carry: &mut Carry,
    ) -> ToolResult {
        let planned = &step.target.id;
        let call = carry.adapt(&step.call, planned);
        let (mut result, value) = match self.call(&call, Some(news)).await {
            Ok(answered) => answered,
            Err(not_sent) => {
                return not_called(format!("not called: {}", not_sent.into_message()));
            }
        };
        if result.ok
            && let Some(new) = carry.learn(planned, &value)
        {
            match successor(monitor, &new, step).await {
                Ok(started_at) => carry.replaced(planned, new, started_at),
                Err(why) => {
                    result.ok = false;
                    result.message = format!("{}; but {why}", result.message);
                }
            }
        }
        result
    }

    /// Runs the inverses of a plan's applied steps, last first. Says which container stands in the
    /// place of the target since then, if a call says so.
    pub(crate) async fn undo(
        &self,
        plan: &Plan,
        carry: &Carry,
    ) -> (ToolResult, Option<ContainerId>) {
        let applied: Vec<&Fix> =
            plan.steps.iter().rev().filter(|s| s.state == FixState::Applied).collect();
        let calls: Vec<ToolCall> = applied
            .iter()
            .filter_map(|s| Some(carry.adapt(s.inverse.as_ref()?, &s.target.id)))
            .collect();
        if calls.is_empty() {
            return (not_called("there is nothing that can be taken back".to_owned()), None);
        }
        for call in &calls {
            if let Err(why) = self.check(call).await {
                let why = format!("nothing was taken back: {}", why.into_message());
                return (not_called(why), None);
            }
        }
        let leave = match self.asking.take(plan).await {
            Ok(leave) => leave,
            Err(why) => return (not_called(format!("nothing was taken back: {why}")), None),
        };
        let mut whole = ToolResult { ok: true, message: String::new(), duration_ms: 0 };
        let mut said = Vec::new();
        let mut replaced_by = None;
        for (at, call) in calls.iter().enumerate() {
            let outcome = match leave.check().await {
                Ok(()) => self.call(call, None).await,
                Err(why) => Err(NotSent::Refused(why)),
            };
            match outcome {
                Ok((result, value)) => {
                    whole.ok = result.ok;
                    let target = applied.first().map(|s| carry.now(&s.target.id));
                    let new = target.and_then(|now| Carry::default().learn(&now, &value));
                    replaced_by = new.filter(|_| result.ok).or(replaced_by);
                    whole.duration_ms = whole.duration_ms.saturating_add(result.duration_ms);
                    said.push(format!("{}: {}", call.tool, result.message));
                }
                Err(why) => {
                    whole.ok = false;
                    said.push(format!("{}: not called: {}", call.tool, why.into_message()));
                }
            }
            if !whole.ok {
                let left = calls.len() - at - 1;
                if left > 0 {
                    said.push(format!("{left} more were not tried"));
                }
                break;
            }
        }
        let fixed = applied.len() - calls.len();
        if fixed > 0 {
            said.push(format!("{fixed} of the steps cannot be taken back"));
        }
        whole.message = said.join("; ");
        leave.end(true).await;
        (whole, replaced_by)
    }
}

/// A server says that a container was replaced. It must be the same one by name: no answer may
/// turn the approved calls on another container. Returns its start time.
async fn successor(monitor: &dyn Monitor, new: &ContainerId, step: &Fix) -> Result<String, String> {
    let name = &step.target.name;
    let found = staleness::look(monitor, new, name).await?;
    if &found.of.name == name {
        return Ok(found.started_at_raw);
    }
    Err(format!(
        "its new container {} is called {}, not {name}: the plan ends here",
        new.short(),
        found.of.name
    ))
}

/// Tells how far a call has come, at most so often, until the call is over.
async fn pass_on(
    mut heard: mpsc::Receiver<ProgressNotificationParam>,
    incident: &IncidentId,
    fix: &FixId,
    out: &mpsc::Sender<Signal>,
) {
    let mut last: Option<Instant> = None;
    while let Some(news) = heard.recv().await {
        if last.is_some_and(|at| at.elapsed() < NEWS_EVERY) {
            continue;
        }
        last = Some(Instant::now());
        let words = calling::words(&news);
        let (incident, fix) = (incident.clone(), fix.clone());
        // The next word replaces it: it is not worth waiting for.
        if out.try_send(Signal::StepProgress { incident, fix, words }).is_err() {
            tracing::debug!("the run loop is too busy to hear of progress");
        }
    }
}

fn not_called(message: String) -> ToolResult {
    ToolResult { ok: false, message, duration_ms: 0 }
}

fn done(
    plan: &Plan,
    step: &Fix,
    result: ToolResult,
    replaced_by: Option<ContainerId>,
    began_at: Timestamp,
) -> Signal {
    let (incident, fix) = (plan.incident.clone(), step.id.clone());
    Signal::StepDone { incident, fix, result, replaced_by, began_at }
}

/// Words about progress that may wait.
const NEWS: usize = 16;
/// How often a front end is told of progress.
const NEWS_EVERY: Duration = Duration::from_millis(250);
/// How long a result waits for room in the run loop's queue.
const ROOM: Duration = Duration::from_secs(30);

/// Sends a result; it waits for room, within bounds.
pub(crate) async fn tell(out: &mpsc::Sender<Signal>, signal: Signal) {
    if let Err(error) = out.send_timeout(signal, ROOM).await {
        tracing::error!("a result of a call could not be reported: {error}");
    }
}
