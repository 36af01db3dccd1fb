//! `plan` as its user meets it.

use super::{Dir, command, run, small, sync};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_printed_for_people_and_programs_and_leaves_nothing_behind() {
    let (github, dir) = (small().await, Dir::new("planned"));
    let url = github.url.clone();
    let plan = |more: &[&str]| {
        let mut all = vec!["plan", "--org", "acme", "--api-url", &url];
        all.extend(more);
        let mut command = command(&all);
        command.env("SEI_DATA_DIR", dir.0.join("data")).current_dir(&dir.0);
        command
    };
    let (code, out, err) = run(plan(&["--per-repo"])).await;
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for told in [
        "acme: 3 repositories, 1 of them empty",
        "pull_requests",
        "A first sync takes",
        "min with it alone",
        "write units",
        "a month (",
        "if nothing happens):",
        "Assumed:",
        "acme/repo-00",
        "This plan took",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    github.reset_ledger();
    let (code, out, _) = run(plan(&["--json", "--fetch", "issues,commits"])).await;
    let told: Value = serde_json::from_str(&out).unwrap();
    let ledger = github.ledger();
    assert_eq!((code, &told["spent"]["requests"], &told["spent"]["points"]), (0, &ledger.requests.into(), &ledger.points.into()));
    assert!(told.get("per_repository").is_none());
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0, "nothing is written");
    // Only what --fetch names is planned, as it is what is taken.
    assert!(!told["entities"].as_array().unwrap().iter().any(|entity| entity["entity"] == "pull_requests"), "{out}");
    github.reset_ledger();
    let (code, _, err) = run(sync(&github, &dir, &["--fetch", "issues,commits"])).await;
    let took = github.ledger();
    assert_eq!((code, &told["first_sync"]["requests"], &told["first_sync"]["points"]), (0, &took.requests.into(), &took.points.into()), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_copied_is_not_planned() {
    let github = small().await;
    let invited = sim::Identity { memberships: vec![("acme".to_owned(), "pending".to_owned())], ..sim::Identity::default() };
    github.faults().identities = [("sim-token".to_owned(), invited)].into();
    let (code, out, err) = run(command(&["plan", "--org", "acme", "--api-url", &github.url])).await;
    assert!(code == 1 && out.is_empty() && err.contains("pending"), "{code}: {err}");
    let (code, _, err) = run(command(&["plan", "--org", "acme", "--api-url", &github.url, "--fetch", "wikis"])).await;
    assert!(code == 2 && err.contains("There are: pull-requests"), "{code}: {err}");
}
