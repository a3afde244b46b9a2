//! `audit`: who did what, and whether the record of it is whole.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;

use color_eyre::eyre::{Report, WrapErr as _};

use crate::app::AppError;
use crate::cli::AuditVerb;
use crate::commands::incidents::local;
use crate::commands::out;
use crate::config::Settings;
use crate::store;
use crate::store::chain::{ChainedRecord, Verified};
use crate::store::export::Kind;
use crate::store::sqlite::SqliteStore;
use crate::store::trail::TRAIL;

mod export;

/// Shows or verifies the trail.
pub async fn run(settings: &Settings, verb: &AuditVerb) -> Result<ExitCode, Report> {
    if let AuditVerb::Verify { file: Some(file), head } = verb {
        return verify_file(file, head.as_deref());
    }
    let store = SqliteStore::open(&settings.state_dir).map_err(AppError::Store)?;
    match verb {
        AuditVerb::Show { json } => {
            let mut after = 0;
            loop {
                let page = store.audit_records(after).await?;
                let Some(last) = page.last() else { break };
                after = last.n;
                let lines = page
                    .iter()
                    .map(|r| if *json { serde_json::to_string(r) } else { Ok(line(r)) })
                    .collect::<Result<Vec<_>, _>>()?;
                out::lines(lines)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        AuditVerb::Verify { .. } => {
            let good = store.verify_chain().await?;
            let file = match store.verify_trail().await? {
                Some(_) => format!("{TRAIL} holds the same"),
                None => format!("no {TRAIL} yet"),
            };
            let Verified { count, head } = good;
            out::lines([format!("{count} records, the chain holds; {file}; head {head}")])
        }
        AuditVerb::Export(asked) => export::run(&store, asked).await,
    }
}

/// Checks a file by itself.
fn verify_file(path: &Path, head: Option<&str>) -> Result<ExitCode, Report> {
    let shown = path.display();
    let mut input: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(BufReader::new(std::io::stdin().lock()))
    } else {
        let file = File::open(path).wrap_err_with(|| format!("cannot read {shown}"))?;
        Box::new(BufReader::new(file))
    };
    let checked = store::export::check(&mut input, head);
    let (kind, good) = checked.map_err(|error| Report::msg(format!("{shown}: {error}")))?;
    let what = match kind {
        Kind::Whole => "an export of the whole trail up to then",
        Kind::Part => "an export of a part of the trail",
        Kind::Trail => "a copy of the trail",
    };
    let Verified { count, head } = good;
    out::lines([format!("{count} records, all as they were written ({what}); head {head}")])
}

fn line(chained: &ChainedRecord) -> String {
    let record = &chained.record;
    let call = record
        .call
        .as_ref()
        .map(|c| format!(" {} {}", c.tool, c.arguments_text()))
        .unwrap_or_default();
    let result = record.result.as_ref().map(|r| format!(" → {}", r.message)).unwrap_or_default();
    format!(
        "{:>5}  {}  {:<12} {:<13} {} {}{call}{result}",
        chained.n,
        local(record.at),
        record.actor.to_string(),
        record.action.as_str(),
        record.incident,
        record.target,
    )
}
