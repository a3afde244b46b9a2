//! The audit trail as a file: appended and synced, exported, and found out whatever is done to it.

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use proptest::prelude::*;
use sentinel_core::domain::audit::{AuditAction, AuditRecord};
use sentinel_core::domain::ids::IncidentId;
use sentinel_core::domain::plan::Actor;
use sentinel_core::domain::tool::{ToolCall, ToolResult};
use sentinel_tui::ports::Store as _;
use sentinel_tui::store::chain::{ChainFault, ChainProblem};
use sentinel_tui::store::export::{self, Kind};
use sentinel_tui::store::sqlite::{SqliteStore, VerifyError};
use sentinel_tui::store::trail::{FileError, TRAIL};
use serde_json::Value;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// Records of two incidents in turn, some of them with text that is hard to quote.
fn record(n: u32) -> AuditRecord {
    AuditRecord {
        at: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(490_000 + i64::from(n)),
        actor: if n.is_multiple_of(3) { Actor::Policy } else { Actor::Person("ann".to_owned()) },
        action: if n.is_multiple_of(2) { AuditAction::Approved } else { AuditAction::Applied },
        incident: IncidentId(format!("INC-{}", n % 2)),
        fix: None,
        target: "shop-api-1".to_owned(),
        target_id: "c".repeat(64),
        call: Some(ToolCall::new("restart_container", [("n", n.into())])),
        reason: format!("=number {n}, \"quoted\" | piped"),
        plan_sha256: Some("ab".repeat(32)),
        result: Some(ToolResult {
            ok: n.is_multiple_of(2),
            message: "done".to_owned(),
            duration_ms: 12,
        }),
    }
}

async fn filled(folder: &Path, count: u32) -> Fallible<SqliteStore> {
    let store = SqliteStore::open(folder)?;
    for n in 0..count {
        store.audit(record(n)).await?;
    }
    Ok(store)
}

fn program(folder: &Path, arguments: &[&str]) -> Fallible<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_sentinel-tui"))
        .env_clear()
        .env("HOME", folder)
        .current_dir(folder)
        .arg("--state-dir")
        .arg(folder)
        .arg("audit")
        .args(arguments)
        .output()?)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn problem(
    outcome: Result<(Kind, sentinel_tui::store::chain::Verified), FileError>,
) -> Option<ChainProblem> {
    match outcome {
        Err(FileError::Chain(problem)) => Some(problem),
        _ => None,
    }
}

#[tokio::test]
async fn every_record_is_on_disk_when_it_is_acknowledged_and_nothing_is_written_over() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 0).await.unwrap();
    assert_eq!(store.verify_trail().await.unwrap(), None);
    let path = folder.path().join(TRAIL);
    let mut before = Vec::new();
    let mut inode = None;
    for n in 0..20 {
        store.audit(record(n)).await.unwrap();
        let now = std::fs::read(&path).unwrap();
        assert!(
            now.starts_with(&before) && now.len() > before.len(),
            "record {n} was not appended"
        );
        assert_eq!(now.split(|b| *b == b'\n').count(), n as usize + 2);
        let file = std::fs::metadata(&path).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        assert_eq!(*inode.get_or_insert(file.ino()), file.ino(), "the file was replaced");
        before = now;
    }
    let (chain, file) = (store.verify_chain().await.unwrap(), store.verify_trail().await.unwrap());
    assert_eq!(Some(chain), file);
}

#[tokio::test]
async fn what_a_crash_kept_from_the_file_is_added_and_half_a_line_is_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 5).await.unwrap();
    let path = folder.path().join(TRAIL);
    let whole = std::fs::read(&path).unwrap();
    // In the store since before; the file lacks the last two, and has half of the one before.
    let third = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(2).unwrap().0 + 1;
    std::fs::write(&path, &whole[..third + 40]).unwrap();
    let cut = store.verify_trail().await.unwrap_err();
    assert!(cut.to_string().contains("record 4"), "{cut}");
    store.audit(record(5)).await.unwrap();
    let again = std::fs::read(&path).unwrap();
    assert!(again.starts_with(&whole), "the records of the store are in it again");
    assert_eq!(store.verify_trail().await.unwrap().unwrap().count, 6);
}

#[tokio::test]
async fn a_file_that_does_not_continue_the_chain_is_not_continued_and_nothing_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 3).await.unwrap();
    let other = tempfile::tempdir().unwrap();
    filled(other.path(), 1).await.unwrap();
    std::fs::copy(other.path().join(TRAIL), folder.path().join(TRAIL)).unwrap();
    // Its only line is that of another record.
    let path = folder.path().join(TRAIL);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[12] = if bytes[12] == b'0' { b'1' } else { b'0' };
    std::fs::write(&path, &bytes).unwrap();
    let error = store.audit(record(9)).await.unwrap_err().to_string();
    assert!(error.contains("does not continue") && error.contains("audit verify"), "{error}");
    assert_eq!(store.verify_chain().await.unwrap().count, 3, "nothing was recorded");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "and the file is as it was");
}

