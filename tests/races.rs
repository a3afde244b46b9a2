//! Approvals raced with second approvers, rejections, expiries, recreates, starts by hand and changed
//! limits: the real run loop, the real remediator with its docker-control process, real containers.
//! What was executed is counted by what the engine itself saw, not by what we say of it.
//!
//! `scripts/must/approval-races.sh` runs 200 of them; the tests of every day a few of each kind.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerUpdateBody, EventMessage, HealthConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, EventsOptionsBuilder, RestartContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::command::Command;
use sentinel_core::domain::event::{Envelope, Event};
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::plan::{Actor, Plan};
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::engine;
use sentinel_core::policy::limits::Limits;
use sentinel_core::session::input::Announced;
use sentinel_tui::config::engine::Endpoint;
use sentinel_tui::config::filter::WatchFilter;
use sentinel_tui::monitor::scope::Scope;
use sentinel_tui::monitor::{self, DockerMonitor};
use sentinel_tui::remediate::remediator::{McpRemediator, McpSettings};
use sentinel_tui::runtime::handle::Handle;
use sentinel_tui::runtime::parts::{Outcome, Parts};
use sentinel_tui::runtime::run::prepare;
use sentinel_tui::store::sqlite::SqliteStore;
use tokio::sync::broadcast::Receiver;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use support::idle::Idle;
use support::{CRASHES, Corner, Fallible, eventually};

/// How many races the command asks for; a few of each kind otherwise.
const COUNT: &str = "SENTINEL_RACES";
/// Races of each kind in the tests of every day.
const FEW: usize = 2;
/// Races at a time.
const AT_ONCE: usize = 4;
/// Longest wait for anything.
const LONG: Duration = Duration::from_secs(30);
/// For how long a plan may be approved where that is the point.
const SHORT_EXPIRY: SignedDuration = SignedDuration::from_millis(1500);

/// What an approval is raced with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rival {
    /// Another person approves the same plan.
    Approver,
    /// Three others do.
    Crowd,
    /// Another person rejects it.
    Rejection,
    /// Its time is over at about that moment.
    Expiry,
    /// The container is removed and created again under its name, not started.
    Recreate,
    /// The same, and started.
    RecreateAndStart,
    /// Somebody starts the container.
    StartByHand,
    /// Somebody changes its limits.
    Limits,
    /// A restart, which is not the same twice as once: another person approves it.
    RestartApprover,
    /// A restart: somebody restarts it by hand.
    RestartByHand,
}

const RIVALS: [Rival; 10] = [
    Rival::Approver,
    Rival::Crowd,
    Rival::Rejection,
    Rival::Expiry,
    Rival::Recreate,
    Rival::RecreateAndStart,
    Rival::StartByHand,
    Rival::Limits,
    Rival::RestartApprover,
    Rival::RestartByHand,
];

impl Rival {
    fn hangs(self) -> bool {
        matches!(self, Self::RestartApprover | Self::RestartByHand)
    }
}

/// A run of its own, with a state folder, servers and a corner of the engine of its own.
struct Instance {
    handle: Handle,
    /// Every fact since the start.
    events: Receiver<Arc<Envelope>>,
    stop: CancellationToken,
    running: JoinHandle<Outcome>,
    _folder: tempfile::TempDir,
}

