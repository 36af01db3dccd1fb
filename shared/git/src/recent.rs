//! Objects that were read not long ago: neighbouring commits share most of their trees, and a file's new content is
//! its next change's old one. Knows bytes only.

use gix_hash::ObjectId;
use std::collections::HashMap;
use std::sync::Arc;

/// Two generations: what was not asked for since the older one began is forgotten with it.
pub(crate) struct Recent {
    young: HashMap<ObjectId, Arc<[u8]>>,
    old: HashMap<ObjectId, Arc<[u8]>>,
    bytes: usize,
    most: usize,
}

impl Recent {
    /// Keeps at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, most }
    }

    pub(crate) fn get(&mut self, id: &ObjectId) -> Option<Arc<[u8]>> {
        if let Some(found) = self.young.get(id) {
            return Some(found.clone());
        }
        let found = self.old.remove(id)?;
        self.keep(*id, found.clone());
        Some(found)
    }

    pub(crate) fn keep(&mut self, id: ObjectId, data: Arc<[u8]>) {
        // One that would push out everything else is not worth it.
        if data.len() > self.most / 8 {
            return;
        }
        if self.bytes + data.len() > self.most / 2 {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += data.len();
        self.young.insert(id, data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let mut recent = Recent::new(80);
        for number in 0..100 {
            recent.keep(id(number), vec![number; 8].into());
            assert_eq!(recent.get(&id(0)).as_deref(), Some([0; 8].as_slice()), "asked for again and again");
            assert!(recent.young.len() + recent.old.len() <= 10);
        }
        assert_eq!(recent.get(&id(50)), None);
    }

    #[test]
    fn a_giant_pushes_nothing_out() {
        let mut recent = Recent::new(80);
        recent.keep(id(1), vec![1; 8].into());
        recent.keep(id(2), vec![2; 11].into());
        assert!(recent.get(&id(1)).is_some() && recent.get(&id(2)).is_none());
    }
}
