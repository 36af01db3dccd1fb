//! Answers GraphQL queries about a world: validates against the schema, prices by GitHub's formula, pages by cursors.
//! <https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>

mod derived;
mod list;
mod price;

use crate::world::{World, nwo};
use apollo_compiler::executable::Field;
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use list::{List, Plain};
use price::Price;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

type Vars = apollo_compiler::response::JsonMap;

/// The schema without what a server `lacks`, given as `Type`, `Type.field` or `Type.field(argument)`. Each is made once and kept.
fn schema(lacks: &[String]) -> Option<&'static Valid<Schema>> {
    static SCHEMAS: Mutex<BTreeMap<Vec<String>, Option<&'static Valid<Schema>>>> = Mutex::new(BTreeMap::new());
    let parse = || {
        let text = lacks.iter().fold(include_str!("schema.graphql").to_owned(), |text, what| without(&text, what));
        let schema = Schema::parse_and_validate(text, "schema.graphql").map_err(|error| eprintln!("{error}")).ok()?;
        Some(&*Box::leak(Box::new(schema)))
    };
    *SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner).entry(lacks.to_vec()).or_insert_with(parse)
}

/// Texts that recur are parsed and validated once, as many as these:
const KEPT: usize = 200;

/// The query of this text, if it is one of this schema.
fn document(schema: &'static Valid<Schema>, text: &str) -> Result<Arc<Valid<ExecutableDocument>>, Value> {
    type Known = BTreeMap<(usize, String), Arc<Valid<ExecutableDocument>>>;
    static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
    let key = (std::ptr::from_ref(schema).addr(), text.to_owned());
    if let Some(document) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(document.clone());
    }
    let document = ExecutableDocument::parse_and_validate(schema, text, "query").map_err(|error| mistake(&error.errors.to_string()))?;
    let document = Arc::new(document);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= KEPT {
        known.clear();
    }
    known.insert(key, document.clone());
    Ok(document)
}

fn without(text: &str, what: &str) -> String {
    let (what, argument) = what.split_once('(').map_or((what, None), |(what, argument)| (what, Some(argument)));
    let (kind, field) = what.split_once('.').map_or((what, None), |(kind, field)| (kind, Some(field)));
    let mut inside = false;
    let mut kept = String::new();
    for line in text.lines() {
        inside |= line.starts_with(&format!("type {kind} "));
        let drop =
            inside && field.is_none_or(|field| line.trim_start().starts_with(&format!("{field}:")) || line.trim_start().starts_with(&format!("{field}(")));
        inside &= !line.trim_end().ends_with('}');
        // Only a field's sole argument can be taken away.
        if let (true, Some(_), Some((before, after))) =
            (drop, argument, line.split_once('(').and_then(|(before, rest)| Some((before, rest.split_once(')')?.1))))
        {
            kept.push_str(&format!("{before}{after}\n"));
        } else if !drop {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    if field.is_some() {
        return kept;
    }
    // A type is a member of unions, and an event of timelines also a value of what may be asked for.
    let value = format!(" {}", screaming(kind));
    kept.replace(&format!(" | {kind} |"), " |").replace(&format!(" | {kind}\n"), "\n").replace(&format!("{value} "), " ")
}

/// `ProjectV2ItemStatusChangedEvent` as `PROJECT_V2_ITEM_STATUS_CHANGED_EVENT`.
fn screaming(kind: &str) -> String {
    let mut out = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(letter.to_uppercase());
    }
    out
}

/// A query that passed validation, and what it costs.
pub(crate) struct Query {
    schema: &'static Valid<Schema>,
    document: Arc<Valid<ExecutableDocument>>,
    variables: Vars,
    /// Requests that GitHub would need: 100 make a point.
    pub(crate) cost: u64,
    pub(crate) nodes: u64,
    /// Repositories that it names, as `owner/name`.
    pub(crate) about: Vec<String>,
    /// The lists that it asks for.
    pub(crate) lists: Vec<String>,
}

/// The answer to a query that GitHub would not accept.
pub(crate) fn mistake(message: &str) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": "invalid" } }] })
}