#[tokio::test]
async fn two_instances_append_to_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) =
        (SqliteStore::open(folder.path()).unwrap(), SqliteStore::open(folder.path()).unwrap());
    let write = |store: SqliteStore, from: u32| async move {
        for n in from..from + 25 {
            store.audit(record(n)).await.unwrap();
            store.verify_trail().await.unwrap();
        }
    };
    tokio::join!(write(one.clone(), 0), write(two, 100));
    assert_eq!(one.verify_trail().await.unwrap().unwrap().count, 50);
}

/// A file, and which of its lines to do what to.
fn tampered(text: &str, how: &str, at: usize) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    match how {
        "cut" => return text[..text.len() - 30].to_owned(),
        "truncated" => lines.truncate(at),
        "edited" => return text.replacen(&format!("number {at}"), "number X", 1),
        "reordered" => lines.swap(at, at + 1),
        "repeated" => lines.insert(at + 1, lines[at]),
        "removed" => drop(lines.remove(at)),
        other => unreachable!("{other}"),
    }
    joined(&lines)
}

fn joined(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

#[tokio::test]
async fn the_first_bad_record_of_the_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), 6).await.unwrap();
    let path = folder.path().join(TRAIL);
    let good = std::fs::read_to_string(&path).unwrap();
    let cases = [
        ("cut", 0, 6, ChainFault::Cut),
        ("truncated", 4, 5, ChainFault::Missing),
        ("truncated", 0, 1, ChainFault::Missing),
        ("edited", 2, 3, ChainFault::Changed),
        ("reordered", 2, 3, ChainFault::Moved),
        ("repeated", 2, 4, ChainFault::Inserted),
        ("removed", 3, 4, ChainFault::Missing),
    ];
    for (how, at, n, why) in cases {
        std::fs::write(&path, tampered(&good, how, at)).unwrap();
        match store.verify_trail().await {
            Err(VerifyError::File { problem, .. }) => {
                assert_eq!(problem, ChainProblem { n, why }, "{how} {at}");
            }
            other => panic!("{how} {at}: {other:?}"),
        }
        let output = program(folder.path(), &["verify"]).unwrap();
        assert_eq!(output.status.code(), Some(1), "{how}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains(&format!("audit record {n}:")) && said.contains(&why.to_string()),
            "{said}"
        );
    }
    // Lines that were made to fit are put in: the next right one does not follow them.
    let mut lines: Vec<&str> = good.lines().collect();
    let forged = lines[3].replace("number 3", "number 8");
    lines.insert(3, &forged);
    std::fs::write(&path, joined(&lines)).unwrap();
    match store.verify_trail().await {
        Err(VerifyError::File { problem, .. }) => {
            assert_eq!(problem, ChainProblem { n: 4, why: ChainFault::Inserted });
        }
        other => panic!("{other:?}"),
    }
    std::fs::write(&path, &good).unwrap();
    let said = text(&program(folder.path(), &["verify"]).unwrap());
    assert!(
        said.starts_with("6 records, the chain holds; audit.jsonl holds the same; head "),
        "{said}"
    );
    std::fs::remove_file(&path).unwrap();
    assert!(store.verify_trail().await.is_err(), "no file at all");
}

#[tokio::test]
async fn an_export_has_four_forms_and_a_part_of_it_is_told_from_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path(), 8).await.unwrap();
    let export = |more: &[&str]| {
        let output = program(folder.path(), &[&["export"], more].concat()).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        text(&output)
    };
    let whole = export(&[]);
    assert_eq!(whole.lines().count(), 10, "{whole}");
    let (kind, verified) = export::check(&mut Cursor::new(&whole), None).unwrap();
    assert_eq!((kind, verified.count), (Kind::Whole, 8));
    let one = export(&["--incident", "inc-1"]);
    let (kind, verified) = export::check(&mut Cursor::new(&one), None).unwrap();
    assert_eq!((kind, verified.count), (Kind::Part, 4));
    assert!(!one.contains("INC-0"));
    let since = export(&["--since", "2025-11-24T20:00:00Z"]);
    assert!(since.lines().count() < whole.lines().count() && since.lines().count() > 2, "{since}");
    let none = export(&["--since", "1s"]);
    assert_eq!(export::check(&mut Cursor::new(&none), None).unwrap().1.count, 0);

    let csv = export(&["--format", "csv"]);
    assert_eq!(csv.lines().count(), 9);
    assert!(csv.contains("\"'=number 3, \"\"quoted\"\" | piped\""), "{csv}");
    let json: Value = serde_json::from_str(&export(&["--format", "json"])).unwrap();
    assert_eq!((json["count"].as_u64(), json["records"].as_array().unwrap().len()), (Some(8), 8));
    assert_eq!(json["records"][7]["hash"], json["head"]);
    let table = export(&["--format", "markdown"]);
    assert!(
        table.lines().all(|line| line.replace("\\|", "").matches('|').count() == 11),
        "{table}"
    );

    // `audit verify FILE` takes either, and a copy of the trail with its head.
    let at = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let file = at("whole.jsonl", &whole);
    let said = text(&program(folder.path(), &["verify", &file]).unwrap());
    assert!(said.contains("8 records") && said.contains("the whole trail"), "{said}");
    let copy = std::fs::read_to_string(folder.path().join(TRAIL)).unwrap();
    let (copy, head) = (at("copy.jsonl", &copy), json["head"].as_str().unwrap());
    assert!(program(folder.path(), &["verify", &copy, "--head", head]).unwrap().status.success());
    let alone = program(folder.path(), &["verify", &copy]).unwrap();
    assert_eq!(alone.status.code(), Some(1), "its end may be missing");
    let bad = program(folder.path(), &["export", "--since", "soon"]).unwrap();
    assert!(String::from_utf8_lossy(&bad.stderr).contains("is no time"));
}

