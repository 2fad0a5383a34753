//! The builds of a month by project and compute type.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{PastMonth, prices::Prices};
use crate::domain::{
    catalog::{Compute, Grain},
    ids::{AccountId, Region},
    pattern::Pattern,
    scenario::{
        Selector, Term,
        workload::{BuildEvent, DurationFactor, TimedBuild, billed_units},
    },
    usage::UsageKey,
};

/// A project on one compute type in one region.
pub(super) struct Project<'a> {
    /// Its name; none for builds that a bill only counts.
    pub(super) name: Option<String>,
    pub(super) compute: &'a Compute,
    pub(super) key: &'a UsageKey,
    /// The builds that are known one by one.
    pub(super) builds: Vec<TimedBuild>,
    /// What is billed beyond them.
    pub(super) rest: Decimal,
    /// The price of its units, if it is known and one.
    pub(super) price: Option<Decimal>,
    /// What APIs say of the same builds, in order of time.
    pub(super) seen: Vec<&'a BuildEvent>,
    /// Means this project and no other.
    pub(super) selector: Selector,
}

impl Project<'_> {
    /// Returns billed units at a pace.
    pub(super) fn units(&self, pace: DurationFactor) -> Decimal {
        Decimal::from(billed_units(&self.builds, self.compute.grain, pace)) + pace.times(self.rest)
    }

    /// Returns the units of builds that are known one by one.
    pub(super) fn known(&self) -> Decimal {
        Decimal::from(billed_units(
            &self.builds,
            self.compute.grain,
            DurationFactor::SAME,
        ))
    }

    /// Counts the builds that are known one by one.
    pub(super) fn count(&self) -> u64 {
        self.builds.iter().map(|build| u64::from(build.count)).sum()
    }

    /// Returns how people call it.
    pub(super) fn shown(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("all {} builds", self.compute.name),
        }
    }
}

type Home<'a> = (Option<&'a AccountId>, &'a Region, Option<String>, &'a str);

/// Returns the projects that build on demand.
pub(super) fn projects<'a>(month: &PastMonth<'a>, prices: &Prices<'_, 'a>) -> Vec<Project<'a>> {
    let rater = &month.rater;
    let (workload, catalog): (&'a _, &'a _) = (rater.workload, rater.catalog);
    let mut found: BTreeMap<Home<'a>, Project<'a>> = BTreeMap::new();
    for group in &workload.groups {
        let compute = catalog
            .computes
            .iter()
            .find(|c| c.meter == group.key.meter && c.grain != Grain::Provisioned);
        let Some(compute) = compute else { continue };
        let price = prices.of_lot(group);
        let home = (
            group.key.account.as_ref(),
            &group.key.region,
            group.name(),
            compute.name.as_str(),
        );
        let project = found.entry(home).or_insert_with(|| Project {
            name: group.name(),
            compute,
            key: &group.key,
            builds: Vec::new(),
            rest: Decimal::ZERO,
            price,
            seen: Vec::new(),
            selector: Selector::default(),
        });
        project.builds.extend(&group.builds);
        project.rest += group.rest;
        if project.price != price {
            project.price = None;
        }
    }
    let mut meters: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for seen in &month.facts.builds {
        let name = *meters.entry(&seen.build.compute).or_insert_with(|| {
            let compute = catalog.compute(&seen.build.compute)?;
            Some(compute.name.as_str())
        });
        let Some(name) = name.filter(|_| seen.build.fleet.is_none()) else {
            continue;
        };
        let place = &seen.place;
        let home = (
            Some(&place.account),
            &place.region,
            Some(seen.build.project.clone()),
            name,
        );
        if let Some(project) = found.get_mut(&home) {
            project.seen.push(seen);
        }
    }
    let mut all: Vec<Project<'a>> = found.into_values().collect();
    // A name says enough as long as nothing else has it.
    let mut names: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for project in &all {
        *names.entry(project.name.clone()).or_default() += 1;
    }
    for project in &mut all {
        project
            .seen
            .sort_by_key(|seen| (seen.build.submitted, seen.build.ended));
        let name = project
            .name
            .as_deref()
            .map(|name| Term::Project(Pattern::exactly(name)));
        let mut terms: Vec<Term> = name.into_iter().collect();
        let is_glob = project
            .name
            .as_deref()
            .is_none_or(|name| Pattern::exactly(name).is_glob());
        if is_glob || names[&project.name] > 1 {
            terms.push(Term::Compute(Pattern(project.compute.name.clone())));
            if let Some(account) = &project.key.account {
                terms.push(Term::Account(Pattern(account.to_string())));
            }
            terms.push(Term::Region(Pattern(project.key.region.to_string())));
        }
        project.selector = Selector { terms };
    }
    all
}
