//! Laws that hold for any month, whatever the numbers: amounts below a cent, the first and the last
//! day, several payers, credits, usage without a price.

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use pipebill::domain::{
    allocation::{Dimension, Policy, allocate},
    allowance::FreeTier,
    bill::Bill,
    catalog::{Catalog, Prices, Tariffs},
    ids::{AccountId, Meter, Region, ResourceId},
    money::Money,
    number::{parse_decimal, plain},
    price_book::{BilledPrices, PriceBook, StatedPrice},
    quantity::{Quantity, Unit},
    rating::{Discount, Rated, RatingOptions, charge, rate},
    reconcile::{Cause, reconcile},
    share_out::{largest_remainder, share_money, share_quantity},
    tariff::{PriceSource, Rate, Tariff, Tier, Validity},
    usage::{Billed, ChargeKind, UsageKey, UsageRecord},
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, FileFailurePersistence},
};
use rust_decimal::Decimal;

use crate::support::{catalog, day, dec, storage_with_an_unknown_tier, usage};

/// What failed once is tried first from then on: commit the file if a failure writes it.
pub(crate) fn cases(cases: u32) -> Config {
    let regressions = FileFailurePersistence::Direct("tests/suite/laws.regressions");
    let config = Config::default();
    Config {
        cases: std::env::var_os("PROPTEST_CASES").map_or(cases, |_| config.cases),
        failure_persistence: Some(Box::new(regressions)),
        ..config
    }
}

/// Meters with and without allowance, price and tiers.
const METERS: [(&str, &str, &str, Unit); 14] = [
    (
        "CodeBuild",
        "Build-Min:Linux:g1.small",
        "us-east-1",
        Unit::Minute,
    ),
    (
        "CodeBuild",
        "Build-Min:ARM:g1.small",
        "us-east-1",
        Unit::Minute,
    ),
    (
        "CodeBuild",
        "Build-Min:Linux:g1.xlarge",
        "us-east-1",
        Unit::Minute,
    ),
    (
        "CodeBuild",
        "Build-Sec:Linux:Lambda:arm.1GB",
        "us-east-1",
        Unit::Second,
    ),
    (
        "AWSCodePipeline",
        "activePipeline",
        "us-east-1",
        Unit::Pipeline,
    ),
    (
        "AWSCodePipeline",
        "actionExecutionMinute",
        "eu-west-2",
        Unit::Minute,
    ),
    ("AWSCodeCommit", "User-Month", "global", Unit::User),
    ("AWSCodeCommit", "storage overage", "global", Unit::GbMonth),
    (
        "AWSCodeCommit",
        "git request overage",
        "global",
        Unit::Request,
    ),
    (
        "AWSCodeDeploy",
        "On-Premises-Instance",
        "us-east-1",
        Unit::Update,
    ),
    (
        "AmazonS3",
        "TimedStorage-ByteHrs",
        "us-east-1",
        Unit::GbMonth,
    ),
    (
        "AWSConfig",
        "ConfigRuleEvaluations",
        "us-east-2",
        Unit::Evaluation,
    ),
    (
        "CodeBuild",
        "Build-Min:Linux:g1.small",
        "eu-west-2",
        Unit::Minute,
    ),
    (
        "CodeBuild",
        "Build-Min:ARM:g1.medium",
        "us-east-1",
        Unit::Minute,
    ),
];

/// Whole units, fractions down to the tenth decimal place, and the edges of allowances and tiers.
fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        4 => (0_i64..=3_000).prop_map(Decimal::from),
        4 => (0_i64..=99_999_999_999, 0_u32..=10).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        1 => prop::sample::select(vec![
            "0", "0.0000000001", "0.005", "1", "5", "50", "99.9999999999", "100", "100.0000000001",
            "6000", "10000", "51200", "51200.5", "100000", "500000", "500000.0000000001", "90000000",
        ]).prop_map(dec),
    ]
}

fn november() -> impl Strategy<Value = NaiveDate> {
    prop_oneof![Just(1_u32), Just(30), 1_u32..=30]
        .prop_map(|day| NaiveDate::from_ymd_opt(2026, 11, day).expect("November has 30 days"))
}

fn account(number: usize) -> AccountId {
    AccountId::new(
        [
            "111122223333",
            "444455556666",
            "777788889999",
            "000011112222",
        ][number],
    )
}

/// What a bill says of a row: often nothing; a free row, a paid one, one without its price.
fn billed_row() -> impl Strategy<Value = Option<Billed>> {
    let row = |cost: i64, rate: Option<Decimal>| Billed {
        cost: Money::new(Decimal::new(cost, 4)),
        rate,
        ..Billed::default()
    };
    prop_oneof![
        2 => Just(None),
        1 => Just(Some(row(0, Some(Decimal::ZERO)))),
        1 => Just(Some(row(0, None))),
        1 => (1_i64..=99_999).prop_map(move |cost| Some(row(cost, None))),
        1 => (1_i64..=99_999, 1_i64..=999)
            .prop_map(move |(cost, price)| Some(row(cost, Some(Decimal::new(price, 4))))),
    ]
}

