//! How one entity of one repository stands, judged from its summary alone. Reads nothing.

use crate::discover::Discovered;
use crate::entities::{COMMIT_FILES, COMMITS, Entity, Group};
use crate::mark::{Cost, Problem};
use crate::model::ScopeId;
use crate::summary::{Summary, Swept};
use crate::sweeps::{self, Sweep};
use jiff::Timestamp;
use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub struct EntityStatus {
    pub entity: &'static str,
    pub state: Standing,
    /// Living rows here.
    pub rows: u64,
    /// When they were counted; null while a first read is under way, when `rows` is what its pages held.
    pub counted_at: Option<Timestamp>,
    /// GitHub's own total, where GitHub tells one.
    pub total: Option<u64>,
    /// Of what catches up; null where nothing can be told.
    pub estimate: Option<Estimate>,
    pub waiting_until: Option<Timestamp>,
    /// Scopes or permissions one of which would do, where GitHub names them.
    pub needs: Option<String>,
    /// Where people mend it.
    pub link: Option<String>,
    pub error: Option<Trouble>,
    /// Items that could not be read, and why.
    pub missing: Vec<String>,
    pub last_success: Option<Timestamp>,
    /// What reading it has cost; null for entities that come with another one, which carries the cost of both.
    pub spent: Option<Cost>,
}

impl EntityStatus {
    /// What belongs to the state: the estimate, the permission, the link, the next try. Empty where there is nothing to
    /// say.
    #[must_use]
    pub fn details(&self) -> String {
        let mut parts = Vec::new();
        if let Some(Estimate { requests, seconds }) = self.estimate {
            let time = seconds.map(|seconds| format!(" ({})", spoken(seconds))).unwrap_or_default();
            parts.push(format!(", about {requests} request{} more{time}", if requests == 1 { "" } else { "s" }));
        }
        parts.extend(self.waiting_until.map(|until| format!(" until {until:.0}")));
        parts.extend(self.needs.as_ref().map(|needs| format!(": the token needs {needs}")));
        parts.extend(self.link.as_ref().map(|link| format!(": {link}")));
        if self.state == Standing::Failed {
            let next = self.error.as_ref().and_then(|error| error.next_try);
            parts.push(next.map_or_else(|| ", tried again by the next sync".to_owned(), |next| format!(", tried again from {next:.0}")));
        }
        parts.concat()
    }
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// What is still to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Estimate {
    pub requests: u64,
    /// At the pace so far; null before the first page.
    pub seconds: Option<u64>,
}

/// Why it does not get on.
#[derive(Debug, Clone, Serialize)]
pub struct Trouble {
    /// Short and stable, e.g. `blocked`.
    pub code: String,
    pub message: String,
    pub since: Timestamp,
    /// Null: with the next sync.
    pub next_try: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// As GitHub was at the last success.
    Complete,
    /// Under way, to be gone on with, or not begun.
    CatchingUp,
    /// Held up by a limit.
    Waiting,
    /// Its group was not chosen.
    SwitchedOff,
    /// The token may not read it.
    NoPermission,
    /// The token must be authorised for the organization's single sign-on.
    SsoNeeded,
    /// Switched off on GitHub.
    Disabled,
    /// GitHub has nothing of it.
    Empty,
    /// GitHub no longer has it, or does not show that it does.
    Gone,
    /// Taken down (451).
    Blocked,
    /// An error; tried again.
    Failed,
}

impl Standing {
    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::CatchingUp => "catching up",
            Self::Waiting => "waiting",
            Self::SwitchedOff => "switched off",
            Self::NoPermission => "no permission",
            Self::SsoNeeded => "single sign-on needed",
            Self::Disabled => "disabled on GitHub",
            Self::Empty => "empty",
            Self::Gone => "gone",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing is missing that was chosen and that GitHub has.
    #[must_use]
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Complete | Self::SwitchedOff | Self::Disabled | Self::Empty)
    }

    fn of(problem: &Problem) -> Self {
        match problem.code.as_str() {
            "scope" | "permission" | "forbidden" | "ip_allow_list" | "app_restrictions" | "token_policy" => Self::NoPermission,
            "sso" => Self::SsoNeeded,
            "switched_off" => Self::Disabled,
            "empty" => Self::Empty,
            "absent" => Self::Gone,
            "blocked" => Self::Blocked,
            _ => Self::Failed,
        }
    }
}

