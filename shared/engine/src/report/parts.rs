//! Reads the rows of one scope in several parts at once: while one part is being unpacked, the store finds the next of another.

use crate::entities::Entity;
use crate::model::{ScopeId, Stored};
use crate::ports::{Listing, Store, StoreError};
use futures::future::try_join_all;

/// At once: enough to keep a store busy.
const PARTS: usize = 4;

/// What `pick` takes from each living row, in no order. `keys` are some keys in order, such as the parents' of the rows:
/// they tell where the rows can be divided evenly.
pub(crate) async fn pick<T>(
    store: &dyn Store,
    entity: &'static Entity,
    scope: ScopeId,
    keys: &[String],
    pick: impl Fn(Stored) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let bounds: Vec<&str> = (1..PARTS).filter_map(|part| keys.get(keys.len() * part / PARTS)).map(String::as_str).collect();
    between(store, entity, scope, &bounds, pick).await
}

/// The same, divided at these keys, which are in order.
pub(crate) async fn between<T>(
    store: &dyn Store,
    entity: &'static Entity,
    scope: ScopeId,
    bounds: &[&str],
    pick: impl Fn(Stored) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let from = std::iter::once(None).chain(bounds.iter().copied().map(Some));
    let until = bounds.iter().copied().map(Some).chain(std::iter::once(None));
    let parts = from.zip(until).map(|(from, until)| part(store, entity, scope, (from, until), &pick));
    Ok(try_join_all(parts).await?.into_iter().flatten().collect())
}

/// After `from`, up to and with `until`.
async fn part<T>(
    store: &dyn Store,
    entity: &'static Entity,
    scope: ScopeId,
    (from, until): (Option<&str>, Option<&str>),
    pick: &impl Fn(Stored) -> Option<T>,
) -> Result<Vec<T>, StoreError> {
    let (mut picked, mut after) = (Vec::new(), from.map(str::to_owned));
    loop {
        let page = store.list(&Listing { entity, scope, prefix: "", after: after.as_deref(), limit: 500 }).await?;
        let last = page.rows.last().map(|row| row.key.clone());
        let past = last.as_deref().zip(until).is_some_and(|(last, until)| last > until);
        let ours = page.rows.into_iter().filter(|row| !row.gone && until.is_none_or(|until| row.key.as_str() <= until));
        picked.extend(ours.filter_map(pick));
        if past || !page.more || last.is_none() {
            return Ok(picked);
        }
        after = last;
    }
}
