//! A console on a table of its own, a browser's way of asking it, and dead letters that are a list.

use async_trait::async_trait;
use aws::{Embedded, FileVault};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use axum::response::Response;
use console::{Console, Door, Place, Role, local};
use engine::dead::{DeadError, Letter, Letters};
use engine::{Credential, Credentials, Integration, StoreError, SystemClock, integration};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

const PORT: u16 = 8788;
pub(crate) const HOST: &str = "127.0.0.1:8788";
pub(crate) const CANARY: &str = "ghp_canary0123456789abcdef";
/// Every way out of a text or an attribute.
pub(crate) const HOSTILE: &str = "\"><img src=x onerror=alert(1)><script>alert(1)</script>'&lt;";

/// A console on a table of its own.
pub(crate) struct Bench {
    router: Router,
    links: Arc<Mutex<Vec<String>>>,
    pub(crate) table: Embedded,
    pub(crate) dead: Arc<Dead>,
    pub(crate) dir: PathBuf,
    github: String,
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Messages that were given up, and those that were sent back.
#[derive(Default)]
pub(crate) struct Dead {
    there: Mutex<Vec<Letter>>,
    pub(crate) sent: Mutex<Vec<String>>,
}

impl Dead {
    pub(crate) fn put(&self, id: &str, body: &str, attributes: &[(&str, &str)]) {
        let named = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let queue = if attributes.is_empty() { "jobs" } else { "events" };
        let letter = Letter { id: id.to_owned(), queue, sent_at: Some(jiff::Timestamp::now()), received: Some(6), attributes: named, body: body.to_owned() };
        self.there.lock().unwrap().push(letter);
    }

    fn take(&self, ids: &[String]) -> Result<Vec<String>, DeadError> {
        let mut there = self.there.lock().unwrap();
        if let Some(unknown) = ids.iter().find(|id| !there.iter().any(|one| one.id == **id)) {
            return Err(DeadError::Unknown(unknown.clone()));
        }
        let taken = there.extract_if(.., |one| ids.is_empty() || ids.contains(&one.id));
        Ok(taken.map(|one| one.id).collect())
    }

    pub(crate) fn left(&self) -> Vec<String> {
        self.there.lock().unwrap().iter().map(|one| one.id.clone()).collect()
    }
}

#[async_trait]
impl Letters for Dead {
    async fn list(&self) -> Result<Vec<Letter>, StoreError> {
        Ok(self.there.lock().unwrap().clone())
    }

    async fn redrive(&self, ids: &[String]) -> Result<usize, DeadError> {
        let taken = self.take(ids)?;
        self.sent.lock().unwrap().extend(taken.iter().cloned());
        Ok(taken.len())
    }

    async fn purge(&self, ids: &[String]) -> Result<usize, DeadError> {
        Ok(self.take(ids)?.len())
    }
}

/// A session, as a browser has it.
pub(crate) struct Session {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Bench {
    pub(crate) async fn new(name: &str, role: Role) -> Self {
        Self::of(name, role, "https://api.github.com").await
    }

    /// The copy of another GitHub.
    pub(crate) async fn of(name: &str, role: Role, github: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        let table = Embedded::in_memory().await.unwrap();
        let dead = Arc::new(Dead::default());
        let place = Place {
            title: HOSTILE.to_owned(),
            api_url: None,
            webhook_url: None,
            connect_url: None,
            vault: Arc::new(FileVault::new(&dir)),
            one_secret: None,
            at_hand: vec![Credential::token(CANARY)],
            proxy: |_| None,
            practice: None,
            stands_still: false,
            dead: Some(dead.clone()),
        };
        let console = Arc::new(Console::new(Arc::new(table.store()), Arc::new(SystemClock), place, None));
        let links = Arc::new(Mutex::new(Vec::new()));
        let told = links.clone();
        let door = Door::new(PORT, role, move |link| told.lock().unwrap().push(link.to_owned())).unwrap();
        Self { router: local(console, Arc::new(door)), links, table, dead, dir, github: github.to_owned() }
    }

    pub(crate) fn link(&self) -> String {
        let link = self.links.lock().unwrap().last().unwrap().clone();
        link.strip_prefix(&format!("http://{HOST}")).unwrap().to_owned()
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Response {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn enter(&self) -> Session {
        let response = self.ask(get(&self.link(), "")).await;
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        integration::add(&self.table.store(), &Integration::new("probe", &self.github, vec!["acme".to_owned()], Credentials::Environment)).await.ok();
        let page = text(self.ask(get("/console/connectors/of/probe", &cookie)).await).await;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned()).unwrap_or_default();
        Session { cookie, csrf }
    }
}

/// For the test that looks at pages in a browser.
pub(crate) fn leave(name: &str, page: &str) {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console-pages");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join(format!("{name}.html")), page).unwrap();
}

pub(crate) fn get(path: &str, cookie: &str) -> Request<Body> {
    Request::get(path).header(header::HOST, HOST).header(header::COOKIE, cookie).body(Body::empty()).unwrap()
}

pub(crate) fn post(path: &str, session: &Session, origin: Option<&str>, fields: &[(&str, &str)]) -> Request<Body> {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut request = Request::post(path).header(header::HOST, HOST).header(header::COOKIE, &session.cookie);
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    request.body(Body::from(body)).unwrap()
}

pub(crate) async fn text(response: Response) -> String {
    String::from_utf8(axum::body::to_bytes(response.into_body(), 1 << 22).await.unwrap().to_vec()).unwrap()
}

pub(crate) const PAGES: [&str; 9] = [
    "/console/",
    "/console/reports",
    "/console/reports/issue-stages",
    "/console/connectors",
    "/console/connectors/new",
    "/console/connectors/of/probe",
    "/console/events",
    "/console/letters",
    "/console/changes",
];
