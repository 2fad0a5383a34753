//! AWS's own price list files as downloaded: the bulk kind, CSV or JSON (`bulk.rs`), and the files
//! behind its pricing pages (`page.rs`).
//!
//! Only what the catalogue has meters for is taken; the rest is counted. A price list writes a free
//! tier as a first tier of zero, and again under usage types that begin with `Global-`: both are
//! allowances here, so that a free unit is never granted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use super::listed_price::{ListedPrice, PriceListError};
use super::{bulk, page};
use crate::domain::{
    catalog::{Catalog, Tariffs},
    ids::{Meter, Region},
    number::{parse_price, parse_quantity},
    quantity::Unit,
    tariff::{PriceSource, Rate, Tariff, Tier, Validity},
};

/// What a price list brought.
#[derive(Debug, Default)]
pub struct PriceList {
    /// The file.
    pub file: String,
    /// Prices of meters that the catalogue knows.
    pub prices: Vec<ListedPrice>,
    /// Every stock keeping unit in it, of meters known and unknown.
    pub skus: BTreeSet<String>,
    /// It is a file behind a pricing page: it says what costs how much, not since when.
    pub is_page: bool,
    /// The day it was published.
    pub published: Option<NaiveDate>,
    /// Rows read.
    pub rows: usize,
    /// Rows left out, by reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

/// Why a row is left out that the region's own list would have.
pub const OTHER_CURRENCY: &str = "prices in another currency than the region's";

/// Reads a price list file.
pub fn read(file: &str, content: &str, catalog: &Catalog) -> Result<PriceList, PriceListError> {
    let start = content.trim_start();
    let is_page = start.starts_with('{') && page::is_page(start);
    let rows = if is_page {
        page::read(file, content, catalog)?
    } else if start.starts_with('{') {
        bulk::read_json(file, content)?
    } else {
        bulk::read_csv(file, content)?
    };
    let skus = rows.all.iter().map(|row| row.sku.clone());
    let mut list = PriceList {
        file: file.to_owned(),
        rows: rows.all.len() + rows.left_out.values().sum::<usize>(),
        skus: rows.skus.into_iter().chain(skus).collect(),
        is_page,
        published: rows.published,
        left_out: rows.left_out,
        prices: Vec::new(),
    };
    for row in rows.all {
        match known(catalog, row) {
            Ok(price) => list.prices.push(price),
            Err(reason) => *list.left_out.entry(reason).or_default() += 1,
        }
    }
    list.prices.sort();
    list.prices.dedup();
    if list.prices.is_empty() {
        return Err(match list.left_out.get(OTHER_CURRENCY) {
            Some(_) => PriceListError::OtherCurrency {
                file: file.to_owned(),
            },
            None => PriceListError::NothingKnown {
                file: file.to_owned(),
                rows: list.rows,
            },
        });
    }
    Ok(list)
}

/// Keeps a row if the catalogue knows its meter and region; says why not otherwise.
fn known(catalog: &Catalog, row: ListedPrice) -> Result<ListedPrice, &'static str> {
    if row.usage_type.starts_with("Global-") {
        return Err("free tiers, which the catalogue has as allowances");
    }
    let Some(service) = catalog.service(&row.service) else {
        return Err("other services");
    };
    let stated = (!row.region.is_empty()).then(|| Region::new(&row.region));
    let (region, meter) = catalog.locate(&service.code, &row.usage_type, stated.as_ref());
    let Some(info) = catalog.meter(&service.code, meter.usage_type.as_str()) else {
        return Err("usage types without a meter here");
    };
    if Unit::parse(&row.unit) != Some(info.unit) {
        return Err("prices in another unit than the meter's");
    }
    let expected = catalog.currency(&region);
    if row.currency != expected.as_str() {
        return Err(OTHER_CURRENCY);
    }
    let service = service.code.to_string();
    let usage_type = info.meter.usage_type.to_string();
    Ok(ListedPrice {
        service,
        region: region.to_string(),
        usage_type,
        ..row
    })
}

