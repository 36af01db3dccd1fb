//! A simulated GitHub: a world of plain data from a seed, behind GitHub's GraphQL endpoint and those REST routes that
//! the connector reads, with limits, faults as fields, and a ledger.
//!
//! ```ignore
//! let github = sim::GitHub::start(World::seeded(7, Size::SMALL)).await?;   // organization `acme`, token `sim-token`
//! github.faults().bad_gateway = 50;                                        // five per cent of replies
//! github.world().rename_repo("repo-00", "renamed");
//! assert!(github.ledger().breaches.is_empty());
//! ```

mod delivery;
mod doors;
mod events;
mod faults;
mod git;
mod graphql;
mod happenings;
mod hooks;
mod objects;
mod profile;
mod projects;
mod random;
mod rest;
mod server;
mod shapes;
mod world;

pub use doors::{AppDoor, Doors, OAuthDoor, Person};
pub use events::Emitted;
pub use faults::{Faults, Ledger, Used};
pub use git::GitServer;
pub use hooks::{HookFaults, Hooks, Sent, SimHook};
pub use profile::{Door, Identity, Server};
pub use random::Random;
pub use server::{Clock, GitHub};
pub use world::{Size, World};
