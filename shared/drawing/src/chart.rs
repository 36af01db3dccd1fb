//! Draws a report as SVG: of each row a bar of its percentiles and the distribution; of each group, how its time is divided.
//! Places shapes; computes no figure.

use crate::STYLE;
use crate::page::{Page, Row};
use crate::svg::{count, escaped, fitted, length, opening};
use crate::words::{bounds, lasts, maybe};
use std::fmt::Write as _;

const WIDTH: f64 = 960.0;
const ROW: f64 = 46.0;
/// Where names end and bars begin, how far the longest reaches, and where the distribution begins and ends.
const LEFT: f64 = 222.0;
const REACH: f64 = 330.0;
const COLUMNS: (f64, f64) = (676.0, 940.0);
/// Rows of the division among stages.
const DIVIDED: usize = 12;

/// A file of its own.
pub(crate) fn alone(page: &Page) -> String {
    let (range, range_height) = ranges(page);
    let (division, division_height) = divisions(page);
    let top = 74.0;
    let mut svg = open(page, top + range_height + division_height);
    let _ = write!(svg, "<style>{STYLE}</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>");
    let _ = write!(svg, "<text class=\"head\" x=\"20\" y=\"36\">{}</text>", escaped(&page.title));
    let facts = format!("{} {} · {} open · {}", page.items, page.counted, page.open.len(), page.facts.join(" · "));
    let _ = write!(svg, "<text class=\"small\" x=\"20\" y=\"56\">{}</text>", escaped(&fitted(&facts, 920.0, 11.0)));
    let _ = writeln!(svg, "<g transform=\"translate(0 {top})\">{range}</g><g transform=\"translate(0 {})\">{division}</g></svg>", top + range_height);
    svg
}

/// The two charts, for a page that has the style.
pub(crate) fn inline(page: &Page) -> (String, Option<String>) {
    let (range, height) = ranges(page);
    let (division, lower) = divisions(page);
    let whole = |inner: String, height: f64| open(page, height) + &inner + "</svg>";
    (whole(range, height), (!division.is_empty()).then(|| whole(division, lower)))
}

fn open(page: &Page, height: f64) -> String {
    opening(&page.title, WIDTH, height)
}

fn ranges(page: &Page) -> (String, f64) {
    let rows = page.drawn();
    let mut svg = String::new();
    let longest = rows.iter().flat_map(|row| [row.ours.p95, row.ours.mean]).flatten().max().unwrap_or(0).max(1);
    let bottom = 40.0 + ROW * count(rows.len());
    let _ = write!(svg, "<text class=\"small\" x=\"{}\" y=\"14\">how many took how long</text>", COLUMNS.0);
    for tick in ticks(longest, page.business) {
        let x = along(tick, longest);
        let _ = write!(svg, "<path class=\"line\" d=\"M{x:.1} 30V{bottom:.1}\"/>");
        let _ = write!(svg, "<text class=\"tick\" x=\"{x:.1}\" y=\"22\" text-anchor=\"middle\">{}</text>", tick_name(tick, page.business));
    }
    for (place, row) in rows.iter().enumerate() {
        let y = 40.0 + ROW * count(place);
        let _ = write!(svg, "<path class=\"line\" d=\"M20 {y:.1}H{}\"/>", WIDTH - 20.0);
        bar(page, row, y, longest, &mut svg);
        distribution(page, row, y, &mut svg);
    }
    let _ = write!(svg, "<path class=\"line\" d=\"M20 {bottom:.1}H{}\"/>", WIDTH - 20.0);
    for (place, name) in bounds(page.business).iter().enumerate() {
        // Hours have more digits than days: every other one.
        if !page.business || place % 2 == 0 {
            let x = COLUMNS.0 + column() * (count(place) + 1.0);
            let _ = write!(svg, "<text class=\"tick\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>", bottom + 15.0);
        }
    }
    let y = bottom + 19.0;
    let _ = write!(
        svg,
        "<rect class=\"median\" x=\"20\" y=\"{y:.1}\" width=\"14\" height=\"10\" rx=\"2\"/><text class=\"small\" x=\"40\" y=\"{0:.1}\">to the median</text>\
         <rect class=\"p90\" x=\"136\" y=\"{y:.1}\" width=\"14\" height=\"10\" rx=\"2\"/><text class=\"small\" x=\"156\" y=\"{0:.1}\">to p90</text>\
         <path class=\"p95\" d=\"M212 {1:.1}h14\"/><text class=\"small\" x=\"232\" y=\"{0:.1}\">to p95</text>\
         <path class=\"mean\" d=\"{2}\"/><text class=\"small\" x=\"306\" y=\"{0:.1}\">mean</text>",
        y + 9.0,
        y + 5.0,
        diamond(294.0, y + 5.0)
    );
    let left_out = page.rows.len() - rows.len();
    if left_out > 0 {
        let _ = write!(svg, "<text class=\"small\" x=\"360\" y=\"{:.1}\">and {left_out} more rows that are not drawn</text>", y + 9.0);
    }
    (svg, bottom + 44.0)
}