fn any_usage() -> impl Strategy<Value = UsageRecord> {
    (
        0..METERS.len(),
        november(),
        amount(),
        (0_usize..2, 0_usize..3),
        prop::option::of(0_usize..3),
        prop::option::of(0_usize..2),
        billed_row(),
    )
        .prop_map(|(at, day, value, (payer, user), project, team, billed)| {
            let (service, usage_type, region, unit) = METERS[at];
            let meter = Meter::new(service, usage_type);
            let mut record = usage(&meter, region, day, value, unit);
            record.key.payer = Some(account(payer * 3));
            record.key.account = Some(account(user));
            record.billed = billed;
            record.resource = project.map(|at| ResourceId::new(["api", "web", "batch"][at]));
            record.tags = Arc::new(
                team.map(|at| ("team".to_owned(), ["blue", "red"][at].to_owned()))
                    .into_iter()
                    .collect(),
            );
            record
        })
}

/// A credit, a tax or a refund: money without a quantity, above or below zero.
fn other_charge() -> impl Strategy<Value = UsageRecord> {
    let kind = prop::sample::select(vec![
        ChargeKind::Credit,
        ChargeKind::Refund,
        ChargeKind::Tax,
    ]);
    (any_usage(), kind, -99_999_999_i64..=99_999_999, 0_u32..=10).prop_map(
        |(record, kind, mantissa, scale)| UsageRecord {
            kind,
            quantity: None,
            billed: Some(Billed {
                cost: Money::new(Decimal::new(mantissa, scale)),
                ..Billed::default()
            }),
            ..record
        },
    )
}

/// Any month of usage, the empty one included.
fn month_of_usage() -> impl Strategy<Value = Vec<UsageRecord>> {
    vec(any_usage(), 0..24)
}

pub(crate) fn month_of_charges() -> impl Strategy<Value = Vec<UsageRecord>> {
    vec(prop_oneof![4 => any_usage(), 1 => other_charge()], 0..24)
}

pub(crate) fn policy() -> impl Strategy<Value = Policy> {
    // The default too, in case it is neither.
    prop_oneof![
        Just(Policy::Proportional),
        Just(Policy::Chronological),
        Just(options().sharing)
    ]
}

pub(crate) fn options() -> RatingOptions {
    RatingOptions::new("2026-11".parse().expect("a month"))
}

pub(crate) fn rated(records: &[UsageRecord], options: &RatingOptions) -> Rated {
    rate(records, &PriceBook::new(catalog()), options).expect("one currency")
}

fn bill_with(records: &[UsageRecord], options: &RatingOptions) -> Bill {
    rated(records, options).bill
}

fn bill(records: &[UsageRecord]) -> Bill {
    bill_with(records, &options())
}

fn small() -> Meter {
    Meter::new("CodeBuild", "Build-Min:Linux:g1.small")
}

fn arm_small() -> Meter {
    Meter::new("CodeBuild", "Build-Min:ARM:g1.small")
}

fn rule_evaluations() -> Meter {
    Meter::new("AWSConfig", "ConfigRuleEvaluations")
}

fn first() -> NaiveDate {
    day("2026-11-01")
}

fn drawn(bill: &Bill, id: &str) -> Decimal {
    assert!(catalog().allowances().any(|a| *a.id == *id), "{id}");
    let uses = bill.allowances.iter().filter(|a| *a.id == *id);
    uses.map(|a| a.drawn).sum()
}

/// Ascending whole tiers, the last one open.
fn tiers() -> impl Strategy<Value = Vec<Tier>> {
    (
        vec((1_u32..=40, 0_i64..=100_000), 0..4),
        0_i64..=100_000,
        0_u32..=8,
    )
        .prop_map(|(bounded, last, scale)| {
            let mut end = 0;
            let mut tiers: Vec<Tier> = bounded
                .into_iter()
                .map(|(width, price)| {
                    end += width;
                    Tier {
                        up_to: Some(Decimal::from(end)),
                        unit_price: Some(Decimal::new(price, scale)),
                    }
                })
                .collect();
            tiers.push(Tier {
                up_to: None,
                unit_price: Some(Decimal::new(last, scale)),
            });
            tiers
        })
}

/// A catalogue with one meter, its price changing on the days given.
fn small_catalog(prices: &[(&str, Option<&str>, Rate)]) -> (Catalog, Meter) {
    let meter = Meter::new("CodeBuild", "Build-Min:Linux:g1.large");
    let tariffs = prices.iter().map(|(from, until, rate)| {
        Arc::new(Tariff {
            meter: meter.clone(),
            region: Region::new("us-east-1"),
            unit: Unit::Minute,
            rate: rate.clone(),
            validity: Validity {
                from: day(from),
                until: until.map(day),
            },
            source: PriceSource {
                title: Arc::from("a test"),
                date: None,
                also: Vec::new(),
                confidence: Arc::from("high"),
                file: Arc::from("none"),
                sku: None,
                note: None,
            },
        })
    });
    let mut catalog = Catalog::default();
    let key = (meter.clone(), Region::new("us-east-1"));
    let tariffs = Tariffs::from([(key, tariffs.collect())]);
    let prices = Prices::later(move || tariffs);
    catalog.prices.insert(meter.service.clone(), prices);
    (catalog, meter)
}

