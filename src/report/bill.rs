//! A bill for people: what it comes to, what is free, what is not known.

use rust_decimal::Decimal;

mod typed;

use super::{Answer, Block, Cell, Column, Document, Table, finance, words};
use crate::domain::{
    bill::{Bill, LineItem, MeterSum},
    catalog::Catalog,
    ids::Region,
    money::Money,
    number::plain,
    quantity::Quantity,
    tariff::PriceOrigin,
};

/// How much to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// Each account and region on a row of its own.
    pub lines: bool,
    /// Every step of every line.
    pub explain: bool,
}

pub use typed::BillAnswer;

/// Lays a bill out.
pub fn answer<'a>(
    bill: &'a Bill,
    title: String,
    catalog: &'a Catalog,
    detail: Detail,
) -> Answer<'a> {
    let mut blocks = vec![Block::Table(table(bill, catalog, detail))];
    if detail.explain {
        blocks.push(Block::Heading("How each line was calculated".to_owned()));
        for line in &bill.lines {
            blocks.push(Block::Lines(explain(line, bill, catalog)));
        }
    }
    let notes = words::bill::notes(bill);
    if !notes.is_empty() {
        blocks.push(Block::Explained {
            notes: notes.clone(),
            all: detail.explain,
        });
    }
    Answer::made(Document { title, blocks }, move || {
        BillAnswer::of(bill, catalog, &notes)
    })
    .with_rows(|| finance::render(bill))
}

fn table(bill: &Bill, catalog: &Catalog, detail: Detail) -> Table {
    let mut table = Table::new(vec![
        Column::shown("Service", 0),
        Column::shown("What", 0),
        Column::shown("Region", 4),
        Column::shown("Account", if detail.lines { 0 } else { 9 }),
        Column::shown("Billed", 2),
        Column::shown("Free", 5),
        Column::shown("Price", 6),
        Column::shown("Cost", 0),
        Column::shown("AWS", 1),
    ]);
    let money = |amount: Money| Cell::Money(amount, bill.currency.clone());
    let mut last_service = None;
    let mut push = |sum: &MeterSum, account: Cell| {
        let service = Some((sum.kind.clone(), sum.service.clone()));
        let again = last_service == service;
        last_service = service;
        let regions: Vec<&str> = sum.regions.iter().map(Region::as_str).collect();
        let prices: Vec<Decimal> = sum.unit_prices.iter().copied().collect();
        table.rows.push(vec![
            Cell::text(if again {
                ""
            } else {
                catalog.service_name(&sum.service)
            }),
            Cell::text(&sum.name),
            match regions[..] {
                [one] => Cell::text(one),
                ref several => Cell::text(format!("{} regions", several.len())),
            },
            account,
            sum.billed.map_or(Cell::Empty, Cell::Quantity),
            match sum.billed {
                Some(billed) if !sum.covered.is_zero() => {
                    Cell::Quantity(Quantity::new(sum.covered, billed.unit))
                }
                _ => Cell::Empty,
            },
            match prices[..] {
                [] => Cell::Empty,
                [price] => Cell::Price(price),
                [low, .., high] => Cell::Unknown(format!("{} to {}", plain(low), plain(high))),
            },
            match sum.status {
                "unpriced" => Cell::Unknown("unpriced".to_owned()),
                "partial" => Cell::AtLeast(sum.cost, bill.currency.clone()),
                _ => money(sum.cost),
            },
            sum.aws_cost.map_or(Cell::Empty, money),
        ]);
    };
    if detail.lines {
        for line in &bill.lines {
            let account = line.key.account.as_ref();
            push(
                &MeterSum::of(line),
                account.map_or(Cell::Empty, |a| Cell::text(a.as_str())),
            );
        }
    } else {
        bill.by_meter()
            .iter()
            .for_each(|sum| push(sum, Cell::Empty));
    }
    let mut total: Vec<Cell> = table.columns.iter().map(|_| Cell::Empty).collect();
    total[0] = Cell::text(match (bill.is_complete(), bill.is_assumed()) {
        (true, false) => "Total",
        (true, true) => "Total, assumed",
        (false, false) => "Total, partial",
        (false, true) => "Total, partial, assumed",
    });
    total[7] = if bill.is_complete() {
        money(bill.total())
    } else {
        Cell::AtLeast(bill.total(), bill.currency.clone())
    };
    total[8] = match bill.aws_total() {
        Some(cost) if !bill.lines.is_empty() => money(cost),
        _ => Cell::Empty,
    };
    table.totals.push(total);
    table
}

/// Says how a line comes about: consumed, billed, covered, each multiplication, price and usage.
pub fn explain(line: &LineItem, bill: &Bill, catalog: &Catalog) -> Vec<String> {
    let account = line
        .key
        .account
        .as_ref()
        .map_or(String::new(), |account| format!(", {account}"));
    let mut lines = vec![format!(
        "{}: {} ({}), {}{account}",
        catalog.service_name(&line.key.meter.service),
        line.name,
        line.key.meter.usage_type,
        line.key.region,
    )];
    let mut say = |label: &str, text: String| lines.push(format!("  {label:<9} {text}"));
    if let Some(usage) = &line.usage {
        if usage.consumed != usage.billed {
            say("consumed", usage.consumed.to_string());
        }
        for how in &line.metering {
            say("metered", how.to_string());
        }
        say("billed", usage.billed.to_string());
        if !usage.covered.is_zero() {
            let name = usage.allowance.as_deref().unwrap_or("allowance");
            say(
                "covered",
                format!(
                    "{} by {name}",
                    Quantity::new(usage.covered, usage.billed.unit)
                ),
            );
        }
    }
    for step in &line.steps {
        let quantity = plain(step.quantity);
        say(
            "step",
            format!("{quantity} × {} = {}", plain(step.unit_price), step.amount),
        );
    }
    if let Some((quantity, reason)) = &line.unpriced {
        say("unpriced", format!("{quantity}: {}", reason.reason()));
    }
    if !line.discount.is_zero() {
        say("discount", format!("{}", -line.discount));
    }
    if line.status() != "unpriced" {
        say("cost", format!("{} {}", line.cost, bill.currency));
    }
    if let Some(aws) = line.aws_cost {
        say("AWS", format!("{aws} {}", bill.currency));
    }
    if let Some(price) = &line.price {
        let origin = match &price.origin {
            PriceOrigin::Assumed(region) => format!("assumed, as in {region}"),
            other => other.name().to_owned(),
        };
        let date = price
            .source
            .date
            .map_or(String::new(), |date| format!(", {date}"));
        let sku = price
            .source
            .sku
            .as_ref()
            .map_or(String::new(), |sku| format!(", SKU {sku}"));
        say(
            "price",
            format!(
                "{origin}: {}{date}{sku}, confidence {}",
                price.source.title, price.source.confidence
            ),
        );
        if let Some(note) = &price.source.note {
            say("", note.to_string());
        }
    }
    for origin in &line.origins {
        say("usage", origin.to_string());
    }
    lines
}
