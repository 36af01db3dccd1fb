//! `users`: a member of the organization, or anybody who authored something that is copied.

use super::{Entity, Field, Group, Kind};

pub static USERS: Entity = Entity {
    name: "users",
    about: "A member of the organization, or anybody who authored something that is copied.",
    source: "https://docs.github.com/en/rest/users/users",
    group: Group::Always,
    fields: &[
        Field::new("id", Kind::Integer, ""),
        Field::new("node_id", Kind::Text, ""),
        Field::new("login", Kind::Text, ""),
        Field::new("name", Kind::Text, ""),
        Field::new("type", Kind::Text, "User, Bot, Mannequin or Organization"),
        Field::new("is_bot", Kind::Boolean, ""),
    ],
};
