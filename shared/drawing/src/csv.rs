//! A report as CSV: one line a row, times in seconds, shares in ten-thousandths.

use crate::page::Page;
use engine::report::{Cell, Sheet};
use std::io::Write;

pub(crate) fn write(page: &Page, out: &mut impl Write) -> std::io::Result<()> {
    let mut sheet = ::csv::Writer::from_writer(out);
    let steps = page.rows.iter().any(|row| row.step.is_some());
    let own = page.ours.map(|ours| format!("{}_", ours.csv)).unwrap_or_default();
    let mut header = vec![page.group.replace('-', "_")];
    if steps {
        header = vec!["group".to_owned(), "step".to_owned()];
    }
    header.push("count".to_owned());
    header.extend(["mean", "median", "p90", "p95", "total"].map(|figure| format!("{own}{figure}_seconds")));
    if let Some(sei) = page.sei {
        header.extend(["mean", "median", "p90", "p95", "total"].map(|figure| format!("{}_{figure}_seconds", sei.csv)));
    }
    if steps {
        header.extend(["good", "acceptable", "slow", "grade"].map(str::to_owned));
    }
    header.extend(["open", "oldest_open_seconds"].map(str::to_owned));
    sheet.write_record(&header).map_err(std::io::Error::from)?;
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    for row in &page.rows {
        let mut cells = vec![row.group.as_deref().map(cell).unwrap_or_default()];
        cells.extend(row.step.map(|step| step.name().to_owned()));
        cells.push(row.ours.count.to_string());
        for figures in [Some(&row.ours), row.sei.as_ref()].into_iter().flatten() {
            cells.extend([figures.mean, figures.median, figures.p90, figures.p95, Some(figures.total)].map(number));
        }
        if let Some(graded) = &row.graded {
            cells.extend([graded.good, graded.acceptable, graded.slow].map(|number| number.to_string()));
            cells.push(row.grade().unwrap_or_default().to_owned());
        }
        cells.extend([row.open.to_string(), number(row.oldest)]);
        sheet.write_record(&cells).map_err(std::io::Error::from)?;
    }
    sheet.flush()
}

pub(crate) fn of_sheet(sheet: &Sheet, out: &mut impl Write) -> std::io::Result<()> {
    let mut written = ::csv::Writer::from_writer(out);
    written.write_record(sheet.columns.iter().map(|column| column.name)).map_err(std::io::Error::from)?;
    for row in &sheet.rows {
        let cells = row.iter().map(|one| match one {
            Cell::Text(text) => cell(text),
            Cell::Number(number) => number.to_string(),
            Cell::Share(share) | Cell::Ratio(share) => format!("{}.{:04}", share / 10_000, share % 10_000),
            Cell::Time(time) => time.to_string(),
            Cell::Nothing | Cell::No(_) => String::new(),
        });
        written.write_record(cells).map_err(std::io::Error::from)?;
    }
    written.flush()
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe, which it shows as text: what anybody
/// wrote on GitHub must not run where it is looked at. <https://owasp.org/www-community/attacks/CSV_Injection>
#[must_use]
pub fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn a_cell_is_no_formula() {
        for (text, shown) in [("=HYPERLINK(1)", "'=HYPERLINK(1)"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\t=1", "'\t=1"), ("a=1", "a=1"), ("", "")] {
            assert_eq!(cell(text), shown);
        }
    }
}
