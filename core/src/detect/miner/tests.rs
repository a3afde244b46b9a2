//! The miner as a whole.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::detect::miner::number::Unit;
use crate::detect::miner::slots::Slot;
use crate::detect::miner::template::{Payload, Template, TemplateId};
use crate::detect::miner::{Bounds, Miner};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Counts the lines of a template, those of merged ones too.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Lines(u64);

impl Payload for Lines {
    fn absorb(&mut self, other: Self) {
        self.0 += other.0;
    }
}

fn mine(miner: &mut Miner<Lines>, line: &str) -> TemplateId {
    let mined = miner.mine(line, NOW).unwrap();
    mined.template.payload.0 += 1;
    mined.id
}

/// The final ids of the lines, and the miner.
fn mined<S: AsRef<str>>(lines: &[S]) -> (Vec<TemplateId>, Miner<Lines>) {
    let mut miner = Miner::new(Bounds::default());
    let ids: Vec<_> = lines.iter().map(|line| mine(&mut miner, line.as_ref())).collect();
    let ids = ids.into_iter().map(|id| miner.resolve(id)).collect();
    (ids, miner)
}

/// Lines of one group each are one template, and no two groups are.
#[track_caller]
fn groups(groups: &[&[&str]]) {
    let lines: Vec<&str> = groups.iter().flat_map(|g| g.iter().copied()).collect();
    let (ids, miner) = mined(&lines);
    let mut at = 0;
    let mut firsts: Vec<TemplateId> = Vec::new();
    for group in groups {
        let of = &ids[at..at + group.len()];
        at += group.len();
        let text = miner.get(of[0]).unwrap().text();
        assert!(of.iter().all(|id| *id == of[0]), "split: {group:?}: {text}");
        assert!(!firsts.contains(&of[0]), "merged with another: {group:?}: {text}");
        firsts.push(of[0]);
    }
}

#[track_caller]
fn text(line: &str) -> String {
    let (ids, miner) = mined(&[line]);
    miner.get(ids[0]).unwrap().text()
}

#[test]
fn values_are_masked_by_their_shape() {
    for (line, template) in [
        ("listening on 0.0.0.0:8080", "listening on <*>"),
        ("took 12.5ms, 3 rows", "took <*>, <*> rows"),
        ("took 12.5 ms", "took <*>"),
        ("job 7f3c2a10-55aa-4a5b-9b1e-0f6f6c0a9e11 done", "job <*> done"),
        ("read /var/lib/x/data.db", "read <*>"),
        ("GET http://[::1]:80/a?b=c failed", "GET <*> failed"),
        ("C:\\Windows\\x.dll loaded", "<*> loaded"),
        ("from aa:bb:cc:dd:ee:ff via eth1", "from <*> via eth<*>"),
        ("mail to bob@example.com sent", "mail to <*> sent"),
        ("at 0x7fff5c: flags ffffffff", "at <*>: flags <*>"),
        ("Thread-5 of pool-1-thread-2", "Thread-<*> of pool-<*>-thread-<*>"),
        ("since Sat Jun 18 02:08:10 2005", "since <*>"),
        ("wrote 214 buffers (1.3%)", "wrote <*> buffers (<*>)"),
        ("sent 1190 bytes (1.16 KB), took <1 sec", "sent <*>, took <*>"),
        ("deleted blk_1 blk_-2 blk_3", "deleted blk_<*>"),
        (
            "java.lang.OutOfMemoryError: Java heap space",
            "java.lang.OutOfMemoryError: Java heap space",
        ),
        ("can't open it.", "can't open it."),
        ("", ""),
    ] {
        assert_eq!(text(line), template, "{line}");
    }
}

#[test]
fn marks_of_secrets_are_one_constant_whichever_they_stand_for() {
    let lines: Vec<String> = (0..200)
        .map(|n| format!("login of app with ***{:05} failed", n * 7919 % 100_000))
        .collect();
    let (ids, _) = mined(&lines);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(text("password=***12345 refused"), text("password=***00001 refused"));
    assert!(text("password=***12345 refused").contains("***"));
}

#[test]
fn words_become_variables_when_enough_of_them_were_seen() {
    groups(&[
        &[
            "session opened for user root",
            "session opened for user bob",
            "session opened for user alice",
            "session opened for user carol",
        ],
        &["session closed for user bob"],
        // Values and names at one place need no more than one of each.
        &["accepted from 10.0.0.1", "accepted from gateway"],
        &["lookup redis failed", "lookup db.internal failed"],
        // Behind an equals sign and in quotes three are enough, also when they come together.
        &["auth: user=app db=orders", "auth: user=ro db=stats", "auth: user=job db=bills"],
        &["no table \"users\"", "no table \"orders\"", "no table \"items\""],
    ]);
}

