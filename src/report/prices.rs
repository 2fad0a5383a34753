//! The catalogue for people: what it has, what it does not know, how old it is.

mod detail;
mod lists;

pub use self::detail::{FreeUnits, MeterPrices, PriceAnswer, Rule, show};
pub use self::lists::{AgeAnswer, AgeRow, ImportedPrices, PricesImportedAnswer, imported, verify};
#[cfg(feature = "aws")]
pub use self::lists::{ChangedPrice, PricesUpdatedAnswer, updated};
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use rust_decimal::Decimal;

use super::{
    Answer, Block, Cell, Column, Document, Note, Table,
    json::meter_name,
    value::{Day, Known, Number, Price, Value, object, row},
    words,
};
use crate::domain::{
    catalog::{Catalog, Lookup, MeterInfo},
    ids::{Meter, Region, ServiceCode},
    tariff::{Rate, Tariff},
};

/// Which prices to show.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of which service.
    pub service: Option<ServiceCode>,
    /// In which region; prices that hold everywhere are shown with any.
    pub region: Option<Region>,
}

impl Filter {
    fn admits(&self, tariff: &Tariff) -> bool {
        self.service
            .as_ref()
            .is_none_or(|service| tariff.meter.service == *service)
            && self
                .region
                .as_ref()
                .is_none_or(|region| tariff.region == *region || tariff.region.as_str() == "any")
    }
}

object! {
    /// Prices of the catalogue, one row a tier.
    pub struct PricesAnswer = "pipebill.prices/1" {
        /// The prices.
        rows: Vec<PriceRow>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One price, or one tier of it.
    pub struct PriceRow {
        /// AWS's code of the service.
        service: String = file,
        /// Its name.
        service_name: String = shown("Service", 0),
        /// AWS's usage type.
        usage_type: String = shown("Usage type", 0),
        /// Its name.
        meter: String = file,
        /// The region; `any` for a price that holds everywhere.
        region: String = shown("Region", 1),
        /// The price of a unit; null if it is unknown or not offered, as `shape` says.
        price: Known<Price> = shown("Price", 0),
        /// The unit.
        unit: String = shown("Unit", 2),
        /// Up to how many units; null without an end.
        up_to: Option<Number> = shown("Up to", 3),
        /// flat, per unit, package, graduated, volume, unknown or not offered.
        shape: &'static str = file,
        /// What the price is in.
        currency: String = file,
        /// The first day it holds.
        from: Day = shown("From", 6),
        /// The first day it no longer holds; null if it still does.
        until: Option<Day> = file,
        /// The day it was stated.
        date: Option<Day> = shown("Stated", 5),
        /// high, medium or low.
        confidence: String = shown("Confidence", 4),
        /// AWS's SKU.
        sku: Option<String> = file,
        /// Its source.
        source: String = file,
        /// The file it is in.
        file: String = file,
        /// What else there is to say of it.
        note: Option<String> = file,
    }
}

/// Lists prices, one row a tier.
pub fn list(catalog: &Catalog, filter: &Filter, today: NaiveDate) -> Answer<'static> {
    let tariffs = || in_order(catalog).filter(|tariff| filter.admits(tariff));
    let rows: Vec<PriceRow> = tariffs().flat_map(|tariff| rows(catalog, tariff)).collect();
    let notes = without_price(catalog, filter, today);
    let document = Document {
        title: super::counted(tariffs().count() as u64, "price"),
        blocks: vec![Block::Table(Table::of(&rows)), Block::All(notes.clone())],
    };
    Answer::new(document, PricesAnswer { rows, notes })
}

/// Imported prices stand before the embedded ones, as they do when a bill is rated.
fn in_order(catalog: &Catalog) -> impl Iterator<Item = &Tariff> {
    let embedded = catalog.tariffs().map(|(_, tariffs)| tariffs);
    catalog
        .price_list
        .values()
        .chain(embedded)
        .flatten()
        .map(|tariff| &**tariff)
}

