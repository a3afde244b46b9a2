//! The listening end: a thread and a runtime of its own, bounded connections, heads that have to
//! come in time.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::hash::sha256_hex;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::api::follow::History;
use crate::api::house::{House, SOCKETS};
use crate::api::pace::Pace;
use crate::api::records::Records;
use crate::api::room::{Place, Room};
use crate::api::routes::router;
use crate::api::token;
use crate::config::api::ApiSettings;
use crate::runtime::handle::Handle;

/// How long the head of a request may take, the wait for it included.
const HEAD: Duration = Duration::from_secs(10);
/// Bytes of a head.
const HEAD_BYTES: usize = 16 * 1024;
/// Header fields.
const HEADERS: usize = 64;
/// How long a connection may stay that does not become a WebSocket.
const LONGEST: Duration = Duration::from_mins(2);
/// Characters that name a run.
const RUN: usize = 16;
/// A token with fewer characters is told.
const SHORT: usize = 16;
/// After an error of the machine (no descriptors left), before the next connection is taken.
const BREATH: Duration = Duration::from_millis(100);

/// Why the API is not served.
#[derive(Debug, Error)]
pub enum ServeError {
    /// The address cannot be used.
    #[error("the API cannot listen at {address}: {source}; name another one with --api")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There is no token.
    #[error("the API's token {path} cannot be used: {source}; set API_TOKEN, or mend the file")]
    Token {
        /// Where it is kept.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The machine refused a thread or a runtime.
    #[error("the API cannot start: {0}")]
    System(#[from] io::Error),
}

/// What the API is made from.
#[derive(Debug)]
pub struct Setup {
    /// Where and for whom.
    pub settings: ApiSettings,
    /// Where a token that is made is kept.
    pub state_dir: PathBuf,
    /// What a front end holds.
    pub handle: Handle,
    /// The record on disk.
    pub records: Records,
}

/// Opens the port and serves on a thread of its own until `stop`. Must be called before the run
/// loop begins, so that no event is missed. Gives the address that is listened at.
pub fn start(setup: Setup, stop: CancellationToken) -> Result<SocketAddr, ServeError> {
    let Setup { settings, state_dir, handle, records } = setup;
    let address = settings.listen;
    let failed = |source| ServeError::Listen { address, source };
    let listener = StdListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    let token = match settings.token {
        Some(token) => {
            if token.reveal().len() < SHORT {
                tracing::warn!("API_TOKEN is shorter than {SHORT} characters: easy to guess");
            }
            token
        }
        None => token::kept_or_made(&state_dir)
            .map_err(|source| ServeError::Token { path: token::path(&state_dir), source })?,
    };
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let events = handle.subscribe();
    let house = House {
        handle,
        history: History::default(),
        records,
        token,
        hosts: settings.hosts,
        reads_are_open: bound.ip().is_loopback(),
        run: sha256_hex(&random).chars().take(RUN).collect(),
        known: Pace::new(200.0, 50.0),
        anybody: Pace::new(100.0, 25.0),
        wrong: Pace::new(20.0, 1.0),
        refused: AtomicU64::new(0),
        sockets: Arc::new(Semaphore::new(SOCKETS)),
        views: Mutex::default(),
        stop,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new()
        .name("api".to_owned())
        .spawn(move || runtime.block_on(serve(listener, Arc::new(house), events)))?;
    Ok(bound)
}

async fn serve(
    listener: StdListener,
    house: Arc<House>,
    events: broadcast::Receiver<Arc<Envelope>>,
) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!("the API is not served: {error}");
            return;
        }
    };
    let following = Arc::clone(&house);
    tokio::spawn(async move { following.history.follow(events).await });
    let room = Arc::new(Room::default());
    let router = router(Arc::clone(&house));
    loop {
        let (stream, from) = tokio::select! {
            () = house.stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::debug!("the API's port: {error}");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        // Beyond the bound a connection is closed at once: one that waits would be an open file.
        let Some(place) = room.take(from.ip()) else {
            house.refused.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            continue;
        };
        tokio::spawn(connection(stream, from, Arc::new(place), router.clone()));
    }
}

async fn connection(stream: TcpStream, from: SocketAddr, place: Arc<Place>, router: Router) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("small answers to {from} may wait: {error}");
    }
    let service = tower_service(router, from, Arc::clone(&place));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    match timeout(LONGEST, serving).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a connection of the API ended: {error}"),
        Err(_) => tracing::debug!("a connection of the API was cut off after {LONGEST:?}"),
    }
    drop(place);
}

/// The router, told who is connected.
fn tower_service(
    router: Router,
    from: SocketAddr,
    place: Arc<Place>,
) -> impl hyper::service::Service<
    hyper::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    let routes = TowerToHyperService::new(router);
    hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(from);
        request.extensions_mut().insert(Arc::clone(&place));
        hyper::service::Service::call(&routes, request)
    })
}
