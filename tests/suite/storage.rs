//! Logs and artifacts in storage: told apart on import, and what keeping less of them saves, against
//! arithmetic by hand and a simulation of every day.

use pipebill::{
    app::{App, DataSource, RatingTerms},
    domain::{
        ids::{Currency, Meter, ServiceCode},
        money::Money,
        optimize::{Finding, FindingKind, NotCompared},
        period::Month,
        plan::PricingTerms,
        price_book::{BilledPrices, PriceBook},
        quantity::Unit,
        scenario::{
            Change, ScenarioRater,
            workload::{MonthEvents, Workload},
        },
        storage::{History, ResourceDetail, StorageKind, Store},
        usage::{Billed, UsageRecord},
    },
    exports::{ImportOptions, Unwatched, import_reader},
    inputs::scenario_file::parse_set,
    ledger::Ledger,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::{
    laws::cases,
    support::{catalog, check_references, day, dec, usage},
};

const GROUP: &str = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/codebuild/api";

fn imported(header: &str, rows: &[&str], include: &[&str]) -> Ledger {
    let text = format!("{header}\n{}\n", rows.join("\n"));
    let options = ImportOptions {
        include_services: include.iter().copied().map(ServiceCode::new).collect(),
        ..ImportOptions::default()
    };
    let reader = std::io::Cursor::new(text);
    let delivery = import_reader("x.csv", reader, catalog(), &options, &Unwatched);
    let delivery = delivery.unwrap_or_else(|error| panic!("{error}"));
    let mut ledger = Ledger::in_memory().unwrap();
    ledger.replace(&delivery.slices).unwrap();
    ledger
}

const HEADER: &str = "bill_payer_account_id,line_item_usage_account_id,\
    bill_billing_period_start_date,line_item_usage_start_date,line_item_line_item_type,\
    line_item_product_code,line_item_usage_type,line_item_resource_id,line_item_usage_amount,\
    line_item_unblended_cost,line_item_unblended_rate,line_item_currency_code,pricing_unit";

fn row(day: u32, kind: &str, meter: &str, resource: &str, amounts: &str) -> String {
    format!(
        "999988887777,111122223333,2026-10-01T00:00:00Z,2026-10-{day:02}T00:00:00Z,{kind},{meter},{resource},{amounts}"
    )
}

fn october() -> Vec<String> {
    vec![
        row(
            1,
            "Usage",
            "CodeBuild,USE1-Build-Min:Linux:g1.small",
            "",
            "10,0.05,0.005,USD,Minutes",
        ),
        row(
            1,
            "Usage",
            "AmazonCloudWatch,USE1-TimedStorage-ByteHrs",
            GROUP,
            "2,0.06,0.03,USD,GB-Mo",
        ),
        row(
            2,
            "Usage",
            "AmazonCloudWatch,USE1-TimedStorage-ByteHrs",
            GROUP,
            "3,0.09,0.03,USD,GB-Mo",
        ),
        row(
            2,
            "Usage",
            "AmazonCloudWatch,USE1-DataProcessing-Bytes",
            GROUP,
            "7,3.5,0.5,USD,GB",
        ),
        row(
            3,
            "Tax",
            "AmazonCloudWatch,USE1-TimedStorage-ByteHrs",
            GROUP,
            "1,9,,USD,",
        ),
        row(
            3,
            "Usage",
            "AmazonCloudWatch,USE1-TimedStorage-ByteHrs",
            "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/artifact",
            "5,0.15,0.03,USD,GB-Mo",
        ),
        row(
            3,
            "Usage",
            "AmazonS3,EUC1-TimedStorage-ByteHrs",
            "codepipeline-eu-central-1-7",
            "4,0.098,0.0245,USD,GB-Mo",
        ),
        row(
            3,
            "Usage",
            "AmazonS3,Requests-Tier1",
            "codepipeline-eu-central-1-7",
            "1000,0.005,0.000005,USD,Requests",
        ),
        row(
            3,
            "Usage",
            "AmazonS3,TimedStorage-ByteHrs",
            "holiday-photos",
            "9,0.207,0.023,USD,GB-Mo",
        ),
    ]
}

#[test]
fn storage_of_builds_and_pipelines_is_told_apart_and_never_added() {
    let rows = october();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let ledger = imported(HEADER, &rows, &[]);
    let month: Month = "2026-10".parse().unwrap();
    let (told, storage) = ledger.storage(month).unwrap();
    assert_eq!(told, ResourceDetail::Present);
    let said: Vec<String> = storage
        .iter()
        .map(|record| {
            let billed = record.billed.as_ref().unwrap();
            format!(
                "{} {} {} {} {}",
                record.key.region,
                record.key.meter.usage_type,
                record.resource.as_ref().unwrap(),
                record.quantity.unwrap(),
                billed.cost.amount(),
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "eu-central-1 TimedStorage-ByteHrs codepipeline-eu-central-1-7 4 GB-months 0.098"
                .to_owned(),
            format!("us-east-1 DataProcessing-Bytes {GROUP} 7 GB 3.5"),
            format!("us-east-1 TimedStorage-ByteHrs {GROUP} 5 GB-months 0.15"),
        ]
    );
    // The sums of other services hold all of it, and the records of the bill none.
    let outside = ledger.outside(month).unwrap();
    let all: Money = outside.iter().map(|total| total.cost).sum();
    assert_eq!(all, Money::new(dec("13.110")));
    assert_eq!(outside.iter().map(|total| total.rows).sum::<u64>(), 8);
    assert_eq!(ledger.records(month).unwrap().len(), 1);
}

#[test]
fn a_service_that_is_kept_is_not_told_twice() {
    let rows = october();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let ledger = imported(HEADER, &rows, &["AmazonS3", "AmazonCloudWatch"]);
    let month: Month = "2026-10".parse().unwrap();
    assert!(ledger.storage(month).unwrap().1.is_empty());
    let records = ledger.records(month).unwrap();
    let history = History::of_month(month, ResourceDetail::Present, &records);
    assert_eq!(history.stores.len(), 2);
}

#[test]
fn a_bill_without_resources_says_nothing_of_storage() {
    let header = HEADER.replace("line_item_resource_id,", "");
    let rows = [
        "999988887777,111122223333,2026-10-01T00:00:00Z,2026-10-01T00:00:00Z,Usage,AmazonS3,TimedStorage-ByteHrs,4,0.1,0.023,USD,GB-Mo",
        "999988887777,111122223333,2026-10-01T00:00:00Z,2026-10-01T00:00:00Z,Usage,CodeBuild,Build-Min:Linux:g1.small,4,0.02,0.005,USD,Minutes",
    ];
    let ledger = imported(&header, &rows, &[]);
    let month: Month = "2026-10".parse().unwrap();
    assert_eq!(
        ledger.storage(month).unwrap(),
        (ResourceDetail::NotInExport, Vec::new())
    );
}

/// A ledger of the version before knows nothing of storage, and keeps what it has.
#[test]
fn an_older_ledger_learns_of_storage_by_another_import() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let rows = october();
    let text = format!("{HEADER}\n{}\n", rows.join("\n"));
    let read = || {
        let reader = std::io::Cursor::new(text.clone());
        import_reader(
            "x.csv",
            reader,
            catalog(),
            &ImportOptions::default(),
            &Unwatched,
        )
        .unwrap()
    };
    let month: Month = "2026-10".parse().unwrap();
    let before = {
        let mut ledger = Ledger::open(&path).unwrap();
        ledger.replace(&read().slices).unwrap();
        ledger.records(month).unwrap()
    };
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "DELETE FROM record WHERE aside = 1; ALTER TABLE record DROP COLUMN aside;
             ALTER TABLE record DROP COLUMN covered_by;
             ALTER TABLE slice DROP COLUMN names_resources;
             ALTER TABLE slice DROP COLUMN standing;
             ALTER TABLE build DROP COLUMN started_by;
             ALTER TABLE build DROP COLUMN auto_retry;
             DROP TABLE utilization; DROP TABLE ci_job; DROP TABLE runner;
             UPDATE slice SET digest = x'00'; PRAGMA user_version = 3;",
        )
        .unwrap();
    drop(connection);
    let mut ledger = Ledger::open(&path).unwrap();
    assert_eq!(
        ledger.storage(month).unwrap(),
        (ResourceDetail::NotImported, Vec::new())
    );
    assert_eq!(ledger.records(month).unwrap(), before);
    ledger.replace(&read().slices).unwrap();
    let (told, storage) = ledger.storage(month).unwrap();
    assert_eq!((told, storage.len()), (ResourceDetail::Present, 3));
    assert_eq!(ledger.records(month).unwrap(), before);
    check_references(&path);
}

