//! `reviews`: a review of a pull request.

use super::{Entity, Field, Group, Kind};

pub static REVIEWS: Entity = Entity {
    name: "reviews",
    about: "A review of a pull request.",
    source: "https://docs.github.com/en/rest/pulls/reviews",
    group: Group::PullRequests,
    fields: &[
        Field::new("pull_request", Kind::Integer, "number"),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("author_association", Kind::Text, ""),
        Field::new("state", Kind::Text, "APPROVED, CHANGES REQUESTED, COMMENTED, DISMISSED or PENDING"),
        Field::new("body", Kind::Text, ""),
        Field::new("commit_id", Kind::Text, "the commit reviewed"),
        Field::new("submitted_at", Kind::Time, ""),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
    ],
};
