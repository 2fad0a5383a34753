//! What is allowed, what is denied, what may be spent, and what is never kept.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::double::{Double, content, place, said};

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
