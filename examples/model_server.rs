//! A language model that follows a script: the wire formats of OpenRouter and Cerebras, and their
//! faults, for scripts and for trying things out without a key.
//!
//!     cargo run --example model_server -- script.json [record.jsonl] [127.0.0.1:11434]
//!
//! Script: `{"flavour": "cerebras", "models": ["m"], "rules": [{"when": "text of the question",
//! "times": 1, "act": {"json": {"a": 1}}}]}`; `tests/models/script.rs` has all acts. The first line
//! on standard output is the address to use as `CEREBRAS_API_BASE` or `LLAMA_API_BASE`; each
//! question becomes a line of the record.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use server::Server;
use server::script::Script;

#[path = "../tests/models/server.rs"]
mod server;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let script = arguments.next().ok_or("usage: model_server SCRIPT [RECORD] [ADDRESS]")?;
    let record = arguments.next().filter(|name| !name.is_empty()).map(PathBuf::from);
    let address: SocketAddr =
        arguments.next().unwrap_or_else(|| "127.0.0.1:0".to_owned()).parse()?;
    let text =
        std::fs::read_to_string(&script).map_err(|e| format!("cannot read {script}: {e}"))?;
    let script = Script::parse(&text).map_err(|e| format!("{script}: {e}"))?;
    let server = Server::listen(address, script, record)?;
    writeln!(std::io::stdout(), "{}", server.base_url)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(server.ended());
    Ok(())
}
