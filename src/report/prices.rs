//! The catalogue for people: what it has, what it does not know, how old it is.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{Block, Cell, Column, Document, Table};
use crate::{
    domain::{
        catalog::{Catalog, Service},
        ids::{Region, ServiceCode},
        tariff::{Rate, Tariff},
    },
    pricing::price_list::PriceList,
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

/// Lists prices, one row a tier.
pub fn list(catalog: &Catalog, filter: &Filter) -> Document {
    let mut table = Table::new(vec![
        Column::in_files("service"),
        Column::shown("Service", 0),
        Column::new("Usage type", "usage_type", 0),
        Column::new("Region", "region", 1),
        Column::new("Price", "price", 0),
        Column::new("Unit", "unit", 2),
        Column::new("Up to", "up_to", 3),
        Column::in_files("shape"),
        Column::in_files("currency"),
        Column::new("From", "from", 6),
        Column::in_files("until"),
        Column::new("Stated", "date", 5),
        Column::new("Confidence", "confidence", 4),
        Column::in_files("sku"),
        Column::in_files("source"),
        Column::in_files("file"),
        Column::in_files("note"),
    ]);
    // Imported prices stand before the embedded ones, as they do when a bill is rated.
    let all = || {
        catalog
            .price_list
            .values()
            .chain(catalog.tariffs.values())
            .flatten()
    };
    let tariffs = || all().filter(|tariff| filter.admits(tariff));
    for tariff in tariffs() {
        for (price, up_to) in prices(&tariff.rate) {
            table.rows.push(row(catalog, tariff, price, up_to));
        }
    }
    let unknown = tariffs()
        .filter(|tariff| tariff.rate == Rate::Unknown)
        .count();
    let mut notes = Vec::new();
    if unknown > 0 {
        notes.push(format!(
            "{unknown} of {} are unknown: usage of them is shown unpriced, never free.",
            tariffs().count()
        ));
    }
    Document {
        schema: "pipebill.prices/1",
        title: format!("Prices, {} in all", tariffs().count()),
        facts: vec![],
        blocks: vec![Block::Table(table), Block::Notes(notes)],
    }
}

fn prices(rate: &Rate) -> Vec<(Cell, Cell)> {
    let unknown = || Cell::Unknown("unknown".to_owned());
    match rate {
        Rate::Unknown => vec![(unknown(), Cell::Empty)],
        Rate::Flat(price) | Rate::PerUnit(price) => vec![(Cell::Price(*price), Cell::Empty)],
        Rate::Package { size, price } => vec![(Cell::Price(*price), Cell::Number(*size))],
        Rate::Graduated(tiers) | Rate::Volume(tiers) => tiers
            .iter()
            .map(|tier| {
                let price = tier.unit_price.map_or_else(unknown, Cell::Price);
                (price, tier.up_to.map_or(Cell::Empty, Cell::Number))
            })
            .collect(),
    }
}

fn shape(rate: &Rate) -> &'static str {
    match rate {
        Rate::Unknown => "unknown",
        Rate::Flat(_) => "flat",
        Rate::PerUnit(_) => "per unit",
        Rate::Package { .. } => "package",
        Rate::Graduated(_) => "graduated",
        Rate::Volume(_) => "volume",
    }
}

fn row(catalog: &Catalog, tariff: &Tariff, price: Cell, up_to: Cell) -> Vec<Cell> {
    let source = &tariff.source;
    let optional = |text: &Option<std::sync::Arc<str>>| {
        text.as_ref()
            .map_or(Cell::Empty, |text| Cell::text(&**text))
    };
    vec![
        Cell::text(tariff.meter.service.as_str()),
        Cell::text(catalog.service_name(&tariff.meter.service)),
        Cell::text(tariff.meter.usage_type.as_str()),
        Cell::text(tariff.region.as_str()),
        price,
        Cell::text(tariff.unit.name()),
        up_to,
        Cell::text(shape(&tariff.rate)),
        Cell::text(catalog.currency(&tariff.region).as_str()),
        Cell::Day(tariff.validity.from),
        tariff.validity.until.map_or(Cell::Empty, Cell::Day),
        source.date.map_or(Cell::Empty, Cell::Day),
        Cell::text(&*source.confidence),
        optional(&source.sku),
        Cell::text(&*source.title),
        Cell::text(&*source.file),
        optional(&source.note),
    ]
}

