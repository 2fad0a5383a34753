//! CloudWatch: what builds used of their machines, by project and day. Every metric that is asked for
//! costs, so what is known is not asked for again, and what is asked for is announced before.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, Metric, MetricDataQuery, MetricStat, ScanBy, StatusCode},
};
use aws_smithy_types::DateTime as SdkTime;
use chrono::{DateTime, Days, NaiveDate, NaiveTime};
use rust_decimal::Decimal;

use super::{
    CollectError, accounts::Account, error::Failure, operations::Operation, pages::Pages, run::Run,
    time,
};
use crate::{
    domain::{
        catalog::Lookup,
        collection::{Scope, Source},
        ids::{Meter, Region},
        metering::from_events::AccountRegion,
        number::parse_decimal,
        services::{CLOUDWATCH, CODEBUILD, METRICS_READ},
        tariff::Rate,
        utilization::{Measured, Utilization},
    },
    ledger::Asked,
};

/// As many metrics as AWS takes in one request.
const METRICS_A_CALL: usize = 500;

/// As many values as AWS answers in one page.
const VALUES_A_PAGE: usize = 100_800;

/// CloudWatch keeps values of an hour and more for so many days.
const KEPT_DAYS: u64 = 455;

/// A day in seconds.
const DAY: i32 = 86_400;

/// What is asked of each project: a metric and a statistic of it. Those of one metric stand together, for
/// AWS may count up to five of them in a request as one.
const SERIES: [(&str, &str); 6] = [
    ("CPUUtilizedPercent", "Average"),
    ("CPUUtilizedPercent", "Maximum"),
    ("MemoryUtilized", "Average"),
    ("MemoryUtilized", "Maximum"),
    ("MemoryUtilized", "SampleCount"),
    ("MemoryUtilizedPercent", "Maximum"),
];

/// Projects that are asked for together.
pub(super) struct Batch {
    projects: Vec<String>,
    first: NaiveDate,
    /// The day after the last.
    end: NaiveDate,
}

impl Batch {
    /// Counts the metrics of a request.
    pub(super) fn metrics(&self) -> u64 {
        (self.projects.len() * SERIES.len()) as u64
    }

    /// Builds the queries, each named by its place among those of the request.
    fn queries(&self) -> Vec<MetricDataQuery> {
        let of_project = |(at, project): (usize, &String)| {
            let project = project.clone();
            SERIES
                .iter()
                .enumerate()
                .map(move |(series, (name, stat))| {
                    let dimension = Dimension::builder().name("ProjectName").value(&project);
                    let metric = Metric::builder()
                        .namespace("AWS/CodeBuild")
                        .metric_name(*name)
                        .dimensions(dimension.build());
                    let stat = MetricStat::builder()
                        .metric(metric.build())
                        .period(DAY)
                        .stat(*stat);
                    MetricDataQuery::builder()
                        .id(query_id(at, series))
                        .metric_stat(stat.build())
                        .return_data(true)
                        .build()
                })
        };
        self.projects
            .iter()
            .enumerate()
            .flat_map(of_project)
            .collect()
    }
}

fn query_id(project: usize, series: usize) -> String {
    format!("q{}", project * SERIES.len() + series)
}

/// Tells whether AWS measures the builds of a region.
fn is_measured(run: &Run<'_>, region: &Region) -> bool {
    let service = run.catalog().service(CODEBUILD);
    let utilization = service.and_then(|service| service.utilization.as_ref());
    utilization.is_some_and(|it| it.regions.contains(region))
}

/// Returns what one metric costs in a region, if that is known.
pub(super) fn price(run: &Run<'_>, region: &Region) -> Option<Decimal> {
    let meter = Meter::new(CLOUDWATCH, METRICS_READ);
    match run.catalog().lookup(&meter, region, run.today()) {
        Lookup::Found(tariff) => match tariff.rate {
            Rate::PerUnit(price) => Some(price),
            _ => None,
        },
        _ => None,
    }
}

fn scope(place: &AccountRegion) -> Scope {
    Scope {
        place: place.clone(),
        source: Source::Metrics,
    }
}

