//! The reported month beside AWS's bill.

use super::{
    Grid, Section,
    pictures::{QUANTITIES, service_name, without_quantities},
};
use crate::{
    domain::overview::Reconciled,
    report::{Cell, Column, Table, input::ReportInput, show_money},
};

/// Puts our rating of the reported month beside AWS's bill, by service.
pub(super) fn section(input: &ReportInput<'_>) -> Result<Section, String> {
    let bill = input.bill();
    let overview = input.overview.ok_or("the month was not compared")?;
    let (services, sum) = &overview.reconciled;
    if let Some(why) = without_quantities(input, bill.month) {
        return Err(why);
    }
    if sum.unbilled == bill.lines.len() {
        return Err("the ledger has no AWS bill of the month".to_owned());
    }
    let mut table = Table::new(vec![
        Column::new("Service", "service", 0),
        Column::new("Our rating", "ours", 0),
        Column::new("AWS billed", "aws", 0),
        Column::new("Difference", "difference", 0),
        Column::new("Explained", "explained", 0),
        Column::new("Unexplained", "unexplained", 0),
    ]);
    let money = |amount| Cell::Money(amount, bill.currency.clone());
    let row = |name: &str, one: &Reconciled| {
        let mut cells = vec![Cell::text(name)];
        let amounts = [
            one.ours,
            one.billed,
            one.difference,
            one.explained,
            one.unexplained,
        ];
        cells.extend(amounts.map(money));
        cells
    };
    for (service, one) in services {
        table
            .rows
            .push(row(&service_name(input.catalog, service), one));
    }
    table.totals.push(row("Total", sum));
    let lead = if sum.unexplained.is_zero() && services.values().all(|s| s.unexplained.is_zero()) {
        format!(
            "We rate the month at {}, AWS billed {}; every difference is explained.",
            show_money(sum.ours, &bill.currency),
            show_money(sum.billed, &bill.currency)
        )
    } else {
        format!(
            "We rate the month at {}, AWS billed {}; {} is unexplained.",
            show_money(sum.ours, &bill.currency),
            show_money(sum.billed, &bill.currency),
            show_money(sum.unexplained, &bill.currency)
        )
    };
    let mut notes = vec!["For each line and its causes: `pipebill bill --reconcile`.".to_owned()];
    if let Some(cost) = bill.costs_only_total() {
        notes.push(format!(
            "Of that, {} is shown as billed: its export has costs but no quantities; {QUANTITIES}.",
            show_money(cost, &bill.currency)
        ));
    }
    if sum.unbilled > 0 {
        notes.push(format!("{} lines are not in AWS's bill.", sum.unbilled));
    }
    Ok(Section {
        id: "reconciliation",
        title: "Reconciliation with AWS's bill".to_owned(),
        lead,
        picture: None,
        table: Some(Grid::of(&table, "Our rating and AWS's bill".to_owned())),
        folded: false,
        code: None,
        notes,
    })
}
