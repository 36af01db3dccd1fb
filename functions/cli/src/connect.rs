//! `connect`: installs an integration, by dialogue, by flags or from a file; checks that it can work, and saves it.
//! What is asked, `dialogue` knows.

use crate::arguments::Connect;
use crate::check::{code, is_coloured, look, tell};
use crate::config;
use crate::dialogue;
use crate::failure::Failure;
use crate::integrations::describe;
use crate::source::Chosen;
use crate::sync::{date, groups};
use engine::check::{Report, Verdict};
use engine::{Credentials, Integration, integration};
use github::ApiUrl;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

pub(crate) async fn run(arguments: Connect) -> Result<ExitCode, Failure> {
    let dir = arguments.place.data_dir.clone();
    let new = if let Some(file) = &arguments.config {
        config::read(file)?
    } else if arguments.no_input {
        by_flags(&arguments)?
    } else {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let told = "a dialogue needs a terminal. Say --no-input and the rest by flags, or --config FILE";
            return Err(Failure::Usage(told.to_owned()));
        }
        match dialogue::ask(&arguments).await? {
            Some(new) => new,
            None => return Ok(ExitCode::FAILURE),
        }
    };
    new.validate()?;
    is_free(&new, &dir).await?;
    // The dialogue has shown its check already, and was told what to make of it.
    if (arguments.config.is_some() || arguments.no_input) && !arguments.no_check {
        let report = checked(&new).await?;
        if report.verdict != Verdict::Works {
            eprintln!("sei-github: nothing was saved. Mend what fails above, choose less, or say --no-check");
            return Ok(code(report.verdict));
        }
    }
    save(&new, &dir).await?;
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
    if !arguments.fetch.is_empty() {
        new.fetch = groups(&arguments.fetch)?;
    }
    new.since = arguments.since.as_deref().map(date).transpose()?;
    new.ca_cert = arguments.ca_cert.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string());
    Ok(())
}

/// Asks GitHub, and shows what was found.
pub(crate) async fn checked(new: &Integration) -> Result<Report, Failure> {
    let report = look(&Chosen::of(new)?).await?;
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

async fn save(new: &Integration, dir: &Path) -> Result<(), Failure> {
    let table = aws::Embedded::open(dir).await?;
    let saved = integration::add(&table.store(), new).await;
    table.shutdown().await;
    Ok(saved?)
}

/// The terminal went away, or Ctrl-C.
pub(crate) fn no_answer(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    if error.kind() == std::io::ErrorKind::Interrupted { Failure::Usage("stopped; nothing was saved".to_owned()) } else { Failure::Output(error) }
}
