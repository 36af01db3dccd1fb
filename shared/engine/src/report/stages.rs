//! Issue time across stages: groups items and measures how long they stayed. Pure but for `answer`, which loads them; knows no clock.

use super::ask::{AskError, Asked, wrong};
use super::cards::{Card, ItemKind, Stay, from_boards};
use super::catalogue::{Answer, Entry, Report};
use super::groups::{self, Traits};
use super::hours::Ruler;
use super::labels::{StagesOf, from_issues};
use super::longest::{Long, Longest};
use super::options;
use super::people::People;
use super::question::{Across, Question};
use super::statistics::Figures;
use crate::export::names;
use crate::ports::Rows;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(super) static ENTRY: Entry = Entry {
    name: "issue-stages",
    aliases: &[],
    title: "Issue time across stages",
    about: "How long issues stay in the stages of a project, or in those that labels or their state make",
    across: &Across::OF_CARDS,
    own: &[options::CREATED, options::CLOSED, options::LABEL, options::PROJECT, options::STAGES, options::FIELD, options::EXCLUDE_STAGE, options::KIND],
    measures: true,
    run: |store, asked| Box::pin(answer(store, asked)),
};

async fn answer(store: &dyn Rows, asked: &Asked) -> Result<Answer, AskError> {
    let question = Question::of(asked, "closed")?;
    let of = source(asked.one("stages").unwrap_or("board"))?;
    let (repos, projects, labels) = (asked.matcher("repo")?, asked.matcher("project")?, asked.all("label"));
    let people = People::load(store, asked).await?;
    let mut cards = Vec::new();
    match &of {
        None => {
            let elsewhere =
                || wrong("stages", "the histories of boards are not in exported files: read the copy itself, or ask the view issue_stages".to_owned());
            let boards = store.store().ok_or_else(elsewhere)?;
            cards = from_boards(boards, asked.one("field").unwrap_or(crate::stages::STATUS)).await?;
        }
        Some(of) => {
            for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos.takes(repo)) {
                cards.append(&mut from_issues(store, *scope, repo, of).await?);
            }
        }
    }
    let hint = cards.is_empty().then(|| nothing(of.as_ref()));
    cards.retain(|card| {
        (repos.takes_all() || card.repo.as_deref().is_some_and(|repo| repos.takes(repo)))
            && projects.takes(&card.project)
            && people.takes(card.creator.as_deref())
            && labeled(&card.labels, &labels)
    });
    for card in &mut cards {
        card.creator = people.named(card.creator.take());
    }
    Ok(Answer { report: Report::Stages(Box::new((stages(cards, &question), question))), hint })
}

/// Whether an item has one of the labels that are asked for; any will do where none is.
pub(super) fn labeled(labels: &[String], asked: &[String]) -> bool {
    asked.is_empty() || labels.iter().any(|label| asked.iter().any(|asked| asked.to_lowercase() == label.to_lowercase()))
}

/// None: from the projects' boards.
fn source(text: &str) -> Result<Option<StagesOf>, AskError> {
    match text.split_once(':') {
        None if text == "board" => Ok(None),
        None if text == "state" => Ok(Some(StagesOf::State)),
        Some(("label", prefix)) if !prefix.is_empty() => Ok(Some(StagesOf::Labels(prefix.to_owned()))),
        _ => Err(wrong("stages", format!("`{text}` is no source of stages. Write board, state or label:PREFIX, such as label:stage/"))),
    }
}

fn nothing(of: Option<&StagesOf>) -> String {
    match of {
        None => "no item of a project is in this copy: it needs the scope read:project and the group projects. Stages can also be made from labels \
                 (--stages label:PREFIX) or from open and closed (--stages state)"
            .to_owned(),
        Some(StagesOf::Labels(prefix)) => format!("no issue of this copy ever had a label that begins with `{prefix}`"),
        Some(StagesOf::State) => "no issue is in this copy".to_owned(),
    }
}

