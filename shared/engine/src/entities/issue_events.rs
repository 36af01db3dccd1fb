//! `issue_events`: what happened to an issue or pull request; comes with its group.

use super::{Entity, Field, Group, Kind};

pub static ISSUE_EVENTS: Entity = Entity {
    name: "issue_events",
    about: "What happened to an issue or pull request; comes with its group.",
    source: "https://docs.github.com/en/rest/using-the-rest-api/issue-event-types",
    group: Group::Always,
    fields: &[
        Field::new("number", Kind::Integer, ""),
        Field::new("on", Kind::Text, "issue or pull request"),
        Field::new("node_id", Kind::Text, ""),
        Field::new("event", Kind::Text, "as REST names it"),
        Field::new("actor", Kind::Text, "login; null if the account was deleted"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("label", Kind::Text, ""),
        Field::new("assignee", Kind::Text, "login"),
        Field::new("milestone", Kind::Text, "title"),
        Field::new("from", Kind::Text, "title, ref, sha or status before"),
        Field::new("to", Kind::Text, "the same after"),
        Field::new("source", Kind::Text, "owner/name#number of the other issue or pull request"),
        Field::new("commit_id", Kind::Text, ""),
        Field::new("requested_reviewer", Kind::Text, "login"),
        Field::new("requested_team", Kind::Text, "slug"),
        Field::new("details", Kind::Json, "what else the event says"),
    ],
};
