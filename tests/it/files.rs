//! The files of commits: git and REST tell the same, git at no cost, and REST takes over where git cannot be had.

use crate::bench::Bench;
use engine::{FilesFrom, StateKey, Store};
use serde_json::{Value, json};
use sim::{GitServer, Size};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SIZES: &[Size] = &[Size(2, 3, 40), Size(0, 0, 3), Size(0, 0, 0)];

async fn bench(seed: u64, files_from: FilesFrom) -> Bench {
    let mut bench = Bench::new(seed, SIZES).await;
    bench.settings.files_from = files_from;
    bench
}

async fn files(bench: &Bench) -> BTreeMap<String, Value> {
    bench.rows().await.into_iter().filter(|(key, _)| key.starts_with("commit_files ")).collect()
}

#[tokio::test]
async fn git_and_rest_tell_the_same_and_git_costs_nothing() {
    for seed in 0..4 {
        let (git, rest) = (bench(seed, FilesFrom::Git).await, bench(seed, FilesFrom::Rest).await);
        assert!(git.sync().await.is_empty() && rest.sync().await.is_empty());
        let (ours, theirs) = (files(&git).await, files(&rest).await);
        assert!(ours.len() > 330 && ours.values().any(|file| file["status"] == "renamed"), "the world is too dull: {}", ours.len());
        assert_eq!(ours, theirs, "seed {seed}");
        git.assert_true(&format!("seed {seed}")).await;
        let (cheap, dear) = (git.github.ledger(), rest.github.ledger());
        let commits = git.counts().await["commits"];
        assert_eq!(dear.requests - cheap.requests, commits + 2, "a request a commit, and one for each second page of files");
        assert!(cheap.git > 0 && dear.git == 0, "{cheap:?}");
    }
}

/// Without contents, and no further back than what is new.
#[tokio::test]
async fn later_only_what_is_new_is_fetched() {
    for server in [GitServer::Works, GitServer::Plain] {
        let bench = bench(5, FilesFrom::Git).await;
        bench.github.faults().git = server;
        bench.sync().await;
        for round in 0..3 {
            // Further apart than the margin, so that history is cut.
            bench.github.world().now += 90 * 86_400;
            bench.github.world().push_commits("repo-00", 4 + round);
            bench.github.world().push_commits("repo-01", 1);
            bench.github.reset_ledger();
            bench.pass(3600);
            assert!(bench.sync().await.is_empty());
            bench.assert_true(&format!("{server:?}, round {round}")).await;
            assert_eq!(bench.github.ledger().rest - bench.github.ledger().not_modified, 0, "{:?}", bench.github.ledger());
        }
        bench.assert_as_made_anew(&format!("{server:?}")).await;
    }
}

#[tokio::test]
async fn where_git_cannot_be_had_rest_takes_over() {
    let wanted = {
        let bench = bench(6, FilesFrom::Rest).await;
        bench.sync().await;
        files(&bench).await
    };
    for server in [
        GitServer::Plain,
        GitServer::Refuses(401),
        GitServer::Refuses(403),
        GitServer::Refuses(404),
        GitServer::Refuses(429),
        GitServer::Refuses(503),
        GitServer::CutsOff,
        GitServer::Version1,
    ] {
        let bench = bench(6, FilesFrom::Auto).await;
        bench.github.faults().git = server;
        bench.sync().await;
        assert_eq!(files(&bench).await, wanted, "{server:?}");
        bench.assert_true(&format!("{server:?}")).await;
        let asked = bench.github.ledger().git;
        assert!(asked < 20, "{server:?} was asked {asked} times");
        // It is not tried again at once.
        bench.github.world().push_commits("repo-00", 5);
        bench.github.reset_ledger();
        bench.pass(60);
        bench.sync().await;
        bench.assert_true(&format!("{server:?}, later")).await;
        assert!(server == GitServer::Plain || bench.github.ledger().git == 0, "{server:?}: {:?}", bench.github.ledger());
    }
}

/// Nobody who chose git alone is charged for REST.
#[tokio::test]
async fn whoever_wants_git_alone_is_told_when_it_cannot_be_had() {
    let bench = bench(6, FilesFrom::Git).await;
    bench.github.faults().git = GitServer::Refuses(403);
    let refused = bench.sync().await;
    assert!(refused.iter().all(|one| matches!(one, engine::Outcome::Refused { code, .. } if code == "git")) && !refused.is_empty(), "{refused:?}");
    assert!(files(&bench).await.is_empty());
    bench.github.faults().git = GitServer::Works;
    bench.pass(3600);
    bench.sync().await;
    bench.assert_true("once git works").await;
}

#[tokio::test]
async fn commits_that_were_pushed_away_come_over_rest() {
    let mut bench = bench(8, FilesFrom::Auto).await;
    bench.settings.groups.remove(&engine::Group::CommitFiles);
    bench.sync().await;
    bench.github.world().force_push("repo-00", 6);
    bench.settings.groups.insert(engine::Group::CommitFiles);
    bench.pass(3600);
    bench.sync().await;
    bench.assert_as_made_anew("after a push by force").await;
    let left_behind = bench.rows().await.into_iter().filter(|(key, row)| key.starts_with("commits ") && row["on_default_branch"] == false);
    let all = files(&bench).await;
    let mut seen = 0;
    for (_, commit) in left_behind {
        assert!(all.values().any(|file| file["sha"] == commit["sha"]), "{commit}");
        seen += 1;
    }
    assert_eq!(seen, 6);
    assert!(bench.github.ledger().git > 0);
}

