//! Finds the repositories of an organization and what moved in them, a hundred a query, and asks for the sweeps that
//! are due. Sees people and teams on the way. A repository in which nothing moved costs nothing more.

mod due;
mod hint;
mod place;
mod turn;

pub(crate) use due::{due, is_due};
pub(crate) use hint::hint;
pub use turn::every;

use crate::advance::{BACK, Outcome};
use crate::entities::REPOSITORIES;
use crate::env::Env;
use crate::mark::{Cost, Tally};
use crate::model::{Job, Presence, Record, ScopeId, StateKey, Stored, Written};
use crate::node::{Node, Out, padded};
use crate::organization::{self, Pages};
use crate::people;
use crate::ports::{Store, StoreError};
use crate::projects;
use crate::repository::{Repository, close};
use crate::summary;
use crate::sweeps;
use crate::{Error, Listing};
use futures::future::try_join_all;
use hint::fields;
use jiff::{SignedDuration, Timestamp};
use place::Place;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use turn::{Round, Turn};

/// What a discovery found.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    pub repositories: u64,
    /// Listed, but not selected.
    pub left_out: u64,
    /// The organization's id.
    pub organization: ScopeId,
    /// Keys of all repositories that it has, selected or not.
    #[serde(serialize_with = "place::write", deserialize_with = "place::read")]
    pub listed: BTreeSet<String>,
    /// Chosen patterns that no repository of this organization fits.
    pub unmatched: BTreeSet<String>,
    /// When the token that was asked with ends, if GitHub tells and it is not replaced by itself.
    pub token_expires: Option<Timestamp>,
    /// It ran out of time: a job goes on with it, and this is what was found so far.
    pub unfinished: bool,
    /// When it began to list the repositories.
    pub began: Option<Timestamp>,
    /// Those that were sent.
    #[serde(skip)]
    pub jobs: Vec<Job>,
    /// Jobs that are due, too, and come with a later discovery: there is no budget for them before that.
    pub later: usize,
    #[serde(skip)]
    pub written: Written,
    /// What could not be seen, and why.
    pub missing: Vec<String>,
    /// The same, where the token may not see it: trying again does not mend it.
    pub refused: Vec<String>,
}

impl Found {
    fn take_over(&mut self, part: Part) {
        self.missing.extend(part.missing);
        self.refused.extend(part.refused);
    }

    /// Adds what was seen in one part, and returns what is kept of it.
    fn absorb(&mut self, seen: Self) -> Part {
        let part = Part { missing: seen.missing, refused: seen.refused };
        self.take_over(part.clone());
        self.written += seen.written;
        self.jobs.extend(seen.jobs);
        part
    }
}

pub(crate) fn queries() -> Vec<(String, String)> {
    [("repositories".to_owned(), organization::query("", ""))].into_iter().chain(people::queries()).chain(projects::queries()).collect()
}

/// What the last discovery of an organization left, and what all of them spent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Discovered {
    pub(crate) repositories: u64,
    pub(crate) left_out: u64,
    /// GitHub's number of the organization.
    pub(crate) org_id: ScopeId,
    /// The groups that were chosen, by name.
    pub(crate) groups: BTreeSet<String>,
    /// Nothing that last changed before this was read.
    pub(crate) since: Option<Timestamp>,
    /// What its server does not know of what is asked for, and when that was found out; none for GitHub's own service.
    pub(crate) lacks: BTreeSet<String>,
    pub(crate) lacks_at: Option<Timestamp>,
    /// Whether every repository of it has its summary: not so before a first discovery of this version.
    pub(crate) summarized: bool,
    /// When the token that was asked with ends, unless it is replaced by itself.
    pub(crate) token_expires: Option<Timestamp>,
    /// Who looked.
    pub(crate) integration: Option<String>,
    pub(crate) finished_at: Option<Timestamp>,
    pub(crate) missing: Vec<String>,
    /// The parts that were read to their end since the last whole discovery, with what was missing in each.
    pub(crate) parts: BTreeMap<String, Part>,
    /// Which repository the next one begins with.
    pub(crate) round: Round,
    /// Of one that did not come to its end.
    pub(crate) place: Option<Place>,
    pub(crate) spent: Cost,
    pub(crate) written: Tally,
}

/// What could not be seen in a part of a discovery, as [`Found`] has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    missing: Vec<String>,
    refused: Vec<String>,
}

/// Where discoveries are kept, by organization.
pub(crate) const PARTITION: &str = "discoveries";

