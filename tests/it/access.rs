//! Credentials that are renewed, by several workers at once and by workers that die, on a real table and real vaults.

use crate::bench::{Bench, TestQueue};
use engine::{Credential, Env, Kept, StoreError, Tokens, Vault, discover};
use github::{ApiUrl, Secret};
use jiff::Timestamp;
use sim::Size;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

const TINY: &[Size] = &[Size(4, 5, 4)];

/// A vault that fails so often when it is written, and then holds.
#[derive(Default)]
struct Shaky {
    kept: Mutex<(Vec<Credential>, u32)>,
    failures: AtomicU32,
}

#[async_trait::async_trait]
impl Vault for Shaky {
    async fn read(&self, _: &str) -> Result<Kept, StoreError> {
        let kept = self.kept.lock().unwrap();
        Ok(Kept { credentials: kept.0.clone(), revision: kept.1.to_string() })
    }
    async fn replace(&self, _: &str, seen: &str, credentials: &[Credential]) -> Result<String, StoreError> {
        if self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(StoreError::Broken { what: "killed".to_owned(), source: "killed".into() });
        }
        let mut kept = self.kept.lock().unwrap();
        if seen != kept.1.to_string() {
            return Err(StoreError::Conflict);
        }
        *kept = (credentials.to_vec(), kept.1 + 1);
        Ok(kept.1.to_string())
    }
}

/// A pair that ends within the minute.
fn ending(bench: &Bench) -> Credential {
    let (token, refresh) = bench.github.doors().oauth.pair();
    bench.github.faults().tokens = vec![token.clone()];
    Credential::Oauth {
        client_id: bench.github.doors().oauth.client_id.clone(),
        client_secret: Some(Secret::new("canary-client-secret")),
        token: Secret::new(&token),
        refresh_token: Some(Secret::new(&refresh)),
        expires_at: Some(Timestamp::from_second(bench.github.now() + 60).unwrap()),
        refresh_expires_at: None,
    }
}

async fn worker(bench: &Bench, vault: &Arc<Shaky>) -> Env {
    let kept = vault.read("acme").await.unwrap().credentials;
    let tokens = Tokens::connect(ApiUrl::parse(&bench.github.url).unwrap(), &kept, None, engine::Clock::now(&bench.clock)).await.unwrap();
    let store = Arc::new(bench.table.store());
    Env::new(tokens.kept_in(vault.clone(), "acme"), store, Arc::new(TestQueue::default()), Arc::new(bench.clock.clone()), bench.settings.clone())
}

#[tokio::test]
async fn of_many_workers_one_refreshes_and_the_others_take_it_over() {
    let bench = Bench::new(5, TINY).await;
    let vault = Arc::new(Shaky::default());
    vault.kept.lock().unwrap().0 = vec![ending(&bench)];
    let mut workers = Vec::new();
    for _ in 0..6 {
        workers.push(worker(&bench, &vault).await);
    }
    let discoveries = workers.iter().map(|env| async move {
        loop {
            match discover("acme", env).await {
                Err(engine::Error::Waiting { .. }) => tokio::task::yield_now().await,
                other => return other,
            }
        }
    });
    for found in futures::future::join_all(discoveries).await {
        found.unwrap();
    }
    assert_eq!(bench.github.doors().oauth.refreshes, 1);
    assert!(workers.iter().all(|env| env.github.refused() == (0, 1)));
    // The next end, for workers that know nothing of each other.
    bench.pass(8 * 3600 - 60);
    for env in &workers {
        discover("acme", env).await.unwrap();
    }
    assert_eq!(bench.github.doors().oauth.refreshes, 2);
}

#[tokio::test]
async fn a_new_pair_that_cannot_be_stored_is_not_used_and_not_lost() {
    let bench = Bench::new(5, TINY).await;
    let vault = Arc::new(Shaky::default());
    vault.kept.lock().unwrap().0 = vec![ending(&bench)];
    vault.failures.store(2, Ordering::SeqCst);
    let env = worker(&bench, &vault).await;
    for _ in 0..2 {
        assert!(matches!(discover("acme", &env).await, Err(engine::Error::Store(StoreError::Broken { .. }))));
        assert_eq!((bench.github.doors().oauth.refreshes, bench.github.ledger().requests), (1, 0), "nothing was asked with it");
        // Others must not use the old one up meanwhile.
        let other = worker(&bench, &vault).await;
        let _ = discover("acme", &other).await;
        assert_eq!(bench.github.doors().oauth.refreshes, 1);
        bench.github.reset_ledger();
        bench.pass(61);
    }
    discover("acme", &env).await.unwrap();
    assert_eq!(bench.github.doors().oauth.refreshes, 1);
    let kept = vault.read("acme").await.unwrap().credentials;
    let newest = bench.github.doors().oauth.pairs.last().cloned().unwrap();
    assert!(matches!(&kept[0], Credential::Oauth { token, .. } if token.reveal() == newest.0));
}

