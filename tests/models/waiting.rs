//! Retries, pauses, the breaker, the budget, and questions that nobody waits for any more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sentinel_tui::analyze::budget::{Ledger, Which};
use sentinel_tui::analyze::endpoint::Limits;
use sentinel_tui::analyze::failure::Failure;
use sentinel_tui::analyze::reply::{Form, Heard};
use sentinel_tui::config::models::Caps;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server::Server;
use crate::server::script::{Act, Flavour, Script, Tokens};
use crate::{Fallible, answer, ask, client, wide};

fn status(code: u16, headers: &[(&str, &str)]) -> Act {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Act::Status { code, headers, body: Value::Null }
}

fn yes() -> Act {
    Act::Answer("yes it was so".to_owned(), Tokens::default())
}

#[tokio::test]
async fn a_retry_makes_what_was_heard_void_and_what_it_took_counts() -> Fallible {
    let server = Server::start(Script::queue([Act::CutAfter(2), status(503, &[]), yes()]))?;
    let client = client(&server.base_url, Limits { retries: 3, ..wide() })?;
    let (to, mut heard) = mpsc::channel(64);
    let stop = CancellationToken::new();
    let reply = client.ask(&ask(Form::Text), &stop, Some(to)).await?;
    let (mut text, mut anew) = (String::new(), 0);
    while let Some(word) = heard.recv().await {
        match word {
            Heard::Piece(piece) => text.push_str(&piece),
            Heard::Anew => {
                anew += 1;
                assert_eq!(std::mem::take(&mut text), "the quick brown ");
            }
        }
    }
    assert_eq!((text.as_str(), anew), ("yes it was so", 1));
    assert_eq!(server.completions().len(), 3);
    // Seven tokens of the answer, and those of the pieces that were lost.
    assert!(reply.usage.completion_tokens > 7 && reply.usage.estimated, "{:?}", reply.usage);
    assert_eq!(client.state().last_failure, None);
    Ok(())
}

#[tokio::test]
async fn a_pause_that_the_endpoint_asks_for_is_kept() -> Fallible {
    let later = Timestamp::now().checked_add(jiff::SignedDuration::from_secs(2))?;
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&later)?;
    let tries = [
        (status(429, &[("retry-after", "1")]), Flavour::Openrouter, 1.0),
        (status(503, &[("retry-after", date.as_str())]), Flavour::Openrouter, 0.9),
        (status(429, &[("x-ratelimit-reset-tokens-minute", "1.25")]), Flavour::Cerebras, 1.25),
    ]
    .map(|(act, flavour, least)| async move {
        let server = Server::start(Script::queue([act, yes()]).flavour(flavour))?;
        let client = client(&server.base_url, Limits { retries: 1, ..wide() })?;
        let began = Instant::now();
        answer(&client, Form::Text).await?;
        assert!(began.elapsed().as_secs_f64() >= least, "{:?}", began.elapsed());
        assert_eq!(server.completions().len(), 2);
        Fallible::Ok(())
    });
    futures_util::future::try_join_all(tries).await?;
    Ok(())
}

