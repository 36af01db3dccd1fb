//! Reports that are tables or one time of each item, for random pull requests and commits: however they are grouped, they
//! tell the same; and of a past moment what was then.

use super::{question, seeds, time};
use engine::report::{
    Across, Cell, Commit, Commits, Item, Longest, MOST, Of, Pull, Question, Request, Requests, Said, Sheet, Shipment, Word, collaboration, commits_by,
    committers, density, production, resolution, response, size,
};
use jiff::{SignedDuration, Timestamp};
use sim::Random;
use std::collections::BTreeSet;

const NOW: &str = "2026-03-15T10:11:12Z";
const WHO: [&str; 4] = ["ada", "bob", "carol", "dan"];

fn later(random: &mut Random, from: Timestamp, most: u64) -> Timestamp {
    from + SignedDuration::from_secs(i64::try_from(random.below(most)).unwrap())
}

fn someone(random: &mut Random) -> Option<String> {
    random.chance(90).then(|| WHO[random.below(4) as usize].to_owned())
}

fn pull(random: &mut Random, number: u64) -> Pull {
    let created_at = later(random, time("2026-01-01T00:00:00Z"), 100 * 86_400);
    let author = someone(random);
    let mut said = Vec::new();
    for _ in 0..random.below(5) {
        let by = someone(random).filter(|by| Some(by) != author.as_ref());
        let what = [Word::Comment, Word::Review, Word::Approval][random.below(3) as usize];
        said.push(Said { at: later(random, created_at, 10 * 86_400), by: by.map(Into::into), what });
    }
    let closed_at = random.chance(70).then(|| later(random, created_at, 20 * 86_400));
    let merged = closed_at.is_some() && random.chance(80);
    let comments = said.iter().filter(|said| said.what == Word::Comment).count() as u64 + random.below(3);
    let item = Item {
        repo: format!("acme/repo-{}", random.below(3)),
        number,
        labels: ["bug", "feature"].into_iter().filter(|_| random.chance(40)).map(str::to_owned).collect(),
        milestone: random.chance(30).then(|| "1.0".to_owned()),
        author,
        created_at,
        closed_at,
        said,
        comments,
        ..Item::default()
    };
    Pull {
        item,
        merged_at: closed_at.filter(|_| merged),
        merged_by: someone(random),
        additions: random.chance(95).then(|| random.below(1500)),
        deletions: Some(random.below(300)),
        changed_files: Some(random.below(30)),
        merge_commit_sha: Some(format!("c{number}")),
        ..Pull::default()
    }
}

fn pulls(random: &mut Random) -> Vec<Pull> {
    (0..30).map(|number| pull(random, number)).collect()
}

