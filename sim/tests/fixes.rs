//! Worlds that break and react to fixes: the pure core, without a socket or a real clock.

use docker_sim::container::Status;
use docker_sim::log::Select;
use docker_sim::query::Filters;
use docker_sim::refused::Refused;
use docker_sim::scenario::{Breakage, Size, break_world, many, shop};
use docker_sim::show::list;
use docker_sim::world::{Setting, World};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

fn start() -> Timestamp {
    Timestamp::new(1_764_000_000, 0).unwrap_or_default()
}

fn pass(world: &mut World, seconds: i64) {
    let to = world.now + SignedDuration::from_secs(seconds);
    while !world.step(to) {}
}

fn broken(how: Breakage, seconds: i64) -> Result<World, Refused> {
    let mut world = shop(Setting::default(), start())?;
    pass(&mut world, 10);
    break_world(&mut world, how)?;
    pass(&mut world, seconds);
    Ok(world)
}

fn status(world: &World, name: &str) -> Option<Status> {
    world.look(name).ok().map(|(_, container)| container.status)
}

fn health(world: &World, name: &str) -> Option<&'static str> {
    world.look(name).ok()?.1.health.as_ref().map(|health| health.status)
}

/// What a container said in the last so many seconds.
fn said(world: &World, name: &str, seconds: i64) -> String {
    let since = Some(world.now - SignedDuration::from_secs(seconds));
    let select = Select { stdout: true, stderr: true, since, ..Select::default() };
    let Ok((_, container)) = world.look(name) else { return String::new() };
    let lines = container.log.read(0, usize::MAX, &select).0;
    let texts: Vec<&str> = lines.map(|line| line.text.as_ref()).collect();
    texts.join("\n")
}

#[test]
fn a_shop_is_healthy_and_says_ordinary_things() {
    let mut world = shop(Setting::default(), start()).unwrap();
    pass(&mut world, 30);
    for name in ["shop-db", "shop-cache", "shop-api", "shop-worker", "shop-web"] {
        assert_eq!(health(&world, name), Some("healthy"), "{name}");
        let text = said(&world, name, 10);
        assert!(text.lines().count() >= 35, "{name}: {text}");
        assert!(!text.contains("ERROR") && !text.contains("refused"), "{name}: {text}");
    }
}

#[test]
fn a_crash_stays_until_it_is_started_again() {
    let mut world = broken(Breakage::Crash, 30).unwrap();
    let (_, api) = world.look("shop-api").unwrap();
    assert_eq!((api.status, api.exit_code, api.oom_killed), (Status::Exited, 1, false));
    assert!(said(&world, "shop-web", 5).contains("api:8080: Connection refused"));
    world.start("shop-api").unwrap();
    pass(&mut world, 10);
    assert_eq!(health(&world, "shop-api"), Some("healthy"));
    assert!(!said(&world, "shop-web", 5).contains("refused"));
}

#[test]
fn a_crash_loop_waits_longer_each_time() {
    let world = broken(Breakage::CrashLoop, 30).unwrap();
    let (_, worker) = world.look("shop-worker").unwrap();
    // 0.1 s, doubled each time: the seventh start comes after 6.3 s of waiting, the eighth after 12.7.
    assert!((6..=8).contains(&worker.restarts), "{}", worker.restarts);
    assert_eq!(worker.exit_code, 2);
}

#[test]
fn a_leak_is_killed_by_the_kernel_and_healed_by_a_higher_limit() {
    let mut world = broken(Breakage::OomLeak, 8).unwrap();
    let deaths = |world: &World| {
        let (events, _) = world.events.read(0);
        events.filter(|e| e.action == "oom").count()
    };
    assert_eq!(deaths(&world), 1);
    let (_, cache) = world.look("shop-cache").unwrap();
    assert_eq!(cache.restarts, 1, "its policy started it again");
    let higher = json!({"Memory": 96 << 20, "MemorySwap": 96 << 20});
    world.update("shop-cache", &higher).unwrap();
    pass(&mut world, 120);
    assert_eq!((deaths(&world), health(&world, "shop-cache")), (1, Some("healthy")));
    let (_, cache) = world.look("shop-cache").unwrap();
    assert_eq!(cache.process.as_ref().map(|p| p.memory), Some(72 << 20));
}

