//! The WebSocket.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sentinel_core::domain::command::Command;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::stage::{Stage, TOKEN, id};
use crate::support::Fallible;

const PATIENCE: Duration = Duration::from_secs(20);

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    async fn open(at: SocketAddr, hello: Value) -> Fallible<Self> {
        let (socket, _) = connect_async(format!("ws://{at}/ws")).await?;
        let mut socket = Self(socket);
        socket.say(hello).await?;
        Ok(socket)
    }

    async fn say(&mut self, what: Value) -> Fallible {
        Ok(self.0.send(Message::text(what.to_string())).await?)
    }

    async fn hear(&mut self) -> Fallible<Value> {
        loop {
            let message = timeout(PATIENCE, self.0.next()).await?.ok_or("it was closed")??;
            if let Message::Text(text) = message {
                return Ok(serde_json::from_str(&text)?);
            }
        }
    }

    /// The first message that is so.
    async fn until(&mut self, is: impl Fn(&Value) -> bool) -> Fallible<Value> {
        loop {
            let heard = self.hear().await?;
            if is(&heard) {
                return Ok(heard);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_cut_off_again_and_again_loses_and_doubles_nothing() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let mut socket = Socket::open(at, json!({"v": 1})).await?;
    let run = socket.until(|m| m["say"] == "welcome").await?["run"].clone();
    let first = socket.hear().await?;
    assert_eq!((&first["type"], &first["seq"]), (&"snapshot".into(), &0.into()));
    assert_eq!(first["containers"][0]["name"], "shop-api");
    let mut seen: Vec<u64> = Vec::new();
    for round in 0..10_u64 {
        for seq in round * 100 + 1..=round * 100 + 100 {
            stage.announce(seq, "x");
        }
        // Cut off in the middle of them.
        let upto = round * 100 + 37;
        while seen.last().is_none_or(|last| *last < upto) {
            let event = socket.until(|m| m["type"] == "recovered").await?;
            seen.push(event["seq"].as_u64().ok_or("no number")?);
        }
        drop(socket);
        let resume = json!({"run": run, "seq": seen.last()});
        socket = Socket::open(at, json!({"v": 1, "resume": resume})).await?;
        let welcome = socket.hear().await?;
        assert_eq!(welcome["run"], run);
    }
    while seen.last().is_none_or(|last| *last < 1000) {
        let event = socket.hear().await?;
        assert_eq!(event["type"], "recovered", "no snapshot was needed");
        seen.push(event["seq"].as_u64().ok_or("no number")?);
    }
    assert_eq!(seen, (1..=1000).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_client_is_told_what_it_missed() -> Fallible {
    let stage = Stage::new()?;
    let mut socket = Socket::open(stage.address, json!({"v": 1})).await?;
    socket.until(|m| m["type"] == "snapshot").await?;
    // Far more than what is kept and what fits between the two ends.
    let detail = "x".repeat(4000);
    let many = 20_000_u64;
    for seq in 1..=many {
        stage.announce(seq, &detail);
        // The API's own listening is not what this is about.
        if seq % 500 == 0 {
            let deadline = tokio::time::Instant::now() + PATIENCE;
            while stage.events.len() > 500 && tokio::time::Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    let (mut at, mut missed) = (0, 0);
    while at < many {
        let event = socket.hear().await?;
        let seq = event["seq"].as_u64().ok_or("no number")?;
        if event["type"] == "snapshot" {
            missed += event["missed"].as_u64().ok_or("no count")?;
        } else {
            assert_eq!(seq, at + 1, "nothing is left out between two events");
        }
        at = seq;
    }
    assert!(missed > 0, "it was told");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_need_the_token_and_are_answered_by_their_number() -> Fallible {
    let stage = Stage::new()?;
    let halt = json!({"ask": "command", "id": 7, "command": {"command": "halt", "reason": "r"}});
    let mut nobody = Socket::open(stage.address, json!({"v": 1, "name": "eve"})).await?;
    assert_eq!(nobody.hear().await?["may_change"], false);
    nobody.say(halt.clone()).await?;
    let answer = nobody.until(|m| m["say"] == "answer").await?;
    assert_eq!((&answer["id"], &answer["ok"]), (&7.into(), &false.into()));
    assert!(stage.asked().is_empty());
    let hello = json!({"v": 1, "name": "ann", "token": TOKEN});
    let mut ann = Socket::open(stage.address, hello).await?;
    assert_eq!(ann.hear().await?["may_change"], true);
    ann.say(halt).await?;
    let answer = ann.until(|m| m["say"] == "answer").await?;
    assert_eq!((&answer["ok"], &answer["text"]), (&true.into(), &"done".into()));
    let by = "ann via api from 127.0.0.1".to_owned();
    assert_eq!(stage.asked(), [(by, Command::Halt { reason: "r".to_owned() })]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_word_that_is_wrong_ends_it() -> Fallible {
    let stage = Stage::new()?;
    for (hello, words) in [
        (json!({"v": 99}), "speaks version 1"),
        (json!({"v": 1, "token": "guess"}), "the token is wrong"),
        (json!({"v": 1, "surprise": true}), "unknown field"),
        (json!([]), "the first word"),
    ] {
        let mut socket = Socket::open(stage.address, hello).await?;
        let refused = socket.hear().await?;
        assert_eq!(refused["say"], "refused");
        assert!(refused["why"].as_str().is_some_and(|why| why.contains(words)), "{refused}");
    }
    let mut socket = Socket::open(stage.address, json!({"v": 1})).await?;
    socket.until(|m| m["type"] == "snapshot").await?;
    socket.say(json!({"ask": "everything"})).await?;
    assert_eq!(socket.hear().await?["say"], "refused");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_gets_views_and_pages_of_logs() -> Fallible {
    let stage = Stage::new()?;
    let mut socket = Socket::open(stage.address, json!({"v": 1, "want": "view"})).await?;
    let view = socket.until(|m| m["say"] == "view").await?;
    assert_eq!(view["snapshot"]["containers"][0]["lines"], 5);
    stage.snapshots.send_modify(|snapshot| {
        let mut next = (**snapshot).clone();
        next.version += 1;
        next.containers[0].deaths = 9;
        *snapshot = next.into();
    });
    socket.until(|m| m["snapshot"]["containers"][0]["deaths"] == 9).await?;
    let ask = json!({"ask": "logs", "container": id(), "after": 0, "revision": 0});
    socket.say(ask).await?;
    let page = socket.until(|m| m["say"] == "logs").await?;
    assert_eq!(page["entries"].as_array().map(Vec::len), Some(5));
    assert_eq!((&page["last"], &page["whole"]), (&5.into(), &true.into()));
    let ask = json!({"ask": "logs", "container": id(), "after": 4, "revision": page["revision"]});
    socket.say(ask).await?;
    let page = socket.until(|m| m["say"] == "logs").await?;
    assert_eq!((&page["entries"][1]["line"]["seq"], &page["whole"]), (&5.into(), &false.into()));
    Ok(())
}
