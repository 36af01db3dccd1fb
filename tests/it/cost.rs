//! The figures of infra/COST.md are those that `plan` reckons with.

use engine::{AwsCost, Charge, Supposed};
use std::collections::BTreeMap;

const DOCUMENT: &str = include_str!("../../infra/COST.md");

/// So many repositories alike, with so much in each.
fn reckon(repositories: f64, commits: f64, pulls: f64, issues: f64) -> (Charge, AwsCost) {
    let rows = BTreeMap::from([
        ("commits", commits),
        ("commit_files", 4.0 * commits),
        ("pull_requests", pulls),
        ("pull_request_commits", 3.0 * pulls),
        ("pull_request_files", 6.0 * pulls),
        ("reviews", 1.2 * pulls),
        ("review_requests", pulls),
        ("review_comments", 1.5 * pulls),
        ("issues", issues),
        ("issue_comments", 2.0 * (pulls + issues)),
        ("issue_events", 6.0 * (pulls + issues)),
        ("branches", 10.0),
        ("tags", 20.0),
        ("labels", 15.0),
        ("releases", 10.0),
        ("workflow_runs", pulls),
    ]);
    // One item in ten has a list that is longer than what comes with it.
    let further = BTreeMap::from([("pull_requests", pulls / 10.0), ("issues", issues / 10.0)]);
    Supposed { repositories, rows, further }.takes()
}

fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    let sizes =
        [("1,000 repositories, small", 1000.0, 100.0, 10.0, 5.0), ("1,000 repositories, 1 M commits, 100 k pull requests", 1000.0, 1000.0, 100.0, 50.0)];
    for (name, repositories, commits, pulls, issues) in sizes {
        let (bill, cost) = reckon(repositories, commits, pulls, issues);
        lines.push(format!(
            "| {name} | {:.1} M | {} | {} | {:.1} M | {:.1} | ${:.2} | ${:.2} | ${:.2} |",
            cost.rows as f64 / 1e6,
            bill.requests,
            bill.points,
            cost.write_units as f64 / 1e6,
            cost.gigabytes,
            cost.first_sync_usd,
            cost.idle_usd,
            cost.monthly_usd
        ));
        lines.extend(cost.monthly.iter().map(|item| format!("| {} | {:.2} | ${:.2} |", item.what, item.quantity, item.usd)).filter(|_| commits > 500.0));
    }
    lines
}

#[test]
fn the_document_says_what_plan_reckons() {
    let missing: Vec<String> = lines().into_iter().filter(|line| !DOCUMENT.contains(line.as_str())).collect();
    assert!(missing.is_empty(), "infra/COST.md lacks:\n{}", missing.join("\n"));
}

#[test]
fn an_idle_organization_of_a_thousand_repositories_costs_at_most_four_dollars_a_month() {
    let (_, cost) = reckon(1000.0, 100.0, 10.0, 5.0);
    assert!(cost.idle_usd <= 4.0, "{}", cost.idle_usd);
}
