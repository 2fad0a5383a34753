//! Laws of reports: whatever the month, the totals of every format are the bill's, and the parts add
//! up to the whole.

use std::{collections::BTreeMap, io::Write, sync::Arc};

use parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use pipebill::{
    domain::{
        allocation::{Dimension, Policy},
        exchange::Exchange,
        focus_rows::charges,
        gl::{DateStyle, GlMapping, Rule},
        ids::{Currency, Meter, ServiceCode},
        journal::{EntryKind, Rest, journal},
        money::Money,
        number::unscaled,
        price_book::{BilledPrices, PriceBook},
        quantity::Unit,
        rating::{Discount, RatedMonth, RatingOptions, rate},
        reconcile::{Cause, LineReconciliation, by_cause, reconcile},
        share_out::round_together,
        usage::UsageRecord,
    },
    report::{
        formats::by_name,
        input::{Content, Options, ReportInput, WriteSummary},
    },
};
use proptest::{
    collection::vec,
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    finance::read_by,
    laws::{cases, month_of_charges, options, policy, rated},
    support::{catalog, day, dec, storage_with_an_unknown_tier, usage},
};

/// A rated month with a discount.
fn month(records: Vec<UsageRecord>, percent: u32, sharing: Policy) -> RatedMonth {
    let discounts = vec![Discount {
        service: None,
        percent: percent.into(),
    }];
    let options = RatingOptions {
        discounts,
        sharing,
        ..options()
    };
    RatedMonth {
        rated: rated(&records, &options),
        records,
    }
}

fn written(month: &RatedMonth, format: &str, options: &Options) -> (Vec<u8>, WriteSummary) {
    let material = ReportInput {
        catalog: catalog(),
        today: day("2026-12-22"),
        months: std::slice::from_ref(month),
        by_jobs: &[],
        overview: None,
        savings: None,
        scenario: None,
        forecast: None,
        sample: false,
    };
    let mut bytes = Vec::new();
    let format = by_name(format).unwrap();
    let written = (format.write)(&material, options, &mut bytes).unwrap();
    (bytes, written)
}

/// Adds up a column of a CSV; an empty field is no amount.
fn sum_of(csv: &[u8], column: &str) -> Decimal {
    let mut reader = csv::Reader::from_reader(csv);
    let headers = reader.headers().unwrap().clone();
    let at = headers.iter().position(|name| name == column).unwrap();
    let amounts = reader.records().map(|row| row.unwrap()[at].to_owned());
    amounts
        .filter(|text| !text.is_empty())
        .map(|text| dec(&text))
        .sum()
}

fn mapping(rules: Vec<Rule>) -> GlMapping {
    GlMapping {
        rules,
        suspense: Arc::from("Expenses:Suspense"),
        payable: Arc::from("Liabilities:AWS"),
        vendor: Arc::from("AWS"),
        entity: None,
        tax_rate: Arc::from("Tax Exempt"),
        dates: Some(DateStyle::Iso),
        open_accounts: true,
    }
}

/// A rule for builds: by cost centre of a tag, or into an entity of its own.
fn rule(service: &str, entity: Option<&str>) -> Rule {
    use pipebill::domain::gl::Value;
    Rule {
        service: Some(ServiceCode::new(service)),
        account: None,
        region: None,
        kind: None,
        tags: BTreeMap::new(),
        gl_account: Arc::from(format!("Expenses:{service}")),
        cost_center: Some(Value::Tag("team".to_owned())),
        entity: entity.map(|entity| Value::Fixed(Arc::from(entity))),
    }
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven)
}

