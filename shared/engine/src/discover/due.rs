//! Which sweeps of a repository are due, by what discovery saw of it and the marks of what was read. Sends no job.

use crate::Error;
use crate::env::Env;
use crate::mark::{self, Mark};
use crate::model::Job;
use crate::ports::StoreError;
use crate::repository::Repository;
use crate::summary::{self, Summary};
use crate::sweeps::{self, Sweep};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Saves the hint if it differs, and names the sweeps that have something to read.
pub(crate) async fn due(env: &Env, hint: &Repository, noted: &Summary) -> Result<Vec<Job>, Error> {
    let state: BTreeMap<String, crate::State> = env.store.states_of(&mark::partition(hint.id)).await?.into_iter().collect();
    let before = state.get("hint").cloned().unwrap_or_default();
    let value = serde_json::to_value(hint).map_err(|error| Error::Unreadable(error.to_string()))?;
    if before.value != value {
        match env.store.save(&Repository::key(hint.id), before.revision, &value).await {
            // Two discoveries at once: the other one saw the same.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    summary::mend(env.store.as_ref(), hint, &state, noted).await?;
    let (mut jobs, mut quiet) = (Vec::new(), Vec::new());
    for sweep in sweeps::ALL.iter().filter(|sweep| sweep.is_wanted(&env.settings)) {
        let mark = state.get(&format!("mark#{}", sweep.name())).cloned().map(mark::parse).unwrap_or_default();
        let first = sweep.follows().and_then(|first| state.get(&format!("mark#{first}"))).cloned().map(mark::parse).and_then(|mark| mark.done_for);
        // What goes before it sends for it.
        let later = sweep.after().is_some_and(|before| jobs.iter().any(|job: &Job| job.sweep == before));
        if !later && is_due(env, hint, *sweep, &mark, first.as_deref()) {
            let wait = env.scheduled.is_some() && sweep.always_due() && is_quiet(&mark, env.now());
            let job = Job { scope: hint.id, sweep: sweep.name().to_owned(), integration: env.settings.integration.clone() };
            if wait { &mut quiet } else { &mut jobs }.push(job);
        }
    }
    // Where something moves, something runs.
    if !jobs.is_empty() {
        jobs.append(&mut quiet);
    }
    Ok(jobs)
}

/// Looked at a short time ago, beside the time in which nothing happened: a request and a visit an hour for each repository
/// would be most of what an idle organization costs.
fn is_quiet(mark: &Mark, now: Timestamp) -> bool {
    let most = SignedDuration::from_hours(24);
    let wait = mark.watermark.map_or(most, |newest| (now.duration_since(newest) / 24).clamp(SignedDuration::ZERO, most));
    mark.walk.is_none() && mark.problem.is_none() && mark.finished_at.is_some_and(|finished| now.duration_since(finished) < wait)
}

/// `first` is how far the sweep has come that it follows, if it follows one.
pub(crate) fn is_due(env: &Env, hint: &Repository, sweep: &dyn Sweep, mark: &Mark, first: Option<&str>) -> bool {
    let moved = hint.moved.get(sweep.name());
    if sweep.follows().is_some() {
        // Also when it was cut short, when its job was lost, and when it is switched on later.
        let behind = mark.finished_at.is_none() || mark.done_for.as_deref() != first;
        return hint.moved.contains_key("commits") && (mark.walk.is_some() || mark.problem.is_some() || behind);
    }
    if mark.walk.is_some() || mark.problem.is_some() {
        return true;
    }
    if sweep.always_due() {
        return hint.moved.contains_key("commits");
    }
    let age = mark.finished_at.map(|at| env.now().duration_since(at));
    if moved.is_some() && age.zip(sweep.trusts_for()).is_some_and(|(age, most)| age >= most) {
        return true;
    }
    match moved {
        None => false,
        // Empty, and never seen otherwise: nothing to read, and nothing to ask.
        Some(moved) if mark.finished_at.is_none() && is_nothing(moved) => false,
        Some(moved) => env.settings.full || !covers(mark.done_for.as_deref().unwrap_or_default(), moved, sweep.chosen(&env.settings)),
    }
}

/// Whether what was read then is what is chosen now, or more.
fn covers(done_for: &str, moved: &str, chosen: &str) -> bool {
    done_for.strip_prefix(moved).is_some_and(|rest| rest == chosen || chosen.is_empty() && rest.starts_with('|'))
}

fn is_nothing(seen: &str) -> bool {
    seen.starts_with("0 ")
}