/// A month of a log group: GB taken in, GB stored as the mean over the month, at 0.03 each.
fn of_month(month: Month, taken_in: Decimal, stored: Decimal) -> [UsageRecord; 2] {
    let record = |usage_type: &str, value: Decimal, unit, price: &str| {
        let meter = Meter::new("AmazonCloudWatch", usage_type);
        let mut record = usage(&meter, "us-east-1", month.first_day(), value, unit);
        record.resource = Some(GROUP.into());
        record.billed = Some(Billed {
            cost: Money::of(value, dec(price)),
            rate: Some(dec(price)),
            ..Billed::default()
        });
        record
    };
    [
        record("DataProcessing-Bytes", taken_in, Unit::Gb, "0.5"),
        record("TimedStorage-ByteHrs", stored, Unit::GbMonth, "0.03"),
    ]
}

fn history(months: &[(Month, Decimal, Decimal)]) -> History {
    let single: Vec<History> = months
        .iter()
        .map(|(month, taken_in, stored)| {
            History::of_month(
                *month,
                ResourceDetail::Present,
                &of_month(*month, *taken_in, *stored),
            )
        })
        .collect();
    History::of(&single)
}

fn group() -> Store {
    let [_, stored] = of_month("2026-10".parse().unwrap(), Decimal::ONE, Decimal::ONE);
    Store::of(&stored).unwrap().0
}

