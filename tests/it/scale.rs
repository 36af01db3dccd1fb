//! A limited budget is used up while there is work, and a huge repository takes no more of it than its share. What takes
//! hours of GitHub's passes on a clock of its own.

use crate::crew::{self, LATENCY_MS, Virtual, WORKERS, Waiting};
use aws::Embedded;
use engine::{Env, Group, Rows, Settings, Tokens};
use jiff::Timestamp;
use sim::{GitHub, Size, World};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Points and requests an hour.
const LIMIT: u64 = 100;

struct Copied {
    /// Points in each whole hour.
    points: Vec<u64>,
    /// Hours until each repository was read, in the order of the sizes.
    hours: Vec<f64>,
}

async fn copy(sizes: &[Size]) -> Copied {
    let clock = Virtual::default();
    clock.millis.store(1_800_000_000_000, Ordering::SeqCst);
    let ticks = clock.millis.clone();
    let tick = Arc::new(move || ticks.fetch_add(LATENCY_MS / WORKERS, Ordering::SeqCst) / 1000);
    let github = GitHub::start_with(World::lazy(7, sizes, 1_000_000), 0, tick).await.unwrap();
    github.faults().limit = Some(LIMIT);
    let table = Embedded::in_memory().await.unwrap();
    let queue = Arc::new(Waiting::default());
    let groups = Settings::default().groups.into_iter().filter(|group| *group != Group::CommitFiles).collect();
    let settings = Settings { orgs: vec!["acme".to_owned()], groups, ..Settings::default() };
    let store = Arc::new(table.store());
    let env = || {
        let tokens = Tokens::new(github::ApiUrl::parse(&github.url).unwrap(), vec![github::Token::new("sim-token").unwrap()]).unwrap();
        Env::new(tokens, store.clone(), queue.clone(), Arc::new(clock.clone()), settings.clone())
    };
    let start = engine::Clock::now(&clock);
    let board = crew::copy("acme", &queue, &clock, env).await;
    let ledger = github.ledger();
    assert!(ledger.breaches.is_empty(), "{:?}", ledger.breaches);
    let mut points = ledger.by_token["sim-token"].points_an_hour.clone();
    points.pop();
    let repositories = engine::entities::find("repositories").unwrap();
    let org = store.scopes(repositories).await.unwrap()[0];
    let mut rows = store.list(&engine::Listing::all(repositories, org)).await.unwrap().rows;
    rows.sort_by_key(|row| row.fields["name"].as_str().unwrap().to_owned());
    let ids: Vec<u64> = rows.iter().map(|row| row.key.parse().unwrap()).collect();
    assert_eq!(ids.len(), sizes.len());
    let hours = |until: Timestamp| until.duration_since(start).as_secs_f64() / 3600.0;
    let read = |id: &u64| board.done.iter().filter(|((scope, _), _)| scope == id).map(|(_, at)| hours(*at)).fold(0.0, f64::max);
    Copied { points, hours: ids.iter().map(read).collect() }
}

#[tokio::test]
async fn the_budget_is_used_while_there_is_work_and_a_huge_repository_starves_no_small_one() {
    let small = vec![Size(20, 20, 30); 25];
    let alone = copy(&small).await;
    let mut sizes = vec![Size(1500, 1000, 1500)];
    sizes.extend(small);
    let both = copy(&sizes).await;
    for copied in [&alone, &both] {
        assert!(copied.points.len() >= 2, "{:?}", copied.points);
        // All but the owner's reserve of a tenth; discoveries and what was in flight come on top.
        let share = copied.points.iter().sum::<u64>() as f64 / (copied.points.len() as f64 * LIMIT as f64 * 0.9);
        assert!((0.95..1.12).contains(&share), "{share:.3} of what may be spent: {:?}", copied.points);
    }
    let last = |hours: &[f64]| hours.iter().copied().fold(0.0, f64::max);
    let (alone, huge, beside) = (last(&alone.hours), both.hours[0], last(&both.hours[1..]));
    assert!(huge > 2.0 * alone, "{huge:.1} hours for the huge one are no more than {alone:.1} for all others");
    assert!(beside < 2.0 * alone + 1.0, "the small ones took {beside:.1} hours beside a huge one, {alone:.1} alone");
    eprintln!("{alone:.1} alone, {beside:.1} beside {huge:.1}");
}
