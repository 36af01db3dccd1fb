//! What events do to the copy: whatever way they come, it is what polling would have found.

use crate::bench::{Bench, Lists, TestQueue};
use engine::receive::{Outcome, receive};
use engine::{Env, Group, Job, Received, advance, discover, open_questions};
use jiff::Timestamp;
use serde_json::{Value, json};
use sim::{Emitted, Random, Size};
use std::collections::BTreeMap;
use std::sync::Arc;

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("SEI_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SEI_SEEDS").unwrap_or(2)).collect(),
    }
}

struct Push {
    bench: Bench,
    queue: Arc<TestQueue>,
    env: Env,
}

impl Push {
    /// An organization that was copied, and in which things happen from now on.
    async fn new(seed: u64, sizes: &[Size]) -> Self {
        Self::of(seed, sizes, Lists::Overflow).await
    }

    async fn of(seed: u64, sizes: &[Size], lists: Lists) -> Self {
        let mut bench = Bench::of(seed, sizes, lists).await;
        bench.settings.groups.remove(&Group::CommitFiles);
        // A team's list holds names of repositories, which no event corrects: discovery does.
        bench.settings.groups.remove(&Group::Teams);
        bench.sync().await;
        let queue = Arc::new(TestQueue::default());
        let env = bench.env(Arc::new(bench.table.store()), queue.clone());
        bench.github.world().now = 1_800_000_000 + 600;
        bench.github.world().outbox.clear();
        bench.github.reset_ledger();
        Self { bench, queue, env }
    }

    fn happened(&self) -> Vec<Emitted> {
        let mut world = self.bench.github.world();
        // They are sent after they happened.
        let ahead = world.now - self.env.now().as_second();
        self.bench.pass(ahead.max(0) + 1);
        std::mem::take(&mut world.outbox)
    }

    fn event(&self, name: &str, body: impl Into<Vec<u8>>) -> Received {
        Received { delivery: "1".to_owned(), event: name.to_owned(), hook: None, received_at: self.env.now(), body: body.into().into() }
    }

    async fn send(&self, emitted: &Emitted) -> Outcome {
        receive(&self.event(emitted.name, emitted.payload.to_string()), &self.env).await.unwrap()
    }

    async fn tell(&self, name: &str, payload: Value) -> Outcome {
        receive(&self.event(name, payload.to_string()), &self.env).await.unwrap()
    }

    /// Asks for what events left open.
    async fn work(&self) {
        while let Some(jobs) = Some(self.queue.take()).filter(|jobs| !jobs.is_empty()) {
            for job in jobs {
                let outcome = advance(&job, &self.env, Timestamp::MAX).await.unwrap();
                assert!(!matches!(outcome, engine::Outcome::Refused { .. } | engine::Outcome::Parked { .. }), "{job:?}: {outcome:?}");
            }
        }
        assert!(open_questions(&self.bench.table.store()).await.unwrap().is_empty());
    }
}

