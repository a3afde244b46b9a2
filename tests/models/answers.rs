//! Answers that are understood.

use sentinel_tui::analyze::endpoint::Endpoint;
use sentinel_tui::analyze::reply::{Finish, Form, Heard};
use sentinel_tui::analyze::transport::Transport;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server::Server;
use crate::server::script::{Act, Flavour, Script, Tokens, ToolCall};
use crate::{Fallible, KEY, MODEL, answer, ask, client, client_of, endpoint, schema, wide};

#[tokio::test]
async fn a_text_is_heard_piece_by_piece_from_both_providers() -> Fallible {
    let text = "It ran out of memory: 512 MiB were not enough für 3 Läufe.";
    for (flavour, cost) in [(Flavour::Openrouter, 0.000_012), (Flavour::Cerebras, 0.0005)] {
        let tokens = Tokens { prompt: 100, completion: 40 };
        let act = Act::Answer(text.to_owned(), tokens);
        let server = Server::start(Script::always(act).flavour(flavour).key(KEY))?;
        let client = client(&server.base_url, wide())?;
        let (to, mut heard) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let reply = client.ask(&ask(Form::Text), &stop, Some(to)).await?;
        let mut pieces = Vec::new();
        while let Some(Heard::Piece(piece)) = heard.recv().await {
            pieces.push(piece);
        }
        assert!(pieces.len() > 3, "{pieces:?}");
        assert_eq!((pieces.concat().as_str(), reply.text.as_str()), (text, text));
        assert_eq!((reply.model.as_str(), &reply.finish), (MODEL, &Finish::Stop));
        assert_eq!((reply.usage.prompt_tokens, reply.usage.completion_tokens), (100, 40));
        assert!(!reply.usage.estimated && !reply.latency.is_zero());
        // OpenRouter says what it cost; for Cerebras the price table does.
        assert!(reply.usage.cost_usd.is_some_and(|c| (c - cost).abs() < 1e-9), "{reply:?}");
        let state = client.state();
        assert_eq!((state.calls, state.prompt_tokens, state.completion_tokens), (1, 100, 40));
        assert_eq!(state.model.as_deref(), Some(MODEL));
        assert!((state.cost_usd - cost).abs() < 1e-9 && state.unpriced == 0);
        let requests = server.requests();
        assert_eq!(requests.len(), 1);
        assert_eq!(requests[0].headers["authorization"], "Bearer ***");
        assert_eq!(requests[0].body["max_tokens"], 100);
    }
    Ok(())
}

#[tokio::test]
async fn a_document_is_found_however_it_is_wrapped() -> Fallible {
    let value = json!({"cause": "memory", "steps": ["look at the limit", "raise it by a half"]});
    let cut = json!({"cause": "memory"});
    for (act, expected, repaired) in [
        (Act::Json(value.clone()), &value, false),
        (Act::Fenced(value.clone()), &value, false),
        (
            Act::Answer(format!("<think>{{\"no\": 1}}</think>{value}"), Tokens::default()),
            &value,
            false,
        ),
        (Act::Answer(value.to_string().replace("]}", "],}"), Tokens::default()), &value, true),
        (Act::Truncated(value.clone()), &cut, true),
    ] {
        let server = Server::start(Script::always(act))?;
        let reply = answer(&client(&server.base_url, wide())?, schema()).await?;
        let json = reply.json.ok_or("there is no document")?;
        assert_eq!(json["cause"], expected["cause"]);
        assert_eq!(reply.repaired, repaired, "{json}");
        assert!(repaired || json == *expected, "{json}");
    }
    let server =
        Server::start(Script::always(Act::Answer("I do not know.".to_owned(), Tokens::default())))?;
    let reply = answer(&client(&server.base_url, wide())?, schema()).await?;
    assert_eq!(reply.json, None);
    Ok(())
}

