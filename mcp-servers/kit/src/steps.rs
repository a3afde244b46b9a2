//! How far a call has come, told to a client that wants to know (MCP's progress notifications).

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::sync::mpsc;

/// Steps that may wait to be told; more at once are left out.
const WAITING: usize = 16;

/// Where a call says what it does now.
#[derive(Clone, Debug, Default)]
pub struct Steps(Option<mpsc::Sender<&'static str>>);

impl Steps {
    /// The steps of a call, `of` in all. Nothing is told if the client did not ask for it.
    pub fn of(context: &RequestContext<RoleServer>, of: u32) -> Self {
        let Some(token) = context.meta.get_progress_token() else { return Self::default() };
        let peer = context.peer.clone();
        let (said, mut steps) = mpsc::channel(WAITING);
        // It ends with the last sender, that is with the call.
        tokio::spawn(async move {
            let mut step = 0;
            while let Some(what) = steps.recv().await {
                step += 1;
                let news = ProgressNotificationParam::new(token.clone(), f64::from(step))
                    .with_total(f64::from(of))
                    .with_message(what);
                if let Err(error) = peer.notify_progress(news).await {
                    tracing::debug!(%error, "a client did not take the word about progress");
                    return;
                }
            }
        });
        Self(Some(said))
    }

    /// Says what is done now.
    pub fn say(&self, what: &'static str) {
        if let Some(said) = &self.0
            && said.try_send(what).is_err()
        {
            tracing::debug!(what, "nobody heard of this step");
        }
    }
}
