//! Pages of lists, and how they are filtered and sorted. Only what is on the page is shaped.

use super::{Answer, Found, Next};
use crate::world::time;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A list of the world's.
pub(super) fn all<'v>(of: &'v Value, list: &str) -> &'v [Value] {
    of.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn listed<T>(items: Vec<T>, query: &HashMap<String, String>, shape: impl FnMut(T) -> Value) -> Answer {
    let (items, next) = page(items, query);
    Answer::Found(Found { body: json!(items.into_iter().map(shape).collect::<Vec<_>>()), next })
}

/// As the world writes times, so that texts can be compared.
pub(super) fn moment(query: &HashMap<String, String>, name: &str) -> Option<String> {
    query.get(name).and_then(|at| at.parse::<jiff::Timestamp>().ok()).map(|at| time(at.as_second()))
}

pub(super) fn since(query: &HashMap<String, String>) -> Option<String> {
    moment(query, "since")
}

pub(super) fn newest_first(query: &HashMap<String, String>, usual: bool) -> bool {
    query.get("direction").map_or(usual, |direction| direction == "desc")
}

pub(super) fn sort<'v>(items: &mut [&'v Value], key: &str, descending: bool) {
    let of = |item: &&'v Value| -> &'v str { item.get(key).and_then(Value::as_str).unwrap_or_default() };
    items.sort_by_cached_key(of);
    if descending {
        items.reverse();
    }
}

fn number(query: &HashMap<String, String>, name: &str, usual: usize) -> usize {
    query.get(name).and_then(|text| text.parse().ok()).unwrap_or(usual)
}

pub(super) fn page<T>(items: Vec<T>, query: &HashMap<String, String>) -> (Vec<T>, Option<Next>) {
    pages_of(number(query, "per_page", 30).clamp(1, 100), items, query)
}

pub(super) fn pages_of<T>(size: usize, items: Vec<T>, query: &HashMap<String, String>) -> (Vec<T>, Option<Next>) {
    let page = number(query, "page", 1).max(1);
    let total = items.len();
    let items = items.into_iter().skip((page - 1) * size).take(size).collect();
    let query_of = |page: usize| {
        let mut pairs: Vec<(&str, &str)> = query.iter().filter(|(name, _)| *name != "page").map(|(name, value)| (name.as_str(), value.as_str())).collect();
        pairs.sort_unstable();
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).append_pair("page", &page.to_string()).finish()
    };
    let next = (page * size < total).then(|| Next { next: query_of(page + 1), last: query_of(total.div_ceil(size)) });
    (items, next)
}
