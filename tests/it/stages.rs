//! Histories of stages from every combination of sources, out of order, doubled and with gaps. Pure: asks no server.

use engine::stages::{History, Known, Link, OptionName, Sighting, Source, Stage, Stay, Text, What, stays};
use jiff::{SignedDuration, Timestamp};
use sim::Random;
use std::collections::BTreeMap;

/// What really happened to one issue on one board.
struct Truth {
    steps: Vec<Step>,
    /// When the board was read, and what each option was called when.
    polls: Vec<Timestamp>,
    names: Vec<Vec<(Timestamp, String)>>,
    start: Timestamp,
    archives: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Step {
    at: Timestamp,
    what: What,
    from: Option<usize>,
    to: Option<usize>,
    item: String,
}

#[derive(Debug, Clone, PartialEq)]
struct At {
    on: bool,
    archived: bool,
    stage: Option<usize>,
    item: String,
    created: Timestamp,
    set_at: Option<Timestamp>,
    changed: Timestamp,
}

const ISSUE: (u64, u64) = (1296269, 7);

fn later(at: Timestamp, seconds: u64) -> Timestamp {
    at + SignedDuration::from_secs(i64::try_from(seconds).unwrap())
}

/// A step that finds no item makes it: a webhook tells of an item what it knows.
fn apply(state: &mut Option<At>, step: &Step) {
    let created = step.at;
    let fresh = At { on: true, archived: false, stage: None, item: step.item.clone(), created, set_at: None, changed: created };
    if step.what == What::Added {
        *state = Some(fresh);
        return;
    }
    let state = state.get_or_insert(fresh);
    (state.changed, state.item) = (step.at, step.item.clone());
    match step.what {
        What::Removed => state.on = false,
        What::Archived => state.archived = true,
        What::Restored => state.archived = false,
        _ => (state.stage, state.set_at) = (step.to, Some(step.at)),
    }
}

impl Truth {
    fn make(random: &mut Random) -> Self {
        let start: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let archives = random.chance(50);
        let (mut steps, mut at) = (Vec::<Step>::new(), start);
        let (mut on, mut archived, mut stage, mut items) = (false, false, None, 0);
        for _ in 0..3 + random.below(14) {
            // Often within the same second or the next few: automation, or somebody dragging back and forth.
            let quick = random.chance(30) && steps.len() > 1;
            at = later(at, if quick { random.below(4) } else { 5 + random.below(3 * 86_400) });
            let (what, from, to) = match (on, archived) {
                (false, _) => (What::Added, None, None),
                (true, true) if random.chance(90) => (What::Restored, stage, stage),
                (true, false) if archives && random.chance(12) => (What::Archived, stage, stage),
                (true, _) if archived || random.chance(10) => (What::Removed, stage, None),
                _ => {
                    let options = [None, Some(0), Some(1), Some(2), Some(3)];
                    let to = options[usize::try_from(random.below(5)).unwrap()];
                    if to == stage {
                        continue;
                    }
                    (What::Moved, stage, to)
                }
            };
            // The same twice within seconds is told apart by nobody.
            let near = |step: &&Step| step.what == what && (step.from, step.to) == (from, to) && later(step.at, 10) >= at;
            if steps.iter().any(|step| near(&step)) {
                continue;
            }
            // What is put into the archive, or taken out, within the second of a move has no order that anybody could tell.
            let last = steps.last().map(|last| (last.at, last.what));
            let archival = |what: What| matches!(what, What::Archived | What::Restored);
            if last.is_some_and(|(then, before)| then == at && (archival(what) || archival(before))) {
                at = later(at, 1);
            }
            match what {
                What::Added => (on, archived, stage, items) = (true, false, None, items + 1),
                What::Removed => (on, archived, stage) = (false, false, None),
                What::Archived => archived = true,
                What::Restored => archived = false,
                What::Moved => stage = to,
            }
            steps.push(Step { at, what, from, to, item: format!("PVTI_{items}") });
        }
        let mut polls = Vec::new();
        let mut poll = start;
        while poll < later(at, 86_400) {
            poll = later(poll, 600 + random.below(2 * 86_400));
            // Which of two clocks is ahead within a second is no matter here.
            while steps.iter().any(|step| (step.at.as_second() - poll.as_second()).abs() <= 2) {
                poll = later(poll, 5);
            }
            polls.push(poll);
        }
        let mut names: Vec<Vec<(Timestamp, String)>> = (0..4).map(|option| vec![(start, format!("Stage {option}"))]).collect();
        if random.chance(40) && polls.len() > 2 {
            let option = usize::try_from(random.below(4)).unwrap();
            let renamed = later(polls[polls.len() / 2], 1);
            names[option].push((renamed, format!("Renamed {option}")));
        }
        Self { steps, polls, names, start, archives }
    }

