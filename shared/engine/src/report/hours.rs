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
    #[error("this machine knows no time zone `{0}`. Write one such as Europe/Berlin or UTC; if none is known, install the package tzdata")]
    Zone(String),
    #[error("write at least one day, such as [\"mon\", \"tue\"]")]
    NoDays,
    #[error("write at least one, such as \"09:00-17:00\", each after the other on one day; one that passes midnight is written as two")]
    Hours,
    #[error("it is missing: write one such as Europe/Berlin or UTC")]
    NoZone,
    #[error("they are missing: write some such as 09:00-17:00")]
    NoHours,
    #[error("`{0}` is not a day. Write mon, tue, wed, thu, fri, sat or sun")]
    Day(String),
    #[error("`{0}` is none. Write 09:00-17:00")]
    Span(String),
    #[error("`{0}` is not a day. Write 2026-12-25")]
    Holiday(String),
}

impl HoursError {
    /// Which of the words is wrong.
    pub(super) fn about(&self) -> &'static str {
        match self {
            Self::Zone(_) | Self::NoZone => "zone",
            Self::NoDays | Self::Day(_) => "days",
            Self::Hours | Self::NoHours | Self::Span(_) => "hours",
            Self::Holiday(_) => "holidays",
        }
    }
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

    /// From words: days such as `mon`, all but the weekend if there are none; hours such as `09:00-17:00`.
    pub fn read(zone: Option<&str>, days: &[String], hours: &[String], holidays: &[String]) -> Result<Self, HoursError> {
        let zone = zone.ok_or(HoursError::NoZone)?;
        let mut weekdays = vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        if !days.is_empty() {
            weekdays = days.iter().map(|day| weekday(day)).collect::<Result<_, _>>()?;
        }
        if hours.is_empty() {
            return Err(HoursError::NoHours);
        }
        let hours = hours.iter().map(|hours| span(hours)).collect::<Result<_, _>>()?;
        let day = |text: &String| text.trim().parse::<Date>().map_err(|_| HoursError::Holiday(text.clone()));
        Self::new(zone, weekdays, hours, holidays.iter().map(day).collect::<Result<_, _>>()?)
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

fn weekday(name: &str) -> Result<Weekday, HoursError> {
    let lower = name.trim().to_lowercase();
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let day = days.iter().find(|(full, _)| lower.len() >= 3 && full.starts_with(&lower));
    day.map(|(_, day)| *day).ok_or_else(|| HoursError::Day(name.to_owned()))
}

fn span(text: &str) -> Result<(Time, Time), HoursError> {
    let time = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
        // Midnight at the end of a day is its beginning to a clock.
        if (hour, minute) == (24, 0) { Some(Time::midnight()) } else { Time::new(hour, minute, 0, 0).ok() }
    };
    let read = || {
        let (start, end) = text.split_once(['-', '–'])?;
        Some((time(start)?, time(end)?))
    };
    read().ok_or_else(|| HoursError::Span(text.to_owned()))
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
