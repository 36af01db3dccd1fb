//! The tokens a run may use: the first whose gate is open is asked with, so that one that is spent hands over to the
//! next. Never waits, and never shows a token.

use github::{ApiUrl, Client, ConfigError, Spent, Token, TokenKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Clients of one server that differ in their token; they share one meter.
#[derive(Debug, Clone)]
pub struct Tokens {
    clients: Arc<[Client]>,
    /// Those that GitHub no longer accepts.
    refused: Arc<[AtomicBool]>,
}

impl Tokens {
    /// One client for each token; none is an error.
    pub fn new(url: ApiUrl, tokens: Vec<Token>) -> Result<Self, ConfigError> {
        Self::trusting(url, tokens, None)
    }

    /// Trusts the authorities in `ca`, certificates in PEM, too.
    pub fn trusting(url: ApiUrl, tokens: Vec<Token>, ca: Option<&[u8]>) -> Result<Self, ConfigError> {
        let mut tokens = tokens.into_iter();
        let first = Client::trusting(url, tokens.next().ok_or(ConfigError::Token("there is none"))?, ca)?;
        let others: Vec<Client> = tokens.map(|token| first.with_token(token)).collect();
        let clients: Vec<Client> = std::iter::once(first).chain(others).collect();
        let refused = clients.iter().map(|_| AtomicBool::new(false)).collect();
        Ok(Self { clients: clients.into(), refused })
    }

    pub(crate) fn all(&self) -> &[Client] {
        &self.clients
    }

    pub(crate) fn usable(&self) -> impl Iterator<Item = (usize, &Client)> {
        let usable = |index: &usize| self.refused.get(*index).is_some_and(|refused| !refused.load(Ordering::Relaxed));
        self.clients.iter().enumerate().filter(move |(index, _)| usable(index))
    }

    pub(crate) fn refuse(&self, index: usize) {
        if let Some(refused) = self.refused.get(index) {
            refused.store(true, Ordering::Relaxed);
        }
    }

    /// Whether one of them is a GitHub App's for an installation, which is no user's.
    pub(crate) fn has_installation(&self) -> bool {
        self.usable().any(|(_, client)| client.token().kind() == TokenKind::Installation)
    }

    /// Where people find the server's pages, for messages.
    pub(crate) fn web(&self) -> String {
        self.clients.first().map_or_else(|| "https://github.com".to_owned(), |client| client.url().web())
    }

    /// How many of how many GitHub no longer accepts.
    #[must_use]
    pub fn refused(&self) -> (usize, usize) {
        (self.clients.len() - self.usable().count(), self.clients.len())
    }

    /// The same tokens with a meter of their own.
    #[must_use]
    pub(crate) fn metered(&self) -> Self {
        let meter = self.clients.first().map(Client::metered);
        let clients: Vec<Client> = meter.iter().flat_map(|meter| self.clients.iter().map(|client| meter.with_token(client.token().clone()))).collect();
        Self { clients: clients.into(), refused: self.refused.clone() }
    }

    /// By all of them.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.clients.first().map(Client::spent).unwrap_or_default()
    }
}