impl Instance {
    async fn start(corner: &Corner, expiry: Option<SignedDuration>) -> Fallible<Self> {
        let folder = tempfile::tempdir()?;
        // Only the server that is needed: a process less for each race.
        let catalog = folder.path().join("catalog.yaml");
        std::fs::write(
            &catalog,
            "registry:\n  docker-control: {x-sentinel: {exec: [\"$SELF\", mcp-server, docker-control], env: [DOCKER_HOST]}}\n",
        )?;
        let endpoint = Endpoint { url: corner.host.clone(), source: "test".to_owned(), tls: None };
        let monitor = DockerMonitor::new(monitor::Settings {
            endpoint,
            scope: Scope {
                filters: vec![WatchFilter::parse(&corner.filter())?],
                ..Scope::default()
            },
            usage_every: Duration::from_mins(1),
            cursors: Vec::new(),
            salt: sentinel_core::domain::hash::Salt::default(),
        })?;
        let remediator = McpRemediator::new(McpSettings {
            catalog: Some(catalog),
            executable: PathBuf::from(env!("CARGO_BIN_EXE_sentinel-tui")),
            environment: BTreeMap::new(),
            pass: BTreeMap::from([
                ("DOCKER_HOST".to_owned(), corner.host.clone()),
                (
                    "SENTINEL_STATE_DIR".to_owned(),
                    folder.path().join("state").display().to_string(),
                ),
            ]),
        })?;
        let defaults = engine::Settings::default();
        let (handle, state) = prepare(Parts {
            monitor: Arc::new(monitor),
            remediator: Arc::new(remediator),
            models: None,
            runbooks: Arc::default(),
            store: Arc::new(SqliteStore::open(&folder.path().join("state"))?),
            role: Arc::new(Idle),
            settings: engine::Settings {
                host: "races".to_owned(),
                mode: Mode::Approve,
                verify_hold: SignedDuration::from_secs(1),
                plan_expiry: expiry.unwrap_or(defaults.plan_expiry),
                limits: Limits { per_hour: 1000, ..Limits::default() },
                ..defaults
            },
            signatures: Signatures::builtin().clone(),
            earlier: Vec::new(),
            announced: Announced::default(),
            recorder: None,
        });
        let stop = CancellationToken::new();
        let events = handle.subscribe();
        let running = tokio::spawn(state.run(stop.clone()));
        let instance = Self { handle, events, stop, running, _folder: folder };
        let watches = async || {
            let now = instance.handle.snapshot();
            Ok((now.containers.len() == 1).then_some(()))
        };
        eventually("the container is watched", LONG, watches).await?;
        let offered = async || Ok((!instance.handle.snapshot().tools.is_empty()).then_some(()));
        if let Err(error) = eventually("tools are offered", LONG, offered).await {
            return Err(format!("{error}: {:?}", instance.handle.snapshot().degraded).into());
        }
        Ok(instance)
    }

    fn incident(&self) -> Option<Arc<Incident>> {
        self.handle.snapshot().incidents.last().cloned()
    }

    async fn staged(&self) -> Fallible<Plan> {
        let found = async || {
            let plan = self.incident().and_then(|incident| incident.plan.clone());
            Ok(plan.filter(Plan::is_staged))
        };
        eventually("a plan is staged", LONG, found).await
    }

    async fn approve(&self, plan: &Plan, who: &str, after: Duration) -> bool {
        sleep(after).await;
        let Some(first) = plan.steps.first() else { return false };
        let command = Command::Approve { fix: first.id.clone(), sha256: plan.sha256.clone() };
        self.handle.command(Actor::Person(who.to_owned()), command).await.is_ok()
    }

    async fn reject(&self, plan: &Plan, after: Duration) -> bool {
        sleep(after).await;
        let Some(first) = plan.steps.first() else { return false };
        let command =
            Command::Reject { fix: first.id.clone(), reason: "I look into it".to_owned() };
        self.handle.command(Actor::Person("rob".to_owned()), command).await.is_ok()
    }

    /// Ends the run. Nothing that was begun is left: an approval that was accepted is waited for.
    async fn end(mut self, accepted: usize) -> Fallible {
        let ended = async {
            let mut over = accepted == 0;
            while !over {
                let event = &self.events.recv().await?.event;
                over = matches!(
                    event,
                    Event::FixApplied(_) | Event::FixFailed(_) | Event::FixStale(_)
                );
            }
            Fallible::Ok(())
        };
        match tokio::time::timeout(LONG, ended).await {
            Ok(ended) => ended?,
            Err(_) => return Err("nothing became of an accepted approval".into()),
        }
        self.stop.cancel();
        tokio::time::timeout(LONG, self.running).await??;
        Ok(())
    }
}

/// What the engine says that it did, from now on.
struct Witness {
    seen: Arc<Mutex<Vec<EventMessage>>>,
    listening: JoinHandle<()>,
}

impl Witness {
    fn new(corner: &Corner) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let filters = HashMap::from([
            ("type".to_owned(), vec!["container".to_owned()]),
            ("label".to_owned(), vec![corner.filter().trim_start_matches("label=").to_owned()]),
        ]);
        // From this moment on, however late the stream is opened.
        let now = Timestamp::now();
        let since = format!("{}.{:09}", now.as_second(), now.subsec_nanosecond());
        let options = EventsOptionsBuilder::default().filters(&filters).since(&since).build();
        let mut events = corner.docker.events(Some(options));
        let kept = Arc::clone(&seen);
        let listening = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let Ok(event) = event {
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(event);
                }
            }
        });
        Self { seen, listening }
    }

    /// Waits until it hears of something that was just done. The engine tells in order, so it has
    /// then heard of everything before.
    async fn hears(&self, corner: &Corner, short: &str) -> Fallible {
        let mut body = corner.body(short, "true");
        if let Some(labels) = &mut body.labels {
            labels.remove("sre-sentinel.monitor");
        }
        let options = CreateContainerOptionsBuilder::default().name(&corner.full(short)).build();
        let id = corner.docker.create_container(Some(options), body).await?.id;
        let heard = async || Ok((self.count("create", &id) > 0).then_some(()));
        eventually("the engine's events come through", LONG, heard).await
    }

    /// How often a container did that.
    fn count(&self, action: &str, id: &str) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is = |event: &&EventMessage| {
            event.action.as_deref() == Some(action)
                && event.actor.as_ref().and_then(|actor| actor.id.as_deref()) == Some(id)
        };
        seen.iter().filter(is).count()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// What one race came to.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    /// Approvals that were accepted.
    accepted: usize,
    /// Approvals that were asked for.
    asked: usize,
    /// Starts that the engine saw on the container of the plan, those by hand left out.
    executed: usize,
    /// Starts that it saw on a container that the plan was not made for.
    on_changed: usize,
    rejected: bool,
}

