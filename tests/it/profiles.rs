//! Each kind of GitHub passes the same claims: github.com, ghe.com, an Enterprise Server of today, and an old one.

use crate::bench::Bench;
use engine::{Clock, Status};
use sim::{Faults, Server, Size};
use std::collections::{BTreeMap, BTreeSet};

/// Events of types that the server does not know are not there for whoever asks.
const EVENTS: &str = "issue_events";

async fn status(bench: &Bench) -> Status {
    engine::status(&bench.table.store(), bench.clock.now()).await.unwrap()
}

/// Our counts beside the world's, but for what an old server cannot tell.
async fn assert_true(about: &str, bench: &Bench, old: bool) {
    let counts = bench.counts().await;
    for (entity, there) in bench.github.world().truth() {
        let (here, there) = (counts.get(entity.as_str()).copied().unwrap_or(0), there.as_u64().unwrap());
        let wanted = bench.settings.wants(engine::entities::find(&entity).unwrap().group);
        let fits = if old && entity == EVENTS { (1..=there).contains(&here) } else { here == there };
        assert!(fits || !wanted, "{about}: {here} {entity} of {there}");
    }
    assert!(bench.github.ledger().breaches.is_empty(), "{about}: {:?}", bench.github.ledger().breaches);
}

fn written(status: &Status) -> u64 {
    status.written.created + status.written.updated + status.written.removed
}

#[tokio::test]
async fn every_kind_of_github_is_copied_kept_fresh_and_its_deletions_are_noticed() {
    let mut copies: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (about, server) in Server::matrix() {
        let old = !server.lacks.is_empty();
        let enterprise = server.enterprise.is_some();
        let mut bench = Bench::new(31, &[Size(60, 110, 60), Size(3, 4, 5), Size(0, 0, 0)]).await;
        bench.settings.groups.remove(&engine::Group::CommitFiles);
        *bench.github.faults() = Faults::of(server);
        assert!(bench.sync().await.is_empty(), "{about}: nothing is refused");
        assert_true(&format!("{about}, first"), &bench, old).await;
        let first = status(&bench).await;
        assert!(first.repositories.iter().flat_map(|repo| &repo.entities).all(|entity| entity.state.is_whole()), "{about}");
        // What is lost is named, and asked for once.
        let lacks = &first.organizations[0].lacks;
        assert_eq!(lacks.is_empty(), !old, "{about}: {lacks:?}");
        for what in ["Issue.issueType", "Issue.subIssues", "Issue.stateReason(enableDuplicate)", "SubIssueAddedEvent", "SUB_ISSUE_ADDED_EVENT"] {
            assert_eq!(lacks.contains(what), old, "{about}: {what} in {lacks:?}");
        }
        copies.insert(about, bench.rows().await.into_keys().filter(|key| !key.starts_with(EVENTS) && !key.starts_with("stage_sightings")).collect());
        // Nothing changed: nothing is written, and the server is not asked again what it knows.
        bench.github.reset_ledger();
        bench.pass(3600);
        bench.sync().await;
        let ledger = bench.github.ledger();
        assert_eq!((ledger.graphql, ledger.rest - ledger.not_modified), (3, 0), "{about}: {ledger:?}");
        assert_eq!(written(&status(&bench).await), written(&first), "{about}: the second sync writes nothing");
        // One in a hundred changed.
        let changed = bench.github.world().change_one_percent();
        bench.pass(3600);
        bench.sync().await;
        let rows = written(&status(&bench).await) - written(&first);
        assert!(changed > 0 && (changed..=changed * 6).contains(&rows), "{about}: {rows} rows for {changed} items");
        assert_true(&format!("{about}, changed"), &bench, old).await;
        // One deleted.
        let (repo, issue) = {
            let world = bench.github.world();
            (world.repos[0]["databaseId"].clone(), world.repos[0]["issues"][5]["number"].as_u64().unwrap())
        };
        let key = format!("issues {repo} {issue:012}");
        assert!(bench.rows().await.contains_key(&key), "{about}");
        bench.github.world().delete("repo-00", "issues", issue);
        bench.pass(3600);
        bench.sync().await;
        assert!(!bench.rows().await.contains_key(&key), "{about}: #{issue} is a tombstone");
        assert_true(&format!("{about}, deleted"), &bench, old).await;
        bench.assert_status_exact(about).await;
        assert_eq!(status(&bench).await.limits.len(), 0, "{about}");
        assert!(enterprise == bench.github.api().ends_with("/api/v3"), "{about}");
    }
    let cloud = &copies["github.com"];
    for (about, rows) in &copies {
        assert!(rows == cloud, "{about} has other rows than github.com");
    }
}
