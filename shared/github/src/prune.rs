//! Cuts out of a query what a server's schema does not know: fields, types, values of `itemTypes`.
//! Knows our own queries' style (no block strings, no comments), not all of GraphQL.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Asks a server for all that `lacks` must know.
pub const INTROSPECTION: &str = "{ __schema { queryType { name } types { name kind fields(includeDeprecated: true) { name args { name } \
    type { name ofType { name ofType { name ofType { name } } } } } enumValues(includeDeprecated: true) { name } \
    possibleTypes { name } } } }";

/// What of `query` a server does not know, as `Type` or `Type.field`; `introspected` is its answer to [`INTROSPECTION`].
#[must_use]
pub fn lacks(introspected: &Value, query: &str) -> BTreeSet<String> {
    let schema = Schema::read(introspected);
    let tokens = tokens(query);
    let mut walk = Walk::new(&schema, &tokens);
    let mut out = Vec::new();
    while walk.at < walk.tokens.len() {
        walk.definition(&mut out);
    }
    let (kept, mut lacking) = (schema.without_values(&out), walk.lacking);
    lacking.extend(out.iter().filter(|token| !kept.contains(token)).map(|value| (*value).to_owned()));
    lacking
}

/// The query without the projects that events name.
pub(crate) fn without_projects(query: &str) -> String {
    let all = tokens(query);
    let mut out = Vec::with_capacity(all.len());
    let mut at = 0;
    while let Some(token) = all.get(at) {
        if *token == "project" && all.get(at + 1) == Some(&"{") {
            let mut depth = 0_usize;
            for token in all.iter().skip(at + 1) {
                at += 1;
                match *token {
                    "{" => depth += 1,
                    "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            out.push(*token);
        }
        at += 1;
    }
    if out.len() == all.len() { query.to_owned() } else { out.join(" ") }
}

#[derive(Default)]
pub(crate) struct Schema {
    query: String,
    /// Type → field → the type it leads to.
    types: BTreeMap<String, BTreeMap<String, String>>,
    values: BTreeSet<String>,
    /// Union or interface → the types it may turn out to be.
    possible: BTreeMap<String, BTreeSet<String>>,
    /// `Type.field` → the arguments it takes.
    arguments: BTreeMap<String, BTreeSet<String>>,
}

impl Schema {
    pub(crate) fn read(data: &Value) -> Self {
        let mut schema = Self { query: "Query".to_owned(), ..Self::default() };
        if let Some(name) = data.pointer("/__schema/queryType/name").and_then(Value::as_str) {
            schema.query = name.to_owned();
        }
        let array = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let name = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
        for of in array(data.get("__schema").unwrap_or(&Value::Null), "types") {
            let fields = array(&of, "fields").iter().filter_map(|field| Some((name(field)?, innermost(field.get("type")?)?))).collect();
            for field in array(&of, "fields").iter().filter(|field| field.get("args").is_some_and(Value::is_array)) {
                if let (Some(of), Some(field_name)) = (name(&of), name(field)) {
                    schema.arguments.insert(format!("{of}.{field_name}"), array(field, "args").iter().filter_map(name).collect());
                }
            }
            schema.types.extend(name(&of).map(|name| (name, fields)));
            schema.values.extend(array(&of, "enumValues").iter().filter_map(name));
            let possible: BTreeSet<String> = array(&of, "possibleTypes").iter().filter_map(name).collect();
            schema.possible.extend(name(&of).filter(|_| !possible.is_empty()).map(|name| (name, possible)));
        }
        schema
    }

    /// The query without what this schema lacks; itself if it lacks nothing.
    pub(crate) fn prune(&self, query: &str) -> String {
        let tokens = tokens(query);
        let mut walk = Walk::new(self, &tokens);
        let mut out = Vec::new();
        while walk.at < walk.tokens.len() {
            walk.definition(&mut out);
        }
        let out = self.without_values(&out);
        if out == tokens { query.to_owned() } else { used_only(&out).join(" ") }
    }

    /// Whether a value of type `within` can be one of type `on`: GitHub refuses a query that asks for the impossible.
    fn may_be(&self, within: &str, on: &str) -> bool {
        let one = |of: &str| self.possible.get(of).cloned().unwrap_or_else(|| BTreeSet::from([of.to_owned()]));
        !self.types.contains_key(within) || !one(within).is_disjoint(&one(on))
    }

    /// Unknown names inside `itemTypes: [ … ]`.
    fn without_values<'a>(&self, tokens: &[&'a str]) -> Vec<&'a str> {
        let mut inside = false;
        let mut out = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            match *token {
                "[" => inside = index >= 2 && tokens.get(index - 2) == Some(&"itemTypes"),
                "]" => inside = false,
                value if inside && !self.values.contains(value) => continue,
                _ => {}
            }
            out.push(*token);
        }
        out
    }
}

