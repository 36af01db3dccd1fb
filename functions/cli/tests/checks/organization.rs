//! Findings about the organization.

use crate::{check, fine_grained, finish, github, know, program};
use sim::{Door, GitHub, Identity, Size, World};

fn membership(of: &[(&str, &str)]) -> Identity {
    Identity { memberships: of.iter().map(|(org, state)| ((*org).to_owned(), (*state).to_owned())).collect(), ..Identity::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_active_member_can_copy() {
    let cases = [
        (membership(&[("acme", "active")]), "pass", 0, "is a member of acme"),
        (membership(&[("acme", "pending")]), "fail", 1, "/orgs/acme/invitation"),
        (membership(&[]), "fail", 1, "have an owner of acme invite"),
        (membership(&[("acme-inc", "active")]), "fail", 1, "The owner is a member of acme-inc"),
    ];
    for (identity, outcome, code, says) in cases {
        let checked = check(&github(identity).await, &[]).await;
        assert_eq!((checked.outcome("org.membership"), checked.code), (outcome, code), "{:#}", checked.report);
        assert!(checked.says("org.membership").contains(says), "{}", checked.says("org.membership"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_needs_no_membership() {
    let checked = check(&github(Identity { login: None, memberships: Vec::new(), ..fine_grained() }).await, &[]).await;
    assert_eq!((checked.outcome("org.membership"), checked.code), ("pass", 0), "{:#}", checked.report);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_door_of_an_organization_is_told_apart_with_what_opens_it() {
    let doors = [
        (Door::Sso, "org.sso", "https://github.com/orgs/acme/sso?authorization_request=1"),
        (Door::IpAllowList, "org.ip_allow_list", "/organizations/acme/settings/security"),
        (Door::AppRestrictions, "org.app_restrictions", "/organizations/acme/settings/oauth_application_policy"),
        (Door::NoClassicTokens, "org.token_policy", "/settings/personal-access-tokens"),
    ];
    let open = check(&github(Identity::default()).await, &[]).await;
    for (door, code, opens) in doors {
        assert_eq!(open.outcome(code), "pass");
        let checked = check(&github(Identity { door: Some(door), ..Identity::default() }).await, &[]).await;
        assert_eq!(checked.code, 1);
        checked.only(&[code]);
        assert!(checked.says(code).contains(opens), "{}", checked.says(code));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_repositories_that_are_seen_are_counted() {
    let github = github(Identity::default()).await;
    for (glob, outcome, code, says) in [
        (None, "pass", 0, "sees 3 repositories"),
        (Some("*-01"), "pass", 0, "; 1 are selected"),
        (Some("acme/repo-*"), "pass", 0, "; 3 are selected"),
        (Some("nothing-*"), "fail", 1, "none that is selected"),
    ] {
        let more: Vec<&str> = glob.iter().flat_map(|glob| ["--repo", glob]).collect();
        let checked = check(&github, &more).await;
        assert_eq!((checked.outcome("org.repositories"), checked.code), (outcome, code), "{:#}", checked.report);
        assert!(checked.says("org.repositories").contains(says), "{}", checked.says("org.repositories"));
    }
    github.world().repos.clear();
    let checked = check(&github, &[]).await;
    assert_eq!((checked.outcome("org.repositories"), checked.code), ("fail", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_is_not_there_is_told() {
    let github = github(Identity::default()).await;
    let url = github.url.clone();
    let checked = finish(program(&["check", "--org", "acmee", "--api-url", &url, "--json"])).await;
    assert_eq!((checked.outcome("org.repositories"), checked.code), ("fail", 1), "{:#}", checked.report);
    assert!(checked.says("org.repositories").contains("acmee"));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_organizations_are_each_looked_at() {
    let github = github(Identity::default()).await;
    let url = github.url.clone();
    let checked = finish(program(&["check", "--org", "acme", "nobody", "--api-url", &url, "--json"])).await;
    let told = checked.all("org.repositories");
    assert_eq!(
        told.iter().map(|finding| (finding["organization"].as_str(), finding["outcome"].as_str())).collect::<Vec<_>>(),
        [(Some("acme"), Some("pass")), (Some("nobody"), Some("fail"))]
    );
    assert_eq!(checked.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fourteen_thousand_repositories_take_no_more_than_fifteen_requests() {
    let mut world = World::seeded(7, &[Size(0, 0, 0)]);
    let one = world.repos.remove(0);
    world.repos = (0..14_000_u64)
        .map(|number| {
            let mut repo = one.clone();
            (repo["name"], repo["databaseId"], repo["isPrivate"]) = (format!("repo-{number}").into(), number.into(), true.into());
            repo
        })
        .collect();
    let github = GitHub::start(world).await.unwrap();
    know(&github, crate::TOKEN, fine_grained());
    // The most that is ever asked: an Enterprise Server that tells its version at /meta, and a glob that matches nothing.
    github.faults().server = sim::Server { enterprise: Some("3.9.0".to_owned()), tells_version: false, api_version: None, ..sim::Server::default() };
    let began = std::time::Instant::now();
    let checked = check(&github, &["--repo", "nothing-*"]).await;
    let spent = github.ledger().requests;
    assert!(checked.says("org.repositories").contains("14000 repositories"), "{:#}", checked.report);
    assert_eq!((checked.outcome("org.repositories"), checked.report["requests"].as_u64()), ("warn", Some(spent)));
    assert!(spent <= 15 && began.elapsed().as_secs() < 30, "{spent} requests in {:?}", began.elapsed());
    github.reset_ledger();
    let checked = check(&github, &[]).await;
    let spent = github.ledger().requests;
    assert!((12..=15).contains(&spent) && checked.code == 0, "{spent}: {:#}", checked.report);
}
