//! The three plain calls with curl that the guide of the earlier system gives.

use serde_json::Value;

use crate::Fallible;
use crate::program::{Place, Running, TOKEN};

/// What came back from one call.
struct Answer {
    status: u16,
    session: Option<String>,
    content_type: String,
    body: String,
}

impl Answer {
    /// The messages, as the earlier system's client reads them: every line that begins with
    /// `data: ` is one.
    fn messages(&self) -> Fallible<Vec<Value>> {
        let lines = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        let read = |line| serde_json::from_str(line).map_err(|e| format!("{e}: {line:?}").into());
        lines.map(read).collect()
    }

    fn result(&self) -> Fallible<Value> {
        let messages = self.messages()?;
        match messages.as_slice() {
            [one] => Ok(one["result"].clone()),
            other => Err(format!("{other:?} is not one message: {}", self.body).into()),
        }
    }
}

/// curl as it is by default: `Accept: */*`.
fn curl(gateway: &Running, session: Option<&str>, body: &str) -> Fallible<Answer> {
    curl_with(gateway, session, body, &[&format!("Authorization: Bearer {TOKEN}")])
}

fn curl_with(
    gateway: &Running,
    session: Option<&str>,
    body: &str,
    headers: &[&str],
) -> Fallible<Answer> {
    let mut command = std::process::Command::new("curl");
    command
        .args(["--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "60"])
        .args(["--request", "POST", "--header", "Content-Type: application/json"])
        .args(["--data", body, &format!("{}/mcp", gateway.address)]);
    for header in headers {
        command.args(["--header", header]);
    }
    if let Some(session) = session {
        command.args(["--header", &format!("Mcp-Session-Id: {session}")]);
    }
    let output = command.output().map_err(|e| format!("curl is needed: {e}"))?;
    let text = String::from_utf8(output.stdout)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| format!("no answer: {text}"))?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let status = head.split_whitespace().nth(1).unwrap_or_default().parse()?;
    Ok(Answer {
        status,
        session: header("Mcp-Session-Id"),
        content_type: header("Content-Type").unwrap_or_default(),
        body: body.to_owned(),
    })
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"curl","version":"1.0.0"}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#;

/// The three calls; gives what the last one answered.
fn three_calls(gateway: &Running, container: &str) -> Fallible<Value> {
    let hello = curl(gateway, None, INITIALIZE)?;
    assert_eq!(hello.status, 200, "{}", hello.body);
    assert!(hello.content_type.starts_with("text/event-stream"), "{}", hello.content_type);
    assert_eq!(hello.result()?["protocolVersion"], "2024-11-05");
    let session = hello.session.ok_or("no Mcp-Session-Id")?;

    let listed = curl(gateway, Some(&session), LIST)?.result()?;
    let tools = listed["tools"].as_array().ok_or("no tools")?;
    let tool =
        tools.iter().find(|t| t["name"] == "restart_container").ok_or("no restart_container")?;
    assert_eq!(tool["inputSchema"]["type"], "object");

    let call = format!(
        r#"{{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{{"name":"restart_container","arguments":{{"container_name":"{container}","reason":"Manual test"}}}}}}"#
    );
    curl(gateway, Some(&session), &call)?.result()
}

#[test]
fn three_calls_with_curl_and_nothing_else_work() -> Fallible {
    let place = Place::new()?;
    let behind = place.fixture("behind")?;
    let place = place.catalogue(&[("behind", behind)])?;
    let gateway = place.gateway(&[])?;
    let answer = three_calls(&gateway, "demo-api")?;
    assert_eq!(answer["structuredContent"]["message"], "fine", "{answer}");
    assert_eq!(
        place.calls(),
        [r#"behind restart_container {"container_name":"demo-api","reason":"Manual test"}"#]
    );
    assert_eq!(gateway.end()?, 0);
    Ok(())
}

#[test]
fn a_session_that_does_not_exist_and_a_stranger_are_told_apart() -> Fallible {
    let place = Place::new()?;
    let behind = place.fixture("behind")?;
    let place = place.catalogue(&[("behind", behind)])?;
    let gateway = place.gateway(&[])?;
    assert_eq!(curl(&gateway, Some("nobody"), LIST)?.status, 404);
    assert_eq!(curl(&gateway, None, LIST)?.status, 400);
    for header in ["X-None: 1", "Authorization: Bearer wrong", "Authorization: Basic eDp5"] {
        let stranger = curl_with(&gateway, None, INITIALIZE, &[header])?;
        assert_eq!((stranger.status, stranger.session), (401, None), "{header}");
    }
    let token = format!("Authorization: Bearer {TOKEN}");
    let mine = curl_with(&gateway, None, INITIALIZE, &[&token, "Origin: http://localhost:3000"])?;
    assert_eq!(mine.status, 200);
    for header in ["Origin: https://evil.example", "Host: evil.example"] {
        let page = curl_with(&gateway, None, INITIALIZE, &[&token, header])?;
        assert_eq!((page.status, page.session), (403, None), "{header}");
    }
    Ok(())
}

/// The same on a real engine, with our own servers behind the gateway: the container did restart.
#[test]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
fn three_calls_with_curl_restart_a_container() -> Fallible {
    let place = Place::new()?;
    let gateway = place.gateway(&[])?;
    let container = crate::servers::Busybox::start("curl")?;
    let before = container.started_at()?;
    let answer = three_calls(&gateway, &container.name)?;
    assert_eq!(answer["structuredContent"]["success"], true, "{answer}");
    // What the earlier system's client reads: the text of the first content, as JSON.
    let text = answer["content"][0]["text"].as_str().ok_or("no text")?;
    let told: Value = serde_json::from_str(text)?;
    assert_eq!((&told["success"], &told["reason"]), (&Value::Bool(true), &"Manual test".into()));
    assert_ne!(container.started_at()?, before);
    Ok(())
}
