//! Which repositories are taken, which are left out and why, and whose organizations are not copied at all.

use super::{Dir, command, rows, run, sync};
use serde_json::{Value, json};
use sim::{GitHub, Identity, Size, World};
use std::collections::BTreeMap;

/// Eight repositories that differ in what one may select by.
async fn varied() -> GitHub {
    let mut world = World::seeded(3, &[]);
    for name in ["api", "api-old", "docs", "fork", "inner", "legacy-x", "open", "still"] {
        world.add_repo(name, Size(0, 1, 1));
    }
    for (name, field, value) in [
        ("api-old", "isArchived", json!(true)),
        ("fork", "isFork", json!(true)),
        ("inner", "visibility", json!("INTERNAL")),
        ("open", "visibility", json!("PUBLIC")),
        ("docs", "repositoryTopics", json!([{ "topic": { "name": "handbook" } }])),
        ("still", "pushedAt", json!("2020-02-03T04:05:06Z")),
    ] {
        world.repo_mut(name).unwrap()[field] = value;
    }
    for name in ["api", "api-old", "docs", "fork", "legacy-x", "still"] {
        world.repo_mut(name).unwrap()["visibility"] = json!("PRIVATE");
    }
    GitHub::start(world).await.unwrap()
}

fn repos(github: &GitHub, org: &str, more: &[&str]) -> std::process::Command {
    let mut all = vec!["repos", "--org", org, "--api-url", &github.url];
    all.extend(more);
    command(&all)
}

