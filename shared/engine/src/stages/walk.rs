//! Follows one item through all that was told of it, and says where something must have happened that nobody told.

use super::names::{Key, Names};
use super::order::{self, Place, Presence};
use super::same::{APART, Fact, JITTER, once, seconds};
use super::sighting::What;
use super::{Source, Text, Transition};
use jiff::Timestamp;

pub(super) struct Walk<'a> {
    names: &'a Names,
    place: Place,
    item: Option<Text>,
    /// When it was last known to be where it is.
    known: Option<Timestamp>,
    /// The last move whose moment was told: when, what it left, and whether a name is all that is known of the stage.
    moved: Option<(Timestamp, Option<Key>, bool)>,
    /// When the board was read, as far as what was seen tells: what it did not show otherwise was still so.
    readings: Vec<Timestamp>,
    out: Vec<Transition>,
}

/// One history from all facts about one item or issue, in any order. `left` is when it was certainly no longer on the board,
/// if it is not.
pub(super) fn walk(facts: Vec<Fact>, left: Option<Fact>, names: &Names) -> Vec<Transition> {
    let (told, mut seen): (Vec<Fact>, Vec<Fact>) = facts.into_iter().partition(Fact::is_exact);
    let mut told = once(told);
    seen.sort_by_key(Fact::order);
    let place = Place { presence: Presence::Off, stage: None };
    let mut readings: Vec<Timestamp> = seen.iter().flat_map(|fact| [fact.earliest, fact.latest]).collect();
    readings.sort_unstable();
    let mut walk = Walk { names, place, item: None, known: None, moved: None, readings, out: Vec::new() };
    for fact in seen {
        while told.first().is_some_and(|next| next.latest <= fact.latest) {
            walk.step(&mut told);
        }
        walk.glimpse(fact, &told);
    }
    while !told.is_empty() {
        walk.step(&mut told);
    }
    if let Some(left) = left.filter(|left| walk.place.presence != Presence::Off && walk.known.is_some_and(|known| known < left.latest)) {
        walk.missed(What::Removed, None, &left);
    }
    walk.out
}

