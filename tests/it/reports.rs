//! Reports: what they compute always holds, for random histories, against plain counting, and from stored rows.
//! `SEI_SEEDS=1000` tries more histories, `SEI_SEED=n` one.

mod cycle;
mod rows;
mod sheets;

use engine::report::{Across, BusinessHours, Card, Figures, ItemKind, Measure, Question, Range, Stay, stages};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sim::Random;
use std::collections::{BTreeMap, BTreeSet};

pub fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn question(across: Across, now: &str) -> Question {
    let kinds = BTreeSet::from([ItemKind::Issue]);
    Question { across, created: Range::default(), closed: Range::default(), exclude: Vec::new(), kinds, now: time(now), measure: Measure::Calendar }
}

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    number("SEI_SEED").map_or_else(|| (1..=number("SEI_SEEDS").unwrap_or(300)).collect(), |seed| vec![seed])
}

fn weekdays() -> Vec<Weekday> {
    vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday]
}

fn berlin() -> BusinessHours {
    let hours = vec![(Time::constant(9, 0, 0, 0), Time::constant(12, 0, 0, 0)), (Time::constant(13, 0, 0, 0), Time::constant(17, 30, 0, 0))];
    let holidays = BTreeSet::from(["2026-04-03".parse().unwrap(), "2026-04-06".parse().unwrap()]);
    BusinessHours::new("Europe/Berlin", weekdays(), hours, holidays).unwrap()
}

fn card(number: u64, stays: Vec<Stay>) -> Card {
    Card {
        project: "Board".to_owned(),
        repo: Some("acme/shop".to_owned()),
        number: Some(number),
        kind: ItemKind::Issue,
        creator: Some("ada".to_owned()),
        labels: Vec::new(),
        assignees: Vec::new(),
        milestone: None,
        created_at: stays[0].start,
        closed_at: None,
        stays,
    }
}

fn stay(stage: &str, start: &str, end: Option<&str>) -> Stay {
    Stay { stage: Some(stage.into()), start: time(start), end: end.map(time) }
}

const STAGES: [&str; 4] = ["Todo", "Doing", "Review", "Done"];

/// An item that goes through stages, back and forth, with gaps, and may still be in one.
fn random_card(random: &mut Random, number: u64) -> Card {
    let mut at = time("2026-03-02T00:00:00Z") + SignedDuration::from_secs(i64::try_from(random.below(30 * 86_400)).unwrap());
    let mut stays = Vec::new();
    for _ in 0..=random.below(6) {
        let most = [30, 4_000, 90_000, 900_000][random.below(4) as usize];
        let lasts = i64::try_from(random.below(most)).unwrap();
        let stage = random.chance(90).then(|| STAGES[random.below(4) as usize].into());
        let end = at + SignedDuration::from_secs(lasts);
        stays.push(Stay { stage, start: at, end: Some(end) });
        at = end + SignedDuration::from_secs(if random.chance(20) { 5_000 } else { 0 });
    }
    if random.chance(40) {
        stays.last_mut().unwrap().end = None;
    }
    let mut card = card(number, stays);
    card.closed_at = random.chance(50).then_some(at);
    card.labels = STAGES.iter().filter(|_| random.chance(30)).map(|name| name.to_lowercase()).collect();
    card.repo = Some(format!("acme/repo-{}", random.below(3)));
    // The order in which stays are told does not matter.
    let by = random.below(card.stays.len() as u64) as usize;
    card.stays.rotate_left(by);
    card
}

#[test]
fn intervals_sum_exactly_to_the_time_that_passed_whichever_way_they_are_grouped_and_measured() {
    for seed in seeds() {
        let mut random = Random(seed);
        let cards: Vec<Card> = (0..20).map(|number| random_card(&mut random, number)).collect();
        for measure in [Measure::Calendar, Measure::Business(berlin())] {
            let mut asked = Question { measure, ..question(Across::Stage, "2026-04-20T10:11:12Z") };
            asked.kinds.insert(ItemKind::Draft);
            let by_stage = stages(cards.clone(), &asked);
            let sum: i64 = by_stage.groups.iter().map(|group| group.sum_of_intervals.total).sum();
            if !asked.measure.is_business() {
                let passed = cards.iter().flat_map(|card| &card.stays).map(|stay| {
                    let (start, end) = (stay.start.min(asked.now), stay.end.unwrap_or(asked.now).min(asked.now));
                    end.as_second() - start.as_second()
                });
                assert_eq!(sum, passed.sum::<i64>(), "seed {seed}");
            }
            for across in [Across::Project, Across::Repository, Across::Creator, Across::Milestone, Across::Week, Across::ClosedWeek] {
                let report = stages(cards.clone(), &Question { across, ..asked.clone() });
                assert_eq!(report.groups.iter().map(|group| group.sum_of_intervals.total).sum::<i64>(), sum, "seed {seed}, {across:?}");
                assert_eq!(report.groups.iter().map(|group| group.sum_of_intervals.count).sum::<u64>(), report.items, "seed {seed}, {across:?}");
                assert_eq!(report.groups.iter().map(|group| group.open.count).sum::<u64>(), report.open.len() as u64, "seed {seed}, {across:?}");
                for group in &report.groups {
                    assert_eq!(group.stages.iter().map(|share| share.total).sum::<i64>(), group.sum_of_intervals.total, "seed {seed}: {group:?}");
                }
            }
            for group in &by_stage.groups {
                let (ours, sei) = (&group.sum_of_intervals, &group.max_end_minus_min_start);
                assert!(ours.total <= sei.total && ours.median <= sei.median && ours.count == sei.count, "seed {seed}: {group:?}");
                assert!(ours.median <= ours.p90 && ours.p90 <= ours.p95, "seed {seed}: {group:?}");
                assert_eq!(ours.distribution.iter().sum::<u64>(), ours.count, "seed {seed}");
            }
        }
    }
}

