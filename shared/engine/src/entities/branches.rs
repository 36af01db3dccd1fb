//! `branches`: a branch.

use super::{Entity, Field, Group, Kind};

pub static BRANCHES: Entity = Entity {
    name: "branches",
    about: "A branch.",
    source: "https://docs.github.com/en/graphql/reference/objects#ref",
    group: Group::Always,
    fields: &[
        Field::new("name", Kind::Text, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("sha", Kind::Text, "head commit"),
        Field::new("committed_at", Kind::Time, "of the head"),
        Field::new("author", Kind::Text, "login of the head's author"),
        Field::new("protected", Kind::Boolean, "a rule protects it"),
        Field::new("is_default", Kind::Boolean, ""),
    ],
};
