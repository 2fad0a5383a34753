//! The CSV that finance imports: a row a line, exact amounts, stable columns, no totals.
//!
//! Columns are only ever added at the end; `schema_version` changes when one changes meaning.
//! What a reader would add up to check the file stands in a manifest beside it.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Cell, Column, Table, csv};
use crate::domain::{
    bill::{Bill, LineItem},
    ids::{AccountId, Currency},
};

const SCHEMA_VERSION: &str = "1";

/// Renders bills, one month after the other.
pub fn render(bills: &[Bill]) -> String {
    csv::render(&table(bills))
}

/// Lays bills out as rows.
pub fn table(bills: &[Bill]) -> Table {
    let keys = [
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
    let mut table = Table::new(keys.map(Column::in_files).to_vec());
    for bill in bills {
        table
            .rows
            .extend(bill.lines.iter().map(|line| row(line, bill)));
    }
    table
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

/// Returns the manifest of a rendered file: what it should add up to.
pub fn manifest(file_name: &str, content: &str, bills: &[Bill]) -> String {
    let digest = Sha256::digest(content.as_bytes());
    let sha256: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let rows: usize = bills.iter().map(|bill| bill.lines.len()).sum();
    let totals: Vec<_> = bills
        .iter()
        .map(|bill| {
            json!({
                "billing_period": bill.month.to_string(),
                "currency": Currency::as_str(&bill.currency),
                "rows": bill.lines.len(),
                "cost": bill.total().to_string(),
                "list_cost": bill.list_total().to_string(),
                "aws_cost": bill.aws_total().map(|cost| cost.to_string()),
                "complete": bill.is_complete(),
                "unpriced_rows": bill.unpriced().count(),
            })
        })
        .collect();
    let manifest = json!({
        "schema": "pipebill.manifest/1",
        "file": file_name,
        "schema_version": SCHEMA_VERSION,
        "rows": rows,
        "sha256": sha256,
        "control_totals": totals,
    });
    let mut text = serde_json::to_string_pretty(&manifest).expect("a value of ours is JSON");
    text.push('\n');
    text
}
