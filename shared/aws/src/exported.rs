//! Reads what DynamoDB exported to S3 (a full export in DynamoDB JSON, as `aws s3 sync` brings it) into an embedded table,
//! item by item as they were. Knows no record.

use crate::embedded::{Embedded, TABLE};
use crate::item::Item;
use crate::wire::failed;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::StoreError;
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// What a transaction takes: a hundred items, and 4 MB, of which JSON with its types is more than DynamoDB counts.
const ITEMS: usize = 100;
const BYTES: usize = 3 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ExportedError {
    #[error("there is no export of DynamoDB's in {}: it is where manifest-summary.json is, below AWSDynamoDB. Fetch it with `aws s3 sync s3://BUCKET/PREFIX DIR`", dir.display())]
    Nothing { dir: PathBuf },
    #[error("there are several exports in {}: {}. Name the one that you want", dir.display(), names.join(", "))]
    Several { dir: PathBuf, names: Vec<String> },
    #[error("{} is {what}: what can be read is a full export in the format DYNAMODB_JSON", dir.display())]
    Other { dir: PathBuf, what: String },
    #[error("the export lacks {}. Fetch it again with `aws s3 sync`; if it is not in the bucket either, export anew", file.display())]
    Missing { file: PathBuf },
    #[error("{} cannot be read: {source}. Fetch it again with `aws s3 sync`", file.display())]
    Unreadable {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} has {found} items where DynamoDB tells {told}. Fetch it again with `aws s3 sync`", file.display())]
    Short { file: PathBuf, found: u64, told: u64 },
    #[error("line {line} of {} is no item of a stack's table: {why}", file.display())]
    Strange { file: PathBuf, line: u64, why: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One export, as its manifests tell it.
#[derive(Debug)]
pub struct Exported {
    files: Vec<(PathBuf, u64)>,
    pub items: u64,
    /// The moment that it is of.
    pub as_of: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    output_format: String,
    export_type: Option<String>,
    export_time: String,
    item_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataFile {
    item_count: u64,
    data_file_s3_key: String,
}

impl Exported {
    /// Finds the export in this directory or below `AWSDynamoDB` in it.
    pub fn find(dir: &Path) -> Result<Self, ExportedError> {
        let dir = place(dir)?;
        let summary: Summary = manifest(&dir, "manifest-summary.json", |text| serde_json::from_str(text))?;
        let other = |what: &str| ExportedError::Other { dir: dir.clone(), what: what.to_owned() };
        if summary.export_type.as_deref().is_some_and(|kind| kind != "FULL_EXPORT") {
            return Err(other("an incremental export"));
        }
        if summary.output_format != "DYNAMODB_JSON" {
            return Err(other(&format!("in the format {}", summary.output_format)));
        }
        let told: Vec<DataFile> = manifest(&dir, "manifest-files.json", |text| text.lines().map(serde_json::from_str).collect())?;
        let mut files = Vec::new();
        for DataFile { item_count, data_file_s3_key } in told {
            let file = dir.join("data").join(data_file_s3_key.rsplit('/').next().unwrap_or_default());
            if !file.is_file() {
                return Err(ExportedError::Missing { file });
            }
            files.push((file, item_count));
        }
        Ok(Self { files, items: summary.item_count, as_of: summary.export_time })
    }
}

fn place(dir: &Path) -> Result<PathBuf, ExportedError> {
    let is_one = |dir: &Path| dir.join("manifest-summary.json").is_file();
    if is_one(dir) {
        return Ok(dir.to_owned());
    }
    let below = std::fs::read_dir(dir.join("AWSDynamoDB")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut all: Vec<PathBuf> = below.filter(|path| is_one(path)).collect();
    all.sort();
    match all.as_slice() {
        [] => Err(ExportedError::Nothing { dir: dir.to_owned() }),
        [one] => Ok(one.clone()),
        _ => Err(ExportedError::Several { dir: dir.to_owned(), names: all.iter().map(|path| path.display().to_string()).collect() }),
    }
}

fn manifest<T>(dir: &Path, name: &str, read: impl FnOnce(&str) -> serde_json::Result<T>) -> Result<T, ExportedError> {
    let file = dir.join(name);
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(ExportedError::Missing { file }),
        Err(source) => return Err(ExportedError::Unreadable { file, source }),
    };
    read(&text).map_err(|error| ExportedError::Unreadable { file, source: error.into() })
}

impl Embedded {
    /// Takes every item in; `each` is told how many are in so far.
    pub async fn take_in(&self, export: &Exported, each: &mut dyn FnMut(u64)) -> Result<(), ExportedError> {
        let mut taken = 0;
        for (file, told) in &export.files {
            let unreadable = |source| ExportedError::Unreadable { file: file.clone(), source };
            let lines = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(file).map_err(unreadable)?))).lines();
            let (mut found, mut bytes, mut puts) = (0, 0, Vec::new());
            for line in lines {
                let line = line.map_err(unreadable)?;
                found += 1;
                let item = item(&line).map_err(|why| ExportedError::Strange { file: file.clone(), line: found, why })?;
                if puts.len() == ITEMS || bytes + line.len() > BYTES && !puts.is_empty() {
                    taken += self.put(std::mem::take(&mut puts)).await?;
                    bytes = 0;
                    each(taken);
                }
                bytes += line.len();
                puts.push(item);
            }
            taken += self.put(puts).await?;
            each(taken);
            if found != *told {
                return Err(ExportedError::Short { file: file.clone(), found, told: *told });
            }
        }
        Ok(())
    }

    async fn put(&self, items: Vec<Item>) -> Result<u64, StoreError> {
        let doing = "writing items";
        let count = u64::try_from(items.len()).unwrap_or(u64::MAX);
        if items.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.client().transact_write_items();
        for item in items {
            let put = Put::builder().table_name(TABLE).set_item(Some(item)).build();
            let put = put.map_err(|error| StoreError::Broken { what: doing.to_owned(), source: error.into() })?;
            transaction = transaction.transact_items(TransactWriteItem::builder().put(put).build());
        }
        transaction.send().await.map_err(|error| failed(doing, error))?;
        Ok(count)
    }
}