/// What people do to the cards of a board, told in any order and twice: the histories are what happened, to the second,
/// and the rows are what a reading of the board finds.
#[tokio::test]
async fn moves_over_a_board_are_exact_however_their_events_come() {
    for seed in seeds() {
        let push = Push::new(seed, &[Size(3, 6, 3), Size(2, 5, 3)]).await;
        let mut random = Random(seed);
        let (number, mut truth) = (push.bench.github.world().add_project("Work", &["Todo", "Doing", "Done"]), BTreeMap::<String, Vec<String>>::new());
        push.bench.github.world().silent_timelines = true;
        let issues: Vec<u64> = push.bench.github.world().repos[0]["issues"].as_array().unwrap().iter().map(|issue| issue["number"].as_u64().unwrap()).collect();
        let mut cards = Vec::new();
        for issue in issues {
            let item = push.bench.github.world().put_on_board(number, "repo-00", "issues", issue);
            truth.insert(item.clone(), vec!["added".to_owned()]);
            cards.push((item, None, false));
        }
        let draft = push.bench.github.world().add_draft(number, "an idea");
        truth.insert(draft.clone(), vec!["added".to_owned()]);
        for _ in 0..40 {
            let index = usize::try_from(random.below(u64::try_from(cards.len()).unwrap())).unwrap();
            let (item, stage, archived) = &mut cards[index];
            let mut world = push.bench.github.world();
            // Within a second nobody could tell the order.
            world.now += 5;
            if *archived || random.chance(10) {
                *archived = !*archived;
                world.archive_card(number, item, *archived);
                truth.get_mut(item).unwrap().push(if *archived { "archived" } else { "restored" }.to_owned());
                continue;
            }
            let to = [None, Some("Todo"), Some("Doing"), Some("Done")][usize::try_from(random.below(4)).unwrap()];
            if to != *stage {
                world.set_option(number, item, "Status", to);
                truth.get_mut(item).unwrap().push(to.unwrap_or("-").to_owned());
                *stage = to;
            }
        }
        push.bench.github.world().convert_draft(number, &draft, "repo-01");
        let (item, ..) = cards.remove(0);
        push.bench.github.world().remove_card(number, &item);
        truth.get_mut(&item).unwrap().push("removed".to_owned());
        let mut events = push.happened();
        let doubled: Vec<Emitted> = events.iter().filter(|_| random.chance(30)).cloned().collect();
        events.extend(doubled);
        for index in (1..events.len()).rev() {
            events.swap(index, usize::try_from(random.below(u64::try_from(index + 1).unwrap())).unwrap());
        }
        for event in &events {
            let outcome = push.send(event).await;
            assert!(!matches!(outcome, Outcome::Malformed { .. }), "SEI_SEED={seed}: {outcome:?} {event:?}");
        }
        push.work().await;
        let board = crate::boards::board(&push.bench, number).await;
        let told = crate::boards::ways(&push.bench, number).await;
        let truth: BTreeMap<String, String> = truth.into_iter().map(|(item, way)| (item, way.join(" > "))).collect();
        assert_eq!(told, truth, "SEI_SEED={seed}");
        let inexact = board.histories("Status").iter().flat_map(|history| history.transitions.clone()).filter(|one| !one.is_exact()).count();
        assert_eq!(inexact, 1, "SEI_SEED={seed}: of a removal alone a webhook does not tell the moment");
        let ours = |rows: BTreeMap<String, Value>| rows.into_iter().filter(|(key, _)| key.starts_with("project_")).collect::<BTreeMap<_, _>>();
        let (here, there) = (ours(push.bench.rows().await), ours(push.bench.copy_anew().await));
        assert!(there.len() > 10);
        for (key, row) in &there {
            assert_eq!(here.get(key), Some(row), "SEI_SEED={seed}: {key}");
        }
        assert_eq!(here.len(), there.len());
    }
}

/// A seed is twenty sequences, one a repository: `SEI_SEEDS=500` makes 10,000.
#[tokio::test]
async fn any_order_and_duplication_of_events_comes_to_what_polling_finds() {
    for seed in seeds() {
        let push = Push::of(seed, &[Size(3, 4, 5); 20], Lists::of(seed, 2)).await;
        let mut random = Random(seed);
        for repo in 0..20 {
            for _ in 0..1 + random.below(8) {
                push.bench.github.world().happen(&format!("repo-{repo:02}"));
            }
        }
        let mut events = push.happened();
        assert!(events.len() > 60, "{}", events.len());
        let again: Vec<Emitted> = events.iter().filter(|_| random.chance(20)).cloned().collect();
        events.extend(again);
        for index in (1..events.len()).rev() {
            events.swap(index, usize::try_from(random.below(index as u64 + 1)).unwrap());
        }
        for event in &events {
            let outcome = push.send(event).await;
            assert!(!matches!(outcome, Outcome::Ignored { .. } | Outcome::Malformed { .. }), "seed {seed}: {}: {outcome:?}", event.name);
            if random.chance(5) {
                push.work().await;
            }
        }
        push.work().await;
        push.bench.assert_as_made_anew(&format!("seed {seed}")).await;
        assert!(push.bench.github.ledger().breaches.is_empty());
    }
}

