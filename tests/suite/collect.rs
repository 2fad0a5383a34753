//! Collecting from a double of AWS that is held to AWS's published models (`tests/double`).
//!
//! Everything stays on the loopback. Totals are those of `tests/double/expected.csv`, worked out by
//! hand. Without the double the tests say so and pass, except in CI.

#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use rusqlite::{Connection, types::ValueRef};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::check_references;

/// A double that serves one world.
pub(crate) struct Double {
    child: Child,
    pub(crate) port: u16,
}

impl Drop for Double {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("PIPEBILL_TEST_PYTHON")
        .map_or_else(|| root.join("target/venv/bin/python"), PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is not there: scripts/test installs it",
        python.display()
    );
    None
}

impl Double {
    pub(crate) fn start(world: &str) -> Option<Self> {
        Self::serve("double.py", world)
    }

    pub(crate) fn serve(script: &str, world: &str) -> Option<Self> {
        let Some(python) = python() else {
            println!("SKIPPED: no double of AWS; scripts/test installs what it needs");
            return None;
        };
        let mut child = Command::new(python)
            .args([script, world])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/double"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.trim().strip_prefix("port ").unwrap().parse().unwrap();
        Some(Self { child, port })
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: double\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Replaces the faults, and forgets the requests so far.
    #[expect(clippy::needless_pass_by_value, reason = "it reads better at the call")]
    pub(crate) fn faults(&self, faults: Value) {
        self.ask("POST", "/_faults", &faults.to_string());
    }

    pub(crate) fn log(&self) -> Vec<Value> {
        self.ask("GET", "/_log", "").as_array().unwrap().clone()
    }

    pub(crate) fn operations(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.log() {
            let operation = entry["op"].as_str().unwrap().to_owned();
            *counts.entry(operation).or_default() += 1;
        }
        counts
    }

    pub(crate) fn command(&self, ledger: &Path, arguments: &[&str]) -> Command {
        let mut command = pipebill(ledger, arguments);
        command.env(
            "AWS_ENDPOINT_URL",
            format!("http://127.0.0.1:{}", self.port),
        );
        command
    }

    pub(crate) fn run(&self, ledger: &Path, arguments: &[&str]) -> Output {
        self.command(ledger, arguments).output().unwrap()
    }

    /// Collects, and hands over what was said; it must end with this code.
    pub(crate) fn collect(&self, ledger: &Path, arguments: &[&str], code: i32) -> String {
        let arguments = [&["collect", "--rate", "10000"], arguments].concat();
        let output = self.run(ledger, &arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }
}

pub(crate) fn pipebill(ledger: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pipebill"));
    command
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", ledger.parent().unwrap())
        .env("COLUMNS", "300")
        .env("PIPEBILL_LEDGER", ledger)
        .env("PIPEBILL_AS_OF", "2026-11-22")
        .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("NO_PROXY", "127.0.0.1");
    command
}

pub(crate) fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

pub(crate) fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.sqlite");
    (folder, ledger)
}

/// Everything a ledger says, independent of the order in which it was written.
pub(crate) fn content(ledger: &Path) -> BTreeMap<&'static str, BTreeSet<String>> {
    let connection = Connection::open(ledger).unwrap();
    let place = "account || '/' || region || '/' || source || '/' || resource";
    let texts = "(SELECT value FROM text WHERE id = compute), \
                 (SELECT value FROM text WHERE id = fleet), \
                 (SELECT value FROM text WHERE id = pipeline)";
    let mut tables = BTreeMap::new();
    for (name, query) in [
        (
            "build",
            format!(
                "SELECT {place}, build.id, submitted, provisioned, ended, {texts}
                 FROM build JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "execution",
            format!(
                "SELECT {place}, execution.id, started, hex(revisions), rollback, open
                 FROM execution JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "action",
            format!(
                "SELECT {place}, action.id, started, ended, category, owner
                 FROM action JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "target",
            format!(
                "SELECT {place}, deployment, name, application, day, status
                 FROM target JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "identity",
            format!(
                "SELECT {place}, day, principal, session
                 FROM identity JOIN listing ON listing.id = listing"
            ),
        ),
        (
            "listing",
            format!(
                "SELECT {place}, newest, oldest, pass_cursor FROM listing WHERE source <> 'deployments' AND source <> 'identities'"
            ),
        ),
        ("pipeline", "SELECT * FROM pipeline".to_owned()),
        ("covered", "SELECT * FROM covered".to_owned()),
        ("not_collected", "SELECT * FROM not_collected".to_owned()),
        (
            "slice",
            "SELECT kind, source, month, first_day, last_day, hex(digest) FROM slice".to_owned(),
        ),
        ("closed", "SELECT * FROM closed".to_owned()),
    ] {
        let mut statement = connection.prepare(&query).unwrap();
        let columns = statement.column_count();
        let rows = statement
            .query_map([], |row| {
                let cell = |at| match row.get_ref(at).unwrap() {
                    ValueRef::Null => "-".to_owned(),
                    ValueRef::Integer(number) => number.to_string(),
                    ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                };
                Ok((0..columns).map(cell).collect::<Vec<_>>().join("|"))
            })
            .unwrap();
        tables.insert(name, rows.map(Result::unwrap).collect());
    }
    tables
}

/// What the ledger meters in a month, by service and usage type.
pub(crate) fn metered(ledger: &Path, month: &str) -> BTreeMap<(String, String), String> {
    let output = pipebill(
        ledger,
        &["usage", "--metered", "--month", month, "--format", "csv"],
    )
    .output()
    .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let mut reader = csv::Reader::from_reader(&output.stdout[..]);
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let text = |at: usize| row[at].to_owned();
            ((text(0), text(1)), text(2))
        })
        .collect()
}

#[test]
fn totals_are_those_worked_out_by_hand() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let announced = double.collect(&ledger, &["--deep"], 0);
    assert!(announced.contains("$0.26 for 26 requests"), "{announced}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/double/expected.csv");
    let mut expected: BTreeMap<String, BTreeMap<(String, String), String>> = BTreeMap::new();
    for row in csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let meter = (row[1].to_owned(), row[2].to_owned());
        expected
            .entry(row[0].to_owned())
            .or_default()
            .insert(meter, row[3].to_owned());
    }
    for (month, totals) in expected {
        assert_eq!(metered(&ledger, &month), totals, "{month}");
    }
    let usage = double.run(&ledger, &["usage", "--metered", "--month", "2026-10"]);
    let usage = said(&usage);
    for gap in [
        "Docker servers of CodeBuild builds in us-east-1",
        "CodeBuild time of 2 minutes of pipeline commands in us-east-1",
    ] {
        assert!(usage.contains(gap), "{gap}: {usage}");
    }
    // What AWS billed stands beside it, untouched.
    let bill = double.run(&ledger, &["bill", "--month", "2026-10", "--format", "json"]);
    let bill: Value = serde_json::from_slice(&bill.stdout).unwrap();
    assert_eq!(
        bill["aws_total"].as_str().or(bill["total"].as_str()),
        Some("0.187"),
        "{bill}"
    );
}

