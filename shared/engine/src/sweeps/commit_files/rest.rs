//! The files of one commit over REST: a request, more if it has over 300 files. Where git cannot be had, and for what
//! git does not reach. <https://docs.github.com/en/rest/commits/commits#get-a-commit>

use super::super::{Page, Visit};
use super::record;
use crate::Error;
use crate::node::{Node, Out};
use serde_json::Value;

/// A page of them; `next` is the address of the next one.
pub(super) async fn read(visit: &Visit<'_>, sha: &str, url: &str) -> Result<Page, Error> {
    let reply = match visit.env.rest(url).await {
        // The commit is no longer there (a push by force, a purge), or its diff cannot be made: say so and go on.
        Err(Error::GitHub(error @ (github::Error::Absent { .. } | github::Error::Rejected { .. } | github::Error::Empty)))
            if visit.mark.pages > 0 || matches!(error, github::Error::Rejected { .. }) =>
        {
            return Ok(Page { missing: vec![format!("{sha}: {error}")], ..Page::default() });
        }
        other => other?,
    };
    let commit = Node(&reply.body);
    if commit.str("sha") != Some(sha) {
        return Err(Error::Unreadable(format!("it is not commit {sha}")));
    }
    let committed_at = commit.utc("commit.committer.date");
    let mut out = Out::new(visit.scope(), visit.now);
    for file in commit.items("files") {
        let Some(path) = file.str("filename") else { continue };
        let counts = (file.u64("additions"), file.u64("deletions"), file.u64("changes"));
        record(&mut out, sha, path, (file.value("previous_filename"), file.value("status")), counts, &committed_at);
    }
    Ok(Page { records: out.records, next: reply.next.map(Value::from), ..Page::default() })
}