#[test]
fn what_happened_stays_apart() {
    groups(&[
        &["job 1 changed from RUNNING to FAILED"],
        &["job 2 changed from RUNNING to STOPPED"],
        &["job 3 changed from STARTING to RUNNING"],
        &["job 3 changed from RUNNING to PAUSED"],
        &[
            "{\"event\":\"login\",\"user\":\"a\"}",
            "{\"event\":\"login\",\"user\":\"b\"}",
            "{\"event\":\"login\",\"user\":\"c\"}",
        ],
        &[
            "{\"event\":\"logout\",\"user\":\"a\"}",
            "{\"event\":\"logout\",\"user\":\"b\"}",
            "{\"event\":\"logout\",\"user\":\"c\"}",
        ],
        &["\"GET /a HTTP/1.1\" 200 5", "\"GET / HTTP/1.1\" 503 7"],
        &["\"POST /a HTTP/1.1\" 200 5"],
        &["suspend"],
        &["resume"],
        &["restart"],
        &["reload"],
        &["renew"],
        &["cause java.lang.IllegalStateException"],
        &["cause com.acme.db.PoolException"],
    ]);
}

#[test]
fn a_line_of_variables_only_is_no_template() {
    let lines: Vec<String> = (0..26_u8)
        .flat_map(|a| (0..26_u8).map(move |b| (a, b)))
        .map(|(a, b)| {
            let word = |x: u8| char::from(b'a' + x).to_string().repeat(4);
            format!("{} {}", word(a), word(b))
        })
        .collect();
    let (_, miner) = mined(&lines);
    assert!(miner.iter().all(|t| t.text().contains(char::is_alphabetic)));
}

#[test]
fn the_first_line_is_new_and_its_relative_is_told() {
    let mut miner: Miner<()> = Miner::new(Bounds::default());
    let first = miner.mine("cannot reach database orders", NOW).unwrap();
    assert!(first.is_new && first.nearest.is_none());
    let first = first.id;
    let second = miner.mine("cannot reach database users", NOW).unwrap();
    assert!(second.is_new);
    assert_eq!(second.nearest, Some((first, 1)));
    assert!(!miner.mine("cannot reach database users", NOW).unwrap().is_new);
}

#[test]
fn ids_of_merged_templates_lead_to_the_oldest() {
    let mut miner = Miner::new(Bounds::default());
    let users = ["root", "bob", "alice", "carol", "dave"];
    let ids: Vec<_> =
        users.iter().map(|u| mine(&mut miner, &format!("session opened for user {u}"))).collect();
    assert_ne!(ids[0], ids[1]);
    for id in &ids {
        assert_eq!(miner.resolve(*id), ids[0]);
        assert_eq!(miner.get(*id).unwrap().id, ids[0]);
    }
    let template = miner.get(ids[0]).unwrap();
    assert_eq!(template.text(), "session opened for user <*>");
    assert_eq!((template.count, template.payload.0), (5, 5));
}

#[test]
fn values_of_a_line_are_typed() {
    let mut miner: Miner<()> = Miner::new(Bounds::default());
    for status in ["200", "200", "404", "200"] {
        miner.mine(&format!("done status={status} size=5.0 KB took=12ms"), NOW).unwrap();
    }
    let line = "done status=503 size=1.0 KB took=2s";
    let mined = miner.mine(line, NOW).unwrap();
    let numbers: Vec<(f64, Unit)> = mined
        .slots
        .iter()
        .filter_map(|s| match s {
            Slot::Number { value, unit, .. } => Some((*value, *unit)),
            Slot::Word { .. } => None,
        })
        .collect();
    assert_eq!(numbers, [(503.0, Unit::None), (1024.0, Unit::Bytes), (2.0, Unit::Seconds)]);
    let fresh = mined.slots.iter().find_map(|s| match s {
        Slot::Word { start, end, fresh: true, .. } => {
            line.get(usize::from(*start)..usize::from(*end))
        }
        _ => None,
    });
    assert_eq!(fresh, Some("503"));
    let place = mined.template.slots.places()[0].clone();
    assert_eq!(place.values.unwrap().known().len(), 3);
    assert_eq!(place.numbers.unwrap().count(), 4, "from the second line on");
}

#[test]
fn the_oldest_go_first_and_a_flood_is_stopped() {
    let mut miner: Miner<()> = Miner::new(Bounds::of(8));
    for word in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"] {
        miner.mine(&format!("{word} {word} begins"), NOW).unwrap();
    }
    miner.mine("alpha alpha begins", NOW).unwrap();
    assert!(miner.mine("iota iota begins", NOW).unwrap().is_new);
    assert_eq!(miner.len(), 8);
    assert!(!miner.mine("alpha alpha begins", NOW).unwrap().is_new);
    // Beta was the oldest.
    assert!(miner.mine("beta beta begins", NOW).unwrap().is_new);

    let word = |i: u32| -> String {
        (0..5).map(|k| char::from_u32('g' as u32 + (i >> (3 * k)) % 8).unwrap()).collect()
    };
    let flood = |miner: &mut Miner<()>, from: u32, now| {
        (from..from + 500)
            .filter(|i| {
                let line = format!("{} {} {}", word(*i), word(i * 7 + 3), word(i * 13 + 5));
                miner.mine(&line, now).is_some()
            })
            .count()
    };
    assert!(flood(&mut miner, 0, NOW) < 80);
    assert!(miner.other() > 400);
    let later = NOW + SignedDuration::from_secs(61);
    assert!(flood(&mut miner, 1000, later) > 0, "after a minute it tries again");
    assert_eq!(miner.len(), 8);
    miner.set_bound(3);
    assert_eq!(miner.len(), 3);
}

