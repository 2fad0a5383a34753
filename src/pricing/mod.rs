//! Reads `pricing/`: text files in, one [`Catalog`] out.
//!
//! Everything is checked here, once: numbers are exact, units known, validity without overlap,
//! tiers ascending and open at the end, every price sourced. What comes out can be trusted.

pub mod change;
mod files;
pub mod price_list;

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
        BaselineItem, Catalog, Compute, Grain, MeterInfo, RegionInfo, Rule, Service, ServiceKind,
    },
    ids::{Currency, Meter, Region, ServiceCode, UsageType},
    number::parse_quantity,
    quantity::Unit,
    tariff::{PriceSource, Rate, Tariff, Tier, Validity},
};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/pricing");

/// What is wrong in which file of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {problem}")]
pub struct CatalogError {
    /// The file, as `codebuild/rates/us-east-1.toml`.
    pub file: String,
    /// What is wrong, and at which entry.
    pub problem: String,
}

/// Reads the catalogue that is built into the program.
pub fn embedded() -> Result<Catalog, CatalogError> {
    let mut files = BTreeMap::new();
    collect_files(&EMBEDDED, &mut files);
    read(&files)
}

fn collect_files<'a>(dir: &'a Dir<'a>, files: &mut BTreeMap<String, &'a str>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let is_data = file
            .path()
            .extension()
            .is_some_and(|extension| extension == "toml");
        if let (true, Some(text)) = (is_data, file.contents_utf8()) {
            files.insert(path, text);
        }
    }
    for dir in dir.dirs() {
        collect_files(dir, files);
    }
}

/// Reads a catalogue from its files, by path relative to `pricing/`.
pub fn read(files: &BTreeMap<String, &str>) -> Result<Catalog, CatalogError> {
    let mut catalog = Catalog::default();
    let parse_regions = |text| {
        File {
            name: "regions.toml",
        }
        .parse::<files::Regions>(text)
    };
    let regions = files.get("regions.toml").ok_or_else(|| CatalogError {
        file: "regions.toml".to_owned(),
        problem: "is missing".to_owned(),
    })?;
    for entry in parse_regions(regions)?.region {
        let id = Region::new(&entry.id);
        let info = RegionInfo {
            id: id.clone(),
            prefix: entry.prefix,
            name: entry.name,
            partition: entry.partition,
            currency: Currency::new(entry.currency),
        };
        if catalog.regions.insert(id, info).is_some() {
            return File {
                name: "regions.toml",
            }
            .fail(format!("{} is listed twice", entry.id));
        }
    }
    let mut folders = BTreeMap::new();
    for (name, text) in files
        .iter()
        .filter(|(name, _)| name.ends_with("/service.toml"))
    {
        let code = read_service(&mut catalog, File { name }, text)?;
        folders.insert(name.trim_end_matches("service.toml"), code);
    }
    for (name, text) in files {
        let Some((folder, _)) = name.split_once("rates/") else {
            continue;
        };
        let file = File { name };
        let Some(service) = folders.get(folder) else {
            return file.fail("has no service.toml beside its folder".to_owned());
        };
        read_rates(&mut catalog, file, service, text)?;
    }
    if let Some(text) = files.get("security-baseline.toml") {
        read_baseline(
            &mut catalog,
            File {
                name: "security-baseline.toml",
            },
            text,
        )?;
    }
    Ok(catalog)
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
) -> Result<ServiceCode, CatalogError> {
    let entry: files::Service = file.parse(text)?;
    let code = ServiceCode::new(&entry.code);
    let meter_of = |usage_type: &str| Meter {
        service: code.clone(),
        usage_type: UsageType::new(usage_type),
    };
    let mut meters = Vec::new();
    let mut seen = BTreeSet::new();
    for meter in entry.meter {
        if !seen.insert(meter.usage_type.clone()) {
            return file.fail(format!("meter {} is listed twice", meter.usage_type));
        }
        meters.push(MeterInfo {
            unit: file.unit(&meter.usage_type, &meter.unit)?,
            meter: meter_of(&meter.usage_type),
            name: meter.name,
            aliases: meter.aliases,
        });
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
            source: Arc::from(entry.source),
            id: Arc::from(id),
        });
    }
    for entry in entry.compute {
        let number = |text: &Option<String>| {
            let read = |text: &String| file.decimal(&entry.name, text);
            text.as_ref().map(read).transpose()
        };
        let (memory, processors) = (number(&entry.memory_gb)?, number(&entry.vcpus)?);
        let size = [
            entry.memory_gb.map(|gb| format!("{gb} GB")),
            entry.vcpus.map(|n| format!("{n} vCPU")),
            entry.os,
        ];
        catalog.computes.push(Compute {
            meter: known(&entry.usage_type)?,
            grain: match entry.grain.as_str() {
                "minute" => Grain::Minute,
                "second" => Grain::Second,
                "provisioned" => Grain::Provisioned,
                other => return file.fail(format!("{}: grain `{other}` is not known", entry.name)),
            },
            minimum: match &entry.minimum {
                Some(minutes) => file.decimal(&entry.name, minutes)?,
                None => Decimal::ZERO,
            },
            size: size.into_iter().flatten().collect::<Vec<_>>().join(", "),
            memory,
            processors,
            name: entry.name,
            aliases: entry.aliases,
        });
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
    };
    match catalog.services.insert(code.clone(), service) {
        None => Ok(code),
        Some(_) => file.fail(format!("service {code} is described twice")),
    }
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

