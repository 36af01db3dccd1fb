//! Talks to GitHub, over REST and GraphQL, and says what its answers mean. Knows nothing of who asks, stores nothing,
//! never waits.

mod answer;
mod client;
mod error;
mod prune;
mod url;

pub use answer::{Answer, Budget, GraphqlError, Reply, Resource};
pub use client::{Client, Spent, Token};
pub use error::{ConfigError, Error, Forbidden};
pub use url::ApiUrl;
