//! A report as the pieces of somebody's page: title, facts, numbers, charts, tables, meanings. All that is text is text, all
//! that is HTML or SVG needs [`crate::STYLE`] and has neither style attributes nor scripts, so that a strict policy lets it be.

use crate::listing::{facts, shown};
use crate::page::{Page, Row};
use crate::svg::escaped;
use crate::words::{lasts, maybe};
use crate::{bars, chart};
use engine::report::{Cell, Figures, Report, Sheet};
use std::fmt::Write as _;

/// Open items that are listed; JSON has all.
const LISTED: usize = 25;

#[derive(Debug, Clone, Default)]
pub struct Pieces {
    /// Text.
    pub title: String,
    /// Text: of when it is, what was counted and how.
    pub facts: Vec<String>,
    /// Text: a value and what it is of.
    pub tiles: Vec<(String, String)>,
    /// SVG, the most important first; none where there is nothing to count.
    pub charts: Vec<String>,
    /// A heading's text and a paragraph's, before the table.
    pub note: Option<String>,
    /// HTML: a `table` within a `div` that scrolls; none where there is nothing to count.
    pub table: Option<String>,
    /// Text: what is said of what the table leaves out.
    pub more: Option<String>,
    /// Text before, and HTML: what is open now.
    pub open: Option<(String, String)>,
    /// Text before, and HTML: what took longest.
    pub longest: Option<(String, String)>,
    /// Text: a figure and what it means.
    pub notes: Vec<(String, String)>,
}

/// Where a reader can go on.
#[derive(Clone, Copy)]
pub struct Links<'a> {
    /// Where people look at this GitHub, such as `https://github.com`: then items are links.
    pub web: Option<&'a str>,
    /// The address that shows a group by itself.
    pub group: &'a dyn Fn(&str) -> Option<String>,
}

impl Links<'_> {
    /// A page by itself.
    pub const NONE: Self = Links { web: None, group: &|_| None };

    /// The name of a group as HTML.
    fn group(&self, name: Option<&str>, label: &str) -> String {
        let label = escaped(label);
        match name.and_then(self.group) {
            Some(address) => format!("<a href=\"{}\">{label}</a>", escaped(&address)),
            None => label,
        }
    }

    /// GitHub leads from an issue's address to the pull request of that number, if it is one.
    fn item(&self, item: &str) -> String {
        let text = escaped(item);
        match (self.web, item.split_once('#')) {
            (Some(web), Some((repo, number))) if number.parse::<u64>().is_ok() => {
                format!("<a href=\"{}/{}/issues/{number}\">{text}</a>", escaped(web.trim_end_matches('/')), escaped(repo))
            }
            _ => text,
        }
    }
}

#[must_use]
pub fn pieces(report: &Report, links: &Links<'_>) -> Pieces {
    match (report, Page::of(report)) {
        (_, Some(page)) => of_page(&page, links),
        (Report::Sheet(sheet), None) => of_sheet(sheet, links),
        (_, None) => Pieces::default(),
    }
}

fn of_page(page: &Page, links: &Links<'_>) -> Pieces {
    let mut pieces = Pieces { title: page.title.clone(), facts: page.facts.clone(), tiles: tiles(page), ..Pieces::default() };
    if !page.rows.is_empty() {
        let (range, division) = chart::inline(page);
        pieces.charts = std::iter::once(range).chain(division).collect();
        let about = |named: crate::page::Named| format!("{}: {}", named.title, named.about);
        pieces.note = page.ours.zip(page.sei).map(|(ours, sei)| format!("{}. {}.", about(ours), about(sei)));
        pieces.table = Some(table(page, links));
    }
    pieces.open = (!page.open.is_empty()).then(|| open(page, links));
    pieces.longest = (!page.longest.is_empty()).then(|| longest(page, links));
    pieces.notes = page.notes.iter().map(|(term, meaning)| ((*term).to_owned(), meaning.clone())).collect();
    pieces
}

fn of_sheet(sheet: &Sheet, links: &Links<'_>) -> Pieces {
    let notes = sheet.columns.iter().filter(|column| !column.about.is_empty());
    Pieces {
        title: sheet.title.to_owned(),
        facts: vec![facts(sheet)],
        charts: bars::inline(sheet).into_iter().collect(),
        table: (!sheet.rows.is_empty()).then(|| listed(sheet, links)),
        more: (sheet.more > 0).then(|| format!("and {} more", sheet.more)),
        notes: notes.map(|column| (column.title.to_owned(), column.about.to_owned())).collect(),
        ..Pieces::default()
    }
}

fn tiles(page: &Page) -> Vec<(String, String)> {
    let mut tiles = vec![(page.items.to_string(), page.counted.to_owned()), (page.open.len().to_string(), "open now".to_owned())];
    tiles.extend(page.open.first().map(|oldest| (lasts(oldest.age, page.business), format!("the oldest open: {}", oldest.item))));
    let slowest = page.rows.iter().filter(|row| row.step != Some(engine::report::Step::Total)).max_by_key(|row| row.ours.median);
    let slowest = slowest.and_then(|row| Some((lasts(row.ours.median?, page.business), format!("the longest median: {}", row.label))));
    tiles.extend(slowest);
    tiles
}

