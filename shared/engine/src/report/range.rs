//! A range of time as one writes it: `2026-01-01..2026-03-31`, open on either side, one day, one month, or the last days or weeks.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// Half-open; what is not told is not bounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a range. Write 2026-01-01..2026-03-31 (both included), 2026-01-01.., ..2026-03-31, 2026-01 or 90d for the last 90 days")]
pub struct RangeError(String);

impl Range {
    /// Days are those of `zone`; `90d` and `12w` end now.
    pub fn parse(text: &str, zone: &TimeZone, now: Timestamp) -> Result<Self, RangeError> {
        Self::read(text.trim(), zone, now).ok_or_else(|| RangeError(text.to_owned()))
    }

    fn read(text: &str, zone: &TimeZone, now: Timestamp) -> Option<Self> {
        if let Some((from, until)) = text.split_once("..") {
            let from = if from.trim().is_empty() { None } else { Some(period(from.trim(), zone)?.0) };
            let until = if until.trim().is_empty() { None } else { Some(period(until.trim(), zone)?.1) };
            let empty = from.zip(until).is_some_and(|(from, until)| from >= until);
            return (!empty && (from.is_some() || until.is_some())).then_some(Self { from, until });
        }
        if let Some(days) = last(text) {
            return Some(Self { from: Some(now.checked_sub(days).ok()?), until: None });
        }
        let (from, until) = period(text, zone)?;
        Some(Self { from: Some(from), until: Some(until) })
    }

    #[must_use]
    pub fn takes(&self, at: Option<Timestamp>) -> bool {
        if self.from.is_none() && self.until.is_none() {
            return true;
        }
        at.is_some_and(|at| self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until))
    }
}

/// `90d`, `12w`.
fn last(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let days: i64 = number.parse().ok().filter(|number| (1..=100_000).contains(number))?;
    match unit {
        "d" => Some(SignedDuration::from_hours(24 * days)),
        "w" => Some(SignedDuration::from_hours(7 * 24 * days)),
        _ => None,
    }
}

/// When a day, month or instant begins and when the next one does.
fn period(text: &str, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begins = |date: Date| date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at, at));
    }
    if let Some(first) = text.split_once('-').filter(|(_, month)| month.len() == 2).and_then(|_| format!("{text}-01").parse::<Date>().ok()) {
        return Some((begins(first)?, begins(first.checked_add(1.month()).ok()?)?));
    }
    // A text such as 2026-01-01T25:00 is a mistake, no day.
    let day = text.parse::<Date>().ok().filter(|_| text.len() == 10)?;
    Some((begins(day)?, begins(day.tomorrow().ok()?)?))
}