proptest! {
    #![proptest_config(cases(160))]

    #[test]
    fn lines_bill_exactly_what_the_records_count(records in month_of_charges()) {
        let mut counted: BTreeMap<&UsageKey, Decimal> = BTreeMap::new();
        for record in &records {
            if let (ChargeKind::Usage, Some(quantity)) = (&record.kind, record.quantity) {
                *counted.entry(&record.key).or_default() += quantity.value;
            }
        }
        let bill = bill(&records);
        let mut billed: BTreeMap<&UsageKey, Decimal> = BTreeMap::new();
        for line in &bill.lines {
            if let Some(usage) = &line.usage {
                *billed.entry(&line.key).or_default() += usage.billed.value;
            }
        }
        prop_assert_eq!(billed, counted);
    }

    #[test]
    fn priced_and_unpriced_units_are_those_to_pay_for(records in month_of_usage(), sharing in policy()) {
        let bill = bill_with(&records, &RatingOptions { sharing, ..options() });
        // Accounts that share tiers split every step to the tenth decimal place.
        let tolerance = Decimal::new(10, 10);
        let mut left: BTreeMap<_, Decimal> = BTreeMap::new();
        for line in &bill.lines {
            let chargeable = line.usage.as_ref().expect("all of it is usage").chargeable();
            let priced: Decimal = line.steps.iter().map(|step| step.quantity).sum();
            let unpriced = line.unpriced.as_ref().map_or(Decimal::ZERO, |(quantity, _)| quantity.value);
            let open = chargeable - priced - unpriced;
            prop_assert!(open.abs() <= tolerance, "{}: {chargeable} is not {priced} + {unpriced}", line.name);
            *left.entry((&line.key.payer, &line.key.region, &line.key.meter)).or_default() += open;
        }
        for (shared, open) in left {
            prop_assert_eq!(open, Decimal::ZERO, "{:?}", shared);
        }
    }

    #[test]
    fn a_line_costs_the_sum_of_its_steps(records in month_of_usage()) {
        for line in bill(&records).lines {
            let steps: Money = line.steps.iter().map(|step| step.amount).sum();
            prop_assert_eq!(line.cost + line.discount, steps);
            for step in &line.steps {
                prop_assert_eq!(step.amount.amount(), step.quantity * step.unit_price);
            }
        }
    }

    #[test]
    fn one_more_unit_never_costs_less(tiers in tiers(), used in amount(), more in amount()) {
        let per_unit = Rate::PerUnit(tiers[0].unit_price.expect("every tier has a price"));
        for rate in [per_unit, Rate::Graduated(tiers)] {
            let less = charge(&rate, Decimal::ZERO, used).cost();
            prop_assert!(charge(&rate, Decimal::ZERO, used + more).cost() >= less);
        }
    }

    #[test]
    fn one_more_unit_never_costs_less_with_free_units_either(
        at in prop::sample::select(vec![0_usize, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]),
        used in amount(),
        more in amount(),
    ) {
        let (service, usage_type, region, unit) = METERS[at];
        let total = |value| bill(&[usage(&Meter::new(service, usage_type), region, first(), value, unit)]).total();
        prop_assert!(total(used + more) >= total(used));
    }

    #[test]
    fn graduated_tiers_cost_what_their_units_cost_one_by_one(tiers in tiers(), before in 0_u32..100, used in 0_u32..100) {
        let rate = Rate::Graduated(tiers);
        let one_by_one: Money = (before..before + used)
            .map(|at| charge(&rate, Decimal::from(at), Decimal::ONE).cost())
            .sum();
        prop_assert_eq!(charge(&rate, before.into(), used.into()).cost(), one_by_one);
    }

    #[test]
    fn a_split_quantity_costs_what_the_whole_costs(tiers in tiers(), a in amount(), b in amount(), size in 1_u32..50) {
        let package = Rate::Package { size: size.into(), price: dec("0.07") };
        for rate in [Rate::Graduated(tiers), Rate::PerUnit(dec("0.0034")), package] {
            let split = charge(&rate, Decimal::ZERO, a).cost() + charge(&rate, a, b).cost();
            prop_assert_eq!(charge(&rate, Decimal::ZERO, a + b).cost(), split);
        }
    }

    #[test]
    fn parts_of_a_shared_month_add_up_to_it(
        records in month_of_charges(),
        sharing in policy(),
        policy in policy(),
        percent in 0_i64..=1000,
    ) {
        let discounts = vec![Discount { service: None, percent: Decimal::new(percent, 1) }];
        let rated = rated(&records, &RatingOptions { sharing, discounts, ..options() });
        let bill = &rated.bill;
        let dimensions = [
            Dimension::Account, Dimension::Resource, Dimension::Tag("team".to_owned()),
            Dimension::Service, Dimension::Region, Dimension::Meter, Dimension::Day,
        ];
        for by in dimensions {
            let shares = allocate(&rated, &records, &by, policy).shares;
            let cost: Money = shares.iter().map(|share| share.cost).sum();
            let list: Money = shares.iter().map(|share| share.list_cost).sum();
            prop_assert_eq!(cost, bill.total(), "cost by {:?}", &by);
            prop_assert_eq!(list, bill.list_total(), "list cost by {:?}", &by);
        }
    }

    #[test]
    fn the_order_of_records_is_irrelevant(
        (records, shuffled) in month_of_charges().prop_flat_map(|records| (Just(records.clone()), Just(records).prop_shuffle())),
        sharing in policy(),
    ) {
        let options = RatingOptions { sharing, ..options() };
        prop_assert_eq!(bill_with(&records, &options), bill_with(&shuffled, &options));
    }

    #[test]
    fn an_allowance_is_never_overdrawn(records in month_of_usage(), used in amount(), sharing in policy()) {
        let used_by_id = catalog().allowances().map(|a| (a.id.clone(), used)).collect();
        let bill = bill_with(&records, &RatingOptions { used: used_by_id, sharing, ..options() });
        let mut drawn: BTreeMap<&str, Decimal> = BTreeMap::new();
        for allowance in &bill.allowances {
            prop_assert!(allowance.drawn >= Decimal::ZERO);
            prop_assert!(allowance.drawn <= (allowance.granted - used).max(Decimal::ZERO), "{}", allowance.id);
            *drawn.entry(&allowance.name).or_default() += allowance.drawn;
        }
        let mut covered: BTreeMap<&str, Decimal> = BTreeMap::new();
        for line in &bill.lines {
            let usage = line.usage.as_ref().expect("all of it is usage");
            prop_assert!(usage.covered >= Decimal::ZERO && usage.covered <= usage.billed.value, "{}", line.name);
            if let Some(name) = &usage.allowance {
                *covered.entry(name).or_default() += usage.covered;
            } else {
                prop_assert_eq!(usage.covered, Decimal::ZERO);
            }
        }
        prop_assert_eq!(covered, drawn);
    }

    #[test]
    fn two_meters_share_one_pool(x86 in amount(), arm in amount(), sharing in policy()) {
        let records = [
            usage(&small(), "us-east-1", first(), x86, Unit::Minute),
            usage(&arm_small(), "us-east-1", first(), arm, Unit::Minute),
        ];
        let bill = bill_with(&records, &RatingOptions { sharing, ..options() });
        let covered: Decimal = bill.lines.iter().filter_map(|line| line.usage.as_ref()).map(|u| u.covered).sum();
        prop_assert_eq!(covered, (x86 + arm).min(Decimal::ONE_HUNDRED));
        prop_assert_eq!(bill.allowances.len(), 1);
    }

    #[test]
    fn without_free_tier_a_month_costs_no_less(records in month_of_usage()) {
        let with = bill(&records);
        let without = bill_with(&records, &RatingOptions { free_tier: FreeTier::None, ..options() });
        prop_assert!(without.total() >= with.total());
        prop_assert_eq!(without.list_total(), with.list_total());
    }

    #[test]
    fn stated_usage_never_costs_more_than_its_list_price(records in month_of_usage(), sharing in policy()) {
        let stated: Vec<UsageRecord> = records.into_iter()
            .map(|record| UsageRecord { billed: None, ..record })
            .collect();
        for free_tier in [FreeTier::Payer, FreeTier::None] {
            let bill = bill_with(&stated, &RatingOptions { free_tier, sharing, ..options() });
            prop_assert!(bill.list_total() >= bill.total());
        }
    }

    #[test]
    fn two_accounts_of_a_payer_cost_what_one_costs(records in month_of_usage(), sharing in policy()) {
        // One payer, no bill yet, and one meter of each unit price: free units are worth the same to all.
        let merged: Vec<UsageRecord> = records.into_iter()
            .filter(|record| record.key.meter != arm_small() && record.key.region.as_str() != "eu-west-2")
            .map(|mut record| { record.key.payer = Some(account(0)); record.billed = None; record })
            .collect();
        let one_account: Vec<UsageRecord> = merged.iter().cloned()
            .map(|mut record| { record.key.account = Some(account(0)); record })
            .collect();
        let options = RatingOptions { sharing, ..options() };
        let (split, whole) = (bill_with(&merged, &options), bill_with(&one_account, &options));
        prop_assert_eq!(split.total(), whole.total());
        prop_assert_eq!(split.list_total(), whole.list_total());
        prop_assert_eq!(split.is_complete(), whole.is_complete());
    }

    #[test]
    fn two_payers_have_an_allowance_and_tiers_each(minutes in amount(), evaluations in amount()) {
        let of = |payer: usize| {
            let mut records = vec![
                usage(&small(), "us-east-1", first(), minutes, Unit::Minute),
                usage(&rule_evaluations(), "us-east-2", first(), evaluations, Unit::Evaluation),
            ];
            for record in &mut records {
                record.key.payer = Some(account(payer));
            }
            records
        };
        let one = bill(&of(0));
        let two = bill(&[of(0), of(1)].concat());
        prop_assert_eq!(two.total(), one.total() + one.total());
        prop_assert_eq!(drawn(&two, "codebuild"), drawn(&one, "codebuild") * Decimal::TWO);
    }

    #[test]
    fn usage_without_a_price_adds_no_money_and_leaves_the_bill_open(records in month_of_usage(), value in amount()) {
        let unknown = Meter::new("CodeBuild", "Reserved-EC2-Custom");
        let unlisted = Meter::new("AmazonBraket", "Task-Hour");
        let records: Vec<UsageRecord> = records.into_iter().filter(|r| r.key.meter != unknown).collect();
        let before = bill(&records);
        for meter in [unknown, unlisted] {
            let extra = usage(&meter, "us-east-1", first(), value, Unit::Minute);
            let after = bill(&[records.clone(), vec![extra]].concat());
            prop_assert_eq!(after.total(), before.total());
            prop_assert_eq!(after.list_total(), before.list_total());
            prop_assert_eq!(after.is_complete(), before.is_complete() && value.is_zero());
            prop_assert_eq!(after.list_is_complete(), before.list_is_complete() && value.is_zero());
        }
    }

    #[test]
    fn a_discount_scales_the_cost_of_usage_exactly(records in month_of_charges(), percent in 0_i64..=10_000) {
        let percent = Decimal::new(percent, 2);
        let discounts = vec![Discount { service: None, percent }];
        let (full, less) = (bill(&records), bill_with(&records, &RatingOptions { discounts, ..options() }));
        for (full, less) in full.lines.iter().zip(&less.lines) {
            let kept = if full.usage.is_some() { Decimal::ONE_HUNDRED - percent } else { Decimal::ONE_HUNDRED };
            prop_assert_eq!(less.cost.amount() * Decimal::ONE_HUNDRED, full.cost.amount() * kept);
            prop_assert_eq!(less.cost + less.discount, full.cost);
            prop_assert_eq!(less.list_cost, full.list_cost);
        }
    }

    #[test]
    fn a_month_billed_at_one_price_is_rated_at_that_price(
        days in vec((november(), amount()), 1..12),
        price in 1_i64..=99_999,
        scale in 0_u32..=10,
    ) {
        let price = Decimal::new(price, scale);
        let meter = Meter::new("CodeBuild", "Build-Min:Linux:g1.large");
        let records: Vec<UsageRecord> = days.into_iter().map(|(day, value)| UsageRecord {
            billed: Some(Billed { cost: Money::of(value, price), rate: Some(price), ..Billed::default() }),
            ..usage(&meter, "us-east-1", day, value, Unit::Minute)
        }).collect();
        let observed = BilledPrices::collect(&records);
        let book = PriceBook { observed, ..PriceBook::new(catalog()) };
        let rated = rate(&records, &book, &options()).expect("one currency");
        let bill = &rated.bill;
        let quantity: Decimal = records.iter().filter_map(|r| r.quantity).map(|q| q.value).sum();
        prop_assert_eq!(bill.total(), Money::of(quantity, price));
        prop_assert_eq!(Some(bill.total()), bill.aws_total());
        for line in reconcile(&rated, &records) {
            let others = line.causes.keys().filter(|cause| **cause != Cause::Rounding);
            prop_assert!(line.unexplained.is_zero() && others.count() == 0, "{line:?}");
        }
    }

    #[test]
    fn a_bill_is_reproduced_however_many_prices_it_shows(
        rows in vec((any_usage(), 0_i64..=99_999), 1..30),
        seed in any::<u64>(),
    ) {
        // Each row at a price of its own, some free: what AWS charged comes out, to the last digit.
        let records: Vec<UsageRecord> = rows.into_iter()
            .filter(|(record, _)| record.quantity.is_some_and(|quantity| quantity.value > Decimal::ZERO))
            .filter(|(record, _)| !catalog().allowances().any(|a| a.meters.contains(&record.key.meter)))
            .map(|(record, price)| {
                let price = Decimal::new(price, 5);
                let value = record.quantity.map_or(Decimal::ZERO, |quantity| quantity.value);
                UsageRecord {
                    billed: Some(Billed { cost: Money::of(value, price), rate: Some(price), ..Billed::default() }),
                    ..record
                }
            })
            .collect();
        let book = |records: &[UsageRecord]| PriceBook { observed: BilledPrices::collect(records), ..PriceBook::new(catalog()) };
        let rated = rate(&records, &book(&records), &options()).expect("one currency");
        let bill = &rated.bill;
        let charged: Money = records.iter().filter(|r| r.month == bill.month).filter_map(|r| r.billed.as_ref()).map(|b| b.cost).sum();
        prop_assert_eq!(bill.total(), charged);
        prop_assert!(bill.is_complete());
        for line in reconcile(&rated, &records) {
            prop_assert_eq!(line.difference(), Some(Money::ZERO));
        }
        let mut shuffled = records.clone();
        let mut state = seed | 1;
        shuffled.sort_by_cached_key(|_| { state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1); state });
        let again = rate(&shuffled, &book(&shuffled), &options()).expect("one currency");
        prop_assert_eq!(&again.bill, bill);
    }

    #[test]
    fn the_parts_of_a_difference_add_up_to_it(
        rows in vec((any_usage(), 0_i64..=9_999_999, 0_u32..=10, prop::option::of(0_i64..=999)), 0..20),
        percent in 0_i64..=100,
        sharing in policy(),
    ) {
        let records: Vec<UsageRecord> = rows.into_iter().map(|(record, cost, scale, price)| UsageRecord {
            billed: Some(Billed {
                cost: Money::new(Decimal::new(cost, scale)),
                rate: price.map(|price| Decimal::new(price, 4)),
                ..Billed::default()
            }),
            ..record
        }).collect();
        let discounts = vec![Discount { service: None, percent: percent.into() }];
        let rated = rated(&records, &RatingOptions { discounts, sharing, ..options() });
        let lines = reconcile(&rated, &records);
        prop_assert_eq!(lines.len(), rated.bill.lines.len());
        for line in lines {
            let parts = line.causes.values().copied().sum::<Money>() + line.unexplained;
            prop_assert_eq!(Some(parts), line.difference());
        }
    }

    #[test]
    fn free_rows_prices_and_rounding_explain_a_line_of_one_price(
        paid in amount(),
        free in amount(),
        price in 1_i64..=1_000_000,
        off in 1_i64..=1_000_000,
    ) {
        let price = Decimal::new(price, 6);
        let meter = Meter::new("CodeBuild", "Build-Min:Linux:g1.large");
        let row = |value, rate, cost| UsageRecord {
            billed: Some(Billed { cost, rate: Some(rate), ..Billed::default() }),
            ..usage(&meter, "us-east-1", first(), value, Unit::Minute)
        };
        let records = [
            row(paid, price, Money::new((paid * price).round_dp(10))),
            row(free, Decimal::ZERO, Money::ZERO),
        ];
        for line in reconcile(&rated(&records, &options()), &records) {
            prop_assert!(line.unexplained.is_zero(), "{line:?}");
        }
        // A row that costs something else than its quantity at its rate is named, not called rounding.
        let wrong = Money::new(paid * price + Decimal::new(off, 2));
        let records = [row(paid, price, wrong), row(free, Decimal::ZERO, Money::ZERO)];
        for line in reconcile(&rated(&records, &options()), &records) {
            prop_assert_eq!(line.unexplained, Money::new(Decimal::new(-off, 2)), "{:?}", line);
        }
    }

    #[test]
    fn shares_add_up_to_the_total_and_zero_weight_gets_nothing(
        total in -9_999_999_999_999_i64..=9_999_999_999_999,
        scale in 0_u32..=20,
        weights in vec(prop_oneof![amount(), Just(Decimal::ZERO), Just(dec("0.3333333333333333333333333333"))], 1..12),
    ) {
        let total = Decimal::new(total, scale);
        let heavy = weights.iter().any(|weight| !weight.is_zero());
        let money: Vec<Decimal> = share_money(Money::new(total), &weights).into_iter().map(Money::amount).collect();
        let quantity = share_quantity(total, &weights);
        let coarse = largest_remainder(total, &weights, dec("0.01"));
        for (shares, fine) in [(money, true), (quantity, true), (coarse, false)] {
            prop_assert_eq!(shares.len(), weights.len());
            prop_assert_eq!(shares.iter().sum::<Decimal>(), total);
            for (share, weight) in shares.iter().zip(&weights) {
                prop_assert!(!(heavy && weight.is_zero()) || share.is_zero());
                let same_sign = share.is_zero() || share.is_sign_negative() == total.is_sign_negative();
                prop_assert!(same_sign || !fine, "{share} of {total}");
            }
        }
    }

    #[test]
    fn every_decimal_reads_back_as_it_was_written(mantissa in any::<i64>(), scale in 0_u32..=28, zeros in 0_usize..5) {
        let value = Decimal::new(mantissa, scale);
        prop_assume!(value.abs() <= dec("1e15"));
        let text = plain(value);
        prop_assert!(!text.contains(['e', 'E']), "{text}");
        let read = parse_decimal(&text).map(plain);
        prop_assert_eq!(read.as_deref(), Ok(&*text));
        let exponent = format!("{mantissa}E-{scale}");
        if mantissa % 10 != 0 {
            prop_assert_eq!(parse_decimal(&exponent), Ok(value.normalize()));
        }
        if text.contains('.') && text.len() + zeros < 28 {
            prop_assert_eq!(parse_decimal(&format!("{text}{}", "0".repeat(zeros))), Ok(value.normalize()));
        }
    }

    #[test]
    fn no_text_makes_the_number_reader_panic(text in "[-+]?[0-9]{0,30}[.]?[0-9]{0,30}([eE][-+]?[0-9]{0,12})?|\\PC{0,20}") {
        if let Ok(value) = parse_decimal(&text) {
            prop_assert!(value.abs() <= dec("1e15"));
            prop_assert_eq!(parse_decimal(&plain(value)), Ok(value));
        }
    }

    #[test]
    fn the_day_of_a_change_has_the_new_price(change in 2_u32..=30, usage_by_day in vec((november(), amount()), 0..12)) {
        let change = format!("2026-11-{change:02}");
        let (catalog, meter) = small_catalog(&[
            ("2025-01-01", Some(&change), Rate::PerUnit(dec("0.25"))),
            (&change, None, Rate::PerUnit(dec("0.2"))),
        ]);
        let expected: Money = usage_by_day.iter()
            .map(|(used, value)| Money::of(*value, if *used < day(&change) { dec("0.25") } else { dec("0.2") }))
            .sum();
        let records: Vec<UsageRecord> = usage_by_day.into_iter()
            .map(|(day, value)| usage(&meter, "us-east-1", day, value, Unit::Minute))
            .collect();
        let bill = rate(&records, &PriceBook::new(&catalog), &options()).expect("one currency").bill;
        prop_assert_eq!(bill.total(), expected);
        prop_assert!(bill.is_complete());
    }

    #[test]
    fn tiers_go_on_where_the_price_before_a_change_left_them(a in 0_u32..200, b in 0_u32..200, tiers in tiers()) {
        // The same tiers under a new price list row: nothing changes but the source.
        let graduated = || Rate::Graduated(tiers.clone());
        let (changed, meter) = small_catalog(&[
            ("2025-01-01", Some("2026-11-10"), graduated()),
            ("2026-11-10", None, graduated()),
        ]);
        let records = [
            usage(&meter, "us-east-1", day("2026-11-09"), a.into(), Unit::Minute),
            usage(&meter, "us-east-1", day("2026-11-10"), b.into(), Unit::Minute),
        ];
        let bill = rate(&records, &PriceBook::new(&changed), &options()).expect("one currency").bill;
        prop_assert_eq!(bill.total(), charge(&graduated(), Decimal::ZERO, (a + b).into()).cost());
    }

    #[test]
    fn a_flat_amount_and_a_package_count_once_however_many_accounts_share_them(
        used in vec((0_usize..4, november(), 1_u32..5_000), 1..10),
    ) {
        for rate_of_meter in [Rate::Flat(dec("7.77")), Rate::Package { size: dec("1000"), price: dec("0.4") }] {
            let (catalog, meter) = small_catalog(&[("2025-01-01", None, rate_of_meter.clone())]);
            let records: Vec<UsageRecord> = used.iter().map(|(who, day, value)| {
                let mut record = usage(&meter, "us-east-1", *day, Decimal::from(*value), Unit::Minute);
                record.key.account = Some(account(*who));
                record
            }).collect();
            let total: u32 = used.iter().map(|(_, _, value)| value).sum();
            let bill = rate(&records, &PriceBook::new(&catalog), &options()).expect("one currency").bill;
            prop_assert_eq!(bill.total(), charge(&rate_of_meter, Decimal::ZERO, total.into()).cost());
        }
    }

    #[test]
    fn a_correction_below_zero_covers_no_more_than_was_drawn(
        days in vec((november(), -200_i64..=300), 1..8),
        sharing in policy(),
    ) {
        let records: Vec<UsageRecord> = days.iter()
            .map(|(day, value)| usage(&small(), "us-east-1", *day, Decimal::from(*value), Unit::Minute))
            .collect();
        let bill = bill_with(&records, &RatingOptions { sharing, ..options() });
        let covered: Decimal = bill.lines.iter().filter_map(|line| line.usage.as_ref()).map(|u| u.covered).sum();
        prop_assert_eq!(covered, drawn(&bill, "codebuild"));
    }

    /// The largest amounts and prices that are accepted, and the smallest.
    #[test]
    fn the_limits_of_what_is_accepted_do_not_overflow(
        values in vec(prop::sample::select(vec!["1e15", "999999999999999.9999999999999", "1e-28", "0.0000000001", "0", "1"]), 1..8),
        price in prop::sample::select(vec!["1e9", "999999999.9999999999", "1e-28", "0", "0.0798"]),
        percent in prop::sample::select(vec!["0", "33.333333333333", "100"]),
        accounts in any::<bool>(),
        sharing in policy(),
        policy in policy(),
    ) {
        for (at, (service, usage_type, region, unit)) in METERS.into_iter().enumerate() {
            let meter = Meter::new(service, usage_type);
            let records: Vec<UsageRecord> = values.iter().enumerate().map(|(who, value)| {
                let mut record = usage(&meter, region, first(), dec(value), unit);
                record.billed = Some(Billed { cost: Money::new(dec(value)), rate: Some(dec(price)), ..Billed::default() });
                if accounts {
                    record.key.account = Some(account(who % 4));
                }
                record
            }).collect();
            let mut book = PriceBook::new(catalog());
            if at % 2 == 0 {
                book.stated.push(StatedPrice {
                    service: None,
                    region: None,
                    usage_type: meter.usage_type.clone(),
                    unit_price: dec(price),
                    origin: Arc::from("a test"),
                });
            }
            let discounts = vec![Discount { service: None, percent: dec(percent) }];
            let rated = rate(&records, &book, &RatingOptions { sharing, discounts, ..options() }).expect("one currency");
            reconcile(&rated, &records);
            for by in [Dimension::Account, Dimension::Day, Dimension::Resource] {
                allocate(&rated, &records, &by, policy);
            }
        }
    }
}

