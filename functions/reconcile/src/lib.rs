//! Translates a scheduled event into a run of the reconciliation: what webhooks did not bring. What is due, the table says.

use engine::{Fleet, reconcile};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Looks through the deliveries of every hook until `deadline`. A hook that cannot be looked at does not stop the others,
/// but fails the invocation at the end, so that it is seen.
pub async fn handle(fleet: &Fleet, deadline: Timestamp) -> Result<Value, String> {
    let done = reconcile::all(fleet, deadline).await.map_err(|error| error.to_string())?;
    let sum = &done.sum;
    tracing::info!(looked_at = sum.looked_at, redelivered = sum.redelivered, read = sum.read, open = sum.open, unfinished = sum.unfinished, "reconciled");
    for failure in &done.failures {
        tracing::error!(failure, "not reconciled");
    }
    if done.failures.is_empty() {
        Ok(json!({ "looked_at": sum.looked_at, "redelivered": sum.redelivered, "read": sum.read, "open": sum.open }))
    } else {
        Err(done.failures.join("; "))
    }
}
