//! The CSV that finance imports: a row a line, exact amounts, stable columns, no totals.
//!
//! Columns are only ever added at the end; `schema_version` changes when one changes meaning.
//! What a reader would add up to check the file stands in a manifest beside it.

use std::io::Write;

use serde_json::json;

use super::{
    Cell, csv,
    formats::{Material, Options, ReportError, Written},
};
use crate::domain::{
    bill::{Bill, LineItem},
    ids::AccountId,
};

const SCHEMA_VERSION: &str = "1";

const COLUMNS: [&str; 25] = [
    "schema_version",
    "billing_period",
    "charge_kind",
    "payer_account_id",
    "account_id",
    "service",
    "usage_type",
    "description",
    "region",
    "usage_start",
    "usage_end",
    "unit",
    "billed_quantity",
    "covered_quantity",
    "unit_price",
    "list_cost",
    "discount",
    "cost",
    "currency",
    "status",
    "aws_cost",
    "price_origin",
    "price_source",
    "price_date",
    "price_confidence",
];

/// Renders the lines of a bill.
pub fn render(bill: &Bill) -> String {
    csv::to_text(|sink| {
        let mut rows = csv::Rows::new(sink, &COLUMNS, &Options::default())?;
        for line in &bill.lines {
            rows.push(&row(line, bill))?;
        }
        rows.finish().map(drop)
    })
}

/// Writes bills, one month after the other.
pub(super) fn write(
    material: &Material<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<Written, ReportError> {
    let mut rows = csv::Rows::new(sink, &COLUMNS, options)?;
    let mut written = Written::default();
    for month in material.months {
        let bill = &month.rated.bill;
        for line in &bill.lines {
            rows.push(&row(line, bill))?;
        }
        written.control_totals.push(json!({
            "billing_period": bill.month.to_string(),
            "currency": bill.currency.as_str(),
            "rows": bill.lines.len(),
            "list_cost": bill.list_total().to_string(),
            "cost": bill.total().to_string(),
            "aws_cost": bill.aws_total().map(|cost| cost.to_string()),
        }));
    }
    written.rows = rows.finish()?;
    Ok(written)
}

fn row(line: &LineItem, bill: &Bill) -> Vec<Cell> {
    let usage = line.usage.as_ref();
    let price = line.price.as_ref();
    let id = |id: &Option<AccountId>| {
        id.as_ref()
            .map_or(Cell::Empty, |id| Cell::text(id.as_str()))
    };
    let money = |amount| Cell::Money(amount, bill.currency.clone());
    let unpriced = line.status() == "unpriced";
    let mut prices: Vec<_> = line.steps.iter().map(|step| step.unit_price).collect();
    prices.dedup();
    vec![
        Cell::text(SCHEMA_VERSION),
        Cell::text(bill.month.to_string()),
        Cell::text(line.kind.name()),
        id(&line.key.payer),
        id(&line.key.account),
        Cell::text(line.key.meter.service.as_str()),
        Cell::text(line.key.meter.usage_type.as_str()),
        Cell::text(&line.name),
        Cell::text(line.key.region.as_str()),
        Cell::Day(line.days.0),
        Cell::Day(line.days.1),
        usage.map_or(Cell::Empty, |usage| Cell::text(usage.billed.unit.name())),
        usage.map_or(Cell::Empty, |usage| Cell::Number(usage.billed.value)),
        usage.map_or(Cell::Empty, |usage| Cell::Number(usage.covered)),
        if let [price] = prices[..] {
            Cell::Price(price)
        } else {
            Cell::Empty
        },
        if line.list_is_partial {
            Cell::Empty
        } else {
            money(line.list_cost)
        },
        money(line.discount),
        if unpriced {
            Cell::Empty
        } else {
            money(line.cost)
        },
        Cell::text(bill.currency.as_str()),
        Cell::text(line.status()),
        line.aws_cost.map_or(Cell::Empty, money),
        price.map_or(Cell::Empty, |price| Cell::text(price.origin.name())),
        price.map_or(Cell::Empty, |price| Cell::text(&*price.source.title)),
        price
            .and_then(|price| price.source.date)
            .map_or(Cell::Empty, Cell::Day),
        price.map_or(Cell::Empty, |price| Cell::text(&*price.source.confidence)),
    ]
}
