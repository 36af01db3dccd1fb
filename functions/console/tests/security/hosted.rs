//! A stack's door: a simulated issuer, and what API Gateway's authorizer would let through of it, in front of the function's
//! own router. Nobody gets further than the issuer and their groups let them.

use crate::bench::{Dead, PAGES, leave};
use aws::{Embedded, FileVault};
use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use console::gateway::{Answer, answer};
use console::{Console, Entrance, Issuer, Place, Roles, hosted};
use engine::{Clock, Credential, Integration, Vault, integration, sessions};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

const HOST: &str = "abc123.execute-api.eu-west-1.amazonaws.com";
const CLIENT: &str = "console";
const SECRET: &str = "canary-issuer-secret";

/// An OIDC issuer. What it handed out is what an authorizer lets through.
#[derive(Default)]
struct OurIssuer {
    url: String,
    /// What it says of the person who signs in.
    person: Mutex<Value>,
    /// By code: challenge, nonce and where to.
    codes: Mutex<HashMap<String, (String, String, String)>>,
    tokens: Mutex<Vec<String>>,
}

type Shared = Arc<OurIssuer>;

async fn issuer() -> Shared {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let issuer = Arc::new(OurIssuer { url, ..OurIssuer::default() });
    let told = async |State(issuer): State<Shared>| {
        let url = &issuer.url;
        axum::Json(json!({ "issuer": url, "authorization_endpoint": format!("{url}/authorize?theme=dark"), "token_endpoint": format!("{url}/token") }))
    };
    let token = async |State(issuer): State<Shared>, headers: HeaderMap, Form(form): Form<HashMap<String, String>>| {
        let known = headers["authorization"] == format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
        let Some((challenge, nonce, redirect)) = issuer.codes.lock().unwrap().remove(&form["code"]) else {
            return (StatusCode::BAD_REQUEST, axum::Json(json!({ "error": "invalid_grant" })));
        };
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, form["code_verifier"].as_bytes());
        assert!(known && URL_SAFE_NO_PAD.encode(hash) == challenge && form["redirect_uri"] == redirect, "{form:?}");
        (StatusCode::OK, axum::Json(json!({ "id_token": issuer.hand_out(&nonce), "access_token": "another", "token_type": "Bearer" })))
    };
    let router = Router::new().route("/.well-known/openid-configuration", get(told)).route("/token", post(token)).with_state(issuer.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}

impl OurIssuer {
    fn hand_out(&self, nonce: &str) -> String {
        let mut claims = self.person.lock().unwrap().clone();
        claims["nonce"] = json!(nonce);
        let token = format!("head.{}.signature", URL_SAFE_NO_PAD.encode(claims.to_string()));
        self.tokens.lock().unwrap().push(token.clone());
        token
    }

    /// Somebody signs in on its page: where their browser is sent then.
    fn sign_in(&self, location: &str) -> String {
        let url = url::Url::parse(location).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        assert!(location.starts_with(&format!("{}/authorize?theme=dark&", self.url)) && asked["client_id"] == CLIENT, "{location}");
        assert_eq!((asked["code_challenge_method"].as_str(), asked["scope"].as_str()), ("S256", "openid email profile"));
        let mut codes = self.codes.lock().unwrap();
        let code = format!("code-{}", asked["state"]);
        codes.insert(code.clone(), (asked["code_challenge"].clone(), asked["nonce"].clone(), asked["redirect_uri"].clone()));
        let back = asked["redirect_uri"].strip_prefix(&format!("https://{HOST}")).unwrap();
        format!("{back}?code={code}&state={}", asked["state"])
    }
}

/// A clock that a test moves.
#[derive(Default)]
struct Later(Mutex<SignedDuration>);

impl Clock for Later {
    fn now(&self) -> Timestamp {
        Timestamp::now().checked_add(*self.0.lock().unwrap()).unwrap()
    }
}

struct Stack {
    router: Router,
    table: Embedded,
    issuer: Shared,
    clock: Arc<Later>,
}

