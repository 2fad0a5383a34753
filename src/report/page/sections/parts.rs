//! The months of a bill, by part and by line.

use super::total_cell;
use crate::report::page::{
    Grid, Section,
    pictures::{month_name, service_name},
    plain_text,
};
use crate::{
    domain::quantity::Quantity,
    report::{Cell, Column, Table, input::ReportInput, show_money},
};

pub(super) fn parts(input: &ReportInput<'_>) -> Result<Section, String> {
    let bill = input.bill();
    let overview = input.overview.ok_or("the month was not allocated")?;
    let Some(first) = overview.parts.first() else {
        return Err("the month has no charges".to_owned());
    };
    if overview.parts.iter().all(|part| part.percent.is_none()) {
        return Err("the month has no cost".to_owned());
    }
    let mut table = Table::new(vec![
        Column::new("Project or pipeline", "part", 0),
        Column::new("Cost", "cost", 0),
        Column::new("Share", "share", 0),
    ]);
    for part in &overview.parts {
        let name = match part.name.as_str() {
            "" => format!("{} others", part.parts),
            name => name.to_owned(),
        };
        table.rows.push(vec![
            Cell::text(name),
            if part.partial {
                Cell::AtLeast(part.cost, bill.currency.clone())
            } else {
                Cell::Money(part.cost, bill.currency.clone())
            },
            part.percent.map_or(Cell::Empty, Cell::Percent),
        ]);
    }
    let total = vec![Cell::text("Total"), total_cell(bill), Cell::Empty];
    table.totals.push(total);
    Ok(Section {
        id: "parts",
        title: "Top projects and pipelines".to_owned(),
        lead: plain_text(&format!(
            "{} is the largest with {}.",
            if first.name.is_empty() {
                "A group"
            } else {
                &first.name
            },
            show_money(first.cost, &bill.currency)
        )),
        picture: None,
        table: Some(Grid::of(&table, "Cost by project and pipeline".to_owned())),
        folded: false,
        code: None,
        notes: vec![
            "Shares of the month, not separate bills: free units and tiers are shared. Rows sum to \
             the total."
                .to_owned(),
        ],
    })
}

/// The bill itself.
pub(super) fn lines(input: &ReportInput<'_>) -> Section {
    let bill = input.bill();
    let mut table = Table::new(vec![
        Column::new("Service", "service", 0),
        Column::new("What", "what", 0),
        Column::new("Billed", "billed", 0),
        Column::new("Free", "covered", 0),
        Column::new("Cost", "cost", 0),
    ]);
    for sum in bill.by_meter() {
        let name = match sum.kind {
            crate::domain::usage::ChargeKind::Usage => sum.name.clone(),
            ref other => other.to_string(),
        };
        table.rows.push(vec![
            Cell::text(service_name(input.catalog, &sum.service)),
            Cell::text(name),
            sum.billed.map_or(Cell::Empty, Cell::Quantity),
            if sum.covered.is_zero() {
                Cell::Empty
            } else {
                sum.billed.map_or(Cell::Empty, |billed| {
                    Cell::Quantity(Quantity::new(sum.covered, billed.unit))
                })
            },
            match sum.status {
                "priced" => Cell::Money(sum.cost, bill.currency.clone()),
                "partial" => Cell::AtLeast(sum.cost, bill.currency.clone()),
                _ => Cell::Unknown("no price".to_owned()),
            },
        ]);
    }
    let mut total = vec![Cell::Empty; table.columns.len()];
    total[0] = Cell::text("Total");
    total[4] = total_cell(bill);
    table.totals.push(total);
    let title = format!("The bill of {}", month_name(bill.month));
    let has_costs_only = bill.costs_only().next().is_some();
    let lead = if bill.list_is_complete() && !has_costs_only {
        format!(
            "{}; without free tier and discounts it would be {}.",
            total_cell(bill).shown(),
            show_money(bill.undiscounted_total(), &bill.currency)
        )
    } else {
        format!("{}.", total_cell(bill).shown())
    };
    Section {
        id: "bill",
        lead,
        picture: None,
        table: Some(Grid::of(&table, title.clone())),
        title,
        folded: false,
        code: None,
        notes: Vec::new(),
    }
}
