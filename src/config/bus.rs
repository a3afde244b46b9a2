//! The Redis that events go to and commands come from, where there is one.

use std::path::PathBuf;
use std::str::FromStr;

use crate::config::ConfigError;
use crate::config::environment::Environment;
use crate::config::gateway::Secret;

/// The port of a Redis where none is named.
const PORT: u16 = 6379;
/// The port of a Redis Sentinel where none is named.
const SENTINEL_PORT: u16 = 26379;
/// Machines that an address may name.
const MOST_NODES: usize = 32;
/// How an address is written, for errors.
const FORMS: &str = "write it like redis://127.0.0.1:6379/0, rediss:// for TLS, redis-cluster://a:6379,b:6379 or redis-sentinel://a:26379,b:26379/mymaster";

/// What kind of Redis it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One server.
    Single,
    /// One server on this machine, by a unix socket.
    Socket,
    /// The master that Sentinels name.
    Sentinel {
        /// What the Sentinels call it.
        service: String,
    },
    /// A Redis Cluster.
    Cluster,
}

/// Where Redis is and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusSettings {
    /// What kind it is.
    pub kind: Kind,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// Machines with their ports; or the path of a socket.
    pub nodes: Vec<String>,
    /// Number of the database.
    pub db: u32,
    /// User and password as they stand in the address, still encoded.
    pub userinfo: Option<Secret>,
    /// The user of the ACL.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// A PEM file with the authority that vouches for the server.
    pub ca_file: Option<PathBuf>,
    /// Whether commands that come over Redis are taken.
    pub commands: bool,
    /// Whether a fix needs a lease, so that one instance of several heals a container.
    pub leases: bool,
}

impl BusSettings {
    /// Decides by the environment; `None` where no Redis is named. The second value: the variable
    /// that named it.
    pub fn decide(environment: &Environment) -> Result<Option<(Self, &'static str)>, ConfigError> {
        let (mut settings, source) = if let Some(url) = environment.text("REDIS_URL") {
            let parsed = Self::parse(url.trim())
                .map_err(|why| ConfigError::Invalid(format!("REDIS_URL: {why}; {FORMS}")))?;
            (parsed, "REDIS_URL")
        } else if let Some(host) = environment.text("REDIS_HOST") {
            let port = number(environment.text("REDIS_PORT"), "REDIS_PORT")?.unwrap_or(PORT);
            (Self::at(vec![node(host.trim(), port)]), "REDIS_HOST")
        } else {
            return Ok(None);
        };
        if let Some(db) = number(environment.text("REDIS_DB"), "REDIS_DB")? {
            settings.db = db;
        }
        if settings.kind == Kind::Cluster && settings.db != 0 {
            let why = "a Redis Cluster has the database 0 only: leave REDIS_DB unset";
            return Err(ConfigError::Invalid(why.to_owned()));
        }
        settings.username = environment.text("REDIS_USERNAME");
        settings.password = environment.text("REDIS_PASSWORD").as_deref().and_then(Secret::new);
        settings.ca_file = environment.path("REDIS_CA_FILE");
        settings.commands = environment.flag("SENTINEL_REDIS_COMMANDS")?.unwrap_or(false);
        settings.leases = environment.flag("SENTINEL_REDIS_LEASES")?.unwrap_or(true);
        Ok(Some((settings, source)))
    }

    /// One server, and all else as it is by default.
    fn at(nodes: Vec<String>) -> Self {
        Self {
            kind: Kind::Single,
            tls: false,
            nodes,
            db: 0,
            userinfo: None,
            username: None,
            password: None,
            ca_file: None,
            commands: false,
            leases: true,
        }
    }

