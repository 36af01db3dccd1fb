//! One page of a list of the world's: filtered, sorted and cut as its arguments say, with cursors that outlive changes.

use super::{Object, Resolved, Vars, convert};
use apollo_compiler::resolvers::{ObjectValue, ResolveInfo, ResolvedValue};
use serde_json::{Map, Value, json};

/// One page of a list.
pub(super) struct List<'w> {
    of: Object<'w>,
    kind: &'w str,
    items: Vec<Object<'w>>,
    cursors: Vec<String>,
    extra: Vec<Value>,
    total: usize,
    more: bool,
}

fn sort_key(order: Option<&str>) -> Option<&'static str> {
    Some(match order? {
        "UPDATED_AT" => "updatedAt",
        "CREATED_AT" => "createdAt",
        "PUSHED_AT" => "pushedAt",
        "NAME" => "name",
        _ => return None,
    })
}

/// Place of an item in a list: what it is sorted by, then its number, so that a cursor means the same whatever moves.
type Place<'w> = (&'w str, u64);

fn place<'w>(item: &'w Value, key: Option<&str>, index: u64) -> Place<'w> {
    match key {
        Some(key) => (
            item.get(key).and_then(Value::as_str).unwrap_or_default(),
            item.get("number").or_else(|| item.get("databaseId")).and_then(Value::as_u64).unwrap_or(index),
        ),
        None => ("", index),
    }
}

