//! `commit_files`: a file changed by a commit.

use super::{Entity, Field, Group, Kind};

pub static COMMIT_FILES: Entity = Entity {
    name: "commit_files",
    about: "A file changed by a commit.",
    source: "https://docs.github.com/en/rest/commits/commits#get-a-commit",
    group: Group::CommitFiles,
    fields: &[
        Field::new("sha", Kind::Text, ""),
        Field::new("path", Kind::Text, ""),
        Field::new("previous_path", Kind::Text, "of a renamed or copied file"),
        Field::new("status", Kind::Text, "added, removed, modified, renamed, copied or changed"),
        Field::new("additions", Kind::Integer, ""),
        Field::new("deletions", Kind::Integer, ""),
        Field::new("changes", Kind::Integer, ""),
        Field::new("committed_at", Kind::Time, ""),
        Field::new("previous_committed_at", Kind::Time, "of the last commit before, merges aside, that changed the file; null for a new one. Computed when it is exported"),
    ],
};
