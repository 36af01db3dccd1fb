//! What the SDK's errors mean to the engine, and the pause between tries when DynamoDB leaves items unprocessed.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use engine::StoreError;
use std::time::Duration;

/// Tries of a batch that DynamoDB answers in part.
pub(crate) const TRIES: u32 = 8;

/// Full jitter: anything up to 50 ms, doubling. The clock's last digits are random enough to spread workers.
pub(crate) async fn pause(tried: u32) {
    let most = 50_u64 << tried.min(6);
    let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |since| u64::from(since.subsec_nanos()));
    tokio::time::sleep(Duration::from_millis(nanos % most)).await;
}

pub(crate) fn failed<E, R>(doing: &str, error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let told = error.message().unwrap_or_default().to_owned();
    let detail = format!("{}", DisplayErrorContext(&error));
    let advice = match code.as_str() {
        "AccessDeniedException" | "UnrecognizedClientException" => "the role lacks a permission: compare it with infra/template.yaml",
        "ResourceNotFoundException" => "the table or queue does not exist: is the stack deployed, and the name right?",
        _ if detail.contains("disk is full") => "the disk is full: free some space and run the same command again, nothing is lost",
        _ if detail.contains("malformed") || detail.contains("not a database") => "the data file is damaged: move it away and sync again",
        "ValidationException" | "ItemCollectionSizeLimitExceededException" => "this should not happen: please report it",
        _ => "",
    };
    let source = Box::new(error);
    if advice.is_empty() {
        StoreError::Unavailable { what: format!("storage failed while {doing} ({code}: {told})"), source }
    } else {
        StoreError::Broken { what: format!("storage failed while {doing} ({code}: {told}): {advice}"), source }
    }
}

pub(crate) fn gave_up(doing: &str) -> StoreError {
    StoreError::Unavailable { what: format!("storage was still busy after {TRIES} tries while {doing}"), source: "throttled".into() }
}
