//! `connect`: installs an integration, by dialogue, by flags or from a file; checks that it can work, and saves it.
//! What is asked, `dialogue` knows.

use crate::arguments::Connect;
use crate::check::{code, is_coloured, look, tell};
use crate::config;
use crate::dialogue;
use crate::failure::Failure;
use crate::integrations::describe;
use crate::source::{Chosen, credentials};
use crate::sync::{date, groups};
use aws::FileVault;
use engine::check::{Report, Verdict};
use engine::{Credential, Credentials, Integration, StoreError, Vault, integration};
use github::ApiUrl;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn run(arguments: Connect) -> Result<ExitCode, Failure> {
    let dir = arguments.place.data_dir.clone();
    let mut given = None;
    let mut new = if let Some(file) = &arguments.config {
        config::read(file)?
    } else if arguments.no_input {
        by_flags(&arguments)?
    } else {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let told = "a dialogue needs a terminal. Say --no-input and the rest by flags, or --config FILE";
            return Err(Failure::Usage(told.to_owned()));
        }
        match dialogue::ask(&arguments).await? {
            Some((new, credentials)) => {
                given = credentials;
                new
            }
            None => return Ok(ExitCode::FAILURE),
        }
    };
    if arguments.keep_token {
        given = Some(credentials()?);
        new.credentials = Credentials::Stored;
    }
    new.validate()?;
    is_free(&new, &dir).await?;
    // The dialogue has shown its check already, and was told what to make of it.
    if (arguments.config.is_some() || arguments.no_input) && !arguments.no_check {
        let report = checked(&new, given.as_deref(), &dir).await?;
        if report.verdict != Verdict::Works {
            eprintln!("sei-github: nothing was saved. Mend what fails above, choose less, or say --no-check");
            return Ok(code(report.verdict));
        }
    }
    save(&new, given.as_deref(), &dir).await?;
    print!("{}", describe(&new));
    let place = if dir == Path::new(".sei-github") { String::new() } else { format!(" --data-dir {}", dir.display()) };
    eprintln!("\nSaved. Next:  sei-github plan{place}     what a first sync will take\n              sei-github sync{place}     the copy itself");
    Ok(ExitCode::SUCCESS)
}

fn by_flags(arguments: &Connect) -> Result<Integration, Failure> {
    if arguments.org.is_empty() {
        return Err(Failure::Usage("name at least one organization with --org".to_owned()));
    }
    let url = arguments.api_url.as_deref().unwrap_or("https://api.github.com");
    ApiUrl::parse(url)?;
    let name = arguments.name.clone().unwrap_or_else(|| arguments.org.first().map(|org| org.to_lowercase()).unwrap_or_default());
    let mut new = Integration::new(&name, url, arguments.org.clone(), Credentials::Environment);
    chosen_by_flags(arguments, &mut new)?;
    Ok(new)
}

/// Repositories and options, as far as flags tell.
pub(crate) fn chosen_by_flags(arguments: &Connect, new: &mut Integration) -> Result<(), Failure> {
    new.repositories = arguments.rules.selection()?;
    if !arguments.groups.fetch.is_empty() {
        new.fetch = groups(&arguments.groups.fetch)?;
    }
    new.since = arguments.since.as_deref().map(date).transpose()?;
    new.ca_cert = arguments.ca_cert.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string());
    Ok(())
}

/// Asks GitHub, and shows what was found.
pub(crate) async fn checked(new: &Integration, given: Option<&[Credential]>, dir: &Path) -> Result<Report, Failure> {
    let report = look(&Chosen::with(new, given)?, dir).await?;
    let mut shown = Vec::new();
    tell(&mut shown, &report, is_coloured(&std::io::stderr()))?;
    eprint!("{}", String::from_utf8_lossy(&shown));
    Ok(report)
}

/// Told before anything else is asked of GitHub or of the user.
pub(crate) async fn is_free(new: &Integration, dir: &Path) -> Result<(), Failure> {
    if !aws::Embedded::is_in(dir) {
        return Ok(());
    }
    let table = aws::Embedded::open(dir).await?;
    let all = integration::integrations(&table.store()).await;
    table.shutdown().await;
    let all = all?;
    if let Some(taken) = all.iter().find(|one| one.name.eq_ignore_ascii_case(&new.name)) {
        return Err(engine::IntegrationError::Taken(taken.name.clone()).into());
    }
    let host = |one: &Integration| ApiUrl::parse(&one.github).map(|url| url.host().to_owned()).unwrap_or_default();
    match all.iter().find(|one| host(one) != host(new)) {
        Some(other) => {
            Err(Failure::Usage(format!("the copy in {} is of {}: choose another directory for {} with --data-dir", dir.display(), host(other), host(new))))
        }
        None => Ok(()),
    }
}

/// The credentials first: an integration without them would be half of one.
async fn save(new: &Integration, given: Option<&[Credential]>, dir: &Path) -> Result<(), Failure> {
    let table = aws::Embedded::open(dir).await?;
    if let Some(given) = given
        && let Err(error) = keep(&FileVault::new(dir), &new.name.to_lowercase(), given).await
    {
        table.shutdown().await;
        return Err(error.into());
    }
    let saved = integration::add(&table.store(), new).await;
    table.shutdown().await;
    Ok(saved?)
}

/// Stores them instead of what was there.
pub(crate) async fn keep(vault: &FileVault, name: &str, credentials: &[Credential]) -> Result<(), StoreError> {
    loop {
        let kept = vault.read(name).await?;
        match vault.replace(name, &kept.revision, credentials).await {
            Err(StoreError::Conflict) => {}
            other => return other.map(|_| ()),
        }
    }
}

/// The terminal went away, or Ctrl-C.
pub(crate) fn no_answer(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    if error.kind() == std::io::ErrorKind::Interrupted { Failure::Usage("stopped; nothing was saved".to_owned()) } else { Failure::Output(error) }
}