/// Shows one meter: each price with everything known about it, the rules and what is free.
pub fn show(catalog: &Catalog, service: &Service, usage_type: Option<&str>) -> Document {
    let mut blocks = Vec::new();
    for info in &service.meters {
        if usage_type.is_some_and(|usage_type| info.meter.usage_type.as_str() != usage_type) {
            continue;
        }
        let mut lines = vec![format!("{}: {}", info.meter, info.name)];
        let all = catalog
            .price_list
            .values()
            .chain(catalog.tariffs.values())
            .flatten();
        for tariff in all.filter(|tariff| tariff.meter == info.meter) {
            lines.extend(price_lines(catalog, tariff));
        }
        if lines.len() == 1 {
            lines.push("  no price listed in any region".to_owned());
        }
        blocks.push(Block::Lines(lines));
    }
    let allowances = service.allowances.iter().filter(|allowance| {
        usage_type.is_none_or(|u| allowance.meters.iter().any(|m| m.usage_type.as_str() == u))
    });
    for allowance in allowances {
        blocks.push(Block::Lines(vec![
            format!(
                "Free: {} (--free-tier-used {}=…)",
                allowance.name, allowance.id
            ),
            format!("  source    {}", allowance.source),
        ]));
    }
    if usage_type.is_none() && !service.rules.is_empty() {
        blocks.push(Block::Heading("Rules".to_owned()));
        for rule in &service.rules {
            blocks.push(Block::Lines(vec![
                format!("{}: {}", rule.id, rule.rule),
                format!("  rests on  {}", rule.rests_on),
                format!(
                    "  source    {} (confidence {})",
                    rule.source, rule.confidence
                ),
            ]));
        }
    }
    let title = format!("{} ({})", service.name, service.code);
    Document {
        schema: "pipebill.price/1",
        title,
        facts: Vec::new(),
        blocks,
    }
}

fn price_lines(catalog: &Catalog, tariff: &Tariff) -> Vec<String> {
    let tiers = prices(&tariff.rate);
    let price: Vec<String> = tiers
        .iter()
        .map(|(price, up_to)| match up_to {
            Cell::Empty if tiers.len() > 1 => format!("then {}", price.shown()),
            Cell::Empty => price.shown(),
            up_to => format!("{} up to {}", price.shown(), up_to.shown()),
        })
        .collect();
    let until = tariff
        .validity
        .until
        .map_or(String::new(), |day| format!(" until {day}"));
    let currency = catalog.currency(&tariff.region);
    let mut lines = vec![format!(
        "  {}: {} {currency} per {}, from {}{until}",
        tariff.region,
        price.join(", "),
        tariff.unit,
        tariff.validity.from
    )];
    let date = tariff
        .source
        .date
        .map_or(String::new(), |day| format!(", {day}"));
    let source = &tariff.source;
    lines.push(format!(
        "    {} ({}{date}), confidence {}",
        source.title, source.file, source.confidence
    ));
    lines.extend(source.note.iter().map(|note| format!("    {note}")));
    lines
}

/// Days after which a price should be looked up again.
const OLD_DAYS: i64 = 90;

/// Says how old each file's prices are and what is unknown or uncertain. The flag tells whether
/// anything is older than it should be.
pub fn verify(catalog: &Catalog, today: NaiveDate) -> (Document, bool) {
    let mut table = Table::new(vec![
        Column::in_files("file"),
        Column::shown("Prices of", 0),
        Column::new("Prices", "prices", 0),
        Column::new("Unknown", "unknown", 1),
        Column::new("Uncertain", "uncertain", 2),
        Column::new("Oldest", "oldest", 3),
        Column::new("Age", "age_days", 0),
        Column::new("", "status", 0),
    ]);
    let mut files: BTreeMap<&str, Vec<&Tariff>> = BTreeMap::new();
    for tariff in catalog.tariffs.values().flatten() {
        files.entry(&tariff.source.file).or_default().push(tariff);
    }
    let mut any_old = false;
    for (file, tariffs) in files {
        let known = || tariffs.iter().filter(|tariff| tariff.rate != Rate::Unknown);
        let oldest = known().filter_map(|tariff| tariff.source.date).min();
        let age = oldest.map(|day| (today - day).num_days());
        let old = age.is_some_and(|age| age > OLD_DAYS);
        any_old |= old;
        let uncertain = known()
            .filter(|t| matches!(&*t.source.confidence, "low" | "medium"))
            .count();
        table.rows.push(vec![
            Cell::text(file),
            Cell::text(
                file.trim_start_matches("pricing/")
                    .trim_end_matches(".toml")
                    .replace("/rates/", ", "),
            ),
            count(tariffs.len()),
            count(tariffs.len() - known().count()),
            count(uncertain),
            oldest.map_or(Cell::Empty, Cell::Day),
            age.map_or(Cell::Empty, |age| Cell::Number(age.into())),
            Cell::text(if old { "old" } else { "" }),
        ]);
    }
    let mut notes = Vec::new();
    if any_old {
        notes.push(format!(
            "Old means stated more than {OLD_DAYS} days before {today}. AWS changes these prices \
             rarely; the ones your own bill shows always come first."
        ));
    }
    let title = format!("Age of the embedded prices on {today}");
    let blocks = vec![Block::Table(table), Block::Notes(notes)];
    (
        Document {
            schema: "pipebill.prices-age/1",
            title,
            facts: Vec::new(),
            blocks,
        },
        any_old,
    )
}

