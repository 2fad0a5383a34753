//! Which price applies: the user's own, then what the bill shows, then price lists, then the
//! catalogue. What none of them knows stays unpriced, unless the user lends another region's price.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    bill::Unpriced,
    catalog::{Catalog, Lookup},
    ids::{Meter, Region, ServiceCode, UsageType},
    quantity::Unit,
    tariff::{PriceOrigin, PriceSource, Rate, Tariff, Validity},
    usage::{ChargeKind, UsageKey, UsageRecord},
};

/// A price the user states.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatedPrice {
    /// Of which service; any that has the usage type if none is given.
    pub service: Option<ServiceCode>,
    /// In which region; everywhere if none is given.
    pub region: Option<Region>,
    /// Of what.
    pub usage_type: UsageType,
    /// Per unit.
    pub unit_price: Decimal,
    /// Where the user states it.
    pub origin: Arc<str>,
}

/// A tariff and the layer it was found in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Priced {
    /// The price.
    pub tariff: Arc<Tariff>,
    /// The layer.
    pub origin: PriceOrigin,
}

impl Priced {
    /// Tells whether two prices make one line. Observed prices are met again in every row; what
    /// they come to is all there is to them.
    pub fn is_same(&self, other: &Self) -> bool {
        self.origin == other.origin
            && match self.origin {
                PriceOrigin::Observed => {
                    self.tariff.rate == other.tariff.rate && self.tariff.unit == other.tariff.unit
                }
                _ => self.tariff == other.tariff,
            }
    }
}

/// The layers of prices, in order of precedence.
#[derive(Clone, Debug)]
pub struct PriceBook<'a> {
    /// The user's own.
    pub stated: Vec<StatedPrice>,
    /// Those of the user's bill.
    pub observed: BilledPrices,
    /// The catalogue.
    pub catalog: &'a Catalog,
    /// The region whose prices stand in for missing ones.
    pub like: Option<Region>,
}

impl<'a> PriceBook<'a> {
    /// Returns the catalogue alone.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self {
            stated: Vec::new(),
            observed: BilledPrices::default(),
            catalog,
            like: None,
        }
    }

    /// Finds the price of a record: the one its own row was billed at comes before any other but
    /// the user's.
    pub fn price_of(&self, record: &UsageRecord) -> Result<Priced, Unpriced> {
        let key = &record.key;
        if let (Some(rate), None) = (
            self.row_price(record),
            self.stated_price(&key.meter, &key.region),
        ) {
            let tariff = observed_tariff(&key.meter, &key.region, record.day, rate, record);
            return Ok(Priced {
                tariff: Arc::new(tariff),
                origin: PriceOrigin::Observed,
            });
        }
        self.price(key, record.day)
    }

    /// Returns the price that a row shows. A row at zero is free by an allowance, if there is one
    /// for its meter; without any, zero is its price.
    pub fn row_price(&self, record: &UsageRecord) -> Option<Decimal> {
        let billed = record
            .billed
            .as_ref()
            .filter(|_| self.observed.reads_rows)?;
        let rate = billed.rate?;
        let free = rate.is_zero() && billed.cost.is_zero();
        let (meter, region) = (&record.key.meter, &record.key.region);
        let grants = |allowance| self.catalog.grants(allowance, meter, region);
        let has_allowance = || self.catalog.allowances().any(grants);
        (rate > Decimal::ZERO || (free && !has_allowance())).then(|| rate.normalize())
    }

    /// Finds the price of a meter, as one account uses it in a region, on a day.
    pub fn price(&self, key: &UsageKey, day: NaiveDate) -> Result<Priced, Unpriced> {
        let (meter, region) = (&key.meter, &key.region);
        if let Some(tariff) = self.stated_price(meter, region) {
            return Ok(Priced {
                tariff: Arc::new(tariff),
                origin: PriceOrigin::Stated,
            });
        }
        if let Some(tariff) = self.observed.price(key, day) {
            return Ok(Priced {
                tariff,
                origin: PriceOrigin::Observed,
            });
        }
        let reason = match self.known(meter, region, day) {
            Ok(priced) => return Ok(priced),
            Err(reason) => reason,
        };
        // What AWS does not sell there is not sold at another region's price either.
        let like = self.like.as_ref();
        let like = like.filter(|_| !matches!(reason, Unpriced::NotOffered { .. }));
        let lent = like.and_then(|like| {
            let priced = self.known(meter, like, day).ok()?;
            Some(Priced {
                origin: PriceOrigin::Assumed(like.clone()),
                ..priced
            })
        });
        lent.ok_or(reason)
    }

    /// What an imported price list says, else the catalogue.
    fn known(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Result<Priced, Unpriced> {
        if let Some(tariff) = self.catalog.listed(meter, region, day) {
            if tariff.rate == Rate::NotOffered {
                return Err(Unpriced::NotOffered {
                    region: region.clone(),
                    listed: tariff.source.date.unwrap_or(tariff.validity.from),
                });
            }
            return Ok(Priced {
                tariff: tariff.clone(),
                origin: PriceOrigin::PriceList,
            });
        }
        match self.catalog.lookup(meter, region, day) {
            Lookup::Found(tariff) => Ok(Priced {
                tariff: tariff.clone(),
                origin: PriceOrigin::Catalogue,
            }),
            Lookup::Unknown => Err(Unpriced::PriceUnknown),
            Lookup::NotInForce => Err(Unpriced::NotInForce),
            Lookup::NotOffered(listed) => Err(Unpriced::NotOffered {
                region: region.clone(),
                listed,
            }),
            Lookup::Missing => Err(Unpriced::NotListed),
        }
    }

    fn stated_price(&self, meter: &Meter, region: &Region) -> Option<Tariff> {
        // The last statement wins, as with any flag given twice.
        let price = self.stated.iter().rev().find(|stated| {
            stated.usage_type == meter.usage_type
                && stated
                    .service
                    .as_ref()
                    .is_none_or(|service| *service == meter.service)
                && stated.region.as_ref().is_none_or(|r| r == region)
        })?;
        let known = self
            .catalog
            .meter(&meter.service, meter.usage_type.as_str());
        Some(Tariff {
            meter: meter.clone(),
            region: region.clone(),
            unit: known.map_or(Unit::Unspecified, |info| info.unit),
            rate: Rate::PerUnit(price.unit_price),
            validity: Validity {
                from: NaiveDate::MIN,
                until: None,
            },
            source: PriceSource {
                title: price.origin.clone(),
                date: None,
                also: Vec::new(),
                confidence: Arc::from("stated"),
                file: price.origin.clone(),
                sku: None,
                note: None,
            },
        })
    }
}

