//! What the copy costs in AWS: write units, storage, and a month's bill, with what is assumed. Names AWS's prices, and
//! none of its types.

use super::shape::Bill;
use crate::entities::{self, COMMITS, Entity, Kind, WORKFLOW_RUNS};
use serde::Serialize;
use std::collections::BTreeMap;

/// Prices of us-east-1 in dollars, from aws.amazon.com/{dynamodb,lambda,sqs,secrets-manager,cloudwatch}/pricing, as of 2026-11-24.
const WRITE_UNIT: f64 = 0.625 / 1e6;
const READ_UNIT: f64 = 0.125 / 1e6;
const STORED_GB_MONTH: f64 = 0.25;
const POINT_IN_TIME_GB_MONTH: f64 = 0.20;
const LAMBDA_GB_SECOND_ARM: f64 = 0.000_013_333_4;
const LAMBDA_REQUEST: f64 = 0.20 / 1e6;
const SQS_REQUEST: f64 = 0.40 / 1e6;
const SECRET_MONTH: f64 = 0.40;
const ALARM_MONTH: f64 = 0.10;

/// How it runs: as `infra/template.yaml` deploys it.
const DISCOVERIES_A_MONTH: f64 = 730.0;
const RECONCILIATIONS_A_MONTH: f64 = 6.0 * 730.0;
const LAMBDA_GB: f64 = 0.25;
/// Room for git's packs, and a whole processor's share for comparing trees.
const FETCHER_GB: f64 = 1.0;
const SECONDS_A_PAGE: f64 = 2.0;
/// Queues that trigger functions: jobs, urgent ones, and events.
const TRIGGERS: f64 = 3.0;
/// A trigger asks an empty queue with five pollers, each for 20 s: fewer only where its concurrency has no maximum.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const RECEIVES_A_MONTH: f64 = TRIGGERS * 5.0 * 3.0 * 60.0 * 730.0;
/// Workflow runs, which no list tells of, are looked for once a day where nothing happens.
const QUIET_LOOKS_A_MONTH: f64 = 730.0 / 24.0;
const SECONDS_A_QUIET_LOOK: f64 = 0.5;
/// The token and the webhook's secret.
const SECRETS: f64 = 2.0;
/// Of 22, those beyond the ten that CloudWatch gives every account, as it does ten metrics and three dashboards. Alarms watch
/// eleven metrics: one of them is told, and paid for, only in hours in which unsigned webhooks come.
const ALARMS: f64 = 12.0;
const SQS_REQUESTS_A_JOB: f64 = 3.0;

/// What is assumed of the data. DynamoDB charges names and values, by the KB begun.
const KEYS_AND_VERSION: f64 = 180.0;
const UNIT: f64 = 1024.0;
/// The mark and the summary of its repository.
const MARK_UNITS: f64 = 4.0;
/// Of the marks, the summary and the row of a repository, at each discovery.
const READS_A_REPOSITORY: f64 = 3.5;
/// Of the gate at each request, and of the summary.
const READS_A_REQUEST: f64 = 3.0;
/// Of each row before it is written, and as it is counted at the end.
const READS_A_ROW: f64 = 1.0;
const CHANGED_A_MONTH: f64 = 0.05;
const MOVED_AN_HOUR: f64 = 0.02;
const TEXTS: &[(&str, f64)] = &[
    ("pull_requests", 1500.0),
    ("issues", 1500.0),
    ("issue_comments", 600.0),
    ("review_comments", 400.0),
    ("reviews", 100.0),
    ("commits", 300.0),
    ("pull_request_commits", 200.0),
    ("releases", 1500.0),
];

pub(crate) const ASSUMPTIONS: &[&str] = &[
    "prices of us-east-1 as of 2026-11-24, on demand, without free tiers but CloudWatch's ten alarms, ten metrics and three dashboards; point-in-time recovery on; functions on arm64 with 256 MB, the fetcher with 1 GB; a discovery every hour; logs are not counted",
    "texts are as long as in the sample; of comments 600 bytes, review comments 400, reviews 100, commit messages 300; other fields by their kind",
    "5 % of the rows change or come new in a month; in an hour something moves in 2 % of the repositories",
];

#[derive(Debug, Clone, Serialize)]
pub struct AwsCost {
    pub rows: u64,
    /// Of the first sync, as are the read units.
    pub write_units: u64,
    pub read_units: u64,
    pub gigabytes: f64,
    pub first_sync_usd: f64,
    pub monthly_usd: f64,
    /// Of a month in which nothing happens at GitHub.
    pub idle_usd: f64,
    pub monthly: Vec<Item>,
}

/// A line of the month's bill.
#[derive(Debug, Clone, Serialize)]
pub struct Item {
    pub what: &'static str,
    pub quantity: f64,
    pub usd: f64,
}

