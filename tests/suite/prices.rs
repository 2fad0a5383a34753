//! Every price of `pricing/`: read here without the program's reader, and asked of the program.

use std::collections::{BTreeMap, BTreeSet};

use pipebill::domain::{
    allowance::FreeTier,
    catalog::Lookup,
    ids::{Meter, Region, ServiceCode},
    money::Money,
    period::Month,
    price_book::PriceBook,
    rating::{RatingOptions, rate},
};
use rust_decimal::Decimal;

use crate::support::{catalog, day, dec, files_under, read, usage};

/// A row of a table of prices, with the folder it is in.
struct Row {
    folder: String,
    cells: BTreeMap<String, String>,
}

impl Row {
    fn cell(&self, column: &str) -> &str {
        &self.cells[column]
    }

    /// The tiers of the price: where each ends, and what a unit costs in it.
    fn tiers(&self) -> Vec<(Option<Decimal>, Decimal)> {
        let tier = |tier: &str| match tier.split_once(':') {
            Some(("", price)) => (None, dec(price)),
            Some((end, price)) => (Some(dec(end)), dec(price)),
            None => (None, dec(tier)),
        };
        self.cell("price").split(';').map(tier).collect()
    }
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for path in files_under("pricing") {
        if !path.ends_with("prices.csv") {
            continue;
        }
        let folder = path.parent().and_then(|folder| folder.file_name()).unwrap();
        let text = read(&path);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header = reader.headers().unwrap().clone();
        for record in reader.records() {
            let record = record.unwrap();
            let cells = header.iter().zip(&record);
            rows.push(Row {
                folder: folder.to_string_lossy().into_owned(),
                cells: cells.map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
            });
        }
    }
    rows
}

/// What a quantity costs, without free tier.
fn cost(service: &ServiceCode, row: &Row, on: &str, quantity: Decimal) -> Option<Money> {
    let meter = Meter::new(service.as_str(), row.cell("usage_type"));
    let region = match row.cell("region") {
        "any" => "us-east-1",
        region => region,
    };
    let region = catalog().billing_region(service, &Region::new(region));
    let unit = catalog()
        .meter(service, row.cell("usage_type"))
        .unwrap()
        .unit;
    let used = usage(&meter, region.as_str(), day(on), quantity, unit);
    let options = RatingOptions {
        free_tier: FreeTier::None,
        ..RatingOptions::new(Month::of(day(on)))
    };
    let bill = rate(&[used], &PriceBook::new(catalog()), &options)
        .unwrap()
        .bill;
    bill.is_complete().then(|| bill.total())
}

#[test]
fn every_row_is_the_price_that_the_program_answers() {
    let mut asked = 0;
    for row in rows() {
        let service = &catalog().service(&row.folder).unwrap().code;
        let what = format!(
            "{} {} in {}",
            row.folder,
            row.cell("usage_type"),
            row.cell("region")
        );
        let on = match row.cell("until") {
            "" => "2026-11-15".to_owned(),
            _ => row.cell("from").to_owned(),
        };
        asked += 1;
        if row.cell("price") == "unknown" {
            assert_eq!(cost(service, &row, &on, Decimal::ONE), None, "{what}");
            continue;
        }
        let (mut floor, mut whole) = (Decimal::ZERO, Decimal::ZERO);
        for (end, price) in row.tiers() {
            let within = end.unwrap_or(floor + Decimal::from(7));
            whole += (within - floor) * price;
            let total = cost(service, &row, &on, within);
            assert_eq!(total, Some(Money::new(whole)), "{what} up to {within}");
            floor = within;
        }
    }
    // 2,860 prices of AWS's lists, 35 x 34 pairs of regions with their 35 sums, and five by hand.
    assert_eq!(asked, 2_860 + 35 * 34 + 35 + 5);
}

/// The prices of AWS's pricing page files by family: how many, and their sum. Added up apart from
/// this program over the copies of QuinnyPig/aws-price-watcher@fed5321 and @a6645eb and
/// lamngockhuong/aws-price@508fb45, 2025-04-22 to 2025-11-04.
const CODEBUILD: [(&str, usize, &str); 10] = [
    ("Docker:Linux:", 300, "0.11165"),
    ("Build-Min:(Linux|ARM|LinuxGPU):", 289, "19.32245"),
    ("Build-Min:Windows:", 32, "4.616"),
    ("Build-Sec:Linux:Lambda:", 100, "0.0075"),
    // Fleets by size and by attributes.
    ("Reserved:Linux:", 112 + 228, "17.99944"),
    ("Reserved:Windows:", 20 + 77, "7.2082"),
    ("Reserved:Mac:", 9 + 9, "0.524"),
    ("Sandbox:Linux:", 290, "1.71077"),
    ("Sandbox:Windows:", 32, "0.02849"),
    ("Reserved-EC2", 0, "0"),
];

