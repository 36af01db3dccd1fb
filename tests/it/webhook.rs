//! The door: what it answers to whom, what it lets in, once, and only when that is durable.

use aws::{Embedded, TableInbox};
use engine::deliveries::{self, Stage};
use engine::signature::{Keyring, Secrets, header};
use engine::{Inbox, Received, StoreError};
use github::Secret;
use jiff::Timestamp;
use sim::Random;
use std::collections::HashSet;
use std::sync::Arc;
use webhook::{Answer, Door, Request, handle};

struct Keys(Vec<Secret>, Vec<Secret>);

#[async_trait::async_trait]
impl Keyring for Keys {
    async fn secrets(&self, again: bool) -> Result<Arc<Secrets>, StoreError> {
        Ok(Arc::new(Secrets::new(if again { &self.1 } else { &self.0 })))
    }
}

fn keys(now: &[&str], next: &[&str]) -> Keys {
    let secrets = |all: &[&str]| all.iter().map(|one| Secret::new(one)).collect();
    Keys(secrets(now), secrets(next))
}

/// A queue that is down.
struct Down;

#[async_trait::async_trait]
impl Inbox for Down {
    async fn accept(&self, _: &Received) -> Result<(), StoreError> {
        Err(StoreError::Unavailable { what: "the queue".to_owned(), source: "down".into() })
    }
}

fn request(secret: &str, body: &[u8]) -> Request {
    let signature = header(&Secret::new(secret), body);
    Request {
        method: "POST".to_owned(),
        content_type: "application/json".to_owned(),
        signature,
        event: "issues".to_owned(),
        delivery: "72d3162e-cc78-11e3-81ab-4c9367dc0958".to_owned(),
        hook: "42".to_owned(),
        body: body.to_vec().into(),
    }
}

const BODY: &[u8] = br#"{"action": "opened", "issue": {"number": 1}, "repository": {"full_name": "acme/a"}, "organization": {"login": "acme"}}"#;

async fn ask(table: &Embedded, inbox: &dyn Inbox, keys: &Keys, request: Request) -> Answer {
    handle(request, &Door { keys, inbox, store: &table.store() }, Timestamp::now()).await
}

async fn waiting(inbox: &TableInbox) -> usize {
    inbox.take(&HashSet::new()).await.unwrap().len()
}

#[tokio::test]
async fn each_request_has_the_answer_it_should() {
    let table = Embedded::in_memory().await.unwrap();
    let (inbox, keys) = (table.inbox(), keys(&["s"], &["s"]));
    let good = || request("s", BODY);
    let unsigned = Request { signature: String::new(), ..good() };
    let forged = request("other", BODY);
    let cases: Vec<(u16, Request)> = vec![
        (405, Request { method: "GET".to_owned(), ..good() }),
        (415, Request { content_type: "application/x-www-form-urlencoded".to_owned(), ..good() }),
        (413, Request { body: vec![b' '; webhook::LARGEST + 1].into(), ..good() }),
        (401, Request { method: "POST".to_owned(), body: b"{}".to_vec().into(), ..good() }),
        (400, request("s", b"{\"action\": ")),
        (400, Request { delivery: String::new(), ..good() }),
        (400, Request { delivery: "../../etc".to_owned(), ..good() }),
        (400, Request { event: String::new(), ..good() }),
        (200, Request { event: "ping".to_owned(), ..good() }),
        (202, Request { event: "watch".to_owned(), delivery: "w-1".to_owned(), ..good() }),
    ];
    for (status, request) in cases {
        let about = format!("{} {} {}", request.method, request.event, request.content_type);
        assert_eq!(ask(&table, &inbox, &keys, request).await.status, status, "{about}");
    }
    let (one, other) = (ask(&table, &inbox, &keys, unsigned).await, ask(&table, &inbox, &keys, forged).await);
    assert_eq!((one.status, &one), (401, &other), "nobody learns which of the two it was");
    assert_eq!(waiting(&inbox).await, 0);
    let unused = deliveries::find(&table.store(), "w-1").await.unwrap().unwrap();
    assert_eq!((unused.outcome, unused.durable_at), (Stage::Ignored, None), "counted");
    // With charset, as some proxies make it.
    let good = Request { content_type: "application/json; charset=utf-8".to_owned(), ..good() };
    assert_eq!(ask(&table, &inbox, &keys, good).await.status, 200);
    assert_eq!(waiting(&inbox).await, 1);
}

#[tokio::test]
async fn an_event_that_comes_twice_is_taken_in_once_and_one_that_could_not_be_stored_again() {
    let table = Embedded::in_memory().await.unwrap();
    let (inbox, keys) = (table.inbox(), keys(&["s"], &["s"]));
    assert_eq!(ask(&table, &Down, &keys, request("s", BODY)).await.status, 503);
    assert_eq!(deliveries::find(&table.store(), &request("s", BODY).delivery).await.unwrap(), None, "no mark before it is durable");
    for _ in 0..3 {
        assert_eq!(ask(&table, &inbox, &keys, request("s", BODY)).await.status, 200);
    }
    assert_eq!(waiting(&inbox).await, 1);
    let trace = deliveries::find(&table.store(), &request("s", BODY).delivery).await.unwrap().unwrap();
    assert_eq!(
        (trace.outcome, trace.action.as_deref(), trace.repo.as_deref(), trace.hook.as_deref()),
        (Stage::Durable, Some("opened"), Some("acme/a"), Some("42"))
    );
    assert!(trace.durable_at >= trace.received_at);
    assert!(trace.expires - trace.received_at.unwrap().as_second() >= 7 * 24 * 3600);
}

