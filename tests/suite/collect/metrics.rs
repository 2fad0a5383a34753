//! What builds used of their machines: announced, capped, asked for once, kept whole.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};

use crate::{
    double::{Double, content, place},
    support::check_references,
};

const METRICS: [&str; 5] = [
    "--metrics",
    "--services",
    "codebuild",
    "--from",
    "2026-10-23",
];

impl Double {
    /// Counts the metrics that CloudWatch was asked for.
    fn metrics(&self) -> usize {
        let log = self.log();
        let of_cloudwatch = log
            .iter()
            .filter(|it| it["op"] == "cloudwatch.GetMetricData");
        let queries = of_cloudwatch.map(|it| it["request"]["MetricDataQueries"].as_array());
        queries.map(|queries| queries.unwrap().len()).sum()
    }
}

fn utilization(ledger: &Path) -> Vec<String> {
    content(ledger)["utilization"].iter().cloned().collect()
}

#[test]
fn measurements_are_those_of_cloudwatch_and_are_asked_for_once() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let said = double.collect(&ledger, &["--metrics", "--services", "codebuild"], 0);
    // As the world of the double has them; the API is never rounded on the way.
    let expected = [
        "111111111111/us-east-1/metrics/api|2026-10-07|10|88.125|100|11200|15300|93.4",
        "111111111111/us-east-1/metrics/web|2026-10-05|4|25.5|61.3|812.25|1400|46.7",
        "111111111111/us-east-1/metrics/web|2026-10-06|2|31|99.9|900|1536.5|51.2",
    ];
    assert_eq!(utilization(&ledger), expected);
    // Three projects, six series each.
    assert_eq!(double.metrics(), 18);
    assert!(said.contains("18 metrics of CloudWatch"), "{said}");
    double.faults(json!({}));
    let again = double.collect(&ledger, &["--metrics", "--services", "codebuild"], 0);
    assert_eq!(utilization(&ledger), expected);
    assert_eq!(double.metrics(), 0, "{again}");
    // A day later only that day is asked for.
    let mut command = double.command(
        &ledger,
        &["collect", "--metrics", "--services", "codebuild"],
    );
    let output = command
        .env("PIPEBILL_AS_OF", "2026-11-23")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(double.metrics(), 18);
    let asked: Vec<Value> = double.log();
    let asked = asked
        .iter()
        .find(|it| it["op"] == "cloudwatch.GetMetricData")
        .unwrap();
    let days = &asked["request"]["EndTime"].as_f64().unwrap()
        - &asked["request"]["StartTime"].as_f64().unwrap();
    assert!((days - 86_400.0).abs() < 0.5, "{days}");
    assert_eq!(utilization(&ledger), expected);
}

#[test]
fn a_thousand_projects_cost_what_was_announced() {
    let Some(double) = Double::start("large:1000,1,0,0") else {
        return;
    };
    let (_folder, ledger) = place();
    let dry = double.collect(&ledger, &[&METRICS[..], &["--dry-run"]].concat(), 0);
    // 6,000 metrics at $0.01 a thousand.
    assert!(
        dry.contains("$0.06 for 6,000 metrics of CloudWatch"),
        "{dry}"
    );
    assert_eq!(double.metrics(), 0);
    let said = double.collect(&ledger, &METRICS, 0);
    assert_eq!(double.metrics(), 6000);
    assert!(
        said.contains("$0.06 for 6,000 metrics of CloudWatch."),
        "{said}"
    );
    // 30 days from 2026-10-23 to 2026-11-21.
    assert_eq!(utilization(&ledger).len(), 30_000);
}

