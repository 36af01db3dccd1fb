//! `pull_request_files`: a file changed by a pull request.

use super::{Entity, Field, Group, Kind};

pub static PULL_REQUEST_FILES: Entity = Entity {
    name: "pull_request_files",
    about: "A file changed by a pull request.",
    source: "https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files",
    group: Group::PullRequests,
    fields: &[
        Field::new("pull_request", Kind::Integer, "number"),
        Field::new("path", Kind::Text, ""),
        Field::new("status", Kind::Text, "added, removed, modified, renamed, copied or changed"),
        Field::new("additions", Kind::Integer, ""),
        Field::new("deletions", Kind::Integer, ""),
        Field::new("changes", Kind::Integer, ""),
    ],
};
