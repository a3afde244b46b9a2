//! The server as a binary of its own: settings from the environment, log on standard error.

use std::process::ExitCode;

use mcp_kit::serve::Listen;

#[tokio::main]
async fn main() -> ExitCode {
    mcp_kit::serve::log_to_stderr();
    let variable = |name: &str| std::env::var(name).ok();
    let settings = mcp_kit::Settings::from_environment(variable);
    let listening = |address| tracing::info!("serving MCP at {address}");
    let ended = match Listen::from_arguments(std::env::args().skip(1), variable) {
        Ok(listen) => config_patcher::serve(settings, listen, listening).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("config-patcher: {error}");
            ExitCode::FAILURE
        }
    }
}
