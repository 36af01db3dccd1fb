//! What the pages are made of besides markup: one style sheet, one script, one picture; in the program itself.

use crate::stop::Stop;
use axum::extract::Path;
use axum::http::header;
use axum::response::IntoResponse;

pub(crate) const STYLE: &str = "console.css";
pub(crate) const SCRIPT: &str = "console.js";

const ALL: [(&str, &str, &str); 3] = [
    (STYLE, "text/css; charset=utf-8", include_str!("assets/console.css")),
    (SCRIPT, "text/javascript; charset=utf-8", include_str!("assets/console.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

pub(crate) async fn asset(Path(name): Path<String>) -> Result<impl IntoResponse, Stop> {
    let found = ALL.iter().find(|(known, ..)| *known == name);
    let (_, kind, text) = found.ok_or_else(|| Stop::Absent(format!("There is no file {name}.")))?;
    // The charts' classes come first, so that the console's colours stand.
    let text = if name == STYLE { [drawing::STYLE, text].concat() } else { (*text).to_owned() };
    // A new version of the program has new ones under the same names.
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "no-cache")], text))
}
