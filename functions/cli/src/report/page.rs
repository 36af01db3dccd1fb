//! A report as it is shown, whichever it is and however it is drawn: a title, rows, open items, and what the figures mean.

use engine::report::{Across, CycleReport, Figures, Grade, Question, StageReport, Step};

pub(super) struct Page {
    title: &'static str,
    pub(super) across: Across,
    /// What was counted, when, and how.
    pub(super) facts: Vec<String>,
    pub(super) items: u64,
    /// `items` or `merged`.
    pub(super) counted: &'static str,
    pub(super) business: bool,
    pub(super) rows: Vec<Row>,
    /// How a group's time is divided among stages.
    pub(super) shares: Vec<(String, Vec<(String, i64)>)>,
    pub(super) open: Vec<Open>,
    /// What each figure means.
    pub(super) notes: Vec<(&'static str, String)>,
}

pub(super) struct Row {
    pub(super) group: Option<String>,
    pub(super) step: Option<Step>,
    /// What the row is called: a group, or a step of it.
    pub(super) label: String,
    pub(super) ours: Figures,
    /// As SEI computes it.
    pub(super) sei: Option<Figures>,
    pub(super) open: u64,
    pub(super) oldest: Option<i64>,
    pub(super) graded: Option<Graded>,
}

pub(super) struct Graded {
    pub(super) good: u64,
    pub(super) acceptable: u64,
    pub(super) slow: u64,
    pub(super) mean: Option<Grade>,
}

pub(super) struct Open {
    pub(super) item: String,
    pub(super) stage: String,
    pub(super) age: i64,
    pub(super) in_stage: i64,
}

const PERCENTILES: &str = "the least time that 50, 90 or 95 of a hundred do not exceed (discrete percentiles)";

impl Page {
    pub(super) fn of_stages(report: &StageReport, question: &Question) -> Self {
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
            title: "Issue time across stages",
            across: report.across,
            facts: facts(question, &report.measured_in, "closed"),
            items: report.items,
            counted: "items",
            business: question.measure.is_business(),
            rows: report.groups.iter().map(row).collect(),
            shares,
            open: open.collect(),
            notes: vec![
                ("sum of intervals", "of each item, the lengths of its stays added up; one that comes back is not charged for the time between".to_owned()),
                ("first to last", "max(end) − min(start) of each item, with whatever lies between: as Harness SEI computes it".to_owned()),
                ("median, p90, p95", PERCENTILES.to_owned()),
                ("still there", "a stay without an end lasts until the time of the report".to_owned()),
            ],
        }
    }

    pub(super) fn of_cycle(report: &CycleReport, question: &Question) -> Self {
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
        let lasts = |seconds| super::words::lasts(seconds, question.measure.is_business());
        let bounds = report.groups.first().map(|group| {
            let one = |step: &engine::report::CycleStage| format!("{} {} / {}", step.step.name(), lasts(step.bounds.good), lasts(step.bounds.acceptable));
            group.steps.iter().map(one).collect::<Vec<_>>().join(", ")
        });
        Self {
            title: "Pull request cycle",
            across: report.across,
            facts: facts(question, &report.measured_in, "merged"),
            items: report.items,
            counted: "merged",
            business: question.measure.is_business(),
            rows,
            shares: report.groups.iter().map(divided).collect(),
            open: open.collect(),
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

    pub(super) fn title(&self) -> String {
        if self.across == Across::Stage { self.title.to_owned() } else { format!("{} by {}", self.title, self.across.name()) }
    }

    /// The rows that are drawn; all are in the table.
    pub(super) fn drawn(&self) -> &[Row] {
        self.rows.get(..self.rows.len().min(40)).unwrap_or_default()
    }
}

impl Row {
    pub(super) fn grade(&self) -> Option<&'static str> {
        self.graded.as_ref()?.mean.map(|grade| match grade {
            Grade::Good => "good",
            Grade::Acceptable => "acceptable",
            Grade::Slow => "slow",
        })
    }
}

fn none(across: Across) -> String {
    match across {
        Across::Repository => "drafts".to_owned(),
        Across::ClosedWeek => "still open".to_owned(),
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