/// All times are whole seconds.
#[derive(Debug, Clone, Serialize)]
pub struct StageReport {
    pub report: &'static str,
    pub as_of: Timestamp,
    pub across: Across,
    pub measured_in: String,
    /// Items that were counted; in some groups an item may count more than once (it has several labels), in others not.
    pub items: u64,
    pub groups: Vec<Group>,
    /// Items that are open and in a stage now, the oldest first.
    pub open: Vec<OpenItem>,
    /// A few that stayed longest in a stage.
    pub longest: Vec<Long>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// Null: items without one.
    pub name: Option<String>,
    /// Per item, the lengths of its intervals summed up.
    pub sum_of_intervals: Figures,
    /// Per item, from the first start to the last end (or now): what lies between is counted, too. As Harness SEI computes it.
    pub max_end_minus_min_start: Figures,
    pub open: OpenItems,
    /// How the sum of all is divided among the stages.
    pub stages: Vec<Share>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct OpenItems {
    pub count: u64,
    /// Since the oldest was created.
    pub oldest: Option<i64>,
    pub by_stage: Vec<Waiting>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Waiting {
    pub stage: Option<String>,
    pub count: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub stage: Option<String>,
    pub total: i64,
}

#[derive(Debug, Clone, Serialize)]
pub struct OpenItem {
    pub project: String,
    pub repo: Option<String>,
    pub number: Option<u64>,
    pub kind: ItemKind,
    /// Where it is now.
    pub stage: Option<String>,
    /// Since it was created.
    pub age: i64,
    /// Since it last entered the stage.
    pub in_stage: i64,
}

/// One item's part in one group.
#[derive(Default)]
struct Part {
    sum: i64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl Part {
    fn add(&mut self, start: Timestamp, end: Timestamp, ruler: &Ruler) {
        self.sum += ruler.between(start, end);
        self.first = Some(self.first.map_or(start, |first| first.min(start)));
        self.last = Some(self.last.map_or(end, |last| last.max(end)));
    }

    fn span(&self, ruler: &Ruler) -> i64 {
        self.first.zip(self.last).map_or(0, |(first, last)| ruler.between(first, last))
    }
}

#[derive(Default)]
struct Gathered {
    sums: Vec<i64>,
    spans: Vec<i64>,
    open: u64,
    oldest: Option<i64>,
    waiting: BTreeMap<Option<String>, u64>,
    shares: BTreeMap<Option<String>, i64>,
}

/// Computes the report.
#[must_use]
pub fn stages(cards: Vec<Card>, question: &Question) -> StageReport {
    let now = question.now;
    let exclude: BTreeSet<String> = question.exclude.iter().map(|stage| stage.to_lowercase()).collect();
    let taken: Vec<Card> = cards.into_iter().filter_map(|card| card.as_of(now)).filter_map(|card| taken(card, question, &exclude)).collect();
    let instants = taken.iter().flat_map(|card| card.stays.iter().map(|stay| stay.start).chain([card.created_at]));
    let ruler = Ruler::new(&question.measure, instants.min().unwrap_or(now), now);
    let order = order(&taken);
    let zone = question.measure.zone();
    let mut groups: BTreeMap<Option<String>, Gathered> = BTreeMap::new();
    let (mut open, mut longest) = (Vec::new(), Longest::default());
    for card in &taken {
        let mut parts: BTreeMap<Option<&str>, Part> = BTreeMap::new();
        let mut whole = Part::default();
        for stay in &card.stays {
            let end = stay.end.unwrap_or(now);
            parts.entry(stay.stage.as_deref()).or_default().add(stay.start, end, &ruler);
            whole.add(stay.start, end, &ruler);
        }
        for (stage, part) in &parts {
            longest.add(card.repo.as_deref(), card.number, *stage, part.sum);
        }
        let waits = waits(card, &ruler, now);
        if question.across == Across::Stage {
            for (stage, part) in &parts {
                let group = groups.entry(stage.map(str::to_owned)).or_default();
                let here = waits.as_ref().filter(|open| open.stage.as_deref() == *stage);
                group.add(part, [(*stage, part.sum)], here, &ruler);
            }
        } else {
            for key in keys(card, question.across, &zone) {
                let shares = parts.iter().map(|(stage, part)| (*stage, part.sum));
                groups.entry(key).or_default().add(&whole, shares, waits.as_ref(), &ruler);
            }
        }
        open.extend(waits);
    }
    open.sort_by(|a, b| b.age.cmp(&a.age).then_with(|| (&a.project, &a.repo, a.number).cmp(&(&b.project, &b.repo, b.number))));
    let mut groups: Vec<Group> = groups.into_iter().map(|(name, gathered)| gathered.group(name, &order)).collect();
    match question.across {
        Across::Stage => groups.sort_by_key(|group| order.iter().position(|stage| *stage == group.name)),
        across if across.is_a_week() => {}
        _ => groups.sort_by(|a, b| b.sum_of_intervals.total.cmp(&a.sum_of_intervals.total).then_with(|| a.name.cmp(&b.name))),
    }
    let items = u64::try_from(taken.len()).unwrap_or(u64::MAX);
    StageReport {
        report: "issue-stages",
        as_of: now,
        across: question.across,
        measured_in: question.measure.about(),
        items,
        groups,
        open,
        longest: longest.list(),
    }
}

/// The card with the stays that count, if it counts at all.
fn taken(mut card: Card, question: &Question, exclude: &BTreeSet<String>) -> Option<Card> {
    let fits = question.kinds.contains(&card.kind) && question.created.takes(Some(card.created_at)) && question.closed.takes(card.closed_at);
    if !fits {
        return None;
    }
    card.stays.retain(|stay| stay.stage.as_ref().is_none_or(|stage| !exclude.contains(&stage.to_lowercase())));
    card.stays.sort_by_key(|stay| (stay.start, stay.end.is_none(), stay.end));
    (!card.stays.is_empty()).then_some(card)
}

/// Where an open item is now.
fn waits(card: &Card, ruler: &Ruler, now: Timestamp) -> Option<OpenItem> {
    let last = card.stays.last().filter(|last| last.end.is_none() && card.closed_at.is_none())?;
    // An interval that was cut in two (the same stage on both sides) is one.
    let mut since = last;
    for stay in card.stays.iter().rev().skip(1) {
        if stay.stage != last.stage || stay.end != Some(since.start) {
            break;
        }
        since = stay;
    }
    Some(OpenItem {
        project: card.project.clone(),
        repo: card.repo.clone(),
        number: card.number,
        kind: card.kind,
        stage: last.stage.as_deref().map(str::to_owned),
        age: ruler.between(card.created_at, now),
        in_stage: ruler.between(since.start, now),
    })
}

impl Gathered {
    fn add<'a>(&mut self, part: &Part, shares: impl IntoIterator<Item = (Option<&'a str>, i64)>, open: Option<&OpenItem>, ruler: &Ruler) {
        self.sums.push(part.sum);
        self.spans.push(part.span(ruler));
        for (stage, sum) in shares {
            *self.shares.entry(stage.map(str::to_owned)).or_default() += sum;
        }
        if let Some(open) = open {
            self.open += 1;
            self.oldest = self.oldest.max(Some(open.age));
            *self.waiting.entry(open.stage.clone()).or_default() += 1;
        }
    }

    fn group(self, name: Option<String>, order: &[Option<String>]) -> Group {
        let place = |stage: &Option<String>| order.iter().position(|one| one == stage);
        let mut by_stage: Vec<Waiting> = self.waiting.into_iter().map(|(stage, count)| Waiting { stage, count }).collect();
        by_stage.sort_by_key(|waiting| place(&waiting.stage));
        let mut stages: Vec<Share> = self.shares.into_iter().map(|(stage, total)| Share { stage, total }).collect();
        stages.sort_by_key(|share| place(&share.stage));
        Group {
            name,
            sum_of_intervals: Figures::of(self.sums),
            max_end_minus_min_start: Figures::of(self.spans),
            open: OpenItems { count: self.open, oldest: self.oldest, by_stage },
            stages,
        }
    }
}

fn keys(card: &Card, across: Across, zone: &TimeZone) -> Vec<Option<String>> {
    let traits = Traits {
        repo: card.repo.as_deref(),
        author: card.creator.as_deref(),
        labels: &card.labels,
        assignees: &card.assignees,
        milestone: card.milestone.as_deref(),
        created_at: card.created_at,
        ended_at: card.closed_at,
    };
    if across == Across::Project { vec![Some(card.project.clone())] } else { groups::keys(&traits, across, zone) }
}

/// Stages in the order in which items pass through them: by the mean place at which an item first entered it, between 0
/// (where it began) and 1 (where it is).
fn order(cards: &[Card]) -> Vec<Option<String>> {
    let mut places: BTreeMap<Option<&str>, (f64, f64)> = BTreeMap::new();
    for card in cards {
        let mut visited: Vec<Option<&str>> = Vec::new();
        for Stay { stage, .. } in &card.stays {
            if !visited.contains(&stage.as_deref()) {
                visited.push(stage.as_deref());
            }
        }
        let steps = visited.len().saturating_sub(1);
        for (step, stage) in visited.into_iter().enumerate() {
            // Who has seen one stage only tells that it is a first one.
            #[allow(clippy::cast_precision_loss, reason = "an item passes through few stages")]
            let place = if steps == 0 { 0.0 } else { step as f64 / steps as f64 };
            let (sum, count) = places.entry(stage).or_default();
            *sum += place;
            *count += 1.0;
        }
    }
    let mut places: Vec<(f64, Option<&str>)> = places.into_iter().map(|(stage, (sum, count))| (sum / count, stage)).collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    places.into_iter().map(|(_, stage)| stage.map(str::to_owned)).collect()
}
