//! Price lists that were brought in, kept beside the ledger: rows like those of `pricing/`.

use std::{path::Path, sync::Arc};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    price_list::{self, ListedPrice, PriceListError},
    rows::{parse_rate, rate_text},
};
use crate::{
    atomic_file,
    domain::{
        catalog::{Catalog, Tariffs},
        ids::{Meter, Region},
        tariff::{PriceSource, Tariff, Validity},
    },
};

/// A kept price.
#[derive(Serialize, Deserialize)]
struct Row {
    service: String,
    usage_type: String,
    region: String,
    price: String,
    from: NaiveDate,
    until: Option<NaiveDate>,
    sku: String,
    published: Option<NaiveDate>,
    source: String,
}

/// Reads the prices that were brought in before; none if there is no such file.
pub fn load(store: &Path, catalog: &Catalog) -> Result<Tariffs, PriceListError> {
    let broken = |problem: String| PriceListError::Store {
        file: store.display().to_string(),
        problem,
    };
    let text = match std::fs::read_to_string(store) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return load_json(&store.with_extension("json"), catalog);
        }
        Err(error) => return Err(broken(error.to_string())),
    };
    let mut tariffs = Tariffs::new();
    let source_file: Arc<str> = Arc::from(store.display().to_string());
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    for (at, row) in reader.deserialize::<Row>().enumerate() {
        let at = |problem: &str| broken(format!("line {}: {problem}", at + 2));
        let row = row.map_err(|_| at("it is not a row of prices"))?;
        let meter = Meter::new(&row.service, &row.usage_type);
        let Some(info) = catalog.meter(&meter.service, &row.usage_type) else {
            // A meter of another version of the program.
            continue;
        };
        let region = Region::new(&row.region);
        let tariff = Tariff {
            meter: meter.clone(),
            region: region.clone(),
            unit: info.unit,
            rate: parse_rate(&row.price).map_err(|problem| at(&problem))?,
            validity: Validity {
                from: row.from,
                until: row.until,
            },
            source: PriceSource {
                title: Arc::from(row.source),
                date: row.published,
                also: Vec::new(),
                confidence: Arc::from("high"),
                file: source_file.clone(),
                sku: Some(row.sku).filter(|sku| !sku.is_empty()).map(Arc::from),
                note: info.note.clone(),
            },
        };
        let of_meter = tariffs.entry((meter, region)).or_default();
        of_meter.push(Arc::new(tariff));
    }
    Ok(tariffs)
}

/// Reads the form that an earlier version kept them in.
fn load_json(store: &Path, catalog: &Catalog) -> Result<Tariffs, PriceListError> {
    let broken = || PriceListError::Store {
        file: store.display().to_string(),
        problem: "it is damaged".to_owned(),
    };
    match std::fs::read_to_string(store) {
        Ok(text) => {
            let prices: Vec<ListedPrice> = serde_json::from_str(&text).map_err(|_| broken())?;
            Ok(price_list::tariffs(&prices, catalog).0)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Tariffs::new()),
        Err(_) => Err(broken()),
    }
}

/// Keeps prices in place of all that were kept before.
pub fn save(store: &Path, tariffs: &Tariffs) -> Result<(), PriceListError> {
    let broken = |problem: String| PriceListError::Store {
        file: store.display().to_string(),
        problem,
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for tariff in tariffs.values().flatten() {
        let source = &tariff.source;
        let row = Row {
            service: tariff.meter.service.to_string(),
            usage_type: tariff.meter.usage_type.to_string(),
            region: tariff.region.to_string(),
            price: rate_text(&tariff.rate),
            from: tariff.validity.from,
            until: tariff.validity.until,
            sku: source.sku.as_deref().unwrap_or_default().to_owned(),
            published: source.date,
            source: source.title.to_string(),
        };
        writer
            .serialize(row)
            .map_err(|error| broken(error.to_string()))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| broken(error.to_string()))?;
    let text = String::from_utf8(bytes).expect("prices of ours are text");
    if let Some(folder) = store.parent() {
        std::fs::create_dir_all(folder).map_err(|error| broken(error.to_string()))?;
    }
    atomic_file::write(store, &text).map_err(|error| broken(error.to_string()))
}
