//! `export --format parquet`: puts rows into a directory of files for SQL engines, and prints the views over them.

use super::rows::Rows;
use crate::arguments::{Dialect, Export};
use crate::failure::Failure;
use crate::source::matcher;
use crate::sync::date;
use engine::ScopeId;
use engine::entities::{self, Entity};
use engine::export::Filter;
use indicatif::HumanCount;
use lake::{BUCKETS, Lake, LakeError, Question, Replaced, bucket};
use std::collections::BTreeMap;
use std::path::Path;

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::Output { source, .. } if source.kind() == std::io::ErrorKind::BrokenPipe => Self::Output(source),
            LakeError::Busy { .. } | LakeError::Strange { .. } => Self::Usage(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// `chosen` are the entities; all others stay in the directory as they are.
pub(super) async fn run(arguments: &Export, chosen: &[&'static Entity]) -> Result<(), Failure> {
    let Some(dir) = arguments.out.as_deref() else {
        return Err(Failure::Usage("Parquet is a directory of files: say where with --out DIR".to_owned()));
    };
    if arguments.deleted {
        return Err(Failure::Usage("Parquet files hold what is there. --deleted is for ndjson and csv".to_owned()));
    }
    since(arguments, dir)?;
    let takes = matcher(&arguments.repo)?;
    let place = arguments.place.find().await?;
    place.require("sync")?;
    let question = Question { of: place.to_string(), entities: chosen.iter().map(|entity| entity.name.to_owned()).collect(), repos: arguments.repo.clone() };
    let mut lake = Lake::open(dir, question, jiff::Timestamp::now())?;
    if lake.done() > 0 {
        eprintln!("going on with the export that began at {:.0}: {} files are done", lake.began_at(), lake.done());
    }
    let table = place.join().await?;
    let store = table.store();
    let done = write(&store, &mut lake, chosen, &takes).await;
    table.shutdown().await;
    let (files, replaced) = done?;
    let manifest = lake.finish()?;
    eprintln!("{}: {files} files, {replaced} replaced; as of {:.0}. views.sql there has the views for DuckDB", dir.display(), manifest.as_of);
    Ok(())
}

/// What changed since then is found only if all that was there then is in the directory.
fn since(arguments: &Export, dir: &Path) -> Result<(), Failure> {
    let Some(since) = arguments.since.as_deref().map(date).transpose()? else { return Ok(()) };
    match Lake::manifest(dir)? {
        Some(manifest) if manifest.as_of >= since => Ok(()),
        Some(manifest) => Err(Failure::Usage(format!(
            "{} is as of {:.0}: what changed between that and --since would be unknown. Leave --since out: only files whose rows changed are replaced, anyway",
            dir.display(),
            manifest.as_of
        ))),
        None => Err(Failure::Usage(format!("there is no whole export in {} that --since could go on from. Leave --since out the first time", dir.display()))),
    }
}

async fn write(
    store: &dyn engine::Store,
    lake: &mut Lake,
    chosen: &[&'static Entity],
    takes: &(dyn Fn(&str) -> bool + Send + Sync),
) -> Result<(u64, u64), Failure> {
    let filter = Filter::default();
    let rows = Rows::new(store, &filter, takes).await?;
    let (mut files, mut replaced) = (0, 0);
    for entity in chosen {
        let mut buckets: BTreeMap<u64, Vec<ScopeId>> = (0..BUCKETS).map(|bucket| (bucket, Vec::new())).collect();
        for scope in rows.scopes(entity).await? {
            buckets.entry(bucket(scope)).or_default().push(scope);
        }
        let mut count = 0;
        for (bucket, mut scopes) in buckets {
            if lake.has(entity, bucket) {
                continue;
            }
            if scopes.is_empty() && bucket > 0 {
                lake.empty(entity, bucket)?;
                continue;
            }
            scopes.sort_unstable();
            let mut part = lake.part(entity, bucket)?;
            for scope in scopes {
                // The rows' reader knows of input and output only: what else is wrong is kept aside.
                let mut wrong = None;
                let mut each = |row| {
                    part.row(&row).map_err(|error| {
                        wrong = Some(error);
                        std::io::Error::other("a row cannot be written")
                    })
                };
                let read = rows.of(entity, scope, &mut each).await;
                match wrong {
                    Some(error) => return Err(error.into()),
                    None => read?,
                }
            }
            count += part.rows();
            files += u64::from(part.rows() > 0 || bucket == 0);
            replaced += u64::from(part.finish()? == Replaced::Yes);
        }
        eprintln!("{}: {} rows", entity.name, HumanCount(count));
    }
    Ok((files, replaced))
}

pub(super) fn views(arguments: &Export, dialect: Dialect) -> Result<(), Failure> {
    let Some(dir) = arguments.out.as_deref() else {
        return Err(Failure::Usage("say with --out which directory the views are of: they have its entities".to_owned()));
    };
    let manifest = Lake::manifest(dir)?.ok_or_else(|| {
        Failure::Usage(format!("there is no whole export in {}. Run `sei-github export --all --format parquet --out {}` first", dir.display(), dir.display()))
    })?;
    let sql = match (dialect, &arguments.location) {
        (Dialect::Duckdb, location) => {
            let here = std::path::absolute(dir)?.to_string_lossy().into_owned();
            lake::views(lake::Dialect::DuckDb, location.as_deref().unwrap_or(&here), &manifest)
        }
        (Dialect::Athena, Some(location)) => lake::views(lake::Dialect::Athena, location, &manifest),
        (Dialect::Athena, None) => return Err(Failure::Usage("say with --location s3://BUCKET/PREFIX where Athena finds the files".to_owned())),
    };
    print!("{sql}");
    Ok(())
}

/// What `entity` or `--all` chooses.
pub(super) fn chosen(arguments: &Export, one: Option<&'static Entity>) -> Vec<&'static Entity> {
    if arguments.all { entities::ALL.to_vec() } else { one.into_iter().collect() }
}