/// `texts` is what the sample found an item's text to be, in bytes.
pub(crate) fn cost(rows: &BTreeMap<&'static str, f64>, texts: &BTreeMap<&'static str, f64>, bill: &Bill, repositories: f64, jobs: f64) -> AwsCost {
    let (mut count, mut bytes, mut row_units) = (0.0, 0.0, 0.0);
    for entity in entities::ALL {
        let many = rows.get(entity.name).copied().unwrap_or(0.0);
        let size = row_bytes(entity, texts);
        count += many;
        bytes += many * size;
        // Half a unit is lost by rounding up.
        row_units += many * (size / UNIT + 0.5).max(1.0);
    }
    let requests = bill.rest + bill.graphql;
    // Each commit's files are put on a list, and taken off it.
    let listed = if rows.contains_key("commit_files") { 2.0 * rows.get(COMMITS.name).copied().unwrap_or(0.0) } else { 0.0 };
    let write_units = row_units + MARK_UNITS * (requests + repositories) + listed;
    let read_units = READS_A_REQUEST * requests + READS_A_ROW * count + READS_A_REPOSITORY * repositories;
    let gigabytes = bytes / 1e9;
    let sum = |items: &[Item]| items.iter().map(|item| item.usd).sum();
    let stored = Item::of("GB stored, with point-in-time recovery", gigabytes, STORED_GB_MONTH + POINT_IN_TIME_GB_MONTH);
    let quiet = if rows.contains_key(WORKFLOW_RUNS.name) { repositories * QUIET_LOOKS_A_MONTH } else { 0.0 };
    let monthly = month(&stored, repositories, row_units * CHANGED_A_MONTH, MOVED_AN_HOUR, quiet);
    AwsCost {
        rows: count.round() as u64,
        write_units: write_units.round() as u64,
        read_units: read_units.round() as u64,
        gigabytes,
        first_sync_usd: first_sync_usd(write_units, read_units, requests, jobs),
        monthly_usd: sum(&monthly),
        idle_usd: sum(&month(&stored, repositories, 0.0, 0.0, quiet)),
        monthly,
    }
}

/// What a first sync costs in dollars, storage apart.
#[must_use]
pub fn first_sync_usd(write_units: f64, read_units: f64, requests: f64, jobs: f64) -> f64 {
    let gb_seconds = requests * SECONDS_A_PAGE * FETCHER_GB;
    write_units * WRITE_UNIT + read_units * READ_UNIT + gb_seconds * LAMBDA_GB_SECOND_ARM + jobs * (LAMBDA_REQUEST + SQS_REQUESTS_A_JOB * SQS_REQUEST)
}

/// A month's bill: so many units of rows are written, and in an hour something moves in this share of the repositories.
fn month(stored: &Item, repositories: f64, row_units: f64, moved: f64, quiet: f64) -> Vec<Item> {
    // Half of what moved are commits and pull requests of one repository: a job each.
    let jobs = 2.0 * DISCOVERIES_A_MONTH * repositories * moved;
    let pages = DISCOVERIES_A_MONTH * (1.0 + repositories / 100.0);
    let gb_seconds =
        pages * SECONDS_A_PAGE * LAMBDA_GB + RECONCILIATIONS_A_MONTH * LAMBDA_GB + (jobs * SECONDS_A_PAGE + quiet * SECONDS_A_QUIET_LOOK) * FETCHER_GB;
    let jobs = jobs + quiet;
    vec![
        stored.clone(),
        Item::of("read units: every discovery looks at each repository's marks", DISCOVERIES_A_MONTH * repositories * READS_A_REPOSITORY, READ_UNIT),
        Item::of("write units: what changes, and marks", row_units + MARK_UNITS * jobs, WRITE_UNIT),
        Item::of("GB-seconds of functions", gb_seconds, LAMBDA_GB_SECOND_ARM),
        Item::of("invocations", DISCOVERIES_A_MONTH + RECONCILIATIONS_A_MONTH + jobs, LAMBDA_REQUEST),
        Item::of("queue requests, most of them asking in vain", RECEIVES_A_MONTH + SQS_REQUESTS_A_JOB * jobs, SQS_REQUEST),
        Item::of("secrets", SECRETS, SECRET_MONTH),
        Item::of("alarms beyond CloudWatch's ten free ones", ALARMS, ALARM_MONTH),
    ]
}

impl Item {
    fn of(what: &'static str, quantity: f64, price: f64) -> Self {
        Self { what, quantity, usd: quantity * price }
    }
}

/// Names and values of a row, on average.
fn row_bytes(entity: &Entity, texts: &BTreeMap<&'static str, f64>) -> f64 {
    let value = |kind: Kind| match kind {
        Kind::Text => 16.0,
        Kind::Integer => 6.0,
        Kind::Boolean => 1.0,
        Kind::Time | Kind::Texts => 20.0,
        Kind::Integers => 12.0,
        Kind::Json => 60.0,
    };
    let fields: f64 = entity.fields.iter().map(|field| field.name.len() as f64 + value(field.kind)).sum();
    let usual = || TEXTS.iter().find(|(name, _)| *name == entity.name).map_or(0.0, |(_, bytes)| *bytes);
    KEYS_AND_VERSION + fields + texts.get(entity.name).copied().filter(|text| *text > 0.0).unwrap_or_else(usual)
}
