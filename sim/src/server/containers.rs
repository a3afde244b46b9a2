//! Routes of containers and of the commands inside them.

use hyper::header::HeaderValue;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::engine::Engine;
use crate::frame;
use crate::refused::Refused;
use crate::server::answer::Answer;
use crate::server::asked::Asked;
use crate::server::streams;
use crate::show::{inspect, list, stats};

/// Output of a command, as it is sent.
const RAW: &str = "application/vnd.docker.raw-stream";

pub(super) async fn route(asked: Asked) -> Result<Answer, Refused> {
    let Asked { engine, method, path, query, body, upgrade } = asked;
    let pieces: Vec<&str> = path.iter().map(String::as_str).collect();
    let grace = query.number("t");
    let done = |()| Answer::Empty(204);
    match (&method, pieces.as_slice()) {
        (&Method::GET, ["containers", "json"]) => {
            let limit = query.number("limit").and_then(|n| usize::try_from(n).ok());
            let (all, limit) = (query.switch("all", false), limit.filter(|n| *n > 0));
            let filters = query.filters()?;
            let text = engine.look(|world| list::containers(world, all, limit, &filters))?;
            Ok(Answer::Json(200, text))
        }
        (&Method::POST, ["containers", "create"]) => {
            let name = query.text("name");
            let id = engine.change(|world| {
                let key = world.create(name, &body)?;
                Ok::<_, Refused>(world.get(key).map(|c| c.id.clone()).unwrap_or_default())
            })?;
            Ok(Answer::created(&json!({"Id": id, "Warnings": []})))
        }
        (&Method::GET, ["containers", id, "json"]) => engine.look(|world| {
            let (_, container) = world.look(id)?;
            Ok(Answer::ok(&inspect::container(world, container)))
        }),
        (&Method::GET, ["containers", id, "logs"]) => streams::logs(&engine, id, &query),
        (&Method::GET, ["containers", id, "stats"]) => {
            if query.switch("stream", true) {
                return streams::stats(&engine, id);
            }
            let before = !query.switch("one-shot", false);
            engine.look(|world| {
                let (_, container) = world.look(id)?;
                Ok(Answer::ok(&stats::reading(world, container, before)))
            })
        }
        (&Method::GET, ["containers", id, "top"]) => top(&engine, id),
        (&Method::GET, ["containers", id, "changes"]) => changes(&engine, id),
        (&Method::POST, ["containers", id, "start"]) => {
            engine.change(|world| world.start(id)).map(done)
        }
        (&Method::POST, ["containers", id, "stop"]) => {
            let key = engine.change(|world| world.stop(id, grace))?;
            streams::until(&engine, key, |c| c.stopping.is_none()).await;
            Ok(Answer::Empty(204))
        }
        (&Method::POST, ["containers", id, "restart"]) => {
            let key = engine.change(|world| world.restart(id, grace))?;
            streams::until(&engine, key, |c| c.stopping.is_none()).await;
            Ok(Answer::Empty(204))
        }
        (&Method::POST, ["containers", id, "kill"]) => {
            let signal = signal(query.text("signal").unwrap_or("KILL"))?;
            engine.change(|world| world.kill(id, signal)).map(done)
        }
        (&Method::POST, ["containers", id, "pause"]) => {
            engine.change(|world| world.pause(id)).map(done)
        }
        (&Method::POST, ["containers", id, "unpause"]) => {
            engine.change(|world| world.unpause(id)).map(done)
        }
        (&Method::POST, ["containers", id, "rename"]) => {
            let to = query.text("name").unwrap_or_default();
            engine.change(|world| world.rename(id, to)).map(done)
        }
        (&Method::POST, ["containers", id, "update"]) => {
            engine.change(|world| world.update(id, &body)).map(|v| Answer::ok(&v))
        }
        (&Method::POST, ["containers", id, "wait"]) => {
            streams::wait(&engine, id, query.text("condition").unwrap_or("not-running"))
        }
        (&Method::DELETE, ["containers", id]) => {
            engine.change(|world| world.remove(id, query.switch("force", false))).map(done)
        }
        (&Method::POST, ["commit"]) => {
            let text = |key: &str| query.text(key).unwrap_or_default();
            let name = format!("{}:{}", text("repo"), query.text("tag").unwrap_or("latest"));
            let id = engine.change(|world| world.commit(text("container"), &name, &body))?;
            Ok(Answer::created(&json!({"Id": id})))
        }
        (&Method::POST, ["containers", id, "exec"]) => {
            let id = engine.change(|world| world.create_exec(id, &body))?;
            Ok(Answer::created(&json!({"Id": id})))
        }
        (&Method::POST, ["exec", id, "start"]) => run(&engine, id, &body, upgrade),
        (&Method::GET, ["exec", id, "json"]) => engine.look(|world| {
            let exec = world.exec(id)?;
            Ok(Answer::ok(&inspect::exec(world, exec)))
        }),
        _ => Err(Refused::missing("page not found")),
    }
}

