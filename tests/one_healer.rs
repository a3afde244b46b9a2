//! Several instances that watch the same engine, as from several machines: one of them heals.

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt as _;
use sha2::{Digest as _, Sha256};
use support::process::Headless;
use support::redis::Redis;
use support::{CRASHES, Corner, Fallible};

/// How long a lease whose holder died, and the next try after it, may take.
const TAKEN_OVER: Duration = Duration::from_mins(2);

fn runs() -> Fallible<usize> {
    Ok(std::env::var("SENTINEL_HEALER_RUNS").map_or(Ok(2), |text| text.parse())?)
}

/// How often the engine started a container since then.
async fn starts(corner: &Corner, id: &str, since: i64) -> usize {
    let now = jiff::Timestamp::now().as_second() + 1;
    let filters = std::collections::HashMap::from([
        ("container".to_owned(), vec![id.to_owned()]),
        ("event".to_owned(), vec!["start".to_owned()]),
    ]);
    let options = EventsOptionsBuilder::default()
        .since(&since.to_string())
        .until(&now.to_string())
        .filters(&filters)
        .build();
    corner.docker.events(Some(options)).count().await
}

fn instance(corner: &Corner, folder: &Path, redis: &Redis) -> Fallible<Headless> {
    let variables = [("REDIS_URL", redis.url())];
    Headless::start_with(corner, folder, &["--auto-heal"], &variables)
}

/// Whether the lease is that of the instance with this folder.
fn is_of(holder: &str, folder: &Path) -> bool {
    let state = folder.join("state").display().to_string();
    let digest = Sha256::digest(state.as_bytes());
    let mark = digest.iter().take(4).fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte));
    holder.contains(&format!("-{mark:08x}/"))
}

async fn lease_key(corner: &Corner, id: &str) -> Fallible<String> {
    let host = corner.docker.info().await?.name.ok_or("the engine has no name")?;
    Ok(format!("sentinel:{{{host}}}:lease:{id}"))
}

#[tokio::test]
#[ignore = "needs a Docker engine and redis-server: run scripts/test.sh"]
async fn of_two_instances_one_heals() -> Fallible {
    let redis = Redis::start()?;
    let mut told = 0;
    for _ in 0..runs()? {
        let corner = Corner::new("healer")?;
        let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
        let id = corner.run("api", CRASHES).await?;
        let mut first = instance(&corner, folders[0].path(), &redis)?;
        let mut second = instance(&corner, folders[1].path(), &redis)?;
        let since = jiff::Timestamp::now().as_second();
        let began = starts(&corner, &id, since).await;
        corner.crash("api").await?;
        // Both see it end well, and only one of them did something for it.
        for app in [&mut first, &mut second] {
            app.until("incident_resolved", |_| true)?;
        }
        let applied = first.all("fix_applied").len() + second.all("fix_applied").len();
        assert_eq!(starts(&corner, &id, since).await - began, 1, "the engine started it once");
        assert_eq!(applied, 1, "one of them called the tool");
        let refused = |event: &&serde_json::Value| {
            event["reason"].as_str().is_some_and(|why| why.contains("there is no lease to act"))
        };
        told += [&first, &second]
            .map(|a| a.all("fix_stale").into_iter().filter(refused).count())
            .iter()
            .sum::<usize>();
        assert_eq!((first.stop()?, second.stop()?), (0, 0));
    }
    eprintln!("{} runs: healed once in each; {told} times a lease was refused", runs()?);
    Ok(())
}

/// The holder dies as soon as it has the lease: before its call or just after it.
#[tokio::test]
#[ignore = "needs a Docker engine and redis-server: run scripts/test.sh"]
async fn when_the_holder_is_killed_another_one_heals_unless_it_was_done() -> Fallible {
    let redis = Redis::start()?;
    let mut look = redis.connection()?;
    let (mut before, mut after) = (0, 0);
    for _ in 0..runs()? {
        let corner = Corner::new("holder")?;
        let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
        let id = corner.run("api", CRASHES).await?;
        let key = lease_key(&corner, &id).await?;
        let mut first = instance(&corner, folders[0].path(), &redis)?;
        let mut second = instance(&corner, folders[1].path(), &redis)?;
        let since = jiff::Timestamp::now().as_second();
        let began = starts(&corner, &id, since).await;
        corner.crash("api").await?;
        let deadline = Instant::now() + TAKEN_OVER;
        let holder: String = loop {
            if let Some(value) = redis::cmd("GET").arg(&key).query(&mut look)? {
                break value;
            }
            assert!(Instant::now() < deadline, "nobody took the lease");
        };
        let other = if is_of(&holder, folders[0].path()) {
            first.kill()?;
            &mut second
        } else {
            assert!(is_of(&holder, folders[1].path()), "{holder}");
            second.kill()?;
            &mut first
        };
        if corner.running_since("api").await?.is_some() {
            after += 1;
        } else {
            before += 1;
        }
        let deadline = Instant::now() + TAKEN_OVER;
        while other.all("incident_resolved").is_empty() {
            assert!(Instant::now() < deadline, "nobody healed it: {:?}", other.events);
            other.after(Duration::from_millis(100));
        }
        assert!(corner.running_since("api").await?.is_some());
        assert_eq!(starts(&corner, &id, since).await - began, 1, "the engine started it once");
        assert_eq!(other.stop()?, 0);
    }
    eprintln!("{before} killed before the container ran again, {after} after; healed once in each");
    Ok(())
}
