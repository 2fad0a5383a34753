//! Our rating beside AWS's: every difference with its reason, the unexplained rest by name.

use std::collections::BTreeMap;

use super::{Block, Cell, Column, Document, Table, show_money, words};
use crate::domain::{
    bill::Bill,
    catalog::Catalog,
    ids::{Meter, Region},
    metering::from_events::Metered,
    money::Money,
    quantity::Quantity,
    reconcile::{Cause, LineReconciliation, by_cause},
    usage::{ChargeKind, UsageRecord},
};

/// Lays out a reconciliation.
pub fn document(
    bill: &Bill,
    comparisons: &[LineReconciliation],
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
        Column::in_files("late_data"),
        Column::in_files("unknown_price"),
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
            part(comparison.of(Cause::FreeTier)),
            part(comparison.of(Cause::Price)),
            part(comparison.of(Cause::Rounding)),
            part(comparison.of(Cause::Discount)),
            part(comparison.unexplained),
            Cell::text(bill.currency.as_str()),
            Cell::text(why(comparison, bill)),
            part(comparison.of(Cause::LateData)),
            part(comparison.of(Cause::UnknownPrice)),
        ]);
    }
    let sum = |pick: fn(&LineReconciliation) -> Money| comparisons.iter().map(pick).sum::<Money>();
    let billed: Money = comparisons
        .iter()
        .filter_map(|comparison| comparison.billed)
        .sum();
    let difference: Money = comparisons
        .iter()
        .filter_map(LineReconciliation::difference)
        .sum();
    let mut total: Vec<Cell> = table.columns.iter().map(|_| Cell::Empty).collect();
    total[4] = Cell::text("Total");
    total[7] = money(sum(|c| c.ours));
    total[8] = money(billed);
    total[9] = money(difference);
    table.totals.push(total);
    let notes = words::reconcile::notes(bill, comparisons);
    let causes = causes(bill, comparisons, sum(|c| c.unexplained), difference);
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
        blocks: vec![
            Block::Table(table),
            Block::Heading("What the difference is made of".to_owned()),
            Block::Detail("causes", causes),
            Block::Notes(notes),
        ],
    }
}

/// Lays out what each cause amounts to; with the unexplained rest, that is the difference.
fn causes(
    bill: &Bill,
    comparisons: &[LineReconciliation],
    unexplained: Money,
    difference: Money,
) -> Table {
    let money = |amount: Money| Cell::Money(amount, bill.currency.clone());
    let mut table = Table::new(vec![
        Column::new("Cause", "cause", 0),
        Column::new("Amount", "amount", 0),
        Column::new("Lines", "lines", 1),
    ]);
    let sums = by_cause(comparisons);
    for (cause, name, _) in Cause::ALL {
        let touched = comparisons
            .iter()
            .filter(|it| it.causes.contains_key(&cause))
            .count();
        table.rows.push(vec![
            Cell::text(name.replace('_', " ")),
            money(sums.get(&cause).copied().unwrap_or_default()),
            Cell::Count(touched as u64),
        ]);
    }
    let touched = comparisons
        .iter()
        .filter(|it| !it.unexplained.is_zero())
        .count();
    table.rows.push(vec![
        Cell::text("unexplained"),
        money(unexplained),
        Cell::Count(touched as u64),
    ]);
    table.totals.push(vec![
        Cell::text("Difference"),
        money(difference),
        Cell::Empty,
    ]);
    table
}

/// Puts what was metered from AWS's APIs beside the quantities that AWS billed. Nothing is added:
/// the two tell of the same usage.
pub fn beside(billed: &[UsageRecord], metered: &Metered, catalog: &Catalog) -> Vec<Block> {
    type Both = (Option<Quantity>, Option<Quantity>);
    let mut rows: BTreeMap<(Meter, Region), Both> = BTreeMap::new();
    let mut add = |record: &UsageRecord, is_metered: bool| {
        let (Some(quantity), ChargeKind::Usage) = (record.quantity, &record.kind) else {
            return;
        };
        let key = (record.key.meter.clone(), record.key.region.clone());
        let both = rows.entry(key).or_default();
        let sum = if is_metered { &mut both.1 } else { &mut both.0 };
        *sum = match *sum {
            None => Some(quantity),
            // Sums of different units stay as they were: the units show it.
            Some(sum) => Some(sum.try_add(quantity).unwrap_or(sum)),
        };
    };
    for record in billed {
        add(record, false);
    }
    for record in &metered.records {
        add(record, true);
    }
    let mut table = Table::new(vec![
        Column::shown("Service", 2),
        Column::shown("What", 0),
        Column::new("Region", "region", 1),
        Column::new("Billed", "billed", 0),
        Column::new("Metered", "metered", 0),
    ]);
    let cell = |quantity: Option<Quantity>| {
        quantity.map_or(Cell::Unknown("none".to_owned()), Cell::Quantity)
    };
    for ((meter, region), (billed, metered)) in rows {
        let info = catalog.meter(&meter.service, meter.usage_type.as_str());
        table.rows.push(vec![
            Cell::text(catalog.service_name(&meter.service)),
            Cell::text(info.map_or(meter.usage_type.as_str(), |info| info.name.as_str())),
            Cell::text(region.as_str()),
            cell(billed),
            cell(metered),
        ]);
    }
    vec![
        Block::Heading("What AWS billed beside what its APIs say happened".to_owned()),
        Block::Table(table),
        Block::Notes(words::reconcile::metered(metered)),
    ]
}

/// Names the parts of a difference.
fn why(comparison: &LineReconciliation, bill: &Bill) -> String {
    let causes = Cause::ALL.map(|(cause, _, name)| (name, comparison.of(cause)));
    let line = &bill.lines[comparison.line];
    if let Some(commitment) = line.covered_by {
        return format!("as billed: a {} pays for it", commitment.title());
    }
    if line.kind == ChargeKind::Usage && line.usage.is_none() {
        return "as billed: no quantity".to_owned();
    }
    let parts = causes
        .into_iter()
        .chain([("unexplained", comparison.unexplained)]);
    let named = parts.filter(|(_, amount)| !amount.is_zero());
    let named =
        named.map(|(name, amount)| format!("{name} {}", show_money(amount, &bill.currency)));
    named.collect::<Vec<_>>().join(", ")
}