/// The simulation's git is one that git itself takes for a server, and the world's commits say what git says.
#[tokio::test]
async fn git_itself_agrees_with_the_world() {
    let bench = bench(9, FilesFrom::Auto).await;
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cloned");
    let _ = std::fs::remove_dir_all(&into);
    let url = format!("{}/acme/repo-00.git", bench.github.url).replace("://", "://x-access-token:sim-token@");
    let clone = into.clone();
    let run = move |arguments: &[&str]| {
        let output = Command::new("git").env("GIT_TERMINAL_PROMPT", "0").args(arguments).output().expect("git is here: this was cloned with it");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = tokio::task::spawn_blocking(move || {
        let at = clone.display().to_string();
        run(&["-c", "protocol.version=2", "clone", "--quiet", "--bare", &url, &at]);
        run(&["-C", &at, "fsck", "--strict"]);
        run(&["-C", &at, "log", "--numstat", "-M", "--diff-merges=first-parent", "--format=%H", "main"])
    })
    .await
    .unwrap();
    let mut sums: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    let mut commit = String::new();
    for line in told.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.split('\t');
        match (parts.next(), parts.next()) {
            (Some(added), Some(removed)) => {
                let sum = sums.entry(commit.clone()).or_default();
                *sum = (sum.0 + added.parse::<u64>().unwrap(), sum.1 + removed.parse::<u64>().unwrap(), sum.2 + 1);
            }
            (Some(oid), None) => commit = oid.to_owned(),
            _ => {}
        }
    }
    let world = bench.github.world();
    let head = world.repos[0]["defaultBranchRef"]["target"].as_str().unwrap().to_owned();
    let history = world.history(&world.repos[0], &head);
    assert_eq!(history.len(), sums.len());
    for oid in history.iter() {
        let commit = &world.repos[0]["commits"][oid];
        let count = |name: &str| commit[name].as_u64().unwrap();
        assert_eq!(sums[oid], (count("additions"), count("deletions"), count("changedFilesIfAvailable")), "{oid}");
    }
}

/// The token is in the request to the first host only.
#[tokio::test]
async fn git_is_not_followed_to_another_host() {
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (to, reached) = (elsewhere.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
    let seen = reached.clone();
    tokio::spawn(async move {
        let _ = elsewhere.accept().await;
        seen.store(true, Ordering::SeqCst);
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let lead_away = move || async move { (axum::http::StatusCode::MOVED_PERMANENTLY, [("location", format!("http://{to}/acme/repo.git/info/refs"))]) };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(lead_away)).await.unwrap() });
    let client = github::Client::new(github::ApiUrl::parse(&url).unwrap(), github::Token::new("canary-token").unwrap()).unwrap();
    let error = client.git("acme/repo").await.unwrap_err();
    assert!(matches!(error, github::Error::OtherHost { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
    assert!(!reached.load(Ordering::SeqCst));
}

/// The list and the mark as an earlier version left them: commits by their name alone, one of them just written.
#[tokio::test]
async fn a_list_of_a_former_version_is_worked_off() {
    for files_from in [FilesFrom::Auto, FilesFrom::Rest] {
        let mut bench = bench(12, files_from).await;
        bench.settings.groups.remove(&engine::Group::CommitFiles);
        bench.sync().await;
        let store = bench.table.store();
        let commits: Vec<(String, String)> = {
            let rows = bench.rows().await;
            let keys = rows.keys().filter_map(|key| key.strip_prefix("commits ")?.split_once(' '));
            keys.map(|(scope, sha)| (scope.to_owned(), sha.to_owned())).collect()
        };
        for (scope, sha) in &commits {
            store.save(&StateKey { of: format!("files#{scope}"), name: sha.clone() }, 0, &json!({})).await.unwrap();
        }
        let (scope, sha) = commits.first().unwrap();
        let mark = json!({ "pages": 3, "memo": { "seeded": true }, "walk": { "position": { "seeded": true, "done": sha, "sha": null, "page": null } },
            "etag": "W/\"1\"", "a_field_of_tomorrow": 1 });
        store.save(&StateKey { of: format!("repo#{scope}"), name: "mark#commit_files".to_owned() }, 0, &mark).await.unwrap();
        bench.settings.groups.insert(engine::Group::CommitFiles);
        bench.pass(3600);
        bench.sync().await;
        bench.assert_true(&format!("{files_from:?}")).await;
        for (scope, _) in &commits {
            assert!(store.states_of(&format!("files#{scope}")).await.unwrap().is_empty());
        }
    }
}

/// Several repositories at once: nobody's history is thrown away while it is still needed.
#[tokio::test]
async fn each_history_is_fetched_once() {
    let bench = Bench::new(14, &[Size(0, 0, 1200), Size(0, 0, 1200), Size(0, 0, 1200)]).await;
    // Two workers on each job, so that pages of several sweeps come in turn.
    bench.sync_on(Arc::new(bench.table.store()), crate::bench::Delivery::Shuffled(3)).await.unwrap();
    bench.assert_true("three at once").await;
    let asked = bench.github.ledger().git;
    // Two a fetch, for two workers who do not wait for each other, and some for what was listed meanwhile; 66 if each threw away the others.
    assert!(asked <= 30, "{asked} requests over git");
}
