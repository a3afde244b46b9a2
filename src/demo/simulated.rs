//! The engine of a demo on a machine that has none: simulated, in this process, on a socket that
//! only this user can reach.

use std::io;
use std::path::Path;

use color_eyre::eyre::{Result, WrapErr as _};
use docker_sim::engine::Engine;
use docker_sim::server::Server;
use docker_sim::version::Api;
use docker_sim::world::{Setting, World};
use jiff::Timestamp;
use tempfile::TempDir;

/// A simulated engine, gone when this is dropped.
#[derive(Debug)]
pub struct Simulation {
    server: Server,
    // After the server, whose socket is in it.
    _folder: TempDir,
}

impl Simulation {
    /// The image that the stack runs from.
    pub const IMAGE: &str = "sentinel-demo:simulated";
    /// What people are told.
    pub const WORDS: &str = "SIMULATED: the engine, its containers, their logs and resources are made up inside this program, while detection, diagnosis, approval and the fix tools are the real ones; for the real thing install Docker (`apt-get install docker.io`), start it, and run `sentinel-tui demo` again";

    /// Starts one, with its socket below `folder` or below the machine's folder for such files.
    pub fn start(folder: Option<&Path>) -> Result<Self> {
        let mut named = tempfile::Builder::new();
        let named = named.prefix("sentinel-sim-");
        let made: io::Result<TempDir> = match folder {
            Some(folder) => named.tempdir_in(folder),
            None => named.tempdir(),
        };
        let folder = made.wrap_err("cannot make a folder for the simulated engine's socket")?;
        let setting = Setting {
            // Later ones begin their health checks five seconds late.
            api: Api::BEFORE_START_INTERVAL,
            ..Setting::default()
        };
        let mut world = World::new(setting, Timestamp::now());
        world.add_image(Self::IMAGE, serde_json::Map::new());
        let server = Server::start(Engine::new(world), &folder.path().join("engine.sock"))
            .wrap_err("the simulated engine cannot listen")?;
        Ok(Self { server, _folder: folder })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }
}