/// What was chosen when the organization was last discovered, by all integrations together or, where there is none, by
/// the flags of a run; none before.
pub(crate) fn chosen(discoveries: &[(String, Discovered)], org: ScopeId) -> Option<Discovered> {
    let of_it = || discoveries.iter().map(|(_, discovered)| discovered).filter(|discovered| discovered.org_id == org && !discovered.groups.is_empty());
    let installed = of_it().any(|discovered| discovered.integration.is_some());
    let mut all = of_it().filter(|discovered| discovered.integration.is_some() == installed).cloned();
    let first = all.next()?;
    Some(all.fold(first, |mut sum, other| {
        sum.groups.extend(other.groups);
        sum.since = sum.since.zip(other.since).map(|(a, b)| a.min(b));
        sum
    }))
}

/// Every entity of a repository, or of a project's board, in the order of the sweeps.
pub(crate) fn judge(id: ScopeId, summary: &Summary, chosen: Option<&Discovered>, now: Timestamp) -> Vec<EntityStatus> {
    let none = Swept::default();
    let of = |sweep: &'static dyn Sweep| {
        let swept = summary.sweeps.get(sweep.name()).unwrap_or(&none);
        let case = Case { summary, swept, sweep, chosen, now };
        sweep.entities().iter().enumerate().map(|(index, entity)| case.entity(entity, index == 0)).collect::<Vec<_>>()
    };
    sweeps::of(id).flat_map(of).collect()
}

fn time(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

struct Case<'a> {
    summary: &'a Summary,
    swept: &'a Swept,
    sweep: &'static dyn Sweep,
    chosen: Option<&'a Discovered>,
    now: Timestamp,
}