#[tokio::test]
async fn a_secret_is_replaced_without_a_reject() {
    let table = Embedded::in_memory().await.unwrap();
    let inbox = table.inbox();
    let taken = |keys: Keys, secret: &'static str, id: &'static str| {
        let (table, inbox) = (&table, &inbox);
        async move { ask(table, inbox, &keys, Request { delivery: id.to_owned(), ..request(secret, BODY) }).await.status }
    };
    assert_eq!(taken(keys(&["new", "old"], &[]), "old", "a").await, 200);
    assert_eq!(taken(keys(&["new", "old"], &[]), "new", "b").await, 200);
    // Replaced a moment ago: this process has not heard of it yet.
    assert_eq!(taken(keys(&["old"], &["new", "old"]), "new", "c").await, 200);
    assert_eq!(taken(keys(&["new"], &["new"]), "old", "d").await, 401);
    assert_eq!(taken(keys(&[], &[]), "", "e").await, 503, "without a secret nothing is let in, and GitHub may send it again");
}

#[tokio::test]
async fn a_large_body_waits_in_parts_and_comes_back_byte_for_byte() {
    let table = Embedded::in_memory().await.unwrap();
    let (inbox, keys) = (table.inbox(), keys(&["s"], &["s"]));
    let body = format!("{{\"action\": \"opened\", \"text\": \"{}\"}}", "ü🚀".repeat(800_000)).into_bytes();
    assert_eq!(ask(&table, &inbox, &keys, request("s", &body)).await.status, 200);
    let waiting = inbox.take(&HashSet::new()).await.unwrap();
    assert!(waiting[0].event.body == body);
    inbox.done(&waiting[0]).await.unwrap();
    assert!(inbox.take(&HashSet::new()).await.unwrap().is_empty());
    let left = table.client().scan().table_name("sei-github").send().await.unwrap();
    assert_eq!(left.items().iter().filter(|item| item["pk"].as_s().unwrap().starts_with("claims#")).count(), 0);
}

/// `SEI_FUZZ=1000000 cargo test -p tests fuzzed` is the whole of it.
#[tokio::test]
async fn fuzzed_requests_make_no_panic_and_none_gets_in_unsigned() {
    let count = std::env::var("SEI_FUZZ").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000_u64);
    let table = Embedded::in_memory().await.unwrap();
    let (keys, store) = (keys(&["s"], &["s"]), table.store());
    let door = Door { keys: &keys, inbox: &Down, store: &store };
    let mut random = Random(11);
    for round in 0..count {
        let good = request("s", BODY);
        let mut body = BODY.to_vec();
        let mut words = [good.method, good.content_type, good.signature, good.event, good.delivery, good.hook];
        for _ in 0..1 + random.below(3) {
            let at = |random: &mut Random, length: usize| usize::try_from(random.below(length.max(1) as u64)).unwrap();
            match random.below(5) {
                0 => body.truncate(at(&mut random, body.len())),
                1 if !body.is_empty() => {
                    let at = at(&mut random, body.len());
                    body[at] = u8::try_from(random.below(256)).unwrap();
                }
                2 => body.extend((0..random.below(40)).map(|_| u8::try_from(random.below(256)).unwrap()).collect::<Vec<u8>>()),
                _ => {
                    let word = &mut words[at(&mut random, 6)];
                    let letters: Vec<char> = word.chars().collect();
                    let mut letters = letters;
                    let place = at(&mut random, letters.len());
                    let letter = char::from_u32(u32::try_from(random.below(0x2_0000)).unwrap()).unwrap_or('x');
                    match random.below(3) {
                        0 => letters.truncate(place),
                        1 => letters.insert(place, letter),
                        _ if !letters.is_empty() => letters[place] = letter,
                        _ => {}
                    }
                    *word = letters.into_iter().collect();
                }
            }
        }
        // Now and then somebody who knows the secret sends nonsense.
        let signs = random.chance(20);
        let [method, content_type, signature, event, delivery, hook] = words;
        let signature = if signs { header(&Secret::new("s"), &body) } else { signature };
        // Its digits may be written large.
        let genuine = signature.trim().eq_ignore_ascii_case(&header(&Secret::new("s"), &body));
        let sent = signature.clone();
        let answer = handle(Request { method, content_type, signature, event, delivery, hook, body: body.into() }, &door, Timestamp::now()).await;
        // Whoever gets as far as the queue (which is down), or is told of its content, has signed.
        assert!(genuine || matches!(answer.status, 401 | 405 | 415), "round {round}: {answer:?} for {sent:?}");
        let event = Received { delivery: "f".to_owned(), event: "issues".to_owned(), hook: None, received_at: Timestamp::now(), body: BODY.to_vec().into() };
        if round == 0 {
            assert!(Down.accept(&event).await.is_err());
        }
    }
}
