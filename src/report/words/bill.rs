//! What changes how a bill is to be read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Note, count, number, of_gap, scenario};
use crate::{
    domain::{
        bill::Bill,
        finality::{NotFinal, ToCome},
        ids::Region,
        metering::from_events::QueuedTime,
        remark::Remark,
        tariff::PriceOrigin,
    },
    report::{Cell, show_money, show_quantity},
};

/// Returns what a bill leaves open, and what it would be otherwise: the most important first.
pub(crate) fn notes(bill: &Bill) -> Vec<Note> {
    let mut notes = Vec::new();
    for line in bill.unpriced() {
        let Some((quantity, reason)) = &line.unpriced else {
            continue;
        };
        notes.push(
            Note::new(
                "unpriced",
                format!(
                    "Unpriced: {} of {} in {} ({}).",
                    show_quantity(*quantity),
                    line.key.meter,
                    line.key.region,
                    scenario::unpriced(reason)
                ),
            )
            .with("quantity", *quantity)
            .with("service_code", line.key.meter.service.as_str())
            .with("usage_type", line.key.meter.usage_type.as_str())
            .with("region", line.key.region.as_str())
            .with("reason", reason.code()),
        );
    }
    let (missing, others): (Vec<Note>, Vec<Note>) = of_month(bill)
        .into_iter()
        .partition(|note| matches!(note.code, "missing" | "not_final" | "open" | "days_to_come"));
    notes.extend(missing);
    notes.extend(free_tier(bill));
    notes.extend(assumed(bill));
    notes.extend(others);
    notes.extend(other_services("Excluded", bill));
    notes.extend(unsure(bill));
    notes
}

/// Says what the free tier gave, and what the month would cost without it.
fn free_tier(bill: &Bill) -> Vec<Note> {
    let mut notes = Vec::new();
    let list_is_known = bill.list_is_complete() || !bill.undiscounted_total().is_zero();
    if list_is_known && (bill.undiscounted_total() != bill.total() || !bill.list_is_complete()) {
        let at_least = if bill.list_is_complete() {
            ""
        } else {
            "at least "
        };
        let list = show_money(bill.undiscounted_total(), &bill.currency);
        notes.push(
            Note::new(
                "list_total",
                format!("Without free tier and discounts: {at_least}{list}."),
            )
            .with(
                "list_total",
                Cell::Money(bill.undiscounted_total(), bill.currency.clone()),
            )
            .with("complete", Cell::Flag(bill.list_is_complete())),
        );
    }
    let used: Vec<String> = bill
        .allowances
        .iter()
        .map(|allowance| {
            let before = if allowance.used_elsewhere.is_zero() {
                String::new()
            } else {
                format!(" ({} before these)", number(allowance.used_elsewhere))
            };
            format!(
                "{} of {} {}{before}",
                number(allowance.drawn),
                number(allowance.granted),
                without_number(&allowance.name)
            )
        })
        .collect();
    if !used.is_empty() {
        notes.push(Note::new(
            "free_tier",
            format!("Free tier used: {}.", used.join(", ")),
        ));
    }
    notes
}

/// `100 free build minutes` without its number, which the free tier of a bill may not be.
fn without_number(allowance: &str) -> &str {
    allowance
        .split_once(" free ")
        .filter(|(number, _)| number.chars().all(|c| c.is_ascii_digit() || c == ','))
        .map_or(allowance, |(_, what)| what)
}

/// Says which lines are rated at another region's prices.
fn assumed(bill: &Bill) -> Vec<Note> {
    let mut assumed: BTreeMap<(&Region, &Region), BTreeSet<&str>> = BTreeMap::new();
    for line in &bill.lines {
        if let Some(PriceOrigin::Assumed(like)) = line.price.as_ref().map(|price| &price.origin) {
            assumed
                .entry((&line.key.region, like))
                .or_default()
                .insert(&line.name);
        }
    }
    let note = |((region, like), names): ((&Region, &Region), BTreeSet<&str>)| {
        let names: Vec<&str> = names.into_iter().collect();
        Note::new(
            "price_like",
            format!("Assumes {like} prices in {region}: {}.", names.join("; ")),
        )
        .with("region", region.as_str())
        .with("like", like.as_str())
        .with("meters", names.join("; "))
    };
    assumed.into_iter().map(note).collect()
}

/// Says what the same exports charge for services that are not part of the bill.
pub(crate) fn other_services(label: &str, bill: &Bill) -> Vec<Note> {
    let note = |other: &crate::domain::bill::OtherServicesTotal| {
        Note::new(
            "other_services",
            format!(
                "{label}: {} in the export ({}).",
                super::counted(other.services as u64, "other service"),
                show_money(other.cost, &other.currency)
            ),
        )
        .with("services", other.services as u64)
        .with("cost", Cell::Money(other.cost, other.currency.clone()))
    };
    bill.outside.iter().map(note).collect()
}

