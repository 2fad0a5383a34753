//! Markdown that a pull request carries: the sum first, details folded, a marker to find the comment
//! by and write it anew.

use std::io::Write;

use serde_json::json;

use super::{
    Cell, Column, Table,
    input::{Options, ReportError, ReportInput, WriteSummary},
    markdown::{escaped, table},
    show_money,
};
use crate::domain::{
    bill::{Bill, Pricing},
    money::Money,
};

/// Where the comment of an earlier run is found again.
const MARKER: &str = "<!-- pipebill -->";

/// What GitHub takes in a comment.
const MOST_CHARACTERS: usize = 65_536;

/// Months side by side; earlier ones are in the other formats.
const MOST_MONTHS: usize = 6;

/// Writes the comment.
pub(super) fn write(
    input: &ReportInput<'_>,
    options: &Options,
    sink: &mut dyn Write,
) -> Result<WriteSummary, ReportError> {
    let text = render(input, options);
    sink.write_all(text.as_bytes())?;
    let last = &last(input);
    Ok(WriteSummary {
        control_totals: vec![json!({
            "billing_period": last.month.to_string(),
            "currency": last.currency.as_str(),
            "cost": last.total().to_string(),
        })],
        ..WriteSummary::default()
    })
}

fn last<'a>(input: &ReportInput<'a>) -> &'a Bill {
    let months = input.months;
    &months[months.len() - 1].rated.bill
}

fn render(input: &ReportInput<'_>, options: &Options) -> String {
    let bill = last(input);
    let total = amount(bill, bill.total());
    let open = bill.month.end() > input.today;
    let mut out = format!(
        "{MARKER}\n### AWS code services: {} in {}{}\n\n",
        escaped(&total.shown()),
        bill.month,
        if open { " so far" } else { "" }
    );
    if input.sample {
        out += "A sample: an invented organization.\n\n";
    }
    if let Some(exchange) = &options.exchange {
        out += &format!(
            "That is {} at {} ({}, {}).\n\n",
            escaped(&show_money(exchange.convert(bill.total()), &exchange.to)),
            super::exact(exchange.rate),
            escaped(&exchange.source),
            exchange.date
        );
    }
    out += &table(&services(input));
    out.push('\n');
    for note in notes(input) {
        out += &format!("- {}\n", escaped(&note));
    }
    let head = "\n<details><summary>What it is made of</summary>\n\n";
    let foot = "\n</details>\n";
    let room = MOST_CHARACTERS.saturating_sub((out.chars().count()) + head.len() + foot.len());
    out += head;
    out += &fitting(&meters(bill), room);
    out += foot;
    // Even notes without end must not make the comment unsendable.
    if out.chars().count() > MOST_CHARACTERS {
        let ending = "\n\nThe rest does not fit into a comment.\n";
        out = out.chars().take(MOST_CHARACTERS - ending.len()).collect();
        out += ending;
    }
    out
}

/// Renders as many rows as there is room for, and says how many there are besides.
fn fitting(table_of: &Table, room: usize) -> String {
    let all = table(table_of);
    if all.chars().count() <= room {
        return all;
    }
    let mut short = table_of.clone();
    loop {
        short.rows.truncate(short.rows.len() / 2);
        let left_out = table_of.rows.len() - short.rows.len();
        let text = format!(
            "{}\nThe comment has room for no more: {left_out} rows are left out.\n",
            table(&short)
        );
        if text.chars().count() <= room || short.rows.is_empty() {
            return text;
        }
    }
}

fn amount(bill: &Bill, amount: Money) -> Cell {
    if bill.is_complete() {
        Cell::Money(amount, bill.currency.clone())
    } else {
        Cell::AtLeast(amount, bill.currency.clone())
    }
}

/// The last months by service, the dearest of the last month first.
fn services(input: &ReportInput<'_>) -> Table {
    let months = &input.months[input.months.len().saturating_sub(MOST_MONTHS)..];
    let bills: Vec<&Bill> = months.iter().map(|month| &month.rated.bill).collect();
    let mut columns = vec![Column::shown("Service", 0)];
    columns.extend(
        bills
            .iter()
            .map(|bill| Column::shown(bill.month.to_string(), 0)),
    );
    let mut rows = Table::new(columns);
    let costs: Vec<_> = bills.iter().map(|bill| bill.by_service()).collect();
    let mut services: Vec<_> = costs.iter().flat_map(|costs| costs.keys()).collect();
    services.sort();
    services.dedup();
    services.sort_by_key(|service| std::cmp::Reverse(costs.last().and_then(|c| c.get(*service))));
    for service in services {
        let mut row = vec![Cell::text(input.catalog.service_name(service))];
        row.extend(bills.iter().zip(&costs).map(|(bill, costs)| {
            let cost = costs.get(service);
            cost.map_or(Cell::Empty, |cost| match bill.pricing_of(service) {
                Pricing::Whole => Cell::Money(*cost, bill.currency.clone()),
                _ => Cell::AtLeast(*cost, bill.currency.clone()),
            })
        }));
        rows.rows.push(row);
    }
    let mut total = vec![Cell::text("Total")];
    total.extend(bills.iter().map(|bill| amount(bill, bill.total())));
    rows.totals.push(total);
    rows
}

fn meters(bill: &Bill) -> Table {
    let mut rows = Table::new(vec![
        Column::shown("What", 0),
        Column::shown("Billed", 0),
        Column::shown("Cost", 0),
    ]);
    let mut meters = bill.by_meter();
    meters.sort_by_key(|meter| std::cmp::Reverse(meter.cost));
    for meter in meters {
        rows.rows.push(vec![
            Cell::text(meter.name),
            meter.billed.map_or(Cell::Empty, Cell::Quantity),
            match meter.status {
                "unpriced" => Cell::Unknown("unpriced".to_owned()),
                "partial" => Cell::AtLeast(meter.cost, bill.currency.clone()),
                _ => Cell::Money(meter.cost, bill.currency.clone()),
            },
        ]);
    }
    rows
}

fn notes(input: &ReportInput<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    for month in input.months {
        let bill = &month.rated.bill;
        for line in bill.unpriced() {
            let (quantity, reason) = line
                .unpriced
                .as_ref()
                .expect("only unpriced lines are asked");
            notes.push(format!(
                "{}: no cost for {quantity} of {} in {}: {}",
                bill.month,
                line.key.meter,
                line.key.region,
                reason.reason()
            ));
        }
        for gap in &bill.gaps {
            notes.push(format!(
                "{}: missing {}: {}",
                bill.month, gap.what, gap.reason
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let mut rows = Table::new(vec![Column::shown("What", 0)]);
        rows.rows = (0..5000)
            .map(|at| vec![Cell::text(format!("meter {at}"))])
            .collect();
        let text = fitting(&rows, 2000);
        assert!(text.chars().count() <= 2000);
        let shown = text.matches("| meter ").count();
        assert!(
            text.contains(&format!("{} rows are left out", 5000 - shown)),
            "{text}"
        );
    }
}
