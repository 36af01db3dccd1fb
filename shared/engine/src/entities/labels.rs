//! `labels`: a label.

use super::{Entity, Field, Group, Kind};

pub static LABELS: Entity = Entity {
    name: "labels",
    about: "A label.",
    source: "https://docs.github.com/en/rest/issues/labels",
    group: Group::Always,
    fields: &[
        Field::new("node_id", Kind::Text, ""),
        Field::new("name", Kind::Text, ""),
        Field::new("color", Kind::Text, ""),
        Field::new("description", Kind::Text, ""),
        Field::new("default", Kind::Boolean, ""),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
    ],
};
