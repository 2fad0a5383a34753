//! AWS's own price list files, the bulk kind: CSV or JSON, as downloaded.
//!
//! Only what the catalogue has meters for is taken; the rest is counted. A price list writes a free
//! tier as a first tier of zero, and again under usage types that begin with `Global-`: both are
//! allowances here, so that a free unit is never granted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    atomic_file,
    domain::{
        catalog::{Catalog, Tariffs},
        ids::{Meter, Region},
        number::{parse_price, parse_quantity},
        quantity::Unit,
        tariff::{PriceSource, Rate, Tariff, Tier, Validity},
    },
};

/// Why a file is no price list.
#[derive(Debug, Error)]
pub enum PriceListError {
    /// It cannot be read.
    #[error("cannot read {file}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{file} is no AWS price list: {problem}")]
    NotAPriceList {
        /// The file.
        file: String,
        /// What is missing.
        problem: String,
    },
    /// A value is wrong.
    #[error("{file}, {place}: {problem}")]
    BadValue {
        /// The file.
        file: String,
        /// The line of a CSV, the rate code of a JSON file.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// The lists imported before cannot be kept or read back.
    #[error("the imported prices in {file}: {problem}")]
    Store {
        /// The file.
        file: String,
        /// Why.
        problem: String,
    },
    /// It has no price that the catalogue has a meter for.
    #[error("{file} has no price of a meter that is known here ({rows} rows read)")]
    NothingKnown {
        /// The file.
        file: String,
        /// How many rows were read.
        rows: usize,
    },
}

/// One price dimension, as both forms of the file have it. Also how an imported list is kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListedPrice {
    service: String,
    region: String,
    usage_type: String,
    from: NaiveDate,
    sku: String,
    /// Start of the tier.
    begin: String,
    /// End of the tier, `Inf` if open.
    end: String,
    unit: String,
    price: String,
    currency: String,
    /// The file and the day it was published.
    source: String,
    published: Option<NaiveDate>,
}

/// What a price list brought.
#[derive(Debug, Default)]
pub struct PriceList {
    /// Prices of meters that the catalogue knows.
    pub prices: Vec<ListedPrice>,
    /// Rows read.
    pub rows: usize,
    /// Rows left out, by reason.
    pub left_out: BTreeMap<&'static str, usize>,
}

/// Reads a price list file.
pub fn read(file: &str, content: &str, catalog: &Catalog) -> Result<PriceList, PriceListError> {
    let rows = if content.trim_start().starts_with('{') {
        read_json(file, content)?
    } else {
        read_csv(file, content)?
    };
    let mut list = PriceList {
        rows: rows.len(),
        ..PriceList::default()
    };
    for row in rows {
        match known(catalog, row) {
            Ok(price) => list.prices.push(price),
            Err(reason) => *list.left_out.entry(reason).or_default() += 1,
        }
    }
    list.prices.sort();
    list.prices.dedup();
    if list.prices.is_empty() {
        return Err(PriceListError::NothingKnown {
            file: file.to_owned(),
            rows: list.rows,
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
        return Err("prices in another currency than the region's");
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
            title: Arc::from(format!("AWS Price List, {}", first.source)),
            date: first.published.or(Some(from)),
            confidence: Arc::from("high"),
            file: Arc::from(first.source.as_str()),
            sku: Some(Arc::from(first.sku.as_str())),
            note: None,
        },
    })
}

fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