fn cursor(place: &Place<'_>) -> String {
    format!("{}~{}", place.0, place.1).bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn uncursor(cursor: &str) -> Option<(String, u64)> {
    let bytes: Option<Vec<u8>> = (0..cursor.len() / 2).map(|at| cursor.get(at * 2..at * 2 + 2).and_then(|hex| u8::from_str_radix(hex, 16).ok())).collect();
    let text = String::from_utf8(bytes?).ok()?;
    let (key, number) = text.rsplit_once('~')?;
    Some((key.to_owned(), number.parse().ok()?))
}

impl<'w> List<'w> {
    pub(super) fn new(of: Object<'w>, name: &str, kind: &'w str, arguments: &Vars) -> Self {
        let text = |name: &str| arguments.get(name).and_then(|value| value.as_str()).map(str::to_owned);
        let number = |name: &str| arguments.get(name).and_then(|value| value.as_u64()).and_then(|number| usize::try_from(number).ok());
        let order = arguments.get("orderBy").and_then(|order| order.as_object());
        let order = |name: &str| order.and_then(|order| order.get(name)).and_then(|value| value.as_str());
        let key = sort_key(order("field"));
        let down = order("direction") == Some("DESC");
        let kinds: Option<Vec<String>> = arguments
            .get("itemTypes")
            .and_then(|kinds| kinds.as_array())
            .map(|kinds| kinds.iter().filter_map(|kind| kind.as_str()).map(|kind| kind.replace('_', "").to_lowercase()).collect());
        let after = text("after").as_deref().and_then(uncursor);
        let repositories = (of.kind, name) == ("Organization", "repositories");
        // What is listed briefly knows how long a list is, and what changed last.
        let known = of.value.pointer(&format!("/totals/{name}")).and_then(Value::as_u64).and_then(|total| usize::try_from(total).ok());
        let last = key == Some("updatedAt") && down && after.is_none() && number("first") == Some(1);
        let of = if known.is_some() && !last { of.whole() } else { of };
        let mut all: Vec<Object<'w>> = Vec::new();
        // Of what stands before `all` in the list, and in all of it, where not all of it was looked at.
        let (mut before, mut length) = (0, known);
        if name == "history" {
            let of = of.whole();
            let oid = of.value.get("oid").and_then(Value::as_str).unwrap_or_default();
            let since = text("since");
            let commits = of.repo.map(|repo| of.world.history(repo, oid)).unwrap_or_default();
            let mut most = usize::MAX;
            // A hundred thousand, of which a page is wanted.
            if let (None, Some(first)) = (&since, number("first")) {
                (before, length, most) = (after.as_ref().map_or(0, |(_, index)| index + 1), Some(commits.len()), first + 1);
            }
            let wanted = commits.iter().skip(usize::try_from(before).unwrap_or(usize::MAX)).take(most);
            all.extend(wanted.filter_map(|oid| of.commit(oid)).map(|commit| of.sub(commit, "Commit")));
            if let Some(since) = since {
                all.retain(|commit| commit.value.get("committedDate").and_then(Value::as_str).is_some_and(|date| date >= since.as_str()));
            }
        } else if (of.kind, name) == ("PullRequestReview", "comments") {
            let review = of.value.get("fullDatabaseId").and_then(Value::as_str);
            let all_remarks = of.repo.and_then(|repo| repo.get("reviewComments")?.as_array()).into_iter().flatten();
            let its = all_remarks.filter(|remark| remark.get("pull_request_review_id").map(Value::to_string).as_deref() == review);
            all.extend(its.map(|remark| of.sub(remark, "PullRequestReviewComment")));
        } else {
            let prefix = text("refPrefix");
            let states = arguments.get("archivedStates").and_then(|states| states.as_array());
            let archived = states.into_iter().flatten().any(|state| state.as_str() == Some("ARCHIVED"));
            let its = of.value.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            for value in repositories.then(|| of.world.listed()).into_iter().flatten().chain(its) {
                if prefix.as_deref().is_some_and(|prefix| value.get("prefix").and_then(Value::as_str) != Some(prefix)) {
                    continue;
                }
                if let Some(kinds) = &kinds {
                    let kind = value.get("__typename").and_then(Value::as_str).unwrap_or_default().to_lowercase();
                    if !kinds.contains(&kind) {
                        continue;
                    }
                }
                if kind == "ProjectV2ItemConnection" && value.get("isArchived").and_then(Value::as_bool) == Some(true) && !archived {
                    continue;
                }
                let kind = kind.trim_end_matches("Connection");
                let kind = match kind {
                    "OrganizationMember" | "TeamMember" => "User",
                    "TeamRepository" => "Repository",
                    other => other,
                };
                let value = match value.as_str() {
                    // A commit by its name, or a repository by its.
                    Some(oid) if kind == "Commit" => of.commit(oid),
                    Some(full) => full.split_once('/').and_then(|(owner, name)| of.world.repo(owner, name)),
                    None => Some(value),
                };
                all.extend(value.map(|value| of.sub(value, kind)));
            }
        }
        let total = length.unwrap_or(all.len());
        let mut placed: Vec<(Place<'w>, Object<'w>)> = all.into_iter().zip(before..).map(|(item, index)| (place(item.value, key, index), item)).collect();
        if let Some((text, number)) = &after {
            let after = (text.as_str(), *number);
            placed.retain(|(place, _)| if key.is_some() && down { *place < after } else { *place > after });
        }
        let mut more = false;
        let wanted = number("first");
        if key.is_some() {
            let order = |a: &(Place<'w>, Object<'w>), b: &(Place<'w>, Object<'w>)| if down { b.0.cmp(&a.0) } else { a.0.cmp(&b.0) };
            // Of tens of thousands a page is wanted: what comes later need not be in order.
            if let Some(first) = wanted.filter(|first| *first < placed.len()) {
                placed.select_nth_unstable_by(first, order);
                more = true;
                placed.truncate(first);
            }
            placed.sort_by(order);
        }
        if let Some(first) = wanted {
            more |= placed.len() > first;
            placed.truncate(first);
        } else if let Some(last) = number("last") {
            let skip = placed.len().saturating_sub(last);
            placed.drain(..skip);
        }
        let extra = placed.iter().map(|(_, item)| item.value.get("size").cloned().unwrap_or_default()).collect();
        let (places, items): (Vec<Place<'w>>, Vec<Object<'w>>) = placed.into_iter().unzip();
        Self { of, kind, items, cursors: places.iter().map(cursor).collect(), extra, total, more }
    }
}

pub(super) struct Plain(pub(super) Map<String, Value>, pub(super) &'static str);

impl ObjectValue for Plain {
    fn type_name(&self) -> &str {
        self.1
    }
    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        Ok(self.0.get(info.field_name()).map_or(ResolvedValue::null(), |value| ResolvedValue::leaf(convert(value))))
    }
}

struct Edge<'w>(Object<'w>, String, Value);

impl ObjectValue for Edge<'_> {
    fn type_name(&self) -> &str {
        "LanguageEdge"
    }
    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        Ok(match info.field_name() {
            "cursor" => ResolvedValue::leaf(self.1.clone()),
            "size" => ResolvedValue::leaf(convert(&self.2)),
            _ => ResolvedValue::object(self.0),
        })
    }
}

impl ObjectValue for List<'_> {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let _ = self.of;
        match info.field_name() {
            "totalCount" => Ok(ResolvedValue::leaf(self.total)),
            "nodes" => Ok(ResolvedValue::list(self.items.iter().map(|item| ResolvedValue::object(*item)))),
            "edges" => {
                let edges = self.items.iter().zip(&self.cursors).zip(&self.extra);
                Ok(ResolvedValue::list(edges.map(|((item, cursor), size)| ResolvedValue::object(Edge(*item, cursor.clone(), size.clone())))))
            }
            "pageInfo" => {
                let info = json!({
                    "hasNextPage": self.more, "hasPreviousPage": false,
                    "startCursor": self.cursors.first(), "endCursor": self.cursors.last(),
                });
                let Value::Object(info) = info else { return Ok(ResolvedValue::null()) };
                Ok(ResolvedValue::object(Plain(info, "PageInfo")))
            }
            _ => Err(self.unknown_field_error(info)),
        }
    }
}
