//! Each fault ends within its bounds, in words that say what to do.

use std::time::{Duration, Instant};

use sentinel_tui::analyze::endpoint::Limits;
use sentinel_tui::analyze::reply::Form;
use serde_json::{Value, json};

use crate::server::Server;
use crate::server::script::{Act, Flavour, Script};
use crate::{Fallible, KEY, answer, client, wide};

fn status(code: u16) -> Act {
    Act::Status { code, headers: [].into(), body: Value::Null }
}

/// The failure of a question, how often it was asked, and how long that took.
async fn failure(
    act: Act,
    flavour: Flavour,
    limits: Limits,
) -> Fallible<(String, usize, Duration)> {
    let server = Server::start(Script::always(act).flavour(flavour))?;
    let client = client(&server.base_url, limits)?;
    let began = Instant::now();
    let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
    let took = began.elapsed();
    let state = client.state();
    assert_eq!(state.last_failure, Some(failure.to_string()));
    assert_eq!(state.failures, 1);
    let told = format!("{failure} {failure:?} {state:?} {client:?}");
    assert!(!told.contains("hunter2"), "{told}");
    Ok((failure.to_string(), server.completions().len(), took))
}

#[tokio::test]
async fn what_stays_wrong_is_asked_once_and_says_what_to_do() -> Fallible {
    let limits = Limits { retries: 3, ..wide() };
    for flavour in [Flavour::Openrouter, Flavour::Cerebras] {
        for (act, words) in [
            (status(400), "the question was refused (HTTP 400)"),
            (status(401), "the key is refused (HTTP 401); check LLAMA_API_KEY: Wrong API Key"),
            (status(402), "no credit left (HTTP 402): Insufficient credits; add some"),
            (status(403), "forbidden (HTTP 403)"),
            (
                Act::ModelMissing,
                "does not exist or you do not have access to it; name another model",
            ),
            (status(302), "it redirects elsewhere"),
            (Act::Huge(1024 * 1024), "larger than 262144 bytes"),
        ] {
            let (text, asked, _) = failure(act, flavour, limits).await?;
            assert!(text.contains(words), "{text}");
            assert!(text.starts_with("analyst (meta-llama/llama-4-scout at http://127."), "{text}");
            assert_eq!(asked, 1, "{text}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_may_pass_is_asked_again_as_often_as_allowed() -> Fallible {
    let limits = Limits { retries: 1, ..wide() };
    let error = |code| Act::ErrorInStream { code, message: "the provider is gone".to_owned() };
    let tries = [
        (status(500), "the endpoint failed (HTTP 500)"),
        (status(503), "name another model as a fall-back"),
        (status(429), "too many requests (HTTP 429)"),
        (error(502), "the endpoint failed (HTTP 502): the provider is gone"),
        (error(429), "too many requests (HTTP 429): the provider is gone"),
        (Act::CutAfter(2), "the answer was cut off"),
        (Act::CutAfter(0), "the answer was cut off"),
        (Act::EmptyChoices, "the answer is empty"),
        (Act::Page, "it is a web page"),
    ]
    .map(|(act, words)| async move {
        let (text, asked, _) = failure(act, Flavour::Cerebras, limits).await?;
        assert!(text.contains(words), "{text}");
        assert_eq!(asked, 2, "{text}");
        Fallible::Ok(())
    });
    futures_util::future::try_join_all(tries).await?;
    Ok(())
}

#[tokio::test]
async fn what_takes_too_long_ends_within_its_limit() -> Fallible {
    let short = Duration::from_millis(300);
    let tries = [
        (Act::SlowFirstByte(60_000), Limits { first_byte: short, ..wide() }, "no answer began"),
        (Act::StallAfter(0), Limits { idle: short, ..wide() }, "no further piece came"),
        (Act::StallAfter(3), Limits { idle: short, ..wide() }, "the answer stopped half-way"),
        (Act::StallAfter(3), Limits { whole: short, ..wide() }, "the answer did not end"),
        (Act::SlowFirstByte(60_000), Limits { whole: short, ..wide() }, "no answer began"),
    ]
    .map(|(act, limits, words)| async move {
        let (text, asked, took) = failure(act, Flavour::Openrouter, limits).await?;
        assert!(text.contains(words) && text.contains("within 1 s"), "{text}");
        // On a busy machine the time may be up before the server has seen the question.
        assert!(asked <= 1, "it is not asked again");
        assert!(took >= short && took < Duration::from_secs(20), "{text}: {took:?}");
        Fallible::Ok(())
    });
    futures_util::future::try_join_all(tries).await?;
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_told_apart_from_a_refusal() -> Fallible {
    let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let client = client(&format!("http://{free}/v1"), wide())?;
    for failure in
        [answer(&client, Form::Text).await.err(), client.check().await.err()].into_iter().flatten()
    {
        let text = failure.to_string();
        assert!(text.contains("it cannot be reached: connection refused; is it running"), "{text}");
    }
    Ok(())
}

#[tokio::test]
async fn an_endpoint_that_repeats_the_key_or_writes_to_the_terminal_is_quoted_safely() -> Fallible {
    let message = format!("bad key {KEY} \u{1b}]0;owned\u{7}\u{202e}");
    for act in [
        Act::Status { code: 401, headers: [].into(), body: json!({"error": {"message": message}}) },
        Act::ErrorInStream { code: 403, message },
    ] {
        let (text, _, _) = failure(act, Flavour::Openrouter, wide()).await?;
        assert!(text.contains("bad key ***"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{text:?}");
    }
    Ok(())
}
