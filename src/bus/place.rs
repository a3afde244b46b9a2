//! How Redis is reached: one server, the master that Sentinels name, or a Cluster; TLS or not.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _,
    Pipeline, RedisConnectionInfo, RedisError, RedisFuture, TlsCertificates, TlsMode, Value,
};
use sentinel_core::redact;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::config::bus::{BusSettings, Kind};

/// How long it may take to be connected.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take. A wait for entries is shorter.
const ANSWER: Duration = Duration::from_secs(5);
/// Bytes of a word about what is wrong.
const WORD: usize = 300;

/// Why Redis could not be asked: with what it said, made safe, and never with a password.
#[derive(Clone, Debug, Error)]
#[error("{place}: {why}")]
pub struct RedisFailure {
    place: String,
    why: String,
}

/// Where Redis is, ready to be connected to.
pub struct Place {
    shown: String,
    clients: Clients,
}

enum Clients {
    Single(Box<Client>),
    Sentinel(Box<Mutex<SentinelClient>>),
    Cluster(Box<ClusterClient>),
}

/// The address only: what it takes to log in is not shown.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.shown).finish()
    }
}

impl Place {
    /// Reads the authority's file, if one is named; connects to nothing.
    pub fn new(settings: &BusSettings) -> Result<Self, RedisFailure> {
        let shown = settings.shown();
        let failed = |why: String| RedisFailure { place: shown.clone(), why };
        let certificates = match &settings.ca_file {
            Some(path) => {
                let pem = std::fs::read(path)
                    .map_err(|error| failed(format!("cannot read {}: {error}", path.display())))?;
                Some(TlsCertificates { client_tls: None, root_cert: Some(pem) })
            }
            None => None,
        };
        let clients = clients(settings, certificates).map_err(|error| failed(error.to_string()))?;
        Ok(Self { shown, clients })
    }

    /// The address without anything secret.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Connects, in bounded time.
    pub async fn connect(&self) -> Result<Link, RedisFailure> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connecting = async {
            Ok::<_, RedisError>(match &self.clients {
                Clients::Single(client) => Link::Single(
                    client.get_multiplexed_async_connection_with_config(&config).await?,
                ),
                Clients::Sentinel(client) => {
                    let mut client = client.lock().await;
                    Link::Single(client.get_async_connection_with_config(&config).await?)
                }
                Clients::Cluster(client) => Link::Cluster(client.get_async_connection().await?),
            })
        };
        match timeout(CONNECT + ANSWER, connecting).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(self.failure(&error)),
            Err(_) => Err(RedisFailure { place: self.shown.clone(), why: "no answer".to_owned() }),
        }
    }

    /// An error in words.
    pub fn failure(&self, error: &RedisError) -> RedisFailure {
        let why = redact::clean(error.to_string().as_bytes(), WORD);
        RedisFailure { place: self.shown.clone(), why }
    }
}

/// A connection.
#[derive(Clone)]
pub enum Link {
    /// To one server.
    Single(MultiplexedConnection),
    /// To the nodes of a Cluster.
    Cluster(ClusterConnection),
}

impl ConnectionLike for Link {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(link) => link.req_packed_command(cmd),
            Self::Cluster(link) => link.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(link) => link.req_packed_commands(pipeline, offset, count),
            Self::Cluster(link) => link.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(link) => link.get_db(),
            Self::Cluster(link) => link.get_db(),
        }
    }
}

fn clients(
    settings: &BusSettings,
    certificates: Option<TlsCertificates>,
) -> Result<Clients, RedisError> {
    let login = login(settings)?;
    let address = |node: &String| match settings.kind {
        Kind::Socket => Ok(ConnectionAddr::Unix(node.into())),
        _ => address(node, settings.tls),
    };
    let nodes = settings.nodes.iter().map(address).collect::<Result<Vec<_>, _>>()?;
    match &settings.kind {
        Kind::Single | Kind::Socket => {
            let first = nodes.into_iter().next().ok_or_else(no_node)?;
            let info = with(first, &login)?;
            Ok(Clients::Single(Box::new(match certificates {
                Some(certificates) => Client::build_with_tls(info, certificates)?,
                None => Client::open(info)?,
            })))
        }
        Kind::Sentinel { service } => {
            let mut builder =
                SentinelClientBuilder::new(nodes, service, SentinelServerType::Master)?
                    .set_client_to_redis_db(login.db());
            // The login is the master's; Sentinels are asked without one.
            if let Some(name) = login.username() {
                builder = builder.set_client_to_redis_username(name);
            }
            if let Some(password) = login.password() {
                builder = builder.set_client_to_redis_password(password);
            }
            if settings.tls {
                builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
            }
            if let Some(certificates) = certificates {
                builder = builder
                    .set_client_to_redis_certificates(certificates.clone())
                    .set_client_to_sentinel_certificates(certificates);
            }
            Ok(Clients::Sentinel(Box::new(Mutex::new(builder.build()?))))
        }
        Kind::Cluster => {
            let nodes = nodes.into_iter().map(|node| with(node, &login));
            let mut builder = ClusterClientBuilder::new(nodes.collect::<Result<Vec<_>, _>>()?)
                .connection_timeout(CONNECT)
                .response_timeout(ANSWER)
                .retries(2);
            if let Some(certificates) = certificates {
                builder = builder.certs(certificates);
            }
            Ok(Clients::Cluster(Box::new(builder.build()?)))
        }
    }
}

fn no_node() -> RedisError {
    (redis::ErrorKind::InvalidClientConfig, "the address names no machine").into()
}

/// User, password and database: variables win over the address.
fn login(settings: &BusSettings) -> Result<RedisConnectionInfo, RedisError> {
    let mut login = match &settings.userinfo {
        Some(userinfo) => {
            let url = format!("redis://{}@none", userinfo.reveal());
            url.into_connection_info()?.redis_settings().clone()
        }
        None => RedisConnectionInfo::default(),
    };
    if let Some(name) = &settings.username {
        login = login.set_username(name);
    }
    if let Some(password) = &settings.password {
        login = login.set_password(password.reveal());
    }
    Ok(login.set_db(i64::from(settings.db)))
}

fn with(
    address: ConnectionAddr,
    login: &RedisConnectionInfo,
) -> Result<ConnectionInfo, RedisError> {
    Ok(address.into_connection_info()?.set_redis_settings(login.clone()))
}

fn address(node: &str, tls: bool) -> Result<ConnectionAddr, RedisError> {
    let (host, port) = node.rsplit_once(':').ok_or_else(no_node)?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = port.parse().map_err(|_| {
        RedisError::from((redis::ErrorKind::InvalidClientConfig, "the port is no number"))
    })?;
    Ok(if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_is_read_from_the_address_and_from_variables() {
        let mut settings = BusSettings::parse("redis://me:p%40ss@a:1/3").unwrap();
        let read = login(&settings).unwrap();
        assert_eq!((read.username(), read.password(), read.db()), (Some("me"), Some("p@ss"), 3));
        settings.username = Some("other".to_owned());
        assert_eq!(login(&settings).unwrap().username(), Some("other"));
        let place = Place::new(&settings).unwrap();
        assert!(!format!("{place:?}").contains("ss"), "{place:?}");
    }
}
