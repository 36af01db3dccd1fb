//! Text in a picture: how long it is, how it is cut, and how what others wrote stays text. Draws nothing.

use crate::words::cells;

/// The beginning of a picture that grows with its page.
pub(crate) fn opening(title: &str, width: f64, height: f64) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{title}\">"
    )
}

#[allow(clippy::cast_precision_loss, reason = "rows of a page")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

/// About how long a text is, in a usual face; on the safe side.
pub(crate) fn length(text: &str, size: f64) -> f64 {
    text.chars().map(|letter| count(cells(letter)) * size * if letter.is_uppercase() || letter == '—' { 0.72 } else { 0.58 }).sum()
}

pub(crate) fn fitted(text: &str, room: f64, size: f64) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if length(&text, size) <= room {
        return text;
    }
    let mut cut = text;
    while cut.pop().is_some() && length(&cut, size) > room - size {}
    cut.trim_end().to_owned() + "…"
}

/// For text and for attributes in double quotes. Controls, which XML does not know, become spaces.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
