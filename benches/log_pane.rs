//! What reading a million log lines costs: a frame of a merged log at the end and after scrolling,
//! a search for a word that is in one line, a filter, and a batch of new lines while following.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::log::{LogLine, Reading, Stream};
use sentinel_core::domain::snapshot::{ContainerView, Mode, Snapshot};
use sentinel_tui::runtime::rings::{LogRings, Range};
use sentinel_tui::tui::filter::Filter;
use sentinel_tui::tui::log_sources::Whose;
use sentinel_tui::tui::message::Msg;
use sentinel_tui::tui::pane::Pane;
use sentinel_tui::tui::pattern::Pattern;
use sentinel_tui::tui::state::State;
use sentinel_tui::tui::theme::Theme;
use sentinel_tui::tui::update::update;
use sentinel_tui::tui::view::root;

/// Containers, and lines that each of them writes.
const CONTAINERS: u64 = 100;
const EACH: u64 = 10_000;

fn main() {
    divan::main();
}

fn id(number: u64) -> ContainerId {
    ContainerId(format!("{number:064x}"))
}

fn line(container: u64, seq: u64) -> LogLine {
    let at = i64::try_from(seq * CONTAINERS + container).unwrap_or(i64::MAX);
    let rare = if (container, seq) == (CONTAINERS - 1, EACH - 300) { " needle" } else { "" };
    LogLine {
        container: id(container),
        seq,
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_millis(at),
        stream: Stream::Stdout,
        text: format!("INFO GET /orders/{seq} 200 in 12.5ms user=ada from 10.0.0.4:5432{rare}")
            .into(),
        styles: None,
        reading: Reading::default(),
        history: false,
    }
}

/// The rings after a million lines, and a screen with a merged log of all containers.
fn session() -> (LogRings, State) {
    let mut rings = LogRings::default();
    for seq in 1..=EACH {
        for container in 0..CONTAINERS {
            rings.push(line(container, seq));
        }
    }
    let snapshot = Snapshot {
        at: Timestamp::UNIX_EPOCH,
        version: 1,
        engine: None,
        mode: Mode::Approve,
        containers: Vec::<ContainerView>::new(),
        incidents: Vec::new(),
        anomalies: Vec::new(),
        degraded: Vec::new(),
        tools: Arc::default(),
        watching: None,
        edges: Arc::default(),
        suppressed: Vec::new(),
        silences: Vec::new(),
        brakes: sentinel_core::domain::brakes::BrakesView::default(),
        models: Vec::new(),
        past: Arc::default(),
    };
    let mut state = State::new(Arc::new(snapshot), TimeZone::UTC);
    state.area = Rect::new(0, 0, 200, 60);
    state.focus = Pane::Logs;
    state.zoom = true;
    let names = (0..CONTAINERS).map(|n| (id(n), format!("shop-service{n}-1"))).collect();
    state.logs.merge(Whose::Marked, names);
    for container in 0..CONTAINERS {
        read(&mut state, &rings, container, Range::Tail(usize::MAX), true);
    }
    (rings, state)
}

fn read(state: &mut State, rings: &LogRings, container: u64, range: Range, whole: bool) {
    let (container, generation) = (id(container), state.logs.generation);
    let page = rings.read(&container, range);
    drop(update(state, Msg::Logs { container, generation, page, whole }));
}

fn frame(state: &State, theme: &Theme) -> Buffer {
    let mut buffer = Buffer::empty(state.area);
    root::draw(&mut buffer, state, theme);
    buffer
}

fn dark() -> Theme {
    Theme::load("dark", false).unwrap_or_else(|error| unreachable!("{error}"))
}

#[divan::bench]
fn first_look(bencher: Bencher<'_, '_>) {
    let (rings, state) = session();
    bencher.counter(ItemsCount::new(state.logs.total())).bench_local(|| {
        let mut state = state.clone();
        state.logs.empty();
        for container in 0..CONTAINERS {
            read(&mut state, &rings, container, Range::Tail(usize::MAX), true);
        }
        state.logs.total()
    });
}

#[divan::bench]
fn frame_while_following(bencher: Bencher<'_, '_>) {
    let (_, state) = session();
    let theme = dark();
    bencher.bench_local(|| frame(&state, &theme));
}

#[divan::bench]
fn page_up_and_frame(bencher: Bencher<'_, '_>) {
    let (_, mut state) = session();
    let theme = dark();
    bencher.bench_local(|| {
        state.logs.step(-58, 58, 200);
        if state.logs.place() == 0 {
            state.logs.stick();
        }
        frame(&state, &theme)
    });
}

#[divan::bench]
fn search_for_a_rare_word(bencher: Bencher<'_, '_>) {
    let (_, state) = session();
    let needle = Pattern::parse("needle").unwrap_or_else(|| unreachable!("it is a word"));
    bencher.bench_local(|| state.logs.find(false, |e| state.logs.matches(e, &needle)));
}

#[divan::bench]
fn filter_on(bencher: Bencher<'_, '_>) {
    let (_, mut state) = session();
    bencher.bench_local(|| {
        state.logs.filter = Filter::parse("orders/99", state.now, &state.zone);
        state.logs.reshow();
        state.logs.hidden()
    });
}

#[divan::bench]
fn a_line_of_each_while_following_and_frame(bencher: Bencher<'_, '_>) {
    let (mut rings, mut state) = session();
    let theme = dark();
    let mut seq = EACH;
    bencher.bench_local(|| {
        seq += 1;
        for container in 0..CONTAINERS {
            rings.push(line(container, seq));
        }
        for container in 0..CONTAINERS {
            let range = Range::After { seq: seq - 2, limit: 4096 };
            read(&mut state, &rings, container, range, false);
        }
        frame(&state, &theme)
    });
}
