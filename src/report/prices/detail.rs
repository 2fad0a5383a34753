//! One meter in one region: its prices, day by day.

use super::{PriceRow, in_order, in_words, rows};
use crate::domain::{
    catalog::{Catalog, Service},
    tariff::Tariff,
};
use crate::report::{Answer, Block, Document, Table, value::object};

object! {
    /// A service, or one meter of it, with everything known of its prices.
    pub struct PriceAnswer = "pipebill.price/1" {
        /// AWS's code of the service.
        service: String,
        /// Its name.
        service_name: String,
        /// Its meters.
        meters: Vec<MeterPrices>,
        /// What is free.
        allowances: Vec<FreeUnits>,
        /// How AWS counts; not with a single meter.
        rules: Vec<Rule>,
    }
}

object! {
    /// A meter and its prices.
    pub struct MeterPrices {
        /// AWS's usage type.
        usage_type: String,
        /// Its name.
        meter: String,
        /// What else there is to say of it.
        note: Option<String>,
        /// Its prices, one row a tier.
        prices: Vec<PriceRow>,
    }
}

object! {
    /// Units that are free.
    pub struct FreeUnits {
        /// What `--free-tier-used` calls them.
        id: String,
        /// Their name.
        name: String,
        /// Who says so.
        source: String,
    }
}

object! {
    /// A rule by which AWS counts.
    pub struct Rule {
        /// Its name in the catalogue.
        id: String,
        /// What it says.
        rule: String,
        /// What it rests on.
        rests_on: String,
        /// Who says so.
        source: String,
        /// high, medium or low.
        confidence: String,
    }
}

/// Shows one meter: each price with everything known about it, the rules and what is free.
pub fn show(catalog: &Catalog, service: &Service, usage_type: Option<&str>) -> Answer<'static> {
    let (mut blocks, mut meters) = (Vec::new(), Vec::new());
    for info in &service.meters {
        if usage_type.is_some_and(|usage_type| info.meter.usage_type.as_str() != usage_type) {
            continue;
        }
        let mut lines = vec![format!("{}: {}", info.meter, info.name)];
        lines.extend(info.note.iter().map(|note| format!("  {note}")));
        let heading = lines.len();
        let mut of_meter = Vec::new();
        // Regions that have the same price from the same source stand together.
        let mut alike: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
        for tariff in in_order(catalog).filter(|tariff| tariff.meter == info.meter) {
            of_meter.extend(rows(catalog, tariff));
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
        meters.push(MeterPrices {
            usage_type: info.meter.usage_type.to_string(),
            meter: info.name.clone(),
            note: info.note.as_ref().map(ToString::to_string),
            prices: of_meter,
        });
    }
    let all: Vec<PriceRow> = meters.iter().flat_map(|it| it.prices.clone()).collect();
    blocks.push(Block::Table(Table::of(&all).for_files()));
    let mut allowances = Vec::new();
    for allowance in service.allowances.iter().filter(|allowance| {
        usage_type.is_none_or(|u| allowance.meters.iter().any(|m| m.usage_type.as_str() == u))
    }) {
        blocks.push(Block::Lines(vec![
            format!(
                "Free: {} (--free-tier-used {}=…)",
                allowance.name, allowance.id
            ),
            format!("  source    {}", allowance.source),
        ]));
        allowances.push(FreeUnits {
            id: allowance.id.to_string(),
            name: allowance.name.to_string(),
            source: allowance.source.to_string(),
        });
    }
    let mut rules = Vec::new();
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
            rules.push(Rule {
                id: rule.id.clone(),
                rule: rule.rule.clone(),
                rests_on: rule.rests_on.clone(),
                source: rule.source.clone(),
                confidence: rule.confidence.clone(),
            });
        }
    }
    let document = Document {
        title: format!("{} ({})", service.name, service.code),
        blocks,
    };
    let value = PriceAnswer {
        service: service.code.to_string(),
        service_name: service.name.clone(),
        meters,
        allowances,
        rules,
    };
    Answer::new(document, value)
}

pub(super) fn price_lines(
    catalog: &Catalog,
    tariff: &Tariff,
    of_meter: Option<&str>,
) -> Vec<String> {
    let price = in_words(&tariff.rate);
    let until = tariff
        .validity
        .until
        .map_or(String::new(), |day| format!(" until {day}"));
    let currency = catalog.currency(&tariff.region);
    let mut lines = vec![format!(
        "{} {currency} per {}, from {}{until}",
        price, tariff.unit, tariff.validity.from
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
