//! `pipebill doctor` finds what a collection would lack.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::double::{Double, place, said};

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
        "--metrics",
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
