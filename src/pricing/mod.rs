//! Reads `pricing/`: text files in, one [`Catalog`] out.
//!
//! Everything is checked here, once: numbers are exact, units known, validity without overlap,
//! tiers ascending and open at the end, every price sourced. What comes out can be trusted.
//!
//! Rules, meters and what is free are read at once; the prices of a service when the first of them is
//! asked for.

mod bulk;
pub mod change;
mod files;
mod listed_price;
mod page;
pub mod price_list;
pub mod rows;
mod runners;
pub mod store;
mod tables;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::NaiveDate;
use include_dir::{Dir, include_dir};
use rust_decimal::Decimal;
use thiserror::Error;

use crate::domain::{
    allowance::{Allowance, Further, Scope},
    catalog::{
        BaselineItem, Catalog, ListInfo, ListedTier, MeterInfo, Prices, RegionInfo, Rule, Service,
        ServiceKind, UtilizationInfo,
    },
    ids::{Meter, Region, ServiceCode, UsageType},
    number::parse_quantity,
    quantity::Unit,
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/pricing");

/// What is wrong in which file of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {problem}")]
pub struct CatalogError {
    /// The file, as `codebuild/prices.csv`.
    pub file: String,
    /// What is wrong, and at which entry.
    pub problem: String,
}

/// Reads the catalogue that is built into the program.
pub fn embedded() -> Result<Catalog, CatalogError> {
    let mut files = BTreeMap::new();
    collect_files(&EMBEDDED, &mut files);
    let (mut catalog, tables) = read_but_prices(&files)?;
    for table in tables {
        let service = table.service.clone();
        let prices = Prices::later(move || table.read().expect("a test reads every file"));
        catalog.prices.insert(service, prices);
    }
    Ok(catalog)
}

fn collect_files(dir: &'static Dir<'static>, files: &mut BTreeMap<String, &'static str>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let extension = file.path().extension();
        let is_data = extension.is_some_and(|it| it == "toml" || it == "csv");
        if let (true, Some(text)) = (is_data, file.contents_utf8()) {
            files.insert(path, text);
        }
    }
    for dir in dir.dirs() {
        collect_files(dir, files);
    }
}

/// Reads a catalogue from its files, by path relative to `pricing/`, and every price in it.
pub fn read(files: &BTreeMap<String, &str>) -> Result<Catalog, CatalogError> {
    let (mut catalog, tables) = read_but_prices(files)?;
    for table in tables {
        let tariffs = table.read()?;
        for (_, region) in tariffs.keys() {
            if region.as_str() != "any" && !catalog.regions.contains_key(region) {
                let file = File { name: &table.name };
                return file.fail(format!("region {region} is not in regions.csv"));
            }
        }
        let prices = Prices::later(move || tariffs);
        catalog.prices.insert(table.service, prices);
    }
    Ok(catalog)
}

/// The prices of a service, not read yet.
struct Table<'a> {
    name: String,
    text: &'a str,
    service: ServiceCode,
    meters: Vec<MeterInfo>,
    sources: rows::Sources,
}

impl Table<'_> {
    fn read(&self) -> Result<crate::domain::catalog::Tariffs, CatalogError> {
        rows::read(
            File { name: &self.name },
            self.text,
            &self.meters,
            &self.sources,
        )
    }
}

/// Reads all but prices. Returns the catalogue and the prices to be read.
fn read_but_prices<'a>(
    files: &BTreeMap<String, &'a str>,
) -> Result<(Catalog, Vec<Table<'a>>), CatalogError> {
    let mut catalog = Catalog::default();
    let regions = File {
        name: "regions.csv",
    };
    match files.get(regions.name) {
        Some(text) => tables::read_regions(&mut catalog, regions, text)?,
        None => return regions.fail("is missing".to_owned()),
    }
    let mut tables = Vec::new();
    for (name, text) in files {
        let Some(folder) = name.strip_suffix("service.toml") else {
            continue;
        };
        let computes = files.get(&format!("{folder}compute.csv")).copied();
        let (service, sources) = read_service(&mut catalog, File { name }, text, computes)?;
        let prices = format!("{folder}prices.csv");
        let Some(text) = files.get(&prices) else {
            return File { name: &prices }.fail("is missing".to_owned());
        };
        tables.push(Table {
            name: prices,
            text,
            meters: catalog.services[&service].meters.clone(),
            service,
            sources,
        });
    }
    runners::read(&mut catalog, files)?;
    let baseline = File {
        name: "security-baseline.toml",
    };
    if let Some(text) = files.get(baseline.name) {
        read_baseline(&mut catalog, baseline, text)?;
    }
    Ok((catalog, tables))
}

