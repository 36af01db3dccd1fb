//! Figures of a set of durations, all in whole seconds. Knows no stage.

use serde::Serialize;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The distribution's buckets: a duration is in the first whose bound it is below; there is one more for what is longer.
pub const BUCKETS: [(i64, &str); 11] = [
    (HOUR, "1h"),
    (4 * HOUR, "4h"),
    (12 * HOUR, "12h"),
    (DAY, "1d"),
    (2 * DAY, "2d"),
    (4 * DAY, "4d"),
    (7 * DAY, "1w"),
    (14 * DAY, "2w"),
    (28 * DAY, "4w"),
    (56 * DAY, "8w"),
    (168 * DAY, "24w"),
];

/// Null where there is nothing to count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub count: u64,
    pub mean: Option<i64>,
    pub median: Option<i64>,
    pub p90: Option<i64>,
    pub p95: Option<i64>,
    pub total: i64,
    /// How many are in each of [`BUCKETS`], and how many are longer.
    pub distribution: Vec<u64>,
}

impl Figures {
    #[must_use]
    pub fn of(mut durations: Vec<i64>) -> Self {
        durations.sort_unstable();
        let total: i64 = durations.iter().sum();
        let count = i64::try_from(durations.len()).unwrap_or(i64::MAX);
        let mut distribution = vec![0; BUCKETS.len() + 1];
        for duration in &durations {
            let bucket = BUCKETS.partition_point(|(bound, _)| bound <= duration);
            if let Some(number) = distribution.get_mut(bucket) {
                *number += 1;
            }
        }
        Self {
            count: count.unsigned_abs(),
            // Rounded to the nearest second, halves up.
            mean: (count > 0).then(|| (2 * total + count).div_euclid(2 * count.max(1))),
            median: percentile(&durations, 50),
            p90: percentile(&durations, 90),
            p95: percentile(&durations, 95),
            total,
            distribution,
        }
    }
}

/// The discrete percentile (SQL's `percentile_disc`): the least of the durations that at least so many in a hundred do not exceed.
fn percentile(sorted: &[i64], percent: usize) -> Option<i64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}
