//! A report as one HTML page that needs nothing else: no script, no font, no request. Places the pieces.

use crate::STYLE;
use crate::pieces::Pieces;
use crate::svg::escaped;
use std::fmt::Write as _;

const PAGE: &str = include_str!("page.css");

pub(crate) fn of(pieces: &Pieces) -> String {
    let title = escaped(&pieces.title);
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}{PAGE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n<p class=\"facts\">{}</p>\n",
        escaped(&pieces.facts.join(" · "))
    );
    if !pieces.tiles.is_empty() {
        html.push_str("<div class=\"tiles\">\n");
        for (value, what) in &pieces.tiles {
            let _ = writeln!(html, "<div class=\"tile\"><b>{}</b><span>{}</span></div>", escaped(value), escaped(what));
        }
        html.push_str("</div>\n");
    }
    if let Some(table) = &pieces.table {
        for chart in &pieces.charts {
            let _ = writeln!(html, "<div class=\"plain\">{chart}</div>");
        }
        html.push_str("<h2>The figures</h2>\n");
        if let Some(note) = &pieces.note {
            let _ = writeln!(html, "<p class=\"note\">{}</p>", escaped(note));
        }
        html.push_str(table);
    } else {
        html.push_str("<h2>Nothing to count</h2>\n<p class=\"note\">Nothing in this copy matches what was asked.</p>\n");
    }
    if let Some(more) = &pieces.more {
        let _ = writeln!(html, "<p class=\"note\">{}</p>", escaped(more));
    }
    if let Some((note, table)) = &pieces.open {
        let _ = writeln!(html, "<h2>Open now</h2>\n<p class=\"note\">{}</p>\n{table}", escaped(note));
    }
    if let Some((note, table)) = &pieces.longest {
        let _ = writeln!(html, "<h2>What took longest</h2>\n<p class=\"note\">{}</p>\n{table}", escaped(note));
    }
    html.push_str("<h2>What the figures mean</h2>\n<dl>\n");
    for (term, meaning) in &pieces.notes {
        let _ = writeln!(html, "<dt>{}</dt><dd>{}</dd>", escaped(term), escaped(meaning));
    }
    html.push_str("</dl>\n</main>\n</body>\n</html>\n");
    html
}
