//! Records of which only some fields are told, where the row is kept in parts or may have to be: read, put together,
//! and written if nobody else did meanwhile. The others are amended in place, by `dynamo`.

use crate::dynamo::DynamoStore;
use crate::item::{self, Item, keys, string, text};
use crate::wire::failed;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use engine::{Presence, Record, StoreError, Version, Written};

/// With what else a row may hold, this stays below what DynamoDB takes.
const SMALL: usize = 100_000;

/// Whether it cannot be amended in place.
pub(crate) fn is_large(record: &Record, parts: Option<&[Item]>) -> bool {
    parts.is_some_and(|parts| !parts.is_empty()) || item::json_of(record).len() > SMALL
}

pub(crate) fn is_to_be_merged(error: &SdkError<UpdateItemError>) -> bool {
    matches!(error.code(), Some("ConditionalCheckFailedException" | "ValidationException"))
}

impl DynamoStore {
    pub(crate) async fn merge(&self, record: &Record) -> Result<Written, StoreError> {
        let (pk, sk) = (item::pk(record.entity.name, record.scope), item::sk(&record.key));
        for _ in 0..8 {
            let item = self.batch_get(vec![keys(&pk, &sk)], None, true).await?.pop();
            let (seen, gone) = (item.as_ref().map(|item| string(item, "_v")), item.as_ref().is_none_or(|item| item.contains_key("_gone")));
            if seen.as_ref().is_some_and(|seen| *seen >= record.version.0) {
                return Ok(Written { unchanged: 1, ..Written::default() });
            }
            let old_parts = item.as_ref().map(|item| item::part_keys(item, &pk)).unwrap_or_default();
            let mut fields = match item {
                Some(item) => {
                    let whole = self.whole(&item, &pk).await?;
                    item::unpack(record.scope, item, whole).fields
                }
                None => serde_json::Map::new(),
            };
            fields.extend(record.fields.clone());
            let merged = Record { fields, presence: Presence::Whole, version: Version(record.version.0.clone()), ..record.clone() };
            let packed = item::pack(&merged);
            for part in &packed.parts {
                let put = self.client.put_item().table_name(&self.table).set_item(Some(part.clone()));
                put.send().await.map_err(|error| failed("writing a part of a large record", error))?;
            }
            let mut put = self.client.put_item().table_name(&self.table).set_item(Some(packed.item));
            put = match &seen {
                None => put.condition_expression("attribute_not_exists(pk)"),
                Some(seen) => put.condition_expression("#v = :seen").expression_attribute_names("#v", "_v").expression_attribute_values(":seen", text(seen)),
            };
            match put.send().await {
                Ok(_) => {}
                Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => continue,
                Err(error) => return Err(failed("writing a record", error)),
            }
            let kept: Vec<String> = packed.parts.iter().map(|part| string(part, "sk")).collect();
            for key in old_parts.iter().filter(|key| !kept.contains(&string(key, "sk"))) {
                let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key.clone()));
                delete.send().await.map_err(|error| failed("removing an old part", error))?;
            }
            return Ok(Written { created: u64::from(gone), updated: u64::from(!gone), ..Written::default() });
        }
        Err(StoreError::Unavailable { what: "a record that everybody writes".to_owned(), source: "contended".into() })
    }
}
