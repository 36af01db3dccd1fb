//! One visit: moves one sweep of one repository forward, a page at a time, until it has caught up or must stop.
//!
//! Records are written before the mark that covers them, and both writes are conditional, so a visit may be
//! repeated, raced or cut short anywhere without loss. Nothing here sleeps.

use crate::mark::{self, Cost, Mark, Problem, Walk};
use crate::model::{Job, Presence, Record, StateKey, Written};
use crate::ports::{Listing, StoreError};
use crate::repository::Repository;
use crate::sweeps::{self, Complete, Page, Sweep, Visit};
use crate::{Env, Error, asked, discover, entities, summary};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    CaughtUp,
    /// Out of time: another visit was asked for.
    Continued,
    /// Nothing can be done before then: a limit, or a pause after failures. Ask again.
    Parked {
        until: Timestamp,
        /// Whether it is a limit, which is no failure.
        limit: bool,
        why: String,
    },
    /// Somebody else moved the mark; their visit stands, ours is void.
    Superseded,
    /// GitHub will not show it, and asking again at once would not help. `status` says why.
    Refused {
        code: String,
        message: String,
    },
}

/// Moves `job` forward until `deadline`.
pub async fn advance(job: &Job, env: &Env, deadline: Timestamp) -> Result<Outcome, Error> {
    if job.sweep == discover::SWEEP {
        return discover::go_on(job, env, deadline).await;
    }
    if job.is_urgent() {
        return asked::answer(job, env, deadline).await;
    }
    let mut meter = Meter { env: env.metered(), told: github::Spent::default() };
    match visit(job, &mut meter, deadline).await {
        Err(Error::Store(StoreError::Conflict)) => Ok(Outcome::Superseded),
        outcome => outcome,
    }
}

/// An environment of the visit's own, and how much of what it spent is in the mark.
struct Meter {
    env: Env,
    told: github::Spent,
}

impl Meter {
    fn read(&mut self) -> Cost {
        let spent = self.env.github.spent();
        let cost = Cost::of(spent.since(self.told));
        self.told = spent;
        cost
    }
}

async fn visit(job: &Job, meter: &mut Meter, deadline: Timestamp) -> Result<Outcome, Error> {
    let env = &meter.env.clone();
    let sweep = sweeps::find(&job.sweep)?;
    let (repo, mut mark, first) = known(job, sweep, env).await?;
    let repo = repo.ok_or(Error::UnknownRepository(job.scope))?;
    if repo.gone || !env.settings.wants(sweep.group()) {
        return Ok(Outcome::CaughtUp);
    }
    let env = &env.about(&repo.owner);
    if let Some(until) = mark.not_before.filter(|until| *until > env.now()) {
        return Ok(Outcome::Parked { until, limit: mark.problem.is_none(), why: why(&mark) });
    }
    let mut in_a_row = 0;
    loop {
        let now = env.now();
        if now >= deadline {
            env.queue.send(std::slice::from_ref(job)).await?;
            return Ok(Outcome::Continued);
        }
        if mark.walk.is_none() {
            mark.walk = Some(begin(&repo, sweep, first.as_ref(), env));
        }
        let size = mark.page_size.unwrap_or(sweep.page_size());
        let visit = Visit { env, job, repo: &repo, mark: &mark, page_size: size, now, deadline };
        match sweep.page(&visit).await {
            Ok(page) => {
                in_a_row = 0;
                mark.spent += meter.read();
                if leads_back(&mut mark, &page) {
                    // What it has not read is read by a walk from the beginning.
                    mark.walk = None;
                    return stop(job, env, &repo, mark, Error::Unreadable(BACK.to_owned())).await;
                }
                mark = settle(job, env, mark, sweep, page, now).await?;
                if mark.walk.is_none() {
                    return caught_up(job, env, sweep).await;
                }
            }
            Err(Error::Heavy | Error::GitHub(github::Error::TooHeavy { .. })) if size > 1 => {
                mark.page_size = Some((size / 2).max(1));
            }
            Err(Error::GitHub(error)) if in_a_row < 2 && is_passing(&error) => in_a_row += 1,
            Err(Error::GitHub(error @ github::Error::TooHeavy { .. })) => {
                // One item, three times: it will never be answered. It must not hold up those behind it.
                let over = sweep.step_over(&visit).await;
                mark.spent += meter.read();
                match over {
                    Ok(Some(page)) => {
                        in_a_row = 0;
                        mark = settle(job, env, mark, sweep, page, now).await?;
                    }
                    Ok(None) => return stop(job, env, &repo, mark, Error::GitHub(error)).await,
                    Err(error) => return stop(job, env, &repo, mark, error).await,
                }
            }
            Err(error) => {
                mark.spent += meter.read();
                return stop(job, env, &repo, mark, error).await;
            }
        }
    }
}

