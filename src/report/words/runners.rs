//! What there is to say of runners that are not AWS's.

use rust_decimal::Decimal;

use super::{Note, number};
use crate::domain::ids::Currency;

/// Says what a price says nothing of.
pub(crate) fn not_comparable(vendor: &str) -> Note {
    Note::new(
        "not_comparable",
        format!(
            "{vendor} is not AWS: no access to a VPC unless you build it, another region, other images, \
             disks, queues and concurrency limits; data from AWS leaves over the internet at your cost."
        ),
    )
    .with("vendor", vendor)
}

/// Says that a runner has no Docker.
pub(crate) fn no_docker(runner: &str) -> Note {
    Note::new(
        "no_docker",
        format!("{runner} has no Docker. Whether these builds need it is not recorded."),
    )
    .with("runner", runner)
}

/// Says that a plan does not offer a runner.
pub(crate) fn not_in_plan(runner: &str, plan: &str) -> Note {
    Note::new(
        "not_in_plan",
        format!("{plan} does not offer {runner}: it needs GitHub Team or Enterprise Cloud."),
    )
    .with("runner", runner)
    .with("plan", plan)
}

/// Says whether repositories are public.
pub(crate) fn repository(vendor: &str, is_public: bool) -> Note {
    let (kind, other) = if is_public {
        ("public", "private")
    } else {
        ("private", "public")
    };
    Note::new(
        "repository",
        format!("{vendor}: {kind} repositories. Otherwise set repository[project:…]={other}."),
    )
    .with("vendor", vendor)
    .with("visibility", kind)
}

/// Says that no plan is stated.
pub(crate) fn no_plan(vendor: &str, id: &str) -> Note {
    Note::new(
        "no_plan",
        format!("{vendor}: no included minutes, as no plan is stated. Set {id}_plan=…"),
    )
    .with("vendor", vendor)
}

/// Says how many minutes a plan includes.
pub(crate) fn included(plan: &str, minutes: Decimal) -> Note {
    Note::new(
        "included_minutes",
        format!(
            "Nothing else uses the {} minutes included in {plan}, one pool for all repositories.",
            number(minutes)
        ),
    )
    .with("plan", plan)
    .with("minutes", minutes)
}

/// Says that included minutes of another system are not known.
pub(crate) fn included_unknown(vendor: &str, os: &str) -> Note {
    Note::new(
        "included_minutes_unknown",
        format!(
            "How many included minutes a {os} minute uses: {vendor} no longer publishes it. Leave the \
             plan out for the cost without included minutes."
        ),
    )
    .with("vendor", vendor)
    .with("os", os)
}

/// Says that a price is in another currency than the bill.
pub(crate) fn exchange(vendor: &str, currency: &Currency) -> Note {
    Note::new(
        "runner_currency",
        format!(
            "{vendor} bills in USD, these months are in {currency}: amounts are not converted."
        ),
    )
    .with("vendor", vendor)
    .with("currency", currency.as_str())
}
