//! What programs read: every JSON of every command validates against its schema, by a validator that
//! is not ours; so do the samples and the examples of `docs/json.md`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use assert_cmd::cargo::cargo_bin;
use serde_json::{Value, json};

use crate::{
    double::{Double, place, python},
    support::{files_under, read, root, skipped},
};

/// Answers of the sample, each with the schema it has.
const ANSWERS: &[(&str, &[&str])] = &[
    ("bill", &["bill", "--month", "2026-10"]),
    ("allocation", &["bill", "--by", "tag:team"]),
    (
        "reconciliation",
        &["bill", "--reconcile", "--month", "2026-10"],
    ),
    (
        "usage",
        &[
            "usage", "--by", "tag:team", "--by", "tag:env", "--by", "service",
        ],
    ),
    (
        "forecast",
        &["forecast", "--months", "1", "--budget", "400", "--explain"],
    ),
    (
        "forecast",
        &["forecast", "--months", "0", "--by", "account"],
    ),
    ("optimize", &["optimize", "--history", "1"]),
    (
        "compare",
        &[
            "compare",
            "--github-plan",
            "team",
            "--project",
            "checkout-*",
        ],
    ),
    ("check", &["check", "--budget", "4000", "--against", "bill"]),
    ("prices", &["prices", "list", "--service", "codepipeline"]),
    ("regions", &["prices", "regions"]),
    ("price", &["prices", "show", "codebuild"]),
    ("prices-age", &["prices", "verify"]),
    ("chart", &["report", "--chart", "services"]),
    (
        "whatif",
        &["whatif", "--set", "compute[general1.*]=arm1.small"],
    ),
    (
        "whatif-sweep",
        &["whatif", "--sweep", "active_users=5..15:5"],
    ),
    (
        "whatif-breakeven",
        &[
            "whatif",
            "--set",
            "compute[*]=arm1.large",
            "--breakeven",
            "speed",
        ],
    ),
    ("whatif-tornado", &["whatif", "--tornado", "20%"]),
    ("why", &["why"]),
    ("why", &["why", "--against", "mean", "--by", "pipeline"]),
    ("bill", &["estimate", "--codebuild", "general1.small=1100"]),
    (
        "infra",
        &[
            "estimate",
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/fixtures/infra/terraform/changes.json"
            ),
            "--usage-of",
            "api=300x95s",
        ],
    ),
];

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(cargo_bin("pipebill"))
        .args(arguments)
        .args(["--as-of", "2026-11-22"])
        .env("PIPEBILL_LEDGER", folder.join("ledger.sqlite"))
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs a command of the sample.
fn demo(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, &[arguments, &["--demo"]].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Validates files, and returns which schemas they have and which there are.
pub(crate) fn validated(files: &[PathBuf]) -> Option<[BTreeSet<String>; 2]> {
    let output = Command::new(python()?)
        .arg(root().join("tests/oracles/validate.py"))
        .arg(root().join("reports/schemas"))
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ModuleNotFoundError") {
        skipped("no Python module jsonschema");
        return None;
    }
    assert!(output.status.success(), "{said}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |key: &str| {
        let all = found[key].as_array().unwrap().iter();
        all.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    Some([names("seen"), names("known")])
}

#[test]
fn every_answer_is_one_document_of_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut files = Vec::new();
    for (at, (name, arguments)) in ANSWERS.iter().enumerate() {
        let file = folder.join(format!("{at}.json"));
        let text = demo(folder, &[arguments, &["--format", "json"][..]].concat());
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            answer["schema"],
            format!("pipebill.{name}/1"),
            "{arguments:?}"
        );
        std::fs::write(&file, text).unwrap();
        files.push(file);
    }
    let import = root().join("tests/fixtures/import/cur2.csv");
    let imported = run(
        folder,
        &["import", import.to_str().unwrap(), "--format", "json"],
    );
    assert!(imported.status.success(), "{imported:?}");
    let file = folder.join("import.json");
    std::fs::write(&file, imported.stdout).unwrap();
    files.push(file);
    let samples = files_under("reports/samples");
    files.extend(
        samples
            .into_iter()
            .filter(|file| file.extension().is_some_and(|it| it == "json")),
    );
    validated(&files);
}