#[test]
fn another_client_arrives_at_the_same_totals() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--deep"], 0);
    let reference = Command::new(python().unwrap())
        .args([
            "tests/double/reference.py",
            &double.port.to_string(),
            "2026-10",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_clear()
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    assert!(reference.status.success(), "{}", said(&reference));
    let theirs: BTreeMap<(String, String), String> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&reference.stdout[..])
        .records()
        .map(|row| {
            let row = row.unwrap();
            ((row[0].to_owned(), row[1].to_owned()), row[2].to_owned())
        })
        .collect();
    assert_eq!(metered(&ledger, "2026-10"), theirs);
}

#[test]
fn costs_that_were_imported_before_are_not_added_to_collected_ones() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (folder, ledger) = place();
    let file = folder.path().join("ce.json");
    let charge = json!({"Keys": ["CodeBuild", "USE1-Build-Min:Linux:g1.small"], "Metrics": {
        "UnblendedCost": {"Amount": "0.015", "Unit": "USD"},
        "UsageQuantity": {"Amount": "3", "Unit": "Minutes"}}});
    let answer = json!({
        "GroupDefinitions": [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}],
        "ResultsByTime": [{"TimePeriod": {"Start": "2026-10-05", "End": "2026-10-06"}, "Groups": [charge]}],
    });
    fs::write(&file, answer.to_string()).unwrap();
    let imported = double.run(&ledger, &["import", file.to_str().unwrap()]);
    assert!(imported.status.success(), "{}", said(&imported));
    double.collect(&ledger, &[], 0);
    let bill = double.run(&ledger, &["bill", "--month", "2026-10", "--format", "json"]);
    let bill: Value = serde_json::from_slice(&bill.stdout).unwrap();
    assert_eq!(
        bill["aws_total"].as_str().or(bill["total"].as_str()),
        Some("0.187"),
        "{bill}"
    );
}

