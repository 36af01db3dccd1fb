//! The file of business hours, and bounds as they are typed. Knows the words; the engine knows what they mean.

use crate::config::{known, parsed, word, words};
use crate::failure::Failure;
use engine::report::{Bounds, BusinessHours, Step};
use jiff::civil::{Date, Time, Weekday};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use toml::{Table, Value};

const KEYS: [&str; 4] = ["zone", "days", "hours", "holidays"];

/// Reads one, and says of each mistake where it is.
pub(super) fn read(file: &Path) -> Result<BusinessHours, Failure> {
    let named = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(format!("it cannot be read: {error}")))?;
    parse(&text).map_err(named)
}

fn parse(text: &str) -> Result<BusinessHours, String> {
    let table = parsed(text)?;
    known(&table, &KEYS, "")?;
    let zone = word(&table, "zone")?.ok_or("`zone` is missing: write one such as \"Europe/Berlin\" or \"UTC\"")?;
    let days = match words(&table, "days")? {
        Some(days) => days.iter().map(|day| weekday(day)).collect::<Result<_, _>>()?,
        None => vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday],
    };
    let hours = match table.get("hours") {
        Some(Value::String(one)) => vec![one.clone()],
        _ => words(&table, "hours")?.ok_or("`hours` is missing: write one such as \"09:00-17:00\", or a list of them")?,
    };
    let hours = hours.iter().map(|hours| span(hours)).collect::<Result<_, _>>()?;
    BusinessHours::new(&zone, days, hours, holidays(&table)?).map_err(|error| error.to_string())
}

fn weekday(name: &str) -> Result<Weekday, String> {
    let lower = name.to_lowercase();
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
    day.map(|(_, day)| *day).ok_or_else(|| format!("days: `{name}` is not a day. Write mon, tue, wed, thu, fri, sat or sun"))
}

fn span(text: &str) -> Result<(Time, Time), String> {
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
    read().ok_or_else(|| format!("hours: `{text}` is none. Write 09:00-17:00"))
}

fn holidays(table: &Table) -> Result<BTreeSet<Date>, String> {
    let wrong = || "holidays: write a list of days, such as [\"2026-12-25\"]".to_owned();
    let Some(value) = table.get("holidays") else { return Ok(BTreeSet::new()) };
    let day = |value: &Value| {
        let text = value.as_datetime().map(ToString::to_string).or_else(|| value.as_str().map(str::to_owned)).ok_or_else(wrong)?;
        text.parse::<Date>().map_err(|_| format!("holidays: `{text}` is not a day. Write 2026-12-25"))
    };
    value.as_array().ok_or_else(wrong)?.iter().map(day).collect()
}

/// `review=1d/3d`.
pub(super) fn bounds(told: &[String]) -> Result<BTreeMap<Step, Bounds>, Failure> {
    let one = |text: &String| {
        let (step, bounds) = text.split_once('=')?;
        let (good, acceptable) = bounds.split_once('/')?;
        let step = Step::ALL.into_iter().find(|one| one.name() == step.trim())?;
        let bounds = Bounds { good: duration(good.trim())?, acceptable: duration(acceptable.trim())? };
        (bounds.good <= bounds.acceptable).then_some((step, bounds))
    };
    let names = Step::ALL.map(Step::name).join(", ");
    let wrong = |text: &String| Failure::Usage(format!("--bounds {text}: write STEP=GOOD/ACCEPTABLE, such as review=1d/3d; steps are {names}"));
    told.iter().map(|text| one(text).ok_or_else(|| wrong(text))).collect()
}

/// `90m`, `12h`, `3d`, `2w`.
fn duration(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| i64::from(number) * seconds)
}
