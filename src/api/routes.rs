//! The table of what there is.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get, post};

use crate::api::house::House;
use crate::api::problem::Problem;
use crate::api::{deeds, guard, page, reads, socket};

/// A path with what answers there.
type Route = (&'static str, Method, MethodRouter<Arc<House>>);

/// Every route.
fn table() -> Vec<Route> {
    let read = |path, route| (path, Method::GET, route);
    let deed = |path, route| (path, Method::POST, route);
    vec![
        read("/", get(page::page)),
        read("/healthz", get(reads::alive)),
        read("/readyz", get(reads::ready)),
        read("/openapi.json", get(page::description)),
        read("/containers", get(reads::containers)),
        read("/containers/{id}/logs", get(reads::logs)),
        read("/incidents", get(reads::incidents)),
        read("/incidents/{id}", get(reads::incident)),
        read("/tools", get(reads::tools)),
        read("/audit", get(reads::audit)),
        read("/metrics", get(reads::figures)),
        read("/ws", get(socket::open)),
        deed("/incidents/{id}/approve", post(deeds::approve)),
        deed("/incidents/{id}/reject", post(deeds::reject)),
        deed("/incidents/{id}/undo", post(deeds::undo)),
        deed("/incidents/{id}/dismiss", post(deeds::dismiss)),
        deed("/silences", post(deeds::silence)),
        deed("/halt", post(deeds::halt)),
        deed("/resume", post(deeds::resume)),
    ]
}

/// Path and method of every route, for the description.
pub fn names() -> Vec<(&'static str, Method)> {
    table().into_iter().map(|(path, method, _)| (path, method)).collect()
}

/// All of them behind the guard.
pub(super) fn router(house: Arc<House>) -> Router {
    let mut router = Router::new();
    for (path, _, route) in table() {
        router = router.route(path, route);
    }
    router
        .fallback(async || Problem::none("there is nothing here").into_response())
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not in that way").into_response()
        })
        .layer(from_fn_with_state(Arc::clone(&house), guard::enter))
        .with_state(house)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::api::page::OPENAPI;

    #[test]
    fn the_description_names_every_route_and_no_other() {
        let described: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut there = BTreeSet::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys().filter(|key| *key != "parameters") {
                there.insert((path.clone(), method.to_ascii_uppercase()));
            }
        }
        let table: BTreeSet<_> = names()
            .into_iter()
            .map(|(path, method)| (path.to_owned(), method.to_string()))
            .collect();
        assert_eq!(there, table);
        assert_eq!(described["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn whatever_changes_something_is_a_post_which_the_guard_looks_for() {
        for (path, method) in names() {
            let posts = method == Method::POST;
            assert!(posts || method == Method::GET, "{path}");
            let deed = ["approve", "reject", "undo", "dismiss", "silences", "halt", "resume"];
            assert_eq!(deed.iter().any(|word| path.ends_with(word)), posts, "{path}");
        }
    }

    #[test]
    fn what_the_description_refers_to_is_in_it() {
        let described: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut rest = OPENAPI;
        let mut count = 0;
        while let Some((_, behind)) = rest.split_once("\"$ref\": \"#") {
            let (pointer, behind) = behind.split_once('"').unwrap();
            assert!(described.pointer(pointer).is_some(), "{pointer}");
            (rest, count) = (behind, count + 1);
        }
        assert!(count > 20, "only {count} references: the search is broken");
    }
}