fn body(corner: &Corner, rival: Rival) -> ContainerCreateBody {
    if !rival.hangs() {
        return corner.body("api", CRASHES);
    }
    let mut body =
        corner.body("api", "echo ready; trap 'exit 0' TERM; while :; do sleep 0.1; done");
    body.healthcheck = Some(HealthConfig {
        // In memory that a restart empties: unhealthy until then.
        test: Some(vec!["CMD-SHELL".to_owned(), "test ! -e /dev/shm/hang".to_owned()]),
        interval: Some(300_000_000),
        timeout: Some(5_000_000_000),
        retries: Some(1),
        ..HealthConfig::default()
    });
    body
}

/// One race. `number` spreads the moments at which its rivals come.
async fn race(number: usize, rival: Rival) -> Fallible<Tally> {
    let corner = Corner::new("race")?;
    let id = corner.start("api", body(&corner, rival)).await?;
    if rival.hangs() {
        let healthy = async || {
            let found = corner.docker.inspect_container(&id, None).await?;
            let health = found.state.and_then(|s| s.health).and_then(|h| h.status);
            Ok((health.map(|h| h.to_string()).as_deref() == Some("healthy")).then_some(()))
        };
        eventually("it is healthy", LONG, healthy).await?;
    }
    let expiry = (rival == Rival::Expiry).then_some(SHORT_EXPIRY);
    let instance = Instance::start(&corner, expiry).await?;
    if rival.hangs() {
        corner.touch("api", "/dev/shm/hang").await?;
    } else {
        corner.crash("api").await?;
    }
    let plan = instance.staged().await?;
    let witness = Witness::new(&corner);
    witness.hears(&corner, "first").await?;

    // Spread without luck: the same race has the same moments each time.
    let late = Duration::from_millis((number as u64 * 37 + 13) % 41);
    let soon = Duration::from_millis((number as u64 * 53 + 7) % 43);
    let approvers = approvers(rival, &plan, late, soon);
    let asked = approvers.iter().map(|(who, after)| instance.approve(&plan, who, *after));
    let rejection = async { rival == Rival::Rejection && instance.reject(&plan, soon).await };
    let (answers, rejected, made) = tokio::join!(
        futures_util::future::join_all(asked),
        rejection,
        meddle(&corner, &id, rival, soon)
    );
    let (made, accepted) = (made?, answers.into_iter().filter(|ok| *ok).count());
    instance.end(accepted).await?;
    witness.hears(&corner, "last").await?;

    let by_hand = usize::from(rival == Rival::RestartByHand);
    let started_new = usize::from(rival == Rival::RecreateAndStart);
    Ok(Tally {
        asked: approvers.len(),
        accepted,
        executed: witness.count("start", &id).saturating_sub(by_hand),
        on_changed: made.map_or(0, |new| witness.count("start", &new).saturating_sub(started_new)),
        rejected,
    })
}

/// Who approves, and after which time.
fn approvers(
    rival: Rival,
    plan: &Plan,
    late: Duration,
    soon: Duration,
) -> Vec<(&'static str, Duration)> {
    match rival {
        Rival::Approver | Rival::RestartApprover => vec![("ann", late), ("bob", soon)],
        Rival::Crowd => ["ann", "bob", "cem", "dea"].map(|who| (who, Duration::ZERO)).to_vec(),
        Rival::Expiry => {
            // Around the moment at which it lapses.
            let left = plan.expires_at.duration_since(Timestamp::now());
            let left = Duration::try_from(left).unwrap_or_default();
            let around = left.saturating_sub(Duration::from_millis(60)) + late + soon;
            vec![("ann", around), ("bob", around + soon)]
        }
        _ => vec![("ann", late)],
    }
}

