//! The webhooks that there should be: an organization's if the token may make one, else its repositories', else none,
//! with what is lost by that. Making them again changes nothing. Kept in the table without their secret, of which only a
//! fingerprint is known.

mod events;
mod kept;
mod tend;

use crate::integration::Webhook;
use crate::organization::repositories;
use crate::{Env, Error};
pub use events::events;
use github::{Forbidden, Hook, HookOwner, Secret, Verb};
pub use kept::{Kept, Owner, hooks};
use serde_json::Value;
pub use tend::{Found, Recent, Redelivered, delete, inspect, ping, recent, redeliver, rotate};

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub mode: Webhook,
    /// Where GitHub delivers to.
    pub url: &'a str,
    pub secret: &'a Secret,
}

/// What was done about one hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    Made,
    Changed,
    /// It was as it should be.
    Nothing,
    /// A second one of the same address, or one that another makes superfluous.
    Removed,
}

/// What there is of hooks for one organization now.
#[derive(Debug, Clone, Default)]
pub struct Ensured {
    pub hooks: Vec<(Kept, Did)>,
    /// What is not told by GitHub itself, and why: polling goes on for it.
    pub lost: Vec<String>,
    /// Made with other credentials, which alone can see them: they deliver, too, until somebody removes them.
    pub orphans: Vec<Kept>,
}

/// A refusal that is no failure: there is a next best way.
pub(crate) fn refused(error: &Error) -> Option<String> {
    match error {
        Error::GitHub(github::Error::Absent { .. }) => Some("GitHub does not find its webhooks (404): the token may not manage them".to_owned()),
        Error::GitHub(github::Error::Forbidden { reason, message }) if *reason == Forbidden::Other => Some(format!("GitHub refuses it (403): {message}")),
        Error::GitHub(github::Error::Forbidden { reason, .. }) => Some(reason.to_string()),
        _ => None,
    }
}

/// Makes what is wanted of one organization, where GitHub lets us.
pub async fn ensure(env: &Env, org: &str, wish: &Wish<'_>) -> Result<Ensured, Error> {
    let env = &env.about(org);
    let mut ensured = Ensured::default();
    if wish.mode == Webhook::None {
        return Ok(ensured);
    }
    let owner = HookOwner::Organization(org.to_lowercase());
    match at(env, &owner, wish, &mut ensured).await {
        Ok(()) => {
            // What repositories' hooks told before, the organization's tells now.
            for hook in hooks(env.store.as_ref(), env.settings.integration.as_deref()).await? {
                if hook.owner().is_repository_of(org) && delete(env, &hook).await? == Found::There {
                    ensured.hooks.push((hook, Did::Removed));
                }
            }
        }
        Err(error) => {
            let why = refused(&error).ok_or(error)?;
            let web = env.github.web();
            ensured.lost.push(format!(
                "{org} gets no webhook of its own: {why}. It takes an owner of the organization and the scope admin:org_hook ({web}/settings/tokens). \
                 Without it moves on project boards are known to one polling interval only, from the boards themselves and the issues' timelines"
            ));
            by_repository(env, org, wish, &mut ensured).await?;
        }
    }
    Ok(ensured)
}

/// The next best: a hook for each repository that is taken.
async fn by_repository(env: &Env, org: &str, wish: &Wish<'_>, ensured: &mut Ensured) -> Result<(), Error> {
    let choices = repositories(org, env).await?;
    let taken: Vec<&str> = choices.repositories.iter().filter(|one| one.against.is_empty() && !one.archived).map(|one| one.repo.as_str()).collect();
    let mut without: Vec<&str> = Vec::new();
    let mut first = None;
    for name in &taken {
        match at(env, &HookOwner::Repository(name.to_lowercase()), wish, ensured).await {
            Ok(()) => {}
            Err(error) => {
                let why = refused(&error).ok_or(error)?;
                without.push(name);
                first.get_or_insert(why);
            }
        }
    }
    if let Some(why) = first {
        let which = if without.len() == taken.len() { "none of its repositories gets one".to_owned() } else { format!("none for {}", without.join(", ")) };
        ensured.lost.push(format!(
            "{org}: {which}, either: {why}. It takes an administrator of the repository and the scope repo or admin:repo_hook. \
             These are polled: nothing is lost but time, up to one interval"
        ));
    }
    Ok(())
}

/// All hooks that GitHub shows us of their owner.
async fn list(env: &Env, owner: &HookOwner) -> Result<Vec<Hook>, Error> {
    let mut next = Some(format!("{}?per_page=100", owner.hooks()));
    let mut all = Vec::new();
    while let Some(path) = next {
        let reply = env.rest(&path).await?;
        all.extend(reply.body.as_array().into_iter().flatten().filter_map(Hook::read));
        next = reply.next;
    }
    Ok(all)
}

