//! What changes how a reconciliation is to be read.

use super::{Note, bill, counted, of_gap};
use crate::{
    domain::{
        bill::Bill,
        costs,
        metering::from_events::Metered,
        money::Money,
        reconcile::{Cause, LineReconciliation},
    },
    report::{Cell, show_money},
};

/// Returns the notes below the lines of a reconciliation.
pub(crate) fn notes(of: &Bill, lines: &[LineReconciliation]) -> Vec<Note> {
    let money = |amount: Money| Cell::Money(amount, of.currency.clone());
    let show = |amount| show_money(amount, &of.currency);
    let mut notes = Vec::new();
    for line in lines.iter().filter(|line| !line.unexplained.is_zero()) {
        let key = &of.lines[line.line].key;
        let why = if line.unpriced {
            " (partly unpriced)"
        } else {
            ""
        };
        notes.push(
            Note::new(
                "unexplained",
                format!(
                    "Unexplained: {} in {}: {}{why}.",
                    key.meter,
                    key.region,
                    show(line.unexplained)
                ),
            )
            .with("service_code", key.meter.service.as_str())
            .with("usage_type", key.meter.usage_type.as_str())
            .with("region", key.region.as_str())
            .with("amount", money(line.unexplained)),
        );
    }
    let unbilled = lines.iter().filter(|line| line.billed.is_none()).count() as u64;
    if unbilled > 0 {
        notes.push(
            Note::new(
                "unbilled",
                format!(
                    "{} not in AWS's bill and not compared.",
                    counted(unbilled, "line")
                ),
            )
            .with("lines", unbilled),
        );
    }
    let costs_only = of.costs_only_total();
    let has_costs = costs_only.is_some();
    if let Some(cost) = costs_only {
        notes.push(
            Note::new(
                "costs_only",
                format!(
                    "Not compared: {} of usage whose export has costs but no quantities; we show the \
                     billed cost. To get quantities: `{}`.",
                    show(cost),
                    costs::command(of.month, of.month)
                ),
            )
            .with("cost", money(cost)),
        );
    }
    let is_rated = |line: &LineReconciliation| of.lines[line.line].usage.is_some();
    let has_rest = lines.iter().any(|line| !line.unexplained.is_zero());
    if lines.is_empty() {
        notes.push(Note::new(
            "nothing_compared",
            "Nothing to compare: the bill has no lines.",
        ));
    } else if unbilled == 0 && !has_rest && (!has_costs || lines.iter().any(is_rated)) {
        notes.push(Note::new(
            "all_explained",
            if has_costs {
                "Every other difference is explained."
            } else {
                "Every difference is explained."
            },
        ));
    }
    if lines
        .iter()
        .any(|line| line.causes.contains_key(&Cause::FreeTier))
    {
        notes.push(Note::new(
            "free_tier_differs",
            "Free tier: priced units that are free in AWS's bill and not in ours (+), or the reverse (−).",
        ));
    }
    notes.extend(bill::of_month(of));
    notes
}

/// Returns the notes below what is metered beside what is billed.
pub(crate) fn metered(metered: &Metered) -> Vec<Note> {
    let gaps = metered.gaps.iter();
    let gaps = gaps.map(|gap| of_gap("Missing from metered", gap));
    gaps.chain(metered.notes.iter().map(bill::remark)).collect()
}
