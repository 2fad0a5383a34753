//! Cost Explorer: what AWS charged, by day, service and usage type.
//!
//! The answers are written in the form that `aws ce get-cost-and-usage` prints and read by the
//! importer of that form, so that a day means the same whether it was imported or collected.

use std::io::Cursor;

use aws_sdk_costexplorer::{
    Client,
    operation::get_cost_and_usage::GetCostAndUsageOutput,
    types::{
        DateInterval, Dimension, DimensionValues, Expression, Granularity, GroupDefinition,
        GroupDefinitionType, MetricValue,
    },
};
use chrono::{Datelike, NaiveDate};
use serde_json::{Map, Value, json};

use super::{
    CollectError, accounts::Account, error::Failure, operations::Operation, pages::Pages, run::Run,
};
use crate::{
    domain::{
        collection::{Covered, Scope, Source},
        ids::Region,
        metering::from_events::AccountRegion,
        period::Month,
    },
    exports::{self, ImportOptions, Unwatched},
};

/// What is asked of each day. AWS allows two groupings at a time, so usage and the rest are two
/// questions; together they are all that was charged.
const QUESTIONS: [(&str, [&str; 2]); 2] = [
    ("Usage", ["SERVICE", "USAGE_TYPE"]),
    ("", ["SERVICE", "RECORD_TYPE"]),
];

/// Requests for a month, if AWS answers in one page each.
pub(super) const REQUESTS_A_MONTH: u64 = QUESTIONS.len() as u64;

/// The region that Cost Explorer answers in.
pub(super) fn region(partition: &str) -> Region {
    Region::new(match partition {
        "aws-cn" => "cn-northwest-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => "us-east-1",
    })
}

/// Returns the months that have to be asked for, the newest first: the closed ones are known.
pub(super) fn open_months(run: &Run<'_>, account: &Account) -> Result<Vec<Month>, CollectError> {
    let (from, to) = days(run);
    let mut months = Vec::new();
    let mut month = Month::of(to);
    while month.last_day() >= from {
        // The day that is going on has no sum yet.
        let has_days = month.first_day() < run.today();
        if has_days && !run.ledger().is_closed(account.id.as_str(), month)? {
            months.push(month);
        }
        month = month.previous();
    }
    Ok(months)
}

/// Collects the months that are not closed.
pub(super) async fn collect(run: &Run<'_>, account: &Account) -> Result<(), Failure> {
    let scope = Scope {
        place: AccountRegion {
            account: account.id.clone(),
            region: Region::global(),
        },
        source: Source::CostExplorer,
    };
    let client = Client::new(&account.in_region(&region(&account.partition)));
    run.ledger().begin_source(&scope)?;
    let (first, last) = days(run);
    let mut whole = true;
    let mut months = open_months(run, account)?.into_iter();
    while let Some(month) = months.next() {
        match collect_month(run, account, &client, &scope, month).await {
            Ok(()) => {}
            // These concern every month.
            Err(
                failure @ (Failure::Fatal(_)
                | Failure::Denied(_)
                | Failure::CostExplorerOff
                | Failure::NotSignedUp(_)
                | Failure::RegionOff
                | Failure::Unreached { .. }),
            ) => return Err(failure),
            // The others may still be read, and each that is not has a name.
            Err(failure) => {
                whole = false;
                run.miss(&scope, &month.to_string(), &failure)?;
                if matches!(failure, Failure::Throttled { .. }) {
                    // Who asks on is refused for longer.
                    for month in months.by_ref() {
                        run.miss(&scope, &month.to_string(), &failure)?;
                    }
                }
            }
        }
    }
    if whole {
        run.ledger().cover(&Covered { scope, first, last })?;
    }
    Ok(())
}

/// Returns the days to ask for: the day that goes on has no sum yet.
fn days(run: &Run<'_>) -> (NaiveDate, NaiveDate) {
    let (from, to) = run.days();
    let yesterday = run.today().pred_opt().unwrap_or(to);
    (from.max(oldest_day(run.today())), to.min(yesterday))
}