/// `{"Item":{"pk":{"S":"…"},…}}`.
fn item(line: &str) -> Result<Item, String> {
    let line: Map<String, Value> = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let Some(Value::Object(attributes)) = line.into_iter().find(|(name, _)| name == "Item").map(|(_, item)| item) else {
        return Err("it has no Item".to_owned());
    };
    let attributes = attributes.into_iter().map(|(name, value)| match attribute(value) {
        Some(value) => Ok((name, value)),
        None => Err(format!("the attribute {name} is of no type that we write")),
    });
    let item = attributes.collect::<Result<Item, String>>()?;
    let is_text = |name: &str| item.get(name).is_some_and(AttributeValue::is_s);
    if is_text("pk") && is_text("sk") { Ok(item) } else { Err("it has no pk and sk".to_owned()) }
}

fn attribute(value: Value) -> Option<AttributeValue> {
    let Value::Object(typed) = value else { return None };
    let (kind, value) = typed.into_iter().next()?;
    Some(match (kind.as_str(), value) {
        ("S", Value::String(text)) => AttributeValue::S(text),
        ("N", Value::String(number)) => AttributeValue::N(number),
        ("BOOL", Value::Bool(value)) => AttributeValue::Bool(value),
        ("NULL", Value::Bool(value)) => AttributeValue::Null(value),
        ("B", Value::String(text)) => AttributeValue::B(Blob::new(STANDARD.decode(text).ok()?)),
        ("SS", Value::Array(texts)) => AttributeValue::Ss(texts.into_iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?),
        ("NS", Value::Array(texts)) => AttributeValue::Ns(texts.into_iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?),
        ("L", Value::Array(values)) => AttributeValue::L(values.into_iter().map(attribute).collect::<Option<_>>()?),
        ("M", Value::Object(values)) => AttributeValue::M(values.into_iter().map(|(name, value)| Some((name, attribute(value)?))).collect::<Option<_>>()?),
        _ => return None,
    })
}
