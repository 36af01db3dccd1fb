//! The items of a report that took longest, so that whoever reads a figure finds what is behind it. Keeps a few.

use serde::Serialize;
use std::cmp::Reverse;

/// So many; the figures tell of all.
const MOST: usize = 25;

/// An item and its time, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Long {
    /// Null: a draft's.
    pub repo: Option<String>,
    pub number: Option<u64>,
    /// What took so long: the stage, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    pub time: i64,
}

#[derive(Default)]
pub(super) struct Longest(Vec<Long>);

impl Longest {
    pub(super) fn add(&mut self, repo: Option<&str>, number: Option<u64>, stage: Option<&str>, time: i64) {
        let least = self.0.get(2 * MOST).map_or(0, |long| long.time);
        if time > 0 && (self.0.len() <= 2 * MOST || time > least) {
            self.0.push(Long { repo: repo.map(str::to_owned), number, stage: stage.map(str::to_owned), time });
            if self.0.len() > 4 * MOST {
                self.sort();
                self.0.truncate(2 * MOST + 1);
            }
        }
    }

    fn sort(&mut self) {
        self.0
            .sort_by(|one, other| (Reverse(one.time), &one.repo, one.number, &one.stage).cmp(&(Reverse(other.time), &other.repo, other.number, &other.stage)));
    }

    /// The longest first.
    pub(super) fn list(mut self) -> Vec<Long> {
        self.sort();
        self.0.truncate(MOST);
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{Longest, MOST};

    #[test]
    fn the_longest_are_kept_whatever_their_order() {
        for step in [1, 7, 299] {
            let mut longest = Longest::default();
            for place in 0..1000_u64 {
                longest.add(Some("acme/shop"), Some(place), None, i64::try_from(place * step % 1000).unwrap_or(0));
            }
            let times: Vec<i64> = longest.list().iter().map(|long| long.time).collect();
            assert_eq!(times, (0..1000).rev().take(MOST).collect::<Vec<i64>>());
        }
    }
}
