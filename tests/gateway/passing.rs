//! What goes through our gateway beside calls and answers: progress, and a client that gives up.

use std::time::Duration;

use rmcp::model::{ClientRequest, Request};
use rmcp::service::PeerRequestOptions;
use serde_json::json;

use crate::client::{ERAS, Ear, call, client};
use crate::program::Place;
use crate::{Fallible, until};

fn behind() -> Fallible<Place> {
    let place = Place::new()?;
    let behind = place.fixture("behind")?;
    place.catalogue(&[("behind", behind)])
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_reaches_the_client_in_both_eras() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    for era in ERAS {
        let ear = Ear::default();
        let client = client(&gateway.address, era, ear.clone()).await?;
        let answer = client.call_tool(call("steps", &json!({}))).await?;
        assert_eq!(answer.structured_content, Some(json!({"message": "three steps"})));
        // A word is no answer: the last one may be lost behind it on a busy machine.
        until("the first steps", || ear.steps().len() >= 2).await?;
        assert!([1.0, 2.0, 3.0].starts_with(&ear.steps()), "{:?}", ear.steps());
        client.cancel().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_reaches_the_server_in_both_eras() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    for (era, count) in ERAS.into_iter().zip(1..) {
        let client = client(&gateway.address, era, Ear::default()).await?;
        let request = ClientRequest::CallToolRequest(Request::new(call("slow", &json!({}))));
        let handle = client
            .peer()
            .send_cancellable_request(request, PeerRequestOptions::no_options())
            .await?;
        let seen = |what: &str| place.calls().iter().filter(|c| c.as_str() == what).count();
        until("the call reached the server", || seen("behind slow {}") == count).await?;
        handle.cancel(Some("no longer needed".to_owned())).await?;
        until("it was called off", || seen("behind called off") == count).await?;
        client.cancel().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_connection_ends_gives_up_too() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    let http = crate::client::http_client()?;
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "slow", "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        },
    }});
    let sent = http
        .post(format!("{}/mcp", gateway.address))
        .bearer_auth(crate::program::TOKEN)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", "2026-07-28")
        .header("Mcp-Method", "tools/call")
        .header("Mcp-Name", "slow")
        .timeout(Duration::from_secs(1))
        .json(&body)
        .send()
        .await;
    if let Ok(answer) = sent {
        assert_eq!(answer.status(), 200, "{:?}", answer.text().await);
        assert!(answer.bytes().await.is_err(), "nobody answers before the time is over");
    }
    until("it was called off", || place.calls().iter().any(|c| c == "behind called off")).await
}
