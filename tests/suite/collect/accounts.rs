//! Accounts behind roles and of an organization, and their regions.

use crate::double::{Double, content, metered, place, said};

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

/// moto: accounts, roles and an organization as somebody else has written AWS's answers down.
#[test]
fn the_accounts_of_another_server_are_opened() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (elsewhere, ids) = Double::begin(&["elsewhere.py"]).unwrap();
    assert_eq!(ids.len(), 3, "{ids:?}");
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
        let address = format!("http://127.0.0.1:{}", elsewhere.port);
        command.env(format!("AWS_ENDPOINT_URL_{service}"), address);
    }
    let output = command.output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("collect: 3 accounts"), "{said}");
    for id in &ids {
        let covered = content(&ledger)["covered"]
            .iter()
            .filter(|row| row.contains(id))
            .count();
        assert!(covered >= 3, "{id}: {said}");
    }
}
