//! Arguments of the verbs by which a person decides from another terminal.

use std::time::Duration;

use clap::{Args, Subcommand};

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

/// What can be done with a staged fix besides yes and no.
#[derive(Clone, Debug, Subcommand)]
pub enum FixesVerb {
    /// Change arguments; a new plan comes of it, which still has to be approved
    Edit {
        /// Id of the fix, or of its incident
        #[arg(value_name = "FIX")]
        fix: String,
        /// An argument and its new value, e.g. resources.memory=160m; may be given again
        #[arg(long = "set", value_name = "PATH=VALUE", required = true)]
        set: Vec<String>,
    },
    /// Say what a fix would do now; changes nothing
    DryRun {
        /// Id of the fix, or of its incident
        #[arg(value_name = "FIX")]
        fix: String,
    },
    /// Put a fix off for 5, 15 or 60 minutes, at most three times
    Snooze {
        /// Id of the fix, or of its incident
        #[arg(value_name = "FIX")]
        fix: String,
        /// For how long: 5m, 15m or 60m
        #[arg(value_name = "DURATION", value_parser = duration, required_unless_present = "end")]
        duration: Option<Duration>,
        /// End it: the fix is checked again now
        #[arg(long, conflicts_with = "duration")]
        end: bool,
    },
    /// Let fixes like this one (its tools, its service) run without being asked, for a while
    Allow {
        /// Id of the fix, or of its incident
        #[arg(value_name = "FIX")]
        fix: String,
        /// For how long; a day at most
        #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1h")]
        duration: Duration,
        /// For how many fixes; ten at most
        #[arg(long, value_name = "COUNT", default_value_t = 2)]
        max: u32,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List what is allowed beforehand
    Grants,
    /// Take a grant back
    Revoke {
        /// Its number, as `fixes grants` lists it
        #[arg(value_name = "GRANT")]
        grant: u64,
        /// Why, for the record
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
}
