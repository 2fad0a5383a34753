//! Values that repeat, kept once.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Values that repeat, kept once.
pub(super) struct Pool<T>(HashMap<Box<str>, T, RandomState>);

impl<T: Clone> Pool<T> {
    pub(super) fn get<'t>(&mut self, text: &'t str, make: impl FnOnce(&'t str) -> T) -> T {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let value = make(text);
        self.0.insert(text.into(), value.clone());
        value
    }
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}
