//! `stage_sightings`: what one source told of an item's way over a board; `stage_transitions` follow from them.

use super::{Entity, Field, Group, Kind};

pub static STAGE_SIGHTINGS: Entity = Entity {
    name: "stage_sightings",
    about: "What one source (webhook, timeline, snapshot) told of an item's way over a board; stage_transitions follow from them.",
    source: "https://docs.github.com/en/webhooks/webhook-events-and-payloads#projects_v2_item",
    group: Group::Projects,
    // Stored in this order: new ones go to the end.
    fields: &[
        Field::new("project", Kind::Integer, "number"),
        Field::new("project_node_id", Kind::Text, ""),
        Field::new("item", Kind::Text, "node id; timelines do not tell it"),
        Field::new("content_node_id", Kind::Text, ""),
        Field::new("repo_id", Kind::Integer, "of the issue or pull request"),
        Field::new("number", Kind::Integer, "of the issue or pull request"),
        Field::new("kind", Kind::Text, "issue, pull_request or draft_issue"),
        Field::new("what", Kind::Text, "added, moved, archived, restored or removed"),
        Field::new("field", Kind::Text, "its name at that time"),
        Field::new("field_id", Kind::Text, ""),
        Field::new("from_known", Kind::Boolean, "whether the source told the stage before"),
        Field::new("from", Kind::Text, "name of the option at that time"),
        Field::new("from_id", Kind::Text, ""),
        Field::new("to", Kind::Text, ""),
        Field::new("to_id", Kind::Text, ""),
        Field::new("earliest", Kind::Time, "equal to latest where the source tells the moment"),
        Field::new("latest", Kind::Time, ""),
        Field::new("set_at", Kind::Time, "when GitHub says that the value was set"),
        Field::new("actor", Kind::Text, "login"),
        Field::new("automated", Kind::Boolean, "by a workflow of the project"),
        Field::new("source", Kind::Text, "webhook, timeline or snapshot"),
        Field::new("event", Kind::Text, "node id of the timeline's event"),
    ],
};
