//! Cost Explorer: the CSV file its console offers, and the answers of its API as JSON.
//!
//! Both state sums, not rows of a bill: by service, by usage type or by something else. What they
//! say nothing of (quantities, accounts) stays unknown.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::BufReader,
};

use chrono::{Datelike, NaiveDate};
use csv::{ByteRecord, StringRecord};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{
    ImportError, ImportOptions, RowFault,
    gather::{Fault, Gather, Part, Row},
    open::{Guarded, Stream},
    rows::Rows,
    skip::{self, Skipped},
    values::{day, line_type, shown},
};
use crate::domain::{
    catalog::Catalog,
    export::{ExportKind, FileRead},
    ids::Currency,
    number::parse_decimal,
    period::Month,
    usage::{ChargeKind, Tags},
};

/// What stands for the service where the source does not say.
const NOT_STATED: &str = "(service not stated)";

/// One sum of Cost Explorer.
#[derive(Default)]
struct Sum<'s> {
    service: Option<&'s str>,
    usage_type: Option<&'s str>,
    account: Option<&'s str>,
    region: Option<&'s str>,
    record_type: Option<&'s str>,
    resource: Option<&'s str>,
    tags: BTreeMap<String, String>,
    quantity: Option<Decimal>,
    unit: Option<&'s str>,
    cost: Decimal,
    currency: &'s str,
}

fn add(
    gather: &mut Gather<'_>,
    (first, last): (NaiveDate, NaiveDate),
    sum: Sum<'_>,
) -> Result<(), Fault> {
    let month = Month::of(first);
    let bucket = gather.bucket(None, month, (first, last));
    let kind = sum.record_type.map_or(ChargeKind::Usage, |name| {
        // The API spells out some names: "Savings Plan Negation".
        line_type(&name.replace(' ', ""), None)
    });
    let service = match (sum.service, sum.usage_type) {
        (Some(name), _) => gather.service(name),
        (None, Some(usage_type)) => gather.service_with(usage_type),
        (None, None) => None,
    };
    let name = sum.service.or(sum.usage_type).unwrap_or(NOT_STATED);
    let Some(service) = service else {
        let key = format!("{name}\0{kind}\0{}", sum.currency);
        let named = || Ok((name.to_owned(), kind, Currency::new(sum.currency)));
        gather.outside(bucket, key.as_bytes(), (sum.cost, 1), named)?;
        return Ok(());
    };
    let key = format!(
        "{service}\0{:?}\0{:?}\0{:?}\0{kind}\0{:?}\0{:?}\0{:?}\0{}\0{}",
        sum.usage_type,
        sum.account,
        sum.region,
        sum.resource,
        sum.tags,
        sum.unit,
        sum.currency,
        sum.quantity.is_some(),
    );
    gather.keep(
        (bucket, Part::Kept),
        key.as_bytes(),
        (sum.quantity, sum.cost, 1),
        || {
            Ok(Row {
                month,
                day: first,
                last_day: last,
                payer: None,
                account: sum.account,
                service: &service,
                usage_type: sum.usage_type.unwrap_or_default(),
                region: sum.region,
                kind,
                resource: sum.resource,
                tags: Tags::new(sum.tags),
                unit: sum.unit,
                rate: None,
                list_rate: None,
                invoice: None,
                currency: sum.currency,
                origin: None,
            })
        },
    )
}

/// Tells whether a header is that of the console's file: costs name their currency.
pub(super) fn is_console_csv(header: &[String]) -> bool {
    header.len() > 1
        && cost_column(&header[0]).is_none()
        && header[1..].iter().any(|name| cost_column(name).is_some())
}

/// Splits `CodeBuild($)` or `CodeBuild (USD)` into what is charged and the currency.
fn cost_column(name: &str) -> Option<(&str, &str)> {
    let (label, currency) = name.strip_suffix(')')?.rsplit_once('(')?;
    let currency = match currency {
        "$" => "USD",
        "€" => "EUR",
        "£" => "GBP",
        // Only the Chinese partition bills in a currency with this sign by itself.
        "¥" => "CNY",
        code if code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase()) => code,
        _ => return None,
    };
    Some((label.trim(), currency))
}