fn innermost(of: &Value) -> Option<String> {
    let mut of = of;
    loop {
        if let Some(name) = of.get("name").and_then(Value::as_str) {
            return Some(name.to_owned());
        }
        of = of.get("ofType").filter(|inner| !inner.is_null())?;
    }
}

pub(crate) fn tokens(query: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = query;
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ',');
        let Some(first) = rest.chars().next() else { return out };
        let length = if rest.starts_with("...") {
            3
        } else if first == '"' {
            rest.get(1..).and_then(|inner| inner.find('"')).map_or(rest.len(), |end| end + 2)
        } else if word(first) || first == '$' {
            let skip = first.len_utf8();
            rest.get(skip..).and_then(|inner| inner.find(|letter| !word(letter))).map_or(rest.len(), |end| end + skip)
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        out.push(token);
        rest = after;
    }
}

struct Walk<'s, 'q> {
    schema: &'s Schema,
    tokens: &'s [&'q str],
    at: usize,
    lacking: BTreeSet<String>,
}

impl<'s, 'q> Walk<'s, 'q> {
    fn new(schema: &'s Schema, tokens: &'s [&'q str]) -> Self {
        Self { schema, tokens, at: 0, lacking: BTreeSet::new() }
    }

    fn peek(&self) -> &'q str {
        self.tokens.get(self.at).copied().unwrap_or("}")
    }

    fn next(&mut self) -> &'q str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn definition(&mut self, out: &mut Vec<&'q str>) {
        let mut on = self.schema.query.clone();
        let start = out.len();
        while self.peek() != "{" && self.at < self.tokens.len() {
            let token = self.next();
            out.push(token);
            if token == "on" {
                on = self.peek().to_owned();
            }
        }
        let kept = self.selection(&on, out);
        if !kept || !self.schema.types.contains_key(&on) {
            out.truncate(start);
        }
    }

    /// Copies `{ … }` of type `on`; false (and nothing copied) if nothing of it is left.
    fn selection(&mut self, on: &str, out: &mut Vec<&'q str>) -> bool {
        let start = out.len();
        out.push(self.next());
        let mut any = false;
        while self.peek() != "}" && self.at < self.tokens.len() {
            any |= if self.peek() == "..." { self.fragment(on, out) } else { self.field(on, out) };
        }
        out.push(self.next());
        if !any {
            out.truncate(start);
        }
        any
    }

    fn fragment(&mut self, within: &str, out: &mut Vec<&'q str>) -> bool {
        let start = out.len();
        out.push(self.next());
        if self.peek() != "on" {
            // A named one: dropped later if its definition was.
            out.push(self.next());
            return true;
        }
        out.push(self.next());
        let on = self.next();
        out.push(on);
        let known = self.schema.types.contains_key(on);
        let fits = self.schema.may_be(within, on);
        if !known {
            self.lacking.insert(on.to_owned());
        } else if !fits {
            self.lacking.insert(format!("{within} as {on}"));
        }
        let kept = self.selection(on, out) && known && fits;
        if !kept {
            out.truncate(start);
        }
        kept
    }

    fn field(&mut self, on: &str, out: &mut Vec<&'q str>) -> bool {
        let start = out.len();
        let mut name = self.next();
        out.push(name);
        if self.peek() == ":" {
            out.push(self.next());
            name = self.next();
            out.push(name);
        }
        if self.peek() == "(" {
            self.arguments(Some(&format!("{on}.{name}")), out);
        }
        while self.peek() == "@" {
            out.push(self.next());
            out.push(self.next());
            if self.peek() == "(" {
                self.arguments(None, out);
            }
        }
        let leads_to = if name == "__typename" { Some("String".to_owned()) } else { self.leads_to(on, name) };
        if leads_to.is_none() && self.schema.types.contains_key(on) {
            self.lacking.insert(format!("{on}.{name}"));
        }
        let to = leads_to.clone().unwrap_or_default();
        let kept_inside = self.peek() != "{" || self.selection(&to, out);
        let kept = leads_to.is_some() && kept_inside;
        if !kept {
            out.truncate(start);
        }
        kept
    }

    /// Copies `( … )`, but for arguments that `field` does not take; a directive's are left as they are.
    fn arguments(&mut self, field: Option<&str>, out: &mut Vec<&'q str>) {
        let schema = self.schema;
        let takes = field.and_then(|field| schema.arguments.get(field));
        let start = out.len();
        out.push(self.next());
        while self.peek() != ")" && self.at < self.tokens.len() {
            let (argument, before) = (self.peek(), out.len());
            // Its name, a colon and one value, which may be a list or an object.
            out.extend([self.next(), self.next()]);
            let mut depth = 0_u32;
            loop {
                let token = self.next();
                match token {
                    "[" | "{" => depth += 1,
                    "]" | "}" => depth = depth.saturating_sub(1),
                    _ => {}
                }
                out.push(token);
                if depth == 0 || self.at >= self.tokens.len() {
                    break;
                }
            }
            if takes.is_some_and(|takes| !takes.contains(argument)) {
                self.lacking.insert(format!("{}({argument})", field.unwrap_or_default()));
                out.truncate(before);
            }
        }
        out.push(self.next());
        if out.len() == start + 2 {
            out.truncate(start);
        }
    }

    fn leads_to(&self, on: &str, name: &str) -> Option<String> {
        self.schema.types.get(on)?.get(name).cloned()
    }
}

