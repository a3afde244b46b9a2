//! The client of language models before a server that speaks the providers' wire formats: what it
//! understands, and how each fault ends.

mod answers;
mod faults;
mod server;
mod waiting;
mod ways;

use std::collections::BTreeMap;
use std::time::Duration;

use sentinel_tui::analyze::client::Client;
use sentinel_tui::analyze::endpoint::{Endpoint, Limits};
use sentinel_tui::analyze::failure::Failure;
use sentinel_tui::analyze::price::Prices;
use sentinel_tui::analyze::reply::{Ask, Form, Message, Reply};
use sentinel_tui::analyze::transport::Transport;
use sentinel_tui::config::models::Price;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Anything that goes wrong in a test.
pub(crate) type Fallible<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The key of all tests.
pub(crate) const KEY: &str = "sk-hunter2-0123456789abcdef";
/// The model of all tests.
pub(crate) const MODEL: &str = "meta-llama/llama-4-scout";

/// Wide limits: a busy machine fails no test that is not about them.
pub(crate) fn wide() -> Limits {
    let wide = Duration::from_secs(30);
    Limits { first_byte: wide, idle: wide, whole: wide, retries: 0, ..Limits::default() }
}

pub(crate) fn endpoint(base: &str) -> Fallible<Endpoint> {
    Ok(Endpoint {
        name: "analyst".to_owned(),
        base: Url::parse(base)?,
        key: Some(KEY.into()),
        models: vec![MODEL.to_owned()],
        key_name: "LLAMA_API_KEY".to_owned(),
    })
}

pub(crate) fn client(base: &str, limits: Limits) -> Fallible<Client> {
    client_of(endpoint(base)?, limits, Transport::default())
}

pub(crate) fn client_of(
    endpoint: Endpoint,
    limits: Limits,
    transport: Transport,
) -> Fallible<Client> {
    // Another test of this binary may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    let price = Price { prompt: 1.0, completion: 10.0 };
    let prices = Prices { models: BTreeMap::from([(MODEL.to_owned(), price)]) };
    Ok(Client::new(endpoint, limits, prices, transport)?)
}

pub(crate) fn ask(form: Form) -> Ask {
    Ask {
        messages: vec![
            Message::System("You look at incidents.".to_owned()),
            Message::User("Why did it stop?".to_owned()),
        ],
        form,
        tools: Vec::new(),
        max_tokens: 100,
        temperature: 0.1,
    }
}

pub(crate) fn schema() -> Form {
    Form::Schema {
        name: "verdict".to_owned(),
        schema: json!({"type": "object", "properties": {"cause": {"type": "string"}}}),
    }
}

/// Asks without listening and without stopping.
pub(crate) async fn answer(client: &Client, form: Form) -> Result<Reply, Failure> {
    client.ask(&ask(form), &CancellationToken::new(), None).await
}
