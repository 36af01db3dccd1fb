//! A report that is a sheet, for the terminal: a table with bars, and what its columns mean.

use crate::words::{fit, width};
use engine::report::{Cell, Sheet};
use std::fmt::Write as _;

/// Cells of a bar in a terminal, and what its parts are drawn with.
const BAR: u64 = 24;
const PARTS: [char; 5] = ['█', '▓', '▒', '░', '·'];
/// The widest first column.
const ROOM: usize = 48;

/// A cell as people read it.
pub(crate) fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        // A tenth of a per cent; a whole of ten-thousandths has two of its digits.
        Cell::Share(share) => format!("{}.{}", (share + 5) / 100, (share + 5) / 10 % 10),
        Cell::Ratio(ratio) => format!("{}.{:02}", (ratio + 50) / 10_000, (ratio + 50) / 100 % 100),
        Cell::Time(time) => time.strftime("%Y-%m-%d").to_string(),
        Cell::No(text) => (*text).to_owned(),
        Cell::Nothing => String::new(),
    }
}

/// The lengths of a row's bars, when the longest row's are `room`.
pub(crate) fn bars(sheet: &Sheet, row: &[Cell], room: u64) -> Vec<u64> {
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

pub(crate) fn facts(sheet: &Sheet) -> String {
    format!("{} · as of {}", sheet.facts.join(" · "), sheet.as_of.strftime("%Y-%m-%d %H:%M UTC"))
}

pub(crate) fn table(sheet: &Sheet) -> String {
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
