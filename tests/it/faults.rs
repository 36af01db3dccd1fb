//! Faults that must lose nothing. Seeds are printed; `SEI_SEEDS=1000` runs more of them, `SEI_SEED=n` one.

use crate::bench::{Bench, Delivery, Lists, Mortal};
use engine::{Outcome, Standing, Store};
use sim::{Random, Size};
use std::collections::BTreeMap;
use std::sync::Arc;

const TINY: &[Size] = &[Size(2, 3, 3)];

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SEI_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SEI_SEEDS").unwrap_or(200)).collect(),
    }
}

#[tokio::test]
async fn killed_at_any_storage_call_the_next_sync_makes_the_same_table() {
    let whole = Bench::new(3, TINY).await;
    whole.sync().await;
    let (wanted, asked) = (whole.rows().await, whole.github.ledger().requests);
    let mut calls = 0;
    loop {
        let bench = Bench::new(3, TINY).await;
        let store: Arc<dyn Store> = Arc::new(bench.table.store());
        let died = bench.sync_on(Arc::new(Mortal::new(store, calls)), Delivery::InOrder).await.is_err();
        bench.pass(60);
        bench.sync().await;
        assert!(bench.rows().await == wanted, "killed at storage call {calls}");
        bench.assert_status_exact(&format!("killed at storage call {calls}")).await;
        // A whole discovery (three requests) precedes the second run; of pages, at most one is read twice.
        let again = bench.github.ledger().requests.saturating_sub(asked);
        assert!(!died || again <= 3 + 1 + 1, "killed at storage call {calls}: {again} requests more than {asked}");
        if !died {
            break;
        }
        calls += 1;
    }
    assert!(calls > 50, "the process outlived {calls} calls: nothing was tested");
}

#[tokio::test]
async fn killed_at_any_request_the_next_sync_makes_the_same_table() {
    let whole = Bench::new(3, TINY).await;
    whole.sync().await;
    let (wanted, asked) = (whole.rows().await, whole.github.ledger().requests);
    for number in 1..=asked {
        let bench = Bench::new(3, TINY).await;
        let store: Arc<dyn Store> = Arc::new(bench.table.store());
        let died = bench.sync_on(Arc::new(Mortal::at_request(store, &bench.github, number)), Delivery::InOrder).await;
        assert!(died.is_err(), "survived request {number}");
        bench.pass(60);
        bench.sync().await;
        assert!(bench.rows().await == wanted, "killed at request {number}");
        bench.assert_status_exact(&format!("killed at request {number}")).await;
        let again = bench.github.ledger().requests.saturating_sub(asked);
        assert!(again <= 3 + 1 + 1, "killed at request {number}: {again} requests more than {asked}");
    }
}

/// Whatever people do while their lists are paged is there after the next sync.
#[tokio::test]
async fn what_changes_while_it_is_paged_is_not_missed() {
    for seed in seeds().into_iter().step_by(10) {
        let mut bench = Bench::of(seed, &[Size(6, 8, 12), Size(3, 3, 3)], Lists::of(seed, 3)).await;
        bench.settings.groups.remove(&engine::Group::CommitFiles);
        let mut random = Random(seed);
        for _ in 0..12 {
            let (number, repo) = (1 + random.below(14), format!("repo-0{}", random.below(2)));
            bench.github.before_request(number, move |world| (0..3).for_each(|_| world.happen(&repo)));
        }
        // Changes that the first sync did not live to see come in the second.
        for _ in 0..3 {
            bench.sync().await;
            bench.pass(3600);
        }
        bench.assert_as_made_anew(&format!("seed {seed}")).await;
    }
}

