//! The pages of a listing, one after the other: a token that comes back means an endless one.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{error::Failure, operations::Operation};

/// The pages of one reading. A token that comes back means an endless listing.
#[derive(Default)]
pub(super) struct Pages {
    token: Option<String>,
    met: HashSet<u64>,
    number: usize,
}

impl Pages {
    /// Begins at a page in the middle.
    pub(super) fn from(token: Option<String>) -> Self {
        let met = token.iter().map(hash).collect();
        Self {
            token,
            met,
            number: 0,
        }
    }

    /// Returns the token of the page to read, none for the first.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Returns which page it is, the first one being 1.
    pub(super) fn number(&self) -> usize {
        self.number + 1
    }

    /// Goes on to the next page, if there is one. AWS writes the end of a listing as none or as
    /// empty.
    pub(super) fn turn(
        &mut self,
        operation: Operation,
        token: Option<String>,
    ) -> Result<bool, Failure> {
        self.token = token.filter(|token| !token.is_empty());
        let Some(token) = &self.token else {
            return Ok(false);
        };
        self.number += 1;
        if self.met.insert(hash(token)) {
            Ok(true)
        } else {
            Err(Failure::RepeatedToken(operation))
        }
    }
}

fn hash(token: &String) -> u64 {
    let mut hasher = DefaultHasher::new();
    token.hash(&mut hasher);
    hasher.finish()
}
