//! What changed a short while before, and what is proposed to take back.

use sentinel_core::detect::score::learned::ServiceKey;
use sentinel_core::domain::anomaly::{AnomalyDetail, AnomalyKind};
use sentinel_core::domain::container::{Container, RestartPolicy};
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::setup::Variable;
use serde_json::json;

use crate::world::{Told, at, container, needing, tools};

fn deployed(seconds: i64, change: impl FnOnce(&mut Container)) -> Told {
    let api = needing(container("api"), "db");
    Told::new(vec![container("db"), api]).becomes("api", seconds, |c| {
        change(c);
        c.restart_policy = RestartPolicy::Always;
    })
}

fn loops(told: Told, seconds: i64) -> Told {
    let detail = AnomalyDetail { exit_code: Some(1), ..AnomalyDetail::default() };
    told.dies("api", 1, seconds).sees("api", AnomalyKind::CrashLoop, seconds + 10, detail)
}

#[test]
fn a_loop_behind_a_new_image_is_a_bad_deploy_and_names_the_old_one() {
    let told = loops(deployed(-60, |c| c.image = "shop-api:2".to_owned()), 0);
    let diagnosis = told.diagnosed("api");
    assert_eq!(diagnosis.class, FailureClass::BadDeploy);
    assert!(diagnosis.plan.is_empty());
    assert!(diagnosis.advice.unwrap().contains("shop-api:1"));
    assert_eq!(diagnosis.recent_changes, ["image shop-api:1 → shop-api:2"]);
    assert!(diagnosis.evidence.iter().any(|e| e.id.0.starts_with("change-")));
}

#[test]
fn a_loop_behind_a_lost_setting_gets_the_old_value_proposed() {
    let told = deployed(-60, |c| drop(c.env.remove("DB_URL"))).says(
        "api",
        FailureClass::BadConfig,
        None,
        0,
    );
    let diagnosis = loops(told, 0).diagnosed("api");
    assert!(matches!(diagnosis.class, FailureClass::BadDeploy | FailureClass::BadConfig));
    assert_eq!(tools(&diagnosis), ["update_env_vars"]);
    assert_eq!(diagnosis.plan[0].call.arguments["env_updates"], json!({"DB_URL": "db"}));
    assert!(diagnosis.near_tie.is_none(), "both lead to the same act: {:?}", diagnosis.near_tie);
}

#[test]
fn a_secret_that_changed_is_never_guessed() {
    let hidden = |hash: &str| Variable { hash: hash.to_owned(), ..Variable::default() };
    let mut api = container("api");
    api.env.insert("DB_PASSWORD".to_owned(), hidden("1"));
    let told = Told::new(vec![api]).becomes("api", -60, |c| {
        c.env.insert("DB_PASSWORD".to_owned(), hidden("2"));
    });
    let diagnosis = loops(told, 0).diagnosed("api");
    assert_eq!(diagnosis.class, FailureClass::BadDeploy);
    assert!(diagnosis.plan.is_empty() && diagnosis.advice.is_some());
    assert_eq!(diagnosis.recent_changes, ["env DB_PASSWORD (hidden) → (hidden)"]);
}

#[test]
fn an_old_change_blames_no_deploy() {
    let told = loops(deployed(-1200, |c| c.image = "shop-api:2".to_owned()), 0);
    let diagnosis = told.diagnosed("api");
    assert_eq!(diagnosis.class, FailureClass::CrashLoop);
    assert!(diagnosis.plan.is_empty());
    assert!(diagnosis.recent_changes.is_empty());
}

#[test]
fn a_lost_network_is_given_back_with_its_names() {
    let told = Told::new(vec![container("db"), needing(container("api"), "db")])
        .becomes("db", -20, |c| c.networks.clear())
        .says("api", FailureClass::DnsFailure, Some("db"), 0);
    let diagnosis = told.diagnosed("api");
    assert_eq!(
        (diagnosis.class, diagnosis.root.as_str()),
        (FailureClass::NetworkDetached, "shop-db-1")
    );
    assert_eq!(tools(&diagnosis), ["connect_network"]);
    let call = &diagnosis.plan[0].call.arguments;
    assert_eq!((&call["network"], &call["aliases"]), (&json!("shop_net"), &json!(["db"])));
    let own = Told::new(vec![container("db"), needing(container("api"), "db")])
        .becomes("api", -20, |c| c.networks.clear())
        .says("api", FailureClass::DnsFailure, Some("db"), 0);
    assert_eq!(own.diagnosed("api").root, "shop-api-1");
}

#[test]
fn a_typo_in_a_host_is_taken_back() {
    let told = Told::new(vec![container("db"), needing(container("api"), "db")]).becomes(
        "api",
        -30,
        |c| {
            let typo = Variable {
                hash: "dbb".to_owned(),
                value: Some("dbb".to_owned()),
                hosts: vec!["dbb:80".to_owned()],
            };
            c.env.insert("DB_URL".to_owned(), typo);
            c.of.id = ContainerId(c.of.id.0.clone());
            c.created_at = Some(at(-30));
        },
    );
    let diagnosis = told.says("api", FailureClass::DnsFailure, Some("dbb"), 0).diagnosed("api");
    assert_eq!(diagnosis.class, FailureClass::DnsFailure);
    assert_eq!(tools(&diagnosis), ["update_env_vars"]);
}

#[test]
fn what_it_ran_well_with_is_proposed_even_if_other_values_were_tried_since() {
    let mut told = deployed(-400, |c| drop(c.env.remove("DB_URL")));
    let key = ServiceKey::of(&told.of("api").of);
    let history = told.world.histories.get_mut(&key).unwrap();
    let mut good = history.current.clone();
    let known =
        Variable { hash: "1".to_owned(), value: Some("known".to_owned()), ..Variable::default() };
    good.env.insert("DB_URL".to_owned(), known);
    history.good = Some(good);
    let diagnosis = loops(told, 0).diagnosed("api");
    assert_eq!(diagnosis.plan[0].call.arguments["env_updates"], json!({"DB_URL": "known"}));
}

#[test]
fn a_setting_that_it_ran_well_with_is_not_taken_back() {
    let mut told = deployed(-400, |c| drop(c.env.remove("DB_URL")));
    let key = ServiceKey::of(&told.of("api").of);
    let history = told.world.histories.get_mut(&key).unwrap();
    history.good = Some(history.current.clone());
    let diagnosis = loops(told, 0).diagnosed("api");
    assert!(diagnosis.plan.is_empty(), "{:?}", diagnosis.plan);
}
