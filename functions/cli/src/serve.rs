//! `serve`: does in one process what AWS does with the webhook, the receiver, the fetcher and two queues. Receives events
//! at `/webhook`, applies them, and asks GitHub for what they lack. Polls nothing.

use crate::arguments::Serve;
use crate::failure::Failure;
use crate::place::Place;
use crate::runner::{LocalQueue, WORKERS};
use crate::source::Chosen;
use crate::sync::one_github;
use async_trait::async_trait;
use aws::{DynamoStore, TableInbox};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::IntoResponse;
use engine::signature::{Keyring, Secrets};
use engine::{Clock, Env, Fleet, Job, Outcome, Queue, StoreError, SystemClock, advance, deliveries, open_questions};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use github::Secret;
use jiff::Timestamp;
use std::collections::{BTreeMap, HashSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use webhook::{Door, Request};

/// An event that cannot be applied so many times is set aside until the next start.
const TRIES: u32 = 5;

/// Secrets that do not change while this runs.
pub(crate) struct Fixed(pub(crate) Arc<Secrets>);

#[async_trait]
impl Keyring for Fixed {
    async fn secrets(&self, _again: bool) -> Result<Arc<Secrets>, StoreError> {
        Ok(self.0.clone())
    }
}

struct Shared {
    keys: Fixed,
    inbox: Arc<TableInbox>,
    store: Arc<DynamoStore>,
}

pub(crate) async fn run(arguments: Serve) -> Result<ExitCode, Failure> {
    let keys = Fixed(Arc::new(secrets()?));
    let dir = &arguments.place.data_dir;
    let place = Place::Directory(dir.clone());
    let by_flags = match arguments.source.by_flags(&arguments.groups, None, &place)? {
        Some(chosen) => Some((chosen.tokens(&place).await?, chosen)),
        None => None,
    };
    let listener = TcpListener::bind((arguments.host.as_str(), arguments.port)).await.map_err(|error| {
        Failure::Usage(format!("cannot listen at {}, port {}: {error}. Choose another with --host and --port", arguments.host, arguments.port))
    })?;
    let mut table = aws::Embedded::open(dir).await?;
    let (store, queue) = (Arc::new(table.store()), Arc::new(LocalQueue::default()));
    let scratch = table.scratch()?;
    let env = |tokens, settings| Env::new(tokens, store.clone(), queue.clone(), Arc::new(SystemClock), settings).alone().on(scratch.clone());
    let mut envs = Vec::new();
    if let Some((tokens, chosen)) = by_flags {
        one_github(store.as_ref(), &chosen.url).await?;
        envs.push(env(tokens, chosen.settings));
    } else {
        for one in arguments.source.installed(store.as_ref()).await?.iter().filter(|one| !one.paused) {
            let chosen = Chosen::of(one)?;
            one_github(store.as_ref(), &chosen.url).await?;
            envs.push(env(chosen.tokens(&place).await?, chosen.settings.clone()));
        }
    }
    table.share(dir).await?;
    let inbox = Arc::new(table.inbox());
    let shared = Arc::new(Shared { keys, inbox: inbox.clone(), store: store.clone() });
    let router = Router::new().fallback(nothing).route("/webhook", axum::routing::any(receive)).with_state(shared);
    let router = router.layer(DefaultBodyLimit::max(webhook::LARGEST + 1));
    println!("http://{}/webhook", listener.local_addr()?);
    eprintln!("receiving; Ctrl-C stops, and nothing that was received is lost. Meanwhile `sei-github export` and `sei-github events` work");
    let fleet = Fleet::new(envs);
    let served = tokio::select! {
        served = axum::serve(listener, router) => served.map_err(Failure::from),
        failed = apply(&inbox, &store, &fleet) => Err(failed),
        failed = work(&queue, &store, &fleet) => Err(failed),
        failed = reconcile(&fleet) => Err(failed),
        () = stopped() => Ok(()),
    };
    table.shutdown().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// The secrets are read here and nowhere else.
fn secrets() -> Result<Secrets, Failure> {
    let read = |name: &str| Secret::new(&std::env::var(name).unwrap_or_default());
    let secrets = Secrets::new(&[read("GITHUB_WEBHOOK_SECRET"), read("GITHUB_WEBHOOK_SECRET_PREVIOUS")]);
    if secrets.is_empty() {
        return Err(Failure::Authentication(
            "there is no webhook secret. Set GITHUB_WEBHOOK_SECRET to what the webhook has as its secret; while you replace it, GITHUB_WEBHOOK_SECRET_PREVIOUS to the one before".to_owned(),
        ));
    }
    Ok(secrets)
}

pub(crate) async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

async fn nothing() -> impl IntoResponse {
    (StatusCode::NOT_FOUND, "Webhooks are received at /webhook.\n")
}

async fn receive(State(shared): State<Arc<Shared>>, method: Method, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let request = Request {
        method: method.to_string(),
        content_type: header("content-type"),
        signature: header("x-hub-signature-256"),
        event: header("x-github-event"),
        delivery: header("x-github-delivery"),
        hook: header("x-github-hook-id"),
        body,
    };
    let door = Door { keys: &shared.keys, inbox: shared.inbox.as_ref(), store: shared.store.as_ref() };
    let answer = webhook::handle(request, &door, SystemClock.now()).await;
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], answer.body())
}

