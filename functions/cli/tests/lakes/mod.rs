//! `export --format parquet` as its user meets it: what is replaced, what stays, and what a kill at each file leaves.
//! What is in the files, tests/sql reads with DuckDB.

mod imports;

use super::{Dir, command, run, small, sync};
use engine::entities::{self, ALL};
use engine::{Presence, Record, Rows, Store, Version};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

async fn export(dir: &Dir, lake: &Path, more: &[&str]) -> (i32, String, String) {
    let mut all = vec!["export", "--format", "parquet", "--data-dir", dir.text(), "--out", lake.to_str().unwrap()];
    all.extend(more);
    run(command(&all)).await
}

fn manifest(lake: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(lake.join("manifest.json")).unwrap()).unwrap()
}

/// Every file below, by its path from there.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(dir: &Path, root: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, all);
            } else {
                all.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(dir, dir, &mut all);
    all
}

fn parquet(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(dir).into_iter().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "parquet")).collect()
}

async fn copied(name: &str) -> (sim::GitHub, Dir) {
    let (github, dir) = (small().await, Dir::new(name));
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!(code, 0, "{err}");
    (github, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_whose_rows_changed_are_replaced() {
    let (github, dir) = copied("lake-replaced").await;
    let lake = dir.0.join("lake");
    let (code, out, err) = export(&dir, &lake, &["--all"]).await;
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    let (first, before) = (manifest(&lake), parquet(&lake));
    let told: Vec<&str> = before.keys().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(first["files"].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), told);
    // Whatever is empty can be read, too.
    for entity in ALL {
        assert!(before.contains_key(Path::new(&format!("{}/bucket=00/rows.parquet", entity.name))), "{}", entity.name);
    }
    // Nothing changed: no file is touched.
    let modified = |path: &Path| std::fs::metadata(lake.join(path)).unwrap().modified().unwrap();
    let when: BTreeMap<PathBuf, _> = before.keys().map(|path| (path.clone(), modified(path))).collect();
    let (code, _, err) = export(&dir, &lake, &["--all", "--since", first["as_of"].as_str().unwrap()]).await;
    assert_eq!(code, 0, "{err}");
    assert!(err.contains(" 0 replaced"), "{err}");
    assert!(when.iter().all(|(path, when)| modified(path) == *when));
    // One issue is edited, and one comment deleted.
    {
        let mut world = github.world();
        world.now += 3600;
        let number = world.repos[0]["issues"][0]["number"].as_u64().unwrap();
        world.edit("repo-00", "issues", number, "edited");
    }
    let (code, _, err) = run(sync(&github, &dir, &[])).await;
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = export(&dir, &lake, &["--all"]).await;
    assert_eq!(code, 0, "{err}");
    let after = parquet(&lake);
    let changed: Vec<&PathBuf> = after.iter().filter(|(path, bytes)| before.get(*path) != Some(*bytes)).map(|(path, _)| path).collect();
    assert!(changed.iter().any(|path| path.starts_with("issues")) && changed.len() < 8, "{changed:?}");
    assert!(err.contains(&format!(" {} replaced", changed.len())), "{err}");
    let last = manifest(&lake);
    for (path, file) in last["files"].as_object().unwrap() {
        let is_new = changed.iter().any(|changed| changed.to_str() == Some(path));
        assert_eq!(file["changed_at"] == last["as_of"], is_new, "{path}");
        assert_eq!(file["read_at"], last["as_of"], "{path}");
    }
    // One entity only: the others stay, and are told to be older.
    let (code, _, err) = export(&dir, &lake, &["labels"]).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(parquet(&lake), after);
    let one = manifest(&lake);
    assert_eq!(one["files"]["issues/bucket=00/rows.parquet"], last["files"]["issues/bucket=00/rows.parquet"]);
    assert_ne!(one["files"]["labels/bucket=00/rows.parquet"], last["files"]["labels/bucket=00/rows.parquet"]);
    // A repository that is gone takes its rows along.
    let gone = last["files"].as_object().unwrap().keys().filter(|path| path.starts_with("issues/")).count();
    assert!(gone > 1);
    let (code, _, err) = export(&dir, &lake, &["issues", "--repo", "repo-01"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(parquet(&lake).keys().filter(|path| path.starts_with("issues")).count() < gone);
}

/// A pipe that is full: whoever writes there waits, and can be killed just there.
#[cfg(target_os = "linux")]
struct Obstacle(PathBuf, std::fs::File);

#[cfg(target_os = "linux")]
impl Obstacle {
    fn at(path: PathBuf) -> Self {
        use std::io::Write;
        use std::os::unix::fs::OpenOptionsExt;
        const NONBLOCK: i32 = 0o4000;
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut pipe = std::fs::OpenOptions::new().read(true).write(true).custom_flags(NONBLOCK).open(&path).unwrap();
        while pipe.write(&[0; 4096]).is_ok() {}
        Self(path, pipe)
    }

    /// Kills the program as soon as it has come there.
    fn kill_there(self, mut program: std::process::Command) -> std::process::ExitStatus {
        let mut child = program.stderr(std::process::Stdio::null()).spawn().unwrap();
        let open = format!("/proc/{}/fd", child.id());
        let is_there = || std::fs::read_dir(&open).is_ok_and(|all| all.flatten().any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to == self.0)));
        while child.try_wait().unwrap().is_none() && !is_there() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        let status = child.wait().unwrap();
        drop(self.1);
        std::fs::remove_file(&self.0).unwrap();
        status
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_file_it_goes_on_there_and_no_reader_sees_half_a_file() {
    use std::os::unix::process::ExitStatusExt;
    let (_github, dir) = copied("lake-killed").await;
    let (whole, killed) = (dir.0.join("whole"), std::fs::canonicalize(&dir.0).unwrap().join("killed"));
    let (code, _, err) = export(&dir, &whole, &["--all"]).await;
    assert_eq!(code, 0, "{err}");
    let complete = parquet(&whole);
    // In the order in which they are written, and the two that end it.
    let buckets = |entity: &str| complete.keys().filter(|path| path.starts_with(entity)).cloned().collect::<Vec<_>>();
    let mut all: Vec<PathBuf> = ALL.iter().flat_map(|entity| buckets(entity.name)).collect();
    all.extend([PathBuf::from("views.sql"), PathBuf::from("manifest.json")]);
    for (place, path) in all.iter().enumerate() {
        let obstacle = Obstacle::at(killed.join(path).with_extension("unfinished"));
        let program = command(&["export", "--all", "--format", "parquet", "--data-dir", dir.text(), "--out", killed.to_str().unwrap()]);
        let status = tokio::task::spawn_blocking(move || obstacle.kill_there(program)).await.unwrap();
        assert_eq!(status.signal(), Some(9), "{} was not come to", path.display());
        let there = parquet(&killed);
        assert_eq!(there.len(), place.min(complete.len()), "{}", path.display());
        assert!(there.iter().all(|(path, bytes)| complete.get(path) == Some(bytes)), "{}", path.display());
        assert!(!killed.join("manifest.json").exists());
    }
    let (code, _, err) = export(&dir, &killed, &["--all"]).await;
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("going on with the export that began at") && err.contains(" 0 replaced"), "{err}");
    assert_eq!(parquet(&killed), complete);
    assert!(files(&killed).keys().all(|path| path.extension().is_none_or(|extension| extension != "unfinished") && path != Path::new("journal")));
    // What went on is as of its beginning; the next one begins anew.
    let first = manifest(&killed);
    let (_, _, err) = export(&dir, &killed, &["--all"]).await;
    assert!(!err.contains("going on"), "{err}");
    assert_ne!(manifest(&killed)["as_of"], first["as_of"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_and_loses_nothing() {
    let (_github, dir) = copied("lake-usage").await;
    let lake = dir.0.join("lake");
    let text = lake.to_str().unwrap();
    let cases: [(&[&str], &str); 8] = [
        (&["--all"], "--format parquet"),
        (&["issues", "--out", text], "--format parquet"),
        (&["--all", "--format", "parquet"], "--out DIR"),
        (&["--all", "--format", "parquet", "--out", text, "--deleted"], "ndjson and csv"),
        (&["--all", "--format", "parquet", "--out", text, "--since", "2026-01-01"], "no whole export"),
        (&["wikis", "--format", "parquet", "--out", text], "There are: "),
        (&["--views", "duckdb", "--out", text], "no whole export"),
        (&["--all", "issues", "--format", "parquet", "--out", text], "cannot be used with"),
    ];
    for (arguments, told) in cases {
        let (code, out, err) = run(command(&[&["export", "--data-dir", dir.text()], arguments].concat())).await;
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
    let (code, _, err) = export(&dir, &lake, &["--all"]).await;
    assert_eq!(code, 0, "{err}");
    let before = parquet(&lake);
    let (code, _, err) = export(&dir, &lake, &["--all", "--since", "2999-01-01"]).await;
    assert_eq!(code, 2);
    assert!(err.contains("Leave --since out"), "{err}");
    let (code, _, err) = run(command(&["export", "--views", "athena", "--out", text])).await;
    assert_eq!(code, 2);
    assert!(err.contains("--location s3://"), "{err}");
    // Two at once would replace each other's files.
    let lock = std::fs::File::options().write(true).open(lake.join("lock")).unwrap();
    lock.lock().unwrap();
    let (code, _, err) = export(&dir, &lake, &["--all"]).await;
    assert_eq!(code, 2);
    assert!(err.contains("another export"), "{err}");
    lock.unlock().unwrap();
    // A row that is not as the schema says is told, and stops before its file is replaced.
    let table = aws::Embedded::open(&dir.0).await.unwrap();
    let at = "2999-01-15T00:00:00Z".parse().unwrap();
    let scope = table.store().scopes(&entities::LABELS).await.unwrap()[0];
    let Value::Object(fields) = json!({ "node_id": "x", "name": 7 }) else { panic!() };
    let bad = Record { entity: &entities::LABELS, scope, key: "x".to_owned(), version: Version::new(Some(at), at), fields, presence: Presence::Whole };
    table.store().put(&[bad]).await.unwrap();
    table.shutdown().await;
    let (code, _, err) = export(&dir, &lake, &["--all"]).await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("labels.name is to be Text, but a row has 7"), "{err}");
    assert_eq!(parquet(&lake), before);
    std::fs::write(lake.join("manifest.json"), "{}").unwrap();
    let (code, _, err) = export(&dir, &lake, &["--all"]).await;
    assert_eq!(code, 2);
    assert!(err.contains("Choose an empty directory"), "{err}");
}

/// What a report prints, of the copy or of files; it must succeed.
async fn reported(dir: &Dir, name: &str, more: &[&str]) -> String {
    let all = ["report", name, "--data-dir", dir.text(), "--format", "json", "--as-of", "2100-01-01", "--bots"];
    let (code, out, err) = run(command(&[&all[..], more].concat())).await;
    assert_eq!(code, 0, "{name} {more:?}: {err}");
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_says_the_same_of_exported_files_as_of_the_copy() {
    let (_github, dir) = copied("lake-reports").await;
    let lake = dir.0.join("lake");
    let lake_text = lake.to_str().unwrap();
    assert_eq!(run(command(&["report", "commits", "--from", lake_text])).await.0, 2, "nothing is exported yet");
    assert_eq!(export(&dir, &lake, &["--all"]).await.0, 0);
    let mut said = 0;
    for entry in engine::report::REPORTS {
        let own: &[&str] = if entry.name == "issue-stages" { &["--stages", "state"] } else { &[] };
        let across: Vec<&str> = entry.options().filter(|option| option.name == "across").flat_map(|option| choices(option.takes).iter().copied()).collect();
        for across in across.iter().map(|across| vec!["--across", across]).chain([vec![], vec!["--repo", "*-01"]]) {
            let asked = [own, &across].concat();
            let (copy, files) = (reported(&dir, entry.name, &asked).await, reported(&dir, entry.name, &[&asked[..], &["--from", lake_text]].concat()).await);
            assert_eq!(copy, files, "{} {asked:?}", entry.name);
            said += copy.lines().count();
        }
    }
    assert!(said > 3000, "{said} lines");
    // What files do not have is said, and what is damaged.
    let (code, out, err) = run(command(&["report", "issue-stages", "--from", lake_text])).await;
    assert!(code == 2 && out.is_empty() && err.contains("the view issue_stages"), "{err}");
    std::fs::write(lake.join("commits/bucket=00/rows.parquet"), b"PAR1 half a file").unwrap();
    for bucket in 1..16 {
        let path = lake.join(format!("commits/bucket={bucket:02}/rows.parquet"));
        if path.exists() {
            std::fs::write(path, b"PAR1 half a file").unwrap();
        }
    }
    let (code, out, err) = run(command(&["report", "commits", "--from", lake_text])).await;
    assert!(code == 1 && out.is_empty() && err.contains("cannot read") && err.contains("Export into an empty directory"), "{code} {err}");
}

fn choices(takes: engine::report::Takes) -> &'static [&'static str] {
    if let engine::report::Takes::Choice(of) = takes { of } else { &[] }
}
