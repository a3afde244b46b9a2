//! Hears what people on other machines ask, and answers. What they may do is decided where it is for
//! every front end; here it is made sure that a command is for this host, is not old, and is taken
//! up once.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sentinel_core::domain::plan::Actor;
use sentinel_core::redact;
use tokio_util::sync::CancellationToken;

use crate::bus::commands::{Answer, Ask, Outcome, VALID};
use crate::bus::consume::{Read, Reader, Stream};
use crate::bus::keys::{COMMANDS_AGE, COMMANDS_KEPT, Keys};
use crate::bus::place::{Link, Place, RedisFailure};
use crate::bus::publish::ms;
use crate::ports::Front;

/// The longest name of who asks, in bytes.
const ACTOR_MAX: usize = 128;
/// The longest command, in bytes.
const LONGEST: usize = 64 << 10;
/// The longest word in an id.
const ID_MAX: usize = 64;
/// The wait after a failure.
const WAIT: Duration = Duration::from_secs(2);
/// That a command was taken up is remembered for longer than it is valid.
const REMEMBERED: Duration = Duration::from_mins(10);

/// Who listens.
pub(super) struct Listener {
    pub(super) place: Arc<Place>,
    pub(super) host: String,
    /// Names this instance, also after a restart.
    pub(super) instance: String,
    pub(super) front: Arc<dyn Front>,
}

impl Listener {
    /// Listens until stopped; while Redis is away it tries again.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let (group, member) = (&self.instance, &self.instance);
        let place = Arc::clone(&self.place);
        let mut reader = Reader::new(place, &self.host, Stream::Commands, group, member);
        let mut link = None;
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = reader.next() => heard,
            };
            let done = match heard {
                Ok(entries) => self.take_up(entries, &mut reader, &mut link).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = done {
                link = None;
                tracing::debug!("commands over Redis: {failure}");
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(WAIT) => {}
                }
            }
        }
    }

    async fn take_up(
        &self,
        entries: Vec<Read>,
        reader: &mut Reader,
        link: &mut Option<Link>,
    ) -> Result<(), RedisFailure> {
        for entry in entries {
            let mut way = match link.take() {
                Some(way) => way,
                None => self.place.connect().await?,
            };
            if let Some(answer) = self.answer(&entry, &mut way).await? {
                self.say(&answer, &mut way).await?;
            }
            *link = Some(way);
            reader.acknowledge(&[entry.id]).await?;
        }
        Ok(())
    }

    /// `None`: it cannot be answered, for it says not whom.
    async fn answer(&self, entry: &Read, link: &mut Link) -> Result<Option<Answer>, RedisFailure> {
        let text = entry.field("ask");
        if text.len() > LONGEST {
            tracing::warn!("a command over Redis is too long and was left");
            return Ok(None);
        }
        let ask = match serde_json::from_str::<Ask>(text) {
            Ok(ask) if ask.id.len() <= ID_MAX && !ask.id.is_empty() => ask,
            Ok(_) => return Ok(None),
            Err(error) => {
                tracing::warn!("a command over Redis was not understood: {error}");
                return Ok(None);
            }
        };
        let refused = |why: &str| (Outcome::Refused, why.to_owned());
        let now = Timestamp::now();
        let latest = now.saturating_add(VALID * 2).unwrap_or(Timestamp::MAX);
        let (outcome, message) = if ask.host != self.host {
            refused("it is for another host")
        } else if ask.by.trim().is_empty() || ask.by.len() > ACTOR_MAX {
            refused("who asks? give a name")
        } else if ask.expires_at < now || ask.expires_at > latest {
            refused("it is not valid now: are the clocks of both machines right?")
        } else if !self.front.knows(&ask.command) {
            (Outcome::Unknown, "this instance does not know what it names".to_owned())
        } else if !self.is_first(&ask.id, link).await? {
            refused("it was taken up before; what became of it is in the events")
        } else {
            let name = redact::clean(ask.by.as_bytes(), ACTOR_MAX);
            let by = Actor::Person(format!("{name} via redis"));
            match self.front.ask(by, ask.command).await {
                Ok(message) => (Outcome::Done, message),
                Err(error) => (Outcome::Refused, error.to_string()),
            }
        };
        Ok(Some(Answer { id: ask.id, instance: self.instance.clone(), outcome, message }))
    }

    /// Before it is carried out, so that it never is twice, not even after a crash in between.
    async fn is_first(&self, id: &str, link: &mut Link) -> Result<bool, RedisFailure> {
        let mut mark = redis::cmd("SET");
        mark.arg(Keys::of(&self.host).taken(&self.instance, id)).arg("1");
        mark.arg("NX").arg("PX").arg(ms(REMEMBERED));
        let set: Option<String> =
            mark.query_async(link).await.map_err(|error| self.place.failure(&error))?;
        Ok(set.is_some())
    }

    async fn say(&self, answer: &Answer, link: &mut Link) -> Result<(), RedisFailure> {
        let key = Keys::of(&self.host).answers();
        let json = serde_json::to_string(answer).unwrap_or_default();
        let mut pipeline = redis::pipe();
        let add = pipeline.cmd("XADD").arg(&key).arg("MAXLEN").arg("~").arg(COMMANDS_KEPT);
        add.arg("*").arg("answer").arg(json).ignore();
        pipeline.cmd("PEXPIRE").arg(&key).arg(ms(COMMANDS_AGE)).ignore();
        let said = pipeline.query_async::<()>(link).await;
        said.map_err(|error| self.place.failure(&error))
    }
}
