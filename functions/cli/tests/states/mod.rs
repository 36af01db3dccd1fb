//! `status`: every state that an entity can be in, as the command tells it.

use super::{Dir, command, run, sync};
use serde_json::{Value, json};
use sim::{GitHub, Identity, Size, World};

async fn two() -> GitHub {
    GitHub::start(World::seeded(5, &[Size(4, 5, 6), Size(5, 4, 5)])).await.unwrap()
}

async fn status(dir: &Dir, more: &[&str]) -> Value {
    let mut all = vec!["status", "--json", "--data-dir", dir.text()];
    all.extend(more);
    let (code, out, err) = run(command(&all)).await;
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

async fn text(dir: &Dir, more: &[&str]) -> String {
    let mut all = vec!["status", "--data-dir", dir.text()];
    all.extend(more);
    let (code, out, err) = run(command(&all)).await;
    assert_eq!(code, 0, "{err}");
    out
}

fn entity(status: &Value, repo: &str, entity: &str) -> Value {
    let repos = status["repositories"].as_array().unwrap();
    let repo = repos.iter().find(|one| one["repo"] == format!("acme/{repo}")).unwrap();
    repo["entities"].as_array().unwrap().iter().find(|one| one["entity"] == entity).unwrap().clone()
}

/// Counting every row now finds what is told without counting.
async fn assert_exact(dir: &Dir) {
    let (told, counted) = (status(dir, &[]).await, status(dir, &["--exact"]).await);
    assert_eq!((&told["exact"], &counted["exact"]), (&json!(false), &json!(true)));
    let strip = |status: &Value| {
        let mut repos = status["repositories"].clone();
        for entity in repos.as_array_mut().unwrap().iter_mut().flat_map(|repo| repo["entities"].as_array_mut().unwrap()) {
            entity.as_object_mut().unwrap().remove("counted_at");
        }
        (repos, status["spent"].clone(), status["written"].clone(), status["users"].clone())
    };
    assert_eq!(strip(&told), strip(&counted));
}

#[tokio::test(flavor = "multi_thread")]
async fn complete_and_empty_with_rows_beside_githubs_total() {
    let mut world = World::seeded(5, &[Size(4, 5, 6)]);
    world.add_repo("void", Size(0, 0, 0));
    let (github, dir) = (GitHub::start(world).await.unwrap(), Dir::new("state-complete"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    let told = status(&dir, &[]).await;
    let issues = entity(&told, "repo-00", "issues");
    assert_eq!((&issues["state"], &issues["rows"], &issues["total"]), (&json!("complete"), &json!(5), &json!(5)));
    assert!(issues["last_success"].is_string() && issues["counted_at"].is_string(), "{issues}");
    for name in ["issues", "pull_requests", "commits", "workflow_runs", "reviews", "commit_files"] {
        assert_eq!(entity(&told, "void", name)["state"], "empty", "{name}");
    }
    assert_exact(&dir).await;
    let out = text(&dir, &[]).await;
    assert!(out.contains("5 of 5") && out.contains("2 repositories: 2 complete, 0 not"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_is_what_was_not_chosen_and_its_rows_stay() {
    let (github, dir) = (two().await, Dir::new("state-off"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    assert_eq!(run(sync(&github, &dir, &["--fetch", "issues"])).await.0, 0);
    let told = status(&dir, &[]).await;
    for (name, state, rows) in [("pull_requests", "switched_off", 4), ("releases", "switched_off", 1), ("issues", "complete", 5), ("labels", "complete", 4)] {
        let one = entity(&told, "repo-00", name);
        assert_eq!((&one["state"], &one["rows"]), (&json!(state), &json!(rows)), "{name}");
    }
    let out = text(&dir, &[]).await;
    assert!(out.contains("switched off"), "{out}");
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    assert_eq!(entity(&status(&dir, &[]).await, "repo-00", "pull_requests")["state"], "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_refuses_is_told_by_what_would_mend_it() {
    // As the simulation refuses, and as `status` tells it: state, code, and what mends it.
    let cases = [
        (1, "no_permission", "scope", "needs", json!("repo")),
        (2, "sso_needed", "sso", "link", json!("https://github.com/orgs/acme/sso?authorization_request=1")),
        (4, "no_permission", "ip_allow_list", "needs", Value::Null),
        (404, "gone", "absent", "needs", Value::Null),
        (410, "disabled", "switched_off", "needs", Value::Null),
        (451, "blocked", "blocked", "needs", Value::Null),
        (422, "failed", "rejected", "needs", Value::Null),
    ];
    for (number, state, code, field, value) in cases {
        let (github, dir) = (two().await, Dir::new(&format!("state-{number}")));
        github.faults().refuse.insert("acme/repo-00".to_owned(), (number, Some("/actions/runs".to_owned())));
        let _ = run(sync(&github, &dir, &[])).await;
        let told = status(&dir, &[]).await;
        let runs = entity(&told, "repo-00", "workflow_runs");
        assert_eq!((&runs["state"], &runs["error"]["code"], &runs[field]), (&json!(state), &json!(code), &value), "{number}: {runs}");
        assert!(!runs["error"]["message"].as_str().unwrap().is_empty());
        assert_eq!(entity(&told, "repo-00", "issues")["state"], "complete");
        assert_eq!(entity(&told, "repo-01", "workflow_runs")["state"], "complete");
        let out = text(&dir, &[]).await;
        assert!(out.contains(&state.replace("sso_needed", "single sign-on needed").replace('_', " ")), "{number}: {out}");
        assert!(value.as_str().is_none_or(|value| out.contains(value)), "{number}: {out}");
        assert_eq!(out.contains("2 repositories: 2 complete"), state == "disabled", "{number}: {out}");
        assert_exact(&dir).await;
        // Once it is mended, the next sync completes it.
        github.faults().refuse.clear();
        assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
        assert_eq!(entity(&status(&dir, &[]).await, "repo-00", "workflow_runs")["state"], "complete", "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fine_grained_token_is_told_which_permission_it_lacks() {
    let (github, dir) = (two().await, Dir::new("state-permission"));
    {
        let mut world = github.world();
        world.repos.iter_mut().for_each(|repo| repo["isPrivate"] = json!(true));
    }
    let may = ["issues", "pull_requests", "contents", "deployments", "members", "metadata"].map(str::to_owned).to_vec();
    let identity = Identity { scopes: None, permissions: may, ..Identity::default() };
    github.faults().identities = [("sim-token".to_owned(), identity)].into();
    let _ = run(sync(&github, &dir, &[])).await;
    let runs = entity(&status(&dir, &[]).await, "repo-00", "workflow_runs");
    assert_eq!((&runs["state"], &runs["needs"]), (&json!("no_permission"), &json!("actions=read")), "{runs}");
    let out = text(&dir, &[]).await;
    assert!(out.contains("no permission: the token needs actions=read"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_sign_on_told_over_graphql_leads_to_the_organization() {
    let (github, dir) = (two().await, Dir::new("state-sso"));
    github.faults().refuse.insert("acme/repo-00".to_owned(), (6, Some("milestones".to_owned())));
    let _ = run(sync(&github, &dir, &[])).await;
    let one = entity(&status(&dir, &[]).await, "repo-00", "milestones");
    assert_eq!(one["state"], "sso_needed", "{one}");
    assert!(one["link"].as_str().unwrap().ends_with("/orgs/acme/sso"), "{one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_switched_off_on_github_is_disabled_and_what_was_deleted_there_is_gone() {
    let (github, dir) = (two().await, Dir::new("state-disabled"));
    {
        let mut world = github.world();
        let repo = world.repo_mut("repo-00").unwrap();
        (repo["hasIssuesEnabled"], repo["issues"]) = (json!(false), json!([]));
    }
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    assert_eq!(entity(&status(&dir, &[]).await, "repo-00", "issues")["state"], "disabled");
    github.world().delete_repo("repo-01");
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    let told = status(&dir, &[]).await;
    let issues = entity(&told, "repo-01", "issues");
    assert_eq!((&issues["state"], &issues["rows"]), (&json!("gone"), &json!(4)));
    let out = text(&dir, &[]).await;
    assert!(out.contains("2 repositories: 1 complete, 0 not, 1 gone from GitHub"), "{out}");
    // A repository that GitHub disabled shows nothing of itself.
    github.world().repo_mut("repo-00").unwrap()["isDisabled"] = json!(true);
    github.faults().refuse.insert("acme/repo-00".to_owned(), (403, None));
    assert_eq!(run(sync(&github, &dir, &["--full"])).await.0, 0);
    assert_eq!(entity(&status(&dir, &[]).await, "repo-00", "pull_requests")["state"], "disabled");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_told_with_what_is_left_and_a_limit_with_its_end() {
    let github = GitHub::start(World::seeded(5, &[Size(1, 1, 700)])).await.unwrap();
    let dir = Dir::new("state-under-way");
    github.faults().limit = Some(40);
    let url = github.url.clone();
    let mut asked = command(&["sync", "--org", "acme", "--api-url", &url, "--data-dir", dir.text(), "--fetch", "commits,commit-files", "--files-from", "rest"]);
    let mut child = asked.stderr(std::process::Stdio::piped()).spawn().unwrap();
    // The commits' files need 700 requests; the budget is 40 an hour.
    let told = std::io::BufReader::new(child.stderr.take().unwrap());
    let waits = move || std::io::BufRead::lines(told).map_while(Result::ok).find(|line| line.contains("waiting until"));
    assert!(tokio::task::spawn_blocking(waits).await.unwrap().is_some());
    let _ = child.kill();
    let _ = child.wait();
    let told = status(&dir, &[]).await;
    let files = entity(&told, "repo-00", "commit_files");
    assert_eq!(files["state"], "waiting", "{files}");
    assert!(files["waiting_until"].is_string() && told["limits"][0]["resource"] == "core", "{files}");
    let out = text(&dir, &[]).await;
    assert!(out.contains("waiting until 20"), "{out}");
    assert_exact_state(&dir).await;
    // Stopped without a limit, it is catching up.
    let dir = Dir::new("state-catching-up");
    github.faults().limit = None;
    github.faults().latency_ms = 150;
    github.reset_ledger();
    let mut child = sync(&github, &dir, &["--fetch", "commits,commit-files", "--files-from", "rest"]).stderr(std::process::Stdio::null()).spawn().unwrap();
    while github.ledger().rest < 30 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let _ = child.kill();
    let _ = child.wait();
    let told = status(&dir, &[]).await;
    let files = entity(&told, "repo-00", "commit_files");
    assert_eq!((&files["state"], &files["counted_at"]), (&json!("catching_up"), &Value::Null), "{files}");
    let (left, seconds) = (files["estimate"]["requests"].as_u64().unwrap(), files["estimate"]["seconds"].as_u64().unwrap());
    let commits = entity(&told, "repo-00", "commits")["rows"].as_u64().unwrap();
    assert!((commits - 60..=commits - 20).contains(&left) && (60..=400).contains(&seconds), "{files}");
    let out = text(&dir, &[]).await;
    assert!(out.contains(&format!("catching up, about {left} requests more (")), "{out}");
}

async fn assert_exact_state(dir: &Dir) {
    let (told, counted) = (status(dir, &[]).await, status(dir, &["--exact"]).await);
    for (one, other) in told["repositories"][0]["entities"].as_array().unwrap().iter().zip(counted["repositories"][0]["entities"].as_array().unwrap()) {
        assert_eq!((&one["state"], &one["rows"]), (&other["state"], &other["rows"]), "{one}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_discovery_saw_change_and_no_sweep_read_is_catching_up() {
    let (github, dir) = (two().await, Dir::new("state-due"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    for _ in 0..3 {
        github.world().add_issue("repo-00");
    }
    github.faults().refuse.insert("acme/repo-00".to_owned(), (500, Some("issues".to_owned())));
    github.faults().latency_ms = 100;
    github.reset_ledger();
    let mut child = sync(&github, &dir, &[]).stderr(std::process::Stdio::null()).spawn().unwrap();
    while github.ledger().requests < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let _ = child.kill();
    let _ = child.wait();
    let issues = entity(&status(&dir, &[]).await, "repo-00", "issues");
    assert_eq!((&issues["state"], &issues["rows"], &issues["total"]), (&json!("catching_up"), &json!(5), &json!(8)), "{issues}");
    assert_eq!(issues["estimate"]["requests"], 1, "{issues}");
    // Trouble that passes is told with the next try.
    github.faults().latency_ms = 0;
    let mut child = sync(&github, &dir, &[]).stderr(std::process::Stdio::null()).spawn().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    let _ = child.kill();
    let _ = child.wait();
    let issues = entity(&status(&dir, &[]).await, "repo-00", "issues");
    assert_eq!((&issues["state"], &issues["error"]["code"]), (&json!("failed"), &json!("unavailable")), "{issues}");
    assert!(issues["error"]["next_try"].is_string(), "{issues}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_repositories_only_sums_and_what_is_missing_are_shown() {
    let (github, dir) = (GitHub::start(World::seeded(5, &[Size(1, 1, 1); 12])).await.unwrap(), Dir::new("state-many"));
    github.faults().refuse.insert("acme/repo-07".to_owned(), (451, Some("issues".to_owned())));
    assert_eq!(run(sync(&github, &dir, &["--fetch", "issues"])).await.0, 0);
    let out = text(&dir, &[]).await;
    assert!(out.contains("12 repositories: 11 complete, 1 not") && out.contains("acme/repo-07") && !out.contains("acme/repo-03"), "{out}");
    assert!(out.contains("11 complete, 1 blocked") && out.contains("12 switched off"), "{out}");
    assert!(text(&dir, &["--all"]).await.contains("acme/repo-03"));
    let some = text(&dir, &["--repo", "*-03", "REPO-04"]).await;
    assert!(some.contains("acme/repo-03") && some.contains("acme/repo-04") && !some.contains("acme/repo-07"), "{some}");
    assert_eq!(status(&dir, &[]).await["repositories"].as_array().unwrap().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_old_enterprise_server_does_not_know_is_named() {
    for (about, server) in sim::Server::matrix() {
        let (github, dir) = (two().await, Dir::new("state-profile"));
        let old = !server.lacks.is_empty();
        *github.faults() = sim::Faults::of(server);
        let url = github.api();
        let (code, _, err) = run(command(&["sync", "--org", "acme", "--api-url", &url, "--data-dir", dir.text()])).await;
        assert_eq!(code, 0, "{about}: {err}");
        let (told, out) = (status(&dir, &[]).await, text(&dir, &[]).await);
        assert_eq!(told["organizations"][0]["lacks"].as_array().unwrap().contains(&json!("Issue.issueType")), old, "{about}");
        assert_eq!(out.contains("does not know: ") && out.contains("Issue.subIssues"), old, "{about}: {out}");
        assert_eq!(entity(&told, "repo-00", "issues")["state"], "complete", "{about}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_within_14_days_is_warned_of() {
    let (github, dir) = (two().await, Dir::new("token-ends"));
    let now = jiff::Timestamp::now().as_second();
    for (days, told) in [(30, None), (3, Some("in 2 days: make a new one")), (-1, Some("the token ended at"))] {
        let identity = Identity { expires: Some(now + days * 86_400), ..Identity::default() };
        github.faults().identities.insert("sim-token".to_owned(), identity);
        let (code, _, err) = run(sync(&github, &dir, &[])).await;
        assert_eq!(code, 0, "{err}");
        let (_, out, _) = run(command(&["status", "--data-dir", dir.text()])).await;
        assert!(told.map_or(!out.contains("the token end"), |told| out.contains(told)), "{days}: {out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_credential_that_ends_soon_is_warned_of() {
    let (github, dir) = (two().await, Dir::new("kept-ends"));
    let connect =
        ["connect", "--no-input", "--no-check", "--keep-token", "--org", "acme", "--name", "acme", "--api-url", &github.url, "--data-dir", dir.text()];
    let (code, _, err) = run(command(&connect)).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(status(&dir, &[]).await["expiring"], json!({}));
    let file = dir.0.join("credentials.json");
    let mut all: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    all["acme"][0]["expires_at"] = json!(jiff::Timestamp::now().checked_add(jiff::SignedDuration::from_hours(72)).unwrap().to_string());
    std::fs::write(&file, all.to_string()).unwrap();
    assert_eq!(status(&dir, &[]).await["expiring"]["acme"].as_array().map(Vec::len), Some(1));
}
