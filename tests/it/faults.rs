//! Faults that must lose nothing. Seeds are printed; `SEI_SEEDS=1000` runs more of them, `SEI_SEED=n` one.

use crate::bench::{Bench, Delivery, Mortal};
use engine::{Outcome, Standing, Store};
use sim::{Random, Size};
use std::sync::Arc;

const TINY: &[Size] = &[Size(4, 5, 4)];

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
        // A whole discovery (two requests) precedes the second run; of pages, at most one is read twice.
        let again = bench.github.ledger().requests.saturating_sub(asked);
        assert!(!died || again <= 2 + 1 + 1, "killed at storage call {calls}: {again} requests more than {asked}");
        if !died {
            break;
        }
        calls += 1;
    }
    assert!(calls > 50, "the process outlived {calls} calls: nothing was tested");
}

#[tokio::test]
async fn broken_replies_and_shuffled_jobs_lose_nothing() {
    for seed in seeds() {
        let bench = Bench::new(5, TINY).await;
        {
            let mut faults = bench.github.faults();
            faults.random = Random(seed);
            (faults.bad_gateway, faults.truncated) = (50, 10);
        }
        let store: Arc<dyn Store> = Arc::new(bench.table.store());
        bench.sync_on(store, Delivery::Shuffled(seed)).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        bench.assert_true(&format!("seed {seed}")).await;
    }
}

#[tokio::test]
async fn two_workers_on_each_job_are_harmless() {
    let bench = Bench::new(5, Size::SMALL).await;
    let store: Arc<dyn Store> = Arc::new(bench.table.store());
    bench.sync_on(store, Delivery::Twice).await.unwrap();
    bench.assert_true("twice").await;
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
async fn one_repository_that_is_refused_stops_no_other_and_is_told() {
    // 1 to 4 are the meanings of a 403: scope, SSO, secondary limit, IP allow list. 5 is not GraphQL at all.
    for status in [1, 2, 4, 5, 404, 409, 410, 422, 451, 500] {
        let bench = Bench::new(5, &[Size(4, 5, 6), Size(5, 4, 5)]).await;
        bench.github.faults().refuse.insert("acme/repo-00".to_owned(), (status, None));
        let store: Arc<dyn Store> = Arc::new(bench.table.store());
        let refused = tokio::time::timeout(std::time::Duration::from_secs(60), limited_patience(&bench, store)).await.unwrap();
        let status_now = engine::status(&bench.table.store(), jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let of = |name: &str| status_now.repositories.iter().find(|repo| repo.repo == name).unwrap();
        for entity in &of("acme/repo-01").entities {
            assert!(matches!(entity.state, Standing::Complete | Standing::Empty), "{status}: {entity:?}");
        }
        let issues = of("acme/repo-00").entities.iter().find(|entity| entity.entity == "issues").unwrap();
        assert!(!issues.missing.is_empty(), "{status}: {issues:?} after {refused:?}");
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
async fn a_message_that_is_no_job_fails_alone() {
    let bench = Bench::new(5, TINY).await;
    let env = bench.env(Arc::new(bench.table.store()), Arc::default());
    let message = |id: &str, body: &str| fetcher::Message { message_id: id.to_owned(), body: body.to_owned() };
    let batch = fetcher::Batch {
        records: vec![message("a", "not json"), message("b", r#"{"scope": 1, "sweep": "issues"}"#), message("c", r#"{"scope": 1, "sweep": "wikis"}"#)],
    };
    let failures = fetcher::handle(batch, &env, jiff::Timestamp::MAX).await;
    let failed: Vec<String> = failures.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
    assert_eq!(failed, ["a", "c"]);
}
