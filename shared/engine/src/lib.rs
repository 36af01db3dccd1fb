//! Keeps a copy of GitHub: what is read, in which order, how far it has got, and what is missing. Names no AWS type.
//! Start at [`discover`] and [`advance`].

mod advance;
pub mod check;
mod discover;
pub mod entities;
mod env;
mod error;
pub mod export;
mod fleet;
mod gate;
pub mod integration;
mod mark;
mod member;
mod membership;
mod model;
mod node;
mod organization;
mod plan;
mod ports;
mod purge;
mod renew;
mod repository;
mod selection;
mod status;
mod sweeps;
mod tokens;

pub use advance::{Outcome, advance};
pub use discover::{Found, bury, discover};
pub use entities::Group;
pub use env::{Env, Settings};
pub use error::Error;
pub use fleet::{Fleet, Seen, bury_what_none_sees};
pub use github::{Credential, Expiring, expiring};
pub use integration::{Credentials, Integration, IntegrationError};
pub use mark::{Cost, Mark, Problem, Tally, Validator};
pub use membership::memberships;
pub use model::{Job, Presence, Record, ScopeId, State, StateKey, Stored, Version, Written};
pub use organization::{Choice, Choices, repositories};
pub use plan::{AwsCost, Charge, EntityPlan, Item, Plan, RepositoryPlan, TokenBudget, Window, plan};
pub use ports::{Clock, Kept, Listed, Listing, Queue, Store, StoreError, SystemClock, Vault};
pub use purge::{Purged, purge};
pub use repository::Repository;
pub use selection::{Reason, Selection, Visibility};
pub use status::{ClosedGate, DiscoveryStatus, EntityStatus, RepositoryStatus, Standing, Status, status};
pub use sweeps::{queries, spoken};
pub use tokens::Tokens;
