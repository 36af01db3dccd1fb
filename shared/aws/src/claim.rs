//! Bodies that are too large for where events wait: cut up into items of the table, to be claimed later.

use crate::item::{Item, keys};
use crate::wire::failed;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use bytes::{Bytes, BytesMut};
use engine::StoreError;
use jiff::Timestamp;

/// DynamoDB takes 400 KB an item, names included.
const CHUNK: usize = 350_000;
/// Should nobody claim it, the table forgets it: seconds, as long as a dead letter is kept.
const KEPT: i64 = 15 * 24 * 3600;

#[derive(Clone)]
pub(crate) struct Claims {
    client: Client,
    table: String,
}

fn key(delivery: &str, number: usize) -> Item {
    keys(&format!("claims#{delivery}"), &format!("{number:04}"))
}

impl Claims {
    pub(crate) fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Returns of how many items it is made.
    pub(crate) async fn write(&self, delivery: &str, body: &Bytes, now: Timestamp) -> Result<usize, StoreError> {
        for (number, chunk) in body.chunks(CHUNK).enumerate() {
            let mut item = key(delivery, number);
            item.insert("body".to_owned(), AttributeValue::B(Blob::new(chunk)));
            item.insert("_expires".to_owned(), AttributeValue::N((now.as_second() + KEPT).to_string()));
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
            put.send().await.map_err(|error| failed("storing a part of an event", error))?;
        }
        Ok(body.len().div_ceil(CHUNK))
    }

    /// None if a part of it is not there, or not any more.
    pub(crate) async fn read(&self, delivery: &str, count: usize) -> Result<Option<Bytes>, StoreError> {
        let mut body = BytesMut::new();
        for number in 0..count {
            let get = self.client.get_item().table_name(&self.table).set_key(Some(key(delivery, number))).consistent_read(true);
            let item = get.send().await.map_err(|error| failed("reading a part of an event", error))?.item;
            let Some(chunk) = item.as_ref().and_then(|item| item.get("body")?.as_b().ok()) else { return Ok(None) };
            body.extend_from_slice(chunk.as_ref());
        }
        Ok(Some(body.freeze()))
    }

    pub(crate) async fn remove(&self, delivery: &str, count: usize) -> Result<(), StoreError> {
        for number in 0..count {
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key(delivery, number)));
            delete.send().await.map_err(|error| failed("removing a part of an event", error))?;
        }
        Ok(())
    }
}
