//! The cycle of pull requests: what each step is, and that the steps add up.

use super::{question, seeds, time};
use engine::report::{Across, Bounds, Grade, Item, Pull, Said, Step, Word, cycle};
use jiff::{SignedDuration, Timestamp};
use sim::Random;
use std::collections::BTreeMap;

fn pull(number: u64, created_at: Timestamp) -> Pull {
    let item = Item { repo: "acme/shop".to_owned(), number, author: Some("ada".to_owned()), created_at, ..Item::default() };
    Pull { item, ..Pull::default() }
}

/// Bob comments then, and Carol approves.
fn said(mut pull: Pull, responses: &[Timestamp], approvals: &[Timestamp]) -> Pull {
    let word = |at: &Timestamp, by: &str, what| Said { at: *at, by: Some(by.into()), what };
    pull.item.said.extend(responses.iter().map(|at| word(at, "bob", Word::Comment)));
    pull.item.said.extend(approvals.iter().map(|at| word(at, "carol", Word::Approval)));
    pull
}

fn closed(mut pull: Pull, at: Timestamp) -> Pull {
    pull.item.closed_at = Some(at);
    pull
}

#[test]
fn first_commit_creation_first_response_first_approval_and_merge_bound_the_steps() {
    // The example that Harness SEI's documentation gives: 5, 1, 4 and 4 minutes, 14 in all.
    let at = |minutes: i64| time("2026-01-05T10:00:00Z") + SignedDuration::from_mins(minutes);
    let one = Pull { first_commit_at: Some(at(5)), merged_at: Some(at(19)), ..closed(pull(1, at(10)), at(19)) };
    let one = said(one, &[at(15), at(11), at(30)], &[at(18), at(15), at(30)]);
    let report = cycle(&[one], &question(Across::Stage, "2026-02-01T00:00:00Z"), &BTreeMap::new());
    let minutes: Vec<i64> = report.groups[0].steps.iter().map(|step| step.time.mean.unwrap() / 60).collect();
    assert_eq!(minutes, [5, 1, 4, 4, 14]);
}

#[test]
fn what_is_not_known_is_not_counted_and_the_total_is_all_the_same() {
    let day = |day: i64| time("2026-01-01T00:00:00Z") + SignedDuration::from_hours(24 * day);
    // Merged by its author, nobody said a word before.
    let alone = said(Pull { first_commit_at: Some(day(0)), merged_at: Some(day(3)), ..pull(1, day(1)) }, &[day(5)], &[day(5)]);
    // Its commits are younger than itself.
    let early = Pull { first_commit_at: Some(day(4)), merged_at: Some(day(9)), ..closed(pull(2, day(2)), day(9)) };
    let abandoned = said(closed(pull(3, day(1)), day(2)), &[day(2)], &[]);
    let waiting = said(pull(4, day(1)), &[day(3)], &[]);
    let bounds = BTreeMap::from([(Step::Total, Bounds { good: 3 * 86_400, acceptable: 6 * 86_400 })]);
    let report = cycle(&[alone, early, abandoned, waiting], &question(Across::Stage, "2026-01-11T00:00:00Z"), &bounds);
    let group = &report.groups[0];
    let counts: Vec<u64> = group.steps.iter().map(|step| step.time.count).collect();
    assert_eq!((report.items, group.open, counts.as_slice()), (2, 1, [2, 0, 0, 0, 2].as_slice()));
    let (coding, total) = (&group.steps[0], &group.steps[4]);
    assert_eq!((coding.time.total, total.time.total), (86_400, 10 * 86_400));
    assert_eq!((total.good, total.acceptable, total.slow, total.grade), (1, 0, 1, Some(Grade::Acceptable)));
    let open = &report.open[0];
    assert_eq!((open.number, open.step, open.age, open.in_step), (4, Step::Review, 9 * 86_400, 7 * 86_400));
}

#[test]
fn where_all_is_known_the_steps_sum_up_exactly_to_the_total() {
    for seed in seeds() {
        let mut random = Random(seed);
        let mut later = |from: Timestamp| from + SignedDuration::from_secs(i64::try_from(random.below(900_000)).unwrap());
        let pulls: Vec<Pull> = (0..20)
            .map(|number| {
                let first = later(time("2026-01-01T00:00:00Z"));
                let created = later(first);
                let responded = later(created);
                let approved = later(responded);
                let merged = later(approved);
                let one = Pull { first_commit_at: Some(first), merged_at: Some(merged), ..closed(pull(number, created), merged) };
                said(one, &[approved, responded], &[approved, merged])
            })
            .collect();
        let report = cycle(&pulls, &question(Across::Repository, "2027-01-01T00:00:00Z"), &BTreeMap::new());
        let totals: Vec<i64> = report.groups[0].steps.iter().map(|step| step.time.total).collect();
        assert_eq!(totals[..4].iter().sum::<i64>(), totals[4], "seed {seed}");
        let passed: i64 = pulls.iter().map(|pull| pull.merged_at.unwrap().as_second() - pull.first_commit_at.unwrap().as_second()).sum();
        assert_eq!((totals[4], report.items), (passed, 20), "seed {seed}");
    }
}
