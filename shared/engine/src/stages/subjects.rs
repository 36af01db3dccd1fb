//! What belongs together: an item, the issue on it, the issue that it became. An item that is put on the board again is
//! another item of the same issue; a transferred issue is another issue on the same item.

use super::Text;
use super::sighting::Sighting;
use crate::model::ScopeId;
use std::collections::{BTreeMap, HashMap};

/// One and the same thing on the board, by all the names that are known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    pub item: Text,
    /// Whether the board no longer has it.
    pub gone: bool,
    pub content: Option<Text>,
    pub issue: Option<(ScopeId, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Item(Text),
    Content(Text),
    Issue(ScopeId, u64),
}

/// Disjoint sets of names.
#[derive(Debug, Default)]
struct Sets {
    number: HashMap<Name, usize>,
    parent: Vec<usize>,
}

impl Sets {
    fn number(&mut self, name: Name) -> usize {
        let next = self.parent.len();
        let number = *self.number.entry(name).or_insert(next);
        if number == next {
            self.parent.push(next);
        }
        number
    }

    fn root(&mut self, mut of: usize) -> usize {
        while let Some(&parent) = self.parent.get(of).filter(|parent| **parent != of) {
            // Halves the way for whoever comes next.
            let above = self.parent.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parent.get_mut(of) {
                *slot = above;
            }
            of = above;
        }
        of
    }

    fn join(&mut self, names: Vec<Name>) -> Option<usize> {
        let mut root = None;
        for name in names {
            let number = self.number(name);
            let own = self.root(number);
            match root {
                None => root = Some(own),
                Some(root) => {
                    if let Some(slot) = self.parent.get_mut(own) {
                        *slot = root;
                    }
                }
            }
        }
        root
    }
}

fn names(item: Option<&Text>, content: Option<&Text>, issue: Option<(ScopeId, u64)>) -> Vec<Name> {
    let item = item.cloned().map(Name::Item);
    let content = content.cloned().map(Name::Content);
    item.into_iter().chain(content).chain(issue.map(|(repo, number)| Name::Issue(repo, number))).collect()
}

/// What was seen, by what it was seen of; and what was seen of the board as a whole.
pub(super) fn sort<'a>(sightings: &[&'a Sighting], links: &[Link]) -> (Vec<Vec<&'a Sighting>>, Vec<&'a Sighting>) {
    let mut sets = Sets::default();
    for link in links {
        sets.join(names(Some(&link.item), link.content.as_ref(), link.issue));
    }
    let mut of_board = Vec::new();
    let mut of_items = Vec::new();
    for sighting in sightings.iter().copied() {
        match sets.join(names(sighting.item.as_ref(), sighting.content.as_ref(), sighting.issue)) {
            Some(number) => of_items.push((number, sighting)),
            None => of_board.push(sighting),
        }
    }
    let mut subjects: BTreeMap<usize, Vec<&Sighting>> = BTreeMap::new();
    for (number, sighting) in of_items {
        subjects.entry(sets.root(number)).or_default().push(sighting);
    }
    (subjects.into_values().collect(), of_board)
}
