//! `audit`: who did what, and whether the record of it is whole.

use std::process::ExitCode;

use color_eyre::eyre::Report;

use crate::app::AppError;
use crate::cli::AuditVerb;
use crate::commands::incidents::local;
use crate::commands::out;
use crate::config::Settings;
use crate::store::chain::ChainedRecord;
use crate::store::sqlite::SqliteStore;

/// Shows or verifies the trail.
pub async fn run(settings: &Settings, verb: &AuditVerb) -> Result<ExitCode, Report> {
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
        AuditVerb::Verify => {
            let good = store.verify_chain().await?;
            out::lines([format!("{} records, the chain holds; head {}", good.count, good.head)])
        }
    }
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
