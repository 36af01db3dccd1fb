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
//! | gate | `gates`, token#resource | every request to GitHub, status |
//! | what a discovery found and spent | `discoveries`, organization | status |
//! | commits whose files are to be read | `files#scope`, time counting down and sha | that sweep |
//! | what events left to be asked for; which scopes have any | `asked#scope`, node id; `asked`, scope | the job `asked` |
//! | what became of an event | `deliveries#` + first digit, delivery id | webhook, receiver, events |
//! | an event that waits in this table, or is too large for the queue | `inbox`, time and id; `claims#id`, number | serve; receiver |
//!
//! A record that is as it was costs half a read unit for each 4 KB and no write; one that changed costs one write unit
//! for each KB (twice that in transactions, which only the embedded table uses, where they are four times as fast).

use crate::amend;
use crate::item::{self, Item, Packed, keys, string, text};
use crate::wire::{self, failed};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes, Put, ScalarAttributeType, Select, TransactWriteItem, Update,
};
use engine::entities::Entity;
use engine::{Listed, Listing, Presence, Record, ScopeId, State, StateKey, Store, StoreError, Stored, Written};
use futures::StreamExt;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap, HashSet};
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
    writes: Writes,
    /// Of all writes so far.
    tally: Mutex<Written>,
    /// Scopes that are known to be listed.
    pub(crate) listed: Mutex<HashSet<(String, ScopeId)>>,
}

/// What a write does to a row, decided from what was there.
enum Plan {
    Put {
        packed: Box<Packed>,
        fresh: bool,
        only_if_absent: bool,
        version: String,
        old_parts: Vec<Item>,
    },
    Bury {
        key: Item,
        version: String,
    },
    /// Sets some fields and leaves the others.
    Amend {
        key: Item,
        version: String,
        set: Item,
        fresh: bool,
        record: Box<Record>,
    },
}

/// What is there, as far as writing needs to know.
pub(crate) struct Existing {
    version: String,
    digest: String,
    gone: bool,
    parts: Vec<Item>,
}

