//! `import` as its user meets it. DynamoDB's export is made here of a real copy's items, as AWS documents the format.

use super::{copied, export, parquet};
use crate::{Dir, command, run};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use engine::{Presence, Record, Rows, Store, Version, entities};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

fn typed(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::Null(value) => json!({ "NULL": value }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::L(values) => json!({ "L": values.iter().map(typed).collect::<Vec<_>>() }),
        AttributeValue::M(values) => json!({ "M": item(values) }),
        other => panic!("{other:?}"),
    }
}

fn item(attributes: &HashMap<String, AttributeValue>) -> Map<String, Value> {
    attributes.iter().map(|(name, value)| (name.clone(), typed(value))).collect()
}

fn zipped(lines: &[String]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    for line in lines {
        writeln!(out, "{line}").unwrap();
    }
    out.finish().unwrap()
}

/// Every item of the copy, as lines.
async fn lines(dir: &Path) -> Vec<String> {
    let table = aws::Embedded::open(dir).await.unwrap();
    let mut pages = table.client().scan().table_name("sei-github").into_paginator().send();
    let mut lines = Vec::new();
    while let Some(page) = pages.next().await {
        lines.extend(page.unwrap().items().iter().map(|one| json!({ "Item": item(one) }).to_string()));
    }
    table.shutdown().await;
    lines
}

/// What `aws s3 sync` brings: three data files, of which one is empty.
fn write(dir: &Path, id: &str, lines: &[String], format: &str, kind: &str) -> PathBuf {
    let export = dir.join("AWSDynamoDB").join(id);
    std::fs::create_dir_all(export.join("data")).unwrap();
    let (one, other) = lines.split_at(lines.len() / 3);
    let mut files = String::new();
    for (name, lines) in [("aaa.json.gz", one), ("bbb.json.gz", other), ("ccc.json.gz", &[])] {
        std::fs::write(export.join("data").join(name), zipped(lines)).unwrap();
        let told = json!({ "itemCount": lines.len(), "md5Checksum": "", "etag": "", "dataFileS3Key": format!("exports/AWSDynamoDB/{id}/data/{name}") });
        files.push_str(&format!("{told}\n"));
    }
    std::fs::write(export.join("manifest-files.json"), files).unwrap();
    let summary =
        json!({ "version": "2023-08-01", "exportTime": "2026-01-15T00:00:00Z", "outputFormat": format, "exportType": kind, "itemCount": lines.len() });
    std::fs::write(export.join("manifest-summary.json"), summary.to_string()).unwrap();
    export
}

async fn import(from: &Path, to: &Path) -> (i32, String) {
    let (code, out, err) = run(command(&["import", from.to_str().unwrap(), "--data-dir", to.to_str().unwrap()])).await;
    assert_eq!(out, "");
    (code, err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tables_export_becomes_the_same_files_as_the_table() {
    let (_github, dir) = copied("import-whole").await;
    // One that DynamoDB takes in parts only.
    let table = aws::Embedded::open(&dir.0).await.unwrap();
    let at = "2026-01-15T00:00:00Z".parse().unwrap();
    let scope = table.store().scopes(&entities::LABELS).await.unwrap()[0];
    let Value::Object(fields) = json!({ "node_id": "large", "name": "large", "description": "é".repeat(500_000) }) else { panic!() };
    let large = Record { entity: &entities::LABELS, scope, key: "large".to_owned(), version: Version::new(Some(at), at), fields, presence: Presence::Whole };
    table.store().put(&[large]).await.unwrap();
    table.shutdown().await;
    let lines = lines(&dir.0).await;
    assert!(lines.iter().any(|line| line.contains(r#""_part":{"B""#)));
    let (from, copy) = (dir.0.join("s3"), Dir::new("import-whole-copy"));
    write(&from, "01768435200000-aaaa", &lines, "DYNAMODB_JSON", "FULL_EXPORT");
    std::fs::remove_dir(&copy.0).unwrap();
    let (code, err) = import(&from, &copy.0).await;
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("as of 2026-01-15T00:00:00Z"), "{err}");
    let (of_table, of_export) = (dir.0.join("of-table"), dir.0.join("of-export"));
    for (copy, lake) in [(&dir, &of_table), (&copy, &of_export)] {
        let (code, _, err) = export(copy, lake, &["--all"]).await;
        assert_eq!(code, 0, "{err}");
    }
    assert_eq!(parquet(&of_export), parquet(&of_table));
    let (code, err) = import(&from, &copy.0).await;
    assert_eq!(code, 2);
    assert!(err.contains("is there already"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_not_whole_makes_no_copy() {
    let dir = Dir::new("import-bad");
    let good = |number: usize| json!({ "Item": { "pk": { "S": "labels#1" }, "sk": { "S": format!("{number}") } } }).to_string();
    let lines: Vec<String> = (0..9).map(good).collect();
    let to = dir.0.join("copy");
    let failed = async |from: &Path, code: i32, told: &str| {
        let (exit, err) = import(from, &to).await;
        assert_eq!(exit, code, "{err}");
        assert!(err.contains(told), "{told}: {err}");
        assert!(!to.exists());
    };
    let from = |name: &str| dir.0.join(name);
    failed(&from("nothing"), 2, "aws s3 sync").await;
    write(&from("ion"), "1", &lines, "ION", "FULL_EXPORT");
    failed(&from("ion"), 2, "in the format ION").await;
    write(&from("incremental"), "1", &lines, "DYNAMODB_JSON", "INCREMENTAL_EXPORT");
    failed(&from("incremental"), 2, "an incremental export").await;
    write(&from("two"), "1", &lines, "DYNAMODB_JSON", "FULL_EXPORT");
    let second = write(&from("two"), "2", &lines, "DYNAMODB_JSON", "FULL_EXPORT");
    failed(&from("two"), 2, "several exports").await;
    let missing = write(&from("missing"), "1", &lines, "DYNAMODB_JSON", "FULL_EXPORT");
    std::fs::remove_file(missing.join("data/bbb.json.gz")).unwrap();
    failed(&from("missing"), 1, "bbb.json.gz").await;
    let short = write(&from("short"), "1", &lines, "DYNAMODB_JSON", "FULL_EXPORT");
    std::fs::write(short.join("data/bbb.json.gz"), zipped(&lines[4..])).unwrap();
    failed(&from("short"), 1, "has 5 items where DynamoDB tells 6").await;
    let torn = write(&from("torn"), "1", &lines, "DYNAMODB_JSON", "FULL_EXPORT");
    let bytes = std::fs::read(torn.join("data/bbb.json.gz")).unwrap();
    std::fs::write(torn.join("data/bbb.json.gz"), &bytes[..bytes.len() - 12]).unwrap();
    failed(&from("torn"), 1, "cannot be read").await;
    for (name, line, told) in [
        ("other", r#"{"Item":{"id":{"S":"x"}}}"#, "it has no pk and sk"),
        ("type", r#"{"Item":{"pk":{"S":"x"},"sk":{"S":"x"},"a":{"Q":1}}}"#, "the attribute a is of no type"),
        ("text", "PAR1", "line 4 of"),
    ] {
        let bad: Vec<String> = [&lines[..6], &[line.to_owned()], &lines[6..]].concat();
        write(&from(name), "1", &bad, "DYNAMODB_JSON", "FULL_EXPORT");
        failed(&from(name), 1, told).await;
    }
    // After all that, one that is named is taken in.
    let (code, err) = import(&second, &to).await;
    assert_eq!(code, 0, "{err}");
    assert!(to.exists() && !dir.0.join("copy.unfinished").exists());
}
