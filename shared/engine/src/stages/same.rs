//! One change told by several sources is one change. Sources date it some seconds apart, so nearest goes with nearest.

use super::names::Key;
use super::sighting::What;
use super::{Source, Stage, Text, names::Names, sighting::Sighting};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What was told, with stages that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) what: What,
    pub(super) from: Option<Option<Key>>,
    pub(super) to: Option<Key>,
    pub(super) earliest: Timestamp,
    pub(super) latest: Timestamp,
    pub(super) set_at: Option<Timestamp>,
    pub(super) item: Option<Text>,
    pub(super) actor: Option<Text>,
    pub(super) automated: Option<bool>,
    pub(super) source: Source,
}

type Order = (Timestamp, What, Source, Option<Key>, Option<Option<Key>>, Option<Text>);

/// So far apart may two sources date one change.
pub(super) const APART: i64 = 60;
/// So far apart they do while nothing is slow.
pub(super) const JITTER: i64 = 3;

impl Fact {
    pub(super) fn new(sighting: &Sighting, names: &Names) -> Self {
        let key = |stage: &Stage| names.key(stage, sighting.latest);
        Self {
            what: sighting.what,
            from: sighting.from.as_ref().map(|from| from.as_ref().map(key)),
            to: sighting.to.as_ref().map(key),
            earliest: sighting.earliest,
            latest: sighting.latest,
            set_at: sighting.set_at,
            item: sighting.item.clone(),
            actor: sighting.actor.clone(),
            automated: sighting.automated,
            source: sighting.source,
        }
    }

    pub(super) fn is_exact(&self) -> bool {
        self.earliest == self.latest
    }

    /// Everything by which facts differ, so that their order never depends on who came first.
    pub(super) fn order(&self) -> Order {
        (self.latest, self.what, self.source, self.to.clone(), self.from.clone(), self.item.clone())
    }

    /// Whether it may be the same change as `other`, of another source.
    fn may_be(&self, other: &Self) -> bool {
        let apart = seconds(self.latest, other.latest);
        let items = self.item.is_none() || other.item.is_none() || self.item == other.item;
        // A name that no option is known to have had may be any option's.
        let nameless = matches!(self.to, Some(Key::Name(_))) || matches!(other.to, Some(Key::Name(_)));
        self.what == other.what && items && apart <= APART && (self.to == other.to || nameless && apart <= JITTER)
    }

    /// Adds what only the other source told.
    fn learn(&mut self, other: Self) {
        self.from = self.from.take().or(other.from);
        self.item = self.item.take().or(other.item);
        self.actor = self.actor.take().or(other.actor);
        self.automated = self.automated.or(other.automated);
        if matches!(self.to, Some(Key::Name(_))) {
            self.to = other.to;
        }
    }
}

pub(super) fn seconds(one: Timestamp, other: Timestamp) -> i64 {
    (one.as_second() - other.as_second()).abs()
}

/// Each change once, of facts whose moment was told.
pub(super) fn once(facts: Vec<Fact>) -> Vec<Fact> {
    let mut kept: Vec<Fact> = Vec::new();
    for source in [Source::Webhook, Source::Timeline, Source::Snapshot] {
        let mut fresh: Vec<Fact> = facts.iter().filter(|fact| fact.source == source).cloned().collect();
        fresh.sort_by_key(Fact::order);
        let mut pairs: Vec<(i64, usize, usize)> = Vec::new();
        for (mine, fact) in fresh.iter().enumerate() {
            pairs.extend(
                kept.iter().enumerate().filter(|(_, other)| fact.may_be(other)).map(|(theirs, other)| (seconds(fact.latest, other.latest), theirs, mine)),
            );
        }
        pairs.sort_unstable();
        let (mut taken, mut matched) = (BTreeSet::new(), BTreeSet::new());
        for (_, theirs, mine) in pairs {
            if !taken.contains(&theirs) && !matched.contains(&mine) {
                taken.insert(theirs);
                matched.insert(mine);
                if let (Some(known), Some(fact)) = (kept.get_mut(theirs), fresh.get(mine)) {
                    known.learn(fact.clone());
                }
            }
        }
        kept.extend(fresh.into_iter().enumerate().filter(|(index, _)| !matched.contains(index)).map(|(_, fact)| fact));
    }
    kept.sort_by_key(Fact::order);
    kept
}
