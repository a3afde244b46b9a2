//! Somebody who never saw the program finds, with the last line and `?` alone: the container that
//! fails, why, the proposed fix, how to approve it and how to take it back.
//!
//! The walker knows no key. It presses what the last line or the help names.

mod support;

use portable_pty::CommandBuilder;
use support::pty::Session;
use support::{CRASHES, Corner, Fallible};

const ROWS: u16 = 40;

struct Walker(Session);

impl Walker {
    fn start(corner: &Corner, folder: &std::path::Path, columns: u16) -> Fallible<Self> {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
        command.env_clear();
        command.env("HOME", folder);
        command.env("SENTINEL_LOCK_DIR", folder);
        command.env("USER", "newcomer");
        command.env("DOCKER_HOST", &corner.host);
        command.env("SENTINEL_VERIFY_SECONDS", "1");
        command.args(["--filter", &corner.filter()]);
        Ok(Self(Session::start(command, ROWS, columns)?))
    }

    /// The key that the last line names for something.
    fn hinted(&mut self, what: &str) -> Fallible<String> {
        self.0.until(&format!("the hint {what:?}"), |screen| hint(screen, what).is_some())?;
        hint(self.0.parser.screen(), what).ok_or_else(|| "the hint went away".into())
    }

    /// The key that the help names for something.
    fn helped(&mut self, what: &str) -> Fallible<String> {
        self.presses("help")?;
        self.0.until_text("─ Keys ")?;
        loop {
            let before = self.0.text();
            if let Some(key) = before.lines().find_map(|line| helped(line, what)) {
                self.0.type_in("\u{1b}")?;
                self.0.until("the help's end", |s| !s.contents().contains("─ Keys "))?;
                return Ok(key);
            }
            // It may stand further down; what never changes is at its end.
            self.0.type_in("j")?;
            self.0.until(what, |screen| screen.contents() != before)?;
        }
    }

    fn presses(&mut self, what: &str) -> Fallible {
        let key = self.hinted(what)?;
        self.0.type_in(&bytes(&key))
    }
}

/// What a terminal sends for a key as it is written on the screen.
fn bytes(key: &str) -> String {
    match key {
        "enter" => "\r".to_owned(),
        "esc" => "\u{1b}".to_owned(),
        "tab" => "\t".to_owned(),
        other => other.to_owned(),
    }
}

/// `KEY what` in the last line.
fn hint(screen: &vt100::Screen, what: &str) -> Option<String> {
    let text = screen.contents();
    let last = text.lines().nth(usize::from(ROWS) - 1)?;
    let hints = last.split("  ").map(str::trim);
    hints.filter_map(|h| h.split_once(' ')).find(|(_, w)| *w == what).map(|(key, _)| key.to_owned())
}

/// `KEY  what` somewhere in a line of the help.
fn helped(line: &str, what: &str) -> Option<String> {
    let (before, _) = line.split_once(what)?;
    before.split_whitespace().next_back().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_newcomer_finds_the_container_the_cause_the_fix_and_the_way_back() -> Fallible {
    for columns in [120, 80] {
        let corner = Corner::new("walk")?;
        let folder = tempfile::tempdir()?;
        corner.run("api", CRASHES).await?;
        corner.run("well", "sleep 1000").await?;
        let mut walker = Walker::start(&corner, folder.path(), columns)?;
        walker.0.until_text("2/2")?;
        corner.crash("api").await?;

        // The failing container stands out, and the last line leads to what is known of it.
        walker.presses("incident")?;
        walker.presses("inspect")?;
        let name = corner.full("api");
        walker.0.until("the container at fault", |s| s.contents().contains(&name))?;
        // Why, with evidence.
        walker.0.until_text("ended with")?;
        walker.0.until_text("FATAL: lost the index")?;
        // The fix, as a command that anybody knows.
        walker.0.until_text("docker start")?;
        walker.presses("approve")?;
        // The card says what answers it; it does not listen before it could be read.
        walker.0.until_text("y approve")?;
        assert_eq!(corner.running_since("api").await?, None, "nothing happened yet");
        walker.0.press_until("y", "resolved")?;
        assert!(corner.running_since("api").await?.is_some());

        // Help and last line agree on how to take it back.
        let key = walker.helped("take fix back")?;
        assert_eq!(key, walker.hinted("take back")?);
        walker.presses("take back")?;
        walker.0.until_text("y take back")?;
        walker.0.press_until("y", "taken back")?;
        assert_eq!(corner.running_since("api").await?, None);
        walker.0.type_in("\u{3}")?;
        assert_eq!(walker.0.until_end()?, 0);
    }
    Ok(())
}
