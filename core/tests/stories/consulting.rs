//! What language models are asked, and what comes of their answers: an opinion that is checked, a
//! proposal for a person, a judgement that adds; and nothing that only a model says.

#![allow(clippy::expect_used, reason = "a story that goes another way fails its test")]

use serde_json::json;

use sentinel_core::consult::brief::Brief;
use sentinel_core::consult::look;
use sentinel_core::consult::unvalued::Unvalued;
use sentinel_core::domain::container::{Container, RestartPolicy};
use sentinel_core::domain::ids::ContainerId;
use sentinel_core::domain::incident::IncidentState;
use sentinel_core::domain::judgement::Verdict;
use sentinel_core::domain::life::LifeKind;
use sentinel_core::domain::opinion::{Agreement, Analysis, Answered, ModelWord};
use sentinel_core::domain::setup::Variable;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::signal::Signal;
use sentinel_core::domain::snapshot::Mode;
use sentinel_core::domain::tool::ReadCall;
use sentinel_core::engine::Settings;
use sentinel_core::engine::consulting::Roles;

use crate::support::{SECOND, Story, container, millis, seconds, settings, tool};

fn with_models(mode: Mode, containers: Vec<Container>) -> Story {
    let models = Roles { triage: true, analyst: true };
    Story::with(Settings { models, ..settings(mode) }, Vec::new(), containers)
}

fn answered() -> Answered {
    Answered {
        model: "scripted-1".to_owned(),
        prompt_tokens: 900,
        completion_tokens: 80,
        cost_usd: Some(0.0002),
        latency_ms: 700,
        mended: false,
    }
}

/// A crash loop with a missing setting, for which there is no safe fix; the analyst was asked.
fn loops() -> Story {
    let mut api = container("api");
    api.restart_policy = RestartPolicy::Always;
    api.env.insert(
        "DB_URL".to_owned(),
        Variable { value: Some("db.internal:5432".to_owned()), ..Variable::default() },
    );
    let mut story = with_models(Mode::AutoHeal, vec![api, container("db")]);
    for _ in 0..4 {
        story.says("api", "FATAL missing required setting LEDGER_URL");
        story.dies("api", 1);
        story.pass(seconds(4));
        story.starts_by_policy("api");
        story.pass(seconds(1));
    }
    story.dies("api", 1);
    story.pass(seconds(6));
    story
}

fn brief(story: &Story) -> &Brief {
    story.asked.briefs.last().expect("the analyst was asked")
}

/// The id of the first piece of evidence that says `what`.
fn evidence_id(brief: &Brief, what: &str) -> String {
    let item = brief.items.iter().find(|i| i.evidence.excerpt.contains(what));
    item.map(|i| i.id.clone()).expect("the brief shows it")
}

fn answer(story: &mut Story, analysis: serde_json::Value) {
    let incident = brief(story).incident.clone().expect("of an incident");
    let analysis: Box<Analysis> = Box::new(serde_json::from_value(analysis).expect("it reads"));
    let word = ModelWord::Analyzed { incident, analysis, looked: Vec::new(), by: answered() };
    story.feed(Signal::Model { word: Box::new(word) });
}

/// A crash loop since a setting was changed, which is proposed to be taken back.
fn loops_since_a_change() -> Story {
    let with_peer = |peer: &str| {
        let mut api = container("api");
        api.restart_policy = RestartPolicy::Always;
        let value = Some(peer.to_owned());
        let variable = Variable { hash: peer.to_owned(), value, hosts: Vec::new() };
        api.env.insert("PEER_URL".to_owned(), variable);
        api
    };
    let mut story = with_models(Mode::Approve, vec![with_peer("http://data:9000")]);
    for _ in 0..70 {
        story.pass(SECOND);
        story.feed(Signal::Tick);
    }
    story.removed("api");
    let mut new = with_peer("http://dtaa:9111");
    new.of.id = ContainerId("b".repeat(64));
    new.created_at = Some(story.now);
    new.started_at = Some(story.now);
    story.truth.insert("api".to_owned(), new);
    story.life("api", LifeKind::Create);
    story.inspected("api", false);
    story.starts("api");
    for _ in 0..4 {
        story.pass(seconds(2));
        story.dies("api", 1);
        story.pass(seconds(3));
        story.starts_by_policy("api");
    }
    story.dies("api", 1);
    story.pass(seconds(6));
    story
}

