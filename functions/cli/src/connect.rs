//! `connect`: installs an integration, by dialogue, by flags or from a file; checks that it can work, and saves it.
//! What is asked, `dialogue` knows.

use crate::arguments::{Connect, Told};
use crate::check::{code, is_coloured, look, tell};
use crate::config;
use crate::dialogue;
use crate::failure::Failure;
use crate::integrations::describe;
use crate::place::Place;
use crate::source::{CLOUD, Chosen, credentials};
use crate::sync::{date, groups};
use crate::webhook;
use engine::check::{Report, Verdict};
use engine::{Credential, Credentials, Integration, Store, Webhook, integration};
use github::ApiUrl;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

pub(crate) async fn run(arguments: Connect) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let mut given = None;
    let mut new = if let Some(file) = &arguments.config {
        config::read(file, &place)?
    } else if arguments.no_input {
        by_flags(&arguments, &place)?
    } else {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            let told = "a dialogue needs a terminal. Say --no-input and the rest by flags, or --config FILE";
            return Err(Failure::Usage(told.to_owned()));
        }
        match dialogue::ask(&arguments, &place).await? {
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
    if place.stack().is_some() {
        // A function has no other environment: what is at hand goes into the stack's secret, with what is there.
        given = given.or(Some(credentials()?)).filter(|given| !given.is_empty());
        new.credentials = Credentials::Stored;
    }
    if arguments.no_input && arguments.config.is_none() {
        address(&arguments.told, &mut new, &place)?;
    }
    new.validate()?;
    is_free(&new, &place).await?;
    // The dialogue has shown its check already, and was told what to make of it.
    if (arguments.config.is_some() || arguments.no_input) && !arguments.no_check {
        let report = checked(&new, given.as_deref(), &place).await?;
        if report.verdict != Verdict::Works {
            eprintln!("sei-github: nothing was saved. Mend what fails above, choose less, or say --no-check");
            return Ok(code(report.verdict));
        }
    }
    save(&new, given.as_deref(), &place).await?;
    print!("{}", describe(&new));
    hook(&new, &place).await?;
    match &place {
        Place::Stack(stack) => {
            eprintln!("\nSaved. The stack begins with its next look. Next:  sei-github plan --stack {0}     what a first copy will take", stack.name);
            eprintln!("                                                   sei-github status --stack {0}   how far it is", stack.name);
        }
        Place::Directory(dir) => {
            let place = if dir == Path::new(".sei-github") { String::new() } else { format!(" --data-dir {}", dir.display()) };
            eprintln!("\nSaved. Next:  sei-github plan{place}     what a first sync will take\n              sei-github sync{place}     the copy itself");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What GitHub tells by itself, as far as flags say.
pub(crate) fn told(told: &Told, new: &mut Integration) -> Result<(), Failure> {
    if let Some(mode) = &told.webhook {
        new.webhook = Webhook::parse(mode).ok_or_else(|| Failure::Usage(format!("`{mode}` is not a mode for --webhook. There are: none, stages, push")))?;
    }
    if let Some(url) = &told.webhook_url {
        new.webhook_url = Some(url.clone());
    }
    Ok(())
}

/// A stack has an address; with it, moves on boards are told exactly unless nothing is to be told.
pub(crate) fn address(told: &Told, new: &mut Integration, place: &Place) -> Result<(), Failure> {
    if let Some(stack) = place.stack() {
        if new.webhook_url.is_none() {
            new.webhook_url = Some(stack.output("WebhookUrl")?.to_owned());
        }
        if told.webhook.is_none() && new.webhook == Webhook::None {
            new.webhook = Webhook::Stages;
        }
    }
    Ok(())
}

/// The API that was named or, of a stack, its own.
pub(crate) fn api_url(arguments: &Connect, place: &Place) -> Result<Option<String>, Failure> {
    let Some(stack) = place.stack() else { return Ok(arguments.api_url.clone()) };
    stack.github(arguments.api_url.as_deref())?;
    if arguments.ca_cert.is_some() {
        return Err(Failure::Usage("a stack trusts the public authorities only: --ca-cert is for this machine".to_owned()));
    }
    Ok(Some(stack.api_url().to_owned()))
}

fn by_flags(arguments: &Connect, place: &Place) -> Result<Integration, Failure> {
    if arguments.org.is_empty() {
        return Err(Failure::Usage("name at least one organization with --org".to_owned()));
    }
    let url = api_url(arguments, place)?;
    let url = url.as_deref().unwrap_or(CLOUD);
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
    new.files_from = arguments.groups.files.files_from.unwrap_or_default();
    new.branches = arguments.groups.files.branches.unwrap_or_default();
    new.since = arguments.since.as_deref().map(date).transpose()?;
    told(&arguments.told, new)?;
    new.ca_cert = arguments.ca_cert.as_ref().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone()).display().to_string());
    Ok(())
}

/// Asks GitHub, and shows what was found.
pub(crate) async fn checked(new: &Integration, given: Option<&[Credential]>, place: &Place) -> Result<Report, Failure> {
    let report = look(&Chosen::with(new, given)?, place).await?;
    let mut shown = Vec::new();
    tell(&mut shown, &report, is_coloured(&std::io::stderr()))?;
    eprint!("{}", String::from_utf8_lossy(&shown));
    Ok(report)
}

/// Told before anything else is asked of GitHub or of the user.
pub(crate) async fn is_free(new: &Integration, place: &Place) -> Result<(), Failure> {
    if !place.is_there() {
        return Ok(());
    }
    let table = place.open().await?;
    let free = integration::is_free(&table.store(), new).await;
    table.shutdown().await;
    Ok(free?)
}

/// Makes the webhooks that it wants. What cannot be made is told, and is no failure: it is asked for instead.
async fn hook(new: &Integration, place: &Place) -> Result<(), Failure> {
    if new.webhook == Webhook::None {
        return Ok(());
    }
    let copy = place.open().await?;
    let made = webhook::of_new(new, place, Arc::new(copy.store())).await;
    copy.shutdown().await;
    if let Err(failure) = made {
        eprintln!("sei-github: no webhook was made: {failure}\nEverything is asked for until `sei-github webhook create` makes it.");
    }
    Ok(())
}

/// The credentials first: an integration without them would be half of one.
async fn save(new: &Integration, given: Option<&[Credential]>, place: &Place) -> Result<(), Failure> {
    let table = place.open().await?;
    let saved = save_in(&table.store(), new, given, place).await;
    table.shutdown().await;
    saved
}

async fn save_in(store: &dyn Store, new: &Integration, given: Option<&[Credential]>, place: &Place) -> Result<(), Failure> {
    if let Some(given) = given {
        keep(place, &new.name, given).await?;
    }
    Ok(integration::add(store, new).await?)
}

/// Stores an integration's credentials: instead of what was there or, in a stack, whose integrations share one secret,
/// beside it.
pub(crate) async fn keep(place: &Place, integration: &str, credentials: &[Credential]) -> Result<(), Failure> {
    let (vault, name) = place.vault(integration)?;
    Ok(integration::keep(vault.as_ref(), &name, credentials, place.stack().is_some()).await?)
}

/// The terminal went away, or Ctrl-C.
pub(crate) fn no_answer(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    if error.kind() == std::io::ErrorKind::Interrupted { Failure::Usage("stopped; nothing was saved".to_owned()) } else { Failure::Output(error) }
}
