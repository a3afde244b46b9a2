//! Our own gateway: who is served, what is served, what is kept of it.

use serde_json::{Value, json};

use crate::client::{ERAS, Ear, call, client};
use crate::program::{Place, TOKEN};
use crate::{Fallible, LONG, until};

/// A gateway with one fixture behind it.
fn behind() -> Fallible<Place> {
    let place = Place::new()?;
    let behind = place.fixture("behind")?;
    place.catalogue(&[("behind", behind)])
}

#[test]
fn without_a_token_it_does_not_start() -> Fallible {
    let place = behind()?;
    let refused = place.run(&["gateway", "--listen", "127.0.0.1:0"])?;
    assert_eq!(refused.status, 1);
    assert!(
        refused.err.contains("no token is set")
            && refused.err.contains("set MCP_GATEWAY_AUTH_TOKEN"),
        "{refused:?}"
    );
    let open = ["gateway", "--listen", "0.0.0.0:0", "--allow-unauthenticated"];
    let refused = place.run(&open)?;
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("no loopback address"), "{refused:?}");
    // On this machine, on request, nobody is asked.
    let mut command =
        place.command(&["gateway", "--listen", "127.0.0.1:0", "--allow-unauthenticated"]);
    let open = crate::program::Running::start(&mut command)?;
    assert_eq!(open.end()?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_for_everybody_and_says_little() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    let http = crate::client::http_client()?;
    let answer = http.get(format!("{}/health", gateway.address)).send().await?;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.json::<Value>().await?, json!({"status": "ok", "tools": 6}));
    assert_eq!(http.get(format!("{}/mcp", gateway.address)).send().await?.status(), 401);
    // Whoever has no token does not even learn what is not there.
    assert_eq!(http.get(format!("{}/other", gateway.address)).send().await?.status(), 401);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_collide_are_told_apart_in_both_eras() -> Fallible {
    let place = Place::new()?;
    let (one, two) = (place.fixture("behind")?, place.fixture("second")?);
    let place = place.catalogue(&[("one", one), ("two", two)])?;
    let gateway = place.gateway(&[])?;
    for era in ERAS {
        let client = client(&gateway.address, era, Ear::default()).await?;
        let tools = client.list_all_tools().await?;
        let names: Vec<&str> = tools.iter().map(|t| t.name.as_ref()).collect();
        let expected =
            ["die", "extra", "one__ok", "refuse", "restart_container", "slow", "steps", "two__ok"];
        assert_eq!(names, expected, "{era:?}");
        let answer = client.call_tool(call("two__ok", &json!({"a": 1}))).await?;
        assert_eq!(answer.structured_content, Some(json!({"message": "fine"})));
        assert_eq!(place.calls().last().map(String::as_str), Some(r#"second ok {"a":1}"#));
        let error = client.call_tool(call("ok", &json!({}))).await.unwrap_err().to_string();
        assert!(error.contains("-32602") && error.contains("no tool \"ok\""), "{error}");
        // A server's own refusal comes through as it is.
        let error = client.call_tool(call("refuse", &json!({}))).await.unwrap_err().to_string();
        assert!(error.contains("not today"), "{error}");
        client.cancel().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_are_checked_before_the_server_is_asked() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    for era in ERAS {
        let client = client(&gateway.address, era, Ear::default()).await?;
        for arguments in [
            json!({"container_name": "; rm -rf /"}),
            json!({}),
            json!({"container_name": "api", "force": true}),
            json!({"container_name": 7}),
        ] {
            let answer = client.call_tool(call("restart_container", &arguments)).await?;
            assert_eq!(answer.is_error, Some(true), "{arguments}");
            let said = answer.content[0].as_text().ok_or("no text")?.text.clone();
            assert!(said.starts_with("nothing was called: the arguments do not fit"), "{said}");
        }
        client.cancel().await?;
    }
    assert_eq!(place.calls(), Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_change_something_are_on_record_without_their_secrets() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    let client = client(&gateway.address, ERAS[1], Ear::default()).await?;
    let arguments = json!({"container_name": "api", "reason": "it hangs, token=hunter2hunter2"});
    client.call_tool(call("restart_container", &arguments)).await?;
    client.call_tool(call("refuse", &json!({"DB_PASSWORD": "hunter2"}))).await.unwrap_err();
    client.cancel().await?;
    assert_eq!(gateway.end()?, 0);
    let shown = place.run(&["audit", "show", "--json"])?;
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    let records: Vec<Value> =
        shown.out.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let words: Vec<String> = records
        .iter()
        .map(|r| {
            let r = r.get("record").unwrap_or(r);
            format!(
                "{} {}",
                r["action"].as_str().unwrap_or_default(),
                r["call"]["tool"].as_str().unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(
        words,
        [
            "applying restart_container",
            "applied restart_container",
            "applying refuse",
            "failed refuse"
        ]
    );
    assert!(
        shown.out.contains("gateway client") && shown.out.contains("it hangs"),
        "{}",
        shown.out
    );
    assert_eq!(place.run(&["audit", "verify"])?.status, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_and_a_list_of_tools_leave_out_the_rest() -> Fallible {
    // Our own two servers: they need no engine to say what they offer.
    let place = Place::new()?;
    let gateway = place.gateway(&["--read-only"])?;
    let client = client(&gateway.address, ERAS[0], Ear::default()).await?;
    let names = |tools: Vec<rmcp::model::Tool>| -> Vec<String> {
        tools.into_iter().map(|t| t.name.into_owned()).collect()
    };
    assert_eq!(
        names(client.list_all_tools().await?),
        [
            "get_logs",
            "health_check",
            "inspect_container",
            "list_containers",
            "run_probe",
            "stats_snapshot",
            "top"
        ]
    );
    let arguments = json!({"container_name": "api"});
    let error = client.call_tool(call("restart_container", &arguments)).await.unwrap_err();
    assert!(error.to_string().contains("no tool \"restart_container\""), "{error}");
    client.cancel().await?;
    drop(gateway);
    let gateway = place.gateway(&["--tools", "health_check,restart_container"])?;
    let client = crate::client::client(&gateway.address, ERAS[0], Ear::default()).await?;
    let tools = client.list_all_tools().await?;
    // What the server says of a tool comes through whole.
    let restart = tools.iter().find(|t| t.name == "restart_container").ok_or("no tool")?;
    let hints = restart.annotations.as_ref().ok_or("no annotations")?;
    assert_eq!((hints.destructive_hint, hints.read_only_hint), (Some(true), Some(false)));
    assert!(restart.output_schema.is_some());
    assert_eq!(names(tools), ["health_check", "restart_container"]);
    Ok(())
}

/// What another server calls by the name of one of our reading tools is not taken for one.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_tool_with_a_harmless_name_is_not_read_only() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&["--read-only"])?;
    let client = client(&gateway.address, ERAS[0], Ear::default()).await?;
    assert_eq!(client.list_all_tools().await?, Vec::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_calls_are_refused_with_a_time() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&["--calls-per-minute", "3"])?;
    let client = client(&gateway.address, ERAS[1], Ear::default()).await?;
    for _ in 0..3 {
        assert_ne!(client.call_tool(call("ok", &json!({}))).await?.is_error, Some(true));
    }
    let answer = client.call_tool(call("ok", &json!({}))).await?;
    let said = answer.content[0].as_text().ok_or("no text")?.text.clone();
    assert!(said.contains("more than 3 calls within a minute; try again in"), "{said}");
    assert_eq!(place.calls().len(), 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_changed_is_read_again_and_clients_hear_of_it() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    for era in ERAS {
        let ear = Ear::default();
        let client = client(&gateway.address, era, ear.clone()).await?;
        let subscription = match era {
            crate::client::Era::Sessions => None,
            crate::client::Era::Stateless => {
                let filter =
                    rmcp::model::SubscriptionFilter::builder().tools_list_changed().build();
                Some(client.listen(filter).await?)
            }
        };
        assert_eq!(client.list_all_tools().await?.len(), 6);
        let (one, two) = (place.fixture("behind")?, place.fixture("second")?);
        place.write_catalogue(&[("behind", one.clone()), ("two", two)])?;
        gateway.signal("HUP")?;
        match subscription {
            None => tokio::time::timeout(LONG, ear.changed.notified()).await?,
            Some(mut subscription) => {
                tokio::time::timeout(LONG, subscription.next()).await??.ok_or("no word")?;
            }
        }
        let mut count = 0;
        let deadline = tokio::time::Instant::now() + LONG;
        while count != 8 && tokio::time::Instant::now() < deadline {
            count = client.list_all_tools().await?.len();
        }
        assert_eq!(count, 8, "{era:?}");
        // The server that stayed was not started again: it still is the same process.
        place.write_catalogue(&[("behind", one)])?;
        gateway.signal("HUP")?;
        gateway.until("the catalogue was read again")?;
        gateway.until("the catalogue was read again")?;
        client.cancel().await?;
    }
    std::fs::write(place.folder.path().join("catalog.yaml"), "registry: [")?;
    gateway.signal("HUP")?;
    gateway.until("everything stays as it was")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_started_again() -> Fallible {
    let place = behind()?;
    let gateway = place.gateway(&[])?;
    let client = client(&gateway.address, ERAS[1], Ear::default()).await?;
    let answer = client.call_tool(call("die", &json!({}))).await?;
    assert_eq!(answer.is_error, Some(true));
    let said = answer.content[0].as_text().ok_or("no text")?.text.clone();
    assert!(said.contains("outcome not known"), "{said}");
    // The next call waits for it.
    let answer = client.call_tool(call("ok", &json!({}))).await?;
    assert_eq!(answer.structured_content, Some(json!({"message": "fine"})));
    assert_eq!(place.calls(), ["behind die {}", "behind ok {}"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_client_lists_and_calls_through_it() -> Fallible {
    let place = Place::new()?;
    let gateway = place.gateway(&[])?;
    let beside = Place::new()?
        .with("MCP_GATEWAY_URL", &gateway.address)
        .with("MCP_GATEWAY_AUTH_TOKEN", TOKEN);
    let listed = beside.run(&["tools", "list"])?;
    assert_eq!((listed.status, listed.out.lines().count()), (0, 19), "{listed:?}");
    assert_eq!(listed.err, "");
    // There is no engine here: our server says so, through the gateway.
    let called = beside.run(&["tools", "call", "health_check", r#"{"container_name":"api"}"#])?;
    assert_eq!(called.status, 1);
    assert!(called.out.contains("health_check"), "{called:?}");
    until("both are done", || true).await
}