/// Reads the console's file: a column for each group, a row for each day or month.
pub(super) fn read_csv(
    stream: &mut Stream<'_>,
    text: &mut Rows<Guarded<'_>>,
    header: &[String],
    catalog: &Catalog,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let origin = format!("{} {}", ExportKind::CostExplorerCsv, stream.short_name());
    let mut gather = Gather::new(ExportKind::CostExplorerCsv, &origin, catalog, options);
    let mut notes = Vec::new();
    let mut skipped = Skipped::new(options.skip_bad_rows);
    let mut lines: Vec<(u64, NaiveDate, StringRecord)> = Vec::new();
    let mut rows = 0;
    while let Some(row) = stream.row(text)? {
        let mut record = ByteRecord::new();
        row.copy_to(&mut record);
        rows += 1;
        stream.tick(rows)?;
        let line = stream.line();
        let record = match StringRecord::from_byte_record(record) {
            Ok(record) => record,
            Err(bad) => {
                let fault = (Some(bad.utf8_error().field()), RowFault::NotText);
                let row = skip::line(&bad.into_byte_record());
                skipped.add(row_error(stream, line, header, fault), 1, row)?;
                continue;
            }
        };
        let first = record.get(0).unwrap_or_default().trim();
        let fault = if record.len() != header.len() {
            let (expected, found) = (header.len(), record.len());
            (None, RowFault::FieldCount { expected, found })
        } else if first.to_lowercase().ends_with(" total") {
            continue;
        } else if let Some(day) = day(first) {
            lines.push((line, day, record));
            continue;
        } else {
            (Some(0), RowFault::Date(shown(first)))
        };
        let error = row_error(stream, line, header, fault);
        skipped.add(error, 1, skip::line(&record))?;
    }

    // The file does not say whether it is by day or by month; months begin on their first day.
    let monthly = lines.iter().all(|(_, day, _)| day.day() == 1);
    let dimension = Dimension::of(&header[0]);
    for (line, day, record) in &lines {
        let last = if monthly {
            Month::of(*day).last_day()
        } else {
            *day
        };
        // A day that has nothing is stated too: it replaces what was known of it.
        gather.bucket(None, Month::of(*day), (*day, last));
        let mut total = None;
        let mut sum = Decimal::ZERO;
        for (field, name) in header.iter().enumerate().skip(1) {
            let Some((label, currency)) = cost_column(name) else {
                continue;
            };
            let text = record.get(field).unwrap_or_default().trim();
            if text.is_empty() {
                continue;
            }
            let added = match parse_decimal(text) {
                Err(error) => Err((Some(field), RowFault::Number(error))),
                Ok(cost) if matches!(label, "Total costs" | "Total cost") => {
                    total = Some(cost);
                    continue;
                }
                Ok(cost) => {
                    sum += cost;
                    add(
                        &mut gather,
                        (*day, last),
                        dimension.sum(label, cost, currency),
                    )
                }
            };
            if let Err(fault) = added {
                skipped.add(
                    row_error(stream, *line, header, fault),
                    1,
                    skip::line(record),
                )?;
            }
        }
        // The columns are rounded one by one, so only what a reader could see counts.
        if let Some(total) = total.filter(|total| (total - sum).abs() >= Decimal::new(1, 2)) {
            notes.push(format!(
                "{}, line {line}: the total is {total}, the columns add up to {sum}",
                stream.name()
            ));
        }
    }
    let ignored: Vec<String> = header[1..]
        .iter()
        .filter(|name| cost_column(name).is_none())
        .map(|name| shown(name))
        .collect();
    if !ignored.is_empty() {
        notes.push(format!(
            "{}: columns without a currency left out: {}",
            stream.name(),
            ignored.join(", ")
        ));
    }
    if matches!(dimension, Dimension::Other) {
        notes.push(format!(
            "{}: grouped by {}, so the services are not known: counted, not kept",
            stream.name(),
            shown(&header[0])
        ));
    }
    let (skipped, bad_rows) = skipped.note(stream.name(), &mut notes);
    Ok(FileRead {
        name: stream.name().to_owned(),
        kind: ExportKind::CostExplorerCsv,
        grouping: header[0].to_lowercase(),
        rows,
        kept: gather.kept(),
        slices: gather.finish(0, &mut notes),
        skipped,
        bad_rows,
        notes,
    })
}

