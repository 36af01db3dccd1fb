//! What a plan says of a first sync, beside what the simulation's ledger says once it is done.

use crate::bench::{Bench, TestQueue};
use engine::{Group, Plan};
use sim::{Faults, Size};
use std::sync::Arc;

async fn plan_of(bench: &Bench) -> Plan {
    let env = bench.env(Arc::new(bench.table.store()), Arc::new(TestQueue::default()));
    engine::plan(&env).await.unwrap()
}

fn within(about: &str, what: &str, planned: u64, took: u64, percent: u64) {
    assert!(planned.abs_diff(took) * 100 <= took * percent, "{about}: {planned} {what} planned, {took} taken");
}

/// Plans, syncs, and compares; returns the plan.
async fn compare(about: &str, bench: &Bench) -> Plan {
    bench.github.faults().limit = Some(1_000_000);
    let plan = plan_of(bench).await;
    let spent = bench.github.ledger();
    assert_eq!((plan.spent.requests, plan.spent.points), (spent.requests, spent.points), "{about}: what the plan took");
    assert!(bench.rows().await.is_empty(), "{about}: a plan writes no row");
    bench.github.reset_ledger();
    assert!(bench.sync().await.is_empty(), "{about}");
    let took = bench.github.ledger();
    println!(
        "{about}: {} of {} requests, {} of {} points; the plan took {} and {}",
        plan.first_sync.requests, took.requests, plan.first_sync.points, took.points, spent.requests, spent.points
    );
    within(about, "requests", plan.first_sync.requests, took.requests, 20);
    within(about, "REST requests", plan.first_sync.rest, took.rest, 20);
    within(about, "points", plan.first_sync.points, took.points, 20);
    let truth = bench.github.world().truth();
    for entity in plan.entities.iter().filter(|entity| truth.contains_key(entity.entity)) {
        let there = truth[entity.entity].as_u64().unwrap();
        if entity.estimated {
            // From what is newest, while the few long lists of the simulation are old; what fits on a repository's first
            // page is not even counted.
            let close = entity.rows.abs_diff(there) <= plan.repositories.max(25);
            within(about, entity.entity, if close { there } else { entity.rows }, there, 35);
        } else {
            assert_eq!(entity.rows, there, "{about}: {} is GitHub's own total", entity.entity);
        }
    }
    let rows = u64::try_from(bench.rows().await.len()).unwrap();
    within(about, "rows in all", plan.aws.rows, rows, 20);
    plan
}

#[tokio::test]
async fn a_plan_is_within_a_fifth_for_one_repository_with_many_pull_requests() {
    let mut bench = Bench::new(7, &[Size(600, 40, 300)]).await;
    bench.settings.groups.remove(&Group::CommitFiles);
    let plan = compare("many pull requests", &bench).await;
    assert_eq!(plan.spent.requests, 6, "the list, a sample, two counts, the boards, the budget: {:?}", plan.spent);
}

#[tokio::test]
async fn a_plan_is_within_a_fifth_for_many_tiny_repositories() {
    // Nothing is proposed where nothing was pushed.
    let sizes: Vec<Size> = (0..60).map(|index| Size(if index % 4 == 0 { 0 } else { index % 5 }, index % 7, index % 4)).collect();
    let bench = Bench::new(11, &sizes).await;
    let plan = compare("tiny repositories", &bench).await;
    assert_eq!((plan.repositories, plan.empty), (60, sizes.iter().filter(|size| (size.0, size.1, size.2) == (0, 0, 0)).count() as u64));
    assert!(plan.spent.requests < 10, "{:?}", plan.spent);
}

#[tokio::test]
async fn a_plan_is_within_a_fifth_where_commits_and_their_files_weigh_most() {
    let mut bench = Bench::new(13, &[Size(10, 10, 700), Size(0, 0, 200), Size(4, 2, 80)]).await;
    let saved = plan_of(&bench).await.files_from_git.unwrap().requests_saved;
    bench.github.reset_ledger();
    bench.settings.files_from = engine::FilesFrom::Rest;
    let plan = compare("commits", &bench).await;
    let files = plan.by_sweep.iter().find(|(sweep, _)| *sweep == "commit_files").unwrap().1;
    assert!(files.rest * 10 > plan.first_sync.requests * 8, "{files:?}");
    assert_eq!((saved, plan.files_from_git.is_none()), (files.rest, true), "what git saves is what REST would take");
}

