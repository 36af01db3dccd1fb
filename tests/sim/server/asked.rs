//! One request that was let in: charges it, refuses it as the faults say, or answers it. Sends nothing.

use super::{GitHub, Reply, Shared, base, dated, enter, header, lock, reply};
use crate::faults::Faults;
use crate::graphql::Query;
use crate::profile::{self, Identity};
use crate::rest;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// A request that got as far as being looked at.
pub(super) struct Asked<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) token: &'a str,
    pub(super) faults: Faults,
    pub(super) now: i64,
}

fn budget(reply: &mut Reply, resource: &str, (limit, remaining, reset): (u64, u64, i64)) {
    header(reply, "x-ratelimit-limit", &limit.to_string());
    header(reply, "x-ratelimit-remaining", &remaining.to_string());
    header(reply, "x-ratelimit-used", &(limit - remaining).to_string());
    header(reply, "x-ratelimit-reset", &reset.to_string());
    header(reply, "x-ratelimit-resource", resource);
}

impl Asked<'_> {
    pub(super) fn identity(&self) -> Identity {
        self.faults.identities.get(self.token).cloned().unwrap_or_default()
    }

    fn refuse(&self, (status, body, headers): profile::Refusal) -> Reply {
        let mut refused = reply(status, &body);
        headers.iter().for_each(|(name, value)| header(&mut refused, name, value));
        dated(&mut refused, self.now);
        refused
    }

    /// Charges `cost`, or refuses. Returns the limit, what remains and when the window ends.
    fn charge(&self, resource: &'static str, cost: u64) -> Result<Option<(u64, u64, i64)>, Box<Reply>> {
        let Some(limit) = self.faults.limit else { return Ok(None) };
        let mut limits = lock(&self.shared.limits);
        let account = (self.token.to_owned(), resource);
        let current = limits.used.get(&account).copied().filter(|(_, reset)| self.now < *reset);
        let (used, reset) = current.unwrap_or((0, self.now + 3600));
        if used + cost > limit {
            limits.told.insert((self.token.to_owned(), Some(resource)), reset);
            let message = "API rate limit exceeded for user ID 1.";
            let mut refused = if resource == "graphql" {
                reply(200, &json!({ "errors": [{ "type": "RATE_LIMITED", "message": message }] }))
            } else {
                reply(403, &json!({ "message": message }))
            };
            budget(&mut refused, resource, (limit, 0, reset));
            dated(&mut refused, self.now);
            return Err(Box::new(refused));
        }
        limits.used.insert(account, (used + cost, reset));
        drop(limits);
        if resource == "graphql" {
            let mut ledger = lock(&self.shared.ledger);
            let hours = &mut ledger.by_token.entry(self.token.to_owned()).or_default().points_an_hour;
            match hours.last_mut().filter(|_| current.is_some()) {
                Some(hour) => *hour += cost,
                None => hours.push(cost),
            }
        }
        Ok(Some((limit, limit - used - cost, reset)))
    }

    pub(super) fn post(&self, body: &Bytes) -> Reply {
        let Self { shared, now, ref faults, .. } = *self;
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return reply(400, &json!({ "message": "Problems parsing JSON" }));
        };
        let query = match Query::parse(&body, &faults.server.lacks) {
            Ok(query) => query,
            Err(mistake) => return reply(200, &mistake),
        };
        if faults.heavy.is_some_and(|heavy| query.nodes > heavy) {
            return reply(502, &json!({ "message": "We couldn't respond to your request in time." }));
        }
        if self.identity().only.is_some_and(|only| lock(&shared.world).org.get("login") != Some(&json!(only))) {
            let message = "Could not resolve to an Organization.";
            return reply(
                200,
                &json!({ "data": { "organization": null, "repository": null }, "errors": [{ "type": "NOT_FOUND", "path": ["organization"], "message": message }] }),
            );
        }
        if let Some(door) = self.identity().door {
            let mut closed = reply(200, &door.graphql());
            dated(&mut closed, now);
            return closed;
        }
        if let Some(list) = faults.out_of_scope.iter().find(|list| query.lists.contains(list)) {
            let message = format!(
                "Your token has not been granted the required scopes to execute this query. The '{list}' field requires one of the following scopes: ['read:org'], but your token has only been granted the: ['repo'] scopes."
            );
            return reply(200, &json!({ "errors": [{ "type": "INSUFFICIENT_SCOPES", "message": message }] }));
        }
        let text = body.get("query").and_then(Value::as_str).unwrap_or_default();
        if let Some(refused) = self.identity().refuses_projects(text) {
            return reply(200, &refused);
        }
        if let Some(list) = faults.misunderstood.iter().find(|list| query.lists.contains(list)) {
            return reply(200, &json!({ "errors": [{ "message": format!("Parse error on \"{list}\"") }] }));
        }
        for name in &query.about {
            if let Some((status, list)) = faults.refuse.get(name)
                && list.as_ref().is_none_or(|list| query.lists.contains(list))
            {
                return self.refused(*status);
            }
        }
        let charged = match self.charge("graphql", query.cost) {
            Ok(charged) => charged,
            Err(refused) => return *refused,
        };
        lock(&shared.ledger).points += query.cost;
        enter(shared, self.token, "graphql", query.cost, now);
        let told = charged.map_or(Value::Null, |(limit, remaining, reset)| {
            json!({ "limit": limit, "cost": query.cost, "remaining": remaining, "used": limit - remaining, "nodeCount": query.nodes, "resetAt": crate::world::time(reset) })
        });
        let mut answer = query.run(&lock(&shared.world), &told);
        if let Some(member) = answer.pointer_mut("/data/organization/viewerIsAMember") {
            *member = json!(self.identity().memberships.contains(&("acme".to_owned(), "active".to_owned())));
        }
        if let Some(number) = faults.unanswerable
            && has(&answer, number)
        {
            return reply(502, &json!({ "message": "We couldn't respond to your request in time." }));
        }
        let after = body.pointer("/variables/after").filter(|after| !after.is_null());
        if let Some((list, after)) = faults.endless.as_ref().zip(after) {
            lead_back(&mut answer, list, after);
        }
        let mut reply = reply(200, &answer);
        if let Some(charged) = charged {
            budget(&mut reply, "graphql", charged);
        }
        dated(&mut reply, now);
        reply
    }

    /// The answers that GitHub gives for what it will not show. 1 to 4 stand for the meanings of a 403.
    fn refused(&self, status: u16) -> Reply {
        let message = |text: &str| json!({ "message": text });
        match status {
            1 => {
                let mut reply = reply(403, &message("Resource not accessible by personal access token"));
                header(&mut reply, "x-oauth-scopes", "read:org");
                header(&mut reply, "x-accepted-oauth-scopes", "repo");
                reply
            }
            2 => {
                let mut reply = reply(403, &message("Resource protected by organization SAML enforcement."));
                header(&mut reply, "x-github-sso", "required; url=https://github.com/orgs/acme/sso?authorization_request=1");
                reply
            }
            3 => {
                lock(&self.shared.limits).told.insert((self.token.to_owned(), None), self.now + 30);
                let mut reply = reply(403, &message("You have exceeded a secondary rate limit."));
                header(&mut reply, "retry-after", "30");
                dated(&mut reply, self.now);
                reply
            }
            4 => reply(403, &message("Although you appear to have the correct authorization credentials, the organization has an IP allow list enabled.")),
            404 => reply(
                200,
                &json!({ "data": { "repository": null }, "errors": [{ "type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve to a Repository." }] }),
            ),
            // As GraphQL tells what 2 is over REST.
            6 => reply(
                200,
                &json!({ "data": { "repository": null }, "errors": [{ "type": "FORBIDDEN", "path": ["repository"], "extensions": { "saml_failure": true },
                    "message": "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization." }] }),
            ),
            5 => reply(200, &json!("this is not what GraphQL answers")),
            other => reply(other, &message("Repository access blocked")),
        }
    }

    /// The address by number, which outlives every name.
    fn moved(&self, id: u64, path: &str, uri: &Uri) -> Reply {
        let rest = path.splitn(5, '/').nth(4).unwrap_or_default();
        let to = format!("{}/repositories/{id}/{rest}?{}", base(&self.shared.url, &self.faults), uri.query().unwrap_or_default());
        let mut moved = reply(301, &json!({ "message": "Moved Permanently", "url": to, "documentation_url": "https://docs.github.com/rest" }));
        header(&mut moved, "location", &to);
        moved
    }

    /// <https://docs.github.com/en/rest/rate-limit/rate-limit>; a server without limits has no such route.
    fn rate_limit(&self) -> Reply {
        let Some(limit) = self.faults.limit else { return reply(404, &json!({ "message": "Rate limiting is not enabled." })) };
        let limits = lock(&self.shared.limits);
        let of = |resource: &'static str| {
            let used = limits.used.get(&(self.token.to_owned(), resource)).filter(|(_, reset)| self.now < *reset);
            let (used, reset) = used.copied().unwrap_or((0, self.now + 3600));
            json!({ "limit": limit, "used": used, "remaining": limit.saturating_sub(used), "reset": reset })
        };
        let core = of("core");
        let mut reply = reply(200, &json!({ "resources": { "core": core, "graphql": of("graphql"), "search": core }, "rate": core }));
        dated(&mut reply, self.now);
        reply
    }

    /// The routes of webhooks, which alone are changed over REST.
    pub(super) fn about_hooks(&self, method: &Method, uri: &Uri, path: &str, body: &Bytes) -> Option<Reply> {
        let shared = self.shared;
        let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let body = serde_json::from_slice(body).unwrap_or_default();
        let identity = self.identity();
        if identity.door.is_some() && path.contains("/hooks") {
            return None;
        }
        let by_app = self.token.starts_with("gho_");
        let answered = lock(&shared.webhooks).answer((method.as_str(), path), &query, &body, (&identity, by_app), self.now)?;
        let cost = if *method == Method::GET { 1 } else { 5 };
        if *method != Method::GET {
            enter(shared, self.token, "core", cost - 1, self.now);
        }
        let charged = match self.charge("core", 1) {
            Ok(charged) => charged,
            Err(refused) => return Some(*refused),
        };
        if let Some(out) = answered.send {
            lock(&shared.webhooks).begin();
            let github = GitHub { url: shared.url.clone(), shared: shared.clone() };
            tokio::spawn(async move {
                github.send(out).await;
                github.hooks().end();
            });
        }
        let mut reply = reply(answered.status, &answered.body);
        if answered.status == 204 {
            *reply.body_mut() = Body::empty();
        }
        if let Some(next) = answered.next {
            header(&mut reply, "link", &format!("<{}{}?{next}>; rel=\"next\"", shared.url, uri.path()));
        }
        if let Some(charged) = charged {
            budget(&mut reply, "core", charged);
        }
        dated(&mut reply, self.now);
        Some(reply)
    }

    pub(super) fn get(&self, method: &Method, uri: &Uri, path: &str, headers: &HeaderMap) -> Reply {
        let Self { shared, ref faults, .. } = *self;
        if method != Method::GET {
            return reply(404, &json!({ "message": "Not Found" }));
        }
        for (name, (status, list)) in &faults.refuse {
            if path.starts_with(&format!("/repos/{name}/")) && list.as_ref().is_none_or(|list| path.contains(list.as_str())) {
                if *status == 301 {
                    let id = lock(&shared.world).repos.iter().find(|repo| crate::world::nwo(repo) == *name).and_then(|repo| repo.get("databaseId")?.as_u64());
                    return self.moved(id.unwrap_or(0), path, uri);
                }
                if *status == 404 {
                    return reply(404, &json!({ "message": "Not Found" }));
                }
                return self.refused(*status);
            }
        }
        let query: HashMap<String, String> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let page = query.get("page").and_then(|page| page.parse::<u64>().ok()).unwrap_or(1);
        if faults.last_page.is_some_and(|last| page > last) {
            let message = "In order to keep the API fast for everyone, pagination is limited for this resource.";
            return reply(422, &json!({ "message": message, "documentation_url": "https://docs.github.com/rest", "status": "422" }));
        }
        if self.identity().only.is_some_and(|only| path != "/rate_limit" && lock(&shared.world).org.get("login") != Some(&json!(only))) {
            return reply(404, &json!({ "message": "Not Found" }));
        }
        let (identity, public) = (self.identity(), lock(&shared.world).is_public(path));
        if let Some(refusal) = profile::refusal(path, &identity, &faults.server, public) {
            return self.refuse(refusal);
        }
        let answered = match profile::answer(path, &identity, &faults.server) {
            Some(answered) => answered,
            None if path == "/rate_limit" => {
                lock(&shared.ledger).free += 1;
                return self.rate_limit();
            }
            None => rest::answer(&lock(&shared.world), path, &query),
        };
        let found = match answered {
            rest::Answer::NotFound => {
                lock(&shared.ledger).not_found.insert(path.to_owned());
                return self.charged(reply(404, &json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404" })));
            }
            rest::Answer::Moved(id) => return self.moved(id, path, uri),
            rest::Answer::Refused(refusal) => return self.charged(self.refuse(refusal)),
            rest::Answer::Found(found) => found,
        };
        let etag = format!("W/\"{:x}\"", found.body.to_string().bytes().fold(5381_u64, |hash, byte| hash.wrapping_mul(33) ^ u64::from(byte)));
        if headers.get("if-none-match").and_then(|value| value.to_str().ok()) == Some(etag.as_str()) {
            lock(&shared.ledger).not_modified += 1;
            let mut reply = reply(304, &Value::Null);
            *reply.body_mut() = Body::empty();
            header(&mut reply, "etag", &etag);
            return reply;
        }
        let mut reply = self.charged(reply(200, &found.body));
        header(&mut reply, "etag", &etag);
        if let Some(rest::Next { next, last }) = found.next {
            let list = format!("{}{}", shared.url, uri.path());
            header(&mut reply, "link", &format!("<{list}?{next}>; rel=\"next\", <{list}?{last}>; rel=\"last\""));
        }
        reply
    }

    /// An answer over REST that counts, whatever it says; or what is told to somebody who may ask no more.
    fn charged(&self, mut reply: Reply) -> Reply {
        match self.charge("core", 1) {
            Ok(Some(charged)) => budget(&mut reply, "core", charged),
            Ok(None) => {}
            Err(refused) => return *refused,
        }
        dated(&mut reply, self.now);
        reply
    }
}

/// Has the pages of a list end where they began.
fn lead_back(answer: &mut Value, list: &str, after: &Value) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == list
                    && let Some(info) = value.get_mut("pageInfo")
                {
                    *info = json!({ "hasNextPage": true, "endCursor": after });
                }
                lead_back(value, list, after);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| lead_back(item, list, after)),
        _ => {}
    }
}

/// Whether an item of this number is in an answer, with its comments.
fn has(answer: &Value, number: u64) -> bool {
    match answer {
        Value::Object(fields) => {
            let it = fields.get("number").and_then(Value::as_u64) == Some(number) && fields.contains_key("comments");
            it || fields.values().any(|value| has(value, number))
        }
        Value::Array(items) => items.iter().any(|item| has(item, number)),
        _ => false,
    }
}
