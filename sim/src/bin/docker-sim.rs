//! `docker-sim`: a simulated Docker engine on a unix socket.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use docker_sim::engine::Engine;
use docker_sim::refused::Refused;
use docker_sim::scenario::{self, Size};
use docker_sim::server::Server;
use docker_sim::version::Api;
use docker_sim::world::{Setting, World};
use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

/// A simulated Docker engine: nothing is run, containers and their faults are data
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where it listens
    #[arg(long, default_value = "/tmp/docker-sim.sock")]
    socket: PathBuf,
    /// What there is at the start
    #[arg(long, value_enum, default_value_t = Start::Shop)]
    world: Start,
    /// API version, 1.40 to 1.53
    #[arg(long, default_value_t)]
    api: Api,
    /// Generation of control groups: 1 or 2
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    cgroup: u8,
    /// Everything that looks random comes from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How fast the clock runs
    #[arg(long, default_value_t = 1.0)]
    factor: f64,
    /// Of a large world: containers that run
    #[arg(long, default_value_t = 500)]
    running: usize,
    /// Of a large world: containers that ended
    #[arg(long, default_value_t = 30_000)]
    stopped: usize,
    /// Of a large world: log lines in a second, all together
    #[arg(long, default_value_t = 1000.0)]
    rate: f64,
    /// Containers outlive a restart of the daemon
    #[arg(long)]
    live_restore: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Start {
    /// Nothing
    Empty,
    /// Five services that depend on each other
    Shop,
    /// Many containers
    Many,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if writeln!(std::io::stderr(), "docker-sim: {error}").is_err() {
                // Nobody is there to read it.
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let world = world(&arguments).map_err(|refused| refused.to_string())?;
    let engine = Engine::new(world);
    engine.set_pace(arguments.factor);
    let failed = |e: std::io::Error| format!("{}: {e}", arguments.socket.display());
    let server = Server::start(engine, &arguments.socket).map_err(failed)?;
    writeln!(std::io::stdout(), "DOCKER_HOST={}", server.url()).map_err(|e| e.to_string())?;
    let mut term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut int = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

fn world(arguments: &Arguments) -> Result<World, Refused> {
    let setting = Setting {
        api: arguments.api,
        cgroup: arguments.cgroup,
        seed: arguments.seed,
        live_restore: arguments.live_restore,
        log_lines: if arguments.world == Start::Many { 400 } else { 2000 },
        ..Setting::default()
    };
    let now = Timestamp::now();
    match arguments.world {
        Start::Empty => Ok(World::new(setting, now)),
        Start::Shop => scenario::shop(setting, now),
        Start::Many => {
            let size = Size {
                running: arguments.running,
                stopped: arguments.stopped,
                lines_per_second: arguments.rate,
            };
            scenario::many(setting, now, size)
        }
    }
}