/// Kills a collection that waits for its n-th answer of CloudWatch.
fn killed(double: &Double, ledger: &Path, at: usize) {
    double.faults(json!({"cloudwatch.GetMetricData": {"kind": "hang", "after": at, "times": 1}}));
    let arguments = [&["collect", "--rate", "10000"], &METRICS[..]].concat();
    let mut child = double
        .command(ledger, &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let asked = || double.operations().get("cloudwatch.GetMetricData").copied();
    while asked().unwrap_or(0) < at {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_collection_asks_for_no_metric_twice() {
    let Some(double) = Double::start("large:200,1,0,0") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect(&ledger, &METRICS, 0);
    let whole = content(&ledger);
    // 83 projects a request: three of them.
    for at in [1, 2, 3] {
        let (_folder, ledger) = place();
        killed(&double, &ledger, at);
        assert_eq!(utilization(&ledger).len(), (at - 1) * 83 * 30);
        double.faults(json!({}));
        let said = double.collect(&ledger, &METRICS, 0);
        // What was answered before is not asked for again.
        let left = 1200 - (at - 1) * 83 * 6;
        assert_eq!(double.metrics(), left, "{said}");
        assert_eq!(content(&ledger)["utilization"], whole["utilization"]);
        check_references(&ledger);
    }
}

#[test]
fn the_cap_stops_before_it_is_passed() {
    let Some(double) = Double::start("large:200,1,0,0") else {
        return;
    };
    let (_folder, ledger) = place();
    // 498 metrics a request; 0.01 pays for two.
    let arguments = [&METRICS[..], &["--max-api-cost", "0.01"]].concat();
    let said = double.collect(&ledger, &arguments, 0);
    assert_eq!(double.metrics(), 996, "{said}");
    assert!(
        said.contains("stopped before passing --max-api-cost"),
        "{said}"
    );
    assert_eq!(utilization(&ledger).len(), 2 * 83 * 30);
    // Raising it goes on where that ended.
    double.faults(json!({}));
    double.collect(&ledger, &METRICS, 0);
    assert_eq!(double.metrics(), 1200 - 996);
    assert_eq!(utilization(&ledger).len(), 200 * 30);
}

#[test]
fn a_region_without_metrics_is_a_gap_with_a_name() {
    let Some(double) = Double::start("large:2,1,0,0") else {
        return;
    };
    let (_folder, ledger) = place();
    let arguments = [&METRICS[..], &["--region", "eu-north-1"]].concat();
    let said = double.collect(&ledger, &arguments, 0);
    assert!(
        said.contains(
            "CodeBuild metrics (CloudWatch) in eu-north-1, account 111111111111: CodeBuild publishes no \
             CPU and memory metrics in this region"
        ),
        "{said}"
    );
    assert_eq!(double.metrics(), 0);
    let strict = [&["--strict", "collect"], &arguments[..]].concat();
    assert_eq!(double.run(&ledger, &strict).status.code(), Some(4));
}

#[test]
fn faults_pass_or_are_named_and_what_is_known_stays() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let metrics = ["--metrics", "--services", "codebuild"];
    let (_folder, ledger) = place();
    double.collect(&ledger, &metrics, 0);
    let calm = content(&ledger);
    for fault in ["throttle", "error", "truncate"] {
        double.faults(json!({"cloudwatch.GetMetricData": {"kind": fault, "times": 1}}));
        let (_folder, ledger) = place();
        let said = double.collect(&ledger, &metrics, 0);
        assert!(content(&ledger) == calm, "{fault}: {said}");
    }
    for (fault, code, named) in [
        ("deny", 0, "access denied to cloudwatch:GetMetricData"),
        ("repeat", 1, "cloudwatch:GetMetricData repeats a page token"),
    ] {
        double.faults(json!({"cloudwatch.GetMetricData": {"kind": fault}}));
        let (_folder, ledger) = place();
        let said = double.collect(&ledger, &metrics, code);
        assert!(said.contains(named), "{fault}: {said}");
        assert!(utilization(&ledger).is_empty());
        assert_eq!(content(&ledger)["build"], calm["build"]);
    }
}

#[test]
fn metrics_are_those_of_codebuild() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let arguments = ["--metrics", "--services", "codepipeline"];
    let said = double.collect(&ledger, &arguments, 2);
    assert!(said.contains("error: --services"), "{said}");
}
