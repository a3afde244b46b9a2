//! `patterns` and `scan` as people run them: the built binary, files, pipes and signals.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

type Fallible<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A command of the built binary that finds nothing of this machine.
fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sentinel-tui"));
    command.env_clear().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    command
}

/// Runs it to the end with this on standard input.
fn piped(arguments: &[&str], input: &[u8]) -> Fallible<Output> {
    let mut child = command(arguments).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let input = input.to_vec();
    // A process that ends early breaks the pipe: its status says why.
    let feeding = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output()?;
    drop(feeding.join());
    Ok(output)
}

fn text(bytes: &[u8]) -> Fallible<String> {
    Ok(String::from_utf8(bytes.to_vec())?)
}

/// The clusters of the rows, whose numbers are checked.
fn clusters(output: &Output) -> Fallible<Vec<String>> {
    let rows = text(&output.stdout)?;
    let mut rows = rows.lines();
    if rows.next() != Some("line,cluster") {
        return Err(format!("no head: {output:?}").into());
    }
    let mut all = Vec::new();
    for (number, row) in (1..).zip(rows) {
        let (line, cluster) = row.split_once(',').ok_or("no comma")?;
        if line.parse() != Ok::<usize, _>(number) {
            return Err(format!("row {number} is {row}").into());
        }
        all.push(cluster.to_owned());
    }
    Ok(all)
}

/// Two kinds of ordinary lines that differ in every value.
fn ordinary(count: usize) -> String {
    let line = |n: usize| match n % 2 {
        0 => format!("2026-11-24T03:15:{:02}Z INFO request {n} took {} ms\n", n % 60, n * 7 % 90),
        _ => format!("2026-11-24T03:15:{:02}Z WARN retry {n} of job {}\n", n % 60, n * 13),
    };
    (0..count).map(line).collect()
}

#[test]
fn every_line_has_a_row_and_lines_that_differ_in_values_share_a_cluster() -> Fallible {
    let output = piped(&["patterns", "--format", "csv", "-"], ordinary(1000).as_bytes())?;
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let clusters = clusters(&output)?;
    assert_eq!(clusters.len(), 1000);
    assert!(clusters.iter().step_by(2).all(|c| *c == clusters[0]));
    assert!(clusters.iter().skip(1).step_by(2).all(|c| *c == clusters[1]));
    assert_ne!(clusters[0], clusters[1]);
    Ok(())
}

#[test]
fn ids_are_the_final_ones_even_of_lines_before_a_merge() -> Fallible {
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan"];
    let lines = names.map(|name| format!("INFO the session of user {name} was opened")).join("\n");
    let output = piped(&["patterns", "--format", "csv", "-"], lines.as_bytes())?;
    let clusters = clusters(&output)?;
    assert!(clusters.iter().all(|c| *c == clusters[0]), "{clusters:?}");
    let output = piped(&["patterns", "--format", "json", "-"], lines.as_bytes())?;
    let objects = text(&output.stdout)?;
    let object: Value = serde_json::from_str(objects.trim_end())?;
    assert_eq!(object["count"], names.len());
    assert_eq!(object["id"].to_string(), clusters[0]);
    assert_eq!((&object["first_line"], &object["last_line"]), (&1.into(), &9.into()));
    assert_eq!(object["level"], "info");
    assert!(object["template"].as_str().is_some_and(|t| t.contains("<*>") && !t.contains("bob")));
    Ok(())
}

#[test]
fn the_table_counts_and_says_what_it_leaves_out() -> Fallible {
    let output = piped(&["patterns", "--count", "1", "-"], ordinary(101).as_bytes())?;
    let table = text(&output.stdout)?;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[0].ends_with("PATTERN"), "{table}");
    assert!(
        lines[1].contains("51   50.5 %  info") && lines[1].contains("request <*> took"),
        "{table}"
    );
    assert_eq!(lines[2], "101 lines, 2 patterns");
    assert_eq!(lines[3], "1 pattern more with 50 lines not shown: --count 0 shows all");
    Ok(())
}

#[test]
fn noise_costs_no_line_and_harms_no_terminal() -> Fallible {
    let mut noise: Vec<u8> = Vec::new();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for line in 0..300 {
        for _ in 0..line {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let byte = state.to_le_bytes()[0];
            noise.push(if byte == b'\n' { 0 } else { byte });
        }
        noise.extend(if line % 3 == 0 { &b"\r\n"[..] } else { &b"\n"[..] });
    }
    noise.extend(std::iter::repeat_n(b'x', 1 << 20));
    noise.extend(b"\n\x1b]0;title\x07\x1b[31mred\x1b[0m \xff\xfe\0 end");
    let output = piped(&["patterns", "--format", "csv", "-"], &noise)?;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(clusters(&output)?.len(), 302);
    for arguments in [&["patterns", "--count", "0", "-"][..], &["scan", "-"]] {
        let output = piped(arguments, &noise)?;
        assert!(matches!(output.status.code(), Some(0 | 3)), "{:?}", output.status);
        let shown = text(&output.stdout)?;
        let harmful = shown.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(harmful, None, "{arguments:?}");
    }
    Ok(())
}

#[test]
fn secrets_are_masked_wherever_they_would_show() -> Fallible {
    let lines = "INFO login of bob password=hunterXtwo ok\n\
        ERROR cannot connect to postgres://app:sEcretPass@db:5432/x: connection refused\n\
        FATAL config: token: abcdefSecret rejected\n"
        .repeat(40);
    for arguments in [
        &["patterns", "-"][..],
        &["patterns", "--format", "json", "-"],
        &["scan", "-"],
        &["scan", "--output", "jsonl", "-"],
    ] {
        let output = piped(arguments, lines.as_bytes())?;
        let shown = text(&output.stdout)?;
        for secret in ["hunter", "sEcret", "abcdefSecret"] {
            assert!(!shown.contains(secret), "{arguments:?}: {shown}");
        }
        assert!(shown.contains("***"), "{arguments:?}: {shown}");
    }
    Ok(())
}

