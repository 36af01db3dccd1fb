//! The files of many commits from git itself: one pack is fetched, which costs nothing of a token's budget, and
//! compared here. Decides how much of a history to fetch; what a commit changed, the crate `git` knows.
//!
//! Nothing is kept between processes. The first time, history comes whole; later, as far back as the oldest parent of
//! what is asked for and a week more (clocks differ), without contents, and then the contents that differ.

use super::super::Visit;
use super::pending::{self, Pending};
use super::record;
use crate::Error;
use crate::entities::{BRANCHES, COMMITS, REPOSITORIES};
use crate::env::Branches;
use crate::export::Pages;
use crate::model::{Record, Stored};
use crate::node::{Out, padded};
use crate::scratch::{Fetched, Folder, Scratch};
use git::{Changed, History, ObjectId, Packs};
use github::{GitRemote, Wish};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A page ends at so many commits, or once it has so many files.
pub(super) const COMMITS_A_PAGE: usize = 512;
const FILES_A_PAGE: usize = 5000;
/// Compared at once.
const BLOCK: usize = 64;
/// Contents asked for at once.
const CONTENTS_A_REQUEST: usize = 20_000;
/// The list is looked through so far for its oldest commit; a longer one is as good as all of history.
const LOOKED_THROUGH: usize = 5000;
const MARGIN: i64 = 7 * 86_400;

/// What git told of the first commits of the list.
#[derive(Default)]
pub(super) struct Told {
    pub(super) records: Vec<Record>,
    /// Names of those whose files are here.
    pub(super) done: Vec<String>,
    /// Of those that git does not reach.
    pub(super) left: Vec<String>,
}

/// Why git is of no use, and for how long.
pub(super) struct Barred {
    pub(super) why: String,
    pub(super) until: Timestamp,
}

