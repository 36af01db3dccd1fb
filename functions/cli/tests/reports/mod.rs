//! `report` as its user meets it. The worked example of REPORTS.md is computed again from its own table of moves.

use super::{Dir, command, run, small, sync};
use engine::entities::{self, Entity};
use engine::{Presence, Record, Store, Version};
use serde_json::{Value, json};
use sim::Random;
use std::path::Path;

const DOCUMENT: &str = include_str!("../../../../REPORTS.md");

fn row(entity: &'static Entity, scope: u64, key: String, fields: Value) -> Record {
    let at = "2026-01-15T00:00:00Z".parse().unwrap();
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    Record { entity, scope, key, version: Version::new(Some(at), at), fields, presence: Presence::Whole }
}

fn event(number: u64, place: usize, what: &str, label: &str, at: &str) -> Record {
    let fields = json!({ "number": number, "on": "issue", "event": what, "label": label, "created_at": at });
    row(&entities::ISSUE_EVENTS, 7, format!("{number:012}#{place}"), fields)
}

fn issue(number: u64, created_at: &str, labels: &[String]) -> Record {
    let fields = json!({ "number": number, "author": "ada", "created_at": created_at, "updated_at": "2026-01-14T00:00:00Z",
                         "closed_at": null, "labels": labels, "assignees": ["ada", "bob"], "milestone": null });
    row(&entities::ISSUES, 7, format!("{number:012}"), fields)
}

/// Issues with labels that are moved, as the document's table says, under a prefix.
fn moves() -> Vec<Record> {
    let mut records = Vec::new();
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with("| issue | created")).skip(2).take_while(|line| line.starts_with('|'));
    for line in lines {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (number, created) = (cells[0].parse().unwrap(), format!("{}T00:00:00Z", cells[1]));
        let mut now: Option<String> = None;
        for (place, step) in cells[2].split(", ").enumerate() {
            let (day, stage) = step.split_once(' ').unwrap();
            let at = format!("2026-{day}T00:00:00Z");
            records.extend(now.take().map(|label| event(number, 2 * place, "unlabeled", &label, &at)));
            if stage != "·" {
                let label = format!("stage/{stage}");
                records.push(event(number, 2 * place + 1, "labeled", &label, &at));
                now = Some(label);
            }
        }
        let labels: Vec<String> = now.into_iter().collect();
        records.push(issue(number, &created, &labels));
    }
    assert_eq!(records.iter().filter(|record| record.entity == &entities::ISSUES).count(), 4);
    records
}

/// A copy that has these rows, in one repository.
async fn copy(name: &str, mut records: Vec<Record>) -> Dir {
    let dir = Dir::new(name);
    records.push(row(&entities::REPOSITORIES, 1, "000000000007".to_owned(), json!({ "id": 7, "full_name": "acme/shop" })));
    let table = aws::Embedded::open(&dir.0).await.unwrap();
    table.store().put(&records).await.unwrap();
    table.shutdown().await;
    dir
}

/// What it prints; it must succeed.
async fn report(dir: &Dir, which: &str, more: &[&str]) -> String {
    let mut all = vec!["report", which, "--data-dir", dir.text()];
    all.extend(more);
    let (code, out, err) = run(command(&all)).await;
    assert_eq!(code, 0, "{err}");
    out
}

const EXAMPLE: [&str; 4] = ["--stages", "label:stage/", "--as-of", "2026-01-15"];

