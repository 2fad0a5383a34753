//! A budget's verdict: one line why, or its facts for programs.

use super::{Block, Cell, Document, show_money};
use crate::domain::{
    budget::{Check, Limit},
    ids::Currency,
    number::plain,
};

/// Lays a verdict out.
pub fn document(check: &Check, more: &[String], currency: &Currency) -> Document {
    let money = |amount| Cell::Money(amount, currency.clone());
    let mut facts = vec![
        ("over", Cell::Flag(check.is_over())),
        ("what", Cell::text(&check.what)),
        ("cost", money(check.cost)),
        ("limit", money(check.limit.most())),
        ("over_by", money(check.over_by())),
        (
            "increase_percent",
            check.increase().map_or(Cell::Empty, Cell::Number),
        ),
        ("complete", Cell::Flag(check.complete)),
        ("currency", Cell::text(currency.as_str())),
    ];
    if let Limit::Increase { base, .. } = check.limit {
        facts.push(("base", money(base)));
    }
    facts.push(("reason", Cell::text(line(check, more, currency))));
    Document {
        schema: "pipebill.check/1",
        title: String::new(),
        facts,
        blocks: vec![Block::Lines(vec![line(check, more, currency)])],
    }
}

/// Says in a line whether it is over, and why.
pub fn line(check: &Check, more: &[String], currency: &Currency) -> String {
    let shown = |amount| show_money(amount, currency);
    let verdict = if check.is_over() { "over" } else { "within" };
    let cost = if check.complete {
        shown(check.cost)
    } else {
        format!(
            "at least {} (partial: something is missing or has no known price)",
            shown(check.cost)
        )
    };
    let limit = match check.limit {
        Limit::Budget(budget) => format!("the budget is {}", shown(budget)),
        Limit::Increase { base, percent } => {
            let increase = check.increase().map_or(String::new(), |increase| {
                format!("{} % more than ", plain(increase))
            });
            format!(
                "{increase}{} before; {} % more is allowed",
                shown(base),
                plain(percent)
            )
        }
    };
    let more: String = more.iter().map(|text| format!("; {text}")).collect();
    format!("{verdict}: {} costs {cost}; {limit}{more}", check.what)
}
