//! Writes records: reads what is there, decides what each becomes, and writes that under the condition that nobody newer
//! came in between. Knows the conditions; the layout of an item is in `item`.

use crate::amend;
use crate::dynamo::{DynamoStore, Writes};
use crate::item::{self, Item, Packed, keys, string, text};
use crate::reading::Projection;
use crate::wire::failed;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use engine::{Presence, Record, ScopeId, StoreError, Written};
use futures::StreamExt;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::PoisonError;

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

impl Plan {
    /// To which partition key it writes, and about how many units.
    fn weight(&self) -> (String, f64) {
        let (item, bytes) = match self {
            Self::Put { packed, .. } => (&packed.item, packed.size + packed.parts.len() * item::PART),
            Self::Bury { key, .. } => (key, 1024),
            Self::Amend { key, set, .. } => (key, 1024 + 100 * set.len()),
        };
        (string(item, "pk"), f64::from(u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)))
    }
}

/// What is there, as far as writing needs to know.
pub(crate) struct Existing {
    version: String,
    digest: String,
    gone: bool,
    parts: Vec<Item>,
}

impl DynamoStore {
    pub(crate) async fn put_all(&self, records: &[Record]) -> Result<Written, StoreError> {
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

    async fn existing(&self, records: &BTreeMap<(String, String), &Record>) -> Result<HashMap<(String, String), Existing>, StoreError> {
        let wanted = records.keys().map(|(pk, sk)| keys(pk, sk)).collect();
        let items = self.batch_get(wanted, Some(&Projection::of(&["pk", "sk", "_v", "_d", "_gone", "_parts"])), false).await?;
        let read = |item: Item| {
            let existing = Existing {
                version: string(&item, "_v"),
                digest: string(&item, "_d"),
                gone: item.contains_key("_gone"),
                parts: item::part_keys(&item, &string(&item, "pk")),
            };
            ((string(&item, "pk"), string(&item, "sk")), existing)
        };
        Ok(items.into_iter().map(read).collect())
    }

    /// Makes sure that the scope will be found again, before its first row is written.
    async fn list_scopes(&self, records: &[Record]) -> Result<(), StoreError> {
        let scopes: HashSet<(String, ScopeId)> = records.iter().map(|record| (record.entity.name.to_owned(), record.scope)).collect();
        let known = self.listed.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let new: Vec<(String, ScopeId)> = scopes.difference(&known).cloned().collect();
        self.write_scopes(&new).await?;
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
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
        let (key, units) = plan.weight();
        self.turn(&key, units).await;
        let mut written = Written::default();
        count(plan, self.single(plan).await?, &mut written);
        Ok(written)
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