/// What somebody does to the container meanwhile, behind our back. The id of the one that has its
/// name afterwards, if that is another.
async fn meddle(
    corner: &Corner,
    id: &str,
    rival: Rival,
    after: Duration,
) -> Fallible<Option<String>> {
    sleep(after).await;
    let docker = &corner.docker;
    match rival {
        Rival::Recreate | Rival::RecreateAndStart => {
            corner.remove("api").await?;
            let options =
                CreateContainerOptionsBuilder::default().name(&corner.full("api")).build();
            let made = docker.create_container(Some(options), body(corner, rival)).await?;
            if rival == Rival::RecreateAndStart {
                docker.start_container(&made.id, None).await?;
            }
            return Ok(Some(made.id));
        }
        Rival::StartByHand => docker.start_container(id, None).await?,
        Rival::Limits => {
            let update =
                ContainerUpdateBody { cpu_shares: Some(512), ..ContainerUpdateBody::default() };
            docker.update_container(id, update).await?;
        }
        Rival::RestartByHand => {
            let options = RestartContainerOptionsBuilder::default().t(1).build();
            docker.restart_container(id, Some(options)).await?;
        }
        _ => {}
    }
    Ok(None)
}

/// What must hold of every race; `None` if it does.
fn wrong(rival: Rival, result: &Tally) -> Option<String> {
    let Tally { accepted, executed, on_changed, rejected, .. } = *result;
    if on_changed > 0 {
        return Some(format!("{on_changed} calls on a container that the plan was not made for"));
    }
    if executed > 1 {
        return Some(format!("executed {executed} times"));
    }
    if accepted > 1 {
        return Some(format!("{accepted} approvals of one plan were accepted"));
    }
    // Somebody else's start is the only one that may be there without an approval.
    if accepted == 0 && executed > 0 && rival != Rival::StartByHand {
        return Some("executed without an approval".to_owned());
    }
    let undisturbed = matches!(rival, Rival::Approver | Rival::Crowd | Rival::RestartApprover);
    if undisturbed && (accepted, executed) != (1, 1) {
        return Some(format!(
            "{accepted} accepted and {executed} executed, of one that nobody disturbs"
        ));
    }
    if rejected && accepted > 0 {
        return Some("approved and rejected".to_owned());
    }
    if rival == Rival::StartByHand && executed != 1 {
        return Some(format!("{executed} starts"));
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn no_approval_is_executed_twice_or_on_a_container_that_changed() -> Fallible {
    let count = match std::env::var(COUNT) {
        Ok(text) if !text.is_empty() => text.parse()?,
        _ => RIVALS.len() * FEW,
    };
    let races = (0..count).map(|number| (number, RIVALS[number % RIVALS.len()]));
    let mut ended = futures_util::stream::iter(races)
        .map(|(number, rival)| async move { (number, rival, race(number, rival).await) })
        .buffer_unordered(AT_ONCE);
    let mut table: BTreeMap<Rival, (usize, Tally)> = BTreeMap::new();
    let mut problems = Vec::new();
    while let Some((number, rival, outcome)) = ended.next().await {
        if std::env::var_os("SENTINEL_RACES_TELL").is_some() {
            println!("{number} {rival:?} {outcome:?}");
        }
        let result = match outcome {
            Ok(result) => result,
            Err(error) => {
                problems.push(format!("race {number} ({rival:?}): {error}"));
                continue;
            }
        };
        problems
            .extend(wrong(rival, &result).map(|why| format!("race {number} ({rival:?}): {why}")));
        let (races, sum) = table.entry(rival).or_default();
        *races += 1;
        sum.asked += result.asked;
        sum.accepted += result.accepted;
        sum.executed += result.executed;
        sum.on_changed += result.on_changed;
    }
    println!(
        "{:<18} {:>5} {:>6} {:>9} {:>9} {:>11}",
        "raced with", "races", "asked", "accepted", "executed", "on changed"
    );
    for (rival, (races, sum)) in &table {
        println!(
            "{:<18} {races:>5} {:>6} {:>9} {:>9} {:>11}",
            format!("{rival:?}"),
            sum.asked,
            sum.accepted,
            sum.executed,
            sum.on_changed
        );
    }
    println!("{count} races: {} wrong", problems.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn what_must_hold_of_a_race_can_fail() {
    let good = Tally { accepted: 1, asked: 2, executed: 1, on_changed: 0, rejected: false };
    assert_eq!(wrong(Rival::Approver, &good), None);
    for bad in [
        Tally { executed: 2, ..good },
        Tally { on_changed: 1, ..good },
        Tally { accepted: 2, ..good },
        Tally { accepted: 0, ..good },
        Tally { executed: 0, ..good },
        Tally { rejected: true, ..good },
    ] {
        assert!(wrong(Rival::Approver, &bad).is_some(), "{bad:?}");
    }
}
