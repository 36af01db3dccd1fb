//! A report as one HTML page that needs nothing else: no script, no font, no request. Places what others computed and drew.

use super::chart::{self, STYLE, escaped};
use super::page::{Page, Row};
use super::words::{lasts, maybe};
use engine::report::Figures;
use std::fmt::Write as _;

const PAGE: &str = include_str!("page.css");
/// Open items that are listed; JSON has all.
const LISTED: usize = 25;

pub(super) fn of(page: &Page) -> String {
    let title = page.title();
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{PAGE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p class=\"facts\">{}</p>\n",
        escaped(&page.facts.join(" · "))
    );
    tiles(page, &mut html);
    if page.rows.is_empty() {
        html.push_str("<h2>Nothing to count</h2>\n<p class=\"note\">Nothing in this copy matches what was asked.</p>\n");
    } else {
        let (range, division) = chart::inline(page);
        let _ = write!(html, "<h2>How long it takes</h2>\n<div class=\"plain\">{range}</div>\n");
        if let Some(division) = division {
            let _ = writeln!(html, "<div class=\"plain\">{division}</div>");
        }
        table(page, &mut html);
    }
    open(page, &mut html);
    html.push_str("<h2>What the figures mean</h2>\n<dl>\n");
    for (term, meaning) in &page.notes {
        let _ = writeln!(html, "<dt>{term}</dt><dd>{}</dd>", escaped(meaning));
    }
    html.push_str("</dl>\n</main>\n</body>\n</html>\n");
    html
}

fn tiles(page: &Page, html: &mut String) {
    html.push_str("<div class=\"tiles\">\n");
    let mut tile = |value: &str, what: &str| {
        let _ = writeln!(html, "<div class=\"tile\"><b>{}</b><span>{}</span></div>", escaped(value), escaped(what));
    };
    tile(&page.items.to_string(), page.counted);
    tile(&page.open.len().to_string(), "open now");
    if let Some(oldest) = page.open.first() {
        tile(&lasts(oldest.age, page.business), &format!("the oldest open: {}", oldest.item));
    }
    let slowest = page.rows.iter().filter(|row| row.step != Some(engine::report::Step::Total)).max_by_key(|row| row.ours.median);
    if let Some((row, median)) = slowest.and_then(|row| Some((row, row.ours.median?))) {
        tile(&lasts(median, page.business), &format!("the longest median: {}", row.label));
    }
    html.push_str("</div>\n");
}

fn table(page: &Page, html: &mut String) {
    let sei = page.rows.iter().any(|row| row.sei.is_some());
    let graded = page.rows.iter().any(|row| row.graded.is_some());
    html.push_str("<h2>The figures</h2>\n");
    if sei {
        html.push_str(
            "<p class=\"note\">Sum of intervals is the time that was really spent; first to last, max(end) − min(start), is as Harness SEI computes it.</p>\n",
        );
    }
    html.push_str("<div class=\"scroll\"><table>\n<thead>");
    if sei {
        html.push_str("<tr><th></th><th></th><th class=\"over\" colspan=\"5\">sum of intervals</th><th class=\"over\" colspan=\"5\">first to last (SEI)</th><th class=\"over\" colspan=\"2\">open now</th></tr>");
    }
    let times = ["median", "mean", "p90", "p95", "total"];
    let mut headings = vec![page.across.name(), page.counted];
    headings.extend(times);
    headings.extend(if sei { &times[..] } else { &[] });
    headings.extend(if graded { &["good", "acceptable", "slow"][..] } else { &[] });
    headings.extend(["open", "oldest"]);
    let _ = writeln!(html, "<tr><th scope=\"col\">{}</th></tr></thead>\n<tbody>", headings.join("</th><th scope=\"col\">"));
    for row in &page.rows {
        line(page, row, html);
    }
    html.push_str("</tbody>\n</table></div>\n");
}

fn line(page: &Page, row: &Row, html: &mut String) {
    let grade = row.grade().map(|grade| format!(" <span class=\"{grade}\">{grade}</span>")).unwrap_or_default();
    let _ = write!(html, "<tr><th scope=\"row\">{}{grade}</th><td>{}</td>", escaped(&row.label), row.ours.count);
    let mut figures = |of: &Figures| {
        let time = |seconds| maybe(seconds, page.business);
        let cells = [time(of.median), time(of.mean), time(of.p90), time(of.p95), lasts(of.total, page.business)];
        let _ = write!(html, "<td class=\"first\">{}</td>", cells.join("</td><td>"));
    };
    figures(&row.ours);
    row.sei.iter().for_each(&mut figures);
    if let Some(graded) = &row.graded {
        let _ = write!(html, "<td class=\"first\">{}</td><td>{}</td><td>{}</td>", graded.good, graded.acceptable, graded.slow);
    }
    let open = if row.open == 0 { String::new() } else { row.open.to_string() };
    let oldest = row.oldest.map(|oldest| lasts(oldest, page.business)).unwrap_or_default();
    let _ = writeln!(html, "<td class=\"first\">{open}</td><td>{oldest}</td></tr>");
}

fn open(page: &Page, html: &mut String) {
    if page.open.is_empty() {
        return;
    }
    html.push_str("<h2>Open now</h2>\n<p class=\"note\">The oldest first");
    if page.open.len() > LISTED {
        let _ = write!(html, "; {LISTED} of {}, the JSON report has all", page.open.len());
    }
    html.push_str(".</p>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">item</th><th scope=\"col\" class=\"text\">stage</th><th scope=\"col\">age</th><th scope=\"col\">in the stage</th></tr></thead>\n<tbody>");
    for open in page.open.iter().take(LISTED) {
        let times = [open.age, open.in_stage].map(|time| lasts(time, page.business)).join("</td><td>");
        let _ = writeln!(html, "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td>{times}</td></tr>", escaped(&open.item), escaped(&open.stage));
    }
    html.push_str("</tbody>\n</table></div>\n");
}
