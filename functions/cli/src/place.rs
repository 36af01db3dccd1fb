//! Where a copy is: in a directory of this machine, or in a deployed stack. Opens it, and says where its tokens are kept.

use crate::failure::Failure;
use crate::stack::Stack;
use aws::{DynamoStore, FileVault, Writes};
use engine::Vault;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) enum Place {
    Directory(PathBuf),
    Stack(Box<Stack>),
}

/// A copy that is open.
pub(crate) enum Copy {
    Embedded(aws::Embedded),
    Deployed { client: aws_sdk_dynamodb::Client, table: String },
}

impl Place {
    /// Whether there is one already.
    pub(crate) fn is_there(&self) -> bool {
        match self {
            Self::Directory(dir) => aws::Embedded::is_in(dir),
            Self::Stack(_) => true,
        }
    }

    /// As [`Self::open`], if there is one; told what makes one if not.
    pub(crate) async fn existing(&self, maker: &str) -> Result<Copy, Failure> {
        self.require(maker)?;
        self.open().await
    }

    pub(crate) fn require(&self, maker: &str) -> Result<(), Failure> {
        if self.is_there() {
            return Ok(());
        }
        Err(Failure::Usage(format!("there is no copy in {self}. Run `sei-github {maker}` first, or say where it is with --data-dir or --stack")))
    }

    /// Of a directory: for this process alone.
    pub(crate) async fn open(&self) -> Result<Copy, Failure> {
        match self {
            Self::Directory(dir) => Ok(Copy::Embedded(aws::Embedded::open(dir).await?)),
            Self::Stack(stack) => stack.copy(),
        }
    }

    /// Beside whoever has it open.
    pub(crate) async fn join(&self) -> Result<Copy, Failure> {
        match self {
            Self::Directory(dir) => Ok(Copy::Embedded(aws::Embedded::join(dir).await?)),
            Self::Stack(stack) => stack.copy(),
        }
    }

    /// Where tokens are kept, and the name under which those of an integration are: a stack has one secret for all.
    pub(crate) fn vault(&self, integration: &str) -> Result<(Arc<dyn Vault>, String), Failure> {
        match self {
            Self::Directory(dir) => Ok((Arc::new(FileVault::new(dir)), integration.to_lowercase())),
            Self::Stack(stack) => Ok((Arc::new(stack.vault()), stack.output("TokenSecret")?.to_owned())),
        }
    }

    pub(crate) const fn stack(&self) -> Option<&Stack> {
        match self {
            Self::Directory(_) => None,
            Self::Stack(stack) => Some(stack),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(dir) => write!(out, "{}", dir.display()),
            Self::Stack(stack) => write!(out, "the stack {}", stack.name),
        }
    }
}

impl Copy {
    pub(crate) fn store(&self) -> DynamoStore {
        match self {
            Self::Embedded(table) => table.store(),
            Self::Deployed { client, table } => DynamoStore::new(client.clone(), table, Writes::Single),
        }
    }

    pub(crate) async fn shutdown(self) {
        if let Self::Embedded(table) = self {
            table.shutdown().await;
        }
    }
}
