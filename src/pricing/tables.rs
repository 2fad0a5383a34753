//! Regions and compute types: tables beside the prices.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::{Deserialize, de::DeserializeOwned};

use super::{CatalogError, File};
use crate::domain::{
    catalog::{Catalog, Compute, Grain, ListedTier, MeterInfo, RegionInfo},
    ids::{Currency, Meter, Region, ServiceCode, UsageType},
    quantity::Unit,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionRow {
    id: String,
    name: String,
    partition: String,
    currency: String,
    prefix: String,
    #[serde(rename = "prefix_confidence")]
    _prefix_confidence: String,
    location: String,
    opened: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComputeRow {
    name: String,
    usage_type: String,
    title: String,
    listed: String,
    grain: String,
    minimum: String,
    vcpus: String,
    memory: String,
    os: String,
    fleet: String,
    aliases: String,
    note: String,
}

impl File<'_> {
    pub(super) fn rows<T: DeserializeOwned>(self, text: &str) -> Result<Vec<T>, CatalogError> {
        csv::Reader::from_reader(text.as_bytes())
            .into_deserialize()
            .collect::<Result<_, _>>()
            .or_else(|error| self.fail(error.to_string()))
    }
}

/// Reads the regions.
pub(super) fn read_regions(
    catalog: &mut Catalog,
    file: File<'_>,
    text: &str,
) -> Result<(), CatalogError> {
    for row in file.rows::<RegionRow>(text)? {
        let id = Region::new(&row.id);
        let opened = Some(row.opened).filter(|day| !day.is_empty());
        let info = RegionInfo {
            id: id.clone(),
            prefix: row.prefix,
            location: if row.location.is_empty() {
                row.name.clone()
            } else {
                row.location
            },
            name: row.name,
            partition: row.partition,
            currency: Currency::new(row.currency),
            opened: opened.map(|day| file.day(&row.id, &day)).transpose()?,
        };
        if catalog.regions.insert(id, info).is_some() {
            return file.fail(format!("{} is listed twice", row.id));
        }
    }
    Ok(())
}

/// Reads compute types, each with a meter of its own.
pub(super) fn read_computes(
    file: File<'_>,
    text: &str,
    service: &ServiceCode,
) -> Result<Vec<(Compute, MeterInfo)>, CatalogError> {
    let read = |row: ComputeRow| {
        let number = |text: &str| match text {
            "" => Ok(None),
            text => file.decimal(&row.name, text).map(Some),
        };
        let grain = match row.grain.as_str() {
            "minute" => Grain::Minute,
            "second" => Grain::Second,
            "provisioned" => Grain::Provisioned,
            other => return file.fail(format!("{}: grain `{other}` is not known", row.name)),
        };
        let meter = Meter {
            service: service.clone(),
            usage_type: UsageType::new(&row.usage_type),
        };
        let processors = match row.vcpus.as_str() {
            "" => String::new(),
            n => format!("{n} vCPU"),
        };
        let size = [&row.memory, &processors, &row.os];
        let stated = size.into_iter().filter(|text| !text.is_empty());
        let info = MeterInfo {
            meter: meter.clone(),
            name: row.title,
            unit: match grain {
                Grain::Minute | Grain::Provisioned => Unit::Minute,
                Grain::Second => Unit::Second,
            },
            aliases: Vec::new(),
            note: Some(row.note)
                .filter(|note| !note.is_empty())
                .map(Arc::from),
            listed: if row.listed.is_empty() {
                Vec::new()
            } else {
                vec![ListedTier {
                    up_to: None,
                    name: row.listed,
                }]
            },
        };
        let compute = Compute {
            meter,
            grain,
            minimum: number(&row.minimum)?.unwrap_or(Decimal::ZERO),
            size: stated.cloned().collect::<Vec<_>>().join(", "),
            memory: number(row.memory.split(' ').next().unwrap_or_default())?,
            processors: number(&row.vcpus)?,
            aliases: row.aliases.split_whitespace().map(str::to_owned).collect(),
            os: row.os,
            fleet: Some(row.fleet).filter(|name| !name.is_empty()),
            name: row.name,
        };
        Ok((compute, info))
    };
    file.rows::<ComputeRow>(text)?
        .into_iter()
        .map(read)
        .collect()
}
