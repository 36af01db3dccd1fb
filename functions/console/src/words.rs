//! Numbers and times as people read them.

use jiff::Timestamp;
use maud::{Markup, html};

/// With its thousands apart.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// With its word in the right number.
pub(crate) fn several(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(count), if count == 1 { one } else { many })
}

pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{} min", seconds.div_ceil(60)),
        5401..=172_800 => format!("{} h", seconds.div_ceil(3600)),
        _ => format!("{} days", seconds.div_ceil(86400)),
    }
}

/// How long ago or in how long, and when exactly for whoever points at it.
pub(crate) fn when(at: Timestamp, now: Timestamp) -> Markup {
    let seconds = now.duration_since(at).as_secs();
    let text = match seconds {
        -1..=1 => "now".to_owned(),
        2.. => format!("{} ago", span(seconds.unsigned_abs())),
        _ => format!("in {}", span(seconds.unsigned_abs())),
    };
    html! { time datetime=(format!("{at:.0}")) title=(format!("{at:.0}")) { (text) } }
}

/// To the second, or finer where the order matters.
pub(crate) fn exact(at: Timestamp, digits: usize) -> Markup {
    let text = at.strftime(if digits == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.3f" }).to_string();
    html! { time datetime=(format!("{at:.3}")) { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart_and_one_is_one() {
        assert_eq!((number(0), number(999), number(1000), number(12_345_678)), ("0".into(), "999".into(), "1,000".into(), "12,345,678".into()));
        assert_eq!((several(1, "row", "rows"), several(2000, "row", "rows")), ("1 row".into(), "2,000 rows".into()));
        assert_eq!((span(90), span(91), span(7200), span(200_000)), ("90 s".into(), "2 min".into(), "2 h".into(), "3 days".into()));
    }
}