#[test]
fn collecting_again_changes_nothing_and_asks_little() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--deep"], 0);
    let before = content(&ledger);
    double.faults(json!({}));
    double.collect(&ledger, &["--deep"], 0);
    assert_eq!(content(&ledger), before);
    let asked = double.operations();
    // Closed months are not asked for again, ended builds not fetched again.
    assert_eq!(asked["ce.GetCostAndUsage"], 4, "{asked:?}");
    assert!(!asked.contains_key("codebuild.BatchGetBuilds"), "{asked:?}");
}

#[test]
fn builds_of_a_project_that_is_deleted_stay_and_are_found_once() {
    let Some(before) = Double::start("small") else {
        return;
    };
    let Some(after) = Double::start("later") else {
        return;
    };
    let (_folder, ledger) = place();
    before.collect(&ledger, &["--services", "codebuild"], 0);
    after.collect(&ledger, &["--services", "codebuild"], 0);
    let (_folder, anew) = place();
    after.collect(&anew, &["--services", "codebuild"], 0);
    let small = (
        "CodeBuild".to_owned(),
        "Build-Min:Linux:g1.small".to_owned(),
    );
    // Five minutes of before and a build of half a minute.
    for ledger in [&ledger, &anew] {
        assert_eq!(metered(ledger, "2026-10")[&small], "6");
        assert_eq!(content(ledger)["build"].len(), 11);
    }
    assert_eq!(content(&ledger)["build"], content(&anew)["build"]);
}

#[test]
fn the_list_of_all_builds_is_read_to_what_is_known_if_it_comes_in_order() {
    let Some(double) = Double::start("large:3,700,0,0") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &["--services", "codebuild"], 0);
    assert_eq!(double.operations()["codebuild.ListBuilds"], 21);
    double.faults(json!({}));
    double.collect(&ledger, &["--services", "codebuild"], 0);
    assert!(double.operations()["codebuild.ListBuilds"] <= 2);
}

