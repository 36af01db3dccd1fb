//! `repositories`: a repository of the organization, all that are selected.

use super::{Entity, Field, Group, Kind};

pub static REPOSITORIES: Entity = Entity {
    name: "repositories",
    about: "A repository of the organization, all that are selected.",
    source: "https://docs.github.com/en/rest/repos/repos",
    group: Group::Always,
    fields: &[
        Field::new("id", Kind::Integer, "numeric id"),
        Field::new("node_id", Kind::Text, "GraphQL id"),
        Field::new("full_name", Kind::Text, "owner/name"),
        Field::new("owner", Kind::Text, "login of the organization"),
        Field::new("name", Kind::Text, ""),
        Field::new("description", Kind::Text, ""),
        Field::new("private", Kind::Boolean, ""),
        Field::new("visibility", Kind::Text, "public, private or internal"),
        Field::new("archived", Kind::Boolean, ""),
        Field::new("fork", Kind::Boolean, ""),
        Field::new("disabled", Kind::Boolean, "switched off by GitHub"),
        Field::new("is_template", Kind::Boolean, ""),
        Field::new("has_issues", Kind::Boolean, ""),
        Field::new("default_branch", Kind::Text, "null if empty"),
        Field::new("language", Kind::Text, "the main one"),
        Field::new("languages", Kind::Json, "bytes by language"),
        Field::new("topics", Kind::Texts, ""),
        Field::new("license", Kind::Text, "SPDX id"),
        Field::new("size", Kind::Integer, "kilobytes"),
        Field::new("stargazers_count", Kind::Integer, ""),
        Field::new("forks_count", Kind::Integer, ""),
        Field::new("html_url", Kind::Text, ""),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("pushed_at", Kind::Time, ""),
        Field::new("state", Kind::Text, "active; gone when deleted, transferred away or no longer visible"),
        Field::new("renamed_from", Kind::Texts, "earlier full names"),
    ],
};
