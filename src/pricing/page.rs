//! The files behind AWS's pricing pages: one for each service, all regions in it.
//!
//! An entry has a name that is the same in every region, a rate code that begins with its stock
//! keeping unit, and a price. It says neither the unit nor since when: the names of the catalogue's
//! meters say what is counted.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::listed_price::{
    ListedPrice, PriceListError, Rows, checked_price, day, not_json, short_name,
};
use crate::domain::{
    catalog::{Catalog, MeterInfo, Service},
    ids::Region,
    number::plain,
};

#[derive(Deserialize)]
struct Page {
    manifest: Manifest,
    #[serde(default)]
    sets: BTreeMap<String, Vec<String>>,
    regions: BTreeMap<String, BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    service_id: String,
    #[serde(default)]
    source: String,
    hawk_file_publication_date: String,
    currency_code: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "rateCode")]
    rate_code: String,
    price: String,
    #[serde(rename = "Compute Type")]
    compute_type: Option<String>,
}

/// Tells these files from bulk ones by what they begin with.
pub(super) fn is_page(start: &str) -> bool {
    let mut head = 300.min(start.len());
    while !start.is_char_boundary(head) {
        head -= 1;
    }
    start[..head].contains("\"manifest\"")
}

/// Reads a file. Names of places that are no regions, and of entries that are no meters, are left
/// out and counted.
pub(super) fn read(file: &str, content: &str, catalog: &Catalog) -> Result<Rows, PriceListError> {
    let not = |problem: String| PriceListError::NotAPriceList {
        file: file.to_owned(),
        problem,
    };
    let page: Page = serde_json::from_str(content).map_err(|error| not(not_json(&error)))?;
    let manifest = &page.manifest;
    let published = day(&manifest.hawk_file_publication_date);
    let published =
        published.ok_or_else(|| not("its day of publication is not a date".to_owned()))?;
    let name = if manifest.source.is_empty() {
        &manifest.service_id
    } else {
        &manifest.source
    };
    let is_of = |service: &&Service| {
        let list = service.list.as_ref();
        list.is_some_and(|list| list.page.ends_with(&format!("/{name}")))
    };
    let Some(service) = catalog.services.values().find(is_of) else {
        return Err(PriceListError::NothingKnown {
            file: file.to_owned(),
            rows: page.regions.values().map(BTreeMap::len).sum(),
        });
    };
    let mut meters: BTreeMap<&str, (&MeterInfo, Option<Decimal>)> = BTreeMap::new();
    for info in &service.meters {
        for tier in &info.listed {
            meters.insert(&tier.name, (info, tier.up_to));
        }
    }
    let mut set_of: BTreeMap<&str, &str> = BTreeMap::new();
    for (set, keys) in &page.sets {
        set_of.extend(keys.iter().map(|key| (key.as_str(), set.as_str())));
    }
    let mut rows = Rows {
        published: Some(published),
        ..Rows::default()
    };
    for (location, entries) in &page.regions {
        let known = catalog.regions.values();
        let mut known = known.filter(|region| region.location == *location);
        let region = match known.next() {
            Some(region) => region.id.clone(),
            None if location == "Any" && service.global => Region::global(),
            None => {
                *rows.left_out.entry("prices of no region").or_default() += entries.len();
                continue;
            }
        };
        let mut found: BTreeMap<&str, (&MeterInfo, BTreeMap<Option<Decimal>, ListedPrice>)> =
            BTreeMap::new();
        for (key, entry) in entries {
            let sku = entry.rate_code.split('.').next().unwrap_or_default();
            rows.skus.insert(sku.to_owned());
            let in_set = set_of.get(key.as_str()).zip(entry.compute_type.as_ref());
            let in_set = in_set.map(|(set, compute)| format!("{set}/{compute}"));
            let named = in_set.as_deref().and_then(|name| meters.get(name));
            let Some((info, up_to)) = named.or_else(|| meters.get(key.as_str())) else {
                *rows.left_out.entry("other entries").or_default() += 1;
                continue;
            };
            let bad = |problem: String| PriceListError::BadValue {
                file: file.to_owned(),
                place: format!("{location}, {key}"),
                problem,
            };
            let price = checked_price(&entry.price).map_err(bad)?;
            let (_, tiers) = found
                .entry(info.meter.usage_type.as_str())
                .or_insert_with(|| (info, BTreeMap::new()));
            let row = ListedPrice {
                service: service.code.to_string(),
                region: region.to_string(),
                usage_type: info.meter.usage_type.to_string(),
                from: published,
                sku: sku.to_owned(),
                begin: String::new(),
                end: up_to.map_or_else(|| "Inf".to_owned(), plain),
                unit: info.unit.name().to_owned(),
                price,
                currency: manifest.currency_code.clone(),
                source: format!("AWS's pricing page file, {}", short_name(file)),
                published: Some(published),
            };
            if let Some(other) = tiers.insert(*up_to, row.clone())
                && other.price != row.price
            {
                return Err(bad(format!(
                    "{} has two prices, {} and {}",
                    info.meter, other.price, row.price
                )));
            }
        }
        for (_, (info, mut tiers)) in found {
            let mut begin = "0".to_owned();
            let mut all = Vec::new();
            for tier in &info.listed {
                let Some(row) = tiers.remove(&tier.up_to) else {
                    break;
                };
                let end = row.end.clone();
                all.push(ListedPrice { begin, ..row });
                begin = end;
            }
            if all.len() == info.listed.len() {
                rows.all.extend(all);
            } else {
                *rows
                    .left_out
                    .entry("prices without all of their tiers")
                    .or_default() += 1;
            }
        }
    }
    Ok(rows)
}
