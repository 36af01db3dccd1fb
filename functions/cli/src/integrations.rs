//! `integrations`: lists, shows and changes what `connect` installed. Asks GitHub nothing.

use crate::arguments::{Edit, Integrations, Listed, Purge, Shown, Where};
use crate::config;
use crate::connect::{keep, told};
use crate::failure::Failure;
use crate::show::confirmed;
use crate::sync::groups;
use aws::DynamoStore;
use engine::{Branches, Credentials, FilesFrom, Group, Integration, Selection, Webhook, integration};
use std::io::Write;
use std::process::ExitCode;

pub(crate) async fn run(command: Integrations) -> Result<ExitCode, Failure> {
    match command {
        Integrations::List(arguments) => list(arguments).await,
        Integrations::Show(arguments) => show(arguments).await,
        Integrations::Edit(arguments) => edit(*arguments).await,
        Integrations::Pause(named) => pause(&named.name, true, &named.place).await,
        Integrations::Resume(named) => pause(&named.name, false, &named.place).await,
        Integrations::Remove(named) => {
            let place = named.place.find().await?;
            let table = place.existing("connect").await?;
            let gone = integration::remove(&table.store(), &named.name).await;
            table.shutdown().await;
            let gone = gone?;
            // Its token is of no use to anybody now; that of a stack is the others', too.
            if place.stack().is_none() {
                keep(&place, &gone.name, &[]).await?;
            }
            eprintln!("{} is removed. What it copied stays; `sei-github integrations purge` deletes what no integration chooses", gone.name);
            Ok(ExitCode::SUCCESS)
        }
        Integrations::Purge(arguments) => purge(arguments).await,
    }
}

