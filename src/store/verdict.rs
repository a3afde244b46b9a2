//! What a check of the audit trail found, as an answer for front ends.

use sentinel_core::domain::audit::AuditCheck;

use crate::ports::PortError;
use crate::store::sqlite::{SqliteStore, VerifyError};

/// Checks chain and file. That one of them does not hold is an answer; only what cannot be read is
/// an error.
pub(crate) async fn of(store: &SqliteStore) -> Result<AuditCheck, PortError> {
    let good = match store.verify_chain().await {
        Ok(good) => good,
        Err(error) => return broken(error),
    };
    match store.verify_trail().await {
        Ok(_) => Ok(AuditCheck { count: good.count, head: good.head, problem: None }),
        Err(error) => broken(error),
    }
}

fn broken(error: VerifyError) -> Result<AuditCheck, PortError> {
    let count = match &error {
        VerifyError::Chain(problem) | VerifyError::File { problem, .. } => {
            problem.n.saturating_sub(1)
        }
        VerifyError::Store(error) => return Err(error.clone()),
    };
    Ok(AuditCheck { count, head: String::new(), problem: Some(error.to_string()) })
}
