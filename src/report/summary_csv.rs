//! Shared costs as CSV: a summary by any dimensions, and an allocation to the accounts they are
//! posted to. The parts of a month add up to its bill, whatever they are shared by.

use std::{collections::BTreeMap, io::Write};

use serde_json::json;

use super::{
    Cell,
    csv::{self, SCHEMA_VERSION, converted},
    input::{Options, ReportError, ReportInput, WriteSummary},
};
use crate::domain::{
    allocation::{Dimension, PortionSum, portions, sum_by_key},
    gl::{GlMapping, Posting},
    ids::ServiceCode,
};

type Parts = Vec<Option<String>>;

/// What tells one row from another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    parts: Parts,
    posted: Option<(ServiceCode, Posting)>,
}

/// Writes a row for each combination of parts.
pub(super) fn summary(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let by = or(&options.by, &[Dimension::Service]);
    write(input, options, &by, None, sink)
}

/// Writes a row for each combination of parts, service and place in the books.
pub(super) fn allocation(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let mut by = or(&options.by, &[Dimension::Account, Dimension::Resource]);
    // It is among the columns of every allocation.
    by.retain(|dimension| !matches!(dimension, Dimension::CostCenter(_)));
    let mapping = options.mapping.as_ref().ok_or(ReportError::NoMapping)?;
    write(input, options, &by, Some(mapping), sink)
}

fn or(by: &[Dimension], default: &[Dimension]) -> Vec<Dimension> {
    (if by.is_empty() { default } else { by }).to_vec()
}

fn write(
    input: &ReportInput<'_>,
    options: &Options,
    by: &[Dimension],
    mapping: Option<&GlMapping>,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let mut columns = vec!["schema_version".to_owned(), "billing_period".to_owned()];
    columns.extend(by.iter().map(column));
    if mapping.is_some() {
        // A service among the parts would name the column twice.
        columns.extend(
            [
                "service_code",
                "entity",
                "gl_account",
                "cost_center",
                "suspense",
            ]
            .map(String::from),
        );
    }
    columns.extend(
        [
            "list_cost",
            "cost",
            "currency",
            "partial",
            "policy",
            "converted_cost",
            "converted_currency",
            "fx_rate",
            "fx_rate_date",
            "fx_rate_source",
        ]
        .map(String::from),
    );
    let mut rows = csv::Rows::new(sink, &columns, options)?;
    let mut written = WriteSummary::default();
    let is_by_jobs = by.iter().any(Dimension::is_of_jobs) && !input.by_jobs.is_empty();
    let months = if is_by_jobs {
        input.by_jobs
    } else {
        input.months
    };
    for month in months {
        let bill = &month.rated.bill;
        let sums = sums(month, options, by, mapping);
        for (key, sum) in &sums {
            let mut cells = vec![
                Cell::text(SCHEMA_VERSION),
                Cell::text(bill.month.to_string()),
            ];
            let optional = |text: Option<&str>| text.map_or(Cell::Empty, Cell::text);
            cells.extend(key.parts.iter().map(|part| optional(part.as_deref())));
            if let Some((service, posting)) = &key.posted {
                cells.extend([
                    Cell::text(service.as_str()),
                    optional(posting.entity.as_deref()),
                    Cell::text(&*posting.gl_account),
                    optional(posting.cost_center.as_deref()),
                    Cell::Flag(posting.suspense),
                ]);
            }
            cells.extend([
                Cell::Money(sum.list_cost, bill.currency.clone()),
                Cell::Money(sum.cost, bill.currency.clone()),
                Cell::text(bill.currency.as_str()),
                Cell::Flag(sum.partial),
                Cell::text(options.sharing.name()),
            ]);
            cells.extend(converted(Some(sum.cost), options.exchange.as_ref()));
            rows.push(&cells)?;
        }
        let suspense = sums.iter().filter(|(key, _)| {
            key.posted
                .as_ref()
                .is_some_and(|(_, posting)| posting.suspense)
        });
        let PortionSum {
            cost, list_cost, ..
        } = PortionSum::of(sums.values());
        written.control_totals.push(json!({
            "billing_period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "rows": sums.len(),
            "list_cost": list_cost.to_string(),
            "cost": cost.to_string(),
            "suspense_rows": suspense.count(),
        }));
    }
    written.rows = rows.finish()?;
    Ok(written)
}

fn sums(
    month: &crate::domain::rating::RatedMonth,
    options: &Options,
    by: &[Dimension],
    mapping: Option<&GlMapping>,
) -> BTreeMap<Key, PortionSum> {
    let rated = &month.rated;
    let nobody: Parts = vec![None; by.len()];
    let shared = portions(
        rated,
        &month.records,
        options.sharing,
        |record| Key {
            parts: by.iter().map(|dimension| dimension.of(record)).collect(),
            posted: mapping.map(|mapping| (record.key.meter.service.clone(), mapping.post(record))),
        },
        |line| Key {
            parts: nobody.clone(),
            posted: mapping.map(|mapping| (line.key.meter.service.clone(), mapping.suspense())),
        },
    );
    sum_by_key(&rated.bill, shared)
}

fn column(by: &Dimension) -> String {
    match by {
        Dimension::Account => "account_id".to_owned(),
        other => other.key(),
    }
}
