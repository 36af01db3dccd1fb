//! One item of a board with the values of its fields, from GraphQL. Knows nothing of what it was before.
//! <https://docs.github.com/en/graphql/reference/unions#projectv2itemfieldvalue>

use crate::entities::PROJECT_ITEMS;
use crate::node::{Node, Out};
use serde_json::{Map, Value, json};

/// Lists inside values would cost a point for each value: labels and assignees are asked of the content.
pub(super) const SELECT: &str = "id fullDatabaseId type isArchived createdAt updatedAt creator { ...Who } \
    content { __typename \
    ... on Issue { id number title repository { databaseId nameWithOwner } labels(first: 50) { nodes { name } } assignees(first: 20) { nodes { login } } milestone { title } } \
    ... on PullRequest { id number title repository { databaseId nameWithOwner } labels(first: 50) { nodes { name } } assignees(first: 20) { nodes { login } } milestone { title } } \
    ... on DraftIssue { id title assignees(first: 20) { nodes { login } } } } \
    fieldValues(first: 100) { nodes { __typename \
    ... on ProjectV2ItemFieldSingleSelectValue { optionId name updatedAt field { ...OfField } } \
    ... on ProjectV2ItemFieldTextValue { text field { ...OfField } } \
    ... on ProjectV2ItemFieldNumberValue { number field { ...OfField } } \
    ... on ProjectV2ItemFieldDateValue { date field { ...OfField } } \
    ... on ProjectV2ItemFieldIterationValue { iterationId title startDate duration field { ...OfField } } } }";

pub(super) const OF_FIELD: &str = "fragment OfField on ProjectV2FieldConfiguration { ... on ProjectV2FieldCommon { id name } }";

/// Whose items they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) node_id: &'a str,
    pub(super) number: u64,
}

pub(super) fn read(of: Of<'_>, node: Node<'_>, out: &mut Out) {
    let Some(id) = node.str("id") else { return };
    out.who(node, "creator");
    let content = node.at("content");
    let (values, single_selects) = values(node);
    let fields = json!({
        "project": of.number,
        "project_node_id": of.node_id,
        "id": node.u64("fullDatabaseId"),
        "node_id": id,
        "type": node.lower("type"),
        "archived": node.flag("isArchived"),
        "repo_id": content.value("repository.databaseId"),
        "repo_name": content.value("repository.nameWithOwner"),
        "number": content.value("number"),
        "content_node_id": content.value("id"),
        "title": content.value("title"),
        "creator": node.login("creator"),
        "values": values,
        "single_selects": single_selects,
        "labels": content.texts("labels.nodes", "name"),
        "assignees": content.texts("assignees.nodes", "login"),
        "milestone": content.value("milestone.title"),
        "created_at": node.utc("createdAt"),
        "updated_at": node.utc("updatedAt"),
        "read_updated_at": node.utc("updatedAt"),
    });
    out.push(&PROJECT_ITEMS, id.to_owned(), node.time("updatedAt"), fields);
}

/// By the field's name what people see, and by its node id what tells one option from another of the same name.
fn values(node: Node<'_>) -> (Value, Value) {
    let (mut values, mut single_selects) = (Map::new(), Map::new());
    for value in node.items("fieldValues.nodes") {
        let (Some(id), Some(field)) = (value.str("field.id"), value.str("field.name")) else { continue };
        let seen = match value.str("__typename").unwrap_or_default() {
            "ProjectV2ItemFieldSingleSelectValue" => {
                let option = json!({ "field": field, "option_id": value.value("optionId"), "name": value.value("name"), "updated_at": value.utc("updatedAt") });
                single_selects.insert(id.to_owned(), option);
                value.value("name")
            }
            "ProjectV2ItemFieldTextValue" => value.value("text"),
            "ProjectV2ItemFieldNumberValue" => value.value("number"),
            "ProjectV2ItemFieldDateValue" => value.value("date"),
            "ProjectV2ItemFieldIterationValue" => {
                json!({ "id": value.value("iterationId"), "title": value.value("title"), "start_date": value.value("startDate"), "duration": value.value("duration") })
            }
            _ => continue,
        };
        values.insert(field.to_owned(), seen);
    }
    (Value::Object(values), Value::Object(single_selects))
}