/// Says which prices are not certain.
fn unsure(bill: &Bill) -> Option<Note> {
    let unsure = bill.lines.iter().filter(|line| {
        line.price.as_ref().is_some_and(|price| {
            matches!(&*price.source.confidence, "low" | "medium")
                && matches!(
                    price.origin,
                    PriceOrigin::Catalogue | PriceOrigin::Assumed(_)
                )
        })
    });
    let names: BTreeSet<&str> = unsure.map(|line| line.name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    (!names.is_empty()).then(|| {
        Note::new(
            "unsure_prices",
            format!(
                "Low- or medium-confidence prices: {}. For the reason: `pipebill prices show`.",
                names.join("; ")
            ),
        )
        .with("meters", names.join("; "))
    })
}

/// Returns what is missing of a month, and what else a reader of any sum of it should know.
pub(crate) fn of_month(bill: &Bill) -> Vec<Note> {
    let gaps = bill.gaps.iter().map(|gap| of_gap("Missing", gap));
    gaps.chain(of_reading(bill)).collect()
}

/// Returns how final a month is and how it was read; what is missing is not among them.
pub(crate) fn of_reading(bill: &Bill) -> Vec<Note> {
    finality(bill)
        .into_iter()
        .chain(bill.notes.iter().map(remark))
        .collect()
}

/// Says how final a month is, one sentence each. What is missing is said where gaps are.
fn finality(bill: &Bill) -> Vec<Note> {
    let (finality, month) = (&bill.finality, bill.month);
    let mut notes = Vec::new();
    for why in finality.reasons.iter().filter(|why| !why.is_missing()) {
        let note = match why {
            NotFinal::Open { until: Some(day) } => {
                Note::new("open", format!("{month} is open: usage to {day}.")).with("until", *day)
            }
            NotFinal::Open { until: None } => Note::new("open", format!("{month} is open.")),
            NotFinal::ReachUnknown { .. } => Note::new(
                "not_final",
                format!(
                    "Not final: {}. If you know the last day, import it again with --known-until DAY.",
                    why.reason()
                ),
            ),
            _ => Note::new("not_final", format!("Not final: {}.", why.reason())),
        };
        notes.push(
            note.with("month", month.to_string())
                .with("reason", why.code()),
        );
    }
    if let Some(ToCome { days, cost }) = &finality.to_come {
        notes.push(
            Note::new(
                "days_to_come",
                format!(
                    "Excluded: {} dated {} to {}: the console's forecast, not charges.",
                    show_money(*cost, &bill.currency),
                    days.0,
                    days.1
                ),
            )
            .with("cost", Cell::Money(*cost, bill.currency.clone()))
            .with("first", days.0)
            .with("last", days.1),
        );
    }
    notes
}

/// Says a fact about a bill.
pub(crate) fn remark(remark: &Remark) -> Note {
    match remark {
        Remark::DaysSpread => Note::new(
            "days_spread",
            "Sums over several days are spread evenly over those days.",
        ),
        Remark::OldPrices { listed } => Note::new(
            "old_prices",
            format!(
                "Prices are over a year old (AWS price list of {listed}). Refresh: `pipebill prices \
                 update`."
            ),
        )
        .with("listed", *listed),
        Remark::DuplicateSource { source } => Note::new(
            "duplicate_source",
            format!("Ignored: {source} duplicates charges from another source."),
        )
        .with("source", source.as_str()),
        Remark::NotCollected { what, reason } => Note::new(
            "not_collected",
            format!("Not collected: {what}: {reason}. This bill does not depend on it."),
        )
        .with("what", what.as_str())
        .with("reason", reason.as_str()),
        Remark::Metered => Note::new(
            "metered",
            "Metered from AWS's APIs, not billed by AWS. CodeCommit users are counted once per account.",
        ),
        Remark::AssumedApproval { pipeline, stage } => Note::new(
            "assumed_approval",
            format!(
                "Stage `{stage}` of {pipeline} is assumed to be a manual approval, whose minutes AWS does \
                 not bill. Confirm it with action = \"manual-approval\", or state another action, e.g. \
                 action = \"invoke\"."
            ),
        )
        .with("pipeline", pipeline.as_str())
        .with("stage", stage.as_str()),
        Remark::SecurityBaseline { pipelines, runs } => Note::new(
            "security_baseline",
            format!(
                "Security baseline: assumed usage for {} pipelines and {} runs.",
                number(*pipelines),
                number(*runs)
            ),
        )
        .with("pipelines", *pipelines)
        .with("runs", *runs),
        Remark::ActivePipelines {
            place,
            by_code_change,
            by_any_run,
        } => Note::new(
            "active_pipelines",
            format!(
                "V1 pipelines in {}, account {}: {} active by code change; {} if any run counted.",
                place.region,
                place.account,
                count(*by_code_change),
                count(*by_any_run)
            ),
        )
        .with("region", place.region.as_str())
        .with("account", place.account.as_str())
        .with("by_code_change", *by_code_change)
        .with("by_any_run", *by_any_run),
        Remark::QueuedTime(QueuedTime::Free) => Note::new(
            "queued_time",
            "Builds are counted from PROVISIONING. To include queue time: --queued-time billed.",
        ),
        Remark::QueuedTime(QueuedTime::Billed) => {
            Note::new("queued_time", "Builds are counted from submission.")
        }
        Remark::Users { account, low, high } => Note::new(
            "users",
            format!(
                "CodeCommit users of {account}: {} if a role counts once (used here), {} if each of its \
                 sessions counts.",
                number(*low),
                number(*high)
            ),
        )
        .with("account", account.as_str())
        .with("low", *low)
        .with("high", *high),
    }
}