/// The same of the services around it; of tiers each price counts.
const ADJACENT: [(&str, &str, usize, &str); 41] = [
    ("athena", "DataScannedInTB", 35, "198.85"),
    ("cloudtrail", "DataEventsRecorded", 36, "0.000036"),
    ("cloudtrail", "PaidEventsRecorded", 36, "0.00072"),
    ("cloudwatch", "CW:AlarmMonitorUsage", 36, "3.695"),
    ("cloudwatch", "CW:GMD-Metrics", 36, "0.00037"),
    ("cloudwatch", "CW:MetricMonitorUsage", 36, "16.92"),
    ("cloudwatch", "DataProcessing-Bytes", 36, "22.415"),
    ("cloudwatch", "TimedStorage-ByteHrs", 36, "1.1512"),
    ("codeartifact", "Requests", 13, "0.0000785"),
    ("codeartifact", "TimedStorage-ByteHrs", 13, "0.695"),
    ("codecommit", "User-Month", 1, "1"),
    ("codedeploy", "On-Premises-Instance", 31, "0.62"),
    ("codepipeline", "actionExecutionMinute", 30, "0.06"),
    ("codepipeline", "activePipeline", 30, "30"),
    ("codepipeline", "trialPipeline", 30, "0"),
    ("config", "ConfigRuleEvaluations", 36, "0.08372"),
    ("config", "ConfigurationItemRecorded", 36, "0.1092"),
    ("config", "ConfigurationItemRecordedDaily", 35, "0.42"),
    ("costexplorer", "APIRequest", 1, "0.01"),
    ("datatransfer", "DataTransfer-Out-Bytes", 35, "12.27305"),
    ("ec2", "NatGateway-Bytes", 36, "1.9595"),
    ("ec2", "NatGateway-Hours", 36, "1.9595"),
    ("ecr", "TimedStorage-ByteHrs", 35, "3.5"),
    ("eventbridge", "Event-64K-Chunks", 35, "0.0000355"),
    ("guardduty", "PaidEventsAnalyzed", 35, "0.000162258"),
    ("guardduty", "PaidS3DataEventsAnalyzed", 35, "0.000060497"),
    ("kms", "KMS-Keys", 36, "36"),
    ("kms", "KMS-Requests", 36, "0.00011"),
    ("lambda", "Lambda-GB-Second", 36, "0.0016785714"),
    ("lambda", "Lambda-GB-Second-ARM", 36, "0.0013428791"),
    ("lambda", "Request", 36, "0.00000747"),
    ("lambda", "Request-ARM", 36, "0.00000747"),
    ("s3", "Requests-Tier1", 36, "0.000187155"),
    ("s3", "Requests-Tier2", 36, "0.000014805"),
    ("s3", "TimedStorage-ByteHrs", 36, "2.66345"),
    ("secretsmanager", "AWSSecretsManager-Secrets", 35, "14"),
    (
        "secretsmanager",
        "AWSSecretsManagerAPIRequest",
        35,
        "0.000175",
    ),
    ("sns", "Emails", 36, "0.0007498"),
    ("sns", "Requests", 36, "0.000018445"),
    ("sqs", "Requests", 35, "0.000036936"),
    ("stepfunctions", "StateTransition", 35, "0.0009257"),
];

fn sum<'r>(rows: impl Iterator<Item = &'r Row>) -> (usize, String) {
    let (mut count, mut sum) = (0, Decimal::ZERO);
    for row in rows.filter(|row| row.cell("price") != "unknown") {
        count += 1;
        sum += row.tiers().iter().map(|(_, price)| price).sum::<Decimal>();
    }
    (count, sum.normalize().to_string())
}

