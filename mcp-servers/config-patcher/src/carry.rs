//! The writable layer, carried over as an image.
//!
//! A commit alone would write every variable of the old container into the new image: the engine
//! merges the container's configuration into whatever it is given, and older ones keep a second
//! copy beside it. So the commit only makes the layer; the image that is used is loaded from a
//! description that holds the original image's configuration and the layers that the engine
//! then has already. Nothing but two small JSON files is sent.

use std::time::Duration;

use bollard::body_full;
use bollard::query_parameters::ImportImageOptions;
use futures_util::StreamExt;
use hyper::body::Bytes;
use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::target::Target;
use serde_json::{Map, Value, json};

use crate::env;

/// Repository of the images that carry a writable layer; the tag is the container's name and a
/// stamp. A label would end up on the container, so the name is the mark.
pub const REPOSITORY: &str = "sre-sentinel/carried";
/// How long writing a layer may take.
const COMMIT: Duration = Duration::from_mins(10);
/// Longest part of a container's name in a tag.
const NAME_MAX: usize = 100;

/// The tag under which the layer of `name` is carried.
pub fn tag(name: &str, stamp: &str) -> String {
    // A tag takes the characters of a container's name, capitals included.
    let name = name.get(..NAME_MAX).unwrap_or(name);
    format!("{name}-{stamp}")
}

/// Whether the container wrote anything outside its mounts.
pub async fn is_needed(engine: &Engine, old: &Target) -> Result<bool, Failure> {
    let doing = format!("list what {} has written", old.name);
    let path = format!("/containers/{}/changes", old.id);
    let changes = engine.get(&path, &doing).await?;
    let mounts: Vec<&str> = old
        .inspect
        .get("Mounts")
        .and_then(Value::as_array)
        .map(|all| {
            all.iter().filter_map(|m| m.get("Destination").and_then(Value::as_str)).collect()
        })
        .unwrap_or_default();
    let tmpfs = old.inspect.pointer("/HostConfig/Tmpfs").and_then(Value::as_object);
    let tmpfs = tmpfs.into_iter().flat_map(|all| all.keys().map(String::as_str));
    let mounts: Vec<&str> = mounts.into_iter().chain(tmpfs).collect();
    Ok(changes.as_array().is_some_and(|all| all.iter().any(|change| is_own(change, &mounts))))
}

