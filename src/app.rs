//! The composition root: chooses the adapters, joins them, and elects the acting instance.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sentinel_core::domain::hash::Salt;
use sentinel_core::domain::snapshot::{EngineInfo, Mode};
use sentinel_core::engine;
use sentinel_core::redact::secrets::{Key, Masker, configure};
use sentinel_core::session::input::Announced;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::analyze::failure::Failure;
use crate::analyze::language::LanguageModels;
use crate::bus::lease::RedisLeases;
use crate::bus::place::{Place, RedisFailure};
use crate::bus::redis_bus::{Identity, RedisBus};
use crate::cli::Verb;
use crate::config::bus::BusSettings;
use crate::config::engine::{Endpoint, EndpointError, resolve};
use crate::config::{ConfigError, Settings};
use crate::election::Election;
use crate::monitor::scope::{Scope, own_container};
use crate::monitor::survey::Survey;
use crate::monitor::{self, DockerMonitor};
use crate::ports::{
    Bus, Leases, LogCursor, Models, PortError, Recorder, Remediator, Role as _, Store,
};
use crate::recording::write::FileRecorder;
use crate::recovery::Recovering;
use crate::remediate::catalog::CatalogError;
use crate::remediate::remediator::{McpRemediator, McpSettings};
use crate::runtime::handle::Handle;
use crate::runtime::parts::Parts;
use crate::runtime::run::{Loop, prepare};
use crate::store::kept::KeptStore;
use crate::store::salt;
use crate::store::schema::OpenError;
use crate::store::sqlite::SqliteStore;

/// Closed incidents of earlier runs that are shown.
const CLOSED_SHOWN: usize = 50;

