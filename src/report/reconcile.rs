//! Our rating beside AWS's: every difference with its reason, the unexplained rest by name.

use super::{Block, Cell, Column, Document, Table, show_money};
use crate::domain::{bill::Bill, catalog::Catalog, compare::Comparison, money::Money};

/// Lays out a reconciliation.
pub fn document(
    bill: &Bill,
    comparisons: &[Comparison],
    title: String,
    catalog: &Catalog,
) -> Document {
    let mut table = Table::new(vec![
        Column::in_files("period"),
        Column::in_files("service"),
        Column::shown("Service", 6),
        Column::in_files("usage_type"),
        Column::shown("What", 0),
        Column::new("Region", "region", 7),
        Column::new("Account", "account", 3),
        Column::new("Ours", "ours", 0),
        Column::new("AWS", "aws", 0),
        Column::new("Difference", "difference", 0),
        Column::in_files("free_tier"),
        Column::in_files("price"),
        Column::in_files("rounding"),
        Column::in_files("discount"),
        Column::in_files("unexplained"),
        Column::in_files("currency"),
        Column::shown("Why", 1),
    ]);
    let money = |amount: Money| Cell::Money(amount, bill.currency.clone());
    let part = |amount: Money| {
        if amount.is_zero() {
            Cell::Empty
        } else {
            Cell::Money(amount, bill.currency.clone())
        }
    };
    for comparison in comparisons {
        let line = &bill.lines[comparison.line];
        let unknown = || Cell::Unknown("no bill".to_owned());
        table.rows.push(vec![
            Cell::text(bill.month.to_string()),
            Cell::text(line.key.meter.service.as_str()),
            Cell::text(catalog.service_name(&line.key.meter.service)),
            Cell::text(line.key.meter.usage_type.as_str()),
            Cell::text(&line.name),
            Cell::text(line.key.region.as_str()),
            line.key
                .account
                .as_ref()
                .map_or(Cell::text(""), |account| Cell::text(account.as_str())),
            if comparison.unpriced {
                Cell::AtLeast(comparison.ours, bill.currency.clone())
            } else {
                money(comparison.ours)
            },
            comparison.billed.map_or_else(unknown, money),
            comparison.difference().map_or_else(unknown, money),
            part(comparison.free_tier),
            part(comparison.price),
            part(comparison.rounding),
            part(comparison.discount),
            part(comparison.unexplained),
            Cell::text(bill.currency.as_str()),
            Cell::text(why(comparison, bill)),
        ]);
    }
    let sum = |pick: fn(&Comparison) -> Money| comparisons.iter().map(pick).sum::<Money>();
    let billed: Money = comparisons
        .iter()
        .filter_map(|comparison| comparison.billed)
        .sum();
    let difference: Money = comparisons.iter().filter_map(Comparison::difference).sum();
    let mut total: Vec<Cell> = table.columns.iter().map(|_| Cell::Empty).collect();
    total[4] = Cell::text("Total");
    total[7] = money(sum(|c| c.ours));
    total[8] = money(billed);
    total[9] = money(difference);
    table.totals.push(total);
    let notes = notes(bill, comparisons);
    Document {
        schema: "pipebill.reconciliation/1",
        title,
        facts: vec![
            ("period", Cell::text(bill.month.to_string())),
            ("currency", Cell::text(bill.currency.as_str())),
            ("ours", money(sum(|c| c.ours))),
            ("aws", money(billed)),
            ("difference", money(difference)),
            ("unexplained", money(sum(|c| c.unexplained))),
        ],
        blocks: vec![Block::Table(table), Block::Notes(notes)],
    }
}

/// Names the parts of a difference.
fn why(comparison: &Comparison, bill: &Bill) -> String {
    let parts = [
        ("free tier", comparison.free_tier),
        ("price", comparison.price),
        ("rounding", comparison.rounding),
        ("discount", comparison.discount),
        ("unexplained", comparison.unexplained),
    ];
    let named = parts.iter().filter(|(_, amount)| !amount.is_zero());
    let named =
        named.map(|(name, amount)| format!("{name} {}", show_money(*amount, &bill.currency)));
    named.collect::<Vec<_>>().join(", ")
}

fn notes(bill: &Bill, comparisons: &[Comparison]) -> Vec<String> {
    let show = |amount| show_money(amount, &bill.currency);
    let mut notes = Vec::new();
    let unbilled = comparisons
        .iter()
        .filter(|comparison| comparison.billed.is_none())
        .count();
    if unbilled > 0 {
        notes.push(format!(
            "{unbilled} lines have no bill beside them and are not compared."
        ));
    }
    for comparison in comparisons.iter().filter(|c| !c.unexplained.is_zero()) {
        let line = &bill.lines[comparison.line];
        let why = if comparison.unpriced {
            " (a part has no price)"
        } else {
            ""
        };
        notes.push(format!(
            "Unexplained: {} in {}: {}{why}.",
            line.key.meter,
            line.key.region,
            show(comparison.unexplained)
        ));
    }
    if notes.is_empty() {
        notes.push("Every difference is explained; nothing is left over.".to_owned());
    }
    if comparisons
        .iter()
        .any(|comparison| !comparison.free_tier.is_zero())
    {
        notes.push(
            "Free tier: units that the bill shows as free and our allowances do not (plus), or the \
             other way round (minus), at their price."
                .to_owned(),
        );
    }
    notes
}
