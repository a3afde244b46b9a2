//! The command line: the one source for the parser, `--help`, completions and the man page.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;

use crate::cli::deciding::{ApproveArgs, FixesVerb, RejectArgs, SilenceArgs, SwitchArgs, UndoArgs};
use crate::cli::serving::{AttachArgs, GatewayArgs, McpServerArgs};

pub mod deciding;
pub mod serving;

/// A terminal copilot for SREs: watches Docker containers, opens one incident per cause, explains
/// it with evidence, and applies the fix you approve.
#[derive(Debug, Parser)]
#[command(name = "sentinel-tui", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// Settings for every verb.
    #[command(flatten)]
    pub common: CommonArgs,
    /// Settings for watching.
    #[command(flatten)]
    pub watch: WatchArgs,
    /// What to do instead of watching.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// Settings for every verb.
#[derive(Clone, Debug, Default, Args)]
pub struct CommonArgs {
    /// Docker engine to use, e.g. unix:///var/run/docker.sock or tcp://host:2375
    /// [default: DOCKER_HOST, the current Docker context, then the known sockets]
    #[arg(short = 'H', long, global = true, value_name = "URL")]
    pub host: Option<String>,
    /// Folder for incidents, audit trail and logs [default: the XDG state folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Configuration file [default: sentinel-tui/config.toml in the XDG config folder]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read settings from this .env file, connection and auto-heal settings included
    #[arg(long, global = true, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// How to watch.
#[derive(Clone, Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct WatchArgs {
    /// Watch every container, not only those labelled sre-sentinel.monitor=true
    #[arg(long)]
    pub all: bool,
    /// Watch only containers with this label or name: label=KEY[=VALUE] or name=TEXT; may be
    /// given several times, all must hold
    #[arg(long = "filter", value_name = "KEY=VALUE")]
    pub filters: Vec<String>,
    /// Forbid every change
    #[arg(long)]
    pub read_only: bool,
    /// Apply fixes that the policy allows without asking
    #[arg(long, conflicts_with = "read_only")]
    pub auto_heal: bool,
    /// Write events to standard output instead of opening the screen
    #[arg(long)]
    pub headless: bool,
    /// Form of the events
    #[arg(long, value_enum, default_value_t, requires = "headless")]
    pub output: Output,
    /// End after this long, e.g. 90s, 10m
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, requires = "headless")]
    pub duration: Option<Duration>,
    /// End when every incident that was opened is resolved (or one is escalated: exit status 3)
    #[arg(long, requires = "headless")]
    pub exit_on_resolve: bool,
    /// Write every log line as an event, too
    #[arg(long, requires = "headless")]
    pub logs: bool,
    /// Write every resource reading as an event, too
    #[arg(long, requires = "headless")]
    pub usage: bool,
    /// Take down everything that is seen and decided, with secrets hidden, in a new file (at most
    /// 256 MiB), for `sentinel-tui replay FILE`
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Serve the HTTP API and the status page (docs/api.md) [default address: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "")]
    pub api: Option<String>,
    /// Theme: dark, light, mono, colour-blind, high-contrast, or the path of a TOML file
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with plain ASCII characters
    #[arg(long)]
    pub ascii: bool,
    /// Listen to the mouse: a click focuses and selects, the wheel scrolls
    #[arg(long)]
    pub mouse: bool,
    /// Do not show the tour by itself the first time
    #[arg(long)]
    pub no_tour: bool,
}

/// Form of the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// One JSON object per line.
    Jsonl,
    /// One sentence per line.
    #[default]
    Text,
}

