//! The copy as Parquet files that SQL engines and our own reports read. Knows columns, files and a directory of them; reads no table.

mod columns;
mod decode;
mod directory;
mod file;
mod files;
mod journal;
mod manifest;
mod views;

pub use columns::Unfit;
pub use directory::{BUCKETS, Lake, Part, Replaced, bucket};
pub use files::Files;
pub use manifest::{Manifest, Question, Written};
pub use views::{Dialect, views};

/// Why an export stops, or files cannot be read.
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
    #[error("{} has no whole export. Run `sei-github export --all --format parquet --out {}` first", dir.display(), dir.display())]
    Nothing { dir: std::path::PathBuf },
    #[error("cannot read {}: {source}. Export into an empty directory again", path.display())]
    Input {
        path: std::path::PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(transparent)]
    Unfit(#[from] Unfit),
}