/// Returns what has to be asked for: whole days that are over and not known.
pub(super) fn batches(
    run: &Run<'_>,
    place: &AccountRegion,
    projects: &[String],
) -> Result<Vec<Batch>, CollectError> {
    if !is_measured(run, &place.region) || price(run, &place.region).is_none() {
        return Ok(Vec::new());
    }
    let (from, to) = run.days();
    let first = from.max(run.today() - Days::new(KEPT_DAYS));
    let end = (to + Days::new(1)).min(run.today());
    let known = run.ledger().measured_projects(&scope(place))?;
    let mut by_day: BTreeMap<NaiveDate, BTreeSet<&String>> = BTreeMap::new();
    for project in projects {
        let first = match known.get(project) {
            Some(asked) if asked.from <= milliseconds(first) => day(asked.until),
            _ => first,
        };
        if first < end {
            by_day.entry(first).or_default().insert(project);
        }
    }
    let mut batches = Vec::new();
    for (first, projects) in by_day {
        let days = usize::try_from((end - first).num_days())
            .unwrap_or(1)
            .max(1);
        let metrics = METRICS_A_CALL.min(VALUES_A_PAGE / days);
        let projects: Vec<&String> = projects.into_iter().collect();
        let together = projects.chunks((metrics / SERIES.len()).max(1));
        batches.extend(together.map(|projects| Batch {
            projects: projects.iter().copied().cloned().collect(),
            first,
            end,
        }));
    }
    Ok(batches)
}

fn midnight(day: NaiveDate) -> DateTime<chrono::Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

fn milliseconds(day: NaiveDate) -> i64 {
    midnight(day).timestamp_millis()
}

/// Returns the day of a time; what no calendar has is asked for anew.
fn day(milliseconds: i64) -> NaiveDate {
    let at = DateTime::from_timestamp_millis(milliseconds);
    at.map_or(NaiveDate::MIN, |at| at.date_naive())
}

/// Collects what the builds of the projects used.
pub(super) async fn collect(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    projects: &[String],
) -> Result<(), Failure> {
    if !is_measured(run, &place.region) {
        if run.ledger().has_builds(place)? {
            return Err(Failure::NotMeasured);
        }
        return Ok(());
    }
    if projects.is_empty() {
        return Ok(());
    }
    let price = price(run, &place.region).ok_or(Failure::UnknownPrice)?;
    let client = Client::new(&account.in_region(&place.region));
    let scope = run.begin(place, Source::Metrics)?;
    let batches = batches(run, place, projects)?;
    let mut whole = true;
    for batch in &batches {
        whole &= ask(run, &client, &scope, batch, price).await?;
    }
    let (first, _) = run.days();
    run.end(&scope, whole, first)
}

/// Asks for the metrics of a batch and keeps them. Returns whether AWS answered for all of it.
async fn ask(
    run: &Run<'_>,
    client: &Client,
    scope: &Scope,
    batch: &Batch,
    price: Decimal,
) -> Result<bool, Failure> {
    let operation = Operation::GetMetricData;
    let queries = batch.queries();
    let moment = |day| SdkTime::from_millis(milliseconds(day));
    let mut pages = Pages::default();
    let mut found = Found::default();
    loop {
        run.spend_on_metrics(batch.metrics(), price)?;
        let request = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(moment(batch.first))
            .end_time(moment(batch.end))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(pages.token());
        let answer = run
            .ask_page(&scope.place, operation, &pages, request.send())
            .await?;
        for result in answer.metric_data_results() {
            let Some(id) = result.id() else { continue };
            found
                .status
                .insert(id.to_owned(), result.status_code().cloned());
            for (at, value) in result.timestamps().iter().zip(result.values()) {
                let (Some(at), Some(value)) = (time(Some(at)), decimal(*value)) else {
                    continue;
                };
                found.values.insert((id.to_owned(), at.date_naive()), value);
            }
        }
        if !pages.turn(operation, answer.next_token)? {
            break;
        }
    }
    let (mut whole, mut answered, mut measured) = (true, Vec::new(), Vec::new());
    for (at, project) in batch.projects.iter().enumerate() {
        if let Some(why) = found.lack_of(at) {
            whole = false;
            run.miss(scope, project, &Failure::Failed { operation, why })?;
            continue;
        }
        answered.push(project.clone());
        let days = batch.first.iter_days().take_while(|day| *day < batch.end);
        measured.extend(days.filter_map(|day| found.utilization(at, project, day)));
    }
    let asked = Asked {
        from: milliseconds(batch.first),
        until: milliseconds(batch.end),
    };
    run.ledger()
        .keep_utilization(scope, &answered, &measured, asked)?;
    run.read(scope, measured.len());
    Ok(whole)
}