impl Stack {
    async fn new(name: &str, viewers: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let (table, issuer, clock) = (Embedded::in_memory().await.unwrap(), issuer().await, Arc::new(Later::default()));
        let vault = Arc::new(FileVault::new(&dir));
        vault.replace("client", "", &[Credential::token(SECRET)]).await.unwrap();
        let place = Place {
            title: "the stack sei".to_owned(),
            api_url: Some("https://api.github.com".to_owned()),
            webhook_url: None,
            connect_url: None,
            vault: vault.clone(),
            one_secret: Some("token".to_owned()),
            at_hand: Vec::new(),
            proxy: |_| None,
            practice: None,
            stands_still: true,
            dead: Some(Arc::new(Dead::default())),
        };
        let probe = Integration::new("probe", "https://api.github.com", vec!["acme".to_owned()], engine::Credentials::Stored);
        integration::add(&table.store(), &probe).await.unwrap();
        let console = Arc::new(Console::new(Arc::new(table.store()), clock.clone(), place, None));
        let client = Issuer::new(&issuer.url, CLIENT, Some((vault, "client".to_owned()))).unwrap();
        let roles = Roles { claim: "groups".to_owned(), admins: "admins".to_owned(), viewers: viewers.to_owned() };
        Self { router: hosted(console, Arc::new(Entrance { issuer: client, roles })), table, issuer, clock }
    }

    /// By way of API Gateway, whose authorizer guards one route.
    async fn ask(&self, method: &str, address: &str, headers: &[(&str, &str)], cookies: &[String], body: &str) -> Answer {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let bearer = headers.iter().find(|(name, _)| *name == "authorization").and_then(|(_, value)| value.strip_prefix("Bearer "));
        let guarded = method == "POST" && path == "/session";
        if guarded && !bearer.is_some_and(|token| self.issuer.tokens.lock().unwrap().iter().any(|known| known == token)) {
            return Answer { status_code: 401, ..Answer::default() };
        }
        let headers: BTreeMap<&str, &str> = headers.iter().copied().collect();
        let authorizer = if guarded { json!({ "jwt": { "claims": { "groups": "[admins]" }, "scopes": [] } }) } else { Value::Null };
        let event = json!({ "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers, "cookies": cookies, "body": body,
            "isBase64Encoded": false, "requestContext": { "domainName": HOST, "http": { "method": method }, "authorizer": authorizer } });
        answer(self.router.clone(), serde_json::from_value(event).unwrap()).await
    }
}

/// One with cookies.
struct Browser<'a> {
    stack: &'a Stack,
    jar: HashMap<String, String>,
}

impl<'a> Browser<'a> {
    fn new(stack: &'a Stack) -> Self {
        Self { stack, jar: HashMap::new() }
    }

