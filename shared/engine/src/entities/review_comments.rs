//! `review_comments`: a comment on a line or file of a pull request.

use super::{Entity, Field, Group, Kind};

pub static REVIEW_COMMENTS: Entity = Entity {
    name: "review_comments",
    about: "A comment on a line or file of a pull request.",
    source: "https://docs.github.com/en/rest/pulls/comments",
    group: Group::PullRequests,
    fields: &[
        Field::new("pull_request", Kind::Integer, "number"),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("author_association", Kind::Text, ""),
        Field::new("body", Kind::Text, ""),
        Field::new("path", Kind::Text, ""),
        Field::new("line", Kind::Integer, ""),
        Field::new("original_line", Kind::Integer, ""),
        Field::new("side", Kind::Text, ""),
        Field::new("commit_id", Kind::Text, ""),
        Field::new("original_commit_id", Kind::Text, ""),
        Field::new("in_reply_to_id", Kind::Integer, ""),
        Field::new("pull_request_review_id", Kind::Integer, ""),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("html_url", Kind::Text, ""),
    ],
};