#[test]
fn an_oom_is_told_as_the_engine_tells_it() {
    let mut world = shop(Setting::default(), start()).unwrap();
    pass(&mut world, 5);
    world.inject("shop-api", docker_sim::process::Fault::Oom).unwrap();
    pass(&mut world, 10);
    let (_, api) = world.look("shop-api").unwrap();
    assert_eq!((api.exit_code, api.oom_killed), (137, true));
    let (events, _) = world.events.read(0);
    let told: Vec<&str> = events
        .filter(|e| e.id == api.id)
        .map(|e| e.action.as_str())
        .filter(|a| !a.contains("exec"))
        .collect();
    assert_eq!(told.last_chunk::<2>(), Some(&["oom", "die"]));
    // Everything has a moment of its own, in order: lines, the end, the event that tells it.
    let last = world.last_line(world.find("shop-api").unwrap());
    let (events, _) = world.events.read(0);
    let moments: Vec<Timestamp> = events.map(|e| e.at).collect();
    assert!(moments.windows(2).all(|pair| pair[0] < pair[1]));
    let (events, _) = world.events.read(0);
    let died = events.filter(|e| e.action == "die").map(|e| e.at).last();
    assert!(last < api.finished && api.finished < died, "{last:?} {died:?}");
}

#[test]
fn what_hangs_becomes_unhealthy_and_a_restart_heals_it() {
    let mut world = broken(Breakage::Unhealthy, 10).unwrap();
    assert_eq!(
        (status(&world, "shop-api"), health(&world, "shop-api")),
        (Some(Status::Running), Some("unhealthy"))
    );
    assert!(said(&world, "shop-web", 5).contains("api:8080 did not answer"));
    let (_, api) = world.look("shop-api").unwrap();
    assert!(api.health.as_ref().unwrap().log.back().unwrap().output.contains("timed out"));
    world.restart("shop-api", None).unwrap();
    pass(&mut world, 10);
    assert_eq!(health(&world, "shop-api"), Some("healthy"));
}

#[test]
fn a_dependency_a_network_and_a_pause_are_seen_by_the_callers() {
    let mut world = broken(Breakage::DependencyDown, 10).unwrap();
    assert!(said(&world, "shop-worker", 5).contains("db:5432: Connection refused"));
    world.start("shop-db").unwrap();
    pass(&mut world, 6);
    assert!(!said(&world, "shop-worker", 5).contains("ERROR"));

    let mut world = broken(Breakage::NetworkDetached, 5).unwrap();
    assert!(said(&world, "shop-web", 4).contains("api:8080: failed to lookup"));
    let back = json!({"Container": "shop-api", "EndpointConfig": {"Aliases": ["api"]}});
    world.connect("shop", &back).unwrap();
    pass(&mut world, 6);
    assert!(!said(&world, "shop-web", 5).contains("ERROR"));

    let mut world = broken(Breakage::Paused, 5).unwrap();
    assert!(said(&world, "shop-api", 4).contains("db:5432 did not answer"));
    assert_eq!(said(&world, "shop-db", 4), "", "what is frozen says nothing");
    world.unpause("shop-db").unwrap();
    pass(&mut world, 6);
    assert!(!said(&world, "shop-api", 5).contains("did not answer"));
}

#[test]
fn a_bad_deploy_and_a_burst_show_in_the_log() {
    let world = broken(Breakage::BadDeploy, 5).unwrap();
    assert!(said(&world, "shop-worker", 5).contains("DATABASE_URL is required"));
    assert_eq!(world.look("shop-worker").unwrap().1.exit_code, 78);
    let mut world = broken(Breakage::ErrorBurst, 5).unwrap();
    assert!(said(&world, "shop-api", 5).contains("upstream returned 502"));
    pass(&mut world, 30);
    assert!(!said(&world, "shop-api", 5).contains("502"), "it ends by itself");
}