fn read_rates(
    catalog: &mut Catalog,
    file: File<'_>,
    service: &ServiceCode,
    text: &str,
) -> Result<(), CatalogError> {
    let entry: files::Rates = file.parse(text)?;
    let region = Region::new(&entry.region);
    if !file.name.ends_with(&format!("/{region}.toml")) {
        return file.fail(format!("is named for another region than {region}"));
    }
    if entry.region == "any" {
        if entry.partitions.is_empty() {
            return file.fail("prices for any region name the partitions they hold in".to_owned());
        }
        catalog
            .any_partitions
            .insert(service.clone(), entry.partitions);
    } else {
        match catalog.regions.get(&region) {
            None => return file.fail(format!("region {region} is not in regions.toml")),
            Some(info) if info.currency.as_str() != entry.currency => {
                return file.fail(format!("{region} is billed in {}", info.currency));
            }
            Some(_) => {}
        }
    }
    let mut sources = BTreeMap::new();
    for (key, source) in &entry.source {
        sources.insert(
            key.as_str(),
            (
                Arc::<str>::from(source.title()),
                file.day(key, &source.date)?,
            ),
        );
    }
    for rate in &entry.rate {
        let id = &rate.usage_type;
        let Some(info) = catalog
            .meter(service, id)
            .filter(|m| m.meter.usage_type.as_str() == id)
        else {
            return file.fail(format!("{id} is not a meter of {service}"));
        };
        let unit = file.unit(id, &rate.unit)?;
        if unit != info.unit {
            return file.fail(format!(
                "{id} is counted in {}, priced per {unit}",
                info.unit
            ));
        }
        let meter = info.meter.clone();
        if let Some(stray) = rate
            .also
            .iter()
            .find(|key| !sources.contains_key(key.as_str()))
        {
            return file.fail(format!("{id}: source `{stray}` is not described"));
        }
        let Some((title, date)) = sources.get(rate.source.as_str()) else {
            return file.fail(format!("{id}: source `{}` is not described", rate.source));
        };
        let tariff = Tariff {
            rate: read_rate(file, rate)?,
            unit,
            region: region.clone(),
            validity: Validity {
                from: file.day(id, &rate.from)?,
                until: rate
                    .until
                    .as_deref()
                    .map(|day| file.day(id, day))
                    .transpose()?,
            },
            source: PriceSource {
                title: title.clone(),
                date: Some(*date),
                confidence: Arc::from(rate.confidence.as_str()),
                file: Arc::from(format!("pricing/{}", file.name)),
                sku: rate.sku.as_deref().map(Arc::from),
                note: rate.note.as_deref().map(Arc::from),
            },
            meter: meter.clone(),
        };
        catalog
            .tariffs
            .entry((meter, region.clone()))
            .or_default()
            .push(Arc::new(tariff));
    }
    for ((meter, at), tariffs) in &mut catalog.tariffs {
        if *at == region && meter.service == *service {
            tariffs.sort_by_key(|tariff| tariff.validity.from);
            check_validity(file, meter, tariffs)?;
        }
    }
    Ok(())
}

