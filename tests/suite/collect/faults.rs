//! Everything that can go wrong between a request and its answer, over every operation of every service:
//! retried until the ledger is what it would have been, or named.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::double::{Double, content, place, said};

/// Calls every operation but those of organizations and roles.
const EVERYTHING: [&str; 5] = [
    "--deep",
    "--services",
    "cost-explorer,codebuild,codepipeline,codedeploy,cloudtrail,codecommit",
    "--from",
    "2026-10-01",
];

impl Double {
    /// Collects everything with the SDK's plain retries: slowing down is not what is tried here.
    fn collect_briskly(&self, ledger: &std::path::Path, more: &[&str], code: i32) -> String {
        let arguments = [&["collect", "--rate", "10000"], &EVERYTHING[..], more].concat();
        let mut command = self.command(ledger, &arguments);
        let output = command.env("AWS_RETRY_MODE", "standard").output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    /// Returns what a ledger holds when nothing goes wrong.
    fn calm(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        let (_folder, ledger) = place();
        self.collect_briskly(&ledger, &[], 0);
        content(&ledger)
    }

    fn struck(&self) -> BTreeSet<String> {
        let struck = self.ask("GET", "/_struck", "");
        let names = struck.as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }
}

/// The operations that are called, without the one that opens an account.
fn called(double: &Double) -> BTreeSet<String> {
    double
        .operations()
        .into_keys()
        .filter(|operation| !operation.starts_with("sts."))
        .collect()
}

#[test]
fn what_passes_when_asked_again_changes_nothing() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let calm = double.calm();
    let everything = called(&double);
    assert_eq!(everything.len(), 19, "{everything:?}");
    for fault in [
        // The first request of each operation.
        json!({"*": {"kind": "throttle", "each": true, "times": 1}}),
        json!({"*": {"kind": "error", "each": true, "times": 1}}),
        json!({"*": {"kind": "truncate", "each": true, "times": 1}}),
        // Every third request, whatever it is.
        json!({"*": {"kind": "throttle", "every": 3}}),
    ] {
        double.faults(fault.clone());
        let (_folder, ledger) = place();
        double.collect_briskly(&ledger, &[], 0);
        assert!(content(&ledger) == calm, "{fault}");
        let missed: Vec<_> = everything.difference(&double.struck()).cloned().collect();
        let is_random = fault["*"]["every"].is_number();
        assert!(is_random || missed.is_empty(), "{fault}: {missed:?}");
        let services: BTreeSet<String> = double
            .struck()
            .iter()
            .filter_map(|name| Some(name.split_once('.')?.0.to_owned()))
            .collect();
        assert!(services.len() > 3, "{fault}: {services:?}");
    }
}

#[test]
fn an_answer_that_takes_too_long_is_asked_for_again() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let calm = double.calm();
    let slow = json!({"kind": "slow", "seconds": 1.5, "times": 1});
    double.faults(json!({
        "ce.GetCostAndUsage": slow,
        "codebuild.ListBuilds": slow,
        "codepipeline.ListActionExecutions": slow,
        "codedeploy.BatchGetDeploymentTargets": slow,
        "cloudtrail.LookupEvents": slow,
        "codecommit.ListRepositories": slow,
    }));
    let (_folder, ledger) = place();
    let said = double.collect_briskly(&ledger, &["--timeout", "1", "-v"], 0);
    assert!(content(&ledger) == calm);
    assert_eq!(double.struck().len(), 6);
    assert!(said.matches("2 attempts").count() >= 6, "{said}");
    // One that never comes is named, and the others are whole.
    double.faults(json!({"codebuild.ListBuilds": {"kind": "error"}}));
    let (_folder, ledger) = place();
    let said = double.collect_briskly(&ledger, &[], 1);
    assert!(
        said.contains("projects that were deleted: codebuild:ListBuilds failed: InternalFailure"),
        "{said}"
    );
    assert_eq!(content(&ledger)["execution"], calm["execution"]);
}

#[test]
fn a_repeated_page_token_is_an_error_not_an_end() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    double.collect_briskly(&ledger, &[], 0);
    let paged = called(&double)
        .into_iter()
        .filter(|operation| !operation.contains(".BatchGet"));
    for operation in paged {
        double.faults(json!({&operation: {"kind": "repeat"}}));
        let (_folder, ledger) = place();
        let said = double.collect_briskly(&ledger, &[], 1);
        let action = operation.replace('.', ":");
        assert!(
            said.contains(&format!("{action} repeats a page token")),
            "{said}"
        );
    }
}

#[test]
fn each_denied_operation_is_a_gap_of_its_own() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let calm = double.calm();
    for operation in called(&double) {
        double.faults(json!({&operation: {"kind": "deny"}}));
        let (_folder, ledger) = place();
        let said = double.collect_briskly(&ledger, &[], 0);
        let action = operation.replace('.', ":");
        assert!(
            said.contains(&format!("access denied to {action}")),
            "{said}"
        );
        let partial = content(&ledger);
        assert!(!partial["not_collected"].is_empty(), "{operation}");
        let service = operation.split('.').next().unwrap();
        for (other, table) in [
            ("codebuild", "build"),
            ("codepipeline", "execution"),
            ("codedeploy", "target"),
            ("cloudtrail", "identity"),
            ("ce", "slice"),
        ] {
            if other != service {
                assert_eq!(partial[table], calm[table], "{operation}: {table}");
            }
        }
    }
}

#[test]
fn credentials_that_expire_on_the_way_end_it_and_the_next_run_goes_on() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let calm = double.calm();
    let requests = double.log().len();
    let (_folder, ledger) = place();
    let expired: Value = json!({"kind": "code", "code": "ExpiredTokenException", "status": 403, "after": requests / 2});
    double.faults(json!({"*": expired}));
    let said = double.collect_briskly(&ledger, &[], 1);
    assert!(said.contains("have expired"), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    double.faults(json!({}));
    double.collect_briskly(&ledger, &[], 0);
    assert!(content(&ledger) == calm);
}

#[test]
fn a_service_that_nobody_answers_for_leaves_the_others() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (_folder, ledger) = place();
    let arguments = [
        "collect",
        "--rate",
        "10000",
        "--services",
        "codebuild,codedeploy",
    ];
    let run = |more: &[&str]| {
        let mut command = double.command(&ledger, &[&arguments, more].concat());
        command.env("AWS_RETRY_MODE", "standard");
        command.env("AWS_ENDPOINT_URL_CODEDEPLOY", "http://127.0.0.1:1");
        command.output().unwrap()
    };
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("no response from codedeploy:ListDeployments"),
        "{}",
        said(&output)
    );
    assert_eq!(content(&ledger)["build"].len(), 10);
}
