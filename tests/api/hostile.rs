//! Clients that mean no good: nothing changes, and the others are served on.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::client::{ask, bearer, get, post, raw};
use crate::stage::{Stage, TOKEN};
use crate::support::Fallible;

/// Both ends of them are in this process; scripts/must/hostile-client.sh opens more.
const SOCKETS: usize = 400;
const JSON: &str = "Content-Type: application/json\r\n";
/// The bound that the server sets is shorter.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_token_nothing_changes_and_guessing_is_slowed() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let none = ask(at, "POST /halt", JSON, "{}").await?;
    assert_eq!(none.status, 401);
    assert!(none.head.contains("www-authenticate: bearer"));
    for wrong in ["", "x", &TOKEN[1..], &TOKEN.to_uppercase()] {
        assert_eq!(post(at, "/halt", wrong, &json!({})).await?.status, 401, "{wrong}");
    }
    // A wrong token is not heard even where none is needed.
    assert_eq!(ask(at, "GET /containers", &bearer("x"), "").await?.status, 401);
    let mut slowed = false;
    for _ in 0..40 {
        let answer = post(at, "/halt", "guess", &json!({})).await?;
        assert!(matches!(answer.status, 401 | 429));
        slowed = answer.status == 429 && answer.head.contains("retry-after:");
        if slowed {
            break;
        }
    }
    assert!(slowed);
    assert!(stage.asked().is_empty());
    // Whoever knows it is not held up by whoever guesses.
    assert_eq!(post(at, "/halt", TOKEN, &json!({})).await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_names_and_other_pages_are_not_heard() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let own = format!("Origin: http://{at}\r\n");
    for (host, headers, status) in [
        (at.to_string(), String::new(), 200),
        (at.to_string(), own.clone(), 200),
        ("localhost:1".to_owned(), String::new(), 200),
        ("sre-sentinel:8000".to_owned(), String::new(), 200),
        ("evil.example".to_owned(), String::new(), 403),
        ("evil.example".to_owned(), "Origin: http://evil.example\r\n".to_owned(), 403),
        (at.to_string(), "Origin: http://evil.example\r\n".to_owned(), 403),
        (at.to_string(), "Origin: null\r\n".to_owned(), 403),
        (at.to_string(), format!("{own}{own}"), 403),
        (at.to_string(), "Sec-Fetch-Site: cross-site\r\n".to_owned(), 403),
        (at.to_string(), format!("Host: {at}\r\n"), 400),
    ] {
        let head = format!("Host: {host}\r\nConnection: close\r\n{}{headers}", bearer(TOKEN));
        for (line, body) in [("GET /incidents", ""), ("POST /halt", "{}")] {
            let length = body.len();
            let text =
                format!("{line} HTTP/1.1\r\n{head}{JSON}Content-Length: {length}\r\n\r\n{body}");
            let answer = raw(at, text.as_bytes()).await?;
            assert_eq!(answer.status, status, "{line} {host} {headers}");
        }
        // The handshake of a browser carries the origin, too.
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";
        if status != 200 {
            let text = format!("GET /ws HTTP/1.1\r\nHost: {host}\r\n{headers}{upgrade}\r\n");
            let mut stream = TcpStream::connect(at).await?;
            stream.write_all(text.as_bytes()).await?;
            let mut head = [0; 12];
            stream.read_exact(&mut head).await?;
            assert_eq!(head, format!("HTTP/1.1 {status}").as_bytes(), "{host} {headers}");
        }
    }
    assert_eq!(stage.asked().len(), 4, "only the four that are ours");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_strange_and_endless_requests_are_refused() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let head = format!("POST /halt HTTP/1.1\r\nHost: {at}\r\n{}{JSON}", bearer(TOKEN));
    let large = format!("{head}Content-Length: 1048576\r\n\r\n{}", "x".repeat(1 << 20));
    let chunked = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n{}",
        "1000\r\n".to_owned() + &"y".repeat(4096) + "\r\n"
    );
    let chunked = chunked + &("1000\r\n".to_owned() + &"z".repeat(4096) + "\r\n").repeat(8);
    for text in [large, chunked] {
        // The answer may be lost with the connection, which still takes in what is not wanted.
        if let Ok(answer) = timeout(PATIENCE, raw(at, text.as_bytes())).await? {
            assert_eq!(answer.status, 413);
        }
    }
    for (headers, body, status) in [
        (JSON, "{", 400),
        (JSON, "[1]", 400),
        (JSON, "[]", 400),
        (JSON, "\u{0}", 400),
        ("Content-Type: text/plain\r\n", "{}", 415),
        ("", "{}", 415),
    ] {
        let headers = format!("{}{headers}", bearer(TOKEN));
        assert_eq!(ask(at, "POST /halt", &headers, body).await?.status, status, "{body:?}");
    }
    let many = "X-A: b\r\n".repeat(200);
    let long = format!("X-A: {}\r\n", "b".repeat(64 * 1024));
    for headers in [many, long] {
        if let Ok(answer) = ask(at, "GET /containers", &headers, "").await {
            assert_eq!(answer.status, 431);
        }
    }
    for nonsense in
        [&b"\x16\x03\x01\x02\x00"[..], b"GET\r\n\r\n", &[0xff; 512], b"PRI * HTTP/2.0\r\n\r\n"]
    {
        if let Ok(answer) = timeout(PATIENCE, raw(at, nonsense)).await? {
            assert!(answer.status >= 400, "{nonsense:?}");
        }
    }
    assert!(stage.asked().is_empty());
    assert_eq!(get(at, "/healthz").await?.status, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_speaks_too_slowly_is_cut_off() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let mut head = TcpStream::connect(at).await?;
    head.write_all(format!("GET /containers HTTP/1.1\r\nHost: {at}\r\nX-A: ").as_bytes()).await?;
    let mut body = TcpStream::connect(at).await?;
    let text = format!(
        "POST /halt HTTP/1.1\r\nHost: {at}\r\n{}{JSON}Content-Length: 9\r\n\r\n{{",
        bearer(TOKEN)
    );
    body.write_all(text.as_bytes()).await?;
    let silent = TcpStream::connect(at).await?;
    for (name, mut stream) in [("head", head), ("body", body), ("silent", silent)] {
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.map_err(|_| name)??;
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{name}: {answer}");
    }
    assert!(stage.asked().is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sockets_take_a_bounded_number_of_places() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let mut all = Vec::new();
    for _ in 0..SOCKETS {
        all.push(TcpStream::connect(at).await?);
    }
    let mut open = 0;
    let begin = Instant::now();
    for stream in &mut all {
        // What was refused is closed at once; what was taken waits for a head.
        let wait =
            Duration::from_secs(2).saturating_sub(begin.elapsed()).max(Duration::from_millis(1));
        if timeout(wait, stream.read_u8()).await.is_err() {
            open += 1;
        }
    }
    assert!(open <= 64, "{open} connections were held open for one address");
    drop(all);
    let deadline = Instant::now() + PATIENCE;
    while get(at, "/healthz").await.is_err() {
        assert!(Instant::now() < deadline, "no place comes back");
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_requests_is_slowed_for_its_address_only() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let mut slowed = false;
    for _ in 0..50 {
        let all = join_all((0..20).map(|_| get(at, "/containers"))).await;
        slowed |= all.into_iter().flatten().any(|answer| answer.status == 429);
        if slowed {
            break;
        }
    }
    assert!(slowed);
    assert_eq!(ask(at, "GET /containers", &bearer(TOKEN), "").await?.status, 200);
    Ok(())
}