/// Validates what a command wrote to stdout, and has the schema of this name.
pub(crate) fn assert_schema(name: &str, output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(answer["schema"], format!("pipebill.{name}/1"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("answer.json");
    std::fs::write(&file, &*text).unwrap();
    validated(&[file]);
}

#[test]
fn what_is_asked_of_aws_has_its_schemas() {
    // Several accounts, one of them denied: gaps and refusals are in the answers.
    for world in ["small", "future"] {
        let Some(double) = Double::start(world) else {
            return;
        };
        let (_folder, ledger) = place();
        let ask =
            |arguments: &[&str]| double.run(&ledger, &[arguments, &["--format", "json"]].concat());
        assert_schema("collection", &ask(&["collect", "--rate", "10000"]));
        assert_schema("doctor", &ask(&["doctor"]));
        assert_schema("usage", &ask(&["usage", "--metered", "--month", "2026-10"]));
        let denied =
            json!({"codebuild.ListBuilds": {"kind": "code", "code": "AccessDeniedException"}});
        double.faults(denied);
        assert_schema("collection", &ask(&["collect", "--rate", "10000"]));
        assert_schema("doctor", &ask(&["doctor"]));
    }
}

#[test]
fn a_backtest_has_its_schema() {
    let folder = tempfile::tempdir().unwrap();
    let asked = ["forecast", "--demo", "--backtest", "--format", "json"];
    assert_schema("forecast-backtest", &run(folder.path(), &asked));
}

#[test]
fn the_documentation_shows_each_schema() {
    let folder = tempfile::tempdir().unwrap();
    let text = read(&root().join("docs/json.md"));
    let examples = text.split("```json\n").skip(1);
    let files: Vec<PathBuf> = examples
        .enumerate()
        .map(|(at, example)| {
            let file = folder.path().join(format!("{at}.json"));
            std::fs::write(&file, example.split("```").next().unwrap()).unwrap();
            file
        })
        .collect();
    if let Some([shown, known]) = validated(&files) {
        assert_eq!(shown, known);
        assert_eq!(files.len(), known.len(), "one example each");
    }
}

#[test]
fn several_scenarios_are_one_document() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (name, users) in [("a", "+2"), ("b", "+3")] {
        let text = format!("name = \"{name}\"\nactive_users = \"{users}\"\n");
        std::fs::write(folder.join(format!("{name}.toml")), text).unwrap();
    }
    let json = ["whatif", "a.toml", "b.toml", "--format", "json"];
    let mut files = Vec::new();
    for (at, more) in [
        &["--against", "forecast", "--months", "1"][..],
        &["--sweep", "active_users=5..15:5"],
        &["--tornado", "20%"],
        &[],
    ]
    .iter()
    .enumerate()
    {
        let text = demo(folder, &[&json[..], more].concat());
        let answer: Value = serde_json::from_str(&text).unwrap();
        let names: Vec<_> = answer["scenarios"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| &it["name"])
            .collect();
        assert_eq!(names, ["a", "b"], "{more:?}");
        let file = folder.join(format!("{at}.json"));
        std::fs::write(&file, text).unwrap();
        files.push(file);
    }
    validated(&files);
}

#[test]
fn csv_heads_each_column_once_and_drops_no_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let by = [
        "usage", "--by", "tag:a", "--by", "tag:b", "--by", "service", "--format", "csv",
    ];
    let text = demo(folder, &by);
    let head: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!(head[..3], ["tag:a", "tag:b", "by_service"]);
    assert_eq!(
        head.iter().collect::<BTreeSet<_>>().len(),
        head.len(),
        "{head:?}"
    );
    let reconcile = [
        "bill",
        "--reconcile",
        "--month",
        "2026-10",
        "--demo",
        "--output",
        "r.csv",
    ];
    let said = run(folder, &reconcile);
    assert!(
        String::from_utf8_lossy(&said.stderr).contains("wrote r-causes.csv"),
        "{said:?}"
    );
    let causes = read(&folder.join("r-causes.csv"));
    assert!(
        causes.starts_with("cause,name,amount,lines\r\nfree_tier,"),
        "{causes}"
    );
    assert!(read(&folder.join("r.csv")).starts_with("period,service,"));
}
