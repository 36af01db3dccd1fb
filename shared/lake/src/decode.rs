//! A row group's columns, decoded, and the values of one row of it: the reverse of `columns`. Knows no directory.

use crate::columns::columns;
use engine::Row;
use engine::entities::{Entity, Kind};
use jiff::Timestamp;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, RowGroupReader};
use parquet::file::serialized_reader::SerializedFileReader;
use serde_json::{Map, Value};
use std::fs::File;

/// Rows that follow one another in a file, with the columns that were asked for.
pub(crate) struct Group {
    pub(crate) rows: usize,
    columns: Vec<Column>,
}

struct Column {
    name: &'static str,
    kind: Kind,
    values: Values,
    /// Where the values of each row begin among all, and where the last one's end.
    starts: Vec<u32>,
}

enum Values {
    Texts(Vec<ByteArray>),
    Integers(Vec<i64>),
    Booleans(Vec<bool>),
}

impl Group {
    /// `only` are the columns that are wanted; empty for all.
    pub(crate) fn decode(file: &SerializedFileReader<File>, group: usize, entity: &'static Entity, only: &[&str]) -> Result<Self, ParquetError> {
        let reader = file.get_row_group(group)?;
        let rows = usize::try_from(reader.metadata().num_rows()).unwrap_or(0);
        let mut decoded = Vec::new();
        for (name, kind) in columns(entity).into_iter().filter(|(name, _)| only.is_empty() || only.contains(name)) {
            decoded.extend(column(&*reader, name, kind, rows)?);
        }
        Ok(Self { rows, columns: decoded })
    }

    /// What is null is left out, as in a copy's rows.
    pub(crate) fn row(&self, at: usize) -> Map<String, Value> {
        self.columns.iter().filter_map(|column| Some((column.name.to_owned(), column.value(at)?))).collect()
    }

    /// The text of each row in the column.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        let column = self.columns.iter().find(|column| column.name == name);
        (0..self.rows).map(move |at| match column.map(|column| (&column.values, column.range(at))) {
            Some((Values::Texts(values), range)) => values.get(range)?.first().and_then(|text| std::str::from_utf8(text.data()).ok()),
            _ => None,
        })
    }
}

/// A row of a group, looked at where it is.
pub(crate) struct At<'a>(pub(crate) &'a Group, pub(crate) usize);

impl At<'_> {
    fn column(&self, name: &str) -> Option<(&Column, std::ops::Range<usize>)> {
        let column = self.0.columns.iter().find(|column| column.name == name)?;
        Some((column, column.range(self.1)))
    }

    fn integer(&self, name: &str) -> Option<i64> {
        let (column, range) = self.column(name)?;
        if let Values::Integers(values) = &column.values { values.get(range)?.first().copied() } else { None }
    }
}

impl Row for At<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        let (column, range) = self.column(name)?;
        if let Values::Texts(values) = &column.values { std::str::from_utf8(values.get(range)?.first()?.data()).ok() } else { None }
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.integer(name)?.try_into().ok()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        let (column, range) = self.column(name)?;
        if let Values::Booleans(values) = &column.values { values.get(range)?.first().copied() } else { None }
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.integer(name)?).ok()
    }

    fn count(&self, name: &str) -> usize {
        self.column(name).filter(|(column, _)| matches!(column.kind, Kind::Texts | Kind::Integers)).map_or(0, |(_, range)| range.len())
    }
}

impl Column {
    fn range(&self, at: usize) -> std::ops::Range<usize> {
        let start = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        start(at)..start(at + 1)
    }

    fn value(&self, at: usize) -> Option<Value> {
        let range = self.range(at);
        if matches!(self.kind, Kind::Texts | Kind::Integers) {
            return Some(range.filter_map(|place| self.one(place)).collect());
        }
        range.clone().next().and_then(|place| self.one(place))
    }

    fn one(&self, place: usize) -> Option<Value> {
        Some(match &self.values {
            Values::Texts(values) => {
                let bytes = values.get(place)?.data();
                if self.kind == Kind::Json { serde_json::from_slice(bytes).ok()? } else { Value::String(std::str::from_utf8(bytes).ok()?.to_owned()) }
            }
            Values::Integers(values) => {
                let number = *values.get(place)?;
                if self.kind == Kind::Time { Timestamp::from_microsecond(number).ok()?.to_string().into() } else { number.into() }
            }
            Values::Booleans(values) => (*values.get(place)?).into(),
        })
    }
}

/// None: the file has no such column.
fn column(group: &dyn RowGroupReader, name: &'static str, kind: Kind, rows: usize) -> Result<Option<Column>, ParquetError> {
    let place = group.metadata().columns().iter().position(|column| column.column_path().parts().first().is_some_and(|part| part == name));
    let Some(place) = place else { return Ok(None) };
    let (values, starts) = match group.get_column_reader(place)? {
        ColumnReader::ByteArrayColumnReader(reader) => read(reader, kind, rows).map(|(values, starts)| (Values::Texts(values), starts))?,
        ColumnReader::Int64ColumnReader(reader) => read(reader, kind, rows).map(|(values, starts)| (Values::Integers(values), starts))?,
        ColumnReader::BoolColumnReader(reader) => read(reader, kind, rows).map(|(values, starts)| (Values::Booleans(values), starts))?,
        _ => return Err(ParquetError::General(format!("column {name} is of a type that was never written"))),
    };
    Ok(Some(Column { name, kind, values, starts }))
}

fn read<T: DataType>(mut reader: ColumnReaderImpl<T>, kind: Kind, rows: usize) -> Result<(Vec<T::T>, Vec<u32>), ParquetError> {
    let list = matches!(kind, Kind::Texts | Kind::Integers);
    let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    let mut done = 0;
    while done < rows {
        let (read, ..) = reader.read_records(rows - done, Some(&mut definitions), list.then_some(&mut repetitions), &mut values)?;
        if read == 0 {
            return Err(ParquetError::EOF("fewer rows than the group has".to_owned()));
        }
        done += read;
    }
    // A value is there at the highest level: 1 of one that may be null, 3 of a list's element.
    let there = if list { 3 } else { 1 };
    let mut starts = Vec::with_capacity(rows + 1);
    let mut before = 0;
    for (place, level) in definitions.iter().enumerate() {
        if !list || repetitions.get(place) == Some(&0) {
            starts.push(before);
        }
        before += u32::from(*level == there);
    }
    starts.push(before);
    Ok((values, starts))
}
