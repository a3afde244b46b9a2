//! The store on a real file: what is acknowledged survives, what is tampered with is found.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rusqlite::Connection;
use sentinel_core::domain::audit::{AuditAction, AuditPage, AuditRecord};
use sentinel_core::domain::container::ContainerRef;
use sentinel_core::domain::failure::FailureClass;
use sentinel_core::domain::ids::{ContainerId, IncidentId};
use sentinel_core::domain::incident::{Incident, IncidentState};
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::severity::Severity;
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use sentinel_tui::ports::{LearnedLog, LogCursor, Store};
use sentinel_tui::store::chain::{ChainFault, ChainProblem, GENESIS, PAGE};
use sentinel_tui::store::schema::FILE;
use sentinel_tui::store::sqlite::{FindError, Retention, SqliteStore, VerifyError};

fn incident(second: i64, state: IncidentState) -> Incident {
    let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_700_000_000 + second);
    Incident {
        refused_by: None,
        snooze: None,
        id: IncidentId::new(at, "host", 1),
        container: ContainerRef {
            id: ContainerId("c".repeat(64)),
            name: "shop-api-1".to_owned(),
            service: "api".to_owned(),
            project: Some("shop".to_owned()),
        },
        root: "shop-api-1".to_owned(),
        state,
        severity: Severity::High,
        class: FailureClass::CrashLoop,
        title: "shop-api-1 keeps dying".to_owned(),
        affected: vec![],
        observed_at: at,
        opened_at: at,
        closed_at: state.is_closed().then_some(at),
        anomalies: vec![],
        anomalies_dropped: 0,
        diagnosis: None,
        plan: None,
        plans: 0,
        checks: vec![],
        not_acting: vec![],
        timeline: vec![],
        reopens: None,
        explanation: None,
        explanation_by: None,
        opinion: None,
        earlier_plans: Vec::new(),
    }
}

fn record(n: u32) -> AuditRecord {
    AuditRecord {
        at: Timestamp::now(),
        actor: Actor::Person("ann".to_owned()),
        action: AuditAction::Applied,
        incident: IncidentId::from("INC-1"),
        fix: None,
        target: "shop-api-1".to_owned(),
        target_id: "c".repeat(64),
        call: Some(ToolCall::new("restart_container", [("n", n.into())])),
        reason: format!("number {n}"),
        plan_sha256: Some("ab".repeat(32)),
        result: Some(ToolResult { ok: true, message: "done".to_owned(), duration_ms: 12 }),
    }
}

fn ids(incidents: &[Incident]) -> Vec<&str> {
    incidents.iter().map(|i| i.id.as_str()).collect()
}

#[tokio::test]
async fn incidents_come_back_as_they_were_saved() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut all = Vec::new();
    for second in 0..6 {
        let state =
            if second % 2 == 0 { IncidentState::Resolved } else { IncidentState::Escalated };
        all.push(incident(second, state));
    }
    // Saved in another order than they were opened, and one twice.
    for one in all.iter().rev() {
        store.save(Arc::new(one.clone())).await.unwrap();
    }
    all[1].title = "changed since".to_owned();
    store.save(Arc::new(all[1].clone())).await.unwrap();
    drop(store);

    let store = SqliteStore::open(folder.path()).unwrap();
    // All three open ones, and the newest closed one; oldest first.
    let loaded = store.load(1).await.unwrap();
    assert_eq!(loaded, [&all[1], &all[3], &all[4], &all[5]].map(Clone::clone));
    let listed = store.list(2).await.unwrap();
    assert_eq!(ids(&listed), [all[5].id.as_str(), all[4].id.as_str()]);
    assert_eq!(store.incident(all[1].id.clone()).await.unwrap().as_ref(), Some(&all[1]));
    assert_eq!(store.incident(IncidentId::from("INC-x")).await.unwrap(), None);
}

