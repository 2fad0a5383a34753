//! What the fuzzer's bytes stand for. The first says whether the rest is a file as it is or the changes to
//! a good one: plain bytes mostly fail a reader's first check, a changed table or tree goes on to the next.

mod pages;
mod table;
mod tree;

use std::{
    io::{Cursor, Write},
    sync::LazyLock,
};

use arbitrary::Unstructured;
use flate2::{Compression, write::GzEncoder};

use serde_json::Value;

use crate::readers::NEXT_FILE;

/// What a value may be changed to: borders of numbers and days, odd spellings, hostile text.
pub(crate) const WORDS: [&str; 96] = [
    "",
    " ",
    "0",
    "-0",
    "1",
    "-1",
    "+1",
    "0.0",
    ".5",
    "5.",
    "1e",
    "1e5",
    "1E-8",
    "1e-28",
    "1e-29",
    "1E400",
    "-1e-400",
    "1e2147483648",
    "0.1234567890123456789012345678",
    "0.12345678901234567890123456789",
    "7.5",
    "1000000",
    "1000001",
    "79228162514264337593543950335",
    "79228162514264337593543950336",
    "1000000000000000",
    "-1000000000000000",
    "1000000000000001",
    "999999999999999.9999999999999",
    "18446744073709551616",
    "9223372036854775807",
    "4294967296",
    "NaN",
    "inf",
    "-inf",
    "1,5",
    "1 000",
    "$1.00",
    "5%",
    "100%",
    "101%",
    "٣",
    "1_000",
    "2026-10-01",
    "2026-10-31",
    "2026-10",
    "2026-02-30",
    "2024-02-29",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "262142-12-31",
    "-262143-01-01",
    "2026-10-01T00:00:00Z",
    "2026-10-01T00:00:00.000Z",
    "2026-10-01 00:00:00",
    "2026-10-01T25:61:61Z",
    "10/01/2026",
    "20261001",
    "1759276800",
    "+10",
    "-10",
    "1..2",
    "0..1000000:0.0000001",
    "*",
    "a*",
    "[",
    "]",
    "[x]",
    "a:b:c",
    "tag:",
    "tag:a",
    "=",
    "==",
    "*=2",
    "é",
    "\u{feff}",
    "\u{202e}x",
    "a\u{0}b",
    "\u{1b}[31m",
    "\n",
    "\r",
    "\r\n",
    "\"",
    "\"\"",
    "'",
    ",",
    "a,b",
    "=1+1",
    "{}",
    "{\"a\":\"b\"}",
    "{\"a\":{\"b\":1}}",
    "[1]",
    "null",
    "true",
    "𝕏𝕏𝕏",
];

/// Returns a word, one of a reader's own, or a few of the fuzzer's bytes.
pub(crate) fn word(u: &mut Unstructured<'_>, own: &[&str]) -> arbitrary::Result<String> {
    let kind: u8 = u.arbitrary()?;
    Ok(match kind {
        0..100 => (*u.choose(&WORDS)?).to_owned(),
        100..220 if !own.is_empty() => (*u.choose(own)?).to_owned(),
        220..225 => u.choose(&WORDS)?.repeat(u.int_in_range(0..=400)?),
        225..240 => u.int_in_range(-1_000_000..=1_000_000_i64)?.to_string(),
        _ => {
            let length = u.int_in_range(0..=12)?;
            String::from_utf8_lossy(u.bytes(length.min(u.len()))?).into_owned()
        }
    })
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../tests/fixtures/", $name))
    };
}