async fn collect_month(
    run: &Run<'_>,
    account: &Account,
    client: &Client,
    scope: &Scope,
    month: Month,
) -> Result<(), Failure> {
    let place = AccountRegion {
        account: account.id.clone(),
        region: region(&account.partition),
    };
    let (from, to) = days(run);
    let first = month.first_day().max(from);
    let last = month.last_day().min(to);
    let Some(end) = last.succ_opt().filter(|end| first < *end) else {
        return Ok(());
    };
    let mut read = String::new();
    let mut is_final = month.end() <= run.today() && first == month.first_day();
    for (kind, groups) in QUESTIONS {
        let mut pages = Pages::default();
        loop {
            run.spend()?;
            let request = request(client, (first, end), kind, groups, pages.token(), account);
            let answer = run
                .ask_page(&place, Operation::GetCostAndUsage, &pages, request.send())
                .await?;
            let days = answer.results_by_time();
            is_final &= days.iter().all(|day| !day.estimated());
            run.read(scope, days.iter().map(|day| day.groups().len()).sum());
            read += &page(&answer, groups).to_string();
            read.push('\n');
            if !pages.turn(Operation::GetCostAndUsage, answer.next_page_token)? {
                break;
            }
        }
    }
    let options = ImportOptions {
        source: Some(account.id.to_string()),
        ..ImportOptions::default()
    };
    let read = Cursor::new(read.into_bytes());
    let delivery =
        exports::import_reader("Cost Explorer", read, run.catalog(), &options, &Unwatched)
            .map_err(CollectError::from)?;
    run.ledger()
        .keep_costs(account.id.as_str(), month, &delivery.slices, is_final)?;
    Ok(())
}

fn request(
    client: &Client,
    (first, end): (NaiveDate, NaiveDate),
    kind: &str,
    groups: [&str; 2],
    token: Option<String>,
    account: &Account,
) -> aws_sdk_costexplorer::operation::get_cost_and_usage::builders::GetCostAndUsageFluentBuilder {
    let days = DateInterval::builder()
        .start(first.to_string())
        .end(end.to_string())
        .build()
        .expect("both days are set");
    let is = |dimension: Dimension, value: &str| {
        Expression::builder()
            .dimensions(
                DimensionValues::builder()
                    .key(dimension)
                    .values(value)
                    .build(),
            )
            .build()
    };
    let usage = is(Dimension::RecordType, "Usage");
    let mut filter = if kind.is_empty() {
        Expression::builder().not(usage).build()
    } else {
        usage
    };
    if account.is_one_of_several {
        // An account that pays for others sees their costs too, and they are asked themselves.
        let own = is(Dimension::LinkedAccount, account.id.as_str());
        filter = Expression::builder().and(filter).and(own).build();
    }
    let mut request = client
        .get_cost_and_usage()
        .time_period(days)
        .granularity(Granularity::Daily)
        .metrics("UnblendedCost")
        .metrics("UsageQuantity")
        .filter(filter)
        .set_next_page_token(token);
    for key in groups {
        request = request.group_by(
            GroupDefinition::builder()
                .r#type(GroupDefinitionType::Dimension)
                .key(key)
                .build(),
        );
    }
    request
}

/// Writes an answer as AWS's command line does, with nothing in it but what was asked for.
fn page(answer: &GetCostAndUsageOutput, groups: [&str; 2]) -> Value {
    let metric = |metric: &MetricValue| json!({"Amount": metric.amount(), "Unit": metric.unit()});
    let days: Vec<Value> = answer
        .results_by_time()
        .iter()
        .map(|day| {
            let groups: Vec<Value> = day
                .groups()
                .iter()
                .map(|group| {
                    let metrics: Map<String, Value> = ["UnblendedCost", "UsageQuantity"]
                        .into_iter()
                        .filter_map(|name| {
                            let value = group.metrics()?.get(name)?;
                            Some((name.to_owned(), metric(value)))
                        })
                        .collect();
                    json!({"Keys": group.keys(), "Metrics": metrics})
                })
                .collect();
            let period = day.time_period();
            json!({
                "TimePeriod": {
                    "Start": period.map(DateInterval::start),
                    "End": period.map(DateInterval::end),
                },
                "Groups": groups,
                "Estimated": day.estimated(),
            })
        })
        .collect();
    let definitions = groups.map(|key| json!({"Type": "DIMENSION", "Key": key}));
    json!({"GroupDefinitions": definitions, "ResultsByTime": days})
}

/// Returns the first day that Cost Explorer still has by day: 13 months and the current one.
pub(super) fn oldest_day(today: NaiveDate) -> NaiveDate {
    let first = today.with_day(1).unwrap_or(today);
    first
        .checked_sub_months(chrono::Months::new(13))
        .unwrap_or(first)
}