#[tokio::test]
async fn what_an_event_carries_is_there_at_once_and_what_it_lacks_takes_a_request_a_hundred() {
    let push = Push::new(5, &[Size(6, 8, 5)]).await;
    let issues: Vec<u64> = {
        let mut world = push.bench.github.world();
        let issues: Vec<u64> = world.repos[0]["issues"].as_array().unwrap().iter().map(|issue| issue["number"].as_u64().unwrap()).collect();
        issues.iter().for_each(|number| world.edit("repo-00", "issues", *number, "moved on"));
        issues
    };
    for event in push.happened() {
        assert_eq!(push.send(&event).await, Outcome::Applied { rows: 1, note: None });
    }
    assert_eq!(push.bench.github.ledger().requests, 0, "an event asks nothing");
    let rows = push.bench.rows().await;
    let titles = rows.iter().filter(|(key, row)| key.starts_with("issues ") && row["title"] == "moved on").count();
    assert_eq!(titles, issues.len());
    push.work().await;
    // Two of them have lists that are longer than a page.
    assert!(push.bench.github.ledger().requests <= 1 + 2, "{:?}", push.bench.github.ledger());
    push.bench.assert_as_made_anew("after").await;
}

#[tokio::test]
async fn what_is_deleted_stays_deleted_even_if_its_beginning_comes_later() {
    let push = Push::new(6, &[Size(3, 4, 5)]).await;
    let number = {
        let mut world = push.bench.github.world();
        let number = world.add_issue("repo-00");
        world.add_comment("repo-00", "issues", number);
        world.delete("repo-00", "issues", number);
        let pull = world.repos[0]["pullRequests"][0]["number"].as_u64().unwrap();
        world.add_review_comment("repo-00", pull);
        number
    };
    let events = push.happened();
    // A review comment that was deleted before anybody was told of it.
    let remark = events.iter().find(|event| event.name == "pull_request_review_comment").unwrap();
    let mut gone = remark.clone();
    gone.payload["action"] = json!("deleted");
    push.send(&gone).await;
    push.send(remark).await;
    for event in events.iter().rev().filter(|event| event.name.starts_with("issue")) {
        push.send(event).await;
    }
    let rows = push.bench.rows().await;
    let id = format!("{:012}", remark.payload["comment"]["id"].as_u64().unwrap());
    assert!(!rows.keys().any(|key| key.starts_with("review_comments") && key.ends_with(&id)));
    push.work().await;
    let rows = push.bench.rows().await;
    assert!(!rows.keys().any(|key| key.contains(&format!(" {number:012}"))), "{rows:?}");
}

#[tokio::test]
async fn a_new_repository_is_read_whole_and_a_renamed_or_deleted_one_followed() {
    let push = Push::new(7, &[Size(3, 4, 5), Size(2, 2, 2), Size(2, 2, 2)]).await;
    {
        let mut world = push.bench.github.world();
        world.add_repo("repo-03", Size(2, 3, 4));
        world.rename_repo("repo-01", "called-otherwise");
        world.delete_repo("repo-02");
    }
    for event in push.happened() {
        push.send(&event).await;
    }
    push.work().await;
    push.bench.assert_as_made_anew("after").await;
    let rows = push.bench.rows().await;
    let renamed = rows.values().find(|row| row["full_name"] == "acme/called-otherwise").unwrap();
    assert_eq!(renamed["renamed_from"], json!(["acme/repo-01"]));
    assert!(!rows.values().any(|row| row["full_name"] == "acme/repo-02"));
}

