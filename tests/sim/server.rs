//! Puts a world behind HTTP: authentication, limits, faults, and the ledger. Knows no object of GitHub's.

mod asked;

use crate::doors::Doors;
use crate::faults::{Faults, Ledger};
use crate::hooks::Hooks;
use crate::profile::{self, Identity};
use crate::random::Random;
use crate::world::World;
use asked::Asked;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use base64::Engine;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The clock of the limits: the machine's, or one that a test moves.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What happens in the world just before a request is answered.
type Hook = Box<dyn FnOnce(&mut World) + Send>;

struct Shared {
    world: Mutex<World>,
    faults: Mutex<Faults>,
    doors: Mutex<Doors>,
    ledger: Mutex<Ledger>,
    limits: Mutex<Limits>,
    hooks: Mutex<HashMap<u64, Hook>>,
    webhooks: Mutex<Hooks>,
    clock: Clock,
    url: String,
}

#[derive(Default)]
struct Limits {
    in_flight: u64,
    flying: HashMap<String, u64>,
    /// By token and resource: when how much was spent, within the last minute.
    recent: HashMap<(String, &'static str), VecDeque<(i64, u64)>>,
    /// By token and resource: used in this window, and its end.
    used: HashMap<(String, &'static str), (u64, i64)>,
    /// By token: told to stay away until then, from one resource or (by a secondary limit) from all.
    told: HashMap<(String, Option<&'static str>), i64>,
}

/// A running simulation; it ends when the last handle does.
#[derive(Clone)]
pub struct GitHub {
    pub url: String,
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GitHub {
    pub async fn start(world: World) -> io::Result<Self> {
        Self::start_with(world, 0, Arc::new(|| jiff::Timestamp::now().as_second())).await
    }

    /// On the given port (0 for any), with a clock of the caller's.
    pub async fn start_with(world: World, port: u16, clock: Clock) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            faults: Mutex::default(),
            doors: Mutex::default(),
            ledger: Mutex::default(),
            limits: Mutex::default(),
            hooks: Mutex::default(),
            webhooks: Mutex::default(),
            clock,
            url: url.clone(),
        });
        let router = Router::new().fallback(handle).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, shared })
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.shared.world)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.shared.faults)
    }

    pub fn hooks(&self) -> MutexGuard<'_, Hooks> {
        lock(&self.shared.webhooks)
    }

    pub fn doors(&self) -> MutexGuard<'_, Doors> {
        lock(&self.shared.doors)
    }

    /// By the simulation's clock.
    #[must_use]
    pub fn now(&self) -> i64 {
        (self.shared.clock)()
    }

    #[must_use]
    pub fn ledger(&self) -> Ledger {
        lock(&self.shared.ledger).clone()
    }

    /// Changes the world just before the n-th request, counted from 1, is answered.
    pub fn before_request(&self, number: u64, change: impl FnOnce(&mut World) + Send + 'static) {
        lock(&self.shared.hooks).insert(number, Box::new(change));
    }

    /// What is given as the API's address.
    #[must_use]
    pub fn api(&self) -> String {
        base(&self.url, &self.faults())
    }

    /// Starts counting anew.
    pub fn reset_ledger(&self) {
        *lock(&self.shared.ledger) = Ledger::default();
    }
}

fn base(url: &str, faults: &Faults) -> String {
    if faults.server.below_api { format!("{url}/api/v3") } else { url.to_owned() }
}

type Reply = Response<Body>;

