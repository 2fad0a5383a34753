//! Savings against brute force and against the scenarios they are.

use std::sync::Arc;

use pipebill::{
    app::BillRequest,
    collect::scenario_file,
    domain::{
        ids::Meter,
        optimize::pipelines::{Countable, PipelinePrices},
        plan::Terms,
        price_book::PriceBook,
        quantity::Unit,
        rating::{RatingOptions, rate},
    },
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{
    scenario::{change, demo, scenario},
    support::{catalog, day, dec, usage},
};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// The cheapest types against every subset of up to twelve pipelines.
    #[test]
    fn no_choice_of_types_is_cheaper(
        pipelines in prop::collection::vec((0_u32..2000, any::<bool>()), 0..=12),
        free in any::<bool>(),
    ) {
        let prices = PipelinePrices {
            active: Decimal::ONE,
            free_active: Decimal::from(u8::from(free)),
            minute: dec("0.002"),
            free_minutes: if free { Decimal::ONE_HUNDRED } else { Decimal::ZERO },
        };
        let pipelines: Vec<Countable> = pipelines
            .into_iter()
            .map(|(minutes, active)| Countable { active, minutes: Decimal::from(minutes) })
            .collect();
        let chosen = prices.cheapest(&pipelines);
        let found = prices.cost(&pipelines, |at| chosen[at]);
        let every = (0..1_u32 << pipelines.len())
            .map(|subset| prices.cost(&pipelines, |at| subset & (1 << at) != 0));
        prop_assert_eq!(Some(found), every.min());
    }

    /// The same prices as the whole tariff: subsets rated as usage records.
    #[test]
    fn the_prices_of_types_are_those_of_the_tariff(
        minutes in prop::collection::vec(0_u32..900, 1..5),
        subset in 0_u32..32,
    ) {
        let prices = PipelinePrices {
            active: Decimal::ONE,
            free_active: Decimal::ONE,
            minute: dec("0.002"),
            free_minutes: Decimal::ONE_HUNDRED,
        };
        let pipelines: Vec<Countable> = minutes
            .iter()
            .map(|minutes| Countable { active: true, minutes: Decimal::from(*minutes) })
            .collect();
        let is_v1 = |at: usize| subset & (1 << at) != 0;
        let records: Vec<_> = pipelines
            .iter()
            .enumerate()
            .map(|(at, pipeline)| {
                let (usage_type, value, unit) = if is_v1(at) {
                    ("activePipeline", Decimal::ONE, Unit::Pipeline)
                } else {
                    ("actionExecutionMinute", pipeline.minutes, Unit::Minute)
                };
                let meter = Meter::new("AWSCodePipeline", usage_type);
                usage(&meter, "us-east-1", day("2026-10-01"), value, unit)
            })
            .collect();
        let options = RatingOptions::new("2026-10".parse().unwrap());
        let bill = rate(&records, &PriceBook::new(catalog()), &options).unwrap().bill;
        prop_assert_eq!(bill.total().amount(), prices.cost(&pipelines, is_v1));
    }
}

#[test]
fn every_finding_is_a_scenario_that_saves_what_it_says() {
    let (app, months) = demo();
    let mut ledger = app.ledger().unwrap();
    app.add_sample_facts(&mut ledger, months[0]).unwrap();
    let request = BillRequest::default();
    let baseline = app.baseline(&ledger, &months[1..], 2, &request).unwrap();
    let found = app.optimize(&baseline).unwrap();
    assert!(found.findings.len() > 10, "{}", found.findings.len());
    for finding in &found.findings {
        let file = scenario_file::write(&finding.scenario, &finding.evidence);
        let read = scenario_file::parse("f.toml", &file, &app.catalog).unwrap();
        assert_eq!(read, finding.scenario, "{file}");
        let answer = app.compare(&baseline, &read).unwrap();
        let total = answer.comparison.total;
        assert!(total.complete, "{}", finding.title);
        assert_eq!(-total.difference, finding.last_month, "{}", finding.title);
        // Worked out whole, not from the lots it touches alone.
        let mut whole = read.clone();
        whole.changes.push(change("active_users=+0"));
        let whole = app.compare(&baseline, &whole).unwrap().comparison.total;
        assert_eq!(whole.difference, total.difference, "{}", finding.title);
        assert!(
            finding.saving.p10 <= finding.saving.p50 && finding.saving.p50 <= finding.saving.p90
        );
    }
    let titles: Vec<&str> = found.findings.iter().map(|f| f.title.as_str()).collect();
    assert!(
        titles.iter().any(|t| t.contains("golden-image")),
        "{titles:?}"
    );
    // Nothing is recommended where a price is not known.
    assert!(
        found
            .not_judged
            .iter()
            .any(|one| one.what.contains("reserved fleet"))
    );
    assert!(
        found
            .not_judged
            .iter()
            .any(|one| one.what.contains("arm1.medium"))
    );
}

#[test]
fn a_fleet_with_a_stated_price_is_sized_and_judged() {
    let (app, months) = demo();
    let mut ledger = app.ledger().unwrap();
    app.add_sample_facts(&mut ledger, months[1]).unwrap();
    let price = pipebill::collect::stated::price(
        &app.catalog,
        "Reserved-EC2",
        dec("0.0002"),
        Arc::from("test"),
    );
    let request = BillRequest {
        terms: Terms {
            prices: vec![price.unwrap()],
            ..Terms::default()
        },
        ..BillRequest::default()
    };
    let baseline = app.baseline(&ledger, &months[1..], 1, &request).unwrap();
    let found = app.optimize(&baseline).unwrap();
    let fleet = found
        .findings
        .iter()
        .find(|f| f.kind.name() == "fleet" && f.title.contains("general1.large in us-east-1"))
        .unwrap();
    // No other number of machines saves more.
    let text = fleet.scenario.changes[0].to_string();
    let machines = text.split("machines=").nth(1).unwrap();
    let machines: u32 = machines.split(',').next().unwrap().parse().unwrap();
    let saving = |machines: u32| {
        let at = text.find("machines=").unwrap();
        let end = text[at..].find(',').unwrap() + at;
        let other = format!("{}machines={machines}{}", &text[..at], &text[end..]);
        -app.compare(&baseline, &scenario(&[&other]))
            .unwrap()
            .comparison
            .total
            .difference
    };
    let best = saving(machines);
    assert_eq!(best, fleet.last_month);
    for other in 1..=machines + 3 {
        assert!(
            saving(other) <= best,
            "{other} machines save more than {machines}"
        );
    }
}