    /// Reads an address. The error does not repeat it: it may hold a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("an address begins with redis://")?;
        if matches!(scheme, "unix" | "redis+unix") {
            let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
            if !path.starts_with('/') {
                return Err("the path of a socket begins with /".to_owned());
            }
            let db = query.split('&').find_map(|pair| pair.strip_prefix("db="));
            let db = db.map_or(Ok(0), str::parse).map_err(|_| NO_NUMBER.to_owned())?;
            return Ok(Self { kind: Kind::Socket, db, ..Self::at(vec![path.to_owned()]) });
        }
        let tls = scheme.starts_with("rediss");
        let (userinfo, rest) = match rest.rsplit_once('@') {
            Some((userinfo, rest)) => (Secret::new(userinfo), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains(['?', '#']) || hosts.contains(['?', '#']) {
            return Err("an address ends with the database; nothing may follow".to_owned());
        }
        let (service, db) = path.split_once('/').unwrap_or(("", path));
        let (kind, port, db) = match scheme {
            "redis" | "rediss" => (Kind::Single, PORT, path),
            "redis-cluster" | "rediss-cluster" => (Kind::Cluster, PORT, path),
            "redis-sentinel" | "rediss-sentinel" => {
                let (service, db) = if service.is_empty() { (path, "") } else { (service, db) };
                if service.is_empty() {
                    return Err("the name of the master stands behind the Sentinels".to_owned());
                }
                (Kind::Sentinel { service: service.to_owned() }, SENTINEL_PORT, db)
            }
            _ => return Err("this scheme is not known".to_owned()),
        };
        let nodes: Vec<String> = hosts.split(',').map(|host| node(host.trim(), port)).collect();
        if nodes.iter().any(|node| node.starts_with(':')) {
            return Err("the address names no machine".to_owned());
        }
        if nodes.len() > MOST_NODES || (kind == Kind::Single && nodes.len() > 1) {
            return Err("the address names too many machines".to_owned());
        }
        let db = if db.is_empty() { 0 } else { db.parse().map_err(|_| NO_NUMBER.to_owned())? };
        Ok(Self { kind, tls, db, userinfo, ..Self::at(nodes) })
    }

    /// The address without anything secret.
    pub fn shown(&self) -> String {
        let nodes = self.nodes.join(",");
        let s = if self.tls { "s" } else { "" };
        match &self.kind {
            Kind::Socket => format!("unix://{nodes}"),
            Kind::Single => format!("redis{s}://{nodes}/{}", self.db),
            Kind::Cluster => format!("redis{s}-cluster://{nodes}"),
            Kind::Sentinel { service } => format!("redis{s}-sentinel://{nodes}/{service}"),
        }
    }
}

/// What is wrong with a database that is no number.
const NO_NUMBER: &str = "the database is a number";

fn number<T: FromStr>(text: Option<String>, name: &str) -> Result<Option<T>, ConfigError> {
    let Some(text) = text else { return Ok(None) };
    let parsed = text.trim().parse().map(Some);
    parsed.map_err(|_| ConfigError::Invalid(format!("{name} must be a number that is in range")))
}

/// A machine with its port.
fn node(host: &str, port: u16) -> String {
    // An IPv6 address has colons of its own: its port stands behind the bracket.
    let bare = host.rsplit_once(']').map_or(host, |(_, rest)| rest);
    if bare.contains(':') { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(pairs: &[(&str, &str)]) -> Option<BusSettings> {
        let pairs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        BusSettings::decide(&Environment::of(pairs)).unwrap().map(|(settings, _)| settings)
    }

    #[test]
    fn without_an_address_there_is_no_redis() {
        assert_eq!(decided(&[("REDIS_PORT", "6380"), ("REDIS_URL", " ")]), None);
        let found = decided(&[("REDIS_HOST", "cache"), ("REDIS_PORT", "6380")]).unwrap();
        assert_eq!(found.shown(), "redis://cache:6380/0");
        assert!(found.leases && !found.commands);
        let url = decided(&[("REDIS_HOST", "other"), ("REDIS_URL", "rediss://r/3")]).unwrap();
        assert_eq!(url.shown(), "rediss://r:6379/3");
    }

    #[test]
    fn every_form_of_an_address_is_read() {
        for (given, shown) in [
            ("redis://127.0.0.1", "redis://127.0.0.1:6379/0"),
            ("redis://[::1]", "redis://[::1]:6379/0"),
            ("redis://[::1]:7000/2", "redis://[::1]:7000/2"),
            ("redis+unix:///run/redis.sock?db=2", "unix:///run/redis.sock"),
            ("redis-cluster://a,b:7001", "redis-cluster://a:6379,b:7001"),
            ("rediss-sentinel://u:p@a,b:1/main/4", "rediss-sentinel://a:26379,b:1/main"),
        ] {
            assert_eq!(BusSettings::parse(given).unwrap().shown(), shown, "{given}");
        }
        let four = BusSettings::parse("rediss-sentinel://u:p@a/main/4").unwrap();
        assert_eq!((four.db, four.tls), (4, true));
    }

    #[test]
    fn a_wrong_address_is_refused_and_its_password_is_not_repeated() {
        for given in [
            "127.0.0.1:6379",
            "http://:pass-word@a",
            "redis://:pass-word@",
            "redis://:pass-word@a,b",
            "redis://:pass-word@a/x",
            "redis://:pass-word@a/0?protocol=3",
            "redis-sentinel://:pass-word@a",
            "unix://run/redis.sock",
        ] {
            let why = BusSettings::parse(given).unwrap_err();
            assert!(!why.contains("pass-word"), "{given}: {why}");
        }
        let settings = BusSettings::parse("redis://me:pass-word@a").unwrap();
        assert!(!format!("{settings:?}{}", settings.shown()).contains("pass-word"));
    }
}