    fn name(&self, option: usize, at: Timestamp) -> String {
        self.names[option].iter().rev().find(|(since, _)| *since <= at).unwrap_or(&self.names[option][0]).1.clone()
    }

    fn last_name(&self, option: Option<usize>) -> Option<String> {
        option.map(|option| self.names[option].last().unwrap().1.clone())
    }

    /// As the fields of the board tell it, reading by reading.
    fn options(&self) -> Vec<OptionName> {
        let mut all = Vec::new();
        for (option, names) in self.names.iter().enumerate() {
            for (index, (_, name)) in names.iter().enumerate() {
                let until = names.get(index + 1).map(|(since, _)| *self.polls.iter().find(|poll| *poll >= since).unwrap());
                all.push(OptionName { id: format!("o{option}").into(), name: name.as_str().into(), until });
            }
        }
        all
    }

    fn links(&self) -> Vec<Link> {
        let mut items: Vec<String> = self.steps.iter().map(|step| step.item.clone()).collect();
        items.dedup();
        items
            .into_iter()
            .map(|item| Link {
                gone: self.at(Timestamp::MAX).is_none_or(|last| !last.on || last.item != item),
                item: item.into(),
                content: Some("I_7".into()),
                issue: Some(ISSUE),
            })
            .collect()
    }

    fn stage(&self, option: Option<usize>, at: Timestamp, id: bool) -> Option<Stage> {
        option.map(|option| Stage { id: id.then(|| format!("o{option}").into()), name: self.name(option, at).into() })
    }

    fn at(&self, when: Timestamp) -> Option<At> {
        let mut state: Option<At> = None;
        for step in self.steps.iter().filter(|step| step.at <= when) {
            apply(&mut state, step);
        }
        state
    }

    fn webhooks(&self, steps: &[Step]) -> Vec<Sighting> {
        let sighting = |step: &Step| Sighting {
            item: Some(step.item.as_str().into()),
            content: Some("I_7".into()),
            field_id: (step.what == What::Moved).then(|| "F".into()),
            from: (step.what == What::Moved).then(|| self.stage(step.from, step.at, true)),
            to: if step.what == What::Moved { self.stage(step.to, step.at, true) } else { None },
            ..Sighting::exact(Source::Webhook, step.what, step.at)
        };
        steps.iter().map(sighting).collect()
    }

    /// Timelines know names alone, nothing of the archive, and another clock.
    fn timeline(&self, random: &mut Random) -> Vec<Sighting> {
        let behind = random.below(2);
        let told = self.steps.iter().enumerate().filter(|(_, step)| matches!(step.what, What::Added | What::Moved | What::Removed));
        told.map(|(index, step)| Sighting {
            issue: Some(ISSUE),
            from: (step.what == What::Moved).then(|| self.stage(step.from, step.at, false)),
            to: if step.what == What::Moved { self.stage(step.to, step.at, false) } else { None },
            event: Some(format!("E_{index}").into()),
            ..Sighting::exact(Source::Timeline, step.what, later(step.at, behind))
        })
        .collect()
    }