#[tokio::test]
async fn an_incident_is_found_by_any_short_form_that_fits_only_it() {
    let store = SqliteStore::in_memory().unwrap();
    let (one, two) = (incident(1, IncidentState::Detected), incident(2, IncidentState::Detected));
    store.save(Arc::new(one.clone())).await.unwrap();
    store.save(Arc::new(two.clone())).await.unwrap();
    let id = one.id.as_str();
    let last_block = id.rsplit('-').next().unwrap();
    for form in [id, &id[..id.len() - 2], &id.to_lowercase(), last_block] {
        assert_eq!(store.find(form).await.unwrap().id, one.id, "{form}");
    }
    match store.find("INC-2023").await.unwrap_err() {
        FindError::Ambiguous { fitting, .. } => {
            assert_eq!(fitting, [two.id.as_str(), one.id.as_str()]);
        }
        other => panic!("{other}"),
    }
    for none in ["INC-%", "", "%", "INC-1999"] {
        assert!(matches!(store.find(none).await.unwrap_err(), FindError::NoSuch(_)), "{none}");
    }
}

#[tokio::test]
async fn old_closed_incidents_go_and_open_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    for second in 0..20 {
        store.save(Arc::new(incident(second, IncidentState::Resolved))).await.unwrap();
    }
    let open = incident(-1000, IncidentState::Escalated);
    store.save(Arc::new(open.clone())).await.unwrap();
    store.audit(record(1)).await.unwrap();
    drop(store);
    let keep = Retention { closed: 5, ..Retention::default() };
    let store = SqliteStore::open_keeping(folder.path(), keep).unwrap();
    let left = store.list(100).await.unwrap();
    assert_eq!(left.len(), 6);
    assert_eq!(left[0].id, incident(19, IncidentState::Resolved).id);
    assert_eq!(left[5].id, open.id);
    assert_eq!(store.verify_chain().await.unwrap().count, 1);
}

#[tokio::test]
async fn old_closed_incidents_go_during_a_long_run_too() {
    let folder = tempfile::tempdir().unwrap();
    let keep = Retention { closed: 5, ..Retention::default() };
    let store = SqliteStore::open_keeping(folder.path(), keep).unwrap();
    for second in 0..256 {
        store.save(Arc::new(incident(second, IncidentState::Resolved))).await.unwrap();
    }
    let left = store.list(1000).await.unwrap();
    assert_eq!(left.len(), 5);
    assert_eq!(left[4].id, incident(251, IncidentState::Resolved).id);
}

#[tokio::test]
async fn a_lock_that_another_process_keeps_is_named_and_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.audit(record(1)).await.unwrap();
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.audit(record(2)).await.unwrap_err().to_string();
    assert!(error.contains("locked by another process for 5 s"), "{error}");
    assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
    // Reading goes on meanwhile.
    assert_eq!(store.verify_chain().await.unwrap().count, 1);
    raw.execute_batch("ROLLBACK").unwrap();
    store.audit(record(3)).await.unwrap();
    assert_eq!(store.verify_chain().await.unwrap().count, 2);
}

#[tokio::test]
async fn cursors_keep_nanoseconds_and_old_ones_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let cursor = |id: &str, at: &str| LogCursor {
        container: ContainerId(id.to_owned()),
        at: at.parse().unwrap(),
    };
    store
        .save_cursors(vec![
            cursor("a", "2026-01-02T03:04:05.000000001Z"),
            cursor("b", "2026-01-02T03:04:05Z"),
        ])
        .await
        .unwrap();
    let later = cursor("a", "2026-01-02T03:04:06.123456789Z");
    store.save_cursors(vec![later.clone()]).await.unwrap();
    drop(store);
    let store = SqliteStore::open(folder.path()).unwrap();
    let mut loaded = store.load_cursors().await.unwrap();
    loaded.sort_by(|x, y| x.container.cmp(&y.container));
    assert_eq!(loaded, [later, cursor("b", "2026-01-02T03:04:05Z")]);
    drop(store);
    let none = Retention { cursor_age: Duration::ZERO, ..Retention::default() };
    let store = SqliteStore::open_keeping(folder.path(), none).unwrap();
    assert_eq!(store.load_cursors().await.unwrap(), []);
}

