//! The commits of all branches, where they are asked for: each is there once, with its files, and says whether it is on the
//! default branch, however branches grow, are merged and are pushed by force. `SEI_SEEDS=200` tries more histories.

use crate::bench::{Bench, Delivery, Lists, Mortal};
use engine::{Branches, FilesFrom, Standing, Store};
use sim::{Random, Size, World};
use std::collections::BTreeMap;
use std::sync::Arc;

async fn bench(seed: u64, commits: usize, lists: Lists) -> Bench {
    let mut bench = Bench::of(seed, &[Size(1, 1, commits), Size(0, 0, 0)], lists).await;
    bench.settings.branches = Branches::All;
    bench.settings.files_from = FilesFrom::Git;
    bench
}

/// Each commit that a branch leads to, and whether the default one does.
fn truth(world: &World) -> BTreeMap<String, bool> {
    let mut all = BTreeMap::new();
    for repo in &world.repos {
        let default = repo["defaultBranchRef"]["target"].as_str().map(str::to_owned);
        let heads = repo["refs"].as_array().unwrap().iter().filter(|one| one["prefix"] == "refs/heads/");
        for head in heads.filter_map(|one| one["target"].as_str()).filter(|head| Some(*head) != default.as_deref()) {
            all.extend(world.history(repo, head).iter().map(|sha| (sha.clone(), false)));
        }
        all.extend(default.iter().flat_map(|head| world.history(repo, head).to_vec()).map(|sha| (sha, true)));
    }
    all
}

async fn copied(bench: &Bench) -> BTreeMap<String, bool> {
    let rows = bench.rows().await.into_iter().filter(|(key, _)| key.starts_with("commits "));
    rows.map(|(_, row)| (row["sha"].as_str().unwrap().to_owned(), row["on_default_branch"].as_bool().unwrap())).collect()
}

