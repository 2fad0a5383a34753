//! Jobs of GitHub Actions beside the builds that were collected. The totals are worked out by hand from the
//! builds of `small` in `tests/double/worlds.py`.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::double::{Double, place, said};

/// A job of the project `api`, as GitHub lists it.
#[expect(clippy::needless_pass_by_value, reason = "it reads better at the call")]
fn job(id: u64, name: &str, times: (&str, &str), runner: Value, conclusion: &str) -> Value {
    json!({
        "id": id, "run_id": 77, "run_attempt": 1, "workflow_name": "CI", "name": name,
        "url": format!("https://api.github.com/repos/acme/api/actions/jobs/{id}"),
        "status": "completed", "conclusion": conclusion, "created_at": times.0,
        "started_at": times.0, "completed_at": times.1, "runner_name": runner,
        "labels": ["codebuild-api-77-1", "instance-size:large"],
    })
}

fn jobs() -> Value {
    let uuid = |number: u32| json!(format!("{number:08}-0000-4000-8000-000000000000"));
    let at = |time: &str| format!("2026-10-{time}Z");
    let whole = (at("07T10:00:12"), at("07T10:09:50"));
    let short = (at("08T10:00:02"), at("08T10:00:11"));
    let fleet = (at("10T10:00:05"), at("10T10:04:00"));
    let times = |(from, to): &(String, String)| (from.clone(), to.clone());
    let made = |id, name, of: &(String, String), runner, conclusion| {
        let (from, to) = times(of);
        job(id, name, (&from, &to), runner, conclusion)
    };
    json!({"total_count": 4, "jobs": [
        made(1, "test", &whole, uuid(1), "success"),
        made(2, "lint", &short, Value::Null, "success"),
        made(3, "on a fleet", &fleet, uuid(5), "failure"),
        made(4, "deploy", &short, Value::Null, "skipped"),
    ]})
}

fn asked(double: &Double, ledger: &Path, arguments: &[&str]) -> Value {
    let output = double.run(ledger, &[arguments, &["--format", "json"]].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)))
}

const USAGE: [&str; 6] = ["usage", "--metered", "--month", "2026-10", "--by", "job"];
const BILL: [&str; 6] = ["bill", "--metered", "--month", "2026-10", "--by", "job"];

#[test]
fn jobs_and_builds_are_joined_whichever_comes_first() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let file = ledger.with_file_name("jobs.json");
    fs::write(&file, jobs().to_string()).unwrap();
    let import = ["import", file.to_str().unwrap()];
    let collect = ["--services", "codebuild"];
    let output = double.run(&ledger, &import);
    assert!(output.status.success(), "{}", said(&output));
    double.collect(&ledger, &collect, 0);
    assert_eq!(double.operations()["codebuild.BatchGetProjects"], 1);

    let usage = asked(&double, &ledger, &USAGE);
    let of = |part: &str| -> Vec<(String, String)> {
        let rows = usage["rows"].as_array().unwrap().iter();
        rows.filter(|row| row["parts"][0]["value"] == part)
            .map(|row| (row["usage_type"].to_string(), row["quantity"].to_string()))
            .collect()
    };
    let row = |meter: &str, quantity: &str| vec![(format!("{meter:?}"), format!("{quantity:?}"))];
    // 600.0 s on ARM large are ten minutes, 12.3 s on Lambda are thirteen.
    assert_eq!(of("CI / test"), row("Build-Min:ARM:g1.large", "10"));
    assert_eq!(of("CI / lint"), row("Build-Sec:Linux:Lambda:arm.1GB", "13"));
    assert_eq!(
        usage["ci_jobs"],
        json!({
            "jobs": 4, "joined_by_runner": 2, "joined_by_label": 1,
            "without_build": [{"reason": "never_ran", "jobs": 1}],
            "builds_without_job": [{
                "account": "111111111111", "region": "us-east-1", "project": "api", "builds": 2,
                "billed": [{"quantity": "2", "unit": "minute"}],
            }],
        })
    );
    let bill = asked(&double, &ledger, &BILL);
    let rows = bill["rows"].as_array().unwrap();
    let of = |part: &str| rows.iter().find(|row| row["part"] == part).unwrap();
    assert_eq!(of("CI / test")["runs"], 1);
    assert_eq!(of("(no CI job)")["residual"], true);

    // Again, in the other order, and twice over: the same answers.
    let (_other, anew) = place();
    double.collect(&anew, &collect, 0);
    for _ in 0..2 {
        let output = double.run(&anew, &import);
        assert!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(asked(&double, &anew, &USAGE), usage);
    assert_eq!(asked(&double, &anew, &BILL), bill);

    // Nothing of a project but its name and whose jobs it runs is in the file.
    let bytes = fs::read(&ledger).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("github-actions"));
    assert!(!text.contains("PLANTED-SECRET"));
}

#[test]
fn without_the_projects_the_jobs_say_which_are_runners() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.faults(json!({"codebuild.BatchGetProjects": {"kind": "deny"}}));
    let told = double.collect(&ledger, &["--services", "codebuild"], 0);
    assert!(
        told.contains("access denied to codebuild:BatchGetProjects"),
        "{told}"
    );
    let file = ledger.with_file_name("jobs.json");
    fs::write(&file, jobs().to_string()).unwrap();
    let output = double.run(&ledger, &["import", file.to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let usage = asked(&double, &ledger, &USAGE);
    assert_eq!(usage["ci_jobs"]["builds_without_job"][0]["project"], "api");
    // It is no usage: nothing of the month is missing for it.
    let gaps = usage["gaps"].to_string();
    assert!(!gaps.contains("run CI jobs"), "{gaps}");
}
