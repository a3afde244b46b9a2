//! A story that was taken down is told again from what was written: by another session, of what
//! another process would read.

use std::borrow::Cow;
use std::sync::Arc;

use proptest::prelude::*;
use sentinel_core::detect::signatures::Signatures;
use sentinel_core::domain::container::{Container, Health};
use sentinel_core::domain::event::Envelope;
use sentinel_core::domain::incident::Incident;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::usage::{Usage, UsageSample};
use sentinel_core::engine::Settings;
use sentinel_core::session::Session;
use sentinel_core::session::input::{Announced, Input, Start};
use sentinel_core::session::wire::{Given, Head, LineError, VERSION};

use crate::properties::{Op, fleet, happen, mode, op};
use crate::support::{Story, all_tools, begin_at, container, healthy, seconds, settings};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// A story whose every input is taken down, and the first line of its recording.
fn taken_down(
    settings: Settings,
    earlier: Vec<Incident>,
    containers: Vec<Container>,
) -> Fallible<(Story, Vec<u8>)> {
    let start = Start {
        run: "run".to_owned(),
        settings: settings.clone(),
        signatures: Arc::clone(Signatures::builtin()),
        earlier: earlier.clone(),
        announced: Announced::default(),
    };
    let head = Head { version: VERSION, program: "1.2.3".to_owned(), start };
    let mut story = Story::before_attach(settings, earlier, begin_at(), containers);
    story.recording = Some(Vec::new());
    story.feed(Signal::Tools { tools: all_tools() });
    story.attach();
    Ok((story, serde_json::to_vec(&head)?))
}

/// What the story told, as the stream has it.
fn told(story: &Story) -> Fallible<Vec<String>> {
    let envelope = |(i, (at, event)): (usize, &(jiff::Timestamp, _))| Envelope {
        v: 1,
        seq: i as u64 + 1,
        ts: format!("{at:.3}"),
        host: "host-1".to_owned(),
        event: Clone::clone(event),
    };
    let all = story.events.iter().enumerate().map(envelope);
    Ok(all.map(|e| serde_json::to_string(&e)).collect::<Result<_, _>>()?)
}

/// What a replay of the recording tells.
fn retold(head: &[u8], lines: &[Vec<u8>]) -> Fallible<Vec<String>> {
    let mut session = Session::new(Head::read(head)?.start);
    let mut told = Vec::new();
    for line in lines {
        let Given { at, input } = Given::read(line)?;
        for fact in session.replay(input, at)? {
            told.push(serde_json::to_string(&fact)?);
        }
    }
    Ok(told)
}

fn lines(story: &Story) -> &[Vec<u8>] {
    story.recording.as_deref().unwrap_or_default()
}

/// A story with a bit of everything: it ends with a fix that was approved and holds.
fn crash() -> Fallible<(Story, Vec<u8>)> {
    let (mut story, head) =
        taken_down(settings(Mode::Approve), Vec::new(), vec![healthy("api"), container("db")])?;
    story.says("api", "FATAL: lost the index");
    let usage = Usage { cpu_pct: 1.0 / 3.0, mem_used: 7 << 20, ..Usage::default() };
    let sample = UsageSample { container: story.id("api"), at: story.now, usage };
    story.feed(Signal::Usage { sample });
    story.dies("api", 7);
    story.pass(seconds(2));
    story.approve()?;
    story.pass(seconds(5));
    story.becomes("api", Health::Healthy);
    story.pass(seconds(120));
    Ok((story, head))
}

#[test]
fn twenty_replays_of_a_crash_tell_what_the_run_told_to_the_byte() {
    let (story, head) = crash().unwrap();
    let live = told(&story).unwrap();
    for kind in ["incident_opened", "diagnosis_ready", "fix_staged", "incident_resolved"] {
        assert_eq!(story.count(kind), 1, "{kind}: {live:#?}");
    }
    for _ in 0..20 {
        assert_eq!(retold(&head, lines(&story)).unwrap(), live);
    }
}

#[test]
fn a_run_that_takes_over_from_another_is_told_again() {
    let (first, _) = crash().unwrap();
    let own = Settings { keeps: false, elected: false, ..settings(Mode::Approve) };
    let truth = first.truth.values().cloned().collect();
    let (mut story, head) =
        taken_down(own, first.saved.values().cloned().collect(), truth).unwrap();
    story.dies("db", 1);
    story.pass(seconds(3));
    story.adopts(&first);
    story.dies("api", 7);
    story.pass(seconds(5));
    assert!(story.count("fix_staged") > 0);
    assert_eq!(retold(&head, lines(&story)).unwrap(), told(&story).unwrap());
}