/// Whether a change is the container's own, not the trace of a mount point.
fn is_own(change: &Value, mounts: &[&str]) -> bool {
    let path = change.get("Path").and_then(Value::as_str).unwrap_or_default();
    let below = |path: &str, parent: &str| {
        path.strip_prefix(parent.trim_end_matches('/'))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let deleted = change.get("Kind").and_then(Value::as_i64) == Some(2);
    deleted || !mounts.iter().any(|mount| below(path, mount) || below(mount, path))
}

/// Writes the layer of a stopped container into the image `REPOSITORY:tag`, which otherwise is
/// the original image. Answers with a note where the engine could not keep values out of it.
pub async fn write(
    engine: &Engine,
    old: &Target,
    image: &Value,
    tag: &str,
) -> Result<Option<String>, Failure> {
    let doing = format!("keep what {} has written", old.name);
    let path = format!(
        "/commit?container={}&repo={REPOSITORY}&tag={tag}&pause=false&author=sentinel-tui&comment=writable%20layer",
        old.id
    );
    let config = without_values(image, &old.env());
    let made = engine.post(&path, Some(&config), COMMIT, &doing).await?;
    let Some(layer) = made.get("Id").and_then(Value::as_str) else {
        return Err(Failure::Engine {
            doing,
            status: None,
            reason: "it answered without an image id".to_owned(),
        });
    };
    match load(engine, layer, image, tag).await {
        Ok(()) => {
            // The layer lives on in the loaded image.
            if let Err(error) = engine.delete(&format!("/images/{layer}"), &doing).await {
                tracing::warn!(%error, layer, "an intermediate image is left");
            }
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(%error, "the committed image is used as it is");
            let kept = engine.get(&format!("/images/{layer}/json"), &doing).await?;
            let leaks = kept
                .pointer("/ContainerConfig/Env")
                .and_then(Value::as_array)
                .is_some_and(|env| env.iter().filter_map(Value::as_str).any(|p| p.contains('=')));
            Ok(leaks.then(|| {
                format!(
                    "this engine keeps the old values in the metadata of the image {REPOSITORY}:{tag}"
                )
            }))
        }
    }
}

/// The original image's configuration, with the names of the container's variables added bare:
/// the engine then has no reason to add their values.
fn without_values(image: &Value, env: &[String]) -> Value {
    let mut config = config(image);
    let mut kept = image_env(image);
    for pair in env {
        if !kept.iter().any(|have| env::key(have) == env::key(pair)) {
            kept.push(env::key(pair).to_owned());
        }
    }
    config.insert("Env".to_owned(), json!(kept));
    Value::Object(config)
}

async fn load(engine: &Engine, layer: &str, image: &Value, tag: &str) -> Result<(), Failure> {
    let doing = format!("load the image {REPOSITORY}:{tag}");
    let committed = engine.get(&format!("/images/{layer}/json"), &doing).await?;
    let archive = archive(&committed, image, tag).map_err(|e| {
        Failure::Local(format!("the description of {REPOSITORY}:{tag} cannot be packed: {e}"))
    })?;
    let docker = engine.docker(COMMIT).await?;
    let body = body_full(Bytes::from(archive));
    let mut progress = docker.import_image(ImportImageOptions::default(), body, None);
    while let Some(step) = progress.next().await {
        step.map_err(|e| Failure::engine(&doing, &e))?;
    }
    // An engine that wants the layers themselves may say so without an error.
    let loaded = engine.get(&format!("/images/{REPOSITORY}:{tag}/json"), &doing).await?;
    if loaded.pointer("/RootFS/Layers") == committed.pointer("/RootFS/Layers")
        && loaded.get("Id") != committed.get("Id")
    {
        return Ok(());
    }
    Err(Failure::Engine {
        doing,
        status: None,
        reason: "the image is not what was sent".to_owned(),
    })
}

/// What `docker load` takes, with layers named but not sent.
fn archive(committed: &Value, image: &Value, tag: &str) -> std::io::Result<Vec<u8>> {
    let layers = committed.pointer("/RootFS/Layers").cloned().unwrap_or_else(|| json!([]));
    let field = |key: &str| committed.get(key).cloned().unwrap_or(Value::Null);
    let description = json!({
        "architecture": field("Architecture"),
        "os": field("Os"),
        "created": field("Created"),
        "author": "sentinel-tui",
        "comment": "writable layer",
        "config": config(image),
        "rootfs": {"type": "layers", "diff_ids": layers},
    });
    let count = layers.as_array().map(Vec::len).unwrap_or_default();
    let files: Vec<String> = (0..count).map(|layer| format!("{layer}/layer.tar")).collect();
    let manifest = json!([{
        "Config": "config.json", "RepoTags": [format!("{REPOSITORY}:{tag}")], "Layers": files,
    }]);
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("config.json", description), ("manifest.json", manifest)] {
        let bytes = content.to_string().into_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes.as_slice())?;
    }
    archive.into_inner()
}

fn config(image: &Value) -> Map<String, Value> {
    image.get("Config").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The variables that an image defines.
pub fn image_env(image: &Value) -> Vec<String> {
    image
        .pointer("/Config/Env")
        .and_then(Value::as_array)
        .map(|env| env.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_of_mounts_are_not_the_containers_own() {
        let mounts = ["/var/lib/data", "/t/"];
        let change = |path: &str, kind: i64| json!({"Path": path, "Kind": kind});
        for (path, kind, own) in [
            ("/var", 0, false),
            ("/var/lib", 0, false),
            ("/var/lib/data", 1, false),
            ("/var/lib/data/x", 1, false),
            ("/t", 1, false),
            ("/var/lib/database", 1, true),
            ("/etc/app.conf", 0, true),
            ("/var/lib", 2, true),
        ] {
            assert_eq!(is_own(&change(path, kind), &mounts), own, "{path} {kind}");
        }
    }

    #[test]
    fn no_value_gets_into_a_commit() {
        let image = json!({"Config": {"Env": ["PATH=/bin", "MODE=prod"], "Cmd": ["sh"]}});
        let env = ["PATH=/own", "SECRET=hunter2"].map(str::to_owned);
        let config = without_values(&image, &env);
        assert_eq!(config["Env"], json!(["PATH=/bin", "MODE=prod", "SECRET"]));
        assert_eq!(config["Cmd"], json!(["sh"]));
    }
}
