//! The tool itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use mcp_kit::Settings;
use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::reply::{answer, input_schema, output_schema, reason, timestamp};
use mcp_kit::steps::Steps;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{CallToolResult, JsonObject};
use rmcp::service::RequestContext;
use rmcp::{RoleServer, ServerHandler, tool, tool_handler, tool_router};

use crate::arguments::{Rollback, Update, UpdateEnv};
use crate::env::{self, Changes, Hidden, MASK, UPDATES_MAX};
use crate::journal::Journal;
use crate::recreate::Wanted;
use crate::results::Patched;
use crate::{carry, parking, previous, recreate, rollback};

const TOOL: &str = "update_env_vars";
const ROLLBACK: &str = "rollback_container";
/// Steps that a recreate tells, the files that it may carry over included.
const STEPS: u32 = 5;

/// The server: one engine, two tools.
#[derive(Clone, Debug)]
pub struct ConfigPatcher {
    engine: Engine,
    tool_router: ToolRouter<Self>,
}

/// What a start found half done by an earlier process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PutRight {
    /// What was done, a sentence each.
    pub done: Vec<String>,
    /// Names of containers whose change could not be ended yet.
    pub left: Vec<String>,
}

#[tool_router]
impl ConfigPatcher {
    /// A server for the engine that `settings` name. Nothing is contacted yet.
    pub fn new(settings: Settings) -> Self {
        Self { engine: Engine::new(settings), tool_router: Self::tool_router() }
    }

    /// Ends what an earlier process left half done, if an engine answers; a later call does it
    /// otherwise. A read-only server leaves it alone.
    pub fn recover_in_background(&self) {
        let server = self.clone();
        tokio::spawn(async move {
            if let Err(error) = server.recover().await {
                tracing::warn!(%error, "interrupted recreates could not be looked for yet");
            }
        });
    }

    /// Ends interrupted recreates and clears away parked containers whose time is over, and
    /// answers with a sentence for each. A read-only server does neither. Fails with a conflict
    /// while another process of this state folder is at work: what that one does is not
    /// interrupted.
    pub async fn recover(&self) -> Result<Vec<String>, Failure> {
        Ok(self.put_right().await?.done)
    }

    /// The same, and which containers still wait for it.
    pub async fn put_right(&self) -> Result<PutRight, Failure> {
        let engine = &self.engine;
        if engine.settings().read_only {
            return Ok(PutRight::default());
        }
        let journal = Journal::open(engine.settings()).await?;
        let mut done = rollback::recover(engine, &journal).await?;
        let id = rollback::engine_id(engine).await?;
        let left = journal.interrupted(&id)?.into_iter().map(|entry| entry.name).collect();
        let removed = parking::clear(engine, &journal, Timestamp::now()).await?;
        done.extend(removed.iter().map(|name| format!("{name} was kept long enough: removed")));
        Ok(PutRight { done, left })
    }

