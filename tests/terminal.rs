//! The main job by hand: the built binary in a real terminal, a real container, real keys.

mod support;

use portable_pty::CommandBuilder;
use support::pty::{PATIENCE, Session};
use support::{CRASHES, Corner, Fallible, eventually};

/// The built binary on a corner of the engine, in a terminal.
fn open(corner: &Corner, folder: &std::path::Path, arguments: &[&str]) -> Fallible<Session> {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    command.env_clear();
    command.env("HOME", folder);
    command.env("SENTINEL_LOCK_DIR", folder);
    command.env("USER", "tester");
    command.env("DOCKER_HOST", &corner.host);
    command.env("SENTINEL_VERIFY_SECONDS", "1");
    command.args(["--no-tour", "--filter", &corner.filter()]);
    command.args(arguments);
    Session::start(command, 40, 120)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_crash_is_seen_understood_approved_and_verified_by_hand() -> Fallible {
    let corner = Corner::new("hand")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut screen = open(&corner, folder.path(), &[])?;
    screen.until_text("1/1")?;
    screen.until_text("ready")?;
    corner.crash("api").await?;
    screen.until_text("1 to approve")?;
    // Nothing opens by itself: the operator goes there.
    screen.type_in("2\r")?;
    screen.until_text("docker start")?;
    screen.until_text("FATAL: lost the index")?;
    screen.type_in("A")?;
    screen.until_text("start_container")?;
    assert_eq!(corner.running_since("api").await?, None, "nothing happens before the word");
    screen.press_until("y", "resolved")?;
    assert!(corner.running_since("api").await?.is_some());
    screen.type_in("\u{3}")?;
    assert_eq!(screen.until_end()?, 0);
    assert!(screen.is_given_back());

    // The record names the person.
    let audit = std::process::Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder.path())
        .args(["audit", "show"])
        .output()?;
    let lines = String::from_utf8(audit.stdout)?;
    let approved = lines.lines().find(|l| l.contains(" approved ")).ok_or("no approval")?;
    assert!(approved.contains("tester"), "{approved}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_rejected_fix_changes_nothing_and_the_incident_stays_with_the_person() -> Fallible {
    let corner = Corner::new("reject")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut screen = open(&corner, folder.path(), &["--theme", "mono"])?;
    screen.until_text("1/1")?;
    corner.crash("api").await?;
    screen.until_text("1 to approve")?;
    screen.type_in("2\r")?;
    screen.until_text("docker start")?;
    screen.type_in("R")?;
    screen.until_text("Reject")?;
    screen.press_until("not now\r", "escalated")?;
    assert_eq!(corner.running_since("api").await?, None);
    screen.type_in("\u{3}")?;
    assert_eq!(screen.until_end()?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_terminal_that_goes_away_ends_the_program_in_order() -> Fallible {
    let corner = Corner::new("hangup")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", CRASHES).await?;
    let mut screen = open(&corner, folder.path(), &[])?;
    screen.until_text("1/1")?;
    screen.hang_up("?")?;
    let status = eventually("the end", PATIENCE, async || Ok(screen.child.try_wait()?)).await?;
    // An abort would be a signal; the order of an end at a lost terminal is a matter of luck.
    assert!(status.signal().is_none(), "{status:?}");
    Ok(())
}
