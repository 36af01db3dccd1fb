//! What is known of the whole copy, read at most as often as it may be old. Keeps sums and a line a repository, not
//! everything, so that 14,000 repositories take little memory.

use crate::Console;
use engine::{ClosedGate, DiscoveryStatus, RepositoryStatus, Standing, StoreError, Sum};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How a repository stands, all in all: the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Overall {
    Trouble,
    Waiting,
    CatchingUp,
    Complete,
    Gone,
}

impl Overall {
    pub(crate) const ALL: [Self; 5] = [Self::Trouble, Self::Waiting, Self::CatchingUp, Self::Complete, Self::Gone];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Trouble => "something is missing",
            Self::Waiting => "waiting",
            Self::CatchingUp => "catching up",
            Self::Complete => "complete",
            Self::Gone => "gone from GitHub",
        }
    }

    /// As an address has it.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Trouble => "missing",
            Self::Waiting => "waiting",
            Self::CatchingUp => "catching-up",
            Self::Complete => "complete",
            Self::Gone => "gone",
        }
    }

    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Trouble => "bad",
            Self::Waiting => "wait",
            Self::CatchingUp => "busy",
            Self::Complete => "good",
            Self::Gone => "calm",
        }
    }
}

/// A repository, or a project's board.
pub(crate) struct Line {
    pub(crate) id: u64,
    pub(crate) repo: String,
    pub(crate) overall: Overall,
    /// Of what GitHub tells a total of.
    pub(crate) rows: u64,
    pub(crate) total: u64,
    pub(crate) last_success: Option<Timestamp>,
}

pub(crate) struct Look {
    pub(crate) at: Timestamp,
    pub(crate) organizations: Vec<DiscoveryStatus>,
    /// Repositories, then projects, by name.
    pub(crate) lines: Vec<Line>,
    pub(crate) sums: Vec<(&'static str, Sum)>,
    pub(crate) rows: u64,
    pub(crate) spent: engine::Cost,
    pub(crate) limits: Vec<ClosedGate>,
    pub(crate) silent: Vec<String>,
}

/// The last one, and whoever makes the next.
#[derive(Default)]
pub(crate) struct Looks {
    last: Mutex<Option<(Instant, Duration, Arc<Look>)>>,
    looking: tokio::sync::Mutex<()>,
}

/// At least so old it may be; and reading takes at most a fifth of the time.
const FRESH: Duration = Duration::from_secs(1);

/// What takes no longer than this is waited for.
const QUICK: Duration = Duration::from_millis(150);

enum Last {
    Fresh(Arc<Look>),
    /// And it takes long to read the next one.
    Old(Arc<Look>),
    None,
}

impl Looks {
    /// `by` is the wall's clock for whoever stands still now and then, as the machine's own may, too: what was read before
    /// that is fresh by the latter alone.
    fn last(&self, by: Option<Timestamp>) -> Last {
        match &*self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((read, took, look)) => {
                let age = by.map_or_else(|| read.elapsed(), |now| now.duration_since(look.at).unsigned_abs());
                if age <= FRESH.max(*took * 4) {
                    Last::Fresh(look.clone())
                } else if *took > QUICK && by.is_none() {
                    Last::Old(look.clone())
                } else {
                    Last::None
                }
            }
            None => Last::None,
        }
    }
}

impl Console {
    /// As it is now, or was a moment ago. Where reading takes long, whoever asks gets the last one at once, and the next is
    /// read meanwhile: a page that is live shows it soon.
    pub(crate) async fn look(self: &Arc<Self>) -> Result<Arc<Look>, StoreError> {
        match self.looks.last(self.by()) {
            Last::Fresh(look) => Ok(look),
            Last::Old(look) => {
                // Unless somebody reads it already.
                if self.looks.looking.try_lock().is_ok() {
                    let console = self.clone();
                    tokio::spawn(async move { console.read().await.inspect_err(|error| tracing::warn!(%error, "the copy cannot be read")) });
                }
                Ok(look)
            }
            Last::None => self.read().await,
        }
    }

    fn by(&self) -> Option<Timestamp> {
        self.place.stands_still.then(|| self.now())
    }

    async fn read(&self) -> Result<Arc<Look>, StoreError> {
        let _one = self.looks.looking.lock().await;
        if let Last::Fresh(look) = self.looks.last(self.by()) {
            return Ok(look);
        }
        let began = Instant::now();
        let look = Arc::new(digest(engine::status(self.store.as_ref(), self.now()).await?, self.now()));
        *self.looks.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), began.elapsed(), look.clone()));
        Ok(look)
    }
}

fn digest(status: engine::Status, now: Timestamp) -> Look {
    let sums = engine::sums(&status.repositories);
    let rows = status.users + status.repositories.iter().chain(&status.projects).flat_map(|repo| &repo.entities).map(|entity| entity.rows).sum::<u64>();
    let lines = status.repositories.iter().chain(&status.projects).map(line).collect();
    Look {
        at: now,
        organizations: status.organizations,
        lines,
        sums,
        rows,
        spent: status.spent,
        limits: status.limits,
        silent: status.silent.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn overall(repo: &RepositoryStatus) -> Overall {
    let standings: BTreeSet<Standing> = repo.entities.iter().map(|entity| entity.state).collect();
    let calm = |standing: &Standing| standing.is_whole() || matches!(standing, Standing::CatchingUp | Standing::Waiting);
    if repo.gone {
        Overall::Gone
    } else if standings.iter().any(|standing| !calm(standing)) || repo.entities.iter().any(|entity| !entity.missing.is_empty()) {
        Overall::Trouble
    } else if standings.contains(&Standing::Waiting) {
        Overall::Waiting
    } else if standings.contains(&Standing::CatchingUp) {
        Overall::CatchingUp
    } else {
        Overall::Complete
    }
}

fn line(repo: &RepositoryStatus) -> Line {
    let told = || repo.entities.iter().filter(|entity| entity.state != Standing::SwitchedOff).filter_map(|entity| Some((entity.rows, entity.total?)));
    Line {
        id: repo.id,
        repo: repo.repo.clone(),
        overall: overall(repo),
        rows: told().map(|(rows, total)| rows.min(total)).sum(),
        total: told().map(|(_, total)| total).sum(),
        last_success: repo.entities.iter().filter_map(|entity| entity.last_success).max(),
    }
}
