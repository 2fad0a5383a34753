//! Importing through Athena, from a double of it that runs queries for real (`tests/double/athena.py`):
//! parsed as Athena's dialect, run by `DuckDB` over files as AWS lays them out. An export says the same
//! whichever way it comes.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use pipebill::{
    domain::{
        money::Money,
        usage::{Tags, UsageRecord},
    },
    ledger::Ledger,
    sample,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    double::{Double, pipebill, place, python, said},
    support::{dec, interrupt, root},
};

pub(crate) const MONTH: &str = "2026-10";

/// Exports as AWS delivers them, and tables over them.
pub(crate) struct Exports {
    pub(crate) folder: TempDir,
    pub(crate) tables: Value,
}

impl Exports {
    pub(crate) fn new() -> Option<Self> {
        python()?;
        let tables = json!({"workgroups": {"primary": {
            "configuration": {"ResultConfiguration": {"OutputLocation": "s3://results/"}}
        }}});
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
            tables,
        })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Delivers an export; the tables over it are `billing.NAME_parquet` and `billing.NAME_csv`.
    pub(crate) fn deliver(&mut self, name: &str, kind: &str, export: &Path) {
        let folder = self.path(name);
        let output = Command::new(python().unwrap())
            .arg(root().join("tests/double/deliver.py"))
            .args([export, Path::new(kind), &folder])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let columns: Value = serde_json::from_slice(&output.stdout).unwrap();
        let partitions = match kind {
            "legacy" => json!([["year", "string"], ["month", "string"]]),
            _ => json!([["billing_period", "string"]]),
        };
        for (format, ending) in [("parquet", "parquet"), ("csv", "csv.gz")] {
            self.tables[format!("billing.{name}_{format}")] = json!({
                "columns": columns[format],
                "partitions": partitions,
                "files": folder.join(format).join(format!("**/*.{ending}")),
                "format": format,
            });
        }
    }

    /// The sample, and a fixture of each kind of bill.
    pub(crate) fn of_each_kind() -> Option<Self> {
        let mut exports = Self::new()?;
        exports.deliver_sample();
        exports.deliver_fixture("cur2.csv", "cur2");
        exports.deliver_fixture("legacy-cur.csv", "legacy");
        exports.deliver_fixture("focus-1.2.csv", "focus");
        Some(exports)
    }

    pub(crate) fn deliver_sample(&mut self) {
        let export = self.path("sample.csv");
        sample::write_cur(&mut File::create(&export).unwrap()).unwrap();
        self.deliver("sample", "cur2", &export);
    }

    pub(crate) fn deliver_fixture(&mut self, name: &str, kind: &str) {
        let file = root().join("tests/fixtures/import").join(name);
        self.deliver(kind, kind, &file);
    }

    /// Puts the files of each month into a folder of one delivery, and those of an earlier export beside
    /// it: as AWS does where deliveries do not overwrite each other.
    pub(crate) fn not_overwritten(&mut self, name: &str, earlier: &str, names: [&str; 2]) {
        for format in ["csv", "parquet"] {
            for month in fs::read_dir(self.path(&format!("{name}/{format}"))).unwrap() {
                let mut month = month.unwrap().path();
                if month.join("month=10").exists() {
                    month.push("month=10");
                }
                let inside = month.strip_prefix(self.path(name)).unwrap();
                let before = self.path(earlier).join(inside);
                let files = |folder: &Path| -> Vec<PathBuf> {
                    let found = fs::read_dir(folder).into_iter().flatten();
                    found.map(|entry| entry.unwrap().path()).collect()
                };
                for (execution, files) in names.iter().zip([files(&before), files(&month)]) {
                    let folder = month.join(execution);
                    fs::create_dir_all(&folder).unwrap();
                    for file in files {
                        fs::rename(&file, folder.join(file.file_name().unwrap())).unwrap();
                    }
                }
            }
        }
    }

    /// The files of the month.
    pub(crate) fn files(&self, name: &str, kind: &str, format: &str) -> Vec<PathBuf> {
        let month = match kind {
            "legacy" => format!("{name}/{format}/year=2026/month=10"),
            _ => format!("{name}/{format}/billing_period={MONTH}"),
        };
        let mut files: Vec<PathBuf> = fs::read_dir(self.path(&month))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    }

    pub(crate) fn athena(&self) -> Double {
        let tables = self.path("tables.json");
        fs::write(&tables, self.tables.to_string()).unwrap();
        Double::serve("athena.py", self.folder.path().to_str().unwrap()).unwrap()
    }
}