#[test]
fn the_policy_is_what_is_called() {
    let Some(double) = Double::start("small") else {
        return;
    };
    for flags in [
        &[][..],
        &["--deep"],
        &["--services", "codebuild,codecommit"],
        &["--services", "cost-explorer"],
        &["--deep", "--organization", "--role-name", "Reader"],
    ] {
        let (_folder, ledger) = place();
        double.faults(json!({}));
        double.collect(&ledger, flags, 0);
        let called: BTreeSet<String> = double
            .operations()
            .into_keys()
            // Everyone may ask who they are.
            .filter(|operation| operation != "sts.GetCallerIdentity")
            .map(|operation| operation.replace('.', ":"))
            .collect();
        let policy = double.run(&ledger, &[&["policy"], flags].concat());
        let policy: Value = serde_json::from_slice(&policy.stdout).unwrap();
        let allowed: BTreeSet<String> = policy["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(called, allowed, "{flags:?}");
    }
}

#[test]
fn planted_secrets_are_nowhere() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (folder, ledger) = place();
    let mut all = double.collect(&ledger, &["--deep", "-vv"], 0);
    assert!(all.contains("call: codebuild:BatchGetBuilds"), "{all}");
    assert!(all.contains("attempt 1: HTTP 200"), "{all}");
    for arguments in [
        &[
            "usage",
            "--metered",
            "--month",
            "2026-10",
            "--by",
            "project",
            "--by",
            "tag:pipebill:pipeline",
        ][..],
        &["usage", "--month", "2026-10"],
        &["bill", "--month", "2026-10", "--explain"],
        &["bill", "--month", "2026-10", "--reconcile"],
    ] {
        all += &said(&double.run(&ledger, arguments));
    }
    double.faults(json!({"codebuild.BatchGetBuilds": {"kind": "code", "code": "X", "message": "PLANTED-SECRET"}}));
    let (other, second) = place();
    all += &double.collect(&second, &["--deep", "-vv"], 1);
    assert!(all.contains("X (HTTP 400)"), "{all}");
    // Nor are credentials, signatures and page tokens.
    for secret in [
        "PLANTED",
        "AKIDTEST",
        "Signature",
        "Authorization",
        "nextToken",
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    for folder in [folder, other] {
        for file in fs::read_dir(folder.path()).unwrap() {
            let bytes = fs::read(file.unwrap().path()).unwrap();
            assert!(!String::from_utf8_lossy(&bytes).contains("PLANTED"));
        }
    }
}

#[test]
fn a_denied_service_is_a_gap_and_the_others_are_whole() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, whole) = place();
    double.collect(&whole, &["--deep"], 0);
    let whole = content(&whole);
    double.faults(json!({"codebuild.ListBuildsForProject": {"kind": "deny"}}));
    let (_folder, ledger) = place();
    let told = double.collect(&ledger, &["--deep"], 0);
    assert!(
        told.contains("access denied to codebuild:ListBuildsForProject"),
        "{told}"
    );
    double.collect(&ledger, &["--deep", "--strict"], 4);
    let partial = content(&ledger);
    for table in ["execution", "action", "target", "identity", "slice"] {
        assert_eq!(partial[table], whole[table], "{table}");
    }
    assert!(partial["build"].is_empty());
    let usage = double.run(&ledger, &["usage", "--metered", "--month", "2026-10"]);
    let usage = said(&usage);
    assert!(
        usage.contains("Missing: CodeBuild builds in us-east-1, account 111111111111"),
        "{usage}"
    );
    // Once it is allowed the gap is gone.
    double.faults(json!({}));
    double.collect(&ledger, &["--deep"], 0);
    assert_eq!(content(&ledger)["not_collected"], BTreeSet::new());
    assert_eq!(content(&ledger)["build"], whole["build"]);
}

#[test]
fn cost_explorer_denied_leaves_the_rest() {
    let Some(double) = Double::start("small") else {
        return;
    };
    double.faults(json!({"ce.GetCostAndUsage": {"kind": "deny"}}));
    let (_folder, ledger) = place();
    let said = double.collect(&ledger, &[], 0);
    assert!(
        said.contains("access denied to ce:GetCostAndUsage"),
        "{said}"
    );
    assert_eq!(double.operations()["ce.GetCostAndUsage"], 1);
    assert_eq!(content(&ledger)["build"].len(), 10);
}

#[test]
fn requests_that_cost_stop_before_the_limit() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let said = double.collect(&ledger, &["--max-api-cost", "0.10"], 0);
    assert!(
        said.contains("stopped before passing --max-api-cost"),
        "{said}"
    );
    assert_eq!(double.operations()["ce.GetCostAndUsage"], 10);
    double.faults(json!({}));
    let said = double.collect(&ledger, &["--dry-run"], 0);
    assert!(said.contains("at least"), "{said}");
    assert!(!double.operations().contains_key("ce.GetCostAndUsage"));
}

