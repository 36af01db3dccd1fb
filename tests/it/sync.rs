//! What a sync copies, and what it costs.

use crate::bench::{Bench, Delivery, Mortal, TestQueue};
use engine::{advance, discover};
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::Size;
use std::sync::Arc;

#[tokio::test]
async fn a_first_sync_copies_everything_and_the_next_writes_nothing() {
    let bench = Bench::new(7, Size::SMALL).await;
    assert!(bench.sync().await.is_empty());
    bench.assert_true("first").await;
    let before = bench.rows().await;
    bench.github.reset_ledger();
    bench.pass(3600);
    bench.sync().await;
    let ledger = bench.github.ledger();
    assert_eq!((ledger.graphql, ledger.rest - ledger.not_modified), (3, 0), "one query for repositories, one for people, one for projects: {ledger:?}");
    assert_eq!(bench.rows().await, before);
}

#[tokio::test]
async fn only_what_changed_is_read_and_written() {
    let mut bench = Bench::new(11, &[Size(40, 60, 40)]).await;
    bench.settings.groups.remove(&engine::Group::CommitFiles);
    bench.sync().await;
    let before = bench.rows().await;
    let numbers = |list: &str| -> Vec<u64> {
        let world = bench.github.world();
        world.repos[0][list].as_array().unwrap().iter().map(|item| item["number"].as_u64().unwrap()).collect()
    };
    let (issue, pull) = (numbers("issues")[3], numbers("pullRequests")[2]);
    bench.github.world().edit("repo-00", "issues", issue, "edited");
    bench.github.world().add_comment("repo-00", "pullRequests", pull);
    let commits = 3;
    bench.github.world().push_commits("repo-00", commits);
    bench.github.reset_ledger();
    bench.pass(3600);
    bench.sync().await;
    bench.assert_true("after the changes").await;
    let after = bench.rows().await;
    let changed: Vec<&String> = after.iter().filter(|(key, row)| before.get(*key) != Some(row)).map(|(key, _)| key).collect();
    assert!(changed.iter().any(|key| key.starts_with("issues") && key.ends_with(&format!("{issue:012}"))), "{changed:?}");
    assert!(changed.len() < 15, "{changed:?}");
    assert!(bench.github.ledger().requests < 12, "{:?}", bench.github.ledger());
}

#[tokio::test]
async fn what_is_deleted_becomes_a_tombstone() {
    let bench = Bench::new(13, &[Size(10, 14, 12)]).await;
    bench.sync().await;
    let (issue, commented) = {
        let world = bench.github.world();
        let issues = world.repos[0]["issues"].as_array().unwrap();
        let commented = issues.iter().find(|issue| !issue["comments"].as_array().unwrap().is_empty()).unwrap();
        let commented = commented["number"].as_u64().unwrap();
        let other = issues.iter().find(|issue| issue["number"] != json!(commented)).unwrap();
        (other["number"].as_u64().unwrap(), commented)
    };
    bench.github.world().delete("repo-00", "issues", issue);
    bench.github.world().delete_comment("repo-00", "issues", commented);
    bench.pass(3600);
    bench.sync().await;
    bench.assert_true("after the deletions").await;
}

/// GitHub deletes old runs by itself; deployments and runs are told by their totals, review comments by a full sync.
#[tokio::test]
async fn what_lists_do_not_tell_is_asked_for_by_id() {
    let mut bench = Bench::new(13, &[Size(4, 5, 4)]).await;
    for _ in 0..120 {
        bench.github.world().add_deployment("repo-00");
        bench.github.world().add_run("repo-00");
    }
    bench.sync().await;
    bench.assert_true("before").await;
    for list in ["deployments", "workflowRuns"] {
        bench.github.world().drop_from("repo-00", list, 0);
        bench.github.world().drop_from("repo-00", list, 40);
        bench.github.world().drop_from("repo-00", list, 110);
    }
    // One that is new beside those that are gone.
    bench.github.world().add_run("repo-00");
    bench.github.reset_ledger();
    bench.pass(3600);
    bench.sync().await;
    bench.assert_true("after the deletions").await;
    assert!(bench.github.ledger().requests <= 10, "{:?}", bench.github.ledger());
    bench.github.world().drop_from("repo-00", "reviewComments", 1);
    bench.settings.full = true;
    bench.pass(3600);
    bench.sync().await;
    bench.assert_true("after a full sync").await;
}

