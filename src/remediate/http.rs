//! Servers over streamable HTTP: a gateway, or a remote one of the catalogue.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hyper::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use rmcp::service::ClientInitializeError;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use crate::config::gateway::Secret;

/// How long a connection to the machine may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of one answer. Ours are far smaller; what is kept of one is bounded again.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// What is wrong where a certificate is.
const UNTRUSTED: &str = "its certificate is not trusted";
/// Redirects that are followed, to the same place only.
const MAX_REDIRECTS: usize = 3;

/// The transport to an endpoint. Nothing is sent yet.
pub(crate) fn transport(
    url: &str,
    headers: &BTreeMap<String, String>,
    token: Option<&Secret>,
    environment: &BTreeMap<String, String>,
) -> Result<StreamableHttpClientTransport<reqwest::Client>, String> {
    let mut config = StreamableHttpClientTransportConfig::with_uri(url.to_owned())
        .max_sse_event_size(MAX_ANSWER)
        .max_json_response_size(MAX_ANSWER)
        .custom_headers(filled(headers, environment)?);
    if let Some(token) = token {
        config = config.auth_header(token.reveal());
    }
    Ok(StreamableHttpClientTransport::with_client(client(url)?, config))
}

/// Certificates of the system, and those of the usual authorities where a machine has none (an
/// empty container): without any, no client can be made, not even for plain HTTP.
fn client(url: &str) -> Result<reqwest::Client, String> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| reqwest::Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("the built-in certificates cannot be read: {e}"))?;
    let mut builder = reqwest::Client::builder()
        .tls_certs_merge(roots)
        .connect_timeout(CONNECT)
        // A connection is not used again before its last answer was read to the end, which would
        // otherwise stall the next request.
        .pool_max_idle_per_host(0)
        .redirect(Policy::custom(|attempt| {
            // Only what keeps the request as it is, and only to where the token belongs.
            let keeps = matches!(attempt.status().as_u16(), 307 | 308);
            let same = attempt
                .previous()
                .first()
                .is_some_and(|first| first.origin() == attempt.url().origin());
            if keeps && same && attempt.previous().len() <= MAX_REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        }));
    if is_loopback(url) {
        // A proxy elsewhere cannot reach this machine, and must not see the token.
        builder = builder.no_proxy();
    }
    builder.build().map_err(|e| format!("cannot prepare HTTP: {e}"))
}

/// Whether an endpoint is on this machine.
fn is_loopback(url: &str) -> bool {
    let host = url.parse::<hyper::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    host.is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// Headers with `${NAME}` replaced by the variable.
fn filled(
    headers: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) -> Result<HashMap<HeaderName, HeaderValue>, String> {
    let mut all = HashMap::new();
    for (name, value) in headers {
        let bad = || format!("its header {name:?} is no valid header");
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        let text = fill(value, environment)
            .map_err(|missing| format!("its header {name} needs the variable {missing}: set it"))?;
        let mut value = HeaderValue::from_str(&text).map_err(|_| bad())?;
        value.set_sensitive(true);
        all.insert(header, value);
    }
    Ok(all)
}

fn fill(text: &str, environment: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(environment.get(name).ok_or_else(|| name.to_owned())?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// Why the first exchange failed, in a sentence that says what to do.
pub(crate) fn refused(error: &ClientInitializeError, url: &str, wants: Wants) -> String {
    let text = told(error);
    let asks = error.is_authorization_required()
        || error.auth_challenge().is_some()
        || text.contains("HTTP 401")
        || text.contains("HTTP 403");
    if asks {
        return wants.words(url);
    }
    match cause(error) {
        Some(UNTRUSTED) => format!(
            "the certificate of {url} is not trusted, or not for that name; SSL_CERT_FILE can name a file with its authority"
        ),
        Some(cause) => format!("{url} cannot be reached ({cause}); is it running?"),
        None => format!("{url} does not speak MCP over streamable HTTP, or refused to: {text}"),
    }
}

/// Why a machine could not be reached, in short. Only the debug form of these errors has it.
pub(crate) fn cause(error: &impl std::fmt::Debug) -> Option<&'static str> {
    let text = format!("{error:?}");
    [
        ("ConnectionRefused", "connection refused"),
        ("dns error", "no such name"),
        ("InvalidCertificate", UNTRUSTED),
        ("TimedOut", "no answer in time"),
        ("ConnectionReset", "connection reset"),
    ]
    .into_iter()
    .find(|(mark, _)| text.contains(mark))
    .map(|(_, words)| words)
}

/// An error with its causes, each once.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    text
}

/// What a server that wants to know who we are can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wants {
    /// The gateway; a token is set.
    GatewayKnows,
    /// The gateway; no token is set.
    GatewayNone,
    /// A remote server of the catalogue.
    Headers,
}

impl Wants {
    /// What to do about a 401 or 403.
    pub(crate) fn words(self, url: &str) -> String {
        match self {
            Self::GatewayKnows => format!(
                "{url} refuses the token that is set; set MCP_GATEWAY_AUTH_TOKEN to the gateway's own (Docker's prints one at its start unless it was given one)"
            ),
            Self::GatewayNone => format!(
                "{url} asks for a token; set MCP_GATEWAY_AUTH_TOKEN to the gateway's own (Docker's prints one at its start unless it was given one)"
            ),
            Self::Headers => format!(
                "{url} wants to know who asks (HTTP 401 or 403); give it a header under remote.headers of its entry in the catalogue"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_and_a_missing_one_is_named() {
        let environment = BTreeMap::from([("T".to_owned(), "abc".to_owned())]);
        assert_eq!(fill("Bearer ${T}", &environment).unwrap(), "Bearer abc");
        assert_eq!(fill("${T}${T} $T ${", &environment).unwrap(), "abcabc $T ${");
        assert_eq!(fill("${NONE}", &environment).unwrap_err(), "NONE");
        let headers = BTreeMap::from([("a b".to_owned(), "x".to_owned())]);
        assert!(filled(&headers, &environment).unwrap_err().contains("a b"));
    }

    #[test]
    fn this_machine_is_known() {
        for url in ["http://localhost:1/mcp", "http://127.0.0.2/mcp", "http://[::1]:8811/mcp"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in ["http://localhost.example/mcp", "http://10.0.0.1/mcp", "x"] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
