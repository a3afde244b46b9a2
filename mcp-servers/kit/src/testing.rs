//! A bench on a real engine: containers with names of their own, cleared away even when a test
//! fails, and an MCP client in front of a server.
//!
//! `SENTINEL_TEST_DOCKER_HOST` says where the engine is (`unix:///…`), `SENTINEL_TEST_IMAGE` which
//! busybox image to use.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use hyper::Method;
use rmcp::model::{CallToolRequestParams, CallToolResult, JsonObject};
use rmcp::service::RunningService;
use rmcp::{RoleClient, RoleServer, Service, ServiceExt};
use serde_json::{Value, json};

use crate::endpoint::Endpoint;
use crate::engine::Engine;
use crate::failure::Failure;
use crate::raw::{self, Ask};
use crate::settings::Settings;

/// How long a condition may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Bytes between client and server.
const PIPE: usize = 64 * 1024;

/// What a test's helper functions answer with.
pub type Outcome<T> = Result<T, String>;

/// The client's end of a session.
pub type Client = RunningService<RoleClient, ()>;

/// A place on a real engine with names of its own. Everything named after it goes away with it.
#[derive(Debug)]
pub struct Bench {
    /// The engine.
    pub engine: Engine,
    /// What every name begins with.
    pub prefix: String,
    /// The image to use.
    pub image: String,
}

impl Bench {
    /// A bench on the engine that the environment names, or what is missing.
    pub fn new(part: &str) -> Outcome<Self> {
        let host = std::env::var("SENTINEL_TEST_DOCKER_HOST").map_err(|_| {
            "SENTINEL_TEST_DOCKER_HOST is not set; run scripts/test.sh, or set it to the socket \
             of a Docker engine that tests may use (unix:///…)"
                .to_owned()
        })?;
        let image = std::env::var("SENTINEL_TEST_IMAGE")
            .unwrap_or_else(|_| "sentinel-test/busybox:1".to_owned());
        let unique = RandomState::new().build_hasher().finish();
        let settings = Settings { docker_host: Some(host), ..Settings::default() };
        Ok(Self {
            engine: Engine::new(settings),
            prefix: format!("mcp-{part}-{unique:012x}"),
            image,
        })
    }

    /// The settings of a server on this engine.
    pub fn settings(&self) -> Settings {
        self.engine.settings().clone()
    }

    /// A name on this bench.
    pub fn name(&self, part: &str) -> String {
        format!("{}-{part}", self.prefix)
    }

    /// The body of a create: a watched busybox that runs `script`.
    pub fn body(&self, script: &str) -> Value {
        json!({
            "Image": self.image,
            "Cmd": ["sh", "-c", script],
            "Labels": {"sre-sentinel.monitor": "true"},
            "StopTimeout": 1,
            "HostConfig": {},
        })
    }

    /// Creates a container and returns its id.
    pub async fn create(&self, part: &str, body: &Value) -> Outcome<String> {
        let path = format!("/containers/create?name={}", self.name(part));
        let made = self.post(&path, Some(body)).await?;
        made.get("Id").and_then(Value::as_str).map(str::to_owned).ok_or("no id".to_owned())
    }

    /// Creates and starts a container and returns its id.
    pub async fn run(&self, part: &str, body: &Value) -> Outcome<String> {
        let id = self.create(part, body).await?;
        self.post(&format!("/containers/{id}/start"), None).await?;
        Ok(id)
    }

    /// `POST`, with errors as text.
    pub async fn post(&self, path: &str, body: Option<&Value>) -> Outcome<Value> {
        self.engine.post(path, body, PATIENCE, path).await.map_err(|e| e.to_string())
    }

    /// The inspect answer of a container on this bench.
    pub async fn inspect(&self, part: &str) -> Outcome<Value> {
        let found = self.engine.inspect(&self.name(part)).await;
        found.map(|target| target.inspect).map_err(|e| e.to_string())
    }