/// That each commit's files are there, as the world made them.
async fn assert_files(bench: &Bench, about: &str) {
    let mut files: BTreeMap<String, u64> = BTreeMap::new();
    for (_, row) in bench.rows().await.into_iter().filter(|(key, _)| key.starts_with("commit_files ")) {
        *files.entry(row["sha"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for sha in copied(bench).await.keys() {
        let world = bench.github.world();
        let made = world.repos.iter().find_map(|repo| repo["commits"].get(sha)).map(|commit| commit["files"].as_array().unwrap().len() as u64);
        assert_eq!(files.get(sha).copied(), made, "{about}: files of {sha}");
    }
}

#[tokio::test]
async fn every_branchs_commits_come_with_their_files_and_the_next_sync_asks_for_none() {
    let mut bench = bench(5, 60, Lists::Overflow).await;
    bench.github.world().push_branch("repo-00", "feature", 3);
    bench.github.world().push_branch("repo-00", "long", 120);
    bench.github.world().push_branch("repo-00", "merged", 2);
    bench.github.world().merge_branch("repo-00", "merged");
    bench.sync().await;
    assert_eq!(copied(&bench).await, truth(&bench.github.world()));
    assert_files(&bench, "first").await;
    let first = bench.github.ledger();
    assert!(first.rest < 10, "files over REST: {first:?}");
    bench.assert_status_exact("first").await;
    let status = engine::status(&bench.table.store(), jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let commits = status.repositories[0].entities.iter().find(|one| one.entity == "commits").unwrap();
    assert_eq!(commits.state, Standing::Complete, "{commits:?}");
    // One moves: a page of the list and one of its history more than without the others, at a point each.
    let mut spent = Vec::new();
    for branches in [Branches::All, Branches::Default] {
        bench.settings.branches = branches;
        bench.github.world().push_branch("repo-00", "long", 1);
        bench.github.reset_ledger();
        bench.pass(3600);
        bench.sync().await;
        let ledger = bench.github.ledger();
        spent.push((ledger.graphql, ledger.points));
        if branches == Branches::All {
            assert_eq!(copied(&bench).await, truth(&bench.github.world()));
            assert_files(&bench, "later").await;
        }
    }
    assert_eq!(spent[0], (spent[1].0 + 2, spent[1].1 + 2));
}

#[tokio::test]
async fn they_are_read_only_if_asked_for_and_from_then_on() {
    let mut bench = bench(5, 9, Lists::Short).await;
    bench.settings.branches = Branches::Default;
    bench.github.world().push_branch("repo-00", "feature", 3);
    bench.sync().await;
    assert!(copied(&bench).await.values().all(|is| *is));
    bench.assert_true("default").await;
    bench.settings.branches = Branches::All;
    bench.pass(3600);
    bench.sync().await;
    assert_eq!(copied(&bench).await, truth(&bench.github.world()));
    assert_files(&bench, "switched on").await;
}

#[tokio::test]
async fn however_branches_grow_and_are_merged_each_commit_says_where_it_is() {
    let most = std::env::var("SEI_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(2);
    for seed in 1..=most {
        let bench = bench(seed, 6, Lists::Short).await;
        let mut random = Random(seed);
        for round in 0..4 {
            for _ in 0..=random.below(3) {
                let (name, count) = (format!("b{}", random.below(3)), 1 + random.below(70) as usize);
                let mut world = bench.github.world();
                match random.below(5) {
                    0 | 1 => world.push_branch("repo-00", &name, count),
                    2 | 3 => world.merge_branch("repo-00", &name),
                    _ => world.push_commits("repo-00", count),
                }
            }
            bench.sync().await;
            bench.pass(3600);
            let about = format!("seed {seed}, round {round}");
            assert_eq!(copied(&bench).await, truth(&bench.github.world()), "{about}");
            bench.assert_status_exact(&about).await;
        }
        // What a push by force leaves behind, or takes up again, stays, and says so.
        bench.github.world().force_push("repo-00", 2);
        bench.sync().await;
        let (ours, theirs) = (copied(&bench).await, truth(&bench.github.world()));
        assert!(theirs.iter().all(|(sha, is)| ours.get(sha) == Some(is)), "seed {seed}: pushed by force");
        assert!(ours.iter().all(|(sha, is)| !is || theirs.get(sha) == Some(&true)), "seed {seed}: left behind");
        assert_files(&bench, &format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn killed_at_any_storage_call_no_commit_of_any_branch_is_lost() {
    let mut calls = 0;
    loop {
        let bench = bench(3, 4, Lists::Short).await;
        bench.github.world().push_branch("repo-00", "feature", 2);
        let store: Arc<dyn Store> = Arc::new(bench.table.store());
        let died = bench.sync_on(Arc::new(Mortal::new(store, calls)), Delivery::InOrder).await.is_err();
        bench.pass(60);
        bench.sync().await;
        let about = format!("killed at storage call {calls}");
        assert_eq!(copied(&bench).await, truth(&bench.github.world()), "{about}");
        assert_files(&bench, &about).await;
        if !died {
            break;
        }
        // Every eighth: the other kill tests look at every one.
        calls += 8;
    }
    assert!(calls > 40, "the process outlived {calls} calls: nothing was tested");
}

#[tokio::test]
async fn what_is_refused_is_told_beside_the_commits() {
    let bench = bench(5, 4, Lists::Short).await;
    bench.sync().await;
    bench.github.world().push_branch("repo-00", "feature", 2);
    bench.github.faults().refuse.insert("acme/repo-00".to_owned(), (451, Some("refs".to_owned())));
    bench.pass(3600);
    bench.sync().await;
    let status = engine::status(&bench.table.store(), jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let commits = status.repositories[0].entities.iter().find(|one| one.entity == "commits").unwrap();
    assert!(commits.error.is_some() && commits.state != Standing::Complete, "{commits:?}");
    let there = truth(&bench.github.world()).values().filter(|is| **is).count();
    assert_eq!(commits.rows, there as u64, "{commits:?}");
}