/// Says what has no price: what AWS does not sell there, and what is not known.
fn without_price(catalog: &Catalog, filter: &Filter, today: NaiveDate) -> Vec<Note> {
    let (mut unknown, mut notes) = (0, Vec::new());
    let priced: BTreeSet<&Meter> = catalog.tariffs().map(|((meter, _), _)| meter).collect();
    let any = Region::new("any");
    let mut known_nowhere: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    let services = catalog.services.values();
    for service in services.filter(|s| filter.service.as_ref().is_none_or(|only| s.code == *only)) {
        let mut whole: Vec<String> = Vec::new();
        let mut meters: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        // What no list has anywhere, and what stands for things that are not stated, is left out.
        let own = service.meters.iter();
        let all: Vec<_> = own.filter(|info| priced.contains(&info.meter)).collect();
        let (mut not_offered, mut listed) = (0, None);
        for (region, info) in &catalog.regions {
            if filter.region.as_ref().is_some_and(|only| only != region) {
                continue;
            }
            let is_unknown = |info: &&&MeterInfo| {
                catalog.listed(&info.meter, region, today).is_none()
                    && matches!(catalog.lookup(&info.meter, region, today), Lookup::Unknown)
            };
            let of_region: Vec<_> = all.iter().filter(is_unknown).collect();
            unknown += of_region.len();
            if of_region.len() == all.len() && info.partition == "aws-cn" {
                whole.push("China".to_owned());
            } else if of_region.len() == all.len() {
                whole.push(region.to_string());
            } else {
                for info in of_region {
                    let regions = meters.entry(&info.name).or_default();
                    regions.push(region.to_string());
                }
            }
            for info in &all {
                if let Some(day) = catalog.not_offered(&info.meter, region, today) {
                    not_offered += 1;
                    listed = Some(day);
                }
            }
        }
        whole.dedup();
        if !whole.is_empty() {
            known_nowhere
                .entry(whole)
                .or_default()
                .push(service.name.clone());
        }
        for (name, regions) in meters {
            let what = format!("{}: {name}", service.name);
            let mut of_name = all.iter().filter(|info| info.name == name);
            let everywhere = of_name.any(|info| !catalog.tariffs_of(&info.meter, &any).is_empty());
            let regions = if everywhere { Vec::new() } else { regions };
            known_nowhere.entry(regions).or_default().push(what);
        }
        if let (Some(region), Some(listed)) = (&filter.region, listed) {
            let of = (not_offered, all.len() as u64);
            notes.push(words::prices::not_offered(region, service, of, listed));
        }
    }
    if unknown > 0 {
        notes.push(words::prices::unknown(unknown as u64));
        let places = known_nowhere.iter();
        notes.extend(places.map(|(regions, what)| words::prices::unknown_in(regions, what)));
    }
    notes
}

object! {
    /// Availability by region.
    pub struct RegionsAnswer = "pipebill.regions/1" {
        /// The regions.
        rows: Vec<RegionRow>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One region.
    pub struct RegionRow {
        /// Its code.
        region: String = shown("Region", 0),
        /// Its name.
        name: String = shown("Name", 1),
        /// Its partition.
        partition: String = shown("Partition", 3),
        /// What AWS bills in there.
        currency: String = file,
        /// What is offered there.
        offers: Vec<Offer>,
    }
}

object! {
    /// How much of a family of compute types, or of a service, is offered.
    pub struct Offer {
        /// The family or service.
        family: &'static str,
        /// How many meters it has.
        meters: u64,
        /// How many of them are offered.
        offered: u64,
        /// Of how many nothing is known.
        unknown: u64,
    }
}

/// What a column of the table of regions is about.
struct Offered<'c> {
    title: &'static str,
    name: &'static str,
    meters: Vec<&'c Meter>,
}

/// Says what is sold where, for those whose rules tie them to a region.
pub fn regions(catalog: &Catalog, only: Option<&Region>, today: NaiveDate) -> Answer<'static> {
    let of_compute = |title, name, families: &[&str], mac: bool| Offered {
        title,
        name,
        meters: catalog
            .computes
            .iter()
            .filter(|compute| {
                let is_of = |family: &&str| compute.name.starts_with(family);
                families.iter().any(is_of)
                    && (compute.os == "macOS") == mac
                    && !compute.size.is_empty()
            })
            .map(|compute| &compute.meter)
            .collect(),
    };
    let of_service = |title, name, code: &str| Offered {
        title,
        name,
        meters: catalog
            .service(code)
            .into_iter()
            .flat_map(|service| &service.meters)
            .map(|info| &info.meter)
            .collect(),
    };
    let columns = [
        of_compute("Linux", "linux", &["general1."], false),
        of_compute("ARM", "arm", &["arm1."], false),
        of_compute("GPU", "gpu", &["gpu1."], false),
        of_compute("Windows", "windows", &["windows/general1."], false),
        of_compute("Lambda", "lambda", &["lambda."], false),
        of_compute(
            "Fleets",
            "fleets",
            &["reserved.", "windows/reserved."],
            false,
        ),
        of_compute("macOS", "macos", &["reserved."], true),
        of_compute("Sandbox", "sandbox", &["sandbox/"], false),
        of_service("CodePipeline", "codepipeline", "codepipeline"),
        of_service("CodeDeploy", "codedeploy", "codedeploy"),
        of_service("CodeArtifact", "codeartifact", "codeartifact"),
    ];
    let infos = catalog.regions.values();
    let infos = infos.filter(|info| only.is_none_or(|only| *only == info.id));
    let rows: Vec<RegionRow> = infos
        .map(|info| RegionRow {
            region: info.id.to_string(),
            name: info.name.clone(),
            partition: info.partition.clone(),
            currency: info.currency.to_string(),
            offers: columns
                .iter()
                .map(|column| offered(catalog, column, &info.id, today))
                .collect(),
        })
        .collect();
    let mut table = Table::of(&rows);
    let heads = columns.iter();
    table
        .columns
        .extend(heads.map(|column| Column::new(column.title, column.name, 2)));
    for (cells, row) in table.rows.iter_mut().zip(&rows) {
        cells.extend(row.offers.iter().map(Offer::cell));
    }
    let notes = vec![words::prices::of_regions()];
    let document = Document {
        title: "Availability by region".to_owned(),
        blocks: vec![Block::Table(table), Block::Notes(notes.clone())],
    };
    Answer::new(document, RegionsAnswer { rows, notes })
}

