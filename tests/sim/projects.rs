//! Projects of the world's organization: boards, what is on them and what people do with it. Knows nothing of requests.
//! <https://docs.github.com/en/graphql/reference/objects#projectv2>

use crate::world::{World, time};
use serde_json::{Value, json};

/// Node ids of a board's Status field and of another single select.
fn field_id(number: u64, name: &str) -> String {
    format!("PVTSSF_{number}_{name}")
}

pub(crate) fn items(project: &Value) -> impl Iterator<Item = &Value> {
    project.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name).and_then(Value::as_str)
}

impl World {
    pub fn projects(&self) -> impl Iterator<Item = &Value> {
        self.org.get("projectsV2").and_then(Value::as_array).into_iter().flatten()
    }

    #[must_use]
    pub fn project(&self, number: u64) -> Option<&Value> {
        self.projects().find(|project| project.get("number").and_then(Value::as_u64) == Some(number))
    }

    pub(crate) fn project_mut(&mut self, number: u64) -> Option<&mut Value> {
        let all = self.org.get_mut("projectsV2").and_then(Value::as_array_mut)?;
        all.iter_mut().find(|project| project.get("number").and_then(Value::as_u64) == Some(number))
    }

    #[must_use]
    pub fn card(&self, number: u64, item: &str) -> Option<&Value> {
        items(self.project(number)?).find(|one| text(one, "id") == Some(item))
    }

    fn card_mut(&mut self, number: u64, item: &str) -> Option<&mut Value> {
        let items = self.project_mut(number)?.get_mut("items").and_then(Value::as_array_mut)?;
        items.iter_mut().find(|one| text(one, "id") == Some(item))
    }

    /// A board with these columns, and a Priority besides; its number.
    pub fn add_project(&mut self, title: &str, columns: &[&str]) -> u64 {
        let number = 1 + u64::try_from(self.projects().count()).unwrap_or(0);
        let (id, at) = (self.id(), self.tick(60));
        let options = |field: &str, names: &[&str]| -> Value {
            let option = |(index, name): (usize, &&str)| json!({ "id": format!("{field}{index:02}"), "name": name, "color": "GRAY", "description": "" });
            names.iter().enumerate().map(option).collect()
        };
        let field = |name: &str, names: &[&str]| {
            json!({ "__typename": "ProjectV2SingleSelectField", "id": field_id(number, name), "databaseId": 10 * number, "name": name,
                "dataType": "SINGLE_SELECT", "createdAt": at, "updatedAt": at, "options": options(name, names) })
        };
        let plain = |name: &str, kind: &str| {
            json!({ "__typename": "ProjectV2Field", "id": format!("PVTF_{number}_{name}"), "databaseId": 10 * number + 1, "name": name, "dataType": kind,
                "createdAt": at, "updatedAt": at })
        };
        let sprint = json!({ "__typename": "ProjectV2IterationField", "id": format!("PVTIF_{number}"), "databaseId": 10 * number + 2, "name": "Sprint",
            "dataType": "ITERATION", "createdAt": at, "updatedAt": at, "configuration": { "duration": 14, "startDay": 1,
            "iterations": [{ "id": "it2", "title": "Sprint 2", "startDate": "2023-12-04", "duration": 14 }],
            "completedIterations": [{ "id": "it1", "title": "Sprint 1", "startDate": "2023-11-20", "duration": 14 }] } });
        let repositories: Vec<Value> = self.repos.iter().take(2).map(|repo| crate::world::nwo(repo).into()).collect();
        let project = json!({ "id": format!("PVT_{id}"), "fullDatabaseId": id.to_string(), "number": number, "title": title,
            "shortDescription": "What we do next", "readme": "Read me", "closed": false, "public": false, "template": false,
            "url": format!("https://github.com/orgs/acme/projects/{number}"), "creator": self.org.pointer("/membersWithRole/0"),
            "createdAt": at, "updatedAt": at, "closedAt": null, "repositories": repositories, "items": [],
            "fields": [plain("Title", "TITLE"), field("Status", columns), field("Priority", &["High", "Low"]), plain("Estimate", "NUMBER"),
                plain("Note", "TEXT"), plain("Due", "DATE"), sprint] });
        if let Some(all) = self.org.get_mut("projectsV2").and_then(Value::as_array_mut) {
            all.push(project);
        }
        self.emit_project(number, "created");
        number
    }

