//! Which of several instances that watch one engine may act on a container.
//!
//! A lease is a key that lapses by itself; it is taken and numbered in one script, renewed while the
//! work goes on, and compared right before each call. Where Redis cannot be asked there is no lease:
//! what another instance does at the same moment could not be known.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use redis::{RedisError, Script};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::redact;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};

use crate::bus::keys::Keys;
use crate::bus::place::{Link, Place, RedisFailure};
use crate::bus::publish::ms;
use crate::ports::{Lease, Leases, PortError};

/// A lease that is not renewed lapses after this.
const HOLDS: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(5);
/// A lease counts as held only so long after Redis said so.
const SURE: Duration = Duration::from_secs(10);
/// Bytes of the name of who has a lease.
const NAME: usize = 128;

const TAKE: &str = include_str!("take.lua");
const RENEW: &str = include_str!("renew.lua");
const RELEASE: &str = include_str!("release.lua");

/// Leases kept in Redis.
pub struct RedisLeases {
    at: Arc<At>,
}

/// Where leases are, and for whom they are taken.
struct At {
    place: Arc<Place>,
    keys: Keys,
    /// This run of this instance.
    who: String,
    /// How long others keep off after an act.
    rest: Duration,
    link: Mutex<Option<Link>>,
}

impl At {
    /// Runs a script on the connection that there is, or on a new one.
    async fn run<T: redis::FromRedisValue>(
        &self,
        script: &str,
        keys: &[String],
        arguments: &[String],
    ) -> Result<T, RedisFailure> {
        let mut kept = self.link.lock().await;
        let mut link = match kept.take() {
            Some(link) => link,
            None => self.place.connect().await?,
        };
        match invoke(&mut link, script, keys, arguments).await {
            Ok(answer) => {
                *kept = Some(link);
                Ok(answer)
            }
            // Redis may have been restarted since: once more. Each script may be run twice.
            Err(error) if error.is_io_error() || error.is_connection_dropped() => {
                let mut link = self.place.connect().await?;
                let again = invoke(&mut link, script, keys, arguments).await;
                let answer = again.map_err(|error| self.place.failure(&error))?;
                *kept = Some(link);
                Ok(answer)
            }
            Err(error) => Err(self.place.failure(&error)),
        }
    }
}

async fn invoke<T: redis::FromRedisValue>(
    link: &mut Link,
    script: &str,
    keys: &[String],
    arguments: &[String],
) -> Result<T, RedisError> {
    let script = Script::new(script);
    let mut call = script.prepare_invoke();
    for key in keys {
        call.key(key);
    }
    for argument in arguments {
        call.arg(argument);
    }
    call.invoke_async(link).await
}

impl RedisLeases {
    /// For one run of one instance; `rest`: how long the policies of others leave a container alone
    /// that this one acted on.
    pub fn new(place: Arc<Place>, host: &str, who: &str, rest: Duration) -> Self {
        let (keys, who) = (Keys::of(host), who.to_owned());
        Self { at: Arc::new(At { place, keys, who, rest, link: Mutex::default() }) }
    }

    async fn take_one(
        at: &Arc<At>,
        container: &ContainerId,
        by_person: bool,
    ) -> Result<Held, PortError> {
        let asked = Instant::now();
        let keys = [at.keys.lease(container), at.keys.rest(container), at.keys.fence()];
        let by = if by_person { "person" } else { "policy" };
        let arguments = [at.who.clone(), ms(HOLDS).to_string(), by.to_owned()];
        let answer: (u64, String, i64, String) =
            at.run(TAKE, &keys, &arguments).await.map_err(|failure| unknown(&failure))?;
        let (token, holder, left, how) = answer;
        if token == 0 {
            let holder = redact::clean(holder.as_bytes(), NAME);
            let seconds = left.max(0) / 1000 + 1;
            let what = if how == "acted" { "acted on it and" } else { "has it and" };
            return Err(PortError(format!(
                "the instance {holder} {what} keeps it for {seconds} s more"
            )));
        }
        Ok(Held { container: container.clone(), token, until: asked + SURE })
    }
}

