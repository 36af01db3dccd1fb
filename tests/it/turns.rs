//! How much a scheduled discovery sends, that every repository has its turn, and that one which runs out of time is gone
//! on with.

use crate::bench::{Bench, TestQueue};
use engine::{Env, Job, Outcome, Queue, Rows, StoreError, advance, discover, discover_until, every};
use jiff::{SignedDuration, Timestamp};
use sim::Size;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A queue that tells how much waits in it, if it can be asked.
#[derive(Default)]
struct Counted(Mutex<VecDeque<Job>>, AtomicBool);

#[async_trait::async_trait]
impl Queue for Counted {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError> {
        self.0.lock().unwrap().extend(jobs.iter().cloned());
        Ok(())
    }

    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        if self.1.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { what: "the queue".to_owned(), source: "AccessDenied".into() });
        }
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
    assert_eq!(deliver(&queue, &env).await, 4, "two of three pages, people, projects");
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

fn many(count: usize) -> Vec<Size> {
    (0..count).map(|index| Size(0, index % 2, 0)).collect()
}

/// The discovery's jobs among those that wait, taken out.
fn discoveries(queue: &Counted) -> Vec<Job> {
    let (discoveries, others) = queue.0.lock().unwrap().drain(..).partition(|job| job.sweep == "discovery");
    *queue.0.lock().unwrap() = others;
    discoveries.into()
}

/// A limit in the middle: a job waits for it, and the schedule's next discovery reads to the end, then looks again at what
/// happened since on the pages that were read before.
#[tokio::test]
async fn a_discovery_that_meets_a_limit_is_gone_on_with_and_then_another_one_looks() {
    let bench = Bench::new(3, &many(310)).await;
    let queue = Arc::new(Counted::default());
    let env = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
    discover("acme", &env).await.unwrap();
    deliver(&queue, &env).await;
    bench.github.reset_ledger();
    bench.pass(3601);
    discover("acme", &env).await.unwrap();
    deliver(&queue, &env).await;
    let whole = bench.github.ledger().points;
    assert!(whole >= 8, "{whole} points for four pages and the rest");
    // From here on an hour has enough for half of it.
    bench.github.faults().limit = Some(whole / 2 + 1);
    bench.pass(3601);
    let until = match discover("acme", &env).await {
        Err(engine::Error::Waiting { until }) => until,
        other => panic!("{other:?}"),
    };
    let jobs = discoveries(&queue);
    assert_eq!(jobs.len(), 1);
    assert!(matches!(advance(&jobs[0], &env, Timestamp::MAX).await.unwrap(), Outcome::Parked { limit: true, .. }));
    assert!(discover("acme", &env).await.is_err());
    assert_eq!(discoveries(&queue), [], "the job of the one before waits already");
    bench.github.world().push_commits("repo-00", 1);
    bench.github.faults().limit = Some(5000);
    bench.until(until);
    bench.pass(60);
    let found = discover("acme", &env).await.unwrap();
    assert!(!found.unfinished && found.repositories == 310, "{found:?}");
    assert!(found.jobs.iter().any(|job| job.sweep == "commits"), "what happened on the first page meanwhile");
    assert_eq!(advance(&jobs[0], &env, Timestamp::MAX).await.unwrap(), Outcome::CaughtUp, "nothing is left to it");
    deliver(&queue, &env).await;
    bench.assert_true("after a limit").await;
}

/// What is no limit may be the place's own fault: the next one begins anew.
#[tokio::test]
async fn a_place_that_github_cannot_answer_from_is_left() {
    let bench = Bench::new(3, &many(210)).await;
    let queue = Arc::new(Counted::default());
    let env = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
    assert!(discover_until("acme", &env, env.now()).await.unwrap().unfinished);
    let job = discoveries(&queue).remove(0);
    bench.github.faults().bad_gateway = 1000;
    assert!(matches!(advance(&job, &env, Timestamp::MAX).await.unwrap(), Outcome::Refused { .. }));
    bench.github.faults().bad_gateway = 0;
    bench.github.reset_ledger();
    assert_eq!(discover_until("acme", &env, env.now()).await.unwrap().repositories, 100);
    assert_eq!(discover("acme", &env).await.unwrap().repositories, 210);
}

