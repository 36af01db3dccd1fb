//! Stages from stored issues and their events, and cycles from stored pull requests, reviews and comments.

use super::{question, time};
use aws::{DynamoStore, Embedded};
use engine::entities::{self, Entity};
use engine::report::{Across, Card, People, StagesOf, bots, cycle, from_issues, from_pull_requests, stages};
use engine::{Presence, Record, Store, Version};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn row(entity: &'static Entity, key: &str, fields: Value) -> Record {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    let at = time("2026-02-01T00:00:00Z");
    Record { entity, scope: 7, key: key.to_owned(), version: Version::new(Some(at), at), fields, presence: Presence::Whole }
}

fn issue(number: u64, closed_at: Option<&str>, labels: &[&str]) -> Record {
    let fields = json!({ "number": number, "author": "ada", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-20T00:00:00Z",
                         "closed_at": closed_at, "labels": labels, "assignees": ["bob"], "milestone": null });
    row(&entities::ISSUES, &format!("{number:012}"), fields)
}

/// Events as `(event, label, day of January)`. Their ids are not in the order of time.
fn events(number: u64, told: &[(&str, &str, u32)]) -> Vec<Record> {
    let one = |(place, (event, label, day)): (usize, &(&str, &str, u32))| {
        let fields = json!({ "number": number, "on": "issue", "event": event, "label": label, "created_at": format!("2026-01-{day:02}T00:00:00Z") });
        row(&entities::ISSUE_EVENTS, &format!("{number:012}#E{}", 90 - place), fields)
    };
    told.iter().enumerate().map(one).collect()
}

async fn cards(records: Vec<Record>, of: StagesOf) -> (Embedded, Vec<Card>) {
    let table = Embedded::in_memory().await.unwrap();
    let store: DynamoStore = table.store();
    store.put(&records).await.unwrap();
    let cards = from_issues(&store, 7, "acme/shop", &of).await.unwrap();
    (table, cards)
}

/// Each stay as `stage start-end`, in days of January.
fn told(card: &Card) -> Vec<String> {
    let day = |at: jiff::Timestamp| at.to_string()[8..10].trim_start_matches('0').to_owned();
    let one =
        |stay: &engine::report::Stay| format!("{} {}-{}", stay.stage.as_deref().unwrap_or("none"), day(stay.start), stay.end.map(day).unwrap_or_default());
    card.stays.iter().map(one).collect()
}

#[tokio::test]
async fn many_issues_are_read_from_both_ends_and_each_is_there_once() {
    for count in [1, 499, 500, 501, 1000, 1733] {
        let records: Vec<Record> = (1..=count).map(|number| issue(number, None, &[])).collect();
        let (table, cards) = cards(records, StagesOf::State).await;
        let numbers: Vec<u64> = cards.iter().filter_map(|card| card.number).collect();
        assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
        table.shutdown().await;
    }
}

#[tokio::test]
async fn labels_with_a_prefix_are_stages_the_last_added_one_holds_and_a_closed_issue_is_in_none() {
    let mut records = vec![
        issue(1, None, &["bug", "stage:done"]),
        issue(2, None, &["bug"]),
        issue(3, Some("2026-01-09T00:00:00Z"), &["Stage:doing"]),
        issue(4, None, &["stage:todo"]),
    ];
    records.extend(events(
        1,
        &[
            ("labeled", "bug", 1),
            ("labeled", "stage:todo", 2),
            // Moved within one second, and once with both for a while.
            ("labeled", "stage:doing", 4),
            ("unlabeled", "stage:todo", 4),
            ("labeled", "stage:review", 6),
            ("unlabeled", "stage:review", 7),
            ("labeled", "stage:done", 10),
            ("unlabeled", "stage:doing", 10),
        ],
    ));
    records.extend(events(3, &[("labeled", "Stage:doing", 2), ("closed", "", 5), ("reopened", "", 7), ("closed", "", 9)]));
    let (table, cards) = cards(records, StagesOf::Labels("stage:".to_owned())).await;
    assert_eq!(cards.iter().map(|card| card.number.unwrap()).collect::<Vec<_>>(), [1, 3, 4], "who never had a stage is no item");
    assert_eq!(told(&cards[0]), ["todo 2-4", "doing 4-6", "review 6-7", "doing 7-10", "done 10-"]);
    assert_eq!(cards[0].labels, ["bug"], "a stage is no label to group by");
    assert_eq!(told(&cards[1]), ["doing 2-5", "doing 7-9"]);
    assert_eq!(told(&cards[2]), ["todo 1-"], "no event tells since when: since it was made");
    let report = stages(cards, &question(Across::Stage, "2026-01-20T00:00:00Z"));
    let doing = report.groups.iter().find(|group| group.name.as_deref() == Some("doing")).unwrap();
    assert_eq!((doing.sum_of_intervals.total / 86_400, doing.max_end_minus_min_start.total / 86_400), (5 + 5, 6 + 7));
    table.shutdown().await;
}

