//! What a frame costs: allocations while nothing changed but the readings. In a binary of its own,
//! for its allocator counts.

#[cfg(test)]
#[expect(dead_code, reason = "fixtures are shared by several test binaries")]
mod tui_common;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use sentinel_core::domain::snapshot::Snapshot;
use sentinel_tui::tui::view::root;
use tui_common::{Session, container, healthy, theme, view};

/// Allocations of one frame of 140x40 with thirty containers, at most.
const MOST: u64 = 1300;

fn thirty() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.containers =
        (0..30).map(|n| view(container(&format!("shop-api-{n}"), "api"), 12.0, 40.0)).collect();
    snapshot
}

#[test]
fn a_steady_frame_of_thirty_containers_is_cheap() {
    let session = Session::new(thirty(), 140, 40);
    let theme = theme("dark");
    let mut buffer = Buffer::empty(Rect::new(0, 0, 140, 40));
    root::draw(&mut buffer, &session.state, &theme);
    let frame = allocation_counter::measure(|| root::draw(&mut buffer, &session.state, &theme));
    assert!(frame.count_total <= MOST, "{} allocations", frame.count_total);
}
