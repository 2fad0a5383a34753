//! What new price lists change: prices that are others than before, since when, and what is gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;

use super::price_list::{self, PriceList};
use crate::domain::{
    catalog::{Catalog, Lookup, Tariffs},
    ids::{Meter, Region, ServiceCode},
    tariff::{PriceSource, Rate, Tariff, Validity},
};

/// What price lists brought.
#[derive(Debug, Default)]
pub struct UpdatedPrices {
    /// The lists.
    pub lists: Vec<PriceList>,
    /// Prices in force today that were others before, or not known, or are gone.
    pub changes: Vec<PriceChange>,
    /// Prices in force today that were the same before.
    pub unchanged: usize,
    /// What is listed at two prices at once, which no bill could choose between: left out.
    pub contradictions: Vec<String>,
    /// What else should be known.
    pub notes: Vec<UpdateRemark>,
    /// All prices to keep.
    pub kept: Tariffs,
}

/// What there is to say of an update: facts, without sentences.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UpdateRemark {
    /// AWS publishes no price list.
    Unpublished {
        /// Of what, each.
        lists: Vec<String>,
    },
    /// A list has no price of a known meter.
    NothingKnown {
        /// Which.
        file: String,
        /// Its rows.
        rows: usize,
    },
    /// A list lacks most of what is known: those prices are kept.
    Incomplete {
        /// Which.
        file: String,
        /// The service, as people call it.
        service: String,
        /// Prices that it lacks.
        missing: usize,
        /// Of so many.
        of: usize,
    },
}

/// A price that is another than before.
#[derive(Debug)]
pub struct PriceChange {
    /// Of what.
    pub meter: Meter,
    /// Where.
    pub region: Region,
    /// None if there was no price.
    pub before: Option<Rate>,
    /// In force today.
    pub after: Rate,
    /// Since when, as far as the list says: at the latest since then.
    pub since: NaiveDate,
}

/// Which regions a list of a service was asked for.
pub type Asked<'a> = BTreeMap<&'a ServiceCode, BTreeSet<&'a Region>>;

/// Brings lists in beside what is known. Days before a change keep the old price. What was asked for,
/// known before and is no longer listed, is not offered from then on.
pub fn bring(
    catalog: &Catalog,
    lists: Vec<PriceList>,
    asked: &Asked<'_>,
    today: NaiveDate,
) -> UpdatedPrices {
    let mut updated = UpdatedPrices {
        kept: catalog.price_list.clone(),
        ..UpdatedPrices::default()
    };
    for list in lists {
        let prices: Vec<_> = list
            .prices
            .iter()
            .filter(|price| {
                let (service, region) = price.place();
                asked.get(&ServiceCode::new(service)).is_none_or(|regions| {
                    regions.contains(&Region::new(region)) || region == Region::global().as_str()
                })
            })
            .cloned()
            .collect();
        let (tariffs, contradictions) = price_list::tariffs(&prices, catalog);
        updated.contradictions.extend(contradictions);
        gone(catalog, &list, &tariffs, asked, today, &mut updated);
        for (key, listed) in tariffs {
            take(catalog, &list, key, &listed, today, &mut updated);
        }
        updated.lists.push(list);
    }
    let order =
        |a: &PriceChange, b: &PriceChange| (&a.meter, &a.region).cmp(&(&b.meter, &b.region));
    updated.changes.sort_by(order);
    updated
}

/// Returns the price in force on a day: of lists brought in before, else of the catalogue.
fn known<'c>(
    catalog: &'c Catalog,
    meter: &Meter,
    region: &Region,
    day: NaiveDate,
) -> Option<&'c Arc<Tariff>> {
    let listed = catalog.listed(meter, region, day);
    let tariff = listed.or_else(|| match catalog.lookup(meter, region, day) {
        Lookup::Found(tariff) => Some(tariff),
        _ => None,
    });
    tariff.filter(|tariff| tariff.rate != Rate::NotOffered)
}

