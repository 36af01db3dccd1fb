//! An entity's columns: their Parquet types, and the values that wait for the next row group. Knows no file.

use engine::entities::{Entity, Kind};
use engine::export::has_repo;
use jiff::Timestamp;
use parquet::basic::{LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::{Type, TypePtr};
use serde_json::Value;
use std::sync::Arc;

/// A value is not of its field's kind. Nothing is guessed, and nothing is left out.
#[derive(Debug, thiserror::Error)]
#[error("{entity}.{column} is to be {kind:?}, but a row has {value}. Please report this; `export {entity} --format ndjson` shows the row")]
pub struct Unfit {
    entity: &'static str,
    column: &'static str,
    kind: Kind,
    value: Value,
}

/// The columns of an entity's files, in order: those of SCHEMA.md, after `repo` where rows belong to a repository.
pub(crate) fn columns(entity: &'static Entity) -> Vec<(&'static str, Kind)> {
    let repo = has_repo(entity).then_some(("repo", Kind::Text));
    repo.into_iter().chain(entity.fields.iter().map(|field| (field.name, field.kind))).collect()
}

enum Values {
    Texts(Vec<ByteArray>),
    Integers(Vec<i64>),
    Booleans(Vec<bool>),
}

/// One column's part of a row group.
pub(crate) struct Column {
    entity: &'static str,
    pub(crate) name: &'static str,
    kind: Kind,
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

/// A value that is there; of a list, an element.
const THERE: i16 = 1;
/// Of the three levels of a list, as the Parquet format defines it: the list is there and empty; an element is there.
const EMPTY: i16 = 1;
const ELEMENT: i16 = 3;

impl Column {
    pub(crate) fn of(entity: &'static Entity) -> Vec<Self> {
        let column = |(name, kind)| {
            let values = match kind {
                Kind::Boolean => Values::Booleans(Vec::new()),
                Kind::Integer | Kind::Time | Kind::Integers => Values::Integers(Vec::new()),
                Kind::Text | Kind::Texts | Kind::Json => Values::Texts(Vec::new()),
            };
            Self { entity: entity.name, name, kind, values, definitions: Vec::new(), repetitions: Vec::new() }
        };
        columns(entity).into_iter().map(column).collect()
    }

    fn is_list(&self) -> bool {
        matches!(self.kind, Kind::Texts | Kind::Integers)
    }

    /// Takes the value of one row, and tells how many bytes it holds.
    pub(crate) fn push(&mut self, value: Option<&Value>) -> Result<usize, Unfit> {
        let value = value.unwrap_or(&Value::Null);
        if !self.is_list() {
            self.definitions.push(if value.is_null() { 0 } else { THERE });
            return if value.is_null() { Ok(2) } else { self.one(value) };
        }
        let elements = match value {
            Value::Null => &[][..],
            Value::Array(elements) => elements,
            _ => return Err(self.unfit(value)),
        };
        if elements.is_empty() {
            self.definitions.push(EMPTY);
            self.repetitions.push(0);
        }
        let mut size = 4;
        for (place, element) in elements.iter().enumerate() {
            self.definitions.push(ELEMENT);
            self.repetitions.push(i16::from(place > 0));
            size += 4 + self.one(element)?;
        }
        Ok(size)
    }

    fn one(&mut self, value: &Value) -> Result<usize, Unfit> {
        let unfit = || Unfit { entity: self.entity, column: self.name, kind: self.kind, value: value.clone() };
        match &mut self.values {
            Values::Texts(values) => {
                let text = match (self.kind, value) {
                    (Kind::Json, value) => value.to_string(),
                    (_, Value::String(text)) => text.clone(),
                    _ => return Err(unfit()),
                };
                let size = text.len() + 32;
                values.push(ByteArray::from(text.into_bytes()));
                Ok(size)
            }
            Values::Integers(values) => {
                let number = match self.kind {
                    Kind::Time => value.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map(Timestamp::as_microsecond),
                    _ => value.as_i64(),
                };
                values.push(number.ok_or_else(unfit)?);
                Ok(10)
            }
            Values::Booleans(values) => {
                values.push(value.as_bool().ok_or_else(unfit)?);
                Ok(3)
            }
        }
    }

    fn unfit(&self, value: &Value) -> Unfit {
        Unfit { entity: self.entity, column: self.name, kind: self.kind, value: value.clone() }
    }

    /// Writes what waits, and is empty then.
    pub(crate) fn write(&mut self, mut to: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let repetitions = self.is_list().then_some(self.repetitions.as_slice());
        let definitions = Some(self.definitions.as_slice());
        match &mut self.values {
            Values::Texts(values) => {
                to.typed::<ByteArrayType>().write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            Values::Integers(values) => {
                to.typed::<Int64Type>().write_batch(values, definitions, repetitions)?;
                values.clear();
            }
            Values::Booleans(values) => {
                to.typed::<BoolType>().write_batch(values, definitions, repetitions)?;
                values.clear();
            }
        }
        self.definitions.clear();
        self.repetitions.clear();
        to.close()
    }

    fn schema(&self) -> Result<Type, ParquetError> {
        if !self.is_list() {
            return primitive(self.name, self.kind);
        }
        let element = Arc::new(primitive("element", self.kind)?);
        let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED).with_fields(vec![element]).build()?;
        let outer = Type::group_type_builder(self.name).with_repetition(Repetition::OPTIONAL).with_logical_type(Some(LogicalType::List));
        outer.with_fields(vec![Arc::new(list)]).build()
    }
}

fn primitive(name: &str, kind: Kind) -> Result<Type, ParquetError> {
    let (physical, logical) = match kind {
        Kind::Boolean => (Physical::BOOLEAN, None),
        Kind::Integer | Kind::Integers => (Physical::INT64, None),
        // Without a zone, and in UTC: engines that show times in the session's zone would group by its days and weeks.
        Kind::Time => (Physical::INT64, Some(LogicalType::timestamp(false, TimeUnit::MICROS))),
        Kind::Text | Kind::Texts | Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL).with_logical_type(logical).build()
}

pub(crate) fn schema(columns: &[Column]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|column| column.schema().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?))
}
