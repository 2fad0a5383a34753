//! JSON: a schema name, exact decimals as text, stable keys.

use serde_json::{Map, Value, json};

use super::{Block, Cell, Document, Table, words};
use crate::domain::{
    bill::{Bill, LineItem},
    ids::AccountId,
    number::plain,
    tariff::PriceOrigin,
};

/// Renders any document: its facts, the rows of its table, its notes.
pub fn render(document: &Document) -> String {
    let mut object = Map::new();
    object.insert("schema".to_owned(), json!(document.schema));
    for (key, cell) in &document.facts {
        object.insert((*key).to_owned(), value(cell));
    }
    if let Some(table) = document.table() {
        object.insert("rows".to_owned(), rows(table));
    }
    for block in &document.blocks {
        if let Block::Detail(name, table) = block {
            object.insert((*name).to_owned(), rows(table));
        }
    }
    let notes = document.blocks.iter().filter_map(|block| match block {
        Block::Notes(notes) | Block::Explained { notes, .. } => Some(notes),
        _ => None,
    });
    object.insert(
        "notes".to_owned(),
        json!(notes.flatten().map(|note| &note.text).collect::<Vec<_>>()),
    );
    pretty(&Value::Object(object))
}

fn rows(table: &Table) -> Value {
    let columns: Vec<usize> = table.file_columns().collect();
    let row = |row: &Vec<Cell>| -> Value {
        columns
            .iter()
            .map(|&at| (table.columns[at].key.to_owned(), value(&row[at])))
            .collect()
    };
    table.rows.iter().map(row).collect()
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Empty | Cell::Unknown(_) => Value::Null,
        Cell::Count(count) => json!(count),
        Cell::Flag(flag) => json!(flag),
        cell => json!(cell.exact()),
    }
}

/// Renders a bill as `pipebill.bill/1`.
pub fn bill(bill: &Bill) -> String {
    pretty(&json!({
        "schema": "pipebill.bill/1",
        "period": bill.month.to_string(),
        "currency": bill.currency.as_str(),
        "total": bill.total().to_string(),
        "list_total": bill.list_total().to_string(),
        "total_without_free_tier_complete": bill.list_is_complete(),
        "complete": bill.is_complete(),
        "final": bill.is_final(),
        "not_final": bill.finality.reasons.iter().map(|why| json!({
            "code": why.code(),
            "reason": why.reason(),
        })).collect::<Vec<_>>(),
        "assumed": bill.is_assumed(),
        "unpriced": bill.unpriced().map(unpriced).collect::<Vec<_>>(),
        "gaps": bill.gaps.iter().map(|gap| json!({"what": gap.what, "reason": gap.reason})).collect::<Vec<_>>(),
        "outside": bill.outside.iter().map(|outside| json!({
            "currency": outside.currency.as_str(),
            "services": outside.services,
            "cost": outside.cost.to_string(),
        })).collect::<Vec<_>>(),
        "allowances": bill.allowances.iter().map(|allowance| json!({
            "id": &*allowance.id,
            "name": &*allowance.name,
            "unit": allowance.unit.name(),
            "granted": plain(allowance.granted),
            "used_elsewhere": plain(allowance.used_elsewhere),
            "drawn": plain(allowance.drawn),
        })).collect::<Vec<_>>(),
        "lines": bill.lines.iter().map(line).collect::<Vec<_>>(),
        "notes": words::bill::of_reading(bill).into_iter().map(|note| note.text).collect::<Vec<_>>(),
    }))
}

fn unpriced(line: &LineItem) -> Value {
    let (quantity, reason) = line
        .unpriced
        .as_ref()
        .expect("only unpriced lines are asked");
    json!({
        "service": line.key.meter.service.as_str(),
        "usage_type": line.key.meter.usage_type.as_str(),
        "region": line.key.region.as_str(),
        "account": line.key.account.as_ref().map(AccountId::as_str),
        "unit": quantity.unit.name(),
        "quantity": plain(quantity.value),
        "reason": reason.code(),
        "why": reason.reason(),
    })
}

fn line(line: &LineItem) -> Value {
    let usage = line.usage.as_ref();
    json!({
        "service": line.key.meter.service.as_str(),
        "usage_type": line.key.meter.usage_type.as_str(),
        "name": line.name,
        "kind": line.kind.name(),
        "region": line.key.region.as_str(),
        "payer": line.key.payer.as_ref().map(AccountId::as_str),
        "account": line.key.account.as_ref().map(AccountId::as_str),
        "unit": usage.map(|usage| usage.billed.unit.name()),
        "consumed": usage.map(|usage| plain(usage.consumed.value)),
        "consumed_unit": usage.map(|usage| usage.consumed.unit.name()),
        "billed": usage.map(|usage| plain(usage.billed.value)),
        "covered": usage.map(|usage| plain(usage.covered)),
        "allowance": usage.and_then(|usage| usage.allowance.as_deref()),
        "status": line.status(),
        "cost": cost(line),
        "list_cost": if line.list_is_partial && line.list_cost.is_zero() { Value::Null } else { json!(line.list_cost.to_string()) },
        "discount": line.discount.to_string(),
        "aws_cost": line.aws_cost.map(|cost| cost.to_string()),
        "price": line.price.as_ref().map(|price| json!({
            "origin": price.origin.name(),
            "like": match &price.origin {
                PriceOrigin::Assumed(region) => Some(region.as_str()),
                _ => None,
            },
            "source": &*price.source.title,
            "file": &*price.source.file,
            "sku": price.source.sku.as_deref(),
            "date": price.source.date.map(|date| date.to_string()),
            "confidence": &*price.source.confidence,
        })),
        "steps": line.steps.iter().map(|step| json!({
            "quantity": plain(step.quantity),
            "unit_price": plain(step.unit_price),
            "amount": step.amount.to_string(),
        })).collect::<Vec<_>>(),
        "metering": line.metering.iter().map(|text| &**text).collect::<Vec<_>>(),
        "usage_from": line.origins.iter().map(|text| &**text).collect::<Vec<_>>(),
    })
}

/// A line without any price has no cost; it does not cost nothing.
fn cost(line: &LineItem) -> Value {
    if line.status() == "unpriced" {
        Value::Null
    } else {
        json!(line.cost.to_string())
    }
}

pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).expect("a value of ours is JSON");
    text.push('\n');
    text
}