#[test]
fn what_is_excluded_takes_its_own_time_away_and_nothing_else() {
    for seed in seeds() {
        let mut random = Random(seed);
        let cards: Vec<Card> = (0..20).map(|number| random_card(&mut random, number)).collect();
        let asked = question(Across::Stage, "2026-04-20T10:11:12Z");
        let all = stages(cards.clone(), &asked);
        let some = stages(cards, &Question { exclude: vec!["dOnE".to_owned()], ..asked });
        let figures = |report: &engine::report::StageReport| -> BTreeMap<Option<String>, (Figures, Figures)> {
            let one = |group: &engine::report::Group| (group.name.clone(), (group.sum_of_intervals.clone(), group.max_end_minus_min_start.clone()));
            report.groups.iter().map(one).collect()
        };
        let mut wanted = figures(&all);
        wanted.remove(&Some("Done".to_owned()));
        assert_eq!(figures(&some), wanted, "seed {seed}");
    }
}

#[test]
fn a_report_of_a_past_moment_is_what_it_was_then() {
    for seed in seeds() {
        let mut random = Random(seed);
        let cards: Vec<Card> = (0..10).map(|number| random_card(&mut random, number)).collect();
        let then = question(Across::Repository, "2026-03-20T00:00:00Z");
        // As it was known then: what began later is not there, what ended later had not ended.
        let known = cards.iter().cloned().filter_map(|card| card.as_of(then.now)).collect();
        let (now, past) = (stages(cards, &then), stages(known, &then));
        assert_eq!(format!("{now:?}"), format!("{past:?}"), "seed {seed}");
    }
}

#[test]
fn who_comes_back_is_not_charged_for_the_time_between_and_sei_charges_it() {
    let twice = vec![
        stay("Doing", "2026-01-01T00:00:00Z", Some("2026-01-02T00:00:00Z")),
        stay("Review", "2026-01-02T00:00:00Z", Some("2026-01-08T00:00:00Z")),
        stay("Doing", "2026-01-08T00:00:00Z", Some("2026-01-09T00:00:00Z")),
    ];
    let report = stages(vec![card(1, twice)], &question(Across::Stage, "2026-02-01T00:00:00Z"));
    let doing = &report.groups[0];
    assert_eq!((doing.name.as_deref(), doing.sum_of_intervals.total / 86_400, doing.max_end_minus_min_start.total / 86_400), (Some("Doing"), 2, 8));
    assert!(report.open.is_empty() && doing.open.count == 0);
}

#[test]
fn of_open_ones_the_stage_and_the_age_are_told_and_closed_ones_are_not_open() {
    let stays = vec![stay("Todo", "2026-01-03T00:00:00Z", Some("2026-01-04T00:00:00Z")), stay("Doing", "2026-01-04T00:00:00Z", None)];
    let mut open = card(1, stays.clone());
    open.created_at = time("2026-01-01T00:00:00Z");
    let closed = Card { closed_at: Some(time("2026-01-05T00:00:00Z")), ..card(2, stays) };
    let asked = question(Across::Stage, "2026-01-11T00:00:00Z");
    let report = stages(vec![open.clone(), closed.clone()], &asked);
    let of = |stage: &str| report.groups.iter().find(|group| group.name.as_deref() == Some(stage)).unwrap().open.clone();
    assert_eq!((of("Todo").count, of("Doing").count, of("Doing").oldest), (0, 1, Some(10 * 86_400)));
    let one = &report.open[0];
    assert_eq!((report.open.len(), one.number, one.stage.as_deref(), one.age, one.in_stage), (1, Some(1), Some("Doing"), 10 * 86_400, 7 * 86_400));
    // Only those closed in a range; only those made in one.
    let closed_in = Range::parse("2026-01-05", &TimeZone::UTC, asked.now).unwrap();
    assert_eq!(stages(vec![open.clone(), closed.clone()], &Question { closed: closed_in, ..asked.clone() }).items, 1);
    let made_in = Range::parse("..2026-01-02", &TimeZone::UTC, asked.now).unwrap();
    assert_eq!(stages(vec![open, closed], &Question { created: made_in, ..asked }).items, 1);
}

