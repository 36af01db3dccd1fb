//! Issues and pull requests have one life: listed newest change first, with their lists inside, and audited by number
//! when the totals do not agree.

use super::connections::{Connection, Overflow, PAGE, Parent, Taken, check};
use crate::Error;
use crate::entities::Entity;
use crate::model::Record;
use crate::node::{Node, Out, padded, short_hash};
use crate::plan::{Bill, Shape, Weight, further};
use crate::sweeps::{Complete, Page, Visit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

mod by_id;

/// What differs between issues and pull requests.
pub(crate) struct Kind {
    pub(crate) entity: &'static Entity,
    /// `issue` or `pull_request`.
    pub(crate) name: &'static str,
    /// The list of a repository, and one of it.
    pub(crate) list: &'static str,
    pub(crate) one: &'static str,
    pub(crate) select: &'static str,
    /// Those that the query does not use are left out: GitHub refuses unused ones.
    pub(crate) fragments: &'static [&'static str],
    pub(crate) connections: &'static [Connection],
    /// What else is kept under an item, and goes with it.
    pub(crate) hangers_on: &'static [&'static Entity],
    pub(crate) read: fn(Node<'_>, &mut Out),
    /// Records that follow from an item's whole timeline.
    pub(crate) conclude: fn(u64, &[Record], &mut Out),
}

/// Where a walk is. Overflows come before the next page, so that they never pile up.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Position {
    after: Option<String>,
    overflows: Vec<Overflow>,
    /// No further page of the walk.
    walked: bool,
    audit: Option<Audit>,
}

/// The walk by number, which finds what was deleted.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Audit {
    after: Option<String>,
    last_key: Option<String>,
}

const LIMITS: &str = "rateLimit { cost remaining resetAt }";

impl Kind {
    pub(crate) async fn page(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if !position.overflows.is_empty() {
            return self.overflow(visit, position).await;
        }
        match position.audit {
            Some(audit) => self.audit(visit, audit).await,
            None if position.walked => self.finish(visit).await,
            None => self.walk(visit, position).await,
        }
    }

    pub(crate) fn queries(&self) -> Vec<(String, String)> {
        let mut all = vec![(self.list.to_owned(), self.walk_query()), (format!("{}_audit", self.list), self.audit_query())];
        all.push((format!("{}_alone", self.one), self.list_query(self.select, "")));
        all.push((format!("{}_number", self.one), self.list_query("number updatedAt", "")));
        all.extend(self.connections.iter().map(|one| (format!("{}_{}", self.one, one.alias), self.overflow_query(one))));
        all
    }

    /// The newest items, with the number of rows in each of their lists.
    pub(crate) fn sample(&self) -> String {
        let inside: Vec<String> = self.connections.iter().map(Connection::count_query).collect();
        format!("{}(first: $items, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ nodes {{ body {} }} }}", self.list, inside.join(" "))
    }

    pub(crate) fn weigh(&self, repository: Node<'_>) -> Weight {
        let mut weight = Weight { of: self.entity.name, ..Weight::default() };
        for item in repository.at(self.list).items("nodes") {
            weight.items += 1.0;
            weight.text += item.str("body").unwrap_or_default().len() as f64;
            for connection in self.connections {
                let rows = item.at(connection.alias).u64("totalCount").unwrap_or(0);
                *weight.rows.entry(connection.entity.name).or_default() += rows as f64;
                weight.further += further(rows, PAGE) as f64;
            }
        }
        weight
    }

    /// The walk's pages, the first no larger than the list, and a query for each further page of a list inside.
    pub(crate) fn first_read(&self, shape: &Shape, page_size: u32) -> Bill {
        let rows = shape.rows(self.entity.name);
        let first = Bill::queries(1.0, &self.walk_query(), page_size.min(rows as u32).max(1));
        let rest = Bill::queries(shape.pages(self.entity.name, page_size) - 1.0, &self.walk_query(), page_size);
        let inside = self.connections.first().map(|one| Bill::queries(shape.further(self.entity.name), &self.overflow_query(one), 1));
        first + rest + inside.unwrap_or_default()
    }