#[test]
fn every_line_and_every_number_comes_back_to_the_last_bit() {
    let (story, _) = crash().unwrap();
    let mut all = lines(&story).to_vec();
    // Readings as they are: quotients of counters. A parser that is fast instead of exact reads
    // some of them wrong in the last bit.
    for i in 1..2000_u32 {
        let cpu_pct = f64::from(i * 7919) / f64::from(i * 31 + 1) * 100.0;
        let usage = Usage { cpu_pct, net_rx_bps: cpu_pct * 1e7 / 3.0, ..Usage::default() };
        let sample = UsageSample { container: story.id("api"), at: story.now, usage };
        let signal = Signal::Usage { sample };
        let given = Given { at: story.now, input: Input::Signal(Cow::Owned(signal)) };
        all.push(serde_json::to_vec(&given).unwrap());
    }
    for line in all {
        let again = serde_json::to_vec(&Given::read(&line).unwrap()).unwrap();
        assert_eq!(String::from_utf8_lossy(&again), String::from_utf8_lossy(&line));
    }
}

#[test]
fn what_is_no_recording_is_told_in_words() {
    let (story, head) = crash().unwrap();
    let read = |line: &[u8]| Head::read(line).unwrap_err();
    assert_eq!(read(b""), LineError::Foreign);
    assert_eq!(read(b"{\"type\":\"log\"}"), LineError::Foreign);
    assert_eq!(read(&[0xff, 0x00, 0x1b]), LineError::Foreign);
    assert!(matches!(read(&head[..head.len() / 2]), LineError::Damaged(_)));
    assert!(matches!(read(b"{\"sentinel_recording\":0}"), LineError::Damaged(_)));
    let newer = br#"{"sentinel_recording":2,"anything":"else"}"#;
    assert_eq!(read(newer), LineError::Newer { found: 2 });
    assert!(read(newer).to_string().contains("version 2"));

    let read = |line: &[u8]| Given::read(line).unwrap_err().to_string();
    let tick = &lines(&story)[0];
    assert!(read(&tick[..tick.len() - 1]).contains("EOF while parsing"));
    let future = r#"{"at":"9999-01-01T00:00:00Z","in":{"signal":{"signal":"tick"}}}"#;
    assert_eq!(read(future.as_bytes()), "the time 9999-01-01T00:00:00Z is out of range");
    let unknown = "{\"at\":\"2026-11-24T03:15:02Z\",\"in\":{\"b\u{1b}[2Jx\":1}}";
    assert!(!read(unknown.as_bytes()).contains('\u{1b}'), "{}", read(unknown.as_bytes()));
}

/// Bytes of a recording, changed here and there.
fn damaged(head: &[u8], lines: &[Vec<u8>], blows: &[(u32, u8)]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut all = vec![head.to_vec()];
    all.extend_from_slice(lines);
    for (at, with) in blows {
        let line = *at as usize % all.len();
        let bytes = &mut all[line];
        let at = *at as usize / 7 % bytes.len();
        // Digits for digits and letters for letters keep more of it readable.
        bytes[at] = match bytes[at] {
            b'0'..=b'9' => b'0' + with % 10,
            b'a'..=b'z' => b'a' + with % 26,
            _ => *with,
        };
    }
    let head = all.remove(0);
    (head, all)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_a_replay_tells_the_same(
        mode in mode(),
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let (mut story, head) = taken_down(settings(mode), Vec::new(), fleet()).unwrap();
        for op in &ops {
            happen(&mut story, op);
        }
        happen(&mut story, &Op::Degraded(false));
        story.pass(seconds(60));
        prop_assert_eq!(retold(&head, lines(&story)).unwrap(), told(&story).unwrap());
    }

    #[test]
    fn a_damaged_recording_is_read_or_refused_and_breaks_nothing(
        blows in prop::collection::vec((any::<u32>(), any::<u8>()), 1..40),
    ) {
        let (story, head) = crash().unwrap();
        let (head, lines) = damaged(&head, lines(&story), &blows);
        let Ok(head) = Head::read(&head) else { return Ok(()) };
        let mut session = Session::new(head.start);
        for line in lines {
            let Ok(Given { at, input }) = Given::read(&line) else { continue };
            if session.replay(input, at).is_err() {
                break;
            }
        }
    }
}
