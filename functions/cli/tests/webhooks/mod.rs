//! `webhook` and the option of `connect`: made, looked at, mended, rotated, sent again, removed, as their user meets it.

use super::{CANARY, Dir, command, run, small};
use serde_json::Value;
use sim::{Emitted, GitHub, Identity};
use std::process::Command;

const SECRET: &str = "canary-webhook-secret-0123456789";

fn at(dir: &Dir, arguments: &[&str]) -> Command {
    let mut asked = command(arguments);
    asked.env("SEI_DATA_DIR", dir.text()).env("GITHUB_WEBHOOK_SECRET", SECRET).env("GITHUB_TOKEN", CANARY);
    asked
}

/// Runs it, and looks that it shows no secret.
async fn told(command: Command) -> (i32, String, String) {
    let (code, out, err) = run(command).await;
    for secret in [SECRET, CANARY] {
        assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
    }
    (code, out, err)
}

async fn done(dir: &Dir, arguments: &[&str]) -> (String, String) {
    let (code, out, err) = told(at(dir, arguments)).await;
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    (out, err)
}

async fn github(scopes: &[&str]) -> GitHub {
    let github = small().await;
    let scopes = Some(scopes.iter().map(|scope| (*scope).to_owned()).collect());
    github.faults().tokens.push(CANARY.to_owned());
    github.faults().identities.insert(CANARY.to_owned(), Identity { scopes, ..Identity::default() });
    github
}

const OWNER: &[&str] = &["repo", "read:org", "read:project", "admin:org_hook"];

/// Nobody listens there: deliveries are not what is tested.
const URL: &str = "http://127.0.0.1:9/webhook";