/// Of each repository: `taken`, or the codes of what speaks against it.
async fn judged(github: &GitHub, more: &[&str]) -> BTreeMap<String, String> {
    let mut all = vec!["--json"];
    all.extend(more);
    let (code, out, err) = run(repos(github, "acme", &all)).await;
    assert_eq!(code, 0, "{more:?}: {err}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let repositories = told["organizations"][0]["repositories"].as_array().unwrap().clone();
    let one = |repo: &Value| {
        let codes: Vec<&str> = repo["left_out_because"].as_array().unwrap().iter().map(|why| why["code"].as_str().unwrap()).collect();
        assert_eq!(repo["taken"], codes.is_empty());
        (repo["repo"].as_str().unwrap().replace("acme/", ""), if codes.is_empty() { "taken".to_owned() } else { codes.join(" ") })
    };
    repositories.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_rule_takes_what_it_should_names_why_not_the_rest_and_sync_follows_it() {
    let github = varied().await;
    let all = ["api", "api-old", "docs", "fork", "inner", "legacy-x", "open", "still"];
    let except =
        |why: &'static str, left: &[&str]| -> Vec<&'static str> { all.into_iter().map(|name| if left.contains(&name) { why } else { "taken" }).collect() };
    let only =
        |why: &'static str, taken: &[&str]| -> Vec<&'static str> { all.into_iter().map(|name| if taken.contains(&name) { "taken" } else { why }).collect() };
    let cases: Vec<(&[&str], Vec<&str>)> = vec![
        (&[], except("", &[])),
        (&["--archived", "--forks"], except("", &[])),
        (&["--repo", "api*", "acme/open"], only("not_named", &["api", "api-old", "open"])),
        (&["--exclude", "legacy-*"], except("excluded", &["legacy-x"])),
        (&["--visibility", "public,internal"], only("visibility", &["inner", "open"])),
        (&["--no-archived"], except("archived", &["api-old"])),
        (&["--no-archived", "--archived"], except("", &[])),
        (&["--no-forks"], except("fork", &["fork"])),
        (&["--topic", "Handbook", "nothing-has-this"], only("topic", &["docs"])),
        (&["--pushed-since", "2021-01-01"], except("not_pushed", &["still"])),
        (&["--repo", "api*", "--no-archived", "--visibility", "private"], {
            let mut both = only("not_named", &["api"]);
            (both[1], both[4], both[6]) = ("archived", "not_named visibility", "not_named visibility");
            both
        }),
    ];
    for (flags, expected) in cases {
        github.reset_ledger();
        let judged = judged(&github, flags).await;
        assert_eq!(judged.values().map(String::as_str).collect::<Vec<_>>(), expected, "{flags:?}");
        assert_eq!(github.ledger().requests, 1, "{flags:?}: a hundred repositories a request, and nothing else");
        let dir = Dir::new("chosen");
        let (code, _, err) = run(sync(&github, &dir, flags)).await;
        assert_eq!(code, 0, "{flags:?}: {err}");
        let copied: Vec<String> = rows(&dir, "repositories", &[]).await.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect();
        let taken: Vec<&String> = judged.iter().filter(|(_, why)| *why == "taken").map(|(name, _)| name).collect();
        assert_eq!(copied.iter().collect::<std::collections::BTreeSet<_>>(), taken.into_iter().collect(), "{flags:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_readable_costs_a_request_a_hundred_and_writes_nothing() {
    let github = GitHub::start(World::seeded(5, &[Size(0, 0, 0); 201])).await.unwrap();
    github.world().archive_repo("repo-07");
    let dir = Dir::new("listed");
    let mut asked = repos(&github, "acme", &["--no-archived"]);
    asked.env("SEI_DATA_DIR", dir.0.join("data")).current_dir(&dir.0);
    let (code, out, err) = run(asked).await;
    assert_eq!((code, out.lines().count(), github.ledger().requests), (0, 201, 3), "{err}");
    assert!(out.lines().any(|line| line.starts_with("acme/repo-07 ") && line.ends_with("left out: it is archived")), "{out}");
    assert!(out.lines().any(|line| line.starts_with("acme/repo-200 ") && line.ends_with(" taken")), "{out}");
    assert!(err.contains("acme: 200 of 201 repositories are taken") && err.contains("3 requests"), "{err}");
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0, "nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_selection_is_told_with_code_2() {
    let github = varied().await;
    for (flags, told) in
        [(["--visibility", "secret"], "public, private, internal"), (["--pushed-since", "yesterday"], "2025-01-31"), (["--exclude", "[a"], "glob")]
    {
        let (code, out, err) = run(repos(&github, "acme", &flags)).await;
        assert!(code == 2 && out.is_empty() && err.contains(told), "{flags:?}: {code}: {err}");
    }
    let dir = Dir::new("none-chosen");
    let (code, _, err) = run(sync(&github, &dir, &["--topic", "nothing-has-this"])).await;
    assert!(code == 2 && err.contains("no repository matches; 8 were listed") && err.contains("sei-github repos"), "{code}: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_organizations_of_which_the_owner_is_a_direct_member_are_copied() {
    let github = varied().await;
    // With what lets a token ask about members, and without.
    let (may, may_not) = (["repo", "read:org", "members"].map(str::to_owned), ["repo".to_owned()]);
    for (state, may, told) in [
        (Some("pending"), may.as_slice(), "invitation of the token's owner is still pending"),
        (None, may.as_slice(), "is no member of it (perhaps an outside collaborator"),
        (None, may_not.as_slice(), "Members: read"),
    ] {
        let memberships: Vec<_> = state.into_iter().map(|state| ("acme".to_owned(), state.to_owned())).collect();
        let classic = Identity { scopes: Some(may.to_vec()), memberships, ..Identity::default() };
        let fine_grained = Identity { scopes: None, permissions: may.to_vec(), ..classic.clone() };
        // A classic and a fine-grained token are told the same.
        for (token, identity) in [("ghp_classic", classic), ("github_pat_fine", fine_grained)] {
            github.faults().tokens = vec![token.to_owned()];
            github.faults().identities = [(token.to_owned(), identity)].into();
            github.reset_ledger();
            let dir = Dir::new("no-member");
            let mut asked = sync(&github, &dir, &[]);
            asked.env("GITHUB_TOKEN", token);
            let (code, _, err) = run(asked).await;
            assert!(code == 1 && err.contains(told) && err.contains("`acme` is not copied"), "{told}: {code}: {err}");
            let ledger = github.ledger();
            assert!(ledger.graphql == 1 && (1..=2).contains(&ledger.rest), "{told}: {ledger:?}");
            assert!(rows(&dir, "repositories", &[]).await.is_empty(), "{told}");
            let mut asked = repos(&github, "acme", &[]);
            asked.env("GITHUB_TOKEN", token);
            let (code, out, err) = run(asked).await;
            assert!(code == 1 && out.is_empty() && err.contains(told), "{told}: {code}: {err}");
        }
    }
    // What a GitHub App was installed for, it may copy; it is nobody's member, and does not ask.
    github.faults().tokens = vec!["ghs_installation".to_owned()];
    let installation = Identity { scopes: None, login: None, memberships: Vec::new(), ..Identity::default() };
    github.faults().identities = [("ghs_installation".to_owned(), installation)].into();
    github.reset_ledger();
    let mut asked = repos(&github, "acme", &[]);
    asked.env("GITHUB_TOKEN", "ghs_installation");
    let (code, out, err) = run(asked).await;
    assert_eq!((code, out.lines().count(), github.ledger().requests), (0, 8, 1), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_personal_account_is_not_copied_and_hides_no_organization() {
    let github = varied().await;
    let (code, out, err) = run(repos(&github, "dev-1", &["--org", "acme"])).await;
    assert!(code == 1 && err.contains("`dev-1` is not copied: it is a personal account"), "{code}: {err}");
    assert_eq!(out.lines().count(), 8, "{out}");
    let dir = Dir::new("personal");
    let url = github.url.clone();
    let (code, _, err) = run(command(&["sync", "--org", "dev-1", "--api-url", &url, "--data-dir", dir.text()])).await;
    assert!(code == 1 && err.contains("personal account"), "{code}: {err}");
}
