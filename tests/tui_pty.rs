//! The terminal is taken and given back in a real pseudo-terminal: on quit, on SIGTERM, on a
//! panic in another part. Runs the example `tui_preview`, which cargo builds with the tests.

mod support;

use std::path::PathBuf;
use std::time::Instant;

use portable_pty::CommandBuilder;
use sentinel_tui::tui::modal::GRACE;
use support::Fallible;
use support::pty::{PATIENCE, Session};

fn preview() -> Fallible<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.parent().and_then(|p| p.parent()).ok_or("no target folder")?;
    let path = folder.join("examples/tui_preview");
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: cargo build --example tui_preview", path.display()).into())
    }
}

fn start(arguments: &[&str], environment: &[(&str, &str)]) -> Fallible<Session> {
    let mut command = CommandBuilder::new(preview()?);
    command.args(arguments);
    command.env_remove("NO_COLOR");
    for (name, value) in environment {
        command.env(name, value);
    }
    Session::start(command, 30, 100)
}

#[test]
fn quitting_gives_the_terminal_back() -> Fallible {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    assert!(
        session.parser.screen().alternate_screen() && session.parser.screen().bracketed_paste()
    );
    assert!(!session.is_given_back());
    session.type_in("q")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn ctrl_c_needs_no_question() -> Fallible {
    let mut session = start(&["--auto-heal"], &[])?;
    session.until_text("AUTO-HEAL")?;
    session.type_in("q")?;
    session.until_text("Nothing will be healed")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn sigterm_gives_the_terminal_back() -> Fallible {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.signal("TERM")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn a_panic_elsewhere_gives_the_terminal_back_and_is_readable() -> Fallible {
    let mut session = start(&["--panic"], &[])?;
    session.until_text("node-7")?;
    assert_ne!(session.until_end()?, 0);
    assert!(session.is_given_back());
    let screen = session.parser.screen().contents();
    assert!(screen.contains("Crashed"), "{screen}");
    Ok(())
}

#[test]
fn a_fix_is_approved_by_hand_from_end_to_end() -> Fallible {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.type_in("F")?;
    session.until_text("Break something")?;
    session.press_until("\r", "▲ 1")?;
    session.until_text("◆ 1")?;
    session.type_in("3A")?;
    session.until_text("Approve a change of shop-api-1?")?;
    session.press_until("y", "verifying")?;
    session.until_text("resolved")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn drawing_again_clears_what_others_wrote_and_goes_on() -> Fallible {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.parser.process(b"\x1b[5;5HNOT OURS");
    assert!(session.text().contains("NOT OURS"));
    session.type_in("\u{c}")?;
    session.until("a clean screen", |screen| {
        !screen.contents().contains("NOT OURS") && screen.contents().contains("node-7")
    })?;
    session.type_in("?")?;
    session.until_text("Everywhere")?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    Ok(())
}

/// Waits until the program's main thread sleeps: what it had to draw is drawn.
#[cfg(target_os = "linux")]
fn until_idle(session: &Session) -> Fallible {
    let pid = session.child.process_id().ok_or("no process")?;
    let path = format!("/proc/{pid}/task/{pid}/stat");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stat = std::fs::read_to_string(&path)?;
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        if state.starts_with('S') {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("it never sleeps: {stat}").into());
        }
        std::thread::yield_now();
    }
}

/// A runner that stalls comes to read keys late: what was typed within the grace is not heard,
/// however late it is read.
#[cfg(target_os = "linux")]
#[test]
fn a_key_typed_within_the_grace_does_not_count_after_a_stall() -> Fallible {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.type_in("F")?;
    session.until_text("Break something")?;
    session.press_until("\r", "▲ 1")?;
    session.until_text("◆ 1")?;
    session.type_in("3")?;
    let question = "Approve a change of shop-api-1?";
    let deadline = Instant::now() + PATIENCE;
    loop {
        let before = Instant::now();
        session.type_in("A")?;
        session.until_text("esc cancel")?;
        until_idle(&session)?;
        session.signal("STOP")?;
        // Stopped before the grace can have ended; on a machine that is too busy, once more.
        let in_time = before.elapsed() < GRACE;
        if in_time {
            session.type_in("y")?;
            std::thread::sleep(GRACE * 2);
        }
        session.signal("CONT")?;
        if in_time {
            break;
        }
        session.press_until("\u{1b}4", "/ search")?;
        session.press_until("3", "A approve")?;
        assert!(Instant::now() < deadline, "the machine was too busy for this test");
    }
    session.press_until("\t", "[ Approve")?;
    assert!(session.text().contains(question), "{}", session.text());
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    Ok(())
}

#[test]
fn no_color_sends_no_colour_and_keeps_the_selection() -> Fallible {
    let mut session = start(&[], &[("NO_COLOR", "1")])?;
    session.until_text("node-7")?;
    session.until_text("shop-api-1")?;
    let screen = session.parser.screen();
    let (rows, columns) = screen.size();
    let mut inverse = 0;
    for row in 0..rows.into() {
        for column in 0..columns.into() {
            let Some(cell) = screen.cell(row, column) else { continue };
            assert_eq!(cell.fgcolor(), vt100::Color::Default);
            assert_eq!(cell.bgcolor(), vt100::Color::Default);
            inverse += usize::from(cell.inverse());
        }
    }
    assert!(inverse > 20, "the selected row is inverse: {inverse}");
    session.type_in("\u{3}")?;
    session.until_end()?;
    Ok(())
}

/// Bytes that ask the terminal for its mouse, and for no mouse.
const MOUSE: (&[u8], &[u8]) = (b"\x1b[?1000h", b"\x1b[?1000l");

fn wrote(session: &Session, bytes: &[u8]) -> usize {
    session.raw.windows(bytes.len()).filter(|w| *w == bytes).count()
}

#[test]
fn the_mouse_is_let_go_at_the_end() -> Fallible {
    for (arguments, status) in [(&["--mouse"][..], Some(0)), (&["--mouse", "--panic"], None)] {
        let mut session = start(arguments, &[])?;
        session.until_text("node-7")?;
        assert_eq!(wrote(&session, MOUSE.0), 1);
        if status.is_some() {
            session.type_in("\u{3}")?;
        }
        let ended = session.until_end()?;
        assert!(status.map_or(ended != 0, |status| ended == status));
        assert_eq!(wrote(&session, MOUSE.1), 1);
        assert!(session.is_given_back());
    }
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.type_in("\u{3}")?;
    session.until_end()?;
    assert_eq!(wrote(&session, MOUSE.0), 0);
    Ok(())
}

#[test]
fn a_click_on_a_hint_runs_it() -> Fallible {
    let mut session = start(&["--mouse"], &[])?;
    session.until_text("? help")?;
    session.type_in("\u{1b}[<0;97;30M\u{1b}[<0;97;30m")?;
    session.until_text("Everywhere")?;
    session.type_in("\u{3}")?;
    session.until_end()?;
    Ok(())
}

#[test]
fn a_command_typed_at_once_is_run_whole() -> Fallible {
    let mut session = start(&[], &[])?;
    session.until_text("node-7")?;
    session.type_in(":theme mono\r")?;
    session.until_text("Theme mono, until")?;
    session.type_in(":quit\r")?;
    assert_eq!(session.until_end()?, 0);
    assert!(session.is_given_back());
    Ok(())
}

#[test]
fn a_new_incident_is_told_to_the_terminal() -> Fallible {
    let mut session = start(&["--notify"], &[])?;
    session.until_text("node-7")?;
    session.type_in("F")?;
    session.until_text("Break something")?;
    session.press_until("\r", "▲ 1")?;
    session.until_text("◆ 1")?;
    assert_eq!(wrote(&session, b"\x1b]9;sentinel-tui: INC-"), 1);
    session.type_in("\u{3}")?;
    session.until_end()?;
    Ok(())
}

/// A shell with job control: it is told of the stop, and goes on with the job when asked to.
#[test]
fn a_suspended_job_gives_the_terminal_back_and_takes_it_again() -> Fallible {
    let mut command = CommandBuilder::new("bash");
    command.args(["--norc", "-mc", "\"$0\" --mouse; echo AWAY; read -r; fg; echo BACK=$?"]);
    command.arg(preview()?);
    command.env_remove("NO_COLOR");
    let mut session = Session::start(command, 30, 100)?;
    session.until_text("node-7")?;
    session.type_in("\u{1a}")?;
    session.until_text("AWAY")?;
    assert!(session.is_given_back());
    assert_eq!(wrote(&session, MOUSE.1), 1);
    session.type_in("\n")?;
    session.until("the screen again", |screen| {
        screen.alternate_screen() && screen.contents().contains("node-7")
    })?;
    assert_eq!(wrote(&session, MOUSE.0), 2);
    session.type_in("?")?;
    session.until_text("Everywhere")?;
    session.type_in("\u{3}")?;
    session.until_text("BACK=0")?;
    session.until_end()?;
    assert!(session.is_given_back());
    Ok(())
}

/// A theme in a file: a mistake in it is told and changes nothing, a change is taken over.
#[test]
fn the_file_of_a_theme_is_read_again_when_it_changes() -> Fallible {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "base = \"dark\"")?;
    let name = file.to_str().ok_or("a path that is no text")?;
    let mut session = start(&["--theme", name], &[])?;
    session.until_text("node-7")?;
    std::fs::write(&file, "ok = \"greenish\"")?;
    session.until_text("`greenish`")?;
    std::fs::write(&file, "base = \"dark\"\ntitle_focused = \"16 on 214\"")?;
    session.until("the new colour", |screen| {
        let (_, columns) = screen.size();
        let mut cells = (0..columns.into()).filter_map(|x| screen.cell(1, x));
        cells.any(|cell| cell.bgcolor() == vt100::Color::Idx(214))
    })?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    Ok(())
}

/// The tour comes once, and a key that is meant for the screen reaches it.
#[test]
fn the_tour_is_shown_the_first_time_only() -> Fallible {
    let folder = tempfile::tempdir()?;
    let shown = folder.path().join("tour-shown");
    let path = shown.to_str().ok_or("a path that is no text")?;
    let mut session = start(&["--tour", path], &[])?;
    session.until_text("1 of 4: what you see")?;
    session.type_in("?")?;
    session.until_text("Everywhere")?;
    session.type_in("\u{3}")?;
    session.until_end()?;
    assert!(shown.exists());
    let mut session = start(&["--tour", path], &[])?;
    session.until_text("shop-api-1")?;
    assert!(!session.text().contains("1 of 4"), "{}", session.text());
    session.type_in("\u{3}")?;
    session.until_end()?;
    Ok(())
}
