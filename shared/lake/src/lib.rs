//! The copy as Parquet files that SQL engines read. Knows columns, files and a directory of them; reads no table.

mod columns;
mod directory;
mod file;
mod journal;
mod manifest;
mod views;

pub use columns::Unfit;
pub use directory::{BUCKETS, Lake, Part, Replaced, bucket};
pub use manifest::{Manifest, Question, Written};
pub use views::{Dialect, views};

/// Why an export stops.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("cannot write {}: {source}", path.display())]
    Output {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("another export writes into {} at present. Wait until it ends, or choose another directory", dir.display())]
    Busy { dir: std::path::PathBuf },
    #[error("{} is of another version of sei-github, or damaged. Choose an empty directory for --out", path.display())]
    Strange { path: std::path::PathBuf },
    #[error(transparent)]
    Unfit(#[from] Unfit),
}
