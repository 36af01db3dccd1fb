//! Integrations: installed by flags, from a file and by dialogue in a terminal; switched, paused, removed, purged.

use super::{CANARY, Dir, assert_whole, command, rows, run, small};
use serde_json::Value;
use sim::{GitHub, Identity, Size, World};
use std::process::Command;

const TERMINAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/installs/terminal.py");

fn at(dir: &Dir, arguments: &[&str]) -> Command {
    let mut asked = command(arguments);
    asked.env("SEI_DATA_DIR", dir.text());
    asked
}

async fn connect(github: &GitHub, dir: &Dir, name: &str, more: &[&str]) -> (i32, String, String) {
    let mut all = vec!["connect", "--no-input", "--org", "acme", "--api-url", &github.url, "--name", name];
    all.extend(more);
    run(at(dir, &all)).await
}

async fn done(dir: &Dir, arguments: &[&str]) -> (String, String) {
    let (code, out, err) = run(at(dir, arguments)).await;
    assert_eq!(code, 0, "{arguments:?}: {err}");
    (out, err)
}

async fn count(dir: &Dir, entity: &str) -> usize {
    rows(dir, entity, &[]).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_flags_install_a_file_installs_too_and_sync_needs_no_more() {
    let (github, dir, other) = (small().await, Dir::new("install-flags"), Dir::new("install-file"));
    let (code, out, err) = connect(&github, &dir, "Acme.1", &["--no-archived", "--exclude", "secret-*"]).await;
    assert!(code == 0 && err.contains("pass") && err.contains("sei-github sync"), "{code}: {err}");
    assert!(out.contains("not named secret-*; not archived"), "{out}");
    let (toml, _) = done(&dir, &["integrations", "show", "acme.1", "--toml"]).await;
    let file = dir.0.join("connector.toml");
    std::fs::write(&file, &toml).unwrap();
    done(&other, &["connect", "--config", file.to_str().unwrap()]).await;
    assert_eq!(done(&other, &["integrations", "show", "ACME.1", "--toml"]).await.0, toml);
    for command in [&["check"][..], &["repos"], &["plan"], &["sync"]] {
        done(&other, command).await;
    }
    assert_whole(&github, &other).await;
    let (list, _) = done(&other, &["integrations", "list"]).await;
    assert!(list.starts_with("Acme.1") && list.contains("selected repositories of acme"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_switched_on_is_backfilled_and_one_switched_off_stays_until_it_is_purged() {
    let (github, dir) = (small().await, Dir::new("switches"));
    connect(&github, &dir, "acme", &["--fetch", "issues"]).await;
    done(&dir, &["sync"]).await;
    assert_eq!((count(&dir, "pull_requests").await, count(&dir, "releases").await, count(&dir, "commits").await), (0, 0, 0));
    assert!(count(&dir, "issues").await > 0);
    done(&dir, &["integrations", "edit", "acme", "--fetch", "all"]).await;
    done(&dir, &["sync"]).await;
    assert_whole(&github, &dir).await;
    // While files are off, commits come in; their files are not lost when it is on again.
    done(&dir, &["integrations", "edit", "acme", "--fetch", "issues,commits"]).await;
    let pulls = count(&dir, "pull_requests").await;
    github.world().change_one_percent();
    done(&dir, &["sync"]).await;
    assert_eq!(count(&dir, "pull_requests").await, pulls, "what is switched off stays");
    let (listed, _) = done(&dir, &["integrations", "purge", "--yes"]).await;
    assert!(listed.contains("pull_requests") && listed.contains("releases") && !listed.contains("acme/"), "{listed}");
    for entity in ["pull_requests", "reviews", "review_comments", "commit_files", "releases", "teams", "deployments"] {
        assert_eq!(count(&dir, entity).await, 0, "{entity}");
    }
    let comments = rows(&dir, "issue_comments", &[]).await;
    assert!(!comments.is_empty() && comments.iter().all(|comment| comment["on"] == "issue"));
    done(&dir, &["integrations", "edit", "acme", "--fetch", "all"]).await;
    done(&dir, &["sync"]).await;
    assert_whole(&github, &dir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_came_while_files_were_off_get_their_files() {
    let (github, dir) = (small().await, Dir::new("files-off"));
    connect(&github, &dir, "acme", &[]).await;
    done(&dir, &["sync"]).await;
    done(&dir, &["integrations", "edit", "acme", "--fetch", "commits"]).await;
    let before = count(&dir, "commits").await;
    github.world().change_one_percent();
    done(&dir, &["sync"]).await;
    assert!(count(&dir, "commits").await > before, "the world changes commits");
    done(&dir, &["integrations", "edit", "acme", "--fetch", "all"]).await;
    done(&dir, &["sync"]).await;
    assert_whole(&github, &dir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_integration_fetches_nothing_and_a_removed_one_leaves_its_copy_until_purged() {
    let (github, dir) = (small().await, Dir::new("pauses"));
    connect(&github, &dir, "acme", &[]).await;
    done(&dir, &["integrations", "pause", "acme"]).await;
    github.reset_ledger();
    let (_, err) = done(&dir, &["sync"]).await;
    assert!(github.ledger().requests == 0 && err.contains("paused"), "{err}");
    done(&dir, &["integrations", "resume", "acme"]).await;
    done(&dir, &["sync"]).await;
    done(&dir, &["integrations", "remove", "acme"]).await;
    assert_whole(&github, &dir).await;
    let (code, _, err) = run(at(&dir, &["integrations", "purge"])).await;
    assert!(code == 2 && err.contains("--yes"), "{code}: {err}");
    assert_whole(&github, &dir).await;
    let (listed, _) = done(&dir, &["integrations", "purge", "--yes"]).await;
    assert!(listed.contains("acme/repo-00"), "{listed}");
    assert_eq!((count(&dir, "repositories").await, count(&dir, "issues").await, count(&dir, "labels").await), (0, 0, 0));
    let (code, _, err) = run(at(&dir, &["sync"])).await;
    assert!(code == 2 && err.contains("sei-github connect"), "{code}: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_integrations_on_one_organization_share_its_rows_and_what_one_has_read() {
    let (github, dir) = (GitHub::start(World::seeded(11, &[Size(8, 8, 8), Size(6, 6, 6)])).await.unwrap(), Dir::new("two"));
    connect(&github, &dir, "one", &["--repo", "repo-00"]).await;
    connect(&github, &dir, "all", &[]).await;
    done(&dir, &["sync", "--integration", "one"]).await;
    github.reset_ledger();
    done(&dir, &["sync"]).await;
    assert_whole(&github, &dir).await;
    github.reset_ledger();
    done(&dir, &["sync"]).await;
    // Two discoveries of three queries, and one conditional question for each repository's workflow runs, twice.
    assert!(github.ledger().requests <= 10, "{:?}", github.ledger());
    // What one does not see, the other may: gone is what none sees.
    github.world().delete_repo("repo-01");
    done(&dir, &["sync", "--integration", "one"]).await;
    assert_eq!(count(&dir, "repositories").await, 2);
    done(&dir, &["sync"]).await;
    assert_eq!(count(&dir, "repositories").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_installed_is_told_and_nothing_is_saved() {
    let (github, dir) = (small().await, Dir::new("mistakes"));
    let mut wrong = at(&dir, &["connect", "--no-input", "--org", "acme", "--api-url", &github.url]);
    wrong.env("GITHUB_TOKEN", CANARY);
    let (code, out, err) = run(wrong).await;
    assert!(code == 4 && err.contains("nothing was saved") && !err.contains("canary") && !out.contains("canary"), "{code}: {err}");
    github.faults().identities.insert("sim-token".to_owned(), Identity { memberships: Vec::new(), ..Identity::default() });
    let (code, _, err) = connect(&github, &dir, "acme", &[]).await;
    assert!(code == 1 && err.contains("nothing was saved"), "{code}: {err}");
    github.faults().identities.clear();
    assert_eq!(done(&dir, &["integrations", "list", "--json"]).await.0.trim(), "[]");
    connect(&github, &dir, "acme", &[]).await;
    let file = dir.0.join("wrong.toml");
    std::fs::write(&file, "name = \"b\"\norganizations = [\"acme\"]\nfetsh = []\n").unwrap();
    let file = file.to_str().unwrap();
    let cases: [(&[&str], &str); 10] = [
        (&["connect", "--no-input", "--org", "acme", "--name", "ACME", "--no-check"], "already"),
        (&["connect", "--no-input", "--org", "acme", "--name", "b", "--api-url", "https://ghe.example.com", "--no-check"], "choose another place"),
        (&["connect", "--no-input", "--org", "acme", "--name", "a/b", "--no-check"], "is not a name"),
        (&["connect", "--no-input", "--org", "https://github.com/acme", "--no-check"], "login of an organization"),
        (&["connect", "--no-input"], "--org"),
        (&["connect", "--config", file], "Did you mean `fetch`?"),
        (&["connect"], "needs a terminal"),
        (&["integrations", "show", "nobody"], "There are: acme"),
        (&["integrations", "edit", "acme", "--fetch", "wikis"], "There are: pull-requests"),
        (&["sync", "--repo", "api-*"], "integrations edit"),
    ];
    for (arguments, told) in cases {
        let mut asked = at(&dir, arguments);
        if !arguments.contains(&"--api-url") {
            asked.env("GITHUB_API_URL", &github.url);
        }
        let (code, out, err) = run(asked).await;
        assert!(code == 2 && out.is_empty() && err.contains(told), "{arguments:?}: {code}: {err}");
    }
    let all: Value = serde_json::from_str(&done(&dir, &["integrations", "list", "--json"]).await.0).unwrap();
    assert_eq!(all.as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialogue_in_a_terminal_asks_in_order_checks_and_saves() {
    let (github, dir) = (small().await, Dir::new("dialogue"));
    let mut asked = Command::new("python3");
    asked.args([TERMINAL, env!("CARGO_BIN_EXE_sei-github"), "connect", "--api-url", &github.url, "--data-dir", dir.text()]);
    asked.env("GITHUB_TOKEN", "sim-token");
    let (code, out, err) = run(asked).await;
    assert_eq!(code, 0, "{out}{err}");
    let order = [
        "How does it authenticate?",
        "Name of the integration",
        "Organizations",
        "Which repositories?",
        "What is fetched?",
        "pass",
        "Save this integration?",
        "Saved.",
    ];
    let places: Vec<Option<usize>> = order.iter().map(|text| out.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {out}");
    let (shown, _) = done(&dir, &["integrations", "show", "github"]).await;
    assert!(shown.contains("organizations  acme") && shown.contains("all, present and future"), "{shown}");
    done(&dir, &["sync"]).await;
    assert_whole(&github, &dir).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_kept_is_needed_no_more_and_shown_nowhere() {
    for (name, pasted) in [("kept-pasted", true), ("kept-environment", false)] {
        let (github, dir) = (small().await, Dir::new(name));
        github.faults().tokens = vec![CANARY.to_owned()];
        let (code, out, err) = if pasted {
            let mut asked = Command::new("python3");
            asked.args([TERMINAL, env!("CARGO_BIN_EXE_sei-github"), "connect", "--api-url", &github.url, "--data-dir", dir.text(), "--name", "Acme"]);
            let answers = serde_json::json!({ "How does it authenticate?": "\u{1b}[B\r", "Token (not shown)": format!("{CANARY}\r") });
            run({
                asked.env("ANSWERS", answers.to_string());
                asked
            })
            .await
        } else {
            let mut asked = at(&dir, &["connect", "--no-input", "--org", "acme", "--api-url", &github.url, "--name", "Acme", "--keep-token"]);
            asked.env("GITHUB_TOKEN", CANARY);
            run(asked).await
        };
        assert!(code == 0 && !out.contains("canary") && !err.contains("canary"), "{code}: {out}{err}");
        for arguments in [&["check"][..], &["sync"], &["status"], &["integrations", "show", "acme"], &["integrations", "show", "acme", "--json"]] {
            let mut asked = at(&dir, arguments);
            asked.env_remove("GITHUB_TOKEN").env("SEI_LOG", "trace");
            let (code, out, err) = run(asked).await;
            assert!(code == 0 && !out.contains("canary") && !err.contains("canary"), "{arguments:?}: {code}: {err}");
        }
        assert_whole(&github, &dir).await;
        // One file holds it, for its owner only.
        for file in std::fs::read_dir(&dir.0).unwrap().map(Result::unwrap) {
            let holds = std::fs::read(file.path()).unwrap().windows(6).any(|window| window == b"canary");
            assert_eq!(holds, file.file_name() == "credentials.json", "{file:?}");
        }
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(dir.0.join("credentials.json")).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        // Removed with its integration.
        done(&dir, &["integrations", "remove", "acme"]).await;
        assert!(!std::fs::read_to_string(dir.0.join("credentials.json")).unwrap().contains("canary"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_whose_token_is_not_kept_is_told_with_code_4() {
    let (github, dir) = (small().await, Dir::new("not-kept"));
    let file = dir.0.join("connector.toml");
    std::fs::write(&file, format!("name = \"acme\"\ngithub = \"{}\"\norganizations = [\"acme\"]\ncredentials = \"stored\"\n", github.url)).unwrap();
    let (code, _, err) = run(at(&dir, &["connect", "--config", file.to_str().unwrap()])).await;
    assert!(code == 4 && err.contains("no token is kept for `acme`") && err.contains("authorize --name acme"), "{code}: {err}");
    assert_eq!(done(&dir, &["integrations", "list", "--json"]).await.0.trim(), "[]");
}
