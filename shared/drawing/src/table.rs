//! A report for the terminal: a table with bars, the same as SEI counts it, and what is open.

use crate::page::{Page, Row};
use crate::words::{bounds, fit, lasts, maybe, spark, width};
use engine::report::Figures;
use std::fmt::Write as _;

/// Cells of a bar.
const BAR: usize = 24;
/// Open items that are named; JSON has all.
const NAMED: usize = 10;

pub(crate) fn of(page: &Page) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}", page.title);
    let _ = writeln!(text, "{} {} · {} open · {}\n", page.items, page.counted, page.open.len(), page.facts.join(" · "));
    if page.rows.is_empty() {
        text.push_str("nothing to count\n");
        return text;
    }
    if let Some(ours) = page.ours {
        let _ = writeln!(text, "{}: {}", ours.title, ours.about);
    }
    block(page, &mut text, |row| Some(&row.ours));
    if let Some(sei) = page.sei {
        let _ = writeln!(text, "\n{}: {}", sei.title, sei.about);
        block(page, &mut text, |row| row.sei.as_ref());
    }
    let _ = writeln!(
        text,
        "\n█ to the median  ▒ to p90  ░ to p95; the columns at the right: how many took less than {}, or longer",
        bounds(page.business).join(" ")
    );
    open(page, &mut text);
    text
}

fn block<'a>(page: &'a Page, text: &mut String, figures: impl Fn(&'a Row) -> Option<&'a Figures>) {
    let room = page.rows.iter().map(|row| width(&row.label)).max().unwrap_or(0).clamp(12, 30);
    let graded = page.rows.iter().any(|row| row.graded.is_some());
    let heading = format!("{:>6} {:>9} {:>9} {:>9} {:>9} {:>10} {:>5} {:>9}", page.counted, "median", "mean", "p90", "p95", "total", "open", "oldest");
    let grades = if graded { format!("{:>5} {:>10} {:>4}  ", "good", "acceptable", "slow") } else { String::new() };
    let _ = writeln!(text, "{} {}", pad("", room), format!("{heading}  {grades}").trim_end());
    let longest = page.rows.iter().filter_map(|row| figures(row)?.p95).max().unwrap_or(0);
    for row in &page.rows {
        let Some(of) = figures(row) else { continue };
        let time = |seconds| maybe(seconds, page.business);
        let open = if row.open == 0 { String::new() } else { row.open.to_string() };
        let oldest = row.oldest.map(|oldest| lasts(oldest, page.business)).unwrap_or_default();
        let _ = write!(
            text,
            "{} {:>6} {:>9} {:>9} {:>9} {:>9} {:>10} {open:>5} {oldest:>9}  ",
            pad(&row.label, room),
            of.count,
            time(of.median),
            time(of.mean),
            time(of.p90),
            time(of.p95),
            lasts(of.total, page.business),
        );
        if let Some(graded) = &row.graded {
            let _ = write!(text, "{:>5} {:>10} {:>4}  ", graded.good, graded.acceptable, graded.slow);
        }
        let _ = writeln!(text, "{}│{}│", bar(of, longest), spark(&of.distribution));
    }
}

fn bar(figures: &Figures, longest: i64) -> String {
    let cells = |seconds: Option<i64>| {
        let seconds = i128::from(seconds.unwrap_or(0).max(0));
        usize::try_from((seconds * 24 + i128::from(longest / 2)) / i128::from(longest.max(1))).unwrap_or(0).min(BAR)
    };
    let (median, p90, p95) = (cells(figures.median), cells(figures.p90), cells(figures.p95));
    let mut bar = "█".repeat(median) + &"▒".repeat(p90.saturating_sub(median)) + &"░".repeat(p95.saturating_sub(p90.max(median)));
    bar.push_str(&" ".repeat(BAR.saturating_sub(median.max(p90).max(p95))));
    bar
}

fn open(page: &Page, text: &mut String) {
    if page.open.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nOpen now, the oldest first");
    for open in page.open.iter().take(NAMED) {
        let age = lasts(open.age, page.business);
        let _ = writeln!(text, "{} {}  {age:>9} old, {} there", pad(&open.item, 36), pad(&open.stage, 20), lasts(open.in_stage, page.business));
    }
    if page.open.len() > NAMED {
        let _ = writeln!(text, "and {} more: see --format json", page.open.len() - NAMED);
    }
}

/// `{:<}` counts letters, not the room that they take.
fn pad(text: &str, room: usize) -> String {
    let text = fit(text, room);
    let spaces = " ".repeat(room.saturating_sub(width(&text)));
    text + &spaces
}