/// Applies what was received, in its order, until something is wrong with the table.
async fn apply(inbox: &TableInbox, store: &DynamoStore, fleet: &Fleet) -> Failure {
    let mut tries: BTreeMap<String, u32> = BTreeMap::new();
    let mut aside: HashSet<String> = HashSet::new();
    let mut forgot = None;
    loop {
        let waiting = match inbox.take(&aside).await {
            Ok(waiting) => waiting,
            Err(error) => return error.into(),
        };
        if waiting.is_empty() {
            // Traces that nobody looks for any more; the embedded table does not forget by itself.
            if forgot.is_none_or(|at: Instant| at.elapsed() > Duration::from_secs(3600)) {
                forgot = Some(Instant::now());
                if let Err(error) = deliveries::forget(store, SystemClock.now()).await {
                    return error.into();
                }
            }
            inbox.came().await;
        }
        for one in waiting {
            let delivery = one.event.delivery.clone();
            match receiver::apply(&one.event, fleet, store).await {
                Ok(()) => {
                    if let Err(error) = inbox.done(&one).await {
                        return error.into();
                    }
                }
                Err(error) => {
                    let tried = tries.entry(delivery.clone()).or_insert(0);
                    *tried += 1;
                    tracing::warn!(delivery, %error, tried = *tried, "an event is not applied");
                    if *tried >= TRIES {
                        aside.insert(delivery);
                        if let Err(error) = receiver::give_up(&one.event, &error, store).await {
                            return error.into();
                        }
                    } else {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            }
        }
    }
}

/// Finds what webhooks did not bring, every ten minutes, until something is wrong with the table.
async fn reconcile(fleet: &Fleet) -> Failure {
    loop {
        match engine::reconcile::all(fleet, Timestamp::MAX).await {
            Ok(done) => done.failures.iter().for_each(|failure| tracing::warn!(failure, "not reconciled")),
            Err(error) => return error.into(),
        }
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
}

/// Asks GitHub for what events lacked, until the token is refused or something is wrong with the table.
async fn work(queue: &LocalQueue, store: &DynamoStore, fleet: &Fleet) -> Failure {
    let mut running = FuturesUnordered::new();
    let mut parked: Vec<(Timestamp, Job)> = Vec::new();
    match open_questions(store).await {
        Ok(scopes) => {
            // Their jobs ended with the process that had them.
            let integration = fleet.envs().first().and_then(|env| env.settings.integration.clone());
            parked.extend(scopes.into_iter().map(|scope| (Timestamp::UNIX_EPOCH, Job { scope, sweep: "asked".to_owned(), integration: integration.clone() })));
        }
        Err(error) => return error.into(),
    }
    loop {
        let now = SystemClock.now();
        let due: Vec<Job> = parked.iter().filter(|(until, _)| *until <= now).map(|(_, job)| job.clone()).collect();
        parked.retain(|(until, _)| *until > now);
        if let Err(error) = queue.send(&due).await {
            return error.into();
        }
        while running.len() < WORKERS {
            let Some(job) = queue.take() else { break };
            let Some(env) = fleet.of(&job) else { break };
            running.push(async move {
                let outcome = advance(&job, env, Timestamp::MAX).await;
                (job, outcome)
            });
        }
        let next = parked.iter().map(|(until, _)| *until).min();
        let pause = next.map_or(Duration::from_secs(3600), |next| next.duration_since(now).unsigned_abs() + Duration::from_millis(50));
        let finished = tokio::select! {
            Some(finished) = running.next(), if !running.is_empty() => Some(finished),
            () = queue.came() => None,
            () = tokio::time::sleep(pause) => None,
        };
        let Some((job, outcome)) = finished else { continue };
        queue.finished(&job);
        match outcome {
            Ok(Outcome::Parked { until, why, .. }) => {
                tracing::info!(scope = job.scope, sweep = job.sweep, %until, why, "waits");
                parked.push((until, job));
            }
            Ok(Outcome::Refused { code, message }) => tracing::warn!(scope = job.scope, sweep = job.sweep, code, message, "GitHub refuses"),
            Ok(_) => {}
            Err(error @ engine::Error::GitHub(github::Error::Unauthenticated)) => return error.into(),
            Err(engine::Error::Store(error)) => return error.into(),
            Err(error) => tracing::warn!(scope = job.scope, sweep = job.sweep, %error, "not read"),
        }
    }
}