#[test]
fn a_sentence_about_a_change_loses_its_values_on_the_way_to_a_model() {
    let story = loops_since_a_change();
    let incident = story.incident();
    let diagnosis = incident.diagnosis.clone().expect("it was diagnosed");
    assert!(diagnosis.cause.contains("http://data:9000"), "a person reads it: {diagnosis:?}");
    assert_eq!(diagnosis.plan.len(), 1, "it is proposed to be taken back");
    let all = format!("{:?}", brief(&story));
    assert!(all.contains("variable PEER_URL was changed") && all.contains("PEER_URL as before"));
    let unvalued = Unvalued::of(Some(&incident), []);
    let timeline = incident.timeline.iter().map(|e| unvalued.text(&e.what));
    let told: String = timeline.chain([unvalued.text(&diagnosis.cause)]).collect();
    assert!(told.contains("PEER_URL"), "{told}");
    for value in ["data:9000", "dtaa:9111"] {
        assert!(!all.contains(value), "{value} in {all}");
        assert!(!told.contains(value), "{value} in {told}");
    }
}

#[test]
fn the_analyst_sees_evidence_with_ids_and_no_value_of_the_environment() {
    let story = loops();
    let brief = brief(&story);
    assert!(!brief.items.is_empty());
    let ids: Vec<&str> = brief.items.iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids[0], "E1");
    assert!(brief.items.windows(2).all(|w| w[0].evidence.ts <= w[1].evidence.ts), "oldest first");
    evidence_id(brief, "LEDGER_URL");
    let all = format!("{brief:?}");
    assert!(all.contains("DB_URL"), "the name is there");
    assert!(!all.contains("db.internal"), "the value is not");
    assert_eq!(brief.rules.class, Some(story.incident().class));
    assert_eq!(story.asked.briefs.len(), 1, "asked once, when the evidence had settled");
}

#[test]
fn an_answer_is_checked_piece_by_piece() {
    let mut story = loops();
    let (class, known) =
        (story.incident().class.as_str(), evidence_id(brief(&story), "LEDGER_URL"));
    answer(
        &mut story,
        json!({
            "class": class.to_uppercase(), "root": "api", "confidence": "85%",
            "cause": "api lacks\u{1b}[31m LEDGER_URL",
            "claims": [
                {"text": "it says that LEDGER_URL is missing", "evidence": [known]},
                {"text": "the disk is full", "evidence": ["E999"]},
                {"text": "trust me", "evidence": []},
            ],
        }),
    );
    let opinion = story.incident().opinion.expect("it is kept");
    assert_eq!(opinion.agreement, Agreement::Agrees);
    assert!((opinion.confidence - 0.85).abs() < 1e-9);
    let supported: Vec<bool> = opinion.claims.iter().map(|c| c.supported).collect();
    assert_eq!(supported, [true, false, false]);
    assert!(opinion.claims[0].evidence[0].excerpt.contains("LEDGER_URL"));
    assert!(!opinion.cause.contains('\u{1b}'));
    assert!(opinion.problems.iter().any(|p| p.contains("E999")), "{:?}", opinion.problems);
    assert_eq!(story.count("opinion_ready"), 1);
}

/// Everything that an analysis proposes and must not come to anything.
fn harmful() -> Vec<serde_json::Value> {
    let plan = |tool: &str, target: &str, arguments: serde_json::Value| json!([{"tool": tool, "target": target, "arguments": arguments, "reason": "approve this now"}]);
    vec![
        plan("exec_command", "api", json!({"command": ["rm", "-rf", "/"]})),
        plan("restart_container", "db", json!({})),
        plan("restart_container", "", json!({"container_name": "db"})),
        plan("restart_container", "sentinel-tui", json!({})),
        plan("approve", "api", json!({})),
        plan("stop_container", "api", json!({})),
        plan("update_resources", "api", json!({"resources": {"memory": "64g"}})),
        plan("update_env_vars", "api", json!({"env_updates": {"LEDGER_URL": "evil"}})),
    ]
}

#[test]
fn nothing_harmful_that_is_proposed_is_staged() {
    for plan in harmful() {
        let mut story = loops();
        let before = (story.count("fix_staged"), story.applied.len());
        let (class, known) =
            (story.incident().class.as_str(), evidence_id(brief(&story), "LEDGER_URL"));
        answer(
            &mut story,
            json!({"class": class, "root": "api", "confidence": 1.0, "cause": "x",
                "claims": [{"text": "so it is", "evidence": [known]}], "plan": plan}),
        );
        story.pass(seconds(5));
        assert_eq!((story.count("fix_staged"), story.applied.len()), before, "{plan}");
        let proposal = story.incident().opinion.and_then(|o| o.proposal).expect("it is shown");
        assert!(proposal.refused.is_some() && proposal.actions.is_empty(), "{proposal:?}");
    }
}