    fn emit_project(&mut self, number: u64, action: &str) {
        let Some(project) = self.project(number) else { return };
        let field = |name: &str| project.get(name).cloned().unwrap_or_default();
        let id = field("fullDatabaseId").as_str().and_then(|id| id.parse::<u64>().ok());
        let told = json!({ "id": id, "node_id": field("id"), "number": number, "title": field("title"), "short_description": field("shortDescription"),
            "description": field("readme"), "public": field("public"), "closed_at": field("closedAt"), "created_at": field("createdAt"),
            "updated_at": field("updatedAt"), "deleted_at": if action == "deleted" { json!(time(self.now)) } else { Value::Null },
            "deleted_by": null, "creator": crate::shapes::user(&field("creator")), "owner": { "login": "acme", "id": 9919 } });
        self.emit("projects_v2", Some(action), None, json!({ "projects_v2": told }));
    }

    /// Tells of an item as it is, or was: `card` is it.
    fn emit_card(&mut self, number: u64, card: &Value, action: &str, changes: Value) {
        let field = |name: &str| card.get(name).cloned().unwrap_or_default();
        let content = field("content");
        let repo = self.repos.iter().find(|repo| repo.get("databaseId") == content.get("repo"));
        let found = repo.and_then(|repo| {
            let list = repo.get(content.get("list")?.as_str()?)?.as_array()?;
            list.iter().find(|item| item.get("number") == content.get("number"))?.get("id").cloned()
        });
        let kind = match text(card, "type") {
            Some("ISSUE") => "Issue",
            Some("PULL_REQUEST") => "PullRequest",
            _ => "DraftIssue",
        };
        let id = field("fullDatabaseId").as_str().and_then(|id| id.parse::<u64>().ok());
        let board = self.project(number).and_then(|project| project.get("id").cloned());
        let archived_at = if field("isArchived") == true { field("updatedAt") } else { Value::Null };
        let told = json!({ "id": id, "node_id": field("id"), "project_node_id": board, "content_node_id": found.or_else(|| content.get("id").cloned()),
            "content_type": kind, "creator": crate::shapes::user(&field("creator")), "created_at": field("createdAt"), "updated_at": field("updatedAt"),
            "archived_at": archived_at });
        self.emit("projects_v2_item", Some(action), None, json!({ "projects_v2_item": told, "changes": changes }));
    }

    fn emit_now(&mut self, number: u64, item: &str, action: &str, changes: Value) {
        if let Some(card) = self.card(number, item).cloned() {
            self.emit_card(number, &card, action, changes);
        }
    }

    /// Puts an issue or pull request (`list` is `issues` or `pullRequests`) on a board, without a stage; the item's id.
    pub fn put_on_board(&mut self, number: u64, repo: &str, list: &str, issue: u64) -> String {
        let at = self.tick(60);
        let repo_id = self.repo_mut(repo).and_then(|repo| repo.get("databaseId").cloned()).unwrap_or_default();
        let kind = if list == "issues" { "ISSUE" } else { "PULL_REQUEST" };
        self.say(number, repo, list, issue, json!({ "__typename": "AddedToProjectV2Event", "createdAt": at }));
        self.card_for(number, kind, json!({ "repo": repo_id, "list": list, "number": issue }), &at)
    }

    pub fn add_draft(&mut self, number: u64, title: &str) -> String {
        let at = self.tick(60);
        let id = self.id();
        self.card_for(number, "DRAFT_ISSUE", json!({ "__typename": "DraftIssue", "id": format!("DI_{id}"), "title": title, "assignees": [] }), &at)
    }

