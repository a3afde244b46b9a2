//! Settings: default < file < .env < environment < flag. The only reader of the environment.

pub mod api;
pub mod bus;
pub mod engine;
pub mod environment;
pub mod file;
pub mod filter;
pub mod gateway;
pub mod models;
pub mod policy;
pub mod redact;
pub mod runbooks;
pub mod signatures;
pub mod ui;

use std::path::PathBuf;

use jiff::SignedDuration;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::policy::limits::Limits;
use sentinel_core::policy::rules::Rules;
use sentinel_core::redact::custom::Custom;
use thiserror::Error;

use crate::cli::{CommonArgs, WatchArgs};
use crate::config::api::ApiSettings;
use crate::config::bus::BusSettings;
use crate::config::environment::Environment;
use crate::config::file::FileSettings;
use crate::config::filter::WatchFilter;
use crate::config::gateway::GatewaySettings;
use crate::config::models::ModelSettings;
use crate::config::policy::seconds;
use crate::config::runbooks::RunbookSettings;
use crate::config::signatures::SignatureSettings;
use crate::config::ui::Ui;

/// Why the settings are not usable: always exit status 2.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file says something that is not understood.
    #[error("{0}")]
    Invalid(String),
    /// There is no folder to keep things in.
    #[error("no home folder is known: set HOME or name a folder with --state-dir")]
    NoHome,
}

/// Everything that can be set, decided.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The engine, if a flag names it.
    pub host: Option<String>,
    /// Where incidents, audit trail and logs are kept.
    pub state_dir: PathBuf,
    /// The configuration file, whether it exists or not; `None` where there is no home folder.
    pub config_file: Option<PathBuf>,
    /// What may be done.
    pub mode: Mode,
    /// Everything is watched.
    pub watch_all: bool,
    /// Conditions that narrow what is watched.
    pub filters: Vec<WatchFilter>,
    /// Theme name or path.
    pub theme: String,
    /// Plain ASCII drawing.
    pub ascii: bool,
    /// No colours.
    pub no_color: bool,
    /// The terminal UI as its user wants it.
    pub ui: Ui,
    /// How long every check must hold.
    pub verify_hold: SignedDuration,
    /// The brakes' bounds.
    pub limits: Limits,
    /// What is asked of the policy.
    pub rules: Rules,
    /// Hours for which a container that was replaced is kept, if somebody says so.
    pub park_hours: Option<u64>,
    /// A catalogue of MCP servers instead of the built-in one.
    pub catalog: Option<PathBuf>,
    /// The MCP gateway that tools come from instead of the catalogue's own servers.
    pub gateway: Option<GatewaySettings>,
    /// The Redis that events go to, where there is one.
    pub bus: Option<BusSettings>,
    /// The API, where it is asked for.
    pub api: Option<ApiSettings>,
    /// Language models, where there are any.
    pub models: ModelSettings,
    /// Known failures in log lines.
    pub signatures: SignatureSettings,
    /// What people wrote down for kinds of failure.
    pub runbooks: RunbookSettings,
    /// What is hidden in text beyond what is built in.
    pub redact: Custom,
    /// Who operates, for the audit trail.
    pub operator: String,
    /// Name of this machine, to tell instances apart.
    pub machine: String,
    /// Seconds between resource readings.
    pub usage_seconds: u64,
    /// What the environment says beyond that.
    pub environment: Environment,
    /// What was found and not used, to be said at the start.
    pub ignored: Vec<String>,
    /// Where each value that is no default comes from.
    pub sources: Vec<(String, String)>,
}

