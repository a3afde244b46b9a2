//! A front end over an instance elsewhere.

use std::sync::Arc;
use std::time::Duration;

use sentinel_core::domain::command::Command;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::snapshot::CONNECTION_PART;
use sentinel_tui::api::attach::open;
use sentinel_tui::api::attach::target::Target;
use sentinel_tui::runtime::handle::Handle;
use sentinel_tui::runtime::rings::Range;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::stage::{Stage, TOKEN, id};
use crate::support::{Fallible, eventually};

const PATIENCE: Duration = Duration::from_secs(30);

fn target(stage: &Stage, token: Option<&str>) -> Target {
    Target {
        url: format!("http://{}", stage.address),
        token: token.map(str::to_owned),
        name: "ann".to_owned(),
    }
}

/// A handle that is kept up to date for as long as the guard lives.
async fn attached(stage: &Stage) -> Fallible<(Handle, DropGuard)> {
    let (handle, attached) = open(target(stage, Some(TOKEN))).await?;
    let stop = CancellationToken::new();
    tokio::spawn(attached.run(stop.clone()));
    Ok((handle, stop.drop_guard()))
}

async fn until(handle: &Handle, what: &str, holds: impl Fn(&Handle) -> bool) -> Fallible {
    eventually(what, PATIENCE, async || Ok(holds(handle).then_some(()))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_instance_has_is_there_and_what_is_asked_arrives() -> Fallible {
    let stage = Stage::new()?;
    let (handle, _guard) = attached(&stage).await?;
    assert_eq!(*handle.snapshot(), **stage.snapshots.borrow());
    let lines = |handle: &Handle| handle.logs(&id(), Range::Tail(100)).entries.len();
    until(&handle, "the log", |handle| lines(handle) == 5).await?;
    let page = handle.logs(&id(), Range::Tail(100));
    assert_eq!(page.entries[3].anomaly, Some("A-4".into()));
    let mut events = handle.subscribe();
    stage.announce(1, "hello");
    let event = tokio::time::timeout(PATIENCE, events.recv()).await??;
    assert_eq!(event.seq, 1);
    stage.snapshots.send_modify(|snapshot| {
        let mut next = (**snapshot).clone();
        next.version += 1;
        next.containers.clear();
        *snapshot = Arc::new(next);
    });
    until(&handle, "the change", |handle| handle.snapshot().containers.is_empty()).await?;
    until(&handle, "the log that is gone", |handle| lines(handle) == 0).await?;
    let asked = Command::Approve { fix: "F1".into(), sha256: "a".repeat(64) };
    let said = handle.command(Actor::Person("ignored".to_owned()), asked.clone()).await?;
    assert_eq!(said, "done");
    assert_eq!(stage.asked(), [("ann via api from 127.0.0.1".to_owned(), asked)]);
    let no = Command::Dismiss { incident: "INC-1".into(), reason: "no".to_owned() };
    let refused = handle.command(Actor::System, no).await.unwrap_err();
    assert_eq!(refused.to_string(), "it is something");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_told_and_found_again() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let (handle, _guard) = attached(&stage).await?;
    drop(stage);
    until(&handle, "the loss", |handle| handle.snapshot().blind().is_some()).await?;
    let snapshot = handle.snapshot();
    let told = snapshot.blind().ok_or("nothing")?;
    assert_eq!(told.part, CONNECTION_PART);
    assert!(told.detail.contains("next try") && told.detail.contains("is old"), "{}", told.detail);
    assert_eq!(snapshot.containers.len(), 1, "what was seen last stays");
    let halt = Command::Halt { reason: String::new() };
    let refused = handle.command(Actor::System, halt).await.unwrap_err();
    assert!(refused.to_string().contains("nothing was asked"), "{refused}");
    let again = eventually("the port", PATIENCE, async || Ok(Stage::at(at).ok())).await?;
    until(&handle, "the way back", |handle| handle.snapshot().blind().is_none()).await?;
    let lines = |handle: &Handle| handle.logs(&id(), Range::Tail(100)).entries.len();
    until(&handle, "the log", |handle| lines(handle) == 5).await?;
    assert!(again.asked().is_empty(), "nothing of before is carried out later");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_nothing_can_be_shown_is_said_before_a_screen_opens() -> Fallible {
    let stage = Stage::new()?;
    let wrong = open(target(&stage, Some("guess"))).await.err().ok_or("it was let in")?;
    assert!(wrong.to_string().contains("the token is wrong"), "{wrong}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let nobody = format!("http://{}", listener.local_addr()?);
    drop(listener);
    for (url, words) in [
        (nobody.as_str(), "refused"),
        ("ftp://x", "write the address"),
        ("http://ann:pw@x", "--token"),
    ] {
        let target = Target { url: url.to_owned(), ..target(&stage, None) };
        let error = open(target).await.err().ok_or("it was let in")?.to_string();
        assert!(error.contains(words), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_at_the_other_end_is_told() -> Fallible {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let other = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut socket = tokio_tungstenite::accept_async(stream).await?;
        socket.next().await.ok_or("no first word")??;
        let welcome = r#"{"say":"welcome","v":2,"version":"9.9.9","run":"r","may_change":true}"#;
        socket.send(Message::text(welcome)).await?;
        Fallible::Ok(())
    });
    let error = open(Target { url, token: None, name: "ann".to_owned() }).await.err();
    let error = error.ok_or("it was let in")?.to_string();
    assert!(error.contains("9.9.9") && error.contains("use the same version"), "{error}");
    other.await??;
    Ok(())
}
