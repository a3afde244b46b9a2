//! Who is heard: the name the machine is asked for by, the page that asks, the token, the pace.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::api::house::House;
use crate::api::problem::Problem;
use crate::api::token;

/// What is open to everybody: nothing of it says what is watched. The WebSocket asks by itself.
const OPEN: &[&str] = &["/", "/healthz", "/readyz", "/openapi.json", "/ws"];

/// How long who asks too often, or guesses tokens, waits for the refusal: with the bound on
/// connections that bounds how many guesses there can be.
pub(super) const TAR: Duration = Duration::from_secs(1);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// From where.
    pub(super) from: SocketAddr,
    /// The right token was shown.
    pub(super) token: bool,
}

/// Lets a request in or not, and gives every answer the headers that keep browsers careful.
pub(super) async fn enter(
    State(house): State<Arc<House>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&house, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => {
            house.refused.fetch_add(1, Ordering::Relaxed);
            if problem.is_slower() {
                tokio::time::sleep(TAR).await;
            }
            problem.into_response()
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    let policy = HeaderName::from_static("content-security-policy");
    headers
        .entry(policy)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

fn admit(house: &House, request: &Request) -> Result<Caller, Problem> {
    let from = request.extensions().get::<SocketAddr>().copied().ok_or_else(Problem::unknown)?;
    let headers = request.headers();
    let host = host(headers)?;
    if !is_ours(host, &house.hosts) {
        let words = "this machine does not go by that name here; name it in API_ALLOWED_HOSTS";
        return Err(Problem::new(StatusCode::FORBIDDEN, words));
    }
    if !is_own_page(headers, host) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "pages of other sites are not heard"));
    }
    let now = Instant::now();
    let token = match shown(headers) {
        Some(shown) if token::is(&house.token, shown) => true,
        Some(_) => {
            house.wrong.take(from.ip(), now).map_err(Problem::slower)?;
            return Err(Problem::unknown());
        }
        None => false,
    };
    let pace = if token { &house.known } else { &house.anybody };
    pace.take(from.ip(), now).map_err(Problem::slower)?;
    // There is no route for any other method: the router says so.
    let reads = *request.method() != Method::POST;
    let open = reads && (house.reads_are_open || OPEN.contains(&request.uri().path()));
    if token || open { Ok(Caller { from, token }) } else { Err(Problem::unknown()) }
}

/// The one name under which the machine is asked for.
fn host(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all(HOST).iter();
    match (all.next().and_then(|value| value.to_str().ok()), all.next()) {
        (Some(host), None) => Ok(host),
        _ => Err(Problem::bad("a request names one host")),
    }
}

/// Whether the machine goes by this name. An address is always right: a name that was made to
/// point here is what a foreign page would use, and it cannot look like an address.
fn is_ours(host: &str, further: &[String]) -> bool {
    let name = bare(host);
    name.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || further.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A host without its port.
fn bare(host: &str) -> &str {
    if let Some((address, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// Whether no browser speaks for a page of another site.
fn is_own_page(headers: &HeaderMap, host: &str) -> bool {
    let foreign = headers
        .get("sec-fetch-site")
        .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"));
    let mut origins = headers.get_all(ORIGIN).iter();
    let own = match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => origin
            .to_str()
            .ok()
            .and_then(|text| text.split_once("://"))
            .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)),
        (Some(_), Some(_)) => false,
    };
    own && !foreign
}

fn shown(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?;
    // Whatever else stands there is a wrong token, too.
    let text = value.to_str().unwrap_or_default();
    Some(match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_known_names_are_ours() {
        let further = ["sre-sentinel".to_owned()];
        for (host, ours) in [
            ("localhost", true),
            ("LOCALHOST:8000", true),
            ("127.0.0.1:8000", true),
            ("10.1.2.3", true),
            ("[::1]:8000", true),
            ("sre-sentinel:8000", true),
            ("evil.example:8000", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8000", false),
            ("sre-sentinel.evil.example", false),
            ("", false),
        ] {
            assert_eq!(is_ours(host, &further), ours, "{host}");
        }
    }

    #[test]
    fn a_page_of_another_site_is_not_heard() {
        for (origin, site, own) in [
            (None, None, true),
            (Some("http://localhost:8000"), None, true),
            (Some("https://LOCALHOST:8000"), Some("same-origin"), true),
            (Some("http://localhost:3000"), None, false),
            (Some("http://evil.example"), None, false),
            (Some("null"), None, false),
            (None, Some("cross-site"), false),
            (None, Some("same-site"), false),
            (None, Some("none"), true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            assert_eq!(is_own_page(&headers, "localhost:8000"), own, "{origin:?} {site:?}");
        }
    }

    #[test]
    fn whatever_is_no_bearer_token_is_a_wrong_one() {
        for (value, expected) in [
            (None, None),
            (Some("Bearer  abc"), Some("abc")),
            (Some("Basic abc"), Some("")),
            (Some("abc"), Some("")),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(AUTHORIZATION, HeaderValue::from_static(value));
            }
            assert_eq!(shown(&headers), expected);
        }
    }
}
