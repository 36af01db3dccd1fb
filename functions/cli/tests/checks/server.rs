//! Findings about the way to GitHub and about the server.

use crate::{asking, check, finish, github, program};
use sim::{GitHub, Identity, Server, Size, World};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// An authority nobody trusts, and a certificate for localhost that it issued (its own key is thrown away).
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls").join(name)
}

/// The simulation behind TLS.
async fn behind_tls(github: &GitHub) -> String {
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (port, to) = (listener.local_addr().unwrap().port(), github.url.replace("http://", ""));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, to) = (acceptor.clone(), to.clone());
            tokio::spawn(async move {
                let (Ok(mut outer), Ok(mut inner)) = (acceptor.accept(stream).await, TcpStream::connect(to).await) else { return };
                let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
            });
        }
    });
    format!("https://localhost:{port}/api/v3")
}

async fn at(url: &str, more: &[&str]) -> crate::Checked {
    let mut all = vec!["check", "--org", "acme", "--json", "--api-url", url];
    all.extend(more);
    finish(program(&all)).await
}

async fn serves(answer: impl Fn() -> axum::response::Response + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(move || {
        let answer = answer.clone();
        async move { answer() }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_is_told() {
    let checked = at("https://no-such-host.invalid/api/v3", &[]).await;
    assert_eq!((checked.outcome("server.dns"), checked.code), ("fail", 1));
    checked.only(&["server.dns"]);
    assert!(checked.says("server.dns").contains("getent hosts no-such-host.invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_told() {
    let checked = at("http://127.0.0.1:9", &[]).await;
    assert_eq!((checked.outcome("server.dns"), checked.outcome("server.proxy"), checked.code), ("pass", "pass", 1));
    checked.only(&["server.reachable"]);
    assert!(checked.says("server.reachable").contains("curl -v http://127.0.0.1:9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_github_is_told() {
    for body in ["<html>Welcome</html>", "{\"hello\": 1}"] {
        let url = serves(move || axum::response::IntoResponse::into_response(body)).await;
        let checked = at(&url, &[]).await;
        assert_eq!(checked.code, 1);
        checked.only(&["server.reachable"]);
        assert!(checked.says("server.reachable").contains("https://HOST/api/v3"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_points_to_another_host_is_told_and_the_token_does_not_go_there() {
    let other = github(Identity::default()).await;
    let to = format!("{}/rate_limit", other.url.replace("127.0.0.1", "localhost"));
    let url = serves(move || axum::response::IntoResponse::into_response(axum::response::Redirect::temporary(&to))).await;
    let checked = at(&url, &[]).await;
    checked.only(&["server.reachable"]);
    assert!(checked.says("server.reachable").contains("points to http://localhost"));
    assert_eq!(other.ledger().requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_in_trouble_is_told_and_a_single_fault_is_not() {
    let github = github(Identity::default()).await;
    github.faults().bad_gateway = 1000;
    let checked = check(&github, &[]).await;
    assert_eq!(checked.code, 1);
    checked.only(&["server.reachable"]);
    assert!(checked.says("server.reachable").contains("502"));
    github.faults().bad_gateway = 0;
    let number = github.ledger().requests + 3;
    github.faults().cut = Some(number);
    let checked = check(&github, &[]).await;
    assert_eq!(checked.code, 0, "{:#}", checked.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_answers_ends_the_check_within_thirty_seconds() {
    let github = github(Identity::default()).await;
    github.faults().latency_ms = 60_000;
    let began = std::time::Instant::now();
    let checked = check(&github, &[]).await;
    assert!(checked.code == 1 && began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(checked.says("server.reachable").contains("in time"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_a_private_authority_is_told_and_trusted_when_it_is_given() {
    let github = github(Identity::default()).await;
    let url = behind_tls(&github).await;
    let checked = at(&url, &[]).await;
    assert_eq!((checked.outcome("server.tls"), checked.code, github.ledger().requests), ("fail", 1, 0), "{:#}", checked.report);
    checked.only(&["server.tls"]);
    assert!(checked.says("server.tls").contains("--ca-cert FILE"));
    let ca = file("ca.pem");
    let ca = ca.to_str().unwrap();
    let checked = at(&url, &["--ca-cert", ca]).await;
    assert_eq!((checked.outcome("server.tls"), checked.code), ("pass", 0), "{:#}", checked.report);
    // A certificate that is trusted, but for another name.
    let checked = at(&url.replace("localhost", "ip6-localhost.invalid"), &["--ca-cert", ca]).await;
    assert_eq!(checked.code, 1);
    // sync takes it, too.
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("private-ca");
    let (code, _, err) = crate::run(program(&["sync", "--org", "acme", "--api-url", &url, "--ca-cert", ca, "--data-dir", dir.to_str().unwrap()])).await;
    assert_eq!(code, 0, "{err}");
    std::fs::remove_dir_all(dir).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_no_tls_is_told() {
    let github = github(Identity::default()).await;
    let checked = at(&github.url.replace("http://", "https://"), &[]).await;
    checked.only(&["server.tls"]);
    assert!(checked.says("server.tls").contains("scheme"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_not_encrypted_is_warned_of() {
    let github = github(Identity::default()).await;
    let mut asked = program(&["check", "--org", "acme", "--json", "--api-url", "http://github.example.test"]);
    asked.env("HTTP_PROXY", &github.url);
    let checked = finish(asked).await;
    assert_eq!((checked.outcome("server.tls"), checked.code), ("warn", 0), "{:#}", checked.report);
    let here = check(&github, &[]).await;
    assert_eq!(here.outcome("server.tls"), "pass");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_holds_no_certificate_is_wrong_usage() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (text, broken) = (dir.join("no-certificate.pem"), dir.join("broken-certificate.pem"));
    std::fs::write(&text, "hello").unwrap();
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let key = file("server.key");
    for given in [text.to_str().unwrap(), broken.to_str().unwrap(), key.to_str().unwrap(), "/nowhere/ca.pem"] {
        for command in ["check", "sync"] {
            let (code, out, err) = crate::run(program(&[command, "--org", "acme", "--api-url", "https://localhost:9/api/v3", "--ca-cert", given])).await;
            assert!(code == 2 && out.is_empty() && err.contains("certificates"), "{command} {given}: {code} {err}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_used_is_named_and_one_that_is_not_there_is_told() {
    let github = github(Identity::default()).await;
    let asks = |proxy: &str| {
        let mut asked = program(&["check", "--org", "acme", "--json", "--api-url", "http://github.example.test"]);
        asked.env("HTTP_PROXY", proxy);
        asked
    };
    let checked = finish(asks(&github.url.replace("http://", "http://user:canary@"))).await;
    assert_eq!((checked.outcome("server.proxy"), checked.code), ("pass", 0), "{:#}", checked.report);
    assert!(checked.says("server.proxy").contains(&format!("the proxy {}", github.url)));
    let checked = finish(asks("http://127.0.0.1:9")).await;
    assert_eq!(checked.code, 1);
    checked.only(&["server.proxy"]);
    assert!(checked.says("server.proxy").contains("NO_PROXY=github.example.test"));
    // One that does not let it through.
    let mut asked = program(&["check", "--org", "acme", "--json", "--api-url", "https://github.example.test"]);
    asked.env("HTTPS_PROXY", &github.url);
    finish(asked).await.only(&["server.proxy"]);
    let mut none = asking(&github, &[]);
    none.env("HTTP_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
    let checked = finish(none).await;
    assert_eq!(checked.code, 0);
    assert!(checked.says("server.proxy").contains("no proxy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_is_warned_of() {
    for (off, outcome, says) in [(0_i64, "pass", "agrees"), (-600, "warn", "ahead of"), (600, "warn", "behind")] {
        let clock = Arc::new(move || jiff::Timestamp::now().as_second() + off);
        let github = GitHub::start_with(World::seeded(7, Size::SMALL), 0, clock).await.unwrap();
        crate::know(&github, crate::TOKEN, Identity::default());
        let checked = check(&github, &[]).await;
        assert_eq!((checked.outcome("server.clock"), checked.code), (outcome, 0), "{:#}", checked.report);
        assert!(checked.says("server.clock").contains(says));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_version_that_is_answered_in_is_told() {
    let cases = [(Some("2022-11-28"), false, "pass", 0), (Some("2026-03-10"), false, "warn", 0), (None, false, "pass", 0), (None, true, "fail", 1)];
    for (selected, refuses_version, outcome, code) in cases {
        let github = github(Identity::default()).await;
        github.faults().server = Server { api_version: selected.map(str::to_owned), refuses_version, ..Server::default() };
        let checked = check(&github, &[]).await;
        assert_eq!((checked.outcome("server.api_version"), checked.code), (outcome, code), "{:#}", checked.report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enterprise_server_is_named_with_what_it_lacks() {
    let cloud = check(&github(Identity::default()).await, &[]).await;
    assert!(cloud.says("server.version").contains("own service") && cloud.outcome("server.schema") == "pass");
    for tells_version in [true, false] {
        let github = github(Identity::default()).await;
        github.faults().limit = None;
        github.faults().server = Server { enterprise: Some("3.14.2".to_owned()), tells_version, api_version: None, ..Server::default() };
        let checked = check(&github, &[]).await;
        assert!(checked.says("server.version").contains("Enterprise Server 3.14.2"), "{:#}", checked.report);
        assert_eq!((checked.outcome("server.schema"), checked.code), ("pass", 0), "{:#}", checked.report);
        github.faults().server.lacks = vec!["ProjectV2ItemStatusChangedEvent".to_owned(), "Repository.isTemplate".to_owned()];
        let checked = check(&github, &[]).await;
        assert_eq!((checked.outcome("server.schema"), checked.code), ("warn", 0));
        let says = checked.says("server.schema");
        assert!(says.contains("ProjectV2ItemStatusChangedEvent (for") && says.contains("Repository.isTemplate (for repositories)"), "{says}");
        assert!(!says.contains("PullRequest.title"), "{says}");
    }
}
