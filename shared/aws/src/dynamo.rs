//! Records and state in one DynamoDB table. The layout of a record is in `item`, that of state in `state`.
//!
//! | what | key | read by |
//! |---|---|---|
//! | a record | `entity#scope`, key | export, sweeps (BatchGetItem by key, Query by prefix) |
//! | which scopes an entity has | `scopes#entity`, scope | export, `status --exact` |
//! | mark, hint | `repo#scope`, name | advance, discovery, `status --exact` |
//! | summary of a repository's hint and marks, as JSON text | `summaries#` + scope modulo 16, scope | status |
//! | integration | `integrations`, name | every command that asks GitHub |
//! | which GitHub the copy is of | `place`, `github` | sync |
//! | gate | `gates`, token#resource; also token#`resource, not urgent` and token#`resource, discovery` | every request to GitHub, status |
//! | rows by entity at the end of each day | `totals`, `days` | discovery, sync, status: what fell silent |
//! | what a discovery found and spent | `discoveries`, organization | status |
//! | commits whose files are to be read | `files#scope`, time counting down and sha | that sweep |
//! | what events left to be asked for; which scopes have any | `asked#scope`, node id; `asked`, scope | the job `asked` |
//! | who changed what by way of a console | `changes#` + month, time and hash | console |
//! | who is signed in to a stack's console | `sessions`, a digest of their cookie | console |
//! | what became of an event | `deliveries#` + first digit, delivery id | webhook, receiver, events |
//! | an event that waits in this table, or is too large for the queue | `inbox`, time and id; `claims#id`, number | serve; receiver |
//!
//! A record that is as it was costs half a read unit for each 4 KB and no write; one that changed costs one write unit
//! for each KB (twice that in transactions, which only the embedded table uses, where they are four times as fast).

use crate::item::{self, Item, keys, string, text};
use crate::pace::Pace;
use crate::reading::{Projection, Row, beside, page};
use crate::wire::failed;
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, Select};
use engine::entities::Entity;
use engine::{Listed, Listing, Record, Rows, ScopeId, State, StateKey, Store, StoreError, Stored, Written};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// One conditional put a record, sixteen at a time: the cheapest in AWS.
    Single,
    /// A hundred in a transaction.
    Transactions,
}

pub struct DynamoStore {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) writes: Writes,
    pub(crate) pace: Pace,
    /// Of all writes so far.
    tally: Mutex<Written>,
    /// Scopes that are known to be listed.
    pub(crate) listed: Mutex<HashSet<(String, ScopeId)>>,
}

