//! The catalogue for people: what it has, what it does not know, how old it is.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{Answer, Block, Cell, Column, Document, Table, json, uncoded, words};
use crate::{
    domain::{
        bill::OLD_DAYS,
        catalog::{Catalog, Lookup, MeterInfo, Service},
        ids::{Meter, Region, ServiceCode},
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
pub fn list(catalog: &Catalog, filter: &Filter, today: NaiveDate) -> Answer<'static> {
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
            .chain(catalog.tariffs().map(|(_, tariffs)| tariffs))
            .flatten()
    };
    let tariffs = || all().filter(|tariff| filter.admits(tariff));
    for tariff in tariffs() {
        for (price, up_to) in prices(&tariff.rate) {
            table.rows.push(row(catalog, tariff, price, up_to));
        }
    }
    let notes = without_price(catalog, filter, today);
    json::untyped(
        "pipebill.prices/1",
        vec![],
        Document {
            title: format!("Prices, {} in all", tariffs().count()),
            blocks: vec![Block::Table(table), Block::Notes(uncoded(notes))],
        },
    )
}

/// Says what has no price: what AWS does not sell there, and what is not known.
fn without_price(catalog: &Catalog, filter: &Filter, today: NaiveDate) -> Vec<String> {
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
            notes.push(format!(
                "Not offered in {region}: {not_offered} of {} meters of {} (AWS list of {listed}).",
                all.len(),
                service.name
            ));
        }
    }
    if unknown > 0 {
        notes.push(format!(
            "{unknown} prices are unknown, being in no list: usage of them is shown unpriced, never \
             free."
        ));
        for (regions, what) in known_nowhere {
            let place = if regions.is_empty() {
                "everywhere".to_owned()
            } else {
                format!("in {}", regions.join(", "))
            };
            notes.push(format!("Unknown {place}: {}.", what.join(", ")));
        }
    }
    notes
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
    let mut head = vec![
        Column::new("Region", "region", 0),
        Column::new("Name", "name", 1),
        Column::new("Partition", "partition", 3),
        Column::in_files("currency"),
    ];
    head.extend(
        columns
            .iter()
            .map(|column| Column::new(column.title, column.name, 2)),
    );
    let mut table = Table::new(head);
    for info in catalog.regions.values() {
        if only.is_some_and(|only| *only != info.id) {
            continue;
        }
        let mut row = vec![
            Cell::text(info.id.as_str()),
            Cell::text(&info.name),
            Cell::text(&info.partition),
            Cell::text(info.currency.as_str()),
        ];
        for column in &columns {
            row.push(offered(catalog, &column.meters, &info.id, today));
        }
        table.rows.push(row);
    }
    let notes = vec![
        "Columns up to Sandbox are families of CodeBuild. `-` is not offered by AWS's lists, \
         `3 of 5` some sizes; `pipebill prices list --region REGION` names them."
            .to_owned(),
    ];
    json::untyped(
        "pipebill.regions/1",
        Vec::new(),
        Document {
            title: "Availability by region".to_owned(),
            blocks: vec![Block::Table(table), Block::Notes(uncoded(notes))],
        },
    )
}

fn offered(catalog: &Catalog, meters: &[&Meter], region: &Region, today: NaiveDate) -> Cell {
    let (mut sold, mut unknown) = (0, 0);
    for meter in meters {
        let listed = catalog.listed(meter, region, today);
        let is_listed = listed.is_some_and(|tariff| tariff.rate != Rate::NotOffered);
        match catalog.lookup(meter, region, today) {
            _ if is_listed => sold += 1,
            Lookup::Found(_) if listed.is_none() => sold += 1,
            Lookup::Unknown if listed.is_none() => unknown += 1,
            _ => {}
        }
    }
    match (sold, unknown) {
        (0, 0) => Cell::text("-"),
        (_, 0) if sold == meters.len() => Cell::text("all"),
        (0, _) => Cell::Unknown("unknown".to_owned()),
        _ => Cell::text(format!("{sold} of {}", meters.len())),
    }
}

