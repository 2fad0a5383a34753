//! A shared bill: whose part is how much, and what belongs to nobody.

use super::{Answer, Block, Cell, Column, Document, Table, json, words};
use crate::domain::{allocation::Allocation, bill::Bill};

/// Lays out the shares of a bill.
pub fn document(allocation: &Allocation, bill: &Bill, title: String) -> Answer<'static> {
    let mut table = Table::new(vec![
        Column::in_files("period"),
        Column::in_files("by"),
        Column::new(allocation.by.heading(), "part", 0),
        Column::in_files("residual"),
        Column::new("Cost", "cost", 0),
        Column::new("Without free tier", "list_cost", 1),
        Column::in_files("currency"),
        Column::in_files("policy"),
        Column::in_files("partial"),
    ]);
    let money = |amount, partial: bool| {
        if partial {
            Cell::AtLeast(amount, bill.currency.clone())
        } else {
            Cell::Money(amount, bill.currency.clone())
        }
    };
    for share in &allocation.shares {
        table.rows.push(vec![
            Cell::text(bill.month.to_string()),
            Cell::text(allocation.by.heading().to_lowercase()),
            Cell::text(&share.part),
            Cell::Flag(share.residual),
            money(share.cost, share.partial),
            money(share.list_cost, share.partial),
            Cell::text(bill.currency.as_str()),
            Cell::text(allocation.policy.name()),
            Cell::Flag(share.partial),
        ]);
    }
    let mut total: Vec<Cell> = table.columns.iter().map(|_| Cell::Empty).collect();
    total[2] = Cell::text("Total");
    total[4] = money(bill.total(), !bill.is_complete());
    total[5] = money(bill.list_total(), !bill.list_is_complete());
    table.totals.push(total);
    let mut notes = vec![words::allocation(allocation.policy)];
    notes.extend(words::bill::of_month(bill));
    let blocks = vec![Block::Table(table), Block::Notes(notes)];
    json::untyped(
        "pipebill.allocation/1",
        Vec::new(),
        Document { title, blocks },
    )
}
