//! What all workers together may do with a token at once and in a minute: places and points are leased from one row in
//! the table, many at a time, so that it costs a few writes a minute and not one a request. Never sleeps on a limit.
//! <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits>

use crate::Error;
use crate::gate;
use crate::member::{Member, lock};
use crate::model::{State, StateKey};
use crate::ports::{Clock, Store, StoreError};
use crate::tokens::Left;
use github::Resource;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// All ledgers, by the account that pays.
const PARTITION: &str = "ledgers";
/// Requests in flight at once. GitHub allows 100; this leaves room for others who use the token.
const IN_FLIGHT: u32 = 10;
/// REST requests and GraphQL points.
const A_MINUTE: [u32; 2] = [900, 2_000];
/// Five seconds more than one, since what begins now arrives later.
const MINUTE: SignedDuration = SignedDuration::from_secs(65);
/// So long requests may begin on a lease; then it is renewed.
const BEGINS: SignedDuration = SignedDuration::from_secs(20);
/// So long a lease keeps its places, whether or not who has it lives: a request ends within 30 s.
const LASTS: SignedDuration = SignedDuration::from_secs(50);
/// Who got no place asks again after so long; who has some, when they are renewed.
const A_MOMENT: SignedDuration = SignedDuration::from_secs(5);
/// Milliseconds: what was spent is remembered by such steps, so that the row stays small however many workers write to it.
const STEP: i64 = 10_000;
/// Points of the first lease; each that is used up quickly doubles the next.
const FIRST: [u32; 2] = [50, 100];

/// The row.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Row {
    leases: Vec<Lease>,
    grants: Vec<Grant>,
    left: Vec<(String, Told)>,
}

/// Places in flight.
#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    by: String,
    places: u32,
    wanted: u32,
    until: Timestamp,
}

/// Points that may be, or were, spent by then: they count for a minute longer.
#[derive(Debug, Serialize, Deserialize)]
struct Grant {
    by: String,
    until: Timestamp,
    points: [u32; 2],
}

/// What GitHub told somebody of what is left.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) remaining: u32,
    pub(crate) limit: u32,
    pub(crate) resets: Timestamp,
}

/// This worker's leases, one of each account.
pub(crate) struct Ledgers {
    me: String,
    /// No other worker can be alive: what others leased, they left.
    alone: bool,
    accounts: Mutex<HashMap<String, Arc<Account>>>,
}

#[derive(Default)]
struct Account {
    mine: Mutex<Mine>,
    writing: tokio::sync::Mutex<()>,
    freed: Notify,
}

#[derive(Default)]
struct Mine {
    places: u32,
    in_flight: u32,
    waiting: u32,
    /// The most that were in flight or waiting at once since the last lease.
    peak: u32,
    /// No more places are asked for until then: there were none.
    content_until: Option<Timestamp>,
    begins_until: Option<Timestamp>,
    /// Of REST and of GraphQL: until then there is nothing to be had, and the row is left alone.
    nothing_until: [Option<Timestamp>; 2],
    leased_at: Option<Timestamp>,
    granted: [u32; 2],
    free: [u32; 2],
    /// The server tells no limits.
    unlimited: [bool; 2],
}

/// A request's place, until it is dropped.
pub(crate) struct Pass {
    account: Arc<Account>,
    index: usize,
    /// Whether it had to be waited for.
    pub(crate) waited: bool,
}

impl Pass {
    /// Whether the answer told a limit: an Enterprise Server usually has none.
    pub(crate) fn told(&self, limited: bool) {
        if let Some(unlimited) = lock(&self.account.mine).unlimited.get_mut(self.index) {
            *unlimited = !limited;
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut mine = lock(&self.account.mine);
        mine.in_flight = mine.in_flight.saturating_sub(1);
        drop(mine);
        self.account.freed.notify_one();
    }
}

/// Counts who waits, also when they give up.
struct Waiting<'a>(&'a Account);

