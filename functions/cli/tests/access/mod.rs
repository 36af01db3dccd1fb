//! Ways to be let in, as their user meets them: a GitHub App by its key, an OAuth app by the device flow.

use crate::{Dir, assert_whole, command, run, small, sync};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine;
use serde_json::Value;
use sim::{AppDoor, GitHub, Person};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

const CLIENT_ID: &str = "Iv1.0123456789abcdef";

/// A key, and its file's content.
fn key() -> (Arc<KeyPair>, String) {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
    (Arc::new(key), format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}

/// An App that is installed in `acme` and, before that, elsewhere.
fn install(github: &GitHub, key: Arc<KeyPair>) {
    let installations = vec![(3, "other".to_owned(), false), (7, "acme".to_owned(), false)];
    github.doors().app = Some(AppDoor { client_id: "Iv23canaryless".to_owned(), app_id: 12, key, installations, made: 0 });
}

fn by_app(mut asked: Command, pem: &str) -> Command {
    asked.env_remove("GITHUB_TOKEN").env("GITHUB_APP_CLIENT_ID", "Iv23canaryless").env("GITHUB_APP_PRIVATE_KEY", pem).env("SEI_LOG", "trace");
    asked
}

/// Nothing secret is in what was printed, nor in any file but the one for secrets.
fn assert_unseen(dir: &Dir, printed: &[&str], secrets: &[&str]) {
    for secret in secrets {
        assert!(printed.iter().all(|text| !text.contains(secret)), "{secret} is shown");
        for file in std::fs::read_dir(&dir.0).unwrap() {
            let file = file.unwrap();
            let bytes = std::fs::read(file.path()).unwrap();
            let holds = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!holds || file.file_name() == "credentials.json", "{secret} is in {:?}", file.path());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_app_copies_the_organization_where_it_is_installed() {
    let (github, dir) = (small().await, Dir::new("app"));
    let (key, pem) = key();
    install(&github, key);
    let (code, out, err) = run(by_app(sync(&github, &dir, &[]), &pem)).await;
    assert_eq!(code, 0, "{err}");
    assert_whole(&github, &dir).await;
    assert_eq!(github.doors().app.as_ref().unwrap().made, 1, "one token for the run, of the one installation");
    let middle = &pem.lines().nth(1).unwrap()[100..140];
    assert_unseen(&dir, &[&out, &err], &["ghs_canary", middle, "eyJ"]);
    // The key in a file does as well, and so do checks.
    let file = dir.0.join("app.pem");
    std::fs::write(&file, &pem).unwrap();
    let mut asked = command(&["check", "--org", "acme", "--api-url", &github.url, "--json"]);
    asked.env_remove("GITHUB_TOKEN").env("GITHUB_APP_CLIENT_ID", "12").env("GITHUB_APP_PRIVATE_KEY_FILE", &file);
    let (code, out, err) = run(asked).await;
    assert!(code == 0 && !out.contains("canary0") && !err.contains("canary0"), "{code}: {out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_cannot_get_in_is_told_with_code_4() {
    let (github, dir) = (small().await, Dir::new("app-out"));
    let ((known, pem), (_, other)) = (key(), key());
    type Installations = Vec<(u64, String, bool)>;
    let cases: [(&str, Installations, &str); 6] = [
        ("canary", vec![], "not PEM"),
        ("-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----", vec![], "no whole private key"),
        (&other, vec![(7, "acme".to_owned(), false)], "does not accept the key of the GitHub App"),
        (&pem, vec![], "not installed anywhere"),
        (&pem, vec![(7, "acme".to_owned(), true)], "suspended"),
        (&pem, vec![(3, "other".to_owned(), false)], "/apps/sei-connector/installations/new"),
    ];
    for (given, installations, why) in cases {
        install(&github, known.clone());
        github.doors().app.as_mut().unwrap().installations = installations;
        let (code, out, err) = run(by_app(sync(&github, &dir, &[]), given)).await;
        assert!(code == 4 && err.contains(why), "{why}: {code}: {err}");
        assert!(!out.contains("canary\n") && !err.contains("Y2Fu"), "{err}");
    }
    let mut none = sync(&github, &dir, &[]);
    none.env_remove("GITHUB_TOKEN").env("GITHUB_APP_CLIENT_ID", "12");
    let (code, _, err) = run(none).await;
    assert!(code == 4 && err.contains("GITHUB_APP_PRIVATE_KEY_FILE"), "{code}: {err}");
}

fn authorize(github: &GitHub, dir: &Dir) -> Command {
    let mut asked = command(&["authorize", "--client-id", CLIENT_ID, "--api-url", &github.url, "--data-dir", dir.text()]);
    asked.env_remove("GITHUB_TOKEN").env("GITHUB_OAUTH_CLIENT_SECRET", "canary-client-secret").env("SEI_LOG", "trace");
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oauth_app_is_authorized_by_a_code_and_its_token_kept_for_the_owner_only() {
    let (github, dir) = (small().await, Dir::new("device"));
    (github.doors().oauth.interval, github.doors().oauth.person) = (1, Person::EntersBefore(3));
    let (code, out, err) = run(authorize(&github, &dir)).await;
    assert!(code == 0 && out.is_empty() && err.contains("WDJB-MJHT") && err.contains("https://github.com/login/device"), "{code}: {err}");
    assert_eq!(github.ledger().logins, 4, "a code, and three questions");
    let file = dir.0.join("credentials.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let mut asked = sync(&github, &dir, &[]);
    asked.env_remove("GITHUB_TOKEN").env("SEI_LOG", "trace");
    let (code, out2, err2) = run(asked).await;
    assert_eq!(code, 0, "{err2}");
    assert_whole(&github, &dir).await;
    assert_unseen(&dir, &[&out, &err, &out2, &err2], &["ghu_canary", "ghr_canary", "canary-client-secret", "canarydevice"]);
    // A file that others may read is not used.
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let mut asked = sync(&github, &dir, &[]);
    asked.env_remove("GITHUB_TOKEN");
    let (code, _, err) = run(asked).await;
    assert!(code == 1 && err.contains("chmod 600") && !err.contains("canary"), "{code}: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_refreshed_before_it_is_used_and_the_new_pair_kept() {
    let (github, dir) = (small().await, Dir::new("refresh"));
    // Good for a minute only: due at once.
    (github.doors().oauth.interval, github.doors().oauth.lasts) = (1, Some(60));
    assert_eq!(run(authorize(&github, &dir)).await.0, 0);
    github.doors().oauth.lasts = Some(28_800);
    for refreshes in [1, 1] {
        let mut asked = sync(&github, &dir, &[]);
        asked.env_remove("GITHUB_TOKEN").env("SEI_LOG", "trace");
        let (code, out, err) = run(asked).await;
        assert_eq!((code, github.doors().oauth.refreshes), (0, refreshes), "{err}");
        assert_unseen(&dir, &[&out, &err], &["ghu_canary", "ghr_canary", "canary-client-secret"]);
    }
    let kept: Value = serde_json::from_slice(&std::fs::read(dir.0.join("credentials.json")).unwrap()).unwrap();
    let (token, refresh) = github.doors().oauth.pairs.last().cloned().unwrap();
    assert_eq!((&kept["default"][0]["token"], &kept["default"][0]["refresh_token"]), (&Value::String(token), &Value::String(refresh)));
    assert_whole(&github, &dir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_code_that_leads_nowhere_is_told_with_code_4() {
    let dir = Dir::new("device-out");
    for (person, enabled, why) in [(Person::Declines, true, "declined"), (Person::Sleeps, false, "Enable Device Flow")] {
        let github = small().await;
        {
            let mut doors = github.doors();
            (doors.oauth.interval, doors.oauth.person, doors.oauth.device_flow) = (1, person, enabled);
        }
        let (code, _, err) = run(authorize(&github, &dir)).await;
        assert!(code == 4 && err.contains(why), "{why}: {code}: {err}");
    }
    let github = small().await;
    let unknown = command(&["authorize", "--client-id", "nobody", "--api-url", &github.url, "--data-dir", dir.text()]);
    let (code, _, err) = run(unknown).await;
    assert!(code == 4 && err.contains("client id"), "{code}: {err}");
    assert!(!dir.0.join("credentials.json").exists(), "nothing is stored half");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_told_to_slow_down_does() {
    let (github, dir) = (small().await, Dir::new("slow"));
    {
        let mut doors = github.doors();
        (doors.oauth.interval, doors.oauth.slow_down_at, doors.oauth.person) = (1, Some(1), Person::EntersBefore(2));
    }
    let began = std::time::Instant::now();
    let (code, _, err) = run(authorize(&github, &dir)).await;
    assert!(code == 0 && began.elapsed().as_secs() >= 7, "{code}: {err}");
    assert_eq!(github.ledger().logins, 3, "a second, then six");
}
