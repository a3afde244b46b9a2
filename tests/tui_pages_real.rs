//! Patterns, events, audit trail, tools and earlier incidents in the built program, in a
//! pseudo-terminal, on a real engine.

mod support;

use portable_pty::CommandBuilder;
use support::pty::Session;
use support::{Corner, Fallible};

/// Writes lines of two kinds until it is told to crash.
const WRITES: &str = "n=0; until [ -e /crash ]; do n=$((n+1)); echo \"INFO served order $n in 12ms\"; echo \"WARN queue of ledger $n is long\"; sleep 0.1; done; rm /crash; echo 'FATAL: lost the index' >&2; exit 7";

#[tokio::test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn every_list_shows_what_the_engine_and_the_program_know() -> Fallible {
    let corner = Corner::new("pages")?;
    let folder = tempfile::tempdir()?;
    corner.run("api", WRITES).await?;
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder.path());
    command.env("USER", "tester");
    command.env("SENTINEL_LOCK_DIR", folder.path());
    command.env("DOCKER_HOST", &corner.host);
    command.arg("--state-dir");
    command.arg(folder.path().join("state"));
    command.args(["--filter", &corner.filter()]);
    let mut session = Session::start(command, 40, 140)?;
    session.until_text("served order")?;

    session.type_in("6")?;
    session.until_text("served order <*> in <*>")?;
    session.until_text("queue of ledger <*> is long")?;
    session.type_in("\r")?;
    session.until_text("Newest lines")?;
    session.type_in("\r")?;
    // The last line has the hints of where the focus is.
    session.until("the log at that line", |screen| !screen.contents().contains("its line"))?;
    session.type_in("\u{1b}")?;
    session.until_text("Newest lines")?;

    corner.crash("api").await?;
    session.type_in("7")?;
    session.until_text("died with exit status 7")?;
    session.until_text("incident opened")?;

    session.type_in("8")?;
    session.until_text("whole: ")?;
    session.until_text("staged")?;
    session.type_in("\r")?;
    session.until_text("Audit record")?;

    session.type_in("9")?;
    session.until_text("docker-control")?;
    session.type_in("/get_logs\r")?;
    session.until_text("/get_logs")?;
    session.type_in("\r")?;
    session.until_text("It only reads")?;
    session.type_in("\r")?;
    session.until_text("Call get_logs")?;
    session.type_in("\r")?;
    session.until("its answer", |screen| {
        let text = screen.contents();
        text.contains("Answer") && text.contains("ms)")
    })?;
    session.type_in("\u{3}")?;
    assert_eq!(session.until_end()?, 0);
    Ok(())
}