#[test]
fn a_restart_of_the_daemon_takes_the_containers_along_unless_they_may_live_on() {
    let of = |live_restore: bool| {
        let mut world = shop(Setting { live_restore, ..Setting::default() }, start()).unwrap();
        let always = json!({"RestartPolicy": {"Name": "always"}});
        world.update("shop-db", &always).unwrap();
        pass(&mut world, 5);
        world.daemon_ends();
        pass(&mut world, 5);
        world.daemon_begins();
        (status(&world, "shop-db"), status(&world, "shop-api"), world.events.begin(Some(start())))
    };
    let (db, api, _) = of(false);
    assert_eq!((db, api), (Some(Status::Running), Some(Status::Exited)));
    let (db, api, _) = of(true);
    assert_eq!((db, api), (Some(Status::Running), Some(Status::Running)));
}

#[test]
fn the_same_seed_is_the_same_world() {
    let run = |seed| {
        let mut world = shop(Setting { seed, ..Setting::default() }, start()).unwrap();
        pass(&mut world, 20);
        (said(&world, "shop-api", 20), world.look("shop-api").unwrap().1.id.clone())
    };
    assert_eq!(run(3), run(3));
    assert_ne!(run(3), run(4));
}

#[test]
fn thirty_thousand_stopped_containers_are_listed_and_the_lines_of_500_all_come() {
    let size = Size { running: 500, stopped: 30_000, lines_per_second: 20_000.0 };
    let setting = Setting { log_lines: 100, ..Setting::default() };
    let mut world = many(setting, start(), size).unwrap();
    pass(&mut world, 3);
    let listed = list::containers(&world, true, None, &Filters::new()).unwrap();
    let rows: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(rows.as_array().map(Vec::len), Some(30_500));
    assert_eq!(rows[0]["Names"][0], "/svc-0499", "the newest first");
    let lines: u64 = world.containers().map(|(_, c)| c.log.end()).sum();
    assert!((59_000..=60_500).contains(&lines), "{lines}");
}

proptest! {
    /// Whatever is asked in whatever order: every container is on the schedule exactly when
    /// something is due for it, and time never goes back.
    #[test]
    fn no_order_of_operations_breaks_the_world(
        steps in prop::collection::vec((0_u8..11, 0_usize..5, 0_i64..4000), 1..40),
    ) {
        let names = ["shop-db", "shop-cache", "shop-api", "shop-worker", "shop-web"];
        let ways = [
            Breakage::Crash, Breakage::OomLeak, Breakage::CrashLoop, Breakage::BadDeploy,
            Breakage::Paused, Breakage::Unhealthy,
        ];
        let mut world = shop(Setting::default(), start()).unwrap();
        for (what, which, millis) in steps {
            let name = names[which];
            // A refusal is an answer like another.
            let answer = match what {
                0 => world.start(name),
                1 => world.stop(name, Some(1)).map(drop),
                2 => world.restart(name, None).map(drop),
                3 => world.kill(name, 9),
                4 => world.pause(name),
                5 => world.unpause(name),
                6 => world.disconnect("shop", &json!({"Container": name})),
                7 => world.connect("shop", &json!({"Container": name})),
                8 => world.remove(name, millis % 2 == 0),
                9 => break_world(&mut world, ways[usize::try_from(millis).unwrap() % ways.len()]),
                _ => world.kill(name, 15),
            };
            if let Err(refused) = answer {
                prop_assert!([304, 400, 403, 404, 409, 500].contains(&refused.status), "{refused}");
            }
            let before = world.now;
            let to = before + SignedDuration::from_millis(millis);
            while !world.step(to) {}
            prop_assert!(world.now >= to && world.now >= before);
            prop_assert!(world.due().is_none_or(|due| due > world.now));
            for (_, container) in world.containers() {
                prop_assert_eq!(container.due, container.next(), "{}", container.name);
                prop_assert_eq!(container.process.is_some(), container.pid != 0);
            }
        }
    }
}
