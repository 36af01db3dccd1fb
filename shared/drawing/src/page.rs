//! A report as it is shown, whichever it is and however it is drawn: a title, rows, open items, and what the figures mean.

use engine::report::{Across, CycleReport, Figures, Grade, Long, Question, Report, StageReport, Step, TimesReport};

pub(crate) struct Page {
    pub(crate) title: String,
    /// What a group is.
    pub(crate) group: &'static str,
    /// What was counted, when, and how.
    pub(crate) facts: Vec<String>,
    pub(crate) items: u64,
    /// `items` or `merged`.
    pub(crate) counted: &'static str,
    pub(crate) business: bool,
    /// The time that is right, and the same as SEI computes it; where it has no name it is the only one.
    pub(crate) ours: Option<Named>,
    pub(crate) sei: Option<Named>,
    pub(crate) rows: Vec<Row>,
    /// How a group's time is divided among stages.
    pub(crate) shares: Vec<(String, Vec<(String, i64)>)>,
    pub(crate) open: Vec<Open>,
    pub(crate) longest: Vec<Long>,
    /// What each figure means.
    pub(crate) notes: Vec<(&'static str, String)>,
}

/// A way of measuring.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    /// As CSV begins its columns.
    pub(crate) csv: &'static str,
    pub(crate) title: &'static str,
    pub(crate) about: &'static str,
}

pub(crate) struct Row {
    pub(crate) group: Option<String>,
    pub(crate) step: Option<Step>,
    /// What the row is called: a group, or a step of it.
    pub(crate) label: String,
    pub(crate) ours: Figures,
    /// As SEI computes it.
    pub(crate) sei: Option<Figures>,
    pub(crate) open: u64,
    pub(crate) oldest: Option<i64>,
    pub(crate) graded: Option<Graded>,
}

pub(crate) struct Graded {
    pub(crate) good: u64,
    pub(crate) acceptable: u64,
    pub(crate) slow: u64,
    pub(crate) mean: Option<Grade>,
}

pub(crate) struct Open {
    pub(crate) item: String,
    pub(crate) stage: String,
    pub(crate) age: i64,
    pub(crate) in_stage: i64,
}

const PERCENTILES: &str = "the least time that 50, 90 or 95 of a hundred do not exceed (discrete percentiles)";

impl Page {
    /// None: the report is a sheet.
    pub(crate) fn of(report: &Report) -> Option<Self> {
        match report {
            Report::Stages(of) => Some(Self::of_stages(&of.0, &of.1)),
            Report::Cycle(of) => Some(Self::of_cycle(&of.0, &of.1)),
            Report::Times(of) => Some(Self::of_times(&of.0, &of.1)),
            Report::Sheet(_) => None,
        }
    }

    fn of_stages(report: &StageReport, question: &Question) -> Self {
        let none = none(report.across);
        let row = |group: &engine::report::Group| Row {
            label: group.name.clone().unwrap_or_else(|| none.clone()),
            group: group.name.clone(),
            step: None,
            ours: group.sum_of_intervals.clone(),
            sei: Some(group.max_end_minus_min_start.clone()),
            open: group.open.count,
            oldest: group.open.oldest,
            graded: None,
        };
        let stage = |name: &Option<String>| name.clone().unwrap_or_else(|| "no stage".to_owned());
        let divided = |group: &engine::report::Group| group.stages.iter().map(|share| (stage(&share.stage), share.total)).collect::<Vec<_>>();
        let shares = if report.across == Across::Stage {
            vec![("all items".to_owned(), report.groups.iter().flat_map(divided).collect())]
        } else {
            report.groups.iter().map(|group| (group.name.clone().unwrap_or_else(|| none.clone()), divided(group))).collect()
        };
        let open = report.open.iter().map(|open| Open {
            item: match (&open.repo, open.number) {
                (Some(repo), Some(number)) => format!("{repo}#{number}"),
                _ => format!("draft in {}", open.project),
            },
            stage: stage(&open.stage),
            age: open.age,
            in_stage: open.in_stage,
        });
        Self {
            title: titled("Issue time across stages", report.across),
            group: report.across.name(),
            facts: facts(question, &report.measured_in, "closed"),
            items: report.items,
            counted: "items",
            business: question.measure.is_business(),
            ours: Some(Named { csv: "sum_of_intervals", title: "Sum of intervals", about: "the time that was really spent" }),
            sei: Some(Named { csv: "max_end_minus_min_start", title: "First to last", about: "max(end) − min(start), as Harness SEI computes it" }),
            rows: report.groups.iter().map(row).collect(),
            shares,
            open: open.collect(),
            longest: report.longest.clone(),
            notes: vec![
                ("sum of intervals", "of each item, the lengths of its stays added up; one that comes back is not charged for the time between".to_owned()),
                ("first to last", "max(end) − min(start) of each item, with whatever lies between: as Harness SEI computes it".to_owned()),
                ("median, p90, p95", PERCENTILES.to_owned()),
                ("still there", "a stay without an end lasts until the time of the report".to_owned()),
            ],
        }
    }