/// What the last discovery of each organization left.
pub(crate) async fn discoveries(store: &dyn Store) -> Result<Vec<(String, Discovered)>, StoreError> {
    let states = store.states_of(PARTITION).await?;
    let login = |name: String| name.split(' ').next().unwrap_or_default().to_owned();
    Ok(states.into_iter().map(|(name, state)| (login(name), serde_json::from_value(state.value).unwrap_or_default())).collect())
}

/// When this integration's last discovery of the organization ended; none where it left jobs to a later one.
pub(crate) async fn last(env: &Env, org: &str) -> Result<Option<Timestamp>, StoreError> {
    let states = env.store.states(&[key(env, org)]).await?;
    let discovered: Option<Discovered> = states.into_iter().next().and_then(|state| serde_json::from_value(state.value).ok());
    Ok(discovered.filter(|discovered| discovered.round.is_over()).and_then(|discovered| discovered.finished_at))
}

fn key(env: &Env, org: &str) -> StateKey {
    let by = env.settings.integration.as_ref().map(|name| format!(" by {}", name.to_lowercase())).unwrap_or_default();
    StateKey { of: PARTITION.to_owned(), name: format!("{}{by}", org.to_lowercase()) }
}

/// Looks at one organization, sends the jobs that are due, and leaves word of it.
pub async fn discover(org: &str, env: &Env) -> Result<Found, Error> {
    discover_until(org, env, Timestamp::MAX).await
}

/// The same until `deadline`: a job goes on from there. What an earlier one left is read to its end first; that is no look
/// at what happened since, so another one follows.
pub async fn discover_until(org: &str, env: &Env, deadline: Timestamp) -> Result<Found, Error> {
    let mut run = proceed(org, env, deadline).await?;
    if run.resumed
        && let Ok(left) = &mut run.done
        && !left.unfinished
        && env.now() < deadline
    {
        let left = std::mem::take(left);
        run = proceed(org, env, deadline).await?;
        if let Ok(found) = &mut run.done {
            found.absorb(Found { written: left.written, jobs: left.jobs, ..Found::default() });
        }
    }
    let job = |scope| [Job { scope, sweep: SWEEP.to_owned(), integration: env.settings.integration.clone() }];
    match &run.done {
        Ok(found) if found.unfinished && run.saved => env.queue.send(&job(run.organization)).await?,
        // Where it was begun before, its job waits for the same limit.
        Err(Error::Waiting { until }) if run.saved && !run.resumed && env.scheduled.is_some() => {
            env.queue.send_later(&job(run.organization), until.duration_since(env.now())).await?;
        }
        _ => {}
    }
    run.done
}

/// How far one call got.
struct Run {
    done: Result<Found, Error>,
    organization: ScopeId,
    /// It began where another one had stopped.
    resumed: bool,
    /// Its word stands. Of two at once the other one left word, and goes on with it.
    saved: bool,
}

/// From where the last one stopped, or from the beginning. An error of its own means that nothing can be kept.
async fn proceed(org: &str, env: &Env, deadline: Timestamp) -> Result<Run, Error> {
    let deadline = deadline.checked_sub(MARGIN).unwrap_or(deadline);
    let env = &env.about(org).metered().discovering();
    let key = key(env, org);
    let before = env.store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
    let mut discovered: Discovered = serde_json::from_value(before.value).unwrap_or_default();
    let (mut place, resumed) = Place::resumed(discovered.place.take(), env.now());
    let done = look(org, env, deadline, &mut discovered, &mut place).await;
    if done.is_ok() {
        learn(env, &mut discovered).await;
    }
    discovered.spent += Cost::of(env.github.spent());
    discovered.integration.clone_from(&env.settings.integration);
    if place.found.organization > 0 {
        discovered.org_id = place.found.organization;
    }
    match &done {
        Ok(found) if found.unfinished => {
            discovered.written.add(found.written);
            discovered.place = Some(place);
        }
        Ok(found) => {
            (discovered.repositories, discovered.left_out) = (found.repositories, found.left_out);
            discovered.written.add(found.written);
            discovered.summarized = true;
            discovered.groups = env.settings.groups.iter().map(|group| group.name().to_owned()).collect();
            discovered.since = env.settings.since;
            discovered.token_expires = found.token_expires;
            discovered.finished_at = Some(env.now());
            discovered.parts.clear();
            discovered.missing = found.missing.iter().chain(&found.refused).cloned().collect();
        }
        Err(error) => {
            discovered.missing = vec![error.to_string()];
            discovered.written.add(place.found.written);
            // A limit passes. For anything else the place may be the reason: the next one begins anew.
            if matches!(error, Error::Waiting { .. }) && env.scheduled.is_some() {
                discovered.place = Some(place);
            }
        }
    }
    let organization = discovered.org_id;
    let value = serde_json::to_value(&discovered).map_err(|error| Error::Unreadable(error.to_string()))?;
    let saved = match env.store.save(&key, before.revision, &value).await {
        Ok(_) => true,
        Err(StoreError::Conflict) => false,
        Err(error) => return Err(error.into()),
    };
    Ok(Run { done, organization, resumed, saved })
}