fn top(engine: &Engine, id: &str) -> Result<Answer, Refused> {
    engine.look(|world| {
        let (_, container) = world.look(id)?;
        if !container.has_process() {
            return Err(Refused::not_running(&container.id));
        }
        let command = container.spec.command.join(" ");
        Ok(Answer::ok(&json!({
            "Titles": ["PID", "USER", "TIME", "COMMAND"],
            "Processes": [[container.pid.to_string(), "root", "00:00:00", command]],
        })))
    })
}

fn changes(engine: &Engine, id: &str) -> Result<Answer, Refused> {
    engine.look(|world| {
        let (_, container) = world.look(id)?;
        let all: Vec<Value> =
            container.written.iter().map(|path| json!({"Path": path, "Kind": 1})).collect();
        Ok(Answer::ok(&if all.is_empty() { Value::Null } else { Value::Array(all) }))
    })
}

/// Runs a command, on a connection that goes on as a plain one if the client asks for that.
fn run(
    engine: &Engine,
    id: &str,
    body: &Value,
    upgrade: Option<OnUpgrade>,
) -> Result<Answer, Refused> {
    let tty = engine.look(|world| world.exec(id).map(|exec| exec.tty))?;
    let output = engine.change(|world| world.run_exec(id))?;
    if body.get("Detach").and_then(Value::as_bool).unwrap_or_default() {
        return Ok(Answer::Empty(200));
    }
    let mut bytes = Vec::new();
    if tty {
        bytes.extend_from_slice(output.as_bytes());
    } else if !output.is_empty() {
        frame::write(&mut bytes, false, output.as_bytes());
    }
    let Some(upgrade) = upgrade else {
        let piece = futures_util::stream::once(std::future::ready(bytes.into()));
        return Ok(Answer::Stream(RAW, Box::pin(piece)));
    };
    tokio::spawn(async move {
        let sent = async {
            let connection = upgrade.await.map_err(std::io::Error::other)?;
            let mut connection = TokioIo::new(connection);
            connection.write_all(&bytes).await?;
            connection.shutdown().await
        };
        if let Err(error) = sent.await {
            tracing::debug!("the output of a command did not arrive: {error}");
        }
    });
    let mut response = Answer::Empty(200).into_response();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [("connection", "Upgrade"), ("upgrade", "tcp"), ("content-type", RAW)] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(Answer::Whole(Box::new(response)))
}

/// `SIGTERM`, `TERM` or `15`.
fn signal(text: &str) -> Result<i32, Refused> {
    let name = text.to_ascii_uppercase();
    let known = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("TERM", 15),
        ("STOP", 19),
        ("WINCH", 28),
    ];
    let bare = name.trim_start_matches("SIG");
    let by_name = known.iter().find(|(known, _)| *known == bare).map(|(_, number)| *number);
    let by_number = name.parse().ok().filter(|n| (1..=64).contains(n));
    by_name.or(by_number).ok_or_else(|| Refused::bad(format!("Invalid signal: {text}")))
}
