//! `project_items`: an issue, pull request or draft on a project's board, with the values of its fields.

use super::{Entity, Field, Group, Kind};

pub static PROJECT_ITEMS: Entity = Entity {
    name: "project_items",
    about: "An issue, pull request or draft on a project's board, with the values of its fields.",
    source: "https://docs.github.com/en/graphql/reference/objects#projectv2item",
    group: Group::Projects,
    fields: &[
        Field::new("project", Kind::Integer, "number"),
        Field::new("project_node_id", Kind::Text, ""),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("type", Kind::Text, "issue, pull_request, draft_issue or redacted (the token may not see it)"),
        Field::new("archived", Kind::Boolean, ""),
        Field::new("repo_id", Kind::Integer, "of the issue or pull request"),
        Field::new("repo_name", Kind::Text, "owner/name when it was read"),
        Field::new("number", Kind::Integer, "of the issue or pull request; null for a draft"),
        Field::new("content_node_id", Kind::Text, ""),
        Field::new("title", Kind::Text, "of the content, as labels, assignees and milestone, when the board was last read"),
        Field::new("creator", Kind::Text, "login; null if the account was deleted"),
        Field::new("values", Kind::Json, "by the field's name: text, number, date, option, {title, start_date, duration}"),
        Field::new("single_selects", Kind::Json, "by the field's node id: field, option_id, name, updated_at"),
        Field::new("labels", Kind::Texts, "of the issue or pull request"),
        Field::new("assignees", Kind::Texts, "logins"),
        Field::new("milestone", Kind::Text, "title"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("read_updated_at", Kind::Time, "updated_at when the board was last read; webhooks do not change it"),
    ],
};
