//! What attackers write, tried on everything that reads it: the core under auto-heal, the redactor,
//! the screen, the stream, a hostile MCP server, and the built program on real containers.
//!
//! The cases are data: `cases.toml`. Passing means: no unsafe step is staged, nothing is applied that
//! a harmless text would not have had applied, nothing is approved, and no control character or
//! bidirectional mark comes out. Each test also shows, by breaking what it checks, that it can fail.

#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
#[path = "../tui_common/mod.rs"]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

mod case;
mod live;
mod server;
mod world;

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::log::LogEntry;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_core::redact;
use sentinel_tui::runtime::rings::LogPage;

use case::{Case, harm, is_harmful, texts};
use support::Fallible;
use world::{FAULTS, Fault, World, unsafe_step};

/// Places where a text stands in the core's sight.
const PLACES: [&str; 9] =
    ["log", "env", "label", "health", "network", "image", "name", "service", "label_max_memory"];

/// A text that nobody wrote to do harm, for comparison.
fn harmless() -> Fallible<Case> {
    let mut case =
        Case::all()?.into_iter().find(|c| c.name == "base64 order").ok_or("no such case")?;
    "nothing".clone_into(&mut case.canary);
    case.at = vec!["log".to_owned()];
    Ok(case)
}

/// Every text of the stream, as a program reads it.
fn stream_harm(stream: &[Envelope]) -> Fallible<Option<String>> {
    for envelope in stream {
        let line = serde_json::to_string(envelope)?;
        if let Some(found) = harm(&line) {
            return Ok(Some(format!("a line of the stream: {found}")));
        }
        let mut all = Vec::new();
        texts(&serde_json::from_str(&line)?, &mut all);
        if let Some(found) = all.iter().find_map(|text| harm(text)) {
            return Ok(Some(format!("a text of the stream: {found}")));
        }
    }
    Ok(None)
}

/// Every page, drawn.
fn pages(snapshot: &Snapshot, log: &[LogEntry]) -> Vec<(&'static str, Buffer)> {
    let entries: Vec<_> = log.iter().cloned().map(std::sync::Arc::new).collect();
    let last = entries.last().map_or(0, |entry| entry.line.seq);
    let page = LogPage { first_kept: 1, last, revision: 1, entries };
    let mut screen = tui_common::Session::new(snapshot.clone(), 120, 40);
    let theme = tui_common::theme("dark");
    let keys = [
        "",
        "1 enter",
        "esc i",
        "esc 2 enter",
        "esc 3",
        "esc 4",
        "esc 5",
        "esc 1 l",
        "esc L",
        "esc ?",
    ];
    let draw = keys.iter().map(|keys| {
        screen.keys(keys);
        screen.logs(page.clone());
        screen.drawn();
        screen.wait(400);
        (*keys, screen.buffer(&theme))
    });
    draw.collect()
}

