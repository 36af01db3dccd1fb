//! Webhooks as they are made, and what they did not bring as it is found again: the real client against the simulated
//! GitHub, which delivers to a receiver of this test's, on a real table.

use crate::bench::{Bench, Mortal, TestQueue};
use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use engine::hooks::{Did, Ensured, Found, Wish, delete, ensure, events, hooks, inspect, rotate};
use engine::reconcile::{self, Reconciled, reconcile};
use engine::{Env, Group, Settings, Store, Webhook};
use github::{HookOwner, Secret};
use jiff::Timestamp;
use serde_json::json;
use sim::{Emitted, HookFaults, Identity, Server, Size};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const SECRET: &str = "canary-webhook-secret";
const TINY: &[Size] = &[Size(1, 1, 2), Size(1, 1, 2)];

/// Counts what it was sent, by `X-GitHub-Delivery`; refuses what is not signed.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<BTreeMap<String, u32>>>);

impl Receiver {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhook", listener.local_addr().unwrap());
        let seen = self.0.clone();
        let take = move |headers: HeaderMap, body: Bytes| async move {
            let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
            let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
            let wanted: String = hmac::sign(&key, &body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            if text("x-hub-signature-256") != format!("sha256={wanted}") {
                return StatusCode::UNAUTHORIZED;
            }
            *seen.lock().unwrap().entry(text("x-github-delivery")).or_default() += 1;
            StatusCode::ACCEPTED
        };
        let router = Router::new().route("/webhook", axum::routing::post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn events(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn scopes(bench: &Bench, token: &str, scopes: &[&str]) {
    let identity = Identity { scopes: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()), ..Identity::default() };
    bench.github.faults().identities.insert(token.to_owned(), identity);
}

fn env(bench: &Bench, tokens: &[&str]) -> (Env, Arc<TestQueue>) {
    let queue = Arc::new(TestQueue::default());
    (bench.env_with(Arc::new(bench.table.store()), queue.clone(), tokens), queue)
}

async fn made(env: &Env, url: &str, mode: Webhook) -> Ensured {
    ensure(env, "acme", &Wish { mode, url, secret: &Secret::new(SECRET) }).await.unwrap()
}

fn dids(ensured: &Ensured) -> Vec<Did> {
    ensured.hooks.iter().map(|(_, did)| *did).collect()
}

const URL: &str = "https://example.com/webhook";

#[tokio::test]
async fn an_organization_hook_is_made_once_mended_and_removed_on_every_github() {
    for (name, server) in Server::matrix() {
        let bench = Bench::new(5, TINY).await;
        *bench.github.faults() = sim::Faults::of(server);
        scopes(&bench, "sim-token", &["repo", "read:org", "admin:org_hook"]);
        let (env, _) = env(&bench, &["sim-token"]);
        assert_eq!(dids(&made(&env, URL, Webhook::Stages).await), [Did::Made], "{name}");
        assert_eq!(dids(&made(&env, URL, Webhook::Stages).await), [Did::Nothing], "{name}");
        let hook = bench.github.hooks().list[0].clone();
        assert_eq!((hook.owner.as_str(), hook.secret.as_str()), ("acme", SECRET));
        assert_eq!(hook.events, ["issues", "projects_v2", "projects_v2_item", "sub_issues"], "only what is needed");
        // Somebody changes it by hand.
        bench.github.hooks().list[0].active = false;
        let kept = hooks(env.store.as_ref(), None).await.unwrap();
        let (found, wrong) = inspect(&env, &kept[0]).await.unwrap();
        assert!(found == Found::There && wrong == ["it is switched off"], "{name}: {wrong:?}");
        assert_eq!(dids(&made(&env, URL, Webhook::Push).await), [Did::Changed], "{name}");
        let events = bench.github.hooks().list[0].events.clone();
        assert!(events.contains(&"pull_request".to_owned()) && bench.github.hooks().list[0].active, "{events:?}");
        // Another secret changes the secret alone.
        rotate(&env, &hooks(env.store.as_ref(), None).await.unwrap()[0], &Secret::new("another")).await.unwrap();
        let hook = bench.github.hooks().list[0].clone();
        assert_eq!((hook.secret.as_str(), hook.events), ("another", events));
        assert_eq!(delete(&env, &hooks(env.store.as_ref(), None).await.unwrap()[0]).await.unwrap(), Found::There);
        assert!(bench.github.hooks().list.is_empty() && hooks(env.store.as_ref(), None).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn without_the_scope_repositories_get_hooks_and_without_these_polling_goes_on_in_plain_words() {
    let bench = Bench::new(5, TINY).await;
    let (env, _) = env(&bench, &["sim-token"]);
    bench.github.hooks().no_admin.insert("acme/repo-01".to_owned());
    let ensured = made(&env, URL, Webhook::Push).await;
    assert_eq!(dids(&ensured), [Did::Made]);
    assert_eq!(bench.github.hooks().list[0].owner, "acme/repo-00");
    let lost = ensured.lost.join("\n");
    assert!(lost.contains("admin:org_hook") && lost.contains("none for acme/repo-01") && lost.contains("polled"), "{lost}");
    bench.github.hooks().no_admin.insert("acme/repo-00".to_owned());
    let none = made(&env, "https://example.com/other", Webhook::Push).await;
    assert!(none.hooks.is_empty() && none.lost.join("").contains("none of its repositories"), "{:?}", none.lost);
    // Once the scope is there, the organization's hook replaces them.
    bench.github.hooks().no_admin.clear();
    scopes(&bench, "sim-token", &["repo", "read:org", "admin:org_hook"]);
    assert_eq!(dids(&made(&env, URL, Webhook::Push).await), [Did::Made, Did::Removed]);
    let owners: Vec<String> = bench.github.hooks().list.iter().map(|hook| hook.owner.clone()).collect();
    assert_eq!(owners, ["acme"]);
}

#[tokio::test]
async fn a_hook_of_other_credentials_is_told_as_orphaned_and_removed_once_they_are_at_hand() {
    let bench = Bench::new(5, TINY).await;
    bench.github.faults().tokens.push("gho_app".to_owned());
    for token in ["sim-token", "gho_app"] {
        scopes(&bench, token, &["repo", "read:org", "admin:org_hook"]);
    }
    let (by_user, _) = env(&bench, &["sim-token"]);
    made(&by_user, URL, Webhook::Stages).await;
    let (by_app, _) = env(&bench, &["gho_app"]);
    // GitHub makes no second hook of the same address, and does not show the first.
    let told = made(&by_app, URL, Webhook::Stages).await.lost.join("");
    assert!(told.contains("other credentials made it"), "{told}");
    let moved = made(&by_app, "https://example.com/new", Webhook::Stages).await;
    assert_eq!((dids(&moved), moved.orphans.len()), (vec![Did::Made], 1));
    let (both, _) = env(&bench, &["gho_app", "sim-token"]);
    let removed = made(&both, "https://example.com/new", Webhook::Stages).await;
    assert!(removed.orphans.is_empty() && dids(&removed).contains(&Did::Removed), "{removed:?}");
    assert_eq!(bench.github.hooks().list.iter().map(|hook| hook.by_app).collect::<Vec<_>>(), [true]);
}

fn happen(bench: &Bench, times: usize, padding: usize) {
    let mut world = bench.github.world();
    let (id, org) = (world.repos[0]["databaseId"].clone(), json!({ "login": "acme", "id": 9919 }));
    let payload = json!({ "action": "edited", "repository": { "id": id, "full_name": "acme/repo-00" }, "organization": org, "padding": "x".repeat(padding) });
    world.outbox.extend((0..times).map(|_| Emitted { name: "issues", payload: payload.clone() }));
}

/// Runs, each by a process of its own, until one is through; a limit moves the clock.
async fn run(bench: &Bench, mut dies_after: Option<u64>) -> Reconciled {
    let mut sum = Reconciled::default();
    loop {
        let store: Arc<dyn Store> = match dies_after {
            Some(calls) => Arc::new(Mortal::new(Arc::new(bench.table.store()), calls)),
            None => Arc::new(bench.table.store()),
        };
        // Each life is a little longer, so that all of them get somewhere.
        dies_after = dies_after.map(|calls| calls + 37);
        let env = bench.env_with(store, Arc::new(TestQueue::default()), &["sim-token"]);
        match reconcile(&env, Timestamp::MAX).await.map(|mut all| all.remove(0).1) {
            Ok(Ok(done)) => {
                sum.redelivered += done.redelivered;
                sum.open = done.open;
                if !done.unfinished {
                    bench.github.settled().await;
                    return sum;
                }
            }
            Ok(Err(engine::Error::Waiting { until })) => bench.until(until),
            Ok(Err(engine::Error::Store(_))) | Err(_) => {}
            Ok(Err(error)) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_five_thousand_deliveries_are_recovered_though_a_fifth_fails_and_the_process_dies_again_and_again() {
    let bench = Bench::new(5, TINY).await;
    scopes(&bench, "sim-token", &["repo", "read:org", "admin:org_hook"]);
    bench.github.faults().limit = Some(100_000);
    let receiver = Receiver::default();
    let url = receiver.start().await;
    let (env, _) = env(&bench, &["sim-token"]);
    made(&env, &url, Webhook::Stages).await;
    bench.github.hooks().faults = HookFaults { failing: 150, unanswered: 50, twice: 20, late: 30, shuffled: true, too_large: None };
    let mut runs = 0;
    for part in 0..5 {
        happen(&bench, 1000, 0);
        bench.github.deliver().await;
        bench.pass(600);
        let asked = bench.github.hooks().asked.len();
        run(&bench, Some(40)).await;
        runs += 1;
        let again = bench.github.hooks().asked[asked..].to_vec();
        let once: std::collections::BTreeSet<&String> = again.iter().collect();
        assert_eq!(once.len(), again.len(), "part {part}: each at most once a run");
    }
    bench.github.deliver().await;
    while bench.github.hooks().lost() > 0 {
        bench.pass(600);
        run(&bench, None).await;
        runs += 1;
        assert!(runs < 40, "{} are still lost", bench.github.hooks().lost());
    }
    assert_eq!(receiver.events(), 5000);
    let failed = bench.github.hooks().sent.iter().filter(|sent| !sent.redelivery && sent.status_code >= 300).count();
    assert!((850..1150).contains(&failed), "a fifth failed: {failed}");
    // Nothing is left to do, and the list is not read again from its beginning.
    bench.pass(3600);
    run(&bench, None).await;
    bench.github.reset_ledger();
    let last = run(&bench, None).await;
    assert_eq!((last.redelivered, last.open, bench.github.ledger().requests), (0, 0, 1));
    assert!(bench.github.ledger().breaches.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_or_too_old_to_be_sent_again_is_read_instead() {
    let bench = Bench::new(5, TINY).await;
    scopes(&bench, "sim-token", &["repo", "read:org", "admin:org_hook"]);
    let receiver = Receiver::default();
    let url = receiver.start().await;
    let (env, queue) = env(&bench, &["sim-token"]);
    made(&env, &url, Webhook::Stages).await;
    bench.github.hooks().faults.too_large = Some(10_000);
    happen(&bench, 1, 20_000);
    happen(&bench, 1, 0);
    bench.github.deliver().await;
    let done = reconcile(&env, Timestamp::MAX).await.unwrap().remove(0).1.unwrap();
    assert_eq!((done.read, done.redelivered, done.open), (1, 0, 0), "{done:?}");
    let repository = bench.github.world().repos[0]["databaseId"].as_u64().unwrap();
    let jobs: Vec<(u64, String)> = queue.take().into_iter().map(|job| (job.scope, job.sweep)).collect();
    assert_eq!(jobs, [(repository, "issues".to_owned())]);
    assert!(bench.github.hooks().asked.is_empty(), "sending it again would be of no use");
    // Noted in time, but GitHub's limit kept us from asking for three days.
    bench.github.hooks().faults.failing = 1000;
    happen(&bench, 1, 0);
    bench.github.deliver().await;
    let done = reconcile(&env, Timestamp::MAX).await.unwrap().remove(0).1.unwrap();
    bench.github.settled().await;
    assert_eq!((done.redelivered, done.open), (1, 1));
    bench.pass(3 * 86_400 + 60);
    let done = reconcile(&env, Timestamp::MAX).await.unwrap().remove(0).1.unwrap();
    assert_eq!((done.read, done.open), (1, 0), "{done:?}");
    assert_eq!(queue.take().len(), 1);
}

#[tokio::test]
async fn where_a_webhook_tells_of_everything_discovery_looks_once_a_day_and_at_once_when_the_hook_is_gone() {
    let mut bench = Bench::new(5, TINY).await;
    scopes(&bench, "sim-token", &["repo", "read:org", "read:project", "admin:org_hook"]);
    bench.settings.webhook = Webhook::Push;
    let (env, queue) = env(&bench, &["sim-token"]);
    let fleet = engine::Fleet::from(env.clone());
    let due = async || fleet.due().await.unwrap().envs()[0].settings.orgs.len();
    bench.sync().await;
    assert_eq!(due().await, 1, "no hook was made: it is polled");
    made(&env, URL, Webhook::Push).await;
    assert_eq!(due().await, 0, "nothing is polled");
    bench.github.reset_ledger();
    let done = reconcile::all(&fleet, Timestamp::MAX).await.unwrap();
    assert!(done.failures.is_empty() && bench.github.ledger().graphql == 0, "{done:?}: {:?}", bench.github.ledger());
    bench.pass(25 * 3600);
    assert_eq!(due().await, 1, "once a night what was told is compared with what there is");
    bench.sync().await;
    assert_eq!(due().await, 0);
    // Somebody deletes the hook, and then something happens.
    bench.github.hooks().list.clear();
    bench.github.world().push_commits("repo-00", 1);
    let _ = queue.take();
    let done = reconcile::all(&fleet, Timestamp::MAX).await.unwrap();
    assert!(done.failures.join("").contains("webhook verify"), "{done:?}");
    assert!(queue.take().iter().any(|job| job.sweep == "commits"), "what nobody tells is looked for");
}

#[test]
fn only_the_events_that_are_needed_are_asked_for() {
    let of = |mode, groups: &[Group], organization: bool| {
        let owner = if organization { HookOwner::Organization("acme".into()) } else { HookOwner::Repository("acme/a".into()) };
        let settings = Settings { groups: groups.iter().copied().collect(), ..Settings::default() };
        events(mode, &settings, &owner)
    };
    let mut used: Vec<&str> = engine::receive::events().collect();
    used.sort_unstable();
    assert_eq!(of(Webhook::Push, &Group::ALL, true), used, "what is received is asked for");
    assert_eq!(of(Webhook::None, &Group::ALL, true), [""; 0]);
    let stages = of(Webhook::Stages, &Group::ALL, true);
    assert_eq!(stages, ["issues", "projects_v2", "projects_v2_item", "sub_issues"]);
    assert_eq!(of(Webhook::Stages, &Group::ALL, false), ["issues", "sub_issues"], "boards are organizations' own");
    let issues = of(Webhook::Push, &[Group::Issues], true);
    assert!(issues.contains(&"issue_comment") && !issues.contains(&"workflow_run") && !issues.contains(&"pull_request"), "{issues:?}");
    let repository = of(Webhook::Push, &Group::ALL, false);
    assert!(!repository.contains(&"membership") && repository.contains(&"repository"), "{repository:?}");
}
