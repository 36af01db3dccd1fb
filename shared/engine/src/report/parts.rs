//! Reads the rows of one scope in several parts at once: while one part is being unpacked, the store finds the next of another.

use crate::entities::Entity;
use crate::model::{ScopeId, Stored};
use crate::ports::{Listing, Rows, Show, StoreError};
use crate::row::Row;
use futures::future::{try_join, try_join_all};
use std::sync::{Mutex, PoisonError};

/// At once: enough to keep a store busy.
const PARTS: usize = 4;

/// What `pick` takes from each row of the scope, tombstones included, with these fields alone if any are named: read from
/// both ends until they meet, where nothing tells how keys are spread. In key order.
pub(crate) async fn all<T>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    only: &[&str],
    pick: impl Fn(Stored) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let ends = Mutex::new([None, None]);
    let (low, high) = try_join(end(store, entity, scope, only, false, &ends, &pick), end(store, entity, scope, only, true, &ends, &pick)).await?;
    let last = low.last().map(|(key, _)| key.clone());
    let mut all: Vec<(String, T)> = low;
    // Where they passed each other, both have the same rows.
    all.extend(high.into_iter().rev().filter(|(key, _)| last.as_ref().is_none_or(|last| key > last)));
    Ok(all.into_iter().map(|(_, picked)| picked).collect())
}

/// Reads from one end until it is past where the other one has come.
async fn end<T>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    only: &[&str],
    backward: bool,
    ends: &Mutex<[Option<String>; 2]>,
    pick: &impl Fn(Stored) -> Option<T>,
) -> Result<Vec<(String, T)>, StoreError> {
    let (mut picked, mut after): (Vec<(String, T)>, Option<String>) = (Vec::new(), None);
    loop {
        let page = store.list(&Listing { after: after.as_deref(), only, backward, ..Listing::all(entity, scope) }).await?;
        let Some(last) = page.rows.last().map(|row| row.key.clone()) else { return Ok(picked) };
        picked.extend(page.rows.into_iter().filter_map(|row| Some((row.key.clone(), pick(row)?))));
        let met = {
            let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
            let [low, high] = &mut *ends;
            *(if backward { &mut *high } else { &mut *low }) = Some(last.clone());
            low.as_ref().zip(high.as_ref()).is_some_and(|(low, high)| low >= high)
        };
        if met || !page.more {
            return Ok(picked);
        }
        after = Some(last);
    }
}

/// What is picked from each living row, with these fields alone, in no order: `picker` makes one that picks for each part, on any
/// processor. `keys` are some keys in order, such as the parents' of the rows: they tell where the rows can be divided evenly.
pub(crate) async fn pick<T: Send + 'static, P: FnMut(&dyn Row) -> Option<T> + Send + 'static>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    keys: &[String],
    only: &[&str],
    picker: impl Fn() -> P,
) -> Result<Vec<T>, StoreError> {
    let bounds: Vec<&str> = (1..PARTS).filter_map(|part| keys.get(keys.len() * part / PARTS)).map(String::as_str).collect();
    between(store, entity, scope, &bounds, only, picker).await
}

/// The same, divided at these keys, which are in order.
pub(crate) async fn between<T: Send + 'static, P: FnMut(&dyn Row) -> Option<T> + Send + 'static>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    bounds: &[&str],
    only: &[&str],
    picker: impl Fn() -> P,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    fold(store, entity, scope, bounds, only, picker, |mut picked| all.append(&mut picked)).await?;
    Ok(all)
}

/// The same, but what is picked is handed over as it comes, and kept nowhere.
pub(crate) async fn fold<T: Send + 'static, P: FnMut(&dyn Row) -> Option<T> + Send + 'static>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    bounds: &[&str],
    only: &[&str],
    picker: impl Fn() -> P,
    each: impl FnMut(Vec<T>) + Send,
) -> Result<(), StoreError> {
    let each = Mutex::new(each);
    let from = std::iter::once(None).chain(bounds.iter().copied().map(Some));
    let until = bounds.iter().copied().map(Some).chain(std::iter::once(None));
    let parts = from.zip(until).map(|(from, until)| part(store, entity, scope, (from, until), only, picker(), &each));
    try_join_all(parts).await.map(|_| ())
}

/// After `from`, up to and with `until`.
async fn part<T: Send + 'static, P: FnMut(&dyn Row) -> Option<T> + Send + 'static>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    (from, until): (Option<&str>, Option<&str>),
    only: &[&str],
    mut picker: P,
    each: &Mutex<impl FnMut(Vec<T>) + Send>,
) -> Result<(), StoreError> {
    let mut after = from.map(str::to_owned);
    let (to, picked) = std::sync::mpsc::channel();
    let mut show: Show = Box::new(move |row| {
        if let Some(one) = picker(row) {
            // Whoever takes it lives as long as this function.
            let _ = to.send(one);
        }
    });
    loop {
        let shown;
        let listing = Listing { after: after.as_deref(), only, ..Listing::all(entity, scope) };
        (show, shown) = store.show(&listing, until, show).await?;
        (each.lock().unwrap_or_else(PoisonError::into_inner))(picked.try_iter().collect());
        match shown.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// What `pick` takes from each living row, whole, divided at these keys.
pub(crate) async fn whole<T: Send + 'static, P: FnMut(Stored) -> Option<T> + Send + 'static>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    bounds: &[&str],
    picker: impl Fn() -> P,
) -> Result<Vec<T>, StoreError> {
    let from = std::iter::once(None).chain(bounds.iter().copied().map(Some));
    let until = bounds.iter().copied().map(Some).chain(std::iter::once(None));
    let parts = from.zip(until).map(|(from, until)| whole_part(store, entity, scope, (from, until), picker()));
    Ok(try_join_all(parts).await?.into_iter().flatten().collect())
}

async fn whole_part<T: Send + 'static, P: FnMut(Stored) -> Option<T> + Send + 'static>(
    store: &dyn Rows,
    entity: &'static Entity,
    scope: ScopeId,
    (from, until): (Option<&str>, Option<&str>),
    mut picker: P,
) -> Result<Vec<T>, StoreError> {
    let (mut all, mut after) = (Vec::new(), from.map(str::to_owned));
    loop {
        let page = store.list(&Listing { after: after.as_deref(), ..Listing::all(entity, scope) }).await?;
        let last = page.rows.last().map(|row| row.key.clone());
        let past = last.as_deref().zip(until).is_some_and(|(last, until)| last > until);
        let mut rows = page.rows;
        rows.retain(|row| !row.gone && until.is_none_or(|until| row.key.as_str() <= until));
        let picked = tokio::spawn(async move { (rows.into_iter().filter_map(&mut picker).collect::<Vec<T>>(), picker) }).await;
        let (picked, back) = picked.map_err(|error| StoreError::Unavailable { what: "reading rows was broken off".to_owned(), source: error.into() })?;
        all.extend(picked);
        picker = back;
        if past || !page.more || last.is_none() {
            return Ok(all);
        }
        after = last;
    }
}
