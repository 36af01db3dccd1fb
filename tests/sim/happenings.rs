//! What people do to what is there: edit, comment, delete, rename, transfer. How things are made is in `world`.

use crate::world::{World, nwo, time};
use serde_json::{Value, json};

impl World {
    pub(crate) fn item(&mut self, repo: &str, list: &str, number: u64) -> Option<&mut Value> {
        let items = self.repo_mut(repo)?.get_mut(list)?.as_array_mut()?;
        items.iter_mut().find(|item| item.get("number").and_then(Value::as_u64) == Some(number))
    }

    /// `list` is `issues` or `pullRequests`.
    pub fn edit(&mut self, repo: &str, list: &str, number: u64, title: &str) {
        let at = self.tick(60);
        if let Some(item) = self.item(repo, list, number) {
            item["title"] = json!(title);
            item["updatedAt"] = json!(at);
        }
        self.emit_item(repo, list, number, "edited");
    }

    pub fn add_comment(&mut self, repo: &str, list: &str, number: u64) {
        let comment = self.comment();
        let at = time(self.now);
        if let Some(item) = self.item(repo, list, number) {
            item["updatedAt"] = json!(at);
            if let Some(comments) = item.get_mut("comments").and_then(Value::as_array_mut) {
                comments.push(comment.clone());
            }
        }
        self.emit_comment(repo, list, number, &comment, "created");
    }

    /// Drops the first comment.
    pub fn delete_comment(&mut self, repo: &str, list: &str, number: u64) {
        let at = self.tick(60);
        let mut deleted = None;
        if let Some(item) = self.item(repo, list, number) {
            item["updatedAt"] = json!(at);
            if let Some(comments) = item.get_mut("comments").and_then(Value::as_array_mut).filter(|comments| !comments.is_empty()) {
                deleted = Some(comments.remove(0));
            }
        }
        match deleted {
            Some(comment) => self.emit_comment(repo, list, number, &comment, "deleted"),
            None => self.emit_item(repo, list, number, "edited"),
        }
    }

    pub fn delete(&mut self, repo: &str, list: &str, number: u64) {
        self.remove_cards_of(repo, Some((list, number)));
        self.emit_item(repo, list, number, "deleted");
        if let Some(items) = self.repo_mut(repo).and_then(|repo| repo.get_mut(list)?.as_array_mut()) {
            items.retain(|item| item.get("number").and_then(Value::as_u64) != Some(number));
        }
        let remarks = self.repo_mut(repo).and_then(|repo| repo.get_mut("reviewComments")?.as_array_mut());
        if let Some(remarks) = remarks.filter(|_| list == "pullRequests") {
            remarks.retain(|remark| remark.get("number").and_then(Value::as_u64) != Some(number));
        }
    }

    /// Drops the `index`-th of `deployments`, `workflowRuns` or `reviewComments`.
    pub fn drop_from(&mut self, repo: &str, list: &str, index: usize) {
        if let Some(items) = self.repo_mut(repo).and_then(|repo| repo.get_mut(list)?.as_array_mut()).filter(|items| index < items.len()) {
            items.remove(index);
        }
    }

    pub fn rename_repo(&mut self, from: &str, to: &str) {
        let mut renamed = None;
        if let Some(repo) = self.repo_mut(from) {
            let old = nwo(repo).to_lowercase();
            let mut former = repo.get("formerNames").and_then(Value::as_array).cloned().unwrap_or_default();
            former.push(json!(old));
            repo["name"] = json!(to);
            repo["formerNames"] = json!(former);
            renamed = Some(repo.clone());
        }
        if let Some(repo) = renamed {
            self.emit_repository(&repo, "renamed", json!({ "repository": { "name": { "from": from } } }));
        }
    }

    /// The main branch gets another name, and nothing is pushed.
    pub fn rename_main_branch(&mut self, repo: &str, to: &str) {
        let Some(repo) = self.repo_mut(repo) else { return };
        let from = repo.pointer("/defaultBranchRef/name").cloned().unwrap_or_default();
        repo["defaultBranchRef"]["name"] = json!(to);
        let refs = repo.get_mut("refs").and_then(Value::as_array_mut).into_iter().flatten();
        refs.filter(|one| one.get("name") == Some(&from)).for_each(|one| one["name"] = json!(to));
    }

