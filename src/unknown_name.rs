//! A name that nothing has: every room that reads names says it in the same words.

use std::fmt;

/// A name that is not in the catalogue, with the one that was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What kind of name: `region`, `compute type`.
    pub what: &'static str,
    /// As it was typed.
    pub name: String,
    /// The nearest known one, if any is near.
    pub nearest: Option<String>,
}

impl UnknownName {
    /// Looks for the nearest of the known names.
    pub fn new<'a>(
        what: &'static str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let lower = name.to_lowercase();
        let nearest = known
            .into_iter()
            .map(|candidate| {
                (
                    strsim::jaro_winkler(&lower, &candidate.to_lowercase()),
                    candidate,
                )
            })
            .filter(|(likeness, _)| *likeness > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
            .map(|(_, candidate)| candidate.to_owned());
        let name = name.chars().filter(|c| !c.is_control()).take(80).collect();
        Self {
            what,
            name,
            nearest,
        }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown {} `{}`", self.what, self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, ": did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownName {}
