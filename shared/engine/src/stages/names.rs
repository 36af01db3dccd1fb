//! Options are renamed, and timelines tell names alone: which stage a name meant at a time, and what it is called now.

use super::Text;
use super::sighting::{OptionName, Sighting, Stage};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A stage whatever it is called: its option's id or, where no source ever told that, its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    Id(Text),
    Name(Text),
}

#[derive(Debug, Default)]
pub(super) struct Names {
    /// By name, when which option was called so.
    told: BTreeMap<Text, Vec<(Timestamp, Text)>>,
    /// By option, what it was called last, and when that was told.
    last: BTreeMap<Text, (Timestamp, Text)>,
}

impl Names {
    /// From all that was seen, and what the options are and were called.
    pub(super) fn new<'a>(sightings: impl Iterator<Item = &'a Sighting>, options: &[OptionName]) -> Self {
        let mut names = Self::default();
        for sighting in sightings {
            let stages = sighting.to.iter().chain(sighting.from.iter().flatten());
            for Stage { id, name } in stages {
                if let Some(id) = id {
                    names.note(id, name, sighting.latest);
                }
            }
        }
        for option in options {
            names.note(&option.id, &option.name, option.until.unwrap_or(Timestamp::MAX));
        }
        names
    }

    fn note(&mut self, id: &Text, name: &Text, at: Timestamp) {
        self.told.entry(name.clone()).or_default().push((at, id.clone()));
        let last = self.last.entry(id.clone()).or_insert_with(|| (at, name.clone()));
        if at >= last.0 {
            *last = (at, name.clone());
        }
    }

    /// Two options may have had one name in turn: the one that had it nearest to then.
    pub(super) fn key(&self, stage: &Stage, at: Timestamp) -> Key {
        if let Some(id) = &stage.id {
            return Key::Id(id.clone());
        }
        let told = self.told.get(&stage.name).into_iter().flatten();
        let nearest = told.min_by_key(|(then, id)| (at.as_second().abs_diff(then.as_second()), id.clone()));
        nearest.map_or_else(|| Key::Name(stage.name.clone()), |(_, id)| Key::Id(id.clone()))
    }

    /// What it is called now or, if it is gone, was called last.
    pub(super) fn name(&self, key: &Key) -> Text {
        match key {
            Key::Id(id) => self.last.get(id).map_or_else(|| id.clone(), |(_, name)| name.clone()),
            Key::Name(name) => name.clone(),
        }
    }
}