/// A repository that is renamed, transferred, archived or deleted, before any request of a sync.
#[tokio::test]
async fn a_repository_that_moves_in_mid_sync_makes_no_duplicates() {
    type Change = (&'static str, fn(&mut sim::World));
    let changes: [Change; 4] = [
        ("renamed", |world| world.rename_repo("repo-00", "renamed")),
        ("transferred", |world| world.transfer_repo("repo-00", "other")),
        ("archived", |world| world.archive_repo("repo-00")),
        ("deleted", |world| world.delete_repo("repo-00")),
    ];
    let whole = Bench::of(3, &[Size(2, 2, 2), Size(1, 1, 1)], Lists::Short).await;
    whole.sync().await;
    let asked = whole.github.ledger().requests;
    // Every fourth request, another fourth for each change: the kill tests look at every one.
    for (first, (what, change)) in (1..).zip(changes) {
        for number in (first..=asked).step_by(4) {
            let bench = Bench::of(3, &[Size(2, 2, 2), Size(1, 1, 1)], Lists::Short).await;
            bench.github.before_request(number, change);
            bench.sync().await;
            bench.pass(3600);
            bench.sync().await;
            bench.assert_as_made_anew(&format!("{what} at request {number}")).await;
        }
    }
}

#[tokio::test]
async fn pages_that_github_refuses_are_read_another_way() {
    let bench = Bench::new(5, TINY).await;
    {
        let mut world = bench.github.world();
        let pull = world.repos[0]["pullRequests"][0]["number"].as_u64().unwrap();
        for _ in 0..730 {
            world.add_review_comment("repo-00", pull);
            world.add_run("repo-00");
        }
    }
    bench.github.faults().last_page = Some(3);
    bench.sync().await;
    bench.assert_true("no page after the third").await;
}

#[tokio::test]
async fn a_token_that_is_spent_or_refused_hands_over_to_the_next() {
    let bench = Bench::new(5, TINY).await;
    bench.github.faults().tokens = vec!["one".to_owned(), "two".to_owned(), "three".to_owned()];
    bench.github.faults().limit = Some(15);
    let queue = Arc::new(crate::bench::TestQueue::default());
    let env = bench.env_with(Arc::new(bench.table.store()), queue, &["wrong", "one", "two", "three"]);
    let found = engine::discover("acme", &env).await.unwrap();
    for job in found.jobs.iter().filter(|job| job.sweep != "commit_files") {
        assert_eq!(engine::advance(job, &env, jiff::Timestamp::MAX).await.unwrap(), Outcome::CaughtUp);
    }
    assert_eq!(env.github.refused(), (1, 4));
    let ledger = bench.github.ledger();
    assert!(ledger.breaches.is_empty() && ledger.points > 15, "{ledger:?}");
    let status = engine::status(&bench.table.store(), engine::Clock::now(&bench.clock)).await.unwrap();
    assert_eq!((status.spent.requests, status.spent.points), (env.github.spent().requests(), ledger.points), "the meter and the ledger agree");
}

#[tokio::test]
async fn broken_replies_and_shuffled_jobs_lose_nothing() {
    for seed in seeds() {
        let bench = Bench::of(seed % 20, TINY, Lists::of(seed, 10)).await;
        {
            let mut faults = bench.github.faults();
            faults.random = Random(seed);
            (faults.bad_gateway, faults.truncated, faults.reset, faults.jitter_ms) = (50, 10, 10, 3);
        }
        let store: Arc<dyn Store> = Arc::new(bench.table.store());
        bench.sync_on(store, Delivery::Shuffled(seed)).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        bench.assert_true(&format!("seed {seed}")).await;
        bench.assert_status_exact(&format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn two_workers_on_each_job_are_harmless() {
    let bench = Bench::new(5, Size::SMALL).await;
    let store: Arc<dyn Store> = Arc::new(bench.table.store());
    bench.sync_on(store, Delivery::Twice).await.unwrap();
    bench.assert_true("twice").await;
    bench.assert_status_exact("twice").await;
}

#[tokio::test]
async fn a_spent_budget_is_waited_for_and_the_reserve_is_left() {
    let bench = Bench::new(5, TINY).await;
    bench.github.faults().limit = Some(12);
    bench.sync().await;
    bench.assert_true("limited to 12 an hour").await;
}

#[tokio::test]
async fn a_secondary_limit_is_obeyed_by_everybody() {
    for after in [Some(17), None] {
        let bench = Bench::new(5, TINY).await;
        bench.github.faults().secondary = Some((6, after));
        bench.sync().await;
        bench.assert_true(&format!("retry-after {after:?}")).await;
    }
}

#[tokio::test]
async fn a_server_without_limits_is_copied_all_the_same() {
    let bench = Bench::new(5, TINY).await;
    bench.github.faults().limit = None;
    bench.sync().await;
    bench.assert_true("no limits").await;
}

#[tokio::test]
async fn a_page_that_is_too_heavy_is_halved_and_nothing_skipped() {
    let bench = Bench::new(5, &[Size(30, 40, 20)]).await;
    bench.github.faults().heavy = Some(12_000);
    bench.sync().await;
    bench.assert_true("heavy").await;
}

#[tokio::test]
async fn an_item_that_github_can_never_answer_holds_up_no_other() {
    let bench = Bench::new(5, &[Size(8, 9, 3)]).await;
    let number = bench.github.world().repos[0]["pullRequests"][3]["number"].as_u64().unwrap();
    bench.github.faults().unanswerable = Some(number);
    bench.sync().await;
    let (counts, truth) = (bench.counts().await, bench.github.world().truth());
    for entity in ["pull_requests", "issues"] {
        assert_eq!(counts[entity], truth[entity].as_u64().unwrap(), "{entity}");
    }
    let status = engine::status(&bench.table.store(), jiff::Timestamp::UNIX_EPOCH).await.unwrap();
    let told = &status.repositories[0].entities.iter().find(|one| one.entity == "pull_requests").unwrap().missing;
    assert!(told.iter().any(|missing| missing.contains(&format!("#{number}"))), "{told:?}");
    // Once GitHub can, a change brings it whole.
    bench.github.faults().unanswerable = None;
    bench.github.world().edit("repo-00", "pullRequests", number, "lighter");
    bench.pass(3600);
    bench.sync().await;
    bench.assert_true("afterwards").await;
}

/// Every refusal, of everything in a repository and of each list alone: the others complete, and `status` tells.
#[tokio::test]
async fn what_is_refused_stops_nothing_else_and_is_told() {
    // The list that is refused, as its query or route names it, and an entity that it brings.
    let parts = [
        (None, "issues"),
        (Some("issues"), "issues"),
        (Some("pullRequests"), "pull_requests"),
        (Some("history"), "commits"),
        (Some("milestones"), "milestones"),
        (Some("deployments"), "deployments"),
        (Some("/pulls/comments"), "review_comments"),
        (Some("/actions/runs"), "workflow_runs"),
        (Some("/commits/"), "commit_files"),
    ];
    // 1 to 4 are the meanings of a 403: scope, SSO, secondary limit, IP allow list. 5 is not GitHub's JSON at all.
    for status in [1, 2, 3, 4, 5, 301, 401, 404, 409, 410, 422, 451, 500] {
        for (part, entity) in parts {
            // GraphQL has one address, which cannot move; a secondary limit that never ends is nobody's.
            if status == 301 && !part.is_some_and(|part| part.starts_with('/')) || status == 3 && part.is_none() {
                continue;
            }
            let about = format!("{status} for {part:?}");
            let mut bench = Bench::of(5, &[Size(3, 3, 4), Size(2, 2, 3)], Lists::Short).await;
            bench.settings.files_from = engine::FilesFrom::Rest;
            bench.github.faults().refuse.insert("acme/repo-00".to_owned(), (status, part.map(str::to_owned)));
            let store: Arc<dyn Store> = Arc::new(bench.table.store());
            let outcomes = tokio::time::timeout(std::time::Duration::from_secs(60), limited_patience(&bench, store)).await.unwrap();
            let now = engine::status(&bench.table.store(), jiff::Timestamp::UNIX_EPOCH).await.unwrap();
            let of = |name: &str| now.repositories.iter().find(|repo| repo.repo == name).unwrap();
            let whole = |standing| matches!(standing, Standing::Complete | Standing::Empty);
            for other in &of("acme/repo-01").entities {
                assert!(whole(other.state), "{about}: {other:?}");
            }
            let refused = of("acme/repo-00").entities.iter().find(|one| one.entity == entity).unwrap();
            if status == 301 {
                assert!(whole(refused.state), "{about}: {refused:?}");
            } else {
                assert!(
                    !refused.missing.is_empty()
                        || !whole(refused.state) && (refused.error.is_some() || refused.state == Standing::Waiting)
                        || refused.error.is_some(),
                    "{about}: {refused:?} after {outcomes:?}"
                );
            }
            if part.is_some() {
                let broken = of("acme/repo-00").entities.iter().filter(|one| !whole(one.state)).count();
                assert!(broken <= 5, "{about}: more than one sweep is missing");
            }
            assert!(bench.github.ledger().breaches.is_empty(), "{about}: {:?}", bench.github.ledger().breaches);
        }
    }
}

/// Whatever bytes come, over either API or git: no panic, no endless loop, and a message that says what is wrong. What a
/// changed byte made of a row stays until the item changes, so that only the next whole reading is the truth again.
#[tokio::test]
async fn mangled_replies_make_no_panic() {
    for seed in seeds().into_iter().take(usize::try_from(std::env::var("SEI_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(12_u64)).unwrap()) {
        let mut bench = Bench::new(seed, &[Size(4, 5, 30)]).await;
        bench.github.faults().random = Random(seed);
        bench.github.faults().mangled = 400;
        for _ in 0..3 {
            let queue = Arc::new(crate::bench::TestQueue::default());
            let env = bench.env(Arc::new(bench.table.store()), queue);
            if let Ok(found) = engine::discover("acme", &env).await {
                let files = found.jobs.iter().map(|job| engine::Job { sweep: "commit_files".to_owned(), ..job.clone() });
                for job in found.jobs.iter().cloned().chain(files) {
                    if let Err(error) = engine::advance(&job, &env, jiff::Timestamp::MAX).await {
                        assert!(!error.to_string().is_empty(), "seed {seed}");
                    }
                }
            }
            bench.pass(600);
        }
        bench.github.faults().mangled = 0;
        bench.settings.full = true;
        bench.pass(90_000);
        bench.sync().await;
        let truth = bench.github.world().truth();
        let counts = bench.counts().await;
        for entity in ["repositories", "issues", "pull_requests", "commits"] {
            assert!(counts[entity] >= truth[entity].as_u64().unwrap(), "seed {seed}: {entity} are missing: {counts:?}");
        }
        assert!(bench.github.ledger().breaches.is_empty(), "seed {seed}: {:?}", bench.github.ledger().breaches);
    }
}

/// A sync that gives up on a job after a while, as the command does.
async fn limited_patience(bench: &Bench, store: Arc<dyn Store>) -> Vec<Outcome> {
    let queue = Arc::new(crate::bench::TestQueue::default());
    let env = bench.env(store, queue.clone());
    let found = engine::discover("acme", &env).await.unwrap();
    let mut outcomes = Vec::new();
    for job in found.jobs {
        for _ in 0..4 {
            let outcome = engine::advance(&job, &env, jiff::Timestamp::MAX).await.unwrap();
            let parked = matches!(outcome, Outcome::Parked { .. });
            outcomes.push(outcome);
            if !parked {
                break;
            }
            bench.pass(400);
        }
    }
    for job in bench_files(&env).await {
        outcomes.push(engine::advance(&job, &env, jiff::Timestamp::MAX).await.unwrap());
    }
    outcomes
}

/// The files of commits follow the commits.
async fn bench_files(env: &engine::Env) -> Vec<engine::Job> {
    engine::discover("acme", env).await.unwrap().jobs.into_iter().filter(|job| job.sweep == "commit_files").collect()
}

#[tokio::test]
async fn a_wrong_token_is_told_and_shown_nowhere() {
    let canary = "ghp_canary0123456789";
    let bench = Bench::new(5, TINY).await;
    let client = github::Client::new(github::ApiUrl::parse(&bench.github.url).unwrap(), github::Token::new(canary).unwrap()).unwrap();
    let shown = format!("{client:?} {:?}", client.token());
    let error = client.get("/user", None).await.unwrap_err();
    assert!(matches!(error, github::Error::Unauthenticated));
    for text in [shown, format!("{error} {error:?}"), client.token().fingerprint()] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let bench = Bench::new(5, TINY).await;
    let client = github::Client::new(github::ApiUrl::parse(&bench.github.url).unwrap(), github::Token::new("sim-token").unwrap()).unwrap();
    let error = client.get("https://evil.example.com/repos", None).await.unwrap_err();
    assert!(matches!(error, github::Error::OtherHost { .. }), "{error}");
}

#[tokio::test]
async fn a_job_that_meets_a_limit_comes_back_by_itself() {
    let bench = Bench::new(5, TINY).await;
    let queue = Arc::new(crate::bench::TestQueue::default());
    let env = bench.env(Arc::new(bench.table.store()), queue.clone());
    let found = engine::discover("acme", &env).await.unwrap();
    queue.take();
    bench.github.faults().secondary = Some((bench.github.ledger().requests + 1, Some(30)));
    let job = found.jobs.into_iter().find(|job| job.sweep == "issues").unwrap();
    let message = fetcher::Message { message_id: "a".to_owned(), body: serde_json::to_string(&job).unwrap(), attributes: BTreeMap::new() };
    let failures = fetcher::handle(fetcher::Batch { records: vec![message] }, &env.clone().into(), jiff::Timestamp::MAX).await;
    assert!(failures.batch_item_failures.is_empty(), "a limit is no failure");
    assert_eq!(queue.take(), [job]);
}

#[tokio::test]
async fn a_message_that_is_no_job_fails_alone() {
    let bench = Bench::new(5, TINY).await;
    let env = bench.env(Arc::new(bench.table.store()), Arc::default());
    let message = |id: &str, body: &str| fetcher::Message { message_id: id.to_owned(), body: body.to_owned(), attributes: BTreeMap::new() };
    let batch = fetcher::Batch {
        records: vec![message("a", "not json"), message("b", r#"{"scope": 1, "sweep": "issues"}"#), message("c", r#"{"scope": 1, "sweep": "wikis"}"#)],
    };
    let failures = fetcher::handle(batch, &env.clone().into(), jiff::Timestamp::MAX).await;
    let failed: Vec<String> = failures.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["a", "c"]);
}
