//! X-Ray's trace header: which request of whose all this is part of, carried with a message through SQS and told in the
//! log on both sides. <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use std::collections::HashMap;

/// Under this name SQS hands it on, both in what is sent and in what Lambda's event has of a message.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-message-system-attributes>
pub const TRACE_HEADER: &str = "AWSTraceHeader";

/// What goes with a message that this invocation sends: Lambda's runtime keeps the present invocation's header in the
/// environment. None outside of Lambda.
pub(crate) fn attributes() -> Result<Option<HashMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>>, BuildError> {
    let Some(header) = std::env::var("_X_AMZN_TRACE_ID").ok().filter(|header| !header.is_empty()) else { return Ok(None) };
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header).build()?;
    Ok(Some(HashMap::from([(MessageSystemAttributeNameForSends::AwsTraceHeader, value)])))
}
