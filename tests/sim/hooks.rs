//! Webhooks: who may see and make them, what was delivered and how it went. Plain data; sends nothing itself.
//! <https://docs.github.com/en/rest/orgs/webhooks> <https://docs.github.com/en/rest/repos/webhooks>

use crate::events::Emitted;
use crate::profile::Identity;
use crate::random::Random;
use crate::world::time;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// What goes wrong on the way, per thousand deliveries.
#[derive(Debug, Clone, Copy, Default)]
pub struct HookFaults {
    /// Not delivered at all.
    pub failing: u64,
    /// Delivered, but the answer was lost: GitHub takes it for failed.
    pub unanswered: u64,
    /// Sent twice, though nobody asked.
    pub twice: u64,
    /// Held back until the next time that something is delivered.
    pub late: u64,
    /// In any order.
    pub shuffled: bool,
    /// Events of more bytes than this are answered 413 by the receiver's gateway.
    pub too_large: Option<usize>,
}

#[derive(Debug, Clone)]
pub struct SimHook {
    pub id: u64,
    /// `acme` or `acme/repo-00`.
    pub owner: String,
    /// Whether an OAuth app made it: then users do not see it, and the other way round.
    pub by_app: bool,
    pub active: bool,
    pub events: Vec<String>,
    pub url: String,
    pub secret: String,
    json: bool,
    insecure: bool,
}

/// An attempt, as the list of deliveries has it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub id: u64,
    pub hook: u64,
    pub guid: String,
    pub delivered_at: i64,
    pub redelivery: bool,
    pub status_code: u16,
    pub event: String,
    pub payload: Value,
}

pub struct Hooks {
    pub list: Vec<SimHook>,
    /// Oldest first.
    pub sent: Vec<Sent>,
    pub faults: HookFaults,
    /// Repositories of which the token's owner is no administrator.
    pub no_admin: BTreeSet<String>,
    /// How often each event was asked to be sent again, by guid, in order.
    pub asked: Vec<String>,
    pub(crate) held: Vec<Outgoing>,
    pub(crate) under_way: u64,
    pub(crate) random: Random,
    next_id: u64,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            sent: Vec::new(),
            faults: HookFaults::default(),
            no_admin: BTreeSet::new(),
            asked: Vec::new(),
            held: Vec::new(),
            under_way: 0,
            random: Random(3),
            next_id: 40_000,
        }
    }
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) hook: SimHook,
    pub(crate) guid: String,
    pub(crate) event: String,
    pub(crate) payload: Value,
    pub(crate) redelivery: bool,
}

/// What a request about hooks is answered, and what is sent because of it.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Value,
    /// Query of the page that follows.
    pub(crate) next: Option<String>,
    pub(crate) send: Option<Outgoing>,
}

fn answered(status: u16, body: Value) -> Answered {
    Answered { status, body, next: None, send: None }
}

fn message(status: u16, text: &str) -> Answered {
    answered(status, json!({ "message": text, "documentation_url": "https://docs.github.com/rest", "status": status.to_string() }))
}

/// Only organizations have them.
const OF_ORGANIZATIONS: &[&str] = &["projects_v2", "projects_v2_item", "organization", "membership", "team"];

/// Which hooks a request is about, and what is below them; none if it is about something else.
fn split(path: &str) -> Option<(String, Vec<&str>)> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        ["orgs", org, "hooks", rest @ ..] => Some((org.to_lowercase(), rest.to_vec())),
        ["repos", owner, name, "hooks", rest @ ..] => Some((format!("{owner}/{name}").to_lowercase(), rest.to_vec())),
        _ => None,
    }
}

impl Hooks {
    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn may(&self, owner: &str, identity: &Identity) -> Option<Answered> {
        let organization = !owner.contains('/');
        let Some(scopes) = &identity.scopes else {
            let needed = if organization { "organization_hooks" } else { "repository_hooks" };
            let may = identity.permissions.iter().any(|may| may == needed);
            return (!may).then(|| message(403, "Resource not accessible by personal access token"));
        };
        let wanted: &[&str] = if organization { &["admin:org_hook"] } else { &["repo", "admin:repo_hook", "write:repo_hook"] };
        let may = scopes.iter().any(|scope| wanted.contains(&scope.as_str())) && !self.no_admin.contains(owner);
        // Who may not is told nothing.
        (!may).then(|| message(404, "Not Found"))
    }

