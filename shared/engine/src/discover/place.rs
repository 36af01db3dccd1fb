//! How far a discovery has come that ran out of time, or of budget: the next page, and what was seen on those before.
//! Reads nothing.

use super::Found;
use super::turn::Turn;
use crate::circle::Circle;
use crate::model::ScopeId;
use crate::node::padded;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// So long it is gone on with. What was read is older than it seems by as much.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(6);

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    pub(super) began: Option<Timestamp>,
    /// GitHub's cursor; none: at the first page.
    pub(super) after: Option<String>,
    pub(super) circle: Circle,
    /// All repositories were seen; people and projects were not.
    pub(super) listed: bool,
    pub(super) turn: Option<Turn>,
    pub(super) found: Found,
}

impl Place {
    /// The same while it is good, else the beginning; and whether it is the same.
    pub(super) fn resumed(place: Option<Self>, now: Timestamp) -> (Self, bool) {
        let good = |place: &Self| place.began.is_some_and(|began| now.duration_since(began) < GOOD_FOR);
        place.filter(good).map_or_else(|| (Self { began: Some(now), ..Self::default() }, false), |place| (place, true))
    }
}

/// Keys that are padded ids, in order, as the distance of each from the one before: tens of thousands fit into an item.
pub(super) fn write<S: Serializer>(keys: &BTreeSet<String>, to: S) -> Result<S::Ok, S::Error> {
    let ids = keys.iter().filter_map(|key| key.parse::<ScopeId>().ok());
    to.collect_seq(ids.scan(0, |before, id| Some(id - std::mem::replace(before, id))))
}

pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<String>, D::Error> {
    let distances = Vec::<ScopeId>::deserialize(from)?;
    let ids = distances.into_iter().scan(0, |id: &mut ScopeId, distance| {
        *id = id.checked_add(distance)?;
        Some(*id)
    });
    Ok(ids.map(padded).collect())
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::node::padded;

    /// DynamoDB takes 400 KB an item. <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
    #[test]
    fn fifty_thousand_repositories_fit_into_an_item_and_are_read_back() {
        let mut place = Place::default();
        // As far apart as if each were one of ten thousand of all that there are.
        place.found.listed = (1..=50_000_u64).map(|index| padded(index * 20_011 + index % 97)).collect();
        let text = serde_json::to_string(&place).unwrap_or_default();
        assert!(text.len() < 350_000, "{} bytes", text.len());
        let read: Place = serde_json::from_str(&text).unwrap_or_default();
        assert_eq!(read.found.listed, place.found.listed);
    }
}