    /// Waits until `holds` is true of a container's inspect answer, and returns that answer.
    pub async fn until(&self, part: &str, holds: impl Fn(&Value) -> bool) -> Outcome<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.inspect(part).await?;
            if holds(&now) {
                return Ok(now);
            }
            if Instant::now() > deadline {
                return Err(format!("{part} did not get there: {}", now["State"]));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Names of all containers on this bench, parked and staged ones included, sorted.
    pub async fn names(&self) -> Outcome<Vec<String>> {
        let found = listed(&self.endpoint()?, "containers", &self.prefix).await;
        let mut names: Vec<String> = found
            .map_err(|e| e.to_string())?
            .iter()
            .filter_map(|c| c.pointer("/Names/0").and_then(Value::as_str))
            .map(|name| name.trim_start_matches('/').to_owned())
            .collect();
        names.sort();
        Ok(names)
    }

    fn endpoint(&self) -> Outcome<Endpoint> {
        self.engine.endpoint().map_err(|e| e.to_string())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let (Ok(endpoint), prefix) = (self.endpoint(), self.prefix.clone()) else { return };
        // A thread of its own: a drop may happen inside a runtime, where nothing may block.
        let clearing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => runtime.block_on(clear(&endpoint, &prefix)),
                Err(error) => tracing::error!(%error, "the bench could not be cleared"),
            }
        });
        if clearing.join().is_err() {
            tracing::error!(prefix = self.prefix, "the bench could not be cleared");
        }
    }
}

async fn clear(endpoint: &Endpoint, prefix: &str) {
    for (kind, key) in [
        ("containers", "/Id"),
        ("networks", "/Id"),
        ("volumes", "/Name"),
        ("images", "/RepoTags/0"),
    ] {
        let found = match listed(endpoint, kind, prefix).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, kind, "the bench could not be listed");
                continue;
            }
        };
        for thing in found {
            let Some(key) = thing.pointer(key).and_then(Value::as_str) else { continue };
            // `v=true` here only: these volumes belong to the test.
            let path = format!("/{kind}/{key}?force=true&v=true");
            let ask = Ask {
                method: &Method::DELETE,
                path: &path,
                body: None,
                wait: PATIENCE,
                doing: "clear the bench",
            };
            if let Err(error) = raw::send(endpoint, ask).await {
                tracing::error!(%error, path, "something is left of the bench");
            }
        }
    }
}

/// What of one kind has a name on this bench.
async fn listed(endpoint: &Endpoint, kind: &str, prefix: &str) -> Result<Vec<Value>, Failure> {
    let path = match kind {
        "containers" => "/containers/json?all=true".to_owned(),
        kind => format!("/{kind}"),
    };
    let path = if kind == "images" { "/images/json".to_owned() } else { path };
    let ask = Ask {
        method: &Method::GET,
        path: &path,
        body: None,
        wait: PATIENCE,
        doing: "list what is on the bench",
    };
    let mut answer = raw::send(endpoint, ask).await?;
    let all = match answer.get_mut("Volumes") {
        Some(volumes) => volumes.take(),
        None => answer,
    };
    let Value::Array(all) = all else { return Ok(Vec::new()) };
    Ok(all.into_iter().filter(|thing| has_name(thing, prefix)).collect())
}

fn has_name(thing: &Value, prefix: &str) -> bool {
    let names = ["/Name", "/Names/0", "/RepoTags/0"];
    names
        .iter()
        .filter_map(|pointer| thing.pointer(pointer).and_then(Value::as_str))
        .any(|name| name.rsplit([':', '/']).next().is_some_and(|name| name.starts_with(prefix)))
}

/// Puts a client in front of a server, over a pipe in memory.
pub async fn client<S: Service<RoleServer>>(server: S) -> Outcome<Client> {
    let (near, far) = tokio::io::duplex(PIPE);
    tokio::spawn(async move {
        match server.serve(far).await {
            Ok(running) => {
                if let Err(error) = running.waiting().await {
                    tracing::error!(%error, "the server died");
                }
            }
            Err(error) => tracing::error!(%error, "the server did not start"),
        }
    });
    ().serve(near).await.map_err(|e| e.to_string())
}

