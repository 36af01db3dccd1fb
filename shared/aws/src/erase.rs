//! Writes that are many and need no condition: rows that are deleted for good, names on lists, and which scopes an entity
//! has. Knows keys only; what may be deleted, the engine decides.

use crate::dynamo::DynamoStore;
use crate::item::{self, Item, keys, string, text};
use crate::wire::{self, failed};
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use engine::entities::Entity;
use engine::{ScopeId, StoreError};
use std::sync::PoisonError;

/// DynamoDB takes so many writes in one request.
const AT_ONCE: usize = 25;

/// Of small items.
fn units<T>(chunk: &[T]) -> f64 {
    f64::from(u32::try_from(chunk.len()).unwrap_or(u32::MAX))
}

impl DynamoStore {
    /// A page of keys at a time, so that memory does not follow the partition's size. The scope goes last: killed in
    /// between, the next call finds it again.
    pub(crate) async fn erase_rows(&self, entity: &Entity, scope: ScopeId, prefix: &str) -> Result<u64, StoreError> {
        let mut rows = 0;
        loop {
            let query = self.client.query().table_name(&self.table).projection_expression("pk, sk, #part").expression_attribute_names("#part", "_part");
            let query = query.consistent_read(true).limit(500).expression_attribute_values(":pk", text(item::pk(entity.name, scope)));
            let query = if prefix.is_empty() {
                query.key_condition_expression("pk = :pk")
            } else {
                query.key_condition_expression("pk = :pk AND begins_with(sk, :prefix)").expression_attribute_values(":prefix", text(prefix))
            };
            let items = query.send().await.map_err(|error| failed("listing rows", error))?.items.unwrap_or_default();
            if items.is_empty() {
                break;
            }
            rows += items.iter().filter(|item| !item.contains_key("_part")).count();
            for chunk in items.chunks(AT_ONCE) {
                self.turn(&item::pk(entity.name, scope), units(chunk)).await;
                self.delete(chunk).await?;
            }
        }
        if prefix.is_empty() {
            self.listed.lock().unwrap_or_else(PoisonError::into_inner).remove(&(entity.name.to_owned(), scope));
            let key = keys(&format!("scopes#{}", entity.name), &scope.to_string());
            let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key));
            delete.send().await.map_err(|error| failed("unlisting a scope", error))?;
        }
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    async fn delete(&self, items: &[Item]) -> Result<(), StoreError> {
        let doing = "deleting rows";
        let broken = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Broken { what: doing.to_owned(), source: error.into() };
        let one = |item: &Item| {
            let delete = DeleteRequest::builder().set_key(Some(keys(&string(item, "pk"), &string(item, "sk")))).build().map_err(broken)?;
            Ok::<_, StoreError>(WriteRequest::builder().delete_request(delete).build())
        };
        self.write_together(items.iter().map(one).collect::<Result<Vec<_>, _>>()?, doing).await
    }

    /// Puts names on a list of `of`, or takes them off it: whether they are there already does not matter.
    pub(crate) async fn write_list(&self, of: &str, names: &[String], on: bool) -> Result<(), StoreError> {
        let doing = "writing a list";
        let broken = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Broken { what: doing.to_owned(), source: error.into() };
        let one = |name: &String| {
            let request = WriteRequest::builder();
            let mut item = keys(of, name);
            Ok::<_, StoreError>(if on {
                item.insert("revision".to_owned(), AttributeValue::N("1".to_owned()));
                request.put_request(PutRequest::builder().set_item(Some(item)).build().map_err(broken)?).build()
            } else {
                request.delete_request(DeleteRequest::builder().set_key(Some(item)).build().map_err(broken)?).build()
            })
        };
        for names in names.chunks(AT_ONCE) {
            self.turn(of, units(names)).await;
            self.write_together(names.iter().map(one).collect::<Result<Vec<_>, _>>()?, doing).await?;
        }
        Ok(())
    }

    /// Notes that these entities have rows in these scopes.
    pub(crate) async fn write_scopes(&self, scopes: &[(String, ScopeId)]) -> Result<(), StoreError> {
        let doing = "listing scopes";
        let broken = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Broken { what: doing.to_owned(), source: error.into() };
        let one = |(entity, scope): &(String, ScopeId)| {
            let put = PutRequest::builder().set_item(Some(keys(&format!("scopes#{entity}"), &scope.to_string()))).build().map_err(broken)?;
            Ok::<_, StoreError>(WriteRequest::builder().put_request(put).build())
        };
        for scopes in scopes.chunks(AT_ONCE) {
            self.write_together(scopes.iter().map(one).collect::<Result<Vec<_>, _>>()?, doing).await?;
        }
        Ok(())
    }

    async fn write_together(&self, mut open: Vec<WriteRequest>, doing: &str) -> Result<(), StoreError> {
        let mut tried = 0;
        while !open.is_empty() {
            if tried == wire::TRIES {
                return Err(wire::gave_up(doing));
            }
            let answer = self.client.batch_write_item().request_items(&self.table, open).send().await;
            open = answer.map_err(|error| failed(doing, error))?.unprocessed_items.unwrap_or_default().remove(&self.table).unwrap_or_default();
            if !open.is_empty() {
                wire::pause(tried).await;
                tried += 1;
            }
        }
        Ok(())
    }
}