impl Query {
    pub(crate) fn parse(body: &Value, lacks: &[String]) -> Result<Self, Value> {
        let schema = schema(lacks).ok_or_else(|| mistake("the simulation's schema is broken"))?;
        let text = body.get("query").and_then(Value::as_str).ok_or_else(|| mistake("A query attribute must be specified and must be a string."))?;
        let document = document(schema, text)?;
        let variables: Vars = body
            .get("variables")
            .and_then(Value::as_object)
            .map(|variables| variables.iter().map(|(name, value)| (name.as_str().into(), convert(value))).collect())
            .unwrap_or_default();
        let mut query = Self { schema, document, variables, cost: 0, nodes: 0, about: Vec::new(), lists: Vec::new() };
        let mut price = Price::default();
        if let Ok(operation) = query.document.operations.get(None) {
            price.add(&query, &operation.selection_set, 1)?;
        }
        (query.nodes, query.about, query.lists) = (price.nodes, price.about, price.lists);
        query.cost = ((price.requests + 50) / 100).max(1);
        Ok(query)
    }

    fn argument(&self, field: &Field, name: &str) -> Value {
        use apollo_compiler::ast::Value as Ast;
        let Ok(value) = field.argument_by_name(name) else { return Value::Null };
        match &**value {
            Ast::Variable(variable) => self.variables.get(variable.as_str()).map(back).unwrap_or_default(),
            Ast::Int(number) => number.try_to_i32().map(Value::from).unwrap_or_default(),
            Ast::String(text) => json!(text),
            Ast::Boolean(flag) => json!(flag),
            _ => Value::Null,
        }
    }

    /// Runs it; `spent` fills in `rateLimit`.
    pub(crate) fn run(&self, world: &World, rate_limit: &Value) -> Value {
        let root = Root { world, rate_limit };
        let run = Execution::new(self.schema, &self.document).raw_variable_values(&self.variables).enable_schema_introspection(true);
        match run.execute_sync(&root) {
            Ok(answer) => {
                let mut answer = serde_json::to_value(&answer).unwrap_or_default();
                self.name_absent_nodes(&mut answer);
                // GitHub types its errors.
                for error in answer.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
                    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
                    let message = message.trim_start_matches("resolver error: ").to_owned();
                    if message.starts_with("Could not resolve to") {
                        error["type"] = json!("NOT_FOUND");
                    }
                    error["message"] = json!(message);
                }
                answer
            }
            Err(error) => mistake(&error.message().to_string()),
        }
    }
}

impl Query {
    /// Nodes that are not there are null, each with an error of its own.
    fn name_absent_nodes(&self, answer: &mut Value) {
        let ids = self.variables.get("ids").map(back).unwrap_or_default();
        let nodes = answer.pointer("/data/nodes").and_then(Value::as_array).into_iter().flatten().enumerate();
        let absent: Vec<Value> = nodes
            .filter(|(_, node)| node.is_null())
            .map(|(index, _)| {
                let id = ids.get(index).and_then(Value::as_str).unwrap_or_default();
                json!({ "type": "NOT_FOUND", "path": ["nodes", index], "message": format!("Could not resolve to a node with the global id of '{id}'") })
            })
            .collect();
        if !absent.is_empty() {
            answer["errors"] = json!(absent);
        }
    }
}

fn convert(value: &Value) -> apollo_compiler::response::JsonValue {
    serde_json::from_value(value.clone()).unwrap_or(apollo_compiler::response::JsonValue::Null)
}

fn back(value: &apollo_compiler::response::JsonValue) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

struct Root<'w> {
    world: &'w World,
    rate_limit: &'w Value,
}

type Resolved<'a> = Result<ResolvedValue<'a>, FieldError>;

fn not_found(message: String) -> FieldError {
    FieldError { message }
}

