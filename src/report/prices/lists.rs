//! Price lists that were read, checked or fetched.

use std::collections::BTreeMap;

use chrono::NaiveDate;

#[cfg(feature = "aws")]
use super::{TierPrice, in_words, prices};
use crate::report::{
    Answer, Block, Document, Note, Table,
    value::{Day, object, row},
    words,
};
#[cfg(feature = "aws")]
use crate::report::{json::meter_name, value::Known};
use crate::{
    domain::{
        bill::OLD_DAYS,
        catalog::Catalog,
        ids::{Meter, Region, ServiceCode},
        tariff::{Rate, Tariff},
    },
    pricing::price_list::PriceList,
};

object! {
    /// How old the prices in use are.
    pub struct AgeAnswer = "pipebill.prices-age/1" {
        /// The day they are looked at.
        today: Day,
        /// The services.
        rows: Vec<AgeRow>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// The prices of one service.
    pub struct AgeRow {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 0),
        /// How many prices are in use.
        prices: u64 = shown("Prices", 0),
        /// How many of them have low or medium confidence.
        uncertain: u64 = shown("Uncertain", 2),
        /// The day the oldest was stated.
        oldest: Option<Day> = shown("Oldest", 1),
        /// The day the newest was stated.
        newest: Option<Day> = shown("Newest", 3),
        /// How many days ago the oldest was stated.
        age_days: Option<u64> = shown("Age", 0),
        /// How many are older than a year.
        old: u64 = shown("Older than a year", 0),
    }
}

object! {
    /// What price lists brought.
    pub struct PricesImportedAnswer = "pipebill.prices-imported/1" {
        /// How many prices of each service and region.
        rows: Vec<ImportedPrices>,
        /// What a reader should know, and what was left out.
        notes: Vec<Note>,
    }
}

row! {
    /// Prices of one service in one region.
    pub struct ImportedPrices {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 0),
        /// The region.
        region: String = shown("Region", 0),
        /// How many prices.
        prices: u64 = shown("Prices", 0),
    }
}

