//! Durations and names as people read them. Computes nothing but these.

use engine::report::BUCKETS;

/// In calendar time, days; in business hours, hours, for a day is no longer one of 24.
pub(crate) fn lasts(seconds: i64, business: bool) -> String {
    const HOUR: f64 = 3600.0;
    #[allow(clippy::cast_precision_loss, reason = "it is rounded to a tenth anyway")]
    let exact = seconds as f64;
    match seconds {
        0 => "0".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ if business || seconds < 48 * 3600 => format!("{:.1} h", exact / HOUR),
        _ => format!("{:.1} d", exact / HOUR / 24.0),
    }
}

pub(crate) fn maybe(seconds: Option<i64>, business: bool) -> String {
    seconds.map_or_else(|| "–".to_owned(), |seconds| lasts(seconds, business))
}

/// The upper bounds of the distribution's buckets.
pub(crate) fn bounds(business: bool) -> Vec<String> {
    BUCKETS.iter().map(|(bound, name)| if business { format!("{}h", bound / 3600) } else { (*name).to_owned() }).collect()
}

/// Of the buckets, as small columns; the most frequent is the tallest.
pub(crate) fn spark(distribution: &[u64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = distribution.iter().copied().max().unwrap_or(0).max(1);
    let column = |number: &u64| {
        let level = (number * 8).div_ceil(most);
        if level == 0 { ' ' } else { usize::try_from(level - 1).ok().and_then(|level| LEVELS.get(level)).copied().unwrap_or('█') }
    };
    distribution.iter().map(column).collect()
}

/// How much room a letter takes, in cells of a terminal.
pub(crate) fn cells(letter: char) -> usize {
    // East Asian scripts and emoji take two.
    match u32::from(letter) {
        0x0300..=0x036f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

pub(crate) fn width(text: &str) -> usize {
    text.chars().map(cells).sum()
}

/// Cut to fit, and told so by an ellipsis. Line breaks and other controls would break the layout.
pub(crate) fn fit(text: &str, most: usize) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if width(&text) <= most {
        return text;
    }
    let (mut cut, mut used) = (String::new(), 1);
    for letter in text.chars() {
        used += cells(letter);
        if used > most {
            break;
        }
        cut.push(letter);
    }
    cut.trim_end().to_owned() + "…"
}
