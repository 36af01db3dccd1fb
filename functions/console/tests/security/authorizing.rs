//! An OAuth app is authorized for the form by the browser that began it, against the simulated GitHub: and by no other, no
//! later, not twice; and no answer has its secret or its token.

use crate::bench::{Bench, HOST, Session, get, post, text};
use axum::http::{StatusCode, header};
use console::Role;
use engine::{Vault, integration};
use sim::{GitHub, Size, World};
use std::collections::HashMap;

const SECRET: &str = "canary-client-secret";

struct Form<'a> {
    bench: &'a Bench,
    session: &'a Session,
    github: &'a GitHub,
    /// Everything that was answered.
    told: String,
}

impl Form<'_> {
    async fn send(&mut self, path: &str, more: &[(&str, &str)]) -> (StatusCode, String) {
        let url = self.github.api();
        let client_id = self.github.doors().oauth.client_id.clone();
        let fields = [
            ("csrf", self.session.csrf.as_str()),
            ("kind", "server"),
            ("api_url", &url),
            ("way", "oauth"),
            ("client_id", &client_id),
            ("name", "by-browser"),
            ("organizations", "acme"),
            ("fetch", "issues"),
            ("reserve", "10"),
        ];
        let request = post(path, self.session, Some(&format!("http://{HOST}")), &[more, &fields].concat());
        let response = self.bench.ask(request).await;
        let status = response.status();
        let page = text(response).await;
        self.told.push_str(&page);
        (status, page)
    }

    /// Begins, and returns the handle and what GitHub is asked.
    async fn begin(&mut self) -> (String, HashMap<String, String>) {
        let (_, page) = self.send("/console/connectors/new/authorize", &[("client_secret", SECRET)]).await;
        let part = |before: &str| page.split(before).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default().to_owned();
        let location = part(r#"<a class="button main" href=""#).replace("&amp;", "&");
        let (address, query) = location.split_once('?').unwrap_or_else(|| panic!("there is no link: {page}"));
        assert_eq!(address, format!("{}/login/oauth/authorize", self.github.url));
        let asked = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        (part(r#"name="authorized" value=""#), asked)
    }

    fn code(&self, asked: &HashMap<String, String>) -> String {
        let now = self.github.now();
        self.github.doors().oauth.web_code(&asked["redirect_uri"], &asked["code_challenge"], now)
    }

    /// As the browser comes back, once it shows its session.
    async fn back(&mut self, session: &Session, state: &str, code: Option<&str>) -> StatusCode {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", state).extend_pairs(code.map(|code| ("code", code)));
        let response = self.bench.ask(get(&format!("/console/connectors/new/authorized?{}", query.finish()), &session.cookie)).await;
        let status = response.status();
        self.told.push_str(&text(response).await);
        status
    }

    async fn standing(&mut self, handle: &str) -> String {
        self.send("/console/connectors/new/authorize", &[("authorized", handle)]).await.1
    }
}

#[tokio::test]
async fn an_app_is_authorized_once_by_the_browser_that_began_and_its_secrets_are_told_to_nobody() {
    let github = GitHub::start(World::seeded(7, Size::ONE)).await.unwrap();
    let bench = Bench::of("console-oauth", Role::Admin, &github.api()).await;
    let (session, other) = (bench.enter().await, bench.enter().await);
    let mut form = Form { bench: &bench, session: &session, github: &github, told: String::new() };
    let (handle, asked) = form.begin().await;
    assert_eq!(asked["redirect_uri"], format!("http://{HOST}/authorized"));
    assert_eq!((asked["code_challenge_method"].as_str(), asked["allow_signup"].as_str()), ("S256", "false"));
    let (code, state) = (form.code(&asked), &asked["state"]);

    // GitHub's redirection comes without the session, since its cookie is strict: a page of ours leads on, and nothing else happens.
    let landed = bench.ask(get(&format!("/authorized?state={state}&code={code}&evil=%22%3E"), "")).await;
    let next = landed.headers()[header::REFRESH].to_str().unwrap().to_owned();
    assert_eq!(next, format!("0; url=/console/connectors/new/authorized?state={state}&code={code}"));

    for (what, session, state) in [("a guess", &session, "guess"), ("another session", &other, state.as_str()), ("no state", &session, "")] {
        assert_eq!(form.back(session, state, Some(&code)).await, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
    }
    let without = bench.ask(get(&format!("/console/connectors/new/authorized?state={state}&code={code}"), "")).await;
    assert_eq!(without.status(), StatusCode::UNAUTHORIZED);
    assert!(form.standing(&handle).await.contains("Agree there"));
    assert!(github.doors().oauth.pairs.is_empty(), "a token was made for somebody else");
    let (_, early) = form.send("/console/connectors/new", &[("authorized", &handle), ("action", "save")]).await;
    assert!(early.contains("Authorize on GitHub&#39;s page first") || early.contains("Authorize on GitHub's page first"), "{early}");

    assert_eq!(form.back(&session, state, Some(&code)).await, StatusCode::OK);
    assert_eq!(form.back(&session, state, Some(&code)).await, StatusCode::UNPROCESSABLE_ENTITY, "it is good twice");
    assert!(form.standing(&handle).await.contains("authorized</span>"));
    let (status, page) = form.send("/console/connectors/new", &[("authorized", &handle), ("action", "save")]).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    assert!(integration::integration(&bench.table.store(), "by-browser").await.is_ok());
    let kept = aws::FileVault::new(&bench.dir).read("by-browser").await.unwrap().credentials;
    let (token, refresh) = github.doors().oauth.pairs[0].clone();
    assert!(
        matches!(&kept[..], [engine::Credential::Oauth { token: kept, client_secret: Some(secret), .. }] if kept.reveal() == token && secret.reveal() == SECRET)
    );
    for secret in [SECRET, token.as_str(), refresh.as_str()] {
        assert!(!form.told.contains(secret), "{secret} was sent back to the browser");
    }
}

#[tokio::test]
async fn an_authorization_that_is_declined_or_begun_again_is_over() {
    let github = GitHub::start(World::seeded(7, Size::ONE)).await.unwrap();
    let bench = Bench::of("console-oauth-declined", Role::Admin, &github.api()).await;
    let session = bench.enter().await;
    let mut form = Form { bench: &bench, session: &session, github: &github, told: String::new() };
    let (handle, asked) = form.begin().await;
    assert_eq!(form.back(&session, &asked["state"], None).await, StatusCode::UNPROCESSABLE_ENTITY, "declined");
    let code = form.code(&asked);
    assert_eq!(form.back(&session, &asked["state"], Some(&code)).await, StatusCode::UNPROCESSABLE_ENTITY, "after that");
    let page = form.standing(&handle).await;
    assert!(page.contains("Authorize again") && page.contains(">Authorize</button>"), "{page}");

    let (former, asked) = form.begin().await;
    let (_, page) = form.send("/console/connectors/new/authorize", &[("authorized", &former), ("anew", "yes"), ("client_secret", "wrong")]).await;
    assert!(page.contains("Agree there"), "{page}");
    let code = form.code(&asked);
    assert_eq!(form.back(&session, &asked["state"], Some(&code)).await, StatusCode::UNPROCESSABLE_ENTITY, "the former one");
    // An app's wrong secret is told as what it is.
    let state = page.split("state=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    let challenge = page.split("code_challenge=").nth(1).and_then(|rest| rest.split('&').next()).unwrap().to_owned();
    let code = form.code(&HashMap::from([("redirect_uri".to_owned(), format!("http://{HOST}/authorized")), ("code_challenge".to_owned(), challenge)]));
    assert_eq!(form.back(&session, &state, Some(&code)).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(form.told.contains("client id and client secret"));
}