/// A file being read: names itself in errors.
#[derive(Clone, Copy)]
struct File<'a> {
    name: &'a str,
}

impl File<'_> {
    fn fail<T>(self, problem: String) -> Result<T, CatalogError> {
        Err(CatalogError {
            file: self.name.to_owned(),
            problem,
        })
    }

    fn parse<T: serde::de::DeserializeOwned>(self, text: &str) -> Result<T, CatalogError> {
        toml::from_str(text).or_else(|error| self.fail(error.to_string().trim_end().to_owned()))
    }

    fn decimal(self, entry: &str, text: &str) -> Result<Decimal, CatalogError> {
        parse_quantity(text).or_else(|error| self.fail(format!("{entry}: {error}")))
    }

    fn unit(self, entry: &str, text: &str) -> Result<Unit, CatalogError> {
        let known = Unit::ALL.iter().find(|unit| unit.name() == text);
        known.copied().map_or_else(
            || self.fail(format!("{entry}: unit `{text}` is not known")),
            Ok,
        )
    }

    fn day(self, entry: &str, text: &str) -> Result<NaiveDate, CatalogError> {
        text.parse()
            .or_else(|_| self.fail(format!("{entry}: `{text}` is not a day")))
    }
}

fn read_service(
    catalog: &mut Catalog,
    file: File<'_>,
    text: &str,
    computes: Option<&str>,
) -> Result<(ServiceCode, rows::Sources), CatalogError> {
    let entry: files::Service = file.parse(text)?;
    let code = ServiceCode::new(&entry.code);
    let meter_of = |usage_type: &str| Meter {
        service: code.clone(),
        usage_type: UsageType::new(usage_type),
    };
    let mut meters = Vec::new();
    if let Some(text) = computes {
        for (compute, meter) in tables::read_computes(file, text, &code)? {
            catalog.computes.push(compute);
            meters.push(meter);
        }
    }
    for meter in &entry.meter {
        if meter.each_region {
            let regions = catalog.regions.values();
            for region in regions {
                meters.push(read_meter(file, meter, &code, Some(region))?);
            }
        } else {
            meters.push(read_meter(file, meter, &code, None)?);
        }
    }
    let mut seen = BTreeSet::new();
    for info in &meters {
        if !seen.insert(info.meter.usage_type.as_str().to_owned()) {
            return file.fail(format!("meter {} is listed twice", info.meter.usage_type));
        }
    }
    let known = |usage_type: &str| {
        if seen.contains(usage_type) {
            return Ok(meter_of(usage_type));
        }
        file.fail(format!("meter {usage_type} is not among the meters"))
    };
    let mut allowances = Vec::new();
    for entry in entry.allowance {
        let id = entry.id;
        let further = entry.further.map(|further| {
            Ok(Further {
                meter: known(&further.meter)?,
                beyond: file.decimal(&id, &further.beyond)?,
                each: file.decimal(&id, &further.each)?,
            })
        });
        allowances.push(Allowance {
            name: Arc::from(entry.name),
            aliases: entry.aliases,
            meters: entry
                .meters
                .iter()
                .map(|m| known(m))
                .collect::<Result<_, _>>()?,
            unit: file.unit(&id, &entry.unit)?,
            grant: file.decimal(&id, &entry.grant)?,
            further: further.transpose()?,
            scope: match entry.scope.as_str() {
                "payer" => Scope::Payer,
                "account" => Scope::Account,
                other => return file.fail(format!("{id}: scope `{other}` is not known")),
            },
            not_in: entry.not_in,
            source: Arc::from(entry.source),
            id: Arc::from(id),
        });
    }
    let list = match entry.list {
        None => None,
        Some(list) => Some(ListInfo {
            date: file.day("list", &list.date)?,
            page: list.page,
            silent: list.silent.iter().map(Region::new).collect(),
        }),
    };
    let utilization = match entry.utilization {
        None => None,
        Some(entry) => {
            let regions: BTreeSet<Region> = entry.regions.iter().map(Region::new).collect();
            let unknown = regions.iter().find(|at| !catalog.regions.contains_key(at));
            if let Some(region) = unknown {
                return file.fail(format!("region {region} is not in regions.csv"));
            }
            Some(UtilizationInfo {
                regions,
                source: entry.source,
            })
        }
    };
    let mut sources = rows::Sources::new();
    for (key, source) in entry.source {
        let day = file.day(&key, &source.date)?;
        sources.insert(key, (Arc::from(source.title), day));
    }
    let service = Service {
        code: code.clone(),
        name: entry.name,
        aliases: entry.aliases,
        kind: match entry.kind.as_str() {
            "code" => ServiceKind::Code,
            "adjacent" => ServiceKind::Adjacent,
            other => return file.fail(format!("kind `{other}` is not known")),
        },
        global: match entry.scope.as_str() {
            "global" => true,
            "regional" => false,
            other => return file.fail(format!("scope `{other}` is not known")),
        },
        rules: entry.rule.into_iter().map(rule).collect(),
        meters,
        allowances,
        list,
        utilization,
        any: entry.any,
    };
    match catalog.services.insert(code.clone(), service) {
        None => Ok((code, sources)),
        Some(_) => file.fail(format!("service {code} is described twice")),
    }
}

