//! Review comments of a whole repository, over REST: inside a pull request's query they would cost one point a thread.
//! <https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository>

use super::census::{self, Tail};
use super::{Page, Sweep, Visit};
use crate::Error;
use crate::entities::{Entity, Group, PULL_REQUESTS, REVIEW_COMMENTS};
use crate::node::{Node, Out, padded};
use crate::plan::Counted;
use crate::repository::Repository;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) struct ReviewComments;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    /// The next page's address, verbatim from the `Link` header.
    next: Option<String>,
    /// The least `updated_at` so far, newest first.
    oldest: Option<Timestamp>,
    /// GitHub refuses page 100 and beyond: what is left is read oldest first, each page beginning where the last one
    /// ended, up to `oldest`. What changes meanwhile is left to the next sweep.
    climbing_from: Option<Timestamp>,
    /// On a full walk only, since GitHub tells no total: what is gone.
    tail: Option<Tail>,
}

impl Position {
    fn url(&self, visit: &Visit<'_>) -> String {
        let list = |direction: &str, since: Option<Timestamp>| {
            let since = since.map(|since| format!("&since={since:.0}")).unwrap_or_default();
            format!("/repos/{}/pulls/comments?sort=updated&direction={direction}&per_page={}{since}", visit.repo.full_name(), visit.page_size)
        };
        match (&self.next, self.climbing_from) {
            (Some(next), _) => next.clone(),
            (None, Some(from)) => list("asc", Some(from)),
            // Newest change first: what changes while we page moves to the front and is left for the next sweep;
            // nothing moves out of sight.
            (None, None) => list("desc", visit.floor()),
        }
    }

    /// Where to read on after a page whose newest change is `newest`; false at the end.
    fn climb(&mut self, from: Timestamp, newest: Option<Timestamp>, next: Option<String>) -> bool {
        let Some(newest) = newest.filter(|newest| self.oldest.is_none_or(|oldest| *newest <= oldest)) else { return false };
        // A second is read twice, because changes are told in whole ones.
        let further = newest.checked_sub(SignedDuration::from_secs(1)).unwrap_or(newest);
        (self.climbing_from, self.next) = if further > from { (Some(further), None) } else { (Some(from), next.clone()) };
        next.is_some()
    }
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

    fn counted_at(&self, repo: &Repository) -> Option<Counted> {
        Some(Counted { path: format!("/repos/{}/pulls/comments?per_page=1", repo.full_name()), per: PULL_REQUESTS.name, each: 3.0 })
    }

    async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let mut position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if let Some(tail) = position.tail.take() {
            let (mut page, rest) = census::go_on(visit, &REVIEW_COMMENTS, tail, 0).await?;
            page.next = rest.map(|tail| json!(Position { tail: Some(tail), ..position }));
            return Ok(page);
        }
        let reply = match visit.env.rest(&position.url(visit)).await {
            Err(Error::GitHub(github::Error::Rejected { .. })) if position.next.is_some() && position.climbing_from.is_none() => {
                (position.next, position.climbing_from) = (None, Some(visit.floor().unwrap_or(Timestamp::UNIX_EPOCH)));
                visit.env.rest(&position.url(visit)).await?
            }
            reply => reply?,
        };
        let mut out = Out::new(visit.scope(), visit.now);
        let comments = Node(&reply.body).list("")?;
        for comment in &comments {
            read(*comment, &mut out);
        }
        let changes: Vec<Timestamp> = comments.iter().filter_map(|comment| comment.time("updated_at")).collect();
        let newest = changes.iter().max().copied();
        let mut page = Page { newest, records: out.records, ..Page::default() };
        let more = if let Some(from) = position.climbing_from {
            position.climb(from, newest, reply.next)
        } else {
            position.oldest = changes.into_iter().chain(position.oldest).min();
            position.next = reply.next;
            position.next.is_some()
        };
        let ask = !more && visit.full() && !visit.first();
        position.tail = ask.then_some(Tail::Compare);
        page.next = (more || ask).then(|| json!(position));
        Ok(page)
    }
}

pub(crate) fn read(comment: Node<'_>, out: &mut Out) {
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