#[test]
fn values_of_the_future_and_running_builds_are_gaps() {
    let Some(double) = Double::start("future") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &[], 0);
    let output = double.run(&ledger, &["usage", "--metered", "--month", "2026-10"]);
    let text = said(&output);
    for gap in [
        "no meter is known for LINUX_CONTAINER/FUTURE_SIZE",
        "still running",
        "pipeline type FUTURE_V3 is not known",
        "status FUTURE_STATUS is not known",
    ] {
        assert!(text.contains(gap), "{gap}: {text}");
    }
    let strict = double.run(
        &ledger,
        &["usage", "--metered", "--month", "2026-10", "--strict"],
    );
    assert_eq!(strict.status.code(), Some(4));
    // Builds that went on are fetched again.
    double.faults(json!({}));
    double.collect(&ledger, &["--services", "codebuild"], 0);
    assert!(double.operations()["codebuild.BatchGetBuilds"] >= 1);
}

#[test]
fn accounts_behind_roles_and_of_the_organization() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let said = double.collect(
        &ledger,
        &[
            "--organization",
            "--role-name",
            "Reader",
            "--region",
            "us-east-1",
        ],
        0,
    );
    // The third account has no such role.
    assert!(
        said.contains("account 333333333333: access denied to sts:AssumeRole"),
        "{said}"
    );
    assert_eq!(
        metered(&ledger, "2026-10")[&(
            "CodeBuild".to_owned(),
            "Build-Min:Linux:g1.small".to_owned()
        )],
        "7"
    );
    let (_folder, ledger) = place();
    let role = "arn:aws:iam::222222222222:role/Guarded";
    double.collect(
        &ledger,
        &["--role-arn", role, "--external-id", "open sesame"],
        0,
    );
    assert_eq!(metered(&ledger, "2026-10").len(), 1);
    let said = double.collect(&ledger, &["--role-arn", role], 1);
    assert!(said.contains("no account could be opened"), "{said}");
}

#[test]
fn all_regions_skip_those_that_are_off() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let said = double.collect(&ledger, &["--region", "all"], 0);
    assert!(
        said.contains("ap-east-1 is not enabled for 111111111111"),
        "{said}"
    );
    assert_eq!(content(&ledger)["build"].len(), 10);
}

type Environment<'e> = &'e [(&'e str, &'e str)];

#[test]
fn what_keeps_it_from_starting_is_said_within_seconds() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let Some(skewed) = Double::start("skewed") else {
        return;
    };
    let (_folder, ledger) = place();
    let cases: [(&Double, Environment<'_>, &str); 7] = [
        (
            &double,
            &[("AWS_ACCESS_KEY_ID", "")],
            "no AWS credentials were found",
        ),
        (&double, &[("AWS_REGION", "")], "no AWS region was named"),
        (&double, &[("AWS_ACCESS_KEY_ID", "EXPIRED")], "have expired"),
        (
            &double,
            &[("AWS_ACCESS_KEY_ID", "UNKNOWN")],
            "refuses the credentials",
        ),
        (
            &double,
            &[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")],
            "cannot reach AWS",
        ),
        (
            &double,
            &[("AWS_ENDPOINT_URL", "http://nowhere.invalid")],
            "cannot reach AWS",
        ),
        (&skewed, &[], "this machine's clock is"),
    ];
    for (double, environment, expected) in cases {
        let begun = Instant::now();
        let mut command = double.command(&ledger, &["collect"]);
        command.envs(environment.iter().copied());
        let output = command.output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
        assert!(begun.elapsed() < Duration::from_secs(12), "{expected}");
    }
}

#[test]
fn the_doctor_tries_what_the_policy_allows_and_says_what_is_missing() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let arguments = [
        "doctor",
        "--deep",
        "--forecast",
        "--prices",
        "--services",
        "cost-explorer,codebuild,codepipeline,codedeploy,cloudtrail,codecommit",
    ];
    let output = double.run(&ledger, &arguments);
    let healthy = said(&output);
    assert_eq!(output.status.code(), Some(0), "{healthy}");
    for found in [
        "costs from 2026-10-01 on",
        "kept for a year",
        "right to five seconds",
    ] {
        assert!(healthy.contains(found), "{found}: {healthy}");
    }
    let policy = double.run(&ledger, &[&["policy"], &arguments[1..]].concat());
    let policy: Value = serde_json::from_slice(&policy.stdout).unwrap();
    let allowed = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap().replace(':', "."));
    let tried: BTreeSet<String> = double.operations().into_keys().collect();
    for action in allowed {
        assert!(tried.contains(&action), "{action} is not tried");
    }
    // It leaves no ledger behind.
    assert!(!ledger.exists());
    double.faults(json!({"codepipeline.ListPipelines": {"kind": "deny"}}));
    let output = double.run(&ledger, &arguments);
    let ill = said(&output);
    assert_eq!(output.status.code(), Some(1), "{ill}");
    assert!(
        ill.contains(
            r#"{"Sid":"PipebillCodePipeline","Effect":"Allow","Action":["codepipeline:ListPipelines"],"Resource":"*"}"#
        ),
        "{ill}"
    );
}

