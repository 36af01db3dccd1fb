//! Delivers events to the addresses of hooks over HTTP, signed as GitHub signs them, with what goes wrong on the way.
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers>

use crate::hooks::{Hooks, Outgoing};
use crate::server::GitHub;
use aws_lc_rs::hmac;
use futures::StreamExt;
use std::time::Duration;

/// Deliveries at once.
const AT_ONCE: usize = 16;

impl GitHub {
    /// Delivers what is in the world's outbox and what was held back. Returns how many attempts were made.
    pub async fn deliver(&self) -> usize {
        let emitted = std::mem::take(&mut self.world().outbox);
        let out = {
            let hooks = &mut *self.hooks();
            let mut out = std::mem::take(&mut hooks.held);
            for one in emitted.iter().flat_map(|emitted| hooks.outgoing(emitted)).collect::<Vec<_>>() {
                if hooks.random.below(1000) < hooks.faults.late { hooks.held.push(one) } else { out.push(one) }
            }
            if hooks.faults.shuffled {
                for at in (1..out.len()).rev() {
                    let other = usize::try_from(hooks.random.below(u64::try_from(at + 1).unwrap_or(1))).unwrap_or(0);
                    out.swap(at, other);
                }
            }
            out
        };
        let made = out.len();
        futures::stream::iter(out).for_each_concurrent(AT_ONCE, |one| async move { self.send(one).await }).await;
        made
    }

    /// Until every redelivery that was asked for was tried.
    pub async fn settled(&self) {
        while self.hooks().under_way > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// One attempt, and word of it.
    pub(crate) async fn send(&self, one: Outgoing) {
        let (failing, unanswered, twice, too_large) = {
            let hooks = &mut *self.hooks();
            let faults = hooks.faults;
            let roll = hooks.random.below(1000);
            let failing = one.event != "ping" && roll < faults.failing;
            let unanswered = !failing && one.event != "ping" && roll < faults.failing + faults.unanswered;
            (failing, unanswered, hooks.random.below(1000) < faults.twice, faults.too_large)
        };
        let body = one.payload.to_string();
        let status = if failing {
            502
        } else if too_large.is_some_and(|most| body.len() > most) {
            413
        } else {
            let status = post(&one, &body).await;
            if twice {
                post(&one, &body).await;
            }
            if unanswered { 504 } else { status }
        };
        let now = self.now();
        self.hooks().record(&one, status, now);
    }
}

/// The status that the receiver answers; 502 if there is none.
async fn post(one: &Outgoing, body: &str) -> u16 {
    let key = hmac::Key::new(hmac::HMAC_SHA256, one.hook.secret.as_bytes());
    let signature: String = hmac::sign(&key, body.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let kind = if one.hook.owner.contains('/') { "repository" } else { "organization" };
    let mut request = client()
        .post(&one.hook.url)
        .header("content-type", "application/json")
        .header("user-agent", "GitHub-Hookshot/0123456")
        .header("x-github-event", &one.event)
        .header("x-github-delivery", &one.guid)
        .header("x-github-hook-id", one.hook.id.to_string())
        .header("x-github-hook-installation-target-type", kind);
    if !one.hook.secret.is_empty() {
        request = request.header("x-hub-signature-256", format!("sha256={signature}"));
    }
    // GitHub waits ten seconds.
    let answer = request.timeout(Duration::from_secs(10)).body(body.to_owned()).send().await;
    answer.map_or(502, |answer| answer.status().as_u16())
}

/// One for all deliveries: connections are kept.
fn client() -> reqwest::Client {
    static CLIENT: std::sync::OnceLock<reqwest::Client> = std::sync::OnceLock::new();
    CLIENT.get_or_init(reqwest::Client::new).clone()
}

impl Hooks {
    pub(crate) fn begin(&mut self) {
        self.under_way += 1;
    }

    pub(crate) fn end(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}