/// Why it did not work.
enum Trouble {
    /// Stays for a while: go without.
    Barred(String),
    Error(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<git::Error> for Trouble {
    fn from(error: git::Error) -> Self {
        match error {
            git::Error::Broken(_) => Self::Error(Error::GitHub(github::Error::Passing { status: Some(200), message: error.to_string() })),
            other => Self::Barred(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Barred(format!("the disk: {error}"))
    }
}

/// Reads the files of the first commits of `list`.
pub(super) async fn read(visit: &Visit<'_>, scratch: &Scratch, list: &[Pending]) -> Result<Result<Told, Barred>, Error> {
    let trouble = match attempt(visit, scratch, list).await {
        Ok(told) => return Ok(Ok(told)),
        Err(trouble) => trouble,
    };
    scratch.forget(visit.scope());
    let hours = |hours: i64| visit.now.checked_add(jiff::SignedDuration::from_hours(hours)).unwrap_or(visit.now);
    match trouble {
        Trouble::Barred(why) => Ok(Err(Barred { why, until: hours(24) })),
        // GitHub may be better in a moment; if it is not, REST may.
        Trouble::Error(Error::GitHub(error)) if !crate::advance::is_passing(&error) || visit.mark.failures > 0 => {
            Ok(Err(Barred { why: error.to_string(), until: hours(1) }))
        }
        Trouble::Error(error) => Err(error),
    }
}

async fn attempt(visit: &Visit<'_>, scratch: &Scratch, list: &[Pending]) -> Result<Told, Trouble> {
    let fetched = history(visit, scratch, list).await?;
    let more = if fetched.without_contents { contents(visit, scratch, &fetched, ids(list)).await?.map(Arc::new) } else { None };
    let mut told = Told::default();
    for block in list.chunks(BLOCK) {
        compare(visit, scratch, (&fetched, more.as_ref()), block, &mut told).await?;
        if told.records.len() >= FILES_A_PAGE {
            break;
        }
    }
    Ok(told)
}

/// What was fetched before, if it reaches far enough, or else what is fetched now.
async fn history(visit: &Visit<'_>, scratch: &Scratch, list: &[Pending]) -> Result<Arc<Fetched>, Trouble> {
    let wants = heads(visit).await?;
    let oldest = |list: &[Pending]| list.iter().map(|one| one.committed_at).collect::<Option<Vec<i64>>>()?.into_iter().min();
    if let Some(known) = scratch.get(visit.scope()) {
        let far_enough = known.since.is_none_or(|since| oldest(list).is_some_and(|oldest| since < oldest));
        if far_enough && known.wants == wants {
            return Ok(known);
        }
        scratch.forget(visit.scope());
    }
    let _turn = scratch.fetching.acquire().await.map_err(|_| Error::Stopped)?;
    let remote = visit.env.git(&visit.repo.full_name()).await?;
    let all = pending::first(visit, LOOKED_THROUGH).await?;
    let reach = if visit.first() || all.len() == LOOKED_THROUGH { None } else { oldest_parent(visit, &all).await? };
    let reach = reach.or(visit.env.settings.since.map(Timestamp::as_second).filter(|_| visit.first()));
    let since = reach.map(|reach| (reach - MARGIN).max(1)).filter(|_| remote.can_cut);
    let size = size(visit).await?;
    // Twice: a pack is indexed beside what else is there. History without contents is a sixth of the whole, seldom more than a third.
    let fits = |part: u64| size.is_none_or(|size| size / part * 2 <= scratch.room());
    let without_contents = remote.can_filter && (since.is_some() || !fits(1));
    if since.is_none() && !fits(if without_contents { 3 } else { 1 }) {
        return Err(Trouble::Barred(format!("the repository is too large for the disk here ({} MB)", size.unwrap_or_default() / 1_000_000)));
    }
    scratch.make_room();
    let folder = scratch.folder()?;
    let bytes = fetch(visit, &remote, &Wish { wants: &wants, since, without_contents }, folder.path(), scratch.room()).await?;
    let packs = Packs::open(folder.path())?;
    tracing::info!(repository = visit.scope(), since, without_contents, "history was fetched");
    Ok(scratch.keep(visit.scope(), Fetched { packs, _folder: folder, since, without_contents, bytes, wants }))
}

/// Where the histories begin that are wanted: at the default branch's head, and at those of others that lead elsewhere.
async fn heads(visit: &Visit<'_>) -> Result<Vec<String>, Trouble> {
    let head = visit.repo.moved.get("commits").filter(|head| ObjectId::from_hex(head.as_bytes()).is_ok());
    let mut wants = vec![head.ok_or_else(|| Trouble::Barred("discovery did not tell the branch's head".to_owned()))?.clone()];
    if visit.env.settings.branches == Branches::All {
        let mut pages = Pages::new(visit.env.store.as_ref(), &BRANCHES, visit.scope());
        while let Some(rows) = pages.next().await.map_err(Error::from)? {
            let heads: Vec<String> = rows.iter().filter(|row| !row.gone).filter_map(|row| Some(row.fields.get("sha")?.as_str()?.to_owned())).collect();
            let commits = visit.env.store.get_only(&COMMITS, visit.scope(), &heads, &["on_default_branch"]).await.map_err(Error::from)?;
            let elsewhere = |row: &Stored| row.fields.get("on_default_branch") == Some(&Value::Bool(false));
            wants.extend(commits.into_iter().filter(elsewhere).map(|row| row.key));
        }
    }
    Ok(wants)
}

/// When the oldest of these commits and their first parents, which they are compared with, was made; none if some date
/// is not known.
async fn oldest_parent(visit: &Visit<'_>, list: &[Pending]) -> Result<Option<i64>, Error> {
    let shas: Vec<String> = list.iter().map(|one| one.sha.clone()).collect();
    let commits = visit.env.store.get(&COMMITS, visit.scope(), &shas).await?;
    if commits.len() < shas.len() {
        return Ok(None);
    }
    let parent = |row: &Stored| row.fields.get("parents").and_then(|parents| Some(parents.get(0)?.as_str()?.to_owned()));
    let parents: BTreeSet<String> = commits.iter().filter_map(parent).collect();
    let parents: Vec<String> = parents.into_iter().collect();
    let parents = visit.env.store.get(&COMMITS, visit.scope(), &parents).await?;
    let at = |row: &Stored| Some(row.fields.get("committed_at")?.as_str()?.parse::<Timestamp>().ok()?.as_second());
    Ok(commits.iter().chain(&parents).map(at).collect::<Option<Vec<i64>>>().and_then(|all| all.into_iter().min()))
}

/// Bytes, as GitHub estimates them.
async fn size(visit: &Visit<'_>) -> Result<Option<u64>, Error> {
    let rows = visit.env.store.get(&REPOSITORIES, visit.repo.org_id, &[padded(visit.scope())]).await?;
    Ok(rows.first().and_then(|row| row.fields.get("size")?.as_u64()).map(|kilobytes| kilobytes * 1024))
}

/// Of those that are names of commits.
fn ids(list: &[Pending]) -> Vec<ObjectId> {
    list.iter().filter_map(|one| ObjectId::from_hex(one.sha.as_bytes()).ok()).collect()
}

/// Contents that were fetched for some commits. The folder goes with them: nobody may remove it while it is read.
type Contents = (Packs, Folder);

async fn compare(
    visit: &Visit<'_>,
    scratch: &Scratch,
    (fetched, more): (&Arc<Fetched>, Option<&Arc<Contents>>),
    block: &[Pending],
    told: &mut Told,
) -> Result<(), Trouble> {
    let _turn = scratch.comparing.acquire().await.map_err(|_| Error::Stopped)?;
    let (history, more, wanted) = (fetched.clone(), more.cloned(), ids(block));
    let changes: Vec<Result<Changed, git::Error>> = blocking(move || match more.as_deref() {
        Some((packs, _)) => History::of(&[&history.packs, packs], threads()).changes(&wanted),
        None => History::of(&[&history.packs], threads()).changes(&wanted),
    })
    .await?;
    let mut changes = changes.into_iter();
    for one in block {
        // What is no name of a commit was not asked for.
        let change = if ObjectId::from_hex(one.sha.as_bytes()).is_ok() { changes.next() } else { None };
        match change {
            Some(Ok(changed)) => {
                told.records.extend(records(visit, &one.sha, &changed));
                told.done.push(one.name.clone());
            }
            Some(Err(error @ git::Error::Broken(_))) => return Err(error.into()),
            // Pushed away by force, or on the edge of what was fetched.
            _ => told.left.push(one.name.clone()),
        }
    }
    Ok(())
}

fn records(visit: &Visit<'_>, sha: &str, changed: &Changed) -> Vec<Record> {
    let committed_at = Timestamp::from_second(changed.committed_at).map_or(Value::Null, |time| time.to_string().into());
    let mut out = Out::new(visit.scope(), visit.now);
    for file in &changed.files {
        let (additions, deletions) = (file.additions, file.deletions);
        let named = (json!(file.previous_path), json!(file.status.as_str()));
        record(&mut out, sha, &file.path, named, (Some(additions), Some(deletions), Some(additions + deletions)), &committed_at);
    }
    out.records
}

/// Fetches the contents that differ, if any are wanting.
async fn contents(visit: &Visit<'_>, scratch: &Scratch, fetched: &Arc<Fetched>, ids: Vec<ObjectId>) -> Result<Option<Contents>, Trouble> {
    let history = fetched.clone();
    let wanting = blocking(move || History::of(&[&history.packs], threads()).wanting(&ids)).await?;
    let wanting: BTreeSet<ObjectId> = wanting.into_iter().flatten().flatten().collect();
    if wanting.is_empty() {
        return Ok(None);
    }
    let remote = visit.env.git(&visit.repo.full_name()).await?;
    let folder = scratch.folder()?;
    let names: Vec<String> = wanting.iter().map(ToString::to_string).collect();
    for wants in names.chunks(CONTENTS_A_REQUEST) {
        fetch(visit, &remote, &Wish { wants, since: None, without_contents: false }, folder.path(), scratch.room()).await?;
    }
    Ok(Some((Packs::open(folder.path())?, folder)))
}

/// Takes a pack into `folder` while it arrives; tells how many bytes it had.
async fn fetch(visit: &Visit<'_>, remote: &GitRemote, wish: &Wish<'_>, folder: &Path, room: u64) -> Result<u64, Trouble> {
    // A function that is killed while it waits would wait again: REST takes over instead.
    let left = visit.deadline.duration_since(visit.now).as_secs().clamp(30, 1200);
    let within = Duration::from_secs(u64::try_from(left / 2).unwrap_or(60));
    let mut stream = remote.fetch(wish, within).await.map_err(Error::GitHub)?;
    let (send, receive) = std::sync::mpsc::sync_channel::<Vec<u8>>(16);
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, path) = (stop.clone(), folder.to_owned());
    let writing = tokio::task::spawn_blocking(move || git::receive(&mut BufReader::new(Incoming { from: receive, rest: Vec::new(), at: 0 }), &path, &stopped));
    // Dropped with this future, too: a thread that nobody waits for must not go on.
    let _guard = StopOnDrop(stop);
    let mut bytes = 0_u64;
    let arrived = loop {
        match stream.next().await {
            Ok(Some(chunk)) => {
                bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
                if bytes > room {
                    break Err(Trouble::Barred(git::Error::TooLarge(room).to_string()));
                }
                let mut chunk = Some(chunk);
                // The thread may be slower than the network; there is no waiting in an asynchronous function for it.
                while let Some(full) = chunk.take() {
                    match send.try_send(full) {
                        Ok(()) => {}
                        Err(std::sync::mpsc::TrySendError::Full(full)) => {
                            chunk = Some(full);
                            tokio::time::sleep(Duration::from_millis(2)).await;
                        }
                        // It has failed, and says why below.
                        Err(std::sync::mpsc::TrySendError::Disconnected(_)) => {}
                    }
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(Trouble::Error(Error::GitHub(error))),
        }
    };
    drop(send);
    let written = writing.await.map_err(|error| Trouble::Barred(error.to_string()))?;
    arrived?;
    written?;
    Ok(bytes)
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What another thread sends, as a stream of bytes; ends when it stops.
struct Incoming {
    from: std::sync::mpsc::Receiver<Vec<u8>>,
    rest: Vec<u8>,
    at: usize,
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.rest.len() {
            let Ok(chunk) = self.from.recv() else { return Ok(0) };
            (self.rest, self.at) = (chunk, 0);
        }
        let left = self.rest.get(self.at..).unwrap_or_default();
        let count = left.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(left) {
            *to = *from;
        }
        self.at += count;
        Ok(count)
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(4))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Trouble::Barred(format!("comparing commits failed: {error}")))
}