/// Asks Athena for the month; it must end with this code.
pub(crate) fn ask(double: &Double, ledger: &Path, table: &str, more: &[&str], code: i32) -> String {
    let url = format!("athena://billing.{table}");
    let arguments = [&["import", &url, "--month", MONTH], more].concat();
    let output = double.run(ledger, &arguments);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

pub(crate) fn import_files(ledger: &Path, files: &[PathBuf]) {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let output = pipebill(ledger, &[&["import"][..], &files].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// Everything that a ledger says of the month, but for where it comes from.
pub(crate) fn rows(ledger: &Path) -> (Vec<UsageRecord>, Vec<String>) {
    let ledger = Ledger::open_existing(ledger).unwrap();
    let month = MONTH.parse().unwrap();
    let mut records = ledger.records(month).unwrap();
    records.extend(ledger.storage(month).unwrap().1);
    for record in &mut records {
        record.origin = "".into();
    }
    let outside = ledger.outside(month).unwrap();
    let outside = outside.iter().map(|total| format!("{total:?}")).collect();
    (records, outside)
}

#[test]
fn an_export_says_the_same_by_file_and_by_athena() {
    let Some(exports) = Exports::of_each_kind() else {
        return;
    };
    let double = exports.athena();
    for (name, kind) in [
        ("sample", "cur2"),
        ("cur2", "cur2"),
        ("legacy", "legacy"),
        ("focus", "focus"),
    ] {
        let (_folder, ledger) = place();
        let files = exports.files(name, kind, "csv");
        let arguments: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
        let output = pipebill(&ledger, &[&["import"][..], &arguments].concat()).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", said(&output));
        let mut by_file = rows(&ledger);
        assert!(!by_file.0.is_empty());
        if name == "sample" {
            let has = |store: &str| {
                by_file.0.iter().any(|record| {
                    record
                        .resource
                        .as_ref()
                        .is_some_and(|resource| resource.as_str().contains(store))
                })
            };
            assert!(has("/aws/codebuild/storefront-e2e") && has("codepipeline-us-east-1-"));
            let files = exports.files(name, kind, "parquet");
            let (_folder, ledger) = place();
            let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
            let output = pipebill(&ledger, &[&["import"][..], &files].concat()).output();
            assert!(output.unwrap().status.success());
            assert_eq!(rows(&ledger), by_file);
        }
        if kind == "legacy" {
            // A table of the older report has the tags' names in lower case.
            for record in &mut by_file.0 {
                let tags = record.tags.iter();
                let lower = tags.map(|(key, value)| (key.to_lowercase(), value.to_owned()));
                record.tags = Tags::new(lower.collect());
            }
        }
        for format in ["csv", "parquet"] {
            let (_folder, ledger) = place();
            let table = format!("{name}_{format}");
            ask(&double, &ledger, &table, &[], 0);
            assert_eq!(rows(&ledger), by_file, "{table}");
        }
    }
}

#[test]
fn of_deliveries_that_lie_side_by_side_the_newest_counts() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    // The day before, a tenth of the rows were not there yet.
    let sample = fs::read_to_string(exports.path("sample.csv")).unwrap();
    let earlier: String = (0..)
        .zip(sample.lines())
        .filter(|(at, _)| at % 10 != 1)
        .fold(String::new(), |text, (_, line)| text + line + "\n");
    let file = exports.path("earlier.csv");
    fs::write(&file, earlier).unwrap();
    exports.deliver("earlier", "cur2", &file);
    let dated = ["2026-11-02T01:02:03.004Z-b", "2026-11-03T01:02:03.004Z-a"];
    let (_folder, whole) = place();
    import_files(&whole, &exports.files("sample", "cur2", "csv"));
    exports.not_overwritten("sample", "earlier", dated);
    exports.tables["billing.view"] = exports.tables["billing.sample_parquet"].clone();
    exports.tables["billing.view"]["type"] = json!("VIRTUAL_VIEW");
    let double = exports.athena();
    for format in ["csv", "parquet"] {
        let (_folder, ledger) = place();
        let said = ask(&double, &ledger, &format!("sample_{format}"), &[], 0);
        let left_out = format!("{} is ignored: a newer delivery", dated[0]);
        let doubt =
            "whether it is complete is unknown. To check: `pipebill import s3://cur/sample/";
        assert!(said.contains(&left_out) && said.contains(doubt), "{said}");
        assert_eq!(rows(&ledger), rows(&whole), "{format}");
        let (_folder, ledger) = place();
        let folder = exports.path("sample").join(format);
        import_files(&ledger, &[folder]);
        assert_eq!(rows(&ledger), rows(&whole), "{format}");
    }
    // A view hides its files, and that is said.
    let (_folder, ledger) = place();
    let said = ask(&double, &ledger, "view", &[], 0);
    assert!(said.contains("billing.view is a view"), "{said}");
}

#[test]
fn deliveries_whose_order_nothing_tells_are_not_added_up() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("legacy-cur.csv", "legacy");
    exports.deliver(
        "again",
        "legacy",
        &root().join("tests/fixtures/import/legacy-cur.csv"),
    );
    exports.not_overwritten("legacy", "again", ["0a0a-1b1b", "9f9f-8e8e"]);
    // One export twice, in two places.
    exports.deliver(
        "again",
        "legacy",
        &root().join("tests/fixtures/import/legacy-cur.csv"),
    );
    exports.tables["billing.both"] = exports.tables["billing.again_parquet"].clone();
    let everywhere = exports.path("*/parquet/year=2026/month=10/**/data_0.parquet");
    exports.tables["billing.both"]["files"] = json!(everywhere);
    let double = exports.athena();
    let (_folder, ledger) = place();
    let said = ask(&double, &ledger, "legacy_parquet", &[], 1);
    assert!(said.contains("which is newer is not stated"), "{said}");
    assert!(said.contains("9f9f-8e8e"), "{said}");
    let one = exports.path("legacy/parquet/year=2026/month=10");
    fs::remove_dir_all(one.join("0a0a-1b1b")).unwrap();
    let said = ask(&double, &ledger, "both", &[], 1);
    assert!(said.contains("state the same charges of 2026-10"), "{said}");
    assert!(!ledger.exists());
    ask(&double, &ledger, "legacy_parquet", &[], 0);
}

#[test]
fn only_the_month_is_opened_and_long_answers_come_in_pages() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    let mut csv =
        "bill_payer_account_id,bill_billing_period_start_date,line_item_usage_start_date,\
                   line_item_line_item_type,line_item_product_code,line_item_usage_type,\
                   line_item_usage_amount,line_item_unblended_cost,line_item_currency_code,\
                   line_item_resource_id\n"
            .to_owned();
    for month in ["2026-09", MONTH] {
        for project in 0..2500 {
            csv += &format!(
                "999988887777,{month}-01T00:00:00Z,{month}-05T01:00:00Z,Usage,CodeBuild,\
                 Build-Min:Linux:g1.small,0.{project:04},0.0000{project:04},USD,\
                 arn:aws:codebuild:us-east-1:1:build/p-{project}:x\n"
            );
        }
    }
    let export = exports.path("wide.csv");
    fs::write(&export, csv).unwrap();
    exports.deliver("wide", "cur2", &export);
    let double = exports.athena();
    let (_folder, ledger) = place();
    let said = ask(&double, &ledger, "wide_parquet", &[], 0);
    assert!(said.contains("only the folders of that month"), "{said}");
    let (records, _) = rows(&ledger);
    assert_eq!(records.len(), 2500);
    let cost: Money = records
        .iter()
        .map(|r| r.billed.as_ref().unwrap().cost)
        .sum();
    assert_eq!(cost, Money::new(dec("0.031237500")));
    let opened = double.ask("GET", "/_opened", "");
    let files = exports.files("wide", "cur2", "parquet");
    assert_eq!(opened, json!(files));
    let bytes: u64 = files
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    let shown = format!("athena: scanned {} KB", bytes.div_ceil(1024));
    assert!(said.contains(&shown), "{said}: not {shown}");
    assert_eq!(double.operations()["athena.GetQueryResults"], 3);
}

