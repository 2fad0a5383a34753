//! AWS's price lists, as files and as queries.

use std::{fs, path::Path};

use serde_json::json;

use crate::double::{Double, place, said};

#[test]
fn price_lists_are_fetched_whole_or_not_at_all() {
    let Some(double) = Double::start("small") else {
        return;
    };
    let (folder, ledger) = place();
    let base = format!("http://127.0.0.1:{}/offers/v1.0/aws", double.port);
    let update = |more: &[&str]| {
        let arguments = [
            &["prices", "update", "--from", "bulk", "--base-url", &base],
            more,
        ]
        .concat();
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
    let output = update(&queried, &["--from", "query", "--region", "us-east-1"]);
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
    let output = update(&fetched, &["--from", "bulk", "--base-url", &base]);
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
    // Denied, no changes given.
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
                "--from",
                "bulk",
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
        output.contains("in another currency than its regions are billed in"),
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
