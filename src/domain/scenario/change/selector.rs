//! Which usage a change is about.

use std::fmt;

use crate::domain::{
    allocation::short_name,
    catalog::Catalog,
    ids::{AccountId, Meter, Region},
    pattern::Pattern,
    services::{CLOUDWATCH, CODEBUILD, CODEPIPELINE},
    storage::project,
    usage::Tags,
};

/// Which usage a change is about: all terms must hold, as the baseline has them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selector {
    /// The terms; none means everything.
    pub terms: Vec<Term>,
}

/// One term of a selector.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// The compute type.
    Compute(Pattern),
    /// The `CodeBuild` project.
    Project(Pattern),
    /// The pipeline.
    Pipeline(Pattern),
    /// The project, pipeline, bucket or whatever was used.
    Resource(Pattern),
    /// The account.
    Account(Pattern),
    /// The region.
    Region(Pattern),
    /// The value of a tag.
    Tag(String, Pattern),
}

/// What a selector looks at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The meter.
    pub meter: &'a Meter,
    /// The account.
    pub account: Option<&'a AccountId>,
    /// The region.
    pub region: &'a Region,
    /// The project, pipeline or repository, by its ARN or name.
    pub resource: Option<&'a str>,
    /// The pipeline that started a build.
    pub pipeline: Option<&'a str>,
    /// The tags.
    pub tags: &'a Tags,
}

impl Selector {
    /// Returns a selector of one compute type.
    pub fn compute(name: &str) -> Self {
        Self {
            terms: vec![Term::Compute(Pattern(name.to_owned()))],
        }
    }

    /// Returns the same selector, narrowed by another term.
    #[must_use]
    pub fn and(mut self, term: Term) -> Self {
        self.terms.push(term);
        self
    }

    /// Tells whether all terms hold.
    pub fn matches(&self, subject: &Subject<'_>, catalog: &Catalog) -> bool {
        self.terms.iter().all(|term| term.holds(subject, catalog))
    }
}

impl Term {
    /// Returns what the term is about and the name it asks for.
    pub fn parts(&self) -> (String, &Pattern) {
        let (what, pattern) = match self {
            Self::Compute(pattern) => ("compute", pattern),
            Self::Project(pattern) => ("project", pattern),
            Self::Pipeline(pattern) => ("pipeline", pattern),
            Self::Resource(pattern) => ("resource", pattern),
            Self::Account(pattern) => ("account", pattern),
            Self::Region(pattern) => ("region", pattern),
            Self::Tag(key, pattern) => return (format!("tag:{key}"), pattern),
        };
        (what.to_owned(), pattern)
    }

    /// Tells whether the term holds.
    pub fn holds(&self, subject: &Subject<'_>, catalog: &Catalog) -> bool {
        let service = subject.meter.service.as_str();
        let named = |pattern: &Pattern| {
            subject
                .resource
                .is_some_and(|resource| pattern.matches(&short_name(resource)))
        };
        match self {
            Self::Compute(pattern) => catalog.computes.iter().any(|compute| {
                compute.meter == *subject.meter
                    && (pattern.matches(&compute.name)
                        || compute.aliases.iter().any(|alias| pattern.matches(alias)))
            }),
            Self::Project(pattern) => match service {
                CODEBUILD => named(pattern),
                // Its builds write there.
                CLOUDWATCH => subject.resource.is_some_and(|resource| {
                    project(&short_name(resource)).is_some_and(|name| pattern.matches(name))
                }),
                _ => false,
            },
            Self::Pipeline(pattern) => {
                (service == CODEPIPELINE && named(pattern))
                    || subject.pipeline.is_some_and(|name| pattern.matches(name))
            }
            Self::Resource(pattern) => named(pattern),
            Self::Account(pattern) => subject
                .account
                .is_some_and(|account| pattern.matches(account.as_str())),
            Self::Region(pattern) => pattern.matches(subject.region.as_str()),
            Self::Tag(key, pattern) => subject
                .tags
                .get(key)
                .is_some_and(|value| pattern.matches(value)),
        }
    }
}

pub(super) fn bracketed(selector: impl fmt::Display) -> String {
    let text = selector.to_string();
    if text.is_empty() {
        text
    } else {
        format!("[{text}]")
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let (what, pattern) = term.parts();
            match term {
                Term::Compute(_) => write!(f, "{comma}{}", pattern.0)?,
                _ => write!(f, "{comma}{what}:{}", pattern.0)?,
            }
        }
        Ok(())
    }
}