/// Leaves out variables and fragments that nothing uses any more, and uses of fragments that are gone.
fn used_only<'q>(tokens: &[&'q str]) -> Vec<&'q str> {
    let defined: BTreeSet<&str> = tokens.windows(2).filter(|pair| pair.first() == Some(&"fragment")).filter_map(|pair| pair.get(1).copied()).collect();
    let mut out: Vec<&'q str> = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at).copied() {
        let next = tokens.get(at + 1).copied().unwrap_or_default();
        if token == "..." && next != "on" && !defined.contains(next) {
            at += 2;
            continue;
        }
        // `$name: Type!` in the head, used nowhere else.
        if token.starts_with('$') && next == ":" && tokens.iter().filter(|other| **other == token).count() == 1 {
            at += 3;
            if tokens.get(at) == Some(&"!") {
                at += 1;
            }
            continue;
        }
        out.push(token);
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_type_that_a_union_does_not_hold_is_cut_out() {
        let of = |name: &str| json!({ "name": name, "ofType": null });
        let one = |name: &str| json!({ "name": name, "fields": [{ "name": "id", "type": of("ID") }] });
        let introspected = json!({ "__schema": { "queryType": { "name": "Query" }, "types": [
            { "name": "Query", "fields": [{ "name": "who", "type": of("Who") }, { "name": "node", "type": of("Node") }] },
            { "name": "Who", "fields": null, "possibleTypes": [{ "name": "User" }] },
            { "name": "Node", "fields": [{ "name": "id", "type": of("ID") }], "possibleTypes": [{ "name": "User" }, { "name": "Team" }] },
            one("User"), one("Team"),
        ]}});
        let query = "{ who { ... on User { id } ... on Team { id } ... on Node { id } } node { id ... on Team { id } } }";
        assert_eq!(Schema::read(&introspected).prune(query), "{ who { ... on User { id } ... on Node { id } } node { id ... on Team { id } } }");
        assert_eq!(lacks(&introspected, query).into_iter().collect::<Vec<_>>(), ["Who as Team"]);
    }

    #[test]
    fn what_the_server_does_not_know_is_cut_out() {
        let of = |name: &str| json!({ "name": name, "ofType": null });
        let introspected = json!({ "__schema": { "queryType": { "name": "Query" }, "types": [
            { "name": "Query", "fields": [{ "name": "issue", "type": of("Issue") }] },
            { "name": "Issue", "fields": [{ "name": "id", "type": of("ID") }, { "name": "items", "type": of("Item"), "args": [{ "name": "itemTypes" }] }] },
            { "name": "Item", "fields": [{ "name": "id", "type": of("ID") }] },
            { "name": "Kind", "enumValues": [{ "name": "OLD" }] },
        ]}});
        let schema = Schema::read(&introspected);
        let query = "query($n: Int!, $x: Int) { issue(n: $n) { id new(x: $x) { id } items(last: 1, itemTypes: [OLD, NEW]) { ...on Item { id } ... on Newer { id } ...F } } } fragment F on Newer { id }";
        let pruned = schema.prune(query);
        assert_eq!(pruned, "query ( $n : Int ! ) { issue ( n : $n ) { id items ( itemTypes : [ OLD ] ) { ... on Item { id } } } }");
        assert_eq!(schema.prune(&pruned), pruned, "what is known stays as it is");
        assert_eq!(lacks(&introspected, query).into_iter().collect::<Vec<_>>(), ["Issue.items(last)", "Issue.new", "NEW", "Newer"]);
        assert!(lacks(&introspected, &pruned).is_empty());
    }
}
