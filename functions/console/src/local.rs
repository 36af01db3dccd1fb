//! The door on this machine: a link that is good once becomes a session in one browser. Refuses names that are not this
//! machine's, so that no page elsewhere gets in by a name that it points here. Keeps digests, not what they are of.

use crate::authorizing::{BACK, CALLBACK};
use crate::stop::Stop;
use crate::who::{Role, Who};
use crate::{Console, layout, router, security};
use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use maud::html;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A working day.
const LASTS: SignedDuration = SignedDuration::from_hours(12);

/// Who is let in, and by which link the next one is.
pub struct Door {
    port: u16,
    role: Role,
    /// Told each new link.
    tell: Box<dyn Fn(&str) + Send + Sync>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Digest of the next link's key.
    key: Option<Vec<u8>>,
    /// By the digest of their cookie.
    sessions: HashMap<Vec<u8>, Session>,
}

struct Session {
    csrf: String,
    ends: Timestamp,
}

/// Random numbers are to be had on every machine that has TLS.
#[derive(Debug, thiserror::Error)]
#[error("this machine has no random numbers")]
pub struct NoRandom;

pub(crate) fn random() -> Result<String, NoRandom> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

impl Door {
    /// Makes the first link, and tells it.
    pub fn new(port: u16, role: Role, tell: impl Fn(&str) + Send + Sync + 'static) -> Result<Self, NoRandom> {
        let door = Self { port, role, tell: Box::new(tell), inner: Mutex::default() };
        door.next_link()?;
        Ok(door)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_link(&self) -> Result<(), NoRandom> {
        let key = random()?;
        self.inner().key = Some(hash(&key));
        (self.tell)(&format!("http://127.0.0.1:{}/sign-in?key={key}", self.port));
        Ok(())
    }

    /// Cookies know no ports: another program of ours on this machine must not overwrite this one's.
    fn cookie(&self) -> String {
        format!("sei-console-{}", self.port)
    }

    /// The names by which this machine is reached from itself.
    fn is_ours(&self, host: &str) -> bool {
        ["127.0.0.1", "localhost", "[::1]"].iter().any(|name| host == format!("{name}:{}", self.port))
    }

    /// Uses up the link.
    fn enter(&self, key: &str, now: Timestamp) -> Result<Option<String>, NoRandom> {
        {
            let mut inner = self.inner();
            // Digests are compared: how long that takes tells nothing of the key.
            if inner.key.as_deref() != Some(hash(key).as_slice()) {
                return Ok(None);
            }
            inner.key = None;
        }
        let (cookie, csrf) = (random()?, random()?);
        {
            let mut inner = self.inner();
            inner.sessions.retain(|_, session| session.ends > now);
            inner.sessions.insert(hash(&cookie), Session { csrf, ends: now.checked_add(LASTS).unwrap_or(now) });
        }
        self.next_link()?;
        Ok(Some(cookie))
    }

    fn who(&self, headers: &HeaderMap, here: &str, now: Timestamp) -> Option<Who> {
        let name = self.cookie();
        let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let inner = self.inner();
        let mut ours = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().strip_prefix(name.as_str())?.strip_prefix('='));
        let session = ours.find_map(|cookie| inner.sessions.get(&hash(cookie)).filter(|session| session.ends > now))?;
        Some(Who {
            name: format!("this machine's {}", self.role.name()),
            role: self.role,
            csrf: Some(session.csrf.clone()),
            here: here.to_owned(),
            signs_out: None,
        })
    }
}

/// The pages, behind this door.
pub fn local(console: Arc<Console>, door: Arc<Door>) -> Router {
    let state = (console.clone(), door);
    router(console).layer(from_fn_with_state(state, guard)).layer(axum::middleware::map_response(security::secured))
}

async fn guard(State((console, door)): State<(Arc<Console>, Arc<Door>)>, mut request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    if !door.is_ours(&host) {
        return (StatusCode::MISDIRECTED_REQUEST, "This console is reached as 127.0.0.1 only.\n").into_response();
    }
    let path = request.uri().path();
    if path.starts_with("/console/assets/") {
        return next.run(request).await;
    }
    if path == CALLBACK {
        return back(request.uri().query().unwrap_or_default());
    }
    if path == "/sign-in" {
        return sign_in(&door, request.uri().query().unwrap_or_default(), console.now());
    }
    let here = format!("http://{host}");
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        // A browser always tells where a form comes from.
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        if origin != Some(here.as_str()) {
            return Stop::Forged.into_response();
        }
    }
    let Some(who) = door.who(headers, &here, console.now()) else { return Stop::Stranger.into_response() };
    request.extensions_mut().insert(who);
    next.run(request).await
}

/// From GitHub, by a redirection: the session's cookie is strict, and was not sent. The next request, which a page of ours
/// makes, has it.
fn back(query: &str) -> Response {
    let told = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| matches!(name.as_ref(), "code" | "state"));
    let next = format!("{BACK}?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(told).finish());
    let mut response = layout::bare("Back from GitHub", html! { p { a href=(next) { "Go on" } } }).into_response();
    response.headers_mut().extend(HeaderValue::from_str(&format!("0; url={next}")).map(|refresh| (header::REFRESH, refresh)));
    response
}

fn sign_in(door: &Door, query: &str, now: Timestamp) -> Response {
    let key = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "key").map(|(_, key)| key.into_owned()).unwrap_or_default();
    match door.enter(&key, now) {
        Ok(Some(cookie)) => {
            // A page that goes on by itself, not a redirection: after one, a strict cookie would not be sent by a browser that
            // was led here from another site.
            let page = layout::bare("Signed in", html! { p { a href="/console/" { "To the console" } } });
            let cookie = format!("{}={cookie}; Path=/; HttpOnly; SameSite=Strict", door.cookie());
            let mut response = page.into_response();
            let headers = response.headers_mut();
            headers.extend(HeaderValue::from_str(&cookie).map(|cookie| (header::SET_COOKIE, cookie)));
            headers.insert(header::REFRESH, HeaderValue::from_static("0; url=/console/"));
            response
        }
        Ok(None) => {
            let text = "This link was used already, or is not this console's. The command has printed a new one: each is good once.";
            (StatusCode::FORBIDDEN, layout::bare("This link is no longer good", html! { p { (text) } })).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
