//! What the engine needs from the world: a store, a queue, a clock. Names no technology.

use crate::entities::Entity;
use crate::model::{Job, Received, Record, ScopeId, State, StateKey, Stored, Written};
use crate::row::Row;
use async_trait::async_trait;
use github::Credential;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Rows that can be read, wherever they are: what reports and exports are made of.
#[async_trait]
pub trait Rows: Send + Sync {
    /// One page of rows in key order, tombstones included: those with key > `after` and key starting with `prefix`; or
    /// backward, those with key < `after`, where there is no prefix.
    /// `more` is false on the last page.
    async fn list(&self, listing: &Listing<'_>) -> Result<Listed, StoreError>;

    /// The scopes that have at least one row of this entity.
    async fn scopes(&self, entity: &'static Entity) -> Result<Vec<ScopeId>, StoreError>;

    /// Shows a page of living rows one by one, as [`Self::list`] lists them, up to and with the key `until`, on another thread.
    async fn show(&self, listing: &Listing<'_>, until: Option<&str>, mut show: Show) -> Result<(Show, Shown), StoreError> {
        let page = self.list(listing).await?;
        let last = page.rows.last().map(|row| row.key.clone());
        let past = last.as_deref().zip(until).is_some_and(|(last, until)| last > until);
        let mut rows = page.rows;
        rows.retain(|row| !row.gone && until.is_none_or(|until| row.key.as_str() <= until));
        let shown = tokio::spawn(async move {
            rows.iter().for_each(|row| show(&row.fields));
            show
        });
        let show = shown.await.map_err(|error| StoreError::Unavailable { what: "reading rows was broken off".to_owned(), source: error.into() })?;
        Ok((show, Shown { next: last.filter(|_| page.more && !past) }))
    }

    /// The store, if these are a store's rows.
    fn store(&self) -> Option<&dyn Store> {
        None
    }

    /// Whether rows have what export computes, too: `previous_committed_at`, `review_comments`.
    fn computed(&self) -> bool {
        false
    }
}

/// What is done with each row that is shown.
pub type Show = Box<dyn FnMut(&dyn Row) + Send>;

/// How a page of rows ended.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The key after which the next one begins; none after the last.
    pub next: Option<String>,
}

/// Where records and our own state are kept.
#[async_trait]
pub trait Store: Rows {
    /// Writes each record unless the same content or a newer version is there ([`crate::model::Version`] order).
    /// Idempotent; may stop half-way on an error, and is then repeated. Two records with the same entity, scope
    /// and key in one call: the one with the greater version wins.
    ///
    /// `Part`: sets the fields that it has and leaves the others as they are, in one step; a row that does not exist is
    /// made of them, and one that is a tombstone revived. `Glimpse`: only where no row exists. `Gone`: keeps the row's fields, sets the tombstone; a row that does not
    /// exist is not created. A `Whole` record with a version greater than a tombstone's revives the row.
    async fn put(&self, records: &[Record]) -> Result<Written, StoreError>;

    /// The rows with these keys, in any order; those that do not exist are absent.
    async fn get(&self, entity: &'static Entity, scope: ScopeId, keys: &[String]) -> Result<Vec<Stored>, StoreError> {
        self.get_only(entity, scope, keys, &[]).await
    }