    /// Compared with the rows, which know what the webhooks told that have `arrived`.
    fn snapshots(&self, arrived: &[Step]) -> Vec<Sighting> {
        let mut all = Vec::new();
        let mut rows: BTreeMap<String, At> = BTreeMap::new();
        let mut last: Option<Timestamp> = None;
        for &poll in &self.polls {
            for step in arrived.iter().filter(|step| step.at <= poll && last.is_none_or(|last| last < step.at)) {
                let mut row = rows.remove(&step.item);
                let read = row.as_ref().map(|row| row.changed);
                apply(&mut row, step);
                // What the board was like when it was last read is another matter than what webhooks told since.
                row.iter_mut().for_each(|row| row.changed = read.unwrap_or(row.created));
                rows.extend(row.filter(|row| row.on).map(|row| (step.item.clone(), row)));
            }
            let now = self.at(poll).filter(|state| state.on);
            let about = |state: &At, what: What, at: Timestamp| Sighting {
                item: Some(state.item.as_str().into()),
                content: Some("I_7".into()),
                issue: Some(ISSUE),
                ..Sighting::exact(Source::Snapshot, what, at)
            };
            for old in rows.values().filter(|old| now.as_ref().is_none_or(|now| now.item != old.item)) {
                all.push(Sighting { earliest: last.unwrap_or(old.created), ..about(old, What::Removed, poll) });
            }
            if let Some(now) = &now {
                let known = rows.get(&now.item);
                if known.is_none() {
                    all.push(about(now, What::Added, now.created));
                }
                let earliest = known.and(last).map_or(now.created, |last| last.max(now.created));
                let touched = known.is_some_and(|old| old.changed != now.changed);
                if known.is_some_and(|old| old.archived) != now.archived || now.archived && touched {
                    let what = if now.archived { What::Archived } else { What::Restored };
                    all.push(Sighting { earliest, set_at: Some(now.changed), ..about(now, what, poll) });
                }
                let set = if now.stage.is_some() {
                    known.is_some_and(|old| old.set_at != now.set_at)
                } else {
                    known.map_or(now.created, |old| old.changed) != now.changed
                };
                if known.and_then(|old| old.stage) != now.stage || set {
                    let set_at = if now.stage.is_some() { now.set_at } else { Some(now.changed) };
                    let from = known.map(|old| self.stage(old.stage, poll, true));
                    let moved = Sighting { earliest, set_at, field_id: Some("F".into()), from, ..about(now, What::Moved, poll) };
                    all.push(Sighting { to: self.stage(now.stage, poll, true), ..moved });
                }
            }
            rows = now.into_iter().map(|now| (now.item.clone(), now)).collect();
            last = Some(poll);
        }
        all
    }

    /// `read`: whether the board was read at all.
    fn history(&self, sightings: &[Sighting], read: bool) -> Vec<History> {
        let known = Known { links: self.links(), options: self.options(), read_at: self.polls.last().copied().filter(|_| read) };
        History::all(sightings, &known, "Status")
    }

    /// Where the history says that the issue was.
    fn told(history: &History, when: Timestamp) -> Option<Option<String>> {
        let stay = stays(&history.transitions).into_iter().rev().find(|stay| stay.start <= when && stay.end.is_none_or(|end| when < end));
        stay.map(|stay| stay.stage.as_deref().map(str::to_owned))
    }

    fn check_polls(&self, history: &History, context: &str) {
        for &poll in &self.polls {
            let truth = self.at(poll).filter(|state| state.on && !state.archived).map(|state| self.last_name(state.stage));
            assert_eq!(Self::told(history, poll), truth, "{context}: at {poll}\n{:#?}\n{:#?}", self.steps, history.transitions);
        }
    }