#[test]
fn percentiles_are_those_of_the_definition() {
    for seed in seeds() {
        let mut random = Random(seed);
        let values: Vec<i64> = (0..random.below(60)).map(|_| i64::try_from(random.below(50)).unwrap()).collect();
        let figures = Figures::of(values.clone());
        for (percent, told) in [(50, figures.median), (90, figures.p90), (95, figures.p95)] {
            // The least value that at least so many in a hundred do not exceed.
            let plain = values.iter().filter(|value| values.iter().filter(|other| other <= value).count() * 100 >= percent * values.len()).min();
            assert_eq!(told, plain.copied(), "seed {seed}, {percent}: {values:?}");
        }
        assert_eq!((figures.total, figures.count), (values.iter().sum(), values.len() as u64), "seed {seed}");
    }
    let known = Figures::of(vec![1, 2, 3, 4]);
    assert_eq!((known.median, known.mean, known.p90, known.p95), (Some(2), Some(3), Some(4), Some(4)), "the mean, 2.5, is rounded up");
    assert_eq!((Figures::of(Vec::new()).median, Figures::of(Vec::new()).mean), (None, None));
}

/// Counts minute by minute what the clock on the wall shows.
fn minutes_at_work(start: Timestamp, end: Timestamp) -> i64 {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let holidays: [Date; 2] = ["2026-04-03".parse().unwrap(), "2026-04-06".parse().unwrap()];
    let (mut at, mut minutes) = (start, 0);
    while at < end {
        let there = at.to_zoned(zone.clone());
        let minute = i64::from(there.hour()) * 60 + i64::from(there.minute());
        let works = weekdays().contains(&there.weekday()) && !holidays.contains(&there.date());
        minutes += i64::from(works && ((540..720).contains(&minute) || (780..1050).contains(&minute)));
        at += SignedDuration::from_mins(1);
    }
    minutes
}

#[test]
fn business_hours_are_those_that_a_clock_on_the_wall_shows() {
    // Summer time begins on 2026-03-29.
    for seed in seeds().into_iter().take(60) {
        let mut random = Random(seed);
        let start = time("2026-03-23T00:00:00Z") + SignedDuration::from_mins(i64::try_from(random.below(14 * 1440)).unwrap());
        let end = start + SignedDuration::from_mins(i64::try_from(random.below(10 * 1440)).unwrap());
        let stays = vec![Stay { stage: Some("Doing".into()), start, end: Some(end) }];
        let asked = Question { measure: Measure::Business(berlin()), ..question(Across::Stage, "2026-05-01T00:00:00Z") };
        let told = stages(vec![card(1, stays)], &asked).groups[0].sum_of_intervals.total;
        assert_eq!(told, 60 * minutes_at_work(start, end), "seed {seed}: {start} to {end}");
    }
}

#[test]
fn business_hours_that_cannot_be_are_refused() {
    let (nine, five, midnight) = (Time::constant(9, 0, 0, 0), Time::constant(17, 0, 0, 0), Time::midnight());
    let made = |zone: &str, hours: Vec<(Time, Time)>| BusinessHours::new(zone, weekdays(), hours, BTreeSet::new());
    assert!(made("UTC", vec![(nine, midnight)]).is_ok(), "until midnight");
    assert!(made("UTC", vec![(midnight, nine), (five, midnight)]).is_ok(), "a night in two");
    for (zone, hours) in [("Nowhere/At-All", vec![(nine, five)]), ("UTC", vec![(five, nine)]), ("UTC", vec![(five, midnight), (nine, five)]), ("UTC", vec![])] {
        assert!(made(zone, hours.clone()).is_err(), "{zone} {hours:?}");
    }
    assert!(BusinessHours::new("UTC", Vec::new(), vec![(nine, five)], BTreeSet::new()).is_err());
}

#[test]
fn ranges_are_read_as_they_are_written() {
    let now = time("2026-06-15T12:00:00Z");
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let read = |text: &str| Range::parse(text, &berlin, now).map(|range| (range.from.map(|at| at.to_string()), range.until.map(|at| at.to_string()))).ok();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("2026-01-01..2026-03-31"), Some((some("2025-12-31T23:00:00Z"), some("2026-03-31T22:00:00Z"))));
    assert_eq!(read("2026-02"), Some((some("2026-01-31T23:00:00Z"), some("2026-02-28T23:00:00Z"))));
    assert_eq!(read("2026-02-03"), Some((some("2026-02-02T23:00:00Z"), some("2026-02-03T23:00:00Z"))));
    assert_eq!(read("..2026-01"), Some((None, some("2026-01-31T23:00:00Z"))));
    assert_eq!(read("2026-01-01T10:00:00Z.."), Some((some("2026-01-01T10:00:00Z"), None)));
    assert_eq!(read("30d"), Some((some("2026-05-16T12:00:00Z"), None)));
    for wrong in ["", "..", "yesterday", "2026-13", "2026-02-30", "2026-03-01..2026-02-01", "0d", "d", "ü", "2026-01-01T99"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
    let day = Range::parse("2026-02-03", &TimeZone::UTC, now).unwrap();
    assert!(day.takes(Some(time("2026-02-03T00:00:00Z"))) && !day.takes(Some(time("2026-02-04T00:00:00Z"))) && !day.takes(None));
}
