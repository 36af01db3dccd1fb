//! `report`: reads the copy, lets the engine compute, and prints. Decides no figure.

mod arguments;
mod chart;
mod hours;
mod html;
mod listing;
mod page;
mod sheet;
mod table;
mod words;

pub(crate) use arguments::Report;

use crate::failure::Failure;
use crate::source::matcher;
use crate::sync::date;
use arguments::{Asked, Format, IssueStages, PrCycle, Which};
use engine::Store;
use engine::export::names;
use engine::report::{self, Across, By, ItemKind, Measure, Of, Question, Range, Sheet, StagesOf};
use page::Page;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

pub(crate) async fn run(report: Report) -> Result<ExitCode, Failure> {
    let done = match report {
        Report::IssueStages(arguments) => issue_stages(arguments).await,
        Report::PrCycle(arguments) => pr_cycle(arguments).await,
        Report::Rework(arguments) => {
            let (of, limit) = (Of::parse(&arguments.across).unwrap_or(Of::Everything), jiff::SignedDuration::from_hours(24 * i64::from(arguments.limit)));
            of_changes(&arguments.which, |changes, now| report::rework(changes, of, limit, now)).await
        }
        Report::Hotspots(arguments) => {
            let by = By::parse(&arguments.by).unwrap_or(By::File);
            of_changes(&arguments.which, |changes, now| report::hotspots(changes, by, arguments.top, now)).await
        }
    };
    match done {
        // Whoever read us has had enough: `report … | head`.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        other => other.map(|()| ExitCode::SUCCESS),
    }
}

async fn issue_stages(arguments: IssueStages) -> Result<(), Failure> {
    let mut question = question(&arguments.asked, arguments.closed.as_deref())?;
    question.exclude.clone_from(&arguments.exclude_stage);
    question.kinds = kinds(&arguments.kind)?;
    let of = stages_of(&arguments.stages)?;
    let (repos, projects) = (matcher(&arguments.asked.repo)?, matcher(&arguments.project)?);
    let table = arguments.asked.place.find().await?.existing("sync").await?;
    let store = table.store();
    let cards = cards(&store, of.as_ref(), &arguments.field, &repos).await;
    table.shutdown().await;
    let mut cards = cards?;
    if cards.is_empty() {
        eprintln!("{}", nothing(of.as_ref()));
    }
    cards.retain(|card| (arguments.asked.repo.is_empty() || card.repo.as_deref().is_some_and(&repos)) && projects(&card.project));
    let report = report::stages(cards, &question);
    write(arguments.asked.format, &report, || Page::of_stages(&report, &question))
}

async fn pr_cycle(arguments: PrCycle) -> Result<(), Failure> {
    let question = question(&arguments.asked, arguments.merged.as_deref())?;
    if question.across == Across::Project {
        return Err(Failure::Usage("pull requests belong to no project: pr-cycle has no --across project".to_owned()));
    }
    let bounds = hours::bounds(&arguments.bounds)?;
    let repos = matcher(&arguments.asked.repo)?;
    let table = arguments.asked.place.find().await?.existing("sync").await?;
    let pulls = pulls(&table.store(), arguments.bots, &repos).await;
    table.shutdown().await;
    let report = report::cycle(&pulls?, &question, &bounds);
    write(arguments.asked.format, &report, || Page::of_cycle(&report, &question))
}

async fn of_changes(which: &Which, compute: impl FnOnce(&[report::Change], jiff::Timestamp) -> Sheet) -> Result<(), Failure> {
    let now = which.as_of.as_deref().map(date).transpose()?.unwrap_or_else(jiff::Timestamp::now);
    let range = which.committed.as_deref().map(|text| Range::parse(text, &jiff::tz::TimeZone::UTC, now));
    let range = range.transpose().map_err(|error| Failure::Usage(error.to_string()))?.unwrap_or_default();
    let repos = matcher(&which.repo)?;
    let table = which.place.find().await?.existing("sync").await?;
    let changes = changes(&table.store(), which.bots, &repos, &|at| at <= now && range.takes(Some(at))).await;
    table.shutdown().await;
    let changes = changes?;
    if changes.is_empty() {
        eprintln!("no file of a commit is in this copy, or in the range: it needs the groups commits and commit-files");
    }
    listing::write(which.format, &compute(&changes, now))
}