impl<'a> Waiting<'a> {
    fn begin(account: &'a Account) -> Self {
        let mut mine = lock(&account.mine);
        mine.waiting += 1;
        mine.peak = mine.peak.max(mine.waiting + mine.in_flight);
        Self(account)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut mine = lock(&self.0.mine);
        mine.waiting = mine.waiting.saturating_sub(1);
    }
}

/// What to do for a place.
enum Turn {
    Taken,
    Wait,
    Lease,
    Nothing { until: Timestamp },
}

impl Mine {
    fn turn(&mut self, index: usize, cost: u32, now: Timestamp) -> Turn {
        if let Some(until) = self.nothing(index, now) {
            return Turn::Nothing { until };
        }
        let Some(free) = self.free.get_mut(index) else { return Turn::Lease };
        if self.begins_until.is_none_or(|until| now >= until) || *free < cost {
            return Turn::Lease;
        }
        if self.in_flight < self.places {
            *free -= cost;
            self.in_flight += 1;
            return Turn::Taken;
        }
        let content = self.places >= IN_FLIGHT || self.content_until.is_some_and(|until| now < until);
        if content && self.in_flight > 0 { Turn::Wait } else { Turn::Lease }
    }
}

impl Ledgers {
    pub(crate) fn new(alone: bool) -> Self {
        Self { me: format!("{:016x}", RandomState::new().build_hasher().finish()), alone, accounts: Mutex::default() }
    }

    fn account(&self, name: &str) -> Arc<Account> {
        lock(&self.accounts).entry(name.to_owned()).or_default().clone()
    }

    /// A place for a request of so many points; [`Error::Waiting`] if there is none for now.
    pub(crate) async fn enter(&self, store: &dyn Store, clock: &dyn Clock, member: &Member, resource: &Resource, cost: u64) -> Result<Pass, Error> {
        let (name, index) = (member.account(), usize::from(*resource == Resource::Graphql));
        let cost = u32::try_from(cost).unwrap_or(u32::MAX).min(A_MINUTE.get(index).copied().unwrap_or(1));
        let account = self.account(&name);
        let waits = Waiting::begin(&account);
        let mut waited = false;
        loop {
            let freed = account.freed.notified();
            let turn = lock(&account.mine).turn(index, cost, clock.now());
            match turn {
                Turn::Taken => {
                    drop(waits);
                    return Ok(Pass { account: account.clone(), index, waited });
                }
                Turn::Wait => freed.await,
                Turn::Nothing { until } => return Err(Error::Waiting { until }),
                Turn::Lease => {
                    let _one = account.writing.lock().await;
                    if matches!(lock(&account.mine).peek(index, cost, clock.now()), Turn::Lease) {
                        self.lease(store, clock, member, &account, &name, (index, cost)).await?;
                    }
                }
            }
            waited = true;
        }
    }

