//! OAuth's web flow, as a browser goes through it: the function's own handler, a real table, a real vault, and the
//! simulated GitHub's doors.

use aws::{Embedded, FileVault};
use connect::{Request, Response, handle};
use engine::authorization::{Door, ticket};
use engine::{Clock, Credential, SystemClock, Vault};
use github::{ApiUrl, Client, OAuthApp, Secret, Token};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sim::{GitHub, Size, World};
use std::collections::HashMap;

const CALLBACK: &str = "https://hooks.example.com/oauth/callback";

struct Browser {
    github: GitHub,
    table: Embedded,
    vault: FileVault,
    dir: std::path::PathBuf,
    app: OAuthApp,
    cookie: Option<String>,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Browser {
    async fn new(name: &str) -> Self {
        let github = GitHub::start(World::seeded(3, &[Size(1, 1, 1)])).await.unwrap();
        let door = github.doors().oauth.clone();
        let app = OAuthApp { client_id: door.client_id, client_secret: Some(Secret::new(&door.client_secret)) };
        let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&dir);
        Self { github, table: Embedded::in_memory().await.unwrap(), vault: FileVault::new(&dir), dir, app, cookie: None }
    }

    async fn ticket(&self, now: Timestamp) -> String {
        ticket(&self.table.store(), "acme", now).await.unwrap().reveal().to_owned()
    }

    /// Asks, and keeps the cookie as a browser does.
    async fn get(&mut self, path: &str, query: &str, now: Timestamp) -> Response {
        let cookies: Vec<&String> = self.cookie.iter().collect();
        let event = json!({ "rawPath": path, "rawQueryString": query, "cookies": cookies,
            "requestContext": { "domainName": "hooks.example.com", "http": { "method": "GET" } } });
        let request: Request = serde_json::from_value(event).unwrap();
        assert_eq!(request.callback(), CALLBACK);
        let client = Client::new(ApiUrl::parse(&self.github.url).unwrap(), Token::new("none").unwrap()).unwrap();
        let store = self.table.store();
        let door = Door { store: &store, vault: &self.vault, client: &client, app: &self.app, redirect_uri: CALLBACK, scopes: "repo read:org", name: "acme" };
        let response = handle(&request, &door, now).await;
        let set = response.cookies.first().unwrap();
        assert!(set.contains("Secure; HttpOnly; SameSite=Lax") && set.starts_with("__Host-"), "{set}");
        let pair = set.split(';').next().unwrap();
        self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        assert!(!response.body.contains("canary"), "{}", response.body);
        response
    }

    /// Through the link to GitHub's page, where somebody agrees; the state and the code that the browser comes back with.
    async fn agree(&mut self, now: Timestamp) -> (String, String) {
        let ticket = self.ticket(now).await;
        let response = self.get("/oauth/authorize", &format!("ticket={ticket}"), now).await;
        assert_eq!(response.status_code, 302);
        let location = url::Url::parse(&response.headers["location"]).unwrap();
        let asked: HashMap<String, String> = location.query_pairs().into_owned().collect();
        assert!(location.path() == "/login/oauth/authorize" && asked["redirect_uri"] == CALLBACK && asked["code_challenge_method"] == "S256");
        let code = self.github.doors().oauth.web_code(&asked["redirect_uri"], &asked["code_challenge"], now.as_second());
        (asked["state"].clone(), code)
    }

    async fn kept(&self) -> Vec<Credential> {
        self.vault.read("acme").await.unwrap().credentials
    }
}

