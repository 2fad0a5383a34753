//! The catalogue as data: every file parses and obeys its own rules (the loader refuses overlaps,
//! gaps, closed last tiers, unknown units and unsourced prices), and says what its sources say.

use std::{collections::BTreeSet, path::Path};

use chrono::Datelike;
use pipebill::{
    domain::{
        catalog::{Grain, Lookup, ServiceKind},
        ids::{Meter, Region, ServiceCode},
        number::plain,
        tariff::Rate,
    },
    pricing,
};
use rust_decimal::Decimal;

use crate::support::{catalog, day, dec, files_under, read, shown};

fn is_data(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension == "toml" || extension == "csv")
}

#[test]
fn every_file_on_disk_is_in_the_embedded_catalogue() {
    let files = files_under("pricing");
    let texts: Vec<(String, String)> = files
        .iter()
        .filter(|path| is_data(path))
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
    let services = texts
        .iter()
        .filter(|(name, _)| name.ends_with("service.toml"))
        .count();
    assert_eq!(catalog().services.len(), services);
    let vendors = texts
        .iter()
        .filter(|(name, _)| name.ends_with("vendor.toml"))
        .count();
    assert_eq!(catalog().runners.vendors.len(), vendors);
}

#[test]
fn pricing_holds_data_and_one_readme() {
    for path in files_under("pricing") {
        let name = shown(&path);
        let known = is_data(&path) || name == "pricing/README.md";
        assert!(known, "{name} is neither data nor the README");
    }
}

#[test]
fn every_price_has_a_source_with_title_and_date() {
    let runners = catalog().runners.prices.iter();
    for tariff in catalog()
        .tariffs()
        .chain(runners)
        .flat_map(|(_, tariffs)| tariffs)
    {
        let (meter, region, source) = (&tariff.meter, &tariff.region, &tariff.source);
        let dates = source.date.iter().chain(&source.also);
        for year in dates.chain([&tariff.validity.from]).map(Datelike::year) {
            let known = (2015..2027).contains(&year);
            assert!(known, "{meter} in {region} is of {year}");
        }
        assert!(source.title.len() > 10, "{meter} in {region} has no title");
        let known = ["high", "medium-high", "medium", "low", "unknown"];
        assert!(
            known.contains(&&*source.confidence),
            "{meter} in {region}: {}",
            source.confidence
        );
        let doubtful = matches!(&*source.confidence, "medium" | "low" | "unknown");
        assert!(
            !doubtful || source.note.is_some(),
            "{meter} in {region}: {} without a reason",
            source.confidence
        );
        let newest = source.also.iter().all(|also| Some(*also) < source.date);
        assert!(newest, "{meter} in {region}: a newer source corroborates");
    }
}

#[test]
fn every_source_is_used() {
    for path in files_under("pricing") {
        if !path.ends_with("service.toml") && !path.ends_with("vendor.toml") {
            continue;
        }
        let (name, text) = (shown(&path), read(&path));
        let prices = read(&path.with_file_name("prices.csv"));
        let keys = text
            .lines()
            .filter_map(|line| line.strip_prefix("[source.")?.strip_suffix(']'));
        for key in keys {
            let named = prices.split([',', ' ', '\n']).any(|word| word == key);
            assert!(named, "{name}: no price names source {key}");
        }
    }
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
    for ((meter, region), tariffs) in catalog().tariffs() {
        for tariff in tariffs {
            let zero = match &tariff.rate {
                Rate::PerUnit(price) | Rate::Flat(price) | Rate::Package { price, .. } => {
                    price.is_zero()
                }
                Rate::Graduated(tiers) | Rate::Volume(tiers) => tiers
                    .iter()
                    .any(|tier| tier.unit_price == Some(Decimal::ZERO)),
                Rate::Unknown | Rate::NotOffered => false,
            };
            let free = FREE.contains(&(meter.service.as_str(), meter.usage_type.as_str()));
            assert!(!zero || free, "{meter} in {region} costs zero");
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
fn every_compute_type_has_a_meter_and_an_answer() {
    let mut spellings = BTreeSet::new();
    for compute in &catalog().computes {
        let name = &compute.name;
        let is_fleet = compute.grain == Grain::Provisioned;
        for spelling in compute.aliases.iter().chain([name]) {
            // The API spells machines of fleets as it spells those on demand.
            assert!(
                spellings.insert((is_fleet, spelling.to_lowercase())),
                "{spelling} twice"
            );
        }
        let found = catalog().compute(name).expect("a name it lists itself");
        assert_eq!(found.name, *name);
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
            matches!(answer, Lookup::Found(_)) != compute.size.is_empty(),
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
