//! `issues`: an issue. Pull requests are not issues.

use super::{Entity, Field, Group, Kind};

pub static ISSUES: Entity = Entity {
    name: "issues",
    about: "An issue. Pull requests are not issues.",
    source: "https://docs.github.com/en/rest/issues/issues",
    group: Group::Issues,
    fields: &[
        Field::new("number", Kind::Integer, ""),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("state", Kind::Text, "open or closed"),
        Field::new("state_reason", Kind::Text, "completed, not planned, duplicate or reopened"),
        Field::new("type", Kind::Text, "name of the issue type"),
        Field::new("title", Kind::Text, ""),
        Field::new("body", Kind::Text, ""),
        Field::new("locked", Kind::Boolean, ""),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("author_association", Kind::Text, ""),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("closed_at", Kind::Time, ""),
        Field::new("closed_by", Kind::Text, "login; null while open"),
        Field::new("labels", Kind::Texts, ""),
        Field::new("assignees", Kind::Texts, "logins"),
        Field::new("milestone", Kind::Text, "title"),
        Field::new("milestone_number", Kind::Integer, ""),
        Field::new("comments", Kind::Integer, "count"),
        Field::new("parent", Kind::Text, "owner/name#number of the parent issue"),
        Field::new("parent_number", Kind::Integer, "number, if the parent is in this repository"),
        Field::new("sub_issues", Kind::Integers, "numbers, of this repository"),
        Field::new("sub_issues_elsewhere", Kind::Texts, "owner/name#number"),
        Field::new("html_url", Kind::Text, ""),
    ],
};