impl ObjectValue for Root<'_> {
    fn type_name(&self) -> &str {
        "Query"
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let text = |name: &str| info.arguments().get(name).and_then(|value| value.as_str()).unwrap_or_default().to_lowercase();
        match info.field_name() {
            "rateLimit" if self.rate_limit.is_null() => Ok(ResolvedValue::null()),
            "rateLimit" => Ok(ResolvedValue::object(Object { value: self.rate_limit, kind: "RateLimit", repo: None, world: self.world })),
            "organization" => match self.world.org.get("login").and_then(Value::as_str) {
                Some(login) if login.to_lowercase() == text("login") => {
                    Ok(ResolvedValue::object(Object { value: &self.world.org, kind: "Organization", repo: None, world: self.world }))
                }
                _ => Err(not_found(format!("Could not resolve to an Organization with the login of '{}'.", text("login")))),
            },
            "node" => {
                let id = info.arguments().get("id").and_then(|id| id.as_str()).unwrap_or_default();
                if let Some(project) = self.world.projects().find(|project| project.get("id").and_then(Value::as_str) == Some(id)) {
                    return Ok(ResolvedValue::object(Object { value: project, kind: "ProjectV2", repo: None, world: self.world }));
                }
                match self.world.node(id) {
                    Some((repo, value, kind @ "Deployment")) => Ok(ResolvedValue::object(Object { value, kind, repo, world: self.world })),
                    _ => Err(not_found(format!("Could not resolve to a node with the global id of '{id}'"))),
                }
            }
            "nodes" => {
                let ids = info.arguments().get("ids").and_then(|ids| ids.as_array()).cloned().unwrap_or_default();
                let found: Vec<_> = ids.iter().map(|id| self.world.node(id.as_str().unwrap_or_default())).collect();
                let nodes = found.into_iter().zip(ids).map(|(found, id)| match found {
                    None => ResolvedValue::null(),
                    // What REST alone tells is kept under REST's names.
                    Some((_, _, kind @ ("WorkflowRun" | "PullRequestReviewComment"))) => {
                        ResolvedValue::object(Plain([("id".to_owned(), json!(id.as_str()))].into_iter().collect(), kind))
                    }
                    Some((repo, value, kind)) => ResolvedValue::object(Object { value, kind, repo, world: self.world }),
                });
                Ok(ResolvedValue::list(nodes.collect::<Vec<_>>()))
            }
            "repository" => match self.world.repo(&text("owner"), &text("name")) {
                Some(repo) => Ok(ResolvedValue::object(Object { value: repo, kind: "Repository", repo: Some(repo), world: self.world })),
                None => Err(not_found(format!("Could not resolve to a Repository with the name '{}/{}'.", text("owner"), text("name")))),
            },
            _ => Err(self.unknown_field_error(info)),
        }
    }
}

/// Any object of the world: plain data under GraphQL's names, lists as arrays.
#[derive(Clone, Copy)]
struct Object<'w> {
    value: &'w Value,
    kind: &'w str,
    repo: Option<&'w Value>,
    world: &'w World,
}

impl<'w> Object<'w> {
    /// The object at a field; its type is what the data says, or what the schema does.
    fn sub(&self, value: &'w Value, kind: &'w str) -> Object<'w> {
        let own = value.get("__typename").and_then(Value::as_str);
        let kind = own.unwrap_or(match kind {
            "Actor" => "User",
            "RepositoryOwner" => "Organization",
            "GitObject" => "Commit",
            other => other,
        });
        let repo = if kind == "Repository" { Some(value) } else { self.repo };
        Object { value, kind, repo, world: self.world }
    }

    /// With all that is in its repository, where that was only listed.
    fn whole(self) -> Object<'w> {
        let repo = self.repo.map(|repo| self.world.whole(repo));
        Object { value: repo.filter(|_| self.kind == "Repository").unwrap_or(self.value), repo, ..self }
    }

    fn commit(&self, oid: &str) -> Option<&'w Value> {
        self.repo?.get("commits")?.get(oid)
    }
}

