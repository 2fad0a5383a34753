//! Rows summed into groups as they stream by: memory follows groups, not rows.

mod pool;

use self::pool::Pool;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use chrono::NaiveDate;
use foldhash::fast::RandomState;
use rust_decimal::Decimal;

use super::{
    ImportOptions, RowFault,
    group::{Amounts, Group, Groups, Row, add, exact_sum, invoiced, merged, merged_outside},
    net_cost,
    values::{rows, shown},
};
use crate::domain::{
    catalog::{Catalog, Service, ServiceKind},
    export::{ExportKind, ImportedPeriod, OtherServices, Standing},
    ids::{AccountId, Currency, Meter, Region, ResourceId, ServiceCode, UsageType},
    money::Money,
    period::Month,
    quantity::{Quantity, Unit},
    storage::StorageKind,
    usage::{Billed, ChargeKind, UsageKey, UsageRecord},
};

/// How many unknown meters are named, the dearest first, before they are only counted.
const NAMED_METERS: usize = 20;

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Its service is kept.
    Kept,
    /// It is storage of a service that is not kept, told apart beside the sums.
    Storage,
}

/// The rows of one stretch of days of one source.
struct Bucket {
    source: String,
    month: Month,
    covers: (NaiveDate, NaiveDate),
    kept: Groups,
    storage: Groups,
    outside_by_key: HashMap<Box<[u8]>, usize, RandomState>,
    outside: Vec<OtherServices>,
}

/// Which stretch of days of which source a row belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct BucketId(usize);

/// Where rows of a service that is not kept are summed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sum(BucketId, usize);

/// A fault of a row and the field it is in; none where the row as a whole is at fault.
pub(super) type Fault = (Option<usize>, RowFault);

/// Sums the rows of one file.
pub(super) struct Aggregator<'c> {
    kind: ExportKind,
    origin: Arc<str>,
    /// The source names resources.
    pub(super) names_resources: bool,
    /// The source has a place for the invoice of a charge.
    pub(super) names_invoices: bool,
    catalog: &'c Catalog,
    options: &'c ImportOptions,
    buckets: Vec<Bucket>,
    by_source: HashMap<(String, (NaiveDate, NaiveDate)), BucketId>,
    services: Pool<Option<ServiceCode>>,
    accounts: Pool<AccountId>,
    regions: Pool<Region>,
    resources: Pool<ResourceId>,
    currencies: Pool<Currency>,
    texts: Pool<Arc<str>>,
    origins: Pool<Arc<str>>,
    located: HashMap<(ServiceCode, Region, Box<str>), (Region, Meter)>,
    unknown_units: BTreeSet<String>,
}

impl<'c> Aggregator<'c> {
    pub(super) fn new(
        kind: ExportKind,
        origin: &str,
        catalog: &'c Catalog,
        options: &'c ImportOptions,
    ) -> Self {
        Self {
            kind,
            origin: Arc::from(origin),
            names_resources: false,
            names_invoices: false,
            catalog,
            options,
            buckets: Vec::new(),
            by_source: HashMap::new(),
            services: Pool::default(),
            accounts: Pool::default(),
            regions: Pool::default(),
            resources: Pool::default(),
            currencies: Pool::default(),
            texts: Pool::default(),
            origins: Pool::default(),
            located: HashMap::new(),
            unknown_units: BTreeSet::new(),
        }
    }

    /// Returns what records say they are from.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Returns where rows of a payer and a stretch of days go. A bill covers its whole month.
    pub(super) fn bucket(
        &mut self,
        payer: Option<&str>,
        month: Month,
        days: (NaiveDate, NaiveDate),
    ) -> BucketId {
        let is_bill = self.kind.is_bill();
        let source = payer
            .filter(|_| is_bill)
            .or(self.options.source.as_deref())
            .unwrap_or_default();
        let covers = if is_bill {
            (month.first_day(), month.last_day())
        } else {
            days
        };
        let key = (source.to_owned(), covers);
        let next = BucketId(self.buckets.len());
        let id = *self.by_source.entry(key).or_insert(next);
        if id == next {
            self.buckets.push(Bucket {
                source: source.to_owned(),
                month,
                covers,
                kept: Groups::default(),
                storage: Groups::default(),
                outside_by_key: HashMap::default(),
                outside: Vec::new(),
            });
        }
        id
    }

