//! Events in SQS. The body is the message, byte for byte, and what headers told are its attributes; a body that is too
//! large for a message, or holds what SQS does not take, is in the table and the message says so.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>

use crate::claim::Claims;
use crate::trace;
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext};
use aws_sdk_sqs::types::MessageAttributeValue;
use bytes::Bytes;
use engine::{Inbox, Received, StoreError};
use std::collections::BTreeMap;

/// SQS takes 1 MiB, attributes included.
const LARGEST: usize = 900_000;

pub struct SqsInbox {
    client: Client,
    url: String,
    claims: Claims,
}

/// A message as it came back.
#[derive(Debug)]
pub struct SqsMessage {
    pub event: Received,
    /// Of how many items its body was made.
    claimed: usize,
}

impl SqsInbox {
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>, table: aws_sdk_dynamodb::Client, name: impl Into<String>) -> Self {
        Self { client, url: url.into(), claims: Claims::new(table, name) }
    }

    /// Reads a message of the queue; none if it is not one that `accept` sent.
    pub async fn open(&self, body: String, attributes: &BTreeMap<String, String>) -> Result<Option<SqsMessage>, StoreError> {
        let of = |name: &str| attributes.get(name).cloned();
        let (Some(delivery), Some(event)) = (of("delivery"), of("event")) else { return Ok(None) };
        let Some(received_at) = of("received_at").and_then(|at| at.parse().ok()) else { return Ok(None) };
        let claimed = of("claim").and_then(|count| count.parse().ok()).unwrap_or(0);
        let body = if claimed > 0 {
            let Some(body) = self.claims.read(&delivery, claimed).await? else {
                return Err(StoreError::Broken { what: format!("the body of event {delivery} is not in the table any more"), source: "expired".into() });
            };
            body
        } else {
            Bytes::from(body)
        };
        Ok(Some(SqsMessage { event: Received { delivery, event, hook: of("hook"), received_at, body }, claimed }))
    }

    /// It is applied: what the table holds of it may go.
    pub async fn close(&self, message: &SqsMessage) -> Result<(), StoreError> {
        self.claims.remove(&message.event.delivery, message.claimed).await
    }
}

/// JSON has no other characters that XML lacks, and SQS takes only those of XML.
fn fits(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_empty() && text.len() <= LARGEST)?;
    let refused = |letter: char| matches!(letter, '\u{fffe}' | '\u{ffff}') || letter < ' ' && !matches!(letter, '\t' | '\n' | '\r');
    (!text.contains(refused)).then_some(text)
}

#[async_trait]
impl Inbox for SqsInbox {
    async fn accept(&self, event: &Received) -> Result<(), StoreError> {
        let mut attributes = vec![("delivery", event.delivery.clone()), ("event", event.event.clone()), ("received_at", event.received_at.to_string())];
        attributes.extend(event.hook.clone().map(|hook| ("hook", hook)));
        let body = match fits(&event.body) {
            Some(body) => body.to_owned(),
            None => {
                let count = self.claims.write(&event.delivery, &event.body, event.received_at).await?;
                attributes.push(("claim", count.to_string()));
                "in the table".to_owned()
            }
        };
        let broken = |error: BuildError| StoreError::Broken { what: "an event cannot be sent".to_owned(), source: error.into() };
        let mut send = self.client.send_message().queue_url(&self.url).message_body(body);
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            send = send.message_attributes(name, value.map_err(broken)?);
        }
        send = send.set_message_system_attributes(trace::attributes().map_err(broken)?);
        send.send()
            .await
            .map(|_| ())
            .map_err(|error| StoreError::Unavailable { what: format!("the queue does not take events: {}", DisplayErrorContext(&error)), source: error.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_cannot_hold_goes_by_the_table() {
        assert_eq!(fits("{\"a\": \"ü 🚀\"}\n".as_bytes()), Some("{\"a\": \"ü 🚀\"}\n"));
        assert!(fits(&vec![b' '; LARGEST]).is_some() && fits(&vec![b' '; LARGEST + 1]).is_none());
        assert!(fits("\u{ffff}".as_bytes()).is_none() && fits(b"\xff").is_none() && fits(b"").is_none() && fits(b"\x01").is_none());
    }
}
