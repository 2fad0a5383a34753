//! Cost Explorer: the answers of its API as JSON; `console` reads the CSV file that its console offers.
//!
//! Both state sums, not rows of a bill: by service, by usage type or by something else. What they
//! say nothing of (quantities, accounts) stays unknown.

mod page;

use self::page::{GroupDefinition, Interval, Metric, Page, TimePeriod};
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::{BufReader, Read},
};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;

use super::{
    ImportError, ImportOptions, RowFault,
    aggregate::{Aggregator, Fault, Part},
    group::{Amounts, Row},
    open::{Guarded, Stream},
    skip::Skipped,
    stranger::Stranger,
    values::{day, is_account, line_type, number, shown},
};
use crate::domain::{
    catalog::Catalog,
    costs::NOT_STATED,
    export::{ExportKind, FileRead},
    ids::Currency,
    period::Month,
    usage::{ChargeKind, Tags},
};

/// One sum of Cost Explorer.
#[derive(Default)]
pub(super) struct Sum<'s> {
    pub(super) service: Option<&'s str>,
    pub(super) usage_type: Option<&'s str>,
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

impl<'s> Sum<'s> {
    /// Returns a cost of which no more is known.
    pub(super) fn unnamed(cost: Decimal, currency: &'s str) -> Self {
        Self {
            cost,
            currency,
            ..Self::default()
        }
    }
}

pub(super) fn add(
    gather: &mut Aggregator<'_>,
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
        Amounts::of(sum.quantity, sum.cost, 1),
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
                // An answer has no place for it but the type of the record.
                covered_by: sum.record_type.and_then(super::values::covering),
                currency: sum.currency,
                origin: None,
            })
        },
    )
}

/// What the answers say, page by page.
struct Answers<'a> {
    file: String,
    gather: Aggregator<'a>,
    skipped: Skipped,
    definitions: Vec<GroupDefinition>,
    /// There was a page.
    is_any: bool,
    /// The answer before this page was left to go on.
    has_more: bool,
    /// An answer ended with the name of a next page.
    is_cut: bool,
    estimated: BTreeSet<(NaiveDate, NaiveDate)>,
    /// Days with costs of services that are not named.
    unnamed: BTreeSet<(NaiveDate, NaiveDate)>,
    /// By day, which groupings have usage in it.
    usage: BTreeMap<NaiveDate, BTreeSet<String>>,
    /// What was stated.
    stated: HashSet<String>,
    rows: u64,
}

/// Reads the answers of `get-cost-and-usage`: one or several pages, one after the other or in a list.
/// `head` is how the text begins.
pub(super) fn read(
    stream: &mut Stream<'_>,
    reader: Guarded<'_>,
    head: &[u8],
    catalog: &Catalog,
    options: &ImportOptions,
) -> Result<FileRead, ImportError> {
    let origin = format!("{} {}", ExportKind::CostExplorerJson, stream.short_name());
    let mut answers = Answers {
        file: stream.name().to_owned(),
        gather: Aggregator::new(ExportKind::CostExplorerJson, &origin, catalog, options),
        skipped: Skipped::new(options.skip_bad_rows),
        definitions: Vec::new(),
        is_any: false,
        has_more: false,
        is_cut: false,
        estimated: BTreeSet::new(),
        unnamed: BTreeSet::new(),
        usage: BTreeMap::new(),
        stated: HashSet::new(),
        rows: 0,
    };
    stream.begin_record();
    let is_list = head.trim_ascii_start().starts_with(b"[");
    if is_list {
        each::<Vec<Page>>(stream, reader, head, &mut |stream, pages| {
            pages.iter().try_for_each(|page| answers.page(stream, page))
        })?;
    } else {
        each::<Page>(stream, reader, head, &mut |stream, page| {
            answers.page(stream, &page)
        })?;
    }
    if !answers.is_any {
        return Err(ImportError::Stranger {
            file: answers.file,
            what: Stranger::EmptyAnswer,
        });
    }
    Ok(answers.finish())
}