#[tokio::test]
async fn the_discovery_of_an_integration_that_is_paused_is_not_gone_on_with_by_another() {
    let bench = Bench::new(3, &many(110)).await;
    let queue = Arc::new(Counted::default());
    let of = |name: &str| {
        let env = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
        let settings = engine::Settings { integration: Some(name.to_owned()), ..engine::Settings::clone(&env.settings) };
        env.with(settings)
    };
    let paused = of("paused");
    assert!(discover_until("acme", &paused, paused.now()).await.unwrap().unfinished);
    let job = discoveries(&queue).remove(0);
    let others = engine::Fleet::new(vec![of("other")]);
    assert!(others.of(&job).is_none(), "a job of an integration that is not at work");
    bench.github.reset_ledger();
    assert_eq!(advance(&job, &others.envs()[0], Timestamp::MAX).await.unwrap(), Outcome::CaughtUp);
    assert_eq!(bench.github.ledger().requests, 0);
    assert_eq!(advance(&job, &paused, Timestamp::MAX).await.unwrap(), Outcome::CaughtUp);
    assert_eq!(engine::status(&bench.table.store(), paused.now()).await.unwrap().organizations[0].repositories, 110);
}

#[tokio::test]
async fn a_queue_that_does_not_tell_how_much_waits_stops_no_discovery() {
    let bench = Bench::new(3, &[Size(1, 1, 2); 12]).await;
    let queue = Arc::new(Counted::default());
    bench.github.faults().limit = Some(20);
    let env = env(&bench, &queue).scheduled(SignedDuration::from_hours(1));
    let told = discover("acme", &env).await.unwrap();
    assert!(told.later > 0, "{told:?}");
    bench.pass(3700);
    queue.1.store(true, Ordering::Relaxed);
    let untold = discover("acme", &env).await.unwrap();
    assert!(untold.later == 0 && untold.jobs.len() > told.jobs.len(), "{untold:?}");
}

/// A list without an end would have its walk send for itself for ever.
#[tokio::test]
async fn a_list_that_leads_back_is_broken_off_and_told() {
    let bench = Bench::new(3, &[Size(0, 250, 0)]).await;
    let queue = Arc::new(Counted::default());
    let env = env(&bench, &queue);
    discover("acme", &env).await.unwrap();
    let job = queue.list().into_iter().find(|job| job.sweep == "issues").unwrap();
    bench.github.faults().endless = Some("issues".to_owned());
    match advance(&job, &env, Timestamp::MAX).await.unwrap() {
        Outcome::Refused { code, message } => assert!(code == "unreadable" && message.contains("leads back"), "{code}: {message}"),
        other => panic!("{other:?}"),
    }
    bench.github.faults().endless = None;
    assert_eq!(advance(&job, &env, Timestamp::MAX).await.unwrap(), Outcome::CaughtUp);
    assert_eq!(bench.counts().await["issues"], 250);
    // So is the list of repositories.
    let bench = Bench::new(3, &many(110)).await;
    bench.github.faults().endless = Some("repositories".to_owned());
    let env = self::env(&bench, &queue);
    let error = discover("acme", &env).await.unwrap_err().to_string();
    assert!(error.contains("leads back"), "{error}");
    bench.github.faults().endless = None;
    assert_eq!(discover("acme", &env).await.unwrap().repositories, 110);
}

#[test]
fn a_schedule_tells_how_often_it_comes() {
    for (schedule, minutes) in [
        ("rate(1 hour)", 60),
        ("rate(15 minutes)", 15),
        (" rate(2 days) ", 2880),
        ("rate(1 minute)", 1),
        ("cron(0 6 * * ? *)", 1440),
        ("cron(0 * * * ? *)", 60),
        ("cron(15 */6 ? * MON-FRI *)", 360),
        ("cron(0 8-18/2 * * ? *)", 240),
        ("cron(0 0,12 * * ? *)", 720),
        ("cron(0 x * * ? *)", 1440),
        ("cron(0)", 1440),
        ("rate(0 hours)", 1440),
        ("rate(99999999999999999 days)", 1440),
        ("rate(1 moon)", 1440),
        ("", 1440),
    ] {
        assert_eq!(every(schedule), SignedDuration::from_mins(minutes), "{schedule}");
    }
}
