//! From the records and events of a month to its groups.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{BuildEvent, MonthEvents, UsageGroup, Workload, grain_of};
use crate::domain::scenario::duration::{DurationFactor, TimedBuild, billed_units};
use crate::domain::{
    ids::{AccountId, Currency, Region, ResourceId},
    period::Month,
    price_book::{PriceBook, Priced},
    quantity::Unit,
    share_out::Policy,
    usage::{ChargeKind, Tags, UsageKey, UsageRecord},
};

/// What a cost may be off from quantity times price: bills round them apart.
pub(super) const ROUNDED: Decimal = Decimal::from_parts(1, 0, 0, false, 9);

/// What groups are kept apart by.
#[derive(PartialEq, Eq, Hash, Clone)]
pub(super) struct LotKey {
    pub(super) key: UsageKey,
    pub(super) segment: usize,
    pub(super) price: usize,
    pub(super) resource: Option<ResourceId>,
    pub(super) pipeline: Option<Arc<str>>,
    pub(super) tags: Tags,
    pub(super) unit: Unit,
}

/// Days on which any price of the catalogue or of the bill changes.
pub(super) fn boundaries(book: &PriceBook<'_>, month: Month) -> Vec<NaiveDate> {
    let catalog = book.catalog;
    let own = catalog.tariffs().map(|(_, tariffs)| tariffs);
    let tariffs = own.chain(catalog.price_list.values()).flatten();
    let days = tariffs.flat_map(|t| [Some(t.validity.from), t.validity.until]);
    let inside = |day: &NaiveDate| month.contains(*day) && *day != month.first_day();
    let days: BTreeSet<NaiveDate> = days.flatten().filter(inside).collect();
    days.into_iter().collect()
}