#[test]
fn a_compressed_file_gives_the_same_and_needs_no_option() -> Fallible {
    let folder = tempfile::tempdir()?;
    let (plain, packed) = (folder.path().join("app.log"), folder.path().join("app.log.gz"));
    std::fs::write(&plain, ordinary(500))?;
    let mut packer = GzEncoder::new(std::fs::File::create(&packed)?, Compression::fast());
    packer.write_all(ordinary(500).as_bytes())?;
    packer.finish()?;
    let of = |path: &Path| piped(&["patterns", "--format", "csv", &path.to_string_lossy()], b"");
    assert_eq!(of(&plain)?.stdout, of(&packed)?.stdout);
    assert_eq!(clusters(&of(&packed)?)?.len(), 500);
    Ok(())
}

#[test]
fn an_alarm_is_told_by_the_exit_status_and_names_its_lines() -> Fallible {
    // A warning of a kind that never came would be worth a word.
    let calm = |count| ordinary(count).replace("WARN", "INFO");
    let quiet = piped(&["scan", "-"], calm(200).as_bytes())?;
    assert_eq!(quiet.status.code(), Some(0), "{quiet:?}");
    assert_eq!(text(&quiet.stdout)?, "200 lines: nothing out of the ordinary\n");

    let lines = calm(20) + &"2026-11-24T03:16:00Z FATAL no space left on device\n".repeat(10);
    let alarmed = piped(&["scan", "--output", "jsonl", "-"], lines.as_bytes())?;
    assert_eq!(alarmed.status.code(), Some(3), "{alarmed:?}");
    let mut last = 0;
    for line in text(&alarmed.stdout)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        assert_eq!((&event["type"], &event["v"]), (&"anomaly".into(), &1.into()));
        assert!(event["seq"].as_u64() > Some(last));
        last = event["seq"].as_u64().unwrap_or_default();
        // Told by the lines' own times, and with their numbers.
        assert!(
            event["anomaly"]["observed_at"]
                .as_str()
                .is_some_and(|t| t.starts_with("2026-11-24T03:16:00"))
        );
        let seq = event["anomaly"]["evidence"][0]["line"]["seq"].as_u64();
        assert!(seq.is_some_and(|seq| (21..=30).contains(&seq)), "{line}");
    }
    assert!(last > 0);
    Ok(())
}

#[test]
fn lines_of_docker_are_judged_by_what_the_process_wrote() -> Fallible {
    let bare = "FATAL no space left on device";
    let stamped = format!("2026-11-24T03:15:02.123456789Z {bare}\n");
    let filed = format!(
        "{{\"log\":\"{bare}\\n\",\"stream\":\"stderr\",\"time\":\"2026-11-24T03:15:02.123456789Z\"}}\n"
    );
    for line in [stamped, filed] {
        let output = piped(&["scan", "--output", "jsonl", "-"], line.repeat(5).as_bytes())?;
        let first = text(&output.stdout)?;
        let event: Value = serde_json::from_str(first.lines().next().ok_or("nothing found")?)?;
        assert_eq!(event["ts"], "2026-11-24T03:15:02.123Z");
        assert_eq!(event["anomaly"]["evidence"][0]["excerpt"], bare);
    }
    Ok(())
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() -> Fallible {
    for arguments in [&["patterns", "--format", "csv", "-"][..], &["scan", "-"]] {
        let mut child = command(arguments).spawn()?;
        drop(child.stdout.take());
        let mut stdin = child.stdin.take().ok_or("no standard input")?;
        let lines = "FATAL no space left on device\n".repeat(100_000);
        // It may be gone before everything is written.
        drop(stdin.write_all(lines.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output()?;
        assert_eq!(output.status.code(), Some(0), "{arguments:?} {output:?}");
        assert!(output.stderr.is_empty(), "{arguments:?} {output:?}");
    }
    Ok(())
}

/// Sends the signal of Ctrl-C.
fn interrupt(child: &Child) -> Fallible {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    if sent.success() { Ok(()) } else { Err("cannot send a signal".into()) }
}

#[test]
fn a_signal_ends_a_pipe_that_goes_on_with_what_came_so_far() -> Fallible {
    let mut child = command(&["scan", "-"]).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    stdin.write_all("FATAL no space left on device\n".repeat(10).as_bytes())?;
    stdin.flush()?;
    let mut out = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    // It tells at once, though the pipe stays open.
    let mut first = String::new();
    out.read_line(&mut first)?;
    assert!(first.contains("  high  ") || first.contains("  critical  "), "{first}");
    interrupt(&child)?;
    let mut rest = String::new();
    for line in out.lines() {
        rest = line?;
    }
    assert!(rest.starts_with("10 lines: "), "{rest}");
    let output = child.wait_with_output()?;
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    drop(stdin);
    Ok(())
}

#[test]
fn what_cannot_be_read_is_told_and_what_came_before_is_not_lost() -> Fallible {
    let missing = piped(&["patterns", "no-such-file.log"], b"")?;
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr)?.contains("no-such-file.log"), "{missing:?}");
    let usage = piped(&["scan"], b"")?;
    assert_eq!(usage.status.code(), Some(2));

    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(ordinary(50_000).as_bytes())?;
    let packed = packer.finish()?;
    let broken = piped(&["patterns", "-"], &packed[..packed.len() / 2])?;
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken.stderr)?.contains("broke off after "), "{broken:?}");
    assert!(text(&broken.stdout)?.contains("request <*> took"), "{broken:?}");
    Ok(())
}
