//! `deployments`: a deployment and its statuses.

use super::{Entity, Field, Group, Kind};

pub static DEPLOYMENTS: Entity = Entity {
    name: "deployments",
    about: "A deployment and its statuses.",
    source: "https://docs.github.com/en/rest/deployments/deployments",
    group: Group::Deployments,
    fields: &[
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("sha", Kind::Text, ""),
        Field::new("ref", Kind::Text, ""),
        Field::new("task", Kind::Text, ""),
        Field::new("environment", Kind::Text, ""),
        Field::new("description", Kind::Text, ""),
        Field::new("state", Kind::Text, "of the latest status"),
        Field::new("author", Kind::Text, "login; null if the account was deleted"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
        Field::new("statuses", Kind::Json, "list of {state, created at, author, environment, description}, oldest first"),
    ],
};
