//! The world's commits as git's objects: trees, contents and names that anybody's git agrees with. A content is a run of
//! numbered lines, so that what a commit adds and removes is known beforehand. Knows nothing of requests.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

/// SHA-1 in hex, as GitHub writes it.
pub(crate) type Oid = String;

/// Lines `from..to` of a file that was made as `seed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) seed: u64,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Text {
    #[must_use]
    pub(crate) fn lines(self) -> u64 {
        self.to - self.from
    }

    fn bytes(self) -> Vec<u8> {
        let mut text = String::new();
        for line in self.from..self.to {
            let _ = writeln!(text, "{:x}.{line}", self.seed);
        }
        text.into_bytes()
    }
}

type Folder = BTreeMap<String, (Oid, Text)>;

/// Two levels: folders, and files in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree(BTreeMap<String, Arc<Folder>>);

impl Tree {
    #[must_use]
    pub(crate) fn get(&self, path: &str) -> Option<Text> {
        let (folder, name) = path.split_once('/')?;
        Some(self.0.get(folder)?.get(name)?.1)
    }

    pub(crate) fn set(&mut self, path: &str, text: Text) {
        if let Some((folder, name)) = path.split_once('/') {
            let oid = name_of("blob", &text.bytes());
            Arc::make_mut(self.0.entry(folder.to_owned()).or_default()).insert(name.to_owned(), (oid, text));
        }
    }

    pub(crate) fn remove(&mut self, path: &str) {
        if let Some((folder, name)) = path.split_once('/')
            && let Some(files) = self.0.get_mut(folder)
        {
            Arc::make_mut(files).remove(name);
        }
    }

    /// The trees that it is made of, the root last.
    fn objects(&self) -> Vec<(Oid, Vec<u8>)> {
        let mut objects = Vec::new();
        let mut root = Vec::new();
        for (name, folder) in self.0.iter().filter(|(_, folder)| !folder.is_empty()) {
            let mut body = Vec::new();
            for (name, (oid, _)) in folder.iter() {
                entry(&mut body, "100644", name, oid);
            }
            let oid = name_of("tree", &body);
            entry(&mut root, "40000", name, &oid);
            objects.push((oid, body));
        }
        objects.push((name_of("tree", &root), root));
        objects
    }
}

fn entry(body: &mut Vec<u8>, mode: &str, name: &str, oid: &str) {
    body.extend_from_slice(format!("{mode} {name}\0").as_bytes());
    body.extend((0..20).filter_map(|at| u8::from_str_radix(oid.get(2 * at..2 * at + 2)?, 16).ok()));
}

pub(crate) fn name_of(kind: &str, body: &[u8]) -> Oid {
    let mut whole = format!("{kind} {}\0", body.len()).into_bytes();
    whole.extend_from_slice(body);
    digest(&SHA1_FOR_LEGACY_USE_ONLY, &whole).as_ref().iter().fold(String::with_capacity(40), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

struct Commit {
    body: Vec<u8>,
    tree: Tree,
    parents: Vec<Oid>,
    at: i64,
}

/// Every commit of the world.
#[derive(Default, Clone)]
pub(crate) struct Objects {
    commits: HashMap<Oid, Arc<Commit>>,
}

/// What a pack is asked to hold.
pub(crate) struct Wanted<'a> {
    pub(crate) ids: &'a [Oid],
    /// Commits before this are left out.
    pub(crate) since: Option<i64>,
    pub(crate) without_contents: bool,
}

/// Objects of a pack by kind, and the commits whose parents were left out.
#[derive(Default)]
pub(crate) struct Picked {
    pub(crate) objects: Vec<(&'static str, Vec<u8>)>,
    pub(crate) shallow: Vec<Oid>,
}

impl Objects {
    #[must_use]
    pub(crate) fn tree(&self, commit: &str) -> Tree {
        self.commits.get(commit).map(|commit| commit.tree.clone()).unwrap_or_default()
    }

    /// Makes a commit, and tells its name. `who` is name and address.
    pub(crate) fn commit(&mut self, tree: Tree, parents: &[Oid], who: (&str, &str), at: i64, message: &str) -> Oid {
        let root = tree.objects().pop().map(|(oid, _)| oid).unwrap_or_default();
        let mut body = format!("tree {root}\n");
        for parent in parents {
            let _ = writeln!(body, "parent {parent}");
        }
        for role in ["author", "committer"] {
            let _ = writeln!(body, "{role} {} <{}> {at} +0000", who.0, who.1);
        }
        let body = format!("{body}\n{message}").into_bytes();
        let oid = name_of("commit", &body);
        self.commits.insert(oid.clone(), Arc::new(Commit { body, tree, parents: parents.to_vec(), at }));
        oid
    }

    /// What a server would send; an error in git's words.
    pub(crate) fn pick(&self, wanted: &Wanted<'_>) -> Result<Picked, String> {
        let mut picked = Picked::default();
        let mut open: Vec<Oid> = Vec::new();
        let mut contents: Option<HashMap<Oid, Text>> = None;
        let mut seen = std::collections::HashSet::new();
        for id in wanted.ids {
            if self.commits.contains_key(id) {
                open.push(id.clone());
                continue;
            }
            let contents = contents.get_or_insert_with(|| self.contents());
            let text = contents.get(id).ok_or_else(|| format!("upload-pack: not our ref {id}"))?;
            if seen.insert(id.clone()) {
                picked.objects.push(("blob", text.bytes()));
            }
        }
        let included = |commit: &Arc<Commit>| wanted.since.is_none_or(|since| commit.at >= since);
        let any = !open.is_empty();
        open.retain(|oid| self.commits.get(oid).is_some_and(included));
        if any && open.is_empty() {
            return Err("no commits selected for shallow requests".to_owned());
        }
        while let Some(oid) = open.pop() {
            let Some(commit) = self.commits.get(&oid) else { continue };
            if !seen.insert(oid.clone()) {
                continue;
            }
            picked.objects.push(("commit", commit.body.clone()));
            for (id, body) in commit.tree.objects() {
                if seen.insert(id) {
                    picked.objects.push(("tree", body));
                }
            }
            for (id, text) in commit.tree.0.values().flat_map(|folder| folder.values()).filter(|_| !wanted.without_contents) {
                if seen.insert(id.clone()) {
                    picked.objects.push(("blob", text.bytes()));
                }
            }
            let parents = commit.parents.iter().filter(|parent| self.commits.get(*parent).is_some_and(included));
            let before = open.len();
            open.extend(parents.cloned());
            if open.len() - before < commit.parents.len() {
                picked.shallow.push(oid);
            }
        }
        Ok(picked)
    }

    fn contents(&self) -> HashMap<Oid, Text> {
        let folders = self.commits.values().flat_map(|commit| commit.tree.0.values());
        folders.flat_map(|folder| folder.values()).map(|(oid, text)| (oid.clone(), *text)).collect()
    }
}
