//! What of projects is copied, and the history of stages that follows, against the simulated GitHub.

use crate::bench::Bench;
use engine::Clock;
use engine::boards::{self, Board};
use engine::stages::{Stay, stays};
use serde_json::json;
use sim::Size;
use std::collections::BTreeMap;

const SIZES: &[Size] = &[Size(4, 9, 6), Size(2, 3, 4)];

/// A bench with a board of its own and three issues on it, none of whose moves a timeline tells.
async fn silent(seed: u64) -> (Bench, u64, Vec<String>) {
    let bench = Bench::new(seed, SIZES).await;
    align(&bench);
    let (number, items) = {
        let mut world = bench.github.world();
        world.silent_timelines = true;
        let number = world.add_project("Work", &["Todo", "Doing", "Done"]);
        let issues: Vec<u64> = world.repos[0]["issues"].as_array().unwrap().iter().map(|issue| issue["number"].as_u64().unwrap()).take(3).collect();
        let items: Vec<String> = issues.into_iter().map(|issue| world.put_on_board(number, "repo-00", "issues", issue)).collect();
        for item in &items {
            world.set_option(number, item, "Status", Some("Todo"));
        }
        (number, items)
    };
    sync(&bench).await;
    (bench, number, items)
}

async fn sync(bench: &Bench) {
    bench.pass(900);
    assert!(bench.sync().await.is_empty(), "nothing is refused");
    bench.pass(900);
    align(bench);
}

/// GitHub's clock is ours.
fn align(bench: &Bench) {
    bench.github.world().now = bench.clock.now().as_second();
}

pub async fn board(bench: &Bench, number: u64) -> Board {
    let store = bench.table.store();
    let projects = boards::projects(&store).await.unwrap();
    for scope in boards::scopes(&store).await.unwrap() {
        let board = boards::read(&store, scope, projects.get(&scope)).await.unwrap().unwrap();
        if board.number == number {
            return board;
        }
    }
    panic!("no board {number}");
}

/// `Todo>Doing` of each item by its id.
pub async fn ways(bench: &Bench, number: u64) -> BTreeMap<String, String> {
    let board = board(bench, number).await;
    let told = |one: &engine::stages::Transition| match one.what {
        engine::stages::What::Moved => one.to.as_deref().unwrap_or("-").to_owned(),
        what => what.name().to_owned(),
    };
    let way = |history: engine::stages::History| {
        (history.item.as_deref().unwrap_or_default().to_owned(), history.transitions.iter().map(told).collect::<Vec<_>>().join(" > "))
    };
    board.histories("Status").into_iter().map(way).collect()
}

#[tokio::test]
async fn a_board_is_copied_with_its_fields_its_items_and_all_their_values() {
    let bench = Bench::new(61, SIZES).await;
    let (number, item, draft) = {
        let mut world = bench.github.world();
        let number = world.add_project("Work", &["Todo", "Doing", "Done"]);
        let issue = world.repos[0]["issues"][0]["number"].as_u64().unwrap();
        let item = world.put_on_board(number, "repo-00", "issues", issue);
        world.set_option(number, &item, "Status", Some("Doing"));
        world.set_option(number, &item, "Priority", Some("High"));
        world.set_value(number, &item, "Estimate", json!({ "__typename": "ProjectV2ItemFieldNumberValue", "number": 3.5 }));
        world.set_value(number, &item, "Note", json!({ "__typename": "ProjectV2ItemFieldTextValue", "text": "ünïcode 🚀" }));
        world.set_value(number, &item, "Due", json!({ "__typename": "ProjectV2ItemFieldDateValue", "date": "2026-12-24" }));
        let sprint =
            json!({ "__typename": "ProjectV2ItemFieldIterationValue", "iterationId": "it2", "title": "Sprint 2", "startDate": "2023-12-04", "duration": 14 });
        world.set_value(number, &item, "Sprint", sprint);
        let draft = world.add_draft(number, "an idea");
        let hidden = world.put_on_board(number, "repo-01", "issues", 1);
        world.redact_card(number, &hidden);
        (number, item, draft)
    };
    assert!(bench.sync().await.is_empty());
    let board = board(&bench, number).await;
    assert_eq!((board.title.as_deref(), board.name.as_deref(), board.items.len()), (Some("Work"), Some("acme/projects/2"), 3));
    assert_eq!(board.fields.iter().map(String::as_str).collect::<Vec<_>>(), ["Priority", "Status"]);
    let rows = bench.rows().await;
    let row = |id: &str| rows.iter().find(|(key, _)| key.starts_with("project_items ") && key.ends_with(id)).unwrap().1.clone();
    let values = json!({ "Status": "Doing", "Priority": "High", "Estimate": 3.5, "Note": "ünïcode 🚀", "Due": "2026-12-24",
        "Sprint": { "id": "it2", "title": "Sprint 2", "start_date": "2023-12-04", "duration": 14 } });
    assert_eq!((&row(&item)["values"], &row(&item)["repo_name"]), (&values, &json!("acme/repo-00")));
    assert_eq!((&row(&draft)["type"], &row(&draft)["title"], row(&draft).get("number")), (&json!("draft_issue"), &json!("an idea"), None));
    // What the token may not see is counted, and told.
    assert_eq!(board.items.iter().filter(|item| item.kind.as_deref() == Some("redacted")).count(), 1);
    let status = engine::status(&bench.table.store(), bench.clock.now()).await.unwrap();
    let stands = status.projects.iter().find(|project| project.repo == "acme/projects/2").unwrap();
    assert!(stands.entities[0].missing[0].contains("REDACTED") && stands.entities[0].rows == 3, "{stands:?}");
    // Nothing moved: nothing is written.
    let before = bench.rows().await;
    sync(&bench).await;
    assert_eq!(bench.rows().await, before);
}