#[tokio::test]
async fn bad_events_say_what_is_wrong_and_change_nothing() {
    let push = Push::new(8, &[Size(3, 4, 5)]).await;
    push.bench.github.world().add_issue("repo-00");
    let good = push.happened().remove(0);
    let before = push.bench.rows().await;
    let with = |pointer: &str, value: Value| {
        let mut payload = good.payload.clone();
        *payload.pointer_mut(pointer).unwrap() = value;
        payload
    };
    let malformed = |outcome: Outcome, word: &str| match outcome {
        Outcome::Malformed { why } => assert!(why.contains(word), "{why}"),
        other => panic!("{word}: {other:?}"),
    };
    let ignored = |outcome: Outcome, word: &str| match outcome {
        Outcome::Ignored { why } => assert!(why.contains(word), "{why}"),
        other => panic!("{word}: {other:?}"),
    };
    malformed(receive(&push.event("issues", "{\"action\": "), &push.env).await.unwrap(), "not JSON");
    malformed(push.tell("issues", json!([1, 2])).await, "not an object");
    malformed(push.tell("issues", json!({})).await, "organization");
    malformed(push.tell("issues", with("/issue", Value::Null)).await, "issue.number");
    malformed(push.tell("issues", with("/issue/updated_at", json!("yesterday"))).await, "updated_at");
    malformed(push.tell("issues", with("/repository/id", json!("x"))).await, "repository.id");
    malformed(push.tell("push", json!({ "repository": good.payload["repository"] })).await, "ref");
    ignored(push.tell("issues", with("/repository/owner/login", json!("elsewhere"))).await, "elsewhere");
    ignored(push.tell("watch", good.payload.clone()).await, "watch");
    assert_eq!(push.bench.rows().await, before);
    // An unknown action is an edit, and said so.
    match push.tell("issues", with("/action", json!("teleported"))).await {
        Outcome::Applied { note: Some(note), .. } => assert!(note.contains("teleported"), "{note}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_does_not_hold_up_what_follows() {
    let push = Push::new(9, &[Size(3, 4, 5)]).await;
    let number = push.bench.github.world().add_issue("repo-00");
    let event = push.happened().remove(0);
    let mut ahead = event.payload.clone();
    ahead["issue"]["updated_at"] = json!("2099-01-01T00:00:00Z");
    ahead["issue"]["title"] = json!("from the future");
    match push.tell("issues", ahead).await {
        Outcome::Applied { note: Some(note), .. } => assert!(note.contains("ahead"), "{note}"),
        other => panic!("{other:?}"),
    }
    push.bench.pass(3600);
    push.bench.github.world().now += 3700;
    push.bench.github.world().edit("repo-00", "issues", number, "of today");
    let event = push.happened().remove(0);
    push.send(&event).await;
    let rows = push.bench.rows().await;
    let row = rows.iter().find(|(key, _)| key.starts_with("issues ") && key.ends_with(&format!("{number:012}"))).unwrap().1;
    assert_eq!(row["title"], "of today");
}

/// A token's hour is nearly spent: what is only being caught up with waits, what an event left open is read, from half of
/// the owner's reserve.
#[tokio::test]
async fn what_an_event_left_open_goes_before_the_rest() {
    let push = Push::new(1, &[Size(3, 3, 3)]).await;
    push.bench.pass(3700);
    push.bench.github.faults().limit = Some(1000);
    push.bench.github.reset_ledger();
    let spent = || push.bench.github.ledger().points;
    while !matches!(discover("acme", &push.env).await, Err(engine::Error::Waiting { .. })) {
        push.bench.pass(1);
    }
    assert!((900..=915).contains(&spent()), "the reserve is a tenth: {}", spent());
    let scheduled = push.env.clone().scheduled(jiff::SignedDuration::from_hours(1));
    while !matches!(discover("acme", &scheduled).await, Err(engine::Error::Waiting { .. })) {
        push.bench.pass(1);
    }
    assert!((920..=935).contains(&spent()), "three quarters of it are not for discoveries: {}", spent());
    push.queue.take();
    let scope = push.bench.github.world().repos[0]["databaseId"].as_u64().unwrap();
    let patient = Job { scope, sweep: "issues".to_owned(), integration: None };
    let mut answered = 0;
    let parked = loop {
        push.bench.github.world().edit("repo-00", "pullRequests", 1 + answered % 6, "Another title");
        push.bench.github.world().edit("repo-00", "issues", 1 + answered % 6, "Another title");
        for event in push.happened() {
            push.send(&event).await;
        }
        let jobs = push.queue.take();
        assert!(!jobs.is_empty() && jobs.iter().all(Job::is_urgent), "{jobs:?}");
        let before = spent();
        let outcome = advance(&jobs[0], &push.env, Timestamp::MAX).await.unwrap();
        if matches!(outcome, engine::Outcome::Parked { .. }) {
            break outcome;
        }
        assert!(spent() > before, "it was read");
        assert!(matches!(advance(&patient, &push.env, Timestamp::MAX).await.unwrap(), engine::Outcome::Parked { limit: true, .. }));
        answered += 1;
    };
    assert!(answered > 5 && matches!(parked, engine::Outcome::Parked { limit: true, .. }), "{answered}: {parked:?}");
    assert!((940..=960).contains(&spent()), "half of the reserve stays with the owner: {}", spent());
}
