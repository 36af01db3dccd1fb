//! `import`: makes a copy in a directory of what DynamoDB exported to S3, for every command that reads one.

use crate::arguments::Import;
use crate::failure::Failure;
use crate::place::Place;
use aws::{Embedded, Exported, ExportedError};
use indicatif::HumanCount;
use std::path::PathBuf;
use std::process::ExitCode;

impl From<ExportedError> for Failure {
    fn from(error: ExportedError) -> Self {
        match error {
            ExportedError::Store(error) => Self::Store(error),
            ExportedError::Nothing { .. } | ExportedError::Several { .. } | ExportedError::Other { .. } => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

pub(crate) async fn run(arguments: Import) -> Result<ExitCode, Failure> {
    let Place::Directory(dir) = arguments.place.find().await? else {
        return Err(Failure::Usage("import makes a copy in a directory: name it with --data-dir".to_owned()));
    };
    if dir.exists() {
        return Err(Failure::Usage(format!("{} is there already: nothing is written over it. Name a new directory with --data-dir", dir.display())));
    }
    let export = Exported::find(&arguments.export)?;
    // Under another name until all is in: half a copy would look like one.
    let mut unfinished = dir.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    match std::fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let table = Embedded::open(&unfinished).await?;
    let (mut told, items) = (0, export.items);
    let mut each = |taken: u64| {
        // Every hundred thousand: enough to see that it goes on.
        if taken / 100_000 > told {
            told = taken / 100_000;
            eprintln!("{} of {} items", HumanCount(taken), HumanCount(items));
        }
    };
    let done = table.take_in(&export, &mut each).await;
    table.shutdown().await;
    done?;
    std::fs::rename(&unfinished, &dir)?;
    eprintln!("{}: {} items, as of {}. Read it with --data-dir {}", dir.display(), HumanCount(items), export.as_of, dir.display());
    Ok(ExitCode::SUCCESS)
}