    /// Returns the code of a service whose rows are kept, by product code or display name.
    pub(super) fn service(&mut self, name: &str) -> Option<ServiceCode> {
        let (catalog, options) = (self.catalog, self.options);
        self.services.get(name, |name| {
            let bare = name
                .strip_prefix("AWS ")
                .or_else(|| name.strip_prefix("Amazon "));
            let included = |name: &str| {
                let mut wanted = options.include_services.iter();
                wanted.find(|code| code.as_str() == name).cloned()
            };
            let known = catalog
                .service(name)
                .or_else(|| catalog.service(bare?))
                .map(|service| (&service.code, service.kind));
            match known {
                Some((code, ServiceKind::Code)) => Some(code.clone()),
                Some((code, ServiceKind::Adjacent)) => included(code.as_str()),
                None => included(name),
            }
        })
    }

    /// Returns the code of a service that stores what builds and pipelines leave, and what that is.
    pub(super) fn stores(&self, name: &str) -> Option<(ServiceCode, StorageKind)> {
        let bare = name
            .strip_prefix("AWS ")
            .or_else(|| name.strip_prefix("Amazon "));
        let known = self.catalog.service(name);
        let known = known.or_else(|| self.catalog.service(bare?))?;
        Some((
            known.code.clone(),
            StorageKind::of_service(known.code.as_str())?,
        ))
    }

    /// Returns the one kept service that has a usage type, where a source names no service; of a usage
    /// type that the catalogue lacks, the one whose usage types begin like it.
    pub(super) fn service_with(&self, usage_type: &str) -> Option<ServiceCode> {
        let (_, bare) = self.catalog.split_prefix(usage_type);
        let only = |has: &dyn Fn(&Service) -> bool| {
            let services = self.catalog.services.values();
            let mut found = services.filter(|service| has(service));
            let first = found.next()?;
            let is_kept = first.kind == ServiceKind::Code
                || self.options.include_services.contains(&first.code);
            (is_kept && found.next().is_none()).then(|| first.code.clone())
        };
        let is_kept = |service: &Service| {
            service.kind == ServiceKind::Code
                || self.options.include_services.contains(&service.code)
        };
        let has = |service: &Service| self.catalog.meter(&service.code, bare).is_some();
        let family = bare.split_once(':').map(|(family, _)| family);
        let begins = |service: &Service| {
            let mut meters = service.meters.iter();
            meters.any(|info| {
                let usage_type = info.meter.usage_type.as_str();
                usage_type.split_once(':').map(|(family, _)| family) == family
            })
        };
        only(&|service| is_kept(service) && has(service))
            .or_else(|| family.and_then(|_| only(&begins)))
    }

    /// Counts rows of a service that is not kept. `key` is their service, kind and currency as
    /// the source writes them.
    pub(super) fn outside(
        &mut self,
        bucket: BucketId,
        key: &[u8],
        (cost, rows): (Decimal, u64),
        name: impl FnOnce() -> Result<(String, ChargeKind, Currency), Fault>,
    ) -> Result<Sum, Fault> {
        let found = &mut self.buckets[bucket.0];
        let at = if let Some(&at) = found.outside_by_key.get(key) {
            at
        } else {
            let (service, kind, currency) = name()?;
            let at = found.outside.len();
            found.outside_by_key.insert(key.into(), at);
            found.outside.push(OtherServices {
                service,
                kind,
                currency,
                rows: 0,
                cost: Money::ZERO,
            });
            at
        };
        let sum = Sum(bucket, at);
        self.add(sum, cost, rows);
        Ok(sum)
    }

    /// Adds rows to those of a service that is not kept.
    pub(super) fn add(&mut self, Sum(bucket, at): Sum, cost: Decimal, rows: u64) {
        let total = &mut self.buckets[bucket.0].outside[at];
        total.rows += rows;
        total.cost += Money::new(cost);
    }