/// A walk sends for its own continuation: nothing else would stop it.
pub(crate) const BACK: &str = "a list leads back to a page that was read before, again and again";

/// Whether the page asks to go on where this walk has been, again and again.
fn leads_back(mark: &mut Mark, page: &Page) -> bool {
    mark.walk.as_mut().zip(page.next.as_ref()).is_some_and(|(walk, next)| walk.circle.closes_at(&next.to_string()))
}

/// What is known of the repository, the sweep's mark, and that of the one which it follows; and the summary that the mark
/// will be noted in. Read at once.
async fn known(job: &Job, sweep: &dyn Sweep, env: &Env) -> Result<(Option<Repository>, Mark, Option<Mark>), StoreError> {
    let followed = sweep.follows().map(|first| mark::key(&Job { sweep: first.to_owned(), ..job.clone() }));
    let keys: Vec<StateKey> = [Repository::key(job.scope), mark::key(job), summary::key(job.scope)].into_iter().chain(followed).collect();
    let mut states = env.store.states(&keys).await?.into_iter();
    let repo = states.next().as_ref().and_then(Repository::parse);
    let mut mark = states.next().map(mark::parse).unwrap_or_default();
    mark.noted = states.next();
    Ok((repo, mark, states.next().map(mark::parse)))
}

fn begin(repo: &Repository, sweep: &dyn Sweep, first: Option<&Mark>, env: &Env) -> Walk {
    let hint = match first {
        Some(first) => first.done_for.clone(),
        None => repo.moved.get(sweep.name()).map(|moved| format!("{moved}{}", sweep.chosen(&env.settings))),
    };
    Walk { hint, began: Some(env.now()), full: env.settings.full, ..Walk::default() }
}

/// Writes what a page brought, then the mark that says so.
async fn settle(job: &Job, env: &Env, mut mark: Mark, sweep: &dyn Sweep, page: Page, now: Timestamp) -> Result<Mark, Error> {
    let mut written = env.store.put(&page.ahead).await?;
    written += env.store.put(&page.records).await?;
    for set in &page.sets {
        written += bury(job, env, set, now).await?;
    }
    let mut seen = mark.walk.as_ref().map(|walk| walk.seen.clone()).unwrap_or_default();
    look(&page, job, &mut seen);
    if page.next.is_none() {
        count(job, env, &mut mark, sweep, &seen).await?;
    }
    mark.written.add(written);
    mark.pages += u64::from(!page.local);
    mark.total = page.total.or(mark.total);
    mark.etag = page.etag.or(mark.etag);
    mark.memo = page.memo.unwrap_or(mark.memo);
    mark.not_before = None;
    mark.failures = 0;
    mark.problem = None;
    mark.page_size = mark.page_size.map(|size| (size + size / 4 + 1).min(sweep.page_size()));
    let mut walk = mark.walk.take().unwrap_or_default();
    walk.newest = walk.newest.max(page.newest);
    walk.missing.extend(page.missing);
    walk.full |= page.whole;
    walk.pages += u64::from(!page.local);
    (walk.at, walk.seen) = (Some(now), seen);
    if let Some(next) = page.next {
        mark.walk = Some(Walk { position: next, ..walk });
    } else {
        // What changed after the sweep began is newer than `newest` says, or carries the same second: the overlap.
        mark.watermark = mark.watermark.max(walk.newest);
        mark.done_for = walk.hint;
        mark.missing = walk.missing;
        (mark.began_at, mark.finished_at) = (walk.began, Some(now));
    }
    mark::save(env.store.as_ref(), job, &mut mark).await?;
    Ok(mark)
}

