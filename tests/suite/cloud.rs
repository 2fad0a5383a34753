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
    collect::sample,
    domain::{
        money::Money,
        usage::{Tags, UsageRecord},
    },
    ledger::Ledger,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    collect::{Double, pipebill, place, python, said},
    support::{dec, root},
};

const MONTH: &str = "2026-10";

/// Exports as AWS delivers them, and tables over them.
struct Exports {
    folder: TempDir,
    tables: Value,
}

impl Exports {
    fn new() -> Option<Self> {
        python()?;
        let tables = json!({"workgroups": {"primary": {
            "configuration": {"ResultConfiguration": {"OutputLocation": "s3://results/"}}
        }}});
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
            tables,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Delivers an export; the tables over it are `billing.NAME_parquet` and `billing.NAME_csv`.
    fn deliver(&mut self, name: &str, kind: &str, export: &Path) {
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

    fn deliver_sample(&mut self) {
        let export = self.path("sample.csv");
        sample::write_cur(&mut File::create(&export).unwrap()).unwrap();
        self.deliver("sample", "cur2", &export);
    }

    fn deliver_fixture(&mut self, name: &str, kind: &str) {
        let file = root().join("tests/fixtures/import").join(name);
        self.deliver(kind, kind, &file);
    }

    /// The files of the month.
    fn files(&self, name: &str, kind: &str, format: &str) -> Vec<PathBuf> {
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

    fn athena(&self) -> Double {
        let tables = self.path("tables.json");
        fs::write(&tables, self.tables.to_string()).unwrap();
        Double::serve("athena.py", self.folder.path().to_str().unwrap()).unwrap()
    }
}

/// Asks Athena for the month; it must end with this code.
fn ask(double: &Double, ledger: &Path, table: &str, more: &[&str], code: i32) -> String {
    let url = format!("athena://billing.{table}");
    let arguments = [&["import", &url, "--month", MONTH], more].concat();
    let output = double.run(ledger, &arguments);
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

/// Everything that a ledger says of the month, but for where it comes from.
fn rows(ledger: &Path) -> (Vec<UsageRecord>, Vec<String>) {
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
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    exports.deliver_fixture("cur2.csv", "cur2");
    exports.deliver_fixture("legacy-cur.csv", "legacy");
    exports.deliver_fixture("focus-1.2.csv", "focus");
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
    let elsewhere = ["--dry-run", "--region", "eu-west-2"];
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
            "is no known billing export",
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
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert_eq!(double.operations()["athena.StopQueryExecution"], 1);
    assert!(!ledger.exists());
}

/// What the policy allows, by statement.
fn allowed(ledger: &Path, flags: &[&str]) -> Vec<(String, BTreeSet<String>, String)> {
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

/// S3 with everything below the folder of some exports.
fn bucket(exports: &Exports) -> Double {
    Double::serve("bucket.py", exports.folder.path().to_str().unwrap()).unwrap()
}

/// Imports a place of the bucket; it must end with this code.
fn from_s3(bucket: &Double, ledger: &Path, place: &str, more: &[&str], code: i32) -> String {
    let url = format!("s3://cur/{place}");
    let output = bucket.run(ledger, &[&["import", &url], more].concat());
    assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    said(&output)
}

/// The objects that were asked for, without listings.
fn read_objects(bucket: &Double) -> Vec<Value> {
    let log = bucket.log();
    let objects = log.into_iter().filter(|call| {
        let path = call["path"].as_str().unwrap();
        path.starts_with("/cur/") && path.len() > "/cur/".len()
    });
    objects.collect()
}

fn import_files(ledger: &Path, files: &[PathBuf]) {
    let files: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let output = pipebill(ledger, &[&["import"][..], &files].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn an_export_says_the_same_from_s3() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    exports.deliver_fixture("cur2.csv", "cur2");
    exports.deliver_fixture("legacy-cur.csv", "legacy");
    exports.deliver_fixture("focus-1.2.csv", "focus");
    let bucket = bucket(&exports);
    for name in ["sample", "cur2", "legacy", "focus"] {
        for format in ["csv", "parquet"] {
            let (_folder, by_file) = place();
            import_files(&by_file, &exports.files(name, name, format));
            let (_folder, ledger) = place();
            let from = format!("{name}/{format}/");
            from_s3(&bucket, &ledger, &from, &["--month", MONTH], 0);
            assert_eq!(rows(&ledger), rows(&by_file), "{from}");
            assert!(!rows(&ledger).0.is_empty());
        }
    }
}

#[test]
fn of_s3_only_the_month_is_read_and_only_once() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_sample();
    let bucket = bucket(&exports);
    let (_folder, ledger) = place();
    bucket.faults(json!([]));
    from_s3(&bucket, &ledger, "sample/parquet", &["--month", MONTH], 0);
    let before = rows(&ledger);
    let read = read_objects(&bucket);
    assert!(!read.is_empty());
    let month = format!("/cur/sample/parquet/billing_period={MONTH}/");
    for call in &read {
        // Only stretches, and only of the object that was listed.
        assert!(call["path"].as_str().unwrap().starts_with(&month), "{call}");
        assert!(
            call["range"].is_string() && call["if_match"].is_string(),
            "{call}"
        );
        assert_eq!(call["signed"], true);
    }
    bucket.faults(json!([]));
    let said = from_s3(&bucket, &ledger, "sample/parquet", &["--month", MONTH], 0);
    assert!(said.contains("nothing changed"), "{said}");
    assert_eq!(read_objects(&bucket), Vec::<Value>::new());
    assert_eq!(rows(&ledger), before);
    // One object is a place, too.
    let (_folder, single) = place();
    let file = &exports.files("sample", "cur2", "csv")[0];
    let inside = file.strip_prefix(exports.folder.path()).unwrap();
    from_s3(&bucket, &single, inside.to_str().unwrap(), &[], 0);
    assert_eq!(rows(&single), before);
}

#[test]
fn faults_of_s3_are_waited_out_or_named() {
    let Some(mut exports) = Exports::new() else {
        return;
    };
    exports.deliver_fixture("cur2.csv", "cur2");
    let bucket = bucket(&exports);
    let (_folder, quiet) = place();
    bucket.faults(json!([]));
    from_s3(&bucket, &quiet, "cur2/parquet", &[], 0);
    for (status, code) in [(503, "SlowDown"), (500, "InternalError")] {
        let (_folder, ledger) = place();
        bucket.faults(
            json!([{"path": "/cur", "after": 1, "times": 2, "status": status, "code": code}]),
        );
        from_s3(&bucket, &ledger, "cur2/parquet", &[], 0);
        assert_eq!(rows(&ledger), rows(&quiet));
    }
    let (_folder, ledger) = place();
    for (fault, place, error, hint) in [
        (
            json!([{"path": "/cur", "status": 403, "code": "AccessDenied"}]),
            "cur2/parquet",
            "access denied to s3://cur/cur2/parquet",
            "pipebill policy --exports",
        ),
        (
            json!([{"path": "data_0.parquet", "status": 403, "code": "AccessDenied"}]),
            "cur2/parquet",
            "data_0.parquet",
            "pipebill policy --exports",
        ),
        (
            json!([{"path": "data_0.parquet", "after": 1, "times": 1, "replace": true}]),
            "cur2/parquet",
            "replaced while it was read",
            "run the same again",
        ),
        (
            json!([]),
            "nothing/here",
            "has no export",
            "name the folder",
        ),
    ] {
        bucket.faults(fault);
        let said = from_s3(&bucket, &ledger, place, &[], 1);
        assert!(
            said.contains(error) && said.contains(hint),
            "{error}:\n{said}"
        );
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
        assert!(!ledger.exists());
    }
    bucket.faults(json!([]));
    for (key, url, error) in [
        ("EXPIRED", "s3://cur/cur2/csv", "credentials have expired"),
        ("AKIDTEST", "s3://gone/cur2", "is not there"),
    ] {
        let mut command = bucket.command(&ledger, &["import", url]);
        let output = command.env("AWS_ACCESS_KEY_ID", key).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(error), "{}", said(&output));
        assert!(!ledger.exists());
    }
}

#[test]
fn the_policy_for_s3_is_what_is_called() {
    let (_folder, ledger) = place();
    let policy = allowed(&ledger, &["--exports", "s3://cur/exports"]);
    let of = |action: &str| BTreeSet::from([action.to_owned()]);
    // A listing asks the bucket, a stretch its object: the log of the tests above has no other call.
    assert_eq!(
        policy,
        [
            (
                "PipebillExports".to_owned(),
                of("s3:ListBucket"),
                "arn:aws:s3:::cur".to_owned()
            ),
            (
                "PipebillExportObjects".to_owned(),
                of("s3:GetObject"),
                "arn:aws:s3:::cur/exports/*".to_owned()
            ),
        ]
    );
}
