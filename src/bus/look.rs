//! What `doctor` wants to know of Redis.

use redis::InfoDict;

use crate::bus::place::{Link, Place, RedisFailure};
use crate::config::bus::BusSettings;

/// What a Redis says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The address without anything secret.
    pub place: String,
    /// Its version, where it may be asked.
    pub version: Option<String>,
    /// Whether what it acknowledged outlives a crash of it.
    pub durable: Option<bool>,
    /// Whether it throws away what was not asked for when memory is short.
    pub evicts: Option<bool>,
}

/// Connects, logs in, and asks; changes nothing.
pub async fn look(settings: &BusSettings) -> Result<Looked, RedisFailure> {
    let place = Place::new(settings)?;
    let mut link = place.connect().await?;
    let failed = |error| place.failure(&error);
    redis::cmd("PING").query_async::<()>(&mut link).await.map_err(failed)?;
    // Scripts carry everything: a login that may not run them is of no use.
    let ran = redis::cmd("EVAL").arg("return 1").arg(0).query_async::<i64>(&mut link).await;
    ran.map_err(failed)?;
    let shown = place.shown().to_owned();
    let (version, durable, evicts) = match &mut link {
        // Each node has its own answer.
        Link::Cluster(_) => (None, None, None),
        link @ Link::Single(_) => {
            // A login need not be allowed to ask.
            let said = redis::cmd("INFO").query_async::<InfoDict>(link).await.ok();
            let of = |name: &str| said.as_ref().and_then(|said| said.get::<String>(name));
            let durable = of("aof_enabled").map(|on| on == "1");
            let evicts = of("maxmemory_policy").map(|policy| policy != "noeviction");
            (of("redis_version"), durable, evicts)
        }
    };
    Ok(Looked { place: shown, version, durable, evicts })
}