#[tokio::test]
async fn a_plan_is_within_a_fifth_where_issues_weigh_most() {
    let mut bench = Bench::new(17, &[Size(5, 900, 20), Size(0, 300, 3), Size(2, 40, 1), Size(0, 60, 0)]).await;
    bench.settings.groups.remove(&Group::CommitFiles);
    compare("issues", &bench).await;
}

#[tokio::test]
async fn a_plan_is_within_a_fifth_for_a_mixture_with_empty_and_archived_repositories() {
    let mut sizes = vec![Size(180, 90, 400), Size(60, 200, 150), Size(0, 0, 0), Size(25, 10, 60)];
    sizes.extend([Size(6, 9, 30); 14]);
    sizes.extend([Size(0, 0, 0); 4]);
    let mut bench = Bench::new(19, &sizes).await;
    bench.settings.groups.remove(&Group::CommitFiles);
    {
        let mut world = bench.github.world();
        (0..950).for_each(|_| world.add_run("repo-00"));
        (0..330).for_each(|_| world.add_run("repo-03"));
        (0..120).for_each(|_| world.add_deployment("repo-01"));
        (0..130).for_each(|index| world.add_release("repo-01", &format!("v1.{index}")));
        for number in 1..=9 {
            (0..90).for_each(|_| world.add_review_comment("repo-00", number));
        }
        for name in ["repo-01", "repo-07", "repo-09", "repo-20"] {
            world.archive_repo(name);
        }
    }
    let all = compare("a mixture", &bench).await;
    // What is not selected is not planned, and not taken.
    let mut chosen =
        Bench { table: aws::Embedded::in_memory().await.unwrap(), github: bench.github.clone(), clock: bench.clock.clone(), settings: bench.settings.clone() };
    chosen.settings.selection.no_archived = true;
    chosen.github.reset_ledger();
    let plan = plan_of(&chosen).await;
    assert_eq!((plan.left_out, plan.repositories), (4, all.repositories - 4));
    chosen.github.reset_ledger();
    chosen.sync().await;
    within("not archived", "requests", plan.first_sync.requests, chosen.github.ledger().requests, 20);
    within("not archived", "points", plan.first_sync.points, chosen.github.ledger().points, 20);
}

#[tokio::test]
async fn hours_follow_from_what_each_token_may_still_spend_less_the_reserve() {
    let mut bench = Bench::new(23, &[Size(30, 30, 700)]).await;
    bench.settings.groups = [Group::Always, Group::Commits, Group::CommitFiles].into();
    bench.settings.files_from = engine::FilesFrom::Rest;
    *bench.github.faults() = Faults { limit: Some(400), tokens: vec!["one".to_owned(), "two".to_owned()], ..Faults::default() };
    let env = bench.env_with(Arc::new(bench.table.store()), Arc::new(TestQueue::default()), &["one", "two"]);
    let plan = engine::plan(&env).await.unwrap();
    assert_eq!(plan.tokens.len(), 2);
    let hourly: Vec<u32> = plan.tokens.iter().map(|token| token.rest.as_ref().unwrap().hourly).collect();
    assert_eq!(hourly, [360, 360], "a tenth is the owner's");
    // Over 720 requests: 360 now, 360 in an hour, the rest in two; together most of them now, the rest in an hour.
    let told = format!("{:?} {:?} {}", plan.first_sync, plan.tokens, plan.hours);
    assert!((721..1000).contains(&plan.first_sync.rest), "{told}");
    assert!((2.0..2.3).contains(&plan.tokens[1].hours) && (1.0..1.3).contains(&plan.hours), "{told}");
    // A server without limits.
    bench.github.faults().limit = None;
    let plan = engine::plan(&env).await.unwrap();
    assert!(plan.tokens.iter().all(|token| token.rest.is_none()) && plan.hours < 0.1, "{:?}", plan.tokens);
}
