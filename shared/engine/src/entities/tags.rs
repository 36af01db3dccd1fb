//! `tags`: a tag.

use super::{Entity, Field, Group, Kind};

pub static TAGS: Entity = Entity {
    name: "tags",
    about: "A tag.",
    source: "https://docs.github.com/en/graphql/reference/objects#ref",
    group: Group::Always,
    fields: &[
        Field::new("name", Kind::Text, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("sha", Kind::Text, "the commit, annotations followed; null if it tags a tree or a file"),
        Field::new("annotated", Kind::Boolean, ""),
        Field::new("message", Kind::Text, "of an annotated tag"),
        Field::new("author", Kind::Text, "tagger's login, else the commit's author"),
        Field::new("tagged_at", Kind::Time, "of an annotated tag, else the commit's date"),
    ],
};
