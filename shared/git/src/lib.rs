//! What commits changed, from git's own objects: packs go in, files with their line counts come out, as
//! `git log --numstat -M --first-parent -m` tells them. Never asks the network, and knows nothing of GitHub.

mod contents;
mod history;
mod lines;
mod packs;
mod recent;
mod renames;
mod trees;

pub use history::{Change, Changed, History, Status};
pub use packs::{Packs, receive};

/// The name of an object: SHA-1, as GitHub has it.
pub use gix_hash::ObjectId;

/// What went wrong, by what the caller should do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is in none of the packs: ask for it, or go without.
    #[error("object {0} is in none of the packs")]
    Missing(ObjectId),
    /// Damaged or cut short: fetch it again.
    #[error("the pack cannot be read: {0}")]
    Broken(String),
    /// More than the caller said it has room for.
    #[error("the pack is larger than {0} bytes")]
    TooLarge(u64),
    /// The disk is full, or may not be written to.
    #[error("the pack cannot be kept: {0}")]
    Disk(#[from] std::io::Error),
}
