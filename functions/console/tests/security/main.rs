//! The console's door and pages as an attacker meets them: without a session, by another name, from another site, with
//! names on GitHub that are markup, looking for a token. On a real table; dead letters are a list.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, as it should")]

mod authorizing;
mod bench;
mod hosted;

use aws::FileVault;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use bench::{Bench, CANARY, HOST, HOSTILE, PAGES, get, leave, post, text};
use console::Role;
use engine::{Credential, Credentials, StateKey, Store, Vault, deliveries, integration};
use serde_json::json;

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
async fn dead_letters_are_sent_back_or_deleted_by_a_form_that_names_them_and_leave_lines() {
    let bench = Bench::new("console-letters", Role::Admin).await;
    let session = bench.enter().await;
    for id in ["one", "two", "three", "four"] {
        bench.dead.put(id, r#"{"scope": 7, "sweep": "issues"}"#, &[]);
    }
    let own = format!("http://{HOST}");
    let send = async |fields: &[(&str, &str)]| {
        let fields = [&[("csrf", session.csrf.as_str())], fields].concat();
        bench.ask(post("/console/letters", &session, Some(&own), &fields)).await.status()
    };
    let page = text(bench.ask(get("/console/letters", &session.cookie)).await).await;
    assert!(page.contains("issues of repository 7") && page.contains("4 messages") && page.contains("6×"), "{page}");
    assert_eq!(send(&[("action", "redrive"), ("id", "two")]).await, StatusCode::SEE_OTHER);
    assert_eq!((bench.dead.left(), bench.dead.sent.lock().unwrap().clone()), (vec!["one".into(), "three".into(), "four".into()], vec!["two".to_owned()]));
    // Sent back twice, as by two admins: nothing happens, and that is told.
    assert_eq!(send(&[("action", "redrive"), ("id", "two")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    // Deleted is what is named; several only if one is sure.
    for slip in [&[("action", "purge")][..], &[("action", "purge"), ("sure", "yes")], &[("action", "purge"), ("id", "one"), ("id", "four")]] {
        assert_eq!(send(slip).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(send(&[("action", "burn"), ("id", "one")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(bench.dead.left(), ["one", "three", "four"]);
    assert_eq!(send(&[("action", "purge"), ("id", "one")]).await, StatusCode::SEE_OTHER);
    bench.dead.put("late", "came since", &[]);
    assert_eq!(send(&[("action", "purge"), ("id", "three"), ("id", "four"), ("sure", "yes")]).await, StatusCode::SEE_OTHER);
    assert_eq!(bench.dead.left(), ["late"], "what came since stays");
    assert_eq!(send(&[("action", "redrive")]).await, StatusCode::SEE_OTHER);
    assert!(bench.dead.left().is_empty());
    let changes = engine::audit::latest(&bench.table.store(), jiff::Timestamp::now()).await.unwrap();
    let lines: Vec<_> = changes.iter().rev().map(|one| (one.what.as_str(), one.of.as_str(), one.why_not.is_empty())).collect();
    let (sent, gone) = ("letters.redrive", "letters.purge");
    assert_eq!(lines, [(sent, "two", true), (sent, "two", false), (gone, "one", true), (gone, "2 messages", true), (sent, "1 message", true)]);
}

#[tokio::test]
async fn each_dead_letter_says_what_it_is_and_why_as_far_as_is_known() {
    let bench = Bench::new("console-reasons", Role::Admin).await;
    let (session, store) = (bench.enter().await, bench.table.store());
    let problem = json!({ "code": "blocked", "message": "GitHub has taken it down", "since": "2026-01-01T00:00:00Z", "passing": false });
    let summary = json!({ "n": "acme/shop", "o": 1, "s": { "issues": { "r": 1, "p": problem } } });
    let key = StateKey { of: "summaries#7".to_owned(), name: "7".to_owned() };
    store.save(&key, 0, &json!(summary.to_string())).await.unwrap();
    let trace = deliveries::Trace { why: Some("no such organization".to_owned()), expires: i64::MAX, ..deliveries::Trace::default() };
    deliveries::note(&store, "d-1", &trace).await.unwrap();
    let letters = [
        (r#"{"scope": 7, "sweep": "issues"}"#, None, "issues of repository 7", "GitHub has taken it down"),
        (r#"{"scope": 8, "sweep": "issues"}"#, None, "issues of repository 8", "sei-github logs --function fetcher"),
        (r#"{"scope": 7, "sweep": "wikis"}"#, None, "wikis of repository 7", "knows no such job"),
        ("not at all", None, "no job: not at all", "it is no job"),
        ("{}", Some("d-1"), "push d-1", "no such organization"),
        ("{}", Some("d-2"), "push d-2", "sei-github logs --function receiver"),
    ];
    for (place, (body, delivery, ..)) in letters.iter().enumerate() {
        let attributes: Vec<(&str, &str)> = delivery.iter().flat_map(|delivery| [("event", "push"), ("delivery", delivery)]).collect();
        bench.dead.put(&place.to_string(), body, &attributes);
    }
    let page = text(bench.ask(get("/console/letters", &session.cookie)).await).await;
    let rows: Vec<&str> = page.split("<tr>").skip(2).collect();
    assert_eq!(rows.len(), letters.len(), "{page}");
    for (row, (_, _, what, why)) in rows.iter().zip(letters) {
        assert_eq!(row.contains("acme/shop"), what.ends_with('7'), "{what}: {row}");
        assert!(row.contains(what) && row.replace("<code>", "").contains(why), "{what}: {row}");
    }
    leave("letters", &page);
}

#[tokio::test]
async fn a_viewer_sees_and_changes_nothing() {
    let bench = Bench::new("console-viewer", Role::Viewer).await;
    let session = bench.enter().await;
    bench.dead.put("one", "no job", &[]);
    for page in PAGES.into_iter().filter(|page| !page.ends_with("/new")) {
        let response = bench.ask(get(page, &session.cookie)).await;
        assert_eq!(response.status(), StatusCode::OK, "{page}");
        assert!(!text(response).await.contains("method=\"post\""), "{page} has a form that changes something");
    }
    assert_eq!(bench.ask(get("/console/connectors/new", &session.cookie)).await.status(), StatusCode::FORBIDDEN);
    for path in ["/console/connectors/new", "/console/connectors/new/authorize", "/console/connectors/of/probe", "/console/syncs", "/console/letters"] {
        let response = bench.ask(post(path, &session, Some(&format!("http://{HOST}")), &[("action", "remove"), ("csrf", &session.csrf)])).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert!(integration::integration(&bench.table.store(), "probe").await.is_ok());
    assert_eq!(bench.dead.left(), ["one"]);
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
    bench.dead.put(HOSTILE, HOSTILE, &[]);
    bench.dead.put(HOSTILE, HOSTILE, &[("event", HOSTILE), ("delivery", HOSTILE)]);
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
        if page == "/console/letters" {
            leave("letters-hostile", &body);
        }
        for bad in ["<img src=x", "<script>alert", "href=\"javascript:", " style=", "<style"] {
            assert!(!body.contains(bad), "{page} has {bad}: {body}");
        }
        told += usize::from(body.contains("&lt;img src=x onerror=alert(1)&gt;"));
    }
    assert!(told >= 9, "what is hostile is shown, on {told} pages only");
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