/// Adds up what a page held of this repository.
fn look(page: &Page, job: &Job, seen: &mut BTreeMap<String, u64>) {
    for set in &page.sets {
        seen.entry(set.entity.name.to_owned()).or_default();
    }
    for record in page.records.iter().filter(|record| record.scope == job.scope) {
        *seen.entry(record.entity.name.to_owned()).or_default() += u64::from(record.presence != Presence::Gone);
    }
}

/// Counts the rows of what the sweep that ends here reads, if it read any: added up page by page, they would drift
/// whenever a visit is killed, or raced, between its records and its mark.
async fn count(job: &Job, env: &Env, mark: &mut Mark, sweep: &dyn Sweep, seen: &BTreeMap<String, u64>) -> Result<(), Error> {
    if seen.is_empty() && mark.counted_at.is_some() {
        return Ok(());
    }
    mark.counted_at = Some(env.now());
    let all: BTreeSet<&str> = sweep.entities().iter().map(|entity| entity.name).chain(seen.keys().map(String::as_str)).collect();
    for entity in all.into_iter().filter_map(entities::find) {
        mark.rows.insert(entity.name.to_owned(), env.store.count(entity, job.scope).await?);
    }
    Ok(())
}

/// Turns into tombstones what a complete list no longer has.
pub(crate) async fn bury(job: &Job, env: &Env, set: &Complete, now: Timestamp) -> Result<Written, Error> {
    let mut after = set.after.clone();
    let mut written = Written::default();
    loop {
        let listing = Listing { prefix: &set.prefix, after: after.as_deref(), ..Listing::all(set.entity, job.scope) };
        let page = env.store.list(&listing).await?;
        let past = |key: &str| set.upto.as_deref().is_some_and(|upto| key > upto);
        let absent: Vec<Record> = page
            .rows
            .iter()
            .filter(|row| !row.gone && !past(&row.key))
            .filter(|row| !set.keys.contains(&crate::node::short_hash(&row.key)))
            // Written by somebody else after our page was read: not ours to bury.
            .filter(|row| row.version.read_at() <= format!("{now:.3}").as_str())
            .map(|row| Record {
                entity: set.entity,
                scope: job.scope,
                key: row.key.clone(),
                version: row.version.absent(now),
                fields: serde_json::Map::new(),
                presence: Presence::Gone,
            })
            .collect();
        written += env.store.put(&absent).await?;
        after = page.rows.last().map(|row| row.key.clone());
        if !page.more || after.as_deref().is_none_or(past) {
            return Ok(written);
        }
    }
}

async fn caught_up(job: &Job, env: &Env, sweep: &dyn Sweep) -> Result<Outcome, Error> {
    let next = sweeps::followers(sweep.name()).filter(|next| next.is_wanted(&env.settings));
    let next: Vec<Job> = next.map(|next| Job { sweep: next.name().to_owned(), ..job.clone() }).collect();
    if !next.is_empty() {
        env.queue.send(&next).await?;
    }
    Ok(Outcome::CaughtUp)
}

pub(crate) fn is_passing(error: &github::Error) -> bool {
    matches!(error, github::Error::Passing { .. } | github::Error::TooHeavy { .. })
}

