//! `releases`: a release; drafts are listed to those who may push.

use super::{Entity, Field, Group, Kind};

pub static RELEASES: Entity = Entity {
    name: "releases",
    about: "A release; drafts are listed to those who may push.",
    source: "https://docs.github.com/en/rest/releases/releases",
    group: Group::Releases,
    fields: &[
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("tag_name", Kind::Text, ""),
        Field::new("sha", Kind::Text, "the tagged commit"),
        Field::new("name", Kind::Text, ""),
        Field::new("body", Kind::Text, ""),
        Field::new("draft", Kind::Boolean, ""),
        Field::new("prerelease", Kind::Boolean, ""),
        Field::new("state", Kind::Text, "draft, prerelease or published"),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("published_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("html_url", Kind::Text, ""),
    ],
};