#[tokio::test]
async fn a_worker_that_dies_while_it_refreshes_holds_up_the_others_for_a_minute_only() {
    let bench = Bench::new(5, TINY).await;
    let vault = Arc::new(Shaky::default());
    vault.kept.lock().unwrap().0 = vec![ending(&bench)];
    // As it stands when a worker died with the lease.
    let key = engine::StateKey { of: "renewals".to_owned(), name: "acme#0".to_owned() };
    let until = Timestamp::from_second(bench.github.now() + 60).unwrap();
    engine::Store::save(&bench.table.store(), &key, 0, &serde_json::json!({ "until": until.to_string() })).await.unwrap();
    bench.pass(59);
    let env = worker(&bench, &vault).await;
    discover("acme", &env).await.unwrap();
    assert_eq!(bench.github.doors().oauth.refreshes, 0, "the old token is good for a second more");
    bench.pass(3);
    discover("acme", &env).await.unwrap();
    assert_eq!(bench.github.doors().oauth.refreshes, 1);
}

#[tokio::test]
async fn a_token_that_somebody_replaced_is_found_at_once_on_a_401() {
    let bench = Bench::new(5, TINY).await;
    let vault = Arc::new(Shaky::default());
    vault.kept.lock().unwrap().0 = vec![Credential::token("old"), Credential::token("wrong")];
    bench.github.faults().tokens = vec!["new".to_owned()];
    let env = worker(&bench, &vault).await;
    *vault.kept.lock().unwrap() = (vec![Credential::token("new"), Credential::token("wrong")], 1);
    discover("acme", &env).await.unwrap();
    assert!(env.github.refused().0 <= 1);
}

#[tokio::test]
async fn a_refresh_token_that_is_used_up_sets_the_credential_aside_and_the_rest_go_on() {
    let bench = Bench::new(5, TINY).await;
    let vault = Arc::new(Shaky::default());
    let mut ended = ending(&bench);
    if let Credential::Oauth { refresh_token, .. } = &mut ended {
        *refresh_token = Some(Secret::new("ghr_canary_used"));
    }
    bench.github.faults().tokens.push("sim-token".to_owned());
    vault.kept.lock().unwrap().0 = vec![ended.clone(), Credential::token("sim-token")];
    let env = worker(&bench, &vault).await;
    discover("acme", &env).await.unwrap();
    assert_eq!(env.github.refused(), (1, 2));
    vault.kept.lock().unwrap().0 = vec![ended];
    let told = discover("acme", &worker(&bench, &vault).await).await.unwrap_err();
    assert!(matches!(told, engine::Error::Access { .. }) && told.to_string().contains("connect") && !format!("{told:?}").contains("canary"), "{told}");
}

#[tokio::test]
async fn the_token_with_the_most_left_is_asked_with() {
    let bench = Bench::new(5, TINY).await;
    bench.github.faults().tokens = vec!["one".to_owned(), "two".to_owned(), "three".to_owned()];
    bench.github.faults().limit = Some(1000);
    let env = bench.env_with(Arc::new(bench.table.store()), Arc::new(TestQueue::default()), &["one", "two", "three"]);
    let found = discover("acme", &env).await.unwrap();
    for job in &found.jobs {
        engine::advance(job, &env, Timestamp::MAX).await.unwrap();
    }
    let points = bench.github.ledger().by_token;
    let (least, most) = (points.values().map(|one| one.points).min().unwrap(), points.values().map(|one| one.points).max().unwrap());
    assert!(points.len() == 3 && most - least <= 12, "{points:?}");
}

#[tokio::test]
async fn an_installation_is_renewed_before_its_token_ends() {
    let bench = Bench::new(5, TINY).await;
    let (key, pem) = key();
    let installations = vec![(7, "acme".to_owned(), false)];
    bench.github.doors().app = Some(sim::AppDoor { client_id: "Iv1.app".to_owned(), app_id: 12, key, installations, made: 0 });
    let vault = Arc::new(Shaky::default());
    vault.kept.lock().unwrap().0 = vec![Credential::App { client_id: "Iv1.app".to_owned(), private_key: Secret::new(&pem), installations: vec![7] }];
    let env = worker(&bench, &vault).await;
    for (seconds, made) in [(0, 1), (3200, 1), (120, 2), (7200, 3)] {
        bench.pass(seconds);
        discover("acme", &env).await.unwrap();
        assert_eq!(bench.github.doors().app.as_ref().unwrap().made, made, "after {seconds} s");
    }
    // Revoked before its time: a 401 makes another.
    bench.github.faults().tokens.clear();
    discover("acme", &env).await.unwrap();
    assert_eq!(bench.github.doors().app.as_ref().unwrap().made, 4);
    let told = discover("elsewhere", &env).await.unwrap_err();
    assert!(matches!(told, engine::Error::NotInstalled { .. }) && told.to_string().contains("/apps/sei-connector/installations/new"), "{told}");
}

fn key() -> (Arc<aws_lc_rs::rsa::KeyPair>, String) {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use base64::Engine;
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(AsDer::<Pkcs8V1Der<'_>>::as_der(&key).unwrap().as_ref());
    (Arc::new(key), format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}
