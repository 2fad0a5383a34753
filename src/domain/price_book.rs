//! Which price applies: the user's own, then what the bill shows, then price lists, then the
//! catalogue. What none of them knows stays unpriced, unless the user lends another region's price.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    bill::Unpriced,
    catalog::{Catalog, Lookup},
    ids::{Meter, Region, ServiceCode, UsageType},
    quantity::Unit,
    tariff::{PriceOrigin, PriceSource, Rate, Tariff, Validity},
    usage::{ChargeKind, UsageRecord},
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

/// The layers of prices, in order of precedence.
#[derive(Clone, Debug)]
pub struct PriceBook<'a> {
    /// The user's own.
    pub stated: Vec<StatedPrice>,
    /// Those of the user's bill.
    pub observed: Observed,
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
            observed: Observed::default(),
            catalog,
            like: None,
        }
    }

    /// Finds the price of a meter in a region on a day.
    pub fn price(
        &self,
        meter: &Meter,
        region: &Region,
        day: NaiveDate,
    ) -> Result<Priced, Unpriced> {
        if let Some(tariff) = self.stated_price(meter, region) {
            return Ok(Priced {
                tariff: Arc::new(tariff),
                origin: PriceOrigin::Stated,
            });
        }
        if let Some(tariff) = self.observed.price(meter, region, day) {
            return Ok(Priced {
                tariff,
                origin: PriceOrigin::Observed,
            });
        }
        let reason = match self.known(meter, region, day) {
            Ok(priced) => return Ok(priced),
            Err(reason) => reason,
        };
        let lent = self.like.as_ref().and_then(|like| {
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
                confidence: Arc::from("stated"),
                file: price.origin.clone(),
                sku: None,
                note: None,
            },
        })
    }
}

/// Prices read off the user's own bill.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    prices: BTreeMap<(Meter, Region), Vec<Arc<Tariff>>>,
    /// Meters that were billed at several prices on one day, which no single price explains.
    pub ambiguous: BTreeSet<(Meter, Region)>,
}

impl Observed {
    /// Collects the prices that a month's records were billed at.
    ///
    /// A free row shows no price of its own; its public list price counts where no row shows what
    /// was paid. A meter billed at two prices on one day is left to the next layer: the tiers behind
    /// it are not visible here.
    pub fn collect(records: &[UsageRecord]) -> Self {
        type Seen<'r> = BTreeMap<NaiveDate, BTreeMap<Decimal, &'r UsageRecord>>;
        let mut seen: BTreeMap<(&Meter, &Region), [Seen<'_>; 2]> = BTreeMap::new();
        for record in records
            .iter()
            .filter(|record| record.kind == ChargeKind::Usage)
        {
            let Some(billed) = &record.billed else {
                continue;
            };
            let positive = |rate: &Option<Decimal>| rate.filter(|r| *r > Decimal::ZERO);
            let (paid, listed) = (positive(&billed.rate), positive(&billed.list_rate));
            let Some(rate) = paid.or(listed) else {
                continue;
            };
            let days = seen
                .entry((&record.key.meter, &record.key.region))
                .or_default();
            days[usize::from(paid.is_none())]
                .entry(record.day)
                .or_default()
                .entry(rate.normalize())
                .or_insert(record);
        }
        let mut observed = Self::default();
        for ((meter, region), [paid, listed]) in seen {
            let days = if paid.is_empty() { listed } else { paid };
            let id = (meter.clone(), region.clone());
            if days.values().any(|rates| rates.len() > 1) {
                observed.ambiguous.insert(id);
                continue;
            }
            let mut tariffs: Vec<Tariff> = Vec::new();
            for (day, rates) in days {
                let (rate, record) = rates.into_iter().next().expect("each day holds one price");
                if tariffs
                    .last()
                    .is_some_and(|last| last.rate == Rate::PerUnit(rate))
                {
                    continue;
                }
                if let Some(last) = tariffs.last_mut() {
                    last.validity.until = Some(day);
                }
                tariffs.push(observed_tariff(meter, region, day, rate, record));
            }
            // Days before the first priced one take its price: nothing else is known of them.
            if let Some(first) = tariffs.first_mut() {
                first.validity.from = NaiveDate::MIN;
            }
            observed
                .prices
                .insert(id, tariffs.into_iter().map(Arc::new).collect());
        }
        observed
    }

    fn price(&self, meter: &Meter, region: &Region, day: NaiveDate) -> Option<Arc<Tariff>> {
        if self.prices.is_empty() {
            return None;
        }
        let tariffs = self.prices.get(&(meter.clone(), region.clone()))?;
        tariffs
            .iter()
            .find(|tariff| tariff.validity.contains(day))
            .cloned()
    }
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
            confidence: Arc::from("high"),
            file: record.origin.clone(),
            sku: None,
            note: None,
        },
    }
}
