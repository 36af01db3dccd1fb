//! The console's door and pages as an attacker meets them: without a session, by another name, from another site, with
//! names on GitHub that are markup, looking for a token. On a real table.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, as it should")]

use aws::{Embedded, FileVault};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use console::{Console, Door, Place, Role, local};
use engine::{Credential, Credentials, Integration, StateKey, Store, SystemClock, Vault, deliveries, integration};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

const PORT: u16 = 8788;
const HOST: &str = "127.0.0.1:8788";
const CANARY: &str = "ghp_canary0123456789abcdef";
/// Every way out of a text or an attribute.
const HOSTILE: &str = "\"><img src=x onerror=alert(1)><script>alert(1)</script>'&lt;";

/// A console on a table of its own.
struct Bench {
    router: Router,
    links: Arc<Mutex<Vec<String>>>,
    table: Embedded,
    dir: PathBuf,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A session, as a browser has it.
struct Session {
    cookie: String,
    csrf: String,
}

impl Bench {
    async fn new(name: &str, role: Role) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let table = Embedded::in_memory().await.unwrap();
        let place = Place {
            title: HOSTILE.to_owned(),
            api_url: None,
            webhook_url: None,
            vault: Arc::new(FileVault::new(&dir)),
            one_secret: None,
            at_hand: vec![Credential::token(CANARY)],
            proxy: |_| None,
            practice: None,
        };
        let console = Arc::new(Console::new(Arc::new(table.store()), Arc::new(SystemClock), place, None));
        let links = Arc::new(Mutex::new(Vec::new()));
        let told = links.clone();
        let door = Door::new(PORT, role, move |link| told.lock().unwrap().push(link.to_owned())).unwrap();
        Self { router: local(console, Arc::new(door)), links, table, dir }
    }

    fn link(&self) -> String {
        let link = self.links.lock().unwrap().last().unwrap().clone();
        link.strip_prefix(&format!("http://{HOST}")).unwrap().to_owned()
    }

    async fn ask(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    async fn enter(&self) -> Session {
        let response = self.ask(get(&self.link(), "")).await;
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        integration::add(&self.table.store(), &Integration::new("probe", "https://api.github.com", vec!["acme".to_owned()], Credentials::Environment))
            .await
            .ok();
        let page = text(self.ask(get("/console/connectors/of/probe", &cookie)).await).await;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned()).unwrap_or_default();
        Session { cookie, csrf }
    }
}

fn get(path: &str, cookie: &str) -> Request<Body> {
    Request::get(path).header(header::HOST, HOST).header(header::COOKIE, cookie).body(Body::empty()).unwrap()
}

fn post(path: &str, session: &Session, origin: Option<&str>, fields: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::post(path).header(header::HOST, HOST).header(header::COOKIE, &session.cookie);
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    request.body(Body::from(body)).unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 22).await.unwrap().to_vec()).unwrap()
}

const PAGES: [&str; 8] = [
    "/console/",
    "/console/reports",
    "/console/reports/issue-stages",
    "/console/connectors",
    "/console/connectors/new",
    "/console/connectors/of/probe",
    "/console/events",
    "/console/changes",
];

