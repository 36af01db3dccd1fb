//! A report that is a table: columns with a meaning, rows of cells. Whoever computes one says nothing of how it is drawn.

use jiff::Timestamp;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    Number(u64),
    /// In ten-thousandths, so that everybody rounds it alike.
    Share(u64),
    /// The same, of what is no part of a whole.
    Ratio(u64),
    Time(Timestamp),
    Nothing,
    /// Nothing, and what people read for it: `nobody known`.
    No(&'static str),
}

impl Cell {
    /// How many of one there are for one of the other, in ten-thousandths, halves up; nothing for none.
    pub(super) fn ratio(part: u64, whole: u64) -> Self {
        tenthousandths(part, whole).map_or(Self::Nothing, Self::Ratio)
    }

    /// How many ten-thousandths of the whole a part is, halves up; nothing of nothing.
    pub(super) fn share(part: u64, whole: u64) -> Self {
        tenthousandths(part, whole).map_or(Self::Nothing, Self::Share)
    }
}

fn tenthousandths(part: u64, whole: u64) -> Option<u64> {
    let (part, whole) = (u128::from(part), u128::from(whole));
    u64::try_from((20_000 * part + whole).checked_div(2 * whole)?).ok()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// As JSON and CSV name it.
    pub name: &'static str,
    /// As people read it.
    pub title: &'static str,
    /// What it means; empty where the title says it.
    pub about: &'static str,
}

impl Column {
    pub(crate) const fn new(name: &'static str, title: &'static str, about: &'static str) -> Self {
        Self { name, title, about }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    pub report: &'static str,
    pub title: &'static str,
    pub as_of: Timestamp,
    /// What was counted, and how.
    pub facts: Vec<String>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// The columns that bars are drawn of, stacked.
    pub drawn: Vec<usize>,
    /// Rows that were left out of the end.
    pub more: u64,
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => to.serialize_str(text),
            Self::Number(number) => to.serialize_u64(*number),
            #[allow(clippy::cast_precision_loss, reason = "the nearest number to one of four decimals")]
            Self::Share(share) | Self::Ratio(share) => to.serialize_f64(*share as f64 / 10_000.0),
            Self::Time(time) => to.collect_str(time),
            Self::Nothing | Self::No(_) => to.serialize_none(),
        }
    }
}

/// Rows as objects, by the columns' names.
struct Rows<'a>(&'a Sheet);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        struct Row<'a>(&'a [Column], &'a [Cell]);
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                let mut map = to.serialize_map(Some(self.0.len()))?;
                for (column, cell) in self.0.iter().zip(self.1) {
                    map.serialize_entry(column.name, cell)?;
                }
                map.end()
            }
        }
        let mut list = to.serialize_seq(Some(self.0.rows.len()))?;
        for row in &self.0.rows {
            list.serialize_element(&Row(&self.0.columns, row))?;
        }
        list.end()
    }
}

impl Serialize for Sheet {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("report", self.report)?;
        map.serialize_entry("as_of", &self.as_of)?;
        map.serialize_entry("counted", &self.facts)?;
        map.serialize_entry("rows", &Rows(self))?;
        map.serialize_entry("more", &self.more)?;
        map.end()
    }
}