async fn connect(github: &GitHub, dir: &Dir, more: &[&str]) -> (i32, String, String) {
    let mut all = vec!["connect", "--no-input", "--org", "acme", "--api-url", &github.url, "--name", "acme"];
    all.extend(more);
    told(at(dir, &all)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn connect_makes_the_hook_and_it_is_looked_at_mended_rotated_and_removed() {
    let (github, dir) = (github(OWNER).await, Dir::new("webhooks"));
    let (code, out, err) = connect(&github, &dir, &["--webhook", "push", "--webhook-url", URL]).await;
    assert!(code == 0 && out.contains("webhook        everything, to ") && err.contains("acme: webhook") && err.contains("made"), "{out}{err}");
    assert_eq!(github.hooks().list.len(), 1);
    assert!(github.hooks().list[0].secret == SECRET && github.hooks().list[0].events.contains(&"push".to_owned()));
    // Again: nothing changes.
    let (_, err) = done(&dir, &["webhook", "create"]).await;
    assert!(err.contains("as it should be") && github.hooks().list.len() == 1, "{err}");
    let (out, _) = done(&dir, &["webhook", "list"]).await;
    assert!(out.contains("acme") && out.contains("push") && out.contains(URL), "{out}");
    let (out, _) = done(&dir, &["webhook", "list", "--json"]).await;
    let listed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&listed[0]["owner"], &listed[0]["mode"]), (&"acme".into(), &"push".into()));
    done(&dir, &["webhook", "verify"]).await;
    // Somebody changed it by hand.
    github.hooks().list[0].active = false;
    github.hooks().list[0].events.retain(|event| event != "issues");
    let (code, out, _) = told(at(&dir, &["webhook", "verify"])).await;
    assert!(code == 1 && out.contains("it is switched off") && out.contains("it does not send issues"), "{out}");
    let (_, err) = done(&dir, &["webhook", "create"]).await;
    assert!(err.contains("mended"), "{err}");
    done(&dir, &["webhook", "verify"]).await;
    // A new secret: not before the receiver knows both.
    let (code, _, err) = told(at(&dir, &["webhook", "rotate-secret"])).await;
    assert!(code == 2 && err.contains("GITHUB_WEBHOOK_SECRET_PREVIOUS"), "{err}");
    let mut rotate = at(&dir, &["webhook", "rotate-secret"]);
    rotate.env("GITHUB_WEBHOOK_SECRET", "the-next-secret").env("GITHUB_WEBHOOK_SECRET_PREVIOUS", SECRET);
    let (code, _, err) = told(rotate).await;
    assert!(code == 0 && github.hooks().list[0].secret == "the-next-secret", "{err}");
    let (code, out, _) = told(at(&dir, &["webhook", "verify"])).await;
    assert!(code == 1 && out.contains("another secret"), "{out}");
    // Only a stage history: fewer events.
    done(&dir, &["integrations", "edit", "acme", "--webhook", "stages"]).await;
    done(&dir, &["webhook", "create"]).await;
    assert_eq!(github.hooks().list[0].events, ["issues", "projects_v2", "projects_v2_item", "sub_issues"]);
    let (code, _, err) = told(at(&dir, &["webhook", "delete"])).await;
    assert!(code == 2 && err.contains("--yes"), "{err}");
    done(&dir, &["webhook", "delete", "--yes"]).await;
    assert!(github.hooks().list.is_empty());
    let (code, out, _) = told(at(&dir, &["webhook", "verify"])).await;
    assert!(code == 1 && out.contains("there is no webhook"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_scope_nothing_fails_and_what_is_lost_is_said() {
    let (github, dir) = (github(&["repo", "read:org", "read:project"]).await, Dir::new("webhooks-scope"));
    github.hooks().no_admin.extend(["acme/repo-00", "acme/repo-01", "acme/repo-02"].map(str::to_owned));
    let (code, _, err) = connect(&github, &dir, &["--webhook", "push", "--webhook-url", URL]).await;
    assert!(code == 0 && err.contains("admin:org_hook") && err.contains("one polling interval") && err.contains("polled"), "{err}");
    assert!(github.hooks().list.is_empty());
    done(&dir, &["sync"]).await;
    let (code, _, err) = told(at(&dir, &["webhook", "create"])).await;
    assert!(code == 1 && err.contains("none of its repositories gets one"), "{err}");
    // Administrators of repositories get theirs.
    github.hooks().no_admin.remove("acme/repo-01");
    let (_, err) = done(&dir, &["webhook", "create"]).await;
    assert!(err.contains("none for acme/repo-00, acme/repo-02"), "{err}");
    assert_eq!(github.hooks().list.iter().map(|hook| hook.owner.clone()).collect::<Vec<_>>(), ["acme/repo-01"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_arrive_is_told_and_sent_again() {
    let (github, dir) = (github(OWNER).await, Dir::new("webhooks-again"));
    connect(&github, &dir, &["--webhook", "push", "--webhook-url", URL]).await;
    github.world().outbox.push(Emitted { name: "issues", payload: serde_json::json!({ "action": "opened", "organization": { "login": "acme" } }) });
    github.deliver().await;
    let guid = github.hooks().sent.iter().find(|sent| sent.event == "issues").unwrap().guid.clone();
    let (code, out, _) = told(at(&dir, &["webhook", "verify"])).await;
    assert!(code == 1 && out.contains("did not arrive") && out.contains("502"), "{out}");
    let (_, err) = done(&dir, &["webhook", "redeliver", &guid]).await;
    assert!(err.contains(&guid), "{err}");
    github.settled().await;
    assert!(github.hooks().asked.contains(&guid));
    let (code, _, err) = told(at(&dir, &["webhook", "redeliver", "no-such-delivery"])).await;
    assert!(code == 1 && err.contains("no webhook of ours"), "{err}");
    let (out, err) = done(&dir, &["webhook", "redeliver", "--json"]).await;
    let told: Value = serde_json::from_str(&out).unwrap();
    assert!(told["looked_at"].as_u64().unwrap() > 0 && err.contains("sent again"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_of_other_credentials_is_named_with_where_to_remove_it() {
    let (github, dir) = (github(OWNER).await, Dir::new("webhooks-orphan"));
    github.faults().tokens.push("gho_app".to_owned());
    let scopes = Some(OWNER.iter().map(|scope| (*scope).to_owned()).collect());
    github.faults().identities.insert("gho_app".to_owned(), Identity { scopes, ..Identity::default() });
    connect(&github, &dir, &["--webhook", "stages", "--webhook-url", URL]).await;
    done(&dir, &["integrations", "edit", "acme", "--webhook-url", "http://127.0.0.1:9/other"]).await;
    let mut create = at(&dir, &["webhook", "create"]);
    create.env("GITHUB_TOKEN", "gho_app");
    let (_, _, err) = told(create).await;
    assert!(err.contains("made with other credentials") && err.contains("/settings/hooks/"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mistyped_or_lacking_is_told_with_its_remedy() {
    let (github, dir) = (github(OWNER).await, Dir::new("webhooks-typed"));
    for (more, wrong) in [
        (&["--webhook", "pull"][..], "There are: none, stages, push"),
        (&["--webhook", "push"], "--webhook-url"),
        (&["--webhook", "push", "--webhook-url", "hooks.example.com"], "not an address"),
    ] {
        let (code, _, err) = connect(&github, &dir, more).await;
        assert!(code == 2 && err.contains(wrong), "{more:?}: {err}");
    }
    let (code, _, err) = told(at(&dir, &["webhook", "create"])).await;
    assert!(code == 2 && err.contains("sei-github connect"), "{err}");
    connect(&github, &dir, &[]).await;
    let (code, _, err) = told(at(&dir, &["webhook", "create"])).await;
    assert!(code == 2 && err.contains("--webhook push --webhook-url"), "{err}");
    done(&dir, &["integrations", "edit", "acme", "--webhook", "push", "--webhook-url", URL]).await;
    let mut create = at(&dir, &["webhook", "create"]);
    create.env_remove("GITHUB_WEBHOOK_SECRET");
    let (code, _, err) = told(create).await;
    assert!(code == 4 && err.contains("GITHUB_WEBHOOK_SECRET"), "{err}");
    let (code, _, err) = told(at(&dir, &["webhook", "list", "--integration", "nobody"])).await;
    assert!(code == 2 && err.contains("There are: acme"), "{err}");
    let (out, err) = done(&dir, &["webhook", "list"]).await;
    assert!(out.is_empty() && err.contains("no webhook was made"), "{err}");
}
