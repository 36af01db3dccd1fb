//! Events that wait in the embedded table, in the order of their receipt, until this process has applied them. What is
//! left when it ends is there when the next one begins.

use crate::claim::Claims;
use crate::item::{Item, keys, string, text};
use crate::wire::failed;
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use engine::{Inbox, Received, StoreError};
use std::collections::HashSet;
use tokio::sync::Notify;

/// Larger ones are cut up.
const SMALL: usize = 350_000;
const PARTITION: &str = "inbox";

pub struct TableInbox {
    client: Client,
    table: String,
    claims: Claims,
    came: Notify,
}

/// An event that waits.
#[derive(Debug)]
pub struct Waiting {
    pub event: Received,
    name: String,
    claimed: usize,
}

impl TableInbox {
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let table = table.into();
        Self { claims: Claims::new(client.clone(), table.clone()), client, table, came: Notify::new() }
    }

    /// The first few that wait, oldest first; `aside` are those that could not be applied.
    pub async fn take(&self, aside: &HashSet<String>) -> Result<Vec<Waiting>, StoreError> {
        let mut start: Option<Item> = None;
        loop {
            let query = self.client.query().table_name(&self.table).consistent_read(true).limit(25).set_exclusive_start_key(start);
            let query = query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", text(PARTITION));
            let page = query.send().await.map_err(|error| failed("reading events", error))?;
            let items = page.items.unwrap_or_default().into_iter().filter(|item| !aside.contains(&string(item, "delivery")));
            let all = self.open(items.collect()).await?;
            start = page.last_evaluated_key;
            if !all.is_empty() || start.is_none() {
                return Ok(all);
            }
        }
    }

    async fn open(&self, items: Vec<Item>) -> Result<Vec<Waiting>, StoreError> {
        let mut all = Vec::new();
        for item in items {
            let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok()).and_then(|text| text.parse::<usize>().ok());
            let (delivery, claimed) = (string(&item, "delivery"), number("claim").unwrap_or(0));
            let body = match item.get("body").and_then(|body| body.as_b().ok()) {
                Some(body) => Bytes::from(body.clone().into_inner()),
                None => self.claims.read(&delivery, claimed).await?.unwrap_or_default(),
            };
            let hook = Some(string(&item, "hook")).filter(|hook| !hook.is_empty());
            let received_at = string(&item, "received_at").parse().unwrap_or_default();
            let event = Received { delivery, event: string(&item, "event"), hook, received_at, body };
            all.push(Waiting { event, name: string(&item, "sk"), claimed });
        }
        Ok(all)
    }

    /// It is applied, or never will be.
    pub async fn done(&self, waiting: &Waiting) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table).set_key(Some(keys(PARTITION, &waiting.name)));
        delete.send().await.map_err(|error| failed("removing an event", error))?;
        self.claims.remove(&waiting.event.delivery, waiting.claimed).await
    }

    /// Until an event comes, or came since the last call.
    pub async fn came(&self) {
        self.came.notified().await;
    }
}

#[async_trait]
impl Inbox for TableInbox {
    async fn accept(&self, event: &Received) -> Result<(), StoreError> {
        let name = format!("{:.3} {}", event.received_at, event.delivery);
        let mut item: Item = keys(PARTITION, &name);
        let told = [("delivery", event.delivery.clone()), ("event", event.event.clone()), ("received_at", event.received_at.to_string())];
        item.extend(told.into_iter().chain(event.hook.clone().map(|hook| ("hook", hook))).map(|(name, value)| (name.to_owned(), text(value))));
        if event.body.len() <= SMALL {
            item.insert("body".to_owned(), AttributeValue::B(Blob::new(event.body.as_ref())));
        } else {
            let count = self.claims.write(&event.delivery, &event.body, event.received_at).await?;
            item.insert("claim".to_owned(), AttributeValue::N(count.to_string()));
        }
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        put.send().await.map_err(|error| failed("storing an event", error))?;
        self.came.notify_one();
        Ok(())
    }
}