/// What AWS answered, by query.
#[derive(Default)]
struct Found {
    status: BTreeMap<String, Option<StatusCode>>,
    values: BTreeMap<(String, NaiveDate), Decimal>,
}

impl Found {
    /// Says why not all of a project was answered.
    fn lack_of(&self, project: usize) -> Option<String> {
        (0..SERIES.len()).find_map(|series| match self.status.get(&query_id(project, series)) {
            None => Some("the answer lacks a metric".to_owned()),
            Some(None | Some(StatusCode::Complete)) => None,
            Some(Some(status)) => Some(format!("AWS answered {}", super::word(status.as_str()))),
        })
    }

    fn utilization(&self, at: usize, project: &str, day: NaiveDate) -> Option<Utilization> {
        let value = |series: usize| self.values.get(&(query_id(at, series), day)).copied();
        let both = |series: usize| {
            let (average, maximum) = value(series).zip(value(series + 1))?;
            Some(Measured { average, maximum })
        };
        let (cpu, memory, memory_percent) = (both(0), both(2), value(5));
        if cpu.is_none() && memory.is_none() && memory_percent.is_none() {
            return None;
        }
        let points = value(4).and_then(|count| u64::try_from(count.round()).ok());
        Some(Utilization {
            project: project.to_owned(),
            day,
            points: points.unwrap_or(0),
            cpu,
            memory,
            memory_percent,
        })
    }
}

/// Reads a number of the wire to three places, for it is a measurement.
fn decimal(value: f64) -> Option<Decimal> {
    let value = parse_decimal(&format!("{value:.3}")).ok()?;
    Some(value.normalize())
}

/// Asks for one metric of a project that is none: it costs as much as any other.
pub(super) async fn try_out(
    run: &Run<'_>,
    account: &Account,
    place: &AccountRegion,
    project: &str,
) -> Result<(), Failure> {
    let client = Client::new(&account.in_region(&place.region));
    let batch = Batch {
        projects: vec![project.to_owned()],
        first: run.today() - Days::new(1),
        end: run.today(),
    };
    let one = batch.queries().into_iter().take(1).collect();
    run.spend_on_metrics(1, price(run, &place.region).unwrap_or_default())?;
    let request = client
        .get_metric_data()
        .set_metric_data_queries(Some(one))
        .start_time(SdkTime::from_millis(milliseconds(batch.first)))
        .end_time(SdkTime::from_millis(milliseconds(batch.end)));
    run.ask(place, Operation::GetMetricData, request.send())
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pricing;

    #[test]
    fn every_region_with_metrics_has_a_price_for_reading_them() {
        let catalog = pricing::embedded().unwrap();
        let codebuild = catalog.service(CODEBUILD).unwrap();
        let measured = &codebuild.utilization.as_ref().unwrap().regions;
        assert_eq!(measured.len(), 15);
        let today = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
        for region in measured {
            let found = catalog.lookup(&Meter::new(CLOUDWATCH, METRICS_READ), region, today);
            assert!(matches!(found, Lookup::Found(_)), "{region}: {found:?}");
        }
    }

    #[test]
    fn a_measurement_is_read_to_three_places() {
        let read = |value: f64| decimal(value).map(|value| value.to_string());
        assert_eq!(read(61.300_000_000_000_004).as_deref(), Some("61.3"));
        assert_eq!(read(1536.0).as_deref(), Some("1536"));
        assert_eq!(read(f64::NAN), None);
    }
}
