//! Names that a user types, resolved against the catalogue. Flags and `usage.toml` share them.

use std::{str::FromStr, sync::Arc};

use rust_decimal::Decimal;

use crate::{
    domain::{
        catalog::{Catalog, Compute, Vendor},
        ids::{Region, ServiceCode, UsageType},
        metering::codepipeline::ActionKind,
        number::{NumberError, parse_quantity},
        price_book::StatedPrice,
        scenario::{Change, Target},
    },
    unknown_name::UnknownName,
};

/// Finds a region by its code.
pub fn region(catalog: &Catalog, name: &str) -> Result<Region, UnknownName> {
    let id = Region::new(name.trim().to_lowercase());
    if catalog.regions.contains_key(&id) {
        return Ok(id);
    }
    Err(UnknownName::new(
        "region",
        name,
        catalog.regions.keys().map(Region::as_str),
    ))
}

/// Finds a compute type by name or API spelling.
pub fn compute(catalog: &Catalog, name: &str) -> Result<Compute, UnknownName> {
    let names = catalog.computes.iter().map(|compute| compute.name.as_str());
    let unknown = || UnknownName::new("compute type", name, names);
    catalog.compute(name.trim()).cloned().ok_or_else(unknown)
}

/// Finds where builds may move: a compute type, or a runner of another vendor.
pub fn target(catalog: &Catalog, name: &str) -> Result<Target, UnknownName> {
    if let Some(runner) = catalog.runners.named(name.trim()) {
        return Ok(Target::Elsewhere(runner.clone()));
    }
    let computes = catalog.computes.iter();
    let runners = catalog.runners.all.iter().map(|runner| &runner.compute);
    let names = computes.chain(runners).map(|to| to.name.as_str());
    let unknown = || UnknownName::new("compute type or runner", name, names);
    catalog
        .compute(name.trim())
        .map(|compute| Target::OnDemand(compute.clone()))
        .ok_or_else(unknown)
}

/// Returns the names of changes that state a vendor's plan: `github_plan`.
pub fn plan_names(catalog: &Catalog) -> Vec<String> {
    let vendors = catalog.runners.vendors.values();
    let with_plans = vendors.filter(|vendor| !vendor.plans.is_empty());
    with_plans
        .map(|vendor| format!("{}_plan", vendor.id))
        .collect()
}

/// Finds the vendor whose plan a change states.
pub fn vendor_of_plan<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c Vendor> {
    let id = name.strip_suffix("_plan")?;
    let mut vendors = catalog.runners.vendors.values();
    vendors.find(|vendor| *vendor.id == *id && !vendor.plans.is_empty())
}

/// Reads a vendor's plan, or `none`.
pub fn plan(vendor: &Vendor, name: &str) -> Result<Change, UnknownName> {
    let name = name.trim();
    let known = vendor.plans.iter().map(|plan| &plan.id);
    let plan = known.clone().find(|id| id.eq_ignore_ascii_case(name));
    if plan.is_none() && !name.eq_ignore_ascii_case("none") {
        let names = known.map(|id| &**id).chain(["none"]);
        return Err(UnknownName::new("plan", name, names));
    }
    Ok(Change::Plan {
        vendor: vendor.service.code.clone(),
        vendor_id: vendor.id.clone(),
        plan: plan.cloned(),
    })
}

/// What a stage may do: AWS's categories of actions, its name for the approval that people give, and
/// actions of an own worker. V2 bills the minutes of all but the last two.
const ACTIONS: [(&str, ActionKind); 8] = [
    ("source", ActionKind::Standard),
    ("build", ActionKind::Standard),
    ("test", ActionKind::Standard),
    ("deploy", ActionKind::Standard),
    ("invoke", ActionKind::Standard),
    ("compute", ActionKind::Standard),
    ("manual-approval", ActionKind::ManualApproval),
    ("custom", ActionKind::Custom),
];

/// Tells whether a stage is named after an approval: `approve`, `prod-approval`, `ManualApproval`.
pub fn says_approval(name: &str) -> bool {
    let mut words = String::new();
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_uppercase() && was_lower || !c.is_alphanumeric() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
        was_lower = c.is_lowercase();
    }
    words.split_whitespace().any(|word| {
        matches!(
            word.trim_matches(|c: char| !c.is_alphabetic()),
            "approve" | "approval" | "approvals"
        )
    })
}

