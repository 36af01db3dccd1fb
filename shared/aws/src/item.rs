//! A record as a DynamoDB item, and back. Fields are native attributes, so that the table can be queried and exported
//! as it is; ours begin with an underscore. Knows no client.
//!
//! | attribute | holds |
//! |---|---|
//! | `pk` | `entity#scope` |
//! | `sk` | the record's key; one over 900 bytes is cut and ends in its digest |
//! | `_key` | the whole key, where it was cut |
//! | `_v` | version, as text that orders; none beside `_l` |
//! | `_d` | digest of the fields: tells a change without reading the item; none beside `_l` |
//! | `_gone` | of a tombstone: true |
//! | `_l` | of `stage_sightings`, which there are many of and only we read: all fields, as a line (`line.rs`) |
//! | `_j` | the same, as JSON, of a former version |
//! | `_parts`, `_part` | an item over 390 KB is cut into parts, `sk` + U+0001 + digest + number |

use crate::line;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use engine::entities::STAGE_SIGHTINGS;
use engine::{Presence, Record, ScopeId, Stored, Version};
use serde_json::{Map, Number, Value};
use sha2::Digest;
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// DynamoDB takes 400 KB an item, names included.
const LARGEST: usize = 390_000;
pub(crate) const PART: usize = 350_000;
/// DynamoDB takes 1,024 bytes of sort key.
const LONGEST_KEY: usize = 900;
/// Separates an item's key from the number of a part; no key of GitHub's holds it.
pub(crate) const PART_MARK: char = '\u{1}';

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn pk(entity: &str, scope: ScopeId) -> String {
    format!("{entity}#{scope}")
}

pub(crate) fn sk(key: &str) -> String {
    if key.len() <= LONGEST_KEY {
        return key.to_owned();
    }
    let mut end = LONGEST_KEY - 40;
    while !key.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{}", key.get(..end).unwrap_or_default(), digest(key.as_bytes()))
}

pub(crate) fn keys(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// Half a SHA-256, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let half = sha2::Sha256::digest(bytes).iter().take(16).fold(0_u128, |half, byte| half << 8 | u128::from(*byte));
    format!("{half:032x}")
}

/// A record ready to be written: the item itself, last, after its parts if it has any.
pub(crate) struct Packed {
    pub(crate) item: Item,
    pub(crate) parts: Vec<Item>,
    pub(crate) size: usize,
}

pub(crate) fn fields_digest(record: &Record) -> String {
    digest(&json_of(record))
}

/// The fields as compact JSON, in the order of their names.
pub(crate) fn json_of(record: &Record) -> Vec<u8> {
    // Values that were read from JSON can be written as JSON.
    serde_json::to_vec(&record.fields).unwrap_or_default()
}

pub(crate) fn pack(record: &Record) -> Packed {
    let json = json_of(record);
    let digest = digest(&json);
    let (pk, sk) = (pk(record.entity.name, record.scope), sk(&record.key));
    let mut item = keys(&pk, &sk);
    let in_line = record.entity == &STAGE_SIGHTINGS && record.presence == Presence::Glimpse && sk == record.key && json.len() + LONGEST_KEY <= LARGEST;
    if let Some(line) = in_line.then(|| line::line(STAGE_SIGHTINGS.fields, &record.fields)).flatten() {
        // Written once and never compared: it needs no version and no digest.
        item.insert("_l".to_owned(), text(line));
        return Packed { item, parts: Vec::new(), size: json.len() + 200 };
    }
    item.insert("_v".to_owned(), text(&record.version.0));
    item.insert("_d".to_owned(), text(&digest));
    if sk != record.key {
        item.insert("_key".to_owned(), text(&record.key));
    }
    if record.presence == Presence::Gone {
        item.insert("_gone".to_owned(), AttributeValue::Bool(true));
    }
    // JSON is longer than what DynamoDB counts, but for numbers: a safe bound.
    if json.len() + 2 * LONGEST_KEY <= LARGEST {
        // Null is what is not there: a third of many rows.
        let said = record.fields.iter().filter(|(_, value)| !value.is_null());
        item.extend(said.map(|(name, value)| (name.clone(), attribute(value))));
        return Packed { item, parts: Vec::new(), size: json.len() + 200 };
    }
    let parts: Vec<Item> = json
        .chunks(PART)
        .enumerate()
        .map(|(number, bytes)| {
            let mut part = keys(&pk, &format!("{sk}{PART_MARK}{digest}#{number:04}"));
            part.insert("_part".to_owned(), AttributeValue::B(Blob::new(bytes)));
            part
        })
        .collect();
    item.insert("_parts".to_owned(), AttributeValue::N(parts.len().to_string()));
    Packed { item, parts, size: 1000 }
}

/// What sets the fields of a part, and a digest that no whole record has.
pub(crate) fn amendment(record: &Record) -> Item {
    let mut set: Item = record.fields.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    set.insert("_d".to_owned(), text(format!("part {}", fields_digest(record))));
    if sk(&record.key) != record.key {
        set.insert("_key".to_owned(), text(&record.key));
    }
    set
}

/// Where the parts of an item are, if it has any.
pub(crate) fn part_keys(item: &Item, pk: &str) -> Vec<Item> {
    let count: usize = item.get("_parts").and_then(|count| count.as_n().ok()).and_then(|count| count.parse().ok()).unwrap_or(0);
    let (sk, digest) = (string(item, "sk"), string(item, "_d"));
    (0..count).map(|number| keys(pk, &format!("{sk}{PART_MARK}{digest}#{number:04}"))).collect()
}

pub(crate) fn string(item: &Item, name: &str) -> String {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// `whole` are the fields of an item in parts, put together.
pub(crate) fn unpack(scope: ScopeId, mut item: Item, whole: Option<Map<String, Value>>) -> Stored {
    let own = |item: &mut Item, name: &str| match item.remove(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    };
    let sk = own(&mut item, "sk").unwrap_or_default();
    let key = own(&mut item, "_key").unwrap_or(sk);
    let version = Version(own(&mut item, "_v").unwrap_or_default());
    let gone = item.contains_key("_gone");
    let packed = own(&mut item, "_l").map(|line| line::fields(STAGE_SIGHTINGS.fields, &line));
    let packed = packed.or_else(|| serde_json::from_str(&own(&mut item, "_j")?).ok());
    let mut fields = whole.or(packed).unwrap_or_else(|| {
        let fields = item.into_iter().filter(|(name, _)| name != "pk" && !name.starts_with('_'));
        fields.map(|(name, value)| (name, json(value))).collect()
    });
    fields.retain(|_, value| !value.is_null());
    Stored { scope, key, version, gone, fields }
}

pub(crate) fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(value) => AttributeValue::Bool(*value),
        Value::Number(value) => AttributeValue::N(value.to_string()),
        Value::String(value) => AttributeValue::S(value.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(attribute).collect()),
        Value::Object(values) => AttributeValue::M(values.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()),
    }
}

pub(crate) fn json(value: AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::N(text) => number(&text).map_or(Value::String(text), Value::Number),
        AttributeValue::S(value) => Value::String(value),
        AttributeValue::L(values) => values.into_iter().map(json).collect(),
        AttributeValue::M(values) => Value::Object(values.into_iter().map(|(name, value)| (name, json(value))).collect()),
        // We write no other kinds.
        _ => Value::Null,
    }
}

fn number(text: &str) -> Option<Number> {
    text.parse::<u64>().map(Number::from).ok().or_else(|| text.parse::<i64>().map(Number::from).ok()).or_else(|| Number::from_f64(text.parse().ok()?))
}