#[tokio::test(flavor = "multi_thread")]
async fn the_worked_example_of_the_document_is_what_the_command_prints() {
    let dir = copy("report-example", moves()).await;
    let printed = report(&dir, "issue-stages", &[&EXAMPLE[..], &["--format", "csv"]].concat()).await;
    let told = DOCUMENT.split("```csv\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(printed, told);
    // And what the text says of it.
    let json: Value = serde_json::from_str(&report(&dir, "issue-stages", &[&EXAMPLE[..], &["--format", "json"]].concat()).await).unwrap();
    let doing = json["groups"].as_array().unwrap().iter().find(|group| group["name"] == "doing").unwrap();
    let ours = &doing["sum_of_intervals"];
    let day = 86_400;
    assert_eq!((&ours["count"], &ours["median"], &ours["p90"], &ours["mean"]), (&json!(3), &json!(3 * day), &json!(7 * day), &json!(11 * day / 3)));
    assert_eq!(doing["max_end_minus_min_start"]["total"], 7 * day + day + 7 * day);
    assert_eq!((json["open"].as_array().unwrap().len(), &json["open"][0]["number"], &json["open"][0]["in_stage"]), (2, &json!(3), &json!(7 * day)));
    // With the document's own business hours, issue 3's stay is five days of seven hours.
    let hours = dir.0.join("hours.toml");
    std::fs::write(&hours, DOCUMENT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap()).unwrap();
    let more = ["--format", "json", "--business-hours", hours.to_str().unwrap()];
    let json: Value = serde_json::from_str(&report(&dir, "issue-stages", &[&EXAMPLE[..], &more].concat()).await).unwrap();
    assert_eq!(json["open"][0]["in_stage"], 35 * 3600);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_tells_both_times_and_what_is_open_and_excluded_stages_are_not_there() {
    let dir = copy("report-table", moves()).await;
    let out = report(&dir, "issue-stages", &EXAMPLE).await;
    for part in ["4 items · 2 open", "as of 2026-01-15", "Sum of intervals", "as Harness SEI computes it", "█", "acme/shop#3", "8.0 d old, 7.0 d there"] {
        assert!(out.contains(part), "{part} is missing:\n{out}");
    }
    let order: Vec<usize> = ["todo", "doing", "review"].iter().map(|stage| out.find(stage).unwrap()).collect();
    assert!(order.is_sorted(), "in the order in which issues pass:\n{out}");
    let out = report(&dir, "issue-stages", &[&EXAMPLE[..], &["--exclude-stage", "Doing", "--across", "assignee"]].concat()).await;
    assert!(out.contains("ada") && out.contains("bob") && !out.contains("acme/shop#3") && out.contains("without Doing"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_picture_need_nothing_else_and_what_others_wrote_is_text() {
    let hostile = "stage/<script>alert(1)</script>\"'&\u{1b}";
    let labels = [hostile.to_owned()];
    let dir = copy("report-hostile", vec![issue(1, "2026-01-05T00:00:00Z", &labels)]).await;
    for (format, begins) in [("html", "<!doctype html>"), ("svg", "<svg xmlns=")] {
        let out = report(&dir, "issue-stages", &[&EXAMPLE[..], &["--format", format]].concat()).await;
        assert!(out.starts_with(begins) && out.contains("&lt;script&gt;") && !out.contains("<script") && !out.contains('\u{1b}'), "{out}");
        assert!(out.contains("prefers-color-scheme: dark") && !out.replace("http://www.w3.org/2000/svg", "").contains("://"), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_organization_is_reported_on_in_every_format() {
    let (github, dir) = (small().await, Dir::new("report-copied"));
    assert_eq!(run(sync(&github, &dir, &[])).await.0, 0);
    let json: Value = serde_json::from_str(&report(&dir, "pr-cycle", &["--bots", "--format", "json"]).await).unwrap();
    let (merged, open): (u64, u64) = {
        let world = github.world();
        let pulls: Vec<Value> = world.repos.iter().flat_map(|repo| repo["pullRequests"].as_array().unwrap().clone()).collect();
        let count = |state: &str| pulls.iter().filter(|pull| pull["state"] == state).count() as u64;
        (count("MERGED"), count("OPEN"))
    };
    assert!(merged > 0, "the world has merged ones");
    assert_eq!((&json["items"], json["open"].as_array().unwrap().len() as u64), (&json!(merged), open));
    assert_eq!(json["groups"][0]["steps"][4]["time"]["count"], merged);
    let json: Value = serde_json::from_str(&report(&dir, "issue-stages", &["--stages", "state", "--format", "json"]).await).unwrap();
    assert_eq!(json["items"], github.world().truth()["issues"]);
    for which in ["pr-cycle", "issue-stages"] {
        for format in ["table", "csv", "html", "svg"] {
            let more: &[&str] = if which == "pr-cycle" { &[] } else { &["--stages", "state"] };
            let out = report(&dir, which, &[&["--format", format, "--across", "repository"], more].concat()).await;
            assert!(out.contains("acme/repo-00"), "{which} {format}: {out}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_mistyped_is_told_with_code_2_and_an_empty_copy_says_what_to_do() {
    let dir = copy("report-wrong", moves()).await;
    let hours = dir.0.join("hours.toml");
    let wrong = async |arguments: &[&str]| {
        let (code, out, err) = run(command(&[&["report"], arguments, &["--data-dir", dir.text()]].concat())).await;
        assert!(code == 2 && out.is_empty(), "{arguments:?}: {code} {err}");
        err
    };
    assert!(wrong(&["issue-stages", "--created", "soon"]).await.contains("`soon` is not a range"));
    assert!(wrong(&["issue-stages", "--stages", "columns"]).await.contains("label:PREFIX"));
    assert!(wrong(&["issue-stages", "--kind", "epic"]).await.contains("`epic` is not a kind"));
    assert!(wrong(&["issue-stages", "--across", "team"]).await.contains("milestone"));
    assert!(wrong(&["pr-cycle", "--bounds", "review=3d/1d"]).await.contains("GOOD/ACCEPTABLE"));
    assert!(wrong(&["pr-cycle", "--across", "project"]).await.contains("closed-week"));
    for (text, why) in [
        ("zone = 'Mars/Olympus'\nhours = '09:00-17:00'", "no time zone `Mars/Olympus`"),
        ("zone = 'UTC'\nhours = '17:00-09:00'", "passes midnight"),
        ("zone = 'UTC'\nhours = '9-17'", "Write 09:00-17:00"),
        ("zone = 'UTC'\nhour = '09:00-17:00'", "Did you mean `hours`"),
        ("zone = 'UTC'\nhours = '09:00-17:00'\ndays = ['doomsday']", "`doomsday` is not a day"),
        ("zone = 'UTC'\nhours = '09:00-17:00'\nholidays = ['2026-02-30']", "`2026-02-30` is not a day"),
        ("zone = ", "line 1"),
    ] {
        std::fs::write(&hours, text).unwrap();
        let told = wrong(&["issue-stages", "--business-hours", hours.to_str().unwrap()]).await;
        assert!(told.contains(why) && told.contains("hours.toml"), "{text}: {told}");
    }
    let (code, _, err) = run(command(&["report", "issue-stages", "--data-dir", Path::new("/nowhere").to_str().unwrap()])).await;
    assert!(code == 2 && err.contains("there is no copy in"), "{err}");
    let (code, out, err) = run(command(&["report", "issue-stages", "--project", "None*", "--data-dir", dir.text()])).await;
    assert!(code == 0 && out.contains("nothing to count") && err.contains("--stages label:PREFIX"), "{out} {err}");
}

/// A busy organization, made by counting: issues that go through five stages, some more than once, in repositories whose
/// names are long, foreign, or meant to do harm.
fn busy() -> Vec<Record> {
    let stages = ["Backlog", "In progress", "In review", "Waiting for <b>someone</b> & \"others\"", "検証中 — 品質保証チームによる最終確認待ち"];
    let mut records = Vec::new();
    for number in 1..=160_u64 {
        let mut random = sim::Random(number);
        let mut hour = random.below(1500);
        let at = |hour: u64| {
            let start: jiff::Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
            (start + jiff::SignedDuration::from_hours(i64::try_from(hour).unwrap())).to_string()
        };
        let created = at(hour);
        let mut now: Option<String> = None;
        let mut place = 0;
        let mut move_to = |stage: Option<&str>, hour: u64, records: &mut Vec<Record>| {
            records.extend(now.take().map(|label| event(number, place, "unlabeled", &label, &at(hour))));
            if let Some(stage) = stage {
                let label = format!("stage/{stage}");
                records.push(event(number, place + 1, "labeled", &label, &at(hour)));
                now = Some(label);
            }
            place += 2;
            now.clone()
        };
        let mut last = move_to(Some(stages[0]), hour, &mut records);
        for (step, stage) in stages.iter().enumerate().skip(1) {
            if random.chance(18) {
                break;
            }
            // Most move on soon, a few wait for long.
            hour += 1 + random.below([30, 60, 200, 120, 90][step]) * if random.chance(12) { 6 } else { 1 };
            last = move_to(Some(stage), hour, &mut records);
            if random.chance(15) {
                last = move_to(Some(stages[1]), hour + 20, &mut records);
                hour += 40;
                last = move_to(Some(stages[2]), hour, &mut records).or(last);
            }
        }
        if random.chance(70) {
            last = move_to(None, hour + 30, &mut records);
        }
        let mut labels: Vec<String> = last.into_iter().collect();
        labels.push(
            ["bug", "enhancement", "<script>alert('label')</script>", "a label with a name that goes on and on and on for as long as GitHub allows"]
                [number as usize % 4]
                .to_owned(),
        );
        let mut one = issue(number, &created, &labels);
        let who = ["ada", "bob", "grace-hopper-the-second-of-her-name-x"][number as usize % 3];
        one.fields.insert("assignees".to_owned(), json!([who]));
        records.push(one);
    }
    records
}

/// Left below `target` for the browser that `tests/run` opens them in.
#[tokio::test(flavor = "multi_thread")]
async fn reports_of_much_of_little_and_of_nothing_are_made_into_pages_and_pictures() {
    let pages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let _ = std::fs::remove_dir_all(&pages);
    std::fs::create_dir_all(&pages).unwrap();
    let (busy, little) = (copy("report-busy", busy()).await, copy("report-little", moves()).await);
    let (github, copied) = (small().await, Dir::new("report-cycle"));
    assert_eq!(run(sync(&github, &copied, &["--fetch", "pull-requests"])).await.0, 0);
    let hours = busy.0.join("hours.toml");
    std::fs::write(&hours, "zone = 'Europe/Berlin'\nhours = ['09:00-12:00', '13:00-17:00']\n").unwrap();
    let labels = ["--stages", "label:stage/", "--as-of", "2026-04-01"];
    let hours = ["--business-hours", hours.to_str().unwrap()];
    let asked: [(&str, &Dir, &str, Vec<&str>); 11] = [
        ("stages", &busy, "issue-stages", labels.to_vec()),
        ("stages-by-label", &busy, "issue-stages", [&labels[..], &["--across", "label"]].concat()),
        ("stages-by-assignee-in-business-hours", &busy, "issue-stages", [&labels[..], &["--across", "assignee"], &hours].concat()),
        ("stages-by-week", &busy, "issue-stages", [&labels[..], &["--across", "week"]].concat()),
        ("stages-in-business-hours", &busy, "issue-stages", [&labels[..], &hours].concat()),
        ("little", &little, "issue-stages", EXAMPLE.to_vec()),
        ("empty", &little, "issue-stages", [&EXAMPLE[..], &["--project", "none"]].concat()),
        ("cycle", &copied, "pr-cycle", vec![]),
        ("cycle-by-repository", &copied, "pr-cycle", vec!["--across", "repository"]),
        ("response-by-creator", &copied, "first-response", vec!["--kind", "pull-request", "--across", "creator"]),
        ("collaboration-by-creator", &copied, "pr-collaboration", vec!["--across", "creator"]),
    ];
    for (name, dir, which, more) in asked {
        for format in ["html", "svg", "table"] {
            let out = report(dir, which, &[&more[..], &["--format", format]].concat()).await;
            assert!(!out.contains("NaN") && !out.contains("<script") || format == "table", "{name}: {out}");
            std::fs::write(pages.join(format!("{name}.{format}")), out).unwrap();
        }
    }
}

/// The commits of the document's second example, and a merge and a bot, who change nothing.
fn commits() -> Vec<Record> {
    let lines = DOCUMENT.lines().skip_while(|line| !line.starts_with("| commit | date")).skip(2).take_while(|line| line.starts_with('|'));
    let mut told: Vec<(String, String, String, String, u64, u64)> = lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].to_owned(), cells[1].to_owned(), cells[2].to_owned(), cells[3].to_owned(), cells[4].parse().unwrap(), cells[5].parse().unwrap())
        })
        .collect();
    assert_eq!(told.len(), 4);
    told.push(("merge".to_owned(), "2026-02-28".to_owned(), "ada".to_owned(), "src/cart.rs".to_owned(), 1000, 0));
    told.push(("bump".to_owned(), "2026-01-02".to_owned(), "dependabot[bot]".to_owned(), "Cargo.lock".to_owned(), 500, 500));
    let mut records = vec![row(&entities::USERS, 0, "000000000777".to_owned(), json!({ "id": 777, "login": "dependabot[bot]", "is_bot": true }))];
    for (sha, day, author, path, additions, deletions) in told {
        let at = format!("{day}T00:00:00Z");
        let parents = if sha == "merge" { json!(["1", "2"]) } else { json!(["0"]) };
        records.push(row(&entities::COMMITS, 7, sha.clone(), json!({ "sha": sha, "author_login": author, "committed_at": at, "parents": parents })));
        let fields = json!({ "sha": sha, "path": path, "status": "modified", "additions": additions, "deletions": deletions, "committed_at": at });
        records.push(row(&entities::COMMIT_FILES, 7, format!("{sha}#{path}"), fields));
    }
    records
}

#[tokio::test(flavor = "multi_thread")]
async fn rework_and_hotspots_are_as_the_document_says() {
    let dir = copy("report-rework", commits()).await;
    let printed = report(&dir, "rework", &["--across", "author", "--format", "csv"]).await;
    assert_eq!(printed, DOCUMENT.split("```csv\n").nth(2).unwrap().split("```").next().unwrap());
    let json: Value = serde_json::from_str(&report(&dir, "rework", &["--format", "json"]).await).unwrap();
    let all = &json["rows"][0];
    assert_eq!((&all["changed_lines"], &all["new"], &all["refactored"], &all["legacy"]), (&json!(180), &json!(140), &json!(30), &json!(10)));
    assert_eq!(all["refactored_share"], json!(0.1667));
    // A longer limit, and a range.
    let json: Value = serde_json::from_str(&report(&dir, "rework", &["--limit", "60", "--committed", "2026-03", "--format", "json"]).await).unwrap();
    assert_eq!((&json["rows"][0]["new"], &json["rows"][0]["refactored"], &json["rows"][0]["legacy"]), (&json!(40), &json!(10), &json!(0)));
    let json: Value = serde_json::from_str(&report(&dir, "hotspots", &["--top", "1", "--format", "json"]).await).unwrap();
    let first = &json["rows"][0];
    assert_eq!((&first["file"], &first["changes"], &first["additions"], &first["authors"]), (&json!("src/cart.rs"), &json!(3), &json!(125), &json!(2)));
    assert_eq!((json["rows"].as_array().unwrap().len(), &json["more"]), (1, &json!(1)));
    let by = report(&dir, "hotspots", &["--by", "extension", "--bots"]).await;
    assert!(by.contains("rs") && by.contains("md") && by.contains("lock"), "{by}");
    // For people, and what they wrote is text.
    let out = report(&dir, "rework", &["--across", "week"]).await;
    assert!(out.contains("refactored") && out.contains('█') && out.contains("2026-W01"), "{out}");
    let page = report(&dir, "hotspots", &["--format", "html"]).await;
    assert!(page.contains("src/cart.rs") && !page.contains("<script"), "{page}");
    let picture = report(&dir, "rework", &["--across", "author", "--format", "svg"]).await;
    assert!(picture.starts_with("<svg") && picture.contains("ada: 140 new, 0 refactored, 10 legacy"), "{picture}");
    let exported = run(command(&["export", "commit_files", "--data-dir", dir.text()])).await.1;
    let before: Vec<Value> = exported.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["previous_committed_at"].clone()).collect();
    assert_eq!(before.iter().filter(|one| **one == json!("2026-01-01T00:00:00Z")).count(), 1, "{exported}");
    assert_eq!(before.iter().filter(|one| one.is_null()).count(), 3, "{exported}");
}

/// Every row's change before, found by looking at all others.
#[tokio::test]
async fn the_change_before_is_of_the_same_path_strictly_earlier_and_no_merge() {
    let (mut records, mut random) = (Vec::new(), Random(11));
    for place in 0..300 {
        let (sha, at) = (format!("{place:040x}"), format!("2026-01-{:02}T00:00:00Z", 1 + random.below(28)));
        let parents = if random.chance(20) { json!(["a", "b"]) } else { json!(["a"]) };
        records.push(row(&entities::COMMITS, 7, sha.clone(), json!({ "repo": "acme/shop", "sha": sha, "parents": parents, "committed_at": at })));
        let (path, from) = (format!("f{}", random.below(9)), random.chance(10).then(|| format!("f{}", random.below(9))));
        let fields = json!({ "repo": "acme/shop", "sha": sha, "path": path, "previous_path": from, "committed_at": at });
        records.push(row(&entities::COMMIT_FILES, 7, format!("{sha}#0"), fields));
    }
    let dir = copy("change-before", records).await;
    let rows = async |entity: &str| -> Vec<Value> {
        let out = run(command(&["export", entity, "--data-dir", dir.text()])).await.1;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (commits, files) = (rows("commits").await, rows("commit_files").await);
    let merges: Vec<&Value> = commits.iter().filter(|commit| commit["parents"].as_array().unwrap().len() > 1).map(|commit| &commit["sha"]).collect();
    assert!(files.len() == 300 && merges.len() > 20, "{} files, {} merges", files.len(), merges.len());
    for file in &files {
        let path = if file["previous_path"].is_null() { &file["path"] } else { &file["previous_path"] };
        let earlier = files
            .iter()
            .filter(|other| other["path"] == *path && !merges.contains(&&other["sha"]) && other["committed_at"].as_str() < file["committed_at"].as_str());
        let before = earlier.filter_map(|other| other["committed_at"].as_str()).max();
        assert_eq!(file["previous_committed_at"].as_str(), before, "{file}");
    }
}

/// Each row of the document's tables that are marked as an entity's, by the kinds of its fields.
fn rows_of_the_document() -> Vec<Record> {
    let mut records = vec![row(&entities::REPOSITORIES, 1, "000000000007".to_owned(), json!({ "id": 7, "full_name": "acme/shop", "default_branch": "main" }))];
    for part in DOCUMENT.split("<!-- rows of ").skip(1) {
        let (name, table) = part.split_once(" -->").unwrap();
        let entity: &'static Entity = entities::ALL.iter().copied().find(|entity| entity.name == name).unwrap();
        let mut lines = table.trim_start().lines().take_while(|line| line.starts_with('|'));
        let cells = |line: &str| -> Vec<String> { line.trim_start_matches('|').trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect() };
        let header = cells(lines.next().unwrap());
        for (place, line) in lines.skip(1).enumerate() {
            let told = header.iter().cloned().zip(cells(line)).filter(|(_, cell)| !cell.is_empty());
            let fields: serde_json::Map<String, Value> = told.map(|(field, cell)| (field.clone(), value(entity, &field, &cell))).collect();
            let parent = ["number", "pull_request"].iter().find_map(|name| fields.get(*name)?.as_u64());
            let own = fields.get("sha").and_then(Value::as_str).filter(|_| entity == &entities::COMMITS).map(str::to_owned);
            let key = own.unwrap_or_else(|| match parent {
                Some(number) if entity == &entities::ISSUES || entity == &entities::PULL_REQUESTS => format!("{number:012}"),
                Some(number) => format!("{number:012}#{place}"),
                None => format!("{place:012}"),
            });
            let scope = if entity == &entities::USERS || entity == &entities::TEAMS { 1 } else { 7 };
            records.push(row(entity, scope, key, Value::Object(fields)));
        }
    }
    records
}

fn value(entity: &Entity, field: &str, cell: &str) -> Value {
    use engine::entities::Kind;
    let kind = entity.fields.iter().find(|one| one.name == field).unwrap_or_else(|| panic!("{} has no {field}", entity.name)).kind;
    match kind {
        Kind::Text => json!(cell),
        Kind::Integer => json!(cell.parse::<u64>().unwrap()),
        Kind::Boolean => json!(cell == "true"),
        Kind::Time => json!(cell.split_once(' ').map_or_else(|| format!("{cell}T00:00:00Z"), |(day, time)| format!("{day}T{time}:00Z"))),
        Kind::Texts => cell.split(", ").collect(),
        Kind::Integers => cell.split(", ").map(|one| one.parse::<u64>().unwrap()).collect(),
        Kind::Json => serde_json::from_str(cell).unwrap(),
    }
}

/// What the document says that a command prints: the arguments, and the output.
fn printed_in(text: &str) -> Vec<(Vec<&str>, &str)> {
    let one = |part| {
        let (command, rest): (&str, &str) = str::split_once(part, '`')?;
        Some((command.split(' ').collect(), rest.split("```csv\n").nth(1)?.split("```").next()?))
    };
    text.split("<!-- printed by `sei-github report ").skip(1).filter_map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_report_has_an_example_in_the_document_and_prints_it() {
    let (before, after) = DOCUMENT.split_once("## An example for all that follows").unwrap();
    let (files, shop) = (copy("report-files", commits()).await, Dir::new("report-shop"));
    let table = aws::Embedded::open(&shop.0).await.unwrap();
    table.store().put(&rows_of_the_document()).await.unwrap();
    table.shutdown().await;
    let mut seen: std::collections::BTreeSet<&str> = ["issue-stages", "rework", "file-hotspots", "pr-cycle"].into();
    let of_files = printed_in(before).into_iter().filter(|(command, _)| ["file-types", "breadth"].contains(&command[0]));
    for (dir, (command, told)) in of_files.map(|one| (&files, one)).chain(printed_in(after).into_iter().map(|one| (&shop, one))) {
        assert_eq!(report(dir, command[0], &command[1..]).await, told, "{command:?}");
        seen.insert(command[0]);
        for format in ["table", "html", "svg", "json"] {
            let out = report(dir, command[0], &[&command[1..command.len() - 1], &[format]].concat()).await;
            assert!(!out.contains("NaN") && out.len() > 200, "{command:?} {format}: {out}");
        }
    }
    let all: std::collections::BTreeSet<&str> = engine::report::REPORTS.iter().map(|entry| entry.name).collect();
    assert_eq!(seen, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_people_labels_aliases_and_bots_choose_whose_work_is_counted() {
    let dir = Dir::new("report-people");
    let table = aws::Embedded::open(&dir.0).await.unwrap();
    table.store().put(&rows_of_the_document()).await.unwrap();
    table.shutdown().await;
    let counted = async |which: &str, column: &str, more: &[&str]| -> Vec<(Value, Value)> {
        let out = report(&dir, which, &[&["--as-of", "2026-02-01", "--format", "json"], more].concat()).await;
        let json: Value = serde_json::from_str(&out).unwrap();
        json["rows"].as_array().unwrap().iter().map(|row| (row.get("group").or(row.get("author")).unwrap().clone(), row[column].clone())).collect()
    };
    let one = |name: &str, number: u64| (json!(name), json!(number));
    assert_eq!(counted("pr-size", "pull_requests", &[]).await, [one("all", 6)]);
    assert_eq!(counted("pr-size", "pull_requests", &["--bots"]).await, [one("all", 7)]);
    assert_eq!(counted("pr-size", "pull_requests", &["--team", "CORE"]).await, [one("all", 3)], "bob's two and eve's");
    assert_eq!(counted("pr-size", "pull_requests", &["--person", "A*"]).await, [one("all", 2)]);
    assert_eq!(counted("pr-size", "pull_requests", &["--merged", "2026-01-05..2026-01-08"]).await, [one("all", 2)]);
    assert_eq!(
        counted("pr-size", "pull_requests", &["--repo", "acme/shop", "--across", "creator"]).await,
        [one("ada", 2), one("bob", 2), one("dan", 1), one("eve", 1)]
    );
    assert_eq!(counted("committers", "commits", &["--team", "core"]).await, [one("bob", 2), one("eve", 1)]);
    // One person of two accounts and an address.
    let aliases = dir.0.join("people");
    std::fs::write(&aliases, "# who is who\nada <dan> <guest@example.com>\n").unwrap();
    let known = ["--aliases", aliases.to_str().unwrap()];
    assert_eq!(counted("committers", "commits", &known).await, [one("ada", 3), one("bob", 2), one("eve", 1)]);
    // What dan approved of ada's is now her own word.
    let out = report(&dir, "pr-collaboration", &[&known[..], &["--as-of", "2026-02-01", "--format", "json"]].concat()).await;
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&json["rows"][0]["unassigned_peer"], &json["rows"][0]["self_alone"]), (&json!(0), &json!(2)));
    let items = async |which: &str, more: &[&str]| -> (Value, Value) {
        let out = report(&dir, which, &[&["--as-of", "2026-02-01", "--format", "json"], more].concat()).await;
        let json: Value = serde_json::from_str(&out).unwrap();
        (json["items"].clone(), json["open"].as_array().unwrap().len().into())
    };
    assert_eq!(items("resolution", &["--label", "BUG"]).await, (json!(2), json!(0)));
    assert_eq!(items("resolution", &["--kind", "issue,pull-request"]).await, (json!(7), json!(3)), "five pull requests more, and one that is open");
    assert_eq!(items("first-response", &["--kind", "pull-request"]).await, (json!(3), json!(1)), "4 and 5 ended without");
    // Of the deployment to staging, time decides: 5 was merged after it.
    assert_eq!(items("lead-time-to-production", &["--environment", "stag*"]).await, (json!(4), json!(1)));
    for (arguments, why) in [
        (&["pr-size", "--team", "nobody"][..], "There are: core"),
        (&["pr-size", "--sizes", "1000/100"], "100/1000"),
        (&["resolution", "--kind", "draft"], "issue, pull-request"),
        (&["committers", "--top", "0"], "number from 1"),
        (&["coding-days", "--per", "year"], "fortnight"),
    ] {
        let (code, out, err) = run(command(&[&["report"], arguments, &["--data-dir", dir.text()]].concat())).await;
        assert!(code == 2 && out.is_empty() && err.contains(why), "{arguments:?}: {code} {err}");
    }
}