#[tokio::test]
async fn calls_of_tools_come_whole_and_wrong_arguments_are_told() -> Fallible {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.to_owned(),
        name: "get_logs".to_owned(),
        arguments: arguments.to_owned(),
    };
    for flavour in [Flavour::Openrouter, Flavour::Cerebras] {
        let calls = [call("a", "{\"tail\": 20}"), call("b", "{'tail': 20,}"), call("c", "tail=20")];
        let script = Script::always(Act::ToolCalls(calls.to_vec())).flavour(flavour);
        let server = Server::start(script)?;
        let reply = answer(&client(&server.base_url, wide())?, Form::Text).await?;
        assert_eq!(reply.finish, Finish::ToolCalls);
        let arguments: Vec<_> = reply.calls.iter().map(|call| call.object().cloned()).collect();
        let expected = json!({"tail": 20}).as_object().cloned();
        assert_eq!(arguments[0].as_ref().ok(), expected.as_ref());
        assert_eq!(arguments[1].as_ref().ok(), expected.as_ref());
        assert!(arguments[2].as_ref().is_err_and(|e| e.contains("get_logs")), "{arguments:?}");
        assert_eq!(reply.calls[2].id, "c");
    }
    Ok(())
}

/// The forms that were asked for, one after the other.
fn forms(server: &Server) -> Vec<String> {
    let form = |body: &Value| {
        body.pointer("/response_format/type").and_then(Value::as_str).unwrap_or("none").to_owned()
    };
    server.completions().iter().map(|request| form(&request.body)).collect()
}

