//! Single issues and pull requests, by node id, with the very same selections as their lists; and what is left of a list
//! inside one. Knows no walk.

use super::{Kind, LIMITS};
use crate::Error;
use crate::model::{Record, ScopeId};
use crate::node::{Node, Out, padded};
use crate::sweeps::connections::{Connection, Overflow, Parent, Taken, check};
use crate::sweeps::{Page, Visit};
use jiff::Timestamp;
use serde_json::json;

impl Kind {
    /// GraphQL's type.
    fn kind(&self) -> &'static str {
        if self.one == "issue" { "Issue" } else { "PullRequest" }
    }

    /// `$ids`, with the lists inside them or without.
    pub(crate) fn nodes_query(&self, lists: bool) -> String {
        let inside: Vec<String> = if lists { self.connections.iter().map(|connection| connection.query("")).collect() } else { Vec::new() };
        let (kind, select, inside) = (self.kind(), self.select, inside.join(" "));
        self.with_fragments(format!(
            "query($ids: [ID!]!) {{ {LIMITS} nodes(ids: $ids) {{ __typename id ... on {kind} {{ repository {{ databaseId }} {select} {inside} }} }} }}"
        ))
    }

    /// One of them: its rows, the lists that are whole, and what is left of those that are not.
    pub(crate) fn take(&self, node: Node<'_>, scope: ScopeId, now: Timestamp) -> (Page, Vec<Overflow>) {
        let (mut page, mut out, mut overflows) = (Page::default(), Out::new(scope, now), Vec::new());
        self.item(node, &mut out, &mut overflows, Some(&mut page.sets));
        page.records = out.records;
        (page, overflows)
    }

    /// Reads on in a list that is longer than what came with its parent.
    pub(crate) async fn further(&self, visit: &Visit<'_>, overflow: Overflow) -> Result<(Page, Option<Overflow>), Error> {
        let mut page = Page::default();
        let Some(connection) = self.connections.iter().find(|connection| connection.alias == overflow.alias) else { return Ok((page, None)) };
        let variables = json!({
            "owner": visit.repo.owner, "name": visit.repo.name,
            "number": overflow.number, "after": overflow.after,
        });
        let answer = visit.env.graphql(&self.overflow_query(connection), &variables).await?;
        page.missing = check(visit, &answer)?;
        let item = Node(&answer.data).at("repository").at(self.one);
        let (prefix, mut rest) = (format!("{}#", padded(overflow.number)), None);
        let parent = Parent { number: overflow.number, kind: self.name, prefix: &prefix };
        let mut out = Out::new(visit.scope(), visit.now);
        match connection.take(parent, item, overflow.seen, &mut out) {
            Taken::Nothing => {}
            Taken::More(overflow) => rest = Some(overflow),
            Taken::All(set) => {
                if connection.alias == "timelineItems" {
                    let events: Vec<Record> = self.whole_timeline(visit, &prefix, &out.records).await?;
                    (self.conclude)(overflow.number, &events, &mut out);
                }
                page.sets.push(set);
            }
        }
        page.records = out.records;
        Ok((page, rest))
    }

    /// What is kept under an item, and goes with it.
    pub(crate) fn beneath(&self) -> impl Iterator<Item = &'static crate::entities::Entity> {
        self.connections.iter().map(|connection: &Connection| connection.entity).chain(self.hangers_on.iter().copied())
    }
}
