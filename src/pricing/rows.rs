//! Prices as rows of a table: one row a price, sorted, so that a change is a line.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{CatalogError, File};
use crate::domain::{
    catalog::{MeterInfo, Tariffs},
    ids::{Meter, Region},
    number::{parse_price, parse_quantity, plain},
    tariff::{PriceSource, Rate, Tariff, Tier, Validity},
};

/// The columns of `prices.csv`.
pub const COLUMNS: [&str; 10] = [
    "usage_type",
    "region",
    "price",
    "from",
    "until",
    "sku",
    "source",
    "also",
    "confidence",
    "note",
];

/// Where prices come from, by the key that rows name it with.
pub(super) type Sources = BTreeMap<String, (Arc<str>, NaiveDate)>;

/// Reads the prices of a service.
pub(super) fn read(
    file: File<'_>,
    text: &str,
    meters: &[MeterInfo],
    sources: &Sources,
) -> Result<Tariffs, CatalogError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    if reader.headers().ok() != Some(&csv::StringRecord::from(COLUMNS.to_vec())) {
        return file.fail(format!("line 1: the columns are {}", COLUMNS.join(",")));
    }
    let meters: BTreeMap<&str, &MeterInfo> = meters
        .iter()
        .map(|info| (info.meter.usage_type.as_str(), info))
        .collect();
    let mut shared = Shared::default();
    let path = Arc::from(format!("pricing/{}", file.name));
    let mut tariffs = Tariffs::new();
    let mut last: Option<(Meter, Region)> = None;
    let mut record = csv::StringRecord::new();
    while reader
        .read_record(&mut record)
        .or_else(|error| file.fail(error.to_string()))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        let at = |problem: String| CatalogError {
            file: file.name.to_owned(),
            problem: format!("line {line}: {problem}"),
        };
        let field = |column: usize| record.get(column).unwrap_or_default();
        let day = |text: &str| {
            let day = text.parse::<NaiveDate>();
            day.map_err(|_| at(format!("`{text}` is not a day")))
        };
        let Some(info) = meters.get(field(0)) else {
            return Err(at(format!("{} is not a meter of the service", field(0))));
        };
        let source = |key: &str| {
            let known = sources.get(key);
            known.ok_or_else(|| at(format!("source `{key}` is not described")))
        };
        let (title, date) = source(field(6))?;
        let also = field(7).split_ascii_whitespace();
        let also = also.map(source).collect::<Result<Vec<_>, _>>()?;
        let until = Some(field(4)).filter(|until| !until.is_empty());
        let note = match (field(9), &info.note) {
            ("", note) => note.clone(),
            (note, None) => Some(shared.text(note)),
            (note, Some(of_meter)) => Some(shared.text(&format!("{note} {of_meter}"))),
        };
        let key = (info.meter.clone(), shared.region(field(1)));
        if last.as_ref().is_some_and(|last| *last > key) {
            return Err(at("the rows are not sorted".to_owned()));
        }
        let tariff = Tariff {
            meter: info.meter.clone(),
            region: key.1.clone(),
            unit: info.unit,
            rate: parse_rate(field(2)).map_err(at)?,
            validity: Validity {
                from: day(field(3))?,
                until: until.map(day).transpose()?,
            },
            source: PriceSource {
                title: title.clone(),
                date: Some(*date),
                also: also.into_iter().map(|(_, date)| *date).collect(),
                confidence: shared.text(field(8)),
                file: Arc::clone(&path),
                sku: Some(field(5)).filter(|sku| !sku.is_empty()).map(Arc::from),
                note,
            },
        };
        let of_meter = tariffs.entry(key.clone()).or_default();
        if tariff
            .validity
            .until
            .is_some_and(|until| until <= tariff.validity.from)
        {
            return Err(at("the price ends before it begins".to_owned()));
        }
        // No day has two prices, none falls between two.
        if let Some(before) = of_meter.last()
            && before.validity.until != Some(tariff.validity.from)
        {
            return Err(at("the price before does not end on that day".to_owned()));
        }
        of_meter.push(Arc::new(tariff));
        last = Some(key);
    }
    Ok(tariffs)
}

/// Texts that many rows have in common, kept once.
#[derive(Default)]
struct Shared {
    texts: BTreeMap<String, Arc<str>>,
    regions: BTreeMap<String, Region>,
}