/// What to do instead of watching.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start a small stack, break it, heal it, remove it
    Demo(DemoArgs),
    /// What a log repeats: its lines grouped by the words that stay the same
    Patterns(PatternsArgs),
    /// What is out of the ordinary in a log; exit status 3 if something is graver than medium
    Scan(ScanArgs),
    /// Tell again what a recorded run told (--record FILE): the same events on standard output,
    /// without an engine; nothing is called
    Replay(ReplayArgs),
    /// Incidents of this and earlier runs
    #[command(subcommand)]
    Incidents(IncidentsVerb),
    /// Approve a staged fix of the instance that runs with this state folder
    Approve(ApproveArgs),
    /// Reject a staged fix
    Reject(RejectArgs),
    /// Say that an incident is nothing
    Dismiss(RejectArgs),
    /// Take back what a fix changed
    Undo(UndoArgs),
    /// Edit, rehearse, put off or allow staged fixes
    #[command(subcommand)]
    Fixes(FixesVerb),
    /// Throw the kill switch: nothing is done without a person until `resume` (SIGUSR1 does it, too)
    Halt(SwitchArgs),
    /// Release the kill switch
    Resume(SwitchArgs),
    /// Leave a service alone for a while: what happens to it is counted and opens no incident
    Silence(SilenceArgs),
    /// The audit trail
    #[command(subcommand)]
    Audit(AuditVerb),
    /// The MCP tools
    #[command(subcommand)]
    Tools(ToolsVerb),
    /// Whether everything that is needed is there and works, with what to do about what does not
    Doctor(DoctorArgs),
    /// Run an MCP server over standard input and output, or on a port
    McpServer(McpServerArgs),
    /// Serve the tools of all MCP servers of the catalogue at one address (streamable HTTP, /mcp)
    Gateway(GatewayArgs),
    /// Show and drive an instance that runs elsewhere with --api, on this screen
    Attach(AttachArgs),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// Print shell completions
    Completions {
        /// For which shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
    /// One of the demo stack's processes
    #[command(hide = true)]
    DemoService {
        /// Which.
        #[arg(value_enum)]
        role: DemoRole,
        /// For the probe: what to ask for.
        #[arg(default_value = "/health")]
        path: String,
    },
}

/// How findings are told.
#[derive(Clone, Copy, Debug, Args)]
pub struct DoctorArgs {
    /// One JSON object for each part
    #[arg(long)]
    pub json: bool,
}

/// The demo.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct DemoArgs {
    /// Without the screen: inject one fault, wait for the end, print a summary
    #[arg(long, requires = "scenario")]
    pub headless: bool,
    /// Which fault
    #[arg(long, value_enum)]
    pub scenario: Option<Scenario>,
    /// Apply fixes that the policy allows without asking
    #[arg(long)]
    pub auto_heal: bool,
    /// Form of the events
    #[arg(long, value_enum, default_value_t, requires = "headless")]
    pub output: Output,
    /// Leave the stack running at the end
    #[arg(long, conflicts_with = "simulated")]
    pub keep: bool,
    /// On a simulated engine, also where a real one can be reached
    #[arg(long)]
    pub simulated: bool,
    /// Theme: dark, light, mono, colour-blind, high-contrast, or the path of a TOML file
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
}

/// The faults of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// The API's process ends with an error
    Crash,
    /// The worker uses more memory than its limit
    Oom,
    /// The API stops answering its health check
    Hang,
    /// The data service dies under those that need it
    DependencyDown,
    /// The worker cannot start without a setting
    BadConfig,
    /// The API fails most requests
    ErrorBurst,
}

/// The demo's processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DemoRole {
    /// Answers requests, needs data.
    Api,
    /// Works in the background, needs api and data.
    Worker,
    /// Keeps the numbers.
    Data,
    /// The health check of a container: exit status 0 if its service answers.
    Probe,
}

/// What a log repeats.
#[derive(Clone, Debug, Args)]
pub struct PatternsArgs {
    /// Form of the result
    #[arg(long, value_enum, default_value_t)]
    pub format: PatternsFormat,
    /// How many rows the table has, the most frequent first; 0: all
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 50)]
    pub count: usize,
    /// The log: a file, gzip-compressed or not; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// What is out of the ordinary in a log.
