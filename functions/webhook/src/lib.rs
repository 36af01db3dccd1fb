//! Translates a request of GitHub's into an event that is taken in, and its end into an answer: verified before
//! anything is parsed, answered with success only once it is durable. Applies nothing, and logs no body.
//! <https://docs.github.com/en/webhooks/using-webhooks/best-practices-for-using-webhooks>

pub mod gateway;

use bytes::Bytes;
use engine::deliveries::{self, About, Stage, Trace};
use engine::signature::Keyring;
use engine::{Inbox, Received, Store, StoreError, receive};
use jiff::Timestamp;
use serde::Serialize;
use std::time::Duration;

/// What is used of a request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub method: String,
    pub content_type: String,
    /// `X-Hub-Signature-256`.
    pub signature: String,
    /// `X-GitHub-Event`.
    pub event: String,
    /// `X-GitHub-Delivery`.
    pub delivery: String,
    /// `X-GitHub-Hook-ID`.
    pub hook: String,
    /// The bytes that were signed.
    pub body: Bytes,
}

/// What an event is taken in with.
pub struct Door<'a> {
    pub keys: &'a dyn Keyring,
    pub inbox: &'a dyn Inbox,
    pub store: &'a dyn Store,
}

/// Shown in GitHub's list of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    #[serde(skip)]
    pub status: u16,
    pub message: String,
}

/// GitHub sends no larger ones.
pub const LARGEST: usize = 25_000_000;

/// GitHub waits ten seconds. What takes longer is told as failed while it listens, so that it can be sent again.
const DEADLINE: Duration = Duration::from_secs(8);

fn answer(status: u16, message: impl Into<String>) -> Answer {
    Answer { status, message: message.into() }
}

impl Answer {
    /// For counting.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        match self.status {
            200 | 202 => "accepted",
            401 => "unsigned",
            500.. => "failed",
            _ => "malformed",
        }
    }

    #[must_use]
    pub fn body(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Takes an event in.
pub async fn handle(request: Request, door: &Door<'_>, now: Timestamp) -> Answer {
    let (delivery, event) = (request.delivery.clone(), request.event.clone());
    let answer = match tokio::time::timeout(DEADLINE, take(request, door, now)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => {
            tracing::error!(delivery, error = %chain(&error), "an event could not be stored");
            answer(503, "It could not be stored just now: send it again.")
        }
        Err(_) => {
            tracing::error!(delivery, "an event could not be stored in time");
            answer(503, "It could not be stored in time: send it again.")
        }
    };
    tracing::info!(delivery, event, status = answer.status, message = answer.message, "answered");
    answer
}

fn chain(error: &StoreError) -> String {
    let source = std::error::Error::source(error).map(|source| format!(" ({source})")).unwrap_or_default();
    format!("{error}{source}")
}

async fn take(request: Request, door: &Door<'_>, now: Timestamp) -> Result<Answer, StoreError> {
    if request.method != "POST" {
        return Ok(answer(405, "This address takes GitHub's webhooks, by POST."));
    }
    let kind = request.content_type.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Ok(answer(415, "Set the webhook's content type to application/json."));
    }
    if request.body.len() > LARGEST {
        return Ok(answer(413, "It is larger than what GitHub sends."));
    }
    if let Some(refusal) = verify(&request, door.keys).await? {
        return Ok(refusal);
    }
    if !is_id(&request.delivery) || !is_id(&request.event) {
        return Ok(answer(400, "It has no X-GitHub-Delivery or no X-GitHub-Event."));
    }
    let hook = Some(request.hook).filter(|hook| is_id(hook));
    let event = Received { delivery: request.delivery, event: request.event, hook, received_at: now, body: request.body };
    let Some(about) = About::read(&event.body) else {
        let why = "the payload is not JSON".to_owned();
        let trace = Trace { outcome: Stage::Malformed, why: Some(why), ..Trace::of(&event, &About::default()) };
        deliveries::note(door.store, &event.delivery, &trace).await?;
        return Ok(answer(400, "The payload is not JSON."));
    };
    if event.event == "ping" {
        return Ok(answer(200, "The webhook is set up."));
    }
    let trace = Trace::of(&event, &about);
    if !receive::is_used(&event.event) {
        // Counted by its trace.
        let why = format!("the event `{}` is not used", event.event);
        let trace = Trace { outcome: Stage::Ignored, why: Some(why.clone()), ..trace };
        deliveries::note(door.store, &event.delivery, &trace).await?;
        return Ok(answer(202, format!("Not used: {why}.")));
    }
    let known = deliveries::find(door.store, &event.delivery).await?;
    if known.is_some_and(|known| known.durable_at.is_some() && known.outcome != Stage::DeadLettered) {
        return Ok(answer(200, "It was received before."));
    }
    door.inbox.accept(&event).await?;
    let trace = Trace { durable_at: Some(Timestamp::now().max(now)), ..trace };
    if let Err(error) = deliveries::note(door.store, &event.delivery, &trace).await {
        // It is durable: should it come twice, it is applied twice, which changes nothing.
        tracing::warn!(delivery = event.delivery, error = %chain(&error), "the event is taken in, but not traced");
    }
    Ok(answer(200, "Received."))
}

/// The same answer whether there is no signature or a wrong one.
async fn verify(request: &Request, keys: &dyn Keyring) -> Result<Option<Answer>, StoreError> {
    for again in [false, true] {
        let secrets = keys.secrets(again).await?;
        if secrets.is_empty() {
            tracing::error!("there is no webhook secret, so nothing can be verified: put one into the secret, and the same into the webhook");
            return Ok(Some(answer(503, "No secret is configured here yet: send it again once there is one.")));
        }
        if secrets.signed(&request.body, &request.signature) {
            return Ok(None);
        }
        // Without a signature no other secret would do.
        if request.signature.is_empty() {
            break;
        }
    }
    Ok(Some(answer(401, "It is not signed with this webhook's secret.")))
}

/// GitHub's ids and names are plain and short; what is not would be a key of the table.
fn is_id(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
