//! What is good and what acceptable, as one writes it: `review=1d/3d`. Grades nothing.

use super::ask::{AskError, wrong};
use super::cycle::{Bounds, Step};
use std::collections::BTreeMap;

pub(super) fn bounds(told: &[String]) -> Result<BTreeMap<Step, Bounds>, AskError> {
    let one = |text: &String| {
        let (step, bounds) = text.split_once('=')?;
        let (good, acceptable) = bounds.split_once('/')?;
        let step = Step::ALL.into_iter().find(|one| one.name() == step.trim())?;
        let bounds = Bounds { good: duration(good.trim())?, acceptable: duration(acceptable.trim())? };
        (bounds.good <= bounds.acceptable).then_some((step, bounds))
    };
    let names = Step::ALL.map(Step::name).join(", ");
    let bad = |text: &String| wrong("bounds", format!("`{text}` is none. Write STEP=GOOD/ACCEPTABLE, such as review=1d/3d; steps are {names}"));
    told.iter().map(|text| one(text).ok_or_else(|| bad(text))).collect()
}

/// `90m`, `12h`, `3d`, `2w`.
fn duration(text: &str) -> Option<i64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| i64::from(number) * seconds)
}
