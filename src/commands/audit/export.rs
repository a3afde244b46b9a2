//! `audit export`: the trail for reports, spreadsheets and other programs.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use color_eyre::eyre::{Report, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sentinel_core::redact::display;
use serde_json::json;

use crate::cli::{self, AuditExport, AuditFormat};
use crate::commands::out;
use crate::store::chain::{ChainedRecord, GENESIS};
use crate::store::export::Export;
use crate::store::sqlite::SqliteStore;
use crate::store::trail::TrailLine;

const COLUMNS: [&str; 16] = [
    "n",
    "at",
    "actor",
    "action",
    "incident",
    "fix",
    "target",
    "target_id",
    "tool",
    "arguments",
    "reason",
    "plan_sha256",
    "ok",
    "result",
    "prev_hash",
    "hash",
];

/// Writes what was asked for to standard output.
pub(super) async fn run(store: &SqliteStore, asked: &AuditExport) -> Result<ExitCode, Report> {
    let since = asked.since.as_deref().map(moment).transpose()?;
    let incident = asked.incident.as_deref();
    let wanted = |chained: &ChainedRecord| {
        let record = &chained.record;
        since.is_none_or(|since| record.at >= since)
            && incident.is_none_or(|id| record.incident.as_str().eq_ignore_ascii_case(id))
    };
    let mut form = Form::new(asked.format, since.is_some() || incident.is_some());
    let mut out = BufWriter::new(io::stdout().lock());
    if let Err(error) = form.begin(&mut out) {
        return out::written(Err(error));
    }
    let mut after = 0;
    loop {
        let page = store.audit_lines(after).await?;
        let Some((last, _)) = page.last() else { break };
        after = last.n;
        for (record, line) in page.iter().filter(|(record, _)| wanted(record)) {
            if let Err(error) = form.put(&mut out, record, line) {
                return out::written(Err(error));
            }
        }
    }
    out::written(form.end(&mut out).and_then(|()| out.flush()))
}

/// A moment, a day, or an age.
fn moment(text: &str) -> Result<Timestamp, Report> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return Ok(TimeZone::system().to_timestamp(day.at(0, 0, 0, 0))?);
    }
    let Ok(age) = cli::duration(text) else {
        bail!(
            "--since {text:?} is no time: write a moment (2026-11-24T03:15:00Z), a day (2026-11-24) or an age (90m)"
        );
    };
    let age = SignedDuration::try_from(age).unwrap_or(SignedDuration::MAX);
    Ok(Timestamp::now().checked_sub(age).unwrap_or(Timestamp::MIN))
}

/// A form under way.
enum Form {
    Jsonl { export: Export, opening: String },
    Csv,
    Json { count: u64, head: String },
    Markdown,
}

impl Form {
    fn new(format: AuditFormat, part: bool) -> Self {
        match format {
            AuditFormat::Jsonl => {
                let (export, opening) = Export::new(part);
                Self::Jsonl { export, opening }
            }
            AuditFormat::Csv => Self::Csv,
            AuditFormat::Json => Self::Json { count: 0, head: GENESIS.to_owned() },
            AuditFormat::Markdown => Self::Markdown,
        }
    }

    fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Jsonl { opening, .. } => out.write_all(opening.as_bytes()),
            Self::Csv => writeln!(out, "{}", COLUMNS.join(",")),
            Self::Json { .. } => write!(out, "{{\"records\":["),
            Self::Markdown => {
                writeln!(
                    out,
                    "| n | at (UTC) | who | what | incident | target | call | why | result | hash |"
                )?;
                writeln!(out, "|---:|---|---|---|---|---|---|---|---|---|")
            }
        }
    }

    fn put(
        &mut self,
        out: &mut impl Write,
        chained: &ChainedRecord,
        line: &TrailLine,
    ) -> io::Result<()> {
        match self {
            Self::Jsonl { export, .. } => {
                export.take(line);
                out.write_all(line.line.as_bytes())
            }
            Self::Csv => writeln!(out, "{}", cells(chained).map(|cell| quoted(&cell)).join(",")),
            Self::Json { count, head } => {
                let comma = if *count > 0 { "," } else { "" };
                *count += 1;
                head.clone_from(&chained.hash);
                write!(out, "{comma}\n{}", serde_json::to_string(chained)?)
            }
            Self::Markdown => {
                let [
                    n,
                    at,
                    actor,
                    action,
                    incident,
                    fix,
                    target,
                    _,
                    tool,
                    arguments,
                    reason,
                    _,
                    ok,
                    result,
                    _,
                    hash,
                ] = cells(chained);
                let call = if tool.is_empty() { tool } else { format!("`{tool} {arguments}`") };
                let result = match ok.as_str() {
                    "" => String::new(),
                    "true" => format!("ok: {result}"),
                    _ => format!("failed: {result}"),
                };
                let incident = if fix.is_empty() { incident } else { format!("{incident} {fix}") };
                let hash = hash.get(..12).unwrap_or_default().to_owned();
                let row = [n, at, actor, action, incident, target, call, reason, result, hash];
                writeln!(out, "| {} |", row.map(|cell| escaped(&cell)).join(" | "))
            }
        }
    }

    fn end(self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Jsonl { export, .. } => out.write_all(export.close()?.as_bytes()),
            Self::Json { count, head } => {
                writeln!(out, "\n],\"count\":{count},\"head\":{}}}", json!(head))
            }
            Self::Csv | Self::Markdown => Ok(()),
        }
    }
}

/// A record as texts, in the order of [`COLUMNS`], without control characters.
fn cells(chained: &ChainedRecord) -> [String; 16] {
    let record = &chained.record;
    let call = record.call.as_ref();
    let result = record.result.as_ref();
    [
        chained.n.to_string(),
        record.at.to_string(),
        record.actor.to_string(),
        record.action.as_str().to_owned(),
        record.incident.to_string(),
        record.fix.as_ref().map(ToString::to_string).unwrap_or_default(),
        record.target.clone(),
        record.target_id.clone(),
        call.map(|call| call.tool.clone()).unwrap_or_default(),
        call.map(sentinel_core::domain::tool::ToolCall::arguments_text).unwrap_or_default(),
        record.reason.clone(),
        record.plan_sha256.clone().unwrap_or_default(),
        result.map(|result| result.ok.to_string()).unwrap_or_default(),
        result.map(|result| result.message.clone()).unwrap_or_default(),
        chained.prev_hash.clone(),
        chained.hash.clone(),
    ]
    .map(|text| display::safe(&text).into_owned())
}

/// A field of a CSV row. What a spreadsheet would take for a formula is marked as text.
fn quoted(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// A cell of a Markdown table.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_no_formula_and_a_table_keeps_its_columns() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(escaped("a|b<script>\n"), "a\\|b&lt;script> ");
    }

    #[test]
    fn a_time_is_a_moment_a_day_or_an_age() {
        let now = Timestamp::now();
        assert_eq!(moment("2026-11-24T03:15:00Z").unwrap().as_second(), 1_795_490_100);
        assert!(moment("2026-11-24").is_ok());
        let hour = now.duration_since(moment("1h").unwrap());
        assert!((3599..=3601).contains(&hour.as_secs()), "{hour}");
        assert!(moment("soon").unwrap_err().to_string().contains("soon"));
    }
}
