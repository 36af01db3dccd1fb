//! How much a scheduled discovery sends, and of which repositories: no more than the tokens can pay until the next one,
//! repositories in turn. A job that waits in a queue for the next hour's budget comes back every quarter of an hour, and
//! each time costs as much as one that reads something. What is left out is still due by its marks, and comes with a
//! later discovery. The queue is everybody's: where several organizations or integrations share it, each counts the jobs of
//! the others as waiting before its own, and still sends a tenth of what its tokens can pay. Reads no mark and sends nothing.

use crate::Env;
use crate::model::{Job, ScopeId};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Jobs that a point might pay: many a list is asked for over REST, or found to be as it was, for none.
const JOBS_A_POINT: u64 = 2;

/// Where the next discovery goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Round {
    /// The first repository whose jobs were left out; none: all have had their turn.
    next: Option<ScopeId>,
    /// It began with next to nothing in the queue, so that nothing of what it sends waits there already.
    fresh: bool,
}

impl Round {
    /// No repository's jobs were left out.
    pub(super) fn is_over(&self) -> bool {
        self.next.is_none()
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Turn {
    /// Jobs that may still be sent; none: any number.
    room: Option<usize>,
    fresh: bool,
    /// The repository that it begins with, until it was seen.
    from: Option<ScopeId>,
    next: Option<ScopeId>,
    /// Jobs that were left out.
    pub(super) later: usize,
}

impl Turn {
    /// Asks how much waits, if that is to be known; GitHub has told by now what the tokens may spend.
    pub(super) async fn begin(env: &Env, round: Round) -> Self {
        let any = Self { fresh: true, ..Self::default() };
        let (Some(every), Some(points)) = (env.scheduled, env.github.points_an_hour(env.now(), env.settings.reserve_percent)) else { return any };
        let waiting = match env.queue.waiting().await {
            Ok(Some(waiting)) => waiting,
            Ok(None) => return any,
            Err(error) => {
                // What is sent twice costs a little; what is not sent is missing.
                tracing::warn!(%error, "everything that is due is sent, since nobody knows how much waits");
                return any;
            }
        };
        let hours = u64::try_from(every.as_hours()).unwrap_or(0).max(1);
        let most = (points * hours * JOBS_A_POINT).max(1);
        // Other integrations fill the same queue: some of ours always find a place.
        let some = most.div_ceil(10);
        let fresh = waiting <= some || round.fresh && round.next.is_some();
        let room = if fresh { most.saturating_sub(waiting).max(some) } else { some };
        Self { room: usize::try_from(room).ok(), fresh, from: round.next, ..any }
    }

    /// Of the jobs that are due in a repository those to send now: all or none.
    pub(super) fn take(&mut self, of: ScopeId, jobs: Vec<Job>) -> Vec<Job> {
        if self.from == Some(of) {
            self.from = None;
        }
        let Some(room) = self.room.filter(|_| !jobs.is_empty()) else { return jobs };
        if self.from.is_some() {
            // Had its turn.
            self.later += jobs.len();
            return Vec::new();
        }
        if self.next.is_none() && room > 0 {
            // The last ones may be a few more: none is cut in two.
            self.room = Some(room.saturating_sub(jobs.len()));
            return jobs;
        }
        self.next.get_or_insert(of);
        self.later += jobs.len();
        Vec::new()
    }

    /// Where the next discovery goes on, once all were seen.
    pub(super) fn end(&self) -> Round {
        Round { next: self.next, fresh: self.fresh }
    }
}

/// The time between two runs of an EventBridge schedule such as `rate(1 hour)`; of one by the calendar, about: a day divided
/// by the hours that `cron(0 8-18/2 * * ? *)` names.
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>
#[must_use]
pub fn every(schedule: &str) -> SignedDuration {
    let day = 24 * 60;
    if let Some(fields) = schedule.trim().strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')) {
        let hours = fields.split_whitespace().nth(1).and_then(hours_of_a_day).unwrap_or(1);
        return SignedDuration::from_mins(day / hours.clamp(1, 24));
    }
    let rate = schedule.trim().strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
    let parts = rate.and_then(|rate| rate.trim().split_once(' ')).and_then(|(count, unit)| Some((count.parse::<i64>().ok()?, unit.trim())));
    let minutes = parts.and_then(|(count, unit)| {
        let one = match unit.trim_end_matches('s') {
            "minute" => 1,
            "hour" => 60,
            "day" => day,
            _ => return None,
        };
        count.checked_mul(one).filter(|minutes| (1..=366 * day).contains(minutes))
    });
    SignedDuration::from_mins(minutes.unwrap_or(day))
}

/// How many hours a cron field such as `*`, `6`, `8-18/2` or `0,12` names.
fn hours_of_a_day(field: &str) -> Option<i64> {
    let one = |part: &str| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step = step.map_or(Some(1), |step| step.parse::<i64>().ok())?.max(1);
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
            None if range == "*" => (0, 23),
            // `2/6`: from two o'clock on.
            None if part.contains('/') => (range.parse().ok()?, 23),
            None => (range.parse().ok()?, range.parse().ok()?),
        };
        Some((last - first).max(0) / step + 1)
    };
    field.split(',').map(one).sum()
}
