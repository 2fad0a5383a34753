//! A bill for people: what it comes to, what is free, what is not known.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

mod typed;

use super::{
    Answer, Block, Cell, Column, Document, Note, Table, finality, finance, show_money,
    show_quantity, uncoded,
};
use crate::domain::{
    bill::{Bill, LineItem, MeterSum},
    catalog::Catalog,
    ids::Region,
    money::Money,
    number::plain,
    quantity::Quantity,
    tariff::PriceOrigin,
    usage::Gap,
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
        blocks.push(Block::Heading("How each line comes about".to_owned()));
        for line in &bill.lines {
            blocks.push(Block::Lines(explain(line, bill, catalog)));
        }
    }
    let notes = notes(bill);
    if !notes.is_empty() {
        blocks.push(Block::Notes(notes.clone()));
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

/// Says what the total leaves open, and what it would be otherwise.
fn notes(bill: &Bill) -> Vec<Note> {
    let mut notes = Vec::new();
    let list_is_known = bill.list_is_complete() || !bill.undiscounted_total().is_zero();
    if list_is_known && (bill.undiscounted_total() != bill.total() || !bill.list_is_complete()) {
        let at_least = if bill.list_is_complete() {
            ""
        } else {
            "at least "
        };
        let list = show_money(bill.undiscounted_total(), &bill.currency);
        notes.push(format!(
            "Without free tier and discounts: {at_least}{list}."
        ));
    }
    for allowance in &bill.allowances {
        let quantity = |value| show_quantity(Quantity::new(value, allowance.unit));
        let elsewhere = if allowance.used_elsewhere.is_zero() {
            String::new()
        } else {
            format!(", {} used before", quantity(allowance.used_elsewhere))
        };
        notes.push(format!(
            "{}: {} of {} drawn{elsewhere}.",
            allowance.name,
            quantity(allowance.drawn),
            quantity(allowance.granted)
        ));
    }
    for line in bill.unpriced() {
        let (quantity, reason) = line
            .unpriced
            .as_ref()
            .expect("only unpriced lines are asked");
        notes.push(format!(
            "Unpriced: {} of {} in {} ({}).",
            show_quantity(*quantity),
            line.key.meter,
            line.key.region,
            reason.reason()
        ));
    }
    let mut assumed: BTreeMap<(&Region, &Region), BTreeSet<&str>> = BTreeMap::new();
    for line in &bill.lines {
        if let Some(PriceOrigin::Assumed(like)) = line.price.as_ref().map(|price| &price.origin) {
            assumed
                .entry((&line.key.region, like))
                .or_default()
                .insert(&line.name);
        }
    }
    for ((region, like), names) in assumed {
        let names: Vec<&str> = names.into_iter().collect();
        notes.push(format!(
            "Assumed in {region}, at prices of {like}: {}.",
            names.join("; ")
        ));
    }
    notes.extend(month_notes(bill));
    for outside in &bill.outside {
        notes.push(format!(
            "Not in this bill: {} of the export, {}.",
            super::counted(outside.services as u64, "other service"),
            show_money(outside.cost, &outside.currency)
        ));
    }
    let unsure = bill.lines.iter().filter(|line| {
        line.price.as_ref().is_some_and(|price| {
            matches!(&*price.source.confidence, "low" | "medium")
                && matches!(
                    price.origin,
                    PriceOrigin::Catalogue | PriceOrigin::Assumed(_)
                )
        })
    });
    let unsure: BTreeSet<&str> = unsure.map(|line| line.name.as_str()).collect();
    if !unsure.is_empty() {
        let names: Vec<&str> = unsure.into_iter().collect();
        notes.push(format!(
            "Prices of low or medium confidence: {} (`pipebill prices show` says why).",
            names.join("; ")
        ));
    }
    uncoded(notes)
}

/// Says what of a month is missing, and what else a reader of any sum of it should know.
pub(super) fn month_notes(bill: &Bill) -> Vec<String> {
    let missing = |gap: &Gap| format!("Missing: {}: {}.", gap.what, gap.reason);
    let gaps = bill.gaps.iter().map(missing);
    gaps.chain(finality::notes(bill))
        .chain(bill.notes.iter().cloned())
        .collect()
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
