//! Findings about the token.

use crate::{asking, check, fine_grained, finish, github, know, program, scopes};
use sim::Identity;

fn ends_in(days: i64) -> Identity {
    Identity { expires: Some(jiff::Timestamp::now().as_second() + days * 86_400 + 3600), ..Identity::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_github_accepts_is_told_with_its_owner() {
    let checked = check(&github(Identity::default()).await, &[]).await;
    assert_eq!(checked.code, 0, "{:#}", checked.report);
    checked.only(&[]);
    assert!(checked.says("token.valid").contains("octo-admin"));
    assert!(checked.report["verdict"] == "works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_github_refuses_fails_with_code_4_and_is_not_asked_with_again() {
    let github = github(Identity::default()).await;
    github.faults().tokens.clear();
    let checked = check(&github, &[]).await;
    assert_eq!((checked.code, github.ledger().requests), (4, 1));
    checked.only(&["token.valid"]);
    let says = checked.says("token.valid");
    assert!(says.contains("401") && says.contains("another GitHub") && says.contains("/settings/tokens") && says.contains("--api-url"), "{says}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_access_token_is_named_when_it_is_refused() {
    let github = github(Identity::default()).await;
    for (token, named) in [("ghr_canary", "refresh token"), ("eyJcanary.a.b", "JWT")] {
        let mut asked = asking(&github, &[]);
        asked.env("GITHUB_TOKEN", token);
        let checked = finish(asked).await;
        assert!(checked.code == 4 && checked.says("token.valid").contains(named), "{:#}", checked.report);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refused_token_of_several_is_set_aside_as_sync_does() {
    let github = github(Identity::default()).await;
    let mut asked = asking(&github, &[]);
    asked.env("GITHUB_TOKENS", "ghp_canary_wrong");
    let checked = finish(asked).await;
    assert_eq!(checked.code, 0, "{:#}", checked.report);
    checked.only(&["token.valid"]);
    // One that is accepted but may not do it would leave holes.
    know(&github, "ghp_canary_narrow", scopes(&["read:org"]));
    let mut asked = asking(&github, &[]);
    asked.env("GITHUB_TOKENS", "ghp_canary_narrow");
    let checked = finish(asked).await;
    assert_eq!(checked.code, 1, "{:#}", checked.report);
    checked.only(&["scope.repo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_told_with_code_4() {
    let mut none = program(&["check", "--org", "acme"]);
    none.env_remove("GITHUB_TOKEN");
    let (code, out, err) = crate::run(none).await;
    assert!(code == 4 && out.is_empty() && err.contains("GITHUB_TOKEN"), "{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_is_told_warned_of_within_two_weeks_and_fails_when_over() {
    for (days, outcome, code, says) in [(60, "pass", 0, "in 60 days"), (13, "warn", 0, "in 13 days"), (-2, "fail", 4, "ended on")] {
        let checked = check(&github(ends_in(days)).await, &[]).await;
        assert_eq!((checked.outcome("token.expiry"), checked.code), (outcome, code), "{:#}", checked.report);
        assert!(checked.says("token.expiry").contains(says), "{}", checked.says("token.expiry"));
    }
    let checked = check(&github(Identity::default()).await, &[]).await;
    assert!(checked.says("token.expiry").contains("no day"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kind_is_what_github_answers_not_what_the_prefix_says() {
    let cases = [
        ("ghp_canary", Identity::default(), "pass", "personal access token (classic) has"),
        ("github_pat_canary", fine_grained(), "pass", "a fine-grained personal access token has"),
        ("gho_canary", Identity::default(), "pass", "OAuth app has"),
        ("ghu_canary", fine_grained(), "warn", "person by a GitHub App has"),
        ("ghs_canary", Identity { login: None, ..fine_grained() }, "warn", "ends within the hour"),
        ("0123456789abcdef0123456789abcdef01234567", Identity::default(), "pass", "(classic) has"),
        ("github_pat_canary_odd", Identity::default(), "pass", "(classic) has, though it looks like a fine-grained"),
        ("ghp_canary_odd", fine_grained(), "pass", "fine-grained personal access token has, though it looks like a personal access token (classic)"),
    ];
    for (token, identity, outcome, says) in cases {
        let github = github(Identity::default()).await;
        know(&github, token, identity);
        let mut asked = asking(&github, &[]);
        asked.env("GITHUB_TOKEN", token);
        let checked = finish(asked).await;
        assert_eq!((checked.outcome("token.kind"), checked.code), (outcome, 0), "{:#}", checked.report);
        assert!(checked.says("token.kind").contains(says), "{}", checked.says("token.kind"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_that_is_missing_is_named_with_what_it_costs() {
    let checked = check(&github(scopes(&["repo", "read:org", "admin:org_hook", "read:project"])).await, &[]).await;
    for code in ["scope.repo", "scope.read_org", "scope.admin_org_hook", "scope.read_project"] {
        assert_eq!(checked.outcome(code), "pass");
    }
    let checked = check(&github(scopes(&[])).await, &[]).await;
    assert_eq!(checked.code, 1);
    checked.only(&["scope.repo", "scope.read_org"]);
    for (code, scope, costs) in [
        ("scope.repo", "repo", "private"),
        ("scope.read_org", "read:org", "teams"),
        ("scope.admin_org_hook", "admin:org_hook", "webhook"),
        ("scope.read_project", "read:project", "stages"),
    ] {
        let says = checked.says(code);
        assert!(says.contains(costs) && says.contains(&format!("tick {scope} ")) && says.contains("/settings/tokens"), "{says}");
    }
    assert_eq!((checked.outcome("scope.admin_org_hook"), checked.outcome("scope.read_project")), ("warn", "warn"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wider_scope_does_for_a_narrower_one() {
    let checked = check(&github(scopes(&["repo", "admin:org", "project"])).await, &[]).await;
    assert_eq!((checked.outcome("scope.read_org"), checked.outcome("scope.read_project"), checked.outcome("scope.admin_org_hook")), ("pass", "pass", "warn"));
    let checked = check(&github(scopes(&["public_repo", "read:org"])).await, &[]).await;
    assert_eq!((checked.outcome("scope.repo"), checked.code), ("fail", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_read_org_what_needs_no_teams_can_work() {
    let checked = check(&github(scopes(&["repo"])).await, &["--fetch", "issues"]).await;
    assert_eq!((checked.outcome("scope.read_org"), checked.outcome("org.membership"), checked.code), ("warn", "pass", 0), "{:#}", checked.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_permission_that_is_missing_is_named_with_what_it_costs() {
    let checked = check(&github(fine_grained()).await, &[]).await;
    assert_eq!(checked.code, 0, "{:#}", checked.report);
    for (permission, called, costs) in [
        ("issues", "Issues", "issues"),
        ("pull_requests", "Pull requests", "reviews"),
        ("contents", "Contents", "commits"),
        ("deployments", "Deployments", "deployments"),
        ("actions", "Actions", "workflow runs"),
        ("members", "Members", "teams"),
    ] {
        let code = format!("permission.{permission}");
        assert_eq!(checked.outcome(&code), "pass");
        let mut narrow = fine_grained();
        narrow.permissions.retain(|may| may != permission);
        let refused = check(&github(narrow).await, &[]).await;
        assert_eq!(refused.code, 1);
        refused.only(&[&code]);
        let says = refused.says(&code);
        assert!(
            says.contains(costs) && says.contains(&format!("permissions, {called}, to Read-only")) && says.contains(&format!("{permission}=read")),
            "{says}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_nothing_chosen_needs_is_not_asked_for() {
    let mut narrow = fine_grained();
    narrow.permissions = vec!["issues".to_owned(), "contents".to_owned()];
    let checked = check(&github(narrow).await, &["--fetch", "issues"]).await;
    assert_eq!((checked.code, checked.all("permission.pull_requests").len()), (0, 0), "{:#}", checked.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_public_repositories_only_it_is_said_that_they_prove_nothing() {
    let github = github(Identity { permissions: vec!["members".to_owned()], ..fine_grained() }).await;
    github.world().repos.iter_mut().for_each(|repo| repo["isPrivate"] = false.into());
    let checked = check(&github, &[]).await;
    assert_eq!((checked.outcome("org.repositories"), checked.code), ("warn", 0), "{:#}", checked.report);
    assert!(checked.says("permission.issues").contains("anybody may"));
}

#[tokio::test(flavor = "multi_thread")]
async fn organizations_that_are_left_out_for_want_of_single_sign_on_are_named() {
    let other = Identity { left_out: vec![21_955_855, 20_582_480], ..Identity::default() };
    let checked = check(&github(other).await, &[]).await;
    assert_eq!((checked.outcome("token.sso"), checked.outcome("org.sso"), checked.code), ("warn", "pass", 0));
    assert!(checked.says("token.sso").contains("21955855, 20582480") && checked.says("token.sso").contains("Configure SSO"));
    // 9919 is acme.
    let chosen = Identity { left_out: vec![9919], ..Identity::default() };
    let checked = check(&github(chosen).await, &[]).await;
    assert_eq!((checked.outcome("org.sso"), checked.code), ("fail", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_the_budgets_is_told_and_warned_of_at_the_reserve() {
    let github = github(Identity::default()).await;
    let checked = check(&github, &[]).await;
    assert_eq!((checked.outcome("budget.core"), checked.outcome("budget.graphql")), ("pass", "pass"));
    assert!(checked.says("budget.core").contains("5000 of 5000"));
    // Each check spends four requests: at the tenth, a tenth is left.
    github.faults().limit = Some(40);
    for _ in 0..8 {
        assert_eq!(check(&github, &[]).await.outcome("budget.core"), "pass");
    }
    let checked = check(&github, &[]).await;
    assert_eq!((checked.outcome("budget.core"), checked.code), ("warn", 0), "{:#}", checked.report);
    assert!(checked.says("budget.core").contains("4 of 40") && checked.says("budget.core").contains("GITHUB_TOKENS"));
    // When nothing is left, nothing is asked.
    let before = github.ledger().requests;
    let checked = check(&github, &[]).await;
    assert_eq!((checked.outcome("budget.core"), checked.code, github.ledger().requests - before), ("warn", 1, 1), "{:#}", checked.report);
    checked.only(&["check.complete"]);
    github.faults().limit = None;
    let checked = check(&github, &[]).await;
    assert_eq!((checked.outcome("budget.core"), checked.code), ("pass", 0), "{:#}", checked.report);
    assert!(checked.says("budget.graphql").contains("no limit"));
    assert!(github.ledger().breaches.is_empty(), "{:?}", github.ledger().breaches);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_github_asks_to_wait_nothing_more_is_asked() {
    let github = github(Identity::default()).await;
    github.faults().secondary = Some((1, Some(30)));
    let checked = check(&github, &[]).await;
    assert_eq!((checked.code, github.ledger().requests), (1, 1), "{:#}", checked.report);
    assert!(checked.says("check.complete").contains("30 s") && github.ledger().breaches.is_empty());
}
