//! Marks, gates and hints in the table: small items with a revision, read consistently and written conditionally.

use crate::dynamo::DynamoStore;
use crate::item::{Item, attribute, json, keys, string, text};
use crate::wire::failed;
use aws_sdk_dynamodb::types::AttributeValue;
use engine::{State, StateKey, StoreError};
use serde_json::Value;
use std::collections::HashMap;

impl DynamoStore {
    pub(crate) async fn read_states(&self, wanted: &[StateKey]) -> Result<Vec<State>, StoreError> {
        let items = self.batch_get(wanted.iter().map(|key| keys(&key.of, &key.name)).collect(), None, true).await?;
        let mut found: HashMap<(String, String), State> = items.into_iter().map(|item| ((string(&item, "pk"), string(&item, "sk")), parse(item))).collect();
        Ok(wanted.iter().map(|key| found.remove(&(key.of.clone(), key.name.clone())).unwrap_or_default()).collect())
    }

    pub(crate) async fn read_states_of(&self, of: &str, limit: Option<usize>) -> Result<Vec<(String, State)>, StoreError> {
        let items = self.partition(of, limit).await?;
        Ok(items.into_iter().map(|item| (string(&item, "sk"), parse(item))).collect())
    }

    /// The items of a partition in order, all of them or only the first few.
    pub(crate) async fn partition(&self, pk: &str, limit: Option<usize>) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start: Option<Item> = None;
        // A page of DynamoDB's ends at 1 MB, too.
        let left = |have: usize| limit.map(|limit| i32::try_from(limit.saturating_sub(have)).unwrap_or(i32::MAX));
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(pk))
                .set_limit(left(items.len()))
                .set_exclusive_start_key(start.take());
            let answer = query.send().await.map_err(|error| failed("reading state", error))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() || left(items.len()) == Some(0) {
                return Ok(items);
            }
        }
    }

    pub(crate) async fn save_state(&self, key: &StateKey, seen: u64, value: &Value) -> Result<u64, StoreError> {
        let condition = if seen == 0 { "attribute_not_exists(pk)" } else { "revision = :seen" };
        let seen_value = AttributeValue::N(seen.to_string());
        let conflict = if value.is_null() {
            let mut delete = self.client.delete_item().table_name(&self.table).set_key(Some(keys(&key.of, &key.name)));
            delete = delete.condition_expression("attribute_not_exists(pk) OR revision = :seen").expression_attribute_values(":seen", seen_value);
            match delete.send().await {
                Ok(_) => return Ok(0),
                Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => true,
                Err(error) => return Err(failed("removing state", error)),
            }
        } else {
            let mut item = keys(&key.of, &key.name);
            item.insert("revision".to_owned(), AttributeValue::N((seen + 1).to_string()));
            item.insert("value".to_owned(), attribute(value));
            // The table's time to live looks at attributes of the item itself.
            if let Some(expires) = value.get("_expires") {
                item.insert("_expires".to_owned(), attribute(expires));
            }
            let mut put = self.client.put_item().table_name(&self.table).set_item(Some(item)).condition_expression(condition);
            if seen > 0 {
                put = put.expression_attribute_values(":seen", seen_value);
            }
            match put.send().await {
                Ok(_) => return Ok(seen + 1),
                Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => true,
                Err(error) => return Err(failed("saving state", error)),
            }
        };
        debug_assert!(conflict);
        Err(StoreError::Conflict)
    }
}

fn parse(mut item: Item) -> State {
    let revision = item.get("revision").and_then(|revision| revision.as_n().ok()).and_then(|revision| revision.parse().ok());
    State { revision: revision.unwrap_or(1), value: item.remove("value").map(json).unwrap_or_default() }
}