#[test]
fn a_dry_run_shows_the_query_and_asks_nothing_that_costs() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    exports.tables["billing.cur2_parquet"]["parameters"] = json!({"sizeKey": "3298534883328"});
    exports.tables["workgroups"]["primary"]["configuration"]["BytesScannedCutoffPerQuery"] =
        json!(1_099_511_627_776_u64);
    let double = exports.athena();
    let (_folder, ledger) = place();
    let said = ask(&double, &ledger, "cur2_parquet", &["--dry-run"], 0);
    assert!(said.contains("FROM \"billing\".\"cur2_parquet\""), "{said}");
    let plan = [
        "import",
        "athena://billing.cur2_parquet",
        "--dry-run",
        "--month",
        "2026-10",
        "--format",
        "json",
    ];
    crate::json::assert_schema("athena-query", &double.run(&ledger, &plan));
    // Three tebibytes at five dollars each.
    assert!(said.contains("at most 3072 GB ($15.00)"), "{said}");
    assert!(said.contains("stops a query at 1024 GB ($5.00)"), "{said}");
    let asked: Vec<String> = double.operations().into_keys().collect();
    let free = [
        "athena.GetTableMetadata",
        "athena.GetWorkGroup",
        "sts.GetCallerIdentity",
    ];
    assert_eq!(asked, free);
    assert!(!ledger.exists());
    // Another region's price is not known here, and that is said.
    let elsewhere = ["--dry-run", "--region", "ap-southeast-6"];
    let said = ask(&double, &ledger, "cur2_parquet", &elsewhere, 0);
    assert!(
        said.contains("($15.00 at the price of us-east-1)"),
        "{said}"
    );
}