    fn cookies(&self) -> Vec<String> {
        self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    fn took(&mut self, answer: Answer) -> Answer {
        for cookie in &answer.cookies {
            assert!(cookie.starts_with("__Host-") && cookie.contains("; Secure; HttpOnly; SameSite=") && cookie.contains("Path=/;"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.jar.remove(name)
            } else {
                self.jar.insert(name.to_owned(), value.to_owned())
            };
        }
        answer
    }

    async fn open(&mut self, address: &str) -> Answer {
        let headers = [("sec-fetch-mode", "navigate"), ("sec-fetch-site", "none")];
        let answer = self.stack.ask("GET", address, &headers, &self.cookies(), "").await;
        self.took(answer)
    }

    async fn send(&mut self, address: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let answer = self.stack.ask("POST", address, headers, &self.cookies(), body).await;
        self.took(answer)
    }

    /// Through the issuer's page, as far as the page that brings the token; returns the token.
    async fn token(&mut self, wanted: &str) -> String {
        let led = self.open(wanted).await;
        let sign_in = led.headers["location"].clone();
        assert!(led.status_code == 303 && sign_in.starts_with("/sign-in?to="), "{led:?}");
        let left = self.open(&sign_in).await;
        let back = self.stack.issuer.sign_in(&left.headers["location"]);
        let page = self.open(&back).await;
        leave("signing-in", &page.body);
        page.body.split("data-pass=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{page:?}")).to_owned()
    }

    async fn enter(&mut self, token: &str) -> Answer {
        let (origin, bearer) = (format!("https://{HOST}"), format!("Bearer {token}"));
        self.send("/session", &[("origin", &origin), ("authorization", &bearer)], "").await
    }

    fn is(&self, person: Value) -> &Self {
        *self.stack.issuer.person.lock().unwrap() = person;
        self
    }
}

#[tokio::test]
async fn whom_the_issuer_lets_in_has_the_role_of_their_groups_and_goes_on_where_they_wanted_to() {
    let stack = Stack::new("console-hosted", "everybody").await;
    let mut ann = Browser::new(&stack);
    ann.is(json!({ "sub": "1", "email": "ann@example.com", "email_verified": true, "groups": ["staff", "admins"] }));
    let token = ann.token("/console/reports/rework?by=author").await;
    let entered = ann.enter(&token).await;
    assert_eq!((entered.status_code, entered.body.as_str()), (200, "/console/reports/rework?by=author"));
    assert!(ann.jar.keys().all(|name| name == "__Host-sei-console") && entered.cookies[0].contains("SameSite=Strict"), "{:?}", entered.cookies);
    for page in PAGES.iter().filter(|page| **page != "/console/connectors/new") {
        let told = ann.open(page).await;
        assert_eq!(told.status_code, 200, "{page}: {}", told.body);
        if *page == "/console/connectors" {
            leave("hosted", &told.body);
        }
        assert!(told.body.contains("ann@example.com") && told.headers["content-security-policy"].contains("default-src 'none'"), "{page}");
    }
    // What she changes is told by her name; and a form needs its own origin and session.
    let csrf = ann.open("/console/connectors/of/probe").await.body;
    let csrf = csrf.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    let (own, path) = (format!("https://{HOST}"), "/console/connectors/of/probe");
    for (origin, csrf) in [("https://evil.example", csrf.as_str()), ("null", &csrf), (own.as_str(), ""), (&own, "guess")] {
        assert_eq!(ann.send(path, &[("origin", origin)], &format!("action=pause&csrf={csrf}")).await.status_code, 403, "{origin} {csrf}");
    }
    assert_eq!(ann.send(path, &[("origin", &own)], &format!("action=pause&csrf={csrf}")).await.status_code, 303);
    let changes = engine::audit::latest(&stack.table.store(), Timestamp::now()).await.unwrap();
    assert_eq!(changes.iter().map(|one| (one.who.as_str(), one.what.as_str())).collect::<Vec<_>>(), [("ann@example.com", "connector.pause")]);

    // Groups are a list: no text that looks like one makes an admin, and no address that nobody verified is a name.
    for (person, name) in [
        (json!({ "sub": "2", "groups": ["not admins"], "email": "ann@example.com" }), "2"),
        (json!({ "sub": "3", "groups": "[admins]", "cognito:groups": ["admins"], "email": "ann@example.com", "email_verified": false }), "3"),
        (json!({ "sub": "4", "groups": [["admins"]] }), "4"),
    ] {
        let mut bob = Browser::new(&stack);
        bob.is(person);
        let token = bob.token("/console/").await;
        assert_eq!(bob.enter(&token).await.status_code, 200, "{name}");
        let page = bob.open(path).await.body;
        assert!(page.contains("read only") && page.contains(&format!("<span>{name}</span>")) && !page.contains("ann@"), "{page}");
        let csrf = sessions::csrf(&github::Secret::new(&bob.jar["__Host-sei-console"]));
        assert_eq!(bob.send(path, &[("origin", &own)], &format!("action=resume&csrf={csrf}")).await.status_code, 403, "{name}");
    }
}

#[tokio::test]
async fn no_session_begins_past_the_authorizer_or_with_the_token_of_another_sign_in() {
    let stack = Stack::new("console-hosted-forged", "staff").await;
    let mut eve = Browser::new(&stack);
    eve.is(json!({ "sub": "1", "groups": ["admins"] }));
    let token = eve.token("/console/").await;
    let (own, bearer) = (format!("https://{HOST}"), format!("Bearer {token}"));
    // The authorizer refuses what the issuer did not sign; and where it is not asked, nobody gets in at all.
    let forged = format!("head.{}.signature", URL_SAFE_NO_PAD.encode(r#"{"sub":"1","groups":["admins"]}"#));
    assert_eq!(eve.enter(&forged).await.status_code, 401);
    for path in ["/session/", "//session", "/Session"] {
        let told = eve.send(path, &[("origin", &own), ("authorization", &bearer)], "").await;
        assert!(told.status_code == 401 && told.cookies.is_empty(), "{path}: {told:?}");
    }
    let past = json!({ "rawPath": "/session", "headers": { "origin": own, "authorization": bearer }, "cookies": eve.cookies(),
        "requestContext": { "domainName": HOST, "http": { "method": "POST" } } });
    let told = answer(stack.router.clone(), serde_json::from_value(past).unwrap()).await;
    assert!(told.status_code == 401 && told.cookies.is_empty(), "{told:?}");
    // Another site may not have its visitors signed in.
    assert_eq!(eve.send("/session", &[("origin", "https://evil.example"), ("authorization", &bearer)], "").await.status_code, 403);
    // A token that was made for another browser, or without one, is of no use here.
    let mut other = Browser::new(&stack);
    assert_eq!(other.enter(&token).await.status_code, 400);
    other.token("/console/").await;
    assert_eq!(other.enter(&token).await.status_code, 400);
    let elsewhere = stack.issuer.hand_out("");
    assert_eq!(other.enter(&elsewhere).await.status_code, 400);
    // Nor does anybody come back with a state or a code that is not theirs; and a code is good once.
    let left = eve.open("/sign-in").await;
    let back = stack.issuer.sign_in(&left.headers["location"]);
    assert_eq!(other.open(&back).await.status_code, 400);
    assert_eq!(eve.open(&back.replace("state=", "state=x")).await.status_code, 400);
    assert_eq!(
        eve.open(&back.split("code=").next().map(|start| format!("{start}error=access_denied&state={}", back.split("state=").nth(1).unwrap())).unwrap())
            .await
            .status_code,
        403
    );
    assert_eq!(eve.open(&back).await.status_code, 200);
    assert_eq!(eve.open(&back).await.status_code, 400);
    // Who is in no group that counts is known, and let in nowhere.
    let mut guest = Browser::new(&stack);
    guest.is(json!({ "sub": "9", "groups": ["guests"] }));
    let token = guest.token("/console/").await;
    let told = guest.enter(&token).await;
    assert!(told.status_code == 403 && told.cookies.is_empty(), "{told:?}");
    for jar in [&eve, &other, &guest] {
        assert!(!jar.jar.contains_key("__Host-sei-console"));
    }
    let closed = Stack::new("console-hosted-closed", "").await;
    let mut nobody = Browser::new(&closed);
    nobody.is(json!({ "sub": "9", "groups": ["", "everybody"] }));
    let token = nobody.token("/console/").await;
    assert_eq!(nobody.enter(&token).await.status_code, 403, "no group of viewers lets nobody look");
    // Of all that, no secret of the client is in any answer, and nothing of anybody is in the table.
    assert!(sessions::find(&stack.table.store(), &github::Secret::new(""), Timestamp::now()).await.unwrap().is_none());
}

#[tokio::test]
async fn without_a_session_there_is_nothing_to_see_and_nowhere_else_to_be_led_to() {
    let stack = Stack::new("console-hosted-strangers", "everybody").await;
    let mut stranger = Browser::new(&stack);
    for page in PAGES.into_iter().chain(["/", "/nothing", "/console/../x"]) {
        for cookie in ["", "__Host-sei-console=", "__Host-sei-console=guessed", "x__Host-sei-console=a"] {
            let told = stack.ask("GET", page, &[], &[cookie.to_owned()], "").await;
            assert_eq!(told.status_code, 401, "{page}");
            assert!(!told.body.contains("acme") && !told.body.contains("the stack sei"), "{page}");
        }
        let led = stranger.open(page).await;
        assert!(led.status_code == 303 && led.headers["location"].starts_with("/sign-in?to="), "{page}: {led:?}");
    }
    // Led here from another site, a browser asks once more with what it did not send: it is not signed in anew.
    let told = stack.ask("GET", "/console/events?find=a", &[("sec-fetch-mode", "navigate"), ("sec-fetch-site", "cross-site")], &[], "").await;
    assert_eq!((told.status_code, told.headers["refresh"].as_str()), (200, "0; url=/console/events?find=a"));
    stranger.is(json!({ "sub": "1" }));
    for evil in ["https://evil.example/", "//evil.example/console/", "/session", "javascript:alert(1)"] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("to", evil).finish();
        let left = stranger.open(&format!("/sign-in?{query}")).await;
        let back = stack.issuer.sign_in(&left.headers["location"]);
        let page = stranger.open(&back).await.body;
        let token = page.split("data-pass=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        assert_eq!(stranger.enter(&token).await.body, "/console/", "{evil}");
    }
    // A session ends with the day, and when one signs out, on the server, too.
    let kept = stranger.jar["__Host-sei-console"].clone();
    assert_eq!(stranger.open("/console/").await.status_code, 200);
    *stack.clock.0.lock().unwrap() = sessions::LASTS;
    assert_eq!(stranger.open("/console/").await.status_code, 303, "after its time");
    *stack.clock.0.lock().unwrap() = SignedDuration::ZERO;
    assert_eq!(stranger.send("/sign-out", &[("origin", "https://evil.example")], "").await.status_code, 403);
    assert_eq!(stranger.send("/sign-out", &[("origin", &format!("https://{HOST}"))], "").await.status_code, 200);
    assert!(stranger.jar.is_empty());
    let again = stack.ask("GET", "/console/", &[], &[format!("__Host-sei-console={kept}")], "").await;
    assert_eq!(again.status_code, 401, "signed out");
}