    /// Leases anew, giving back what was not used.
    async fn lease(&self, store: &dyn Store, clock: &dyn Clock, member: &Member, account: &Account, name: &str, asked: (usize, u32)) -> Result<(), Error> {
        let key = StateKey { of: PARTITION.to_owned(), name: name.to_owned() };
        // Nobody begins on the old one meanwhile.
        let before = lock(&account.mine).close();
        loop {
            let state = store.states(std::slice::from_ref(&key)).await?.into_iter().next().unwrap_or_default();
            let now = clock.now();
            let (row, lease) = self.draw_up(&state, member, account, &before, asked, now);
            let value = serde_json::to_value(&row).map_err(|error| Error::Unreadable(error.to_string()))?;
            match store.save(&key, state.revision, &value).await {
                Ok(_) => return lock(&account.mine).open(&lease, now),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn draw_up(&self, state: &State, member: &Member, account: &Account, before: &Closed, (index, cost): (usize, u32), now: Timestamp) -> (Row, Drawn) {
        let mut row: Row = serde_json::from_value(state.value.clone()).unwrap_or_default();
        let after = |wait: SignedDuration| now.checked_add(wait).unwrap_or(now);
        row.leases.retain(|lease| lease.by != self.me && lease.until > now && !self.alone);
        row.grants.retain(|grant| now.duration_since(grant.until) < MINUTE);
        // Ours that is open was spent until now; of what is unspent nothing counts.
        for grant in row.grants.iter_mut().filter(|grant| grant.by == self.me && grant.until > now) {
            (grant.until, grant.points) = (now, before.spent);
        }
        row.grants = added_up(row.grants, now);
        let mut drawn = Drawn { places: 0, points: [0, 0], waiting: [None, None] };
        let mine = lock(&account.mine);
        let wanted = mine.peak.max(1).next_power_of_two().min(IN_FLIGHT);
        let taken: u32 = row.leases.iter().map(|lease| lease.places).sum();
        // Who has more than a fair share gives way to who has none.
        let starving = row.leases.iter().any(|lease| lease.places < lease.wanted && lease.places == 0);
        let fair = IN_FLIGHT / u32::try_from(row.leases.len() + 1).unwrap_or(IN_FLIGHT);
        let most = if starving { fair.max(1) } else { IN_FLIGHT };
        let others = u32::try_from(row.leases.iter().filter(|lease| lease.places > 0).count()).unwrap_or(IN_FLIGHT);
        drawn.places = wanted.min(most).min(IN_FLIGHT.saturating_sub(taken));
        row.leases.push(Lease { by: self.me.clone(), places: drawn.places.max(mine.in_flight), wanted, until: after(LASTS) });
        if drawn.places == 0 {
            drawn.waiting = [Some(after(A_MOMENT)); 2];
        }
        for (at, limit) in A_MINUTE.into_iter().enumerate() {
            let pick = |points: &[u32; 2]| points.get(at).copied().unwrap_or(0);
            let used: u32 = row.grants.iter().map(|grant| pick(&grant.points)).sum();
            let unlimited = mine.unlimited.get(at).copied().unwrap_or(false);
            let quick = before.leased_at.is_some_and(|leased| now.duration_since(leased) < BEGINS / 2);
            let next = if quick { pick(&before.granted).saturating_mul(2) } else { pick(&before.granted) / 2 };
            // What many hold back unspent is nobody's to spend: a quarter of the minute's in all, to begin with.
            let first = FIRST.get(at).copied().unwrap_or(1).min(limit / 4 / (others + 1));
            let next = if at == index { next.clamp(first, limit / 3).max(cost) } else { pick(&before.free) };
            let points = if unlimited { u32::MAX } else { next.min(limit.saturating_sub(used)) };
            if let Some(drawn) = drawn.points.get_mut(at) {
                *drawn = points;
            }
            if at == index && points < cost {
                let first = row.grants.iter().filter(|grant| pick(&grant.points) > 0).map(|grant| grant.until).min().unwrap_or(now);
                let until = first.checked_add(MINUTE).ok().map(|until| until.max(after(SignedDuration::from_secs(1))));
                if let Some(waiting) = drawn.waiting.get_mut(at) {
                    *waiting = (*waiting).max(until);
                }
            }
        }
        drop(mine);
        let counted = drawn.points.map(|points| if points == u32::MAX { 0 } else { points });
        if drawn.waiting == [None, None] && counted != [0, 0] {
            row.grants.push(Grant { by: self.me.clone(), until: after(BEGINS), points: counted });
        }
        row.left = share(member, row.left, now);
        (row, drawn)
    }
}

/// Learns what others were told, and tells them.
fn share(member: &Member, left: Vec<(String, Told)>, now: Timestamp) -> Vec<(String, Told)> {
    for (name, told) in left {
        member.learn(&name, told, now);
    }
    [Resource::Core, Resource::Graphql].iter().filter_map(|resource| Some((gate::name(resource).to_owned(), member.left(resource, now)?))).collect()
}

/// What is left of each token's limits, as somebody who asks with it was last told; of what is whole again nothing is known.
pub async fn budgets(store: &dyn Store, now: Timestamp) -> Result<Vec<Left>, StoreError> {
    let mut all = Vec::new();
    for (token, state) in store.states_of(PARTITION).await? {
        let row: Row = serde_json::from_value(state.value).unwrap_or_default();
        for resource in [Resource::Core, Resource::Graphql].iter().map(gate::name) {
            let told = row.left.iter().find(|(name, told)| name == resource && told.resets > now);
            all.extend(told.map(|(_, told)| Left { token: token.clone(), resource, remaining: told.remaining, limit: told.limit, resets: told.resets }));
        }
    }
    Ok(all)
}

/// What a lease was when it was closed.
struct Closed {
    leased_at: Option<Timestamp>,
    granted: [u32; 2],
    free: [u32; 2],
    spent: [u32; 2],
}

struct Drawn {
    places: u32,
    points: [u32; 2],
    /// Of REST and of GraphQL.
    waiting: [Option<Timestamp>; 2],
}

/// What is over, by steps of time, each counted from its end.
fn added_up(grants: Vec<Grant>, now: Timestamp) -> Vec<Grant> {
    let (mut open, over): (Vec<Grant>, Vec<Grant>) = grants.into_iter().partition(|grant| grant.until > now);
    let mut steps: BTreeMap<i64, [u32; 2]> = BTreeMap::new();
    for grant in over {
        let ([core, graphql], sum) = (grant.points, steps.entry(grant.until.as_millisecond().div_euclid(STEP)).or_default());
        let [all_core, all_graphql] = *sum;
        *sum = [all_core.saturating_add(core), all_graphql.saturating_add(graphql)];
    }
    let end = |step: i64| Timestamp::from_millisecond((step + 1) * STEP - 1).map_or(now, |end| end.min(now));
    steps.retain(|_, points| *points != [0, 0]);
    open.extend(steps.into_iter().map(|(step, points)| Grant { by: String::new(), until: end(step), points }));
    open
}

impl Mine {
    fn nothing(&self, index: usize, now: Timestamp) -> Option<Timestamp> {
        self.nothing_until.get(index).copied().flatten().filter(|until| now < *until)
    }

    /// What `turn` would say, taking nothing.
    fn peek(&self, index: usize, cost: u32, now: Timestamp) -> Turn {
        if let Some(until) = self.nothing(index, now) {
            return Turn::Nothing { until };
        }
        let enough = self.free.get(index).is_some_and(|free| *free >= cost);
        let open = enough && self.begins_until.is_some_and(|until| now < until);
        let content = self.places >= IN_FLIGHT || self.content_until.is_some_and(|until| now < until);
        if open && (self.in_flight < self.places || content && self.in_flight > 0) { Turn::Wait } else { Turn::Lease }
    }

    fn close(&mut self) -> Closed {
        // Of what has no limit nothing is counted.
        let limited = |points: u32| if points == u32::MAX { 0 } else { points };
        let both = |of: fn(u32, u32) -> u32| {
            let ([core, graphql], [free_core, free_graphql]) = (self.granted.map(limited), self.free);
            [of(core, free_core), of(graphql, free_graphql)]
        };
        let closed = Closed { leased_at: self.leased_at, granted: both(|granted, _| granted), free: both(u32::min), spent: both(u32::saturating_sub) };
        (self.begins_until, self.free) = (None, [0, 0]);
        closed
    }

    fn open(&mut self, drawn: &Drawn, now: Timestamp) -> Result<(), Error> {
        let after = |wait: SignedDuration| now.checked_add(wait).ok();
        self.places = drawn.places;
        self.content_until = if drawn.places < self.peak { after(A_MOMENT) } else { None };
        self.peak = self.in_flight + self.waiting;
        self.nothing_until = drawn.waiting;
        if let Some(until) = drawn.waiting.iter().flatten().max().copied() {
            // What was drawn is not in the row.
            (self.granted, self.free) = ([0, 0], [0, 0]);
            return Err(Error::Waiting { until });
        }
        (self.granted, self.free) = (drawn.points, drawn.points);
        (self.leased_at, self.begins_until) = (Some(now), after(BEGINS));
        Ok(())
    }
}
