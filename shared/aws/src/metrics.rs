//! Metrics in CloudWatch's embedded metric format: lines on stdout, which Lambda's log carries and CloudWatch counts.
//! They cost no request, but CloudWatch charges for each metric that it keeps: unless told otherwise it keeps those that
//! alarms watch, and the log has the others. Names what there is to count; alarms are in the template.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
//!
//! Written here and not taken from a crate: it is one JSON object, and the known crates bring a runtime of their own.

use engine::Fleet;
use github::Spent;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

pub const NAMESPACE: &str = "sei-github";

/// A metric, with its unit in CloudWatch's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub unit: &'static str,
}

macro_rules! metrics {
    ($($(#[$about:meta])* $constant:ident = $name:literal in $unit:literal;)+) => {
        $($(#[$about])* pub const $constant: Metric = Metric { name: $name, unit: $unit };)+
        /// All of them.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

metrics! {
    /// Sent to GitHub.
    REQUESTS = "Requests" in "Count";
    /// Of GraphQL.
    POINTS = "Points" in "Count";
    /// Answers that brought something: requests less those that GitHub answered with 304.
    PAGES = "Pages" in "Count";
    ROWS_WRITTEN = "RowsWritten" in "Count";
    ROWS_UNCHANGED = "RowsUnchanged" in "Count";
    /// Of a token's limit in this hour; by token and resource, and the least of all.
    BUDGET_LEFT = "BudgetLeft" in "Percent";
    /// Tokens that GitHub does not accept.
    TOKENS_REFUSED = "TokensRefused" in "Count";
    /// Until the first token ends that nothing replaces by itself, in days.
    TOKEN_DAYS_LEFT = "TokenDaysLeft" in "None";
    /// How old the oldest of what is known of an entity is, over all repositories.
    LAG = "Lag" in "Seconds";
    /// What the webhook function answered, by outcome.
    WEBHOOKS = "Webhooks" in "Count";
    /// What became of events, by outcome.
    EVENTS = "Events" in "Count";
    /// Events that GitHub could not deliver, and that have not come otherwise yet.
    RECONCILIATION_GAP = "ReconciliationGap" in "Count";
    /// Organizations, hooks or jobs that failed and that somebody must look at.
    FAILURES = "Failures" in "Count";
    /// Entities of which nothing new comes any more, while their siblings go on coming.
    SILENT_ENTITIES = "SilentEntities" in "Count";
    /// First invocations of a process.
    COLD_STARTS = "ColdStarts" in "Count";
}

/// What alarms watch, with the dimension besides the stack.
pub const WATCHED: &[(Metric, Option<(&str, &str)>)] = &[
    (BUDGET_LEFT, None),
    (FAILURES, None),
    (LAG, Some(("Entity", "commits"))),
    (LAG, Some(("Entity", "issues"))),
    (LAG, Some(("Entity", "project_items"))),
    (LAG, Some(("Entity", "pull_requests"))),
    (RECONCILIATION_GAP, None),
    (SILENT_ENTITIES, None),
    (TOKENS_REFUSED, None),
    (TOKEN_DAYS_LEFT, None),
    (WEBHOOKS, Some(("Outcome", "unsigned"))),
];

/// Whose metrics are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    pub name: String,
    /// Whether CloudWatch is to keep all of them.
    pub all: bool,
}

/// What one line tells: values under one set of dimensions besides the stack.
#[derive(Debug, Clone, Default)]
pub struct Line {
    dimensions: Vec<(&'static str, String)>,
    values: Vec<(Metric, f64)>,
}

impl Line {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn by(mut self, dimension: &'static str, value: impl Into<String>) -> Self {
        self.dimensions.push((dimension, value.into()));
        self
    }

    #[must_use]
    pub fn with(mut self, metric: Metric, value: f64) -> Self {
        self.values.push((metric, value));
        self
    }

    /// The line, of a stack, at a time.
    #[must_use]
    pub fn text(&self, stack: &Stack, now: Timestamp) -> String {
        let mut names = vec!["Stack"];
        names.extend(self.dimensions.iter().map(|(name, _)| *name));
        let kept = self.values.iter().filter(|(metric, _)| stack.all || self.is_watched(*metric));
        let metrics: Vec<Value> = kept.map(|(metric, _)| json!({ "Name": metric.name, "Unit": metric.unit })).collect();
        let mut all = Map::new();
        if !metrics.is_empty() {
            let about = json!([{ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": metrics }]);
            all.insert("_aws".to_owned(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": about }));
        }
        all.insert("Stack".to_owned(), stack.name.as_str().into());
        all.extend(self.dimensions.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())));
        all.extend(self.values.iter().map(|(metric, value)| (metric.name.to_owned(), json!(value))));
        Value::Object(all).to_string()
    }

    fn is_watched(&self, metric: Metric) -> bool {
        WATCHED.iter().any(|(watched, dimension)| {
            let told = self.dimensions.iter().map(|(name, value)| (*name, value.as_str()));
            *watched == metric && told.eq(*dimension)
        })
    }

    /// Writes it; nothing outside of a stack.
    #[allow(clippy::print_stdout, reason = "standard output is where Lambda takes metrics from")]
    pub fn emit(&self, stack: Option<&Stack>) {
        if let Some(stack) = stack.filter(|_| !self.values.is_empty()) {
            println!("{}", self.text(stack, Timestamp::now()));
        }
    }
}

/// As the template tells the functions.
#[must_use]
pub fn stack() -> Option<Stack> {
    let name = std::env::var("SEI_STACK").ok().filter(|name| !name.is_empty())?;
    Some(Stack { name, all: std::env::var("SEI_METRICS").is_ok_and(|which| which == "all") })
}

/// One for the first invocation of this process, nothing for others.
#[must_use]
pub fn cold_start() -> Line {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) { Line::new() } else { Line::new().with(COLD_STARTS, 1.0) }
}

/// What a fleet has spent so far, to tell what an invocation spends.
pub struct Meter {
    spent: Spent,
    written: engine::Written,
}

#[allow(clippy::cast_precision_loss, reason = "counts of one invocation are small")]
fn count(number: u64) -> f64 {
    number as f64
}

impl Meter {
    #[must_use]
    pub fn start(fleet: &Fleet, written: engine::Written) -> Self {
        Self { spent: spent(fleet), written }
    }

    /// The lines about what was spent and written since, and about tokens.
    #[must_use]
    pub fn stop(self, fleet: &Fleet, written: engine::Written) -> Vec<Line> {
        let (before, now) = (self.spent, spent(fleet));
        let requests = now.requests().saturating_sub(before.requests());
        let unmodified = now.not_modified.saturating_sub(before.not_modified);
        let changed = |all: engine::Written| all.created + all.updated + all.removed;
        let mut lines = vec![
            Line::new()
                .with(REQUESTS, count(requests))
                .with(POINTS, count(now.points.saturating_sub(before.points)))
                .with(PAGES, count(requests.saturating_sub(unmodified)))
                .with(ROWS_WRITTEN, count(changed(written).saturating_sub(changed(self.written))))
                .with(ROWS_UNCHANGED, count(written.unchanged.saturating_sub(self.written.unchanged))),
        ];
        let Some(env) = fleet.envs().first() else { return lines };
        let mut least: Option<f64> = None;
        for left in env.github.left(env.now()) {
            let percent = 100.0 * f64::from(left.remaining) / f64::from(left.limit.max(1));
            least = Some(least.map_or(percent, |least: f64| least.min(percent)));
            lines.push(Line::new().by("Token", left.token).by("Resource", left.resource).with(BUDGET_LEFT, percent));
        }
        lines.extend(least.map(|least| Line::new().with(BUDGET_LEFT, least)));
        let (refused, _) = env.github.refused();
        lines.push(Line::new().with(TOKENS_REFUSED, count(u64::try_from(refused).unwrap_or(0))));
        lines
    }
}

fn spent(fleet: &Fleet) -> Spent {
    fleet.envs().first().map(|env| env.github.spent()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_cloudwatch_reads_it() {
        let stack = Stack { name: "acme".to_owned(), all: false };
        let line = Line::new().by("Entity", "issues").with(LAG, 60.0);
        let read: Value = serde_json::from_str(&line.text(&stack, Timestamp::UNIX_EPOCH)).unwrap_or_default();
        assert_eq!(
            read,
            json!({ "_aws": { "Timestamp": 0, "CloudWatchMetrics": [{ "Namespace": "sei-github", "Dimensions": [["Stack", "Entity"]],
                "Metrics": [{ "Name": "Lag", "Unit": "Seconds" }] }] }, "Stack": "acme", "Entity": "issues", "Lag": 60.0 })
        );
    }

    #[test]
    fn cloudwatch_keeps_what_alarms_watch_and_the_log_the_rest() {
        let line = Line::new().by("Entity", "labels").with(LAG, 60.0);
        let told = |all| {
            let text = line.text(&Stack { name: "acme".to_owned(), all }, Timestamp::UNIX_EPOCH);
            serde_json::from_str::<Value>(&text).unwrap_or_default()
        };
        assert_eq!(told(false), json!({ "Stack": "acme", "Entity": "labels", "Lag": 60.0 }));
        assert_eq!(told(true)["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "Lag");
        assert!(Line::new().with(FAILURES, 1.0).is_watched(FAILURES) && !Line::new().by("Token", "t").is_watched(BUDGET_LEFT));
    }
}