    fn of_cycle(report: &CycleReport, question: &Question) -> Self {
        let none = none(report.across);
        let mut rows = Vec::new();
        for group in &report.groups {
            let name = group.name.clone().unwrap_or_else(|| none.clone());
            for step in &group.steps {
                rows.push(Row {
                    group: group.name.clone(),
                    step: Some(step.step),
                    label: if report.across == Across::Stage { step.step.name().to_owned() } else { format!("{} · {name}", step.step.name()) },
                    ours: step.time.clone(),
                    sei: None,
                    open: if step.step == Step::Total { group.open } else { 0 },
                    oldest: group.oldest.filter(|_| step.step == Step::Total),
                    graded: Some(Graded { good: step.good, acceptable: step.acceptable, slow: step.slow, mean: step.grade }),
                });
            }
        }
        let divided = |group: &engine::report::CycleGroup| {
            let steps = group.steps.iter().filter(|step| step.step != Step::Total);
            let shares = steps.map(|step| (step.step.name().to_owned(), step.time.total)).collect();
            (if report.across == Across::Stage { "merged".to_owned() } else { group.name.clone().unwrap_or_else(|| none.clone()) }, shares)
        };
        let open = report.open.iter().map(|open| Open {
            item: format!("{}#{}", open.repo, open.number),
            stage: format!(
                "waits for {}",
                if open.step == Step::Pickup {
                    "a response"
                } else if open.step == Step::Review {
                    "approval"
                } else {
                    "the merge"
                }
            ),
            age: open.age,
            in_stage: open.in_step,
        });
        let lasts = |seconds| crate::words::lasts(seconds, question.measure.is_business());
        let bounds = report.groups.first().map(|group| {
            let one = |step: &engine::report::CycleStage| format!("{} {} / {}", step.step.name(), lasts(step.bounds.good), lasts(step.bounds.acceptable));
            group.steps.iter().map(one).collect::<Vec<_>>().join(", ")
        });
        Self {
            title: titled("Pull request cycle", report.across),
            group: report.across.name(),
            facts: facts(question, &report.measured_in, "merged"),
            items: report.items,
            counted: "merged",
            business: question.measure.is_business(),
            ours: None,
            sei: None,
            rows,
            shares: report.groups.iter().map(divided).collect(),
            open: open.collect(),
            longest: report.longest.clone(),
            notes: vec![
                ("coding", "first commit to creation".to_owned()),
                ("pickup", "creation to the first comment or review by another".to_owned()),
                ("review", "that to the first approval".to_owned()),
                ("merge", "that to the merge".to_owned()),
                (
                    "total",
                    "first commit to merge; a step of which an end is not known is not counted, so that the steps may cover fewer than the total".to_owned(),
                ),
                ("median, p90, p95", PERCENTILES.to_owned()),
                ("good / acceptable", format!("up to: {}", bounds.unwrap_or_default())),
            ],
        }
    }

    fn of_times(report: &TimesReport, question: &Question) -> Self {
        let (words, none) = (report.words, none(report.across));
        let row = |group: &engine::report::TimesGroup| Row {
            label: group.name.clone().unwrap_or_else(|| none.clone()),
            group: group.name.clone(),
            step: None,
            ours: group.time.clone(),
            sei: None,
            open: group.open,
            oldest: group.oldest,
            graded: None,
        };
        let waits = format!("waits for {}", words.waits);
        let open =
            report.open.iter().map(|open| Open { item: format!("{}#{}", open.repo, open.number), stage: waits.clone(), age: open.age, in_stage: open.waits });
        let mut facts = facts(question, &report.measured_in, words.ended);
        facts.extend((report.without > 0).then(|| format!("{} ended without", report.without)));
        let mut notes: Vec<(&'static str, String)> = words.notes.iter().map(|(figure, meaning)| (*figure, (*meaning).to_owned())).collect();
        notes.push(("median, p90, p95", PERCENTILES.to_owned()));
        Self {
            title: titled(words.title, report.across),
            group: if report.across == Across::All { "group" } else { report.across.name() },
            facts,
            items: report.items,
            counted: words.counted,
            business: question.measure.is_business(),
            ours: None,
            sei: None,
            rows: report.groups.iter().map(row).collect(),
            shares: Vec::new(),
            open: open.collect(),
            longest: report.longest.clone(),
            notes,
        }
    }

    /// The rows that are drawn; all are in the table.
    pub(crate) fn drawn(&self) -> &[Row] {
        self.rows.get(..self.rows.len().min(40)).unwrap_or_default()
    }
}

impl Row {
    pub(crate) fn grade(&self) -> Option<&'static str> {
        self.graded.as_ref()?.mean.map(|grade| match grade {
            Grade::Good => "good",
            Grade::Acceptable => "acceptable",
            Grade::Slow => "slow",
        })
    }
}

fn titled(title: &str, across: Across) -> String {
    if matches!(across, Across::Stage | Across::All) { title.to_owned() } else { format!("{title} by {}", across.name()) }
}

fn none(across: Across) -> String {
    match across {
        Across::Repository => "drafts".to_owned(),
        Across::ClosedWeek => "still open".to_owned(),
        Across::All => "all".to_owned(),
        other => format!("no {}", other.name()),
    }
}

fn facts(question: &Question, measured_in: &str, closed: &str) -> Vec<String> {
    let day = |at: jiff::Timestamp| at.to_zoned(question.measure.zone()).strftime("%Y-%m-%d %H:%M").to_string().replace(" 00:00", "");
    let range = |what: &str, range: &engine::report::Range| match (range.from, range.until) {
        (None, None) => None,
        (from, until) => {
            let from = from.map(|at| format!(" from {}", day(at))).unwrap_or_default();
            Some(format!("{what}{from}{}", until.map(|at| format!(" before {}", day(at))).unwrap_or_default()))
        }
    };
    let mut facts = vec![format!("as of {}", question.now.strftime("%Y-%m-%d %H:%M UTC")), measured_in.to_owned()];
    facts.extend(range("created", &question.created));
    facts.extend(range(closed, &question.closed));
    facts.extend((!question.exclude.is_empty()).then(|| format!("without {}", question.exclude.join(", "))));
    facts
}