impl Walk<'_> {
    fn step(&mut self, told: &mut Vec<Fact>) {
        let next = order::next(told, &self.place);
        let fact = told.remove(next);
        self.tell(&fact);
    }

    /// Something whose moment was told. What must have come before it, and was told by nobody, is put in.
    fn tell(&mut self, fact: &Fact) {
        let at = fact.latest;
        match (fact.what, self.place.presence) {
            (What::Added, Presence::On | Presence::Archived) => {
                // The same item cannot come twice.
                if fact.item.is_some() && fact.item == self.item {
                    return;
                }
                self.missed(What::Removed, None, fact);
            }
            (What::Moved, Presence::Off) => self.missed(What::Added, None, fact),
            // What is archived cannot be changed.
            (What::Moved, Presence::Archived) => self.missed(What::Restored, None, fact),
            (What::Restored | What::Archived, Presence::Off) => self.missed(What::Added, None, fact),
            (What::Restored, Presence::On) => self.missed(What::Archived, self.place.stage.clone(), fact),
            (What::Archived, Presence::Archived) | (What::Removed, Presence::Off) => return,
            (What::Removed, _) if self.is_of_another(fact) => return,
            _ => {}
        }
        if fact.what == What::Moved {
            if let Some(from) = fact.from.clone().filter(|from| *from != self.place.stage) {
                self.missed(What::Moved, from, fact);
            }
            let by_name = matches!(fact.to, Some(Key::Name(_)));
            self.moved = Some((at, self.place.stage.clone(), by_name));
            if fact.to == self.place.stage {
                self.known = self.known.max(Some(at));
                return;
            }
        }
        self.go(fact.what, fact.to.clone(), fact, (at, at, at));
    }

    /// What two readings of the board showed, unless what was told explains it.
    fn glimpse(&mut self, fact: Fact, to_come: &[Fact]) {
        let explained = to_come.iter().take_while(|next| seconds(next.latest, fact.latest) <= APART).any(|next| {
            let same = next.what == fact.what && (fact.what != What::Moved || next.to == fact.to);
            same && fact.set_at.is_none_or(|set_at| seconds(next.latest, set_at) <= JITTER)
        });
        if explained {
            return;
        }
        match (fact.what, self.place.presence) {
            (What::Removed, Presence::Off) => return,
            (What::Removed, _) if self.is_of_another(&fact) => return,
            (What::Archived, Presence::Archived) | (What::Restored | What::Added, Presence::On) => return self.confirm(&fact),
            (What::Moved | What::Archived | What::Restored, Presence::Off) => self.missed(What::Added, None, &fact),
            _ => {}
        }
        if fact.what == What::Moved {
            // What the earlier reading showed, if nothing is known to have happened since.
            let before = fact.from.clone().filter(|from| *from != self.place.stage && self.known.is_some_and(|known| known <= fact.earliest));
            if let Some(from) = before.filter(|from| *from != fact.to) {
                let then = Fact { latest: fact.earliest, set_at: None, ..fact.clone() };
                self.missed(What::Moved, from, &then);
            }
            if fact.to == self.place.stage {
                return self.confirm(&fact);
            }
            if self.is_stale(&fact) {
                return;
            }
        }
        let earliest = fact.earliest.max(self.known.unwrap_or(fact.earliest)).min(fact.latest);
        let at = fact.set_at.filter(|at| *at >= earliest && *at <= fact.latest).unwrap_or_else(|| middle(earliest, fact.latest));
        self.go(fact.what, fact.to.clone(), &fact, (at, earliest, fact.latest));
        self.known = self.known.max(Some(fact.latest));
    }

    fn confirm(&mut self, fact: &Fact) {
        self.known = self.known.max(Some(fact.latest));
        self.item = fact.item.clone().or(self.item.take());
    }

    /// Whether the board was read from before the last move that was told, or shows that very move under the option's
    /// present name.
    fn is_stale(&mut self, fact: &Fact) -> bool {
        let Some((moved, left, by_name)) = self.moved.clone() else { return false };
        match fact.set_at {
            Some(set_at) if by_name && seconds(set_at, moved) <= JITTER => {
                self.place.stage.clone_from(&fact.to);
                self.rename_last(fact.to.as_ref());
                true
            }
            Some(set_at) => moved.as_second() - set_at.as_second() > JITTER,
            None => left == fact.to && seconds(fact.latest, moved) <= APART,
        }
    }

    fn rename_last(&mut self, to: Option<&Key>) {
        let name = to.map(|to| self.names.name(to));
        if let Some(last) = self.out.iter_mut().rev().find(|transition| transition.what == What::Moved) {
            last.to = name;
        }
    }

    fn is_of_another(&self, fact: &Fact) -> bool {
        fact.item.is_some() && self.item.is_some() && fact.item != self.item
    }

    /// Something that nobody told, but without which `fact` could not be.
    fn missed(&mut self, what: What, to: Option<Key>, fact: &Fact) {
        let read = self.readings.iter().rev().find(|reading| **reading <= fact.latest).copied();
        let earliest = self.known.map_or(fact.earliest, |known| known.max(read.unwrap_or(known))).min(fact.latest);
        // Had it been so at the last reading of the board, that would have shown it: it was not long before.
        let at = fact.latest;
        let nobody = Fact { actor: None, automated: None, item: if what == What::Added { fact.item.clone() } else { self.item.clone() }, ..fact.clone() };
        self.go(what, to, &nobody, (at, earliest, fact.latest));
    }

    fn go(&mut self, what: What, to: Option<Key>, fact: &Fact, (at, earliest, latest): (Timestamp, Timestamp, Timestamp)) {
        let left = self.place.stage.clone();
        let (presence, stage) = match what {
            What::Added => (Presence::On, None),
            What::Restored => (Presence::On, left.clone()),
            What::Archived => (Presence::Archived, left.clone()),
            What::Removed => (Presence::Off, None),
            What::Moved => (self.place.presence, to),
        };
        // In the order of the history, whatever the seconds say.
        let before = self.out.last().map_or(at, |last| last.at);
        let at = at.max(before);
        self.item = fact.item.clone().or(if what == What::Added { None } else { self.item.take() });
        let name = |key: &Option<Key>| key.as_ref().map(|key| self.names.name(key));
        self.out.push(Transition {
            item: self.item.clone(),
            what,
            from: if what == What::Added { None } else { name(&left) },
            to: name(&stage),
            at,
            earliest: earliest.min(at),
            latest: latest.max(at),
            actor: fact.actor.clone(),
            automated: fact.automated,
            source: fact.source,
        });
        self.known = self.known.max(Some(at));
        if what == What::Added {
            self.moved = None;
        }
        self.place = Place { presence, stage };
    }
}

fn middle(one: Timestamp, other: Timestamp) -> Timestamp {
    let half = (other.as_second() - one.as_second()) / 2;
    Timestamp::from_second(one.as_second() + half).unwrap_or(other).clamp(one.min(other), one.max(other))
}

/// For a board as a whole, told by `source`.
pub(super) fn gone(at: Timestamp, earliest: Timestamp, source: Source) -> Fact {
    Fact { what: What::Removed, from: None, to: None, earliest, latest: at, set_at: None, item: None, actor: None, automated: None, source }
}
