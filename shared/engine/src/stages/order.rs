//! GitHub's clock counts in seconds, and two sources differ by some: of facts that lie so near together, the order is the
//! one in which each leaves the stage that the one before it reached.

use super::names::Key;
use super::same::{Fact, JITTER, seconds};
use super::sighting::What;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Off,
    On,
    Archived,
}

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) presence: Presence,
    pub(super) stage: Option<Key>,
}

impl Place {
    /// Where it is after `fact`; none if that cannot follow from here.
    pub(super) fn after(&self, fact: &Fact) -> Option<Self> {
        let at = |presence| Self { presence, stage: self.stage.clone() };
        match (fact.what, self.presence) {
            (What::Added, Presence::Off) => Some(Self { presence: Presence::On, stage: None }),
            (What::Restored, Presence::Archived) => Some(at(Presence::On)),
            (What::Archived, Presence::On) => Some(at(Presence::Archived)),
            (What::Removed, Presence::On | Presence::Archived) => Some(Self { presence: Presence::Off, stage: None }),
            (What::Moved, Presence::On) if fact.from.as_ref().is_none_or(|from| *from == self.stage) && fact.to != self.stage => {
                Some(Self { presence: self.presence, stage: fact.to.clone() })
            }
            _ => None,
        }
    }
}

/// More would be too many orders to try.
const MOST: usize = 6;

/// Which of `facts`, sorted by time, comes next: usually the first.
pub(super) fn next(facts: &[Fact], place: &Place) -> usize {
    let Some(first) = facts.first() else { return 0 };
    let near = facts.iter().take(MOST).take_while(|fact| seconds(fact.latest, first.latest) <= JITTER).count();
    if near < 2 {
        return 0;
    }
    let order = |count: usize, jump: bool| chain(facts, &mut (0..count).collect(), place, jump);
    // Whatever comes after them may tell how they ended. Where something was told by nobody, only the first of them fails
    // to follow.
    let beyond = (near + 1).min(facts.len());
    order(beyond, false).or_else(|| order(near, false)).or_else(|| order(beyond, true)).or_else(|| order(near, true)).unwrap_or(0)
}

/// The first of an order in which all that are left follow from each other, the given order preferred; `jump`: the
/// first need not follow from `place`.
fn chain(facts: &[Fact], left: &mut Vec<usize>, place: &Place, jump: bool) -> Option<usize> {
    for position in 0..left.len() {
        let Some(&index) = left.get(position) else { continue };
        let Some(fact) = facts.get(index) else { continue };
        // One source keeps its own order, and what is further away is later whoever tells it.
        let earlier = |other: &&usize| {
            facts.get(**other).is_some_and(|other| other.latest < fact.latest && (other.source == fact.source || seconds(other.latest, fact.latest) > JITTER))
        };
        if left.iter().any(|other| earlier(&other)) {
            continue;
        }
        let jumped = || Place { presence: Presence::On, stage: fact.to.clone() };
        let Some(then) = place.after(fact).or_else(|| (jump && fact.what == What::Moved).then(jumped)) else { continue };
        left.remove(position);
        let goes_on = left.is_empty() || chain(facts, left, &then, false).is_some();
        left.insert(position, index);
        if goes_on {
            return Some(index);
        }
    }
    None
}
