//! The predecessor of a container: the one that an earlier change replaced and that is kept aside.

use mcp_kit::engine::Engine;
use mcp_kit::failure::Failure;
use mcp_kit::target::Target;
use sentinel_core::domain::names;

use crate::parking;

/// The newest container that is kept aside under the name of `now`. Fails with a conflict if none
/// is.
pub async fn of(engine: &Engine, now: &Target) -> Result<Target, Failure> {
    let all = parking::names_of_all(engine).await?;
    let kept = all
        .iter()
        .filter_map(|name| names::unparked(name).map(|(of, stamp)| (stamp, of, name)))
        .filter(|(_, of, _)| *of == now.name)
        .max();
    match kept {
        Some((_, _, name)) => engine.watched(name).await,
        None => Err(Failure::Conflict(format!(
            "no predecessor of {} is kept, so there is nothing to go back to",
            now.name
        ))),
    }
}
