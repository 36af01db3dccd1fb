//! What commits changed, by `shared/git` and by `git log` on the same pack in the same run: how many commits are told
//! alike, and how long each takes. `SEI_HISTORY` names repositories, separated by commas; this project's own otherwise.
//! A number is a repository that is made up here, of so many commits.
//!
//!     SEI_HISTORY=/some/repository.git cargo bench --profile quick -p tests --bench history

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use git::{Change, History, ObjectId, Packs};
use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

type Told = Vec<(Option<String>, String, Option<(u64, u64)>)>;

fn main() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let named = std::env::var("SEI_HISTORY").unwrap_or_else(|_| own.display().to_string());
    println!("| repository | commits | alike | git log, s | 1 thread, s | 2 threads, s | commits/s | peak memory, MiB |\n|---|--:|--:|--:|--:|--:|--:|--:|");
    for name in named.split(',') {
        match name.parse() {
            Ok(commits) => compare(&made_up(commits)),
            Err(_) => compare(Path::new(name)),
        }
    }
}

/// A repository of 3,000 files, of which each commit changes one to five, moves one now and then, and takes one away.
fn made_up(commits: u64) -> PathBuf {
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("made-up-{commits}.git"));
    let _ = std::fs::remove_dir_all(&to);
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&to).args(arguments);
        git
    };
    assert!(Command::new("git").args(["init", "-q", "--bare", "-b", "main"]).arg(&to).status().expect("git runs").success());
    let mut import = git(&["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn().expect("git runs");
    let mut out = BufWriter::new(import.stdin.take().expect("a pipe"));
    let mut random = sim::Random(7);
    let mut files: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for number in 0..commits {
        let at = 1_500_000_000 + number * 600;
        write!(out, "commit refs/heads/main\ncommitter Ada <ada@example.com> {at} +0000\ndata 6\nChange\n").expect("git reads");
        for _ in 0..=random.below(5) {
            let path = format!("area-{:02}/part-{}/file-{:02}.txt", random.below(30), random.below(5), random.below(20));
            let lines = files.entry(path.clone()).or_default();
            for _ in 0..=random.below(12) {
                let place = usize::try_from(random.below(lines.len() as u64 + 1)).unwrap_or(0);
                if lines.len() > 150 || random.chance(30) && place < lines.len() {
                    lines.remove(place.min(lines.len() - 1));
                } else {
                    lines.insert(place, random.below(5000));
                }
            }
            let text: String = lines.iter().map(|word| format!("line of words number {word}\n")).collect();
            write!(out, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).expect("git reads");
        }
        if random.chance(2) {
            let from = files.keys().nth(usize::try_from(random.below(files.len() as u64)).unwrap_or(0)).cloned();
            if let Some((path, lines)) = from.and_then(|path| files.remove_entry(&path)) {
                if random.chance(70) {
                    let to = format!("moved/{number}-{}", path.rsplit('/').next().unwrap_or_default());
                    writeln!(out, "R {path} {to}").expect("git reads");
                    files.insert(to, lines);
                } else {
                    writeln!(out, "D {path}").expect("git reads");
                }
            }
        }
    }
    drop(out);
    assert!(import.wait().expect("git ends").success());
    assert!(git(&["symbolic-ref", "HEAD", "refs/heads/main"]).status().expect("git runs").success());
    assert!(git(&["repack", "-adq"]).status().expect("git runs").success());
    to
}

fn compare(repository: &Path) {
    let packed = packed(repository);
    let started = Instant::now();
    let output = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["log", "--numstat", "-M", "--diff-merges=first-parent", "-z", "--format=commit:%H", "HEAD"])
        .env("GIT_NO_LAZY_FETCH", "1")
        .output()
        .expect("git runs");
    let theirs_took = started.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs = parse(&output.stdout);
    let ids: Vec<ObjectId> = theirs.iter().map(|(id, _)| *id).collect();
    let packs = Packs::open(&packed).expect("the packs can be read");
    let mut took = Vec::new();
    let mut ours = Vec::new();
    for threads in [1, 2] {
        let started = Instant::now();
        ours = History::of(&[&packs], threads).changes(&ids);
        took.push(started.elapsed());
    }
    let mut alike = 0;
    for ((id, theirs), ours) in theirs.iter().zip(&ours) {
        match ours {
            Ok(changed) if told(&changed.files) == *theirs => alike += 1,
            Ok(changed) if std::env::var("SEI_SHOW").is_ok() => {
                let ours = told(&changed.files);
                let only = |left: &Told, right: &Told| left.iter().filter(|one| !right.contains(one)).take(3).cloned().collect::<Vec<_>>();
                eprintln!("{id}: git {:?}, ours {:?}", only(theirs, &ours), only(&ours, theirs));
            }
            Ok(_) => {}
            Err(error) => eprintln!("{id}: {error}"),
        }
    }
    let count = u32::try_from(ids.len()).unwrap_or(u32::MAX);
    println!(
        "| {} | {count} | {alike} ({:.3} %) | {:.2} | {:.2} | {:.2} | {:.0} | {} |",
        repository.file_name().map_or_else(|| "this one".into(), |name| if name == ".." { "this one".into() } else { name.to_string_lossy() }),
        100.0 * f64::from(alike) / f64::from(count),
        theirs_took.as_secs_f64(),
        took[0].as_secs_f64(),
        took[1].as_secs_f64(),
        f64::from(count) / took[1].as_secs_f64(),
        peak_memory(),
    );
}

/// Where the repository's packs are; one that is not packed is packed into the build directory first.
fn packed(repository: &Path) -> PathBuf {
    let inside = |path: &str| repository.join(path);
    let found = [inside("objects/pack"), inside(".git/objects/pack")].into_iter().find(|path| path.is_dir()).expect("a repository");
    let loose = Command::new("git").arg("-C").arg(repository).args(["count-objects"]).output().expect("git runs");
    if loose.stdout.starts_with(b"0 ") {
        return found;
    }
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packed");
    let _ = std::fs::remove_dir_all(&to);
    std::fs::create_dir_all(&to).expect("the build directory can be written to");
    let script = format!("git -C {} rev-list --objects HEAD | git -C {0} pack-objects -q {}/pack", repository.display(), to.display());
    assert!(Command::new("sh").args(["-c", &script]).status().expect("a shell").success());
    to
}

fn parse(output: &[u8]) -> Vec<(ObjectId, Told)> {
    let text = String::from_utf8_lossy(output);
    let mut tokens = text.split('\0').map(|token| token.trim_start_matches('\n'));
    let mut all: Vec<(ObjectId, Told)> = Vec::new();
    while let Some(token) = tokens.next() {
        if let Some(id) = token.strip_prefix("commit:") {
            all.push((ObjectId::from_hex(id.as_bytes()).expect("an id"), Vec::new()));
            continue;
        }
        let mut parts = token.splitn(3, '\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let numbers = added.parse().ok().zip(removed.parse().ok());
        let file = if path.is_empty() {
            let from = tokens.next().expect("where from").to_owned();
            (Some(from), tokens.next().expect("where to").to_owned(), numbers)
        } else {
            (None, path.to_owned(), numbers)
        };
        all.last_mut().expect("a commit").1.push(file);
    }
    for (_, files) in &mut all {
        files.sort();
    }
    all
}

fn told(files: &[Change]) -> Told {
    let mut told: Told =
        files.iter().map(|file| (file.previous_path.clone(), file.path.clone(), (!file.binary).then_some((file.additions, file.deletions)))).collect();
    told.sort();
    told
}

fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.map_or_else(|| "?".to_owned(), |kib| (kib / 1024).to_string())
}