async fn changes(
    store: &dyn Store,
    bots: bool,
    repos: &(dyn Fn(&str) -> bool + Send + Sync),
    takes: &(dyn Fn(jiff::Timestamp) -> bool + Sync),
) -> Result<Vec<report::Change>, Failure> {
    let unheard = if bots { BTreeSet::new() } else { report::bots(store).await? };
    let mut all = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| repos(repo)) {
        all.append(&mut report::from_commit_files(store, *scope, repo, &unheard, takes).await?);
    }
    Ok(all)
}

fn question(asked: &Asked, closed: Option<&str>) -> Result<Question, Failure> {
    let now = asked.as_of.as_deref().map(date).transpose()?.unwrap_or_else(jiff::Timestamp::now);
    let measure = asked.business_hours.as_deref().map(hours::read).transpose()?.map_or(Measure::Calendar, Measure::Business);
    let zone = measure.zone();
    let range = |text: Option<&str>| match text {
        Some(text) => Range::parse(text, &zone, now).map_err(|error| Failure::Usage(error.to_string())),
        None => Ok(Range::default()),
    };
    let across = Across::parse(&asked.across).unwrap_or(Across::Stage);
    Ok(Question { across, created: range(asked.created.as_deref())?, closed: range(closed)?, exclude: Vec::new(), kinds: BTreeSet::new(), now, measure })
}

fn kinds(names: &[String]) -> Result<BTreeSet<ItemKind>, Failure> {
    let kind = |name: &String| match name.as_str() {
        "issue" => Ok(ItemKind::Issue),
        "pull-request" => Ok(ItemKind::PullRequest),
        "draft" => Ok(ItemKind::Draft),
        other => Err(Failure::Usage(format!("`{other}` is not a kind. There are: issue, pull-request, draft"))),
    };
    names.iter().map(kind).collect()
}

/// None: from the projects' boards.
fn stages_of(text: &str) -> Result<Option<StagesOf>, Failure> {
    match text.split_once(':') {
        None if text == "board" => Ok(None),
        None if text == "state" => Ok(Some(StagesOf::State)),
        Some(("label", prefix)) if !prefix.is_empty() => Ok(Some(StagesOf::Labels(prefix.to_owned()))),
        _ => Err(Failure::Usage(format!("--stages {text}: write board, state or label:PREFIX, such as label:stage/"))),
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

async fn cards(store: &dyn Store, of: Option<&StagesOf>, field: &str, takes: &(dyn Fn(&str) -> bool + Send + Sync)) -> Result<Vec<report::Card>, Failure> {
    let Some(of) = of else { return Ok(report::from_boards(store, field).await?) };
    let mut cards = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| takes(repo)) {
        cards.append(&mut report::from_issues(store, *scope, repo, of).await?);
    }
    Ok(cards)
}

async fn pulls(store: &dyn Store, bots: bool, takes: &(dyn Fn(&str) -> bool + Send + Sync)) -> Result<Vec<report::Pull>, Failure> {
    let unheard = if bots { BTreeSet::new() } else { report::bots(store).await? };
    let mut pulls = Vec::new();
    for (scope, repo) in names(store, false).await?.iter().filter(|(_, repo)| takes(repo)) {
        pulls.append(&mut report::from_pull_requests(store, *scope, repo, &unheard).await?);
    }
    Ok(pulls)
}

fn write(format: Format, report: &impl Serialize, page: impl FnOnce() -> Page) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, report).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Format::Table => out.write_all(table::of(&page()).as_bytes())?,
        Format::Csv => sheet::write(&page(), &mut out)?,
        Format::Html => out.write_all(html::of(&page()).as_bytes())?,
        Format::Svg => out.write_all(chart::alone(&page()).as_bytes())?,
    }
    Ok(out.flush()?)
}
