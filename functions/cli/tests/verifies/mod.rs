//! `verify` as its user meets it: what agrees, what differs, and why.

use super::{Dir, command, run, small, sync};
use engine::{Presence, Record, Rows, Store};
use serde_json::{Value, json};
use sim::GitHub;

fn verify(github: &GitHub, dir: &Dir, more: &[&str]) -> std::process::Command {
    let mut all = vec!["verify", "--api-url", &github.url, "--data-dir", dir.text()];
    all.extend(more);
    command(&all)
}

/// The exit code, and of each difference its repository, entity, GitHub's total, ours, and the cause's code.
async fn differences(github: &GitHub, dir: &Dir, more: &[&str]) -> (i32, Vec<(String, String, u64, u64, Option<String>)>) {
    let mut all = vec!["--json"];
    all.extend(more);
    let (code, out, err) = run(verify(github, dir, &all)).await;
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out} {err}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |one: &Value| {
        let code = one["because"]["code"].as_str().map(str::to_owned);
        (text(&one["repo"]), text(&one["entity"]), one["github"].as_u64().unwrap(), one["here"].as_u64().unwrap(), code)
    };
    (code, told["organizations"][0]["differences"].as_array().unwrap().iter().map(one).collect())
}

/// Makes a tombstone of the first living row of an issue in `repo-00`, as no sync would.
async fn lose_an_issue(dir: &Dir) {
    let table = aws::Embedded::open(&dir.0).await.unwrap();
    let (store, entity) = (table.store(), &engine::entities::ISSUES);
    let scope = store.scopes(entity).await.unwrap().into_iter().min().unwrap();
    let row = store.list(&engine::Listing { limit: 1, ..engine::Listing::all(entity, scope) }).await.unwrap().rows.remove(0);
    let record = Record { entity, scope, key: row.key, version: row.version.absent(jiff::Timestamp::now()), fields: row.fields, presence: Presence::Gone };
    assert_eq!(store.put(&[record]).await.unwrap().removed, 1);
    table.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_copy_is_said_to_be_one_at_the_price_of_a_discovery() {
    let (github, dir) = (small().await, Dir::new("verify-whole"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    github.reset_ledger();
    let (code, out, err) = run(verify(&github, &dir, &[])).await;
    assert_eq!((code, github.ledger().requests), (0, 1), "{out} {err}");
    assert!(out.contains("acme: 3 repositories") && out.contains("nothing differs"), "{out}");
    let (code, out, _) = run(verify(&github, &dir, &["--org", "acme", "--repo", "*-00"])).await;
    assert!(code == 0 && out.contains("acme: 1 repositories"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_lost_is_found_and_unexplained_and_a_full_sync_mends_it() {
    let (github, dir) = (small().await, Dir::new("verify-lost"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    lose_an_issue(&dir).await;
    let issues = github.world().repos[0]["issues"].as_array().unwrap().len() as u64;
    let (code, found) = differences(&github, &dir, &[]).await;
    assert_eq!((code, found), (1, vec![("acme/repo-00".to_owned(), "issues".to_owned(), issues, issues - 1, None)]));
    let (code, out, _) = run(verify(&github, &dir, &[])).await;
    assert!(code == 1 && out.contains("1 more on GitHub: unexplained") && out.contains("1 of them unexplained"), "{out}");
    assert_eq!(differences(&github, &dir, &["--repo", "repo-01"]).await, (0, Vec::new()));
    // `status` alone tells rows as of the last success; counted, it tells the same as verify.
    let (_, out, _) = run(command(&["status", "--json", "--exact", "--data-dir", dir.text()])).await;
    let status: Value = serde_json::from_str(&out).unwrap();
    let entity = status["repositories"][0]["entities"].as_array().unwrap().iter().find(|one| one["entity"] == "issues").unwrap().clone();
    assert_eq!((&entity["rows"], &entity["total"]), (&json!(issues - 1), &json!(issues)));
    assert_eq!(run(sync(&github, &dir, &["--full"])).await.0, 0);
    assert_eq!(differences(&github, &dir, &[]).await, (0, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_on_github_since_is_found_and_explained_until_the_next_sync() {
    let (github, dir) = (small().await, Dir::new("verify-changed"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    let (number, issues) = {
        let world = github.world();
        let issues = world.repos[0]["issues"].as_array().unwrap();
        (issues[0]["number"].as_u64().unwrap(), issues.len() as u64)
    };
    {
        let mut world = github.world();
        world.delete("repo-00", "issues", number);
        world.push_commits("repo-01", 2);
        world.add_repo("newcomer", sim::Size(0, 1, 1));
        world.delete_repo("repo-02");
    }
    let (code, found) = differences(&github, &dir, &[]).await;
    let of =
        |repo: &str, entity: &str| found.iter().find(|one| one.0 == format!("acme/{repo}") && one.1 == entity).cloned().unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(code, 0, "all is explained: {found:?}");
    assert_eq!(of("repo-00", "issues"), ("acme/repo-00".to_owned(), "issues".to_owned(), issues - 1, issues, Some("changed".to_owned())));
    let commits = of("repo-01", "commits");
    assert_eq!((commits.2 - commits.3, commits.4.as_deref()), (2, Some("changed")));
    assert_eq!(of("newcomer", "repositories").4.as_deref(), Some("new"));
    assert_eq!(of("repo-02", "repositories").4.as_deref(), Some("gone"));
    let (_, out, _) = run(verify(&github, &dir, &[])).await;
    assert!(out.contains("1 more here: changed") && out.contains("0 of them unexplained"), "{out}");
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    assert_eq!(differences(&github, &dir, &[]).await, (0, Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_chosen_too_old_or_refused_is_explained() {
    let (github, dir) = (small().await, Dir::new("verify-explained"));
    github.faults().refuse.insert("acme/repo-01".to_owned(), (451, Some("milestones".to_owned())));
    let newest = {
        let mut world = github.world();
        world.now += 86_400 * 30;
        let number = world.repos[0]["issues"][2]["number"].as_u64().unwrap();
        world.edit("repo-00", "issues", number, "edited");
        world.repos[0]["issues"][2]["updatedAt"].as_str().unwrap()[..10].to_owned()
    };
    assert_eq!(run(sync(&github, &dir, &["--fetch", "issues,commits", "--since", &newest])).await.0, 0);
    let (code, found) = differences(&github, &dir, &[]).await;
    let cause = |repo: &str, entity: &str| found.iter().find(|one| one.0 == format!("acme/{repo}") && one.1 == entity).and_then(|one| one.4.clone());
    assert_eq!(code, 0, "{found:?}");
    for (repo, entity, code) in
        [("repo-00", "pull_requests", "switched_off"), ("repo-00", "issues", "since"), ("repo-01", "labels", "refused"), ("repo-01", "milestones", "refused")]
    {
        assert_eq!(cause(repo, entity).as_deref(), Some(code), "{repo} {entity}: {found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_a_push_by_force_left_behind_are_no_difference_and_no_copy_is_told_with_code_2() {
    let (github, dir) = (small().await, Dir::new("verify-forced"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    github.world().force_push("repo-00", 3);
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    assert_eq!(differences(&github, &dir, &[]).await, (0, Vec::new()));
    let (code, out, err) = run(verify(&github, &Dir::new("verify-nothing"), &[])).await;
    assert!(code == 2 && out.is_empty() && err.contains("there is no copy in"), "{code}: {err}");
}