impl DynamoStore {
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, writes: Writes) -> Self {
        Self { client, table: table.into(), writes, pace: Pace::default(), tally: Mutex::default(), listed: Mutex::default() }
    }

    /// Connects, by looking for what is not there; tells whether the table answered. `of` is a partition that may be read.
    pub async fn warm(&self, of: &str) -> bool {
        self.states(&[StateKey { of: of.to_owned(), name: "none".to_owned() }]).await.is_ok()
    }

    /// Waits, in AWS, until so many units may be written to this partition key.
    pub(crate) async fn turn(&self, key: &str, units: f64) {
        if self.writes == Writes::Single {
            self.pace.wait(key, units).await;
        }
    }

    /// What all writes so far came to.
    #[must_use]
    pub fn written(&self) -> Written {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Rows for DynamoStore {
    async fn list(&self, listing: &Listing<'_>) -> Result<Listed, StoreError> {
        let pk = item::pk(listing.entity.name, listing.scope);
        let only = Projection::of_fields(listing.only);
        let mut listed = Listed::default();
        let mut start: Option<Item> = None;
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .expression_attribute_values(":pk", text(&pk))
                .set_exclusive_start_key(start.take())
                .scan_index_forward(!listing.backward)
                .limit(i32::try_from(listing.limit.saturating_sub(listed.rows.len()).max(1)).unwrap_or(1000));
            // One condition on the sort key is all that DynamoDB takes: `after` starts where the prefix is already past.
            query = match (listing.after, listing.prefix) {
                (Some(after), _) if listing.backward => {
                    query.key_condition_expression("pk = :pk AND sk < :after").expression_attribute_values(":after", text(item::sk(after)))
                }
                (Some(after), _) => query.key_condition_expression("pk = :pk AND sk > :after").expression_attribute_values(":after", text(item::sk(after))),
                (None, "") => query.key_condition_expression("pk = :pk"),
                (None, prefix) => query.key_condition_expression("pk = :pk AND begins_with(sk, :prefix)").expression_attribute_values(":prefix", text(prefix)),
            };
            if let Some(projection) = &only {
                query = query.projection_expression(&projection.expression).set_expression_attribute_names(Some(projection.names.clone()));
            }
            let (rows, past, last) = beside(page(query, listing.scope, listing.prefix.to_owned())).await?;
            for row in rows {
                listed.rows.push(match row {
                    Row::Whole(row) => row,
                    Row::InParts(item) => {
                        let whole = self.whole(&item, &pk).await?;
                        item::unpack(listing.scope, *item, whole)
                    }
                });
            }
            if past {
                return Ok(listed);
            }
            start = last;
            if start.is_none() || listed.rows.len() >= listing.limit {
                listed.more = start.is_some();
                return Ok(listed);
            }
        }
    }

    async fn scopes(&self, entity: &'static Entity) -> Result<Vec<ScopeId>, StoreError> {
        let rows = self.partition(&format!("scopes#{}", entity.name), None).await?;
        Ok(rows.iter().filter_map(|item| string(item, "sk").parse().ok()).collect())
    }

    fn store(&self) -> Option<&dyn Store> {
        Some(self)
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn get_only(&self, entity: &'static Entity, scope: ScopeId, wanted: &[String], only: &[&str]) -> Result<Vec<Stored>, StoreError> {
        let pk = item::pk(entity.name, scope);
        let unique: HashSet<String> = wanted.iter().map(|key| item::sk(key)).collect();
        let items = self.batch_get(unique.iter().map(|sk| keys(&pk, sk)).collect(), Projection::of_fields(only).as_ref(), false).await?;
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            let whole = self.whole(&item, &pk).await?;
            rows.push(item::unpack(scope, item, whole));
        }
        Ok(rows)
    }

    async fn put(&self, records: &[Record]) -> Result<Written, StoreError> {
        let written = self.put_all(records).await?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) += written;
        Ok(written)
    }

    async fn count(&self, entity: &'static Entity, scope: ScopeId) -> Result<u64, StoreError> {
        let mut total = 0;
        let mut start: Option<Item> = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .select(Select::Count)
                // The count stays, so it must have what was just written.
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .filter_expression("attribute_not_exists(#g) AND attribute_not_exists(#p)")
                .expression_attribute_names("#g", "_gone")
                .expression_attribute_names("#p", "_part")
                .expression_attribute_values(":pk", text(item::pk(entity.name, scope)))
                .set_exclusive_start_key(start.take());
            let answer = query.send().await.map_err(|error| failed("counting rows", error))?;
            total += u64::try_from(answer.count).unwrap_or(0);
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(total);
            }
        }
    }

    async fn erase(&self, entity: &'static Entity, scope: ScopeId, prefix: &str) -> Result<u64, StoreError> {
        self.erase_rows(entity, scope, prefix).await
    }

    async fn states(&self, keys: &[StateKey]) -> Result<Vec<State>, StoreError> {
        self.read_states(keys).await
    }

    async fn states_of(&self, of: &str) -> Result<Vec<(String, State)>, StoreError> {
        self.read_states_of(of, None).await
    }

    async fn first_states_of(&self, of: &str, most: usize) -> Result<Vec<(String, State)>, StoreError> {
        self.read_states_of(of, Some(most)).await
    }

    async fn list_names(&self, of: &str, names: &[String], on: bool) -> Result<(), StoreError> {
        self.write_list(of, names, on).await
    }

    async fn save(&self, key: &StateKey, seen: u64, value: &Value) -> Result<u64, StoreError> {
        self.save_state(key, seen, value).await
    }
}

/// Makes the table, on demand, unless it is there.
pub async fn create_table_if_missing(client: &Client, table: &str) -> Result<(), StoreError> {
    let broken = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Broken { what: "the table cannot be described".to_owned(), source: error.into() };
    let mut create = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        create = create.attribute_definitions(attribute.build().map_err(broken)?).key_schema(key.build().map_err(broken)?);
    }
    match create.send().await {
        Ok(_) => Ok(()),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => Ok(()),
        Err(error) => Err(failed("creating the table", error)),
    }
}