/// What stands in an address is shown again, as text, and taken along in a file only if it was understood.
#[tokio::test]
async fn a_question_in_an_address_is_text() {
    let bench = Bench::new("console-question", Role::Viewer).await;
    let session = bench.enter().await;
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("committed", HOSTILE).append_pair("repo", HOSTILE).finish();
    let response = bench.ask(get(&format!("/console/reports/rework?{query}"), &session.cookie)).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(response).await;
    assert!(page.contains("&lt;script&gt;") && !page.contains("<script>alert") && !page.contains("<img src=x"), "{page}");
    let file = bench.ask(get(&format!("/console/reports/rework/csv?{query}"), &session.cookie)).await;
    assert_eq!(file.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let file = bench.ask(get("/console/reports/rework/csv", &session.cookie)).await;
    assert!(file.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment"));
    assert!(text(file).await.starts_with("group,changed_lines"));
    for absent in ["/console/reports/rework/exe", "/console/reports/no-such"] {
        assert_eq!(bench.ask(get(absent, &session.cookie)).await.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_session_and_a_link_is_good_once() {
    let bench = Bench::new("console-door", Role::Admin).await;
    for page in PAGES {
        for cookie in ["", "sei-console-8788=", "sei-console-8788=guessed"] {
            assert_eq!(bench.ask(get(page, cookie)).await.status(), StatusCode::UNAUTHORIZED, "{page} with {cookie:?}");
        }
    }
    let link = bench.link();
    let session = bench.enter().await;
    assert_eq!(bench.ask(get("/console/", &session.cookie)).await.status(), StatusCode::OK);
    let again = bench.ask(get(&link, "")).await;
    assert_eq!((again.status(), again.headers().get(header::SET_COOKIE)), (StatusCode::FORBIDDEN, None));
    assert_eq!(bench.ask(get("/sign-in?key=", "")).await.status(), StatusCode::FORBIDDEN);
    assert_ne!(bench.link(), link, "the next link is another one");
}

#[tokio::test]
async fn a_name_that_somebody_else_points_here_does_not_lead_in() {
    let bench = Bench::new("console-hosts", Role::Admin).await;
    let session = bench.enter().await;
    for (host, good) in
        [(HOST, true), ("localhost:8788", true), ("[::1]:8788", true), ("evil.example:8788", false), ("127.0.0.1", false), ("127.0.0.1:80", false), ("", false)]
    {
        let request = Request::get("/console/").header(header::HOST, host).header(header::COOKIE, &session.cookie).body(Body::empty()).unwrap();
        let status = bench.ask(request).await.status();
        assert_eq!(status == StatusCode::OK, good, "{host}: {status}");
        assert!(good || status == StatusCode::MISDIRECTED_REQUEST, "{host}: {status}");
    }
    let link = Request::get(bench.link()).header(header::HOST, "evil.example:8788").body(Body::empty()).unwrap();
    assert_eq!(bench.ask(link).await.status(), StatusCode::MISDIRECTED_REQUEST, "nor to a session");
}

#[tokio::test]
async fn only_a_form_of_ours_changes_anything() {
    let bench = Bench::new("console-forms", Role::Admin).await;
    let (session, other) = (bench.enter().await, bench.enter().await);
    let own = format!("http://{HOST}");
    let path = "/console/connectors/of/probe";
    for (what, origin, csrf) in [
        ("no origin", None, session.csrf.as_str()),
        ("another site's", Some("https://evil.example"), &session.csrf),
        ("another port's", Some("http://127.0.0.1:9999"), &session.csrf),
        ("a hidden one", Some("null"), &session.csrf),
        ("no token", Some(own.as_str()), ""),
        ("a guess", Some(&own), "guess"),
        ("another session's token", Some(&own), &other.csrf),
    ] {
        let response = bench.ask(post(path, &session, origin, &[("action", "pause"), ("csrf", csrf)])).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{what}");
        assert!(!integration::integration(&bench.table.store(), "probe").await.unwrap().paused, "{what}");
    }
    let response = bench.ask(post(path, &session, Some(&own), &[("action", "pause"), ("csrf", &session.csrf)])).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert!(integration::integration(&bench.table.store(), "probe").await.unwrap().paused);
    let changes = engine::audit::latest(&bench.table.store(), jiff::Timestamp::now()).await.unwrap();
    assert_eq!(changes.iter().map(|one| (one.what.as_str(), one.of.as_str())).collect::<Vec<_>>(), [("connector.pause", "probe")], "and leaves one line");
}

#[tokio::test]
async fn a_viewer_sees_and_changes_nothing() {
    let bench = Bench::new("console-viewer", Role::Viewer).await;
    let session = bench.enter().await;
    for page in PAGES.into_iter().filter(|page| !page.ends_with("/new")) {
        let response = bench.ask(get(page, &session.cookie)).await;
        assert_eq!(response.status(), StatusCode::OK, "{page}");
        assert!(!text(response).await.contains("method=\"post\""), "{page} has a form that changes something");
    }
    assert_eq!(bench.ask(get("/console/connectors/new", &session.cookie)).await.status(), StatusCode::FORBIDDEN);
    for path in ["/console/connectors/new", "/console/connectors/new/authorize", "/console/connectors/of/probe", "/console/syncs"] {
        let response = bench.ask(post(path, &session, Some(&format!("http://{HOST}")), &[("action", "remove"), ("csrf", &session.csrf)])).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert!(integration::integration(&bench.table.store(), "probe").await.is_ok());
}

#[tokio::test]
async fn names_that_are_markup_stay_texts_and_every_answer_has_the_policy() {
    let bench = Bench::new("console-markup", Role::Admin).await;
    let (session, store) = (bench.enter().await, bench.table.store());
    integration::change(&store, "probe", |one| {
        one.repositories.include = vec![HOSTILE.replace('!', "")];
        one.repositories.topics = vec![HOSTILE.to_owned()];
        one.ca_cert = Some(HOSTILE.to_owned());
        one.webhook_url = Some(format!("https://hooks.example.com/{}", HOSTILE.replace(' ', "+")));
    })
    .await
    .unwrap();
    let trace = deliveries::Trace {
        event: HOSTILE.to_owned(),
        action: Some(HOSTILE.to_owned()),
        repo: Some(HOSTILE.to_owned()),
        why: Some(HOSTILE.to_owned()),
        hook: Some(HOSTILE.to_owned()),
        expires: i64::MAX,
        ..deliveries::Trace::default()
    };
    deliveries::note(&store, HOSTILE, &trace).await.unwrap();
    // What a repository's summary holds, as the engine keeps it: hostile names, messages and links.
    let problem =
        json!({ "code": HOSTILE, "message": HOSTILE, "needs": HOSTILE, "link": "javascript:alert(1)", "since": "2026-01-01T00:00:00Z", "passing": false });
    let summary = json!({ "n": format!("acme/{HOSTILE}"), "o": 1, "s": { "issues": { "r": 1, "p": problem, "m": [HOSTILE] } } });
    let key = StateKey { of: "summaries#7".to_owned(), name: "7".to_owned() };
    store.save(&key, 0, &json!(summary.to_string())).await.unwrap();
    let id: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let id = id.replace('+', "%20");
    let more = [
        format!("/console/?find={id}&organization={id}&state={id}&page=2"),
        format!("/console/events?find=x{id}&state={id}"),
        format!("/console/events/{id}"),
        format!("/console/events/{id}x"),
        format!("/console/connectors/of/{id}"),
        format!("/console/assets/{id}"),
        "/console/repositories/7".to_owned(),
        "/console/repositories/8".to_owned(),
    ];
    let mut told = 0;
    for page in PAGES.into_iter().map(str::to_owned).chain(more) {
        let response = bench.ask(get(&page, &session.cookie)).await;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{page}: {policy}");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{page}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{page}");
        let body = text(response).await;
        for bad in ["<img src=x", "<script>alert", "href=\"javascript:", " style=", "<style"] {
            assert!(!body.contains(bad), "{page} has {bad}: {body}");
        }
        told += usize::from(body.contains("&lt;img src=x onerror=alert(1)&gt;"));
    }
    assert!(told >= 8, "what is hostile is shown, on {told} pages only");
}

#[tokio::test]
async fn no_answer_ever_has_a_token() {
    let bench = Bench::new("console-tokens", Role::Admin).await;
    let session = bench.enter().await;
    FileVault::new(&bench.dir).replace("probe", "", &[Credential::token(CANARY)]).await.unwrap();
    integration::change(&bench.table.store(), "probe", |one| one.credentials = Credentials::Stored).await.unwrap();
    let own = format!("http://{HOST}");
    // Refused before anybody is asked: nothing listens at that port.
    let fields = |action| {
        [
            ("csrf", session.csrf.as_str()),
            ("action", action),
            ("kind", "server"),
            ("api_url", "http://127.0.0.1:1"),
            ("way", "token"),
            ("token", CANARY),
            ("private_key", CANARY),
            ("name", "another"),
            ("organizations", "acme"),
            ("fetch", "issues"),
            ("reserve", "10"),
        ]
    };
    let mut answers = Vec::new();
    for page in PAGES {
        answers.push(text(bench.ask(get(page, &session.cookie)).await).await);
    }
    for action in ["look", "check", "save"] {
        let response = bench.ask(post("/console/connectors/new", &session, Some(&own), &fields(action))).await;
        assert_eq!(response.status(), StatusCode::OK, "{action}");
        answers.push(text(response).await);
    }
    for action in ["save", "nothing"] {
        answers.push(
            text(bench.ask(post("/console/connectors/of/probe", &session, Some(&own), &[&fields(action)[..], &[("app_client_id", "")]].concat())).await).await,
        );
    }
    for answer in &answers {
        assert!(!answer.contains(CANARY) && !answer.contains("canary"), "{answer}");
    }
}
