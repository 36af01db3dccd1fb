//! A report that is a table, for the terminal, as CSV, JSON or an HTML page. Draws what was computed; decides no figure.

use super::arguments::Format;
use super::chart::{STYLE, escaped};
use super::words::{fit, width};
use crate::export::cell as csv_cell;
use crate::failure::Failure;
use engine::report::{Cell, Sheet};
use std::fmt::Write as _;
use std::io::{BufWriter, Write};

const PAGE: &str = include_str!("page.css");
const BARS: &str = ".bar { display: flex; height: 10px; min-width: 120px; } .bar i { display: block; height: 10px; } \
    .bar i:nth-child(1) { background: var(--main); } .bar i:nth-child(2) { background: var(--main); opacity: .6; } .bar i:nth-child(3) { background: var(--main); opacity: .3; }\n";
/// Cells of a bar in a terminal, and what its parts are drawn with.
const BAR: u64 = 24;
const PARTS: [char; 3] = ['█', '▒', '░'];
/// The widest first column.
const ROOM: usize = 48;

pub(super) fn write(format: Format, sheet: &Sheet) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, sheet).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        Format::Table => out.write_all(table(sheet).as_bytes())?,
        Format::Csv => csv(sheet, &mut out)?,
        Format::Html => out.write_all(html(sheet).as_bytes())?,
        Format::Svg => return Err(Failure::Usage("this report is a table and has no picture. There are: table, json, csv, html".to_owned())),
    }
    Ok(out.flush()?)
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Share(share) => format!("{:.1}", share * 100.0),
        Cell::Time(time) => time.strftime("%Y-%m-%d").to_string(),
        Cell::Nothing => String::new(),
    }
}

/// The lengths of a row's bars, when the longest row's are `room`.
fn bars(sheet: &Sheet, row: &[Cell], room: u64) -> Vec<u64> {
    let number = |row: &[Cell], at: &usize| if let Some(Cell::Number(number)) = row.get(*at) { *number } else { 0 };
    let sum = |row: &[Cell]| sheet.drawn.iter().map(|at| number(row, at)).sum::<u64>();
    let longest = sheet.rows.iter().map(|row| sum(row)).max().unwrap_or(0).max(1);
    // Each part ends where the sum so far does, so that rounding does not add up.
    let mut ends = 0;
    let mut drawn = 0;
    let part = |at| {
        ends += number(row, at);
        let to = u64::try_from((u128::from(ends) * u128::from(room) + u128::from(longest / 2)) / u128::from(longest)).unwrap_or(room);
        let length = to - drawn;
        drawn = to;
        length
    };
    sheet.drawn.iter().map(part).collect()
}

fn facts(sheet: &Sheet) -> String {
    format!("{} · as of {}", sheet.facts.join(" · "), sheet.as_of.strftime("%Y-%m-%d %H:%M UTC"))
}

fn table(sheet: &Sheet) -> String {
    let mut text = format!("{}\n{}\n\n", sheet.title, facts(sheet));
    if sheet.rows.is_empty() {
        return text + "nothing to count\n";
    }
    // A column that says nothing of any row is not drawn.
    let said = |at: usize| at == 0 || sheet.rows.iter().any(|row| row.get(at).is_some_and(|cell| *cell != Cell::Nothing));
    let columns: Vec<usize> = (0..sheet.columns.len()).filter(|at| said(*at)).collect();
    let cell = |row: &[Cell], at: usize| row.get(at).map(shown).map(|text| fit(&text, ROOM)).unwrap_or_default();
    let title = |at: usize| sheet.columns.get(at).map_or("", |column| column.title);
    let widest = |at: usize| sheet.rows.iter().map(|row| width(&cell(row, at))).max().unwrap_or(0).max(title(at).len());
    let widths: Vec<usize> = columns.iter().map(|at| widest(*at)).collect();
    let is_text = |at: usize| sheet.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Text(_))));
    let line = |cells: &dyn Fn(usize) -> String, bar: &str| {
        let mut line = String::new();
        for (at, room) in columns.iter().zip(&widths) {
            let text = cells(*at);
            let space = " ".repeat(room.saturating_sub(width(&text)));
            let _ = if is_text(*at) { write!(line, "{text}{space}  ") } else { write!(line, "{space}{text}  ") };
        }
        format!("{}\n", format!("{line}{bar}").trim_end())
    };
    text += &line(&|at| title(at).to_owned(), "");
    for row in &sheet.rows {
        let parts = bars(sheet, row, BAR).into_iter().zip(PARTS);
        let bar: String = parts.map(|(length, part)| part.to_string().repeat(usize::try_from(length).unwrap_or(0))).collect();
        text += &line(&|at| cell(row, at), &bar);
    }
    if sheet.more > 0 {
        let _ = writeln!(text, "and {} more", sheet.more);
    }
    let about = sheet.columns.iter().filter(|column| !column.about.is_empty());
    let about: Vec<String> = about.map(|column| format!("{}: {}", column.title, column.about)).collect();
    if !about.is_empty() {
        let _ = writeln!(text, "\n{}", about.join("\n"));
    }
    text
}

fn csv(sheet: &Sheet, out: &mut impl Write) -> std::io::Result<()> {
    let mut written = csv::Writer::from_writer(out);
    written.write_record(sheet.columns.iter().map(|column| column.name)).map_err(std::io::Error::from)?;
    for row in &sheet.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => csv_cell(text),
            Cell::Share(share) => format!("{share:.4}"),
            Cell::Time(time) => time.to_string(),
            other => shown(other),
        });
        written.write_record(cells).map_err(std::io::Error::from)?;
    }
    written.flush()
}

fn html(sheet: &Sheet) -> String {
    let title = sheet.title;
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{PAGE}{BARS}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p class=\"facts\">{}</p>\n",
        escaped(&facts(sheet))
    );
    if sheet.rows.is_empty() {
        html.push_str("<h2>Nothing to count</h2>\n<p class=\"note\">Nothing in this copy matches what was asked.</p>\n");
    } else {
        html.push_str("<h2>The figures</h2>\n<div class=\"scroll\"><table>\n<thead><tr>");
        sheet.columns.iter().for_each(|column| {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escaped(column.title));
        });
        html.push_str("<th scope=\"col\"></th></tr></thead>\n<tbody>\n");
        for row in &sheet.rows {
            line(sheet, row, &mut html);
        }
        html.push_str("</tbody>\n</table></div>\n");
    }
    if sheet.more > 0 {
        let _ = writeln!(html, "<p class=\"note\">and {} more</p>", sheet.more);
    }
    html.push_str("<h2>What the figures mean</h2>\n<dl>\n");
    for column in sheet.columns.iter().filter(|column| !column.about.is_empty()) {
        let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", escaped(column.title), escaped(column.about));
    }
    html.push_str("</dl>\n</main>\n</body>\n</html>\n");
    html
}

fn line(sheet: &Sheet, row: &[Cell], html: &mut String) {
    html.push_str("<tr>");
    for (at, cell) in row.iter().enumerate() {
        let text = escaped(&shown(cell));
        let _ = match (at, cell) {
            (0, _) => write!(html, "<th scope=\"row\">{text}</th>"),
            (_, Cell::Text(_)) => write!(html, "<td class=\"text\">{text}</td>"),
            _ => write!(html, "<td>{text}</td>"),
        };
    }
    let parts: String = bars(sheet, row, 100).into_iter().map(|length| format!("<i style=\"width:{length}%\"></i>")).collect();
    let _ = writeln!(html, "<td><div class=\"bar\" aria-hidden=\"true\">{parts}</div></td></tr>");
}
