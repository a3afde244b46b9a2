//! The Engine API on a unix socket. Thin: what happens is decided in [`crate::world`].

use std::io;
use std::path::{Path, PathBuf};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::engine::Engine;
use crate::world::World;

mod answer;
mod asked;
mod containers;
mod control;
mod request;
mod streams;
mod things;

/// Connections at once; further ones wait in the socket's own queue.
const CONNECTIONS: usize = 4096;

/// A running server.
#[derive(Debug)]
pub struct Server {
    /// The engine behind it.
    pub engine: Engine,
    path: PathBuf,
    stop: CancellationToken,
}

impl Server {
    /// Begins to listen; the engine's clock runs from now on. Needs a tokio runtime around it.
    pub fn start(engine: Engine, path: &Path) -> io::Result<Self> {
        let listener = listen(path)?;
        let stop = CancellationToken::new();
        let server = Self { engine, path: path.to_owned(), stop };
        let (engine, stop) = (server.engine.clone(), server.stop.clone());
        tokio::spawn(async move { engine.run(stop).await });
        tokio::spawn(serve(
            server.engine.clone(),
            listener,
            server.path.clone(),
            server.stop.clone(),
        ));
        Ok(server)
    }

    /// Where it listens, as clients want it.
    pub fn url(&self) -> String {
        format!("unix://{}", self.path.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
        forget(&self.path);
    }
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there already"));
    }
    // What a killed process left behind.
    forget(path);
    UnixListener::bind(path)
}

fn forget(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!("the socket {} stays behind: {error}", path.display());
    }
}

async fn serve(engine: Engine, first: UnixListener, path: PathBuf, stop: CancellationToken) {
    let mut restarts = engine.watch_restarts();
    let mut listener = first;
    loop {
        let cut = stop.child_token();
        let ended = tokio::select! {
            () = accept(&engine, &listener, &cut) => true,
            changed = restarts.changed() => changed.is_err(),
            () = stop.cancelled() => true,
        };
        cut.cancel();
        if ended {
            return;
        }
        drop(listener);
        forget(&path);
        let away = restarts.borrow_and_update().1;
        tokio::select! {
            () = tokio::time::sleep(away) => {}
            () = stop.cancelled() => return,
        }
        engine.change(World::daemon_begins);
        listener = match listen(&path) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!("cannot listen on {} again: {error}", path.display());
                return;
            }
        };
    }
}

async fn accept(engine: &Engine, listener: &UnixListener, cut: &CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let (engine, cut) = (engine.clone(), cut.clone());
        connections.spawn(async move {
            let service = service_fn(|request| request::answer(engine.clone(), request));
            let connection = http1::Builder::new()
                // A connection that is kept may be quiet for long.
                .header_read_timeout(None)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::select! {
                result = connection => if let Err(error) = result {
                    tracing::debug!("a connection ended: {error}");
                },
                () = cut.cancelled() => {}
            }
        });
    }
}