fn bar(page: &Page, row: &Row, y: f64, longest: i64, svg: &mut String) {
    let of = &row.ours;
    let time = |seconds| maybe(seconds, page.business);
    let told = format!(
        "{}: {} {}, median {}, mean {}, p90 {}, p95 {}, total {}",
        row.label,
        of.count,
        page.counted,
        time(of.median),
        time(of.mean),
        time(of.p90),
        time(of.p95),
        lasts(of.total, page.business)
    );
    let _ = write!(svg, "<g class=\"row\"><title>{}</title>", escaped(&told));
    let _ = write!(svg, "<text x=\"20\" y=\"{:.1}\">{}</text>", y + 20.0, escaped(&fitted(&row.label, LEFT - 36.0, 13.0)));
    let mut under = format!("{} {}", of.count, page.counted);
    if row.open > 0 {
        let _ = write!(under, " · {} open", row.open);
    }
    let _ = write!(svg, "<text class=\"small\" x=\"20\" y=\"{:.1}\">{under}", y + 36.0);
    if let Some(grade) = row.grade() {
        let _ = write!(svg, " · <tspan class=\"{grade}\">{grade}</tspan>");
    }
    svg.push_str("</text>");
    if let (Some(median), Some(p90), Some(p95), Some(mean)) = (of.median, of.p90, of.p95, of.mean) {
        let x = |seconds| along(seconds, longest);
        let (top, middle) = (y + 14.0, y + 23.0);
        if p95 > p90 {
            let _ = write!(svg, "<path class=\"p95\" d=\"M{0:.1} {middle:.1}H{1:.1}M{1:.1} {2:.1}v8\"/>", x(p90), x(p95), middle - 4.0);
        }
        let _ = write!(svg, "<rect class=\"p90\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"18\" rx=\"3\"/>", (x(p90) - LEFT).max(1.0));
        let _ = write!(svg, "<rect class=\"median\" x=\"{LEFT}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"18\" rx=\"3\"/>", (x(median) - LEFT).max(1.0));
        let _ = write!(svg, "<path class=\"mean\" d=\"{}\"/>", diamond(x(mean), middle));
        let _ = write!(
            svg,
            "<text class=\"value\" x=\"{:.1}\" y=\"{:.1}\"><tspan class=\"small\">median </tspan>{}</text>",
            x(p95.max(mean)) + 9.0,
            middle + 4.5,
            lasts(median, page.business)
        );
    } else {
        let _ = write!(svg, "<text class=\"small\" x=\"{LEFT}\" y=\"{:.1}\">none yet</text>", y + 27.0);
    }
    svg.push_str("</g>");
}

fn distribution(page: &Page, row: &Row, y: f64, svg: &mut String) {
    let most = row.ours.distribution.iter().copied().max().unwrap_or(0).max(1);
    let names = bounds(page.business);
    for (place, number) in row.ours.distribution.iter().enumerate().filter(|(_, number)| **number > 0) {
        #[allow(clippy::cast_precision_loss, reason = "a share of 34 pixels")]
        let height = (34.0 * (*number as f64) / (most as f64)).max(1.5);
        let told = match (place.checked_sub(1).and_then(|before| names.get(before)), names.get(place)) {
            (None, Some(to)) => format!("{number} took less than {to}"),
            (Some(from), Some(to)) => format!("{number} took {from} to {to}"),
            (Some(from), None) => format!("{number} took {from} or longer"),
            (None, None) => String::new(),
        };
        let (x, top) = (COLUMNS.0 + column() * count(place) + 1.5, y + 42.0 - height);
        let _ = write!(
            svg,
            "<rect class=\"column\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\" rx=\"1.5\"><title>{told}</title></rect>",
            column() - 3.0
        );
    }
}