proptest! {
    #![proptest_config(cases(96))]

    #[test]
    fn cents_add_up_and_none_is_off_by_more_than_one(
        amounts in vec((-999_999_999_999_i64..=999_999_999_999, 0_u32..=10), 0..40),
        decimals in 0_u32..=3,
    ) {
        let amounts: Vec<Decimal> =
            amounts.into_iter().map(|(mantissa, scale)| Decimal::new(mantissa, scale)).collect();
        let rounded = round_together(&amounts, decimals);
        let whole: Decimal = amounts.iter().sum();
        let expected = whole.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
        prop_assert_eq!(rounded.iter().sum::<Decimal>(), expected);
        for (amount, rounded) in amounts.iter().zip(&rounded) {
            prop_assert!((amount - rounded).abs() < Decimal::new(1, decimals), "{} {}", amount, rounded);
            prop_assert_eq!(rounded.scale(), decimals);
        }
    }

    #[test]
    fn every_csv_adds_up_to_the_bill(
        records in month_of_charges(), percent in 0_u32..=30, sharing in policy(),
    ) {
        let month = month(records, percent, sharing);
        let total = month.rated.bill.total();
        for (content, by) in [
            (Content::Lines, vec![]),
            (Content::Summary, vec![Dimension::Service]),
            (Content::Summary, vec![Dimension::Tag("team".to_owned()), Dimension::Resource]),
            (Content::Allocation, vec![Dimension::Account, Dimension::Region]),
        ] {
            let options = Options {
                content: Some(content),
                by,
                sharing,
                mapping: Some(mapping(vec![rule("CodeBuild", None)])),
                ..Options::default()
            };
            let (csv, written) = written(&month, "csv", &options);
            prop_assert_eq!(sum_of(&csv, "cost"), total.amount(), "{:?}", content);
            prop_assert_eq!(&written.control_totals[0]["cost"], &total.to_string());
        }
    }

    #[test]
    fn focus_adds_up_to_the_bill_and_each_row_is_its_own_product(
        records in month_of_charges(), percent in 0_u32..=30, sharing in policy(),
    ) {
        let month = month(records, percent, sharing);
        let total = month.rated.bill.total();
        let rows = charges(&month.rated, &month.records, sharing);
        prop_assert_eq!(rows.rows.iter().map(|row| row.cost).sum::<Money>(), total);
        for row in &rows.rows {
            if let (Some(quantity), Some(price), Some(list)) =
                (row.quantity, row.unit_price, row.list_unit_price)
            {
                prop_assert_eq!(Money::of(quantity.value, price), row.cost);
                prop_assert_eq!(Money::of(quantity.value, list), row.list_cost);
            }
        }
        let options = Options { sharing, ..Options::default() };
        let (csv, _) = written(&month, "focus", &options);
        for column in ["BilledCost", "ContractedCost", "EffectiveCost"] {
            prop_assert_eq!(sum_of(&csv, column), total.amount(), "{}", column);
        }
    }

    #[test]
    fn journals_balance_at_the_rounded_totals_of_the_payers(
        records in month_of_charges(), sharing in policy(), open in any::<bool>(), rate in 1_i64..=3_000_000,
    ) {
        let month = month(records, 0, sharing);
        let bill = &month.rated.bill;
        let mapping = mapping(vec![rule("CodeBuild", Some("Builders")), rule("AWSCodePipeline", None)]);
        let today = if open { day("2026-11-22") } else { day("2026-12-02") };
        let exchange = Exchange {
            from: Currency::new("USD"),
            to: Currency::new("EUR"),
            rate: Decimal::new(rate, 6),
            date: day("2026-11-30"),
            source: Arc::from("a test"),
        };
        for exchange in [None, Some(&exchange)] {
            let journal = journal(std::slice::from_ref(&month), &mapping, sharing, today, exchange, None);
            let mut owed: BTreeMap<_, Decimal> = BTreeMap::new();
            for entry in &journal.entries {
                prop_assert!(entry.lines.iter().map(|line| line.amount).sum::<Decimal>().is_zero());
                prop_assert!(entry.lines.iter().map(|line| line.billed).sum::<Decimal>().is_zero());
                prop_assert_eq!(entry.kind == EntryKind::Actual, !open);
                if entry.kind != EntryKind::Reversal {
                    *owed.entry(entry.payer.clone()).or_default() += entry.owed();
                }
            }
            let mut exact: BTreeMap<_, Money> = BTreeMap::new();
            for line in &bill.lines {
                *exact.entry(line.key.payer.clone()).or_default() += line.cost;
            }
            for (payer, total) in exact {
                let total = exchange.map_or(total, |exchange| exchange.convert(total));
                let posted = owed.get(&payer).copied().unwrap_or_default();
                prop_assert_eq!(posted, cents(total.amount()));
            }
            if open {
                let all = journal.entries.iter().flat_map(|entry| &entry.lines);
                prop_assert!(all.map(|line| line.amount).sum::<Decimal>().is_zero());
                let reversals = journal.entries.iter().filter(|e| e.kind == EntryKind::Reversal);
                prop_assert_eq!(reversals.count() * 2, journal.entries.len());
            }
        }
    }

    #[test]
    fn an_expected_accrual_is_the_cost_to_date_and_the_rest(
        records in month_of_charges(), sharing in policy(), rest in -50_000_i64..500_000,
        ends in proptest::collection::vec(-50_000_i64..500_000, 0..5),
    ) {
        let month = month(records, 0, sharing);
        let bill = &month.rated.bill;
        let mapping = mapping(vec![rule("CodeBuild", Some("Builders"))]);
        let cents = |cents| Money::new(Decimal::new(cents, 2));
        let today = day("2026-11-22");
        let made = |today, rest| {
            journal(std::slice::from_ref(&month), &mapping, sharing, today, None, rest)
        };
        let ends = bill.by_service().into_iter().zip(ends).map(|((service, _), end)| (service, cents(end)));
        let rest = Rest { month: bill.month, amount: cents(rest), ends: ends.collect() };
        let journal = made(today, Some(&rest));
        let accruals = journal.entries.iter().filter(|entry| entry.kind == EntryKind::Accrual);
        let owed: Decimal = accruals.map(pipebill::domain::journal::Entry::owed).sum();
        let beyond = journal.expected.unwrap_or_default();
        let expected = (bill.total() + beyond).amount();
        let payers: std::collections::BTreeSet<_> = bill.lines.iter().map(|line| &line.key.payer).collect();
        // Each payer's total is rounded once.
        prop_assert!((owed - expected).abs() <= Decimal::new(5, 3) * Decimal::from(payers.len() as u64 + 1));
        prop_assert_eq!(journal.expected.is_some(), !bill.usage_total().is_zero());
        for entry in &journal.entries {
            prop_assert!(entry.lines.iter().map(|line| line.amount).sum::<Decimal>().is_zero());
        }
        let all = journal.entries.iter().flat_map(|entry| &entry.lines);
        prop_assert!(all.map(|line| line.amount).sum::<Decimal>().is_zero());
        // A month that is over is posted as it is.
        let over = day("2026-12-02");
        prop_assert_eq!(made(over, Some(&rest)), made(over, None));
    }

    #[test]
    fn causes_and_the_unexplained_rest_are_the_difference(
        records in month_of_charges(), percent in 0_u32..=30, sharing in policy(), late in 0_usize..4,
    ) {
        // Some rows are of the month before.
        let records: Vec<UsageRecord> = records.into_iter().enumerate().map(|(at, mut record)| {
            if at < late {
                record.day = day("2026-10-31");
            }
            record
        }).collect();
        let month = month(records, percent, sharing);
        let lines = reconcile(&month.rated, &month.records);
        for line in &lines {
            if let Some(difference) = line.difference() {
                let causes: Money = line.causes.values().copied().sum();
                prop_assert_eq!(causes + line.unexplained, difference);
            }
        }
        let causes: Money = by_cause(&lines).values().copied().sum();
        let compared = lines.iter().filter(|line| line.billed.is_some());
        let unexplained: Money = compared.clone().map(|line| line.unexplained).sum();
        let difference: Money = compared.filter_map(LineReconciliation::difference).sum();
        prop_assert_eq!(causes + unexplained, difference);
    }

    #[test]
    fn metrics_and_parquet_add_up_to_the_bill(records in month_of_charges(), sharing in policy()) {
        let month = month(records, 0, sharing);
        let total = month.rated.bill.total().amount();
        let options = Options { sharing, ..Options::default() };
        let (metrics, _) = written(&month, "openmetrics", &options);
        let metrics = String::from_utf8(metrics).unwrap();
        let costs = metrics.lines().filter(|line| line.starts_with("pipebill_cost_usd{"));
        let sum: Decimal = costs.map(|line| dec(line.rsplit(' ').next().unwrap())).sum();
        prop_assert_eq!(sum, total);
        prop_assert!(metrics.ends_with("# EOF\n"));

        let (file, _) = written(&month, "focus-parquet", &options);
        let mut kept = tempfile::tempfile().unwrap();
        kept.write_all(&file).unwrap();
        let reader = SerializedFileReader::new(kept).unwrap();
        let (mut sum, mut rows) = (0_i128, 0_i128);
        for row in reader.get_row_iter(None).unwrap() {
            for (name, field) in row.unwrap().get_column_iter() {
                if let (true, Field::Decimal(decimal)) = (name == "BilledCost", field) {
                    let bytes = <[u8; 16]>::try_from(decimal.data()).unwrap();
                    sum += i128::from_be_bytes(bytes);
                    rows += 1;
                }
            }
        }
        // Each row is rounded at the eighteenth decimal place, if it has more.
        let off = sum - unscaled(total, 18).unwrap();
        prop_assert!(off.abs() <= rows, "{} steps of 1e-18", off);
    }
}

