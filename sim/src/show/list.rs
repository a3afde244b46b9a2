//! The list of containers. Tens of thousands of rows are written straight into the answer.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::container::Container;
use crate::query::Filters;
use crate::refused::Refused;
use crate::show::inspect::{place, status_words};
use crate::world::World;

/// What may be filtered by.
const FILTERS: [&str; 10] =
    ["ancestor", "before", "exited", "health", "id", "label", "name", "network", "since", "status"];

/// `GET /containers/json`.
pub fn containers(
    world: &World,
    all: bool,
    limit: Option<usize>,
    filters: &Filters,
) -> Result<String, Refused> {
    if let Some(key) = filters.keys().find(|key| !FILTERS.contains(&key.as_str())) {
        return Err(Refused::bad(format!("invalid filter '{key}'")));
    }
    // Who asks for a state wants it whether it runs or not.
    let all =
        all || limit.is_some() || ["status", "exited"].iter().any(|k| filters.contains_key(*k));
    let wanted = world
        .containers()
        .rev()
        .filter(|(_, container)| all || container.is_up())
        .filter(|(_, container)| has(world, container, filters))
        .take(limit.unwrap_or(usize::MAX));
    let mut out = String::from("[");
    for (_, container) in wanted {
        if out.len() > 1 {
            out.push(',');
        }
        row(&mut out, world, container);
    }
    out.push(']');
    Ok(out)
}

/// Appends one value as JSON.
fn put<T: Serialize + ?Sized>(out: &mut String, value: &T) {
    match serde_json::to_string(value) {
        Ok(text) => out.push_str(&text),
        Err(error) => {
            tracing::error!("a value cannot be written: {error}");
            out.push_str("null");
        }
    }
}

fn row(out: &mut String, world: &World, container: &Container) {
    let spec = &container.spec;
    // Ids and digests are letters and digits, names have no character that JSON escapes.
    let begun = write!(
        out,
        r#"{{"Id":"{}","Names":["/{}"],"ImageID":"{}","Created":{},"State":"{}","Ports":[],"Mounts":[],"Image":"#,
        container.id,
        container.name,
        spec.image,
        container.created.as_second(),
        container.status.word()
    );
    if begun.is_err() {
        // Writing into memory does not fail.
        return;
    }
    put(out, spec.image_name());
    out.push_str(r#","Command":"#);
    put(out, &spec.command.join(" "));
    out.push_str(r#","Status":"#);
    put(out, &status_words(container, world.now));
    out.push_str(r#","Labels":"#);
    put(out, &spec.labels);
    out.push_str(r#","HostConfig":{"NetworkMode":"#);
    put(out, spec.network_mode());
    out.push_str(r#"},"NetworkSettings":{"Networks":{"#);
    for (i, (name, endpoint)) in container.endpoints.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        put(out, name);
        out.push(':');
        put::<Value>(out, &place(world, container, name, endpoint));
    }
    out.push_str("}}}");
}

fn has(world: &World, container: &Container, filters: &Filters) -> bool {
    filters.iter().all(|(name, values)| {
        let mut each = values.iter();
        match name.as_str() {
            // Labels add up; everything else is an alternative.
            "label" => each.all(|value| match value.split_once('=') {
                Some((key, wanted)) => container.spec.labels.get(key).is_some_and(|v| v == wanted),
                None => container.spec.labels.contains_key(value),
            }),
            "name" => each.any(|value| {
                container.name.contains(value.trim_start_matches(['/', '^']).trim_end_matches('$'))
            }),
            "id" => each.any(|value| container.id.starts_with(value.as_str())),
            "status" => each.any(|value| container.status.word() == value),
            "health" => {
                let health = container.health.as_ref().map_or("none", |h| h.status);
                each.any(|value| value == health)
            }
            "exited" => each.any(|value| {
                container.status.word() == "exited" && value.parse() == Ok(container.exit_code)
            }),
            "network" => each.any(|value| {
                world.network(value).is_ok_and(|n| container.endpoints.contains_key(&n.name))
            }),
            "ancestor" => each.any(|value| {
                container.spec.image_name() == value || container.spec.image == *value
            }),
            "before" => each.all(|value| {
                world.look(value).is_ok_and(|(_, other)| container.created < other.created)
            }),
            _ => each.all(|value| {
                world.look(value).is_ok_and(|(_, other)| container.created > other.created)
            }),
        }
    })
}