fn number(row: &[Cell], at: usize) -> u64 {
    match row.get(at) {
        Some(Cell::Number(number)) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// The sum of each column that holds numbers which add up.
fn sums(sheet: &Sheet, columns: &[usize]) -> Vec<u64> {
    columns.iter().map(|at| sheet.rows.iter().map(|row| number(row, *at)).sum()).collect()
}

/// Groups of which every item is in one.
const DIVIDED: [Across; 6] = [Across::All, Across::Repository, Across::Creator, Across::Milestone, Across::Week, Across::ClosedWeek];

#[test]
fn however_pull_requests_are_grouped_the_same_are_counted() {
    for seed in seeds() {
        let mut random = Random(seed);
        let pulls = pulls(&mut random);
        let mut requests = Requests::new();
        for number in 0..30 {
            if random.chance(50) {
                let of = BTreeSet::from([WHO[random.below(4) as usize].to_owned()]);
                requests.entry(number).or_default().push(Request { at: later(&mut random, time("2026-01-01T00:00:00Z"), 90 * 86_400), of });
            }
        }
        let all = vec![(pulls.clone(), requests)];
        let merged = pulls.iter().filter(|pull| pull.merged_at.is_some_and(|at| at <= time(NOW))).count() as u64;
        let asked = |across| question(across, NOW);
        let whole = (
            sums(&collaboration(&all, &asked(Across::All)), &[1, 2, 3, 4, 5, 6]),
            sums(&size(&pulls, (100, 1000), &asked(Across::All)), &[1, 2, 3, 4]),
            sums(&density(&pulls, &asked(Across::All)), &[1, 2, 3, 5, 7]),
        );
        assert_eq!((whole.0[0], whole.0[1..].iter().sum::<u64>(), whole.2[0]), (merged, merged, merged), "seed {seed}");
        for across in DIVIDED {
            let divided = (
                sums(&collaboration(&all, &asked(across)), &[1, 2, 3, 4, 5, 6]),
                sums(&size(&pulls, (100, 1000), &asked(across)), &[1, 2, 3, 4]),
                sums(&density(&pulls, &asked(across)), &[1, 2, 3, 5, 7]),
            );
            assert_eq!(divided, whole, "seed {seed}, {across:?}");
        }
    }
}

/// What was known then.
fn as_of(pull: &Pull, then: Timestamp) -> Option<Pull> {
    let mut pull = pull.clone();
    let known = |at: Option<Timestamp>| at.filter(|at| *at <= then);
    pull.item.said.retain(|said| said.at <= then);
    pull.item.closed_at = known(pull.item.closed_at);
    pull.merged_at = known(pull.merged_at);
    (pull.item.created_at <= then).then_some(pull)
}

#[test]
fn a_time_is_told_of_each_that_ended_and_of_a_past_moment_as_it_was_then() {
    for seed in seeds() {
        let mut random = Random(seed);
        let pulls = pulls(&mut random);
        let mut shipments: Vec<Shipment> = (0..random.below(12))
            .map(|_| {
                let at = later(&mut random, time("2026-01-01T00:00:00Z"), 90 * 86_400);
                let sha = format!("c{}", random.below(40));
                let committed_at = random.chance(80).then(|| at - SignedDuration::from_secs(i64::try_from(random.below(9 * 86_400)).unwrap()));
                Shipment { sha, at, committed_at }
            })
            .collect();
        shipments.sort_by_key(|shipment| shipment.at);
        for now in ["2026-02-10T00:00:00Z", NOW] {
            let then = time(now);
            let known: Vec<Pull> = pulls.iter().filter_map(|pull| as_of(pull, then)).collect();
            let items = |pulls: &[Pull]| pulls.iter().map(|pull| pull.item.clone()).collect::<Vec<Item>>();
            for across in DIVIDED {
                let asked: Question = question(across, now);
                let of = |pulls: &[Pull]| {
                    let shipped = production(&[(pulls.to_vec(), shipments.clone())], &asked);
                    [response(&items(pulls), &asked), resolution(&items(pulls), &asked), shipped]
                };
                let (all, past) = (of(&pulls), of(&known));
                assert_eq!(format!("{all:?}"), format!("{past:?}"), "seed {seed}");
                for report in &all {
                    assert_eq!(report.groups.iter().map(|group| group.time.count).sum::<u64>(), report.items, "seed {seed}");
                    assert_eq!(report.groups.iter().map(|group| group.open).sum::<u64>(), report.open.len() as u64, "seed {seed}");
                }
                let [answered, closed, shipped] = &all;
                let made = known.len() as u64;
                assert_eq!(answered.items + answered.without + answered.open.len() as u64, made, "seed {seed}");
                assert_eq!((closed.items + closed.open.len() as u64, closed.without), (made, 0), "seed {seed}");
                let merged = known.iter().filter(|pull| pull.merged_at.is_some()).count() as u64;
                assert_eq!(shipped.items + shipped.open.len() as u64, merged, "seed {seed}");
                // The plain way: the first that is after the merge and has it.
                let plain: i64 = known
                    .iter()
                    .filter_map(|pull| {
                        let merged_at = pull.merged_at?;
                        let has = |one: &&Shipment| pull.merge_commit_sha.as_ref() == Some(&one.sha) || one.committed_at.is_none_or(|at| at >= merged_at);
                        let first = shipments.iter().filter(|one| one.at >= merged_at && one.at <= then).filter(has).map(|one| one.at).min()?;
                        Some(first.as_second() - merged_at.as_second())
                    })
                    .sum();
                assert_eq!(shipped.groups.iter().map(|group| group.time.total).sum::<i64>(), plain, "seed {seed}");
            }
        }
    }
}

#[test]
fn commits_are_the_same_by_week_month_repository_and_author_and_each_person_is_told_once() {
    for seed in seeds() {
        let mut random = Random(seed);
        let mut repos: Vec<Commits> = Vec::new();
        for scope in 0..3 {
            let mut commits = Vec::new();
            for _ in 0..random.below(40) {
                let at = later(&mut random, time("2025-11-01T00:00:00Z"), 100 * 86_400);
                let author = someone(&mut random).map(Into::into);
                let count = |random: &mut Random| random.below(500);
                commits.push(Commit {
                    author,
                    authored_at: at,
                    committed_at: at,
                    additions: count(&mut random),
                    deletions: count(&mut random),
                    changed_files: count(&mut random),
                });
            }
            repos.push(Commits { repo: format!("acme/repo-{scope}").into(), scope, commits });
        }
        let whole = sums(&commits_by(&repos, Of::Everything, time(NOW)), &[1, 3, 4, 5]);
        for of in [Of::Week, Of::Month, Of::Repository, Of::Author] {
            assert_eq!(sums(&commits_by(&repos, of, time(NOW)), &[1, 3, 4, 5]), whole, "seed {seed}, {of:?}");
        }
        let people = committers(&repos, 100, time(NOW));
        let known = repos.iter().flat_map(|of| &of.commits).map(|commit| commit.author.clone()).collect::<BTreeSet<_>>();
        assert_eq!((people.rows.len(), sums(&people, &[1])[0]), (known.len(), whole.first().copied().unwrap_or(0)), "seed {seed}");
    }
}

#[test]
fn the_longest_are_kept_whatever_their_order() {
    for step in [1, 7, 299] {
        let mut longest = Longest::default();
        for place in 0..1000_u64 {
            longest.add(Some("acme/shop"), Some(place), None, i64::try_from(place * step % 1000).unwrap());
        }
        let times: Vec<i64> = longest.list().iter().map(|long| long.time).collect();
        assert_eq!(times, (0..1000).rev().take(MOST).collect::<Vec<i64>>());
    }
}
