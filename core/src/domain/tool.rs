//! Tools as discovered from MCP servers, and calls to them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A tool that some server offers (`tools/list`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// The server's name in the catalogue.
    pub server: String,
    /// Its name.
    pub name: String,
    /// What it says of itself. Text from outside: shown, never obeyed.
    pub description: String,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// Its server is not one of ours: its name says nothing about what it does.
    #[serde(default)]
    pub foreign: bool,
    /// The server's hints; absent means the worst case. They can only raise a risk.
    pub hints: ToolHints,
}

/// MCP annotations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolHints {
    /// It says that it changes nothing.
    pub read_only: Option<bool>,
    /// It says that it may destroy.
    pub destructive: Option<bool>,
    /// It says that calling it twice is the same as once.
    pub idempotent: Option<bool>,
    /// It says that it reaches beyond this machine.
    pub open_world: Option<bool>,
}

/// A call, exactly as it will be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The tool's name.
    pub tool: String,
    /// Its arguments. `serde_json`'s map is sorted, so the text form is canonical.
    pub arguments: Map<String, Value>,
}

impl ToolCall {
    /// Builds a call from a tool's name and `(key, value)` pairs.
    pub fn new(tool: &str, arguments: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Self {
            tool: tool.to_owned(),
            arguments: arguments.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(),
        }
    }

    /// The call as one line of canonical JSON.
    pub fn arguments_text(&self) -> String {
        Value::Object(self.arguments.clone()).to_string()
    }
}

/// What came back from a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    /// Whether the tool says that it worked.
    pub ok: bool,
    /// What it says, redacted.
    pub message: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Tools that only read, by our own table: what a server says of itself does not make it one.
const READS: &[&str] = &[
    "health_check",
    "get_logs",
    "inspect_container",
    "list_containers",
    "top",
    "stats_snapshot",
    // Its commands are compiled in; a free one is exec_command, and that is no read.
    "run_probe",
];

/// Whether a tool only reads, by our own table.
pub fn is_read(tool: &str) -> bool {
    READS.contains(&tool)
}

/// A call that only reads. Made only for a tool that our own table and its server both call
/// read-only, so that who holds one cannot change anything with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadCall(ToolCall);

impl ReadCall {
    /// `None` if the call is not one of this tool, or the tool does not only read.
    pub fn new(call: ToolCall, tool: &Tool) -> Option<Self> {
        let reads = is_read(&tool.name) && !tool.foreign && tool.hints.read_only != Some(false);
        (reads && call.tool == tool.name).then_some(Self(call))
    }

    /// The call.
    pub fn call(&self) -> &ToolCall {
        &self.0
    }

    /// The call, to be made.
    pub fn into_call(self) -> ToolCall {
        self.0
    }
}