impl Case<'_> {
    fn entity(&self, entity: &'static Entity, first: bool) -> EntityStatus {
        // Files are read of the commits that are there: while those are behind, so are these.
        if entity == &COMMIT_FILES
            && self.swept.problem.is_none()
            && let Some(commits) = self.commits().filter(|commits| matches!(commits.state, Standing::CatchingUp | Standing::Waiting))
        {
            let mut own = self.alone(entity, first);
            if own.state.is_whole() && own.state != Standing::SwitchedOff {
                (own.state, own.waiting_until) = (commits.state, commits.waiting_until);
            }
            return own;
        }
        let own = self.alone(entity, first);
        match self.other_branches().filter(|_| entity == &COMMITS && own.state.is_whole() && own.state != Standing::SwitchedOff) {
            Some(others) if !others.state.is_whole() => EntityStatus { rows: own.rows, total: own.total, counted_at: own.counted_at, ..others },
            _ => own,
        }
    }

    /// How it stands with the commits of other branches, once they were asked for.
    fn other_branches(&self) -> Option<EntityStatus> {
        let sweep = sweeps::find("branch_commits").ok()?;
        let swept = self.summary.sweeps.get(sweep.name())?;
        (swept.problem.is_some() || swept.walk.is_some() || swept.not_before.is_some()).then(|| Case { sweep, swept, ..*self }.alone(&COMMITS, false))
    }

    fn commits(&self) -> Option<EntityStatus> {
        let sweep = sweeps::find(COMMITS.name).ok()?;
        let swept = self.summary.sweeps.get(sweep.name()).cloned().unwrap_or_default();
        Some(Case { sweep, swept: &swept, ..*self }.alone(&COMMITS, true))
    }

    fn alone(&self, entity: &'static Entity, first: bool) -> EntityStatus {
        let swept = self.swept;
        let (rows, counted_at) = rows(self.summary, entity.name);
        let total = self.summary.totals.get(entity.name).copied().or(swept.total.filter(|_| entity.name == self.sweep.name()));
        let until = swept.not_before.and_then(time).filter(|until| *until > self.now);
        let problem = swept.problem.as_ref();
        let state = self.state(entity, rows, total, until.is_some());
        EntityStatus {
            entity: entity.name,
            state,
            rows,
            counted_at,
            total,
            estimate: (first && state == Standing::CatchingUp).then(|| self.estimate(entity, rows, total)).flatten(),
            waiting_until: until.filter(|_| state == Standing::Waiting),
            needs: problem.and_then(|problem| problem.needs.clone()),
            link: problem.and_then(|problem| problem.link.clone()),
            error: problem.map(|problem| Trouble {
                code: problem.code.clone(),
                message: problem.message.clone(),
                since: problem.since,
                next_try: until.filter(|_| problem.passing),
            }),
            missing: swept.missing.clone(),
            last_success: swept.finished_at.and_then(time),
            spent: first.then(|| swept.spent()),
        }
    }

    fn state(&self, entity: &Entity, rows: u64, total: Option<u64>, waits: bool) -> Standing {
        let (summary, swept) = (self.summary, self.swept);
        let off = |what: &str| summary.disabled.iter().any(|off| off == what);
        let wants = |group: Group| group == Group::Always || self.chosen.is_none_or(|chosen| chosen.groups.contains(group.name()));
        if summary.gone {
            Standing::Gone
        } else if !wants(entity.group) || !wants(self.sweep.group()) {
            Standing::SwitchedOff
        } else if off("repository") && swept.problem.is_some() {
            Standing::Disabled
        } else if let Some(problem) = &swept.problem {
            Standing::of(problem)
        } else if waits {
            Standing::Waiting
        } else if swept.walk.is_some() {
            Standing::CatchingUp
        } else if off(entity.name) || off(self.sweep.name()) && rows == 0 {
            Standing::Disabled
        } else if self.nothing(total) && rows == 0 {
            Standing::Empty
        } else if self.due() {
            Standing::CatchingUp
        } else if rows == 0 && total.unwrap_or(0) == 0 {
            Standing::Empty
        } else {
            Standing::Complete
        }
    }

    /// Whether discovery told that there is none; what hangs on an empty list is empty as well.
    fn nothing(&self, total: Option<u64>) -> bool {
        let of_first = self.sweep.entities().first().and_then(|first| self.summary.totals.get(first.name));
        total.or(of_first.copied()).map_or_else(|| self.without_commits(), |total| total == 0)
    }

    /// Where nothing was pushed, nothing is committed or run.
    fn without_commits(&self) -> bool {
        !self.summary.moved.contains_key(COMMITS.name) && (self.sweep.always_due() || !self.summary.moved.contains_key(self.sweep.name()))
    }

    /// Whether a sync has something to read.
    fn due(&self) -> bool {
        let finished = self.swept.finished_at.is_some();
        match self.summary.moved.get(self.sweep.name()) {
            // Discovery cannot tell that anything moved.
            None => !finished && !self.without_commits(),
            // Empty, and never seen otherwise.
            Some(moved) if *moved < 0 && !finished => false,
            Some(moved) => self.swept.done_for.map(i64::from) != Some(moved.abs()),
        }
    }

    /// From what is still to come and what the pages so far brought.
    fn estimate(&self, entity: &Entity, rows: u64, total: Option<u64>) -> Option<Estimate> {
        let walk = self.swept.walk.clone().unwrap_or_default();
        let seen = walk.seen.get(entity.name).copied().unwrap_or(0);
        let whole = self.swept.finished_at.is_none() || walk.full;
        let requests = if entity == &COMMIT_FILES {
            // One a commit.
            rows_of(self.summary, COMMITS.name).checked_sub(self.swept.pages).filter(|left| *left > 0)?
        } else {
            let left = if whole { total?.checked_sub(seen)? } else { total?.checked_sub(rows)? };
            let (pages, held) = if walk.pages > 0 && seen > 0 { (walk.pages, seen) } else { (1, u64::from(self.sweep.page_size())) };
            (left * pages).div_ceil(held.max(1)).max(1)
        };
        let took = u64::try_from(walk.at - walk.began).ok().filter(|_| walk.pages > 0);
        Some(Estimate { requests, seconds: took.map(|took| (took * requests).div_ceil(walk.pages.max(1))) })
    }
}

fn rows_of(summary: &Summary, entity: &str) -> u64 {
    rows(summary, entity).0
}

/// Counted by the sweep that counted last, since some entities come by two; until then, what the pages held.
fn rows(summary: &Summary, entity: &str) -> (u64, Option<Timestamp>) {
    let counted = summary.sweeps.values().filter_map(|swept| Some((swept.counted_at, *swept.rows.get(entity)?))).max();
    match counted {
        Some((_, 0)) | None => {
            let held: u64 = summary.sweeps.values().filter_map(|swept| swept.walk.as_ref()?.seen.get(entity)).sum();
            let at = counted.filter(|_| held == 0);
            (held, at.and_then(|(at, _)| Timestamp::from_millisecond(at).ok()))
        }
        Some((at, rows)) => (rows, Timestamp::from_millisecond(at).ok()),
    }
}
