//! What an import brought: files read, months replaced, and everything that was not kept, by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    Answer, Block, Cell, Column, Document, Table, counted, finality, json, show_money, uncoded,
};
use crate::domain::{
    costs::NOT_STATED,
    export::ImportedPeriod,
    ids::Currency,
    import::{Delivery, Replaced},
    money::Money,
};

/// Lays out an import.
pub fn document(
    delivery: &Delivery,
    replaced: &[Replaced],
    quarantine: Option<&Path>,
) -> Answer<'static> {
    let mut months = Table::new(vec![
        Column::new("Kind", "kind", 1),
        Column::new("Payer or source", "source", 2),
        Column::new("Month", "month", 0),
        Column::new("Records", "records", 0),
        Column::new("Cost", "cost", 0),
        Column::in_files("currency"),
        Column::new("Before", "records_before", 4),
        Column::new("Cost before", "cost_before", 3),
        Column::new("", "status", 0),
    ]);
    for month in replaced {
        let currency = currency_of(delivery, month);
        let status = match (month.unchanged, month.rows_before) {
            (true, _) => "unchanged",
            _ if month.larger_before.is_some() => "replaced by less",
            (false, 0) => "new",
            (false, _) => "replaced",
        };
        let before = month.rows_before > 0 && !month.unchanged;
        months.rows.push(vec![
            Cell::text(month.kind.to_string()),
            Cell::text(&month.source),
            Cell::text(month.month.to_string()),
            Cell::Count(month.rows_after),
            cost(month.cost_after, currency),
            currency.map_or(Cell::Empty, |currency| Cell::text(currency.as_str())),
            if before {
                Cell::Count(month.rows_before)
            } else {
                Cell::Empty
            },
            if before {
                cost(month.cost_before, currency)
            } else {
                Cell::Empty
            },
            Cell::text(status),
        ]);
    }
    let mut notes: Vec<String> = replaced
        .iter()
        .filter_map(|it| Some(finality::smaller(it.month, it.larger_before.as_ref()?)))
        .collect();
    for slice in &delivery.slices {
        if let Some(day) = slice.standing.read_while_open {
            notes.push(format!(
                "{}: the {} does not say how far it reaches into the month ({day} at the latest). If \
                 you know, add --known-until DAY.",
                slice.month,
                slice.kind.title()
            ));
        }
    }
    for file in &delivery.files {
        notes.push(format!(
            "{}: {}, {}, {} kept.",
            file.path.display(),
            file.kind.title(),
            counted(file.rows_read, "row"),
            file.rows_kept
        ));
    }
    let outside = || {
        let all = delivery
            .slices
            .iter()
            .flat_map(|slice| &slice.other_services);
        all.filter(|total| total.service != NOT_STATED)
    };
    let services: BTreeSet<&str> = outside().map(|row| row.service.as_str()).collect();
    if !services.is_empty() {
        let rows: u64 = outside().map(|row| row.rows).sum();
        let mut costs = BTreeMap::new();
        for row in outside() {
            *costs.entry(&row.currency).or_insert(Money::ZERO) += row.cost;
        }
        let costs: Vec<String> = costs
            .iter()
            .map(|(currency, cost)| show_money(*cost, currency))
            .collect();
        notes.push(format!(
            "Counted, not kept in detail: {} of {} ({}). To keep a service: --include SERVICE.",
            counted(rows, "row"),
            counted(services.len() as u64, "other service"),
            costs.join(" and ")
        ));
    }
    notes.extend(delivery.notes.iter().cloned());
    if let Some(path) = quarantine {
        notes.push(format!("Unreadable rows saved to {}.", path.display()));
    }
    json::untyped(
        "pipebill.import/1",
        vec![],
        Document {
            title: "Imported".to_owned(),
            blocks: vec![Block::Table(months), Block::Notes(uncoded(notes))],
        },
    )
}

/// Returns the one currency of a month; a month in several has no sum worth a name.
fn currency_of<'d>(delivery: &'d Delivery, month: &Replaced) -> Option<&'d Currency> {
    let of_month = |slice: &&ImportedPeriod| {
        (slice.kind, &slice.source, slice.month) == (month.kind, &month.source, month.month)
    };
    let mut records = delivery
        .slices
        .iter()
        .filter(of_month)
        .flat_map(|slice| &slice.records);
    let first = &records.next()?.currency;
    records
        .all(|record| record.currency == *first)
        .then_some(first)
}

fn cost(amount: Money, currency: Option<&Currency>) -> Cell {
    match currency {
        Some(currency) => Cell::Money(amount, currency.clone()),
        None if amount.is_zero() => Cell::Empty,
        None => Cell::Unknown("several currencies".to_owned()),
    }
}
