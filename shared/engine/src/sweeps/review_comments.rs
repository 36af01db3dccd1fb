//! Review comments of a whole repository, over REST: inside a pull request's query they would cost one point a thread.
//! <https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository>

use super::{Complete, Page, Sweep, Visit};
use crate::Error;
use crate::entities::{Entity, Group, REVIEW_COMMENTS};
use crate::node::{Node, Out, padded, short_hash};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

pub(crate) struct ReviewComments;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// The next page's address, verbatim from the `Link` header.
    next: Option<String>,
    /// Hashes of all keys, on a full walk only: what is not among them is gone.
    seen: BTreeSet<u64>,
}

#[async_trait]
impl Sweep for ReviewComments {
    fn name(&self) -> &'static str {
        "review_comments"
    }
    fn group(&self) -> Group {
        Group::PullRequests
    }
    fn entities(&self) -> &'static [&'static Entity] {
        static OF: &[&Entity] = &[&REVIEW_COMMENTS];
        OF
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        // Newest change first: what changes while we page moves to the front and is left for the next sweep;
        // nothing moves out of sight.
        let since = visit.floor().map(|floor| format!("&since={floor:.0}")).unwrap_or_default();
        let first = format!("/repos/{}/pulls/comments?sort=updated&direction=desc&per_page={}{since}", visit.repo.full_name(), visit.page_size);
        let reply = visit.env.rest(position.next.as_deref().unwrap_or(&first), None).await?;
        let mut out = Out::new(visit.scope(), visit.now);
        let mut newest = None;
        for comment in Node(&reply.body).items("") {
            newest = newest.max(comment.time("updated_at"));
            read(comment, &mut out);
        }
        let mut page = Page { newest, ..Page::default() };
        if visit.full() && !visit.first() {
            position.seen.extend(out.records.iter().filter(|record| record.entity == &REVIEW_COMMENTS).map(|record| short_hash(&record.key)));
        }
        page.records = out.records;
        position.next = reply.next;
        if position.next.is_some() {
            page.next = Some(serde_json::to_value(&position).map_err(|error| Error::Unreadable(error.to_string()))?);
        } else if visit.full() && !visit.first() && visit.env.settings.since.is_none() {
            page.sets.push(Complete { entity: &REVIEW_COMMENTS, prefix: String::new(), keys: position.seen, upto: None, after: None });
        }
        Ok(page)
    }
}

fn read(comment: Node<'_>, out: &mut Out) {
    let Some(id) = comment.u64("id") else { return };
    let Some(number) = comment.str("pull_request_url").and_then(|url| url.rsplit('/').next()?.parse::<u64>().ok()) else { return };
    out.who(comment, "user");
    let fields = json!({
        "pull_request": number,
        "id": id,
        "node_id": comment.value("node_id"),
        "author": comment.login("user"),
        "author_association": comment.value("author_association"),
        "body": comment.value("body"),
        "path": comment.value("path"),
        "line": comment.value("line"),
        "original_line": comment.value("original_line"),
        "side": comment.value("side"),
        "commit_id": comment.value("commit_id"),
        "original_commit_id": comment.value("original_commit_id"),
        "in_reply_to_id": comment.value("in_reply_to_id"),
        "pull_request_review_id": comment.value("pull_request_review_id"),
        "created_at": comment.utc("created_at"),
        "updated_at": comment.utc("updated_at"),
        "html_url": comment.value("html_url"),
    });
    out.push(&REVIEW_COMMENTS, format!("{}#{}", padded(number), padded(id)), comment.time("updated_at"), fields);
}
