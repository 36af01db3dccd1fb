//! Draws a sheet as SVG: of each row a bar of the columns that are drawn, one after the other. Places shapes; computes no figure.

use crate::STYLE;
use crate::listing::{bars, facts, shown};
use crate::svg::{count, escaped, fitted, length, opening};
use engine::report::{Cell, Sheet};
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const ROW: f64 = 28.0;
/// Where names end and bars begin, and how far the longest reaches.
const LEFT: f64 = 282.0;
const REACH: f64 = 560.0;
/// Rows that are drawn; all are in the table.
const MOST: usize = 60;

/// A file of its own.
pub(crate) fn alone(sheet: &Sheet) -> String {
    let (rows, height) = rows(sheet);
    let mut svg = opening(sheet.title, WIDTH, 74.0 + height);
    let _ = write!(svg, "<style>{STYLE}</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>");
    let _ = write!(svg, "<text class=\"head\" x=\"20\" y=\"36\">{}</text>", escaped(sheet.title));
    let _ = write!(svg, "<text class=\"small\" x=\"20\" y=\"56\">{}</text>", escaped(&fitted(&facts(sheet), 920.0, 11.0)));
    let _ = writeln!(svg, "<g transform=\"translate(0 74)\">{rows}</g></svg>");
    svg
}

/// For a page that has the style; none of a sheet that has nothing to draw.
pub(crate) fn inline(sheet: &Sheet) -> Option<String> {
    let (rows, height) = rows(sheet);
    (!sheet.rows.is_empty() && !sheet.drawn.is_empty()).then(|| opening(sheet.title, WIDTH, height) + &rows + "</svg>")
}

fn rows(sheet: &Sheet) -> (String, f64) {
    let mut svg = String::new();
    if sheet.rows.is_empty() {
        svg.push_str("<text class=\"small\" x=\"20\" y=\"20\">nothing to count</text>");
        return (svg, 40.0);
    }
    let (mut x, mut y) = (20.0, 16.0);
    for (place, column) in sheet.drawn.iter().filter_map(|at| sheet.columns.get(*at)).enumerate() {
        let room = 34.0 + length(column.title, 11.0);
        if x + room > WIDTH - 20.0 {
            (x, y) = (20.0, y + 18.0);
        }
        let _ = write!(svg, "<rect class=\"s{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\"/>", place % 8, y - 9.0);
        let _ = write!(svg, "<text class=\"small\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x + 15.0, escaped(column.title));
        x += room;
    }
    y += 12.0;
    for row in sheet.rows.iter().take(MOST) {
        one(sheet, row, y, &mut svg);
        y += ROW;
    }
    let left_out = sheet.rows.len().saturating_sub(MOST);
    if left_out > 0 {
        let _ = write!(svg, "<text class=\"small\" x=\"20\" y=\"{:.1}\">and {left_out} more rows that are not drawn</text>", y + 14.0);
        y += 20.0;
    }
    (svg, y + 8.0)
}

fn one(sheet: &Sheet, row: &[Cell], y: f64, svg: &mut String) {
    let name = row.first().map(shown).unwrap_or_default();
    let said = |at: &usize| Some(format!("{} {}", row.get(*at).map(shown)?, sheet.columns.get(*at)?.title));
    let told = format!("{name}: {}", sheet.drawn.iter().filter_map(said).collect::<Vec<_>>().join(", "));
    let _ = write!(svg, "<g class=\"row\"><title>{}</title>", escaped(&told));
    let _ = write!(svg, "<text x=\"20\" y=\"{:.1}\">{}</text>", y + 17.0, escaped(&fitted(&name, LEFT - 32.0, 13.0)));
    // Lengths in tenths of a pixel.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "5600")]
    let lengths = bars(sheet, row, (REACH * 10.0) as u64);
    let mut x = LEFT;
    for (place, length) in lengths.into_iter().enumerate() {
        let width = count(usize::try_from(length).unwrap_or(0)) / 10.0;
        if width > 0.0 {
            let drawn = (width - 0.5).max(0.5);
            let _ = write!(svg, "<rect class=\"s{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{drawn:.1}\" height=\"18\" rx=\"2\"/>", place % 8, y + 4.0);
        }
        x += width;
    }
    let number = |at: &usize| if let Some(Cell::Number(number)) = row.get(*at) { *number } else { 0 };
    let sum: u64 = sheet.drawn.iter().map(number).sum();
    let _ = write!(svg, "<text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{sum}</text></g>", x + 8.0, y + 17.5);
}