    fn card_for(&mut self, number: u64, kind: &str, content: Value, at: &str) -> String {
        let id = self.id();
        let item = format!("PVTI_{id}");
        let creator = self.org.pointer("/membersWithRole/1").cloned();
        let card = json!({ "id": item, "fullDatabaseId": id.to_string(), "type": kind, "isArchived": false, "createdAt": at, "updatedAt": at, "creator": creator,
            "content": content, "fieldValues": [] });
        if let Some(project) = self.project_mut(number) {
            project["updatedAt"] = json!(at);
            if let Some(items) = project.get_mut("items").and_then(Value::as_array_mut) {
                items.push(card);
            }
        }
        self.emit_now(number, &item, "created", json!({}));
        item
    }

    /// Sets a single select to the option of this name, or clears it.
    pub fn set_option(&mut self, number: u64, item: &str, field: &str, option: Option<&str>) {
        let at = self.tick(60);
        self.set_option_at(number, item, field, option, &at);
    }

    /// The same at a moment of the world's past.
    pub(crate) fn set_option_at(&mut self, number: u64, item: &str, field: &str, option: Option<&str>, at: &str) {
        let fields = self.project(number).and_then(|project| project.get("fields")?.as_array().cloned()).unwrap_or_default();
        let Some(field) = fields.into_iter().find(|one| text(one, "name") == Some(field)) else { return };
        let chosen_name = option;
        let named = |value: &&Value| text(value, "name") == option;
        let chosen = field.get("options").and_then(Value::as_array).into_iter().flatten().find(named).cloned();
        let Some(card) = self.card_mut(number, item) else { return };
        card["updatedAt"] = json!(at);
        let content = card.get("content").cloned().unwrap_or_default();
        let Some(values) = card.get_mut("fieldValues").and_then(Value::as_array_mut) else { return };
        let ours = |value: &Value| value.pointer("/field/id") == field.get("id");
        let before = values.iter().find(|value| ours(value)).and_then(|value| value.get("name").cloned());
        values.retain(|value| !ours(value));
        if let Some(option) = chosen {
            let value = json!({ "__typename": "ProjectV2ItemFieldSingleSelectValue", "optionId": option.get("id"), "name": option.get("name"),
                "updatedAt": at, "field": field });
            values.push(value);
        }
        if let Some(project) = self.project_mut(number) {
            let newest = text(project, "updatedAt").unwrap_or_default().to_owned();
            project["updatedAt"] = json!(newest.max(at.to_owned()));
        }
        let option = |name: Option<&str>| -> Value {
            let all = field.get("options").and_then(Value::as_array).into_iter().flatten();
            all.into_iter().find(|option| name.is_some() && text(option, "name") == name).cloned().unwrap_or_default()
        };
        let changes = json!({ "field_value": { "field_node_id": field.get("id"), "field_type": "single_select", "field_name": field.get("name"),
            "project_number": number, "from": option(before.as_ref().and_then(Value::as_str)), "to": option(chosen_name) } });
        self.emit_now(number, item, "edited", changes);
        if text(&field, "name") == Some("Status") {
            let moved = json!({ "__typename": "ProjectV2ItemStatusChangedEvent", "createdAt": at,
                "previousStatus": before.unwrap_or_else(|| json!("")), "status": chosen_name.unwrap_or_default() });
            self.say_of(number, &content, moved);
        }
    }

    /// Any other value, e.g. `{ "__typename": "ProjectV2ItemFieldNumberValue", "number": 3 }`.
    pub fn set_value(&mut self, number: u64, item: &str, field: &str, mut value: Value) {
        let at = self.tick(60);
        let fields = self.project(number).and_then(|project| project.get("fields")?.as_array().cloned()).unwrap_or_default();
        let Some(field) = fields.into_iter().find(|one| text(one, "name") == Some(field)) else { return };
        value["field"] = field.clone();
        let Some(card) = self.card_mut(number, item) else { return };
        card["updatedAt"] = json!(at);
        if let Some(values) = card.get_mut("fieldValues").and_then(Value::as_array_mut) {
            values.retain(|value| value.pointer("/field/id") != field.get("id"));
            values.push(value);
        }
        self.touch_project(number, &at);
        let kind = text(&field, "dataType").unwrap_or_default().to_lowercase();
        let changes =
            json!({ "field_value": { "field_node_id": field.get("id"), "field_type": kind, "field_name": field.get("name"), "project_number": number } });
        self.emit_now(number, item, "edited", changes);
    }

