//! A DynamoDB inside this process, on an SQLite file in the data directory, spoken to through the same SDK as in AWS.
//! Nobody else can reach it unless it is shared.

use crate::dynamo::{DynamoStore, Writes, create_table_if_missing};
use crate::inside::Inside;
use crate::table_inbox::TableInbox;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig};
use engine::{Scratch, StoreError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const TABLE: &str = "sei-github";
/// For git's packs: as much as anybody has to spare for a repository.
const ROOM: u64 = 32 << 30;
const FILE: &str = "sei-github.sqlite";
/// Names the address where the process that holds the directory lets others in.
const SHARED: &str = "address";

pub struct Embedded {
    client: Client,
    /// None of another process's.
    database: Option<dynoxide::Database>,
    /// Where other processes reach it, once they may.
    listening: Option<Listening>,
    /// Held as long as we live.
    _lock: Option<File>,
    /// Tells other processes where it is, as long as we live.
    shared: Option<PathBuf>,
    /// None of a table in memory, or of another process's.
    directory: Option<PathBuf>,
}

struct Listening {
    endpoint: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), String>>,
}

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error("the data directory {} cannot be used: {source}. Choose another with --data-dir, or mend its permissions", dir.display())]
    Directory {
        dir: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the data directory {} is in use by another process ({holder}). Wait until it ends, or choose another with --data-dir", dir.display())]
    Locked { dir: PathBuf, holder: String },
    #[error("the data file {} is damaged or not ours ({why}). Move it away and run the same command again: a sync rebuilds it", file.display())]
    Damaged { file: PathBuf, why: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Embedded {
    /// Whether there is a table in `dir` already.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        dir.join(FILE).exists()
    }

    /// Opens or makes the table in `dir`, for this process alone.
    pub async fn open(dir: &Path) -> Result<Self, EmbeddedError> {
        let directory = |source| EmbeddedError::Directory { dir: dir.to_owned(), source };
        std::fs::create_dir_all(dir).map_err(directory)?;
        let mut lock = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(dir.join("lock")).map_err(directory)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                lock.read_to_string(&mut holder).map_err(directory)?;
                return Err(EmbeddedError::Locked { dir: dir.to_owned(), holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(directory(source)),
        }
        // Of a process that did not live to take it away.
        let _ = std::fs::remove_file(dir.join(SHARED));
        lock.set_len(0).and_then(|()| lock.rewind()).and_then(|()| writeln!(lock, "process {}", std::process::id())).map_err(directory)?;
        let file = dir.join(FILE);
        let database =
            dynoxide::Database::new(&file.to_string_lossy()).map_err(|error| EmbeddedError::Damaged { file: file.clone(), why: error.to_string() })?;
        let embedded = Self { _lock: Some(lock), directory: Some(dir.to_owned()), ..Self::of(database) };
        match create_table_if_missing(&embedded.client, TABLE).await {
            Ok(()) => Ok(embedded),
            Err(error @ StoreError::Unavailable { .. }) => Err(EmbeddedError::Damaged { file, why: error.to_string() }),
            Err(error) => Err(error.into()),
        }
    }

    /// The same or, if a process that holds it lets others in, that one's: for reading while events are received.
    pub async fn join(dir: &Path) -> Result<Self, EmbeddedError> {
        match Self::open(dir).await {
            Err(locked @ EmbeddedError::Locked { .. }) => {
                let Ok(endpoint) = std::fs::read_to_string(dir.join(SHARED)) else { return Err(locked) };
                let client = Client::from_conf(config().credentials_provider(anybody()).endpoint_url(endpoint).build());
                Ok(Self { client, database: None, listening: None, _lock: None, shared: None, directory: None })
            }
            other => other,
        }
    }

    /// Lets other processes of this user in until we end.
    pub async fn share(&mut self, dir: &Path) -> std::io::Result<()> {
        let file = dir.join(SHARED);
        let endpoint = self.listen().await?;
        std::fs::write(&file, endpoint)?;
        self.shared = Some(file);
        Ok(())
    }

    /// A table that ends with the process.
    pub async fn in_memory() -> Result<Self, EmbeddedError> {
        let nowhere = PathBuf::from("memory");
        let database = dynoxide::Database::memory().map_err(|error| EmbeddedError::Damaged { file: nowhere.clone(), why: error.to_string() })?;
        let embedded = Self::of(database);
        create_table_if_missing(&embedded.client, TABLE).await?;
        Ok(embedded)
    }

    fn of(database: dynoxide::Database) -> Self {
        // Nobody would check a signature, and nothing can stall: what is left out is a quarter of a request's work.
        let inside = config().http_client(Inside(database.clone())).endpoint_url("http://inside").allow_no_auth();
        let client = Client::from_conf(inside.stalled_stream_protection(StalledStreamProtectionConfig::disabled()).build());
        Self { client, database: Some(database), listening: None, _lock: None, shared: None, directory: None }
    }

    /// Where other processes of this machine reach it from now on.
    pub async fn listen(&mut self) -> std::io::Result<&str> {
        let listening = match (self.listening.take(), &self.database) {
            (Some(listening), _) => listening,
            (None, Some(database)) => Listening::start(database.clone()).await?,
            (None, None) => return Err(std::io::Error::other("the table is another process's")),
        };
        Ok(&self.listening.insert(listening).endpoint)
    }

    #[must_use]
    pub fn store(&self) -> DynamoStore {
        DynamoStore::new(self.client.clone(), TABLE, Writes::Transactions)
    }

    /// Disk beside the table for git's packs.
    pub fn scratch(&self) -> Result<Arc<Scratch>, EmbeddedError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let elsewhere = || std::env::temp_dir().join(format!("sei-github-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
        let dir = self.directory.as_ref().map_or_else(elsewhere, |directory| directory.join("scratch"));
        Ok(Arc::new(Scratch::new(&dir, ROOM).map_err(|source| EmbeddedError::Directory { dir, source })?))
    }

    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Events that wait in it.
    #[must_use]
    pub fn inbox(&self) -> TableInbox {
        TableInbox::new(self.client.clone(), TABLE)
    }

    /// Lets what is under way end, then closes the file.
    pub async fn shutdown(mut self) {
        if let Some(file) = self.shared.take() {
            let _ = std::fs::remove_file(file);
        }
        if let Some(listening) = self.listening.take() {
            let _ = listening.stop.send(());
            let _ = tokio::time::timeout(std::time::Duration::from_secs(5), listening.server).await;
        }
    }
}

impl Listening {
    async fn start(database: dynoxide::Database) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
            let _ = stopped.await;
        }));
        Ok(Self { endpoint, stop, server })
    }
}

fn config() -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::Config::builder().behavior_version(BehaviorVersion::latest()).region(Region::from_static("us-east-1"))
}

/// What another process's table is asked with: it takes any.
fn anybody() -> Credentials {
    Credentials::new("embedded", "embedded", None, None, "embedded")
}
