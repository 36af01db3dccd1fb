//! A row as its fields are looked at, wherever it is kept: nothing is copied to be looked at once. Knows no entity.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Of what is absent, null or of another kind there is none.
pub trait Row {
    fn text(&self, name: &str) -> Option<&str>;
    fn number(&self, name: &str) -> Option<u64>;
    fn flag(&self, name: &str) -> Option<bool>;
    fn time(&self, name: &str) -> Option<Timestamp>;
    /// How many elements a list has; none in what is no list.
    fn count(&self, name: &str) -> usize;
}

impl Row for Map<String, Value> {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.get(name)?.as_bool()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        self.get(name)?.as_str()?.parse().ok()
    }

    fn count(&self, name: &str) -> usize {
        self.get(name).and_then(Value::as_array).map_or(0, Vec::len)
    }
}
