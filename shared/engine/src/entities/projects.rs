//! `projects`: a project (Projects v2) of an organization.

use super::{Entity, Field, Group, Kind};

pub static PROJECTS: Entity = Entity {
    name: "projects",
    about: "A project (Projects v2) of an organization.",
    source: "https://docs.github.com/en/graphql/reference/objects#projectv2",
    group: Group::Projects,
    fields: &[
        Field::new("number", Kind::Integer, ""),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("title", Kind::Text, ""),
        Field::new("short_description", Kind::Text, ""),
        Field::new("readme", Kind::Text, ""),
        Field::new("state", Kind::Text, "open or closed"),
        Field::new("public", Kind::Boolean, ""),
        Field::new("template", Kind::Boolean, ""),
        Field::new("creator", Kind::Text, "login; null if the account was deleted"),
        Field::new("repositories", Kind::Texts, "owner/name of those that it is linked to, the first hundred"),
        Field::new("items", Kind::Integer, "count, archived ones included where GitHub lists them"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("closed_at", Kind::Time, ""),
        Field::new("html_url", Kind::Text, ""),
    ],
};