#[test]
fn price_lists_are_fetched_whole_or_not_at_all() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (folder, ledger) = place();
    let base = format!("http://127.0.0.1:{}/offers/v1.0/aws", double.port);
    let update = |more: &[&str]| {
        let arguments = [&["prices", "update", "--base-url", &base], more].concat();
        double.run(&ledger, &arguments)
    };
    // The second service is not published: nothing of the first is kept.
    let output = update(&["--service", "codebuild", "--service", "codedeploy"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("HTTP 404"), "{}", said(&output));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let output = update(&["--service", "codebuild", "--service", "codepipeline"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("3 prices read from 2 lists: 1 changed, 2 as before"),
        "{text}"
    );
    assert!(text.contains("Build-Min:Linux:g1.medium"), "{text}");
    // The new price is the one that is used, and it is no change any more.
    let estimate = double.run(
        &ledger,
        &[
            "estimate",
            "--codebuild",
            "general1.medium=1000",
            "--format",
            "json",
        ],
    );
    assert!(said(&estimate).contains("\"11\""), "{}", said(&estimate));
    let again = said(&update(&["--service", "codebuild"]));
    assert!(again.contains("0 changed, 2 as before"), "{again}");
    let elsewhere = said(&update(&[
        "--service",
        "codebuild",
        "--region",
        "eu-west-1",
    ]));
    assert!(
        elsewhere.contains("no price list of CodeBuild in eu-west-1"),
        "{elsewhere}"
    );
}

#[test]
fn prices_can_be_queried_where_the_files_are_out_of_reach() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let services = ["--service", "codebuild", "--service", "codepipeline"];
    let update = |ledger: &Path, more: &[&str]| {
        let arguments = [&["prices", "update"], &services[..], more].concat();
        double.run(ledger, &arguments)
    };
    let (_folder, queried) = place();
    let output = update(&queried, &["--from", "query"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("3 prices read from 2 lists: 1 changed, 2 as before"),
        "{text}"
    );
    // Three products, two to a page; the policy allows this call and no other.
    assert_eq!(double.operations()["pricing.GetProducts"], 3);
    let policy = said(&double.run(&queried, &["policy", "--prices"]));
    assert!(policy.contains("\"pricing:GetProducts\""), "{policy}");
    // The files say the same.
    let (_folder, fetched) = place();
    let base = format!("http://127.0.0.1:{}/offers/v1.0/aws", double.port);
    let output = update(&fetched, &["--base-url", &base]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let priced = |ledger: &Path| {
        let arguments = [
            "estimate",
            "--codebuild",
            "general1.medium=1000",
            "--format",
            "csv",
        ];
        let output = double.run(ledger, &arguments);
        let mut reader = csv::Reader::from_reader(&output.stdout[..]);
        let headers = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        [
            "unit_price",
            "cost",
            "currency",
            "price_origin",
            "price_date",
        ]
        .map(|name| {
            let at = headers.iter().position(|header| header == name).unwrap();
            row[at].to_owned()
        })
    };
    assert_eq!(priced(&queried), priced(&fetched));
    assert_eq!(priced(&queried)[..2], ["0.011", "11"]);
    // Denied, nothing is changed.
    double.faults(json!({"pricing.GetProducts": {"kind": "deny"}}));
    let (folder, denied) = place();
    let output = update(&denied, &["--from", "query"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains("access denied to pricing:GetProducts"),
        "{text}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn chinas_prices_are_in_its_own_currency() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (folder, ledger) = place();
    let update = |partition: &str, region: &str| {
        let base = format!("http://127.0.0.1:{}/offers/v1.0/{partition}", double.port);
        double.run(
            &ledger,
            &[
                "prices",
                "update",
                "--base-url",
                &base,
                "--service",
                "codebuild",
                "--region",
                region,
            ],
        )
    };
    // Prices of one currency are no prices of a region that bills in another.
    let output = said(&update("wrong", "us-east-1"));
    assert!(
        output.contains("no price of a meter that is known here"),
        "{output}"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let output = update("cn", "cn-north-1");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let estimate = double.run(
        &ledger,
        &[
            "estimate",
            "--region",
            "cn-north-1",
            "--codebuild",
            "general1.small=1000",
        ],
    );
    // China has its own free tier rules; the price is 0.033 yuan, not dollars.
    let text = said(&estimate);
    assert!(text.contains("CNY"), "{text}");
    assert!(!text.contains('$'), "{text}");
    assert!(text.contains("0.033"), "{text}");
}

#[test]
fn the_forecast_of_aws_stands_beside_ours() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &[], 0);
    double.faults(json!({}));
    let forecast = |more: &[&str]| {
        let arguments = [&["forecast", "--months", "1", "--with-aws"], more].concat();
        double.run(&ledger, &arguments)
    };
    let output = forecast(&["--format", "json"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("forecast: 2 requests to Cost Explorer, $0.02"),
        "{text}"
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = |at: usize| {
        let month = &answer["rows"][at];
        ["month", "aws_low", "aws_mean", "aws_high"]
            .map(|key| month[key].as_str().unwrap_or("").to_owned())
    };
    // The usage of the two services came to 1.202 in all, so that a day is expected to cost 0.01202:
    // neither EC2 nor the credit nor the tax. The rest of November has nine days, 0.10818, and cost
    // 0.015 before; 20 % of the nine days is the range. December has 31 days.
    assert_eq!(
        figures(0),
        ["2026-11", "0.101544", "0.12318", "0.144816"],
        "{text}"
    );
    assert_eq!(
        figures(1),
        ["2026-12", "0.298096", "0.37262", "0.447144"],
        "{text}"
    );
    let asked = double.operations();
    assert_eq!(asked["ce.GetCostForecast"], 2);
    assert_eq!(asked.len(), 2, "{asked:?}");
    for request in double
        .log()
        .iter()
        .filter(|entry| entry["op"] == "ce.GetCostForecast")
    {
        let filter = &request["request"]["Filter"]["And"];
        assert_eq!(filter[0]["Dimensions"]["Key"], "SERVICE");
        assert_eq!(
            filter[1]["Dimensions"],
            json!({"Key": "RECORD_TYPE", "Values": ["Usage"]})
        );
    }
    let policy = said(&double.run(&ledger, &["policy", "--forecast"]));
    assert!(policy.contains("\"ce:GetCostForecast\""), "{policy}");
    let table = said(&forecast(&[]));
    assert!(table.contains("AWS low"), "{table}");
    assert!(table.contains("80 % prediction interval"), "{table}");

    // A young account gets ours.
    double.faults(
        json!({"ce.GetCostForecast": {"kind": "code", "code": "DataUnavailableException"}}),
    );
    let output = forecast(&[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("No forecast of AWS: Cost Explorer has too little history"),
        "{text}"
    );
    assert!(text.contains("2026-12"), "{text}");
    assert_eq!(double.operations()["ce.GetCostForecast"], 1);
    assert_eq!(forecast(&["--strict"]).status.code(), Some(4));

    // Nothing is spent beyond the limit.
    double.faults(json!({}));
    let text = said(&forecast(&["--max-api-cost", "0.01"]));
    assert!(
        text.contains("stopped before passing --max-api-cost"),
        "{text}"
    );
    assert!(double.log().is_empty());
    let output = double.run(&ledger, &["forecast", "--demo", "--with-aws"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[test]
fn the_doctor_names_the_role_that_may_not_be_taken() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let services = ["--services", "codebuild", "--region", "us-east-1"];
    let arguments = [
        &["doctor", "--organization", "--role-name", "Reader"],
        &services[..],
    ]
    .concat();
    let output = double.run(&ledger, &arguments);
    let ill = said(&output);
    assert_eq!(output.status.code(), Some(1), "{ill}");
    assert!(ill.contains("account 333333333333"), "{ill}");
    assert!(
        ill.contains(r#""Action":["sts:AssumeRole"],"Resource":"arn:aws:iam::*:role/Reader"}"#),
        "{ill}"
    );
}

/// moto: accounts, roles and an organization as somebody else has written AWS's answers down.
#[test]
fn the_accounts_of_another_server_are_opened() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let mut child = Command::new(python().unwrap())
        .args(["elsewhere.py"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/double"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let (port, ids) = (words[1], &words[2..]);
    assert_eq!(ids.len(), 3, "{line}");
    let (_folder, ledger) = place();
    let arguments = [
        "collect",
        "--rate",
        "10000",
        "--services",
        "codebuild,codepipeline",
        "--organization",
        "--role-name",
        "Reader",
    ];
    let mut command = double.command(&ledger, &arguments);
    for service in ["STS", "ORGANIZATIONS"] {
        let address = format!("http://127.0.0.1:{port}");
        command.env(format!("AWS_ENDPOINT_URL_{service}"), address);
    }
    let output = command.output();
    drop(child.kill());
    drop(child.wait());
    let output = output.unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("collect: 3 accounts"), "{said}");
    for id in ids {
        let covered = content(&ledger)["covered"]
            .iter()
            .filter(|row| row.contains(id))
            .count();
        assert!(covered >= 3, "{id}: {said}");
    }
}

/// Kills a collection at request `n`: with the request unanswered, or while it works on the answer.
fn killed(double: &Double, ledger: &Path, at: usize, hang: bool) -> usize {
    double.faults(if hang {
        json!({"*": {"kind": "hang", "after": at, "times": 1}})
    } else {
        json!({})
    });
    let mut child = double
        .command(ledger, &["collect", "--rate", "10000"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    loop {
        if double.log().len() >= at || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    double.log().len()
}

#[test]
fn a_collection_killed_anywhere_goes_on_without_loss_or_double() {
    // More points and a larger world for the figures in the README.
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(default)
    };
    let points = number("PIPEBILL_KILL_POINTS", 8);
    let builds = number("PIPEBILL_KILL_BUILDS", 2_000);
    let runs = builds / 4;
    let world = format!("large:4,{},4,{}", builds / 4, runs / 4);
    let Some(double) = Double::start(&world) else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &[], 0);
    let whole = content(&ledger);
    assert_eq!(whole["build"].len() as u64, builds);
    assert_eq!(whole["execution"].len() as u64, runs);
    let requests = double.log().len();
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    for point in 0..points {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = 1 + usize::try_from(random % requests as u64).unwrap();
        let (_folder, ledger) = place();
        let first = killed(&double, &ledger, at, point % 2 == 0);
        double.faults(json!({}));
        double.collect(&ledger, &[], 0);
        let second = double.log().len();
        let mut resumed = content(&ledger);
        let mut whole = whole.clone();
        // A listing that was taken up again is read once more at its top, which moves nothing.
        for tables in [&mut resumed, &mut whole] {
            tables.remove("listing");
        }
        assert!(resumed == whole, "killed at request {at} of {requests}");
        check_references(&ledger);
        println!("killed at request {at}: {first} and {second} requests, {requests} without");
        let most = requests * 6 / 5 + 40;
        assert!(
            first + second <= most,
            "killed at {at}: {first} and {second} requests, {requests} without"
        );
    }
}