/// Why nothing can be watched.
#[derive(Debug, Error)]
pub enum AppError {
    /// The settings are not usable.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No engine is known.
    #[error(transparent)]
    NoEngine(#[from] EndpointError),
    /// The engine does not answer.
    #[error(transparent)]
    Unreachable(PortError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Earlier(PortError),
    /// The catalogue of MCP servers is not usable.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A language model cannot be asked with these settings.
    #[error(transparent)]
    Models(#[from] Failure),
    /// The address of Redis cannot be used. One that does not answer is no error.
    #[error("Redis at {0}")]
    Redis(#[from] RedisFailure),
    /// The machine refused something.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl AppError {
    /// The exit status that tells it: 2 for settings, 4 for the engine, 1 for the rest.
    pub fn status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Catalog(_) | Self::Models(_) | Self::Redis(_) => 2,
            Self::NoEngine(_) | Self::Unreachable(_) => 4,
            Self::Store(_) | Self::Earlier(_) | Self::System { .. } => 1,
        }
    }
}

/// What a run does beyond watching.
#[derive(Clone, Debug, Default)]
pub struct Extras {
    /// What the stream tells beyond the incidents.
    pub announced: Announced,
    /// Where the session is taken down.
    pub record: Option<PathBuf>,
}

/// Everything joined, ready to run.
pub struct Built {
    /// For front ends.
    pub handle: Handle,
    /// The loop.
    pub state: Loop,
    /// The engine that is watched.
    pub engine: EngineInfo,
    /// It keeps the record of its state folder, so it is the one to speak to.
    pub keeps: bool,
}

/// Decides how secrets are hidden in this process, before it reads the first text.
///
/// What watches tells one secret from another by its mark, with a key of this run. What reads a
/// file, replays or answers one call says the same every time, so there all marks are alike.
pub fn hide_secrets(settings: Option<&Settings>, verb: Option<&Verb>) {
    let mut random = [0; 32];
    let watches = matches!(verb, None | Some(Verb::Demo(_)));
    let key = (watches && getrandom::fill(&mut random).is_ok()).then(|| Key::new(random));
    let custom = settings.map(|settings| settings.redact.clone()).unwrap_or_default();
    if !configure(Masker { key, custom }) {
        tracing::warn!("how secrets are hidden was decided before: own patterns are not in force");
    }
}

/// Joins everything. The engine is greeted, so that a wrong address is told before a screen opens.
pub async fn build(settings: &Settings, extras: Extras) -> Result<Built, AppError> {
    let endpoint = resolve(settings.host.as_deref(), &settings.environment)?;
    let store = SqliteStore::open(&settings.state_dir)?;
    let earlier = store.load(CLOSED_SHOWN).await.map_err(AppError::Earlier)?;
    let cursors = store.load_cursors().await.map_err(AppError::Earlier)?;
    let monitor = monitor(settings, endpoint.clone(), cursors)?;
    let (engine, engine_id) = monitor.greet().await.map_err(AppError::Unreachable)?;
    let locks = settings.environment.path("SENTINEL_LOCK_DIR");
    let state_dir = &settings.state_dir;
    let role = Arc::new(Election::new(settings.mode, locks.as_deref(), &engine_id, state_dir));
    let claim = role.claim();
    let keeper = Arc::clone(&role);
    let keeps = move || keeper.has().keeps;
    let store: Arc<dyn Store> = Arc::new(KeptStore::new(store, Arc::new(keeps)));
    let models = LanguageModels::new(&settings.models, Arc::clone(&store)).await?;
    let roles = models.as_ref().map(LanguageModels::roles).unwrap_or_default();
    let bus = settings.bus.as_ref().map(|bus| Redis::new(bus, settings, &engine)).transpose()?;
    let leases = bus.as_ref().and_then(|redis| redis.leases(settings));
    let remediator = recovering(settings, &endpoint, leases)?;
    // Last of all: a run that does not begin leaves no file behind.
    let recorder = extras.record.as_deref().map(recorder).transpose()?;
    let (handle, state) = prepare(Parts {
        monitor: Arc::new(monitor),
        remediator: Arc::new(remediator),
        runbooks: Arc::clone(&settings.runbooks.books),
        models: models.map(|models| Arc::new(models) as Arc<dyn Models>),
        store,
        role,
        settings: engine::Settings {
            host: engine.name.clone(),
            mode: settings.mode,
            elected: claim.acts,
            keeps: claim.keeps,
            watch_all: settings.watch_all,
            verify_hold: settings.verify_hold,
            limits: settings.limits,
            rules: settings.rules.clone(),
            models: roles,
            ..engine::Settings::default()
        },
        signatures: settings.signatures.in_force(),
        earlier,
        announced: extras.announced,
        recorder,
    });
    let state = match bus {
        Some(redis) => state.on(redis.bus(settings, claim.keeps), &handle),
        None => state,
    };
    Ok(Built { handle, state, engine, keeps: claim.keeps })
}

/// What is needed of Redis, where there is one.
struct Redis<'a> {
    settings: &'a BusSettings,
    place: Arc<Place>,
    identity: Identity,
}

impl<'a> Redis<'a> {
    fn new(
        bus: &'a BusSettings,
        settings: &Settings,
        engine: &EngineInfo,
    ) -> Result<Self, RedisFailure> {
        let state_dir = settings.state_dir.display().to_string();
        let folder = fingerprint(state_dir.as_bytes());
        let instance = format!("{}-{folder}", settings.machine);
        let run =
            format!("{:x}-{:06x}", Timestamp::now().as_millisecond(), fastrand::u32(..1 << 24));
        let identity = Identity { host: engine.name.clone(), instance, run };
        Ok(Self { settings: bus, place: Arc::new(Place::new(bus)?), identity })
    }

    fn leases(&self, settings: &Settings) -> Option<Arc<dyn Leases>> {
        let Identity { host, instance, run } = &self.identity;
        let who = format!("{instance}/{run}");
        // Others keep off for as long as this one would.
        let rest = Duration::try_from(settings.limits.cooldown).unwrap_or_default();
        let leases = RedisLeases::new(Arc::clone(&self.place), host, &who, rest);
        self.settings.leases.then(|| Arc::new(leases) as Arc<dyn Leases>)
    }

