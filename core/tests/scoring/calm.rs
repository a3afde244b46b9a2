//! Streams in which nothing is wrong.

use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::severity::Severity;

use crate::chance::Chance;
use crate::world::{Text, World};

fn texts(count: u32, make: impl Fn(u32) -> String) -> Vec<Text> {
    (0..count).map(|i| Text::new(&make(i))).collect()
}

#[test]
fn a_steady_service_is_never_told_about() {
    let mut world = World::new(1);
    let requests = texts(50, |i| format!("INFO served /orders/{i} in {} ms", 20 + i * 7 % 30));
    let warnings = texts(10, |i| format!("WARN retry {i} of a slow upstream"));
    let mut chance = Chance::new(1);
    for second in 0..6 * 3600 {
        for _ in 0..chance.poisson(4.0) {
            world.write(0, &requests[chance.below(50)]);
        }
        if second > 5 && chance.unit() < 0.05 {
            world.write(0, &warnings[chance.below(10)]);
        }
        world.second();
    }
    // The first warning is news, and low: nobody knew it.
    let told = world.words();
    assert!(told.len() <= 1 && told.iter().all(|(s, _)| *s == Severity::Low), "{told:#?}");
}

#[test]
fn an_idle_service_and_periodic_jobs_are_never_told_about() {
    let mut world = World::new(3);
    let tick = Text::new("INFO heartbeat ok");
    let job = texts(20, |i| format!("INFO job done: {} rows copied in {} ms", 900 + i, 40 + i));
    let begin = Text::new("INFO job begins");
    for second in 0..12 * 3600 {
        // One is idle but for a line now and then.
        if second % 3601 == 17 {
            world.write(0, &tick);
        }
        // One has a heartbeat, and a burst of work on the minute and on the hour.
        if second % 5 == 0 {
            world.write(1, &tick);
        }
        if second % 60 == 0 || second % 3600 < 5 {
            world.write(1, &begin);
            for i in 0..if second % 3600 < 5 { 40 } else { 10 } {
                world.write(1, &job[i % 20]);
            }
        }
        // One works by day and sleeps by night, twelve hours each, with soft ends.
        let busy = 1.0 - (f64::from(second) / 43_200.0 - 0.5).abs() * 2.0;
        let every = if busy > 0.05 { 20.0 / busy } else { f64::INFINITY };
        if f64::from(second) % every < 1.0 {
            world.write(2, &job[usize::try_from(second).unwrap() % 20]);
        }
        world.second();
    }
    // The first burst of work on the hour is one; later ones are known.
    let told = world.words();
    assert!(told.iter().all(|(s, _)| *s == Severity::Low) && told.len() <= 2, "{told:#?}");
}

#[test]
fn a_service_that_restarts_often_is_not_told_about_by_its_lines() {
    let mut world = World::new(1);
    let start = texts(30, |i| {
        format!("INFO step {i} of startup: {} is ready", ["db", "cache", "http"][i as usize % 3])
    });
    let requests = texts(50, |i| format!("INFO served /orders/{i} in {} ms", 20 + i * 7 % 30));
    let mut chance = Chance::new(2);
    for second in 0..6 * 3600 {
        if second % 240 == 200 {
            world.life(0, LifeKind::Kill { signal: 15 });
            world.life(0, LifeKind::Die { exit_code: 0 });
            world.life(0, LifeKind::Stop);
        }
        if second % 240 == 230 {
            world.life(0, LifeKind::Start);
            for text in &start {
                world.write(0, text);
            }
        }
        if !(200..230).contains(&(second % 240)) {
            for _ in 0..chance.poisson(3.0) {
                world.write(0, &requests[chance.below(50)]);
            }
        }
        world.second();
    }
    let told = world.words();
    assert_eq!(told, []);
}

#[test]
fn a_new_version_is_told_at_most_once() {
    let mut world = World::new(1);
    let old = texts(50, |i| format!("INFO served /orders/{i} in {} ms", 20 + i * 7 % 30));
    let new: Vec<_> = ["alpha beta gamma", "one two", "red green blue cyan", "cat", "up down left"]
        .iter()
        .flat_map(|words| ["open", "shut", "held"].map(|w| Text::new(&format!("INFO {words} {w}"))))
        .collect();
    for second in 0..3 * 3600_usize {
        world.write(0, &old[second % 50]);
        if second > 3600 {
            world.write(0, &new[second % new.len()]);
        }
        world.second();
    }
    let told = world.words();
    assert!(told.len() <= 4 && told.iter().all(|(s, _)| *s == Severity::Low), "{told:#?}");
}