fn count(n: usize) -> Cell {
    Cell::Count(n as u64)
}

/// Says what price lists brought and what of them was left out.
pub fn imported(lists: &[PriceList], contradictions: &[String]) -> Document {
    let mut table = Table::new(vec![
        Column::new("Service", "service", 0),
        Column::new("Region", "region", 0),
        Column::new("Prices", "prices", 0),
    ]);
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for price in lists.iter().flat_map(|list| &list.prices) {
        *places.entry(price.place()).or_default() += 1;
    }
    for ((service, region), prices) in places {
        table
            .rows
            .push(vec![Cell::text(service), Cell::text(region), count(prices)]);
    }
    let mut notes = Vec::new();
    for list in lists {
        let left_out: Vec<String> = list
            .left_out
            .iter()
            .map(|(reason, rows)| format!("{rows} {reason}"))
            .collect();
        let left_out = if left_out.is_empty() {
            "none".to_owned()
        } else {
            left_out.join("; ")
        };
        notes.push(format!("{} rows read; left out: {left_out}.", list.rows));
    }
    let contradiction = |text: &String| format!("Left out, contradictory: {text}.");
    notes.extend(contradictions.iter().map(contradiction));
    Document {
        schema: "pipebill.prices-imported/1",
        title: "Prices imported".to_owned(),
        facts: Vec::new(),
        blocks: vec![Block::Table(table), Block::Notes(notes)],
    }
}

/// Says which prices changed.
#[cfg(feature = "aws")]
pub fn updated(updated: &crate::pricing::change::UpdatedPrices, catalog: &Catalog) -> Document {
    let mut table = Table::new(vec![
        Column::new("Service", "service", 1),
        Column::new("Usage type", "usage_type", 0),
        Column::new("Region", "region", 1),
        Column::new("Before", "before", 0),
        Column::new("Now", "after", 0),
    ]);
    for change in &updated.changes {
        let before = change.before.as_ref().map(price_cell);
        table.rows.push(vec![
            Cell::text(catalog.service_name(&change.meter.service)),
            Cell::text(change.meter.usage_type.as_str()),
            Cell::text(change.region.as_str()),
            before.unwrap_or_else(|| Cell::Unknown("not known".to_owned())),
            price_cell(&change.after),
        ]);
    }
    let prices: usize = updated.lists.iter().map(|list| list.prices.len()).sum();
    let mut notes = vec![format!(
        "{prices} prices read from {} lists: {} changed, {} as before.",
        updated.lists.len(),
        updated.changes.len(),
        updated.unchanged
    )];
    notes.extend(updated.notes.iter().cloned());
    Document {
        schema: "pipebill.prices-updated/1",
        title: "Prices updated".to_owned(),
        facts: Vec::new(),
        blocks: vec![Block::Table(table), Block::Notes(notes)],
    }
}

/// Shows a rate in one cell: its price, or its tiers in a row.
#[cfg(feature = "aws")]
fn price_cell(rate: &Rate) -> Cell {
    match &prices(rate)[..] {
        [(price, _)] => price.clone(),
        tiers => {
            let tier = |(price, up_to): &(Cell, Cell)| match up_to {
                Cell::Empty => price.shown(),
                up_to => format!("{} up to {}", price.shown(), up_to.shown()),
            };
            Cell::text(tiers.iter().map(tier).collect::<Vec<_>>().join(", then "))
        }
    }
}