    fn walk_query(&self) -> String {
        let inside: Vec<String> = self.connections.iter().map(|connection| connection.query("")).collect();
        self.list_query(self.select, &inside.join(" "))
    }

    fn list_query(&self, select: &str, inside: &str) -> String {
        let list = self.list;
        self.with_fragments(format!(
            "query($owner: String!, $name: String!, $first: Int!, $after: String) {{ {LIMITS} \
             repository(owner: $owner, name: $name) {{ databaseId \
             {list}(first: $first, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{ \
             totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ {select} {inside} }} }} }} }}"
        ))
    }

    fn with_fragments(&self, mut query: String) -> String {
        for fragments in self.fragments {
            for fragment in fragments.split_inclusive("fragment ").filter(|part| *part != "fragment ") {
                let fragment = fragment.trim_end_matches("fragment ").trim();
                let name = fragment.split(' ').next().unwrap_or_default();
                if query.contains(&format!("...{name} ")) {
                    query.push_str(" fragment ");
                    query.push_str(fragment);
                }
            }
        }
        query
    }

    fn overflow_query(&self, connection: &Connection) -> String {
        let one = self.one;
        let inside = connection.query(", after: $after");
        self.with_fragments(format!(
            "query($owner: String!, $name: String!, $number: Int!, $after: String) {{ {LIMITS} \
             repository(owner: $owner, name: $name) {{ databaseId {one}(number: $number) {{ {inside} }} }} }}"
        ))
    }

    fn audit_query(&self) -> String {
        format!(
            "query($owner: String!, $name: String!, $after: String) {{ {LIMITS} \
             repository(owner: $owner, name: $name) {{ databaseId \
             {}(first: 100, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{ \
             totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ number }} }} }} }}",
            self.list
        )
    }

    async fn walk(&self, visit: &Visit<'_>, position: Position) -> Result<Page, Error> {
        // Points follow from what is asked for, not from what comes: never ask for more than there is.
        let total = visit.repo.totals.get(self.entity.name).copied().unwrap_or(u64::MAX).max(1);
        let first = u64::from(visit.page_size).min(if position.after.is_none() { total } else { u64::MAX });
        let variables = json!({
            "owner": visit.repo.owner, "name": visit.repo.name, "first": first, "after": position.after,
        });
        let answer = visit.env.graphql(&self.walk_query(), &variables).await?;
        let missing = check(visit, &answer)?;
        let list = Node(&answer.data).at("repository").at(self.list);
        let mut out = Out::new(visit.scope(), visit.now);
        let mut page = Page { missing, total: list.u64("totalCount"), ..Page::default() };
        let mut overflows = Vec::new();
        let floor = visit.floor();
        let mut past = false;
        // What was never stored has nothing under it that could be stale, so nothing is looked up there: on a first
        // sweep that is nearly all. Not all: a page may be read twice, and by an audit everything is.
        let keys: Vec<String> = list.items("nodes").filter_map(|item| item.u64("number")).map(padded).collect();
        let stored = visit.env.store.get(self.entity, visit.scope(), &keys).await?;
        for item in list.items("nodes") {
            let changed = item.time("updatedAt");
            page.newest = page.newest.max(changed);
            if changed < floor {
                past = true;
                break;
            }
            let is_stored = item.u64("number").map(padded).is_some_and(|key| stored.iter().any(|row| row.key == key));
            let sets = if is_stored { Some(&mut page.sets) } else { None };
            self.item(item, &mut out, &mut overflows, sets);
        }
        page.records = out.records;
        let more = list.flag("pageInfo.hasNextPage") && !past;
        let next = Position { after: list.str("pageInfo.endCursor").map(str::to_owned), walked: !more, overflows, audit: None };
        page.next = Some(to_value(&next)?);
        Ok(page)
    }