/// Workbooks of any month, read and added up by openpyxl.
#[test]
fn workbooks_add_up_to_the_bill() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::deterministic();
    let mut totals = BTreeMap::new();
    for at in 0..24 {
        let records = month_of_charges().new_tree(&mut runner).unwrap().current();
        let month = month(records, at % 3 * 10, Policy::Proportional);
        let (book, _) = written(&month, "xlsx", &Options::default());
        let name = format!("{at:02}.xlsx");
        std::fs::write(folder.path().join(&name), book).unwrap();
        let bill = &month.rated.bill;
        totals.insert(name, (bill.total().amount(), bill.lines.len()));
    }
    let Some(found) = read_by("workbooks", folder.path()) else {
        return;
    };
    assert_eq!(found.as_object().unwrap().len(), totals.len());
    for (name, (total, lines)) in totals {
        let book = &found[&name];
        assert_eq!(book["lines"], lines, "{name}");
        let exact: f64 = total.to_string().parse().unwrap();
        // Fifteen digits of each amount.
        let near = 1e-9_f64.max(exact.abs() * 1e-12);
        for (key, wanted) in [("sum", exact), ("paid", exact), ("apart", 0.0)] {
            let value: f64 = book[key].as_str().unwrap().parse().unwrap();
            assert!(
                (value - wanted).abs() <= near,
                "{name} {key}: {value} {wanted}"
            );
        }
    }
}