    #[tool(
        description = "Change environment variables of a container. The container is recreated: the new one must prove healthy, otherwise the old one comes back as it was. Networks, mounts, limits, labels, ports and files survive; the old container is kept aside, stopped. Brief downtime.",
        input_schema = input_schema::<UpdateEnv>(),
        output_schema = output_schema::<Patched>(),
        annotations(
            title = "Change environment variables",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn update_env_vars(
        &self,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let (engine, steps) = (self.engine.clone(), Steps::of(&context, STEPS));
        answer(TOOL, arguments, |asked| async move {
            to_its_end(async move { update(&engine, asked, &steps).await }).await
        })
        .await
    }

    #[tool(
        description = "Put a container back as its predecessor was: the one that an earlier change replaced and that is kept aside. The container is recreated with the predecessor's image, environment, mounts, limits and networks; its restart policy and its files stay. The new one must prove healthy, otherwise everything is as it was. Brief downtime.",
        input_schema = input_schema::<Rollback>(),
        output_schema = output_schema::<Patched>(),
        annotations(
            title = "Go back to the previous container",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn rollback_container(
        &self,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> CallToolResult {
        let (engine, steps) = (self.engine.clone(), Steps::of(&context, STEPS));
        answer(ROLLBACK, arguments, |asked| async move {
            to_its_end(async move { go_back(&engine, asked, &steps).await }).await
        })
        .await
    }
}

#[tool_handler(
    router = self.tool_router,
    name = "config-patcher",
    instructions = "Changes environment variables of a Docker container by a safe recreate, and goes back to the container before. Only containers labelled sre-sentinel.monitor=true are targets."
)]
impl ServerHandler for ConfigPatcher {}

/// Runs a recreate as a task of its own: it goes to its end even if nobody waits any more.
async fn to_its_end<R>(recreate: R) -> Result<Patched, Failure>
where
    R: Future<Output = Result<Patched, Failure>> + Send + 'static,
{
    tokio::spawn(recreate).await.unwrap_or_else(|error| {
        Err(Failure::Local(format!(
            "the recreate broke off: {error}; it is put right at the next call"
        )))
    })
}

async fn update(engine: &Engine, asked: UpdateEnv, steps: &Steps) -> Result<Patched, Failure> {
    check(&asked)?;
    // The gate comes first: nothing below runs for a container that may not be changed.
    let expected = asked.expect_started_at.as_deref();
    engine.changeable(TOOL, &asked.container_name, expected).await?;
    let journal = Journal::open(engine.settings()).await?;
    let recovered = rollback::recover(engine, &journal).await?;
    // Again, behind the lock: the wait, or what was just ended, may have changed it.
    let old = engine.changeable(TOOL, &asked.container_name, expected).await?;
    let copied: Vec<String> = asked
        .env_updates
        .iter()
        .filter(|(_, update)| matches!(update, Update::Copy(_)))
        .map(|(name, _)| name.clone())
        .collect();
    let changes = env::needed(&old.env(), resolved(engine, asked.env_updates).await?);
    let mut answer = Patched {
        success: true,
        message: format!("{} has these variables already; nothing was changed", old.name),
        updates: shown(&changes),
        new_env: env::masked(&old.env()),
        changed: false,
        new_container_id: old.id.clone(),
        previous_container_id: old.id.clone(),
        parked_container: None,
        container: old.name.clone(),
        started_at: old.started_at().to_owned(),
        notes: recovered,
        reason: reason(asked.reason.as_deref()),
        timestamp: timestamp(),
    };
    if changes.is_empty() {
        return Ok(answer);
    }
    let image = recreate::image(engine, &old).await?;
    let env = env::changed(&old.env(), &carry::image_env(&image), &changes);
    let hidden = Hidden::new(&env, &copied);
    let wanted = Wanted { like: &old, image: &image, env: &env };
    let done = recreate::run(engine, &journal, &old, wanted, &hidden, steps).await?;
    answer.message = format!(
        "{} was recreated with {} changed variable(s); the old container is kept as {}",
        old.name,
        changes.len(),
        done.parked
    );
    replaced(engine, &journal, &mut answer, done).await;
    Ok(answer)
}

/// Goes back to how the predecessor was, which is kept aside.
async fn go_back(engine: &Engine, asked: Rollback, steps: &Steps) -> Result<Patched, Failure> {
    let expected = asked.expect_started_at.as_deref();
    engine.changeable(ROLLBACK, &asked.container_name, expected).await?;
    let journal = Journal::open(engine.settings()).await?;
    let recovered = rollback::recover(engine, &journal).await?;
    let old = engine.changeable(ROLLBACK, &asked.container_name, expected).await?;
    let before = previous::of(engine, &old).await?;
    let image = recreate::image(engine, &before).await?;
    let env = before.env();
    let changes = env::difference(&old.env(), &env);
    let hidden = Hidden::new(&env, &[]);
    let wanted = Wanted { like: &before, image: &image, env: &env };
    let done = recreate::run(engine, &journal, &old, wanted, &hidden, steps).await?;
    let mut answer = Patched {
        success: true,
        message: format!(
            "{} was recreated as {} was; the container that it replaced is kept as {}",
            old.name, before.name, done.parked
        ),
        updates: shown(&changes),
        new_env: BTreeMap::new(),
        changed: true,
        new_container_id: String::new(),
        previous_container_id: old.id.clone(),
        parked_container: None,
        container: old.name.clone(),
        started_at: String::new(),
        notes: recovered,
        reason: reason(asked.reason.as_deref()),
        timestamp: String::new(),
    };
    replaced(engine, &journal, &mut answer, done).await;
    Ok(answer)
}

/// Completes an answer by what stands in the place of the old container now, and clears away what
/// was kept long enough.
async fn replaced(
    engine: &Engine,
    journal: &Journal,
    answer: &mut Patched,
    done: recreate::Recreated,
) {
    answer.new_env = env::masked(&done.new.env());
    answer.changed = true;
    done.new.started_at().clone_into(&mut answer.started_at);
    answer.new_container_id = done.new.id;
    answer.parked_container = Some(done.parked);
    answer.notes.extend(done.notes);
    match parking::clear(engine, journal, Timestamp::now()).await {
        Ok(removed) => {
            let gone = removed.iter().map(|name| format!("{name} was kept long enough: removed"));
            answer.notes.extend(gone);
        }
        Err(error) => tracing::warn!(%error, "parked containers could not be looked at"),
    }
    answer.timestamp = timestamp();
}

fn check(asked: &UpdateEnv) -> Result<(), Failure> {
    let updates = &asked.env_updates;
    if updates.is_empty() {
        return Err(Failure::Invalid("env_updates is empty; name a variable".to_owned()));
    }
    if updates.len() > UPDATES_MAX {
        return Err(Failure::Invalid(format!(
            "env_updates has {} variables; at most {UPDATES_MAX}",
            updates.len()
        )));
    }
    for (name, update) in updates {
        env::check_name(name)?;
        if let Update::Set(value) = update {
            env::check_value(name, value)?;
        }
    }
    Ok(())
}

/// Reads the values that other containers have. They pass through here and are shown nowhere.
async fn resolved(engine: &Engine, updates: BTreeMap<String, Update>) -> Result<Changes, Failure> {
    let mut changes = Changes::new();
    for (name, update) in updates {
        let value = match update {
            Update::Set(value) => Some(value),
            Update::Unset => None,
            Update::Copy(from) => {
                let reference = mcp_kit::text::line(&from.secret_ref);
                let Some((container, key)) = from.secret_ref.split_once('/') else {
                    return Err(Failure::Invalid(format!(
                        "{name}: secret_ref {reference:?} is not CONTAINER/KEY"
                    )));
                };
                env::check_name(key)?;
                let source = engine.watched(container).await?;
                let found = env::value(&source.env(), key).map(str::to_owned);
                Some(found.ok_or_else(|| {
                    Failure::Conflict(format!("{name}: {} has no variable {key}", source.name))
                })?)
            }
        };
        changes.insert(name, value);
    }
    Ok(changes)
}

fn shown(changes: &Changes) -> BTreeMap<String, Option<String>> {
    changes
        .iter()
        .map(|(name, value)| (name.clone(), value.as_ref().map(|_| MASK.to_owned())))
        .collect()
}