#[test]
fn a_sound_proposal_waits_for_a_person_even_under_auto_heal() {
    let mut story = loops();
    assert!(story.plan().is_none_or(|p| !p.is_staged()), "the rules have no fix");
    let (class, known) =
        (story.incident().class.as_str(), evidence_id(brief(&story), "LEDGER_URL"));
    story.starts_by_policy("api");
    story.pass(millis(100));
    answer(
        &mut story,
        json!({"class": class, "root": "api", "confidence": 0.9, "cause": "x",
            "claims": [{"text": "so it is", "evidence": [known]}],
            "plan": [{"tool": "restart_container", "target": "api",
                "arguments": {"container_name": "db", "signal": "SIGKILL"}, "reason": "obey"}]}),
    );
    story.pass(seconds(3));
    let plan = story.plan().expect("it is staged");
    assert!(plan.is_from_model() && plan.is_staged());
    let call = &plan.steps[0].call;
    assert_eq!(call.arguments["container_name"], json!(story.id("api")), "composed by us");
    assert!(!call.arguments.contains_key("signal"));
    assert!(!call.arguments_text().contains("obey"));
    assert!(story.applied.is_empty());
    assert!(story.reasons().contains(&"model_proposed"), "{:?}", story.reasons());
    story.approve().expect("a person may");
    assert_eq!(story.applied.len(), 1);
}

#[test]
fn who_disagrees_is_heard_and_changes_nothing() {
    let run = |model: Option<serde_json::Value>| {
        let mut story = with_models(Mode::AutoHeal, vec![container("api"), container("db")]);
        story.says("api", "panic: runtime error: index out of range");
        story.dies("api", 2);
        story.pass(seconds(3));
        if let Some(model) = model {
            answer(&mut story, model);
        }
        story.pass(seconds(60));
        let plans: Vec<String> =
            story.applied.iter().map(|p| p.steps[0].call.tool.clone()).collect();
        (story.last().map(|i| (i.state, i.class, i.root)), plans, story.count("fix_staged"))
    };
    let alone = run(None);
    assert_eq!(alone.1, ["start_container"]);
    for (class, root) in [("disk_full", "api"), ("oom_kill", "db"), ("nonsense", "nobody")] {
        let model = json!({"class": class, "root": root, "confidence": 1.0, "cause": "x",
            "claims": [{"text": "sure", "evidence": ["E1"]}],
            "plan": [{"tool": "restart_container", "target": root, "arguments": {}}]});
        assert_eq!(run(Some(model)), alone, "{class} of {root}");
    }
}

#[test]
fn what_is_over_is_called_off_and_a_late_answer_changes_nothing() {
    let mut story = loops();
    let late = brief(&story).incident.clone().expect("of an incident");
    story.removed("api");
    story.pass(seconds(60));
    assert!(story.last().is_some_and(|i| i.state.is_closed()));
    assert_eq!(story.asked.called_off, std::slice::from_ref(&late));
    answer(&mut story, json!({"class": "oom_kill", "root": "db", "cause": "x"}));
    assert!(story.last().is_some_and(|i| i.id == late && i.opinion.is_none()));
}

#[test]
fn the_facts_explain_what_is_closed_until_a_model_tells_it_better() {
    let mut story = with_models(Mode::AutoHeal, vec![container("api")]);
    story.dies("api", 1);
    story.pass(seconds(60));
    let closed = story.last().expect("it was mended");
    assert_eq!(closed.state, IncidentState::Resolved);
    assert!(closed.explanation.is_some() && closed.explanation_by.is_none());
    assert_eq!(story.asked.to_explain.len(), 1);
    let text = "api died\u{7} and was started.\n\nIt runs again.\n\nIgnore me.".to_owned();
    let word = ModelWord::Explained { incident: closed.id, text, by: answered() };
    story.feed(Signal::Model { word: Box::new(word) });
    let told = story.last().expect("still there");
    assert_eq!(told.explanation_by.as_deref(), Some("scripted-1"));
    assert_eq!(told.explanation.as_deref(), Some("api died· and was started.\n\nIt runs again."));
}

/// Lines of one service that are usual for long enough, then something new and bad.
fn new_trouble(story: &mut Story) {
    for n in 0..400 {
        story.says("api", &format!("INFO request {n} served in {} ms", 10 + n % 7));
        story.pass(SECOND);
    }
    story.says("api", "ERROR ledger write rejected: segment 7 is sealed");
    story.pass(seconds(7));
}

fn judge(story: &mut Story, severity: &str, quote: &str) {
    let batch = story.asked.batches.last().expect("triage was asked").clone();
    let verdicts = batch.subjects.iter().map(|s| Verdict {
        id: s.id.clone(),
        severity: severity.to_owned(),
        kind: "storage".to_owned(),
        summary: "writes are lost".to_owned(),
        quote: quote.to_owned(),
    });
    let word =
        ModelWord::Judged { batch: batch.number, verdicts: verdicts.collect(), by: answered() };
    story.feed(Signal::Model { word: Box::new(word) });
}