#[test]
fn the_prices_are_those_of_aws_lists() {
    let rows = rows();
    for (family, count, expected) in CODEBUILD {
        let prefixes: Vec<String> = match family.split_once('(') {
            None => vec![family.to_owned()],
            Some((head, rest)) => {
                let kinds = rest.trim_end_matches("):").split('|');
                kinds.map(|kind| format!("{head}{kind}:")).collect()
            }
        };
        let of_family = rows.iter().filter(|row| {
            let usage_type = row.cell("usage_type");
            row.folder == "codebuild" && prefixes.iter().any(|p| usage_type.starts_with(p))
        });
        assert_eq!(sum(of_family), (count, expected.to_owned()), "{family}");
    }
    for (folder, usage_type, count, expected) in ADJACENT {
        let of_meter = rows
            .iter()
            .filter(|row| row.folder == folder && row.cell("usage_type") == usage_type);
        assert_eq!(sum(of_meter), (count, expected.to_owned()), "{usage_type}");
    }
    let vpc = rows.iter().filter(|row| row.folder == "vpc");
    assert_eq!(sum(vpc), (36, "0.18".to_owned()));
}

#[test]
fn data_between_regions_has_the_price_of_its_pair() {
    // QuinnyPig/aws-price-watcher@a6645eb processed/datatransfer.json, by "To Location".
    let service = ServiceCode::new("AWSDataTransfer");
    for (usage_type, price) in [
        ("USE1-USE2-AWS-Out-Bytes", "0.01"),
        ("USE1-USW2-AWS-Out-Bytes", "0.02"),
        ("USE1-ap-southeast-7-AWS-Out-Bytes", "0.08"),
        ("EUW2-USE1-AWS-Out-Bytes", "0.02"),
        ("EUW2-CAN2-AWS-Out-Bytes", "0.05"),
        ("CAN2-EU-AWS-Out-Bytes", "0.05"),
        ("CAN2-MES1-AWS-Out-Bytes", "0.14"),
        ("AFS1-EU-AWS-Out-Bytes", "0.147"),
        ("SAE1-USE1-AWS-Out-Bytes", "0.138"),
        ("UGW1-UGE1-AWS-Out-Bytes", "0.03"),
    ] {
        let (region, meter) = catalog().locate(&service, usage_type, None);
        let answer = catalog().lookup(&meter, &region, day("2026-11-15"));
        let Lookup::Found(tariff) = answer else {
            panic!("{usage_type}: {answer:?}")
        };
        assert_eq!(
            tariff.rate,
            pipebill::domain::tariff::Rate::PerUnit(dec(price)),
            "{usage_type}"
        );
    }
}

