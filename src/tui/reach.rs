//! What goes to the terminal besides frames: the clipboard, notifications.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use crossterm::Command as _;
use crossterm::clipboard::CopyToClipboard;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::ui::{Display, Notify};
use crate::tui::message::Msg;
use crate::tui::notice;

/// Terminals refuse longer clipboards; this many bytes are 74 994 once encoded.
const CLIPBOARD: usize = 56_244;
/// How long a program may take to put text on the clipboard.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells a new incident outside of the screen.
pub fn notify(how: Notify, words: &str, tmux: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(notice::encode(how, words, tmux).as_bytes())?;
    out.flush()
}

/// A terminal that has gone says so at the next frame.
pub fn done(outcome: std::io::Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!("the terminal did not take it: {error}");
    }
}

/// Hands text to the terminal's clipboard (OSC 52), through tmux if need be. Whether it takes it
/// cannot be known. Gives what was said to it.
pub fn copy(text: &str, tmux: bool) -> std::io::Result<Handed> {
    let mut end = text.len().min(CLIPBOARD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let part = text.get(..end).unwrap_or_default();
    let mut sequence = String::new();
    CopyToClipboard::to_clipboard_from(part)
        .write_ansi(&mut sequence)
        .map_err(std::io::Error::other)?;
    let mut out = std::io::stdout();
    out.write_all(notice::passed(&sequence, tmux).as_bytes())?;
    out.flush()?;
    let characters = part.chars().count();
    Ok(Handed { characters, bytes: end, of: text.len() })
}

/// What went to a terminal's clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handed {
    characters: usize,
    bytes: usize,
    of: usize,
}

/// What is said of a copy: which way it took, and how much of it.
pub fn said(handed: &std::io::Result<Handed>, native: Option<&str>) -> Msg {
    let whole = match (handed, native) {
        (Err(error), None) => {
            let text = format!("The terminal did not take it: {error}.");
            return Msg::Said { ok: false, text };
        }
        (Err(_), Some(tool)) => format!("It went to the clipboard by {tool}."),
        (Ok(h), Some(tool)) if h.bytes < h.of => format!(
            "{} bytes went to the clipboard by {tool}; the first {} to the terminal's, too.",
            h.of, h.bytes
        ),
        (Ok(h), None) if h.bytes < h.of => {
            format!("The first {} bytes of {} went to the terminal's clipboard.", h.bytes, h.of)
        }
        (Ok(h), tool) => {
            let by = tool.map(|tool| format!(" and by {tool}")).unwrap_or_default();
            let count = crate::tui::words::count(h.characters, "character");
            format!("{count} went to the terminal's clipboard{by}.")
        }
    };
    Msg::Said { ok: true, text: whole }
}

/// Programs that put text on the clipboard of this machine, with what they are told.
fn programs(display: Display) -> &'static [(&'static str, &'static [&'static str])] {
    match display {
        Display::None => &[],
        Display::Wayland => &[("wl-copy", &[])],
        Display::X11 => {
            &[("xclip", &["-selection", "clipboard"]), ("xsel", &["--clipboard", "--input"])]
        }
        Display::Mac => &[("pbcopy", &[])],
    }
}

/// Puts text on the clipboard of the machine's own display, if there is one and a program for it.
/// Gives the program that took it.
pub async fn native(display: Display, text: &str) -> Option<&'static str> {
    for (program, arguments) in programs(display) {
        match timeout(PATIENCE, feed(program, arguments, text)).await {
            Ok(Ok(true)) => return Some(program),
            Ok(Ok(false)) => tracing::debug!("{program} refused the clipboard"),
            Ok(Err(error)) => tracing::debug!("{program} cannot be used: {error}"),
            Err(_) => tracing::debug!("{program} did not end in time"),
        }
    }
    None
}

async fn feed(program: &str, arguments: &[&str], text: &str) -> std::io::Result<bool> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes()).await?;
    }
    Ok(child.wait().await?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_and_the_amount_are_said() {
        let all = || Ok(Handed { characters: 3, bytes: 4, of: 4 });
        let part = || Ok(Handed { characters: 4, bytes: 4, of: 9 });
        let failed = || Err(std::io::Error::other("gone"));
        for (handed, tool, words) in [
            (all(), None, "3 characters went to the terminal's clipboard."),
            (all(), Some("xsel"), "3 characters went to the terminal's clipboard and by xsel."),
            (part(), None, "The first 4 bytes of 9 went to the terminal's clipboard."),
            (
                part(),
                Some("wl-copy"),
                "9 bytes went to the clipboard by wl-copy; the first 4 to the terminal's, too.",
            ),
            (failed(), Some("pbcopy"), "It went to the clipboard by pbcopy."),
            (failed(), None, "The terminal did not take it: gone."),
        ] {
            let Msg::Said { text, .. } = said(&handed, tool) else { unreachable!() };
            assert_eq!(text, words);
        }
    }

    #[tokio::test]
    async fn a_program_takes_the_text_or_says_that_it_did_not() {
        assert!(feed("cat", &[], "text").await.unwrap());
        assert!(!feed("false", &[], "").await.unwrap_or(false));
        assert!(feed("no-such-program", &[], "text").await.is_err());
        assert_eq!(native(Display::None, "text").await, None);
    }
}
