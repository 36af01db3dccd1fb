//! A question as text: names and values, as they are typed after the command or stand in an address. Read here and
//! nowhere else, so that both mean the same. Computes nothing.

use super::catalogue::{Entry, entry};
use super::hours::{BusinessHours, Measure};
use super::options::{Opt, Takes};
use super::range::Range;
use crate::ports::StoreError;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("there is no report `{name}`. There are: {there}")]
    NoReport { name: String, there: String },
    #[error("{report} cannot be told `{option}`. It can be told: {there}")]
    NoOption { report: &'static str, option: String, there: String },
    /// What is told makes no sense.
    #[error("{option}: {why}")]
    Value { option: &'static str, why: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A question that was understood: of each option what was told or, where nothing was, its default.
#[derive(Debug, Clone)]
pub struct Asked {
    pub entry: &'static Entry,
    /// When the report is of.
    pub now: Timestamp,
    told: BTreeMap<&'static str, Vec<String>>,
}

/// The names and values of an address's query, such as `across=week&committed=90d`.
#[must_use]
pub fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).into_owned().collect()
}

/// A glob that matches this text alone: `dependabot[bot]` is none by itself.
#[must_use]
pub fn exactly(text: &str) -> String {
    text.chars().map(|one| if matches!(one, '[' | ']' | '{' | '}' | '*' | '?' | '!' | '\\') { format!("[{one}]") } else { one.to_string() }).collect()
}

impl Asked {
    /// Reads names and values. What has an empty value is not told: a form sends every field.
    pub fn parse(report: &str, pairs: &[(String, String)], now: Timestamp) -> Result<Self, AskError> {
        let entry = entry(report)?;
        let mut asked = Self { entry, now, told: BTreeMap::new() };
        for (name, value) in pairs.iter().filter(|(_, value)| !value.trim().is_empty()) {
            let Some(option) = entry.options().find(|option| option.name == name) else {
                let there = entry.options().map(|option| option.name).collect::<Vec<_>>().join(", ");
                return Err(AskError::NoOption { report: entry.name, option: name.clone(), there });
            };
            let told = asked.told.entry(option.name).or_default();
            match option.takes {
                Takes::Flag => match value.as_str() {
                    "true" | "on" | "yes" | "1" => told.push(value.clone()),
                    "false" | "off" | "no" | "0" => told.clear(),
                    other => return Err(wrong(option.name, format!("`{other}` is neither true nor false"))),
                },
                Takes::Choice(of) if !of.contains(&value.as_str()) => {
                    return Err(wrong(option.name, format!("{} has no `{value}`. There are: {}", entry.name, of.join(", "))));
                }
                Takes::Choice(_) | Takes::Text(..) => *told = vec![value.clone()],
                Takes::Many(_) => told.push(value.clone()),
                Takes::Words(..) => told.extend(value.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)),
            }
        }
        if let Some(text) = asked.told("as-of") {
            asked.now = date(text).ok_or_else(|| wrong("as-of", format!("`{text}` is not a date. Write 2025-01-31 or 2025-01-31T12:00:00Z")))?;
        }
        Ok(asked)
    }

    fn option(&self, name: &str) -> Option<Opt> {
        self.entry.options().find(|option| option.name == name)
    }

    fn told(&self, name: &str) -> Option<&str> {
        self.told.get(name)?.last().map(String::as_str)
    }

    /// What was told, or what is meant unless it is.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.told(name).or_else(|| match self.option(name)?.takes {
            Takes::Text(_, default) => default,
            Takes::Choice(of) => of.first().copied(),
            _ => None,
        })
    }

    pub(super) fn all(&self, name: &str) -> Vec<String> {
        if let Some(told) = self.told.get(name) {
            return told.clone();
        }
        match self.option(name).map(|option| option.takes) {
            Some(Takes::Words(_, Some(default))) => vec![default.to_owned()],
            _ => Vec::new(),
        }
    }

    pub(super) fn is(&self, name: &str) -> bool {
        self.told.get(name).is_some_and(|told| !told.is_empty())
    }

    /// A whole number of these.
    pub(super) fn number(&self, name: &'static str, from: u64, to: u64) -> Result<u64, AskError> {
        let text = self.one(name).unwrap_or_default();
        let number = text.trim().parse().ok().filter(|number| (from..=to).contains(number));
        number.ok_or_else(|| wrong(name, format!("`{text}` is not a number from {from} to {to}")))
    }

    /// Days are those of `zone`.
    pub(super) fn range(&self, name: &'static str, zone: &TimeZone) -> Result<Range, AskError> {
        let Some(text) = self.told(name) else { return Ok(Range::default()) };
        Range::parse(text, zone, self.now).map_err(|error| wrong(name, error.to_string()))
    }

    /// What the groups of the report are.
    #[must_use]
    pub fn across(&self) -> &str {
        self.one("across").unwrap_or("all")
    }

    /// Every second, or those of the business hours that are told.
    pub(super) fn measure(&self) -> Result<Measure, AskError> {
        let all = ["zone", "days", "hours", "holidays"].map(|name| self.all(name));
        if all.iter().all(Vec::is_empty) {
            return Ok(Measure::Calendar);
        }
        let [zone, days, hours, holidays] = all;
        let hours = BusinessHours::read(zone.last().map(String::as_str), &days, &hours, &holidays);
        hours.map(Measure::Business).map_err(|error| wrong(error.about(), error.to_string()))
    }

    /// Whether a name, or what is behind its last slash, matches one of the globs in any case; all do where none is told.
    pub(super) fn matcher(&self, name: &'static str) -> Result<Matcher, AskError> {
        let told = self.all(name);
        if told.is_empty() {
            return Ok(Matcher(None));
        }
        let mut set = GlobSetBuilder::new();
        for glob in &told {
            set.add(GlobBuilder::new(glob).case_insensitive(true).build().map_err(|error| wrong(name, error.to_string()))?);
        }
        set.build().map(|set| Matcher(Some(set))).map_err(|error| wrong(name, error.to_string()))
    }
}

pub(super) struct Matcher(Option<GlobSet>);

impl Matcher {
    pub(super) fn takes_all(&self) -> bool {
        self.0.is_none()
    }

    pub(super) fn takes(&self, name: &str) -> bool {
        let last = || name.rsplit('/').next().unwrap_or(name);
        self.0.as_ref().is_none_or(|globs| globs.is_match(name) || globs.is_match(last()))
    }
}

pub(super) fn wrong(option: &'static str, why: String) -> AskError {
    AskError::Value { option, why }
}

/// A day or a time, in UTC.
fn date(text: &str) -> Option<Timestamp> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(day)
}