impl Shared {
    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(text);
        self.texts.insert(text.to_owned(), new.clone());
        new
    }

    fn region(&mut self, text: &str) -> Region {
        if let Some(known) = self.regions.get(text) {
            return known.clone();
        }
        let new = Region::new(text);
        self.regions.insert(text.to_owned(), new.clone());
        new
    }
}

/// Reads a price as rows write it: `0.005`, `unknown`, `not-offered`, tiers as
/// `51200:0.023;:0.022`, and rarer shapes by their name, as `flat 5`, `package 1000:0.5` or
/// `volume 10:1;:0.5`.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let price = |text: &str| parse_price(text).map_err(|error| error.to_string());
    match text.split_once(' ') {
        Some(("flat", amount)) => Ok(Rate::Flat(price(amount)?)),
        Some(("package", package)) => {
            let (size, amount) = package.split_once(':').unwrap_or(("", package));
            let size = parse_quantity(size).map_err(|error| error.to_string())?;
            if size.is_zero() {
                return Err("a price for no units".to_owned());
            }
            Ok(Rate::Package {
                size,
                price: price(amount)?,
            })
        }
        Some(("volume", tiers)) => Ok(Rate::Volume(parse_tiers(tiers)?)),
        Some((shape, _)) => Err(format!("`{shape}` is not a price shape")),
        None if text == "unknown" => Ok(Rate::Unknown),
        None if text == "not-offered" => Ok(Rate::NotOffered),
        None if text.contains(':') => Ok(Rate::Graduated(parse_tiers(text)?)),
        None => Ok(Rate::PerUnit(price(text)?)),
    }
}

fn parse_tiers(text: &str) -> Result<Vec<Tier>, String> {
    let mut tiers: Vec<Tier> = Vec::new();
    for tier in text.split(';') {
        let (up_to, price) = tier.split_once(':').unwrap_or(("", tier));
        let number = |text| parse_quantity(text).map_err(|error| error.to_string());
        let up_to = Some(up_to).filter(|up_to| !up_to.is_empty());
        let up_to = up_to.map(number).transpose()?;
        let floor = tiers.last().map_or(Some(Decimal::ZERO), |last| last.up_to);
        let ascends = match (floor, up_to) {
            (None, _) => false,
            (Some(floor), Some(up_to)) => up_to > floor,
            (Some(_), None) => true,
        };
        if !ascends {
            return Err("the tiers do not ascend".to_owned());
        }
        let unit_price = match price {
            "unknown" => None,
            price => Some(parse_price(price).map_err(|error| error.to_string())?),
        };
        tiers.push(Tier { up_to, unit_price });
    }
    match tiers.last() {
        Some(Tier { up_to: None, .. }) => Ok(tiers),
        _ => Err("the last tier has an end".to_owned()),
    }
}

/// Writes a price as [`parse_rate`] reads it.
pub fn rate_text(rate: &Rate) -> String {
    let tiers = |tiers: &[Tier]| {
        let tier = |tier: &Tier| {
            let up_to = tier.up_to.map(plain).unwrap_or_default();
            let price = tier.unit_price.map_or("unknown".to_owned(), plain);
            format!("{up_to}:{price}")
        };
        tiers.iter().map(tier).collect::<Vec<_>>().join(";")
    };
    match rate {
        Rate::Unknown => "unknown".to_owned(),
        Rate::NotOffered => "not-offered".to_owned(),
        Rate::PerUnit(price) => plain(*price),
        Rate::Flat(amount) => format!("flat {}", plain(*amount)),
        Rate::Package { size, price } => format!("package {}:{}", plain(*size), plain(*price)),
        Rate::Graduated(of) => tiers(of),
        Rate::Volume(of) => format!("volume {}", tiers(of)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_written_as_it_is_read() {
        for text in [
            "0.005",
            "0",
            "unknown",
            "not-offered",
            "51200:0.023;512000:0.022;:0.021",
            "100:0.5;:unknown",
            "flat 5",
            "package 1000:0.5",
            "volume 10:1;:0.5",
        ] {
            assert_eq!(
                parse_rate(text).map(|rate| rate_text(&rate)),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_price_says_why() {
        for text in [
            "",
            "-1",
            "free",
            "1e40",
            "10:1",
            "10:1;5:1;:1",
            ":1;10:1",
            "0:1;:1",
            "flat",
            "flat x",
            "package 0:5",
            "package 5",
            "steps 1:2;:3",
            "10:;:1",
        ] {
            assert!(parse_rate(text).is_err(), "{text}");
        }
    }
}