#[tokio::test]
async fn without_labels_an_issue_is_open_or_closed_and_what_it_is_now_holds_over_lost_events() {
    let mut records = vec![issue(1, Some("2026-01-09T00:00:00Z"), &[]), issue(2, Some("2026-01-03T00:00:00Z"), &[]), issue(3, None, &[])];
    records.extend(events(1, &[("closed", "", 5), ("reopened", "", 7), ("closed", "", 9)]));
    records.extend(events(3, &[("closed", "", 5)]));
    let (table, cards) = cards(records, StagesOf::State).await;
    assert_eq!(told(&cards[0]), ["open 1-5", "closed 5-7", "open 7-9", "closed 9-"]);
    assert_eq!(told(&cards[1]), ["open 1-3", "closed 3-"]);
    assert_eq!(told(&cards[2]), ["open 1-5", "closed 5-20", "open 20-"], "it is open, and no event says since when: since it last changed");
    table.shutdown().await;
}

#[tokio::test]
async fn a_response_is_a_comment_or_review_of_another_and_no_bot() {
    let table = Embedded::in_memory().await.unwrap();
    let store = table.store();
    let day = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
    let mut records = vec![
        row(
            &entities::PULL_REQUESTS,
            "000000000001",
            json!({ "number": 1, "author": "ada", "created_at": day(2), "first_commit_at": day(1), "merged_at": day(12), "closed_at": day(12), "labels": [] }),
        ),
        row(&entities::USERS, "000000000009", json!({ "login": "ci[bot]", "is_bot": true })),
        row(&entities::USERS, "000000000008", json!({ "login": "bob", "is_bot": false })),
    ];
    let comments = [("ada", 3), ("ci[bot]", 4), ("bob", 6)];
    records.extend(comments.iter().enumerate().map(|(place, (author, at))| {
        row(&entities::ISSUE_COMMENTS, &format!("000000000001#{place}"), json!({ "number": 1, "on": "pull request", "author": author, "created_at": day(*at) }))
    }));
    let reviews = [("ada", "APPROVED", 5), ("bob", "DISMISSED", 7), ("bob", "CHANGES_REQUESTED", 8), ("bob", "APPROVED", 10)];
    records.extend(reviews.iter().enumerate().map(|(place, (author, state, at))| {
        row(&entities::REVIEWS, &format!("000000000001#{place}"), json!({ "pull_request": 1, "author": author, "state": state, "submitted_at": day(*at) }))
    }));
    store.put(&records).await.unwrap();
    let days = async |unheard| {
        let pulls = from_pull_requests(&store, 7, "acme/shop", &People::default().without(unheard)).await.unwrap();
        let report = cycle(&pulls, &question(Across::Stage, "2026-02-01T00:00:00Z"), &BTreeMap::new());
        report.groups[0].steps.iter().map(|step| step.time.total / 86_400).collect::<Vec<i64>>()
    };
    assert_eq!(days(bots(&store).await.unwrap()).await, [1, 4, 4, 2, 11]);
    assert_eq!(days(Default::default()).await, [1, 2, 6, 2, 11], "with bots");
    table.shutdown().await;
}

#[tokio::test]
async fn rows_that_are_read_in_parts_are_all_read_however_many_there_are() {
    for issues in [0, 1, 3, 4, 5, 61] {
        let mut records: Vec<Record> = (1..=issues).map(|number| issue(number, None, &["stage:a"])).collect();
        // The last one has more than a page of its own.
        for number in 1..=issues {
            let (moves, names) = (if number == issues { 1101 } else { number % 7 * 8 + 1 }, ["stage:a", "stage:b"]);
            records.extend((0..moves).map(|place| {
                let at = time("2026-01-02T00:00:00Z") + jiff::SignedDuration::from_mins(i64::try_from(place).unwrap());
                let fields = json!({ "number": number, "on": "issue", "event": "labeled", "label": names[(place % 2) as usize], "created_at": at.to_string() });
                row(&entities::ISSUE_EVENTS, &format!("{number:012}#E{place:05}"), fields)
            }));
        }
        let events = records.iter().filter(|record| record.entity == &entities::ISSUE_EVENTS).count();
        let (table, cards) = cards(records, StagesOf::Labels("stage:".to_owned())).await;
        // Every event adds the other label, which is a move.
        assert_eq!((cards.len() as u64, cards.iter().map(|card| card.stays.len()).sum::<usize>()), (issues, events), "{issues} issues");
        table.shutdown().await;
    }
}