/// Reads a meter, or the one of many that names a region.
fn read_meter(
    file: File<'_>,
    entry: &files::MeterEntry,
    service: &ServiceCode,
    region: Option<&RegionInfo>,
) -> Result<MeterInfo, CatalogError> {
    let filled = |text: &str| match region {
        None => text.to_owned(),
        Some(region) => {
            let location = region.location.replace(['(', ')', '.'], "");
            text.replace("{prefix}", &region.prefix)
                .replace("{region}", region.id.as_str())
                .replace("{location}", &location)
        }
    };
    let listed = entry.listed.iter().map(|tier| {
        let up_to = tier.up_to.as_deref();
        let up_to = up_to.map(|up_to| file.decimal(&entry.usage_type, up_to));
        Ok(ListedTier {
            up_to: up_to.transpose()?,
            name: filled(&tier.name),
        })
    });
    Ok(MeterInfo {
        meter: Meter {
            service: service.clone(),
            usage_type: UsageType::new(filled(&entry.usage_type)),
        },
        name: filled(&entry.name),
        unit: file.unit(&entry.usage_type, &entry.unit)?,
        aliases: entry.aliases.clone(),
        note: entry.note.as_deref().map(Arc::from),
        listed: listed.collect::<Result<_, _>>()?,
    })
}

fn rule(entry: files::RuleEntry) -> Rule {
    Rule {
        id: entry.id,
        rule: entry.rule,
        rests_on: entry.rests_on,
        source: entry.source,
        confidence: entry.confidence,
    }
}

fn read_baseline(catalog: &mut Catalog, file: File<'_>, text: &str) -> Result<(), CatalogError> {
    for item in file.parse::<files::Baseline>(text)?.item {
        let service = ServiceCode::new(&item.service);
        let Some(info) = catalog.meter(&service, &item.usage_type) else {
            return file.fail(format!("{}: {} is not a meter", item.name, item.usage_type));
        };
        if info.unit != file.unit(&item.name, &item.unit)? {
            return file.fail(format!(
                "{}: {} is counted in {}",
                item.name, item.usage_type, info.unit
            ));
        }
        let amount = |text: &Option<String>| {
            text.as_deref()
                .map_or(Ok(Decimal::ZERO), |text| file.decimal(&item.name, text))
        };
        let read = BaselineItem {
            meter: info.meter.clone(),
            per_pipeline: amount(&item.per_pipeline)?,
            per_run: amount(&item.per_run)?,
            fixed: amount(&item.fixed)?,
            name: item.name,
            basis: item.basis,
        };
        catalog.baseline.push(read);
    }
    Ok(())
}