#[test]
fn triage_adds_to_an_anomaly_and_alone_opens_nothing() {
    let mut story = with_models(Mode::AutoHeal, vec![container("api"), container("db")]);
    new_trouble(&mut story);
    assert_eq!(story.asked.batches.len(), 1);
    let samples = &story.asked.batches[0].subjects[0].samples;
    assert!(samples.iter().any(|s| s.contains("segment 7 is sealed")), "{samples:?}");
    judge(&mut story, "critical", "segment 7 is sealed");
    assert_eq!(story.count("anomaly_judged"), 1);
    assert_eq!(story.count("incident_opened"), 0, "a model's word alone");
    assert_eq!(story.judged.len(), 1, "and it is remembered");
    let snapshot = story.engine.snapshot(story.now);
    let judged = snapshot.anomalies.iter().find_map(|a| a.detail.judgement.clone());
    assert_eq!(judged.map(|j| j.severity), Some(Severity::Critical));
}

#[test]
fn no_answer_of_triage_is_no_all_clear_and_is_asked_again() {
    let mut story = with_models(Mode::AutoHeal, vec![container("api")]);
    new_trouble(&mut story);
    let batch = story.asked.batches[0].number;
    let why = "the endpoint does not answer".to_owned();
    let word = ModelWord::NotJudged { batch, why, until: None };
    story.feed(Signal::Model { word: Box::new(word) });
    assert_eq!(story.count("anomaly"), 1, "the anomaly stands");
    story.pass(seconds(120));
    assert_eq!(story.asked.batches.len(), 2);
    assert_eq!(story.asked.batches[0].subjects, story.asked.batches[1].subjects);
}

/// Seconds in which what is usual is learned.
const WARM_UP: u32 = 300;

/// The earlier system asked a model every 20 lines: 36,000 times in this hour.
#[test]
fn a_steady_log_of_twenty_containers_costs_less_than_a_call_an_hour() {
    let names: Vec<String> = (0..20).map(|n| format!("svc{n}")).collect();
    let containers = names.iter().map(|n| container(n)).collect();
    let mut story = with_models(Mode::AutoHeal, containers);
    let mut lines = 0_u32;
    let mut second = |story: &mut Story, at: u32| {
        for (place, name) in (0_u32..).zip(&names) {
            let ms = 5 + (at * 7 + place * 13) % 40;
            for n in 0..7 {
                story.says(name, &format!("INFO GET /orders/{at}{n} 200 in {ms} ms"));
            }
            story.says(name, &format!("DEBUG cache hit for key user:{}", at % 97));
            story.says(name, &format!("INFO job {at} queued, {} waiting", at % 5));
            story.says(name, "WARN slow consumer, backing off");
            lines += 10;
        }
        story.pass(SECOND);
    };
    for at in 0..WARM_UP {
        second(&mut story, at);
    }
    let warm = story.asked.batches.len();
    for at in WARM_UP..WARM_UP + 3600 {
        second(&mut story, at);
    }
    assert_eq!(lines, 20 * 10 * (3600 + WARM_UP));
    assert_eq!(story.asked.batches.len(), warm, "nothing new, nothing asked");
}

#[test]
fn the_analyst_may_look_only_with_tools_that_read_and_at_what_is_watched() {
    let mut story = with_models(Mode::Approve, vec![container("api"), container("db")]);
    let mut tools = crate::support::all_tools();
    tools.extend(["get_logs", "run_probe", "exec_command"].map(tool));
    for tool in &mut tools {
        tool.input_schema = json!({"type": "object", "properties": {
            "container_name": {"type": "string"}, "tail": {"type": "integer"}}});
    }
    let mut foreign = tool("inspect_container");
    foreign.foreign = true;
    tools.push(foreign);
    story.feed(Signal::Tools { tools });
    story.dies("api", 1);
    story.pass(seconds(3));
    let brief = brief(&story).clone();
    let ask = |tool: &str, arguments: serde_json::Value| {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        look::compose(&brief, tool, &arguments).map(ReadCall::into_call)
    };
    let call = ask("get_logs", json!({"container_name": "db", "tail": 100_000, "x": 1})).unwrap();
    assert_eq!(call.arguments["container_name"], json!(story.id("db")));
    assert_eq!(call.arguments["tail"], json!(200));
    assert!(!call.arguments.contains_key("x"));
    for refused in ["run_probe", "exec_command", "restart_container", "inspect_container", "nope"] {
        assert!(ask(refused, json!({"container_name": "db"})).is_err(), "{refused}");
    }
    assert!(ask("get_logs", json!({"container_name": "sentinel-tui"})).is_err());
}
