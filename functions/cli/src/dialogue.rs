//! The questions of `connect`, in the order people know: Cloud or Enterprise, way to authenticate, name, repositories,
//! options, check, save. What flags told already is not asked. Saves nothing.

use crate::arguments::Connect;
use crate::connect::{address, api_url, checked, chosen_by_flags, is_free, no_answer};
use crate::device;
use crate::failure::Failure;
use crate::place::Place;
use crate::repos::passing;
use crate::source::Chosen;
use dialoguer::theme::{ColorfulTheme, SimpleTheme, Theme};
use dialoguer::{Confirm, Input, MultiSelect, Password, Select};
use engine::authorization::SCOPES;
use engine::check::Verdict;
use engine::{Credential, Credentials, Env, Group, Integration, SystemClock, Webhook, integration, literal, memberships, repositories};
use github::{ApiUrl, Secret, Token};
use std::io::IsTerminal;

/// The integration that was agreed on, with the credentials that are to be kept for it; none if its owner does not want it.
pub(crate) async fn ask(arguments: &Connect, place: &Place) -> Result<Option<(Integration, Option<Vec<Credential>>)>, Failure> {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) || !std::io::stderr().is_terminal();
    let theme: Box<dyn Theme> = if plain { Box::new(SimpleTheme) } else { Box::new(ColorfulTheme::default()) };
    let theme = theme.as_ref();
    let url = match api_url(arguments, place)? {
        Some(url) => url,
        None => which_github(theme)?,
    };
    let mut new = Integration::new("new", ApiUrl::parse(&url).map(|_| url.as_str())?, arguments.org.clone(), Credentials::Environment);
    chosen_by_flags(arguments, &mut new)?;
    let given = authenticate(theme, &new).await?;
    if given.is_some() {
        new.credentials = Credentials::Stored;
    }
    // For the questions that GitHub's own lists help with.
    let (env, table) = passing(&Chosen::with(&new, given.as_deref())?, place).await?;
    new.name = name(theme, arguments)?;
    is_free(&new, place).await?;
    if new.organizations.is_empty() {
        new.organizations = organizations(theme, &env).await?;
    }
    if new.repositories.is_everything() {
        which_repositories(theme, &env, &mut new).await?;
    }
    table.shutdown().await;
    if arguments.groups.fetch.is_empty() {
        options(theme, &mut new)?;
    }
    if arguments.told.webhook.is_none() && (new.webhook_url.is_some() || place.stack().is_some()) {
        new.webhook = what_is_told(theme)?;
    }
    address(&arguments.told, &mut new, place)?;
    let works = arguments.no_check || checked(&new, given.as_deref(), place).await?.verdict == Verdict::Works;
    let question = if works { "Save this integration?" } else { "It cannot work, or not wholly. Save it all the same?" };
    let save = Confirm::with_theme(theme).with_prompt(question).default(works).interact().map_err(no_answer)?;
    if !save {
        eprintln!("nothing was saved");
    }
    Ok(save.then_some((new, given)))
}

fn which_github(theme: &dyn Theme) -> Result<String, Failure> {
    let kinds = ["github.com", "Enterprise Cloud with data residency (ghe.com)", "Enterprise Server"];
    let kind = Select::with_theme(theme).with_prompt("Which GitHub?").items(kinds).default(0).interact().map_err(no_answer)?;
    if kind == 0 {
        return Ok("https://api.github.com".to_owned());
    }
    let example = if kind == 1 { "https://api.SUBDOMAIN.ghe.com" } else { "https://HOST/api/v3" };
    let good = |text: &String| ApiUrl::parse(text).map(|_| ()).map_err(|error| error.to_string());
    Input::with_theme(theme).with_prompt(format!("Address of its API ({example})")).validate_with(good).interact_text().map_err(no_answer)
}

/// What is to be kept; none for what the environment has at each run.
async fn authenticate(theme: &dyn Theme, new: &Integration) -> Result<Option<Vec<Credential>>, Failure> {
    let set = ["GITHUB_TOKEN", "GITHUB_TOKENS", "GITHUB_APP_CLIENT_ID"].into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    let ways = [
        set.map_or("GITHUB_TOKEN, to be set before each run".to_owned(), |name| format!("{name}, which is set, read at each run")),
        "a personal access token, pasted now and kept for this user only".to_owned(),
        "sign in with the browser (an OAuth app's device flow)".to_owned(),
        "a GitHub App, by its private key".to_owned(),
    ];
    let way = Select::with_theme(theme).with_prompt("How does it authenticate?").items(&ways).default(0).interact().map_err(no_answer)?;
    let credential = match way {
        0 => return Ok(None),
        1 => pasted(theme, new)?,
        2 => {
            let client_id = asked(theme, "Client id of the OAuth app (its device flow must be enabled)")?;
            let show = |code: &github::DeviceCode| eprintln!("Open {} and enter the code {}", code.verification_uri, code.user_code);
            let chosen = Chosen::of(new)?;
            device::authorize(chosen.url, chosen.ca.as_deref(), (&client_id, None), SCOPES, &SystemClock, show).await?
        }
        _ => {
            let client_id = asked(theme, "Client id of the GitHub App")?;
            let file = asked(theme, "File of its private key (.pem)")?;
            let key = std::fs::read_to_string(&file).map_err(|error| Failure::Authentication(format!("{file} cannot be read: {error}")))?;
            Credential::App { client_id, private_key: Secret::new(&key), installations: Vec::new() }
        }
    };
    Ok(Some(vec![credential]))
}