/// Kept of the time that there is for the last page under way, which may have to wait for a place, and for people or projects.
const MARGIN: SignedDuration = SignedDuration::from_secs(200);

/// As the job is called that goes on with a discovery; its scope is the organization.
pub(crate) const SWEEP: &str = "discovery";

/// Goes on with a discovery that did not come to its end. What hinders it the schedule's next one tells.
pub(crate) async fn go_on(job: &Job, env: &Env, deadline: Timestamp) -> Result<Outcome, Error> {
    // The first of its settings that come to hand are not those of an integration that is paused or removed.
    if env.settings.integration != job.integration {
        return Ok(Outcome::CaughtUp);
    }
    let ours = |org: &str| env.settings.orgs.iter().any(|one| one.eq_ignore_ascii_case(org));
    let unfinished = |one: &Discovered| one.org_id == job.scope && one.integration == job.integration && one.place.is_some();
    let all = discoveries(env.store.as_ref()).await?;
    let Some((org, _)) = all.into_iter().find(|(org, one)| unfinished(one) && ours(org)) else { return Ok(Outcome::CaughtUp) };
    match proceed(&org, env, deadline).await?.done {
        Ok(found) if found.unfinished => {
            env.queue.send(std::slice::from_ref(job)).await?;
            Ok(Outcome::Continued)
        }
        Ok(_) => Ok(Outcome::CaughtUp),
        Err(error @ Error::Waiting { until }) => Ok(Outcome::Parked { until, limit: true, why: error.to_string() }),
        Err(error @ Error::Store(_)) => Err(error),
        Err(error) => Ok(Outcome::Refused { code: SWEEP.to_owned(), message: error.to_string() }),
    }
}

/// What an Enterprise Server does not know: asked once a day, since it may be upgraded. Without an answer, what was
/// known before stands.
async fn learn(env: &Env, discovered: &mut Discovered) {
    let now = env.now();
    let fresh = discovered.lacks_at.is_some_and(|at| now.duration_since(at) < jiff::SignedDuration::from_hours(24));
    if fresh || !env.github.is_enterprise_server() {
        return;
    }
    if let Ok(answer) = env.graphql(github::INTROSPECTION, &json!({})).await {
        discovered.lacks = sweeps::reading().iter().flat_map(|(_, query)| github::lacks(&answer.data, query)).collect();
        discovered.lacks_at = Some(now);
    }
}

/// A limit may end it at any request, and a small budget would end it at the same one each time: so jobs are sent as
/// soon as they are known, and of the smaller parts those in `discovered` are not read again. The deadline ends it between
/// two of them, once it has read one.
async fn look(org: &str, env: &Env, deadline: Timestamp, discovered: &mut Discovered, place: &mut Place) -> Result<Found, Error> {
    let late = || env.now() >= deadline;
    if !place.listed {
        let whole = list(org, env, deadline, &mut discovered.round, place).await?;
        let found = &mut place.found;
        if whole {
            if found.missing.is_empty() && !env.settings.shared.contains(&org.to_lowercase()) {
                found.written += bury(env.store.as_ref(), env.now(), place.began.unwrap_or(Timestamp::MAX), found.organization, &found.listed).await?;
            }
            place.listed = true;
        }
        if !whole || late() {
            return Ok(Found { unfinished: true, ..found.clone() });
        }
    }
    let parts = &mut discovered.parts;
    let org_id = place.found.organization;
    // What was missing in a part is not in the place while a later part may still fail.
    let mut all = Found { began: place.began, ..place.found.clone() };
    if let Some(part) = parts.get("people") {
        all.take_over(part.clone());
    } else {
        let mut seen = Found::default();
        people::read(org, org_id, env, &mut seen).await?;
        parts.insert("people".to_owned(), all.absorb(seen));
        if late() {
            return Ok(Found { unfinished: true, ..all });
        }
    }
    if let Some(part) = parts.get("projects") {
        all.take_over(part.clone());
    } else {
        let mut seen = Found::default();
        projects::read(org, org_id, env, &mut seen).await?;
        send(env, &seen.jobs).await?;
        parts.insert("projects".to_owned(), all.absorb(seen));
    }
    Ok(all)
}