fn row_error(
    stream: &Stream<'_>,
    line: u64,
    header: &[String],
    (field, fault): Fault,
) -> ImportError {
    ImportError::Row {
        file: stream.name().to_owned(),
        line,
        column: field.and_then(|field| header.get(field)).cloned(),
        fault,
    }
}

/// What the columns of the console's file are.
enum Dimension {
    Service,
    UsageType,
    Other,
}

impl Dimension {
    fn of(name: &str) -> Self {
        let name: String = name.chars().filter(char::is_ascii_alphabetic).collect();
        match name.to_lowercase().as_str() {
            "service" => Self::Service,
            "usagetype" => Self::UsageType,
            _ => Self::Other,
        }
    }

    fn sum<'s>(&self, label: &'s str, cost: Decimal, currency: &'s str) -> Sum<'s> {
        let mut sum = Sum {
            cost,
            currency,
            ..Sum::default()
        };
        match self {
            Self::Service => sum.service = Some(label),
            Self::UsageType => sum.usage_type = Some(label),
            Self::Other => {}
        }
        sum
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    #[serde(default)]
    group_definitions: Vec<GroupDefinition>,
    results_by_time: Vec<Interval>,
    next_page_token: Option<String>,
}

#[derive(Deserialize, Clone)]
#[serde(rename_all = "PascalCase")]
struct GroupDefinition {
    r#type: String,
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Interval {
    time_period: TimePeriod,
    #[serde(default)]
    total: BTreeMap<String, Metric>,
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    estimated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimePeriod {
    start: String,
    end: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    keys: Vec<String>,
    metrics: BTreeMap<String, Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    amount: Option<String>,
    unit: Option<String>,
}

/// Reads the answers of `get-cost-and-usage`, one or several pages of them.
pub(super) fn read_json(
    stream: &mut Stream<'_>,
    reader: Guarded<'_>,
    catalog: &Catalog,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let origin = format!("{} {}", ExportKind::CostExplorerJson, stream.short_name());
    let mut gather = Gather::new(ExportKind::CostExplorerJson, &origin, catalog, options);
    let mut notes = Vec::new();
    let mut skipped = Skipped::new(options.skip_bad_rows);
    let mut definitions = Vec::new();
    let mut estimated = BTreeSet::new();
    let mut more = false;
    let mut rows = 0;
    stream.begin_record();
    let pages = serde_json::Deserializer::from_reader(BufReader::new(reader)).into_iter::<Page>();
    for page in pages {
        let page = page.map_err(|error| json_error(stream, error))?;
        stream.begin_record();
        if !page.group_definitions.is_empty() {
            definitions.clone_from(&page.group_definitions);
        }
        more = page.next_page_token.is_some();
        for result in &page.results_by_time {
            let days = days(&result.time_period).ok_or_else(|| ImportError::Value {
                file: stream.name().to_owned(),
                place: "TimePeriod".to_owned(),
                fault: RowFault::Date(shown(&format!(
                    "{} to {}",
                    result.time_period.start, result.time_period.end
                ))),
            })?;
            if result.estimated {
                estimated.insert(days);
            }
            // A day that has nothing is stated too: it replaces what was known of it.
            gather.bucket(None, Month::of(days.0), days);
            let whole = [(&[][..], &result.total)];
            let groups = result.groups.iter().map(|g| (&g.keys[..], &g.metrics));
            // The total repeats the groups where there are any.
            let sums = whole
                .into_iter()
                .filter(|(_, total)| result.groups.is_empty() && !total.is_empty());
            for (keys, metrics) in groups.chain(sums) {
                rows += 1;
                stream.tick(rows)?;
                let added = sum_of(&definitions, keys, metrics)
                    .and_then(|sum| add(&mut gather, days, sum).map_err(|(_, f)| ("row", f)));
                if let Err((metric, fault)) = added {
                    if matches!(fault, RowFault::Missing) && !metrics.contains_key(metric) {
                        return Err(ImportError::MissingColumns {
                            file: stream.name().to_owned(),
                            nearest: ExportKind::CostExplorerJson.title(),
                            missing: vec![metric.to_owned()],
                        });
                    }
                    let place = format!("{metric} of {} on {}", shown(&keys.join(", ")), days.0);
                    let error = ImportError::Value {
                        file: stream.name().to_owned(),
                        place: place.clone(),
                        fault,
                    };
                    skipped.add(error, 1, place)?;
                }
            }
        }
    }
    if more {
        notes.push(format!(
            "{}: incomplete, the last page names a next one",
            stream.name()
        ));
    }
    if let (Some(first), Some(last)) = (estimated.first(), estimated.last()) {
        notes.push(format!(
            "{}: Cost Explorer calls {} to {} estimated",
            stream.name(),
            first.0,
            last.1
        ));
    }
    let (skipped, bad_rows) = skipped.note(stream.name(), &mut notes);
    let grouping: Vec<&str> = definitions.iter().map(|d| d.key.as_str()).collect();
    Ok(FileRead {
        name: stream.name().to_owned(),
        kind: ExportKind::CostExplorerJson,
        grouping: grouping.join(", "),
        rows,
        kept: gather.kept(),
        slices: gather.finish(0, &mut notes),
        skipped,
        bad_rows,
        notes,
    })
}

fn json_error(stream: &Stream<'_>, error: serde_json::Error) -> ImportError {
    if error.is_io() {
        return stream.error(error.into());
    }
    ImportError::NotCostExplorerJson {
        file: stream.name().to_owned(),
        line: error.line(),
        reason: error.to_string(),
    }
}

/// Returns the days of a period, the last one included.
fn days(period: &TimePeriod) -> Option<(NaiveDate, NaiveDate)> {
    let first = day(&period.start)?;
    let last = day(&period.end)?.pred_opt()?;
    // An hour ends on the day it begins.
    Some((first, last.max(first)))
}

const COST: &str = "UnblendedCost";
const QUANTITY: &str = "UsageQuantity";

fn sum_of<'s>(
    definitions: &'s [GroupDefinition],
    keys: &'s [String],
    metrics: &'s BTreeMap<String, Metric>,
) -> Result<Sum<'s>, (&'static str, RowFault)> {
    let number = |name: &'static str| -> Result<Option<(Decimal, Option<&str>)>, _> {
        let Some(metric) = metrics.get(name) else {
            return Ok(None);
        };
        let Some(amount) = &metric.amount else {
            return Ok(None);
        };
        match parse_decimal(amount) {
            Ok(value) => Ok(Some((value, metric.unit.as_deref()))),
            Err(error) => Err((name, RowFault::Number(error))),
        }
    };
    let (cost, currency) = number(COST)?.ok_or((COST, RowFault::Missing))?;
    let mut sum = Sum {
        cost,
        currency: currency.ok_or((COST, RowFault::Missing))?,
        ..Sum::default()
    };
    for (definition, key) in definitions.iter().zip(keys) {
        let stated = Some(key.as_str()).filter(|key| !key.is_empty());
        let tag = |prefix: &str| {
            let (name, value) = key.split_once('$').unwrap_or((&definition.key, key));
            (
                format!("{prefix}{}", super::values::tag_key(name)),
                value.to_owned(),
            )
        };
        match (definition.r#type.as_str(), definition.key.as_str()) {
            ("DIMENSION", "SERVICE") => sum.service = stated,
            ("DIMENSION", "USAGE_TYPE") => sum.usage_type = stated,
            ("DIMENSION", "LINKED_ACCOUNT") => sum.account = stated,
            ("DIMENSION", "REGION") => sum.region = stated.filter(|name| *name != "NoRegion"),
            ("DIMENSION", "RECORD_TYPE") => sum.record_type = stated,
            ("DIMENSION", "RESOURCE_ID") => {
                sum.resource = stated.filter(|id| *id != "NoResourceId");
            }
            ("TAG", _) => sum
                .tags
                .extend(Some(tag("")).filter(|tag| !tag.1.is_empty())),
            ("COST_CATEGORY", _) => sum
                .tags
                .extend(Some(tag("cost_category/")).filter(|tag| !tag.1.is_empty())),
            // Whatever else splits the sums, their parts still add up.
            _ => {}
        }
    }
    // A quantity over several usage types adds up minutes and users: it means nothing.
    if sum.usage_type.is_some()
        && let Some((quantity, unit)) = number(QUANTITY)?
    {
        sum.quantity = Some(quantity);
        sum.unit = unit.filter(|unit| *unit != "N/A");
    }
    Ok(sum)
}
