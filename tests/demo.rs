//! The demo on an engine of its own: it breaks, heals and leaves nothing behind.

mod support;

use std::process::{Command, Output};

use bollard::query_parameters::ListContainersOptionsBuilder;
use support::{Corner, Engine, Fallible};

fn demo(engine: &str, folder: &std::path::Path, arguments: &[&str]) -> Fallible<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .env("SENTINEL_LOCK_DIR", folder)
        .env("DOCKER_HOST", engine)
        .args(["demo", "--headless"])
        .args(arguments)
        .output()?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn each_end_of_the_demo_is_told_and_leaves_nothing_behind() -> Fallible {
    let engine = Engine::start()?;
    let folder = tempfile::tempdir()?;
    let corner = Corner::on(&engine.host, "demo")?;
    // What is healed ends well, what is not safe to heal goes to a person, and without auto-heal
    // nothing is done.
    let cases: [(&[&str], i32, &str); 4] = [
        (&["--scenario", "crash", "--auto-heal"], 0, "resolved"),
        (&["--scenario", "oom", "--auto-heal"], 0, "docker update --memory 96m"),
        // The value that it had is known, and a recreate is a person's decision.
        (
            &["--scenario", "bad-config", "--auto-heal"],
            3,
            "recreate demo-worker with PEER_URL=http://api:3001,http://data:9000",
        ),
        (&["--scenario", "hang"], 3, "awaiting_approval"),
    ];
    for (arguments, status, words) in cases {
        let output = demo(&engine.host, folder.path(), arguments)?;
        let said = String::from_utf8(output.stdout)?;
        let told = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{said}\n{told}");
        assert!(said.contains(words), "{arguments:?}\n{said}");
        let all = ListContainersOptionsBuilder::default().all(true).build();
        assert!(corner.docker.list_containers(Some(all)).await?.is_empty());
        assert!(corner.docker.inspect_network("sentinel-demo", None).await.is_err());
    }
    Ok(())
}

#[test]
fn without_an_engine_the_demo_says_what_is_missing_and_how_to_get_it() -> Fallible {
    let folder = tempfile::tempdir()?;
    let output = demo("unix:///nonexistent.sock", folder.path(), &["--scenario", "crash"])?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(4), "{told}");
    assert!(
        told.contains("/nonexistent.sock") && told.contains("apt-get install docker.io"),
        "{told}"
    );
    Ok(())
}
