//! Keeps to what DynamoDB takes on one partition key: 1,000 write units a second. Beyond that it throttles, and retries
//! cost more time than waiting does. Knows keys and units, and no request.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Units a second: somebody else may write there, too.
const RATE: f64 = 900.0;
/// Keys to remember; those that nobody waits for are forgotten.
const KEPT: usize = 1000;

/// When the next write to each key may begin.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<String, Instant>>);

impl Pace {
    /// Waits for its turn to write so many units to this key.
    pub(crate) async fn wait(&self, key: &str, units: f64) {
        let turn = self.turn(key, units, Instant::now());
        if let Some(turn) = turn {
            tokio::time::sleep_until(turn).await;
        }
    }

    /// None: at once.
    fn turn(&self, key: &str, units: f64, now: Instant) -> Option<Instant> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() > KEPT {
            turns.retain(|_, turn| *turn > now);
        }
        let turn = turns.get(key).copied().filter(|turn| *turn > now);
        turns.insert(key.to_owned(), turn.unwrap_or(now) + Duration::from_secs_f64(units / RATE));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_gets_more_in_a_second_and_no_other_waits_for_it() {
        let (pace, start) = (Pace::default(), Instant::now());
        // Whoever comes, comes at once.
        let turns: Vec<Instant> = (0..3000).map(|_| pace.turn("issue_events#1", 1.0, start).unwrap_or(start)).collect();
        for second in 0..4 {
            let (from, until) = (start + Duration::from_secs(second), start + Duration::from_secs(second + 1));
            assert!(turns.iter().filter(|turn| **turn >= from && **turn < until).count() <= 1000);
        }
        assert!(turns.iter().max().is_some_and(|last| *last < start + Duration::from_secs(4)));
        assert_eq!(pace.turn("issue_events#2", 1.0, start), None);
    }
}
