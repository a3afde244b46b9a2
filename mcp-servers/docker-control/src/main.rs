//! The server as a binary of its own: settings from the environment, log on standard error.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    mcp_kit::serve::log_to_stderr();
    let settings = mcp_kit::Settings::from_environment(|name| std::env::var(name).ok());
    match docker_control::serve_stdio(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("docker-control: {error}");
            ExitCode::FAILURE
        }
    }
}
