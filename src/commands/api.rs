//! The API beside a run, where it is asked for.

use std::sync::Arc;

use color_eyre::eyre::Report;
use futures_util::FutureExt as _;
use tokio_util::sync::CancellationToken;

use crate::api::records::Records;
use crate::api::serve::{Setup, start};
use crate::api::token;
use crate::app::AppError;
use crate::commands::out;
use crate::config::Settings;
use crate::runtime::handle::Handle;
use crate::store::sqlite::SqliteStore;

/// Serves it until `stop`, if the settings say so. Must come before the run loop begins.
pub fn serve(
    settings: &Settings,
    handle: &Handle,
    stop: &CancellationToken,
    in_words: bool,
) -> Result<(), Report> {
    let Some(asked) = settings.api.clone() else { return Ok(()) };
    let made = asked.token.is_none();
    let setup = Setup {
        settings: asked,
        state_dir: settings.state_dir.clone(),
        handle: handle.clone(),
        records: records(settings)?,
    };
    let address = start(setup, stop.clone())?;
    let token = if made {
        format!("its token is in {}", token::path(&settings.state_dir).display())
    } else {
        "its token is that of API_TOKEN".to_owned()
    };
    let words = format!("the API and the status page are at http://{address}; {token}");
    if in_words {
        out::note(&words);
    }
    tracing::info!("{words}");
    Ok(())
}

/// The record on disk, read beside the run as the verbs do.
fn records(settings: &Settings) -> Result<Records, Report> {
    let store = Arc::new(SqliteStore::open(&settings.state_dir).map_err(AppError::Store)?);
    let found = Arc::clone(&store);
    Ok(Records {
        audit: Arc::new(move |after| {
            let store = Arc::clone(&store);
            async move {
                let page = store.audit_records(after).await.map_err(|error| error.to_string())?;
                let values = page.iter().map(serde_json::to_value).collect::<Result<_, _>>();
                values.map_err(|error| error.to_string())
            }
            .boxed()
        }),
        incident: Arc::new(move |id| {
            let store = Arc::clone(&found);
            async move { store.find(&id).await.ok().filter(|incident| incident.id.as_str() == id) }
                .boxed()
        }),
    })
}