    fn bus(&self, settings: &Settings, keeps: bool) -> Arc<dyn Bus> {
        let file = keeps.then(|| settings.state_dir.join("redis.spool"));
        let bus = RedisBus::new(Arc::clone(&self.place), self.identity.clone(), file);
        Arc::new(bus.with_commands(self.settings.commands))
    }
}

/// Eight characters that tell one text from another.
fn fingerprint(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    let first = digest.iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    format!("{first:08x}")
}

fn recorder(path: &Path) -> Result<Box<dyn Recorder>, AppError> {
    match FileRecorder::create(path) {
        Ok(recorder) => Ok(Box::new(recorder)),
        Err(source) => {
            let path = path.display();
            let what = if source.kind() == std::io::ErrorKind::AlreadyExists {
                format!("cannot record to {path}: name a new file, nothing is written over")
            } else {
                format!("cannot record to {path}")
            };
            Err(AppError::System { what, source })
        }
    }
}

/// Says hello to the engine: where it is and its identifier, or what is missing and how to get it.
pub async fn greet(settings: &Settings) -> Result<(Endpoint, String), AppError> {
    let endpoint = resolve(settings.host.as_deref(), &settings.environment)?;
    let monitor = monitor(settings, endpoint.clone(), Vec::new())?;
    let (_, id) = monitor.greet().await.map_err(AppError::Unreachable)?;
    Ok((endpoint, id))
}

/// Looks at the engine and at the way to it.
pub async fn survey(settings: &Settings) -> Result<(Endpoint, Survey), AppError> {
    let endpoint = resolve(settings.host.as_deref(), &settings.environment)?;
    let monitor = monitor(settings, endpoint.clone(), Vec::new())?;
    let survey = monitor.survey().await.map_err(AppError::Unreachable)?;
    Ok((endpoint, survey))
}

/// The salt of the state folder. Without it settings are compared within this run only.
fn salt(folder: &Path) -> Salt {
    salt::of(folder).unwrap_or_else(|error| {
        let path = folder.display();
        tracing::warn!(
            "the file salt in {path} cannot be used ({error}): changes over restarts are not told right"
        );
        let mut random = [0; 32];
        if let Err(error) = getrandom::fill(&mut random) {
            tracing::warn!("no random numbers: {error}");
        }
        Salt::new(random)
    })
}

fn monitor(
    settings: &Settings,
    endpoint: Endpoint,
    cursors: Vec<LogCursor>,
) -> Result<DockerMonitor, AppError> {
    DockerMonitor::new(monitor::Settings {
        endpoint,
        scope: Scope {
            all: settings.watch_all,
            filters: settings.filters.clone(),
            own: own_container_id(),
        },
        usage_every: Duration::from_secs(settings.usage_seconds),
        cursors,
        salt: salt(&settings.state_dir),
    })
    .map_err(AppError::Unreachable)
}

/// The container that this process runs in, if it does.
pub fn own_container_id() -> Option<String> {
    // Outside of Linux there is no such file, and no container around us either.
    own_container(&std::fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// The MCP client: of the gateway that the settings name, else of the catalogue's own servers.
pub fn remediator(
    settings: &Settings,
    endpoint: Option<&Endpoint>,
) -> Result<McpRemediator, AppError> {
    let remediator =
        McpRemediator::new(servers(settings, endpoint)?)?.with_trust(&settings.state_dir);
    Ok(match &settings.gateway {
        Some(gateway) => remediator.through(gateway),
        None => remediator,
    })
}

/// What the catalogue's servers need to know. Without an engine they start all the same, and each
/// call says what it misses.
pub fn servers(settings: &Settings, endpoint: Option<&Endpoint>) -> Result<McpSettings, AppError> {
    let executable = std::env::current_exe().map_err(|source| AppError::System {
        what: "cannot find the running executable".to_owned(),
        source,
    })?;
    let pass = variables(settings, endpoint);
    Ok(McpSettings {
        catalog: settings.catalog.clone(),
        executable,
        environment: settings.environment.all(),
        pass,
    })
}

/// What every server of ours is told: where the engine is, what it may touch, where it keeps its
/// records.
fn variables(settings: &Settings, endpoint: Option<&Endpoint>) -> BTreeMap<String, String> {
    let mut pass: BTreeMap<String, String> =
        endpoint.into_iter().flat_map(Endpoint::variables).collect();
    let flag = |on: bool| if on { "true" } else { "false" }.to_owned();
    pass.insert("SENTINEL_WATCH_ALL".to_owned(), flag(settings.watch_all));
    pass.insert("SENTINEL_READ_ONLY".to_owned(), flag(settings.mode == Mode::ReadOnly));
    if let Some(hours) = settings.park_hours {
        pass.insert("SENTINEL_PARK_HOURS".to_owned(), hours.to_string());
    }
    pass.insert("SENTINEL_STATE_DIR".to_owned(), settings.state_dir.display().to_string());
    pass
}

/// The remediator, behind what puts an interrupted change right at the start.
fn recovering(
    settings: &Settings,
    endpoint: &Endpoint,
    leases: Option<Arc<dyn Leases>>,
) -> Result<impl Remediator + use<>, AppError> {
    let pass = variables(settings, Some(endpoint));
    let lookup = |name: &str| pass.get(name).cloned().or_else(|| settings.environment.text(name));
    let mut kit = mcp_kit::Settings::from_environment(lookup);
    kit.own_container = own_container_id();
    Ok(Recovering::new(remediator(settings, Some(endpoint))?.with_leases(leases), kit))
}