impl Settings {
    /// Decides all settings.
    pub fn load(common: &CommonArgs, watch: &WatchArgs) -> Result<Self, ConfigError> {
        let mut ignored = Vec::new();
        let environment = Environment::read(common.env_file.as_deref(), &mut ignored)?;
        // A process without a home folder (an MCP server with a cleared environment) has no file.
        let config_file = common.config.clone().or_else(|| {
            environment.config_home().ok().map(|home| home.join("sentinel-tui/config.toml"))
        });
        let file = match &config_file {
            Some(path) => FileSettings::read(path, common.config.is_some())?,
            None => FileSettings::default(),
        };
        let mut sources = Vec::new();
        let mut said = |key: &str, source: &str| sources.push((key.to_owned(), source.to_owned()));
        let (mode, from) = mode(watch, &environment, &file)?;
        if let Some(from) = from {
            said("mode", from);
        }
        let signatures = SignatureSettings::read(
            file.signatures.as_deref(),
            environment.config_home().ok().as_deref(),
        )?;
        let runbooks = RunbookSettings::read(
            environment.path("SENTINEL_RUNBOOKS").or(file.runbooks).as_deref(),
            environment.config_home().ok().as_deref(),
            &mut ignored,
        );
        let watch_all =
            watch.all || environment.flag("SENTINEL_WATCH_ALL")?.or(file.watch_all) == Some(true);
        let filters =
            watch.filters.iter().map(|f| WatchFilter::parse(f)).collect::<Result<_, _>>()?;
        let theme = watch
            .theme
            .clone()
            .or_else(|| environment.text("SENTINEL_THEME"))
            .or_else(|| file.ui.as_ref().and_then(|ui| ui.theme.clone()))
            .or(file.theme)
            .unwrap_or_else(|| "dark".to_owned());
        if common.state_dir.is_some() {
            said("state_dir", "--state-dir");
        } else if environment.path("SENTINEL_STATE_DIR").is_some() {
            said("state_dir", "SENTINEL_STATE_DIR");
        }
        let state_dir =
            match common.state_dir.clone().or_else(|| environment.path("SENTINEL_STATE_DIR")) {
                Some(dir) => dir,
                None => match file.state_dir {
                    Some(dir) => dir,
                    None => environment.state_home()?.join("sentinel-tui"),
                },
            };
        let verify = environment.seconds("SENTINEL_VERIFY_SECONDS")?.or(file.verify_seconds);
        let token = environment.text("MCP_GATEWAY_AUTH_TOKEN");
        let gateway = environment
            .text("MCP_GATEWAY_URL")
            .inspect(|_| said("mcp_gateway_url", "MCP_GATEWAY_URL"))
            .or(file.mcp_gateway_url)
            .map(|url| GatewaySettings::new(&url, token.as_deref()))
            .transpose()?;
        let bus = BusSettings::decide(&environment)?
            .inspect(|(_, source)| said("redis", source))
            .map(|(bus, _)| bus);
        let api = ApiSettings::decide(watch.api.as_deref(), &environment)?
            .inspect(|_| said("api", watch.api.as_ref().map_or("API_PORT", |_| "--api")));
        let models =
            ModelSettings::decide(file.models.unwrap_or_default(), &environment, &mut sources)?;
        Ok(Self {
            host: common.host.clone().or(file.host),
            state_dir,
            config_file,
            mode,
            watch_all,
            filters,
            theme,
            ascii: watch.ascii || environment.flag("SENTINEL_ASCII")?.or(file.ascii) == Some(true),
            ui: Ui::decide(file.ui, file.keys, watch, &environment),
            no_color: environment.text("NO_COLOR").is_some(),
            verify_hold: seconds(verify.unwrap_or(30)),
            limits: file.brakes.unwrap_or_default().limits(),
            rules: file.policy.unwrap_or_default().rules()?,
            park_hours: park_hours(&environment)?.or(file.park_hours),
            redact: file.redact.unwrap_or_default().custom()?,
            catalog: environment.path("SENTINEL_CATALOG").or(file.catalog),
            gateway,
            bus,
            api,
            models,
            signatures,
            runbooks,
            operator: environment.text("USER").unwrap_or_else(|| "operator".to_owned()),
            machine: machine(),
            usage_seconds: file.usage_seconds.unwrap_or(2).max(1),
            environment,
            ignored,
            sources,
        })
    }
}

/// What may be done, and what says so.
fn mode(
    watch: &WatchArgs,
    environment: &Environment,
    file: &FileSettings,
) -> Result<(Mode, Option<&'static str>), ConfigError> {
    Ok(if watch.read_only {
        (Mode::ReadOnly, Some("--read-only"))
    } else if watch.auto_heal {
        (Mode::AutoHeal, Some("--auto-heal"))
    } else if environment.flag("SENTINEL_READ_ONLY")?.or(file.read_only) == Some(true) {
        (Mode::ReadOnly, Some("SENTINEL_READ_ONLY or read_only"))
    } else if environment.flag("AUTO_HEAL_ENABLED")?.or(file.auto_heal) == Some(true) {
        (Mode::AutoHeal, Some("AUTO_HEAL_ENABLED or auto_heal"))
    } else {
        (Mode::Approve, None)
    })
}

/// What this machine calls itself.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "machine".to_owned() } else { name.to_owned() }
}

fn park_hours(environment: &Environment) -> Result<Option<u64>, ConfigError> {
    let Some(text) = environment.text("SENTINEL_PARK_HOURS") else { return Ok(None) };
    text.trim()
        .parse()
        .map(Some)
        .map_err(|_| ConfigError::Invalid("SENTINEL_PARK_HOURS must be a whole number".to_owned()))
}