    /// Gives it to another owner; its old name leads to it.
    pub fn transfer_repo(&mut self, name: &str, owner: &str) {
        let Some(index) = self.repos.iter().position(|repo| repo.get("name").and_then(Value::as_str) == Some(name)) else { return };
        let mut repo = self.repos.remove(index);
        let mut former = repo.get("formerNames").and_then(Value::as_array).cloned().unwrap_or_default();
        former.push(json!(nwo(&repo).to_lowercase()));
        repo["formerNames"] = json!(former);
        repo["owner"]["login"] = json!(owner);
        let mut told = repo.clone();
        told["owner"]["databaseId"] = json!(9920);
        self.emit_repository(&told, "transferred", json!({ "owner": { "from": { "organization": { "login": "acme", "id": 9919 } } } }));
        self.elsewhere.push(repo);
    }

    pub fn archive_repo(&mut self, name: &str) {
        let at = self.tick(60);
        let mut archived = None;
        if let Some(repo) = self.repo_mut(name) {
            repo["isArchived"] = json!(true);
            repo["updatedAt"] = json!(at);
            archived = Some(repo.clone());
        }
        if let Some(repo) = archived {
            self.emit_repository(&repo, "archived", json!({}));
        }
    }

    /// Something that happens in a repository, anything of what people do there.
    pub fn happen(&mut self, repo: &str) {
        let numbers = |world: &Self, list: &str| -> Vec<u64> {
            let one = world.repos.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(repo));
            let items = one.and_then(|one| one.get(list)?.as_array()).into_iter().flatten();
            items.filter_map(|item| item.get("number")?.as_u64()).collect()
        };
        let list = if self.random.chance(50) { "issues" } else { "pullRequests" };
        let all = numbers(self, list);
        let some = usize::try_from(self.random.below(all.len() as u64)).ok().and_then(|index| all.get(index).copied());
        match (self.random.below(12), some) {
            (0, _) => drop(self.add_issue(repo)),
            // Without a commit there is nothing to propose, release, deploy or run.
            (1 | 4..=6, _) if self.head(repo).is_none() => {}
            (1, _) => drop(self.add_pull(repo)),
            (2, _) => self.push_commits(repo, 2),
            (3, _) => self.force_push(repo, 2),
            (4, _) => self.add_release(repo, &format!("v{}", self.now)),
            (5, _) => self.add_deployment(repo),
            (6, _) => self.add_run(repo),
            // Nobody can delete a pull request.
            (7, Some(number)) if list == "issues" => self.delete(repo, list, number),
            (8, Some(number)) => self.delete_comment(repo, list, number),
            (9, Some(number)) => self.add_comment(repo, list, number),
            (10, Some(number)) if list == "pullRequests" => {
                self.add_review_comment(repo, number);
                self.edit(repo, list, number, "remarked");
            }
            (_, Some(number)) => self.edit(repo, list, number, "edited"),
            (_, None) => {}
        }
    }

    /// Changes every hundredth pull request and issue, and adds a commit for every hundred; returns how many in all.
    pub fn change_one_percent(&mut self) -> u64 {
        let mut changed = 0;
        let names: Vec<String> = self.repos.iter().filter_map(|repo| Some(repo.get("name")?.as_str()?.to_owned())).collect();
        for list in ["pullRequests", "issues"] {
            let of = |repo: &Value| -> Vec<u64> {
                repo.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(|item| item.get("number")?.as_u64()).collect()
            };
            let all: Vec<(String, u64)> =
                names.iter().zip(&self.repos).flat_map(|(name, repo)| of(repo).into_iter().map(|number| (name.clone(), number))).collect();
            for (repo, number) in all.into_iter().step_by(100) {
                self.edit(&repo, list, number, "changed");
                changed += 1;
            }
        }
        for repo in names {
            let commits = self.repo_mut(&repo).and_then(|repo| repo.get("commits")?.as_object()).map_or(0, serde_json::Map::len) / 100;
            self.push_commits(&repo, commits);
            changed += u64::try_from(commits).unwrap_or(0);
        }
        changed
    }

    pub fn delete_repo(&mut self, name: &str) {
        self.remove_cards_of(name, None);
        if let Some(repo) = self.repo_mut(name).cloned() {
            self.emit_repository(&repo, "deleted", json!({}));
        }
        self.repos.retain(|repo| repo.get("name").and_then(Value::as_str) != Some(name));
    }
}
