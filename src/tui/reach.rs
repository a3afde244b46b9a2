//! What goes to the terminal besides frames: the clipboard, notifications.

use std::io::Write as _;

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

use crate::config::ui::Notify;
use crate::tui::message::Msg;
use crate::tui::notice;

/// Terminals refuse longer clipboards; this many bytes are 74 994 once encoded.
const CLIPBOARD: usize = 56_244;

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

/// Hands text to the terminal's clipboard (OSC 52). Whether it takes it cannot be known.
pub fn copy(text: &str) -> Msg {
    let mut end = text.len().min(CLIPBOARD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let part = text.get(..end).unwrap_or_default();
    match execute!(std::io::stdout(), CopyToClipboard::to_clipboard_from(part)) {
        Ok(()) if end < text.len() => Msg::Said {
            ok: true,
            text: format!(
                "The first {end} bytes of {} went to the terminal's clipboard.",
                text.len()
            ),
        },
        Ok(()) => Msg::Said {
            ok: true,
            text: format!(
                "{} went to the terminal's clipboard.",
                crate::tui::words::count(part.chars().count(), "character")
            ),
        },
        Err(error) => {
            Msg::Said { ok: false, text: format!("The terminal did not take it: {error}.") }
        }
    }
}