    /// Adds rows of which more than the cost is kept. `key` is everything but its amounts as the
    /// source writes it: only the first row of a group is taken apart.
    pub(super) fn keep<'r>(
        &mut self,
        (bucket, part): (BucketId, Part),
        key: &[u8],
        amounts: Amounts,
        row: impl FnOnce() -> Result<Row<'r>, Fault>,
    ) -> Result<(), Fault> {
        let groups = self.groups(bucket, part);
        if let Some(&at) = groups.by_key.get(key) {
            let group = &mut groups.groups[at];
            if let Some(off) = exact_sum(group.off, amounts.off)
                && add(&mut group.record, amounts.quantity, amounts.cost)
            {
                group.off = off;
                group.rows += amounts.rows;
                return Ok(());
            }
        }
        let mut record = self.record(row()?, amounts.quantity.is_some());
        add(&mut record, amounts.quantity, amounts.cost);
        let groups = self.groups(bucket, part);
        groups.by_key.insert(key.into(), groups.groups.len());
        groups.groups.push(Group {
            record,
            off: amounts.off,
            rows: amounts.rows,
        });
        Ok(())
    }

    fn groups(&mut self, bucket: BucketId, part: Part) -> &mut Groups {
        let bucket = &mut self.buckets[bucket.0];
        match part {
            Part::Kept => &mut bucket.kept,
            Part::Storage => &mut bucket.storage,
        }
    }

    fn record(&mut self, row: Row<'_>, counted: bool) -> UsageRecord {
        let stated = row.region.map(|text| self.regions.get(text, Region::from));
        let (region, meter) = self.locate(row.service, row.usage_type, stated);
        let unit = match row.unit {
            Some(text) => Unit::parse(text).unwrap_or_else(|| {
                self.unknown_units.insert(shown(text));
                Unit::Unspecified
            }),
            None => self
                .catalog
                .meter(row.service, meter.usage_type.as_str())
                .map_or(Unit::Unspecified, |info| info.unit),
        };
        let origin = match row.origin {
            Some(text) => {
                let file = &self.origin;
                let joined = |text: &str| Arc::from(format!("{file}: {text}"));
                self.origins.get(text, joined)
            }
            None => self.origin.clone(),
        };
        UsageRecord {
            month: row.month,
            day: row.day,
            last_day: row.last_day,
            key: UsageKey {
                payer: row.payer.map(|id| self.accounts.get(id, AccountId::from)),
                account: row.account.map(|id| self.accounts.get(id, AccountId::from)),
                region,
                meter,
            },
            kind: row.kind,
            resource: row
                .resource
                .map(|id| self.resources.get(id, ResourceId::from)),
            tags: row.tags,
            quantity: counted.then(|| Quantity::new(Decimal::ZERO, unit)),
            consumed: None,
            metering: None,
            billed: Some(Billed {
                cost: Money::ZERO,
                rate: row.rate,
                list_rate: row.list_rate,
                invoice: row.invoice.map(|id| self.texts.get(id, Arc::from)),
                covered_by: row.covered_by,
            }),
            currency: self.currencies.get(row.currency, Currency::from),
            origin,
        }
    }

    /// A charge without usage type and region, such as a tax or a service's total, is not in
    /// us-east-1 for that: it belongs to no region.
    fn locate(
        &mut self,
        service: &ServiceCode,
        usage_type: &str,
        stated: Option<Region>,
    ) -> (Region, Meter) {
        if usage_type.is_empty() {
            let meter = Meter {
                service: service.clone(),
                usage_type: UsageType::new(""),
            };
            return (stated.unwrap_or_else(Region::global), meter);
        }
        let place = stated.clone().unwrap_or_else(|| Region::new(""));
        let key = (service.clone(), place, usage_type.into());
        let catalog = self.catalog;
        self.located
            .entry(key)
            .or_insert_with(|| catalog.locate(service, usage_type, stated.as_ref()))
            .clone()
    }

    /// Counts the rows that are kept.
    pub(super) fn kept(&self) -> u64 {
        let groups = self.buckets.iter().flat_map(|bucket| &bucket.kept.groups);
        groups.map(|group| group.rows).sum()
    }

    /// Returns the groups, sorted, and adds to the notes what a reader should know of them.
    pub(super) fn finish(self, number: u32, notes: &mut Vec<String>) -> Vec<ImportedPeriod> {
        self.note_the_unknown(notes);
        let (kind, names_resources, names_invoices) =
            (self.kind, self.names_resources, self.names_invoices);
        let states_empty_days = matches!(
            kind,
            ExportKind::CostExplorerCsv | ExportKind::CostExplorerJson
        );
        let mut slices: Vec<ImportedPeriod> = self
            .buckets
            .into_iter()
            // Rows that were skipped say nothing of their day. A day that Cost Explorer lists
            // without charges is stated to have none.
            .filter(|found| {
                states_empty_days || !found.kept.groups.is_empty() || !found.outside.is_empty()
            })
            .map(|found| {
                let mut kept = found.kept.groups;
                net_cost::add_discounts(&mut kept);
                let records = merged(kept);
                ImportedPeriod {
                    kind,
                    source: found.source,
                    month: found.month,
                    covers: found.covers,
                    whole_month: found.covers == (found.month.first_day(), found.month.last_day()),
                    part: number,
                    standing: Standing {
                        invoiced: names_invoices.then(|| invoiced(&records)).flatten(),
                        ..Standing::default()
                    },
                    records,
                    storage: merged(found.storage.groups),
                    names_resources,
                    other_services: merged_outside(found.outside),
                    skipped: 0,
                    delivery: None,
                }
            })
            .collect();
        slices.sort_by(|a, b| (a.covers, &a.source).cmp(&(b.covers, &b.source)));
        slices
    }

    fn note_the_unknown(&self, notes: &mut Vec<String>) {
        let origin = &self.origin;
        let mut kinds: BTreeMap<(&str, &Currency), (u64, Money)> = BTreeMap::new();
        let mut meters: BTreeMap<(&Meter, &Currency), (u64, Money)> = BTreeMap::new();
        for bucket in &self.buckets {
            for Group { record, rows, .. } in &bucket.kept.groups {
                let cost = record.billed.as_ref().map_or(Money::ZERO, |b| b.cost);
                if let ChargeKind::Other(name) = &record.kind {
                    let sum = kinds.entry((name, &record.currency)).or_default();
                    *sum = (sum.0 + rows, sum.1 + cost);
                }
                let meter = &record.key.meter;
                let known = self
                    .catalog
                    .meter(&meter.service, meter.usage_type.as_str());
                // A service's total names no meter, which is not the same as an unknown one.
                let is_named = !meter.usage_type.as_str().is_empty();
                if record.kind == ChargeKind::Usage && is_named && known.is_none() {
                    let sum = meters.entry((meter, &record.currency)).or_default();
                    *sum = (sum.0 + rows, sum.1 + cost);
                }
            }
            for total in &bucket.outside {
                if let ChargeKind::Other(name) = &total.kind {
                    let sum = kinds.entry((name, &total.currency)).or_default();
                    *sum = (sum.0 + total.rows, sum.1 + total.cost);
                }
            }
        }
        for ((name, currency), (count, cost)) in kinds {
            notes.push(format!(
                "{origin}: line type `{}` is none we know: {}, cost {cost} {currency}, kept as they are",
                shown(name),
                rows(count)
            ));
        }
        let mut meters: Vec<_> = meters.into_iter().collect();
        meters.sort_by(|a, b| b.1.1.cmp(&a.1.1).then(a.0.cmp(&b.0)));
        let others = meters.split_off(meters.len().min(NAMED_METERS));
        for ((meter, currency), (count, cost)) in meters {
            notes.push(format!(
                "{origin}: the catalogue has no meter {meter}: {}, cost {cost} {currency}, kept as billed",
                rows(count)
            ));
        }
        let mut more: BTreeMap<&Currency, (u64, Money)> = BTreeMap::new();
        for ((_, currency), (_, cost)) in others {
            let sum = more.entry(currency).or_default();
            *sum = (sum.0 + 1, sum.1 + cost);
        }
        for (currency, (count, cost)) in more {
            notes.push(format!(
                "{origin}: the catalogue lacks {count} meters more, cost {cost} {currency}, kept as billed"
            ));
        }
        for unit in &self.unknown_units {
            notes.push(format!(
                "{origin}: unit `{unit}` is none we know: quantities in it carry no unit"
            ));
        }
    }
}
