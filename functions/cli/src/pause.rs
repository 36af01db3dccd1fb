//! `pause` and `resume`: every integration at once. Asks GitHub nothing; webhooks are received all the same.

use crate::arguments::Paused;
use crate::failure::Failure;
use engine::integration;
use std::process::ExitCode;

pub(crate) async fn run(arguments: Paused, paused: bool) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let copy = place.existing("connect").await?;
    let changed = change(&copy.store(), paused).await;
    copy.shutdown().await;
    let names = changed?;
    if names.is_empty() {
        return Err(Failure::Usage(format!("no integration is installed in {place}, so there is nothing to pause. `sei-github connect` installs one")));
    }
    for name in names {
        eprintln!("{name} {}", if paused { "is paused" } else { "goes on" });
    }
    Ok(ExitCode::SUCCESS)
}

async fn change(store: &dyn engine::Store, paused: bool) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for one in integration::integrations(store).await? {
        names.push(integration::change(store, &one.name, |one| one.paused = paused).await?.name);
    }
    Ok(names)
}
