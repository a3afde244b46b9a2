//! Routes of everything but containers: the engine itself, events, networks, images.

use hyper::Method;
use serde_json::{Value, json};

use crate::refused::Refused;
use crate::server::answer::Answer;
use crate::server::asked::Asked;
use crate::server::streams;
use crate::show::{host, inspect};

pub(super) fn route(asked: Asked) -> Result<Answer, Refused> {
    let Asked { engine, method, path, query, body, .. } = asked;
    let pieces: Vec<&str> = path.iter().map(String::as_str).collect();
    match (&method, pieces.as_slice()) {
        (&Method::GET | &Method::HEAD, ["_ping"]) => Ok(Answer::Text("OK")),
        (&Method::GET, ["version"]) => Ok(Answer::ok(&engine.look(host::version))),
        (&Method::GET, ["info"]) => Ok(Answer::ok(&engine.look(host::info))),
        (&Method::GET, ["system", "df"]) => Ok(Answer::ok(&engine.look(host::usage))),
        (&Method::GET, ["events"]) => streams::events(&engine, &query),
        (&Method::GET, ["networks"]) => {
            let filters = query.filters()?;
            let wanted = |key: &str, value: &str| {
                filters
                    .get(key)
                    .is_none_or(|all| all.iter().any(|name| value.contains(name.as_str())))
            };
            let all: Vec<Value> = engine.look(|world| {
                let all = world.networks().filter(|n| wanted("name", &n.name));
                all.filter(|n| {
                    filters.get("label").is_none_or(|labels| {
                        labels.iter().all(|label| {
                            let (key, value) = label.split_once('=').unwrap_or((label, ""));
                            n.labels.get(key).is_some_and(|v| value.is_empty() || v == value)
                        })
                    })
                })
                .map(inspect::network_row)
                .collect()
            });
            Ok(Answer::ok(&Value::Array(all)))
        }
        (&Method::POST, ["networks", "create"]) => {
            let id = engine.change(|world| world.create_network(&body))?;
            Ok(Answer::created(&json!({"Id": id, "Warning": ""})))
        }
        (&Method::GET, ["networks", name]) => engine.look(|world| {
            let network = world.network(name)?;
            Ok(Answer::ok(&inspect::network(world, network)))
        }),
        (&Method::DELETE, ["networks", name]) => {
            engine.change(|world| world.remove_network(name)).map(|()| Answer::Empty(204))
        }
        (&Method::POST, ["networks", name, "connect"]) => {
            engine.change(|world| world.connect(name, &body)).map(|()| Answer::Empty(200))
        }
        (&Method::POST, ["networks", name, "disconnect"]) => {
            engine.change(|world| world.disconnect(name, &body)).map(|()| Answer::Empty(200))
        }
        (&Method::GET, ["images", "json"]) => {
            let filters = query.filters()?;
            let wanted = |tags: &[String]| {
                filters.get("reference").is_none_or(|all| {
                    all.iter().any(|name| {
                        tags.iter().any(|tag| {
                            tag == name || tag.rsplit_once(':').is_some_and(|(r, _)| r == name)
                        })
                    })
                })
            };
            let all: Vec<Value> = engine.look(|world| {
                let images = world.images().iter().filter(|image| wanted(&image.tags));
                images.map(inspect::image_row).collect()
            });
            Ok(Answer::ok(&Value::Array(all)))
        }
        (&Method::POST, ["images", "create"]) => {
            let text = |key: &str| query.text(key);
            let (Some("-"), Some(repository)) = (text("fromSrc"), text("repo")) else {
                return Err(Refused::failed("there is no registry here: nothing can be pulled"));
            };
            let tag = text("tag").unwrap_or("latest");
            let id = engine.change(|world| world.import_image(repository, tag));
            Ok(Answer::Json(200, format!("{}\n", json!({"status": id}))))
        }
        (&Method::POST, ["images", "load"]) => {
            Ok(Answer::Json(200, format!("{}\n", json!({"stream": "archives are not simulated"}))))
        }
        (&Method::GET, ["images", name @ .., "json"]) if !name.is_empty() => engine.look(|world| {
            let image = world.image(&name.join("/"))?;
            Ok(Answer::ok(&inspect::image(image)))
        }),
        (&Method::DELETE, ["images", name @ ..]) if !name.is_empty() => {
            let force = query.switch("force", false);
            let told = engine.change(|world| world.remove_image(&name.join("/"), force))?;
            Ok(Answer::ok(&told))
        }
        (&Method::GET, ["volumes"]) => Ok(Answer::ok(&json!({"Volumes": [], "Warnings": null}))),
        _ => Err(Refused::missing("page not found")),
    }
}