async fn list(arguments: Listed) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let all = if place.is_there() {
        let table = place.open().await?;
        let all = integration::integrations(&table.store()).await;
        table.shutdown().await;
        all?
    } else {
        Vec::new()
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &all).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else if all.is_empty() {
        eprintln!("No integration is installed. `sei-github connect` installs one.");
    }
    for one in all.iter().filter(|_| !arguments.json) {
        let which = if one.repositories.is_everything() { "all repositories" } else { "selected repositories" };
        let paused = if one.paused { "  (paused)" } else { "" };
        writeln!(out, "{:<24} {} of {} on {}{paused}", one.name, which, one.organizations.join(", "), host(one))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn host(one: &Integration) -> String {
    github::ApiUrl::parse(&one.github).map_or_else(|_| one.github.clone(), |url| url.web().replace("https://", ""))
}

async fn show(arguments: Shown) -> Result<ExitCode, Failure> {
    let table = arguments.place.find().await?.existing("connect").await?;
    let one = integration::integration(&table.store(), &arguments.name).await;
    table.shutdown().await;
    let one = one?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        serde_json::to_writer_pretty(&mut out, &one).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else if arguments.toml {
        write!(out, "{}", config::write(&one))?;
    } else {
        write!(out, "{}", describe(&one))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// For people.
pub(crate) fn describe(one: &Integration) -> String {
    let credentials = match one.credentials {
        Credentials::Environment => "from GITHUB_TOKEN, at each run",
        Credentials::Stored => "kept beside the copy",
    };
    let rules = &one.repositories;
    let mut which = Vec::new();
    let mut rule = |what: &str, list: &[String]| which.extend((!list.is_empty()).then(|| format!("{what} {}", list.join(", "))));
    rule("named", &rules.include);
    rule("not named", &rules.exclude);
    rule("that are", &rules.visibility.iter().map(|one| one.name().to_owned()).collect::<Vec<_>>());
    rule("with a topic of", &rules.topics);
    which.extend(rules.no_archived.then(|| "not archived".to_owned()));
    which.extend(rules.no_forks.then(|| "no forks".to_owned()));
    which.extend(rules.pushed_since.map(|since| format!("pushed to since {since:.0}")));
    let which = if which.is_empty() { "all, present and future".to_owned() } else { which.join("; ") };
    let off: Vec<&str> = Group::ALL.into_iter().filter(|group| *group != Group::Always && !one.fetch.contains(group)).map(Group::name).collect();
    let on: Vec<&str> = one.fetch.iter().filter(|group| **group != Group::Always).map(|group| group.name()).collect();
    let mut text = format!(
        "name           {}{}\nGitHub         {}\norganizations  {}\nrepositories   {which}\nfetched        {}\n",
        one.name,
        if one.paused { " (paused)" } else { "" },
        host(one),
        one.organizations.join(", "),
        on.join(", "),
    );
    if !off.is_empty() {
        text.push_str(&format!("switched off   {}\n", off.join(", ")));
    }
    match one.files_from {
        FilesFrom::Auto => {}
        other => text.push_str(&format!("files from     {}\n", other.name())),
    }
    if one.branches == Branches::All {
        text.push_str("commits        of all branches\n");
    }
    if let Some(since) = one.since {
        text.push_str(&format!("since          {since:.0}\n"));
    }
    let told = match one.webhook {
        Webhook::None => None,
        Webhook::Stages => Some("issues and projects"),
        Webhook::Push => Some("everything"),
    };
    if let Some(what) = told {
        text.push_str(&format!("webhook        {what}, to {}\n", one.webhook_url.as_deref().unwrap_or_default()));
    }
    text.push_str(&format!("token          {credentials}; {} % of its budget is left alone\n", one.reserve_percent));
    text
}

async fn edit(arguments: Edit) -> Result<ExitCode, Failure> {
    let place = arguments.place.find().await?;
    let whole = arguments.config.as_deref().map(|file| config::read(file, &place)).transpose()?;
    if let Some(whole) = &whole
        && !whole.name.eq_ignore_ascii_case(&arguments.name)
    {
        return Err(Failure::Usage(format!("the file is of `{}`, not of `{}`: a name does not change", whole.name, arguments.name)));
    }
    let all = arguments.fetch.iter().any(|name| name == "all");
    let fetch = if arguments.fetch.is_empty() { None } else { Some(groups(if all { &[] } else { &arguments.fetch })?) };
    let mut wish = Integration::new("new", "", Vec::new(), Credentials::Environment);
    told(&arguments.told, &mut wish)?;
    let mode = arguments.told.webhook.as_ref().map(|_| wish.webhook);
    let own = place.stack().map(|stack| stack.output("WebhookUrl").map(str::to_owned)).transpose()?;
    // Checked before, so that the change itself cannot fail half-way.
    arguments.rules.selection()?;
    let table = place.existing("connect").await?;
    let edited = integration::change(&table.store(), &arguments.name, |one| {
        if let Some(whole) = &whole {
            *one = Integration { name: one.name.clone(), paused: one.paused, ..whole.clone() };
            return;
        }
        if arguments.all_repositories {
            one.repositories = Selection::default();
        }
        // What could be wrong with it was looked at above.
        let _ = arguments.rules.amend(&mut one.repositories);
        if !arguments.org.is_empty() {
            one.organizations.clone_from(&arguments.org);
        }
        if let Some(fetch) = &fetch {
            one.fetch.clone_from(fetch);
        }
        if let Some(files_from) = arguments.files.files_from {
            one.files_from = files_from;
        }
        if let Some(branches) = arguments.files.branches {
            one.branches = branches;
        }
        if let Some(mode) = mode {
            one.webhook = mode;
        }
        if let Some(url) = arguments.told.webhook_url.as_ref().or(own.as_ref().filter(|_| one.webhook_url.is_none())) {
            one.webhook_url = Some(url.clone());
        }
    })
    .await;
    table.shutdown().await;
    print!("{}", describe(&edited?));
    eprintln!("The next sync follows it: what is new is read from its beginning; what is switched off stays as it is until `sei-github integrations purge`.");
    Ok(ExitCode::SUCCESS)
}

async fn pause(name: &str, paused: bool, place: &Where) -> Result<ExitCode, Failure> {
    let table = place.find().await?.existing("connect").await?;
    let changed = integration::change(&table.store(), name, |one| one.paused = paused).await;
    table.shutdown().await;
    eprintln!("{} {}", changed?.name, if paused { "is paused: syncs leave it out" } else { "goes on with the next sync" });
    Ok(ExitCode::SUCCESS)
}

async fn purge(arguments: Purge) -> Result<ExitCode, Failure> {
    let table = arguments.place.find().await?.existing("connect").await?;
    let done = purge_in(&table.store(), arguments.yes).await;
    table.shutdown().await;
    done
}

async fn purge_in(store: &DynamoStore, yes: bool) -> Result<ExitCode, Failure> {
    let all = integration::integrations(store).await?;
    if all.is_empty() && !yes {
        eprintln!("No integration is installed, so nothing is chosen: all of the copy would go.");
    }
    let would = engine::purge(store, &all, false).await?;
    if would.rows.is_empty() {
        eprintln!("Nothing is here that no integration chooses.");
        return Ok(ExitCode::SUCCESS);
    }
    for repo in &would.repositories {
        println!("{repo}");
    }
    for (entity, rows) in &would.rows {
        println!("{entity:<22} {rows:>9}");
    }
    if !yes && !confirmed("Delete these for good?")? {
        return Ok(ExitCode::SUCCESS);
    }
    let purged = engine::purge(store, &all, true).await?;
    eprintln!("{} rows deleted", purged.rows.values().sum::<u64>());
    Ok(ExitCode::SUCCESS)
}