fn pasted(theme: &dyn Theme, new: &Integration) -> Result<Credential, Failure> {
    let web = ApiUrl::parse(&new.github)?.web();
    eprintln!("Make one at {web}/settings/tokens with the scopes repo and read:org, read:project for boards, and admin:org_hook for a webhook.");
    let good = |text: &String| Token::new(text.trim()).map(|_| ()).map_err(|error| error.to_string());
    let text = Password::with_theme(theme).with_prompt("Token (not shown)").validate_with(good).interact().map_err(no_answer)?;
    Ok(Credential::token(text.trim()))
}

fn asked(theme: &dyn Theme, prompt: &str) -> Result<String, Failure> {
    let text: String = Input::with_theme(theme).with_prompt(prompt).interact_text().map_err(no_answer)?;
    Ok(text.trim().to_owned())
}

fn name(theme: &dyn Theme, arguments: &Connect) -> Result<String, Failure> {
    if let Some(name) = &arguments.name {
        return Ok(name.clone());
    }
    let good = |text: &String| integration::is_name(text).map_err(|error| error.to_string());
    Input::with_theme(theme).with_prompt("Name of the integration").default("github".to_owned()).validate_with(good).interact_text().map_err(no_answer)
}

async fn organizations(theme: &dyn Theme, env: &Env) -> Result<Vec<String>, Failure> {
    let logins = memberships(env).await?;
    if logins.is_empty() {
        eprintln!("GitHub names no organization of which the token's owner is a member.");
        let login: String = Input::with_theme(theme).with_prompt("Login of the organization").interact_text().map_err(no_answer)?;
        return Ok(vec![login]);
    }
    let defaults: Vec<bool> = logins.iter().map(|_| logins.len() == 1).collect();
    loop {
        let prompt = "Organizations (space chooses, enter goes on)";
        let chosen = MultiSelect::with_theme(theme).with_prompt(prompt).items(&logins).defaults(&defaults).interact().map_err(no_answer)?;
        if !chosen.is_empty() {
            return Ok(chosen.into_iter().filter_map(|index| logins.get(index).cloned()).collect());
        }
        eprintln!("Choose at least one.");
    }
}

async fn which_repositories(theme: &dyn Theme, env: &Env, new: &mut Integration) -> Result<(), Failure> {
    let ways = ["all, present and future", "chosen from a list", "by patterns on their names"];
    match Select::with_theme(theme).with_prompt("Which repositories?").items(ways).default(0).interact().map_err(no_answer)? {
        1 => {
            let mut names = Vec::new();
            for org in &new.organizations {
                let listed = repositories(org, env).await?.repositories.into_iter();
                names.extend(listed.filter(|one| one.against.is_empty()).map(|one| one.repo));
            }
            let prompt = "Repositories (space chooses, enter goes on)";
            let chosen = MultiSelect::with_theme(theme).with_prompt(prompt).items(&names).max_length(15).interact().map_err(no_answer)?;
            new.repositories.include = chosen.into_iter().filter_map(|index| names.get(index)).map(|name| literal(name)).collect();
        }
        2 => {
            let list = |prompt: &str| -> Result<Vec<String>, Failure> {
                let text: String = Input::with_theme(theme).with_prompt(prompt).allow_empty(true).interact_text().map_err(no_answer)?;
                Ok(text.split([',', ' ']).map(str::trim).filter(|glob| !glob.is_empty()).map(str::to_owned).collect())
            };
            new.repositories.include = list("Only names like (such as api-*, empty for all)")?;
            new.repositories.exclude = list("But not names like (empty for none)")?;
        }
        _ => {}
    }
    new.validate()?;
    Ok(())
}

/// Whether GitHub can reach us is known by now.
fn what_is_told(theme: &dyn Theme) -> Result<Webhook, Failure> {
    let ways = [
        (Webhook::Stages, "everything is asked for; a webhook tells the exact times of moves on boards"),
        (Webhook::Push, "a webhook tells everything at once (push); only what may have been missed is asked for"),
        (Webhook::None, "everything is asked for, without a webhook"),
    ];
    let names = ways.map(|(_, name)| name);
    let chosen = Select::with_theme(theme).with_prompt("How does it learn what happens?").items(names).default(0).interact().map_err(no_answer)?;
    Ok(ways.get(chosen).map(|(mode, _)| *mode).unwrap_or_default())
}

fn options(theme: &dyn Theme, new: &mut Integration) -> Result<(), Failure> {
    let groups: Vec<Group> = Group::ALL.into_iter().filter(|group| *group != Group::Always).collect();
    let names: Vec<&str> = groups.iter().map(|group| group.name()).collect();
    let defaults = vec![true; groups.len()];
    let prompt = "What is fetched? Each can be switched later (space chooses, enter goes on)";
    let chosen = MultiSelect::with_theme(theme).with_prompt(prompt).items(&names).defaults(&defaults).interact().map_err(no_answer)?;
    new.fetch = chosen.into_iter().filter_map(|index| groups.get(index).copied()).collect();
    Ok(())
}