/// What a month's storage costs under changes, by `whatif`'s own way.
fn cost(month: (Month, Decimal, Decimal), history: &History, changes: &[&str]) -> Money {
    let book = PriceBook::new(catalog());
    let currency = Currency::new("USD");
    let mut workload = Workload::recorded(month.0, currency, &[], &book, &MonthEvents::default());
    workload.add_storage(&of_month(month.0, month.1, month.2), history);
    let terms = PricingTerms::default();
    let rater = ScenarioRater::new(&workload, catalog(), &terms, BilledPrices::default());
    let changes: Vec<Change> = changes
        .iter()
        .map(|text| parse_set("--set", text, catalog()).unwrap_or_else(|error| panic!("{error}")))
        .collect();
    let value = rater.value(&changes.iter().collect::<Vec<_>>()).unwrap();
    assert!(value.is_complete(), "{:?}", value.applied.unknown);
    value.bill.total()
}

#[test]
fn thirty_days_of_logs_by_hand() {
    let month = |text: &str| text.parse::<Month>().unwrap();
    // A gigabyte a day, of which a fifth is stored: from the middle of June to that of July 30.5 GB
    // come in and 6.1 are stored, then 31 and 6.2.
    let months = [
        (month("2026-06"), dec("30"), dec("10")),
        (month("2026-07"), dec("31"), dec("16.1")),
        (month("2026-08"), dec("31"), dec("22.3")),
    ];
    let history = history(&months);
    let a_day = history.daily_growth(&group()).unwrap();
    assert_eq!((a_day.gb, a_day.days), (dec("0.2"), dec("92")));
    let last = months[2];
    assert_eq!(cost(last, &history, &[]), Money::new(dec("0.669")));
    // 30 days and 3 until they are gone, 0.2 GB each: 6.6 GB.
    let kept = Money::new(dec("0.198"));
    assert_eq!(cost(last, &history, &["log_retention[api]=30"]), kept);
    // The shorter of two holds, and half of that is half.
    let two = [
        "log_retention[api]=90",
        "log_retention=30",
        "log_storage*=0.5",
    ];
    assert_eq!(cost(last, &history, &two), Money::new(dec("0.099")));
    assert_eq!(cost(last, &history, &["log_storage[api]*=0"]), Money::ZERO);
    assert_eq!(
        cost(last, &history, &["artifact_storage*=0"]),
        cost(last, &history, &[])
    );
    // Longer than what is on record: nobody knows.
    assert_eq!(a_day.kept(dec("22.3"), dec("93")), None);
}

proptest! {
    #![proptest_config(cases(300))]

    /// Every day's logs are stored, packed, and under retention deleted up to two days late. What is
    /// said to be saved is never more than the simulation saves, nor than was billed.
    #[test]
    fn retention_never_saves_less_than_is_said(
        levels in prop::collection::vec(1_i64..200, 5..13),
        percent in 5_i64..101,
        before in 0_i64..5000,
        days in prop::sample::select(vec![7_usize, 14, 30, 60, 90]),
        late in 0_usize..3,
    ) {
        let packed = Decimal::new(percent, 2);
        let mut month: Month = "2025-10".parse().unwrap();
        let mut daily: Vec<Decimal> = Vec::new();
        let mut stored = Decimal::from(before);
        let mut months = Vec::new();
        let mut in_last_month = 0;
        for level in levels {
            let (mut sum, mut count) = (Decimal::ZERO, 0);
            for _ in month.days() {
                daily.push(Decimal::from(level));
                stored += Decimal::from(level) * packed;
                sum += stored;
                count += 1;
            }
            in_last_month = count;
            months.push((month, Decimal::from(level) * Decimal::from(count), sum / Decimal::from(count)));
            month = month.next();
        }
        // Of each day of the last month, what the days up to then left.
        let ends = daily.len() - in_last_month + 1..=daily.len();
        let left: Decimal = ends
            .map(|end| daily[end.saturating_sub(days + late)..end].iter().sum::<Decimal>() * packed)
            .sum();
        let simulated = left / Decimal::from(in_last_month);
        let history = history(&months);
        let last = *months.last().unwrap();
        let billed = cost(last, &history, &[]);
        let said = billed - cost(last, &history, &[&format!("log_retention[api]={days}")]);
        let really = billed - Money::of(simulated, dec("0.03"));
        let breath = Money::new(dec("0.0000001"));
        prop_assert!(said <= really + breath, "{said} said, {really} saved");
        prop_assert!(said >= Money::ZERO && said <= billed);
    }
}