/// Takes the prices of a meter in a region.
fn take(
    catalog: &Catalog,
    list: &PriceList,
    (meter, region): (Meter, Region),
    listed: &[Arc<Tariff>],
    today: NaiveDate,
    updated: &mut UpdatedPrices,
) {
    let before = known(catalog, &meter, &region, today);
    let mut listed: Vec<Tariff> = listed.iter().map(|tariff| (**tariff).clone()).collect();
    if list.is_page
        && let Some(first) = listed.first_mut()
    {
        // The file does not say since when: a price that is known already is as old as that.
        first.validity.from = match before {
            Some(before) if before.rate == first.rate => before.validity.from,
            Some(_) => first.validity.from,
            None => match catalog.not_offered(&meter, &region, today) {
                Some(listed) => listed.min(first.validity.from),
                None => unknown_since(),
            },
        };
    }
    let in_force = listed.iter().find(|t| t.validity.contains(today));
    match (before, in_force) {
        (Some(before), Some(after)) if before.rate == after.rate => updated.unchanged += 1,
        (before, Some(after)) => updated.changes.push(PriceChange {
            meter: meter.clone(),
            region: region.clone(),
            before: before.map(|before| before.rate.clone()),
            after: after.rate.clone(),
            since: after.validity.from,
        }),
        (_, None) => {}
    }
    let kept = updated.kept.entry((meter, region)).or_default();
    append(kept, listed);
}

/// The first day for which prices answer whose beginning no source states.
fn unknown_since() -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day of the calendar")
}

/// Puts new prices after those before them.
fn append(kept: &mut Vec<Arc<Tariff>>, listed: Vec<Tariff>) {
    for mut tariff in listed {
        let from = tariff.validity.from;
        kept.retain(|before| before.validity.from < from);
        if let Some(last) = kept.last_mut() {
            if last.rate == tariff.rate {
                // The same for longer, by a newer list.
                tariff.validity.from = last.validity.from;
                kept.pop();
            } else {
                Arc::make_mut(last).validity.until = Some(from);
            }
        }
        kept.push(Arc::new(tariff));
    }
}

/// Notes what was known before and a list no longer has: it is not offered from then on. A list that
/// lacks the better part of what was known is a part of one, and says nothing of the rest.
fn gone(
    catalog: &Catalog,
    list: &PriceList,
    listed: &Tariffs,
    asked: &Asked<'_>,
    today: NaiveDate,
    updated: &mut UpdatedPrices,
) {
    let services: BTreeSet<&str> = list.prices.iter().map(|price| price.place().0).collect();
    for (code, regions) in asked {
        if !services.contains(code.as_str()) {
            continue;
        }
        // A file behind a page has every region, a bulk file those that it has prices of.
        let places: BTreeSet<_> = list.prices.iter().map(|price| price.place().1).collect();
        let covers = |region: &Region| {
            regions.contains(region) && (list.is_page || places.contains(region.as_str()))
        };
        let of_service =
            |(meter, region): &&(Meter, Region)| meter.service == **code && covers(region);
        // The list before this one, else what the program comes with.
        let mut before: Vec<&(Meter, Region)> =
            catalog.price_list.keys().filter(of_service).collect();
        if before.is_empty() {
            let own = catalog.tariffs().map(|(key, _)| key);
            before = own.filter(of_service).collect();
        }
        let (mut was, mut missing) = (0, Vec::new());
        for key in before {
            let Some(tariff) = known(catalog, &key.0, &key.1, today) else {
                continue;
            };
            was += 1;
            let still = match &tariff.source.sku {
                Some(sku) => list.skus.contains(&**sku),
                None => !list.is_page,
            };
            if !still && !listed.contains_key(key) {
                missing.push((key, tariff));
            }
        }
        if missing.len() * 2 > was {
            updated.notes.push(UpdateRemark::Incomplete {
                file: list.file.clone(),
                service: catalog.service_name(code).to_owned(),
                missing: missing.len(),
                of: was,
            });
            continue;
        }
        let published = list.published.unwrap_or(today);
        for ((meter, region), before) in missing {
            let after_it = before.validity.from.succ_opt().unwrap_or(published);
            let since = published.max(after_it);
            updated.changes.push(PriceChange {
                meter: meter.clone(),
                region: region.clone(),
                before: Some(before.rate.clone()),
                after: Rate::NotOffered,
                since,
            });
            let nothing = Tariff {
                rate: Rate::NotOffered,
                validity: Validity {
                    from: since,
                    until: None,
                },
                source: PriceSource {
                    title: Arc::from(format!("no longer in {}", list.file)),
                    date: list.published,
                    also: Vec::new(),
                    ..before.source.clone()
                },
                ..(**before).clone()
            };
            let key = (meter.clone(), region.clone());
            append(updated.kept.entry(key).or_default(), vec![nothing]);
        }
    }
}
