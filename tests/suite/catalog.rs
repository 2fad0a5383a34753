//! The catalogue as data: every file parses and obeys its own rules (the loader refuses overlaps,
//! gaps, closed last tiers, unknown units and unsourced prices), and says what its sources say.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use chrono::Datelike;
use pipebill::{
    domain::{
        catalog::{Grain, Lookup, ServiceKind},
        ids::{Meter, Region, ServiceCode},
        number::{parse_decimal, plain},
        tariff::Rate,
    },
    pricing,
};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::support::{catalog, day, dec, files_under, read, shown};

/// As much of a file of rates as its numbers and sources.
#[derive(Deserialize)]
struct Rates {
    region: String,
    source: BTreeMap<String, Source>,
    rate: Vec<RateEntry>,
}

#[derive(Deserialize)]
struct Source {
    title: String,
    date: String,
}

#[derive(Deserialize)]
struct RateEntry {
    usage_type: String,
    price: Option<String>,
    per: Option<String>,
    #[serde(default)]
    tiers: Vec<TierEntry>,
    from: String,
    source: String,
    confidence: String,
}

#[derive(Deserialize)]
struct TierEntry {
    price: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Every file of rates with its path and the service it is for.
fn rates() -> Vec<(String, ServiceCode, Rates)> {
    let files = files_under("pricing");
    files
        .iter()
        .filter(|path| path.components().any(|part| part.as_os_str() == "rates"))
        .map(|path| {
            let name = shown(path);
            let service = path.ancestors().nth(2).expect("a folder of a service");
            let code: Code = toml::from_str(&read(&service.join("service.toml")))
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let rates =
                toml::from_str(&read(path)).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, ServiceCode::new(code.code), rates)
        })
        .collect()
}

fn is_toml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "toml")
}

#[test]
fn every_file_on_disk_is_in_the_embedded_catalogue() {
    let files = files_under("pricing");
    let texts: Vec<(String, String)> = files
        .iter()
        .filter(|path| is_toml(path))
        .map(|path| {
            let name = shown(path);
            (name.trim_start_matches("pricing/").to_owned(), read(path))
        })
        .collect();
    let on_disk = texts
        .iter()
        .map(|(name, text)| (name.clone(), text.as_str()))
        .collect();
    let on_disk = pricing::read(&on_disk).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        format!("{on_disk:?}"),
        format!("{:?}", catalog()),
        "build again: pricing/ has changed"
    );
    let read_back: BTreeSet<String> = catalog()
        .tariffs
        .values()
        .flatten()
        .map(|tariff| tariff.source.file.to_string())
        .collect();
    let rate_files: BTreeSet<String> = rates().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(read_back, rate_files, "each file of rates gives a tariff");
    let services = texts
        .iter()
        .filter(|(name, _)| name.ends_with("service.toml"))
        .count();
    assert_eq!(catalog().services.len(), services);
}

#[test]
fn pricing_holds_data_and_one_readme() {
    for path in files_under("pricing") {
        let name = shown(&path);
        let known = is_toml(&path) || name == "pricing/README.md";
        assert!(known, "{name} is neither data nor the README");
    }
}

#[test]
fn every_rate_has_a_source_with_title_and_date() {
    for (file, _, rates) in rates() {
        for (key, source) in &rates.source {
            let year = day(&source.date).year();
            assert!((2015..2027).contains(&year), "{file}: {key} is of {year}");
            assert!(source.title.len() > 10, "{file}: {key} has no title");
        }
        for rate in &rates.rate {
            let year = day(&rate.from).year();
            assert!(
                (2015..2027).contains(&year),
                "{file}: {} is from {year}",
                rate.usage_type
            );
            assert!(
                rates.source.contains_key(&rate.source),
                "{file}: {}",
                rate.usage_type
            );
            let known = ["high", "medium-high", "medium", "low", "unknown"];
            assert!(
                known.contains(&&*rate.confidence),
                "{file}: {} is `{}`",
                rate.usage_type,
                rate.confidence
            );
        }
    }
}

#[test]
fn every_source_is_used() {
    for path in files_under("pricing") {
        let (name, text) = (shown(&path), read(&path));
        if !is_toml(&path) {
            continue;
        }
        let keys = text
            .lines()
            .filter_map(|line| line.strip_prefix("[source.")?.strip_suffix(']'));
        for key in keys {
            let uses = text.matches(&format!("\"{key}\"")).count();
            assert!(uses > 0, "{name}: no rate names source {key}");
        }
    }
}

