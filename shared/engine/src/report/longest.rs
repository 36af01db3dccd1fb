//! The items of a report that took longest, so that whoever reads a figure finds what is behind it. Keeps a few.

use serde::Serialize;
use std::cmp::Reverse;

/// So many; the figures tell of all.
pub const MOST: usize = 25;

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

/// Whatever is added, in whatever order, the same few are kept.
#[derive(Debug, Default)]
pub struct Longest(Vec<Long>);

impl Longest {
    pub fn add(&mut self, repo: Option<&str>, number: Option<u64>, stage: Option<&str>, time: i64) {
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
    #[must_use]
    pub fn list(mut self) -> Vec<Long> {
        self.sort();
        self.0.truncate(MOST);
        self.0
    }
}
