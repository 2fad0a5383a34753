//! Use cases as a front asks them: requests in, answers and fields out, no command line.

use pipebill::{
    Allowed, App, AppError, BaselineRequest, BillRequest, CheckAgainst, CheckRequest, DataSource,
    Field, ImportRequest, Months, OptimizeRequest, Scenarios, SweepRequest, Terms, WhatIfRequest,
    domain::{budget::Limit, money::Money, period::Month, share_out::Policy},
    exports::Unwatched,
};

use crate::support::{day, dec};

#[path = "../../examples/forecast_and_sweep.rs"]
#[allow(dead_code, reason = "its main prints what the test reads")]
mod example;

/// A hundred minutes on ARM on the first, a hundred on Linux on the second: one pool of a hundred free
/// minutes, and two prices.
const TWO_DAYS: &str = "\
date,service,usage_type,usage_amount,unit,unblended_cost,currency,source
2026-10-01,CodeBuild,USE1-Build-Min:ARM:g1.small,100,Minutes,0.34,USD,by hand
2026-10-02,CodeBuild,USE1-Build-Min:Linux:g1.small,100,Minutes,0.50,USD,by hand
";

fn october() -> Month {
    "2026-10".parse().unwrap()
}

fn usd(text: &str) -> Money {
    Money::new(dec(text))
}

fn baseline(sharing: Policy) -> BaselineRequest {
    BaselineRequest {
        months: Months::One(october()),
        terms: Terms {
            sharing,
            ..Terms::default()
        },
        ..BaselineRequest::default()
    }
}

fn changes(changes: &[String]) -> Scenarios {
    Scenarios {
        changes: changes.to_vec(),
        ..Scenarios::default()
    }
}

#[test]
fn free_units_go_to_whom_the_policy_says_in_every_use_case() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("daily.csv");
    std::fs::write(&export, TWO_DAYS).unwrap();
    let books = DataSource::File(folder.path().join("ledger.sqlite"));
    let app = App::new(day("2026-11-22"), books).unwrap();
    app.import(&[export], &ImportRequest::default(), &Unwatched)
        .unwrap();
    for (sharing, as_is, doubled) in [
        // Half of the free minutes each: 50 × 0.0034 + 50 × 0.005; then 150 of both.
        (Policy::Proportional, "0.42", "1.26"),
        // ARM was first and takes all of them: 100 × 0.005; then 100 × 0.0034 + 200 × 0.005.
        (Policy::Chronological, "0.50", "1.34"),
    ] {
        let (as_is, doubled) = (usd(as_is), usd(doubled));
        let bill = app.bill(&BillRequest {
            month: Some(october()),
            terms: baseline(sharing).terms,
            ..BillRequest::default()
        });
        assert_eq!(bill.unwrap().rated.rated.bill.total(), as_is, "{sharing:?}");
        let twice = changes(&["minutes*=2".to_owned()]);
        let compared = app.what_if(&WhatIfRequest {
            scenarios: twice.clone(),
            baseline: baseline(sharing),
            months_ahead: None,
        });
        let total = compared.unwrap().answers[0].comparison.total;
        assert_eq!(
            (total.baseline, total.scenario),
            (as_is, doubled),
            "{sharing:?}"
        );
        let checked = |scenario: Scenarios| {
            let checked = app.check(&CheckRequest {
                limit: Allowed::Budget(as_is),
                against: Some(CheckAgainst::Scenario),
                scenario,
                baseline: baseline(sharing),
            });
            checked.unwrap().check
        };
        assert_eq!(checked(twice).over_by(), doubled - as_is, "{sharing:?}");
        let same = checked(Scenarios::default());
        assert_eq!((same.cost, same.limit), (as_is, Limit::Budget(as_is)));
        assert!(!same.is_over());
        let savings = app.optimize(&OptimizeRequest {
            baseline: baseline(sharing),
            ..OptimizeRequest::default()
        });
        assert_eq!(savings.unwrap().found.cost, as_is, "{sharing:?}");
    }
}

#[test]
fn savings_are_those_of_the_months_asked_about() {
    let app = App::new(day("2026-11-22"), DataSource::Sample).unwrap();
    let months = [october().previous(), october()];
    let savings = app.optimize(&OptimizeRequest {
        baseline: BaselineRequest {
            months: Months::Between(months[0], months[1]),
            history: 12,
            ..BaselineRequest::default()
        },
        least: usd("10"),
        ahead: false,
    });
    let found = savings.unwrap().found;
    assert_eq!(found.months, months);
    assert!(found.findings.len() > 2, "{}", found.findings.len());
    let finding = &found.findings[1];
    let set: Vec<String> = finding
        .scenario
        .changes
        .iter()
        .map(ToString::to_string)
        .collect();
    for (month, saved) in months.into_iter().zip(&finding.by_month) {
        let compared = app.what_if(&WhatIfRequest {
            scenarios: changes(&set),
            baseline: BaselineRequest {
                months: Months::One(month),
                ..BaselineRequest::default()
            },
            months_ahead: None,
        });
        let total = compared.unwrap().answers[0].comparison.total;
        assert_eq!(-total.difference, *saved, "{month}");
    }
}

#[test]
fn an_error_names_the_field_it_is_about() {
    let app = App::new(day("2026-11-22"), DataSource::Sample).unwrap();
    let billed = |terms| {
        let request = BillRequest {
            terms,
            ..BillRequest::default()
        };
        app.bill(&request).unwrap_err()
    };
    let price = billed(Terms {
        prices: vec!["0.01".to_owned()],
        ..Terms::default()
    });
    assert!(
        matches!(
            price,
            AppError::Field {
                field: Field::Price,
                ..
            }
        ),
        "{price}"
    );
    let region = billed(Terms {
        price_like: Some("eu-west-9".to_owned()),
        ..Terms::default()
    });
    let is_region = matches!(&region, AppError::UnknownName { field: Field::PriceLike, name }
        if name.what == "region" && name.name == "eu-west-9");
    assert!(is_region, "{region}");
    let axis = app.sweep(&SweepRequest {
        axes: vec!["active_users".to_owned()],
        ..SweepRequest::default()
    });
    let axis = axis.unwrap_err();
    assert!(
        matches!(
            axis,
            AppError::Stated {
                field: Field::Axis,
                ..
            }
        ),
        "{axis}"
    );
    let nothing = app.what_if(&WhatIfRequest::default()).unwrap_err();
    assert!(matches!(nothing, AppError::NoChange), "{nothing}");
}

#[test]
fn the_example_forecasts_and_sweeps() {
    let answer = example::answer().unwrap();
    let lines: Vec<&str> = answer.lines().collect();
    assert!(lines[0].starts_with("2026-11: "), "{answer}");
    let swept: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once(" builds: "))
        .collect();
    let factors: Vec<&str> = swept.iter().map(|(factor, _)| *factor).collect();
    assert_eq!(factors, ["0.5", "1.0", "1.5", "2.0"], "{answer}");
    // More builds cost more.
    let costs: Vec<_> = swept.iter().map(|(_, cost)| dec(cost)).collect();
    assert!(costs.is_sorted() && costs[0] < costs[3], "{answer}");
}
