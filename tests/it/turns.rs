//! How much a scheduled discovery sends, that every repository has its turn, and that one which runs out of time is gone
//! on with.

use crate::bench::{Bench, TestQueue};
use engine::{Env, Job, Outcome, Queue, Rows, StoreError, advance, discover, discover_until, every};
use jiff::{SignedDuration, Timestamp};
use sim::Size;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

/// A queue that tells how much waits in it.
#[derive(Default)]
struct Counted(Mutex<VecDeque<Job>>);

#[async_trait::async_trait]
impl Queue for Counted {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend(jobs.iter().cloned());
        Ok(())
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        Ok(u64::try_from(self.0.lock().unwrap().len()).ok())
    }
}

impl Counted {
    fn list(&self) -> Vec<Job> {
        self.0.lock().unwrap().iter().cloned().collect()
    }
}

fn env(bench: &Bench, queue: &Arc<Counted>) -> Env {
    let mut env = bench.env(Arc::new(bench.table.store()), Arc::new(TestQueue::default()));
    env.queue = queue.clone();
    env
}

const POINTS: usize = 60;
/// Of the points all but the tenth that is their owner's, for an hour, two jobs each.
const MOST: usize = POINTS * 9 / 10 * 2;

/// Discovers, and delivers what waits once; false if GitHub allowed no discovery.
async fn hour(bench: &Bench, queue: &Arc<Counted>, sent: &mut Vec<Job>) -> bool {
    let env = env(bench, queue).scheduled(SignedDuration::from_hours(1));
    let before = queue.list();
    let found = match discover("acme", &env).await {
        Err(engine::Error::Waiting { .. }) => return false,
        found => found.unwrap(),
    };
    eprintln!(
        "waiting {} sent {} later {} again {:?}",
        before.len(),
        found.jobs.len(),
        found.later,
        found.jobs.iter().filter(|job| before.contains(job)).map(|job| (job.scope, job.sweep.clone())).take(60).collect::<Vec<_>>()
    );
    let again = found.jobs.iter().filter(|job| before.contains(job)).count();
    assert!(again <= MOST / 10 + 20, "{again} jobs were sent that wait");
    assert!(queue.list().len() <= MOST.max(before.len()) + MOST / 10 + 20, "{} jobs wait, {} did before", queue.list().len(), before.len());
    sent.extend(found.jobs);
    for _ in 0..queue.list().len() {
        let Some(job) = queue.0.lock().unwrap().pop_front() else { break };
        if let Outcome::Parked { .. } = advance(&job, &env, Timestamp::MAX).await.unwrap() {
            queue.send(&[job]).await.unwrap();
        }
    }
    true
}

#[tokio::test]
async fn no_more_is_sent_than_the_tokens_can_pay_and_every_repository_has_its_turn() {
    let bench = Bench::new(3, &[Size(3, 3, 5); 40]).await;
    let queue = Arc::new(Counted::default());
    {
        let mut faults = bench.github.faults();
        faults.limit = Some(u64::try_from(POINTS).unwrap());
        // As many as would fill the queue each time: they are due again and again.
        faults.refuse = (0..20).map(|index| (format!("acme/repo-{index:02}"), (403, None))).collect();
    }
    let mut sent = Vec::new();
    let scopes = |sent: &[Job]| sent.iter().map(|job| job.scope).collect::<BTreeSet<_>>().len();
    let mut hours = 0;
    while scopes(&sent) < 40 {
        hour(&bench, &queue, &mut sent).await;
        bench.pass(3601);
        hours += 1;
        assert!(hours < 30, "{} of 40 repositories had their turn", scopes(&sent));
    }
    assert!(hours > 2, "all were sent at once");
    bench.github.faults().refuse.clear();
    for hours in 0.. {
        let done = sent.len();
        let looked = hour(&bench, &queue, &mut sent).await;
        if looked && sent[done..].iter().all(|job| job.sweep == "workflow_runs") && queue.list().is_empty() {
            break;
        }
        bench.pass(3601);
        assert!(hours < 100, "no end: {:?}", queue.list());
    }
    bench.assert_true("in turn").await;
}

#[tokio::test]
async fn a_command_and_a_server_without_limits_send_everything_at_once() {
    let bench = Bench::new(3, &[Size(1, 1, 2); 12]).await;
    let queue = Arc::new(Counted::default());
    bench.github.faults().limit = Some(20);
    assert_eq!(discover("acme", &env(&bench, &queue)).await.unwrap().later, 0);
    let all = queue.list().len();
    bench.github.faults().limit = None;
    bench.pass(3700);
    let found = discover("acme", &env(&bench, &queue).scheduled(SignedDuration::from_hours(1))).await.unwrap();
    assert_eq!((found.jobs.len(), found.later), (all, 0));
    assert!(bench.table.store().scopes(engine::entities::find("repositories").unwrap()).await.unwrap().len() == 1);
}