#[test]
fn each_refusal_is_one_clear_error_and_leaves_the_ledger() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    exports.tables["billing.other"] = json!({
        "columns": [["a", "string"]], "partitions": [], "files": "none", "format": "csv"
    });
    exports.tables["billing.broken_parquet"] = exports.tables["billing.cur2_parquet"].clone();
    exports.tables["billing.broken_parquet"]["files"] = json!("nowhere/**/*.parquet");
    let place_for_results = json!({"ResultConfiguration": {"OutputLocation": "s3://results/"}});
    exports.tables["workgroups"]["off"] =
        json!({"state": "DISABLED", "configuration": place_for_results});
    exports.tables["workgroups"]["bare"] = json!({"configuration": {}});
    exports.tables["workgroups"]["stopped"] = json!({
        "configuration": place_for_results, "ends": "CANCELLED",
        "reason": "Query cancelled! : Bytes scanned limit was exceeded",
    });
    let double = exports.athena();
    let (_folder, ledger) = place();
    let cur2 = "cur2_parquet";
    let none = json!({});
    let deny = |operation: &str| json!({operation: {"kind": "deny"}});
    let code = |operation: &str, code: &str, message: &str| json!({operation: {"kind": "code", "code": code, "message": message}});
    for (faults, table, more, error, hint) in [
        (
            &none,
            "gone",
            &[][..],
            "finds no table billing.gone",
            "check the names",
        ),
        (
            &none,
            "other",
            &[],
            "is not a known billing export",
            "name a table over",
        ),
        (
            &none,
            cur2,
            &["--workgroup", "gone"],
            "no Athena workgroup `gone`",
            "--workgroup",
        ),
        (
            &none,
            cur2,
            &["--workgroup", "off"],
            "`off` is disabled",
            "enable it",
        ),
        (
            &none,
            cur2,
            &["--workgroup", "bare"],
            "does not say where results",
            "--output s3://",
        ),
        (
            &none,
            cur2,
            &["--workgroup", "stopped"],
            "limit was exceeded",
            "workgroup's limit",
        ),
        (
            &none,
            "broken_parquet",
            &[],
            "the query failed: ",
            "--dry-run shows the query",
        ),
        (
            &none,
            cur2,
            &["--month", "2026-09"],
            "cannot be used multiple times",
            "",
        ),
        (
            &deny("athena.GetTableMetadata"),
            cur2,
            &[],
            "access denied to athena:GetTableMetadata",
            "pipebill policy --athena",
        ),
        (
            &deny("athena.StartQueryExecution"),
            cur2,
            &[],
            "access denied to athena:StartQueryExecution",
            "pipebill policy --athena",
        ),
        // https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
        (
            &code(
                "athena.StartQueryExecution",
                "AccessDeniedException",
                "not authorized to perform: athena:StartQueryExecution with an explicit deny in a service \
                 control policy: arn:aws:organizations::2:policy/o-a/service_control_policy/p-1",
            ),
            cur2,
            &[],
            "access denied to athena:StartQueryExecution: a service control policy of the organization (p-1)",
            "nothing was imported. The organization's administrators have to change",
        ),
        (
            &code(
                "athena.GetTableMetadata",
                "MetadataException",
                "AccessDeniedException: glue:GetTable",
            ),
            cur2,
            &[],
            "glue:GetTable",
            "pipebill policy --athena",
        ),
        (
            &code("athena.GetQueryResults", "InvalidRequestException", "no"),
            cur2,
            &[],
            "InvalidRequestException",
            "run the same again",
        ),
    ] {
        double.faults(faults.clone());
        let url = format!("athena://billing.{table}");
        let arguments = [&["import", &url, "--month", MONTH], more].concat();
        let output = double.run(&ledger, &arguments);
        let said = said(&output);
        assert!(matches!(output.status.code(), Some(1 | 2)), "{said}");
        assert!(
            said.contains(error) && said.contains(hint),
            "{error}:\n{said}"
        );
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
        assert!(!ledger.exists(), "{said}");
    }
    double.faults(none.clone());
    let output = double.run(
        &ledger,
        &["import", "athena://billing.cur2_csv", "--month", "2026-09"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("has no rows of 2026-09"),
        "{}",
        said(&output)
    );
    // The place for results may be named instead.
    let named = ["--workgroup", "bare", "--output", "s3://mine/results/"];
    ask(&double, &ledger, cur2, &named, 0);
    let log = double.log();
    let started = log
        .iter()
        .rfind(|call| call["op"] == "athena.StartQueryExecution")
        .unwrap();
    let place = &started["request"]["ResultConfiguration"]["OutputLocation"];
    assert_eq!(place, "s3://mine/results/");
}