/// Where AWS's lists say nothing of a service: regions that opened after the list, and those that
/// it leaves out though the service may be there.
fn silent(service: &str) -> BTreeSet<&'static str> {
    let newest = "ap-southeast-6";
    let of_2025 = ["ap-east-2", "ap-southeast-7", "mx-central-1", newest];
    match service {
        "CodeBuild" => ["ap-east-2", "ap-southeast-5", "ca-west-1", "mx-central-1"].into(),
        "AWSCodePipeline" => [
            "ap-east-2",
            "ap-southeast-5",
            newest,
            "ap-southeast-7",
            "ca-west-1",
            "mx-central-1",
        ]
        .into(),
        // Lists of August 2024.
        "AWSCodeDeploy" => {
            let mut all: BTreeSet<_> = of_2025.into();
            all.insert("ap-southeast-5");
            all
        }
        "AWSCodeArtifact" => of_2025.into(),
        // Lists of June 2025; the region opened on 2025-09-01.
        "AmazonAthena" | "AWSDataTransfer" | "AmazonECR" | "AWSEvents" | "AWSSecretsManager"
        | "AWSQueueService" | "AmazonStates" => [newest].into(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn what_is_unknown_is_what_no_list_has() {
    for service in catalog().services.values() {
        for info in &service.meters {
            for (region, about) in &catalog().regions {
                let answer = catalog().lookup(&info.meter, region, day("2026-11-15"));
                let usage_type = info.meter.usage_type.as_str();
                // No list has a price of these anywhere, or they stand for what is not stated.
                let nowhere = [
                    "Connections",
                    "Reserved-EC2-Custom",
                    "Reserved-EC2",
                    "Sandbox",
                    "OnDemand-Docker",
                    "ap-southeast-6-AWS-Out-Bytes",
                    "CNN1-AWS-Out-Bytes",
                    "CNW1-AWS-Out-Bytes",
                ]
                .contains(&usage_type);
                let fixed = ["storage overage", "git request overage", "User-Month"]
                    .contains(&usage_type)
                    || usage_type.starts_with("Deployments:")
                    || service.code.as_str() == "AWSCostExplorer";
                let unknown = about.partition == "aws-cn"
                    || nowhere
                    || (!fixed && silent(service.code.as_str()).contains(region.as_str()));
                assert_eq!(
                    matches!(answer, Lookup::Unknown),
                    unknown,
                    "{} in {region}: {answer:?}",
                    info.meter
                );
                assert!(
                    matches!(
                        answer,
                        Lookup::Found(_) | Lookup::Unknown | Lookup::NotOffered(_)
                    ),
                    "{} in {region}: {answer:?}",
                    info.meter
                );
            }
        }
    }
}

#[test]
fn what_a_list_leaves_out_is_not_offered() {
    // Regions without a row in AWS's list of CodeBuild, which has 30 regions.
    for (usage_type, region, offered) in [
        ("Build-Min:LinuxGPU:g1.small", "eu-west-3", false),
        ("Build-Min:Linux:g1.small", "eu-west-3", true),
        ("Build-Min:ARM:g1.small", "us-gov-east-1", false),
        ("Build-Sec:Linux:Lambda:arm.1GB", "eu-west-2", false),
        ("Reserved:Mac:arm.m2.large", "eu-west-2", false),
    ] {
        let meter = Meter::new("CodeBuild", usage_type);
        let answer = catalog().lookup(&meter, &Region::new(region), day("2026-11-15"));
        match answer {
            Lookup::Found(_) => assert!(offered, "{usage_type} in {region}"),
            Lookup::NotOffered(listed) => {
                assert!(!offered, "{usage_type} in {region}");
                assert_eq!(listed, day("2025-11-04"));
            }
            other => panic!("{usage_type} in {region}: {other:?}"),
        }
    }
}

/// What an estimate comes to, and its bill.
fn estimate(arguments: &str) -> serde_json::Value {
    let output = std::process::Command::new(assert_cmd::cargo::cargo_bin("pipebill"))
        .args([
            "estimate", "--month", "2026-11", "--format", "json", "--ledger",
        ])
        .arg(std::env::temp_dir().join("no-ledger-here/ledger.sqlite"))
        .args(arguments.split(' '))
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn estimates_come_to_the_list_price_by_hand() {
    for (arguments, total) in [
        // (1,100 - 100) x 0.005
        ("--region eu-west-2 --codebuild general1.small=1100", "5"),
        // 1,000 x 0.007, 0.008, 0.009
        ("--codebuild arm1.medium=1000", "7"),
        ("--region eu-west-2 --codebuild arm1.medium=1000", "8"),
        ("--region ap-northeast-1 --codebuild arm1.medium=1000", "9"),
        // 100 x 0.0947
        ("--region eu-west-2 --codebuild general1.xlarge=100", "9.47"),
        // 2 x 43,200 x 0.003
        ("--codebuild reserved.x86-64.g1.small=2x720h", "259.2"),
        ("--codebuild reserved.x86-64.g1.small=86400", "259.2"),
        // 100,000 x 0.00004
        ("--codebuild lambda.arm.4GB=100000s --no-free-tier", "4"),
        // A machine of macOS for a day at least: 1,440 x 0.02
        ("--codebuild reserved.arm.m2.medium=1x1h", "28.8"),
        // 3,600 x 0.00003, and 60 x 0.001
        ("--codebuild sandbox/general1.small=3600s", "0.108"),
        ("--codebuild docker/general1.2xlarge=60s", "0.06"),
        // By attributes, Windows: 1,000 x 0.0216
        (
            "--codebuild windows/reserved.x86-64.8cpu.16gib=1000",
            "21.6",
        ),
        // 60,000 GB out: 10,240 x 0.09 + 40,960 x 0.085 + 8,800 x 0.07
        (
            "--usage datatransfer:DataTransfer-Out-Bytes=60000 --no-free-tier",
            "5019.2",
        ),
        // No free tier of SNS in GovCloud: 1,000,000 x 0.0000006
        ("--region us-gov-west-1 --usage sns:Requests=1000000", "0.6"),
        ("--region us-west-2 --usage sns:Requests=1000000", "0"),
    ] {
        let bill = estimate(arguments);
        assert_eq!(bill["total"], total, "{arguments}");
        assert_eq!(bill["complete"], true, "{arguments}");
    }
}

#[test]
fn the_security_baseline_is_whole() {
    for region in ["us-east-1", "eu-west-2", "us-gov-west-1"] {
        let bill = estimate(&format!(
            "--region {region} --codebuild general1.small=1100 --security-baseline"
        ));
        assert_eq!(bill["complete"], true, "{region}: {}", bill["unpriced"]);
    }
}

#[test]
fn what_cannot_be_priced_says_which_of_two_it_is() {
    let paris = estimate("--region eu-west-3 --codebuild gpu1.small=10 --price-like us-east-1");
    assert_eq!(
        paris["unpriced"][0]["text"], "not offered in eu-west-3 (AWS list of 2025-11-04)",
        "and nobody's price is lent"
    );
    let custom = estimate("--codebuild reserved.custom=10");
    assert_eq!(custom["unpriced"][0]["code"], "price-unknown");
    let calgary = estimate("--region ca-west-1 --codebuild general1.small=1000");
    assert_eq!(calgary["unpriced"][0]["code"], "price-unknown");
    let lent =
        estimate("--region ca-west-1 --codebuild general1.small=1000 --price-like us-east-1");
    assert_eq!(lent["total"], "4.5");
}

#[test]
fn bills_of_fleets_are_recognised_by_their_words() {
    let service = ServiceCode::new("CodeBuild");
    for (written, meant) in [
        // Spellings nobody has seen: any order, any separators, the words of AWS's list.
        (
            "EUW2-Reserved-Min:Linux:g1.small",
            "Reserved:Linux:x86-64.g1.small",
        ),
        (
            "USE1-Reserved-EC2:ARM:reserved.arm.g1.large",
            "Reserved:Linux:arm.g1.large",
        ),
        (
            "Build-Min:Reserved:Windows:g1.medium",
            "Reserved:Windows:x86-64.g1.medium",
        ),
        (
            "Reserved-Min:LinuxGPU:48vCPU-192GiB-NVMe",
            "Reserved:Linux:gpu.48cpu.192gib.nvme",
        ),
        ("Reserved-Min:Mac:m2.medium", "Reserved:Mac:arm.m2.medium"),
        ("Sandbox-Sec:ARM:g1.xlarge", "Sandbox:Linux:arm1.xlarge"),
        (
            "OnDemand-Docker:Linux:general1.2xlarge",
            "Docker:Linux:general1.2xlarge",
        ),
        (
            "Reserved-EC2-Custom:Linux:m7i.4xlarge",
            "Reserved-EC2-Custom",
        ),
    ] {
        let (_, meter) = catalog().locate(&service, written, None);
        assert_eq!(meter.usage_type.as_str(), meant, "{written}");
    }
    // No size, or one that is no machine's: unknown, not guessed.
    for written in [
        "Reserved-Min:Linux",
        "Sandbox-Sec:Linux:g9.huge",
        "Reserved:Linux:7cpu",
    ] {
        let (_, meter) = catalog().locate(&service, written, None);
        assert_eq!(meter.usage_type.as_str(), written);
    }
}

#[test]
fn fleets_are_the_machines_that_the_api_describes() {
    for (described, machine) in [
        (
            "LINUX_CONTAINER/BUILD_GENERAL1_SMALL",
            Some("reserved.x86-64.g1.small"),
        ),
        (
            "ARM_EC2/BUILD_GENERAL1_LARGE",
            Some("reserved.arm.g1.large"),
        ),
        (
            "MAC_ARM/BUILD_GENERAL1_MEDIUM",
            Some("reserved.arm.m2.medium"),
        ),
        (
            "LINUX_EC2/ATTRIBUTE_BASED_COMPUTE/6cpu.16gib",
            Some("reserved.x86-64.8cpu.16gib"),
        ),
        (
            "LINUX_EC2/ATTRIBUTE_BASED_COMPUTE/8cpu.0gib.nvme",
            Some("reserved.x86-64.48cpu.96gib.nvme"),
        ),
        (
            "WINDOWS_EC2/ATTRIBUTE_BASED_COMPUTE/40cpu.10gib",
            Some("windows/reserved.x86-64.48cpu.96gib"),
        ),
        (
            "ARM_EC2/CUSTOM_INSTANCE_TYPE/c7g.xlarge",
            Some("reserved.custom"),
        ),
        ("LINUX_EC2/ATTRIBUTE_BASED_COMPUTE/500cpu.1gib", None),
        ("LINUX_EC2/ATTRIBUTE_BASED_COMPUTE", None),
    ] {
        let found = catalog()
            .fleet(described)
            .map(|compute| compute.name.as_str());
        assert_eq!(found, machine, "{described}");
    }
    // Every machine on demand but Lambda has its like in a fleet.
    for compute in &catalog().computes {
        if compute.grain == pipebill::domain::catalog::Grain::Minute {
            let like = catalog().fleet_like(compute);
            let like = like.unwrap_or_else(|| panic!("{} has none", compute.name));
            assert_eq!(like.processors, compute.processors, "{}", compute.name);
            assert_eq!(like.os, compute.os, "{}", compute.name);
        }
    }
}
