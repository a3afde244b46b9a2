//! The way to an endpoint: certificates, proxies, time limits of the connection, and the words for
//! what goes wrong on it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::redirect::Policy;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// How long a connection to the machine may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection is kept for the next question.
const KEPT: Duration = Duration::from_secs(30);
/// Bytes of a file with certificates.
const MOST_CA_BYTES: u64 = 4 * 1024 * 1024;

/// What the configuration says about the way to endpoints.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// A proxy for all but this machine and `NO_PROXY`, instead of `HTTPS_PROXY`.
    pub proxy: Option<SecretString>,
    /// A PEM file with authorities beside those of the system.
    pub ca_file: Option<PathBuf>,
}

impl Transport {
    /// A client for one endpoint. The error is a sentence.
    pub(crate) fn client(self, base: &Url) -> Result<reqwest::Client, String> {
        // Where a machine has no certificates (an empty container) no client can be made, not even
        // for plain HTTP; the usual authorities are built in.
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .map(|der| reqwest::Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| format!("the built-in certificates cannot be read: {e}"))?;
        let mut builder = reqwest::Client::builder()
            .tls_certs_merge(roots.into_iter().chain(self.authorities()?))
            .connect_timeout(CONNECT)
            .pool_idle_timeout(KEPT)
            .user_agent(concat!("sentinel-tui/", env!("CARGO_PKG_VERSION")))
            // The key belongs to this address and to no other.
            .redirect(Policy::none());
        if is_loopback(base) {
            // A proxy elsewhere cannot reach this machine, and must not see the key.
            builder = builder.no_proxy();
        } else if let Some(proxy) = &self.proxy {
            builder = builder.proxy(forward(proxy)?);
        }
        builder.build().map_err(|e| format!("cannot prepare HTTP: {}", told(&e)))
    }

    fn authorities(&self) -> Result<Vec<reqwest::Certificate>, String> {
        let Some(path) = &self.ca_file else { return Ok(Vec::new()) };
        let wrong = |why: String| {
            format!("models.ca_file {}: {why}; name a PEM file with the authority", path.display())
        };
        let size = std::fs::metadata(path).map_err(|e| wrong(format!("cannot be read ({e})")))?;
        if size.len() > MOST_CA_BYTES {
            return Err(wrong("it is too large".to_owned()));
        }
        let pem = std::fs::read(path).map_err(|e| wrong(format!("cannot be read ({e})")))?;
        let found = reqwest::Certificate::from_pem_bundle(&pem)
            .map_err(|e| wrong(format!("it is no PEM file ({e})")))?;
        if found.is_empty() {
            return Err(wrong("it holds no certificate".to_owned()));
        }
        Ok(found)
    }
}

/// The proxy. The error does not repeat its address: it may hold a password.
fn forward(proxy: &SecretString) -> Result<reqwest::Proxy, String> {
    let wrong = "models.proxy is no address of a proxy: write it like http://proxy.example:3128";
    let url = Url::parse(proxy.expose_secret()).map_err(|_| wrong.to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong.to_owned());
    }
    let proxy = reqwest::Proxy::all(url).map_err(|_| wrong.to_owned())?;
    Ok(proxy.no_proxy(reqwest::NoProxy::from_env()))
}

/// Whether an endpoint is on this machine.
fn is_loopback(base: &Url) -> bool {
    match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// Whether nobody vouches for the endpoint's certificate. Only the debug form has it.
pub(crate) fn is_untrusted(error: &reqwest::Error) -> bool {
    format!("{error:?}").contains("InvalidCertificate")
}

/// An error in short, without the address, which the sentence around it has already.
pub(crate) fn told(error: &reqwest::Error) -> String {
    let debug = format!("{error:?}");
    let known = [
        ("ConnectionRefused", "connection refused"),
        ("dns error", "no such name"),
        ("ConnectionReset", "connection reset"),
        ("TimedOut", "no answer in time"),
        ("IncompleteMessage", "the connection was closed"),
        ("UnexpectedEof", "the connection was closed"),
        ("ProxyAuthRequired", "the proxy wants to know who asks"),
        ("TunnelUnexpectedEof", "the proxy closed the connection"),
        ("TunnelUnsuccessful", "the proxy refused to connect"),
    ];
    if let Some((_, words)) = known.iter().find(|(mark, _)| debug.contains(mark)) {
        return (*words).to_owned();
    }
    let mut last = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        last = cause.to_string();
        source = cause.source();
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known() {
        for (url, expected) in [
            ("http://localhost:1/v1", true),
            ("http://127.0.0.2/v1", true),
            ("http://[::1]:8811/", true),
            ("http://localhost.example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn a_wrong_proxy_is_refused_without_being_repeated() {
        for given in ["socks5://ann:hunter2@x", "hunter2", "http:hunter2@"] {
            let error = forward(&SecretString::from(given)).err().unwrap_or_default();
            assert!(
                error.contains("models.proxy") && !error.contains("hunter2"),
                "{given}: {error}"
            );
        }
    }
}
