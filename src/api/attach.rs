//! The client end: a [`Handle`] over an instance that runs
//! elsewhere, kept up to date over its WebSocket. Start at [`open`].
//!
//! A connection that is lost is told as a degraded part and tried again; meanwhile nothing that is
//! asked is kept for later.

mod link;
mod mirror;
pub mod target;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sentinel_core::domain::snapshot::{CONNECTION_PART, Degraded, Snapshot};
use thiserror::Error;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::api::attach::link::{Link, LinkError};
use crate::api::attach::mirror::Mirror;
use crate::api::attach::target::Target;
use crate::api::words::PROTOCOL;
use crate::runtime::far::{self, Far};
use crate::runtime::handle::Handle;

/// The first wait before a further try; each is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest one.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Why an instance cannot be shown.
#[derive(Debug, Error)]
pub enum AttachError {
    /// It does not answer, or not as expected.
    #[error("cannot attach to {url}: {why}")]
    Link {
        /// Which.
        url: String,
        /// Why.
        why: String,
    },
    /// It speaks another version.
    #[error(
        "{url} runs sentinel-tui {theirs}, which speaks otherwise than this version {ours}: use the same version on both ends"
    )]
    Version {
        /// Which.
        url: String,
        /// Its version.
        theirs: String,
        /// Ours.
        ours: &'static str,
    },
}

impl AttachError {
    fn of(target: &Target, error: LinkError) -> Self {
        let url = target.url.clone();
        match error {
            LinkError::Version(theirs) => {
                Self::Version { url, theirs, ours: env!("CARGO_PKG_VERSION") }
            }
            other => Self::Link { url, why: other.to_string() },
        }
    }
}

/// An instance elsewhere, connected.
#[derive(Debug)]
pub struct Attached {
    target: Target,
    far: Far,
    link: Link,
}

/// Connects, and waits for the first state of everything.
pub async fn open(target: Target) -> Result<(Handle, Attached), AttachError> {
    let failed = |error| AttachError::of(&target, error);
    let mut link = Link::open(&target, None).await.map_err(failed)?;
    let first = link.first_view().await.map_err(failed)?;
    let (handle, far) = far::handle(first);
    Ok((handle, Attached { target, far, link }))
}

impl Attached {
    /// Keeps the handle up to date until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let Self { target, mut far, link } = self;
        tokio::select! {
            () = stop.cancelled() => {}
            () = keep(&target, &mut far, link) => {}
        }
    }
}

async fn keep(target: &Target, far: &mut Far, first: Link) {
    let mut next = Some(first);
    let mut wait = FIRST_WAIT;
    let mut lost = Timestamp::now();
    let mut place = None;
    loop {
        let why = match next.take() {
            Some(link) => {
                let mut mirror = Mirror::new(link, place.take());
                let ended = mirror.run(far).await;
                place = Some(mirror.place());
                (lost, wait) = (Timestamp::now(), FIRST_WAIT);
                ended
            }
            None => match Link::open(target, place.clone()).await {
                Ok(link) => {
                    next = Some(link);
                    continue;
                }
                Err(error) => error,
            },
        };
        let wait_now = jittered(wait);
        wait = (wait * 2).min(LONGEST_WAIT);
        tell(far, &target.url, &why, lost, wait_now);
        refuse_until(far, Instant::now() + wait_now, &target.url).await;
    }
}

/// Somewhat more or less, so that many terminals do not come back at the same moment.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.75 + 0.5 * fastrand::f64())
}

/// Says in the state of everything that it is old, why, and when the next try is.
fn tell(far: &Far, url: &str, why: &LinkError, lost: Timestamp, wait: Duration) {
    let next = Timestamp::now() + wait;
    let next = next.to_zoned_datetime(TimeZone::system()).strftime("%H:%M:%S");
    let why = match why {
        LinkError::Version(theirs) => format!(
            "it runs sentinel-tui {theirs} now, which does not speak protocol {PROTOCOL} of this version {}",
            env!("CARGO_PKG_VERSION")
        ),
        other => other.to_string(),
    };
    let detail = format!("next try {next}, no connection to {url}: {why}; what is shown is old");
    far.snapshots.send_modify(|snapshot| *snapshot = Arc::new(old(snapshot, lost, detail)));
}

fn old(snapshot: &Snapshot, since: Timestamp, detail: String) -> Snapshot {
    let mut old = snapshot.clone();
    old.degraded.retain(|part| part.part != CONNECTION_PART);
    let part = CONNECTION_PART.to_owned();
    old.degraded.insert(0, Degraded { part, detail, since });
    old.version += 1;
    old
}

/// Refuses what is asked until then: nobody must find later that an old wish was carried out.
async fn refuse_until(far: &mut Far, until: Instant, url: &str) {
    loop {
        tokio::select! {
            () = sleep_until(until) => return,
            request = far.asked() => {
                let Some(request) = request else { return };
                let words = format!("there is no connection to {url}: nothing was asked of it");
                if request.reply.send(Err(words)).is_err() {
                    tracing::debug!("nobody waits for an answer any more");
                }
            }
        }
    }
}