/// Goes through the repositories, from `place` on; false if there was no time for all of them.
async fn list(org: &str, env: &Env, deadline: Timestamp, round: &mut Round, place: &mut Place) -> Result<bool, Error> {
    let selector = env.settings.selection.compile()?;
    if place.after.is_none() {
        place.found = Found { unmatched: env.settings.selection.include.iter().cloned().collect(), ..Found::default() };
    }
    let mut pages = Pages::new(org, env, organization::query("", "")).after(place.after.clone());
    while let Some(answer) = pages.next().await? {
        let found = &mut place.found;
        let organization = Node(&answer.data).at("organization");
        found.token_expires = answer.token_expires.filter(|_| !env.github.renews()).into_iter().chain(found.token_expires).min();
        found.missing.extend(answer.errors.iter().map(|error| error.message.clone()));
        let org_id = organization.u64("databaseId").unwrap_or(found.organization);
        found.organization = org_id;
        let login = organization.str("login").unwrap_or(org);
        let mut taken = Vec::new();
        for node in organization.items("repositories.nodes") {
            let (Some(id), Some(name)) = (node.u64("databaseId"), node.str("nameWithOwner")) else { continue };
            found.listed.insert(padded(id));
            selector.strike(name, &mut found.unmatched);
            if selector.against(node, login).is_empty() {
                taken.push(node);
            } else {
                found.left_out += 1;
            }
        }
        let known = found.jobs.len();
        let turn = match &mut place.turn {
            Some(turn) => turn,
            // Should this discovery not come to its end, the next one begins with the first repository.
            None => {
                let turn = Turn::begin(env, *round).await;
                *round = Round::default();
                place.turn.insert(turn)
            }
        };
        look_at(env, org_id, &taken, turn, found).await?;
        found.later = turn.later;
        send(env, found.jobs.get(known..).unwrap_or_default()).await?;
        place.after = pages.place().map(str::to_owned);
        if let Some(after) = &place.after {
            if place.circle.closes_at(after) {
                return Err(Error::Unreadable(BACK.to_owned()));
            }
            if env.now() >= deadline {
                return Ok(false);
            }
        }
    }
    if let Some(turn) = &place.turn {
        *round = turn.end();
    }
    Ok(true)
}

async fn send(env: &Env, jobs: &[Job]) -> Result<(), StoreError> {
    for jobs in jobs.chunks(100) {
        env.queue.send(jobs).await?;
    }
    Ok(())
}

/// Repositories whose marks are looked at at once: a very large organization has tens of thousands.
const AT_ONCE: usize = 10;