#[test]
fn an_empty_month_costs_nothing_and_is_complete() {
    let rated = rated(&[], &options());
    let bill = &rated.bill;
    assert!(bill.lines.is_empty() && bill.allowances.is_empty() && bill.is_complete());
    assert_eq!(bill.total(), Money::ZERO);
    assert!(
        allocate(&rated, &[], &Dimension::Account, Policy::Proportional)
            .shares
            .is_empty()
    );
}

#[test]
fn the_days_before_and_after_the_month_are_left_out() {
    let at = |day| usage(&small(), "us-east-1", day, dec("200"), Unit::Minute);
    let records =
        ["2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01"].map(|text| at(day(text)));
    assert_eq!(bill(&records).total(), Money::new(dec("1.5"))); // 400 - 100 free, at 0.005
}

#[test]
fn units_that_share_a_tier_without_price_stay_with_their_account() {
    let storage = Meter::new("AmazonS3", "TimedStorage-ByteHrs");
    let records = [0, 1, 2].map(|who| {
        let mut record = usage(&storage, "us-east-1", first(), dec("20000"), Unit::GbMonth);
        record.key.account = Some(account(who));
        record
    });
    let catalog = storage_with_an_unknown_tier();
    let rated = rate(&records, &PriceBook::new(&catalog), &options()).unwrap();
    for line in rated.bill.lines {
        let priced: Decimal = line.steps.iter().map(|step| step.quantity).sum();
        let (unpriced, _) = line.unpriced.expect("60,000 GB reach the unknown tier");
        assert!((priced + unpriced.value - dec("20000")).abs() < dec("0.000000001"));
    }
}

