//! Files that are part of a question: business hours and who is who, as the names and values that the engine reads. Knows
//! how they are written, not what they mean.

use crate::config::{known, parsed, word, words};
use crate::failure::Failure;
use std::path::Path;
use toml::Value;

type Pairs = Vec<(String, String)>;

const KEYS: [&str; 4] = ["zone", "days", "hours", "holidays"];

/// Business hours, in TOML; of each mistake it is said where it is.
pub(super) fn hours(file: &Path) -> Result<Pairs, Failure> {
    let text = read(file)?;
    let pairs = || {
        let table = parsed(&text)?;
        known(&table, &KEYS, "")?;
        let hours = match table.get("hours") {
            Some(Value::String(one)) => vec![one.clone()],
            _ => words(&table, "hours")?.ok_or("`hours` is missing: write one such as \"09:00-17:00\", or a list of them")?,
        };
        let zone = word(&table, "zone")?.ok_or("`zone` is missing: write one such as \"Europe/Berlin\" or \"UTC\"")?;
        let wrong = || "holidays: write a list of days, such as [\"2026-12-25\"]".to_owned();
        let day = |value: &Value| value.as_datetime().map(ToString::to_string).or_else(|| value.as_str().map(str::to_owned)).ok_or_else(wrong);
        let holidays = table.get("holidays").map(|value| value.as_array().ok_or_else(wrong)?.iter().map(day).collect::<Result<Vec<_>, _>>()).transpose()?;
        let days = words(&table, "days")?;
        if days.as_ref().is_some_and(Vec::is_empty) {
            return Err("days: write at least one day, such as [\"mon\", \"tue\"]".to_owned());
        }
        let all = [("zone", vec![zone]), ("days", days.unwrap_or_default()), ("hours", hours), ("holidays", holidays.unwrap_or_default())];
        Ok(all.into_iter().flat_map(|(name, values)| values.into_iter().map(move |value| (name.to_owned(), value))).collect())
    };
    pairs().map_err(|why: String| Failure::Usage(format!("{}: {why}", file.display())))
}

/// Who is who, a person a line.
pub(super) fn aliases(file: &Path) -> Result<Pairs, Failure> {
    let text = read(file)?;
    let lines = text.trim_start_matches('\u{feff}').lines().filter(|line| !line.trim().is_empty());
    Ok(lines.map(|line| ("alias".to_owned(), line.to_owned())).collect())
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{}: it cannot be read: {error}", file.display())))
}
