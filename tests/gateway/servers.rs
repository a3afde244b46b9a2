//! Our servers on ports: connections that are used as standard input and output would be, and HTTP.

use std::process::Command;

use rmcp::ServiceExt as _;
use serde_json::json;
use tokio::net::TcpStream;

use crate::Fallible;
use crate::client::{ERAS, Ear, call, client};
use crate::program::{Place, Running, TOKEN};

/// A container on the engine of the test bed; removed at the end.
pub struct Busybox {
    pub name: String,
    host: String,
}

impl Busybox {
    pub fn start(test: &str) -> Fallible<Self> {
        let host = std::env::var("SENTINEL_TEST_DOCKER_HOST")
            .map_err(|_| "SENTINEL_TEST_DOCKER_HOST is not set: run scripts/test.sh")?;
        let image = std::env::var("SENTINEL_TEST_IMAGE")?;
        let this = Self { name: format!("gw-{test}-{}", std::process::id()), host };
        let body = json!({
            "Image": image, "Cmd": ["sh", "-c", "exec sleep 3600"], "StopSignal": "SIGKILL",
            "Labels": {"sre-sentinel.monitor": "true"},
        });
        this.api(
            "POST",
            &format!("/containers/create?name={}", this.name),
            Some(&body.to_string()),
        )?;
        this.api("POST", &format!("/containers/{}/start", this.name), None)?;
        Ok(this)
    }

    pub fn started_at(&self) -> Fallible<String> {
        let text = self.api("GET", &format!("/containers/{}/json", self.name), None)?;
        let value: serde_json::Value = serde_json::from_str(&text)?;
        Ok(value["State"]["StartedAt"].as_str().unwrap_or_default().to_owned())
    }

    fn api(&self, method: &str, path: &str, body: Option<&str>) -> Fallible<String> {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--fail", "--max-time", "60", "--request", method])
            .args(["--unix-socket", self.host.trim_start_matches("unix://")]);
        if let Some(body) = body {
            command.args(["--header", "Content-Type: application/json", "--data", body]);
        }
        let output = command.arg(format!("http://engine{path}")).output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        Err(format!("{method} {path}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

impl Drop for Busybox {
    fn drop(&mut self) {
        if let Err(error) =
            self.api("DELETE", &format!("/containers/{}?force=true&v=true", self.name), None)
        {
            eprintln!("{} stays: {error}", self.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_to_the_port_is_a_server_of_its_own() -> Fallible {
    let place = Place::new()?;
    for (name, tools) in [("docker-control", 17), ("config-patcher", 2)] {
        let mut command = place.command(&["mcp-server", name, "--listen-tcp", "127.0.0.1:0"]);
        let server = Running::start(&mut command)?;
        let first = ().serve(TcpStream::connect(&server.address).await?).await?;
        let second = ().serve(TcpStream::connect(&server.address).await?).await?;
        assert_eq!(first.list_all_tools().await?.len(), tools);
        first.cancel().await?;
        // The end of one is not the end of the other.
        assert_eq!(second.list_all_tools().await?.len(), tools);
        // A look, as a health check does it.
        let looked = place.run(&["mcp-server", name, "--probe-tcp", &server.address])?;
        assert_eq!(looked.status, 0, "{looked:?}");
        second.cancel().await?;
        let address = server.address.clone();
        assert_eq!(server.end()?, 0);
        assert_eq!(place.run(&["mcp-server", name, "--probe-tcp", &address])?.status, 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn our_servers_speak_http_in_both_eras_to_who_has_the_token() -> Fallible {
    let place = Place::new()?.with("MCP_SERVER_AUTH_TOKEN", TOKEN);
    let http = ["mcp-server", "docker-control", "--listen-http", "127.0.0.1:0"];
    let server = Running::start(&mut place.command(&http))?;
    for era in ERAS {
        let client = client(&format!("http://{}", server.address), era, Ear::default()).await?;
        assert_eq!(client.list_all_tools().await?.len(), 17, "{era:?}");
        // There is no engine: the answer is the tool's own.
        let answer =
            client.call_tool(call("health_check", &json!({"container_name": "x"}))).await?;
        assert_eq!(answer.is_error, Some(true));
        client.cancel().await?;
    }
    let stranger = crate::client::http_client()?
        .post(format!("http://{}/mcp", server.address))
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        .send()
        .await?;
    assert_eq!(stranger.status(), 401);
    assert_eq!(server.end()?, 0);
    let refused = Place::new()?.run(&http)?;
    assert!(refused.err.contains("set MCP_SERVER_AUTH_TOKEN"), "{refused:?}");
    Ok(())
}

/// What Docker's gateway does in its static form: a connection for each call, to a server that
/// runs already.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a Docker engine: run scripts/test.sh"]
async fn a_connection_for_each_call_works_on_a_real_engine() -> Fallible {
    let place = Place::new()?;
    let tcp = ["mcp-server", "docker-control", "--listen-tcp", "127.0.0.1:0"];
    let server = Running::start(&mut place.command(&tcp))?;
    let container = Busybox::start("tcp")?;
    let before = container.started_at()?;
    for tool in ["health_check", "restart_container", "health_check"] {
        let client = ().serve(TcpStream::connect(&server.address).await?).await?;
        let answer =
            client.call_tool(call(tool, &json!({"container_name": container.name}))).await?;
        assert_eq!(answer.structured_content.unwrap_or_default()["success"], true, "{tool}");
        client.cancel().await?;
    }
    assert_ne!(container.started_at()?, before);
    Ok(())
}