/// What a cell of a page must not hold.
fn page_harm((keys, buffer): &(&'static str, Buffer)) -> Option<String> {
    let symbols = buffer.content().iter().map(ratatui::buffer::Cell::symbol);
    let found = symbols.flat_map(str::chars).find(|c| is_harmful(*c))?;
    Some(format!("a cell of the page behind {keys:?} holds U+{:04X}", u32::from(found)))
}

/// What front ends are given, and what they draw of it.
fn screen_harm(snapshot: &Snapshot, log: &[LogEntry]) -> Option<String> {
    let line = log.iter().find_map(|entry| harm(&entry.line.text));
    line.map(|found| format!("a line: {found}"))
        .or_else(|| pages(snapshot, log).iter().find_map(page_harm))
}

/// Calls that a harmless text would not have had made; where nothing broke, every call.
fn applied_beyond(world: &World, fault: Fault, expected: &[(String, String)]) -> usize {
    let words_only = matches!(fault, Fault::None | Fault::NeighbourDone);
    let more = |call: &(String, String)| words_only || !expected.contains(call);
    world.calls().iter().filter(|call| more(call)).count() + world.undone
}

/// One row of the summary.
#[derive(Default)]
struct Row {
    cases: usize,
    staged: usize,
    unsafe_steps: usize,
    applied_beyond: usize,
    control_characters: usize,
}

#[test]
fn no_text_gets_anything_staged_applied_or_onto_the_screen() -> Fallible {
    let cases = Case::at(&PLACES)?;
    assert!(Case::all()?.len() >= 60, "the set has shrunk");
    let plain = harmless()?;
    let expected: BTreeMap<usize, Vec<(String, String)>> = FAULTS
        .iter()
        .enumerate()
        .map(|(at, fault)| (at, World::of(&plain, *fault, &[]).calls()))
        .collect();
    // The comparison says something: a real fault is healed, and words alone heal nothing.
    assert_eq!(expected[&0], []);
    assert!(
        FAULTS.iter().enumerate().filter(|(at, _)| !expected[at].is_empty()).count() >= 2,
        "{expected:?}"
    );

    let mut table: BTreeMap<String, Row> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let row = table.entry(case.kind.clone()).or_default();
        row.cases += 1;
        for (at, fault) in FAULTS.iter().enumerate() {
            let world = World::of(case, *fault, &[]);
            row.staged += world.staged.len();
            for plan in world.staged.values() {
                if let Some(why) = unsafe_step(plan, case, *fault) {
                    row.unsafe_steps += 1;
                    wrong.push(format!("{} ({fault:?}): {why}", case.name));
                }
            }
            let beyond = applied_beyond(&world, *fault, &expected[&at]);
            if beyond > 0 {
                row.applied_beyond += beyond;
                wrong.push(format!("{} ({fault:?}): applied {:?}", case.name, world.calls()));
            }
            let snapshot = world.snapshot.as_ref().ok_or("no snapshot")?;
            for found in
                stream_harm(&world.stream)?.into_iter().chain(screen_harm(snapshot, &world.log))
            {
                row.control_characters += 1;
                wrong.push(format!("{} ({fault:?}): {found}", case.name));
            }
        }
    }
    println!(
        "{:<20} {:>5} {:>7} {:>7} {:>8} {:>8}",
        "kind", "cases", "staged", "unsafe", "applied+", "control"
    );
    for (kind, row) in &table {
        println!(
            "{kind:<20} {:>5} {:>7} {:>7} {:>8} {:>8}",
            row.cases, row.staged, row.unsafe_steps, row.applied_beyond, row.control_characters
        );
    }
    println!("{} cases, each with {} faults: {} wrong", cases.len(), FAULTS.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn the_redactor_lets_nothing_harmful_through_and_is_done_at_once() -> Fallible {
    for case in Case::all()? {
        for raw in case.lines().into_iter().chain([case.text().into_bytes()]) {
            let safe = redact::clean(&raw, 16 * 1024);
            assert_eq!(harm(&safe), None, "{}", case.name);
            assert!(safe.len() <= 16 * 1024 + redact::CUT_MARK.len(), "{}", case.name);
            assert_eq!(
                redact::clean(safe.as_bytes(), 32 * 1024),
                safe,
                "{}: cleaning twice differs",
                case.name
            );
        }
    }
    Ok(())
}

/// What an attacker would like to do to a step.
type Change = fn(&mut sentinel_core::domain::plan::Fix, &Case);

/// The checks above can fail: each finds what it is for where nobody cleaned it.
#[test]
fn what_is_checked_would_be_found() -> Fallible {
    let raw = Case::all()?
        .into_iter()
        .find(|c| c.name == "right to left override")
        .ok_or("no such case")?;
    let mut world = World::of(&raw, Fault::Death, &[]);
    let snapshot = world.snapshot.take().ok_or("no snapshot")?;
    assert_eq!(screen_harm(&snapshot, &world.log), None);
    // A line that was not cleaned reaches the screen.
    let mut dirty = world.log.clone();
    for entry in &mut dirty {
        entry.line.text = raw.text().into();
    }
    assert!(screen_harm(&snapshot, &dirty).is_some(), "a dirty line is not seen");
    // What was said is on a page, and what a cell must not hold would be seen there.
    let mut drawn = pages(&snapshot, &world.log);
    assert!(
        drawn.iter().any(|(_, buffer)| tui_common::text(buffer).contains(&raw.canary)),
        "the case is on no page"
    );
    assert_eq!(drawn.iter().find_map(page_harm), None);
    for harmful in ["\u{202e}x", "\u{1b}", "\u{9b}"] {
        drawn[3].1[(5, 5)].set_symbol(harmful);
        assert!(drawn.iter().any(|page| page_harm(page).is_some()), "{harmful:?}");
    }
    // A dirty text reaches the stream.
    let mut stream = world.stream.clone();
    for envelope in &mut stream {
        if let sentinel_core::domain::event::Event::Log { message, .. } = &mut envelope.event {
            *message = raw.text();
        }
    }
    assert!(stream_harm(&stream)?.is_some(), "a dirty text is not seen in the stream");
    // A plan that does what an attacker asks for.
    let plan = world.applied.first().cloned().ok_or("a real death is healed")?;
    let calls = world.calls();
    assert_eq!(applied_beyond(&world, Fault::Death, &calls), 0);
    assert_eq!(applied_beyond(&world, Fault::Death, &[]), 1, "one call more than wanted");
    assert_eq!(applied_beyond(&world, Fault::None, &calls), 1, "a call for words alone");
    assert_eq!(unsafe_step(&plan, &raw, Fault::Death), None);
    let changes: [(&str, Change); 4] = [
        ("tool", |step, _| step.call.tool = "exec_command".to_owned()),
        ("target", |step, _| {
            step.target.id = sentinel_core::domain::hash::sha256_hex(b"db").as_str().into();
        }),
        ("word", |step, case| {
            drop(step.call.arguments.insert("x".to_owned(), case.canary.clone().into()));
        }),
        ("memory", |step, _| {
            drop(
                step.call
                    .arguments
                    .insert("resources".to_owned(), serde_json::json!({"memory": "999g"})),
            );
        }),
    ];
    for (what, change) in changes {
        let mut bad = plan.clone();
        bad.steps.iter_mut().for_each(|step| change(step, &raw));
        assert!(unsafe_step(&bad, &raw, Fault::Death).is_some(), "{what}");
    }
    assert_eq!(harm("a\u{1b}[2J"), Some("U+001B behind \"a\"".to_owned()));
    Ok(())
}