/// Leaves word in the mark why the visit ended, and when to come back.
async fn stop(job: &Job, env: &Env, repo: &Repository, mut mark: Mark, error: Error) -> Result<Outcome, Error> {
    let now = env.now();
    let outcome = match &error {
        Error::Waiting { until } => {
            let parked = Outcome::Parked { until: *until, limit: true, why: error.to_string() };
            // Nothing was read, ever: not worth a write, since a large first copy parks all that it has not begun, every hour.
            if mark.revision == 0 && mark.spent == Cost::default() {
                return Ok(parked);
            }
            // Not a failure: the gate says it for all; the mark keeps how far we are.
            mark.not_before = Some(*until);
            parked
        }
        Error::GitHub(github::Error::Unauthenticated) => return Err(error),
        Error::GitHub(github) if is_passing(github) => {
            mark.failures += 1;
            let pause = SignedDuration::from_secs(1 << mark.failures.min(8));
            let until = now.checked_add(pause).unwrap_or(now);
            mark.not_before = Some(until);
            mark.problem = Some(problem((&mark, repo, env), "unavailable", &error, now, true));
            Outcome::Parked { until, limit: false, why: error.to_string() }
        }
        Error::GitHub(github) => {
            let code = code(github);
            mark.problem = Some(problem((&mark, repo, env), code, &error, now, false));
            // What it would have read is still to be read: discovery asks again.
            mark.not_before = None;
            Outcome::Refused { code: code.to_owned(), message: error.to_string() }
        }
        Error::Denied { code, message } => {
            mark.problem = Some(problem((&mark, repo, env), code, &error, now, false));
            mark.not_before = None;
            Outcome::Refused { code: (*code).to_owned(), message: message.clone() }
        }
        Error::Unreadable(_) => {
            mark.failures += 1;
            mark.problem = Some(problem((&mark, repo, env), "unreadable", &error, now, true));
            Outcome::Refused { code: "unreadable".to_owned(), message: error.to_string() }
        }
        _ => return Err(error),
    };
    mark::save(env.store.as_ref(), job, &mut mark).await?;
    Ok(outcome)
}

fn problem((mark, repo, env): (&Mark, &Repository, &Env), code: &str, error: &Error, now: Timestamp, passing: bool) -> Problem {
    let since = mark.problem.as_ref().filter(|old| old.code == code).map_or(now, |old| old.since);
    let needs = match error {
        Error::GitHub(github::Error::Forbidden { reason: github::Forbidden::Scope { accepted, .. }, .. }) => Some(accepted.join(" or ")),
        Error::GitHub(github::Error::Forbidden { reason: github::Forbidden::Permission { accepted }, .. }) => Some(accepted.clone()),
        _ => None,
    };
    let link = match error {
        Error::GitHub(github::Error::Forbidden { reason: github::Forbidden::Sso { url: Some(url) }, .. }) => Some(url.clone()),
        // GraphQL tells no address that authorises the token; the organization's own sends people there.
        _ if code == "sso" => Some(format!("{}/orgs/{}/sso", env.github.web(), repo.owner)),
        _ => None,
    };
    Problem { code: code.to_owned(), message: error.to_string(), since, passing, needs, link }
}

pub(crate) fn code(error: &github::Error) -> &'static str {
    match error {
        github::Error::Forbidden { reason, .. } => match reason {
            github::Forbidden::Scope { .. } => "scope",
            github::Forbidden::Permission { .. } => "permission",
            github::Forbidden::Sso { .. } => "sso",
            github::Forbidden::IpAllowList => "ip_allow_list",
            github::Forbidden::AppRestrictions => "app_restrictions",
            github::Forbidden::TokenPolicy => "token_policy",
            github::Forbidden::Other => "forbidden",
        },
        github::Error::Absent { .. } => "absent",
        github::Error::Gone { .. } => "switched_off",
        github::Error::Empty => "empty",
        github::Error::Blocked { .. } => "blocked",
        github::Error::OtherHost { .. } => "other_host",
        github::Error::Mistake { .. } => "unsupported",
        _ => "rejected",
    }
}

fn why(mark: &Mark) -> String {
    mark.problem.as_ref().map_or_else(|| "a limit of GitHub's".to_owned(), |problem| problem.message.clone())
}
