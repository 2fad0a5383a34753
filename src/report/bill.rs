//! A bill for people: what it comes to, what is free, what is not known.

use super::{Block, Cell, Column, Document, Table, show_money, show_quantity};
use crate::domain::{
    bill::{Bill, LineItem},
    catalog::Catalog,
    ids::Currency,
    number::plain,
    quantity::Quantity,
    tariff::PriceOrigin,
};

/// How much to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Detail {
    /// Every step of every line.
    pub explain: bool,
}

/// Lays a bill out.
pub fn document(bill: &Bill, title: String, catalog: &Catalog, detail: Detail) -> Document {
    let mut blocks = vec![Block::Table(table(bill, catalog))];
    if detail.explain {
        blocks.push(Block::Heading("How each line comes about".to_owned()));
        for line in &bill.lines {
            blocks.push(Block::Lines(explain(line, bill, catalog)));
        }
    }
    let notes = notes(bill);
    if !notes.is_empty() {
        blocks.push(Block::Notes(notes));
    }
    Document {
        schema: "pipebill.bill/1",
        title,
        facts: Vec::new(),
        blocks,
    }
}

fn table(bill: &Bill, catalog: &Catalog) -> Table {
    let mut table = Table::new(vec![
        Column::shown("Service", 0),
        Column::shown("What", 0),
        Column::shown("Region", 3),
        Column::shown("Account", 4),
        Column::shown("Billed", 2),
        Column::shown("Free", 5),
        Column::shown("Price", 6),
        Column::shown("Cost", 0),
        Column::shown("AWS", 1),
    ]);
    let several_accounts = bill.lines.iter().any(|line| line.key.account.is_some());
    let mut last_service = None;
    for line in &bill.lines {
        let usage = line.usage.as_ref();
        let service = &line.key.meter.service;
        let again = last_service == Some((&line.kind, service));
        last_service = Some((&line.kind, service));
        let covered = usage.filter(|usage| !usage.covered.is_zero());
        table.rows.push(vec![
            Cell::text(if again {
                ""
            } else {
                catalog.service_name(service)
            }),
            Cell::text(&line.name),
            Cell::text(line.key.region.as_str()),
            match &line.key.account {
                Some(account) if several_accounts => Cell::text(account.as_str()),
                _ => Cell::Empty,
            },
            usage.map_or(Cell::Empty, |usage| Cell::Quantity(usage.billed)),
            covered.map_or(Cell::Empty, |u| {
                Cell::Quantity(Quantity::new(u.covered, u.billed.unit))
            }),
            price(line),
            cost(line, &bill.currency),
            line.aws_cost
                .map_or(Cell::Empty, |cost| Cell::Money(cost, bill.currency.clone())),
        ]);
    }
    let row = |label: &str, cost: Cell, aws: Cell| {
        let blank = || Cell::text("");
        vec![
            Cell::text(label),
            blank(),
            blank(),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            cost,
            aws,
        ]
    };
    let total = if bill.is_complete() {
        Cell::Money(bill.total(), bill.currency.clone())
    } else {
        Cell::AtLeast(bill.total(), bill.currency.clone())
    };
    let label = match (bill.is_complete(), bill.is_assumed()) {
        (true, false) => "Total",
        (true, true) => "Total, assumed",
        (false, false) => "Total, partial",
        (false, true) => "Total, partial, assumed",
    };
    let aws = bill
        .aws_total()
        .map_or(Cell::Empty, |cost| Cell::Money(cost, bill.currency.clone()));
    table.totals.push(row(
        label,
        total,
        if bill.lines.is_empty() {
            Cell::Empty
        } else {
            aws
        },
    ));
    table
}

fn price(line: &LineItem) -> Cell {
    let mut prices: Vec<_> = line.steps.iter().map(|step| step.unit_price).collect();
    prices.dedup();
    match prices[..] {
        [] => Cell::Empty,
        [price] => Cell::Price(price),
        _ => Cell::Unknown("tiers".to_owned()),
    }
}

fn cost(line: &LineItem, currency: &Currency) -> Cell {
    match line.status() {
        "unpriced" => Cell::Unknown("unpriced".to_owned()),
        "partial" => Cell::AtLeast(line.cost, currency.clone()),
        _ => Cell::Money(line.cost, currency.clone()),
    }
}

/// Says what the total leaves open, and what it would be otherwise.
fn notes(bill: &Bill) -> Vec<String> {
    let mut notes = Vec::new();
    let list = show_money(bill.list_total(), &bill.currency);
    if bill.list_total() != bill.total() || !bill.list_is_complete() {
        let at_least = if bill.list_is_complete() {
            ""
        } else {
            "at least "
        };
        notes.push(format!(
            "Without free tier and discounts: {at_least}{list}."
        ));
    }
    for allowance in &bill.allowances {
        let elsewhere = if allowance.used_elsewhere.is_zero() {
            String::new()
        } else {
            format!(", {} used before", plain(allowance.used_elsewhere))
        };
        notes.push(format!(
            "{}: {} of {} drawn{elsewhere}.",
            allowance.name,
            plain(allowance.drawn),
            show_quantity(Quantity::new(allowance.granted, allowance.unit)),
        ));
    }
    for line in bill.unpriced() {
        let (quantity, reason) = line
            .unpriced
            .as_ref()
            .expect("only unpriced lines are asked");
        notes.push(format!(
            "Unpriced: {} of {}:{} in {} ({}).",
            show_quantity(*quantity),
            line.key.meter.service,
            line.key.meter.usage_type,
            line.key.region,
            reason.reason()
        ));
    }
    for line in &bill.lines {
        if let Some(PriceOrigin::Assumed(region)) = line.price.as_ref().map(|price| &price.origin) {
            notes.push(format!(
                "Assumed: {} in {} at the price of {region}.",
                line.name, line.key.region
            ));
        }
    }
    for gap in &bill.gaps {
        notes.push(format!("Missing: {}: {}.", gap.what, gap.reason));
    }
    notes.extend(bill.notes.iter().cloned());
    let old = bill
        .lines
        .iter()
        .filter_map(|line| line.price.as_ref())
        .filter(|price| {
            matches!(&*price.source.confidence, "low" | "medium")
                && matches!(
                    price.origin,
                    PriceOrigin::Catalogue | PriceOrigin::Assumed(_)
                )
        });
    let unsure = old.count();
    if unsure > 0 {
        let lines = if unsure == 1 {
            "1 line rests".to_owned()
        } else {
            format!("{unsure} lines rest")
        };
        notes.push(format!(
            "{lines} on a price of low or medium confidence: `pipebill prices show` says why."
        ));
    }
    notes
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