/// A process may end between the commits' mark and the job for their files.
#[tokio::test]
async fn files_of_commits_whose_job_was_lost_are_read_by_the_next_sync() {
    let bench = Bench::new(17, &[Size(2, 2, 10)]).await;
    bench.sync().await;
    bench.github.world().push_commits("repo-00", 3);
    bench.pass(3600);
    let queue = Arc::new(TestQueue::default());
    let env = bench.env(Arc::new(bench.table.store()), queue.clone());
    engine::discover("acme", &env).await.unwrap();
    let jobs = queue.take();
    let commits = jobs.iter().find(|job| job.sweep == "commits").unwrap();
    engine::advance(commits, &env, jiff::Timestamp::MAX).await.unwrap();
    assert!(queue.take().iter().any(|job| job.sweep == "commit_files"), "this one is lost");
    bench.sync().await;
    bench.assert_true("after the job was lost").await;
    let jobs = {
        engine::discover("acme", &env).await.unwrap();
        queue.take()
    };
    assert!(!jobs.iter().any(|job| job.sweep == "commit_files"), "and then there is nothing more to read");
}

#[tokio::test]
async fn a_push_by_force_leaves_commits_behind_but_not_lost() {
    let bench = Bench::new(17, &[Size(2, 2, 30)]).await;
    bench.sync().await;
    bench.github.world().force_push("repo-00", 4);
    bench.pass(3600);
    bench.sync().await;
    let rows = bench.rows().await;
    let on = |is: bool| rows.iter().filter(|(key, row)| key.starts_with("commits ") && row["on_default_branch"] == json!(is)).count();
    let reachable = bench.github.world().truth()["commits"].as_u64().unwrap();
    assert_eq!(u64::try_from(on(true)).unwrap(), reachable);
    assert!(on(false) >= 4, "{} left behind", on(false));
}

#[tokio::test]
async fn a_renamed_repository_keeps_its_rows_and_a_deleted_one_becomes_a_tombstone() {
    let bench = Bench::new(19, Size::SMALL).await;
    bench.sync().await;
    let before = bench.counts().await;
    bench.github.world().rename_repo("repo-00", "renamed");
    bench.github.world().delete_repo("repo-02");
    bench.pass(3600);
    bench.sync().await;
    let after = bench.counts().await;
    for (entity, rows) in &before {
        let gone = u64::from(*entity == "repositories");
        assert_eq!(after[entity], rows - gone, "{entity}");
    }
    let rows = bench.rows().await;
    let renamed = rows.values().find(|row| row["full_name"] == json!("acme/renamed")).unwrap();
    assert_eq!(renamed["renamed_from"], json!(["acme/repo-00"]));
}

#[tokio::test]
async fn a_deployment_of_many_statuses_keeps_them_all() {
    let bench = Bench::new(19, &[Size(1, 1, 2)]).await;
    {
        let mut world = bench.github.world();
        let statuses = world.repos[0]["deployments"][0]["statuses"].as_array_mut().unwrap();
        let one = statuses[0].clone();
        statuses.extend((0..249).map(|_| one.clone()));
    }
    bench.sync().await;
    let rows = bench.rows().await;
    let most = rows.iter().filter(|(key, _)| key.starts_with("deployments ")).map(|(_, row)| row["statuses"].as_array().unwrap().len()).max();
    assert_eq!(most, Some(250));
}

#[tokio::test]
async fn a_main_branch_that_is_renamed_is_noticed_though_nothing_is_pushed() {
    let bench = Bench::new(19, Size::SMALL).await;
    bench.sync().await;
    bench.github.world().rename_main_branch("repo-00", "trunk");
    bench.pass(3600);
    bench.sync().await;
    bench.assert_as_made_anew("after the renaming").await;
    assert!(bench.rows().await.iter().any(|(key, row)| key.starts_with("branches ") && row["name"] == json!("trunk") && row["is_default"] == json!(true)));
}

#[tokio::test]
async fn a_duplicate_is_told_as_one_where_the_server_knows_it() {
    for (lacks, told) in [(false, "duplicate"), (true, "not_planned")] {
        let bench = Bench::new(23, &[Size(1, 3, 2)]).await;
        if lacks {
            bench.github.faults().server.lacks.push("Issue.stateReason(enableDuplicate)".to_owned());
        }
        bench.github.world().repos[0]["issues"][1]["stateReason"] = json!("DUPLICATE");
        bench.sync().await;
        let reasons: Vec<String> =
            bench.rows().await.iter().filter(|(key, _)| key.starts_with("issues ")).map(|(_, row)| row["state_reason"].to_string()).collect();
        assert!(reasons.contains(&format!("\"{told}\"")), "{reasons:?}");
    }
}