impl DynamoStore {
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>, writes: Writes) -> Self {
        Self { client, table: table.into(), writes, tally: Mutex::default(), listed: Mutex::default() }
    }

    /// What all writes so far came to.
    #[must_use]
    pub fn written(&self) -> Written {
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put_all(&self, records: &[Record]) -> Result<Written, StoreError> {
        let mut newest: BTreeMap<(String, String), &Record> = BTreeMap::new();
        for record in records {
            let key = (item::pk(record.entity.name, record.scope), item::sk(&record.key));
            let slot = newest.entry(key).or_insert(record);
            if (slot.presence == Presence::Glimpse && record.presence != Presence::Glimpse) || slot.version < record.version {
                *slot = record;
            }
        }
        if newest.is_empty() {
            return Ok(Written::default());
        }
        self.list_scopes(records).await?;
        let existing = self.existing(&newest).await?;
        let mut written = Written::default();
        let mut plans = Vec::new();
        for (key, record) in &newest {
            if record.presence == Presence::Part && amend::is_large(record, existing.get(key).map(|existing| existing.parts.as_slice())) {
                written += self.merge(record).await?;
                continue;
            }
            match plan(record, existing.get(key)) {
                Some(plan) => plans.push(plan),
                None => written.unchanged += 1,
            }
        }
        let alone = |plan: &Plan| matches!(plan, Plan::Put { packed, old_parts, .. } if !packed.parts.is_empty() || !old_parts.is_empty());
        let (large, plans): (Vec<Plan>, Vec<Plan>) = plans.into_iter().partition(alone);
        self.singles(&large, &mut written).await?;
        if self.writes == Writes::Single {
            self.singles(&plans, &mut written).await?;
            return Ok(written);
        }
        for chunk in batches(&plans) {
            if self.transaction(chunk).await? {
                chunk.iter().for_each(|plan| count(plan, true, &mut written));
            } else {
                self.singles(chunk, &mut written).await?;
            }
        }
        Ok(written)
    }

    /// Reads items by key, a hundred at a time, until all are read.
    pub(crate) async fn batch_get(&self, keys: Vec<Item>, projection: Option<&str>, consistent: bool) -> Result<Vec<Item>, StoreError> {
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
                    wanted = wanted
                        .projection_expression(projection)
                        .expression_attribute_names("#v", "_v")
                        .expression_attribute_names("#d", "_d")
                        .expression_attribute_names("#g", "_gone")
                        .expression_attribute_names("#n", "_parts");
                }
                let wanted = wanted.build().map_err(|error| StoreError::Broken { what: doing.to_owned(), source: error.into() })?;
                let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
                let answer = answer.map_err(|error| failed(doing, error))?;
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

    async fn existing(&self, records: &BTreeMap<(String, String), &Record>) -> Result<HashMap<(String, String), Existing>, StoreError> {
        let wanted = records.keys().map(|(pk, sk)| keys(pk, sk)).collect();
        let items = self.batch_get(wanted, Some("pk, sk, #v, #d, #g, #n"), false).await?;
        let read = |item: Item| {
            let existing =
                Existing { version: string(&item, "_v"), digest: string(&item, "_d"), gone: item.contains_key("_gone"), parts: item::part_keys(&item) };
            ((string(&item, "pk"), string(&item, "sk")), existing)
        };
        Ok(items.into_iter().map(read).collect())
    }

    /// Makes sure that the scope will be found again, before its first row is written.
    async fn list_scopes(&self, records: &[Record]) -> Result<(), StoreError> {
        let scopes: HashSet<(String, ScopeId)> = records.iter().map(|record| (record.entity.name.to_owned(), record.scope)).collect();
        let known = self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (entity, scope) in scopes.difference(&known) {
            let item = keys(&format!("scopes#{entity}"), &scope.to_string());
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item)).condition_expression("attribute_not_exists(pk)");
            match put.send().await {
                Ok(_) => {}
                Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {}
                Err(error) => return Err(failed("listing a scope", error)),
            }
            self.listed.lock().unwrap_or_else(PoisonError::into_inner).insert((entity.clone(), *scope));
        }
        Ok(())
    }

    fn write(&self, plan: &Plan) -> Result<TransactWriteItem, StoreError> {
        let broken = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Broken { what: "a write cannot be made".to_owned(), source: error.into() };
        let item = TransactWriteItem::builder();
        Ok(match plan {
            Plan::Put { packed, only_if_absent, version, .. } => {
                let mut put = Put::builder().table_name(&self.table).set_item(Some(packed.item.clone()));
                put = if *only_if_absent {
                    put.condition_expression("attribute_not_exists(pk)")
                } else {
                    put.condition_expression("attribute_not_exists(pk) OR #v < :v")
                        .expression_attribute_names("#v", "_v")
                        .expression_attribute_values(":v", text(version))
                };
                item.put(put.build().map_err(broken)?).build()
            }
            Plan::Bury { key, version } => {
                let update = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.clone()))
                    .update_expression("SET #g = :gone, #v = :v")
                    .condition_expression("attribute_exists(pk) AND attribute_not_exists(#g) AND #v < :v")
                    .expression_attribute_names("#g", "_gone")
                    .expression_attribute_names("#v", "_v")
                    .expression_attribute_values(":gone", AttributeValue::Bool(true))
                    .expression_attribute_values(":v", text(version));
                item.update(update.build().map_err(broken)?).build()
            }
            Plan::Amend { key, version, set, .. } => {
                let mut update = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.clone()))
                    // A row that is in parts by now is put together elsewhere.
                    .condition_expression("attribute_not_exists(pk) OR (#v < :v AND attribute_not_exists(#n))")
                    .expression_attribute_names("#n", "_parts")
                    .expression_attribute_names("#g", "_gone")
                    .expression_attribute_names("#v", "_v")
                    .expression_attribute_values(":v", text(version));
                let (mut sets, mut removed) = (vec!["#v = :v".to_owned()], vec!["#g".to_owned()]);
                for (index, (name, value)) in set.iter().enumerate() {
                    update = update.expression_attribute_names(format!("#f{index}"), name);
                    if value.is_null() {
                        removed.push(format!("#f{index}"));
                    } else {
                        sets.push(format!("#f{index} = :f{index}"));
                        update = update.expression_attribute_values(format!(":f{index}"), value.clone());
                    }
                }
                update = update.update_expression(format!("SET {} REMOVE {}", sets.join(", "), removed.join(", ")));
                item.update(update.build().map_err(broken)?).build()
            }
        })
    }

    /// One write of its own; false if the condition did not hold: somebody was newer.
    async fn single(&self, plan: &Plan) -> Result<bool, StoreError> {
        let doing = "writing a record";
        if let Plan::Put { packed, .. } = plan {
            for part in &packed.parts {
                let put = self.client.put_item().table_name(&self.table).set_item(Some(part.clone()));
                put.send().await.map_err(|error| failed("writing a part of a large record", error))?;
            }
        }
        let write = self.write(plan)?;
        let conditional = if let Some(put) = write.put {
            let request = self.client.put_item().table_name(put.table_name).set_item(Some(put.item));
            let request = request
                .set_condition_expression(put.condition_expression)
                .set_expression_attribute_names(put.expression_attribute_names)
                .set_expression_attribute_values(put.expression_attribute_values);
            match request.send().await {
                Ok(_) => Ok(true),
                Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => Ok(false),
                Err(error) => Err(failed(doing, error)),
            }
        } else if let Some(update) = write.update {
            let request = self.client.update_item().table_name(update.table_name).set_key(Some(update.key));
            let request = request
                .update_expression(update.update_expression)
                .set_condition_expression(update.condition_expression)
                .set_expression_attribute_names(update.expression_attribute_names)
                .set_expression_attribute_values(update.expression_attribute_values);
            match (request.send().await, plan) {
                (Ok(_), _) => Ok(true),
                // Somebody was newer, or it does not fit into the item: looked at as a whole.
                (Err(error), Plan::Amend { record, .. }) if amend::is_to_be_merged(&error) => self.merge(record).await.map(|written| written.unchanged == 0),
                (Err(error), _) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => Ok(false),
                (Err(error), _) => Err(failed(doing, error)),
            }
        } else {
            Ok(false)
        };
        if let (Ok(true), Plan::Put { old_parts, .. }) = (&conditional, plan) {
            for key in old_parts {
                let delete = self.client.delete_item().table_name(&self.table).set_key(Some(key.clone()));
                delete.send().await.map_err(|error| failed("removing an old part", error))?;
            }
        }
        conditional
    }

    /// A hundred writes or none; false if one of them must be looked at alone.
    async fn transaction(&self, plans: &[Plan]) -> Result<bool, StoreError> {
        let writes = plans.iter().map(|plan| self.write(plan)).collect::<Result<Vec<_>, _>>()?;
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.as_service_error(), Some(TransactWriteItemsError::TransactionCanceledException(_))) => Ok(false),
            Err(error) => Err(failed("writing records", error)),
        }
    }

    async fn singles(&self, plans: &[Plan], written: &mut Written) -> Result<(), StoreError> {
        let all: Vec<_> = plans.iter().map(|plan| self.counted(plan)).collect();
        let mut done = futures::stream::iter(all).buffer_unordered(16);
        while let Some(one) = done.next().await {
            *written += one?;
        }
        Ok(())
    }

    async fn counted(&self, plan: &Plan) -> Result<Written, StoreError> {
        let mut written = Written::default();
        count(plan, self.single(plan).await?, &mut written);
        Ok(written)
    }

    pub(crate) async fn whole(&self, item: &Item) -> Result<Option<Map<String, Value>>, StoreError> {
        let keys = item::part_keys(item);
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

fn count(plan: &Plan, done: bool, written: &mut Written) {
    match plan {
        _ if !done => written.unchanged += 1,
        Plan::Put { fresh: true, .. } | Plan::Amend { fresh: true, .. } => written.created += 1,
        Plan::Put { .. } | Plan::Amend { .. } => written.updated += 1,
        Plan::Bury { .. } => written.removed += 1,
    }
}

fn plan(record: &Record, existing: Option<&Existing>) -> Option<Plan> {
    let version = record.version.0.clone();
    match record.presence {
        Presence::Gone => {
            existing.filter(|existing| !existing.gone && existing.version < version)?;
            let key = keys(&item::pk(record.entity.name, record.scope), &item::sk(&record.key));
            Some(Plan::Bury { key, version })
        }
        Presence::Part => {
            let (set, fresh) = (item::amendment(record), existing.is_none_or(|existing| existing.gone));
            if existing.is_some_and(|existing| existing.version >= version) {
                return None;
            }
            let key = keys(&item::pk(record.entity.name, record.scope), &item::sk(&record.key));
            Some(Plan::Amend { key, version, set, fresh, record: Box::new(record.clone()) })
        }
        Presence::Glimpse if existing.is_some() => None,
        Presence::Glimpse | Presence::Whole => {
            let same = existing.is_some_and(|existing| !existing.gone && existing.digest == item::fields_digest(record));
            if same || existing.is_some_and(|existing| existing.version >= version) {
                return None;
            }
            let packed = Box::new(item::pack(record));
            let fresh = existing.is_none_or(|existing| existing.gone);
            let new_parts: HashSet<String> = packed.parts.iter().map(|part| string(part, "sk")).collect();
            let old_parts = existing.map(|existing| existing.parts.clone()).unwrap_or_default();
            let old_parts = old_parts.into_iter().filter(|part| !new_parts.contains(&string(part, "sk"))).collect();
            let only_if_absent = record.presence == Presence::Glimpse;
            Some(Plan::Put { packed, fresh, only_if_absent, version, old_parts })
        }
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn put(&self, records: &[Record]) -> Result<Written, StoreError> {
        let written = self.put_all(records).await?;
        *self.tally.lock().unwrap_or_else(PoisonError::into_inner) += written;
        Ok(written)
    }

    async fn list(&self, listing: &Listing<'_>) -> Result<Listed, StoreError> {
        let pk = item::pk(listing.entity.name, listing.scope);
        let mut listed = Listed::default();
        let mut start: Option<Item> = None;
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .expression_attribute_values(":pk", text(&pk))
                .set_exclusive_start_key(start.take())
                .limit(i32::try_from(listing.limit.saturating_sub(listed.rows.len()).max(1)).unwrap_or(1000));
            // One condition on the sort key is all that DynamoDB takes: `after` starts where the prefix is already past.
            query = match (listing.after, listing.prefix) {
                (Some(after), _) => query.key_condition_expression("pk = :pk AND sk > :after").expression_attribute_values(":after", text(item::sk(after))),
                (None, "") => query.key_condition_expression("pk = :pk"),
                (None, prefix) => query.key_condition_expression("pk = :pk AND begins_with(sk, :prefix)").expression_attribute_values(":prefix", text(prefix)),
            };
            let answer = query.send().await.map_err(|error| failed("listing rows", error))?;
            for item in answer.items.unwrap_or_default() {
                if !string(&item, "sk").starts_with(listing.prefix) {
                    return Ok(listed);
                }
                if item.contains_key("_part") {
                    continue;
                }
                let whole = self.whole(&item).await?;
                listed.rows.push(item::unpack(listing.scope, item, whole));
            }
            start = answer.last_evaluated_key;
            if start.is_none() || listed.rows.len() >= listing.limit {
                listed.more = start.is_some();
                return Ok(listed);
            }
        }
    }

    async fn get(&self, entity: &'static Entity, scope: ScopeId, wanted: &[String]) -> Result<Vec<Stored>, StoreError> {
        let pk = item::pk(entity.name, scope);
        let unique: HashSet<String> = wanted.iter().map(|key| item::sk(key)).collect();
        let items = self.batch_get(unique.iter().map(|sk| keys(&pk, sk)).collect(), None, false).await?;
        let mut rows = Vec::with_capacity(items.len());
        for item in items {
            let whole = self.whole(&item).await?;
            rows.push(item::unpack(scope, item, whole));
        }
        Ok(rows)
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

    async fn scopes(&self, entity: &'static Entity) -> Result<Vec<ScopeId>, StoreError> {
        let rows = self.partition(&format!("scopes#{}", entity.name), None).await?;
        Ok(rows.iter().filter_map(|item| string(item, "sk").parse().ok()).collect())
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

/// At most a hundred writes and 3 MB (of DynamoDB's 4) in each.
fn batches(plans: &[Plan]) -> Vec<&[Plan]> {
    let mut batches = Vec::new();
    let (mut start, mut size) = (0, 0);
    for (index, plan) in plans.iter().enumerate() {
        let weight = if let Plan::Put { packed, .. } = plan { packed.size } else { 200 };
        if index - start == 100 || (size + weight > 3_000_000 && index > start) {
            batches.extend(plans.get(start..index));
            (start, size) = (index, 0);
        }
        size += weight;
    }
    batches.extend(plans.get(start..).filter(|rest| !rest.is_empty()));
    batches
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