    fn touch_project(&mut self, number: u64, at: &str) {
        if let Some(project) = self.project_mut(number) {
            project["updatedAt"] = json!(at);
        }
    }

    pub fn archive_card(&mut self, number: u64, item: &str, archived: bool) {
        let at = self.tick(60);
        if let Some(card) = self.card_mut(number, item) {
            card["isArchived"] = json!(archived);
            card["updatedAt"] = json!(at);
        }
        self.touch_project(number, &at);
        let (archived_at, nothing) = (json!(at), Value::Null);
        let (from, to) = if archived { (nothing, archived_at) } else { (archived_at, nothing) };
        let action = if archived { "archived" } else { "restored" };
        self.emit_now(number, item, action, json!({ "archived_at": { "from": from, "to": to } }));
    }

    pub fn remove_card(&mut self, number: u64, item: &str) {
        let at = self.tick(60);
        let card = self.card(number, item).cloned().unwrap_or_default();
        let content = card.get("content").cloned().unwrap_or_default();
        if let Some(items) = self.project_mut(number).and_then(|project| project.get_mut("items")?.as_array_mut()) {
            items.retain(|one| text(one, "id") != Some(item));
        }
        self.touch_project(number, &at);
        self.emit_card(number, &card, "deleted", json!({}));
        self.say_of(number, &content, json!({ "__typename": "RemovedFromProjectV2Event", "createdAt": at }));
    }

    /// Takes from every board what is deleted: one item of a list, or all that the repository has.
    pub(crate) fn remove_cards_of(&mut self, repo: &str, item: Option<(&str, u64)>) {
        let id = self.repo_mut(repo).and_then(|repo| repo.get("databaseId").cloned());
        let is_it = |card: &Value| {
            let content = card.get("content");
            let at = |name: &str| content.and_then(|content| content.get(name));
            at("repo").is_some()
                && at("repo") == id.as_ref()
                && item.is_none_or(|(list, number)| at("list") == Some(&json!(list)) && at("number") == Some(&json!(number)))
        };
        let boards =
            self.projects().filter_map(|project| Some((project.get("number")?.as_u64()?, items(project).filter(|card| is_it(card)).cloned().collect())));
        let cards: Vec<(u64, Vec<Value>)> = boards.collect();
        for (number, card) in cards.into_iter().flat_map(|(number, cards)| cards.into_iter().map(move |card| (number, card))) {
            self.remove_card(number, text(&card, "id").unwrap_or_default());
        }
    }

    /// Makes an issue of a draft, on the same item.
    pub fn convert_draft(&mut self, number: u64, item: &str, repo: &str) {
        self.add_issue(repo);
        let made = self.repo_mut(repo).map(|repo| {
            (repo.get("databaseId").cloned(), repo.pointer("/issues").and_then(Value::as_array).and_then(|all| all.last()?.get("number").cloned()))
        });
        let at = self.tick(60);
        if let (Some((repo_id, issue)), Some(card)) = (made, self.card_mut(number, item)) {
            card["type"] = json!("ISSUE");
            card["updatedAt"] = json!(at);
            card["content"] = json!({ "repo": repo_id, "list": "issues", "number": issue });
        }
        self.touch_project(number, &at);
        self.emit_now(number, item, "converted", json!({ "content_type": { "from": "DraftIssue", "to": "Issue" } }));
    }

    /// Hides the content of an item from the token.
    pub fn redact_card(&mut self, number: u64, item: &str) {
        let at = self.tick(60);
        if let Some(card) = self.card_mut(number, item) {
            card["type"] = json!("REDACTED");
            card["content"] = Value::Null;
        }
        self.touch_project(number, &at);
    }

