//! `commits`: a commit of the default branch, now or once.

use super::{Entity, Field, Group, Kind};

pub static COMMITS: Entity = Entity {
    name: "commits",
    about: "A commit of the default branch, now or once.",
    source: "https://docs.github.com/en/rest/commits/commits",
    group: Group::Commits,
    fields: &[
        Field::new("sha", Kind::Text, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("author_name", Kind::Text, ""),
        Field::new("author_email", Kind::Text, ""),
        Field::new("author_login", Kind::Text, "null without an account"),
        Field::new("authored_at", Kind::Time, ""),
        Field::new("committer_name", Kind::Text, ""),
        Field::new("committer_email", Kind::Text, ""),
        Field::new("committer_login", Kind::Text, "null without an account"),
        Field::new("committed_at", Kind::Time, ""),
        Field::new("message", Kind::Text, ""),
        Field::new("parents", Kind::Texts, "shas"),
        Field::new("additions", Kind::Integer, ""),
        Field::new("deletions", Kind::Integer, ""),
        Field::new("changed_files", Kind::Integer, ""),
        Field::new("on_default_branch", Kind::Boolean, "false of a commit that is on other branches only, or that a force push left behind"),
        Field::new("co_authors", Kind::Texts, "name and address from the trailers"),
        Field::new("pull_requests", Kind::Integers, "numbers"),
        Field::new("html_url", Kind::Text, ""),
    ],
};
