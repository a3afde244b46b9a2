//! What came of a call of a tool that only reads.

use sentinel_core::domain::tool::ToolResult;
use serde_json::Value;

use crate::tui::listing::cursor::Cursor;

/// What came of a call.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is under way, under this generation.
    Running(u64),
    /// The tool's answer.
    Answered(Box<(ToolResult, Value)>),
    /// It could not be called.
    Failed(String),
}

/// A call that was made from here.
#[derive(Clone, Debug)]
pub struct Called {
    /// The row of its tool.
    pub key: u64,
    /// Tool and arguments, in words.
    pub words: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// The chosen row.
    pub cursor: Cursor,
    /// The last call.
    pub called: Option<Called>,
}