fn table(page: &Page, links: &Links<'_>) -> String {
    let graded = page.rows.iter().any(|row| row.graded.is_some());
    let mut html = "<div class=\"scroll\"><table>\n<thead>".to_owned();
    if let Some((ours, sei)) = page.ours.zip(page.sei) {
        let (ours, sei) = (ours.title.to_lowercase(), sei.title.to_lowercase());
        let _ = write!(
            html,
            "<tr><td></td><td></td><th scope=\"colgroup\" class=\"over\" colspan=\"5\">{ours}</th><th scope=\"colgroup\" class=\"over\" colspan=\"5\">{sei} (SEI)</th>\
             <th scope=\"colgroup\" class=\"over\" colspan=\"2\">open now</th></tr>"
        );
    }
    let times = ["median", "mean", "p90", "p95", "total"];
    let mut headings = vec![page.group, page.counted];
    headings.extend(times);
    headings.extend(if page.sei.is_some() { &times[..] } else { &[] });
    headings.extend(if graded { &["good", "acceptable", "slow"][..] } else { &[] });
    headings.extend(["open", "oldest"]);
    let _ = writeln!(html, "<tr><th scope=\"col\">{}</th></tr></thead>\n<tbody>", headings.join("</th><th scope=\"col\">"));
    for row in &page.rows {
        line(page, row, links, &mut html);
    }
    html + "</tbody>\n</table></div>\n"
}

fn line(page: &Page, row: &Row, links: &Links<'_>, html: &mut String) {
    let grade = row.grade().map(|grade| format!(" <span class=\"{grade}\">{grade}</span>")).unwrap_or_default();
    let _ = write!(html, "<tr><th scope=\"row\">{}{grade}</th><td>{}</td>", links.group(row.group.as_deref(), &row.label), row.ours.count);
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

fn open(page: &Page, links: &Links<'_>) -> (String, String) {
    let more = if page.open.len() > LISTED { format!("; {LISTED} of {}, the JSON report has all", page.open.len()) } else { String::new() };
    let mut html = "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">item</th><th scope=\"col\" class=\"text\">stage</th><th scope=\"col\">age</th>\
        <th scope=\"col\">in the stage</th></tr></thead>\n<tbody>"
        .to_owned();
    for open in page.open.iter().take(LISTED) {
        let times = [open.age, open.in_stage].map(|time| lasts(time, page.business)).join("</td><td>");
        let _ = writeln!(html, "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td>{times}</td></tr>", links.item(&open.item), escaped(&open.stage));
    }
    (format!("The oldest first{more}."), html + "</tbody>\n</table></div>\n")
}

fn longest(page: &Page, links: &Links<'_>) -> (String, String) {
    let stages = page.longest.iter().any(|long| long.stage.is_some());
    let stage = if stages { "<th scope=\"col\" class=\"text\">stage</th>" } else { "" };
    let mut html = format!("<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">item</th>{stage}<th scope=\"col\">time</th></tr></thead>\n<tbody>");
    for long in &page.longest {
        let item = match (&long.repo, long.number) {
            (Some(repo), Some(number)) => links.item(&format!("{repo}#{number}")),
            _ => "a draft".to_owned(),
        };
        let stage = if stages { format!("<td class=\"text\">{}</td>", escaped(long.stage.as_deref().unwrap_or("no stage"))) } else { String::new() };
        let _ = writeln!(html, "<tr><th scope=\"row\">{item}</th>{stage}<td>{}</td></tr>", lasts(long.time, page.business));
    }
    let about = if stages { "in one stage" } else { "of all that are counted" };
    (format!("Up to 25, {about}, the longest first."), html + "</tbody>\n</table></div>\n")
}

fn listed(sheet: &Sheet, links: &Links<'_>) -> String {
    let is_text = |at: usize| sheet.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Text(_))));
    let mut html = "<div class=\"scroll\"><table>\n<thead><tr>".to_owned();
    for (at, column) in sheet.columns.iter().enumerate() {
        let (class, title) = (if is_text(at) { " class=\"text\"" } else { "" }, escaped(column.title));
        let _ = if title.is_empty() { write!(html, "<td></td>") } else { write!(html, "<th scope=\"col\"{class}>{title}</th>") };
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &sheet.rows {
        html.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let text = escaped(&shown(cell));
            let _ = match (at, cell) {
                (0, Cell::Text(name)) => write!(html, "<th scope=\"row\">{}</th>", links.group(Some(name), name)),
                (0, _) => write!(html, "<th scope=\"row\">{text}</th>"),
                (_, Cell::Text(_)) => write!(html, "<td class=\"text\">{text}</td>"),
                _ => write!(html, "<td>{text}</td>"),
            };
        }
        html.push_str("</tr>\n");
    }
    html + "</tbody>\n</table></div>\n"
}
