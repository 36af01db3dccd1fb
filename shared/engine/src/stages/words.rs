//! A board's facts say few different things very often: each text is kept once, however many share it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Text that is cheap to copy.
pub type Text = Arc<str>;

/// The texts of one board so far.
#[derive(Debug, Default)]
pub struct Words(Mutex<HashSet<Text>>);

impl Words {
    /// The one copy of this text.
    #[must_use]
    pub fn get(&self, text: &str) -> Text {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(word) = words.get(text) {
            return word.clone();
        }
        let word: Text = text.into();
        words.insert(word.clone());
        word
    }
}