fn short_name(file: &str) -> String {
    let name = Path::new(file).file_name();
    name.map_or_else(
        || file.to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

fn read_csv(file: &str, content: &str) -> Result<Vec<ListedPrice>, PriceListError> {
    let not = |problem: &str| PriceListError::NotAPriceList {
        file: file.to_owned(),
        problem: problem.to_owned(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(content.as_bytes());
    let mut columns: Option<BTreeMap<String, usize>> = None;
    let mut published = None;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| not(&error.to_string()))?;
        let Some(columns) = &columns else {
            // Five lines about the file come before the header.
            if record.get(0) == Some("Publication Date") {
                published = record.get(1).and_then(day);
            } else if record.get(0) == Some("SKU") {
                columns = Some(
                    record
                        .iter()
                        .enumerate()
                        .map(|(at, name)| (name.to_owned(), at))
                        .collect(),
                );
            } else if record
                .position()
                .is_some_and(|position| position.line() > 8)
            {
                break;
            }
            continue;
        };
        let field = |name: &str| {
            let at = columns
                .get(name)
                .ok_or_else(|| not(&format!("no column {name}")))?;
            Ok::<_, PriceListError>(record.get(*at).unwrap_or("").to_owned())
        };
        if field("TermType")? != "OnDemand" {
            continue;
        }
        let line = record.position().map_or(0, csv::Position::line);
        let bad = |problem: String| PriceListError::BadValue {
            file: file.to_owned(),
            place: format!("line {line}"),
            problem,
        };
        let from = field("EffectiveDate")?;
        rows.push(ListedPrice {
            service: field("serviceCode")?,
            region: field("Region Code")?,
            usage_type: field("usageType")?,
            from: day(&from).ok_or_else(|| bad(format!("`{from}` is not a day")))?,
            sku: field("SKU")?,
            begin: field("StartingRange")?,
            end: field("EndingRange")?,
            unit: field("Unit")?,
            price: checked_price(&field("PricePerUnit")?).map_err(bad)?,
            currency: field("Currency")?,
            source: short_name(file),
            published,
        });
    }
    if columns.is_none() {
        return Err(not("no header line that begins with SKU"));
    }
    Ok(rows)
}

fn checked_price(text: &str) -> Result<String, String> {
    parse_price(text)
        .map(crate::domain::number::plain)
        .map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Offer {
    publication_date: Option<String>,
    products: BTreeMap<String, Product>,
    terms: Terms,
}

#[derive(Deserialize)]
struct Product {
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Terms {
    #[serde(rename = "OnDemand", default)]
    on_demand: BTreeMap<String, BTreeMap<String, Term>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    effective_date: String,
    price_dimensions: BTreeMap<String, PriceDimension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PriceDimension {
    unit: String,
    begin_range: Option<String>,
    end_range: Option<String>,
    price_per_unit: BTreeMap<String, String>,
}

fn read_json(file: &str, content: &str) -> Result<Vec<ListedPrice>, PriceListError> {
    let offer: Offer =
        serde_json::from_str(content).map_err(|error| PriceListError::NotAPriceList {
            file: file.to_owned(),
            problem: error.to_string(),
        })?;
    let published = offer.publication_date.as_deref().and_then(day);
    let mut rows = Vec::new();
    for (sku, terms) in &offer.terms.on_demand {
        let Some(product) = offer.products.get(sku) else {
            continue;
        };
        let attribute = |name: &str| product.attributes.get(name).cloned().unwrap_or_default();
        for term in terms.values() {
            for (code, dimension) in &term.price_dimensions {
                let bad = |problem: String| PriceListError::BadValue {
                    file: file.to_owned(),
                    place: format!("rate {code}"),
                    problem,
                };
                for (currency, price) in &dimension.price_per_unit {
                    let from = &term.effective_date;
                    rows.push(ListedPrice {
                        service: attribute("servicecode"),
                        region: attribute("regionCode"),
                        usage_type: attribute("usagetype"),
                        from: day(from).ok_or_else(|| bad(format!("`{from}` is not a day")))?,
                        sku: sku.clone(),
                        begin: dimension
                            .begin_range
                            .clone()
                            .unwrap_or_else(|| "0".to_owned()),
                        end: dimension
                            .end_range
                            .clone()
                            .unwrap_or_else(|| "Inf".to_owned()),
                        unit: dimension.unit.clone(),
                        price: checked_price(price).map_err(bad)?,
                        currency: currency.clone(),
                        source: short_name(file),
                        published,
                    });
                }
            }
        }
    }
    Ok(rows)
}

/// Reads the prices that were imported before; none if there is no such file.
pub fn load(store: &Path) -> Result<Vec<ListedPrice>, PriceListError> {
    let broken = |problem: String| PriceListError::Store {
        file: store.display().to_string(),
        problem,
    };
    match std::fs::read_to_string(store) {
        Ok(text) => serde_json::from_str(&text).map_err(|error| broken(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// Keeps prices: what was kept of the same services and regions gives way to them.
pub fn save(store: &Path, new: &[ListedPrice]) -> Result<(), PriceListError> {
    let broken = |problem: String| PriceListError::Store {
        file: store.display().to_string(),
        problem,
    };
    let place = |price: &ListedPrice| (price.service.clone(), price.region.clone());
    let renewed: BTreeSet<(String, String)> = new.iter().map(place).collect();
    let mut prices = load(store)?;
    prices.retain(|price| !renewed.contains(&place(price)));
    prices.extend_from_slice(new);
    prices.sort();
    if let Some(folder) = store.parent() {
        std::fs::create_dir_all(folder).map_err(|error| broken(error.to_string()))?;
    }
    let text = serde_json::to_string_pretty(&prices).expect("prices of ours are JSON");
    atomic_file::write(store, &text).map_err(|error| broken(error.to_string()))
}

impl ListedPrice {
    /// Returns the service and region of the price.
    pub fn place(&self) -> (&str, &str) {
        (&self.service, &self.region)
    }
}