    /// Its items keep the option under its new name.
    pub fn rename_option(&mut self, number: u64, from: &str, to: &str) {
        let at = self.tick(60);
        let Some(project) = self.project_mut(number) else { return };
        project["updatedAt"] = json!(at);
        for field in project.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            for option in field.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten().filter(|option| text(option, "name") == Some(from)) {
                option["name"] = json!(to);
            }
        }
        for card in project.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            for value in card.get_mut("fieldValues").and_then(Value::as_array_mut).into_iter().flatten().filter(|value| text(value, "name") == Some(from)) {
                value["name"] = json!(to);
            }
        }
    }

    /// Its items have no value after that, and nobody is told so by a timeline.
    pub fn delete_option(&mut self, number: u64, name: &str) {
        let at = self.tick(60);
        let Some(project) = self.project_mut(number) else { return };
        project["updatedAt"] = json!(at);
        for field in project.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(options) = field.get_mut("options").and_then(Value::as_array_mut) {
                options.retain(|option| text(option, "name") != Some(name));
            }
        }
        for card in project.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
            let has = |value: &Value| text(value, "name") == Some(name);
            if let Some(values) = card.get_mut("fieldValues").and_then(Value::as_array_mut).filter(|values| values.iter().any(has)) {
                values.retain(|value| !has(value));
                card["updatedAt"] = json!(at);
            }
        }
    }

    pub fn delete_project(&mut self, number: u64) {
        self.tick(60);
        self.emit_project(number, "deleted");
        if let Some(all) = self.org.get_mut("projectsV2").and_then(Value::as_array_mut) {
            all.retain(|project| project.get("number").and_then(Value::as_u64) != Some(number));
        }
    }

    /// Appends to the timeline of an item's issue or pull request, if it has one.
    fn say_of(&mut self, number: u64, content: &Value, event: Value) {
        let repo = self.repos.iter().find(|repo| repo.get("databaseId") == content.get("repo")).and_then(|repo| text(repo, "name")).map(str::to_owned);
        if let (Some(repo), Some(list), Some(issue)) = (repo, text(content, "list"), content.get("number").and_then(Value::as_u64)) {
            self.say(number, &repo, list, issue, event);
        }
    }

    /// GitHub does not count these events as a change of the issue.
    fn say(&mut self, number: u64, repo: &str, list: &str, issue: u64, mut event: Value) {
        if self.silent_timelines {
            return;
        }
        let id = self.id();
        let actor = self.org.pointer("/membersWithRole/2").cloned();
        let project = self.project(number).map(
            |project| json!({ "id": project.get("id"), "fullDatabaseId": project.get("fullDatabaseId"), "title": project.get("title"), "number": number }),
        );
        event["id"] = json!(format!("PVTE_{id}"));
        event["actor"] = json!(actor);
        event["wasAutomated"] = json!(false);
        event["project"] = json!(project);
        if let Some(timeline) = self.item(repo, list, issue).and_then(|item| item.get_mut("timelineItems")?.as_array_mut()) {
            timeline.push(event);
        }
    }

    /// A board on which every third issue has its way behind it, over some weeks; at most `most` of them.
    pub fn lively_board(&mut self, most: usize) {
        const COLUMNS: [&str; 4] = ["Todo", "In progress", "In review", "Done"];
        let number = self.add_project("Roadmap", &COLUMNS);
        let mut issues = Vec::new();
        for repo in &self.repos {
            let name = text(repo, "name").unwrap_or_default().to_owned();
            let all = repo.get("issues").and_then(Value::as_array).into_iter().flatten();
            issues.extend(all.step_by(3).filter_map(|issue| Some((name.clone(), issue.get("number")?.as_u64()?))));
        }
        issues.truncate(most);
        let start = self.now;
        let mut end = start;
        for (repo, issue) in issues {
            self.now = start + i64::try_from(self.random.below(20 * 86_400)).unwrap_or(0);
            let item = self.put_on_board(number, &repo, "issues", issue);
            let mut at = self.now;
            let mut column = 0_usize;
            let steps = 1 + self.random.below(6);
            for _ in 0..steps {
                self.set_option_at(number, &item, "Status", COLUMNS.get(column).copied(), &time(at));
                // Now and then back to work.
                if column == 3 {
                    break;
                }
                column = if column == 2 && self.random.chance(4) { 1 } else { (column + 1).min(3) };
                at += i64::try_from(3600 + self.random.below(9 * 86_400)).unwrap_or(0);
            }
            end = end.max(at);
        }
        self.now = end;
    }
}