/// Calls `take` with each document of a text.
fn each<T: DeserializeOwned>(
    stream: &mut Stream<'_>,
    reader: impl Read,
    head: &[u8],
    take: &mut dyn FnMut(&mut Stream<'_>, T) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let documents = serde_json::Deserializer::from_reader(BufReader::new(reader)).into_iter::<T>();
    for document in documents {
        let document = document.map_err(|error| json_error(stream, head, error))?;
        stream.begin_record();
        take(stream, document)?;
    }
    Ok(())
}

impl Answers<'_> {
    fn page(&mut self, stream: &Stream<'_>, page: &Page) -> Result<(), ImportError> {
        self.is_any = true;
        if !page.group_definitions.is_empty() && self.definitions != page.group_definitions {
            // Another question: the one before is over.
            self.is_cut |= self.has_more;
            self.definitions.clone_from(&page.group_definitions);
        }
        self.has_more = page
            .next_page_token
            .as_ref()
            .is_some_and(|token| !token.is_empty());
        for result in &page.results_by_time {
            self.interval(stream, result)?;
        }
        Ok(())
    }

    fn interval(&mut self, stream: &Stream<'_>, result: &Interval) -> Result<(), ImportError> {
        let TimePeriod { start, end } = &result.time_period;
        let days = days(start, end).ok_or_else(|| ImportError::Value {
            file: self.file.clone(),
            place: "TimePeriod".to_owned(),
            fault: RowFault::Date(shown(&format!("{start} to {end}"))),
        })?;
        if Month::of(days.0) != Month::of(days.1) {
            return Err(ImportError::AcrossMonths {
                file: self.file.clone(),
                first: days.0,
                last: days.1,
            });
        }
        if result.estimated {
            self.estimated.insert(days);
        }
        // A day that has nothing is stated too: it replaces what was known of it.
        self.gather.bucket(None, Month::of(days.0), days);
        let groups = result.groups.iter().map(|g| (&g.keys[..], &g.metrics));
        // The total repeats the groups where there are any.
        let total = result.total.iter().map(|total| (&[][..], total));
        let total = total.filter(|(_, total)| result.groups.is_empty() && !total.is_empty());
        for (keys, metrics) in groups.chain(total) {
            self.rows += 1;
            stream.tick(self.rows)?;
            if !metrics.contains_key(COST) {
                return Err(ImportError::OtherMetrics {
                    file: self.file.clone(),
                    found: metrics.keys().map(|name| shown(name)).collect(),
                });
            }
            if let Err((metric, fault)) = self.sum((start, end, days), keys, metrics) {
                let place = format!("{metric} of {} on {}", shown(&keys.join(", ")), days.0);
                let error = ImportError::Value {
                    file: self.file.clone(),
                    place: place.clone(),
                    fault,
                };
                self.skipped.add(error, 1, place)?;
            }
        }
        self.check_groupings(days.0)
    }

    fn sum(
        &mut self,
        (start, end, days): (&str, &str, (NaiveDate, NaiveDate)),
        keys: &[String],
        metrics: &BTreeMap<String, Metric>,
    ) -> Result<(), (&'static str, RowFault)> {
        let sum = sum_of(&self.definitions, keys, metrics)?;
        let by = by(&self.definitions);
        let stated = format!("{by}\0{start}\0{end}\0{}", keys.join("\0"));
        if !self.stated.insert(stated) {
            return Err((COST, RowFault::Twice("the sum".to_owned())));
        }
        if sum.record_type.is_none_or(|name| name == "Usage") {
            self.usage.entry(days.0).or_default().insert(by);
        }
        let is_named = sum.service.is_some() || sum.usage_type.is_some();
        add(&mut self.gather, days, sum).map_err(|(_, fault)| ("row", fault))?;
        if !is_named {
            self.unnamed.insert(days);
        }
        Ok(())
    }

    /// Refuses usage of one day by two groupings: only one of them may be counted, and which is not told.
    fn check_groupings(&self, day: NaiveDate) -> Result<(), ImportError> {
        let mut groupings = self.usage.get(&day).into_iter().flatten();
        if let (Some(first), Some(second)) = (groupings.next(), groupings.next()) {
            let name = |by: &str| {
                let name = if by.is_empty() { "nothing" } else { by };
                name.to_owned()
            };
            return Err(ImportError::TwoGroupings {
                file: self.file.clone(),
                day,
                first: name(first),
                second: name(second),
            });
        }
        Ok(())
    }

    fn finish(self) -> FileRead {
        let Self {
            file, estimated, ..
        } = self;
        let is_cut = self.is_cut || self.has_more;
        let mut notes = Vec::new();
        if is_cut {
            notes.push(format!(
                "{file}: incomplete, the last page names a next one; ask for the rest with \
                 `--next-page-token` and import all pages"
            ));
        }
        if let (Some(first), Some(last)) = (estimated.first(), estimated.last()) {
            notes.push(format!(
                "{file}: Cost Explorer calls {} to {} estimated",
                first.0, last.1
            ));
        }
        if !self.unnamed.is_empty() {
            let by = by(&self.definitions);
            let grouped = if by.is_empty() {
                "not grouped".to_owned()
            } else {
                format!("grouped by {by}")
            };
            notes.push(format!(
                "{file}: {grouped}, so the services are not known: counted, not kept; ask with \
                 `--group-by Type=DIMENSION,Key=SERVICE Type=DIMENSION,Key=USAGE_TYPE`"
            ));
        }
        let (skipped, bad_rows) = self.skipped.note(&file, &mut notes);
        let kept = self.gather.kept();
        let mut slices = self.gather.finish(0, &mut notes);
        for slice in &mut slices {
            slice.standing.is_cut = is_cut;
            slice.standing.estimated = estimated.contains(&slice.covers);
            slice.standing.services_unknown = self.unnamed.contains(&slice.covers);
        }
        FileRead {
            kind: ExportKind::CostExplorerJson,
            grouping: by(&self.definitions),
            jobs: Vec::new(),
            rows: self.rows,
            kept,
            slices,
            skipped,
            bad_rows,
            notes,
            name: file,
        }
    }
}