#[test]
fn an_unknown_price_is_unknown_and_never_zero() {
    let mut unknown = 0;
    for (file, service, rates) in rates() {
        let region = Region::new(&rates.region);
        for rate in &rates.rate {
            let key = (
                Meter::new(service.as_str(), &rate.usage_type),
                region.clone(),
            );
            let tariffs = &catalog().tariffs[&key];
            let tariff = tariffs
                .iter()
                .find(|tariff| tariff.validity.from == day(&rate.from))
                .unwrap_or_else(|| panic!("{file}: {} is not read", rate.usage_type));
            let stated_unknown = rate.price.as_deref() == Some("unknown");
            unknown += usize::from(stated_unknown);
            assert_eq!(
                tariff.rate == Rate::Unknown,
                stated_unknown,
                "{file}: {}",
                rate.usage_type
            );
            if let Rate::Graduated(tiers) | Rate::Volume(tiers) = &tariff.rate {
                for (tier, entry) in tiers.iter().zip(&rate.tiers) {
                    assert_eq!(
                        tier.unit_price.is_none(),
                        entry.price == "unknown",
                        "{file}: {}",
                        rate.usage_type
                    );
                }
            }
        }
    }
    assert!(unknown > 20, "{unknown} unknown prices are left");
}

/// What costs nothing, with what says so. Anything else at zero is a slip.
const FREE: [(&str, &str); 4] = [
    ("AWSCodePipeline", "trialPipeline"), // price list: "$0.00 per trial pipeline"
    ("AWSCodeDeploy", "Deployments:EC2-Lambda-ECS"), // pricing page: no charge
    ("AWSEvents", "Event-64K-Chunks:AWSService"),
    ("AWSCodeConnections", "Connection"),
];

#[test]
fn only_what_is_free_costs_zero() {
    for ((meter, region), tariffs) in &catalog().tariffs {
        for tariff in tariffs {
            let zero = match &tariff.rate {
                Rate::PerUnit(price) | Rate::Flat(price) | Rate::Package { price, .. } => {
                    price.is_zero()
                }
                Rate::Graduated(tiers) | Rate::Volume(tiers) => tiers
                    .iter()
                    .any(|tier| tier.unit_price == Some(Decimal::ZERO)),
                Rate::Unknown => false,
            };
            let free = FREE.contains(&(meter.service.as_str(), meter.usage_type.as_str()));
            assert!(!zero || free, "{meter} in {region} costs zero");
        }
    }
}

