//! `stage_transitions`: each move over a board once, as all sources together tell it. Computed when it is exported.

use super::{Entity, Field, Group, Kind};

pub static STAGE_TRANSITIONS: Entity = Entity {
    name: "stage_transitions",
    about: "Each move of an issue, pull request or draft over a project's board, once, as webhooks, timelines and readings of the board together tell it. \
            Computed from stage_sightings when it is exported.",
    source: "https://docs.github.com/en/issues/planning-and-tracking-with-projects/learning-about-projects/about-projects",
    group: Group::Projects,
    fields: &[
        Field::new("project", Kind::Integer, "number"),
        Field::new("project_node_id", Kind::Text, ""),
        Field::new("item", Kind::Text, "node id; null where only a timeline tells of it"),
        Field::new("repo", Kind::Text, "owner/name as it is now; null for a draft"),
        Field::new("number", Kind::Integer, "of the issue or pull request; null for a draft"),
        Field::new("type", Kind::Text, "issue, pull_request or draft_issue; null where only a timeline tells of it"),
        Field::new("place", Kind::Integer, "among the moves of the same issue, pull request or draft, from 0: of two at one moment, which came first"),
        Field::new("field", Kind::Text, ""),
        Field::new("what", Kind::Text, "added, moved, archived, restored or removed"),
        Field::new("from", Kind::Text, "stage by its present name; null for none"),
        Field::new("to", Kind::Text, ""),
        Field::new("at", Kind::Time, "the moment or, where only its bounds are known, the best guess"),
        Field::new("earliest", Kind::Time, ""),
        Field::new("latest", Kind::Time, ""),
        Field::new("certainty", Kind::Text, "exact, or between (earliest and latest)"),
        Field::new("actor", Kind::Text, "login; null if nobody told"),
        Field::new("automated", Kind::Boolean, "by a workflow of the project; null if nobody told"),
        Field::new("source", Kind::Text, "webhook, timeline or snapshot"),
    ],
};
