//! The part of the demo in which GitHub tells by itself: cards move, signed webhooks say so, and the report follows
//! without a request. The same functions take them in as in AWS.

use crate::failure::Failure;
use crate::runner::LocalQueue;
use crate::serve::Fixed;
use engine::report::{Card, from_boards};
use engine::signature::{Secrets, header};
use engine::{Env, Fleet, Settings, SystemClock, Tokens};
use github::Secret;
use serde_json::Value;
use sim::GitHub;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use webhook::{Door, Request};

/// So many cards are moved.
const MOVED: usize = 3;

pub(super) async fn show(github: &GitHub, table: &aws::Embedded, settings: Settings, tokens: Tokens) -> Result<(), Failure> {
    let secret = Secret::new("demo-secret");
    let (store, inbox) = (Arc::new(table.store()), table.inbox());
    let env = Env::new(tokens, store.clone(), Arc::new(LocalQueue::default()), Arc::new(SystemClock), settings).alone();
    let fleet = Fleet::from(env);
    let before = open(&from_boards(store.as_ref(), engine::stages::STATUS).await?);
    let moved = move_cards(github);
    github.reset_ledger();
    let keys = Fixed(Arc::new(Secrets::new([&secret])));
    let events = std::mem::take(&mut github.world().outbox);
    for (index, event) in events.iter().enumerate() {
        let body = event.payload.to_string();
        let request = Request {
            method: "POST".to_owned(),
            content_type: "application/json".to_owned(),
            signature: header(&secret, body.as_bytes()),
            event: event.name.to_owned(),
            delivery: format!("demo-{index}"),
            hook: "1".to_owned(),
            body: body.into(),
        };
        let door = Door { keys: &keys, inbox: &inbox, store: store.as_ref() };
        let answer = webhook::handle(request, &door, jiff::Timestamp::now()).await;
        if answer.status >= 300 {
            return Err(Failure::Engine(engine::Error::Unreadable(format!("the webhook answered {}: {}", answer.status, answer.body()))));
        }
    }
    for one in inbox.take(&HashSet::new()).await? {
        receiver::apply(&one.event, &fleet, store.as_ref()).await?;
        inbox.done(&one).await?;
    }
    let after = open(&from_boards(store.as_ref(), engine::stages::STATUS).await?);
    println!("\n{moved} cards move; {} signed webhooks tell of it, and {} requests are made.", events.len(), github.ledger().requests);
    println!("\n{:<22} {:>8} {:>8}", "issues now in stage", "before", "after");
    let stages: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for stage in stages {
        println!("{stage:<22} {:>8} {:>8}", before.get(stage).unwrap_or(&0), after.get(stage).unwrap_or(&0));
    }
    Ok(())
}

/// How many are in each stage now.
fn open(cards: &[Card]) -> BTreeMap<String, u64> {
    let mut stages = BTreeMap::new();
    for stay in cards.iter().filter_map(|card| card.stays.iter().find(|stay| stay.end.is_none())) {
        *stages.entry(stay.stage.as_deref().unwrap_or("no stage").to_owned()).or_insert(0) += 1;
    }
    stages
}

/// Each to the next column; how many there were to move.
fn move_cards(github: &GitHub) -> usize {
    let mut world = github.world();
    world.now = jiff::Timestamp::now().as_second() - 30;
    let columns = ["Todo", "In progress", "In review", "Done"];
    let status = |card: &Value| {
        let values = card.get("fieldValues").and_then(Value::as_array).into_iter().flatten();
        values
            .into_iter()
            .find(|value| value.pointer("/field/name").is_some_and(|name| name == "Status"))
            .and_then(|value| value.get("name")?.as_str().map(str::to_owned))
    };
    let next = |card: &Value| {
        let at = columns.iter().position(|column| Some(*column) == status(card).as_deref())?;
        Some((card.get("id")?.as_str()?.to_owned(), *columns.get(at + 1)?))
    };
    let cards = world.project(1).and_then(|project| project.get("items")?.as_array().cloned()).unwrap_or_default();
    let moves: Vec<(String, &str)> = cards.iter().filter_map(next).take(MOVED).collect();
    for (item, column) in &moves {
        world.set_option(1, item, "Status", Some(column));
    }
    moves.len()
}
