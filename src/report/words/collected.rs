//! What a collection brought and what it could not.

use std::collections::{BTreeMap, BTreeSet};

use super::{Note, counted};
use crate::{
    domain::{
        collection::{NotCollected, Outcome, Remedy},
        ids::Currency,
        metering::from_events::AccountRegion,
    },
    report::{Cell, show_money},
};

/// More places or parts that miss for one reason are counted: the table has each.
const NAMED: usize = 3;

/// Says what is missing and why: a source once for a reason, whether it misses in one region or in all.
pub(crate) fn gaps(missing: &[NotCollected]) -> Vec<Note> {
    let mut by_reason: BTreeMap<_, Vec<&NotCollected>> = BTreeMap::new();
    for gap in missing {
        let key = (gap.scope.source, &gap.scope.place.account, &gap.reason);
        by_reason.entry(key).or_default().push(gap);
    }
    let mut notes = Vec::new();
    for ((source, account, reason), gaps) in by_reason {
        let mut say = |what: &str| {
            let text = format!("Not collected: {what}: {reason}.");
            let note = Note::new("not_collected", text);
            notes.push(note.with("what", what).with("reason", reason.as_str()));
        };
        if gaps.len() <= NAMED {
            for gap in gaps {
                say(&gap.what());
            }
            continue;
        }
        let regions = gaps.iter().map(|gap| &gap.scope.place.region);
        let scope = match regions.collect::<BTreeSet<_>>().len() {
            1 => gaps[0].scope.to_string(),
            several => format!("{} in {several} regions, account {account}", source.title()),
        };
        let parts = gaps.iter().map(|gap| gap.part.as_str());
        let parts: BTreeSet<&str> = parts.filter(|part| !part.is_empty()).collect();
        match (parts.first(), parts.last()) {
            (Some(first), Some(last)) if first != last => {
                say(&format!(
                    "{scope}: {first} to {last}, {} in all",
                    gaps.len()
                ));
            }
            (Some(only), _) => say(&format!("{scope}: {only}")),
            _ => say(&scope),
        }
    }
    notes
}

/// Says what would mend gaps, each advice once with the actions it is about.
pub(crate) fn remedies<'r>(found: impl Iterator<Item = &'r Option<Remedy>>) -> Vec<Note> {
    const POLICY: &str = "Attach the policy that `pipebill policy` prints, with the same flags";
    let mut actions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for remedy in found.flatten() {
        let (advice, action) = match remedy {
            Remedy::Allow(action) => (POLICY, Some(*action)),
            Remedy::Advice { advice, action } => (advice.as_str(), *action),
        };
        actions.entry(advice).or_default().extend(action);
    }
    let note = |(advice, actions): (&str, BTreeSet<&str>)| {
        let actions = actions.into_iter().collect::<Vec<_>>().join(", ");
        let denied = if actions.is_empty() {
            String::new()
        } else {
            format!(" Denied: {actions}.")
        };
        Note::new("remedy", format!("{advice}.{denied}"))
            .with("advice", advice)
            .with("denied", actions)
    };
    actions.into_iter().map(note).collect()
}

/// Says that an account does not use a region.
pub(crate) fn region_off(place: &AccountRegion) -> Note {
    let AccountRegion { account, region } = place;
    Note::new(
        "region_off",
        format!("{region} is not enabled for {account}."),
    )
    .with("region", region.as_str())
    .with("account", account.as_str())
}

/// Says how many calls were made, and what they cost.
pub(crate) fn calls(calls: u64, outcome: &Outcome) -> Note {
    let dollars = Currency::new("USD");
    let cost = |amount| Cell::Money(amount, dollars.clone());
    let mut text = format!(
        "{}, {} for Cost Explorer",
        counted(calls, "call"),
        show_money(outcome.cost, &dollars)
    );
    if outcome.metrics > 0 {
        let metrics = counted(outcome.metrics, "metric");
        text += &format!(
            ", {} for {metrics} of CloudWatch",
            show_money(outcome.metrics_cost, &dollars)
        );
    }
    Note::new("calls", format!("{text}."))
        .with("calls", calls)
        .with("cost", cost(outcome.cost))
        .with("metrics", outcome.metrics)
        .with("metrics_cost", cost(outcome.metrics_cost))
}
