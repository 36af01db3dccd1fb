//! What can go wrong, as fields, and the ledger of what was asked and of every breach of GitHub's rules.

use crate::git::GitServer;
use crate::profile::{Identity, Server};
use crate::random::Random;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Changeable while the simulation runs.
#[derive(Debug, Clone)]
pub struct Faults {
    pub random: Random,
    /// Per thousand replies.
    pub bad_gateway: u64,
    pub truncated: u64,
    /// Per thousand replies: the connection breaks before a byte of the body.
    pub reset: u64,
    pub latency_ms: u64,
    /// Per thousand replies: some bytes of the body are others.
    pub mangled: u64,
    /// Each reply takes up to so many milliseconds more, by the seed.
    pub jitter_ms: u64,
    /// Status for every request about a repository (`owner/name`), for those of its lists whose name is given, or all.
    pub refuse: HashMap<String, (u16, Option<String>)>,
    /// Lists of GraphQL's that the token has no scope for: GitHub refuses every query that names one.
    pub out_of_scope: Vec<String>,
    /// Lists of GraphQL's that the server cannot parse, though it says that it knows them.
    pub misunderstood: Vec<String>,
    /// The reply to the n-th request, counted from 1, is cut off.
    pub cut: Option<u64>,
    /// A GraphQL page of more nodes than this is answered 502.
    pub heavy: Option<u64>,
    /// A GraphQL answer that holds the item of this number, with a list in it, is never made: GitHub gives up.
    pub unanswerable: Option<u64>,
    /// GraphQL's pages of this list, from the second one on, say that the next one is the same again.
    pub endless: Option<String>,
    /// REST pages after this one are refused with 422, as GitHub does from 100 on.
    pub last_page: Option<u64>,
    /// Requests and points an hour; none for a server without limits.
    pub limit: Option<u64>,
    /// The n-th request meets a secondary limit of so many seconds.
    pub secondary: Option<(u64, Option<u64>)>,
    /// Those that are accepted; each has budgets of its own.
    pub tokens: Vec<String>,
    /// When they end, in seconds since 1970; of one that is not listed, never.
    pub ends: HashMap<String, i64>,
    /// What GitHub knows of them; of one that is not listed, the default.
    pub identities: HashMap<String, Identity>,
    pub server: Server,
    pub git: GitServer,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            random: Random(1),
            bad_gateway: 0,
            truncated: 0,
            reset: 0,
            latency_ms: 0,
            mangled: 0,
            jitter_ms: 0,
            refuse: HashMap::new(),
            out_of_scope: Vec::new(),
            misunderstood: Vec::new(),
            cut: None,
            heavy: None,
            unanswerable: None,
            endless: None,
            last_page: Some(99),
            limit: Some(5000),
            secondary: None,
            tokens: vec!["sim-token".to_owned()],
            ends: HashMap::new(),
            identities: HashMap::new(),
            server: Server::default(),
            git: GitServer::default(),
        }
    }
}

impl Faults {
    /// No faults, but a server of that kind: an Enterprise Server has no limits unless its owner sets some.
    #[must_use]
    pub fn of(server: Server) -> Self {
        Self { limit: if server.enterprise.is_some() { None } else { Some(5000) }, server, ..Self::default() }
    }
}

/// What was asked with one token, and the most of it within any 60 seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Used {
    pub rest: u64,
    pub points: u64,
    pub most_in_flight: u64,
    pub most_rest_a_minute: u64,
    pub most_points_a_minute: u64,
    /// Points in each of the token's hours so far, which begin with its first query after the one before.
    pub points_an_hour: Vec<u64>,
}

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Ledger {
    pub requests: u64,
    pub rest: u64,
    pub not_modified: u64,
    /// Those that GitHub counts against no budget, beside the former: what is left of it.
    pub free: u64,
    /// What was asked for and is not there.
    pub not_found: BTreeSet<String>,
    pub graphql: u64,
    pub points: u64,
    pub most_in_flight: u64,
    pub by_token: BTreeMap<String, Used>,
    /// Requests of OAuth apps, which carry no token.
    pub logins: u64,
    /// Over git's protocol, which no budget is spent by.
    pub git: u64,
    /// What no client may do: a request before the time it was told, more than 100 at once, no User-Agent.
    pub breaches: Vec<String>,
}