fn unknown(failure: &RedisFailure) -> PortError {
    PortError(format!("whether another instance acts cannot be known: {failure}"))
}

impl Leases for RedisLeases {
    fn take(
        &self,
        of: Vec<ContainerId>,
        by_person: bool,
    ) -> BoxFuture<'_, Result<Box<dyn Lease>, PortError>> {
        Box::pin(async move {
            let mut held = Vec::with_capacity(of.len());
            for container in &of {
                match Self::take_one(&self.at, container, by_person).await {
                    Ok(one) => held.push(one),
                    Err(why) => {
                        release(&self.at, &held, Duration::ZERO).await;
                        return Err(why);
                    }
                }
            }
            let held = Arc::new(Mutex::new(held));
            let (at, renewed) = (Arc::clone(&self.at), Arc::clone(&held));
            let renewing = Renewing(tokio::spawn(renew(at, renewed)));
            Ok(Box::new(RedisLease { at: Arc::clone(&self.at), held, renewing }) as Box<dyn Lease>)
        })
    }
}

/// One container's lease.
#[derive(Clone, Debug)]
struct Held {
    container: ContainerId,
    token: u64,
    /// Until when it is sure to be held, by the clock of this process.
    until: Instant,
}

impl Held {
    fn value(&self, at: &At) -> String {
        format!("{} {}", self.token, at.who)
    }
}

/// The task that renews, ended with the lease.
struct Renewing(JoinHandle<()>);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct RedisLease {
    at: Arc<At>,
    held: Arc<Mutex<Vec<Held>>>,
    renewing: Renewing,
}

impl Lease for RedisLease {
    fn holds(&self) -> BoxFuture<'_, Result<(), PortError>> {
        Box::pin(async move {
            renew_once(&self.at, &self.held).await?;
            // The answer may have taken its time, or this process slept.
            let held = self.held.lock().await;
            let now = Instant::now();
            if held.iter().all(|one| one.until > now) {
                Ok(())
            } else {
                Err(PortError("Redis answered too late".to_owned()))
            }
        })
    }

    fn end(self: Box<Self>, acted: bool) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let Self { at, held, renewing } = *self;
            drop(renewing);
            let rest = if acted { at.rest } else { Duration::ZERO };
            release(&at, &held.lock().await, rest).await;
        })
    }
}

/// Keeps leases from lapsing until it is aborted. What is lost is seen at the next act.
async fn renew(at: Arc<At>, held: Arc<Mutex<Vec<Held>>>) {
    let mut ticks = interval(RENEWED);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        if let Err(why) = renew_once(&at, &held).await {
            tracing::warn!("a lease could not be renewed: {why}");
        }
    }
}

async fn renew_once(at: &Arc<At>, held: &Mutex<Vec<Held>>) -> Result<(), PortError> {
    let mut held = held.lock().await;
    for one in held.iter_mut() {
        let asked = Instant::now();
        let keys = [at.keys.lease(&one.container)];
        let arguments = [one.value(at), ms(HOLDS).to_string()];
        let still: i64 =
            at.run(RENEW, &keys, &arguments).await.map_err(|failure| unknown(&failure))?;
        if still != 1 {
            let short = one.container.short();
            return Err(PortError(format!("the lease {} on {short} was lost", one.token)));
        }
        one.until = asked + SURE;
    }
    Ok(())
}

/// What cannot be given back lapses by itself.
async fn release(at: &Arc<At>, held: &[Held], rest: Duration) {
    for one in held {
        let keys = [at.keys.lease(&one.container), at.keys.rest(&one.container)];
        let arguments = [one.value(at), at.who.clone(), ms(rest).to_string()];
        if let Err(failure) = at.run::<i64>(RELEASE, &keys, &arguments).await {
            tracing::debug!("a lease was not given back: {failure}");
        }
    }
}
