//! What was learned outlives the program and the container.

use sentinel_core::detect::score::learned::{Learned, MOST_BYTES, ServiceKey};
use sentinel_core::domain::anomaly::AnomalyKind;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::severity::Severity;

use crate::world::{Text, World};

/// Two hours of an ordinary service.
fn lived(world: &mut World, seconds: u32) {
    let requests: Vec<_> = (0..50)
        .map(|i| Text::new(&format!("INFO served /orders/{i} in {} ms", 20 + i * 7 % 30)))
        .collect();
    let job = Text::new("INFO nightly job copied 900 rows");
    for second in 0..seconds {
        for i in 0..3 {
            world.write(0, &requests[(second as usize * 3 + i) % 50]);
        }
        if second % 1800 == 900 {
            for _ in 0..30 {
                world.write(0, &job);
            }
        }
        world.second();
    }
}

#[test]
fn a_warm_restart_knows_every_line_and_no_silence() {
    let mut world = World::new(1);
    lived(&mut world, 7200);
    let key = ServiceKey::of(&world.container(0));
    let (due, learned) = world.detector.due_learned(world.now).unwrap();
    assert_eq!(due, key);
    assert!(world.detector.due_learned(world.now).is_none(), "it was given out");
    let bytes = learned.encode().unwrap();
    assert!(bytes.len() < 100_000, "{}", bytes.len());

    // An hour later, in another run of the program.
    let mut world = World::restarted(&world, 3600, |detector| {
        detector.warm(key.clone(), Learned::decode(&bytes).unwrap());
    });
    lived(&mut world, 7200);
    assert_eq!(world.words(), []);
    // It is warm: a new error is medium at once, and silence is told.
    world.write(0, &Text::new("ERROR cannot parse the answer"));
    for _ in 0..300 {
        world.second();
    }
    let told: Vec<_> = world.told.iter().map(|a| (a.kind, a.severity)).collect();
    assert_eq!(told[0], (AnomalyKind::NewTemplate, Severity::Medium));
    assert!(told[1..].iter().any(|(kind, _)| *kind == AnomalyKind::LogSilence), "{told:?}");
}

#[test]
fn a_container_that_is_made_anew_goes_on_with_what_is_usual() {
    let mut world = World::new(1);
    lived(&mut world, 7200);
    world.told.clear();
    world.made_anew(0);
    world.life(0, LifeKind::Start);
    lived(&mut world, 1800);
    assert_eq!(world.words(), []);
    world.write(0, &Text::new("ERROR cannot parse the answer"));
    world.second();
    assert_eq!(world.told.last().map(|a| a.severity), Some(Severity::Medium));
}

#[test]
fn it_is_given_out_every_five_minutes_if_it_changed_one_service_at_a_time() {
    let mut world = World::new(3);
    let text = Text::new("INFO served");
    let mut given = Vec::new();
    for second in 0..1200 {
        if second < 700 {
            world.write(0, &text);
            world.write(2, &text);
        }
        world.second();
        if let Some((key, learned)) = world.detector.due_learned(world.now) {
            assert_eq!(learned.templates(), 1);
            given.push((second, key.name));
        }
    }
    let names: Vec<_> = given.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["app-0", "app-2", "app-0", "app-2", "app-0", "app-2"], "{given:?}");
    assert!(given.iter().all(|(second, _)| *second >= 299), "{given:?}");
}

#[test]
fn what_is_kept_is_bounded() {
    let mut world = World::new(1);
    let word = |i: u32, at: u32| {
        let mut left = (i * 8 + at).wrapping_mul(2_654_435_761) % 308_915_776 + 11_881_376;
        let mut text = String::new();
        while left > 0 {
            text.push(char::from(b'a' + u8::try_from(left % 26).unwrap()));
            left /= 26;
        }
        text
    };
    for i in 0..1200 {
        let words: Vec<_> = (0..30).map(|at| word(i, at)).collect();
        let long = words.join(" ");
        for ms in 0..12 {
            world.write(0, &Text::new(&format!("INFO {long} took {ms} ms in {ms} of {i}")));
        }
        world.second();
    }
    let learned = world.detector.learned(&world.container(0).id).unwrap();
    assert!(learned.templates() > 600, "{}", learned.templates());
    let bytes = learned.encode().unwrap();
    assert!(bytes.len() <= MOST_BYTES, "{}", bytes.len());
    let kept = Learned::decode(&bytes).unwrap();
    assert!(kept.templates() >= 300, "{} in {} bytes", kept.templates(), bytes.len());
}
