//! Which model answers: what is configured, compared with what the endpoint offers.

use secrecy::ExposeSecret;
use serde_json::Value;

use crate::analyze::endpoint::{Endpoint, Limits};
use crate::analyze::exchange::Exchange;
use crate::analyze::failure::{Failure, Words};

/// Bytes of a list of models; OpenRouter's has about a megabyte.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// Ids that are taken from a list, and their length.
const MOST_IDS: usize = 10_000;
const MOST_ID: usize = 200;
/// Ids that are named where none fits.
const SHOWN: usize = 5;
/// OpenRouter: what may stand behind an id without being a model of its own.
const VARIANTS: &[&str] = &["nitro", "floor", "exacto", "online"];

/// The model that will answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its id.
    pub model: String,
    /// Configured models before it that are not offered.
    pub missing: Vec<String>,
    /// How many models are offered; `None` where the endpoint has no list, and the first
    /// configured one is taken on trust.
    pub offered: Option<usize>,
}

/// Asks an endpoint for its list and chooses.
pub(crate) async fn offered(
    http: &reqwest::Client,
    endpoint: &Endpoint,
    limits: &Limits,
) -> Result<Chosen, Failure> {
    let key = endpoint.key.as_ref().map(ExposeSecret::expose_secret);
    let exchange = Exchange::new(endpoint.asked(None), limits, key);
    let mut request = http.get(endpoint.path("models"));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let ids = match exchange.send(request).await {
        Ok(mut response) => ids(&exchange.whole(&mut response, MOST_BYTES).await?),
        // An endpoint without a list.
        Err(Failure::NoModel { .. } | Failure::Refused { status: 405, .. }) => None,
        Err(failure) => return Err(failure),
    };
    match (ids, endpoint.models.first()) {
        (Some(ids), _) => choose(&endpoint.models, &ids).map_err(|words| Failure::NoModel {
            asked: Box::new(endpoint.asked(None)),
            words: Words::new(&words),
        }),
        (None, Some(first)) => {
            Ok(Chosen { model: first.clone(), missing: Vec::new(), offered: None })
        }
        (None, None) => Err(exchange.unreadable("it has no list of models, and none is named")),
    }
}

/// The ids of a list: `{"data": [{"id"}]}`, or without the frame, or with `name`.
fn ids(body: &[u8]) -> Option<Vec<String>> {
    let list: Value = serde_json::from_slice(body).ok()?;
    let list = list.get("data").or_else(|| list.get("models")).unwrap_or(&list).as_array()?;
    let id = |entry: &Value| {
        let id = entry.get("id").or_else(|| entry.get("name")).unwrap_or(entry).as_str()?;
        (!id.is_empty() && id.len() <= MOST_ID).then(|| id.to_owned())
    };
    Some(list.iter().take(MOST_IDS).filter_map(id).collect())
}

/// The first configured model that is offered, or the first that is offered where none is
/// configured. The error says what there is.
fn choose(configured: &[String], offered: &[String]) -> Result<Chosen, String> {
    let has = |wanted: &str| {
        let stem = wanted.rsplit_once(':').filter(|(_, v)| VARIANTS.contains(v)).map(|(s, _)| s);
        offered.iter().any(|id| {
            id == wanted
                || Some(id.as_str()) == stem
                // Ollama: the tag may be left out.
                || id.strip_suffix(":latest") == Some(wanted)
        })
    };
    let at = configured.iter().position(|wanted| has(wanted));
    let model = match at {
        Some(at) => configured.get(at),
        None if configured.is_empty() => offered.first(),
        None => None,
    };
    match model {
        Some(model) => Ok(Chosen {
            model: model.clone(),
            missing: configured.iter().take(at.unwrap_or_default()).cloned().collect(),
            offered: Some(offered.len()),
        }),
        None => {
            Err(format!("of {} none is offered; {}", named(configured), there(configured, offered)))
        }
    }
}

fn named(configured: &[String]) -> String {
    if configured.is_empty() { "the models".to_owned() } else { configured.join(", ") }
}

/// What there is instead, the most similar first.
fn there(configured: &[String], offered: &[String]) -> String {
    if offered.is_empty() {
        return "there is no model at all".to_owned();
    }
    let words = |id: &str| -> Vec<String> {
        id.to_ascii_lowercase().split(['/', '-', ':', '.', '_']).map(str::to_owned).collect()
    };
    let wanted: Vec<String> = configured.iter().flat_map(|id| words(id)).collect();
    let mut ranked: Vec<(usize, &String)> = offered
        .iter()
        .map(|id| (words(id).iter().filter(|word| wanted.contains(word)).count(), id))
        .collect();
    // Stable: what is equally similar stays in the endpoint's order.
    ranked.sort_by_key(|(similar, _)| std::cmp::Reverse(*similar));
    let shown: Vec<&str> = ranked.iter().take(SHOWN).map(|(_, id)| id.as_str()).collect();
    let more = offered.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("there are {}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn the_first_that_is_offered_is_chosen() {
        let offered = list(&["b/x", "llama3:latest", "c"]);
        let chosen = choose(&list(&["a", "c", "b/x"]), &offered).unwrap();
        assert_eq!((chosen.model.as_str(), chosen.missing), ("c", list(&["a"])));
        assert_eq!(choose(&list(&["llama3"]), &offered).unwrap().model, "llama3");
        assert_eq!(choose(&list(&["b/x:nitro"]), &offered).unwrap().model, "b/x:nitro");
        assert_eq!(choose(&[], &offered).unwrap().model, "b/x");
    }

    #[test]
    fn where_none_fits_the_similar_ones_are_named() {
        let offered = list(&["a", "b", "c", "d", "e", "meta/llama-4-scout-17b"]);
        let error = choose(&list(&["llama-4-scout", "x"]), &offered).unwrap_err();
        assert!(
            error.starts_with(
                "of llama-4-scout, x none is offered; there are meta/llama-4-scout-17b, a"
            ),
            "{error}"
        );
        assert!(error.ends_with("and 1 more"), "{error}");
        assert!(choose(&list(&["b/x:free"]), &list(&["b/x"])).is_err());
        assert!(choose(&[], &[]).is_err());
    }

    #[test]
    fn lists_are_read_in_each_of_their_forms() {
        for body in [
            "{\"object\": \"list\", \"data\": [{\"id\": \"a\"}, {\"id\": null}, {\"id\": \"b\", \"x\": 1}]}",
            "[\"a\", 3, \"b\"]",
            "{\"models\": [{\"name\": \"a\"}, {\"name\": \"b\"}]}",
        ] {
            assert_eq!(ids(body.as_bytes()), Some(list(&["a", "b"])), "{body}");
        }
        assert_eq!(ids(b"<html>"), None);
        assert_eq!(ids(b"{}"), None);
    }
}