/// Turns kept prices into the tariffs of a catalogue. Returns the meters that are listed at two
/// prices at once, which no bill could choose between: they are left out.
pub fn tariffs(prices: &[ListedPrice], catalog: &Catalog) -> (Tariffs, Vec<String>) {
    type Tiers<'p> = BTreeMap<(NaiveDate, &'p str), Vec<&'p ListedPrice>>;
    let mut by_meter: BTreeMap<(Meter, Region), Tiers<'_>> = BTreeMap::new();
    for price in prices {
        let id = (
            Meter::new(&price.service, &price.usage_type),
            Region::new(&price.region),
        );
        let tiers = by_meter.entry(id).or_default();
        tiers
            .entry((price.from, price.sku.as_str()))
            .or_default()
            .push(price);
    }
    let mut tariffs = Tariffs::new();
    let mut contradictions = Vec::new();
    for ((meter, region), skus) in by_meter {
        let mut listed: Vec<Tariff> = Vec::new();
        for ((from, _), tiers) in skus {
            let Some(tariff) = tariff(&meter, &region, from, &tiers, catalog) else {
                contradictions.push(format!("{meter} in {region}: its tiers do not join"));
                listed.clear();
                break;
            };
            match listed.last_mut() {
                Some(last) if last.validity.from == from && last.rate == tariff.rate => {}
                Some(last) if last.validity.from == from => {
                    contradictions.push(format!("{meter} in {region}: two prices from {from}"));
                    listed.clear();
                    break;
                }
                Some(last) => {
                    last.validity.until = Some(from);
                    listed.push(tariff);
                }
                None => listed.push(tariff),
            }
        }
        if !listed.is_empty() {
            tariffs.insert((meter, region), listed.into_iter().map(Arc::new).collect());
        }
    }
    (tariffs, contradictions)
}

fn tariff(
    meter: &Meter,
    region: &Region,
    from: NaiveDate,
    tiers: &[&ListedPrice],
    catalog: &Catalog,
) -> Option<Tariff> {
    let mut bounds: Vec<(Decimal, Option<Decimal>, Decimal)> = Vec::new();
    for tier in tiers {
        let end = if tier.end == "Inf" {
            None
        } else {
            Some(parse_quantity(&tier.end).ok()?)
        };
        bounds.push((
            parse_quantity(&tier.begin).ok()?,
            end,
            parse_price(&tier.price).ok()?,
        ));
    }
    bounds.sort_by_key(|(begin, ..)| *begin);
    // The free first tier is the allowance, counted over all regions and not in each.
    let grants = |up_to: Decimal| {
        catalog
            .allowances()
            .any(|a| a.meters.contains(meter) && a.grant == up_to)
    };
    let mut shift = Decimal::ZERO;
    if let [(_, Some(up_to), price), _, ..] = bounds[..]
        && price.is_zero()
        && grants(up_to)
    {
        shift = up_to;
        bounds.remove(0);
    }
    let mut read = Vec::new();
    let mut floor = Some(shift);
    for (begin, end, price) in bounds {
        if floor != Some(begin) {
            return None;
        }
        floor = end;
        read.push(Tier {
            up_to: end.map(|end| end - shift),
            unit_price: Some(price),
        });
    }
    if floor.is_some() {
        return None;
    }
    let rate = match &read[..] {
        [
            Tier {
                unit_price: Some(price),
                ..
            },
        ] => Rate::PerUnit(*price),
        _ => Rate::Graduated(read),
    };
    let first = tiers.first()?;
    Some(Tariff {
        meter: meter.clone(),
        region: region.clone(),
        unit: Unit::parse(&first.unit)?,
        rate,
        validity: Validity { from, until: None },
        source: PriceSource {
            title: Arc::from(first.source.as_str()),
            date: first.published.or(Some(from)),
            also: Vec::new(),
            confidence: Arc::from("high"),
            file: Arc::from("price lists brought in"),
            sku: Some(Arc::from(first.sku.as_str())),
            note: None,
        },
    })
}
