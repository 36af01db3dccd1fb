//! How a report looks: as text, CSV, JSON, an HTML page, a picture, or pieces of somebody else's page. Reads no store and
//! decides no figure: it draws what the engine computed.

mod bars;
mod chart;
mod csv;
mod html;
mod listing;
mod page;
mod pieces;
mod svg;
mod table;
mod words;

pub use csv::cell;
pub use pieces::{Links, Pieces, pieces};
pub use svg::escaped;

use engine::report::Report;
use page::Page;
use std::io::Write;

/// The style of the charts and of the pieces: variables, light and dark, and classes; no page.
pub const STYLE: &str = include_str!("style.css");

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Csv,
    /// A page that needs nothing else, light or dark as its reader likes.
    Html,
    /// The chart of that page.
    Svg,
}

impl Format {
    pub const ALL: [(&'static str, Self); 5] = [("table", Self::Table), ("json", Self::Json), ("csv", Self::Csv), ("html", Self::Html), ("svg", Self::Svg)];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(one, _)| *one == name).map(|(_, format)| format)
    }

    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Table => "text/plain; charset=utf-8",
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// Prints a report.
pub fn write(report: &Report, format: Format, out: &mut impl Write) -> std::io::Result<()> {
    let page = Page::of(report);
    match (format, report) {
        (Format::Json, _) => {
            serde_json::to_writer_pretty(&mut *out, report)?;
            writeln!(out)?;
        }
        (Format::Table, Report::Sheet(sheet)) => out.write_all(listing::table(sheet).as_bytes())?,
        (Format::Csv, Report::Sheet(sheet)) => csv::of_sheet(sheet, out)?,
        (Format::Svg, Report::Sheet(sheet)) => out.write_all(bars::alone(sheet).as_bytes())?,
        (Format::Html, _) => out.write_all(html::of(&pieces(report, &Links::NONE)).as_bytes())?,
        (Format::Table, _) => out.write_all(page.as_ref().map(table::of).unwrap_or_default().as_bytes())?,
        (Format::Csv, _) => page.as_ref().map_or(Ok(()), |page| csv::write(page, out))?,
        (Format::Svg, _) => out.write_all(page.as_ref().map(chart::alone).unwrap_or_default().as_bytes())?,
    }
    out.flush()
}
