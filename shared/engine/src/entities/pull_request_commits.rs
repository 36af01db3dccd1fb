//! `pull_request_commits`: a commit of a pull request.

use super::{Entity, Field, Group, Kind};

pub static PULL_REQUEST_COMMITS: Entity = Entity {
    name: "pull_request_commits",
    about: "A commit of a pull request.",
    source: "https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request",
    group: Group::PullRequests,
    fields: &[
        Field::new("pull_request", Kind::Integer, "number"),
        Field::new("node_id", Kind::Text, ""),
        Field::new("sha", Kind::Text, ""),
        Field::new("author", Kind::Text, "login; null without an account"),
        Field::new("author_name", Kind::Text, ""),
        Field::new("author_email", Kind::Text, ""),
        Field::new("authored_at", Kind::Time, ""),
        Field::new("committed_at", Kind::Time, ""),
        Field::new("message", Kind::Text, ""),
        Field::new("additions", Kind::Integer, ""),
        Field::new("deletions", Kind::Integer, ""),
    ],
};