const CHARGES: [&str; 5] = [
    fixture!("import/cur2.csv"),
    fixture!("import/legacy-cur.csv"),
    fixture!("import/focus-1.2.csv"),
    fixture!("import/focus-1.0.csv"),
    fixture!("import/daily.csv"),
];
const CONSOLE: [&str; 2] = [
    fixture!("import/ce-service-daily.csv"),
    fixture!("import/ce-usage-type-monthly.csv"),
];
const ANSWERS: [&str; 2] = [
    fixture!("cost-explorer/whole-month.json"),
    r#"{"GroupDefinitions":[{"Type":"DIMENSION","Key":"SERVICE"},{"Type":"DIMENSION","Key":"USAGE_TYPE"}],
"ResultsByTime":[{"TimePeriod":{"Start":"2026-10-01","End":"2026-10-02"},"Total":{},"Groups":[
{"Keys":["CodeBuild","EUW2-Build-Min:Linux:g1.small"],"Metrics":{"UnblendedCost":{"Amount":"0.1596","Unit":"USD"},
"UsageQuantity":{"Amount":"20.0","Unit":"Minutes"}}},{"Keys":["Tax",""],"Metrics":{"UnblendedCost":
{"Amount":"1.49E-8","Unit":"USD"},"UsageQuantity":{"Amount":"3","Unit":"N/A"}}}],"Estimated":false}],
"NextPageToken":"AAAA","DimensionValueAttributes":[]}"#,
];
const PRICE_ROWS: &str = include_str!("../seeds/prices.csv");
const PRICE_LIST: &str = include_str!("../seeds/prices.json");
const KEPT_PRICES: &str = include_str!("../seeds/kept-prices.json");
const INFRA: [&str; 5] = [
    include_str!("../../tests/fixtures/infra/terraform/changes.json"),
    include_str!("../../tests/fixtures/infra/terraform/forced.json"),
    include_str!("../../tests/fixtures/infra/terraform/state-v4.tfstate"),
    include_str!("../../tests/fixtures/infra/terraform/state-v3.tfstate"),
    include_str!("../../tests/fixtures/infra/pulumi/preview.json"),
];
const TEMPLATE: &str = include_str!("../seeds/template.json");
const USAGE: [&str; 3] = [
    include_str!("../../examples/team.usage.toml"),
    include_str!("../../examples/backend-flask.usage.toml"),
    include_str!("../seeds/usage.toml"),
];
const SCENARIO: [&str; 1] = [include_str!("../seeds/scenario.toml")];
const MAPPING: [&str; 2] = [
    include_str!("../../examples/gl-mapping.toml"),
    include_str!("../../reports/gl-mapping.toml"),
];
const DEFINITION: [&str; 3] = [
    include_str!("../../reports/definitions/team.toml"),
    include_str!("../../reports/definitions/month-end.toml"),
    include_str!("../seeds/definition.toml"),
];
const DELIVERY: &str = include_str!("../seeds/delivery.txt");

static CHARGE_TABLES: LazyLock<Vec<table::Table>> =
    LazyLock::new(|| CHARGES.map(table::parsed).to_vec());
static CONSOLE_TABLES: LazyLock<Vec<table::Table>> =
    LazyLock::new(|| CONSOLE.map(table::parsed).to_vec());
static PRICE_TABLES: LazyLock<Vec<table::Table>> =
    LazyLock::new(|| vec![table::parsed(PRICE_ROWS)]);
static ANSWER_TREES: LazyLock<Vec<Value>> = LazyLock::new(|| ANSWERS.map(tree::parsed).to_vec());
static INFRA_TREES: LazyLock<Vec<Value>> = LazyLock::new(|| INFRA.map(tree::parsed).to_vec());
static PRICE_TREES: LazyLock<Vec<Value>> =
    LazyLock::new(|| [PRICE_LIST, KEPT_PRICES].map(tree::parsed).to_vec());
static TEMPLATE_TREES: LazyLock<Vec<Value>> = LazyLock::new(|| vec![tree::parsed(TEMPLATE)]);
static USAGE_TREES: LazyLock<Vec<Value>> = LazyLock::new(|| USAGE.map(tree::parsed_toml).to_vec());
static SCENARIO_TREES: LazyLock<Vec<Value>> =
    LazyLock::new(|| SCENARIO.map(tree::parsed_toml).to_vec());
static MAPPING_TREES: LazyLock<Vec<Value>> =
    LazyLock::new(|| MAPPING.map(tree::parsed_toml).to_vec());
static DEFINITION_TREES: LazyLock<Vec<Value>> =
    LazyLock::new(|| DEFINITION.map(tree::parsed_toml).to_vec());

