//! `webhook`: the webhooks that integrations want at GitHub: made, looked at, given another secret, made to send again,
//! removed. Decides nothing: what there should be, the engine knows.

mod secret;

use crate::arguments::{Hooked, Redeliver, Removed, Webhooks};
use crate::failure::Failure;
use crate::place::Place;
use crate::runner::{LocalQueue, patiently};
use crate::show::confirmed;
use crate::source::Chosen;
use engine::hooks::{self, Did, Found, Kept, Redelivered, Wish};
use engine::{Env, Integration, Store, SystemClock, Webhook, integration, reconcile};
use github::Secret;
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// An integration, and what asks GitHub for it.
pub(crate) struct At {
    pub(crate) one: Integration,
    pub(crate) env: Env,
}

pub(crate) async fn run(command: Webhooks) -> Result<ExitCode, Failure> {
    let place = command.hooked().place.find().await?;
    place.require("connect")?;
    // Beside `serve`, if that has it open.
    let copy = place.join().await?;
    let store: Arc<dyn Store> = Arc::new(copy.store());
    let done = match &command {
        Webhooks::Create(hooked) => create(hooked, &place, store).await,
        Webhooks::Verify(hooked) => verify(hooked, &place, store).await,
        Webhooks::List(hooked) => list(hooked, store).await,
        Webhooks::RotateSecret(hooked) => rotate(hooked, &place, store).await,
        Webhooks::Redeliver(asked) => send_again(asked, &place, store).await,
        Webhooks::Delete(removed) => delete(removed, &place, store).await,
    };
    copy.shutdown().await;
    done
}

/// Every integration that is meant, with its tokens.
async fn each(place: &Place, store: Arc<dyn Store>, name: Option<&str>) -> Result<Vec<At>, Failure> {
    let all = match name {
        Some(name) => vec![integration::integration(store.as_ref(), name).await?],
        None => integration::integrations(store.as_ref()).await?,
    };
    if all.is_empty() {
        return Err(Failure::Usage("no integration is installed. `sei-github connect --webhook push` installs one with a webhook".to_owned()));
    }
    let mut found = Vec::new();
    for one in all {
        let chosen = Chosen::of(&one)?;
        let github = chosen.tokens(place).await?;
        let env = Env::new(github, store.clone(), Arc::new(LocalQueue::default()), Arc::new(SystemClock), chosen.settings).alone();
        found.push(At { one, env });
    }
    Ok(found)
}