/// Writes the repositories of one page, and finds out what is due in them.
async fn look_at(env: &Env, org_id: ScopeId, nodes: &[Node<'_>], turn: &mut Turn, found: &mut Found) -> Result<(), Error> {
    let mut out = Out::new(org_id, env.now());
    let hints: Vec<Repository> = nodes.iter().map(|node| hint(*node, org_id)).collect();
    let keys: Vec<String> = hints.iter().map(|hint| padded(hint.id)).collect();
    let stored = env.store.get(&REPOSITORIES, org_id, &keys).await?;
    for (node, key) in nodes.iter().zip(&keys) {
        let before = stored.iter().find(|row| row.key == *key);
        out.push(&REPOSITORIES, key.clone(), None, fields(*node, before.map(|row| &row.fields)));
    }
    found.repositories += u64::try_from(hints.len()).unwrap_or(0);
    found.written += env.store.put(&out.records).await?;
    let summaries = summary::read(env.store.as_ref(), &hints).await?;
    let mut due: Vec<Vec<Job>> = Vec::with_capacity(hints.len());
    for (hints, summaries) in hints.chunks(AT_ONCE).zip(summaries.chunks(AT_ONCE)) {
        due.extend(try_join_all(hints.iter().zip(summaries).map(|(hint, summary)| due::due(env, hint, summary))).await?);
    }
    for (hint, jobs) in hints.iter().zip(due) {
        found.jobs.extend(turn.take(hint.id, jobs));
    }
    Ok(())
}

/// Looks at one repository again, after something happened to it. What moved in its lists is not compared, since events
/// tell that; its commits are read when its head is another one, and everything if nobody knew it before.
pub(crate) async fn look_again(node: Node<'_>, env: &Env) -> Result<Vec<Job>, Error> {
    let Some(id) = node.u64("databaseId") else { return Ok(Vec::new()) };
    let key = Repository::key(id);
    let state = env.store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
    let Some(known) = Repository::parse(&state) else { return Ok(Vec::new()) };
    let mut hint = hint(node, known.org_id);
    let moved_here = !hint.owner.eq_ignore_ascii_case(&known.owner);
    if moved_here {
        // Where it is now, that organization's event or discovery tells, if it is one of ours.
        lost(id, env, env.now()).await?;
        return Ok(Vec::new());
    }
    let stored = env.store.get(&REPOSITORIES, hint.org_id, &[padded(id)]).await?;
    let mut out = Out::new(hint.org_id, env.now());
    out.push(&REPOSITORIES, padded(id), None, fields(node, stored.first().map(|row| &row.fields)));
    env.store.put(&out.records).await?;
    if known.moved.is_empty() || known.gone {
        let summary = summary::read(env.store.as_ref(), std::slice::from_ref(&hint)).await?.into_iter().next().unwrap_or_default();
        return due(env, &hint, &summary).await;
    }
    let mut jobs = Vec::new();
    let mut moved = known.moved.clone();
    // The first of them sends for the other.
    for name in ["commits", "branch_commits"] {
        let seen = hint.moved.remove(name);
        if seen.is_some() && seen != known.moved.get(name).cloned() {
            moved.extend(seen.map(|seen| (name.to_owned(), seen)));
            if jobs.is_empty() && sweeps::find(name)?.is_wanted(&env.settings) {
                jobs.push(Job { scope: id, sweep: name.to_owned(), integration: env.settings.integration.clone() });
            }
        }
    }
    // The lists' totals stay as they were when discovery compared them.
    let hint = Repository { moved, totals: known.totals.clone(), ..hint };
    if hint != known {
        let value = serde_json::to_value(&hint).map_err(|error| Error::Unreadable(error.to_string()))?;
        // Somebody else looked at the same time: his job may be of an older head, so ours is sent all the same.
        match env.store.save(&key, state.revision, &value).await {
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        summary::renew(env.store.as_ref(), id).await?;
    }
    Ok(jobs)
}

/// GitHub does not show the repository any more: a tombstone, and its sweeps stop.
pub(crate) async fn lost(id: ScopeId, env: &Env, now: Timestamp) -> Result<(), Error> {
    let Some(known) = Repository::read(env, id).await? else { return Ok(()) };
    for row in env.store.get(&REPOSITORIES, known.org_id, &[padded(id)]).await?.iter().filter(|row| !row.gone) {
        env.store.put(&[crate::receive::tombstone(known.org_id, id, row.version.absent(now))]).await?;
    }
    close(id, known.org_id, env.store.as_ref()).await
}

/// Makes tombstones of the repositories that an organization no longer has: deleted, transferred away, or no longer visible.
/// Not those that somebody wrote after `before`, when the list began.
pub async fn bury(store: &dyn Store, now: Timestamp, before: Timestamp, org_id: ScopeId, listed: &BTreeSet<String>) -> Result<Written, Error> {
    let mut after: Option<String> = None;
    let mut gone = Vec::new();
    loop {
        let listing = Listing { after: after.as_deref(), ..Listing::all(&REPOSITORIES, org_id) };
        let page = store.list(&listing).await?;
        after = page.rows.last().map(|row| row.key.clone());
        let old = |row: &Stored| row.version.read_at() <= format!("{before:.3}").as_str();
        gone.extend(page.rows.into_iter().filter(|row| !row.gone && !listed.contains(&row.key) && old(row)));
        if !page.more || after.is_none() {
            break;
        }
    }
    let mut records = Vec::new();
    for row in gone {
        let Ok(id) = row.key.parse::<ScopeId>() else { continue };
        records.push(Record {
            entity: &REPOSITORIES,
            scope: org_id,
            key: row.key.clone(),
            version: row.version.absent(now),
            fields: serde_json::Map::new(),
            presence: Presence::Gone,
        });
        close(id, org_id, store).await?;
    }
    Ok(store.put(&records).await?)
}

/// Forgets what discoveries of an integration that is removed have left.
pub(crate) async fn forget(store: &dyn Store, integration: &str) -> Result<(), StoreError> {
    for (name, state) in store.states_of(PARTITION).await? {
        if name.ends_with(&format!(" by {}", integration.to_lowercase())) {
            match store.save(&StateKey { of: PARTITION.to_owned(), name }, state.revision, &Value::Null).await {
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}
