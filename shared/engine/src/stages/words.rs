//! A board's facts say few different things very often: each text is kept once, however many share it.

use std::collections::HashSet;
use std::sync::Arc;

/// Text that is cheap to copy.
pub type Text = Arc<str>;

/// The texts so far.
#[derive(Debug, Default)]
pub struct Words(HashSet<Text>);

impl Words {
    /// The one copy of this text.
    pub fn get(&mut self, text: &str) -> Text {
        if let Some(word) = self.0.get(text) {
            return word.clone();
        }
        let word: Text = text.into();
        self.0.insert(word.clone());
        word
    }
}