/// What the changes of a scenario and of the command line are made of.
const CHANGES: [&str; 72] = [
    "active_users",
    "git_requests",
    "storage_gb",
    "v1_pipelines",
    "v2_action_minutes",
    "pipeline_type",
    "builds",
    "minutes",
    "compute",
    "region",
    "on_premises_updates",
    "on_premises_targets",
    "usage",
    "free_tier",
    "price",
    "discount",
    "price_like",
    "security_baseline",
    "log_storage",
    "log_retention",
    "artifact_storage",
    "artifact_retention",
    "speed",
    "machines",
    "pipeline_minutes",
    "name",
    "note",
    "[project:api]",
    "[project:api*,tag:team:payments]",
    "[pipeline:team-*]",
    "[region:us-east-1]",
    "[general1.medium]",
    "[CodeBuild]",
    "[CodeBuild:Build-Min:Linux:g1.small]",
    "[AmazonS3:TimedStorage-ByteHrs]",
    "[resource:/aws/codebuild/api]",
    "[account:111122223333]",
    "general1.small",
    "arm1.small",
    "arm1.medium",
    "lambda.arm.4GB",
    "reserved",
    ",speed=1.2",
    ",machines=3",
    ",overflow=queue",
    ",overflow=on-demand",
    ",minutes=120",
    ",deployments=30",
    "V1",
    "V2",
    "on",
    "off",
    "eu-west-1",
    "us-east-1",
    "=",
    "*=",
    "=+",
    "=-",
    "..",
    ":",
    ",",
    "0.5",
    "2",
    "30",
    "1",
    "100%",
    "0%",
    "[",
    "]",
    "*",
    "project:",
    "tag:",
];

/// Returns the file that the bytes stand for.
pub fn file(reader: &str, data: &[u8]) -> Vec<u8> {
    let Some((&first, rest)) = data.split_first() else {
        return Vec::new();
    };
    if first % 4 == 0 {
        return match reader {
            "parquet" => pages::framed(rest),
            _ => rest.to_vec(),
        };
    }
    let mut u = Unstructured::new(rest);
    let made = match reader {
        "charges" => table::changed(&mut u, &CHARGE_TABLES),
        "console_csv" => table::changed(&mut u, &CONSOLE_TABLES),
        "text" => packed(&mut u),
        "cost_explorer" => tree::json(&mut u, &ANSWER_TREES),
        "parquet" => pages::damaged(&mut u),
        "parquet_pages" => pages::written(&mut u),
        "delivery" => delivery(&mut u),
        "price_list" if first % 4 == 1 => table::changed(&mut u, &PRICE_TABLES),
        "price_list" => tree::json(&mut u, &PRICE_TREES),
        "infra" => tree::json(&mut u, &INFRA_TREES),
        "usage_file" => tree::toml(&mut u, &USAGE_TREES),
        "scenario" => tree::toml(&mut u, &SCENARIO_TREES),
        "scenario_flag" => joined(&mut u),
        "gl_mapping" => tree::toml(&mut u, &MAPPING_TREES),
        "definition" => tree::toml(&mut u, &DEFINITION_TREES),
        "template" if first % 4 != 1 => tree::json(&mut u, &TEMPLATE_TREES),
        _ => Ok(rest.to_vec()),
    };
    made.unwrap_or_default()
}

/// Good files of a reader, to begin with.
pub fn seeds(reader: &str) -> Vec<Vec<u8>> {
    let texts: &[&str] = match reader {
        "charges" | "text" => &CHARGES,
        "console_csv" => &CONSOLE,
        "cost_explorer" => &ANSWERS,
        "delivery" => &[DELIVERY],
        "price_list" => &[PRICE_ROWS, PRICE_LIST, KEPT_PRICES],
        "infra" => &INFRA,
        "usage_file" => &USAGE,
        "scenario" => &SCENARIO,
        "scenario_flag" => &[
            "active_users=5..50:5",
            "compute[general1.medium]=arm1.medium,speed=1.2",
            "speed=0.5..2",
        ],
        "gl_mapping" => &MAPPING,
        "definition" => &DEFINITION,
        "template" => &[TEMPLATE],
        _ => &[],
    };
    let raw = texts.iter().map(|text| [&[0], text.as_bytes()].concat());
    let mut seeds: Vec<Vec<u8>> = raw.collect();
    if reader == "parquet" {
        seeds.extend(pages::seeds());
    }
    seeds.extend((1..16_u8).map(|first| vec![first; usize::from(first) * 24]));
    seeds
}

