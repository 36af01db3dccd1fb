//! What `check` prints, and what it takes.

use crate::{TOKEN, asking, fine_grained, github, program, run, scopes};
use sim::Identity;

#[tokio::test(flavor = "multi_thread")]
async fn for_people_each_finding_is_a_line_with_what_to_do_and_no_colour_in_a_pipe() {
    let github = github(scopes(&["repo"])).await;
    let url = github.url.clone();
    let (code, out, err) = run(program(&["check", "--org", "acme", "--api-url", &url])).await;
    assert_eq!((code, err.as_str()), (1, ""), "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("✓ pass scope.repo ")), "{out}");
    let at = lines.iter().position(|line| line.starts_with("✗ fail scope.read_org ")).unwrap();
    assert!(lines[at + 1].contains("costs: teams") && lines[at + 2].contains("do: tick read:org"), "{out}");
    assert!(lines.iter().any(|line| line.starts_with("! warn scope.admin_org_hook ")), "{out}");
    assert!(lines.last().unwrap().starts_with("what was chosen cannot work, or not wholly: ") && !out.contains('\u{1b}'), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_documented_codes_only_and_each_finding_has_every_field() {
    let (_, list, _) = run(program(&["check", "--list"])).await;
    for identity in [Identity::default(), fine_grained(), scopes(&[])] {
        let (_, out, err) = run(asking(&github(identity).await, &[])).await;
        let report: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(err, "");
        for finding in report["findings"].as_array().unwrap() {
            assert!(list.contains(&format!("| {} |", finding["code"].as_str().unwrap())), "{finding}");
            let passes = finding["outcome"] == "pass";
            assert_eq!((finding["costs"].is_null(), finding["remedy"].is_null(), finding.as_object().unwrap().len()), (passes, passes, 7), "{finding}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_checks_is_what_the_code_says() {
    let (code, out, _) = run(program(&["check", "--list"])).await;
    let written = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../CHECKS.md")).unwrap();
    assert!(code == 0 && out == written, "make it anew: cargo sei check --list > CHECKS.md");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_is_told_with_code_2() {
    let cases: [(&[&str], &str); 6] = [
        (&["check"], "--org"),
        (&["check", "--org", "a/../b"], "login"),
        (&["check", "--org", "acme", "--fetch", "wikis"], "There are: pull-requests"),
        (&["check", "--org", "acme", "--repo", "[a"], "glob"),
        (&["check", "--org", "acme", "--api-url", "ghe.example.com"], "https://"),
        (&["check", "--org", "acme", "--api-url", "https://user:canary@ghe.example.com"], "GITHUB_TOKEN"),
    ];
    for (arguments, told) in cases {
        let mut asked = program(arguments);
        if !arguments.contains(&"--api-url") {
            asked.env("GITHUB_API_URL", "http://127.0.0.1:9");
        }
        let (code, out, err) = run(asked).await;
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_holds_the_token() {
    let github = github(Identity::default()).await;
    for token in [TOKEN, "ghp_canary_wrong"] {
        let mut asked = asking(&github, &[]);
        asked.env("GITHUB_TOKEN", token).env("SEI_LOG", "trace");
        let (_, _, err) = run(asked).await;
        assert!(err.len() > 1000, "the log is there");
    }
}
