//! The processes of the demo stack. They speak just enough HTTP for each other and for faults.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

use crate::cli::DemoRole;

/// Where the API listens.
pub const API_PORT: u16 = 3001;
/// Where the data service listens.
pub const DATA_PORT: u16 = 9000;
/// Where the worker listens (for its health check and faults only).
pub const WORKER_PORT: u16 = 3002;
/// A peer that takes longer does not answer.
const PATIENCE: Duration = Duration::from_millis(800);

/// What a fault switched on.
#[derive(Debug, Default)]
struct Faults {
    hang: AtomicBool,
    errors_left: AtomicU64,
    served: AtomicU64,
}

/// Runs one of the stack's processes until it is told to stop.
pub async fn run(role: DemoRole, path: &str) -> ExitCode {
    let port = match role {
        DemoRole::Api => API_PORT,
        DemoRole::Data => DATA_PORT,
        DemoRole::Worker => WORKER_PORT,
        DemoRole::Probe => return probe(path).await,
    };
    let peer = std::env::var("PEER_URL").ok();
    let peers: Vec<String> = peer
        .iter()
        .flat_map(|p| p.split(','))
        .map(|p| p.trim_start_matches("http://").to_owned())
        .collect();
    if role == DemoRole::Worker && peers.is_empty() {
        say("FATAL", "environment variable PEER_URL is required");
        return ExitCode::from(78);
    }
    let listener = match TcpListener::bind(("0.0.0.0", port)).await {
        Ok(listener) => listener,
        Err(error) => {
            say("FATAL", &format!("cannot listen on port {port}: {error}"));
            return ExitCode::from(1);
        }
    };
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        say("FATAL", "cannot handle signals");
        return ExitCode::from(1);
    };
    say("INFO", &format!("listening on port {port}"));
    let faults = Arc::new(Faults::default());
    tokio::spawn(work(role, peers, Arc::clone(&faults)));
    loop {
        tokio::select! {
            _ = term.recv() => break,
            _ = int.recv() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { tokio::spawn(serve(stream, Arc::clone(&faults))); }
                Err(error) => say("WARN", &format!("cannot accept a connection: {error}")),
            },
        }
    }
    say("INFO", "told to stop: bye");
    ExitCode::SUCCESS
}

/// Asks the service in this container; exit status 0 if it answers well.
async fn probe(path: &str) -> ExitCode {
    for port in [API_PORT, WORKER_PORT, DATA_PORT] {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
        return match ask(stream, path).await {
            Ok(answer) => {
                print(&answer);
                ExitCode::SUCCESS
            }
            Err(why) => {
                print(&format!("no answer on port {port}: {why}"));
                ExitCode::FAILURE
            }
        };
    }
    print("nothing listens here");
    ExitCode::FAILURE
}

async fn ask(mut stream: TcpStream, path: &str) -> Result<String, String> {
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    let talk = async {
        stream.write_all(request.as_bytes()).await.map_err(|e| e.to_string())?;
        let mut answer = Vec::new();
        stream.take(4096).read_to_end(&mut answer).await.map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let body = text.split("\r\n\r\n").nth(1).unwrap_or_default().to_owned();
        if text.starts_with("HTTP/1.0 200") {
            Ok(body)
        } else {
            Err(format!("bad answer: {}", text.lines().next().unwrap_or_default()))
        }
    };
    timeout(PATIENCE, talk).await.unwrap_or_else(|_| Err("timed out".to_owned()))
}

/// What the service does all day: asks its peers, says how it goes.
async fn work(role: DemoRole, peers: Vec<String>, faults: Arc<Faults>) {
    let name = match role {
        DemoRole::Api => "api",
        DemoRole::Worker => "worker",
        DemoRole::Data | DemoRole::Probe => "data",
    };
    for round in 1_u64.. {
        sleep(Duration::from_secs(1)).await;
        if faults.hang.load(Ordering::Relaxed) {
            continue;
        }
        for peer in &peers {
            match TcpStream::connect(peer.as_str()).await {
                Err(error) => say("ERROR", &format!("cannot reach http://{peer}: {error}")),
                Ok(stream) => match ask(stream, "/value").await {
                    Ok(value) if round.is_multiple_of(2) => {
                        say(
                            "INFO",
                            &format!(
                                "{name} round={round} peer={peer} value={value} took={}ms",
                                3 + round % 5
                            ),
                        );
                    }
                    Ok(_) => {}
                    Err(why) => say("WARN", &format!("{peer} did not answer: {why}")),
                },
            }
        }
        if peers.is_empty() && round.is_multiple_of(3) {
            let served = faults.served.load(Ordering::Relaxed);
            say("INFO", &format!("{name} served={served} since start, checkpoint {round} written"));
        }
        let mut left = faults.errors_left.load(Ordering::Relaxed);
        if left > 0 {
            for _ in 0..left.min(20) {
                say("ERROR", &format!("request {} failed: upstream returned 502", left * 31));
                left -= 1;
                sleep(Duration::from_millis(20)).await;
            }
            faults.errors_left.store(left, Ordering::Relaxed);
        }
    }
}

async fn serve(mut stream: TcpStream, faults: Arc<Faults>) {
    let mut buffer = [0_u8; 1024];
    let Ok(Ok(count)) = timeout(PATIENCE, stream.read(&mut buffer)).await else { return };
    let text = String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()).into_owned();
    let path = text.split(' ').nth(1).unwrap_or("/").to_owned();
    if faults.hang.load(Ordering::Relaxed) {
        sleep(Duration::from_hours(1)).await;
    }
    let body = match path.as_str() {
        "/value" => {
            let served = faults.served.fetch_add(1, Ordering::Relaxed);
            served.to_string()
        }
        "/fault/crash" => {
            answer(&mut stream, "crashing").await;
            say(
                "ERROR",
                "unhandled exception in request handler: index 7 out of range for length 5",
            );
            say("FATAL", "cannot continue, exiting");
            std::process::exit(1);
        }
        "/fault/hang" => {
            say("WARN", "lock order inversion between cache and session store");
            faults.hang.store(true, Ordering::Relaxed);
            "hanging".to_owned()
        }
        "/fault/oom" => {
            answer(&mut stream, "eating").await;
            eat().await;
            return;
        }
        "/fault/errors" => {
            faults.errors_left.store(400, Ordering::Relaxed);
            "failing".to_owned()
        }
        _ => "ok".to_owned(),
    };
    answer(&mut stream, &body).await;
}

async fn answer(stream: &mut TcpStream, body: &str) {
    let text = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    if stream.write_all(text.as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
        // The other side has gone; there is nobody to tell.
    }
}

/// Uses memory until the kernel objects.
async fn eat() {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    for megabytes in (4_u32..).step_by(4) {
        say("WARN", &format!("cache grew to {megabytes} MiB"));
        // Non-zero bytes, so that every page is really there.
        eaten.push(vec![1; 4 << 20]);
        sleep(Duration::from_millis(30)).await;
    }
    drop(eaten);
}

fn say(level: &str, message: &str) {
    print(&format!("{level:<5} {message}"));
}

fn print(line: &str) {
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
        // Without a reader there is nobody to tell.
    }
}