fn prices(rate: &Rate) -> Vec<(Cell, Cell)> {
    let unknown = || Cell::Unknown("unknown".to_owned());
    match rate {
        Rate::Unknown => vec![(unknown(), Cell::Empty)],
        Rate::NotOffered => vec![(Cell::Unknown("not offered".to_owned()), Cell::Empty)],
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
        Rate::NotOffered => "not offered",
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
pub fn show(catalog: &Catalog, service: &Service, usage_type: Option<&str>) -> Answer<'static> {
    let mut blocks = Vec::new();
    for info in &service.meters {
        if usage_type.is_some_and(|usage_type| info.meter.usage_type.as_str() != usage_type) {
            continue;
        }
        let mut lines = vec![format!("{}: {}", info.meter, info.name)];
        lines.extend(info.note.iter().map(|note| format!("  {note}")));
        let heading = lines.len();
        // Regions that have the same price from the same source stand together.
        let mut alike: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
        let all = catalog
            .price_list
            .values()
            .chain(catalog.tariffs().map(|(_, tariffs)| tariffs))
            .flatten();
        for tariff in all.filter(|tariff| tariff.meter == info.meter) {
            let price = price_lines(catalog, tariff, info.note.as_deref());
            let region = tariff.region.as_str();
            match alike.iter_mut().find(|(_, known)| *known == price) {
                Some((regions, _)) => regions.push(region),
                None => alike.push((vec![region], price)),
            }
        }
        for (regions, price) in alike {
            lines.push(format!("  {}: {}", regions.join(", "), price[0]));
            lines.extend_from_slice(&price[1..]);
        }
        if lines.len() == heading {
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
    json::untyped("pipebill.price/1", Vec::new(), Document { title, blocks })
}

fn price_lines(catalog: &Catalog, tariff: &Tariff, of_meter: Option<&str>) -> Vec<String> {
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
        "{} {currency} per {}, from {}{until}",
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
    let note = source.note.as_deref().unwrap_or_default();
    let own = note.strip_suffix(of_meter.unwrap_or_default());
    let note = own.unwrap_or(note).trim_end();
    if !note.is_empty() {
        lines.push(format!("    {note}"));
    }
    lines
}

/// Says how old the prices in use are, service by service, and what of them is uncertain. The flag
/// tells whether any is older than it should be.
pub fn verify(catalog: &Catalog, today: NaiveDate) -> (Answer<'static>, bool) {
    let mut table = Table::new(vec![
        Column::in_files("service"),
        Column::shown("Service", 0),
        Column::new("Prices", "prices", 0),
        Column::new("Uncertain", "uncertain", 2),
        Column::new("Oldest", "oldest", 1),
        Column::new("Newest", "newest", 3),
        Column::new("Age", "age_days", 0),
        Column::new("Older than a year", "old", 0),
    ]);
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
        table.rows.push(vec![
            Cell::text(service.code.as_str()),
            Cell::text(&service.name),
            count(in_use.len()),
            count(uncertain.count()),
            oldest.map_or(Cell::Empty, Cell::Day),
            dates().max().map_or(Cell::Empty, Cell::Day),
            oldest.map_or(Cell::Empty, |day| Cell::Number(age(day).into())),
            count(old),
        ]);
    }
    let mut notes = Vec::new();
    if any_old > 0 {
        notes.push(format!(
            "{any_old} prices in use were stated more than a year before {today}. AWS changes them \
             rarely; those your own bill shows always come first. Refresh: `pipebill prices update`."
        ));
    }
    let title = format!("Age of the prices in use on {today}, in days");
    let blocks = vec![Block::Table(table), Block::Notes(uncoded(notes))];
    (
        json::untyped(
            "pipebill.prices-age/2",
            Vec::new(),
            Document { title, blocks },
        ),
        any_old > 0,
    )
}

fn count(n: usize) -> Cell {
    Cell::Count(n as u64)
}

/// Says what price lists brought and what of them was left out.
pub fn imported(lists: &[PriceList], contradictions: &[String]) -> Answer<'static> {
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
    json::untyped(
        "pipebill.prices-imported/1",
        Vec::new(),
        Document {
            title: "Prices imported".to_owned(),
            blocks: vec![Block::Table(table), Block::Notes(uncoded(notes))],
        },
    )
}

/// Says which prices changed.
#[cfg(feature = "aws")]
pub fn updated(
    updated: &crate::pricing::change::UpdatedPrices,
    catalog: &Catalog,
) -> Answer<'static> {
    let mut table = Table::new(vec![
        Column::new("Service", "service", 1),
        Column::new("Usage type", "usage_type", 0),
        Column::new("Region", "region", 0),
        Column::new("Before", "before", 0),
        Column::new("Now", "after", 0),
        Column::new("Since", "since", 0),
    ]);
    for change in &updated.changes {
        let before = change.before.as_ref().map(price_cell);
        table.rows.push(vec![
            Cell::text(catalog.service_name(&change.meter.service)),
            Cell::text(change.meter.usage_type.as_str()),
            Cell::text(change.region.as_str()),
            before.unwrap_or_else(|| Cell::Unknown("not known".to_owned())),
            price_cell(&change.after),
            Cell::Day(change.since),
        ]);
    }
    let prices: usize = updated.lists.iter().map(|list| list.prices.len()).sum();
    let mut notes = vec![format!(
        "{prices} prices read from {} lists: {} changed, {} as before.",
        updated.lists.len(),
        updated.changes.len(),
        updated.unchanged
    )];
    notes.extend(
        updated
            .notes
            .iter()
            .map(|it| words::prices::update(it).text),
    );
    let contradictions = updated.contradictions.iter();
    notes.extend(contradictions.map(|what| format!("Ignored, contradictory: {what}.")));
    json::untyped(
        "pipebill.prices-updated/1",
        Vec::new(),
        Document {
            title: "Prices updated".to_owned(),
            blocks: vec![Block::Table(table), Block::Notes(uncoded(notes))],
        },
    )
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