/// A price follows the one before on the day that one ends: no day has two, none falls between.
fn check_validity(
    file: File<'_>,
    meter: &Meter,
    tariffs: &[Arc<Tariff>],
) -> Result<(), CatalogError> {
    for tariff in tariffs {
        if tariff
            .validity
            .until
            .is_some_and(|until| until <= tariff.validity.from)
        {
            return file.fail(format!("{meter}: a price ends before it begins"));
        }
    }
    for pair in tariffs.windows(2) {
        if pair[0].validity.until != Some(pair[1].validity.from) {
            return file.fail(format!(
                "{meter}: the price before {} does not end on that day",
                pair[1].validity.from
            ));
        }
    }
    Ok(())
}

fn read_rate(file: File<'_>, rate: &files::Rate) -> Result<Rate, CatalogError> {
    let id = &rate.usage_type;
    let per = rate
        .per
        .as_deref()
        .map_or(Ok(Decimal::ONE), |per| file.decimal(id, per))?;
    if per.is_zero() {
        return file.fail(format!("{id}: a price for no units"));
    }
    let per_unit = |text: &str| Ok::<_, CatalogError>((file.decimal(id, text)? / per).normalize());
    if let Some(tiers) = &rate.tiers {
        let tiers = read_tiers(file, id, tiers, per_unit)?;
        return match rate.shape.as_deref() {
            None | Some("graduated") => Ok(Rate::Graduated(tiers)),
            Some("volume") => Ok(Rate::Volume(tiers)),
            Some(other) => file.fail(format!("{id}: shape `{other}` has no tiers")),
        };
    }
    let Some(price) = rate.price.as_deref() else {
        return file.fail(format!("{id}: neither price nor tiers"));
    };
    match rate.shape.as_deref() {
        _ if price == "unknown" => Ok(Rate::Unknown),
        None => Ok(Rate::PerUnit(per_unit(price)?)),
        Some("flat") => Ok(Rate::Flat(file.decimal(id, price)?)),
        Some("package") => Ok(Rate::Package {
            size: per,
            price: file.decimal(id, price)?,
        }),
        Some(other) => file.fail(format!("{id}: shape `{other}` is not known")),
    }
}

fn read_tiers(
    file: File<'_>,
    id: &str,
    tiers: &[files::Tier],
    per_unit: impl Fn(&str) -> Result<Decimal, CatalogError>,
) -> Result<Vec<Tier>, CatalogError> {
    let mut read: Vec<Tier> = Vec::new();
    for tier in tiers {
        let up_to = tier
            .up_to
            .as_deref()
            .map(|up_to| file.decimal(id, up_to))
            .transpose()?;
        let floor = read.last().map_or(Some(Decimal::ZERO), |last| last.up_to);
        let ascends = match (floor, up_to) {
            (None, _) => false,
            (Some(floor), Some(up_to)) => up_to > floor,
            (Some(_), None) => true,
        };
        if !ascends {
            return file.fail(format!("{id}: tiers do not ascend"));
        }
        let unit_price = match tier.price.as_str() {
            "unknown" => None,
            price => Some(per_unit(price)?),
        };
        read.push(Tier { up_to, unit_price });
    }
    match read.last() {
        Some(Tier { up_to: None, .. }) => Ok(read),
        _ => file.fail(format!("{id}: the last tier has an end")),
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
