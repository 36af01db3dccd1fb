//! What a query costs before it is sent, by GitHub's own formula: one request for each list of each parent, a hundred
//! of them a point. Knows our own queries' style, not all of GraphQL.
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

use crate::prune::tokens;
use serde_json::Value;

/// Points of the first operation of `query`.
#[must_use]
pub fn points(query: &str, variables: &Value) -> u64 {
    let tokens = tokens(query);
    let walk = Walk { tokens: &tokens, variables };
    let (mut at, mut depth) = (0, 0_u32);
    // The head, with its variables, has no selection in it.
    while walk.token(at) != "{" || depth > 0 {
        match walk.token(at) {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "" => return 1,
            _ => {}
        }
        at += 1;
    }
    let (requests, _) = walk.selection(at, 1);
    ((requests + 50) / 100).max(1)
}

struct Walk<'a> {
    tokens: &'a [&'a str],
    variables: &'a Value,
}

impl<'a> Walk<'a> {
    fn token(&self, at: usize) -> &'a str {
        self.tokens.get(at).copied().unwrap_or_default()
    }

    fn value(&self, text: &str) -> Value {
        match text.strip_prefix('$') {
            Some(name) => self.variables.get(name).cloned().unwrap_or_default(),
            None => text.parse::<u64>().map(Value::from).unwrap_or_default(),
        }
    }

    /// Requests of the selection that begins at `at`, and where it ends.
    fn selection(&self, mut at: usize, parents: u64) -> (u64, usize) {
        let mut requests = 0;
        at += 1;
        while !matches!(self.token(at), "}" | "") {
            let (inside, next) = match (self.token(at), self.token(at + 1)) {
                ("...", "on") => self.selection(at + 3, parents),
                ("...", name) => (self.fragment(name, parents), at + 2),
                _ => self.field(at, parents),
            };
            requests += inside;
            at = next;
        }
        (requests, at + 1)
    }

    fn fragment(&self, name: &str, parents: u64) -> u64 {
        let begins = |window: &[&str]| window.first() == Some(&"fragment") && window.get(1) == Some(&name);
        // `fragment NAME on TYPE {`
        self.tokens.windows(2).position(begins).map_or(0, |at| self.selection(at + 4, parents).0)
    }

    fn field(&self, mut at: usize, parents: u64) -> (u64, usize) {
        at += if self.token(at + 1) == ":" { 3 } else { 1 };
        let (mut size, mut included) = (None, true);
        loop {
            match self.token(at) {
                "(" => {
                    let end = self.closing(at);
                    size = (at..end).find(|at| matches!(self.token(*at), "first" | "last") && self.token(at + 1) == ":").map(|at| {
                        let size = self.value(self.token(at + 2));
                        size.as_u64().unwrap_or(1)
                    });
                    at = end + 1;
                }
                "@" => {
                    let end = self.closing(at + 2);
                    let condition = self.value(self.token(at + 5)).as_bool().unwrap_or(true);
                    included &= condition == (self.token(at + 1) == "include");
                    at = end + 1;
                }
                _ => break,
            }
        }
        let own = if size.is_some() { parents } else { 0 };
        let (inside, at) = if self.token(at) == "{" { self.selection(at, parents * size.unwrap_or(1)) } else { (0, at) };
        (if included { own + inside } else { 0 }, at)
    }

    fn closing(&self, open: usize) -> usize {
        let mut depth = 0_u32;
        for (at, token) in self.tokens.iter().enumerate().skip(open) {
            match *token {
                "(" => depth += 1,
                ")" if depth <= 1 => return at,
                ")" => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_costs_a_request_for_each_of_its_parents() {
        // The example of GitHub's documentation: 1 + 100 + 5,000 requests are 51 points.
        let example = "query { viewer { login repositories(first: 100) { edges { node { id issues(first: 50) { totalCount edges { node { \
            title labels(first: 60) { edges { node { id name } } } } } } } } } } }";
        assert_eq!(points(example, &json!({})), 51);
        let ours = "query($n: Int!, $people: Boolean!) { a(login: \"x\") { ...F b: list(first: $n, orderBy: {field: X}) @include(if: $people) { nodes { \
            ... on T { inner(last: 1) { totalCount } } } } } } fragment F on Q { list(first: 99) { nodes { other(first: 3) { id } } } }";
        assert_eq!(points(ours, &json!({ "n": 100, "people": true })), 2);
        assert_eq!(points(ours, &json!({ "n": 100, "people": false })), 1);
        assert_eq!(points("", &json!({})), 1);
    }
}