/// Words of changes, one after the other.
fn joined(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(1..=12)? {
        text += &word(u, &CHANGES)?;
        if text.len() > 4096 {
            break;
        }
    }
    Ok(text.into_bytes())
}

/// A changed table, packed, marked, cut or damaged.
fn packed(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    let how: u8 = u.arbitrary()?;
    let (cut, at, flip): (u16, u16, u8) = (u.arbitrary()?, u.arbitrary()?, u.arbitrary()?);
    let text = match how % 8 {
        0 => tree::json(u, &ANSWER_TREES)?,
        1 => table::changed(u, &CONSOLE_TABLES)?,
        _ => table::changed(u, &CHARGE_TABLES[1..])?,
    };
    let mut bytes = match (how / 8) % 4 {
        0 => text,
        1 => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            drop(encoder.write_all(&text));
            encoder.finish().unwrap_or_default()
        }
        2 => {
            let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default();
            for name in ["a.csv", "folder/b.csv", "c.txt"] {
                drop(archive.start_file(name, options));
                drop(archive.write_all(&text));
            }
            archive.finish().map(Cursor::into_inner).unwrap_or_default()
        }
        _ => {
            let marked = String::from_utf8_lossy(&text).into_owned();
            let units = marked.encode_utf16();
            [0xff, 0xfe]
                .into_iter()
                .chain(units.flat_map(u16::to_le_bytes))
                .collect()
        }
    };
    if how >= 128 && !bytes.is_empty() {
        let length = bytes.len();
        bytes[usize::from(at) % length] ^= flip;
        bytes.truncate(length - usize::from(cut) % 64.min(length));
    }
    Ok(bytes)
}

/// A folder whose paths and manifests are changed.
fn delivery(u: &mut Unstructured<'_>) -> arbitrary::Result<Vec<u8>> {
    const PARTS: [&str; 24] = [
        "data/",
        "metadata/",
        "BILLING_PERIOD=2026-10/",
        "BILLING_PERIOD=2026-11/",
        "BILLING_PERIOD=",
        "billing_period=2026-1é/",
        "year=2026/",
        "month=10/",
        "month=11/",
        "20261001-20261101/",
        "20261101-20261201/",
        "year=",
        "month=",
        "cur-Manifest.json",
        "Manifest.json",
        "cur-00001.csv",
        "cur-00002.csv",
        "cur-00001.csv.gz",
        "cur.parquet",
        "2026-10-05T00:00:00/",
        "6d5a7c2e-1111/",
        "/",
        "..",
        "cost_and_usage_data_status/",
    ];
    let seed: Vec<(&str, &str)> = DELIVERY
        .split(NEXT_FILE)
        .skip(1)
        .filter_map(|file| file.split_once('\n'))
        .collect();
    let mut files: Vec<(String, Vec<u8>)> = seed
        .iter()
        .map(|(path, content)| ((*path).to_owned(), content.as_bytes().to_vec()))
        .collect();
    for _ in 0..u.int_in_range(0..=8)? {
        let at = u.int_in_range(0..=files.len().max(1) - 1)?;
        match u.int_in_range(0..=4)? {
            0 if !files.is_empty() => drop(files.remove(at)),
            1 => {
                let mut path = String::new();
                for _ in 0..u.int_in_range(1..=5)? {
                    path += &word(u, &PARTS)?;
                }
                if let Some(file) = files.get_mut(at) {
                    file.0 = path;
                }
            }
            2 => {
                if let Some(file) = files.get(at).cloned() {
                    files.push(file);
                }
            }
            _ => {
                if let Some((path, content)) = files.get_mut(at) {
                    let text = String::from_utf8_lossy(content).into_owned();
                    *content = if path.ends_with("json") {
                        tree::json(u, &[tree::parsed(&text)])?
                    } else {
                        table::changed(u, &[table::parsed(&text)])?
                    };
                }
            }
        }
    }
    let mut text = Vec::new();
    for (path, content) in files {
        text.extend_from_slice(format!("{NEXT_FILE}{path}\n").as_bytes());
        text.extend_from_slice(&content);
    }
    Ok(text)
}