    /// The same with these fields alone, as [`Listing::only`].
    async fn get_only(&self, entity: &'static Entity, scope: ScopeId, keys: &[String], only: &[&str]) -> Result<Vec<Stored>, StoreError>;

    /// Rows that are not tombstones.
    async fn count(&self, entity: &'static Entity, scope: ScopeId) -> Result<u64, StoreError>;

    /// Deletes rows for good, tombstones included: those whose key starts with `prefix`. Returns how many. A scope
    /// without a row is no longer among its entity's scopes.
    async fn erase(&self, entity: &'static Entity, scope: ScopeId, prefix: &str) -> Result<u64, StoreError>;

    /// Reads pieces of state, in the order asked; absent ones have revision 0 and value null. Strongly consistent.
    async fn states(&self, keys: &[StateKey]) -> Result<Vec<State>, StoreError>;

    /// All state of one partition, by name.
    async fn states_of(&self, of: &str) -> Result<Vec<(String, State)>, StoreError>;

    /// The first so many pieces of state of one partition, by name.
    async fn first_states_of(&self, of: &str, most: usize) -> Result<Vec<(String, State)>, StoreError>;

    /// Puts names on a list, each a piece of state without a value (`on`), or takes them off it. Whether they are there
    /// already does not matter; may stop half-way on an error, and is then repeated.
    async fn list_names(&self, of: &str, names: &[String], on: bool) -> Result<(), StoreError>;

    /// Writes a piece of state if its revision is still `seen`, and returns the next revision;
    /// [`StoreError::Conflict`] if somebody else wrote in between. A null value deletes it.
    async fn save(&self, key: &StateKey, seen: u64, value: &Value) -> Result<u64, StoreError>;
}

/// Which rows to list.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    pub entity: &'static Entity,
    pub scope: ScopeId,
    pub prefix: &'a str,
    pub after: Option<&'a str>,
    /// At most so many rows, though a page may hold fewer.
    pub limit: usize,
    pub backward: bool,
    /// The fields that are wanted, and then no version; empty for all that there is. A row may have others, too.
    pub only: &'a [&'a str],
}

impl Listing<'_> {
    /// From the first row on, in pages as large as memory and DynamoDB take gladly.
    #[must_use]
    pub const fn all(entity: &'static Entity, scope: ScopeId) -> Self {
        Self { entity, scope, prefix: "", after: None, limit: 500, backward: false, only: &[] }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Listed {
    pub rows: Vec<Stored>,
    pub more: bool,
}

/// Where jobs wait.
#[async_trait]
pub trait Queue: Send + Sync {
    async fn send(&self, jobs: &[Job]) -> Result<(), StoreError>;

    /// The same, to be delivered after `wait` or, where the queue cannot wait so long, sooner: a job that comes too
    /// early is parked again.
    async fn send_later(&self, jobs: &[Job], wait: SignedDuration) -> Result<(), StoreError> {
        let _ = wait;
        self.send(jobs).await
    }

    /// About how many jobs wait that are not urgent, those included that were sent for later; none where nobody knows.
    async fn waiting(&self) -> Result<Option<u64>, StoreError> {
        Ok(None)
    }
}

/// Where events wait between their receipt and their application.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Takes an event in. Durable once it returns: GitHub is told so, and sends it no second time.
    async fn accept(&self, event: &Received) -> Result<(), StoreError>;
}

/// Where credentials are kept.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The credentials of `name`; none, and an empty revision, where there are none.
    async fn read(&self, name: &str) -> Result<Kept, StoreError>;

    /// Replaces the credentials of `name` if they are still those of revision `seen`, and returns the next revision;
    /// [`StoreError::Conflict`] if somebody else replaced them in between. Durable once it returns. None removes them.
    async fn replace(&self, name: &str, seen: &str, credentials: &[Credential]) -> Result<String, StoreError>;
}

/// Credentials as they were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    pub credentials: Vec<Credential>,
    pub revision: String,
}

/// What went wrong in a store or queue, by what the caller should do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else moved it first: their write stands, ours is void.
    #[error("it has changed since it was read")]
    Conflict,
    /// Passing: the same call may work later.
    #[error("{what} did not answer as it should")]
    Unavailable {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Stays until somebody mends it: access denied, no such table, disk full, damaged data.
    #[error("{what}")]
    Broken {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// As long as it takes to get a place among the requests in flight, or to see the next minute begin: who waits for no
/// longer had better stay, since whatever else there is to do would have to wait for the same.
pub const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(90);

/// The one place where time comes from; tests own it.
#[async_trait]
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Lets time pass until then, if that is no longer than [`SHORT_WAIT`]; false if it did not.
    async fn pause(&self, until: Timestamp) -> bool {
        let _ = until;
        false
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn pause(&self, until: Timestamp) -> bool {
        let wait = until.duration_since(self.now());
        if wait > SHORT_WAIT {
            return false;
        }
        tokio::time::sleep(wait.max(SignedDuration::ZERO).unsigned_abs()).await;
        true
    }
}