/// One way to harm a file.
#[derive(Clone, Debug)]
enum Harm {
    Change(prop::sample::Index, u8),
    Delete(prop::sample::Index),
    Insert(prop::sample::Index, u8),
    Swap(prop::sample::Index, prop::sample::Index),
    DropLine(prop::sample::Index),
    Repeat(prop::sample::Index),
    Truncate(prop::sample::Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        4 => (at(), 1..=255_u8).prop_map(|(at, mask)| Harm::Change(at, mask)),
        2 => at().prop_map(Harm::Delete),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Harm::Insert(at, byte)),
        1 => (at(), at()).prop_map(|(a, b)| Harm::Swap(a, b)),
        1 => at().prop_map(Harm::DropLine),
        1 => at().prop_map(Harm::Repeat),
        1 => at().prop_map(Harm::Truncate),
    ]
}

fn harmed(good: &[u8], how: &Harm) -> Vec<u8> {
    let mut bytes = good.to_vec();
    let mut lines: Vec<Vec<u8>> =
        good.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    match how {
        Harm::Change(at, mask) => {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
            return bytes;
        }
        Harm::Delete(at) => {
            bytes.remove(at.index(bytes.len()));
            return bytes;
        }
        Harm::Insert(at, byte) => {
            bytes.insert(at.index(bytes.len() + 1), *byte);
            return bytes;
        }
        Harm::Truncate(at) => {
            bytes.truncate(at.index(bytes.len()));
            return bytes;
        }
        Harm::Swap(a, b) => {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
        }
        Harm::DropLine(at) => drop(lines.remove(at.index(lines.len()))),
        Harm::Repeat(at) => {
            let line = lines[at.index(lines.len())].clone();
            lines.push(line);
        }
    }
    lines.concat()
}

/// The trail's own file with its head, an export of the whole, and one of a part.
type Files = (Vec<u8>, String, Vec<u8>, Vec<u8>);

fn files() -> Fallible<Files> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let head = runtime.block_on(async {
        let store = filled(folder.path(), 7).await?;
        Fallible::Ok(store.verify_chain().await?.head)
    })?;
    let trail = std::fs::read(folder.path().join(TRAIL))?;
    let whole = program(folder.path(), &["export"])?.stdout;
    let part = program(folder.path(), &["export", "--incident", "INC-1"])?.stdout;
    Ok((trail, head, whole, part))
}

#[test]
fn any_change_of_a_byte_any_deletion_and_any_swap_of_lines_is_found() {
    let (trail, head, whole, part) = files().unwrap();
    for (file, head) in [(&trail, Some(head.as_str())), (&whole, None), (&part, None)] {
        assert!(export::check(&mut Cursor::new(file), head).is_ok());
        // Every byte, once.
        for at in 0..file.len() {
            let mut bytes = file.clone();
            bytes[at] ^= 1;
            let found = problem(export::check(&mut Cursor::new(&bytes), head));
            assert!(found.is_some(), "byte {at} of {}", String::from_utf8_lossy(file));
            bytes.copy_from_slice(file);
            bytes.remove(at);
            assert!(
                problem(export::check(&mut Cursor::new(&bytes), head)).is_some(),
                "without byte {at}"
            );
        }
    }
    let config =
        ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&(0..3_usize, harm()), |(which, how)| {
            let (file, head) =
                [(&trail, Some(head.as_str())), (&whole, None), (&part, None)][which];
            let bad = harmed(file, &how);
            if &bad != file {
                let found = problem(export::check(&mut Cursor::new(&bad), head));
                prop_assert!(found.is_some(), "{how:?} of file {which} is not found");
            }
            Ok(())
        })
        .unwrap();
}