/// Prices read off the user's own bill, for usage whose own row shows none: free units, and what
/// is still to come.
#[derive(Clone, Debug, Default)]
pub struct BilledPrices {
    /// Rows are rated at their own price. Not so where the bill is only compared with.
    reads_rows: bool,
    /// What each account was charged.
    by_key: BTreeMap<UsageKey, Vec<Arc<Tariff>>>,
    /// What everybody was charged.
    by_meter: BTreeMap<(Meter, Region), Vec<Arc<Tariff>>>,
}

/// The prices met on each day, each with a record that shows it.
type Days<'r> = BTreeMap<NaiveDate, BTreeMap<Decimal, &'r UsageRecord>>;

impl BilledPrices {
    /// Collects the prices that a month's records were billed at.
    ///
    /// A free row shows no price of its own; its public list price counts where no row shows what
    /// was paid. Two prices on one day answer for nobody: the tiers behind them are not visible.
    pub fn collect(records: &[UsageRecord]) -> Self {
        let mut by_key: BTreeMap<&UsageKey, [Days<'_>; 2]> = BTreeMap::new();
        let mut by_meter: BTreeMap<(&Meter, &Region), [Days<'_>; 2]> = BTreeMap::new();
        for record in records
            .iter()
            // What a commitment pays for has its price, not one of its own.
            .filter(|record| record.kind == ChargeKind::Usage && record.covered_by().is_none())
        {
            let Some(billed) = &record.billed else {
                continue;
            };
            let positive = |rate: &Option<Decimal>| rate.filter(|r| *r > Decimal::ZERO);
            let (paid, listed) = (positive(&billed.rate), positive(&billed.list_rate));
            let Some(rate) = paid.or(listed) else {
                continue;
            };
            let key = &record.key;
            for days in [
                by_key.entry(key).or_default(),
                by_meter.entry((&key.meter, &key.region)).or_default(),
            ] {
                let day = days[usize::from(paid.is_none())]
                    .entry(record.day)
                    .or_default();
                day.entry(rate.normalize()).or_insert(record);
            }
        }
        let by_key = by_key
            .into_iter()
            .filter_map(|(key, days)| Some((key.clone(), schedule(days)?)));
        let by_meter = by_meter.into_iter().filter_map(|((meter, region), days)| {
            Some(((meter.clone(), region.clone()), schedule(days)?))
        });
        Self {
            reads_rows: true,
            by_key: by_key.collect(),
            by_meter: by_meter.collect(),
        }
    }

    fn price(&self, key: &UsageKey, day: NaiveDate) -> Option<Arc<Tariff>> {
        if self.by_meter.is_empty() {
            return None;
        }
        let of_meter = || self.by_meter.get(&(key.meter.clone(), key.region.clone()));
        let tariffs = self.by_key.get(key).or_else(of_meter)?;
        tariffs
            .iter()
            .find(|tariff| tariff.validity.contains(day))
            .cloned()
    }
}

/// Turns the prices of days into tariffs, each in force until the next one; none if any day has
/// two.
fn schedule([paid, listed]: [Days<'_>; 2]) -> Option<Vec<Arc<Tariff>>> {
    let days = if paid.is_empty() { listed } else { paid };
    let mut tariffs: Vec<Tariff> = Vec::new();
    for (day, rates) in days {
        let mut rates = rates.into_iter();
        let ((rate, record), None) = (rates.next()?, rates.next()) else {
            return None;
        };
        if tariffs
            .last()
            .is_some_and(|last| last.rate == Rate::PerUnit(rate))
        {
            continue;
        }
        if let Some(last) = tariffs.last_mut() {
            last.validity.until = Some(day);
        }
        tariffs.push(observed_tariff(
            &record.key.meter,
            &record.key.region,
            day,
            rate,
            record,
        ));
    }
    // Days before the first priced one take its price: nothing else is known of them.
    tariffs.first_mut()?.validity.from = NaiveDate::MIN;
    Some(tariffs.into_iter().map(Arc::new).collect())
}

fn observed_tariff(
    meter: &Meter,
    region: &Region,
    day: NaiveDate,
    rate: Decimal,
    record: &UsageRecord,
) -> Tariff {
    Tariff {
        meter: meter.clone(),
        region: region.clone(),
        unit: record
            .quantity
            .map_or(Unit::Unspecified, |quantity| quantity.unit),
        rate: Rate::PerUnit(rate),
        validity: Validity {
            from: day,
            until: None,
        },
        source: PriceSource {
            title: record.origin.clone(),
            date: Some(day),
            also: Vec::new(),
            confidence: Arc::from("high"),
            file: record.origin.clone(),
            sku: None,
            note: None,
        },
    }
}