#[test]
fn what_was_deleted_from_shows_and_is_not_guessed() {
    let month = |text: &str| text.parse::<Month>().unwrap();
    let bucket = |stored: [&str; 3]| {
        let months = ["2026-08", "2026-09", "2026-10"].map(month);
        let single: Vec<History> = months
            .into_iter()
            .zip(stored)
            .map(|(month, stored)| {
                let meter = Meter::new("AmazonS3", "TimedStorage-ByteHrs");
                let mut record = usage(
                    &meter,
                    "us-east-1",
                    month.first_day(),
                    dec(stored),
                    Unit::GbMonth,
                );
                record.resource = Some("codepipeline-us-east-1-7".into());
                History::of_month(month, ResourceDetail::Present, [&record])
            })
            .collect();
        let history = History::of(&single);
        let store = history.stores.keys().next().unwrap().clone();
        assert_eq!(store.kind, StorageKind::Artifacts);
        history.daily_growth(&store).map(|a_day| a_day.gb)
    };
    // 6 GB in September's 30 days, 6.2 in October's 31.
    assert_eq!(bucket(["10", "16", "22.2"]), Some(dec("0.2")));
    assert_eq!(bucket(["10", "16", "12"]), None);
}

fn findings() -> (App, Vec<Finding>, pipebill::app::Baseline) {
    let app = App::new(day("2026-11-21"), DataSource::Sample).unwrap();
    let ledger = app.ledger().unwrap();
    let last: Month = "2026-10".parse().unwrap();
    let baseline = app.baseline(&ledger, &[last], 12, &RatingTerms::default());
    let baseline = baseline.unwrap();
    let found = app.find_savings(&baseline, Money::ZERO).unwrap().found;
    (app, found.findings, baseline)
}

#[test]
fn the_sample_has_each_kind_and_none_saves_more_than_was_billed() {
    let (_, findings, baseline) = findings();
    let of = |kind: FindingKind| findings.iter().find(|finding| finding.kind == kind);
    let billed = |at: usize, left: StorageKind, name: &str| -> Money {
        let stores = baseline.storage.stores.iter();
        let meant = stores.filter(|(store, _)| store.kind == left && store.name.contains(name));
        meant.map(|(_, months)| months[at].cost).sum()
    };
    for (kind, left, name) in [
        (FindingKind::LogRetention, StorageKind::Logs, "-"),
        (
            FindingKind::ForgottenLogs,
            StorageKind::Logs,
            "legacy-invoicing",
        ),
        (
            FindingKind::ArtifactRetention,
            StorageKind::Artifacts,
            "us-east-1",
        ),
        (
            FindingKind::ForgottenArtifacts,
            StorageKind::Artifacts,
            "eu-central-1",
        ),
    ] {
        let finding = of(kind).unwrap_or_else(|| panic!("no {}", kind.name()));
        assert_eq!(finding.by_month.len(), 12);
        for (at, saving) in finding.by_month.iter().enumerate() {
            assert!(
                *saving <= billed(at, left, name),
                "{:?} {saving}",
                finding.proposed
            );
        }
    }
    // All of it, at what was billed: 61.8 GB at 0.03, 143.6 GB at 0.023.
    let last = |kind| of(kind).unwrap().by_month[11].to_cents();
    assert_eq!(last(FindingKind::ForgottenLogs), dec("1.85"));
    assert_eq!(last(FindingKind::ForgottenArtifacts), dec("3.30"));
}

#[test]
fn without_storage_on_record_a_scenario_of_it_is_refused() {
    let (app, _, mut baseline) = findings();
    for month in &mut baseline.months {
        month.stores.told = Some(ResourceDetail::NotInExport);
    }
    baseline.storage.told = Some(ResourceDetail::NotInExport);
    let change = parse_set("--set", "log_retention=30", &app.catalog).unwrap();
    let scenario = pipebill::domain::scenario::Scenario {
        name: "x".to_owned(),
        note: None,
        changes: vec![change],
    };
    let error = app.compare(&baseline, &scenario).unwrap_err();
    assert!(error.to_string().contains("names no resources"), "{error}");
    let found = app.find_savings(&baseline, Money::ZERO).unwrap().found;
    assert!(
        found
            .findings
            .iter()
            .all(|f| f.kind != FindingKind::ForgottenLogs)
    );
    let named = found.not_compared.iter();
    let named = named.filter(|it| matches!(it, NotCompared::StorageNotInExport));
    assert_eq!(named.count(), 1);
}
