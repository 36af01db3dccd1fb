//! `console`: the pages of the package `console`, for browsers of this machine only; and the syncs that are begun there,
//! one after the other. Draws nothing, and decides nothing.

use crate::arguments::Console as Arguments;
use crate::check::proxy;
use crate::failure::Failure;
use crate::place::{Copy, Place};
use crate::progress::{Progress, Watcher};
use crate::serve::stopped;
use crate::source::credentials;
use crate::sync::every;
use console::{Console, Door, Ended, Practice, Role, Run, Syncs};
use engine::dead::Letters;
use engine::{Clock, SystemClock, integration};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Of a sync's lines, so many are kept.
const LINES: usize = 50;

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let copy = place.open().await?;
    serve(&place, copy, (arguments.port, arguments.read_only), None).await
}

/// The same for `console` and `demo`. Until it is stopped.
pub(crate) async fn serve(place: &Place, copy: Copy, (port, read_only): (u16, bool), practice: Option<Practice>) -> Result<ExitCode, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| Failure::Usage(format!("cannot listen at 127.0.0.1, port {port}: {error}. Choose another with --port")))?;
    let port = listener.local_addr()?.port();
    let store = Arc::new(copy.store());
    let (vault, secret) = place.vault("")?;
    let stack = place.stack();
    let of = console::Place {
        title: place.to_string(),
        api_url: stack.map(|stack| stack.api_url().to_owned()),
        webhook_url: stack.map(|stack| stack.output("WebhookUrl").map(str::to_owned)).transpose()?,
        connect_url: stack.filter(|stack| stack.has("ConnectUrl")).map(|stack| stack.output("ConnectUrl").map(str::to_owned)).transpose()?,
        vault,
        one_secret: stack.map(|_| secret),
        // Those of the environment would be another's than a stack's.
        at_hand: if stack.is_some() { Vec::new() } else { credentials()? },
        proxy,
        practice,
        stands_still: false,
        dead: stack.map(|stack| stack.dead_letters()).transpose()?.map(|dead| Arc::new(dead) as Arc<dyn Letters>),
    };
    let work = Arc::new(Work::default());
    let syncs = stack.is_none().then(|| work.clone() as Arc<dyn Syncs>);
    let console = Arc::new(Console::new(store, Arc::new(SystemClock), of, syncs));
    let table = match (copy, place) {
        (Copy::Embedded(mut table), Place::Directory(dir)) => {
            table.share(dir).await?;
            Some(table)
        }
        _ => None,
    };
    console.warm().await;
    let role = if read_only { Role::Viewer } else { Role::Admin };
    let door = Door::new(port, role, |link| println!("{link}")).map_err(|error| Failure::Failed(error.to_string()))?;
    eprintln!("Open the link in a browser of this machine; it is good once, and the next one follows. Ctrl-C stops, and nothing is lost");
    let router = console::local(console, Arc::new(door));
    let served = tokio::select! {
        served = axum::serve(listener, router) => served.map_err(Failure::from),
        failed = work.carry_out(place, table.as_ref()) => Err(failed),
        () = stopped() => Ok(()),
    };
    if let Some(table) = table {
        table.shutdown().await;
    }
    served.map(|()| ExitCode::SUCCESS)
}

/// What is to be copied, and how it went.
#[derive(Default)]
struct Work {
    /// The newest first.
    runs: Mutex<Vec<Run>>,
    wanted: Mutex<Vec<String>>,
    came: Notify,
    /// The integration whose sync is to end.
    stop: Mutex<Option<String>>,
    stopped: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Syncs for Work {
    fn begin(&self, integration: &str) {
        let mut runs = lock(&self.runs);
        if runs.iter().any(|run| run.integration == integration && run.ended.is_none()) {
            return;
        }
        runs.retain(|run| run.integration != integration);
        let (now, message) = (SystemClock.now(), "begins".to_owned());
        runs.insert(0, Run { integration: integration.to_owned(), began: now, done: 0, of: 0, message, lines: Vec::new(), ended: None });
        drop(runs);
        lock(&self.wanted).push(integration.to_owned());
        self.came.notify_one();
    }

    fn stop(&self, integration: &str) {
        let waiting = {
            let mut wanted = lock(&self.wanted);
            let before = wanted.len();
            wanted.retain(|one| one != integration);
            before > wanted.len()
        };
        if waiting {
            self.end(integration, false, "stopped before it began");
        } else {
            *lock(&self.stop) = Some(integration.to_owned());
            self.stopped.notify_waiters();
        }
    }

    fn runs(&self) -> Vec<Run> {
        lock(&self.runs).clone()
    }
}

impl Work {
    /// One after the other: two at once would each take the whole of a token's budget for its own.
    async fn carry_out(self: &Arc<Self>, place: &Place, table: Option<&aws::Embedded>) -> Failure {
        loop {
            let next = { lock(&self.wanted).first().cloned() };
            let (Some(name), Some(table)) = (next, table) else {
                self.came.notified().await;
                continue;
            };
            lock(&self.wanted).retain(|one| *one != name);
            *lock(&self.stop) = None;
            self.change(&name, |run| run.began = SystemClock.now());
            tokio::select! {
                done = self.copy(&name, place, table) => match done {
                    Ok(code) => self.end(&name, code == ExitCode::SUCCESS, ""),
                    Err(failure) => self.end(&name, false, &failure.to_string()),
                },
                // What is under way is dropped where it stands: every write is whole, and the next sync resumes.
                () = self.is_stopped(&name) => self.end(&name, false, "stopped; the next sync goes on where this one was"),
            }
        }
    }

    async fn copy(self: &Arc<Self>, name: &str, place: &Place, table: &aws::Embedded) -> Result<ExitCode, Failure> {
        let one = integration::integration(&table.store(), name).await?;
        let watcher = Arc::new(Watching { work: self.clone(), name: name.to_owned() });
        every(std::slice::from_ref(&one), false, place, table, &mut Progress::Watched(watcher)).await
    }

    async fn is_stopped(&self, name: &str) {
        loop {
            let notified = self.stopped.notified();
            if lock(&self.stop).as_deref() == Some(name) {
                return;
            }
            notified.await;
        }
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Run)) {
        if let Some(run) = lock(&self.runs).iter_mut().find(|run| run.integration == name) {
            change(run);
        }
    }

    fn end(&self, name: &str, well: bool, line: &str) {
        self.change(name, |run| {
            run.lines.extend((!line.is_empty()).then(|| line.to_owned()));
            run.message.clear();
            run.ended = Some(Ended { at: SystemClock.now(), well });
        });
    }
}

/// Of one sync.
struct Watching {
    work: Arc<Work>,
    name: String,
}

impl Watcher for Watching {
    fn at(&self, done: u64, of: u64, message: &str) {
        self.work.change(&self.name, |run| (run.done, run.of, run.message) = (done, of, message.to_owned()));
    }

    fn say(&self, line: &str) {
        self.work.change(&self.name, |run| {
            run.lines.push(line.to_owned());
            let surplus = run.lines.len().saturating_sub(LINES);
            run.lines.drain(..surplus);
        });
    }
}