fn offered(catalog: &Catalog, of: &Offered<'_>, region: &Region, today: NaiveDate) -> Offer {
    let (mut sold, mut unknown) = (0, 0);
    for meter in &of.meters {
        let listed = catalog.listed(meter, region, today);
        let is_listed = listed.is_some_and(|tariff| tariff.rate != Rate::NotOffered);
        match catalog.lookup(meter, region, today) {
            _ if is_listed => sold += 1,
            Lookup::Found(_) if listed.is_none() => sold += 1,
            Lookup::Unknown if listed.is_none() => unknown += 1,
            _ => {}
        }
    }
    Offer {
        family: of.name,
        meters: of.meters.len() as u64,
        offered: sold,
        unknown,
    }
}

impl Offer {
    fn cell(&self) -> Cell {
        match (self.offered, self.unknown) {
            (0, 0) => Cell::text("-"),
            (sold, 0) if sold == self.meters => Cell::text("all"),
            (0, _) => Cell::Unknown("unknown".to_owned()),
            (sold, _) => Cell::text(format!("{sold} of {}", self.meters)),
        }
    }
}

object! {
    /// A price up to a number of units.
    pub struct TierPrice {
        /// The price of a unit; null if it is unknown or not offered.
        price: Known<Price>,
        /// Up to how many units; null without an end.
        up_to: Option<Number>,
    }
}

fn prices(rate: &Rate) -> Vec<TierPrice> {
    let tier = |price: Option<Decimal>, up_to: Option<Decimal>, why| TierPrice {
        price: Known::or(price.map(Price), why),
        up_to: up_to.map(Number),
    };
    match rate {
        Rate::Unknown => vec![tier(None, None, "unknown")],
        Rate::NotOffered => vec![tier(None, None, "not offered")],
        Rate::Flat(price) | Rate::PerUnit(price) => vec![tier(Some(*price), None, "")],
        Rate::Package { size, price } => vec![tier(Some(*price), Some(*size), "")],
        Rate::Graduated(tiers) | Rate::Volume(tiers) => tiers
            .iter()
            .map(|it| tier(it.unit_price, it.up_to, "unknown"))
            .collect(),
    }
}

/// Says a price in a line: its tiers in a row.
fn in_words(rate: &Rate) -> String {
    let tiers = prices(rate);
    let tier = |tier: &TierPrice| match tier.up_to.cell() {
        Cell::Empty => tier.price.cell().shown(),
        up_to => format!("{} up to {}", tier.price.cell().shown(), up_to.shown()),
    };
    tiers.iter().map(tier).collect::<Vec<_>>().join(", then ")
}

fn shape(rate: &Rate) -> &'static str {
    match rate {
        Rate::Unknown => "unknown",
        Rate::NotOffered => "not offered",
        Rate::Flat(_) => "flat",
        Rate::PerUnit(_) => "per unit",
        Rate::Package { .. } => "package",
        Rate::Graduated(_) => "graduated",
        Rate::Volume(_) => "volume",
    }
}

fn rows(catalog: &Catalog, tariff: &Tariff) -> Vec<PriceRow> {
    let source = &tariff.source;
    let optional = |text: &Option<std::sync::Arc<str>>| text.as_ref().map(ToString::to_string);
    let row = |tier: TierPrice| PriceRow {
        service: tariff.meter.service.to_string(),
        service_name: catalog.service_name(&tariff.meter.service).to_owned(),
        usage_type: tariff.meter.usage_type.to_string(),
        meter: meter_name(catalog, &tariff.meter),
        region: tariff.region.to_string(),
        price: tier.price,
        unit: tariff.unit.name().to_owned(),
        up_to: tier.up_to,
        shape: shape(&tariff.rate),
        currency: catalog.currency(&tariff.region).to_string(),
        from: Day(tariff.validity.from),
        until: tariff.validity.until.map(Day),
        date: source.date.map(Day),
        confidence: source.confidence.to_string(),
        sku: optional(&source.sku),
        source: source.title.to_string(),
        file: source.file.to_string(),
        note: optional(&source.note),
    };
    prices(&tariff.rate).into_iter().map(row).collect()
}