    /// The next item of the walk without the lists inside it or, if that is too much, by its number alone.
    pub(crate) async fn step_over(&self, visit: &Visit<'_>) -> Result<Option<Page>, Error> {
        let position: Position = serde_json::from_value(visit.position().clone()).unwrap_or_default();
        if !position.overflows.is_empty() || position.walked || position.audit.is_some() {
            return Ok(None);
        }
        let variables = json!({ "owner": visit.repo.owner, "name": visit.repo.name, "first": 1, "after": position.after });
        let (answer, whole) = match visit.env.graphql(&self.list_query(self.select, ""), &variables).await {
            Err(Error::GitHub(github::Error::TooHeavy { .. })) => (visit.env.graphql(&self.list_query("number updatedAt", ""), &variables).await?, false),
            answer => (answer?, true),
        };
        let mut missing = check(visit, &answer)?;
        let list = Node(&answer.data).at("repository").at(self.list);
        let mut out = Out::new(visit.scope(), visit.now);
        let mut newest = None;
        for item in list.items("nodes") {
            newest = item.time("updatedAt");
            let what = if whole { "what is listed inside it" } else { "it" };
            missing.push(format!("{} #{}: GitHub cannot answer {what}", self.name.replace('_', " "), item.u64("number").unwrap_or(0)));
            if whole {
                (self.read)(item, &mut out);
            }
        }
        let more = list.flag("pageInfo.hasNextPage") && newest.is_none_or(|newest| Some(newest) >= visit.floor());
        let next = Position { after: list.str("pageInfo.endCursor").map(str::to_owned), walked: !more, ..Position::default() };
        Ok(Some(Page { records: out.records, total: list.u64("totalCount"), newest, missing, next: Some(to_value(&next)?), ..Page::default() }))
    }

    /// Reads an item and the lists inside it; `sets` collects those that are whole, if that matters.
    fn item(&self, item: Node<'_>, out: &mut Out, overflows: &mut Vec<Overflow>, mut sets: Option<&mut Vec<Complete>>) {
        let Some(number) = item.u64("number") else { return };
        (self.read)(item, out);
        let prefix = format!("{}#", padded(number));
        let parent = Parent { number, kind: self.name, prefix: &prefix };
        for connection in self.connections {
            let start = out.records.len();
            match connection.take(parent, item, Vec::new(), out) {
                Taken::Nothing => {}
                Taken::More(overflow) => overflows.push(overflow),
                Taken::All(set) => {
                    if connection.alias == "timelineItems" {
                        let events = out.records.get(start..).map(<[Record]>::to_vec).unwrap_or_default();
                        (self.conclude)(number, &events, out);
                    }
                    if let Some(sets) = &mut sets {
                        sets.push(set);
                    }
                }
            }
        }
    }

    async fn overflow(&self, visit: &Visit<'_>, mut position: Position) -> Result<Page, Error> {
        let overflow = position.overflows.remove(0);
        let (mut page, rest) = self.further(visit, overflow).await?;
        if let Some(rest) = rest {
            position.overflows.insert(0, rest);
        }
        page.next = Some(to_value(&position)?);
        Ok(page)
    }