/// Finds what a stage does by the name of its action.
pub fn action(name: &str) -> Result<ActionKind, String> {
    let asked = name.trim().to_lowercase();
    // AWS calls the category so, and its only provider manual.
    let asked = if asked == "approval" {
        "manual-approval"
    } else {
        &asked
    };
    let known = || ACTIONS.iter().map(|(known, _)| *known);
    if let Some((_, kind)) = ACTIONS.iter().find(|(known, _)| *known == asked) {
        return Ok(*kind);
    }
    let unknown = UnknownName::new("action", name, known());
    let mark = if unknown.nearest.is_some() { "" } else { ":" };
    let known = known().collect::<Vec<_>>().join(", ");
    Err(format!("{unknown}{mark} choose from {known}"))
}

/// Finds an allowance by id or alias, the included minutes of vendors' plans too; returns its id.
pub fn allowance(catalog: &Catalog, name: &str) -> Result<Arc<str>, UnknownName> {
    let plans = || catalog.runners.vendors.values().flat_map(|v| &v.plans);
    let included = || plans().map(|plan| &plan.included.id);
    let ids = catalog.allowances().map(|a| &a.id).chain(included());
    let unknown = || UnknownName::new("allowance", name, ids.map(|id| &**id));
    let of_plan = || included().find(|id| ***id == *name.trim());
    catalog
        .allowance(name.trim())
        .map(|allowance| &allowance.id)
        .or_else(of_plan)
        .cloned()
        .ok_or_else(unknown)
}

/// Finds a service by product code, name or alias.
pub fn service(catalog: &Catalog, name: &str) -> Result<ServiceCode, UnknownName> {
    let names = catalog
        .services
        .values()
        .flat_map(|s| [s.code.as_str(), s.name.as_str()]);
    let unknown = || UnknownName::new("service", name, names);
    catalog
        .service(name)
        .map(|service| service.code.clone())
        .ok_or_else(unknown)
}

/// Tells apart service and usage type in `AmazonS3:TimedStorage-ByteHrs`. Usage types have colons
/// of their own, so only a known service before the first one counts as such.
pub fn split_meter<'a>(catalog: &Catalog, text: &'a str) -> (Option<ServiceCode>, &'a str) {
    let service = text.split_once(':').and_then(|(name, rest)| {
        catalog
            .service(name)
            .map(|service| (Some(service.code.clone()), rest))
    });
    service.unwrap_or((None, text))
}

/// Reads the usage type that a stated price is for: with or without service and region prefix.
pub fn price(
    catalog: &Catalog,
    text: &str,
    unit_price: Decimal,
    origin: Arc<str>,
) -> Result<StatedPrice, UnknownName> {
    let (service, usage_type) = split_meter(catalog, text.trim());
    if usage_type.is_empty() {
        return Err(UnknownName::new("usage type", text, []));
    }
    let (region, bare) = catalog.split_prefix(usage_type);
    // An alias means the meter it stands for.
    let services: Vec<&ServiceCode> = match &service {
        Some(service) => vec![service],
        None => catalog.services.keys().collect(),
    };
    let known = services
        .iter()
        .find_map(|service| catalog.meter(service, bare));
    let usage_type = known.map_or_else(|| UsageType::new(bare), |m| m.meter.usage_type.clone());
    Ok(StatedPrice {
        service,
        region,
        usage_type,
        unit_price,
        origin,
    })
}

/// A percentage, written `5%`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Percent(pub Decimal);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{}` is not a percentage: write 5%", text.escape_debug());
        let number = text.trim().strip_suffix('%').ok_or_else(wrong)?;
        match parse_quantity(number) {
            Ok(percent) if percent <= Decimal::ONE_HUNDRED => Ok(Self(percent)),
            Ok(_) => Err(format!("`{text}` is more than the whole")),
            Err(NumberError::Negative(_)) => Err(format!("`{text}` would raise the price")),
            Err(_) => Err(wrong()),
        }
    }
}
