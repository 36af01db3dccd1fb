//! What is at one side of a difference, as git compares it. Knows nothing of lines.

use crate::Error;
use crate::packs::Reader;
use crate::trees::Side;
use gix_object::tree::EntryKind;
use std::sync::Arc;

/// Git looks for a NUL in so many bytes to tell whether a file is text.
const LOOKED_AT: usize = 8000;

#[derive(Clone)]
pub(crate) enum Content {
    Text(Arc<[u8]>),
    Binary(Arc<[u8]>),
    /// Too large to be looked into.
    Huge,
}

impl Content {
    pub(crate) fn read(reader: &mut Reader<'_>, side: Side) -> Result<Self, Error> {
        if side.kind == EntryKind::Commit {
            return Ok(Self::Text(format!("Subproject commit {}\n", side.id).into_bytes().into()));
        }
        Ok(match reader.blob(&side.id)? {
            None => Self::Huge,
            Some(data) if memchr::memchr(0, &data[..data.len().min(LOOKED_AT)]).is_some() => Self::Binary(data),
            Some(data) => Self::Text(data),
        })
    }

    /// Nothing, on the other side of what was added or removed.
    pub(crate) fn none() -> Self {
        Self::Text(Arc::from([]))
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(data) | Self::Binary(data) => Some(data),
            Self::Huge => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&[u8]> {
        if let Self::Text(data) = self { Some(data) } else { None }
    }
}
