//! What can be asked for.

use sentinel_core::domain::command::Command;
use serde_json::json;

use crate::client::post;
use crate::stage::{INCIDENT, Stage, TOKEN, sha256};
use crate::support::Fallible;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_names_the_plan_that_was_seen_and_who_decides_from_where() -> Fallible {
    let stage = Stage::new()?;
    let sha256 = sha256(&stage.snapshots.borrow());
    let path = |verb: &str| format!("/incidents/{INCIDENT}/{verb}");
    let at = stage.address;
    for (body, status) in [
        (json!({}), 400),
        (json!({"sha256": "0".repeat(64), "confirm": "shop-api"}), 409),
        // A step of it replaces something.
        (json!({"sha256": sha256}), 409),
        (json!({"sha256": sha256, "confirm": "other"}), 409),
        (json!({"sha256": sha256, "confirm": "shop-api", "force": true}), 400),
    ] {
        assert_eq!(post(at, &path("approve"), TOKEN, &body).await?.status, status, "{body}");
    }
    assert!(stage.asked().is_empty());
    let body = json!({"sha256": sha256, "confirm": "shop-api", "by": " ann\u{1b}[31m "});
    let answer = post(at, &path("approve"), TOKEN, &body).await?;
    assert_eq!((answer.status, &answer.json()?["message"]), (200, &"done".into()));
    let (by, command) = stage.asked().pop().ok_or("nothing was asked")?;
    assert!(by.starts_with("ann") && by.ends_with(" via api from 127.0.0.1"), "{by}");
    assert!(!by.contains('\u{1b}'), "{by}");
    assert_eq!(command, Command::Approve { fix: "F1".into(), sha256: sha256.clone() });
    let body = json!({"sha256": sha256, "reason": "not now"});
    for verb in ["reject", "undo"] {
        assert_eq!(post(at, &path(verb), TOKEN, &body).await?.status, 200, "{verb}");
        let wrong = json!({"sha256": "0".repeat(64)});
        assert_eq!(post(at, &path(verb), TOKEN, &wrong).await?.status, 409, "{verb}");
        assert_eq!(post(at, "/incidents/INC-0/reject", TOKEN, &body).await?.status, 404);
    }
    assert_eq!(stage.asked().len(), 3);
    assert!(stage.asked().iter().skip(1).all(|(by, _)| by == "somebody via api from 127.0.0.1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_engine_refuses_is_a_conflict_and_the_rest_is_done() -> Fallible {
    let stage = Stage::new()?;
    let at = stage.address;
    let dismiss = format!("/incidents/{INCIDENT}/dismiss");
    let refused = post(at, &dismiss, TOKEN, &json!({"reason": "no"})).await?;
    assert_eq!((refused.status, &refused.json()?["error"]), (409, &"it is something".into()));
    assert_eq!(post(at, "/incidents/INC-0/dismiss", TOKEN, &json!({})).await?.status, 404);
    for (path, body, status) in [
        ("/silences", json!({"service": "api", "seconds": 60}), 200),
        ("/silences", json!({"service": "api", "seconds": 60.0}), 200),
        ("/silences", json!({"service": "api", "seconds": 0.5}), 400),
        ("/silences", json!({"service": " ", "seconds": 60}), 400),
        ("/silences", json!({"service": "api", "seconds": 9_999_999}), 400),
        ("/silences", json!({"service": "api", "seconds": -1}), 400),
        ("/halt", json!({"reason": "deploy"}), 200),
        ("/resume", json!({}), 200),
    ] {
        assert_eq!(post(at, path, TOKEN, &body).await?.status, status, "{path} {body}");
    }
    assert_eq!(stage.asked().len(), 5);
    Ok(())
}
