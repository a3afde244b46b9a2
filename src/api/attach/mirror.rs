//! What one connection brings, put where front ends read it; what they ask, taken to the other end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::snapshot::{Degraded, Snapshot};
use tokio::sync::oneshot;
use tokio::time::interval;

use crate::api::attach::link::{Heard, Link, LinkError};
use crate::api::words::{Ask, Place, Say};
use crate::runtime::far::Far;
use crate::runtime::handle::Request;
use crate::runtime::rings::LogPage;

/// Logs of containers with an open incident that are kept up to date before somebody looks.
const BEFOREHAND: usize = 16;
/// A log is asked for at least this often while somebody looks: marks may be set later.
const AGAIN: Duration = Duration::from_secs(2);
/// Commands that wait for an answer; further ones are refused.
const WAITING: usize = 64;

/// What is known of a log.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    last: u64,
    revision: u64,
    /// Lines that the container had written when it was asked for last.
    lines: u64,
    asked: Option<Instant>,
    /// The answer is under way.
    waits: bool,
}

/// The answers that are waited for.
type Answers = HashMap<u64, oneshot::Sender<Result<String, String>>>;

/// One connection's state.
pub(super) struct Mirror {
    link: Link,
    seq: u64,
    logs: HashMap<ContainerId, Known>,
    answers: Answers,
}

impl Mirror {
    /// A connection that goes on where an earlier one ended.
    pub(super) fn new(link: Link, place: Option<Place>) -> Self {
        let seq = place.filter(|place| place.run == link.run).map_or(0, |place| place.seq);
        Self { link, seq, logs: HashMap::new(), answers: HashMap::new() }
    }

    /// Where it ended.
    pub(super) fn place(&self) -> Place {
        Place { run: self.link.run.clone(), seq: self.seq }
    }

    /// Runs until the connection is lost; says why it was.
    pub(super) async fn run(&mut self, far: &mut Far) -> LinkError {
        let why = match self.go_on(far).await {
            Ok(()) => LinkError::Lost("the screen has ended".to_owned()),
            Err(why) => why,
        };
        for (_, reply) in self.answers.drain() {
            let words = "the connection was lost before an answer came: look how things are before you ask again";
            answered(reply, Err(words.to_owned()));
        }
        why
    }

    async fn go_on(&mut self, far: &mut Far) -> Result<(), LinkError> {
        if let Some(first) = self.link.first.take() {
            self.show(far, first);
        }
        let mut again = interval(AGAIN);
        loop {
            let looked = far.new_look();
            tokio::select! {
                heard = self.link.hear() => match heard? {
                    Heard::Said(said) => self.said(far, *said).await?,
                    Heard::Event(event) => {
                        self.seq = self.seq.max(event.seq);
                        far.tell(Arc::from(event));
                    }
                },
                request = far.asked() => match request {
                    Some(request) => self.request(request).await?,
                    None => return Ok(()),
                },
                () = looked => self.ask_for_logs(far).await?,
                _ = again.tick() => self.ask_for_logs(far).await?,
            }
        }
    }

    async fn said(&mut self, far: &Far, said: Say) -> Result<(), LinkError> {
        match said {
            Say::View { snapshot } => {
                self.show(far, snapshot);
                self.ask_for_logs(far).await
            }
            Say::Logs { container, entries, last, revision, whole } => {
                let known = self.logs.entry(container.clone()).or_default();
                let newest = entries.last().map_or(0, |entry| entry.line.seq);
                let more = !whole && newest < last && newest > known.last;
                (known.last, known.revision, known.waits) =
                    (newest.max(known.last), revision, false);
                if whole {
                    known.last = newest;
                }
                let nothing = entries.is_empty() && !whole;
                let page = LogPage { entries, last, revision, ..LogPage::default() };
                far.put(&container, page, whole);
                if !nothing {
                    // Whoever shows the log reads it again at a new state of everything.
                    far.snapshots.send_modify(|_| {});
                }
                if more { self.ask_for_log(&container, None).await } else { Ok(()) }
            }
            Say::Answer { id, ok, text } => {
                if let Some(reply) = self.answers.remove(&id) {
                    answered(reply, if ok { Ok(text) } else { Err(text) });
                }
                Ok(())
            }
            Say::Welcome { .. } | Say::Refused { .. } => Ok(()),
        }
    }

    fn show(&mut self, far: &Far, snapshot: Arc<Snapshot>) {
        let here = env!("CARGO_PKG_VERSION");
        let snapshot = if self.link.version == here {
            snapshot
        } else {
            let mut told = Arc::unwrap_or_clone(snapshot);
            let detail = format!(
                "the other end runs sentinel-tui {}, this is {here}: something may not be shown",
                self.link.version
            );
            told.degraded.push(Degraded { part: "version".to_owned(), detail, since: told.at });
            Arc::new(told)
        };
        let there = |id: &ContainerId| snapshot.containers.iter().any(|v| &v.container.of.id == id);
        self.logs.retain(|id, _| {
            let stays = there(id);
            if !stays {
                far.forget(id);
            }
            stays
        });
        far.snapshots.send_replace(snapshot);
    }

    async fn ask_for_logs(&mut self, far: &Far) -> Result<(), LinkError> {
        let snapshot = Arc::clone(&far.snapshots.borrow());
        let mut wanted = far.looked_at();
        let open = snapshot.incidents.iter().filter(|incident| !incident.state.is_closed());
        wanted.extend(open.take(BEFOREHAND).map(|incident| incident.container.id.clone()));
        wanted.sort();
        wanted.dedup();
        for view in &snapshot.containers {
            let id = &view.container.of.id;
            if wanted.binary_search(id).is_ok() {
                self.ask_for_log(id, Some(view.lines)).await?;
            }
        }
        Ok(())
    }

    /// Asks for what is new of a log; with a number of lines, only if that is another one, or if it
    /// was asked for long ago.
    async fn ask_for_log(&mut self, id: &ContainerId, lines: Option<u64>) -> Result<(), LinkError> {
        let known = self.logs.entry(id.clone()).or_default();
        let recent = known.asked.is_some_and(|asked| asked.elapsed() < AGAIN);
        if known.waits || (recent && lines == Some(known.lines)) {
            return Ok(());
        }
        known.lines = lines.unwrap_or(known.lines);
        (known.asked, known.waits) = (Some(Instant::now()), true);
        let (after, revision) = (known.last, known.revision);
        self.link.ask(&Ask::Logs { container: id.clone(), after, revision }).await
    }

    async fn request(&mut self, request: Request) -> Result<(), LinkError> {
        let Request { id, actor: _, command, reply } = request;
        self.answers.retain(|_, reply| !reply.is_closed());
        if self.answers.len() >= WAITING {
            answered(reply, Err("too much was asked that is not answered yet".to_owned()));
            return Ok(());
        }
        self.answers.insert(id, reply);
        // Who asks was said at the beginning, and the other end adds from where.
        self.link.ask(&Ask::Command { id, command }).await
    }
}

fn answered(reply: oneshot::Sender<Result<String, String>>, outcome: Result<String, String>) {
    if reply.send(outcome).is_err() {
        tracing::debug!("{} nobody waits for an answer any more", Timestamp::now());
    }
}
