//! Machines of other vendors: a folder of `pricing/runners/` for each.

use std::{collections::BTreeMap, sync::Arc};

use serde::Deserialize;

use super::{
    CatalogError, File,
    files::{RuleEntry, Source},
    rows,
};
use crate::domain::{
    allowance::{Allowance, Scope},
    catalog::{
        Catalog, Compute, Grain, MeterInfo, PublicRunner, Runner, Service, ServiceKind, Vendor,
        VendorPlan,
    },
    ids::{Meter, ServiceCode, UsageType},
    quantity::Unit,
};
use rust_decimal::Decimal;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VendorEntry {
    code: String,
    name: String,
    id: String,
    #[serde(rename = "licence")]
    _licence: String,
    rule: Vec<RuleEntry>,
    #[serde(default)]
    plan: Vec<PlanEntry>,
    included: Option<Included>,
    source: BTreeMap<String, Source>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanEntry {
    id: String,
    name: String,
    included: String,
    larger: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Included {
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunnerRow {
    name: String,
    usage_type: String,
    title: String,
    grain: String,
    limit: Option<u32>,
    vcpus: String,
    memory: String,
    disk: String,
    os: String,
    arch: String,
    docker: String,
    class: String,
    public_usage_type: String,
    public_vcpus: String,
    public_memory: String,
    aliases: String,
    note: String,
}

/// Reads every vendor, its machines and their prices.
pub(super) fn read(
    catalog: &mut Catalog,
    files: &BTreeMap<String, &str>,
) -> Result<(), CatalogError> {
    for (name, text) in files {
        if let Some(folder) = name.strip_suffix("vendor.toml") {
            read_vendor(catalog, File { name }, text, folder, files)?;
        }
    }
    Ok(())
}

fn read_vendor(
    catalog: &mut Catalog,
    file: File<'_>,
    text: &str,
    folder: &str,
    files: &BTreeMap<String, &str>,
) -> Result<(), CatalogError> {
    let entry: VendorEntry = file.parse(text)?;
    let code = ServiceCode::new(&entry.code);
    let beside = |name: &str| {
        let name = format!("{folder}{name}");
        match files.get(&name) {
            Some(text) => Ok((name, *text)),
            None => File { name: &name }.fail("is missing".to_owned()),
        }
    };
    let (runners_name, runners_text) = beside("runners.csv")?;
    let runners_file = File {
        name: &runners_name,
    };
    let mut meters = Vec::new();
    let mut drawing = Vec::new();
    for row in runners_file.rows::<RunnerRow>(runners_text)? {
        let runner = read_runner(runners_file, &row, &code)?;
        let note = Some(row.note.as_str()).filter(|note| !note.is_empty());
        let info = |meter: &Meter, name: String| MeterInfo {
            meter: meter.clone(),
            name,
            unit: unit_of(runner.compute.grain),
            aliases: Vec::new(),
            note: note.map(Arc::from),
            listed: Vec::new(),
        };
        meters.push(info(&runner.compute.meter, row.title.clone()));
        if let Some(public) = &runner.public {
            meters.push(info(&public.meter, format!("{}, public", row.title)));
        }
        if runner.is_standard {
            drawing.push(runner.compute.meter.clone());
        }
        catalog.runners.all.push(runner);
    }
    let (prices_name, prices_text) = beside("prices.csv")?;
    let mut sources = rows::Sources::new();
    for (key, source) in entry.source {
        let day = file.day(&key, &source.date)?;
        sources.insert(key, (Arc::from(source.title), day));
    }
    let prices_file = File { name: &prices_name };
    let tariffs = rows::read(prices_file, prices_text, &meters, &sources)?;
    catalog.runners.prices.extend(tariffs);
    let said_by = entry.included.map(|included| included.source);
    let mut plans = Vec::new();
    for plan in entry.plan {
        let Some(source) = &said_by else {
            return file.fail("plans need an [included] with its source".to_owned());
        };
        plans.push(VendorPlan {
            included: Allowance {
                id: Arc::from(format!("{}-{}", entry.id, plan.id)),
                aliases: Vec::new(),
                name: Arc::from(format!(
                    "{} minutes included in {}",
                    plan.included, plan.name
                )),
                meters: drawing.clone(),
                unit: Unit::Minute,
                grant: file.decimal(&plan.id, &plan.included)?,
                further: None,
                scope: Scope::Plan,
                not_in: Vec::new(),
                source: Arc::from(source.as_str()),
            },
            id: Arc::from(plan.id),
            name: plan.name,
            larger: plan.larger,
        });
    }
    let service = Service {
        code: code.clone(),
        name: entry.name,
        aliases: Vec::new(),
        kind: ServiceKind::Adjacent,
        global: true,
        rules: entry.rule.into_iter().map(super::rule).collect(),
        meters,
        allowances: Vec::new(),
        list: None,
        utilization: None,
        any: vec!["aws".to_owned(), "aws-us-gov".to_owned()],
    };
    let vendor = Vendor {
        id: Arc::from(entry.id),
        service,
        plans,
    };
    if catalog.services.contains_key(&code) {
        return file.fail(format!("{code} is a service of AWS"));
    }
    match catalog.runners.vendors.insert(code.clone(), vendor) {
        None => Ok(()),
        Some(_) => file.fail(format!("{code} is described twice")),
    }
}

fn read_runner(
    file: File<'_>,
    row: &RunnerRow,
    vendor: &ServiceCode,
) -> Result<Runner, CatalogError> {
    let number = |text: &str| match text.split(' ').next().unwrap_or_default() {
        "" => Ok(None),
        text => file.decimal(&row.name, text).map(Some),
    };
    let meter = |usage_type: &str| Meter {
        service: vendor.clone(),
        usage_type: UsageType::new(usage_type),
    };
    let grain = match row.grain.as_str() {
        "minute" => Grain::Minute,
        "second" => Grain::Second,
        other => return file.fail(format!("{}: grain `{other}` is not known", row.name)),
    };
    let is_standard = match row.class.as_str() {
        "standard" => true,
        "larger" => false,
        other => return file.fail(format!("{}: class `{other}` is not known", row.name)),
    };
    let docker = match row.docker.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        "unknown" => None,
        other => return file.fail(format!("{}: docker `{other}` is not known", row.name)),
    };
    let public = if row.public_usage_type.is_empty() {
        None
    } else {
        Some(PublicRunner {
            meter: meter(&row.public_usage_type),
            processors: number(&row.public_vcpus)?,
            memory: number(&row.public_memory)?,
        })
    };
    let processors = format!("{} vCPU", row.vcpus);
    Ok(Runner {
        compute: Compute {
            name: row.name.clone(),
            aliases: row.aliases.split_whitespace().map(str::to_owned).collect(),
            meter: meter(&row.usage_type),
            grain,
            minimum: Decimal::ZERO,
            size: [row.memory.as_str(), &processors, &row.os].join(", "),
            memory: number(&row.memory)?,
            processors: number(&row.vcpus)?,
            os: row.os.clone(),
            fleet: None,
        },
        arch: row.arch.clone(),
        disk: number(&row.disk)?,
        docker,
        longest: row.limit,
        is_standard,
        public,
    })
}

fn unit_of(grain: Grain) -> Unit {
    match grain {
        Grain::Second => Unit::Second,
        Grain::Minute | Grain::Provisioned => Unit::Minute,
    }
}