fn reply(status: u16, body: &Value) -> Reply {
    let mut reply = Response::new(Body::from(body.to_string()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    header(&mut reply, "content-type", "application/json; charset=utf-8");
    header(&mut reply, "x-github-request-id", "SIM0:1");
    reply
}

fn header(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Reply {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 10_000_000).await.unwrap_or_default();
    let token = token_of(&head.headers);
    {
        let mut ledger = lock(&shared.ledger);
        let mut limits = lock(&shared.limits);
        limits.in_flight += 1;
        let flying = limits.flying.entry(token.clone()).or_default();
        *flying += 1;
        let used = ledger.by_token.entry(token.clone()).or_default();
        used.most_in_flight = used.most_in_flight.max(*flying);
        ledger.most_in_flight = ledger.most_in_flight.max(limits.in_flight);
        if limits.in_flight > 100 {
            ledger.breaches.push("more than 100 requests in flight".to_owned());
        }
    }
    let latency = {
        let mut faults = lock(&shared.faults);
        let jitter = if faults.jitter_ms > 0 {
            let most = faults.jitter_ms;
            faults.random.below(most)
        } else {
            0
        };
        faults.latency_ms + jitter
    };
    if latency > 0 {
        tokio::time::sleep(Duration::from_millis(latency)).await;
    }
    let reply = answer(&shared, &head.method, &head.uri, &head.headers, &body);
    let reply = mangled(&shared, reply).await;
    lock(&shared.world).forget();
    let mut limits = lock(&shared.limits);
    limits.in_flight -= 1;
    limits.flying.entry(token).and_modify(|flying| *flying -= 1);
    reply
}

/// Now and then, some bytes are others.
async fn mangled(shared: &Shared, reply: Reply) -> Reply {
    let mut random = {
        let mut faults = lock(&shared.faults);
        let most = faults.mangled;
        // Drawn only where somebody asked for it, so that other faults stay where they are.
        if most == 0 || faults.random.below(1000) >= most {
            return reply;
        }
        Random(faults.random.draw())
    };
    let (head, body) = reply.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return Response::from_parts(head, Body::empty()) };
    let mut body = body.to_vec();
    let length = u64::try_from(body.len()).unwrap_or(0);
    for _ in 0..=random.below(4) {
        let at = usize::try_from(random.below(length)).unwrap_or(0);
        if let Some(byte) = body.get_mut(at) {
            *byte = u8::try_from(random.below(256)).unwrap_or(0);
        }
    }
    Response::from_parts(head, Body::from(body))
}

fn token_of(headers: &HeaderMap) -> String {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match authorization.split_once(' ') {
        // As git sends it: the password of whatever user.
        Some(("Basic", told)) => {
            let told = base64::engine::general_purpose::STANDARD.decode(told).unwrap_or_default();
            String::from_utf8_lossy(&told).split_once(':').map(|(_, password)| password.to_owned()).unwrap_or_default()
        }
        Some((_, token)) => token.to_owned(),
        None => String::new(),
    }
}

/// Enters what a request costs into the ledger.
fn enter(shared: &Shared, token: &str, resource: &'static str, cost: u64, now: i64) {
    let mut ledger = lock(&shared.ledger);
    let mut limits = lock(&shared.limits);
    let recent = limits.recent.entry((token.to_owned(), resource)).or_default();
    recent.push_back((now, cost));
    while recent.front().is_some_and(|(at, _)| now - at >= 60) {
        recent.pop_front();
    }
    let sum: u64 = recent.iter().map(|(_, cost)| cost).sum();
    let used = ledger.by_token.entry(token.to_owned()).or_default();
    let (all, most) = if resource == "core" { (&mut used.rest, &mut used.most_rest_a_minute) } else { (&mut used.points, &mut used.most_points_a_minute) };
    (*all, *most) = (*all + cost, sum.max(*most));
}

fn answer(shared: &Arc<Shared>, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Reply {
    let path = uri.path().strip_prefix("/api/v3").unwrap_or(uri.path());
    if let Some(part) = path.strip_prefix("/_sim/") {
        return control(shared, part, body);
    }
    if path.contains(".git/") {
        return git(shared, method, path, headers, body);
    }
    let graphql = path == "/graphql" || path == "/api/graphql";
    if lock(&shared.faults).server.below_api && !uri.path().starts_with("/api/") {
        // There, an Enterprise Server has its pages for people.
        return reply(404, &json!({ "message": "Not Found" }));
    }
    let now = (shared.clock)();
    if path == "/login/oauth/authorize" && *method == Method::GET {
        return agree(shared, uri.query().unwrap_or_default(), now);
    }
    if path.starts_with("/login/") {
        return login(shared, path, body, now);
    }
    let token = token_of(headers);
    if !graphql {
        enter(shared, &token, "core", 1, now);
    }
    let number = {
        let mut ledger = lock(&shared.ledger);
        ledger.requests += 1;
        if graphql {
            ledger.graphql += 1;
        } else {
            ledger.rest += 1;
        }
        if !headers.contains_key("user-agent") {
            ledger.breaches.push("a request without User-Agent".to_owned());
        }
        let limits = lock(&shared.limits);
        for door in [None, Some(if graphql { "graphql" } else { "core" })] {
            if let Some(until) = limits.told.get(&(token.clone(), door)).filter(|until| now < **until) {
                let breach = format!("request {} came {} s before the time it was told", ledger.requests, until - now);
                ledger.breaches.push(breach);
            }
        }
        ledger.requests
    };
    if let Some(change) = lock(&shared.hooks).remove(&number) {
        change(&mut lock(&shared.world));
    }
    if let Some(reply) = of_app(shared, method, path, &token, now) {
        return reply;
    }
    let mut faults = lock(&shared.faults);
    if !faults.tokens.contains(&token) || faults.ends.get(&token).is_some_and(|end| *end <= now) {
        return reply(401, &json!({ "message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401" }));
    }
    if let Some((_, after)) = faults.secondary.filter(|(at, _)| *at == number) {
        let mut reply = reply(403, &json!({ "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." }));
        lock(&shared.limits).told.insert((token, None), now + i64::try_from(after.unwrap_or(60)).unwrap_or(60));
        if let Some(after) = after {
            header(&mut reply, "retry-after", &after.to_string());
        }
        dated(&mut reply, now);
        return reply;
    }
    let roll = faults.random.below(1000);
    if roll < faults.bad_gateway {
        return reply(502, &json!({ "message": "Server Error" }));
    }
    let reset = (faults.bad_gateway..faults.bad_gateway + faults.reset).contains(&roll);
    let broken = faults.bad_gateway + faults.reset;
    let cut = (broken..broken + faults.truncated).contains(&roll) || faults.cut == Some(number);
    let request = Asked { shared, token: &token, faults: faults.clone(), now };
    drop(faults);
    let mut answered = if graphql {
        request.post(body)
    } else {
        match request.about_hooks(method, uri, path, body) {
            Some(answered) => answered,
            None => request.get(method, uri, path, headers),
        }
    };
    profile::dress(&mut answered, &request.identity(), &request.faults.server, path);
    match (reset, cut) {
        (true, _) => cut_off(answered, b""),
        (_, true) => cut_off(answered, b"{\"data\": {"),
        _ => answered,
    }
}

/// Git's protocol, with the token as a password.
fn git(shared: &Shared, method: &Method, path: &str, headers: &HeaderMap, body: &Bytes) -> Reply {
    lock(&shared.ledger).git += 1;
    let password = token_of(headers);
    let (roll, faults) = {
        let mut faults = lock(&shared.faults);
        (faults.random.below(1000), faults.clone())
    };
    let (broken, resets) = (faults.bad_gateway, faults.reset);
    let cut = (broken + resets..broken + resets + faults.truncated).contains(&roll);
    let world = lock(&shared.world);
    let refused = crate::git::about(&world, path).and_then(|about| faults.refuse.get(&about).cloned()).filter(|(_, list)| list.is_none());
    let answered = match refused {
        _ if !faults.tokens.contains(&password) => Some((401, b"Bad credentials".to_vec())),
        _ if roll < broken => Some((502, Vec::new())),
        Some((status, _)) => Some((status, Vec::new())),
        None => crate::git::answer(&world, faults.git, method, path, body),
    };
    let (status, body) = answered.unwrap_or((404, Vec::new()));
    let mut told = Response::new(Body::from(body));
    *told.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let kind = if *method == Method::GET { "advertisement" } else { "result" };
    header(&mut told, "content-type", &format!("application/x-git-upload-pack-{kind}"));
    if status == 401 {
        header(&mut told, "www-authenticate", "Basic realm=\"GitHub\"");
    }
    if cut || (broken..broken + resets).contains(&roll) { cut_off(told, b"") } else { told }
}

/// The page on which somebody agrees that an OAuth app may act for them.
fn agree(shared: &Shared, query: &str, now: i64) -> Reply {
    let (status, location, page) = lock(&shared.doors).oauth.page(query, now);
    let mut told = Response::new(Body::from(page));
    *told.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    header(&mut told, "content-type", "text/html; charset=utf-8");
    if let Some(location) = location {
        header(&mut told, "location", &location);
    }
    told
}

/// What an OAuth app asks, without a token.
fn login(shared: &Shared, path: &str, body: &Bytes, now: i64) -> Reply {
    lock(&shared.ledger).logins += 1;
    let form = url::form_urlencoded::parse(body).into_owned().collect();
    let ((status, told), new, old) = lock(&shared.doors).oauth.answer(path, &form, now);
    let mut faults = lock(&shared.faults);
    // Whoever uses a refresh token ends both of the pair.
    faults.tokens.retain(|token| Some(token) != old.as_ref());
    if let (Some(new), Some(lasts)) = (&new, lock(&shared.doors).oauth.lasts) {
        faults.ends.insert(new.clone(), now + lasts);
    }
    faults.tokens.extend(new);
    reply(status, &told)
}

/// What a GitHub App asks as itself.
fn of_app(shared: &Shared, method: &Method, path: &str, jwt: &str, now: i64) -> Option<Reply> {
    if path != "/app" && !path.starts_with("/app/") {
        return None;
    }
    let ((status, told), new) = lock(&shared.doors).app.as_mut()?.answer(path, method == Method::POST, jwt, now);
    if let Some((token, account, ends)) = new {
        let mut faults = lock(&shared.faults);
        let permissions = ["issues", "pull_requests", "contents", "deployments", "actions", "members", "organization_projects"].map(str::to_owned).to_vec();
        let identity = Identity { scopes: None, permissions, login: None, memberships: Vec::new(), only: Some(account), ..Identity::default() };
        faults.identities.insert(token.clone(), identity);
        faults.ends.insert(token.clone(), ends);
        faults.tokens.push(token);
    }
    let mut reply = reply(status, &told);
    dated(&mut reply, now);
    Some(reply)
}

/// What a test in another process may see and do: no route of GitHub's.
fn control(shared: &Shared, part: &str, body: &Bytes) -> Reply {
    let wish: Value = serde_json::from_slice(body).unwrap_or_default();
    let number = |name: &str| wish.get(name).and_then(Value::as_u64).unwrap_or(0);
    match part {
        "ledger" => reply(200, &serde_json::to_value(&*lock(&shared.ledger)).unwrap_or_default()),
        "truth" => reply(200, &Value::Object(lock(&shared.world).truth())),
        "reset" => {
            *lock(&shared.ledger) = Ledger::default();
            lock(&shared.limits).used.clear();
            reply(200, &Value::Null)
        }
        // One per cent of it all.
        "change" => reply(200, &json!({ "changed": lock(&shared.world).change_one_percent() })),
        "happen" => {
            let mut world = lock(&shared.world);
            let repos: Vec<String> = world.repos.iter().filter_map(|repo| Some(repo.get("name")?.as_str()?.to_owned())).collect();
            for (_, repo) in (0..number("times")).zip(repos.iter().cycle()) {
                world.happen(repo);
            }
            reply(200, &Value::Null)
        }
        // Somebody agrees on the page of the OAuth app.
        "agree" => {
            let text = |name: &str| wish.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let door = &mut lock(&shared.doors).oauth;
            let code = door.web_code(&text("redirect_uri"), &text("code_challenge"), (shared.clock)());
            reply(200, &json!({ "code": code, "client_id": door.client_id, "client_secret": door.client_secret }))
        }
        "faults" => {
            lock(&shared.faults).latency_ms = number("latency_ms");
            if let Some(Value::Array(scopes)) = wish.get("scopes") {
                let scopes = Some(scopes.iter().filter_map(|scope| Some(scope.as_str()?.to_owned())).collect());
                lock(&shared.faults).identities.insert("sim-token".to_owned(), Identity { scopes, ..Identity::default() });
            }
            if let Some(limit) = wish.get("limit") {
                lock(&shared.faults).limit = limit.as_u64();
            }
            if let Some(last) = wish.get("last_page") {
                lock(&shared.faults).last_page = last.as_u64();
            }
            lock(&shared.webhooks).faults.failing = number("webhooks_failing");
            reply(200, &Value::Null)
        }
        _ => reply(404, &Value::Null),
    }
}

fn dated(reply: &mut Reply, now: i64) {
    if let Ok(date) = jiff::Timestamp::from_second(now) {
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        header(reply, "date", &date);
    }
}

/// The beginning of a body, then the connection breaks.
fn cut_off(whole: Reply, begin: &'static [u8]) -> Reply {
    let (head, _) = whole.into_parts();
    let broken = futures_stream(vec![Ok(Bytes::from_static(begin)), Err(io::Error::other("cut off"))]);
    Response::from_parts(head, Body::from_stream(broken))
}

fn futures_stream(items: Vec<io::Result<Bytes>>) -> impl futures::Stream<Item = io::Result<Bytes>> {
    futures::stream::iter(items)
}
