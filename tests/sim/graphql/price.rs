//! What a query costs by GitHub's formula, and what it must not ask for. Answers nothing.
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

use super::{Query, back};
use apollo_compiler::executable::{Selection, SelectionSet};
use serde_json::{Value, json};

#[derive(Default)]
pub(super) struct Price {
    pub(super) requests: u64,
    pub(super) nodes: u64,
    pub(super) about: Vec<String>,
    pub(super) lists: Vec<String>,
}

impl Price {
    /// A list needs one request for each of its parents.
    pub(super) fn add(&mut self, query: &Query, set: &SelectionSet, parents: u64) -> Result<(), Value> {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    let included = |name: &str, skip: bool| {
                        field.directives.get(name).and_then(|directive| directive.specified_argument_by_name("if").cloned()).is_none_or(|value| {
                            let flag = match &*value {
                                apollo_compiler::ast::Value::Variable(variable) => {
                                    query.variables.get(variable.as_str()).map(back).and_then(|value| value.as_bool())
                                }
                                other => other.to_bool(),
                            };
                            flag.unwrap_or(true) != skip
                        })
                    };
                    if !included("include", false) || !included("skip", true) {
                        continue;
                    }
                    let mut inside = parents;
                    if field.ty().inner_named_type().ends_with("Connection") {
                        let size = query.argument(field, "first").as_u64().or_else(|| query.argument(field, "last").as_u64());
                        // Whoever asks for the total alone may leave the size away, or say none.
                        let only_total = field.selection_set.selections.iter().all(|one| one.as_field().is_some_and(|field| field.name == "totalCount"));
                        let size = match size {
                            Some(size) if (1..=100).contains(&size) || size == 0 && only_total => size,
                            None if only_total => 0,
                            None => {
                                return Err(json!({ "data": null, "errors": [{ "type": "MISSING_PAGINATION_BOUNDARIES",
                                    "message": format!("You must provide a `first` or `last` value to properly paginate the `{}` connection.", field.name) }] }));
                            }
                            Some(size) => {
                                return Err(json!({ "data": null, "errors": [{ "type": "EXCESSIVE_PAGINATION",
                                    "message": format!("Requesting {size} records on the `{}` connection exceeds the `first` limit of 100 records.", field.name) }] }));
                            }
                        };
                        self.requests += parents;
                        self.nodes += parents * size;
                        self.lists.push(field.name.to_string());
                        inside = parents * size;
                    }
                    if field.name == "repository" {
                        let (owner, name) = (query.argument(field, "owner"), query.argument(field, "name"));
                        if let (Some(owner), Some(name)) = (owner.as_str(), name.as_str()) {
                            self.about.push(format!("{owner}/{name}"));
                        }
                    }
                    self.add(query, &field.selection_set, inside)?;
                }
                Selection::InlineFragment(fragment) => self.add(query, &fragment.selection_set, parents)?,
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = query.document.fragments.get(&spread.fragment_name) {
                        self.add(query, &fragment.selection_set, parents)?;
                    }
                }
            }
        }
        Ok(())
    }
}