fn by(definitions: &[GroupDefinition]) -> String {
    let keys: Vec<&str> = definitions.iter().map(|d| d.key.as_str()).collect();
    keys.join(", ")
}

/// Says what is wrong with a text by how it begins, never in the words of a parser.
fn json_error(stream: &Stream<'_>, head: &[u8], error: serde_json::Error) -> ImportError {
    if error.is_io() {
        return stream.error(error.into());
    }
    let file = stream.name().to_owned();
    let is_json = !error.is_syntax();
    if let Some(what) = Stranger::of_json(head, is_json) {
        return ImportError::Stranger { file, what };
    }
    // A heading in brackets, as settings have.
    let mut text = head
        .trim_ascii_start()
        .iter()
        .skip_while(|byte| **byte == b'[');
    if error.is_syntax() && text.next().is_some_and(u8::is_ascii_alphabetic) {
        let first = String::from_utf8_lossy(head);
        let columns = shown(first.lines().next().unwrap_or_default());
        return ImportError::Unrecognised { file, columns };
    }
    let line = error.line();
    if error.is_data() {
        return ImportError::NotCostExplorerJson { file, line };
    }
    ImportError::BrokenJson {
        file,
        line,
        is_cut: error.is_eof(),
    }
}

/// Returns the days of a period, the last one included.
fn days(start: &str, end: &str) -> Option<(NaiveDate, NaiveDate)> {
    let first = day(start)?;
    let end = day(end)?;
    // An hour ends on the day it begins.
    (first <= end).then(|| (first, end.pred_opt().unwrap_or(end).max(first)))
}

const COST: &str = "UnblendedCost";
const QUANTITY: &str = "UsageQuantity";

fn sum_of<'s>(
    definitions: &'s [GroupDefinition],
    keys: &'s [String],
    metrics: &'s BTreeMap<String, Metric>,
) -> Result<Sum<'s>, (&'static str, RowFault)> {
    let value = |name: &'static str| -> Result<Option<(Decimal, Option<&str>)>, _> {
        let Some(metric) = metrics.get(name) else {
            return Ok(None);
        };
        let Some(amount) = &metric.amount else {
            return Ok(None);
        };
        match number(amount) {
            Ok(value) => Ok(Some((value, metric.unit.as_deref()))),
            Err(fault) => Err((name, fault)),
        }
    };
    let (cost, currency) = value(COST)?.ok_or((COST, RowFault::Missing))?;
    let mut sum = Sum::unnamed(cost, currency.ok_or((COST, RowFault::Missing))?);
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
            ("DIMENSION", "LINKED_ACCOUNT") => {
                if let Some(id) = stated.filter(|id| !is_account(id)) {
                    return Err(("LINKED_ACCOUNT", RowFault::Account(shown(id))));
                }
                sum.account = stated;
            }
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
        && let Some((quantity, unit)) = value(QUANTITY)?
    {
        sum.quantity = Some(quantity);
        sum.unit = unit.filter(|unit| *unit != "N/A");
    }
    Ok(sum)
}
