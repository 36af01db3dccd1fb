//! A report as CSV: one line a row, times in seconds.

use super::page::Page;
use crate::export::cell as csv_cell;
use std::io::Write;

pub(super) fn write(page: &Page, out: &mut impl Write) -> std::io::Result<()> {
    let mut sheet = csv::Writer::from_writer(out);
    let steps = page.rows.iter().any(|row| row.step.is_some());
    let own = if steps { "" } else { "sum_of_intervals_" };
    let mut header = vec![page.across.name().replace('-', "_")];
    if steps {
        header = vec!["group".to_owned(), "step".to_owned()];
    }
    header.push("count".to_owned());
    header.extend(["mean", "median", "p90", "p95", "total"].map(|figure| format!("{own}{figure}_seconds")));
    if steps {
        header.extend(["good", "acceptable", "slow", "grade"].map(str::to_owned));
    } else {
        header.extend(["mean", "median", "p90", "p95", "total"].map(|figure| format!("max_end_minus_min_start_{figure}_seconds")));
    }
    header.extend(["open", "oldest_open_seconds"].map(str::to_owned));
    sheet.write_record(&header).map_err(std::io::Error::from)?;
    let cell = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    for row in &page.rows {
        let mut cells = vec![row.group.as_deref().map(csv_cell).unwrap_or_default()];
        cells.extend(row.step.map(|step| step.name().to_owned()));
        cells.push(row.ours.count.to_string());
        for figures in [Some(&row.ours), row.sei.as_ref()].into_iter().flatten() {
            cells.extend([figures.mean, figures.median, figures.p90, figures.p95, Some(figures.total)].map(cell));
        }
        if let Some(graded) = &row.graded {
            cells.extend([graded.good, graded.acceptable, graded.slow].map(|number| number.to_string()));
            cells.push(row.grade().unwrap_or_default().to_owned());
        }
        cells.extend([row.open.to_string(), cell(row.oldest)]);
        sheet.write_record(&cells).map_err(std::io::Error::from)?;
    }
    sheet.flush()
}
