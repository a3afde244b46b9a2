//! Example of an MCP server: runbook notes about a service, one file each, in the folder that
//! `NOTES_DIR` names.

use std::path::{Path, PathBuf};

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::{ServerHandler, ServiceExt as _, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;

/// The longest note, in bytes.
const NOTE_MAX: usize = 4096;
/// The most of a file that is read, in bytes.
const FILE_MAX: usize = 256 * 1024;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Of {
    /// The service: letters, digits, - and _.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    service: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    /// The service: letters, digits, - and _.
    #[schemars(length(min = 1, max = 64), regex(pattern = "^[A-Za-z0-9_-]+$"))]
    service: String,
    /// One line.
    #[schemars(length(min = 1, max = 4096))]
    text: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    success: bool,
    message: String,
    notes: Vec<String>,
}

#[derive(Clone, Debug)]
struct Server {
    folder: PathBuf,
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Server {
    fn new(folder: PathBuf) -> Self {
        Self { folder, tool_router: Self::tool_router() }
    }

    #[tool(
        description = "The notes about a service, oldest first.",
        annotations(
            title = "List notes",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = false
        )
    )]
    async fn list_notes(&self, Parameters(of): Parameters<Of>) -> Result<Json<Answer>, String> {
        let notes = read(&self.file(&of.service)?).await?;
        let message = format!("{} notes about {}", notes.len(), of.service);
        Ok(Json(Answer { success: true, message, notes }))
    }

    #[tool(
        description = "Adds a note about a service.",
        annotations(
            title = "Add a note",
            read_only_hint = false,
            destructive_hint = false,
            idempotent_hint = false,
            open_world_hint = false
        )
    )]
    async fn add_note(&self, Parameters(note): Parameters<Note>) -> Result<Json<Answer>, String> {
        // rmcp checks no schema: what it asks for is asked here once more.
        if note.text.is_empty() || note.text.len() > NOTE_MAX || note.text.contains('\n') {
            return Err(format!("text: one line of at most {NOTE_MAX} bytes is expected"));
        }
        let path = self.file(&note.service)?;
        append(&path, &note.text)
            .await
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        let notes = read(&path).await?;
        let message = format!("a note about {} was added", note.service);
        Ok(Json(Answer { success: true, message, notes }))
    }

    /// The file of a service. Nothing but a plain name gets into a path.
    fn file(&self, service: &str) -> Result<PathBuf, String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if service.is_empty() || service.len() > 64 || !service.chars().all(plain) {
            return Err("service: letters, digits, - and _ only, at most 64".to_owned());
        }
        Ok(self.folder.join(format!("{service}.txt")))
    }
}

#[tool_handler(router = self.tool_router, name = "notes", instructions = "Runbook notes about services.")]
impl ServerHandler for Server {}

async fn append(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut file = tokio::fs::OpenOptions::new().append(true).create(true).open(path).await?;
    file.write_all(format!("{text}\n").as_bytes()).await?;
    file.sync_data().await
}

async fn read(path: &Path) -> Result<Vec<String>, String> {
    let text = match tokio::fs::read_to_string(path).await {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(format!("cannot read {}: {e}", path.display())),
    };
    let begin = text.len().saturating_sub(FILE_MAX);
    Ok(text.get(begin..).unwrap_or_default().lines().map(str::to_owned).collect())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::var_os("NOTES_DIR").ok_or("NOTES_DIR names no folder for the notes")?;
    Server::new(PathBuf::from(folder)).serve(rmcp::transport::stdio()).await?.waiting().await?;
    Ok(())
}
