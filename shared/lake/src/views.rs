//! SQL over the files: a table for each entity, and the reports as views. Written once, in what DuckDB and Trino have in
//! common; runs none of it.

use crate::columns::columns;
use crate::directory::BUCKETS;
use crate::manifest::Manifest;
use engine::entities::{ALL, Entity, Kind};
use engine::report::BUCKETS as TIMES;
use std::fmt::Write;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    DuckDb,
    /// Trino's SQL for views, Hive's for tables.
    Athena,
}

/// A report's views, in the order in which they are made, and the entities that they read.
struct Report {
    sql: &'static str,
    reads: &'static [&'static str],
}

/// One line a report.
const REPORTS: &[Report] = &[
    Report { sql: include_str!("views/issue_stages.sql"), reads: &["stage_transitions", "projects", "project_items", "issues", "pull_requests"] },
    Report { sql: include_str!("views/pr_cycle.sql"), reads: &["pull_requests", "reviews", "review_comments", "issue_comments", "users"] },
    Report { sql: include_str!("views/times.sql"), reads: &["issues", "issue_comments", "users"] },
    Report { sql: include_str!("views/production.sql"), reads: &["pull_requests", "repositories", "deployments", "commits", "users"] },
    Report {
        sql: include_str!("views/pr_review.sql"),
        reads: &["pull_requests", "reviews", "review_comments", "issue_comments", "review_requests", "teams", "users"],
    },
    Report { sql: include_str!("views/pr_size.sql"), reads: &["pull_requests", "users"] },
    Report { sql: include_str!("views/commits.sql"), reads: &["commits", "users"] },
    Report { sql: include_str!("views/coding_days.sql"), reads: &["commits", "users", "pull_requests", "pull_request_commits", "repositories"] },
    Report { sql: include_str!("views/changes.sql"), reads: &["commits", "commit_files", "users"] },
];

/// What DuckDB calls otherwise.
const IN_DUCKDB: [(&str, &str); 10] = [
    ("cardinality(", "len("),
    ("to_unixtime(", "epoch("),
    ("year_of_week(", "isoyear("),
    ("regexp_like(", "regexp_matches("),
    ("json_parse(", "json("),
    ("ARRAY(MAP(VARCHAR, VARCHAR))", "MAP(VARCHAR, VARCHAR)[]"),
    ("s -> s", "lambda s: s"),
    ("array_min(", "list_min("),
    ("transform(", "list_transform("),
    ("(filter(", "(list_filter("),
];

/// The figures of `seconds`, of which `n` are known and each has its `seconds_rank`: as the engine's `Figures`.
fn figures() -> String {
    let mut sql = String::from(
        "count(seconds) AS count,\n    CAST(floor((2 * sum(seconds) + count(seconds)) / nullif(2e0 * count(seconds), 0)) AS BIGINT) AS mean_seconds",
    );
    for (percent, name) in [(50, "median"), (90, "p90"), (95, "p95")] {
        let _ = write!(sql, ",\n    max(CASE WHEN seconds_rank = CAST(ceil(n * {percent} / 1e2) AS BIGINT) THEN seconds END) AS {name}_seconds");
    }
    sql.push_str(",\n    CAST(coalesce(sum(seconds), 0) AS BIGINT) AS total_seconds,\n    ARRAY[");
    let mut from = None;
    for (bound, _) in TIMES {
        let above = from.map(|from| format!("seconds >= {from} AND ")).unwrap_or_default();
        let _ = write!(sql, "\n        count(CASE WHEN {above}seconds < {bound} THEN 1 END),");
        from = Some(bound);
    }
    let _ = write!(sql, "\n        count(CASE WHEN seconds >= {} THEN 1 END)\n    ] AS distribution", from.unwrap_or_default());
    sql
}

/// All statements for the entities that the directory has, whose files are at `location`.
#[must_use]
pub fn views(dialect: Dialect, location: &str, manifest: &Manifest) -> String {
    let location = location.trim_end_matches('/');
    let there = |name: &str| manifest.files.keys().any(|file| file.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')));
    let mut sql = String::from("-- Made by `sei-github export`. Times are in UTC. What each view is, REPORTS.md says.\n\n");
    for entity in ALL.iter().filter(|entity| there(entity.name)) {
        match dialect {
            Dialect::DuckDb => duckdb(&mut sql, entity, location),
            Dialect::Athena => athena(&mut sql, entity, location),
        }
    }
    sql.push_str("-- When the reports are of. Replace this view to see how it was at another time: SELECT TIMESTAMP '2026-01-15 00:00:00' AS as_of\n");
    sql.push_str("CREATE OR REPLACE VIEW report_time AS SELECT CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP) AS as_of;\n");
    for report in REPORTS.iter().filter(|report| report.reads.iter().all(|name| there(name))) {
        let mut text = report.sql.replace("{figures}", &figures());
        if dialect == Dialect::DuckDb {
            for (trino, duckdb) in IN_DUCKDB {
                text = text.replace(trino, duckdb);
            }
        }
        sql.push('\n');
        sql.push_str(&text);
    }
    sql
}

fn duckdb(sql: &mut String, entity: &'static Entity, location: &str) {
    let names: Vec<String> = columns(entity).into_iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let files = format!("{location}/{}/*/rows.parquet", entity.name).replace('\'', "''");
    let _ = writeln!(
        sql,
        "-- {}\nCREATE OR REPLACE VIEW {} AS\nSELECT {}\nFROM read_parquet('{files}', hive_partitioning = false);\n",
        entity.about,
        entity.name,
        names.join(", ")
    );
}

/// Its buckets are computed, not listed: nothing is to be repaired when one comes or goes.
fn athena(sql: &mut String, entity: &'static Entity, location: &str) {
    let columns: Vec<String> = columns(entity).into_iter().map(|(name, kind)| format!("  `{name}` {}", hive(kind))).collect();
    let place = format!("{location}/{}", entity.name).replace('\'', "''");
    let _ = writeln!(
        sql,
        "-- {}\nDROP TABLE IF EXISTS `{name}`;\nCREATE EXTERNAL TABLE `{name}` (\n{}\n)\nPARTITIONED BY (`bucket` int)\nSTORED AS PARQUET\nLOCATION '{place}/'\n\
         TBLPROPERTIES (\n  'projection.enabled' = 'true',\n  'projection.bucket.type' = 'integer',\n  'projection.bucket.range' = '0,{}',\n  \
         'projection.bucket.digits' = '2',\n  'storage.location.template' = '{place}/bucket=${{bucket}}/'\n);\n",
        entity.about,
        columns.join(",\n"),
        BUCKETS - 1,
        name = entity.name,
    );
}

const fn hive(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Json => "string",
        Kind::Integer => "bigint",
        Kind::Boolean => "boolean",
        Kind::Time => "timestamp",
        Kind::Texts => "array<string>",
        Kind::Integers => "array<bigint>",
    }
}