/// Of S3 the first tier is known, 0.023: AWS charged 800 GB-months of the next at 0.022, or all at
/// other rates.
#[test]
fn units_beyond_a_known_tier_are_charged_for_at_an_unknown_price() {
    let meter = Meter::new("AmazonS3", "TimedStorage-ByteHrs");
    for (rows, unknown, price) in [
        (&[("51200", "0.023"), ("800", "0.022")][..], "-17.6", "0"),
        // 1,000 units at the odd rate: 800 of them have no price, 200 are charged too little for.
        (&[("51000", "0.023"), ("1000", "0.022")], "-17.6", "0.2"),
        // No row has another rate: all of it is charged alike.
        (&[("52000", "0.023")], "-18.4", "0"),
    ] {
        let records: Vec<UsageRecord> = rows
            .iter()
            .map(|(units, rate)| {
                let units = dec(units);
                let mut record =
                    usage(&meter, "us-east-1", day("2026-10-01"), units, Unit::GbMonth);
                record.billed = Some(pipebill::domain::usage::Billed {
                    cost: Money::of(units, dec(rate)),
                    rate: Some(dec(rate)),
                    ..Default::default()
                });
                record
            })
            .collect();
        // Rated by the public prices alone, as before a bill showed any.
        let book = PriceBook {
            stated: Vec::new(),
            observed: BilledPrices::default(),
            catalog: &storage_with_an_unknown_tier(),
            like: None,
        };
        let options = RatingOptions::new("2026-10".parse().unwrap());
        let lines = reconcile(&rate(&records, &book, &options).unwrap(), &records);
        let [line] = &lines[..] else {
            panic!("{lines:?}")
        };
        assert!(line.unpriced, "{rows:?}");
        assert_eq!(line.ours.amount(), dec("1177.6"), "{rows:?}");
        assert_eq!(
            line.of(Cause::UnknownPrice).amount(),
            dec(unknown),
            "{rows:?}"
        );
        assert_eq!(line.of(Cause::Price).amount(), dec(price), "{rows:?}");
        assert!(line.unexplained.is_zero(), "{line:?}");
    }
}