#[tokio::test]
async fn what_is_odd_is_neither_dropped_nor_changed() {
    let bench = Bench::new(23, &[Size(60, 80, 60)]).await;
    bench.sync().await;
    let rows = bench.rows().await;
    let of = |entity: &str| -> Vec<&Value> { rows.iter().filter(|(key, _)| key.starts_with(&format!("{entity} "))).map(|(_, row)| row).collect() };
    assert!(of("issues").iter().any(|row| row["author"].is_null()), "a deleted author is null");
    assert!(of("issues").iter().any(|row| row["author"] == json!("dependabot[bot]")), "a bot is spelled as REST does");
    assert!(of("commits").iter().any(|row| row["author_login"].is_null() && !row["author_name"].is_null()));
    assert!(of("issue_comments").iter().all(|row| row["body"].as_str().unwrap().contains('№')));
    assert!(of("commit_files").iter().any(|row| row["previous_path"] == json!("src/old.rs")));
    assert!(of("review_requests").iter().any(|row| !row["removed_at"].is_null()));
    let world = bench.github.world();
    for issue in world.repos[0]["issues"].as_array().unwrap() {
        let row = of("issues").into_iter().find(|row| row["number"] == issue["number"]).unwrap();
        assert_eq!((&row["title"], &row["updated_at"], &row["node_id"]), (&issue["title"], &issue["updatedAt"], &issue["id"]));
    }
}

#[tokio::test]
async fn rows_have_the_fields_that_their_entity_declares_and_no_others() {
    let bench = Bench::new(29, Size::SMALL).await;
    let store = Arc::new(Mortal::new(Arc::new(bench.table.store()), u64::MAX));
    bench.sync_on(store.clone(), Delivery::InOrder).await.unwrap();
    for (key, row) in bench.rows().await {
        let entity = engine::entities::find(key.split(' ').next().unwrap()).unwrap();
        for name in row.as_object().unwrap().keys() {
            assert!(entity.fields.iter().any(|field| field.name == name), "{key}: {name} is not declared");
        }
    }
    // What is null is not stored, but told all the same; these two are computed when they are exported.
    let lacking: Vec<String> = store.lacking.lock().unwrap().iter().cloned().collect();
    assert_eq!(lacking, ["commit_files previous_committed_at", "pull_requests review_comments"]);
}

#[test]
fn every_entity_file_is_listed() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/engine/src/entities");
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), engine::entities::ALL.len());
}

#[tokio::test]
async fn a_schedule_looks_once_a_day_for_runs_where_nothing_happens_and_at_once_where_something_moves() {
    let bench = Bench::new(7, &[Size(3, 4, 9)]).await;
    let asked = async |scheduled: bool| {
        let queue = Arc::new(TestQueue::default());
        let env = bench.env(Arc::new(bench.table.store()), queue.clone());
        let env = if scheduled { env.scheduled(jiff::SignedDuration::from_hours(1)) } else { env };
        discover("acme", &env).await.unwrap();
        let jobs = queue.take();
        for job in &jobs {
            advance(job, &env, Timestamp::MAX).await.unwrap();
        }
        jobs.iter().any(|job| job.sweep == "workflow_runs")
    };
    assert!(asked(true).await, "never read");
    assert!(!asked(true).await, "read just now, and nothing happened for long");
    assert!(asked(false).await, "somebody asks for it");
    bench.pass(23 * 3600);
    assert!(!asked(true).await, "less than a day ago");
    bench.pass(2 * 3600);
    assert!(asked(true).await, "a day has passed");
    bench.github.world().push_commits("repo-00", 1);
    assert!(asked(true).await, "something was pushed");
}

#[tokio::test]
async fn repositories_that_are_made_when_they_are_looked_at_are_copied_like_others() {
    let sizes: Vec<Size> = (0..12).map(|index| Size(index % 5, index % 3, 2 + index * 20)).collect();
    let mut bench = Bench::new(7, &[]).await;
    // Git does not know their commits.
    bench.settings.groups.remove(&engine::Group::CommitFiles);
    *bench.github.world() = sim::World::lazy(7, &sizes, 500);
    let there = bench.github.world().truth();
    assert!(there["commits"].as_u64() > Some(1000) && there["repositories"] == 12, "{there:?}");
    bench.sync().await;
    bench.assert_true("lazily made").await;
    bench.github.reset_ledger();
    bench.pass(10);
    bench.sync().await;
    let ledger = bench.github.ledger();
    assert_eq!((ledger.graphql, ledger.rest - ledger.not_modified), (3, 0), "they are the same when they are made again: {ledger:?}");
    let compared = engine::verify("acme", &bench.env(std::sync::Arc::new(bench.table.store()), std::sync::Arc::default())).await.unwrap();
    assert!(compared.differences.is_empty() && compared.compared > 100, "the list tells of each as much as it would by itself: {compared:?}");
}
