//! `issue_comments`: a comment on an issue or in the conversation of a pull request; comes with its group.

use super::{Entity, Field, Group, Kind};

pub static ISSUE_COMMENTS: Entity = Entity {
    name: "issue_comments",
    about: "A comment on an issue or in the conversation of a pull request; comes with its group.",
    source: "https://docs.github.com/en/rest/issues/comments",
    group: Group::Always,
    fields: &[
        Field::new("number", Kind::Integer, ""),
        Field::new("on", Kind::Text, "issue or pull request"),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("author_association", Kind::Text, ""),
        Field::new("body", Kind::Text, ""),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("html_url", Kind::Text, ""),
    ],
};