#[test]
fn prices_per_many_units_divide_exactly() {
    for (file, service, rates) in rates() {
        for rate in &rates.rate {
            let key = (
                Meter::new(service.as_str(), &rate.usage_type),
                Region::new(&rates.region),
            );
            let tariffs = &catalog().tariffs[&key];
            let tariff = tariffs
                .iter()
                .find(|tariff| tariff.validity.from == day(&rate.from))
                .expect("the rate is read");
            let per = rate.per.as_deref().map_or(Decimal::ONE, dec);
            let exact = |unit_price: Decimal, text: &str| {
                let written = parse_decimal(text).expect("a price");
                assert_eq!(
                    plain(unit_price * per),
                    plain(written),
                    "{file}: {} at {text} per {per}",
                    rate.usage_type
                );
            };
            match (&tariff.rate, &rate.price) {
                (Rate::PerUnit(unit_price), Some(text)) => exact(*unit_price, text),
                (Rate::Graduated(tiers) | Rate::Volume(tiers), None) => {
                    for (tier, entry) in tiers.iter().zip(&rate.tiers) {
                        if let Some(unit_price) = tier.unit_price {
                            exact(unit_price, &entry.price);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

/// Copied by hand from the sources named beside each, apart from `pricing/`.
const SPOT_CHECKS: [(&str, &str, &str, &str); 22] = [
    // AWS Price List bulk API, us-east-1, as of 2026-10-01
    (
        "CodeBuild",
        "Build-Min:Linux:g1.small",
        "us-east-1",
        "0.005",
    ),
    (
        "AWSCodePipeline",
        "actionExecutionMinute",
        "us-east-1",
        "0.002",
    ),
    ("AmazonS3", "Requests-Tier1", "us-east-1", "0.000005"),
    ("AmazonS3", "Requests-Tier2", "us-east-1", "0.0000004"),
    (
        "AmazonCloudWatch",
        "DataProcessing-Bytes",
        "us-east-1",
        "0.5",
    ),
    ("AmazonECR", "TimedStorage-ByteHrs", "us-east-1", "0.1"),
    ("awskms", "KMS-Keys", "us-east-1", "1"),
    ("awskms", "KMS-Requests", "us-east-1", "0.000003"),
    // bill lines of August 2026: 10.3740 for 130 minutes, 3.6000 for 18
    (
        "CodeBuild",
        "Build-Min:Linux:g1.xlarge",
        "us-east-1",
        "0.0798",
    ),
    (
        "CodeBuild",
        "Build-Min:Linux:g1.2xlarge",
        "us-east-1",
        "0.2",
    ),
    // CodeBuild index.csv of us-east-1, 2026-09-28
    ("CodeBuild", "Build-Min:ARM:g1.small", "us-east-1", "0.0034"),
    // infracost golden file, us-east-1
    (
        "CodeBuild",
        "Build-Min:Windows:g1.large",
        "us-east-1",
        "0.036",
    ),
    // public comparison of Lambda compute, us-east-1
    (
        "CodeBuild",
        "Build-Sec:Linux:Lambda:x86-64.1GB",
        "us-east-1",
        "0.00002",
    ),
    // AWS Price List query API for us-east-2, 2026-05-11
    ("CodeBuild", "Build-Min:ARM:g1.2xlarge", "us-east-2", "0.09"),
    ("AWSCodeDeploy", "On-Premises-Instance", "us-east-2", "0.02"),
    (
        "AmazonGuardDuty",
        "PaidEventsAnalyzed",
        "us-east-2",
        "0.000004",
    ),
    // Tokyo pricing page, January 2026, and price list of 2026-09-11
    (
        "CodeBuild",
        "Build-Min:Linux:g1.xlarge",
        "ap-northeast-1",
        "0.1002",
    ),
    (
        "CodeBuild",
        "Build-Min:ARM:g1.small",
        "ap-northeast-1",
        "0.00425",
    ),
    (
        "CodeBuild",
        "Build-Min:ARM:g1.2xlarge",
        "ap-northeast-1",
        "0.12",
    ),
    // CodeCommit pricing page and price list, one price for all regions
    ("AWSCodeCommit", "User-Month", "global", "1"),
    ("AWSCodeCommit", "storage overage", "global", "0.06"),
    ("AWSCodeCommit", "git request overage", "global", "0.001"),
];

#[test]
fn prices_are_those_of_their_sources() {
    for (service, usage_type, region, price) in SPOT_CHECKS {
        let meter = Meter::new(service, usage_type);
        let answer = catalog().lookup(&meter, &Region::new(region), day("2026-11-15"));
        let Lookup::Found(tariff) = answer else {
            panic!("{meter} in {region}: {answer:?}")
        };
        assert_eq!(
            tariff.rate,
            Rate::PerUnit(dec(price)),
            "{meter} in {region}"
        );
    }
}

#[test]
fn each_of_the_four_services_has_rules_with_sources() {
    let code: Vec<_> = catalog()
        .services
        .values()
        .filter(|service| service.kind == ServiceKind::Code)
        .collect();
    let codes: Vec<&str> = code.iter().map(|service| service.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "AWSCodeCommit",
            "AWSCodeDeploy",
            "AWSCodePipeline",
            "CodeBuild"
        ]
    );
    for service in code {
        assert!(service.rules.len() >= 3, "{} has few rules", service.code);
        for rule in &service.rules {
            let said = [&rule.rule, &rule.rests_on, &rule.source, &rule.confidence];
            assert!(
                said.iter().all(|text| !text.is_empty()),
                "{}: {}",
                service.code,
                rule.id
            );
        }
    }
}

#[test]
fn every_meter_has_a_rate_somewhere() {
    for service in catalog().services.values() {
        for info in &service.meters {
            let listed = catalog()
                .tariffs
                .keys()
                .any(|(meter, _)| *meter == info.meter);
            assert!(
                listed,
                "{}: write price = \"unknown\" if there is none",
                info.meter
            );
        }
    }
}

#[test]
fn no_two_meters_of_a_service_share_a_spelling() {
    for service in catalog().services.values() {
        let mut seen = BTreeSet::new();
        for info in &service.meters {
            let spellings = info.aliases.iter().map(String::as_str);
            for spelling in spellings.chain([info.meter.usage_type.as_str()]) {
                assert!(seen.insert(spelling), "{}: {spelling} twice", service.code);
            }
        }
    }
}

#[test]
fn prefixes_of_usage_types_mean_the_regions_that_aws_means() {
    let service = ServiceCode::new("CodeBuild");
    for (prefix, region) in [
        ("EU", "eu-west-1"),
        ("EUW2", "eu-west-2"),
        ("EUW3", "eu-west-3"),
        ("EUC1", "eu-central-1"),
        ("APS1", "ap-southeast-1"),
        ("APS2", "ap-southeast-2"),
        ("APS3", "ap-south-1"),
        ("APN1", "ap-northeast-1"),
        ("USE1", "us-east-1"),
        ("USW2", "us-west-2"),
        ("UGW1", "us-gov-west-1"),
        ("eu-west-2", "eu-west-2"),
    ] {
        let usage_type = format!("{prefix}-Build-Min:Linux:g1.small");
        let (found, meter) = catalog().locate(&service, &usage_type, None);
        assert_eq!(found.as_str(), region, "{usage_type}");
        assert_eq!(meter.usage_type.as_str(), "Build-Min:Linux:g1.small");
    }
}

#[test]
fn a_usage_type_without_prefix_is_of_the_stated_region_else_of_us_east_1() {
    let deploy = ServiceCode::new("AWSCodeDeploy");
    let (region, meter) = catalog().locate(&deploy, "On-Premises-Instance", None);
    assert_eq!(
        (region.as_str(), meter.usage_type.as_str()),
        ("us-east-1", "On-Premises-Instance")
    );
    let london = Region::new("eu-west-2");
    let (region, _) = catalog().locate(&deploy, "On-Premises-Instance", Some(&london));
    assert_eq!(region, london);
    let (region, _) = catalog().locate(&deploy, "APS3-On-Premises-Instance", Some(&london));
    assert_eq!(
        region.as_str(),
        "ap-south-1",
        "the bill's own word comes first"
    );
}

#[test]
fn region_codes_and_global_are_prefixes_too() {
    let kms = ServiceCode::new("awskms");
    let (region, meter) = catalog().locate(&kms, "us-east-1-KMS-Keys", None);
    assert_eq!(
        (region.as_str(), meter.usage_type.as_str()),
        ("us-east-1", "KMS-Keys")
    );
    let pipeline = ServiceCode::new("AWSCodePipeline");
    for usage_type in ["activePipeline", "actionExecutionMinute"] {
        let (region, meter) = catalog().locate(&pipeline, &format!("Global-{usage_type}"), None);
        assert_eq!(region, Region::global());
        assert_eq!(meter.usage_type.as_str(), usage_type);
    }
    let commit = ServiceCode::new("AWSCodeCommit");
    let (region, _) = catalog().locate(&commit, "User-Month", Some(&Region::new("eu-west-2")));
    assert_eq!(region, Region::global(), "users count over all regions");
}

#[test]
fn every_prefix_belongs_to_one_region() {
    let mut seen = BTreeSet::new();
    for info in catalog().regions.values() {
        assert!(seen.insert(&info.prefix), "{} twice", info.prefix);
        let currency = if info.partition == "aws-cn" {
            "CNY"
        } else {
            "USD"
        };
        assert_eq!(info.currency.as_str(), currency, "{}", info.id);
    }
}

#[test]
fn every_compute_type_has_a_meter_and_a_price_or_an_explicit_unknown() {
    assert_eq!(catalog().computes.len(), 31);
    let mut spellings = BTreeSet::new();
    for compute in &catalog().computes {
        let name = &compute.name;
        for spelling in compute.aliases.iter().chain([name]) {
            assert!(
                spellings.insert(spelling.to_lowercase()),
                "{spelling} twice"
            );
            let found = catalog().compute(spelling).expect("a name it lists itself");
            assert_eq!(found.name, *name, "{spelling}");
        }
        let meter = catalog()
            .meter(&compute.meter.service, compute.meter.usage_type.as_str())
            .unwrap_or_else(|| panic!("{name} has no meter"));
        let unit = match compute.grain {
            Grain::Minute | Grain::Provisioned => "minute",
            Grain::Second => "second",
        };
        assert_eq!(meter.unit.name(), unit, "{name}");
        let answer = catalog().lookup(&compute.meter, &Region::new("us-east-1"), day("2026-11-15"));
        assert!(
            matches!(answer, Lookup::Found(_) | Lookup::Unknown),
            "{name} in us-east-1: {answer:?}"
        );
    }
}

#[test]
fn every_free_tier_is_the_one_that_aws_publishes() {
    for (id, grant) in [
        ("codebuild", "100"),             // build minutes, CodeBuild pricing page
        ("codebuild-lambda", "6000"),     // build seconds, CodeBuild pricing page
        ("codepipeline-v1", "1"),         // active pipeline, CodePipeline pricing page
        ("codepipeline-v2", "100"),       // action minutes, CodePipeline pricing page
        ("codecommit-users", "5"),        // CodeCommit pricing page
        ("codecommit-storage", "50"),     // GB-months, CodeCommit pricing page
        ("codecommit-requests", "10000"), // Git requests, CodeCommit pricing page
    ] {
        let allowance = catalog().allowance(id).unwrap_or_else(|| panic!("no {id}"));
        assert_eq!(plain(allowance.grant), grant, "{id}");
        assert!(
            !allowance.source.is_empty() && !allowance.meters.is_empty(),
            "{id}"
        );
    }
}
