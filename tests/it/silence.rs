//! An entity of which nothing new comes is noticed by the totals of days, as the table keeps them.

use aws::Embedded;
use engine::silence::{Silent, known};
use engine::{StateKey, Store};
use jiff::ToSpan;
use serde_json::{Value, json};

/// One day after another from 1 January on, with so many rows of reviews and pull requests.
async fn silent(totals: impl Iterator<Item = (u64, u64)>) -> Vec<Silent> {
    let table = Embedded::in_memory().await.unwrap();
    let first = jiff::civil::date(2026, 1, 1);
    let day = |(index, (reviews, pulls)): (usize, (u64, u64))| {
        let day = first.saturating_add(i32::try_from(index).unwrap().days());
        (day.to_string(), json!({ "reviews": reviews, "pull_requests": pulls }))
    };
    let days: Value = totals.enumerate().map(day).collect::<serde_json::Map<_, _>>().into();
    table.store().save(&StateKey { of: "totals".to_owned(), name: "days".to_owned() }, 0, &days).await.unwrap();
    let silent = known(&table.store()).await.unwrap();
    table.shutdown().await;
    silent
}

#[tokio::test]
async fn what_stops_while_its_siblings_go_on_is_told() {
    let silent = silent((0..30).map(|day| (10 * day.min(20), 5 * day))).await;
    assert_eq!(silent.iter().map(|silent| silent.entity).collect::<Vec<_>>(), ["reviews"]);
    assert!(silent.iter().all(|silent| silent.siblings == 35 && (silent.expected - 70.0).abs() < 20.0), "{silent:?}");
}

#[tokio::test]
async fn what_came_all_at_once_is_not() {
    assert_eq!(silent((0..30).map(|day| (if day > 1 { 500 } else { 0 }, 5000 + 50 * day))).await, []);
}

#[tokio::test]
async fn what_is_quiet_with_all_others_is_not() {
    assert_eq!(silent((0..30).map(|day| (10 * day.min(20), 5 * day.min(20)))).await, []);
}

#[tokio::test]
async fn what_was_always_rare_is_not() {
    assert_eq!(silent((0..30).map(|day| (3 + u64::from(day > 2), 5 * day))).await, []);
}

#[tokio::test]
async fn too_few_days_tell_nothing() {
    assert_eq!(silent((0..13).map(|day| (10 * day.min(2), 5 * day))).await, []);
    assert_eq!(silent(std::iter::empty()).await, []);
}

#[tokio::test]
async fn what_came_and_went_tells_nothing() {
    assert_eq!(silent((0..30).map(|day| (if day > 25 { 100 } else { 10 * day }, 5 * day))).await, []);
}