#[derive(Clone, Debug, Args)]
pub struct ScanArgs {
    /// Form of the anomalies
    #[arg(long, value_enum, default_value_t)]
    pub output: Output,
    /// The log: a file, gzip-compressed or not; - for standard input (docker logs -t NAME 2>&1 | …)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// A recorded run once more.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The recording; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Form of the patterns of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PatternsFormat {
    /// For people: one row per pattern, the most frequent first
    #[default]
    Table,
    /// One row per line of the input: its number and the id of its pattern
    Csv,
    /// One JSON object per pattern, the most frequent first
    Json,
}

/// Incidents.
#[derive(Debug, Subcommand)]
pub enum IncidentsVerb {
    /// One line per incident, newest first
    List {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        count: usize,
        /// As JSON, one object per line
        #[arg(long)]
        json: bool,
    },
    /// Everything about one incident
    Show {
        /// Its id.
        id: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the postmortem of an incident to standard output: timeline, cause, evidence, fixes,
    /// verification, impact, what prevented it from being found earlier, action items
    Export {
        /// Its id, or a beginning or the last block of it.
        id: String,
        /// Form
        #[arg(long, value_enum, default_value_t)]
        format: ReportFormat,
    },
}

/// Form of a postmortem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Markdown; text from outside is escaped
    #[default]
    Md,
    /// One JSON object
    Json,
}

/// The audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditVerb {
    /// Every record, oldest first
    Show {
        /// As JSON, one object per line
        #[arg(long)]
        json: bool,
    },
    /// Check the chain, in the store and in audit.jsonl beside it; says the first bad record
    Verify {
        /// Check this file instead: an export, or a copy of audit.jsonl; - for standard input
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The last hash that the file must have: a copy of audit.jsonl does not tell by itself
        /// that its end is missing
        #[arg(long, value_name = "HASH", requires = "file")]
        head: Option<String>,
    },
    /// Write the trail, or a part of it, to standard output
    Export(AuditExport),
}

/// Which part of the audit trail, in which form.
#[derive(Clone, Debug, Default, Args)]
pub struct AuditExport {
    /// Form
    #[arg(long, value_enum, default_value_t)]
    pub format: AuditFormat,
    /// Only what belongs to this incident
    #[arg(long, value_name = "ID")]
    pub incident: Option<String>,
    /// Only from then on: a moment (2026-11-24T03:15:00Z), a day (2026-11-24), or an age (90m, 2h)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

/// Form of an exported audit trail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum AuditFormat {
    /// The records as they are chained, between two lines by which `audit verify FILE` tells that
    /// nothing is missing
    #[default]
    Jsonl,
    /// One row per record
    Csv,
    /// One JSON document
    Json,
    /// A table for a report
    Markdown,
}

/// Tools.
#[derive(Debug, Subcommand)]
pub enum ToolsVerb {
    /// What the servers offer
    List {
        /// As JSON, schemas included
        #[arg(long)]
        json: bool,
    },
    /// Call one by hand; the result as JSON, exit status 0 only on success
    Call {
        /// The tool.
        name: String,
        /// Its arguments as a JSON object.
        #[arg(default_value = "{}")]
        arguments: String,
        /// Forbid every change
        #[arg(long)]
        read_only: bool,
        /// Allow every container as a target, not only watched ones
        #[arg(long)]
        all: bool,
    },
    /// See the command by which a server of the catalogue is started, and confirm it
    Trust {
        /// The server's name in the catalogue.
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Where it is
    Path,
    /// Whether it is valid
    Check,
    /// What is in force, and where each value comes from
    Show,
    /// A file with every key at its default
    Default,
}

/// `90s`, `10m`, `1h 30m`; a bare number means seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let parsed: SignedDuration =
        text.parse().map_err(|e| format!("{e}; write it like 90s, 10m or 1h"))?;
    Duration::try_from(parsed).map_err(|_| "a duration cannot be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(duration("5"), Ok(Duration::from_secs(5)));
        assert!(duration("soon").is_err());
    }
}
