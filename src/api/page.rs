//! The status page and the description: nothing in them says what is watched.

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use sentinel_core::domain::hash::sha256_hex;

use crate::api::problem::Problem;

/// The description of every route, kept by hand and compared with the table by a test.
pub(super) const OPENAPI: &str = include_str!("openapi.json");
/// The page: one file, with what it needs inside.
const PAGE: &str = include_str!("page.html");
/// Stands in the page for what allows its own script and style, and no others.
const NONCE: &str = "{{nonce}}";

/// The page.
pub(super) async fn page() -> Result<Response, Problem> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| {
        let words = format!("no random numbers: {error}");
        Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, words)
    })?;
    let nonce = sha256_hex(&random);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let headers =
        [(CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, PAGE.replace(NONCE, &nonce)).into_response())
}

/// The description.
pub(super) async fn description() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_brings_all_it_needs_and_names_no_other_place() {
        assert_eq!(PAGE.matches(NONCE).count(), 2, "one script and one style");
        assert_eq!(PAGE.matches("<script").count() + PAGE.matches("<style").count(), 2);
        for word in ["http://", "https://", "innerHTML", "onclick=", "style=\"", "document.write"] {
            assert!(!PAGE.contains(word), "{word}");
        }
    }
}
