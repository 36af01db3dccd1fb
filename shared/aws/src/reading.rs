//! Reads items, many at once, and puts together those that are in parts. Decides nothing about what they mean.

use crate::dynamo::DynamoStore;
use crate::item::{self, Item, string};
use crate::wire::{self, failed};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use engine::{ScopeId, StoreError, Stored};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// A row as it was listed.
pub(crate) enum Row {
    Whole(Stored),
    InParts(Box<Item>),
}

/// Reads one page, and unpacks it; whether it went past the prefix, and where the next one begins.
pub(crate) async fn page(query: QueryFluentBuilder, scope: ScopeId, prefix: String) -> Result<(Vec<Row>, bool, Option<Item>), StoreError> {
    let answer = query.send().await.map_err(|error| failed("listing rows", error))?;
    let (mut rows, mut past) = (Vec::new(), false);
    for item in answer.items.unwrap_or_default() {
        past = !item.get("sk").and_then(|sk| sk.as_s().ok()).is_some_and(|sk| sk.starts_with(&prefix));
        if past {
            break;
        }
        if item.contains_key("_parts") {
            rows.push(Row::InParts(Box::new(item)));
        } else if !item.contains_key("_part") {
            rows.push(Row::Whole(item::unpack(scope, item, None)));
        }
    }
    Ok((rows, past, answer.last_evaluated_key))
}

/// On another processor, if there is one: unpacking many rows takes as long as finding them.
pub(crate) async fn beside<T: Send + 'static>(work: impl Future<Output = Result<T, StoreError>> + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(StoreError::Unavailable { what: "reading rows was broken off".to_owned(), source: error.into() }))
}

/// Which attributes DynamoDB is to send, by placeholders: many names are its reserved words.
pub(crate) struct Projection {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
}

impl Projection {
    pub(crate) fn of(attributes: &[&str]) -> Self {
        let names: HashMap<String, String> = attributes.iter().enumerate().map(|(index, name)| (format!("#p{index}"), (*name).to_owned())).collect();
        Self { expression: names.keys().map(String::as_str).collect::<Vec<_>>().join(", "), names }
    }

    /// What a row with these fields is put together from; none for all fields.
    pub(crate) fn of_fields(fields: &[&str]) -> Option<Self> {
        let own = ["sk", "_key", "_gone", "_d", "_l", "_j", "_parts", "_part"];
        (!fields.is_empty()).then(|| Self::of(&own.iter().chain(fields).copied().collect::<Vec<_>>()))
    }
}

impl DynamoStore {
    /// Reads items by key, a hundred at a time, until all are read.
    pub(crate) async fn batch_get(&self, keys: Vec<Item>, projection: Option<&Projection>, consistent: bool) -> Result<Vec<Item>, StoreError> {
        let doing = "reading items";
        let mut items = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(100) {
            let mut open = chunk.to_vec();
            let mut tried = 0;
            while !open.is_empty() {
                if tried == wire::TRIES {
                    return Err(wire::gave_up(doing));
                }
                let mut wanted = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(consistent);
                if let Some(projection) = projection {
                    wanted = wanted.projection_expression(&projection.expression).set_expression_attribute_names(Some(projection.names.clone()));
                }
                let wanted = wanted.build().map_err(|error| StoreError::Broken { what: doing.to_owned(), source: error.into() })?;
                let request = self.client.batch_get_item().request_items(&self.table, wanted);
                let answer = beside(async move { request.send().await.map_err(|error| failed(doing, error)) }).await?;
                items.extend(answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default());
                let rest = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
                open = rest.map(|rest| rest.keys).unwrap_or_default();
                if !open.is_empty() {
                    wire::pause(tried).await;
                    tried += 1;
                }
            }
        }
        Ok(items)
    }

    /// The fields of an item that is in parts.
    pub(crate) async fn whole(&self, item: &Item, pk: &str) -> Result<Option<Map<String, Value>>, StoreError> {
        let keys = item::part_keys(item, pk);
        if keys.is_empty() {
            return Ok(None);
        }
        let mut parts = self.batch_get(keys, None, true).await?;
        parts.sort_by_key(|part| string(part, "sk"));
        let bytes: Vec<u8> = parts.iter().filter_map(|part| part.get("_part")?.as_b().ok()).flat_map(|part| part.as_ref().to_vec()).collect();
        let fields = serde_json::from_slice(&bytes);
        fields.map(Some).map_err(|error| StoreError::Broken { what: "a large record lacks a part".to_owned(), source: error.into() })
    }
}
