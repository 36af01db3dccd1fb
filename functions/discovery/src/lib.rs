//! Translates a scheduled event into discoveries. The schedule's content does not matter: what is due, the table says.

use engine::{Fleet, Looked, StoreError, silence};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Looks at every organization of every integration; one that cannot be read does not stop the others, but fails the
/// invocation at the end, so that it is seen and retried. What there is no time for until `deadline` a fetcher goes on with.
pub async fn handle(fleet: &Fleet, deadline: Timestamp) -> Result<Value, String> {
    let mut failures = Vec::new();
    let (mut repositories, mut jobs) = (0, 0);
    let fleet = fleet.due().await.map_err(|error| error.to_string())?;
    for Looked { integration, org, found } in fleet.discover(deadline).await {
        match found {
            Ok(found) => {
                repositories += found.repositories;
                jobs += found.jobs.len();
                tracing::info!(
                    integration,
                    org,
                    repositories = found.repositories,
                    jobs = found.jobs.len(),
                    later = found.later,
                    unfinished = found.unfinished,
                    missing = found.missing.len(),
                    "discovered"
                );
                if let Some(at) = found.token_expires.filter(|at| at.duration_since(Timestamp::now()) <= SignedDuration::from_hours(14 * 24)) {
                    tracing::warn!(integration, org, %at, "the token ends soon: put a new one into the secret");
                }
                for missing in found.missing.into_iter().chain(found.refused) {
                    tracing::warn!(integration, org, missing, "not everything can be seen");
                }
            }
            // Not a failure: the next tick finds the gate open.
            Err(engine::Error::Waiting { until }) => tracing::info!(integration, org, %until, "waiting for the token's budget"),
            Err(error) => {
                tracing::error!(integration, org, %error, "discovery failed");
                failures.push(format!("{org}: {error}"));
            }
        }
    }
    if failures.is_empty() { Ok(json!({ "repositories": repositories, "jobs": jobs })) } else { Err(failures.join("; ")) }
}

/// What can be told of the copy after a look.
#[derive(Debug, Default)]
pub struct Freshness {
    /// How old the oldest of what is known is, by entity.
    pub lags: BTreeMap<&'static str, SignedDuration>,
    /// Until the first token ends, if one does.
    pub token_days: Option<f64>,
    /// Entities of which nothing new comes any more; none where that could not be told.
    pub silent: Option<usize>,
}

/// Reads the summaries, not the rows.
pub async fn freshness(fleet: &Fleet) -> Result<Freshness, StoreError> {
    let Some(env) = fleet.envs().first() else { return Ok(Freshness::default()) };
    let now = env.now();
    let status = engine::status(env.store.as_ref(), now).await?;
    let ends = status.organizations.iter().filter_map(|one| one.token_expires).min();
    let silent = silence::look(env.store.as_ref(), &status, now).await?;
    for silent in &silent {
        tracing::error!(entity = silent.entity, "{silent}: GitHub may have changed how it sends them");
    }
    Ok(Freshness {
        silent: Some(silent.len()),
        lags: engine::lags(&status, now),
        token_days: ends.map(|ends| ends.duration_since(now).as_secs_f64() / 86_400.0),
    })
}