#[tokio::test]
async fn what_was_learned_of_a_service_survives_until_nobody_heard_it_for_long() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    let learned =
        |key: &str, content: &str| LearnedLog { key: key.into(), content: content.into() };
    for (key, content) in [("a/x", "old"), ("a/x", "new"), ("a%/y", "one"), ("ab/z", "two")] {
        store.save_learned(learned(key, content)).await.unwrap();
    }
    let huge = learned("a/h", &"x".repeat(2 << 20));
    assert!(store.save_learned(huge).await.unwrap_err().to_string().contains("1 MiB"));
    drop(store);
    let store = SqliteStore::open(folder.path()).unwrap();
    let of = async |prefix: &str| store.load_learned(prefix.to_owned()).await.unwrap();
    assert_eq!(of("a/").await, [learned("a/x", "new")]);
    assert_eq!(of("a%/").await, [learned("a%/y", "one")]);
    drop(store);
    let none = Retention { learned_age: Duration::ZERO, ..Retention::default() };
    let store = SqliteStore::open_keeping(folder.path(), none).unwrap();
    assert_eq!(store.load_learned(String::new()).await.unwrap(), []);
}

#[tokio::test]
async fn a_file_of_the_first_format_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.save(Arc::new(incident(1, IncidentState::Resolved))).await.unwrap();
    drop(store);
    let file = Connection::open(folder.path().join(FILE)).unwrap();
    file.execute_batch("DROP TABLE learned; PRAGMA user_version = 1").unwrap();
    drop(file);
    let store = SqliteStore::open(folder.path()).unwrap();
    let learned = LearnedLog { key: "k".into(), content: "c".into() };
    store.save_learned(learned.clone()).await.unwrap();
    assert_eq!(store.load_learned(String::new()).await.unwrap(), [learned]);
    assert_eq!(store.load(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_audit_trail_is_read_in_pages_and_holds() {
    let store = SqliteStore::in_memory().unwrap();
    assert_eq!(store.verify_chain().await.unwrap().head, GENESIS);
    let total = PAGE + 3;
    for n in 0..total {
        store.audit(record(u32::try_from(n).unwrap())).await.unwrap();
    }
    let first = store.audit_records(0).await.unwrap();
    assert_eq!(first.len(), PAGE);
    let rest = store.audit_records(first.last().unwrap().n).await.unwrap();
    assert_eq!(rest.len(), 3);
    assert_eq!(rest[0].prev_hash, first.last().unwrap().hash);
    assert_eq!(rest[2].record.reason, format!("number {}", total - 1));
    let verified = store.verify_chain().await.unwrap();
    assert_eq!((verified.count, &verified.head), (total as u64, &rest[2].hash));
    assert_eq!(store.audit_records(verified.count).await.unwrap(), []);
}

#[tokio::test]
async fn front_ends_page_back_and_hear_of_a_chain_that_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    for n in 0..5 {
        store.audit(record(n)).await.unwrap();
    }
    let newest = store.audit_page(None, 2).await.unwrap();
    let numbers = |page: &AuditPage| page.entries.iter().map(|e| e.n).collect::<Vec<_>>();
    assert_eq!((numbers(&newest), newest.more), (vec![5, 4], true));
    assert!(newest.path.ends_with("audit.jsonl"), "{}", newest.path);
    let oldest = store.audit_page(Some(3), 2).await.unwrap();
    assert_eq!((numbers(&oldest), oldest.more), (vec![2, 1], false));
    let whole = store.check_audit().await.unwrap();
    assert_eq!((whole.count, whole.problem), (5, None));
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.execute_batch("DROP TRIGGER audit_no_update").unwrap();
    raw.execute("UPDATE audit SET json = 'no record' WHERE n = 3", []).unwrap();
    let broken = store.check_audit().await.unwrap();
    assert!(broken.problem.is_some_and(|p| p.contains("audit record 3")));
    let page = store.audit_page(None, 3).await.unwrap();
    assert_eq!(
        page.entries.iter().map(|e| e.record.is_some()).collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[tokio::test]
async fn past_incidents_are_read_in_pages_without_a_hole() {
    let store = SqliteStore::in_memory().unwrap();
    for second in 0..7 {
        let state = if second == 3 { IncidentState::Detected } else { IncidentState::Resolved };
        store.save(Arc::new(incident(second / 2, state))).await.unwrap();
        let mut twin = incident(second, state);
        twin.id = format!("INC-{second}").as_str().into();
        store.save(Arc::new(twin)).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.closed_before(before, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        before = Some((last.opened_at, last.id.clone()));
        seen.extend(page.into_iter().map(|i| (i.opened_at, i.id)));
    }
    let mut sorted = seen.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!(seen, sorted, "newest first, each once");
    let closed = store.load(100).await.unwrap().iter().filter(|i| i.state.is_closed()).count();
    assert_eq!(seen.len(), closed);
}

#[tokio::test]
async fn two_instances_write_and_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) =
        (SqliteStore::open(folder.path()).unwrap(), SqliteStore::open(folder.path()).unwrap());
    let write = |store: SqliteStore, from: u32| async move {
        for n in from..from + 40 {
            store.audit(record(n)).await.unwrap();
            store.save(Arc::new(incident(i64::from(n), IncidentState::Detected))).await.unwrap();
        }
    };
    let reader = SqliteStore::open(folder.path()).unwrap();
    let read = async {
        for _ in 0..40 {
            reader.list(10).await.unwrap();
            reader.verify_chain().await.unwrap();
        }
    };
    tokio::join!(write(one, 0), write(two, 1000), read);
    assert_eq!(reader.verify_chain().await.unwrap().count, 80);
    assert_eq!(reader.list(1000).await.unwrap().len(), 80);
}

#[tokio::test]
async fn the_trail_cannot_be_changed_through_sql() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path()).unwrap();
    store.audit(record(1)).await.unwrap();
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    for sql in [
        "UPDATE audit SET json = '{}'",
        "DELETE FROM audit",
        "INSERT INTO audit VALUES (7, '', '', '')",
        "INSERT OR REPLACE INTO audit VALUES (1, '', '', '')",
    ] {
        let refused = raw.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    assert_eq!(store.verify_chain().await.unwrap().count, 1);
}

/// One way to tamper with one row, past the triggers.
#[derive(Clone, Debug)]
enum Tampering {
    Column(&'static str, usize, u8),
    Delete,
    Renumber(i64),
    Reason,
    Copy,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (
            prop_oneof![Just("json"), Just("prev_hash"), Just("hash")],
            any::<prop::sample::Index>(),
            1..=255u8
        )
            .prop_map(|(column, at, mask)| Tampering::Column(
                column,
                at.index(10_000),
                mask
            )),
        Just(Tampering::Delete),
        (-3..40i64).prop_map(Tampering::Renumber),
        Just(Tampering::Reason),
        Just(Tampering::Copy),
    ]
}

/// Applies it; false when the row would stay as it was.
fn tamper(raw: &Connection, n: i64, last: i64, how: &Tampering) -> rusqlite::Result<bool> {
    raw.execute_batch(
        "DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete;
         DROP TRIGGER IF EXISTS audit_no_gap;",
    )?;
    let changed = match how {
        Tampering::Column(column, at, mask) => {
            let read = format!("SELECT CAST({column} AS BLOB) FROM audit WHERE n = ?1");
            let mut bytes: Vec<u8> = raw.query_row(&read, [n], |row| row.get(0))?;
            let at = at % bytes.len();
            bytes[at] ^= mask;
            let write = format!("UPDATE audit SET {column} = CAST(?2 AS TEXT) WHERE n = ?1");
            raw.execute(&write, rusqlite::params![n, bytes])?
        }
        Tampering::Delete => raw.execute("DELETE FROM audit WHERE n = ?1", [n])?,
        Tampering::Renumber(to) if (1..=last).contains(to) => 0,
        Tampering::Renumber(to) => raw.execute("UPDATE audit SET n = ?2 WHERE n = ?1", [n, *to])?,
        Tampering::Reason => raw.execute(
            "UPDATE audit SET json = replace(json, '\"reason\":\"number', '\"reason\":\"Number') \
             WHERE n = ?1",
            [n],
        )?,
        Tampering::Copy => raw.execute(
            "INSERT INTO audit SELECT ?2, json, prev_hash, hash FROM audit WHERE n = ?1",
            [n, last + 1],
        )?,
    };
    Ok(changed > 0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_tampering_with_one_row_is_found(
        count in 1..8i64,
        which in any::<prop::sample::Index>(),
        how in tampering(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let n = i64::try_from(which.index(usize::try_from(count)?))? + 1;
        let outcome = runtime.block_on(async {
            let store = SqliteStore::open(folder.path()).unwrap();
            for i in 0..count {
                store.audit(record(u32::try_from(i).unwrap())).await.unwrap();
            }
            assert!(store.verify_chain().await.is_ok());
            let raw = Connection::open(folder.path().join(FILE)).unwrap();
            tamper(&raw, n, count, &how).unwrap().then_some(())?;
            Some(store.verify_chain().await)
        });
        if let Some(outcome) = outcome {
            match outcome {
                Err(VerifyError::Chain(_)) => {}
                other => prop_assert!(false, "{how:?} of row {n}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn the_first_bad_record_is_named() {
    let cases: [(&str, u64, ChainFault); 6] = [
        ("UPDATE audit SET json = replace(json, 'number 2', 'number 9')", 3, ChainFault::Changed),
        ("UPDATE audit SET prev_hash = hash WHERE n = 2", 2, ChainFault::Unlinked),
        ("DELETE FROM audit WHERE n = 4", 4, ChainFault::Missing),
        ("DELETE FROM audit WHERE n = 5", 5, ChainFault::Missing),
        ("DELETE FROM audit", 1, ChainFault::Missing),
        ("DELETE FROM meta", 1, ChainFault::Added),
    ];
    for (sql, n, why) in cases {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).unwrap();
        for i in 0..5 {
            store.audit(record(i)).await.unwrap();
        }
        let raw = Connection::open(folder.path().join(FILE)).unwrap();
        raw.execute_batch("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete").unwrap();
        raw.execute(sql, []).unwrap();
        match store.verify_chain().await.unwrap_err() {
            VerifyError::Chain(problem) => assert_eq!(problem, ChainProblem { n, why }, "{sql}"),
            other => panic!("{sql}: {other}"),
        }
    }
}

const CHILD: &str = "SENTINEL_STORE_TEST_CHILD";

/// Not a test by itself: the process that `what_was_acknowledged_survives_kill_9` kills. It
/// writes until it is killed, and notes what the store acknowledged.
#[tokio::test]
async fn child_that_writes() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let store = SqliteStore::open(Path::new(&folder)).unwrap();
    for n in 0u32.. {
        store.audit(record(n)).await.unwrap();
        let one = incident(i64::from(n), IncidentState::Detected);
        store.save(Arc::new(one)).await.unwrap();
        std::fs::write(Path::new(&folder).join(format!("ack-{n}")), "").unwrap();
    }
}

/// Kills and reaps also when the test fails.
struct Killed(std::process::Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = 0u32;
    // Twice: the second child begins on what the first one left.
    for round in 1..=2u32 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["child_that_writes", "--exact"])
            .env(CHILD, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let child = Killed(child);
        let deadline = Instant::now() + Duration::from_mins(1);
        let ack = |n: u32| folder.path().join(format!("ack-{n}")).exists();
        let goal = 15 * round;
        while !ack(goal) {
            assert!(Instant::now() < deadline, "the child wrote nothing");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // In the middle of whatever it is doing.
        drop(child);
        let mut last = goal;
        while ack(last + 1) {
            last += 1;
        }
        acknowledged += last + 1;

        let store = SqliteStore::open(folder.path()).unwrap();
        let verified = store.verify_chain().await.unwrap();
        assert!(verified.count >= u64::from(acknowledged), "{verified:?} < {acknowledged}");
        let listed = store.list(10_000).await.unwrap();
        for n in 0..=last {
            let id = incident(i64::from(n), IncidentState::Detected).id;
            assert!(listed.iter().any(|i| i.id == id), "incident {n} is gone");
        }
        for n in 0..=last {
            std::fs::remove_file(folder.path().join(format!("ack-{n}"))).unwrap();
        }
        acknowledged = u32::try_from(verified.count).unwrap();
    }
}