/// Calls a tool.
pub async fn call(client: &Client, tool: &str, arguments: Value) -> Outcome<CallToolResult> {
    let arguments: JsonObject = serde_json::from_value(arguments).map_err(|e| e.to_string())?;
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    client.call_tool(params).await.map_err(|e| e.to_string())
}

/// Calls a tool that must succeed and returns its result.
pub async fn good(client: &Client, tool: &str, arguments: Value) -> Outcome<Value> {
    let result = call(client, tool, arguments).await?;
    let value = result.structured_content.unwrap_or_default();
    if result.is_error == Some(true) || value.get("success") != Some(&Value::Bool(true)) {
        return Err(format!("{tool} failed: {value}"));
    }
    Ok(value)
}

/// Calls a tool that must fail and returns its error.
pub async fn bad(client: &Client, tool: &str, arguments: Value) -> Outcome<Value> {
    let result = call(client, tool, arguments).await?;
    let value = result.structured_content.unwrap_or_default();
    let complete = ["error", "code", "tool"].iter().all(|key| value.get(key).is_some());
    if result.is_error != Some(true)
        || value.get("success") != Some(&Value::Bool(false))
        || !complete
    {
        return Err(format!("{tool} did not fail as it must: {value}"));
    }
    Ok(value)
}

/// The smallest arguments that fit a tool's input schema: what is required, and of that the least.
/// Fails on a form of schema that it does not know, so that no tool is passed over in silence.
pub fn minimal(schema: &JsonObject) -> Outcome<Value> {
    let root = Value::Object(schema.clone());
    least(&root, &root)
}

fn least(root: &Value, schema: &Value) -> Outcome<Value> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let pointer = reference.trim_start_matches('#');
        let found = root.pointer(pointer).and_then(Value::as_object);
        let mut found = found.ok_or(format!("{reference} leads nowhere"))?.clone();
        // What stands beside the reference holds as well.
        let beside = schema.as_object().into_iter().flatten().filter(|(key, _)| *key != "$ref");
        found.extend(beside.map(|(key, value)| (key.clone(), value.clone())));
        return least(root, &Value::Object(found));
    }
    if let Some(first) = schema.pointer("/enum/0").or_else(|| schema.get("const")) {
        return Ok(first.clone());
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(key).and_then(|any| any.get(0)) {
            return least(root, first);
        }
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        Some(kind) => kind.as_str(),
        None => None,
    };
    let number = |key: &str| schema.get(key).and_then(Value::as_u64);
    match kind {
        Some("object") => {
            let mut made = JsonObject::new();
            let required = schema.get("required").and_then(Value::as_array);
            for name in required.into_iter().flatten().filter_map(Value::as_str) {
                let field = schema.pointer(&format!("/properties/{name}"));
                made.insert(name.to_owned(), least(root, field.ok_or(format!("no {name}"))?)?);
            }
            // One that must not be empty gets its first property, or any.
            if made.is_empty() && number("minProperties").is_some_and(|least| least > 0) {
                let known = schema.get("properties").and_then(Value::as_object);
                if let Some((name, field)) = known.and_then(|all| all.iter().next()) {
                    made.insert(name.clone(), least(root, field)?);
                } else if let Some(field) = schema.get("additionalProperties") {
                    made.insert("A".to_owned(), least(root, field)?);
                }
            }
            Ok(Value::Object(made))
        }
        Some("array") => {
            let item = schema.get("items").map(|items| least(root, items)).transpose()?;
            let count = usize::try_from(number("minItems").unwrap_or(1)).unwrap_or(1).min(8);
            Ok(Value::Array(item.into_iter().cycle().take(count).collect()))
        }
        Some("string") => Ok(json!("x")),
        Some("integer" | "number") => Ok(json!(number("minimum").unwrap_or(1).max(1))),
        Some("boolean") => Ok(json!(false)),
        Some("null") => Ok(Value::Null),
        other => Err(format!("no example is known for a schema of type {other:?}: {schema}")),
    }
}