fn is_as_wished(hook: &Hook, wish: &Wish<'_>, events: &[&str], kept: Option<&Kept>) -> bool {
    let mut wanted: Vec<&str> = events.to_vec();
    let mut has: Vec<&str> = hook.events.iter().map(String::as_str).collect();
    wanted.sort_unstable();
    has.sort_unstable();
    let secret = hook.has_secret && kept.is_some_and(|kept| kept.secret == wish.secret.fingerprint());
    hook.active && hook.json && !hook.insecure && secret && wanted == has
}

/// Makes or mends the hook of one owner, and keeps word of it.
async fn at(env: &Env, owner: &HookOwner, wish: &Wish<'_>, ensured: &mut Ensured) -> Result<(), Error> {
    let store = env.store.as_ref();
    let integration = env.settings.integration.as_deref();
    let wanted = events(wish.mode, &env.settings, owner);
    let all = hooks(store, integration).await?;
    let mut listed = list(env, owner).await?;
    let body = Hook::wish(wish.url, wish.secret.reveal(), &wanted);
    let mut mine: Vec<&Hook> = listed.iter().filter(|hook| hook.url == wish.url).collect();
    mine.sort_by_key(|hook| hook.id);
    let known = |id: u64| all.iter().find(|kept| kept.id == id);
    let (id, did, account) = match mine.first() {
        Some(hook) if is_as_wished(hook, wish, &wanted, known(hook.id)) => (hook.id, Did::Nothing, known(hook.id).and_then(|kept| kept.account.clone())),
        Some(hook) => {
            let by = known(hook.id).and_then(|kept| kept.account.as_deref());
            let (_, account) = env.change(Verb::Patch, &owner.hook(hook.id), &body, by).await?;
            (hook.id, Did::Changed, Some(account))
        }
        None => match env.change(Verb::Post, &owner.hooks(), &body, None).await {
            Ok((reply, account)) => {
                let id = reply.body.get("id").and_then(Value::as_u64).ok_or_else(|| Error::Unreadable("a webhook without id".to_owned()))?;
                (id, Did::Made, Some(account))
            }
            // Somebody else made it meanwhile, or made one that we are not shown.
            Err(Error::GitHub(github::Error::Rejected { status: 422, message })) => {
                listed = list(env, owner).await?;
                let Some(hook) = listed.iter().find(|hook| hook.url == wish.url) else {
                    let page = owner.page(&env.github.web(), 0);
                    ensured.lost.push(format!(
                        "{owner}: GitHub makes no webhook ({message}). If one of the same address is there, other credentials made it and these are \
                         not shown it: remove it at {}, then create it again",
                        page.trim_end_matches("/0")
                    ));
                    return Ok(());
                };
                let (_, account) = env.change(Verb::Patch, &owner.hook(hook.id), &body, None).await?;
                (hook.id, Did::Changed, Some(account))
            }
            Err(error) => return Err(error),
        },
    };
    let told = wanted.iter().map(|event| (*event).to_owned()).collect();
    let before = known(id);
    let kept = Kept {
        id,
        owner: Owner::of(owner),
        url: wish.url.to_owned(),
        events: told,
        mode: wish.mode,
        integration: integration.map(str::to_owned),
        account,
        secret: wish.secret.fingerprint(),
        made_at: before.map_or_else(|| env.now(), |kept| kept.made_at),
    };
    if before != Some(&kept) {
        kept::save(store, &kept).await?;
    }
    ensured.hooks.push((kept, did));
    // Each of them would deliver every event.
    let second: Vec<u64> = listed.iter().filter(|hook| hook.url == wish.url && hook.id != id).map(|hook| hook.id).collect();
    for other in all.iter().filter(|kept| kept.id != id && kept.owner() == *owner) {
        let shown = listed.iter().any(|hook| hook.id == other.id);
        if shown && delete(env, other).await? == Found::There {
            ensured.hooks.push((other.clone(), Did::Removed));
        } else if !shown {
            // Its maker's credentials, should they be here as well, may remove it.
            if delete(env, other).await? == Found::There {
                ensured.hooks.push((other.clone(), Did::Removed));
            } else {
                ensured.orphans.push(other.clone());
            }
        }
    }
    for id in second.into_iter().filter(|id| known(*id).is_none()) {
        match env.change(Verb::Delete, &owner.hook(id), &Value::Null, None).await {
            Ok(_) | Err(Error::GitHub(github::Error::Absent { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