#[test]
fn a_public_price_on_a_free_row_does_not_hide_the_price_that_was_paid() {
    let row = |meter: &Meter, value: &str, rate: &str| UsageRecord {
        billed: Some(Billed {
            cost: Money::of(dec(value), dec(rate)),
            rate: Some(dec(rate)),
            list_rate: Some(dec("0.02")),
            invoice: None,
            covered_by: None,
        }),
        ..usage(meter, "us-east-1", first(), dec(value), Unit::Minute)
    };
    let total = |meter: &Meter, options: &RatingOptions| {
        let records = [row(meter, "10", "0"), row(meter, "90", "0.018")];
        let observed = BilledPrices::collect(&records);
        let book = PriceBook {
            observed,
            ..PriceBook::new(catalog())
        };
        rate(&records, &book, options).unwrap().bill.total()
    };
    // No allowance covers large builds: what the bill gives away is free, the rest at its price.
    let large = Meter::new("CodeBuild", "Build-Min:Linux:g1.large");
    assert_eq!(total(&large, &options()), Money::new(dec("1.62")));
    // Where an allowance does and is used up, the free row has the price that was paid.
    assert_eq!(total(&small(), &options()), Money::new(dec("1.62")));
    let used = [(Arc::from("codebuild"), dec("100"))].into();
    let used_up = RatingOptions { used, ..options() };
    assert_eq!(total(&small(), &used_up), Money::new(dec("1.8")));
}

#[test]
fn minutes_priced_by_the_second_are_unpriced_not_misread() {
    let meter = Meter::new("CodeBuild", "Build-Sec:Linux:Lambda:arm.1GB");
    let bill = bill(&[usage(
        &meter,
        "us-east-1",
        first(),
        dec("9000"),
        Unit::Minute,
    )]);
    assert_eq!(bill.total(), Money::ZERO);
    let (quantity, reason) = bill.lines[0].unpriced.clone().unwrap();
    assert_eq!(quantity, Quantity::new(dec("9000"), Unit::Minute));
    assert_eq!(reason.code(), "unit-mismatch");
}
