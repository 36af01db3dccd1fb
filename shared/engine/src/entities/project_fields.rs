//! `project_fields`: a field of a project, with its options or iterations.

use super::{Entity, Field, Group, Kind};

pub static PROJECT_FIELDS: Entity = Entity {
    name: "project_fields",
    about: "A field of a project, with its options or iterations.",
    source: "https://docs.github.com/en/graphql/reference/unions#projectv2fieldconfiguration",
    group: Group::Projects,
    fields: &[
        Field::new("project", Kind::Integer, "number"),
        Field::new("project_node_id", Kind::Text, ""),
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("name", Kind::Text, ""),
        Field::new("data_type", Kind::Text, "as GitHub names it, e.g. SINGLE_SELECT"),
        Field::new("options", Kind::Json, "of a single select: id, name, color, description; in the order of the columns"),
        Field::new("former_options", Kind::Json, "what options were called before: id, name, until (when another name was read)"),
        Field::new("iterations", Kind::Json, "id, title, start_date, duration (days), completed"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
    ],
};
