//! `milestones`: a milestone.

use super::{Entity, Field, Group, Kind};

pub static MILESTONES: Entity = Entity {
    name: "milestones",
    about: "A milestone.",
    source: "https://docs.github.com/en/rest/issues/milestones",
    group: Group::Always,
    fields: &[
        Field::new("number", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("title", Kind::Text, ""),
        Field::new("description", Kind::Text, ""),
        Field::new("state", Kind::Text, "open or closed"),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("closed_at", Kind::Time, ""),
        Field::new("due_on", Kind::Time, ""),
    ],
};