pub(super) struct Gathering<'a> {
    pub(super) book: &'a PriceBook<'a>,
    pub(super) month: Month,
    pub(super) currency: Currency,
    pub(super) boundaries: Vec<NaiveDate>,
    pub(super) groups: Vec<UsageGroup>,
    pub(super) index: HashMap<LotKey, usize>,
    /// The prices met with each key and segment.
    pub(super) prices: HashMap<(UsageKey, usize), Vec<Option<Priced>>>,
    pub(super) builds: u64,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(month: Month, currency: Currency, book: &'a PriceBook<'a>) -> Self {
        Self {
            boundaries: boundaries(book, month),
            book,
            month,
            currency,
            groups: Vec::new(),
            index: HashMap::new(),
            prices: HashMap::new(),
            builds: 0,
        }
    }

    pub(super) fn segment(&self, day: NaiveDate) -> usize {
        self.boundaries.partition_point(|boundary| *boundary <= day)
    }

    pub(super) fn record(&mut self, record: &UsageRecord, builds: Vec<TimedBuild>) {
        let Some(quantity) = record.quantity else {
            return;
        };
        let is_ours = record.month == self.month && record.currency == self.currency;
        if record.kind != ChargeKind::Usage || !is_ours {
            return;
        }
        let segment = self.segment(record.day);
        let priced = self.book.price_of(record).ok();
        let met = self
            .prices
            .entry((record.key.clone(), segment))
            .or_default();
        let same = |known: &Option<Priced>| match (known, &priced) {
            (Some(a), Some(b)) => a.is_same(b),
            (None, None) => true,
            _ => false,
        };
        let price = met.iter().position(same).unwrap_or_else(|| {
            met.push(priced.clone());
            met.len() - 1
        });
        // A price that only its row shows goes with the group; what everybody finds does not have to.
        let row = self.book.row_price(record);
        let rate = row.or_else(|| {
            let priced = priced?;
            match (&priced.origin, &priced.tariff.rate) {
                (
                    crate::domain::tariff::PriceOrigin::Observed,
                    crate::domain::tariff::Rate::PerUnit(rate),
                ) => Some(*rate),
                _ => None,
            }
        });
        let pipeline = record
            .tags
            .get(crate::domain::metering::from_events::PIPELINE_TAG)
            .map(|name| Arc::from(name.as_str()));
        let key = LotKey {
            key: record.key.clone(),
            segment,
            price,
            resource: record.resource.clone(),
            pipeline: pipeline.clone(),
            tags: record.tags.clone(),
            unit: quantity.unit,
        };
        let begins = match segment.checked_sub(1) {
            Some(before) => self.boundaries[before],
            None => self.month.first_day(),
        };
        let groups = &mut self.groups;
        let at = *self.index.entry(key).or_insert_with(|| {
            groups.push(UsageGroup {
                key: record.key.clone(),
                day: begins,
                resource: record.resource.clone(),
                pipeline,
                tags: record.tags.clone(),
                unit: quantity.unit,
                rate,
                builds: Vec::new(),
                rest: Decimal::ZERO,
                daily_growth: None,
            });
            groups.len() - 1
        });
        let group = &mut self.groups[at];
        let grain = grain_of(group, self.book.catalog);
        group.rest +=
            quantity.value - Decimal::from(billed_units(&builds, grain, DurationFactor::SAME));
        self.builds += builds
            .iter()
            .map(|build| u64::from(build.count))
            .sum::<u64>();
        group.builds.extend(builds);
    }

    /// Lets known builds stand for what they explain of the billed quantities.
    pub(super) fn explain(&mut self, facts: &MonthEvents) {
        type Home = (AccountId, Region, usize, usize);
        let computes = &self.book.catalog.computes;
        let mut by_name: HashMap<Home, HashMap<String, Vec<usize>>> = HashMap::new();
        let mut unnamed: HashMap<Home, Vec<usize>> = HashMap::new();
        for (at, group) in self.groups.iter().enumerate() {
            let compute = computes.iter().position(|c| c.meter == group.key.meter);
            let (Some(compute), Some(account)) = (compute, &group.key.account) else {
                continue;
            };
            let segment = self.segment(group.day);
            let home = (account.clone(), group.key.region.clone(), compute, segment);
            match group.name() {
                Some(name) => by_name
                    .entry(home)
                    .or_default()
                    .entry(name)
                    .or_default()
                    .push(at),
                None => unnamed.entry(home).or_default().push(at),
            }
        }
        // The compute types by the name the API gives them: looked up once each.
        let mut known: HashMap<&str, Option<usize>> = HashMap::new();
        let mut split: HashMap<(usize, &str, Option<&str>), usize> = HashMap::new();
        for BuildEvent { place, build } in &facts.builds {
            let Some(ended) = build.ended.filter(|_| build.fleet.is_none()) else {
                continue;
            };
            let compute = *known.entry(build.compute.as_str()).or_insert_with(|| {
                let meter = &self.book.catalog.compute(&build.compute)?.meter;
                computes.iter().position(|c| c.meter == *meter)
            });
            let Some(compute) = compute else { continue };
            let from = build.provisioned.unwrap_or(build.submitted);
            let day = build.submitted.date_naive();
            if !self.month.contains(day) {
                continue;
            }
            let home = (
                place.account.clone(),
                place.region.clone(),
                compute,
                self.segment(day),
            );
            let timed = TimedBuild {
                start: Some(from.timestamp_millis()),
                length: (ended - from).num_milliseconds().max(0),
                count: 1,
            };
            let named = by_name
                .get(&home)
                .and_then(|names| names.get(&build.project));
            // The bill may know nothing of it: what is not billed is not moved either.
            let Some(whole) = named.or_else(|| unnamed.get(&home)).and_then(|groups| {
                let own = |at: &&usize| {
                    self.groups[**at].pipeline.as_deref() == build.pipeline.as_deref()
                };
                groups.iter().find(own).or(groups.first())
            }) else {
                continue;
            };
            // Builds of a pipeline stand apart from the others of their project.
            let at = *split
                .entry((*whole, &build.project, build.pipeline.as_deref()))
                .or_insert_with(|| {
                    let mut group = self.groups[*whole].clone();
                    group.builds = Vec::new();
                    group.rest = Decimal::ZERO;
                    group.pipeline = build.pipeline.as_deref().map(Arc::from);
                    if group.resource.is_none() {
                        group.resource = Some(ResourceId::new(&build.project));
                    }
                    self.groups.push(group);
                    self.groups.len() - 1
                });
            let grain = computes[compute].grain;
            self.groups[*whole].rest -=
                Decimal::from(billed_units(&[timed], grain, DurationFactor::SAME));
            self.groups[at].builds.push(timed);
            self.builds += 1;
        }
    }

    pub(super) fn finish(mut self) -> Workload {
        self.groups
            .retain(|group| !group.builds.is_empty() || !group.rest.is_zero());
        for group in &mut self.groups {
            group.builds.sort_unstable();
        }
        self.groups.sort_by(|a, b| {
            let order = |group: &UsageGroup| (group.key.clone(), group.day, group.rate);
            (order(a), &a.resource, &a.pipeline, &a.tags).cmp(&(
                order(b),
                &b.resource,
                &b.pipeline,
                &b.tags,
            ))
        });
        let regional = |group: &&UsageGroup| group.key.region != Region::global();
        let first = self.groups.iter().find(regional).or(self.groups.first());
        let home = first.map_or_else(
            || UsageKey {
                payer: None,
                account: None,
                region: Region::new("us-east-1"),
                meter: crate::domain::ids::Meter::new("", ""),
            },
            |group| group.key.clone(),
        );
        Workload {
            month: self.month,
            currency: self.currency,
            groups: self.groups,
            pipelines: Vec::new(),
            home,
            builds: self.builds,
            runs: None,
            days: u32::try_from(self.month.days().count()).unwrap_or(31),
            sharing: Policy::default(),
        }
    }
}
