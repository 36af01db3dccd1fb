//! Keeps a copy of GitHub: what is read, in which order, how far it has got, and what is missing. Names no AWS type.
//! Start at [`advance`] and [`discover`].

pub mod entities;
mod model;
mod ports;

pub use model::{Job, Presence, Record, ScopeId, State, StateKey, Stored, Version, Written};
pub use ports::{Clock, Listed, Listing, Queue, Store, StoreError, SystemClock};
