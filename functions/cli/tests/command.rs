//! The command as its user meets it: what it prints, how it exits, what bad input does. Drives the built program
//! against the simulated GitHub.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that panics has failed, as it should")]

mod access;
mod choices;
mod installs;
mod lakes;
mod plans;
mod reports;
mod serves;
mod states;
mod verifies;
mod webhooks;

use serde_json::Value;
use sim::{GitHub, Size, World};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const CANARY: &str = "ghp_canary0123456789abcdef";

/// A directory of the test's own, removed at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sei-github"));
    command.args(arguments).env_clear().env("GITHUB_TOKEN", "sim-token").stdin(Stdio::null());
    command
}

/// Runs to the end without blocking the simulation in this process.
async fn run(mut command: Command) -> (i32, String, String) {
    let output: Output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

async fn small() -> GitHub {
    GitHub::start(World::seeded(7, Size::SMALL)).await.unwrap()
}

fn sync(github: &GitHub, dir: &Dir, more: &[&str]) -> Command {
    let url = github.url.clone();
    let mut all = vec!["sync", "--org", "acme", "--api-url", &url, "--data-dir", dir.text()];
    all.extend(more);
    command(&all)
}

async fn rows(dir: &Dir, entity: &str, more: &[&str]) -> Vec<Value> {
    let mut all = vec!["export", entity, "--data-dir", dir.text()];
    all.extend(more);
    let (code, out, err) = run(command(&all)).await;
    assert_eq!(code, 0, "{err}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

async fn assert_whole(github: &GitHub, dir: &Dir) {
    let truth = github.world().truth();
    for (entity, there) in truth {
        assert_eq!(rows(dir, &entity, &[]).await.len() as u64, there.as_u64().unwrap(), "{entity}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_copied_is_exported_and_told() {
    let (github, dir) = (small().await, Dir::new("copied"));
    let (code, out, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert!(err.contains("3 repositories in"), "{err}");
    assert_whole(&github, &dir).await;
    let spent = github.ledger();
    let (_, out, _) = run(command(&["status", "--json", "--data-dir", dir.text()])).await;
    let status: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(status["spent"]["requests"], spent.requests);
    assert_eq!(status["spent"]["points"], spent.points);
    assert_eq!(status["organizations"][0]["repositories"], 3);
    let (_, out, _) = run(command(&["status", "--data-dir", dir.text()])).await;
    assert!(out.contains("acme/repo-00") && out.contains("spent in all"), "{out}");
    // One repository only, in CSV with a column for each field.
    let (_, out, _) = run(command(&["export", "issues", "--format", "csv", "--repo", "ACME/Repo-01", "--data-dir", dir.text()])).await;
    let mut lines = out.lines();
    let header = lines.next().unwrap();
    assert!(header.starts_with("repo,") && header.contains(",closed_at,"), "{header}");
    assert!(out.contains("acme/repo-01") && !out.contains("acme/repo-00"));
    // The next sync asks for what moved: nothing.
    github.reset_ledger();
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!((code, github.ledger().graphql, github.ledger().rest - github.ledger().not_modified), (0, 3, 0), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn since_leaves_out_what_is_older_and_full_reads_everything_again() {
    let (github, dir) = (small().await, Dir::new("since"));
    let newest = {
        let mut world = github.world();
        world.now += 86_400 * 30;
        let number = world.repos[0]["issues"][2]["number"].as_u64().unwrap();
        world.edit("repo-00", "issues", number, "edited");
        world.repos[0]["issues"][2]["updatedAt"].as_str().unwrap().to_owned()
    };
    let (code, _, err) = run(sync(&github, &dir, &["--since", &newest[..10]])).await;
    assert_eq!(code, 0, "{err}");
    let issues = rows(&dir, "issues", &[]).await;
    assert_eq!((issues.len(), issues[0]["title"].as_str()), (1, Some("edited")), "{issues:?}");
    let (code, _, err) = run(sync(&github, &dir, &["--full"])).await;
    assert_eq!(code, 0, "{err}");
    assert_whole(&github, &dir).await;
    // Deletions that change no total: a review comment that nobody tells of.
    let pull = {
        let mut world = github.world();
        let remarks = world.repos[0]["reviewComments"].as_array_mut().unwrap();
        remarks.remove(0)["id"].clone()
    };
    let (code, _, err) = run(sync(&github, &dir, &["--full"])).await;
    assert_eq!(code, 0, "{err}");
    assert_whole(&github, &dir).await;
    let deleted = rows(&dir, "review_comments", &["--deleted"]).await;
    assert!(deleted.iter().any(|row| row["id"] == pull && row["deleted"] == true));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_with_code_2() {
    let (github, dir) = (small().await, Dir::new("usage"));
    let cases: [(&[&str], &str); 10] = [
        (&["sync"], "--org"),
        (&["sync", "--org", "acme", "--api-url", "ghe.example.com"], "https://"),
        (&["sync", "--org", "acme", "--fetch", "wikis"], "There are: pull-requests"),
        (&["sync", "--org", "acme", "--since", "yesterday"], "2025-01-31"),
        (&["sync", "--org", "acme", "--repo", "[a"], "glob"),
        (&["sync", "--org", "acme", "--repo", "nothing-*"], "no repository matches"),
        (&["export", "wikis"], "There are: "),
        (&["export"], "ENTITY"),
        (&["export", "issues", "--data-dir", "no-such-directory"], "there is no copy in"),
        (&["frobnicate"], "frobnicate"),
    ];
    for (arguments, told) in cases {
        let mut asked = command(arguments);
        asked.env("SEI_DATA_DIR", dir.text());
        if !arguments.contains(&"--api-url") {
            asked.env("GITHUB_API_URL", &github.url);
        }
        let (code, out, err) = run(asked).await;
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_missing_or_wrong_is_told_with_code_4_and_never_shown() {
    let (github, dir) = (small().await, Dir::new("token"));
    let mut none = sync(&github, &dir, &[]);
    none.env_remove("GITHUB_TOKEN");
    let (code, _, err) = run(none).await;
    assert!(code == 4 && err.contains("GITHUB_TOKEN") && err.contains("read:org"), "{code}: {err}");
    let mut wrong = sync(&github, &dir, &[]);
    wrong.env("GITHUB_TOKEN", CANARY).env("SEI_LOG", "trace");
    let (code, out, err) = run(wrong).await;
    assert!(code == 4 && err.contains("401"), "{code}: {err}");
    assert!(!out.contains("canary") && !err.contains("canary"), "{err}");
    let mut blank = sync(&github, &dir, &[]);
    blank.env("GITHUB_TOKEN", "ghp_canary 1");
    let (code, _, err) = run(blank).await;
    assert!(code == 4 && !err.contains("canary"), "{code}: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_works_is_in_no_log_and_no_file() {
    let (github, dir) = (small().await, Dir::new("canary"));
    github.faults().tokens = vec![CANARY.to_owned()];
    github.faults().bad_gateway = 50;
    let mut asked = sync(&github, &dir, &[]);
    asked.env("GITHUB_TOKENS", format!("ghp_canary_wrong,{CANARY}")).env_remove("GITHUB_TOKEN").env("SEI_LOG", "trace");
    let (code, out, err) = run(asked).await;
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("does not accept (wrong, expired or revoked): 1 of 2") && err.len() > 10_000, "the log is there");
    assert!(!out.contains("canary") && !err.contains("canary"));
    for file in std::fs::read_dir(&dir.0).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_told_with_code_1() {
    let (github, dir) = (small().await, Dir::new("passing"));
    let url = github.url.clone();
    let unknown = command(&["sync", "--org", "nobody", "--api-url", &url, "--data-dir", dir.text()]);
    let (code, _, err) = run(unknown).await;
    assert!(code == 1 && err.contains("nobody") && err.contains("member"), "{code}: {err}");
    let closed = command(&["sync", "--org", "acme", "--api-url", "http://127.0.0.1:9", "--data-dir", dir.text()]);
    let (code, _, err) = run(closed).await;
    assert!(code == 1 && err.contains("cannot be reached"), "{code}: {err}");
    github.faults().misunderstood = vec!["statuses".to_owned()];
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert!(code == 1 && err.contains("failed: deployments of acme/repo-00: this GitHub does not understand the query"), "{code}: {err}");
    github.faults().misunderstood.clear();
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!(code, 0, "{err}");
    assert_whole(&github, &dir).await;
    let nowhere = command(&["export", "issues", "--repo", "nothing-*", "--data-dir", dir.text()]);
    let (code, out, err) = run(nowhere).await;
    assert!(code == 2 && out.is_empty() && err.contains("no repository of this copy matches"), "{code}: {err}");
    // Something that is no GitHub.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(|| async { "<html>Welcome</html>" })).await });
    let (code, _, err) = run(command(&["sync", "--org", "acme", "--api-url", &url, "--data-dir", dir.text()])).await;
    assert!(code == 1 && err.contains("not JSON"), "{code}: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_github_will_not_show_is_told_with_code_0() {
    let (github, dir) = (small().await, Dir::new("refused"));
    github.faults().refuse.insert("acme/repo-01".to_owned(), (1, None));
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert!(code == 0 && err.contains("missing:") && err.contains("needs one of [repo]"), "{code}: {err}");
    let (_, out, _) = run(command(&["status", "--data-dir", dir.text()])).await;
    assert!(out.contains("no permission: the token needs repo") && out.contains("needs one of [repo]"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_scope_copies_all_but_what_needs_it() {
    for lists in [vec!["teams"], vec!["membersWithRole", "teams"]] {
        let (github, dir) = (small().await, Dir::new(&format!("scope-{}", lists.len())));
        github.faults().out_of_scope = lists.iter().map(|list| (*list).to_owned()).collect();
        let (code, _, err) = run(sync(&github, &dir, &[])).await;
        assert!(code == 0 && err.contains("missing: teams of acme") && err.contains("read:org"), "{code}: {err}");
        assert_eq!(err.contains("missing: members of acme"), lists.len() == 2, "{err}");
        assert_eq!(rows(&dir, "issues", &[]).await.len() as u64, github.world().truth()["issues"].as_u64().unwrap());
        let (_, out, _) = run(command(&["status", "--data-dir", dir.text()])).await;
        assert!(out.contains("missing: teams of acme"), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_a_repository_that_is_gone_is_exported_only_if_asked_for() {
    let (github, dir) = (small().await, Dir::new("gone"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    let before = rows(&dir, "issues", &[]).await.len();
    github.world().delete_repo("repo-01");
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    let issues = rows(&dir, "issues", &[]).await;
    assert!(issues.len() < before && issues.iter().all(|row| row["repo"] != "acme/repo-01"));
    assert_eq!(rows(&dir, "issues", &["--deleted"]).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_is_damaged_or_in_use_is_told() {
    let (github, dir) = (small().await, Dir::new("damaged"));
    std::fs::write(dir.0.join("sei-github.sqlite"), vec![b'x'; 9000]).unwrap();
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert!(code == 1 && err.contains("damaged"), "{code}: {err}");
    let dir = Dir::new("in-use");
    github.faults().latency_ms = 200;
    let mut first = sync(&github, &dir, &[]);
    let mut first = first.stderr(Stdio::null()).spawn().unwrap();
    while github.ledger().requests < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (code, _, err) = run(command(&["status", "--data-dir", dir.text()])).await;
    assert!(code == 1 && err.contains("in use"), "{code}: {err}");
    let _ = first.kill();
    let _ = first.wait();
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_it_stops_and_the_next_sync_goes_on() {
    let (github, dir) = (small().await, Dir::new("interrupted"));
    github.faults().latency_ms = 100;
    let mut asked = sync(&github, &dir, &[]);
    let first = asked.stderr(Stdio::piped()).spawn().unwrap();
    while github.ledger().requests < 8 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || first.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("the next sync goes on"));
    github.faults().latency_ms = 0;
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!(code, 0, "{err}");
    assert_whole(&github, &dir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_it_says_so_and_loses_nothing() {
    let (github, dir) = (small().await, Dir::new("full"));
    // A file may not grow beyond this: to the program, a full disk.
    let limited =
        format!("trap '' XFSZ; ulimit -f 300; exec {} sync --org acme --api-url {} --data-dir {}", env!("CARGO_BIN_EXE_sei-github"), github.url, dir.text());
    let mut asked = Command::new("bash");
    asked.args(["-c", &limited]).env("GITHUB_TOKEN", "sim-token").stdin(Stdio::null());
    let (code, _, err) = run(asked).await;
    assert!(code == 1 && err.contains("disk"), "{code}: {err}");
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!(code, 0, "{err}");
    assert_whole(&github, &dir).await;
}
