//! The console: what a browser sees of a copy, and may change. A router from requests to pages, over the same calls of
//! the engine as the commands; who is asking, whoever serves it has found out before. Keeps nothing that the engine
//! does not keep, but what is under way; shows no secret.

mod activity;
mod assets;
mod authorizing;
mod bars;
mod changes;
mod connectors;
mod draft;
mod events;
mod form;
pub mod gateway;
mod hosted;
mod install;
mod issuer;
mod layout;
mod letters;
mod local;
mod look;
mod reports;
mod repository;
mod security;
mod stop;
mod who;
mod words;

pub use hosted::{Entrance, Roles, hosted};
pub use issuer::{Issuer, IssuerError};
pub use local::{Door, local};
pub use stop::Stop;
pub use who::{Role, Who};

use async_trait::async_trait;
use axum::Router;
use axum::routing::{get, post};
use engine::dead::Letters;
use engine::{Clock, Credential, Store, Vault};
use github::ApiUrl;
use jiff::Timestamp;
use look::Looks;
use std::sync::Arc;

/// What the pages are about.
pub struct Console {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) place: Place,
    /// Who copies when asked to; none where it happens by itself.
    pub(crate) syncs: Option<Arc<dyn Syncs>>,
    pub(crate) looks: Looks,
    pub(crate) authorizing: authorizing::Authorizing,
    pub(crate) listed: install::Lists,
}

/// Where the copy is, and what follows from that.
pub struct Place {
    /// Such as `demo-data`, or the stack's name.
    pub title: String,
    /// The API of its GitHub, if that is settled.
    pub api_url: Option<String>,
    /// Where GitHub reaches it, if it can.
    pub webhook_url: Option<String>,
    pub vault: Arc<dyn Vault>,
    /// Where its own sign-in function is, if it has one.
    pub connect_url: Option<String>,
    /// What the credentials of all integrations are kept under; none if each has its own.
    pub one_secret: Option<String>,
    /// Those of the environment, read at each run.
    pub at_hand: Vec<Credential>,
    /// The proxy to a GitHub, if there is one.
    pub proxy: fn(&ApiUrl) -> Option<String>,
    /// A GitHub to try things with.
    pub practice: Option<Practice>,
    /// Whether nothing goes on behind an answer, as in a function, which stands still until the next request.
    pub stands_still: bool,
    /// What was given up; none where there are no queues.
    pub dead: Option<Arc<dyn Letters>>,
}

/// A simulated GitHub, and how it lets one in.
pub struct Practice {
    pub api_url: String,
    pub token: String,
    pub client_id: String,
}

/// Copies when asked to, one integration after the other.
#[async_trait]
pub trait Syncs: Send + Sync {
    /// Has it copied as soon as what is under way is done.
    fn begin(&self, integration: &str);
    /// Ends it where it stands; the next one goes on there.
    fn stop(&self, integration: &str);
    /// The last of each integration, the newest first.
    fn runs(&self) -> Vec<Run>;
}

/// A sync, as it gets on.
#[derive(Debug, Clone)]
pub struct Run {
    pub integration: String,
    pub began: Timestamp,
    /// Jobs.
    pub done: u64,
    pub of: u64,
    pub message: String,
    /// What was worth a line, the newest last.
    pub lines: Vec<String>,
    pub ended: Option<Ended>,
}

#[derive(Debug, Clone)]
pub struct Ended {
    pub at: Timestamp,
    /// Whether all that was chosen is here now.
    pub well: bool,
}

impl Console {
    #[must_use]
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, place: Place, syncs: Option<Arc<dyn Syncs>>) -> Self {
        Self { store, clock, place, syncs, looks: Looks::default(), authorizing: authorizing::Authorizing::default(), listed: install::Lists::default() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads ahead what the first page needs.
    pub async fn warm(self: &Arc<Self>) {
        if let Err(error) = self.look().await {
            tracing::warn!(%error, "the copy cannot be read");
        }
    }
}

pub(crate) type Shared = axum::extract::State<Arc<Console>>;

/// The pages. Whoever serves them puts a [`Who`] into each request, or answers it otherwise.
pub fn router(console: Arc<Console>) -> Router {
    let home = || async { axum::response::Redirect::to("/console/") };
    Router::new()
        .route("/", get(home))
        .route("/console", get(home))
        .route("/console/", get(activity::page))
        .route("/console/assets/{name}", get(assets::asset))
        .route("/console/repositories/{id}", get(repository::page))
        .route("/console/connectors", get(connectors::list))
        .route("/console/connectors/new", get(install::page).post(install::change))
        .route("/console/connectors/new/authorize", post(authorizing::authorize))
        .route("/console/connectors/new/authorized", get(authorizing::back))
        .route("/console/connectors/of/{name}", get(connectors::one).post(connectors::change))
        .route("/console/syncs", post(activity::change))
        .route("/console/events", get(events::list))
        .route("/console/events/{id}", get(events::one))
        .route("/console/letters", get(letters::page).post(letters::change))
        .route("/console/reports", get(reports::list))
        .route("/console/reports/{name}", get(reports::one))
        .route("/console/reports/{name}/{file}", get(reports::file))
        .route("/console/changes", get(changes::page))
        .fallback(stop::nothing)
        .with_state(console)
        .layer(axum::middleware::map_response(security::secured))
}