    pub(crate) fn answer(
        &mut self,
        (method, path): (&str, &str),
        query: &HashMap<String, String>,
        body: &Value,
        (identity, by_app): (&Identity, bool),
        now: i64,
    ) -> Option<Answered> {
        let (owner, rest) = split(path)?;
        if let Some(refused) = self.may(&owner, identity) {
            return Some(refused);
        }
        let seen = |hook: &&SimHook| hook.owner == owner && hook.by_app == by_app;
        let (id, rest) = match rest.as_slice() {
            [] if method == "GET" => return Some(answered(200, self.list.iter().filter(seen).map(shape).collect())),
            [] if method == "POST" => return Some(self.make(&owner, body, by_app)),
            [id, rest @ ..] => (id.parse::<u64>().ok()?, rest),
            [] => return Some(message(404, "Not Found")),
        };
        let Some(at) = self.list.iter().position(|hook| hook.id == id && seen(&hook)) else { return Some(message(404, "Not Found")) };
        Some(match (method, rest) {
            ("GET", []) => answered(200, self.list.get(at).map(shape).unwrap_or_default()),
            ("PATCH", []) => self.change(at, body),
            ("PATCH", ["config"]) => self.configure(at, body),
            ("DELETE", []) => {
                self.list.remove(at);
                answered(204, Value::Null)
            }
            ("POST", ["pings"]) => {
                let hook = self.list.get(at).cloned()?;
                let payload = json!({ "zen": "Keep it logically awesome.", "hook_id": id, "hook": shape(&hook) });
                let guid = self.guid();
                Answered { send: Some(Outgoing { hook, guid, event: "ping".to_owned(), payload, redelivery: false }), ..answered(204, Value::Null) }
            }
            ("GET", ["deliveries"]) => self.deliveries(id, query),
            ("GET", ["deliveries", delivery]) => {
                let found = self.sent.iter().find(|sent| sent.hook == id && sent.id.to_string() == *delivery);
                found.map_or_else(|| message(404, "Not Found"), |sent| answered(200, whole(sent)))
            }
            ("POST", ["deliveries", delivery, "attempts"]) => {
                let Some(sent) = self.sent.iter().find(|sent| sent.hook == id && sent.id.to_string() == *delivery).cloned() else {
                    return Some(message(404, "Not Found"));
                };
                if now - sent.delivered_at > 3 * 86_400 {
                    return Some(message(422, "Deliveries older than 3 days cannot be redelivered."));
                }
                self.asked.push(sent.guid.clone());
                let hook = self.list.get(at).cloned()?;
                let again = Outgoing { hook, guid: sent.guid, event: sent.event, payload: sent.payload, redelivery: true };
                Answered { send: Some(again), ..answered(202, json!({})) }
            }
            _ => message(404, "Not Found"),
        })
    }

    fn make(&mut self, owner: &str, body: &Value, by_app: bool) -> Answered {
        let url = body.pointer("/config/url").and_then(Value::as_str).unwrap_or_default().to_owned();
        if body.get("name").and_then(Value::as_str) != Some("web") || url.is_empty() {
            return message(422, "Validation Failed");
        }
        if self.list.iter().any(|hook| hook.owner == owner && hook.url == url) {
            let what = if owner.contains('/') { "repository" } else { "organization" };
            return message(422, &format!("Validation Failed: Hook already exists on this {what}"));
        }
        let id = self.id();
        let hook = SimHook {
            id,
            owner: owner.to_owned(),
            by_app,
            active: true,
            events: vec!["push".to_owned()],
            url,
            secret: String::new(),
            json: false,
            insecure: false,
        };
        self.list.push(hook);
        let changed = self.change(self.list.len() - 1, body);
        if changed.status != 200 {
            self.list.pop();
            return changed;
        }
        Answered { status: 201, ..changed }
    }

    fn change(&mut self, at: usize, body: &Value) -> Answered {
        let Some(hook) = self.list.get_mut(at) else { return message(404, "Not Found") };
        if let Some(events) = body.get("events").and_then(Value::as_array) {
            let events: Vec<String> = events.iter().filter_map(|event| event.as_str().map(str::to_owned)).collect();
            if hook.owner.contains('/') && events.iter().any(|event| OF_ORGANIZATIONS.contains(&event.as_str())) {
                return message(422, "Validation Failed: events are not supported for this hook");
            }
            hook.events = events;
        }
        if let Some(active) = body.get("active").and_then(Value::as_bool) {
            hook.active = active;
        }
        if let Some(config) = body.get("config") {
            // Whoever gives a config without the secret removes it.
            hook.secret.clear();
            hook.set(config);
        }
        answered(200, shape(hook))
    }

    fn configure(&mut self, at: usize, body: &Value) -> Answered {
        let Some(hook) = self.list.get_mut(at) else { return message(404, "Not Found") };
        hook.set(body);
        answered(200, shape(hook).get("config").cloned().unwrap_or_default())
    }