    fn check_exact(&self, history: &History, slack: i64, context: &str) {
        let truth: Vec<_> = self.steps.iter().map(|step| (step.what, self.last_name(step.from), self.last_name(step.to))).collect();
        let own = |stage: &Option<Text>| stage.as_deref().map(str::to_owned);
        let told: Vec<_> = history.transitions.iter().map(|one| (one.what, own(&one.from), own(&one.to))).collect();
        assert_eq!(told, truth, "{context}\n{:#?}\n{:#?}", self.steps, history.transitions);
        for (one, step) in history.transitions.iter().zip(&self.steps) {
            assert!((one.at.as_second() - step.at.as_second()).abs() <= slack, "{context}: {one:?} {step:?}");
        }
    }
}

fn check_sums(history: &History, context: &str) {
    let stays = stays(&history.transitions);
    let now = history.transitions.last().unwrap().at + SignedDuration::from_secs(1000);
    let length = |stay: &Stay| stay.end.unwrap_or(now).duration_since(stay.start).as_secs();
    assert!(stays.iter().all(|stay| length(stay) >= 0), "{context}: {stays:?}");
    assert!(stays.windows(2).all(|two| two[0].end.unwrap() <= two[1].start), "{context}: {stays:?}");
    // From the first to the last moment, less the time off the board and in the archive.
    let (mut on, mut total) = (None, 0);
    for one in &history.transitions {
        match one.what {
            What::Added | What::Restored => on = on.or(Some(one.at)),
            What::Removed | What::Archived => total += on.take().map_or(0, |since: Timestamp| one.at.duration_since(since).as_secs()),
            What::Moved => {}
        }
    }
    total += on.map_or(0, |since| now.duration_since(since).as_secs());
    assert_eq!(stays.iter().map(length).sum::<i64>(), total, "{context}: {:#?}", history.transitions);
}

fn shuffle(random: &mut Random, all: &mut [Sighting]) {
    for index in (1..all.len()).rev() {
        let other = usize::try_from(random.below(u64::try_from(index + 1).unwrap())).unwrap();
        all.swap(index, other);
    }
}

fn seeds() -> std::ops::Range<u64> {
    match std::env::var("SEI_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..std::env::var("SEI_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1000),
    }
}

#[test]
fn any_sources_in_any_order_and_doubled_tell_one_history() {
    for seed in seeds() {
        let mut random = Random(seed);
        let truth = Truth::make(&mut random);
        let (webhooks, timeline) = (truth.webhooks(&truth.steps), truth.timeline(&mut random));
        for sources in 1..8 {
            let context = format!("SEI_SEED={seed}, sources {sources:03b} (webhook, timeline, snapshot)");
            let has = |bit: u8| sources & bit != 0;
            let mut all = Vec::new();
            all.extend(webhooks.iter().filter(|_| has(4)).cloned());
            all.extend(timeline.iter().filter(|_| has(2)).cloned());
            if has(1) {
                all.extend(truth.snapshots(if has(4) { &truth.steps } else { &[] }));
            }
            if all.is_empty() {
                continue;
            }
            let told = truth.history(&all, has(1));
            let doubled: Vec<Sighting> = all.iter().filter(|_| random.chance(40)).cloned().collect();
            all.extend(doubled);
            shuffle(&mut random, &mut all);
            assert_eq!(truth.history(&all, has(1)), told, "{context}: the order matters");
            let [history] = told.as_slice() else { panic!("{context}: {told:#?}") };
            check_sums(history, &context);
            if has(4) {
                truth.check_exact(history, 0, &context);
            } else if has(2) && !truth.archives && (has(1) || truth.names.iter().all(|names| names.len() == 1)) {
                truth.check_exact(history, 1, &context);
            }
            if has(1) {
                truth.check_polls(history, &context);
            }
        }
    }
}

#[test]
fn whatever_is_lost_of_webhooks_and_timelines_the_history_is_right_to_one_reading_of_the_board() {
    for seed in seeds() {
        let mut random = Random(seed ^ 0x5eed);
        let truth = Truth::make(&mut random);
        let arrived: Vec<Step> = truth.steps.iter().filter(|_| random.chance(60)).cloned().collect();
        let mut all = truth.snapshots(&arrived);
        all.extend(truth.webhooks(&arrived));
        let timeline = truth.timeline(&mut random);
        // Of an item that no reading found, its timeline alone can tell that it left.
        let found = |at: Timestamp| {
            truth.at(at).is_some_and(|state| truth.polls.iter().any(|poll| truth.at(*poll).is_some_and(|seen| seen.on && seen.item == state.item)))
        };
        all.extend(timeline.into_iter().filter(|one| random.chance(30) || !found(one.latest)));
        shuffle(&mut random, &mut all);
        let context = format!("SEI_SEED={seed}, lossy");
        let told = truth.history(&all, true);
        let [history] = told.as_slice() else {
            assert!(all.is_empty(), "{context}: {told:#?}");
            continue;
        };
        check_sums(history, &context);
        truth.check_polls(history, &context);
        for one in &history.transitions {
            assert!(one.earliest <= one.at && one.at <= one.latest && one.at >= truth.start, "{context}: {one:?}");
        }
    }
}