impl ObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Resolved<'a> {
        let name = info.field_name();
        let kind = info.field_definition().ty.inner_named_type().as_str();
        let arguments = info.arguments();
        let empty: &'static Value = &Value::Null;
        let field = self.value.get(name).or_else(|| derived::constant(self.kind, name));
        if kind.ends_with("Connection") {
            return Ok(ResolvedValue::object(List::new(*self, name, kind, arguments)));
        }
        if let (None, Some(leaf)) = (field, derived::leaf(self.kind, name, self.value)) {
            return Ok(ResolvedValue::leaf(convert(&leaf)));
        }
        match (self.kind, name) {
            ("Repository", "nameWithOwner") => return Ok(ResolvedValue::leaf(nwo(self.value))),
            ("Repository", "pullRequest" | "issue") => {
                let list = if name == "issue" { "issues" } else { "pullRequests" };
                let number = arguments.get("number").and_then(|number| number.as_u64());
                let items = self.whole().value.get(list).and_then(Value::as_array);
                let found = items.into_iter().flatten().find(|item| item.get("number").and_then(Value::as_u64) == number);
                return match found {
                    Some(found) => Ok(ResolvedValue::object(self.sub(found, if name == "issue" { "Issue" } else { "PullRequest" }))),
                    None => Err(not_found(format!("Could not resolve to an item with the number of {}.", number.unwrap_or(0)))),
                };
            }
            ("Repository", "ref") => {
                let wanted = arguments.get("qualifiedName").and_then(|name| name.as_str()).unwrap_or_default();
                let is = |one: &&Value| {
                    let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                    format!("{}{}", text("prefix"), text("name")) == wanted
                };
                let found = self.value.get("refs").and_then(Value::as_array).into_iter().flatten().find(is);
                return Ok(found.map_or(ResolvedValue::null(), |one| ResolvedValue::object(self.sub(one, "Ref"))));
            }
            ("Team", "organization") => return Ok(ResolvedValue::object(self.sub(&self.world.org, "Organization"))),
            ("Repository", "object") => {
                let oid = arguments.get("oid").and_then(|oid| oid.as_str()).unwrap_or_default();
                return Ok(self.whole().commit(oid).map_or(ResolvedValue::null(), |commit| ResolvedValue::object(self.sub(commit, "Commit"))));
            }
            ("ProjectV2Item", "content") if field.is_some_and(|content| content.get("list").is_some()) => {
                let at = |name: &str| field.and_then(|content| content.get(name));
                let list = at("list").and_then(Value::as_str).unwrap_or_default();
                let found = self.world.all().find(|repo| repo.get("databaseId") == at("repo")).and_then(|repo| {
                    let item = repo.get(list)?.as_array()?.iter().find(|item| item.get("number") == at("number"))?;
                    Some(Object { value: item, kind: if list == "issues" { "Issue" } else { "PullRequest" }, repo: Some(repo), world: self.world })
                });
                return Ok(found.map_or(ResolvedValue::null(), ResolvedValue::object));
            }
            ("ProjectV2Item", "project") => {
                let id = self.value.get("id");
                let ours = |project: &&Value| crate::projects::items(project).any(|item| item.get("id") == id);
                return Ok(self.world.projects().find(ours).map_or(ResolvedValue::null(), |project| ResolvedValue::object(self.sub(project, "ProjectV2"))));
            }
            ("ProjectV2", "owner") => return Ok(ResolvedValue::object(self.sub(&self.world.org, "Organization"))),
            ("ProjectV2Item" | "ProjectV2", "url") => return Ok(ResolvedValue::leaf(convert(field.unwrap_or(empty)))),
            ("Organization", "team") => {
                let slug = arguments.get("slug").and_then(|slug| slug.as_str()).unwrap_or_default();
                let teams = self.value.get("teams").and_then(Value::as_array).into_iter().flatten();
                let found = teams.into_iter().find(|team| team.get("slug").and_then(Value::as_str) == Some(slug));
                return Ok(found.map_or(ResolvedValue::null(), |team| ResolvedValue::object(self.sub(team, "Team"))));
            }
            ("Issue", "stateReason") if field.is_some_and(|reason| reason == "DUPLICATE") => {
                let told = arguments.get("enableDuplicate").and_then(|flag| flag.as_bool()).unwrap_or(false);
                return Ok(ResolvedValue::leaf(if told { "DUPLICATE" } else { "NOT_PLANNED" }));
            }
            ("Repository", "url") => return Ok(ResolvedValue::leaf(format!("https://github.com/{}", nwo(self.value)))),
            (_, "url") => {
                let repo = self.repo.map(nwo).unwrap_or_default();
                let what = match self.kind {
                    "Issue" => "issues",
                    "PullRequest" => "pull",
                    "Commit" => "commit",
                    _ => "x",
                };
                let id = ["number", "oid", "id"].iter().find_map(|name| self.value.get(*name)).cloned().unwrap_or_default();
                let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                return Ok(ResolvedValue::leaf(format!("https://github.com/{repo}/{what}/{id}")));
            }
            (_, "repository") if field.is_none() => {
                let repo = self.repo.unwrap_or(empty);
                return Ok(ResolvedValue::object(self.sub(repo, "Repository")));
            }
            // Commits are kept once and named elsewhere.
            (_, "commit" | "target" | "mergeCommit" | "tagCommit" | "beforeCommit" | "afterCommit") => {
                let oid = field.and_then(Value::as_str);
                if let Some(oid) = oid {
                    return Ok(self.commit(oid).map_or(ResolvedValue::null(), |commit| ResolvedValue::object(self.sub(commit, "Commit"))));
                }
            }
            _ => {}
        }
        match field {
            None | Some(Value::Null) => Ok(ResolvedValue::null()),
            Some(value @ Value::Object(_)) => Ok(ResolvedValue::object(self.sub(value, kind))),
            Some(Value::Array(items)) if items.iter().all(Value::is_object) => {
                Ok(ResolvedValue::list(items.iter().map(|item| ResolvedValue::object(self.sub(item, kind))).collect::<Vec<_>>()))
            }
            Some(leaf) => Ok(ResolvedValue::leaf(convert(leaf))),
        }
    }
}