/// The rules of a mapping as it is documented: `*` stands for any text wherever it is, `|` for "or",
/// case does not count, all that a rule names must match, and the first rule that matches counts.
#[test]
fn the_first_rule_whose_patterns_match_is_posted_to() {
    let rule =
        |pattern: &str, account: &str| format!("[[rule]]\n{pattern}\ngl_account = \"{account}\"\n");
    let record = |region: &str, tags: &[(&str, &str)]| {
        let meter = Meter::new("AWSCodePipeline", "actionExecutionMinute");
        let mut record = usage(&meter, region, day("2026-10-01"), dec("1"), Unit::Minute);
        let tag = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        record.tags = Arc::new(tags.iter().map(tag).collect());
        record
    };
    let posted = |rules: &[String], record: &UsageRecord| {
        let text = format!(
            "suspense = \"suspense\"\npayable = \"2\"\n{}",
            rules.concat()
        );
        let mapping = pipebill::inputs::gl_mapping::parse("own.toml", &text, catalog()).unwrap();
        mapping.post(record).gl_account.to_string()
    };
    let here = record("eu-west-1", &[("team", "Team-API"), ("env", "prod")]);
    for (pattern, is_met) in [
        ("region = \"eu-west-1\"", true),
        ("region = \"EU-West-1\"", true),
        ("region = \"eu-*\"", true),
        ("region = \"*-1\"", true),
        ("region = \"*west*\"", true),
        ("region = \"e*-*1\"", true),
        ("region = \"*\"", true),
        // A whole name is compared, not its beginning.
        ("region = \"eu\"", false),
        ("region = \"west\"", false),
        ("region = \"eu-*-2\"", false),
        ("region = \"us-east-1|eu-west-1\"", true),
        ("region = \"us-*|*-west-*\"", true),
        ("region = \"us-*|ap-*\"", false),
        ("account = \"1111*\"", true),
        ("account = \"2222*|3333*\"", false),
        ("kind = \"USAGE|tax\"", true),
        ("kind = \"tax|credit\"", false),
        ("service = \"CodePipeline\"", true),
        ("service = \"CodeBuild\"", false),
        ("tag.team = \"team-*\"", true),
        ("tag.team = \"web|*-api\"", true),
        ("tag.team = \"web\"", false),
        // A tag that is not there is no empty one.
        ("tag.owner = \"*\"", false),
        // All that it names.
        (
            "region = \"eu-*\"\ntag.team = \"team-*\"\ntag.env = \"PROD\"",
            true,
        ),
        (
            "region = \"eu-*\"\ntag.team = \"team-*\"\ntag.env = \"test\"",
            false,
        ),
    ] {
        let expected = if is_met { "met" } else { "suspense" };
        assert_eq!(
            posted(&[rule(pattern, "met")], &here),
            expected,
            "{pattern}"
        );
    }
    let [wide, narrow, other] = [
        rule("region = \"eu-*\"", "wide"),
        rule("region = \"eu-west-1\"\ntag.team = \"team-api\"", "narrow"),
        rule("region = \"us-*\"", "other"),
    ];
    // Their order decides, not how closely they match.
    for (rules, first) in [
        ([&wide, &narrow, &other], "wide"),
        ([&narrow, &wide, &other], "narrow"),
        ([&other, &wide, &narrow], "wide"),
        ([&other, &narrow, &wide], "narrow"),
    ] {
        assert_eq!(posted(&rules.map(Clone::clone), &here), first, "{rules:?}");
    }
    let rules = [narrow, wide, other];
    assert_eq!(posted(&rules, &record("eu-west-1", &[])), "wide");
    assert_eq!(posted(&rules, &record("us-west-2", &[])), "other");
    assert_eq!(posted(&rules, &record("ap-south-1", &[])), "suspense");
}
