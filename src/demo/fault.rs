//! The faults of the demo. Each breaks the stack from the inside, as life does: nothing goes
//! through the engine in a way that looks like an operator's wish.

use bollard::Docker;
use bollard::exec::{CreateExecOptions, StartExecResults};
use clap::ValueEnum as _;
use color_eyre::eyre::{Result, WrapErr as _};
use futures_util::TryStreamExt as _;

use crate::cli::Scenario;
use crate::demo::{image, stack};

/// A fault as the menu shows it.
pub fn words(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::Crash => "crash: demo-api's process ends with an error",
        Scenario::Oom => "oom: demo-worker uses more memory than its limit",
        Scenario::Hang => "hang: demo-api stops answering its health check",
        Scenario::DependencyDown => "dependency down: demo-data dies under the others",
        Scenario::BadConfig => "bad config: demo-worker is deployed without a setting",
        Scenario::ErrorBurst => "error burst: demo-api fails most requests",
    }
}

/// All faults, in the menu's order.
pub fn all() -> &'static [Scenario] {
    Scenario::value_variants()
}

/// Breaks the stack.
pub async fn inject(docker: &Docker, scenario: Scenario) -> Result<()> {
    match scenario {
        Scenario::Crash => ask(docker, "demo-api", "/fault/crash").await,
        Scenario::Oom => ask(docker, "demo-worker", "/fault/oom").await,
        Scenario::Hang => ask(docker, "demo-api", "/fault/hang").await,
        Scenario::DependencyDown => ask(docker, "demo-data", "/fault/crash").await,
        Scenario::BadConfig => stack::misconfigure_worker(docker).await,
        Scenario::ErrorBurst => ask(docker, "demo-api", "/fault/errors").await,
    }
}

/// Asks a service from inside its own container.
async fn ask(docker: &Docker, container: &str, path: &str) -> Result<()> {
    let exec = docker
        .create_exec(
            container,
            CreateExecOptions {
                cmd: Some(vec![image::EXECUTABLE, "demo-service", "probe", path]),
                attach_stdout: Some(true),
                attach_stderr: Some(true),
                ..Default::default()
            },
        )
        .await
        .wrap_err_with(|| {
            format!("{container} is not running; approve its fix or start it first")
        })?;
    if let StartExecResults::Attached { output, .. } = docker.start_exec(&exec.id, None).await? {
        // The answer may be cut off by the very fault that was asked for.
        if let Err(error) = output.try_collect::<Vec<_>>().await {
            tracing::debug!("the fault's answer was cut off: {error}");
        }
    }
    Ok(())
}
