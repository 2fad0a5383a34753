//! AWS's own forecast beside ours.

use serde_json::{Value, json};

use crate::double::{Double, place, said};

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
        let aws = ["low", "mean", "high"].map(|key| &month["aws"][key]);
        let [low, mean, high] = aws.map(|figure| figure.as_str().unwrap_or("").to_owned());
        let name = month["month"].as_str().unwrap_or("").to_owned();
        [name, low, mean, high]
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
    assert!(table.contains("AWS: Cost Explorer's forecast"), "{table}");

    // A young account gets ours.
    double.faults(
        json!({"ce.GetCostForecast": {"kind": "code", "code": "DataUnavailableException"}}),
    );
    let output = forecast(&[]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("No AWS forecast: Cost Explorer has too little history"),
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
