//! `review_requests`: a request for review, kept after it was answered or withdrawn.

use super::{Entity, Field, Group, Kind};

pub static REVIEW_REQUESTS: Entity = Entity {
    name: "review_requests",
    about: "A request for review, kept after it was answered or withdrawn.",
    source: "https://docs.github.com/en/graphql/reference/objects#reviewrequestedevent",
    group: Group::PullRequests,
    fields: &[
        Field::new("pull_request", Kind::Integer, "number"),
        Field::new("node_id", Kind::Text, "of the event that asked"),
        Field::new("author", Kind::Text, "who asked"),
        Field::new("reviewer", Kind::Text, "login"),
        Field::new("team", Kind::Text, "slug"),
        Field::new("requested_at", Kind::Time, ""),
        Field::new("removed_at", Kind::Time, "when it was withdrawn"),
    ],
};