async fn create(hooked: &Hooked, place: &Place, store: Arc<dyn Store>) -> Result<ExitCode, Failure> {
    let all = each(place, store, hooked.integration.as_deref()).await?;
    if all.iter().all(|at| at.one.webhook == Webhook::None) {
        return Err(Failure::Usage(format!(
            "no webhook is wanted. `sei-github integrations edit {} --webhook push --webhook-url URL` changes that (or --webhook stages, for moves on boards alone)",
            all.first().map(|at| at.one.name.as_str()).unwrap_or_default()
        )));
    }
    let secret = secret::current(place).await?;
    let mut made = Vec::new();
    let mut whole = true;
    for at in all.iter().filter(|at| at.one.webhook != Webhook::None) {
        let (told, is_whole) = ensure(at, &secret).await?;
        whole &= is_whole;
        made.extend(told);
    }
    if hooked.json {
        print_json(&Value::Array(made))?;
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Makes what one integration wants, and tells; whether each organization has a webhook, or repositories of it have.
pub(crate) async fn ensure(at: &At, secret: &Secret) -> Result<(Vec<Value>, bool), Failure> {
    let url = at.one.webhook_url.clone().unwrap_or_default();
    let wish = Wish { mode: at.one.webhook, url: &url, secret };
    let (mut told, mut whole) = (Vec::new(), true);
    for org in &at.one.organizations {
        let ensured = patiently(&at.env, || hooks::ensure(&at.env, org, &wish)).await?;
        for (hook, did) in &ensured.hooks {
            let what = match did {
                Did::Made => "made",
                Did::Changed => "mended",
                Did::Nothing => "as it should be",
                Did::Removed => "removed: another one does its work",
            };
            eprintln!("{}: webhook {} {what}", hook.owner(), hook.id);
            told.push(json!({ "hook": describe(hook), "did": what }));
        }
        for lost in &ensured.lost {
            eprintln!("{lost}.");
        }
        for orphan in &ensured.orphans {
            eprintln!("{}", orphaned(at, orphan));
        }
        whole &= !ensured.hooks.is_empty();
    }
    Ok((told, whole))
}

/// What `connect` does when it has saved one.
pub(crate) async fn of_new(new: &Integration, place: &Place, store: Arc<dyn Store>) -> Result<(), Failure> {
    let secret = secret::current(place).await?;
    for at in each(place, store, Some(&new.name)).await? {
        ensure(&at, &secret).await?;
    }
    Ok(())
}

fn orphaned(at: &At, hook: &Kept) -> String {
    format!(
        "{}: webhook {} was made with other credentials, which alone are shown it; it delivers everything a second time. Remove it at {}, or with those credentials",
        hook.owner(),
        hook.id,
        hook.owner().page(&at.env.github.web(), hook.id)
    )
}

fn describe(hook: &Kept) -> Value {
    json!({
        "id": hook.id, "owner": hook.owner().to_string(), "url": hook.url, "mode": hook.mode.name(), "events": hook.events,
        "integration": hook.integration, "made_at": hook.made_at,
    })
}

fn print_json(value: &Value) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    Ok(writeln!(out)?)
}

/// What the table knows: GitHub is not asked.
async fn list(hooked: &Hooked, store: Arc<dyn Store>) -> Result<ExitCode, Failure> {
    let names = match &hooked.integration {
        Some(name) => vec![integration::integration(store.as_ref(), name).await?.name],
        None => integration::integrations(store.as_ref()).await?.into_iter().map(|one| one.name).collect(),
    };
    let mut all = Vec::new();
    for name in &names {
        all.extend(hooks::hooks(store.as_ref(), Some(name)).await?);
    }
    if hooked.json {
        print_json(&Value::Array(all.iter().map(describe).collect()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = std::io::stdout().lock();
    for hook in &all {
        let events = if hook.events.len() == 1 { "1 event".to_owned() } else { format!("{} events", hook.events.len()) };
        writeln!(out, "{:<12} {:<30} {:<7} {events} to {}", hook.id, hook.owner().to_string(), hook.mode.name(), hook.url)?;
    }
    if all.is_empty() {
        eprintln!("no webhook was made; everything is asked for. `sei-github webhook create` makes what integrations want");
    }
    Ok(ExitCode::SUCCESS)
}

async fn verify(hooked: &Hooked, place: &Place, store: Arc<dyn Store>) -> Result<ExitCode, Failure> {
    let secret = secret::current(place).await.ok();
    let mut all = Vec::new();
    for at in each(place, store.clone(), hooked.integration.as_deref()).await? {
        let kept = hooks::hooks(store.as_ref(), Some(&at.one.name)).await?;
        let told_of = |org: &str| kept.iter().any(|hook| hook.org().eq_ignore_ascii_case(org));
        for org in at.one.organizations.iter().filter(|org| at.one.webhook != Webhook::None && !told_of(org)) {
            all.push((org.clone(), None, vec!["there is no webhook, so everything is asked for: `sei-github webhook create` makes it".to_owned()]));
        }
        for hook in &kept {
            let (found, mut wrong) = patiently(&at.env, || hooks::inspect(&at.env, hook)).await?;
            if found == Found::Absent {
                wrong.push("GitHub does not show it: it was removed, or belongs to other credentials. `sei-github webhook create` makes it again".to_owned());
            } else {
                if secret.as_ref().is_some_and(|secret| secret.fingerprint() != hook.secret) {
                    wrong.push("it signs with another secret than the receiver's: `sei-github webhook create` gives it this one".to_owned());
                }
                let recent = patiently(&at.env, || hooks::recent(&at.env, hook)).await?;
                if recent.failing > 0 {
                    let last = recent.last_failure.map(|(status, at)| format!(", last {status} at {at:.0}")).unwrap_or_default();
                    wrong.push(format!(
                        "{} of the last {} deliveries did not arrive{last}: `sei-github webhook redeliver` sends them again",
                        recent.failing, recent.all
                    ));
                }
            }
            all.push((hook.owner().to_string(), Some(hook.clone()), wrong));
        }
    }
    if hooked.json {
        let one = |(owner, hook, wrong): &(String, Option<Kept>, Vec<String>)| json!({ "owner": owner, "hook": hook.as_ref().map(describe), "wrong": wrong });
        print_json(&Value::Array(all.iter().map(one).collect()))?;
    } else {
        let mut out = std::io::stdout().lock();
        for (owner, hook, wrong) in &all {
            let id = hook.as_ref().map(|hook| format!("webhook {}", hook.id)).unwrap_or_default();
            if wrong.is_empty() {
                writeln!(out, "{owner}: {id} is as it should be, and delivers")?;
            }
            for what in wrong {
                writeln!(out, "{owner}: {id}{}{what}", if id.is_empty() { "" } else { ": " })?;
            }
        }
        if all.is_empty() {
            eprintln!("no webhook is wanted, and none was made");
        }
    }
    Ok(if all.iter().all(|(_, _, wrong)| wrong.is_empty()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn rotate(hooked: &Hooked, place: &Place, store: Arc<dyn Store>) -> Result<ExitCode, Failure> {
    // Every integration: they share the receiver, and with it the secret.
    let all = each(place, store.clone(), None).await?;
    let new = secret::next(place).await?;
    let mut rotated = Vec::new();
    let mut failed = false;
    for at in &all {
        for hook in hooks::hooks(store.as_ref(), Some(&at.one.name)).await? {
            match patiently(&at.env, || hooks::rotate(&at.env, &hook, &new)).await {
                Ok(()) => {
                    eprintln!("{}: webhook {} signs with the new secret", hook.owner(), hook.id);
                    rotated.push(describe(&hook));
                }
                Err(error) => {
                    failed = true;
                    eprintln!("sei-github: {}: webhook {} keeps the former secret, which is accepted until the next rotation: {error}", hook.owner(), hook.id);
                }
            }
        }
    }
    if hooked.json {
        print_json(&Value::Array(rotated))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn send_again(asked: &Redeliver, place: &Place, store: Arc<dyn Store>) -> Result<ExitCode, Failure> {
    let all = each(place, store.clone(), asked.hooked.integration.as_deref()).await?;
    if let Some(id) = &asked.delivery_id {
        for at in &all {
            for hook in hooks::hooks(store.as_ref(), Some(&at.one.name)).await? {
                if patiently(&at.env, || hooks::redeliver(&at.env, &hook, id)).await? == Redelivered::Asked {
                    eprintln!("{}: webhook {} sends {id} again; `sei-github events {id}` tells what became of it", hook.owner(), hook.id);
                    return Ok(ExitCode::SUCCESS);
                }
            }
        }
        eprintln!("sei-github: no webhook of ours sent {id}, or GitHub no longer has it (three days, on Enterprise Server seven)");
        return Ok(ExitCode::FAILURE);
    }
    let mut sum = reconcile::Reconciled::default();
    let mut failed = false;
    for at in &all {
        for (hook, done) in reconcile::reconcile(&at.env, jiff::Timestamp::MAX).await? {
            match done {
                Ok(done) => sum += &done,
                Err(error) => {
                    failed = true;
                    eprintln!("sei-github: {}: webhook {}: {error}", hook.owner(), hook.id);
                }
            }
        }
    }
    if asked.hooked.json {
        print_json(&json!({ "looked_at": sum.looked_at, "redelivered": sum.redelivered, "read": sum.read, "open": sum.open }))?;
    }
    eprintln!("{} deliveries looked at, {} sent again, {} to be read from GitHub instead", sum.looked_at, sum.redelivered, sum.read);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn delete(removed: &Removed, place: &Place, store: Arc<dyn Store>) -> Result<ExitCode, Failure> {
    let all = each(place, store.clone(), removed.hooked.integration.as_deref()).await?;
    let mut found = Vec::new();
    for at in &all {
        found.extend(hooks::hooks(store.as_ref(), Some(&at.one.name)).await?.into_iter().map(|hook| (at, hook)));
    }
    for (_, hook) in &found {
        eprintln!("{}: webhook {} to {}", hook.owner(), hook.id, hook.url);
    }
    if found.is_empty() {
        eprintln!("no webhook was made");
        return Ok(ExitCode::SUCCESS);
    }
    if !removed.yes && !confirmed("Remove these at GitHub? Everything is asked for again then")? {
        return Ok(ExitCode::FAILURE);
    }
    let mut gone = Vec::new();
    let mut failed = false;
    for (at, hook) in &found {
        match patiently(&at.env, || hooks::delete(&at.env, hook)).await {
            Ok(Found::There) => {
                eprintln!("{}: webhook {} is removed", hook.owner(), hook.id);
                gone.push(describe(hook));
            }
            Ok(Found::Absent) => {
                failed = true;
                eprintln!("{}", orphaned(at, hook));
            }
            Err(error) => {
                failed = true;
                eprintln!("sei-github: {}: webhook {}: {error}", hook.owner(), hook.id);
            }
        }
    }
    if removed.hooked.json {
        print_json(&Value::Array(gone))?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
