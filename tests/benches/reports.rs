//! How long each report takes over exported files of 100,000 pull requests and 1,000,000 commits that changed 2,000,000
//! files, and how much memory: a process of its own reads, computes and prints. `SEI_PULLS` and `SEI_COMMITS` change the
//! numbers. Run with `cargo bench -p tests --bench reports`, or with `--profile quick`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that panics has failed, as it should")]

use engine::entities::{self, Entity};
use engine::report::{REPORTS, report};
use jiff::{SignedDuration, Timestamp};
use lake::{Files, Lake, Part, Question};
use serde_json::{Map, Value, json};
use sim::Random;
use std::path::Path;
use std::time::Instant;

/// Repositories: half of all is in the first.
const REPOS: u64 = 40;
const NOW: &str = "2026-06-01T00:00:00Z";

fn number(name: &str, unless: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(unless)
}

fn main() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-reports");
    if let Ok(name) = std::env::var("SEI_MEASURE") {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        return runtime.block_on(measure(&dir, &name));
    }
    let _ = std::fs::remove_dir_all(&dir);
    let began = Instant::now();
    fill(&dir, number("SEI_PULLS", 100_000), number("SEI_COMMITS", 1_000_000));
    eprintln!("files written in {:.0} s", began.elapsed().as_secs_f64());
    println!("{:<26} {:>8} {:>10} {:>8}", "report", "seconds", "peak MiB", "rows");
    for entry in REPORTS {
        let done = std::process::Command::new(std::env::current_exe().unwrap()).env("SEI_MEASURE", entry.name).status().unwrap();
        assert!(done.success());
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

async fn measure(dir: &Path, name: &str) {
    let began = Instant::now();
    let files = Files::open(dir).unwrap();
    // Boards are not in files: the benchmark `report` reads them from a table.
    let pairs: &[(String, String)] = if name == "issue-stages" { &[("stages".to_owned(), "state".to_owned())] } else { &[] };
    let answer = report(&files, name, pairs, NOW.parse().unwrap()).await.unwrap();
    let mut json = Vec::new();
    drawing::write(&answer.report, drawing::Format::Json, &mut json).unwrap();
    let told: Value = serde_json::from_slice(&json).unwrap();
    let rows = told["rows"].as_array().or(told["groups"].as_array()).unwrap().len();
    println!("{name:<26} {:>8.2} {:>10.0} {rows:>8}", began.elapsed().as_secs_f64(), peak_mib());
}

fn at(random: &mut Random) -> Timestamp {
    let begin: Timestamp = "2024-01-01T00:00:00Z".parse().unwrap();
    begin + SignedDuration::from_secs(i64::try_from(random.below(2 * 365 * 86_400)).unwrap())
}

fn later(from: Timestamp, random: &mut Random) -> Timestamp {
    from + SignedDuration::from_secs(i64::try_from(random.below(7 * 86_400)).unwrap())
}

fn sha(random: &mut Random) -> String {
    format!("{:016x}{:016x}{:08x}", random.draw(), random.draw(), random.draw() >> 32)
}

fn who(random: &mut Random) -> String {
    format!("dev-{}", random.below(800))
}

/// How many of all the repository has.
fn share(repo: u64, all: u64) -> u64 {
    if repo == 0 { all / 2 } else { all / 2 / (REPOS - 1) }
}

/// The rows of an entity, repository by repository, as an export writes them.
fn write(lake: &mut Lake, entity: &'static Entity, mut of: impl FnMut(u64, &mut dyn FnMut(Value))) {
    for bucket in 0..lake::BUCKETS {
        let mut part: Part<'_> = lake.part(entity, bucket).unwrap();
        for repo in (0..REPOS).filter(|repo| lake::bucket(*repo) == bucket) {
            of(repo, &mut |row| {
                let Value::Object(mut row) = row else { panic!("a row is an object") };
                let mut whole = Map::new();
                if engine::export::has_repo(entity) {
                    whole.insert("repo".to_owned(), format!("acme/repo-{repo:02}").into());
                }
                for field in entity.fields {
                    let absent = if matches!(field.kind, entities::Kind::Texts | entities::Kind::Integers) { json!([]) } else { Value::Null };
                    whole.insert(field.name.to_owned(), row.remove(field.name).unwrap_or(absent));
                }
                part.row(&whole).unwrap();
            });
        }
        part.finish().unwrap();
    }
}

fn fill(dir: &Path, pulls: u64, commits: u64) {
    let question = Question { of: "bench".to_owned(), entities: Vec::new(), repos: Vec::new() };
    let mut whole = Lake::open(dir, question, NOW.parse().unwrap()).unwrap();
    let lake = &mut whole;
    write(lake, &entities::REPOSITORIES, |repo, row| {
        row(json!({ "id": repo, "full_name": format!("acme/repo-{repo:02}"), "name": format!("repo-{repo:02}"), "owner": "acme", "default_branch": "main" }));
    });
    write(lake, &entities::USERS, |repo, row| {
        for user in (0..800).filter(|user| user % REPOS == repo) {
            row(json!({ "id": user, "login": format!("dev-{user}"), "is_bot": user % 50 == 0, "type": "User" }));
        }
    });
    write(lake, &entities::TEAMS, |repo, row| row(json!({ "id": repo, "slug": format!("team-{repo}"), "members": [format!("dev-{repo}")] })));
    // The same draws make the same pull requests for each entity that is about them.
    let each_pull = |repo: u64, tell: &mut dyn FnMut(u64, &mut Random, Timestamp, Timestamp)| {
        for number in 1..=share(repo, pulls) {
            let mut random = Random(1 + repo * 10_000_000 + number);
            let created = at(&mut random);
            let merged = later(created, &mut random);
            tell(number, &mut random, created, merged);
        }
    };
    let item = |number: u64, random: &mut Random, created: Timestamp, closed: Timestamp| {
        json!({ "number": number, "id": number, "node_id": format!("N_{number}"), "title": "Something to do about it", "body": "Because of a reason. ".repeat(10),
            "author": who(random), "created_at": created.to_string(), "updated_at": closed.to_string(), "closed_at": closed.to_string(),
            "labels": [format!("label-{}", random.below(20))], "assignees": [who(random)], "state": "closed" })
    };
    write(lake, &entities::PULL_REQUESTS, |repo, row| {
        each_pull(repo, &mut |number, random, created, merged| {
            let mut one = item(number, random, created, merged);
            let size = random.below(2000);
            for (name, value) in [
                ("merged_at", json!(merged.to_string())),
                ("base_ref", json!("main")),
                ("first_commit_at", json!(created.to_string())),
                ("merged_by", json!(who(random))),
                ("additions", json!(size)),
                ("deletions", json!(size / 3)),
                ("changed_files", json!(size / 40 + 1)),
                ("merge_commit_sha", json!(sha(random))),
            ] {
                one[name] = value;
            }
            row(one);
        });
    });
    let said = |repo: u64, many: u64, row: &mut dyn FnMut(Value), make: &dyn Fn(u64, String, String) -> Value| {
        each_pull(repo, &mut |number, random, created, _| {
            for _ in 0..random.below(many) {
                let by = who(random);
                row(make(number, by, later(created, random).to_string()));
            }
        });
    };
    write(lake, &entities::REVIEWS, |repo, row| {
        said(repo, 4, row, &|number, by, at| json!({ "pull_request": number, "author": by, "state": "APPROVED", "submitted_at": at, "body": "Good." }));
    });
    write(lake, &entities::REVIEW_COMMENTS, |repo, row| {
        said(repo, 6, row, &|number, by, at| json!({ "pull_request": number, "author": by, "created_at": at, "body": "What is this for? ".repeat(5) }));
    });
    write(lake, &entities::ISSUES, |repo, row| {
        each_pull(repo, &mut |number, random, created, closed| row(item(10_000_000 + number, random, created, closed)));
    });
    write(lake, &entities::ISSUE_COMMENTS, |repo, row| {
        said(
            repo,
            4,
            row,
            &|number, by, at| json!({ "number": number, "on": "pull request", "author": by, "created_at": at, "body": "I think so. ".repeat(8) }),
        );
        said(
            repo,
            4,
            row,
            &|number, by, at| json!({ "number": 10_000_000 + number, "on": "issue", "author": by, "created_at": at, "body": "Me too. ".repeat(8) }),
        );
    });
    write(lake, &entities::ISSUE_EVENTS, |repo, row| {
        said(repo, 4, row, &|number, by, at| json!({ "number": 10_000_000 + number, "on": "issue", "event": "closed", "actor": by, "created_at": at }));
    });
    write(lake, &entities::REVIEW_REQUESTS, |repo, row| {
        said(repo, 3, row, &|number, by, at| json!({ "pull_request": number, "reviewer": by, "requested_at": at }));
    });
    write(lake, &entities::PULL_REQUEST_COMMITS, |repo, row| {
        said(
            repo,
            8,
            row,
            &|number, by, at| json!({ "pull_request": number, "sha": format!("{number:040x}"), "author": by, "authored_at": at, "committed_at": at, "message": "Go on" }),
        );
    });
    // The same draws make the same commits for their files.
    let each_commit = |repo: u64, tell: &mut dyn FnMut(String, Timestamp, &mut Random)| {
        for place in 1..=share(repo, commits) {
            let mut random = Random(7 + repo * 10_000_000 + place);
            // In the order of their hashes, as keys are.
            let sha = format!("{:08x}{:032x}", (place << 32) / (share(repo, commits) + 1), random.draw());
            let at = at(&mut random);
            tell(sha, at, &mut random);
        }
    };
    write(lake, &entities::COMMITS, |repo, row| {
        each_commit(repo, &mut |sha, at, random| {
            let by = who(random);
            row(json!({ "sha": sha, "author_login": by, "author_email": format!("{by}@example.com"), "author_name": by, "authored_at": at.to_string(),
                "committed_at": at.to_string(), "message": "Make it better\n\nFor a reason that is told here.", "parents": [sha], "additions": random.below(200),
                "deletions": random.below(90), "changed_files": 2, "on_default_branch": true }));
        });
    });
    write(lake, &entities::COMMIT_FILES, |repo, row| {
        each_commit(repo, &mut |sha, at, random| {
            for _ in 0..2 {
                let path = format!("src/module_{}/file_{}.{}", random.below(40), random.below(60), ["rs", "md", "toml", "py", "ts"][random.below(5) as usize]);
                let before = random.chance(90).then(|| (at - SignedDuration::from_hours(i64::try_from(random.below(2000)).unwrap())).to_string());
                row(json!({ "sha": sha, "path": path, "status": "modified", "additions": random.below(100), "deletions": random.below(40),
                    "committed_at": at.to_string(), "previous_committed_at": before }));
            }
        });
    });
    write(lake, &entities::DEPLOYMENTS, |repo, row| {
        let mut random = Random(3 + repo);
        for id in 0..500 {
            let at = at(&mut random);
            let statuses = json!([{ "state": "success", "created_at": at.to_string(), "author": null }]);
            row(json!({ "id": id, "sha": sha(&mut random), "environment": "production", "created_at": at.to_string(), "statuses": statuses }));
        }
    });
    whole.finish().unwrap();
}

/// `VmHWM`: the most memory that was ever resident.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells it");
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