/// Lines as programs write them, from few words so that templates meet.
fn line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "open", "file", "user=bob", "user=al", "user=eve", "(x)", "\"q\"", "id:", "FAILED",
            "to", "from", "n1", "n2x", "/a/b", "10.0.0.1", "5ms", "true", "a,b", "[z]", "k",
            "v.w.x", "-",
        ])
        .prop_map(str::to_owned),
        "[a-e]{2}",
        "[0-9]{1,4}",
    ];
    prop::collection::vec(word, 0..8).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn no_line_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
        let (ids, miner) = mined(&[String::from_utf8_lossy(&bytes).into_owned(), text]);
        prop_assert!(ids.iter().all(|id| miner.get(*id).is_some()));
    }

    #[test]
    fn marks_of_all_kinds_are_no_trouble(text in "[a1 .:/@=\\-_'\"(){}<>,+%\u{e9}\\\\]{0,60}") {
        let (ids, miner) = mined(&[&text]);
        prop_assert!(miner.get(ids[0]).is_some());
    }

    #[test]
    fn lines_that_differ_in_their_digits_are_one(line in line(), seed in any::<u32>()) {
        let mut seed = seed;
        let other: String = line.chars().map(|c| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if c.is_ascii_digit() { char::from_digit(seed >> 28 & 7, 10).unwrap_or(c) } else { c }
        }).collect();
        let (ids, _) = mined(&[line, other]);
        prop_assert_eq!(ids[0], ids[1]);
    }

    #[test]
    fn ids_resolve_and_nothing_is_lost(lines in prop::collection::vec(line(), 0..150)) {
        let mut miner = Miner::new(Bounds::default());
        let mut ids = Vec::new();
        for line in &lines {
            ids.push(mine(&mut miner, line));
        }
        for id in &ids {
            let now = miner.resolve(*id);
            prop_assert!(now <= *id);
            prop_assert_eq!(miner.resolve(now), now);
            prop_assert_eq!(miner.get(*id).map(|t| t.id), Some(now));
        }
        prop_assert_eq!(miner.iter().map(|t| t.count).sum::<u64>(), lines.len() as u64);
        prop_assert!(miner.iter().all(|t| t.count == t.payload.0));
        // Again: nothing is new, and nothing changes.
        let texts: Vec<String> = miner.iter().map(Template::text).collect();
        for (line, id) in lines.iter().zip(&ids) {
            let again = miner.mine(line, NOW).unwrap();
            prop_assert!(!again.is_new);
            prop_assert_eq!(again.id, miner.resolve(*id), "{}", line);
        }
        let after: Vec<String> = miner.iter().map(Template::text).collect();
        prop_assert_eq!(texts, after);
    }

    #[test]
    fn the_same_lines_make_the_same_templates(lines in prop::collection::vec(line(), 0..100)) {
        let (a, left) = mined(&lines);
        let (b, right) = mined(&lines);
        prop_assert_eq!(a, b);
        prop_assert!(left.iter().map(Template::text).eq(right.iter().map(Template::text)));
    }

    #[test]
    fn what_was_learned_is_known_after_a_restart(
        lines in prop::collection::vec(line(), 0..150),
        more in prop::collection::vec(line(), 0..20),
    ) {
        let (ids, mut miner) = mined(&lines);
        let kept = serde_json::to_string(&miner.learned()).unwrap();
        let mut restarted: Miner<Lines> = Miner::new(Bounds::default());
        prop_assert_eq!(restarted.warm(serde_json::from_str(&kept).unwrap()), miner.len());
        prop_assert_eq!(serde_json::to_string(&restarted.learned()).unwrap(), kept);
        for (line, id) in lines.iter().zip(&ids) {
            let again = restarted.mine(line, NOW).unwrap();
            prop_assert!(!again.is_new, "{}", line);
            prop_assert_eq!(again.id, *id);
            miner.mine(line, NOW).unwrap();
        }
        // And both go on alike.
        for line in &more {
            prop_assert_eq!(mine(&mut miner, line), mine(&mut restarted, line));
        }
    }

    #[test]
    fn a_file_that_does_not_fit_together_does_no_harm(
        lines in prop::collection::vec(line(), 1..20),
        at in any::<prop::sample::Index>(),
        digit in 0_u8..10,
    ) {
        let (_, miner) = mined(&lines);
        let mut kept = serde_json::to_string(&miner.learned()).unwrap().into_bytes();
        let at = at.index(kept.len());
        kept[at] = b'0' + digit;
        if let Ok(kept) = serde_json::from_slice(&kept) {
            let mut restarted: Miner<Lines> = Miner::new(Bounds::default());
            restarted.warm(kept);
            for line in &lines {
                mine(&mut restarted, line);
            }
        }
    }
}