#[tokio::test]
async fn a_pause_that_is_too_long_is_told_and_kept_without_asking() -> Fallible {
    let server = Server::start(Script::always(status(429, &[("retry-after", "120")])))?;
    let client = client(&server.base_url, Limits { retries: 3, ..wide() })?;
    let began = Instant::now();
    let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
    assert!(matches!(failure, Failure::Busy { until: Some(_), .. }), "{failure}");
    assert!(failure.to_string().contains("it may be asked again at 20"), "{failure}");
    let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
    assert!(matches!(failure, Failure::Resting { .. }), "{failure}");
    assert!(failure.to_string().contains("too many requests (HTTP 429)"), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(server.completions().len(), 1);
    assert!(client.state().open_until.is_some());
    Ok(())
}

#[tokio::test]
async fn five_failures_in_a_row_open_the_breaker() -> Fallible {
    for act in [status(503, &[]), status(401, &[])] {
        let server = Server::start(Script::always(act))?;
        let client = client(&server.base_url, wide())?;
        for asked in 1..=5 {
            assert!(client.state().open_until.is_none());
            let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
            assert!(!matches!(failure, Failure::Resting { .. }), "{failure}");
            assert_eq!(server.completions().len(), asked);
        }
        let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
        assert!(failure.to_string().contains("it is left alone until"), "{failure}");
        assert_eq!(server.completions().len(), 5);
        assert!(client.state().open_until.is_some());
    }
    Ok(())
}

#[tokio::test]
async fn an_open_breaker_ends_the_retries_too() -> Fallible {
    let server = Server::start(Script::always(status(503, &[])))?;
    let client = client(&server.base_url, Limits { retries: 1, ..wide() })?;
    for _ in 0..3 {
        let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
        assert!(failure.to_string().contains("HTTP 503"), "{failure}");
    }
    assert_eq!(server.completions().len(), 5, "two, two, and one that opened it");
    Ok(())
}

/// Waits until the server has seen a reader go.
async fn given_up(server: &Server) -> Fallible {
    let seen = async {
        while server.given_up() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), seen).await?;
    Ok(())
}

#[tokio::test]
async fn stopping_closes_the_connection() -> Fallible {
    for act in [Act::StallAfter(2), Act::SlowFirstByte(60_000)] {
        let server = Server::start(Script::always(act))?;
        let client = client(&server.base_url, wide())?;
        let stop = CancellationToken::new();
        let question = ask(Form::Text);
        let asking = client.ask(&question, &stop, None);
        let stopping = async {
            while server.completions().is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            stop.cancel();
        };
        let (outcome, ()) = tokio::join!(asking, stopping);
        assert!(matches!(outcome, Err(Failure::Stopped { .. })), "{outcome:?}");
        given_up(&server).await?;
        assert_eq!(client.state().failures, 0);
        // What is stopped already asks nothing.
        let outcome = client.ask(&question, &stop, None).await;
        assert!(matches!(outcome, Err(Failure::Stopped { .. })), "{outcome:?}");
        assert_eq!(server.completions().len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn dropping_the_question_closes_the_connection() -> Fallible {
    let server = Server::start(Script::always(Act::StallAfter(2)))?;
    let client = client(&server.base_url, wide())?;
    let (to, mut heard) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let question = ask(Form::Text);
    {
        let asking = client.ask(&question, &stop, Some(to));
        tokio::select! {
            outcome = asking => return Err(format!("it ended: {outcome:?}").into()),
            first = heard.recv() => assert_eq!(first, Some(Heard::Piece("the quic".to_owned()))),
        }
    }
    given_up(&server).await
}

#[tokio::test]
async fn no_more_questions_at_once_than_allowed() -> Fallible {
    let server = Server::start(Script::always(Act::SlowFirstByte(200)))?;
    let client = Arc::new(client(&server.base_url, Limits { concurrency: 1, ..wide() })?);
    let began = Instant::now();
    let all = (0..3).map(|_| answer(&client, Form::Text));
    futures_util::future::try_join_all(all).await?;
    assert!(began.elapsed() >= Duration::from_millis(600), "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn the_budget_ends_before_the_questions_do() -> Fallible {
    let server = Server::start(Script::always(yes()))?;
    let client = client(&server.base_url, wide())?;
    let mut ledger = Ledger::new(Caps { tokens_per_minute: 600, ..Caps::default() });
    let now: Timestamp = "2026-10-01T00:00:00Z".parse()?;
    let estimate = client.estimate(&ask(Form::Text));
    assert!(estimate.estimated && estimate.tokens() > 100 && estimate.tokens() < 550);
    let mut asked = 0;
    let capped = loop {
        if let Err(capped) = ledger.may(now, &estimate) {
            break capped;
        }
        let reply = answer(&client, Form::Text).await?;
        ledger.spent(now, &reply.usage);
        asked += 1;
        assert!(asked < 100, "the cap never holds");
    };
    assert_eq!(capped.which, Which::TokensPerMinute);
    assert!(asked > 0 && server.completions().len() == asked);
    ledger.may(capped.until, &estimate)?;
    Ok(())
}
