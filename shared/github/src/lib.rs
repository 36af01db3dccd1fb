//! Talks to GitHub, over REST, GraphQL and git's protocol, and says what its answers mean. Knows nothing of who asks, stores nothing,
//! never waits.

mod answer;
mod app;
mod client;
mod credential;
mod error;
mod hook;
mod kind;
mod oauth;
mod price;
mod probe;
mod prune;
mod smart;
mod told;
mod url;

pub use answer::{Answer, Budget, GraphqlError, Reply, Resource};
pub use app::{App, Installation};
pub use client::{API_VERSION, Client, Spent, Token, Verb};
pub use credential::{Credential, Expiring, Secret, expiring};
pub use error::{ConfigError, Error, Forbidden};
pub use hook::{Hook, HookDelivery, HookOwner};
pub use kind::{TokenKind, grants};
pub use oauth::{DeviceCode, OAuthApp, OAuthError};
pub use price::points;
pub use probe::{Probe, Unreached};
pub use prune::{INTROSPECTION, lacks};
pub use smart::{GitRemote, PackStream, Wish};
pub use told::{Sso, Told};
pub use url::ApiUrl;