#[tokio::test]
async fn timelines_tell_every_move_exactly_where_github_writes_them() {
    let bench = Bench::new(62, SIZES).await;
    assert!(bench.sync().await.is_empty());
    let board = board(&bench, 1).await;
    let histories = board.histories("Status");
    assert!(histories.len() >= 4 && histories.iter().any(|history| history.transitions.len() > 3), "{histories:#?}");
    let world = bench.github.world();
    for history in &histories {
        let (repo, number) = history.issue.unwrap();
        let repo = world.repos.iter().find(|one| one["databaseId"].as_u64() == Some(repo)).unwrap();
        let issue = repo["issues"].as_array().unwrap().iter().find(|issue| issue["number"].as_u64() == Some(number)).unwrap();
        let events = issue["timelineItems"].as_array().unwrap().iter().filter(|event| event["__typename"] == "ProjectV2ItemStatusChangedEvent");
        let truth: Vec<(String, String)> =
            events.map(|event| (event["createdAt"].as_str().unwrap().to_owned(), event["status"].as_str().unwrap().to_owned())).collect();
        let told = history.transitions.iter().filter(|one| one.what == engine::stages::What::Moved);
        let told: Vec<(String, String)> = told.map(|one| (one.at.to_string(), one.to.as_deref().unwrap_or_default().to_owned())).collect();
        assert_eq!(told, truth);
        assert!(history.transitions.iter().all(engine::stages::Transition::is_exact), "{history:#?}");
    }
}

#[tokio::test]
async fn without_any_timeline_the_history_is_right_to_one_reading_of_the_board() {
    let (bench, number, items) = silent(63).await;
    let told = |ways: &BTreeMap<String, String>, item: usize| ways[&items[item]].clone();
    assert_eq!(told(&ways(&bench, number).await, 0), "added > Todo");
    bench.github.world().set_option(number, &items[0], "Status", Some("Doing"));
    sync(&bench).await;
    bench.github.world().set_option(number, &items[0], "Status", Some("Done"));
    bench.github.world().set_option(number, &items[1], "Status", None);
    sync(&bench).await;
    bench.github.world().set_option(number, &items[0], "Status", Some("Doing"));
    sync(&bench).await;
    let seen = ways(&bench, number).await;
    assert_eq!(told(&seen, 0), "added > Todo > Doing > Done > Doing");
    assert_eq!(told(&seen, 1), "added > Todo > -");
    let board = board(&bench, number).await;
    let histories = board.histories("Status");
    let first = histories.iter().find(|history| history.item.as_deref() == Some(&items[0])).unwrap();
    assert!(first.transitions[2..].iter().all(|one| !one.is_exact() && one.earliest <= one.at && one.at <= one.latest), "{first:#?}");
    // Coming back to a stage does not charge it for the time between.
    let doing: Vec<Stay> = stays(&first.transitions).into_iter().filter(|stay| stay.stage.as_deref() == Some("Doing")).collect();
    assert_eq!((doing.len(), doing[1].end), (2, None));
}

#[tokio::test]
async fn archiving_removal_re_adding_renaming_conversion_and_deletion_are_survived() {
    let (bench, number, items) = silent(64).await;
    let draft = bench.github.world().add_draft(number, "an idea");
    bench.github.world().set_option(number, &draft, "Status", Some("Todo"));
    sync(&bench).await;
    bench.github.world().archive_card(number, &items[0], true);
    bench.github.world().rename_option(number, "Todo", "Backlog");
    bench.github.world().convert_draft(number, &draft, "repo-01");
    sync(&bench).await;
    bench.github.world().archive_card(number, &items[0], false);
    bench.github.world().remove_card(number, &items[1]);
    bench.github.world().set_option(number, &draft, "Status", Some("Doing"));
    sync(&bench).await;
    let issue = bench.github.world().repos[0]["issues"][1]["number"].as_u64().unwrap();
    let again = bench.github.world().put_on_board(number, "repo-00", "issues", issue);
    bench.github.world().set_option(number, &again, "Status", Some("Doing"));
    sync(&bench).await;
    bench.github.world().delete_option(number, "Doing");
    sync(&bench).await;
    let seen = ways(&bench, number).await;
    assert_eq!(seen[&items[0]], "added > Backlog > archived > restored");
    assert_eq!(seen[&draft], "added > Backlog > Doing > -", "the draft is an issue now");
    assert_eq!(seen[&again], "added > Backlog > removed > added > Doing > -", "another item of the same issue goes on with its history");
    assert!(!seen.contains_key(&items[1]), "{seen:#?}");
    bench.github.world().delete_project(number);
    sync(&bench).await;
    let seen = ways(&bench, number).await;
    assert!(seen.values().all(|way| way.ends_with("removed")), "{seen:#?}");
    assert!(board(&bench, number).await.gone);
}

#[tokio::test]
async fn a_token_that_may_not_read_projects_loses_those_alone_and_is_told_what_it_needs() {
    let mut bench = Bench::new(65, SIZES).await;
    let poor = sim::Identity { scopes: Some(vec!["repo".to_owned(), "read:org".to_owned()]), ..sim::Identity::default() };
    bench.github.faults().identities.insert("sim-token".to_owned(), poor);
    assert!(bench.sync().await.is_empty());
    let counts = bench.counts().await;
    assert_eq!(counts.get("projects").copied().unwrap_or(0), 0);
    let status = engine::status(&bench.table.store(), bench.clock.now()).await.unwrap();
    let missing = status.organizations[0].missing.join("\n");
    assert!(missing.contains("projects of acme") && missing.contains("read:project"), "{missing}");
    bench.settings.groups.remove(&engine::Group::Projects);
    bench.assert_true("all but projects").await;
}
