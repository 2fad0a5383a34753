//! Where a scenario pays, against a scan of the whole tariff at many values.

use pipebill::domain::{
    allowance::FreeTier,
    catalog::{Prices, Tariffs},
    ids::{Meter, ServiceCode},
    money::Money,
    plan::PricingTerms,
    price_book::BilledPrices,
    scenario::{
        Change, Scenario, ScenarioRater, Selector, Total,
        break_even::{BreakEven, break_even},
        parameter::Parameter,
        workload::Workload,
    },
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{
    laws::cases,
    scenario::{recorded, scenario, stated},
    support::{catalog, dec},
};

fn no_free_tier() -> PricingTerms {
    PricingTerms {
        free_tier: FreeTier::None,
        ..PricingTerms::default()
    }
}

fn difference(
    rater: &ScenarioRater<'_>,
    moved: &Scenario,
    parameter: &Parameter,
    at: Decimal,
) -> Money {
    let cost = |changes: &[Change]| {
        let changes: Vec<&Change> = changes.iter().collect();
        rater.total(&changes).unwrap()
    };
    let baseline = if parameter.is_of_the_scenario() {
        cost(&[])
    } else {
        cost(&parameter.turned(&[], at))
    };
    cost(&parameter.turned(&moved.changes, at)) - baseline
}

/// Says whether the turns that were found are those that a scan at so many values shows.
fn scanned(
    workload: &Workload,
    moved: &Scenario,
    parameter: &Parameter,
    (low, high): (Decimal, Decimal),
    points: i64,
) -> Result<BreakEven, TestCaseError> {
    let terms = no_free_tier();
    let rater = || ScenarioRater::new(workload, catalog(), &terms, BilledPrices::default());
    let even = break_even(&[rater()], moved, parameter, (low, high)).unwrap();
    let rater = rater();
    let pays = |at| difference(&rater, moved, parameter, at) <= Money::ZERO;
    let step = if parameter.is_whole() {
        Decimal::ONE
    } else {
        dec("0.000000001")
    };
    for crossing in &even.sign_changes {
        prop_assert_eq!(pays(crossing.at), crossing.pays, "at {}", crossing.at);
        prop_assert_eq!(
            pays(crossing.at - step),
            !crossing.pays,
            "before {}",
            crossing.at
        );
    }
    if !even.all {
        return Ok(even);
    }
    let mut now = even.pays_at_start();
    let mut turns = even.sign_changes.iter().peekable();
    for n in 0..=points {
        let at = low + (high - low) * Decimal::from(n) / Decimal::from(points);
        let at = if parameter.is_whole() {
            at.floor()
        } else {
            at.round_dp(9)
        };
        while let Some(turn) = turns.next_if(|turn| turn.at <= at) {
            now = turn.pays;
        }
        prop_assert_eq!(pays(at), now, "at {} of {:?}", at, even.sign_changes);
    }
    Ok(even)
}

/// 800 s are 14 minutes on demand, 0.14. On Lambda they end in time from speed 800 ⁄ 900 on: there
/// 900 s at 0.00021 cost 0.189. Both turns lie within a thirty-second part of the range.
#[test]
fn two_turns_close_together_are_both_found() {
    let workload = recorded(&[800], 14);
    let moved = scenario(&[
        "compute[general1.medium]=lambda.x86-64.4GB",
        "price[Build-Sec:Linux:Lambda:x86-64.4GB]=0.00016",
    ]);
    let range = (dec("0.1"), dec("10"));
    let even = scanned(&workload, &moved, &Parameter::Speed, range, 500).unwrap();
    let turns: Vec<(Decimal, bool)> = even.sign_changes.iter().map(|c| (c.at, c.pays)).collect();
    // 0.14 buys 875 s: 800 s at speed 800 ⁄ 875, to nine places upwards.
    assert_eq!(
        turns,
        [(dec("0.888888889"), false), (dec("0.914285715"), true)]
    );
    assert!(even.all);
}

/// Both sides step, and cost the same at three places of a stretch without lying on each other in it.
#[test]
fn sides_that_are_equal_here_and_there_are_not_equal_throughout() {
    let workload = recorded(&[570, 228, 800, 277, 233], 37);
    let moved = scenario(&["compute[general1.medium]=arm1.large,speed=1.53"]);
    let parameter = Parameter::Minutes(Selector::default());
    let even = scanned(
        &workload,
        &moved,
        &parameter,
        (Decimal::ZERO, dec("3")),
        500,
    )
    .unwrap();
    assert!(even.all);
}

/// Each user brings 2,000 requests and 10 GB, together worth more than a user costs as long as both are
/// needed. At u users the difference is, in dollars,
/// 3 + max(0, 107.8 − 2·(u + 3)) − max(0, 98 − 2·u) + max(0, 16.8 − 0.6·(u + 3)) − max(0, 33.6 − 0.6·u):
/// −0.4 at 44, 0.2 at 45, 1.2 at 50, 0 at 51, 0.6 at 52.
#[test]
fn users_pay_as_long_as_what_they_bring_is_needed() {
    let workload =
        stated("[codecommit]\nactive_users = 10\ngit_requests = 98000\nstorage_gb = 560\n");
    let moved = scenario(&["active_users=+3", "git_requests*=1.1", "storage_gb*=0.5"]);
    let parameter = Parameter::Total(Total::ActiveUsers, Selector::default());
    let even = scanned(
        &workload,
        &moved,
        &parameter,
        (Decimal::ZERO, dec("300")),
        300,
    )
    .unwrap();
    let turns: Vec<(Decimal, bool)> = even.sign_changes.iter().map(|c| (c.at, c.pays)).collect();
    let at = [("45", false), ("51", true), ("52", false)];
    assert_eq!(turns, at.map(|(at, pays)| (dec(at), pays)));
    assert!(even.all);
}

/// At no minutes nothing is built, at fifty times as many all builds are too long for Lambda: only
/// between is there anything without a price.
#[test]
fn a_price_that_is_missing_between_the_ends_is_missing() {
    let workload = recorded(&[100], 2);
    let moved = scenario(&["compute[general1.medium]=lambda.x86-64.4GB"]);
    let terms = no_free_tier();
    // Lambda has a price wherever there is CodeBuild, so it is taken away here.
    let mut catalog = catalog().clone();
    let kept = |meter: &Meter| meter.usage_type.as_str().contains("Build-Min");
    let tariffs: Tariffs = catalog
        .tariffs()
        .filter(|((meter, _), _)| kept(meter))
        .map(|(place, tariffs)| (place.clone(), tariffs.clone()))
        .collect();
    let codebuild = ServiceCode::new("CodeBuild");
    catalog.prices.insert(codebuild, Prices::later(|| tariffs));
    let rater = ScenarioRater::new(&workload, &catalog, &terms, BilledPrices::default());
    let parameter = Parameter::Minutes(Selector::default());
    let even = break_even(&[rater], &moved, &parameter, (Decimal::ZERO, dec("50"))).unwrap();
    assert!(!even.complete);
}

/// Pipelines cost what they cost however long builds take.
#[test]
fn other_services_make_no_difference() {
    let workload = recorded(&[100, 700], 14);
    for (change, pays) in [("active_users=8", false), ("active_users=0", true)] {
        let parameter = Parameter::Minutes(Selector::default());
        let range = (Decimal::ZERO, dec("10"));
        let even = scanned(&workload, &scenario(&[change]), &parameter, range, 50).unwrap();
        assert!(even.flat && even.all && even.sign_changes.is_empty());
        assert_eq!(even.pays_at_start(), pays, "{change}");
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn speeds_on_lambda_pay_where_a_scan_says(
        seconds in prop::collection::vec(1_i64..1500, 1..12),
        price in 5_i64..40,
    ) {
        let billed: i64 = seconds.iter().map(|s| (s + 59) / 60).sum();
        let workload = recorded(&seconds, billed);
        let price = format!("price[Build-Sec:Linux:Lambda:x86-64.4GB]=0.0000{price:02}");
        let moved = scenario(&["compute[general1.medium]=lambda.x86-64.4GB", &price]);
        scanned(&workload, &moved, &Parameter::Speed, (dec("0.3"), dec("2")), 700)?;
    }

    /// Both sides move: more builds, shorter builds.
    #[test]
    fn longer_builds_pay_where_a_scan_says(
        seconds in prop::collection::vec(1_i64..900, 1..8),
        speed in 60_i64..100,
    ) {
        let billed: i64 = seconds.iter().map(|s| (s + 59) / 60).sum();
        let workload = recorded(&seconds, billed);
        let moved = format!("compute[general1.medium]=arm1.large,speed={}", Decimal::new(speed + 90, 2));
        let moved = scenario(&[&moved]);
        let parameter = Parameter::Minutes(Selector::default());
        scanned(&workload, &moved, &parameter, (Decimal::ZERO, dec("3")), 500)?;
    }

    /// Users bring storage and requests: costs fall as long as these are needed, then rise.
    #[test]
    fn users_pay_where_a_scan_says(
        requests in 10_000_u32..200_000,
        storage in 100_u32..2000,
        times in (80_i64..120, 50_i64..110),
        more in 0_u32..6,
    ) {
        let workload = stated(&format!(
            "[codecommit]\nactive_users = 10\ngit_requests = {requests}\nstorage_gb = {storage}\n"
        ));
        let requests = format!("git_requests*={}", Decimal::new(times.0, 2));
        let storage = format!("storage_gb*={}", Decimal::new(times.1, 2));
        let moved = scenario(&[&requests, &storage, &format!("active_users=+{more}")]);
        let parameter = Parameter::Total(Total::ActiveUsers, Selector::default());
        scanned(&workload, &moved, &parameter, (Decimal::ZERO, dec("300")), 300)?;
    }

    /// People over the free ones, and a fixed sum against them.
    #[test]
    fn people_pay_where_a_scan_says(users in 1_u32..60, other in 1_u32..60) {
        let workload = stated(&format!("[codecommit]\nactive_users = {users}\n"));
        let moved = scenario(&[&format!("active_users={other}")]);
        let parameter = Parameter::Total(Total::GitRequests, Selector::default());
        scanned(&workload, &moved, &parameter, (Decimal::ZERO, dec("200000")), 200)?;
    }
}