#[tokio::test]
async fn a_form_that_is_refused_is_not_asked_for_again() -> Fallible {
    let good = || Box::new(Act::Json(json!({"cause": "memory"})));
    for (act, expected, refused) in [
        (
            Act::RefuseSchema(good()),
            &["json_schema", "json_object", "json_object"][..],
            &["json_schema"][..],
        ),
        (
            Act::RefuseForms(good()),
            &["json_schema", "json_object", "none", "none"],
            &["json_schema", "json_object"],
        ),
        (Act::RefuseUsage(good()), &["json_schema"; 3], &["stream_options"]),
    ] {
        for flavour in [Flavour::Openrouter, Flavour::Cerebras] {
            let server = Server::start(Script::always(act.clone()).flavour(flavour))?;
            let client = client(&server.base_url, wide())?;
            for _ in 0..2 {
                let reply = answer(&client, schema()).await?;
                assert_eq!(reply.json, Some(json!({"cause": "memory"})));
            }
            assert_eq!(forms(&server), expected);
            let words: Vec<String> = refused.iter().map(|r| format!("{MODEL}: {r}")).collect();
            assert_eq!(client.state().refused, words);
            let last = server.completions().pop().ok_or("nothing was asked")?;
            let told = last.body["messages"].to_string().contains("valid under this JSON schema");
            assert_eq!(told, expected.last() != Some(&"json_schema"));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_question_that_is_refused_for_itself_teaches_nothing_about_forms() -> Fallible {
    let body = json!({"error": {"code": 400, "message": "the context is too long"}});
    let act = Act::Status { code: 400, headers: [].into(), body };
    let server = Server::start(Script::always(act))?;
    let client = client(&server.base_url, wide())?;
    let failure = answer(&client, schema()).await.err().ok_or("it was answered")?.to_string();
    assert!(failure.contains("the context is too long"), "{failure}");
    assert_eq!(forms(&server), ["json_schema", "json_object", "none"]);
    assert!(client.state().refused.is_empty() && client.state().open_until.is_none());
    Ok(())
}

#[tokio::test]
async fn what_an_answer_took_is_estimated_where_nobody_says() -> Fallible {
    let server = Server::start(Script::always(Act::NoUsage("x".repeat(300))))?;
    let reply = answer(&client(&server.base_url, wide())?, Form::Text).await?;
    assert!(reply.usage.estimated && reply.usage.completion_tokens == 100, "{reply:?}");
    assert!(reply.usage.prompt_tokens > 20 && reply.usage.cost_usd.is_some());
    Ok(())
}

#[tokio::test]
async fn other_servers_are_understood_too() -> Fallible {
    let server =
        Server::start(Script::queue([Act::Whole("at once".to_owned()), Act::InvalidUtf8]))?;
    let client = client(&server.base_url, wide())?;
    let reply = answer(&client, Form::Text).await?;
    assert_eq!((reply.text.as_str(), reply.usage.tokens()), ("at once", 19));
    assert_eq!(answer(&client, Form::Text).await?.text, "caf\u{FFFD} au lait");
    // Without a key nothing is sent as one.
    let endpoint = Endpoint { key: None, ..endpoint(&server.base_url)? };
    answer(&client_of(endpoint, wide(), Transport::default())?, Form::Text).await?;
    let headers = server.requests().pop().ok_or("nothing was asked")?.headers;
    assert!(!headers.contains_key("authorization"), "{headers:?}");
    Ok(())
}

#[tokio::test]
async fn the_list_of_models_decides_who_answers() -> Fallible {
    let good = Act::Answer("yes".to_owned(), Tokens::default());
    let script = Script::always(good).models(&["other", "llama-4-scout-fast"]);
    let server = Server::start(script)?;
    let mut endpoint = endpoint(&server.base_url)?;
    let client = client_of(endpoint.clone(), wide(), Transport::default())?;
    let failure = client.check().await.err().ok_or("it was found")?.to_string();
    assert!(failure.contains("there are llama-4-scout-fast, other"), "{failure}");

    endpoint.models.push("other".to_owned());
    let client = client_of(endpoint.clone(), wide(), Transport::default())?;
    let chosen = client.check().await?;
    assert_eq!((chosen.model.as_str(), chosen.offered), ("other", Some(2)));
    assert_eq!(chosen.missing, [MODEL]);
    assert_eq!(answer(&client, Form::Text).await?.model, "other");

    endpoint.models.clear();
    let client = client_of(endpoint, wide(), Transport::default())?;
    assert_eq!(answer(&client, Form::Text).await?.model, "other");
    Ok(())
}

#[tokio::test]
async fn without_a_list_a_model_that_is_missing_is_passed_over() -> Fallible {
    let server = Server::start(Script::by(|question| {
        if question.body["model"] == MODEL {
            Act::ModelMissing
        } else {
            Act::Answer("yes".to_owned(), Tokens::default())
        }
    }))?;
    let mut endpoint = endpoint(&server.base_url)?;
    endpoint.models.push("other".to_owned());
    let client = client_of(endpoint, wide(), Transport::default())?;
    let chosen = client.check().await?;
    assert_eq!((chosen.model.as_str(), chosen.offered), (MODEL, None));
    for _ in 0..2 {
        assert_eq!(answer(&client, Form::Text).await?.model, "other");
    }
    assert_eq!(server.completions().len(), 3);
    assert_eq!(client.state().missing, [MODEL]);
    Ok(())
}

#[tokio::test]
async fn a_script_in_a_file_answers_what_it_is_asked_and_keeps_it() -> Fallible {
    let script = Script::parse(
        r#"{"flavour": "cerebras", "models": ["m"], "rules": [
            {"when": "stop?", "times": 1, "act": {"status": {"code": 503}}},
            {"when": "stop?", "model": "m", "act": {"answer": ["first"]}},
            {"act": {"json": {"a": 1}}}
        ]}"#,
    )?;
    let folder = tempfile::tempdir()?;
    let record = folder.path().join("record.jsonl");
    let server = Server::listen("127.0.0.1:0".parse()?, script, Some(record.clone()))?;
    let endpoint = Endpoint { models: Vec::new(), ..endpoint(&server.base_url)? };
    let client = client_of(endpoint, wide(), Transport::default())?;
    let failure = answer(&client, Form::Text).await.err().ok_or("it was answered")?;
    assert!(failure.to_string().contains("HTTP 503"), "{failure}");
    let reply = answer(&client, Form::Text).await?;
    assert_eq!((reply.text.as_str(), reply.model.as_str()), ("first", "m"));
    let kept = std::fs::read_to_string(record)?;
    let paths: Vec<Value> = kept
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).map(|line| line["path"].clone()))
        .collect::<Result<_, _>>()?;
    assert_eq!(paths, ["/v1/models", "/v1/chat/completions", "/v1/chat/completions"]);
    assert!(!kept.contains("hunter2"), "{kept}");
    Ok(())
}
