//! Arguments of the verbs by which a person decides from another terminal.

use std::time::Duration;

use clap::Args;

use crate::cli::duration;

/// Approving a fix.
#[derive(Clone, Debug, Args)]
pub struct ApproveArgs {
    /// Id of the fix, or of its incident
    #[arg(value_name = "FIX")]
    pub fix: String,
    /// Do not ask (a fix that replaces or stops something still needs --confirm)
    #[arg(long)]
    pub yes: bool,
    /// Name of the target, for a fix that replaces or stops something
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Approve only the plan with this hash
    #[arg(long, value_name = "HASH")]
    pub sha256: Option<String>,
}

/// Rejecting a fix, dismissing an incident.
#[derive(Clone, Debug, Args)]
pub struct RejectArgs {
    /// Id of the fix or the incident
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

/// Taking a fix back.
#[derive(Clone, Debug, Args)]
pub struct UndoArgs {
    /// Id of the fix, or of its incident
    #[arg(value_name = "FIX")]
    pub fix: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// The kill switch.
#[derive(Clone, Debug, Args)]
pub struct SwitchArgs {
    /// Why, for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

/// Silencing a service.
#[derive(Clone, Debug, Args)]
pub struct SilenceArgs {
    /// The service, or a container's name; without one: list what is silenced and left alone
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// For how long, e.g. 30m, 2h; a week at most
    #[arg(value_name = "DURATION", value_parser = duration)]
    pub duration: Option<Duration>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// End the silence of this service
    #[arg(long, conflicts_with = "duration", requires = "service")]
    pub end: bool,
    /// List what is silenced and what was left alone
    #[arg(long, conflicts_with_all = ["service", "end"])]
    pub list: bool,
}
