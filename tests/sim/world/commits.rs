//! Commits of a world: real objects of git, one history a repository, pushed and pushed by force.

use super::{World, time};
use crate::objects::{Text, Tree, name_of};
use serde_json::{Value, json};
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::{Arc, PoisonError};

impl World {
    /// Newest first, parents after their children, as GitHub lists a history.
    #[must_use]
    pub fn history(&self, repo: &Value, head: &str) -> Arc<Vec<String>> {
        let key = (repo.get("databaseId").and_then(Value::as_u64).unwrap_or(0), head.to_owned());
        if let Some(known) = self.histories.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return known.clone();
        }
        let commits = repo.get("commits");
        let commit = |oid: &str| commits.and_then(|commits| commits.get(oid));
        let date = |oid: &str| commit(oid).and_then(|commit| commit.get("committedDate")?.as_str().map(str::to_owned)).unwrap_or_default();
        let mut open = BinaryHeap::from([(date(head), head.to_owned())]);
        let mut seen = BTreeSet::from([head.to_owned()]);
        let mut all = Vec::new();
        while let Some((_, oid)) = open.pop() {
            let parents = commit(&oid).and_then(|commit| commit.get("parents")?.as_array().cloned()).unwrap_or_default();
            for parent in parents.iter().filter_map(Value::as_str) {
                if seen.insert(parent.to_owned()) {
                    open.push((date(parent), parent.to_owned()));
                }
            }
            all.push(oid);
        }
        let all = Arc::new(all);
        self.histories.lock().unwrap_or_else(PoisonError::into_inner).insert(key, all.clone());
        all
    }

    pub fn push_commits(&mut self, repo: &str, count: usize) {
        let mut head = self.head(repo);
        for index in 0..count {
            self.tick(300);
            let mut parents: Vec<String> = head.iter().cloned().collect();
            // Now and then a merge, whose second parent carries an older date.
            if index > 2 && self.random.chance(8) {
                let base = self.grandparent(repo, head.as_deref());
                parents.push(self.commit(repo, &base, self.now - 2000, 2));
            }
            let files = if index == 1 && !self.plain { 330 } else { 1 + self.random.below(4) };
            head = Some(self.commit(repo, &parents, self.now, files));
        }
        self.point(repo, "main", head.as_deref());
    }

    /// Pushes `count` commits to another branch, which begins at the default one's head if it is new.
    pub fn push_branch(&mut self, repo: &str, name: &str, count: usize) {
        let mut head = self.branch(repo, name).or_else(|| self.head(repo));
        for _ in 0..count {
            self.tick(300);
            let parents: Vec<String> = head.iter().cloned().collect();
            head = Some(self.commit(repo, &parents, self.now, 2));
        }
        self.point(repo, name, head.as_deref());
    }

    /// Merges another branch into the default one, whose head becomes a commit of two parents; the branch stays.
    pub fn merge_branch(&mut self, repo: &str, name: &str) {
        let Some((main, other)) = self.head(repo).zip(self.branch(repo, name)) else { return };
        self.tick(300);
        let merge = self.commit(repo, &[main, other], self.now, 1);
        self.point(repo, "main", Some(&merge));
    }

    /// Where a branch leads.
    fn branch(&self, repo: &str, name: &str) -> Option<String> {
        let repo = self.repos.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(repo))?;
        let mut branches = repo.get("refs")?.as_array()?.iter().filter(|one| one.get("prefix").and_then(Value::as_str) == Some("refs/heads/"));
        branches.find(|one| one.get("name").and_then(Value::as_str) == Some(name))?.get("target")?.as_str().map(str::to_owned)
    }

    /// Has a branch lead to a commit.
    fn point(&mut self, repo: &str, name: &str, head: Option<&str>) {
        let at = time(self.now);
        if let (Some(head), Some(repo)) = (head, self.repo_mut(repo)) {
            let id = repo.get("databaseId").cloned().unwrap_or_default();
            let protection = if name == "main" { json!({ "id": "BPR_1" }) } else { Value::Null };
            let branch = json!({ "id": format!("REF_{id}_{name}"), "name": name, "prefix": "refs/heads/", "target": head, "branchProtectionRule": protection });
            if name == "main" {
                repo["defaultBranchRef"] = branch.clone();
            }
            repo["pushedAt"] = json!(at);
            if let Some(refs) = repo.get_mut("refs").and_then(Value::as_array_mut) {
                refs.retain(|one| one.get("prefix") != branch.get("prefix") || one.get("name") != branch.get("name"));
                refs.push(branch);
            }
        }
        self.emit_push(repo, &format!("refs/heads/{name}"), false, false);
    }

    fn grandparent(&self, repo: &str, head: Option<&str>) -> Vec<String> {
        let repo = self.repos.iter().rev().find(|one| one.get("name").and_then(Value::as_str) == Some(repo));
        let parent = |oid: &str| repo?.get("commits")?.get(oid)?.get("parents")?.get(0)?.as_str().map(str::to_owned);
        head.and_then(parent).and_then(|oid| parent(&oid)).into_iter().collect()
    }

    /// A commit that touches so many files; its name follows from all that is in it.
    fn commit(&mut self, repo: &str, parents: &[String], at: i64, files: u64) -> String {
        let who = self.random.below(10);
        let user = if who == 9 { Value::Null } else { self.user(who) };
        let (name, email, date) = (format!("Developer {who}"), format!("dev-{who}@example.com"), time(at));
        let author = json!({ "name": name, "email": email, "date": date, "user": user });
        let mut tree = parents.first().map(|parent| self.objects.tree(parent)).unwrap_or_default();
        let changing = if self.fileless { 0 } else { files };
        let mut changed: Vec<Value> = (0..changing).map(|index| self.change(&mut tree, index)).collect();
        changed.sort_by_key(|file| file.get("filename").and_then(Value::as_str).map(str::to_owned));
        let sum = |name: &str| changed.iter().filter_map(|file| file.get(name)?.as_u64()).sum::<u64>();
        let (additions, deletions) = if self.fileless { (9 * files, files) } else { (sum("additions"), sum("deletions")) };
        let message = format!("Change {:x}\n\nCo-authored-by: Pair <pair@example.com>", self.random.draw());
        let oid = if self.fileless {
            name_of("commit", format!("{parents:?}{at}{message}").as_bytes())
        } else {
            self.objects.commit(tree, parents, (&name, &email), at, &message)
        };
        let commit = json!({ "id": format!("C_{oid}"), "oid": oid, "message": message,
            "authoredDate": date, "committedDate": date, "additions": additions, "deletions": deletions,
            "changedFilesIfAvailable": files, "author": author.clone(), "committer": author, "parents": parents,
            "associatedPullRequests": [], "files": changed });
        if let Some(commits) = self.repo_mut(repo).and_then(|repo| repo.get_mut("commits")?.as_object_mut()) {
            commits.insert(oid.clone(), commit);
        }
        oid
    }

    /// Adds lines at the end of a file and removes some from its beginning; the third file of a commit changes its name,
    /// too, once it is long enough to be known again.
    fn change(&mut self, tree: &mut Tree, index: u64) -> Value {
        let (usual, other) = match index {
            2 => ("src/module_2.rs".to_owned(), "src/old.rs".to_owned()),
            0..4 => (format!("src/module_{index}.rs"), String::new()),
            _ => (format!("bulk/module_{index}.rs"), String::new()),
        };
        let additions = 1 + self.random.below(29);
        let path = if tree.get(&other).is_some() { other.clone() } else { usual.clone() };
        let Some(text) = tree.get(&path) else {
            tree.set(&path, Text { seed: self.random.draw(), from: 0, to: additions });
            return json!({ "filename": path, "status": "added", "additions": additions, "deletions": 0, "changes": additions });
        };
        // So that files neither vanish nor grow without end.
        let deletions = if text.lines() > 200 { index.min(3) + 15 } else { index.min(text.lines() / 2) };
        let text = Text { from: text.from + deletions, to: text.to + additions, ..text };
        let mut file = json!({ "filename": path, "status": "modified", "additions": additions, "deletions": deletions, "changes": additions + deletions });
        if index == 2 && text.lines() > 100 {
            tree.remove(&path);
            let to = if path == usual { other } else { usual };
            (file["status"], file["previous_filename"], file["filename"]) = (json!("renamed"), json!(path), json!(to));
            tree.set(&to, text);
        } else {
            tree.set(&path, text);
        }
        file
    }

    /// Drops the newest `count` commits of the default branch and pushes one other instead.
    pub fn force_push(&mut self, repo: &str, count: usize) {
        let Some(head) = self.head(repo) else { return };
        let mut to = head;
        for _ in 0..count {
            let one = self.repos.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(repo));
            let parent = one.and_then(|one| one.get("commits")?.get(&to)?.get("parents")?.get(0)?.as_str().map(str::to_owned));
            to = parent.unwrap_or(to);
        }
        if let Some(repo) = self.repo_mut(repo) {
            repo["defaultBranchRef"]["target"] = json!(to);
        }
        self.push_commits(repo, 1);
    }
}