/// Delivers what waits until nothing does, each visit with time for one page; tells how often a discovery was gone on with.
async fn deliver(queue: &Counted, env: &Env) -> usize {
    let mut gone_on = 0;
    loop {
        let Some(job) = queue.0.lock().unwrap().pop_front() else { return gone_on };
        let is_discovery = job.sweep == "discovery";
        assert_eq!(is_discovery, job.is_urgent());
        gone_on += usize::from(is_discovery);
        let deadline = if is_discovery { env.now() } else { Timestamp::MAX };
        let outcome = advance(&job, env, deadline).await.unwrap();
        assert!(matches!(outcome, Outcome::CaughtUp | Outcome::Continued), "{job:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_discovery_that_runs_out_of_time_is_gone_on_with_by_a_job() {
    let sizes: Vec<Size> = (0..210).map(|index| if index % 50 == 7 { Size(1, 2, 2) } else { Size(0, 0, 0) }).collect();
    let bench = Bench::new(3, &sizes).await;
    bench.sync().await;
    {
        let mut world = bench.github.world();
        world.push_commits("repo-07", 1);
        world.push_commits("repo-207", 1);
        world.delete_repo("repo-01");
        world.delete_repo("repo-99");
        world.add_repo("repo-990", Size(1, 1, 1));
    }
    bench.pass(3600);
    let queue = Arc::new(Counted::default());
    let env = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
    bench.github.reset_ledger();
    let found = discover_until("acme", &env, env.now()).await.unwrap();
    assert!(found.unfinished && found.repositories == 100, "{found:?}");
    let again = queue.list().into_iter().find(|job| job.sweep == "discovery").unwrap();
    assert_eq!(deliver(&queue, &env).await, 2, "of three pages");
    let (counts, truth) = (bench.counts().await, bench.github.world().truth());
    for entity in ["repositories", "commits", "issues", "pull_requests"] {
        assert_eq!(counts[entity], truth[entity].as_u64().unwrap(), "{entity}");
    }
    let asked = bench.github.ledger().requests;
    assert_eq!(advance(&again, &env, Timestamp::MAX).await.unwrap(), Outcome::CaughtUp, "a job that comes twice");
    assert_eq!(bench.github.ledger().requests, asked);
    let status = engine::status(&bench.table.store(), env.now()).await.unwrap();
    assert_eq!(status.organizations[0].repositories, 209);
    // One whose place is too old begins anew: what it saw may be gone.
    assert!(discover_until("acme", &env, env.now()).await.unwrap().unfinished);
    queue.0.lock().unwrap().clear();
    bench.github.world().delete_repo("repo-03");
    bench.pass(7 * 3600);
    assert!(!discover("acme", &env).await.unwrap().unfinished);
    assert_eq!(engine::status(&bench.table.store(), env.now()).await.unwrap().organizations[0].repositories, 208);
}

#[tokio::test]
async fn a_discovery_that_dies_anywhere_between_its_pages_is_made_up_for_by_the_next() {
    for calls in (0..).step_by(61) {
        let bench = Bench::new(3, &(0..104).map(|index| Size(0, index % 2, 0)).collect::<Vec<_>>()).await;
        let queue = Arc::new(Counted::default());
        let mut dying = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
        dying.store = Arc::new(crate::bench::Mortal::new(Arc::new(bench.table.store()), calls));
        let mut died = discover_until("acme", &dying, dying.now()).await.is_err();
        if !died {
            let job = queue.list().into_iter().find(|job| job.sweep == "discovery").unwrap();
            died = advance(&job, &dying, Timestamp::MAX).await.is_err();
        }
        let env = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
        bench.pass(60);
        discover_until("acme", &env, env.now()).await.unwrap();
        deliver(&queue, &env).await;
        bench.assert_true(&format!("died at call {calls}")).await;
        if !died {
            assert!(calls > 200, "{calls} calls for two pages");
            return;
        }
    }
}

#[test]
fn a_schedule_tells_how_often_it_comes() {
    for (schedule, minutes) in [
        ("rate(1 hour)", 60),
        ("rate(15 minutes)", 15),
        (" rate(2 days) ", 2880),
        ("rate(1 minute)", 1),
        ("cron(0 6 * * ? *)", 1440),
        ("rate(0 hours)", 1440),
        ("rate(99999999999999999 days)", 1440),
        ("rate(1 moon)", 1440),
        ("", 1440),
    ] {
        assert_eq!(every(schedule), SignedDuration::from_mins(minutes), "{schedule}");
    }
}