/// Each group's time, divided among the stages: a bar a group, each as long as the others.
fn divisions(page: &Page) -> (String, f64) {
    let drawn: Vec<_> = page.shares.iter().filter(|(_, shares)| shares.iter().any(|(_, total)| *total > 0)).take(DIVIDED).collect();
    let mut names: Vec<&str> = Vec::new();
    for (stage, _) in drawn.iter().flat_map(|(_, shares)| shares) {
        if !names.contains(&stage.as_str()) {
            names.push(stage);
        }
    }
    let mut svg = String::new();
    if drawn.is_empty() {
        return (svg, 0.0);
    }
    svg.push_str("<text class=\"section\" x=\"20\" y=\"22\">Where the time goes</text>");
    let (mut x, mut y) = (20.0, 46.0);
    for (place, name) in names.iter().enumerate() {
        let name = fitted(name, 200.0, 11.0);
        let room = 34.0 + length(&name, 11.0);
        if x + room > WIDTH - 20.0 {
            (x, y) = (20.0, y + 18.0);
        }
        let _ = write!(svg, "<rect class=\"s{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\" rx=\"2\"/>", place % 8, y - 9.0);
        let _ = write!(svg, "<text class=\"small\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>", x + 15.0, escaped(&name));
        x += room;
    }
    y += 14.0;
    for (group, shares) in drawn {
        let whole: i64 = shares.iter().map(|(_, total)| total).sum();
        let _ = write!(svg, "<text x=\"20\" y=\"{:.1}\">{}</text>", y + 17.0, escaped(&fitted(group, LEFT - 36.0, 13.0)));
        let mut x = LEFT;
        for (stage, total) in shares.iter().filter(|(_, total)| *total > 0) {
            let width = (WIDTH - 20.0 - LEFT) * share(*total, whole);
            let place = names.iter().position(|name| name == stage).unwrap_or(0) % 8;
            let told = format!("{stage}: {} of {} ({:.0} %)", lasts(*total, page.business), lasts(whole, page.business), 100.0 * share(*total, whole));
            let _ = write!(
                svg,
                "<rect class=\"s{place}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"20\" rx=\"2\"><title>{}</title></rect>",
                y + 2.0,
                (width - 1.5).max(0.5),
                escaped(&told)
            );
            x += width;
        }
        y += 28.0;
    }
    (svg, y + 12.0)
}

fn diamond(x: f64, y: f64) -> String {
    format!("M{x:.1} {:.1}l5 5.5l-5 5.5l-5 -5.5z", y - 5.5)
}

#[allow(clippy::cast_precision_loss, reason = "a place on a page of 960 pixels")]
fn share(part: i64, whole: i64) -> f64 {
    part.max(0) as f64 / whole.max(1) as f64
}

fn along(seconds: i64, longest: i64) -> f64 {
    LEFT + REACH * share(seconds, longest)
}

fn column() -> f64 {
    (COLUMNS.1 - COLUMNS.0) / 12.0
}

/// Round times, at most six of them.
fn ticks(longest: i64, business: bool) -> Vec<i64> {
    const HOURS: [i64; 10] = [20, 40, 50, 100, 200, 400, 500, 1000, 2000, 5000];
    const STEPS: [i64; 19] =
        [10, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400, 172_800, 432_000, 604_800, 1_209_600, 2_419_200, 4_838_400, 9_676_800, 31_536_000];
    let step = STEPS.into_iter().find(|step| longest / step <= 5).unwrap_or_else(|| longest / 5 + 1);
    // A day or a week is no round number of business hours.
    let round = || HOURS.into_iter().map(|hours| hours * 3600).find(|step| longest / step <= 5).unwrap_or(step);
    let step = if business && step > 28_800 { round() } else { step };
    (0..=longest / step).map(|number| number * step).collect()
}

fn tick_name(seconds: i64, business: bool) -> String {
    match seconds {
        0 => "0".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ if business || seconds % 86_400 != 0 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
