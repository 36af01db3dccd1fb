//! Measures time: every second, or only those of business hours. Knows no stage.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Which seconds count.
#[derive(Debug, Clone)]
pub enum Measure {
    /// Every one; days and weeks are those of UTC.
    Calendar,
    Business(BusinessHours),
}

/// When people work.
#[derive(Debug, Clone)]
pub struct BusinessHours {
    zone: TimeZone,
    days: Vec<Weekday>,
    /// In order; an end of midnight is that of the next day.
    hours: Vec<(Time, Time)>,
    holidays: BTreeSet<Date>,
}

#[derive(Debug, thiserror::Error)]
pub enum HoursError {
    #[error("zone: this machine knows no time zone `{0}`. Write one such as Europe/Berlin or UTC; if none is known, install the package tzdata")]
    Zone(String),
    #[error("days: write at least one day, such as [\"mon\", \"tue\"]")]
    NoDays,
    #[error("hours: write at least one, such as \"09:00-17:00\", each after the other on one day; one that passes midnight is written as two")]
    Hours,
}

impl BusinessHours {
    /// `zone` is a name of the IANA database.
    pub fn new(zone: &str, days: Vec<Weekday>, hours: Vec<(Time, Time)>, holidays: BTreeSet<Date>) -> Result<Self, HoursError> {
        let zone = TimeZone::get(zone).map_err(|_| HoursError::Zone(zone.to_owned()))?;
        if days.is_empty() {
            return Err(HoursError::NoDays);
        }
        let ends = |end: Time| end == Time::midnight();
        let each = hours.iter().all(|(start, end)| start < end || ends(*end));
        let ordered = hours.windows(2).all(|pair| matches!(pair, [(_, end), (start, _)] if end <= start && !ends(*end)));
        if hours.is_empty() || !each || !ordered {
            return Err(HoursError::Hours);
        }
        Ok(Self { zone, days, hours, holidays })
    }

    /// The working time of one day, as seconds since 1970.
    fn spans(&self, day: Date) -> Vec<(i64, i64)> {
        if !self.days.contains(&day.weekday()) || self.holidays.contains(&day) {
            return Vec::new();
        }
        let at = |day: Date, time: Time| day.to_datetime(time).to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp().as_second());
        let span = |(start, end): &(Time, Time)| {
            let last = if *end == Time::midnight() { day.tomorrow().ok()? } else { day };
            // Where the clock is put forward, an hour may not be there.
            at(day, *start).zip(at(last, *end)).filter(|(start, end)| start < end)
        };
        self.hours.iter().filter_map(span).collect()
    }
}

impl Measure {
    #[must_use]
    pub fn zone(&self) -> TimeZone {
        match self {
            Self::Calendar => TimeZone::UTC,
            Self::Business(hours) => hours.zone.clone(),
        }
    }

    /// In words, for whoever reads the report.
    #[must_use]
    pub fn about(&self) -> String {
        match self {
            Self::Calendar => "calendar time, UTC".to_owned(),
            Self::Business(hours) => {
                let two = |time: &Time, midnight: u8| {
                    format!("{:02}:{:02}", if *time == Time::midnight() { midnight } else { time.hour().unsigned_abs() }, time.minute())
                };
                let times: Vec<String> = hours.hours.iter().map(|(start, end)| format!("{}–{}", two(start, 0), two(end, 24))).collect();
                let days: Vec<&str> = hours.days.iter().map(|day| short(*day)).collect();
                let zone = hours.zone.iana_name().unwrap_or("UTC");
                let holidays = if hours.holidays.is_empty() { String::new() } else { format!(", {} holidays", hours.holidays.len()) };
                format!("business hours {} {} {zone}{holidays}", days.join(" "), times.join(" "))
            }
        }
    }

    #[must_use]
    pub fn is_business(&self) -> bool {
        matches!(self, Self::Business(_))
    }
}

fn short(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

/// Tells how many seconds that count have passed at an instant, since some beginning: what lies between two instants is
/// the difference, so that the parts of an interval always sum up to the whole.
pub(super) enum Ruler {
    Calendar,
    /// Start, end, and what had passed before the start; in order.
    Business(Vec<(i64, i64, i64)>),
}

impl Ruler {
    /// For instants from `first` to `last`.
    pub(super) fn new(measure: &Measure, first: Timestamp, last: Timestamp) -> Self {
        let Measure::Business(hours) = measure else { return Self::Calendar };
        let date = |at: Timestamp| at.to_zoned(hours.zone.clone()).date();
        let (mut spans, mut passed) = (Vec::new(), 0);
        let (mut day, until) = (date(first), date(last));
        while day <= until {
            for (start, end) in hours.spans(day) {
                spans.push((start, end, passed));
                passed += end - start;
            }
            let Ok(next) = day.tomorrow() else { break };
            day = next;
        }
        Self::Business(spans)
    }

    pub(super) fn at(&self, instant: Timestamp) -> i64 {
        // Earlier than 1970 is nothing on GitHub; whole seconds, rounded down on both ends of an interval.
        let at = instant.as_second();
        let Self::Business(spans) = self else { return at };
        let next = spans.partition_point(|(start, _, _)| *start <= at);
        next.checked_sub(1).and_then(|index| spans.get(index)).map_or(0, |(start, end, passed)| passed + (at.min(*end) - start))
    }

    pub(super) fn between(&self, start: Timestamp, end: Timestamp) -> i64 {
        (self.at(end) - self.at(start)).max(0)
    }
}
