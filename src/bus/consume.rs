//! Reads a stream as one member of a group: each entry goes to one member, and comes again until it
//! is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use redis::RedisError;
use redis::streams::{StreamAutoClaimReply, StreamId, StreamReadReply};

use crate::bus::keys::Keys;
use crate::bus::place::{Link, Place, RedisFailure};
use crate::bus::publish::ms;

/// How long one read waits for news; an answer may take longer than that.
const WAIT: Duration = Duration::from_secs(2);
/// Entries of one read.
const MOST: usize = 512;
/// What a member has taken and not acknowledged for so long goes to another one.
const ABANDONED: Duration = Duration::from_mins(1);

/// Which stream of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Incidents, fixes and all else that must arrive.
    Events,
    /// Lines and readings.
    Logs,
    /// What is asked of the host.
    Commands,
    /// What it answered.
    Answers,
}

/// An entry of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Its place in the stream, for the acknowledgement.
    pub id: String,
    /// Fields with their values.
    pub fields: Vec<(String, String)>,
}

impl Read {
    /// A field's value; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str())
    }

    fn from(entry: StreamId) -> Self {
        let text = |value| redis::from_redis_value::<String>(value).unwrap_or_default();
        let fields = entry.map.into_iter().map(|(key, value)| (key, text(value))).collect();
        Self { id: entry.id, fields }
    }
}

/// A member of a group.
pub struct Reader {
    place: Arc<Place>,
    key: String,
    group: String,
    member: String,
    from: &'static str,
    link: Option<Link>,
    /// Up to where what this member took before was given out again; `None` once all of it was.
    again: Option<String>,
}

impl Reader {
    /// Reads from the oldest entry that is kept, if the group is new.
    pub fn new(place: Arc<Place>, host: &str, stream: Stream, group: &str, member: &str) -> Self {
        let keys = Keys::of(host);
        let key = match stream {
            Stream::Events => keys.events(),
            Stream::Logs => keys.logs(),
            Stream::Commands => keys.commands(),
            Stream::Answers => keys.answers(),
        };
        Self {
            place,
            key,
            group: group.to_owned(),
            member: member.to_owned(),
            from: "0",
            link: None,
            again: Some("0".to_owned()),
        }
    }

    /// The next entries, none if nothing came within two seconds. What this member took and did not
    /// acknowledge comes first, then what others left lying, then what is new.
    pub async fn next(&mut self) -> Result<Vec<Read>, RedisFailure> {
        let place = Arc::clone(&self.place);
        let mut link = if let Some(link) = self.link.take() {
            link
        } else {
            // After a broken connection an answer may have been lost on its way here.
            self.again = Some("0".to_owned());
            place.connect().await?
        };
        let mut read = self.read(&mut link).await;
        if read.as_ref().err().and_then(RedisError::code) == Some("NOGROUP") {
            self.make_group(&mut link).await.map_err(|error| place.failure(&error))?;
            read = self.read(&mut link).await;
        }
        let entries = read.map_err(|error| place.failure(&error))?;
        self.link = Some(link);
        Ok(entries.into_iter().map(Read::from).collect())
    }

    /// These are done with: they do not come again.
    pub async fn acknowledge(&mut self, ids: &[String]) -> Result<(), RedisFailure> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.place.connect().await?,
        };
        let mut ack = redis::cmd("XACK");
        ack.arg(&self.key).arg(&self.group).arg(ids);
        let done = ack.query_async::<()>(&mut link).await;
        done.map_err(|error| self.place.failure(&error))?;
        self.link = Some(link);
        Ok(())
    }

    async fn read(&mut self, link: &mut Link) -> Result<Vec<StreamId>, RedisError> {
        if let Some(after) = self.again.clone() {
            let own = self.read_after(link, &after).await?;
            self.again = own.last().map(|last| last.id.clone());
            if !own.is_empty() {
                return Ok(own);
            }
            let others = self.left_lying(link).await?;
            if !others.is_empty() {
                return Ok(others);
            }
        }
        self.read_after(link, ">").await
    }

    async fn read_after(&self, link: &mut Link, after: &str) -> Result<Vec<StreamId>, RedisError> {
        let mut read = redis::cmd("XREADGROUP");
        read.arg("GROUP").arg(&self.group).arg(&self.member).arg("COUNT").arg(MOST);
        if after == ">" {
            read.arg("BLOCK").arg(ms(WAIT));
        }
        read.arg("STREAMS").arg(&self.key).arg(after);
        let reply: Option<StreamReadReply> = read.query_async(link).await?;
        Ok(reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids).collect())
    }

    async fn left_lying(&self, link: &mut Link) -> Result<Vec<StreamId>, RedisError> {
        let mut claim = redis::cmd("XAUTOCLAIM");
        claim.arg(&self.key).arg(&self.group).arg(&self.member).arg(ms(ABANDONED)).arg("0");
        claim.arg("COUNT").arg(MOST);
        let reply: StreamAutoClaimReply = claim.query_async(link).await?;
        Ok(reply.claimed)
    }

    async fn make_group(&self, link: &mut Link) -> Result<(), RedisError> {
        let mut make = redis::cmd("XGROUP");
        make.arg("CREATE").arg(&self.key).arg(&self.group).arg(self.from).arg("MKSTREAM");
        match make.query_async::<()>(link).await {
            // Another member was first.
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            other => other,
        }
    }
}
