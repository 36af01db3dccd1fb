//! Notices entities of which nothing new comes any more while their siblings go on coming: GitHub may send them in another
//! shape, under another name, or no longer to this token. Compares totals of days; reads no rows and asks GitHub nothing.

use crate::entities::{self, Entity};
use crate::model::StateKey;
use crate::ports::{Store, StoreError};
use crate::status::Status;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// So many days without anything new are silence,
const SILENT: i32 = 7;
/// compared with at most so many before them.
const BEFORE: i32 = 28;
/// What came on fewer days than this before has no rate: a first copy comes all at once, and labels are set up once.
const DAYS: usize = 5;
/// As many as this were to be expected: by chance, none comes once in 22,000 times (e⁻¹⁰).
const EXPECTED: f64 = 10.0;

/// An entity of which nothing new comes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silent {
    pub entity: &'static str,
    /// How many new rows its siblings had meanwhile.
    pub siblings: u64,
    /// How many it would have had, by its share of them before.
    pub expected: f64,
}

impl std::fmt::Display for Silent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { entity, siblings, expected } = self;
        write!(out, "nothing new of {entity} for {SILENT} days, while its siblings had {siblings} new rows: about {expected:.0} were to be expected")
    }
}

/// Living rows by entity at the end of each day that something was looked at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Days(BTreeMap<Date, BTreeMap<String, u64>>);

fn key() -> StateKey {
    StateKey { of: "totals".to_owned(), name: "days".to_owned() }
}

/// Keeps the totals of today, and says what is silent. Writes once a day, whoever comes first.
pub async fn look(store: &dyn Store, status: &Status, now: Timestamp) -> Result<Vec<Silent>, StoreError> {
    let Some(state) = store.states(&[key()]).await?.pop() else { return Ok(Vec::new()) };
    let mut days: Days = serde_json::from_value(state.value).unwrap_or_default();
    let today = now.to_zoned(TimeZone::UTC).date();
    if let Entry::Vacant(slot) = days.0.entry(today) {
        slot.insert(totals(status));
        let oldest = today.saturating_sub((SILENT + BEFORE).days());
        days.0.retain(|day, _| *day >= oldest);
        match store.save(&key(), state.revision, &json!(days)).await {
            // Somebody else kept them.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(silent(&days))
}

/// What was silent when somebody looked last.
pub async fn known(store: &dyn Store) -> Result<Vec<Silent>, StoreError> {
    let state = store.states(&[key()]).await?.pop().unwrap_or_default();
    Ok(silent(&serde_json::from_value(state.value).unwrap_or_default()))
}

fn totals(status: &Status) -> BTreeMap<String, u64> {
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    for entity in status.repositories.iter().chain(&status.projects).filter(|repo| !repo.gone).flat_map(|repo| &repo.entities) {
        *totals.entry(entity.entity.to_owned()).or_default() += entity.rows;
    }
    totals
}

fn silent(days: &Days) -> Vec<Silent> {
    let Some((last, now)) = days.0.last_key_value() else { return Vec::new() };
    let Some((then, middle)) = days.0.range(..=last.saturating_sub(SILENT.days())).next_back() else { return Vec::new() };
    let Some((_, first)) = days.0.range(..=then.saturating_sub(SILENT.days())).next() else { return Vec::new() };
    let of = |day: &BTreeMap<String, u64>, entity: &Entity| day.get(entity.name).copied().unwrap_or(0);
    let grown = |from: &BTreeMap<String, u64>, to: &BTreeMap<String, u64>, entity: &Entity| of(to, entity).saturating_sub(of(from, entity));
    let earlier: Vec<_> = days.0.range(..=then).map(|(_, day)| day).collect();
    let grew_on = |entity: &Entity| earlier.windows(2).filter(|pair| matches!(pair, [one, next] if of(next, entity) > of(one, entity))).count();
    let judge = |entity: &'static Entity| {
        // What was lost with a repository hides what came: nothing is known then.
        if of(middle, entity) != of(now, entity) || grew_on(entity) < DAYS {
            return None;
        }
        let all = |same: bool| entities::ALL.iter().copied().filter(move |other| *other != entity && (!same || other.group == entity.group));
        let count = |from, to, same: bool| all(same).map(|other| grown(from, to, other)).sum::<u64>();
        // Alone in its group, it is compared with all others.
        let same = all(true).any(|other| of(now, other) > 0);
        let (before, siblings, own) = (count(first, middle, same), count(middle, now, same), grown(first, middle, entity));
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let expected = if before == 0 { 0.0 } else { own as f64 / before as f64 * siblings as f64 };
        (expected >= EXPECTED).then_some(Silent { entity: entity.name, siblings, expected })
    };
    entities::ALL.iter().copied().filter_map(judge).collect()
}