    fn deliveries(&self, id: u64, query: &HashMap<String, String>) -> Answered {
        let size = query.get("per_page").and_then(|text| text.parse().ok()).unwrap_or(30_usize).clamp(1, 100);
        let from = query.get("cursor").map(|cursor| cursor.strip_prefix("v1_").and_then(|id| id.parse::<u64>().ok()));
        if from == Some(None) {
            return message(422, "Invalid cursor");
        }
        let before = from.flatten().unwrap_or(u64::MAX);
        let mut left = self.sent.iter().rev().filter(|sent| sent.hook == id && sent.id < before);
        let page: Vec<&Sent> = left.by_ref().take(size).collect();
        let next = page.last().filter(|_| left.next().is_some()).map(|last| format!("per_page={size}&cursor=v1_{}", last.id));
        Answered { next, ..answered(200, page.into_iter().map(brief).collect()) }
    }

    pub(crate) fn guid(&mut self) -> String {
        let id = self.id();
        format!("{id:08x}-b361-11eb-836d-0e4f3503ccbe")
    }

    /// Who gets an event.
    pub(crate) fn outgoing(&mut self, emitted: &Emitted) -> Vec<Outgoing> {
        let repository = emitted.payload.pointer("/repository/full_name").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let org = emitted.payload.pointer("/organization/login").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let owner = |hook: &SimHook| hook.owner == repository || hook.owner == org || repository.split('/').next() == Some(&hook.owner);
        let wants = |hook: &&SimHook| hook.active && owner(hook) && hook.events.iter().any(|event| event == emitted.name || event == "*");
        let hooks: Vec<SimHook> = self.list.iter().filter(wants).cloned().collect();
        // The same event has the same guid for every hook.
        let guid = self.guid();
        let one = |hook| Outgoing { hook, guid: guid.clone(), event: emitted.name.to_owned(), payload: emitted.payload.clone(), redelivery: false };
        hooks.into_iter().map(one).collect()
    }

    pub(crate) fn record(&mut self, out: &Outgoing, status_code: u16, now: i64) {
        let id = self.id();
        self.sent.push(Sent {
            id,
            hook: out.hook.id,
            guid: out.guid.clone(),
            delivered_at: now,
            redelivery: out.redelivery,
            status_code,
            event: out.event.clone(),
            payload: out.payload.clone(),
        });
    }

    /// Events of which no attempt went well.
    #[must_use]
    pub fn lost(&self) -> usize {
        let well: BTreeSet<&str> = self.sent.iter().filter(|sent| (200..300).contains(&sent.status_code)).map(|sent| sent.guid.as_str()).collect();
        self.sent.iter().map(|sent| sent.guid.as_str()).collect::<BTreeSet<_>>().difference(&well).count()
    }
}

impl SimHook {
    fn set(&mut self, config: &Value) {
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        if let Some(url) = text("url") {
            url.clone_into(&mut self.url);
        }
        if let Some(secret) = text("secret") {
            secret.clone_into(&mut self.secret);
        }
        self.json = text("content_type").map_or(self.json, |kind| kind == "json");
        self.insecure = text("insecure_ssl").map_or(self.insecure, |flag| flag == "1");
    }
}

fn shape(hook: &SimHook) -> Value {
    let kind = if hook.owner.contains('/') { "Repository" } else { "Organization" };
    let mut config = json!({ "url": hook.url, "content_type": if hook.json { "json" } else { "form" }, "insecure_ssl": if hook.insecure { "1" } else { "0" } });
    if !hook.secret.is_empty() {
        config["secret"] = json!("********");
    }
    let at = time(1_700_000_000);
    json!({ "type": kind, "id": hook.id, "name": "web", "active": hook.active, "events": hook.events, "config": config, "created_at": at, "updated_at": at,
        "url": format!("https://api.github.com/hooks/{}", hook.id) })
}

fn brief(sent: &Sent) -> Value {
    let status = match sent.status_code {
        200..=299 => "OK",
        502 => "failed to connect to host",
        504 => "timed out",
        _ => "Invalid HTTP Response",
    };
    json!({ "id": sent.id, "guid": sent.guid, "delivered_at": time(sent.delivered_at), "redelivery": sent.redelivery, "duration": 0.27, "status": status,
        "status_code": sent.status_code, "event": sent.event, "action": sent.payload.get("action"), "installation_id": null,
        "repository_id": sent.payload.pointer("/repository/id"), "throttled_at": null })
}

fn whole(sent: &Sent) -> Value {
    let mut body = brief(sent);
    body["request"] = json!({ "headers": { "X-GitHub-Delivery": sent.guid, "X-GitHub-Event": sent.event }, "payload": sent.payload });
    body["response"] = json!({ "headers": {}, "payload": null });
    body
}