#[test]
fn names_are_checked_before_anybody_is_asked() {
    let (_folder, ledger) = place();
    for (arguments, problem) in [
        (
            &["athena://billing", "--month", MONTH][..],
            "athena://DATABASE.TABLE",
        ),
        (
            &["athena://b.\"x\"; DROP", "--month", MONTH],
            "athena://DATABASE.TABLE",
        ),
        (
            &["athena://b.", "--month", MONTH],
            "athena://DATABASE.TABLE",
        ),
        (&["athena://b.t"], "--month"),
        (
            &["athena://b.t", "x.csv", "--month", MONTH],
            "one place or table at a time",
        ),
    ] {
        let output = pipebill(&ledger, &[&["import"], arguments].concat())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(problem), "{}", said(&output));
    }
}

#[test]
fn throttling_and_faults_of_aws_change_nothing() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    exports.tables["workgroups"]["primary"]["looks"] = json!(2);
    let double = exports.athena();
    let (_folder, quiet) = place();
    ask(&double, &quiet, "sample_parquet", &[], 0);
    for fault in [
        json!({"*": {"kind": "throttle", "every": 3, "times": 3, "code": "TooManyRequestsException"}}),
        json!({"*": {"kind": "error", "every": 3, "times": 3}}),
    ] {
        let (_folder, ledger) = place();
        double.faults(fault);
        ask(&double, &ledger, "sample_parquet", &[], 0);
        assert_eq!(rows(&ledger), rows(&quiet));
    }
    let (_folder, ledger) = place();
    double.faults(json!({}));
    let url = "athena://billing.sample_parquet";
    let output = double
        .command(&ledger, &["import", url, "--month", MONTH])
        .env("AWS_ACCESS_KEY_ID", "EXPIRED")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("credentials have expired"),
        "{}",
        said(&output)
    );
    assert!(!ledger.exists());
}