#[tokio::test]
async fn who_has_the_link_and_agrees_leaves_a_token_in_the_vault_and_shows_it_to_nobody() {
    let mut browser = Browser::new("web-good").await;
    let now = SystemClock.now();
    browser.vault.replace("acme", "", &[Credential::token("ghp_other")]).await.unwrap();
    for pairs in 1..=2 {
        let (state, code) = browser.agree(now).await;
        let response = browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await;
        assert!(response.status_code == 200 && response.headers["cache-control"] == "no-store", "{response:?}");
        let (token, _) = browser.github.doors().oauth.pairs.last().cloned().unwrap();
        assert_eq!(browser.github.doors().oauth.pairs.len(), pairs);
        // Beside what was there; a second time in place of the first.
        let kept = browser.kept().await;
        assert!(kept.len() == 2 && matches!(&kept[1], Credential::Oauth { token: kept, .. } if kept.reveal() == token), "{kept:?}");
    }
}

#[tokio::test]
async fn what_is_wrong_reused_expired_or_from_another_browser_is_refused_alike_and_nothing_is_kept() {
    let now = SystemClock.now();
    let later = now.checked_add(SignedDuration::from_secs(601)).unwrap();
    let mut browser = Browser::new("web-bad").await;
    let mut bodies = Vec::new();
    let mut refused = |response: Response| {
        assert_eq!(response.status_code, 400, "{response:?}");
        bodies.push(response.body);
    };
    // Without a ticket, with a wrong, a used and an old one.
    refused(browser.get("/oauth/authorize", "", now).await);
    refused(browser.get("/oauth/authorize", "ticket=wrong", now).await);
    let ticket = browser.ticket(now).await;
    assert_eq!(browser.get("/oauth/authorize", &format!("ticket={ticket}"), now).await.status_code, 302);
    refused(browser.get("/oauth/authorize", &format!("ticket={ticket}"), now).await);
    let ticket = browser.ticket(now).await;
    refused(browser.get("/oauth/authorize", &format!("ticket={ticket}"), later).await);
    // A wrong state, and none.
    let (state, code) = browser.agree(now).await;
    let cookie = browser.cookie.clone();
    refused(browser.get("/oauth/callback", &format!("code={code}&state=wrong"), now).await);
    browser.cookie.clone_from(&cookie);
    refused(browser.get("/oauth/callback", &format!("code={code}"), now).await);
    // Another browser, or none; and then the state is used up for the right one, too.
    browser.cookie = Some("__Host-sei-github=another".to_owned());
    refused(browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await);
    browser.cookie = cookie;
    refused(browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await);
    let (state, code) = browser.agree(now).await;
    browser.cookie = None;
    refused(browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await);
    // Too late.
    let (state, code) = browser.agree(now).await;
    refused(browser.get("/oauth/callback", &format!("code={code}&state={state}"), later).await);
    // A ticket is no state, and a state no ticket.
    let ticket = browser.ticket(now).await;
    browser.cookie = Some("__Host-sei-github=another".to_owned());
    refused(browser.get("/oauth/callback", &format!("code=a&state={ticket}"), now).await);
    let (state, _) = browser.agree(now).await;
    refused(browser.get("/oauth/authorize", &format!("ticket={state}"), now).await);
    // A code that was used.
    let (state, code) = browser.agree(now).await;
    assert_eq!(browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await.status_code, 200);
    let kept = browser.kept().await;
    let (state, _) = browser.agree(now).await;
    refused(browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await);
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "whoever guesses learns nothing");
    assert_eq!(browser.kept().await, kept);
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn whoever_declines_and_an_app_that_is_not_set_up_are_told_apart() {
    let now = SystemClock.now();
    let mut browser = Browser::new("web-declined").await;
    let (state, _) = browser.agree(now).await;
    assert_eq!(browser.get("/oauth/callback", &format!("error=access_denied&state={state}"), now).await.status_code, 403);
    browser.app.client_secret = Some(Secret::new("wrong"));
    let (state, code) = browser.agree(now).await;
    assert_eq!(browser.get("/oauth/callback", &format!("code={code}&state={state}"), now).await.status_code, 502);
    assert_eq!(browser.get("/elsewhere", "", now).await.status_code, 404);
    assert!(browser.kept().await.is_empty());
}