#[cfg(feature = "aws")]
object! {
    /// Which prices changed since the last update.
    pub struct PricesUpdatedAnswer = "pipebill.prices-updated/1" {
        /// How many lists were read.
        lists: u64,
        /// How many prices they have.
        prices: u64,
        /// How many are as before.
        unchanged: u64,
        /// The changes.
        rows: Vec<ChangedPrice>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

#[cfg(feature = "aws")]
row! {
    /// A price that is new or changed.
    pub struct ChangedPrice {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 1),
        /// AWS's usage type.
        usage_type: String = shown("Usage type", 0),
        /// Its name.
        meter: String = file,
        /// The region.
        region: String = shown("Region", 0),
        /// The tiers as they were; null if the price is new.
        before: Option<Vec<TierPrice>>,
        /// The same in words.
        #[serde(skip)]
        before_text: Known<String> = shown("Before", 0),
        /// The tiers as they are.
        after: Vec<TierPrice>,
        /// The same in words.
        #[serde(skip)]
        after_text: String = shown("Now", 0),
        /// Since when.
        since: Day = shown("Since", 0),
    }
}

/// Says how old the prices in use are, service by service, and what of them is uncertain. The flag
/// tells whether any is older than it should be.
pub fn verify(catalog: &Catalog, today: NaiveDate) -> (Answer<'static>, bool) {
    let mut rows = Vec::new();
    let mut any_old = 0;
    for service in catalog.services.values() {
        let mut in_use: BTreeMap<&(Meter, Region), &Tariff> = BTreeMap::new();
        let own = catalog.tariffs().chain(&catalog.price_list);
        for (key, tariffs) in own.filter(|((meter, _), _)| meter.service == service.code) {
            // Imported prices come last, and stand above the embedded ones.
            if let Some(tariff) = tariffs.iter().find(|t| t.validity.contains(today)) {
                in_use.insert(key, tariff);
            }
        }
        in_use.retain(|_, tariff| !matches!(tariff.rate, Rate::Unknown | Rate::NotOffered));
        let dates = || in_use.values().filter_map(|tariff| tariff.source.date);
        let age = |day: NaiveDate| (today - day).num_days();
        let old = dates().filter(|day| age(*day) > OLD_DAYS).count();
        any_old += old;
        let uncertain = in_use
            .values()
            .filter(|t| matches!(&*t.source.confidence, "low" | "medium"));
        let oldest = dates().min();
        rows.push(AgeRow {
            service: service.code.to_string(),
            service_name: service.name.clone(),
            prices: in_use.len() as u64,
            uncertain: uncertain.count() as u64,
            oldest: oldest.map(Day),
            newest: dates().max().map(Day),
            age_days: oldest.map(|day| age(day).unsigned_abs()),
            old: old as u64,
        });
    }
    let old = (any_old > 0).then(|| words::prices::old(any_old as u64, today));
    let notes: Vec<Note> = old.into_iter().collect();
    let document = Document {
        title: format!("Age of the prices in use on {today}, in days"),
        blocks: vec![Block::Table(Table::of(&rows)), Block::All(notes.clone())],
    };
    let value = AgeAnswer {
        today: Day(today),
        rows,
        notes,
    };
    (Answer::new(document, value), any_old > 0)
}

/// Says what price lists brought and what of them was left out.
pub fn imported(
    lists: &[PriceList],
    contradictions: &[String],
    catalog: &Catalog,
) -> Answer<'static> {
    let mut places: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for price in lists.iter().flat_map(|list| &list.prices) {
        *places.entry(price.place()).or_default() += 1;
    }
    let row = |((service, region), prices): ((&str, &str), u64)| ImportedPrices {
        service: service.to_owned(),
        service_name: catalog.service_name(&ServiceCode::new(service)).to_owned(),
        region: region.to_owned(),
        prices,
    };
    let rows: Vec<ImportedPrices> = places.into_iter().map(row).collect();
    let lists = lists.iter().map(words::prices::list);
    let contradictions = contradictions.iter();
    let notes: Vec<Note> = lists
        .chain(contradictions.map(|what| words::prices::contradiction(what)))
        .collect();
    let document = Document {
        title: "Prices imported".to_owned(),
        blocks: vec![Block::Table(Table::of(&rows)), Block::All(notes.clone())],
    };
    Answer::new(document, PricesImportedAnswer { rows, notes })
}

/// Says which prices changed.
#[cfg(feature = "aws")]
pub fn updated(
    updated: &crate::pricing::change::UpdatedPrices,
    catalog: &Catalog,
) -> Answer<'static> {
    let row = |change: &crate::pricing::change::PriceChange| ChangedPrice {
        service: change.meter.service.to_string(),
        service_name: catalog.service_name(&change.meter.service).to_owned(),
        usage_type: change.meter.usage_type.to_string(),
        meter: meter_name(catalog, &change.meter),
        region: change.region.to_string(),
        before: change.before.as_ref().map(prices),
        before_text: Known::or(change.before.as_ref().map(in_words), "not known"),
        after: prices(&change.after),
        after_text: in_words(&change.after),
        since: Day(change.since),
    };
    let rows: Vec<ChangedPrice> = updated.changes.iter().map(row).collect();
    let prices: usize = updated.lists.iter().map(|list| list.prices.len()).sum();
    let mut notes = vec![words::prices::updated(updated, prices as u64)];
    notes.extend(updated.notes.iter().map(words::prices::update));
    let contradictions = updated.contradictions.iter();
    notes.extend(contradictions.map(|what| words::prices::contradiction(what)));
    let mut table = Table::of(&rows);
    for column in &mut table.columns {
        column.key = match &*column.key {
            "before_text" => "before".into(),
            "after_text" => "after".into(),
            _ => continue,
        };
    }
    let document = Document {
        title: "Prices updated".to_owned(),
        blocks: vec![Block::Table(table), Block::All(notes.clone())],
    };
    let value = PricesUpdatedAnswer {
        lists: updated.lists.len() as u64,
        prices: prices as u64,
        unchanged: updated.unchanged as u64,
        rows,
        notes,
    };
    Answer::new(document, value)
}
