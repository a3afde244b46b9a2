//! What there is to watch at one moment.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use futures_util::stream;
use sentinel_core::domain::container::Container;
use sentinel_core::domain::ids::ContainerId;

use crate::monitor::client::Reader;
use crate::monitor::scope::Scope;
use crate::ports::PortError;

/// Inspects under way at the same time.
const AT_ONCE: usize = 16;

/// What the engine has of what is watched.
#[derive(Default)]
pub(super) struct There {
    pub(super) containers: Vec<Container>,
    /// Those that are listed but could not be inspected.
    pub(super) unread: Vec<ContainerId>,
}

/// All containers that are watched, as they are now.
pub(super) async fn watched(reader: &Reader, scope: &Scope) -> Result<There, PortError> {
    let listed = reader.list().await?;
    let none = HashMap::new();
    let mut ids = Vec::new();
    for summary in &listed {
        let Some(id) = summary.id.clone() else { continue };
        let name = summary.names.iter().flatten().next().map_or("", String::as_str);
        let labels = summary.labels.as_ref().unwrap_or(&none);
        if scope.watches(&id, name, labels) {
            ids.push(ContainerId(id));
        }
    }
    let reader = reader.clone();
    let looked: Vec<(ContainerId, Result<Option<Container>, PortError>)> = stream::iter(ids)
        .map(move |id| {
            let reader = reader.clone();
            async move {
                let found = reader.container(&id).await;
                (id, found)
            }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let mut there = There::default();
    for (id, found) in looked {
        match found {
            Ok(Some(container)) => there.containers.push(container),
            // It vanished between list and inspect.
            Ok(None) => {}
            // One broken container must not keep the others from being watched.
            Err(error) => {
                tracing::warn!("{error}");
                there.unread.push(id);
            }
        }
    }
    Ok(there)
}