#[test]
fn ctrl_c_stops_the_query_too() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    exports.tables["workgroups"]["primary"]["looks"] = json!(1_000_000);
    let double = exports.athena();
    let (_folder, ledger) = place();
    let url = "athena://billing.cur2_parquet";
    let child = double
        .command(&ledger, &["import", url, "--month", MONTH])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !double.operations().contains_key("athena.GetQueryExecution") {
        assert!(begun.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(20));
    }
    interrupt(child);
    assert_eq!(double.operations()["athena.StopQueryExecution"], 1);
    assert!(!ledger.exists());
}

/// What the policy allows, by statement.
pub(crate) fn allowed(ledger: &Path, flags: &[&str]) -> Vec<(String, BTreeSet<String>, String)> {
    let output = pipebill(ledger, &[&["policy"], flags].concat())
        .output()
        .unwrap();
    let policy: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let statements = policy["Statement"].as_array().unwrap();
    statements
        .iter()
        .map(|statement| {
            let actions = statement["Action"].as_array().unwrap();
            let actions = actions.iter().map(text).collect();
            (
                text(&statement["Sid"]),
                actions,
                text(&statement["Resource"]),
            )
        })
        .collect()
}

#[test]
fn the_policy_for_athena_is_what_is_called_and_what_athena_does_for_it() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    exports.tables["workgroups"]["stopped"] = json!({
        "configuration": {"ResultConfiguration": {"OutputLocation": "s3://results/"}},
        "looks": 1_000_000,
    });
    let double = exports.athena();
    let (_folder, ledger) = place();
    ask(&double, &ledger, "cur2_parquet", &[], 0);
    let mut called = double.operations();
    // What is called when something goes wrong is called, too.
    double.faults(json!({"athena.GetQueryExecution": {"kind": "deny", "after": 2}}));
    ask(
        &double,
        &ledger,
        "cur2_parquet",
        &["--workgroup", "stopped"],
        1,
    );
    called.extend(double.operations());
    let called: BTreeSet<String> = called
        .into_keys()
        .filter(|operation| operation != "sts.GetCallerIdentity")
        .map(|operation| operation.replace('.', ":"))
        .collect();
    let places = [
        "--exports",
        "s3://cur/exports",
        "--results",
        "s3://out/pipebill/",
    ];
    let policy = allowed(&ledger, &[&["--athena"], &places[..]].concat());
    let of = |id: &str| policy.iter().find(|statement| statement.0 == id).unwrap();
    assert_eq!(of("PipebillAthena").1, called);
    // What AWS says a query does in the name of who asks: looks the table up, reads its files, and
    // writes its results, each in its own place.
    let on_behalf: Vec<(&str, Vec<&str>, &str)> = policy[1..]
        .iter()
        .map(|(id, actions, resource)| {
            let actions = actions.iter().map(String::as_str).collect();
            (id.as_str(), actions, resource.as_str())
        })
        .collect();
    assert_eq!(
        on_behalf,
        [
            (
                "PipebillAthenaTables",
                vec!["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"],
                "*"
            ),
            (
                "PipebillExports",
                vec!["s3:GetBucketLocation", "s3:ListBucket"],
                "arn:aws:s3:::cur"
            ),
            (
                "PipebillExportObjects",
                vec!["s3:GetObject"],
                "arn:aws:s3:::cur/exports/*"
            ),
            (
                "PipebillAthenaResults",
                vec!["s3:GetBucketLocation"],
                "arn:aws:s3:::out"
            ),
            (
                "PipebillAthenaResultObjects",
                vec!["s3:GetObject", "s3:PutObject"],
                "arn:aws:s3:::out/pipebill/*"
            ),
        ]
    );
}
