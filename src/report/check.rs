//! A budget's verdict: one line why, or its facts for programs.

use super::{
    Answer, Block, Document, Note, show_money,
    value::{Amount, Number, object},
};
use crate::domain::{
    budget::{Check, Limit},
    ids::Currency,
    number::plain,
};

object! {
    /// A budget's verdict.
    pub struct CheckAnswer = "pipebill.check/1" {
        /// Whether it costs more than it may.
        over: bool,
        /// What is checked.
        what: String,
        /// What it costs.
        cost: Amount,
        /// What it may cost.
        limit: Amount,
        /// How much it is over the limit.
        over_by: Amount,
        /// How many percent it costs more than the base; null without a base.
        increase_percent: Option<Number>,
        /// Whether everything has a price and nothing is missing.
        complete: bool,
        /// What every amount is in.
        currency: String,
        /// What it cost before; null without a base.
        base: Option<Amount>,
        /// The verdict in a line.
        text: String,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

/// Lays a verdict out.
pub fn answer(check: &Check, more: &[Note], currency: &Currency) -> Answer<'static> {
    let money = |amount| Amount::new(amount, currency);
    let line = line(check, more, currency);
    let value = CheckAnswer {
        over: check.is_over(),
        what: check.what.clone(),
        cost: Amount::of(check.cost, currency, check.complete),
        limit: money(check.limit.most()),
        over_by: money(check.over_by()),
        increase_percent: check.increase().map(Number),
        complete: check.complete,
        currency: currency.to_string(),
        base: match check.limit {
            Limit::Increase { base, .. } => Some(money(base)),
            Limit::Budget(_) => None,
        },
        text: line.clone(),
        notes: more.to_vec(),
    };
    let document = Document {
        title: String::new(),
        blocks: vec![Block::Verdict(line)],
    };
    Answer::new(document, value)
}

/// Says in a line whether it is over, and why.
fn line(check: &Check, more: &[Note], currency: &Currency) -> String {
    let shown = |amount| show_money(amount, currency);
    let verdict = if check.is_over() { "over" } else { "within" };
    let cost = if check.complete {
        shown(check.cost)
    } else {
        format!(
            "at least {} (partial: usage is missing or has no known price)",
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
    let more: String = more.iter().map(|it| format!("; {}", it.text)).collect();
    format!("{verdict}: {} costs {cost}; {limit}{more}", check.what)
}
