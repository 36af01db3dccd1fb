//! `teams`: a team with its members and repositories.

use super::{Entity, Field, Group, Kind};

pub static TEAMS: Entity = Entity {
    name: "teams",
    about: "A team with its members and repositories.",
    source: "https://docs.github.com/en/rest/teams/teams",
    group: Group::Teams,
    fields: &[
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("slug", Kind::Text, ""),
        Field::new("name", Kind::Text, ""),
        Field::new("description", Kind::Text, ""),
        Field::new("privacy", Kind::Text, "closed or secret"),
        Field::new("parent", Kind::Text, "slug of the parent team"),
        Field::new("members", Kind::Texts, "logins"),
        Field::new("repositories", Kind::Texts, "owner/name"),
        Field::new("created_at", Kind::Time, ""),
        Field::new("updated_at", Kind::Time, ""),
    ],
};