    /// A timeline of several pages: those before are in the store.
    async fn whole_timeline(&self, visit: &Visit<'_>, prefix: &str, fresh: &[Record]) -> Result<Vec<Record>, Error> {
        let entity = &crate::entities::ISSUE_EVENTS;
        let mut events = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let listing = crate::Listing { prefix, after: after.as_deref(), ..crate::Listing::all(entity, visit.scope()) };
            let page = visit.env.store.list(&listing).await?;
            after = page.rows.last().map(|row| row.key.clone());
            events.extend(page.rows.into_iter().filter(|row| !row.gone).map(|row| Record {
                entity,
                scope: row.scope,
                key: row.key,
                version: row.version,
                fields: row.fields,
                presence: crate::Presence::Whole,
            }));
            if !page.more || after.is_none() {
                break;
            }
        }
        events.extend(fresh.iter().filter(|record| record.entity == entity).cloned());
        Ok(events)
    }

    /// The walk is through: do we hold as many as GitHub says there are?
    async fn finish(&self, visit: &Visit<'_>) -> Result<Page, Error> {
        let whole = visit.env.settings.since.is_none();
        let held = visit.env.store.count(self.entity, visit.scope()).await?;
        let agrees = visit.mark.total.is_none_or(|total| total == held);
        let mut page = Page { local: true, ..Page::default() };
        if (whole && !agrees) || visit.full() {
            let position = Position { walked: true, audit: Some(Audit::default()), ..Position::default() };
            page.next = Some(to_value(&position)?);
        }
        Ok(page)
    }

    async fn audit(&self, visit: &Visit<'_>, audit: Audit) -> Result<Page, Error> {
        let variables = json!({ "owner": visit.repo.owner, "name": visit.repo.name, "after": audit.after });
        let answer = visit.env.graphql(&self.audit_query(), &variables).await?;
        check(visit, &answer)?;
        let list = Node(&answer.data).at("repository").at(self.list);
        let numbers: Vec<u64> = list.items("nodes").filter_map(|node| node.u64("number")).collect();
        let more = list.flag("pageInfo.hasNextPage");
        let last_key = numbers.iter().max().map(|number| padded(*number));
        let keys: Vec<String> = numbers.iter().map(|number| padded(*number)).collect();
        let stored = visit.env.store.get(self.entity, visit.scope(), &keys).await?;
        let lost = keys.iter().filter(|key| !stored.iter().any(|row| row.key == **key && !row.gone)).count();
        let upto = if more { last_key.clone() } else { None };
        let gaps = Complete {
            entity: self.entity,
            prefix: String::new(),
            keys: keys.iter().map(|key| short_hash(key)).collect(),
            upto: upto.clone(),
            after: audit.last_key.clone(),
        };
        let mut page = Page { total: list.u64("totalCount"), ..Page::default() };
        page.sets = self.orphans(visit, &gaps).await?;
        page.sets.push(gaps);
        if lost > 0 && !visit.full() && visit.env.settings.since.is_none() {
            // Shifted out of sight while it was paged: only a whole walk finds it.
            let again = Position::default();
            page.whole = true;
            page.next = Some(to_value(&again)?);
        } else if more {
            let audit = Audit { after: list.str("pageInfo.endCursor").map(str::to_owned), last_key };
            page.next = Some(to_value(&Position { walked: true, audit: Some(audit), ..Position::default() })?);
        }
        Ok(page)
    }

    /// What belonged to items that are gone goes with them.
    async fn orphans(&self, visit: &Visit<'_>, gaps: &Complete) -> Result<Vec<Complete>, Error> {
        let mut sets = Vec::new();
        let mut after = gaps.after.clone();
        loop {
            let listing = crate::Listing { after: after.as_deref(), ..crate::Listing::all(self.entity, visit.scope()) };
            let page = visit.env.store.list(&listing).await?;
            let past = |key: &str| gaps.upto.as_deref().is_some_and(|upto| key > upto);
            for row in page.rows.iter().filter(|row| !row.gone && !past(&row.key)) {
                if !gaps.keys.contains(&short_hash(&row.key)) {
                    let entities = self.connections.iter().map(|connection| connection.entity).chain(self.hangers_on.iter().copied());
                    sets.extend(entities.map(|entity| Complete {
                        entity,
                        prefix: format!("{}#", row.key),
                        keys: std::collections::BTreeSet::new(),
                        upto: None,
                        after: None,
                    }));
                }
            }
            after = page.rows.last().map(|row| row.key.clone());
            if !page.more || after.as_deref().is_none_or(past) {
                return Ok(sets);
            }
        }
    }
}

fn to_value(position: &Position) -> Result<Value, Error> {
    serde_json::to_value(position).map_err(|error| Error::Unreadable(error.to_string()))
}
