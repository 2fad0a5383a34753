//! What there is to say of a scenario beside its figures.

use rust_decimal::Decimal;

use super::{Note, count, counted, number, of_gap};
use crate::{
    domain::{
        bill::Unpriced,
        ids::Currency,
        money::Money,
        quantity::Quantity,
        scenario::{
            Change, ChangeCoverage, Comparison,
            fleet::FleetUse,
            remark::{Assumption, Unknown, Warning},
        },
        share_out::Policy,
        usage::Gap,
    },
    report::{Cell, show_money, show_quantity},
};

/// Says what could break.
pub(crate) fn warning(warning: &Warning) -> Note {
    match warning {
        Warning::LambdaLimits => Note::new(
            "lambda_limits",
            "Lambda ends a build after 15 minutes and has no privileged mode (Docker), VPC or cache. \
             Whether these builds need them is not recorded.",
        ),
        Warning::NeedsArm => Note::new(
            "needs_arm",
            "The builds must run on ARM: images, tools and tests.",
        ),
        Warning::TooLong {
            month,
            compute,
            minutes,
            project,
            builds,
        } => {
            let of = project.as_deref().unwrap_or("unnamed projects");
            let stay = if *builds == 1 { "stays" } else { "stay" };
            let is_lambda = compute.starts_with("lambda.");
            Note::new(
                if is_lambda {
                    "too_long_for_lambda"
                } else {
                    "too_long_for_runner"
                },
                format!(
                    "{month}: {} of {of} over {minutes} minutes {stay} on demand.",
                    counted(*builds, "build")
                ),
            )
            .with("month", month.to_string())
            .with("compute", compute.as_str())
            .with("project", project.as_deref().map_or(Cell::Empty, Cell::text))
            .with("builds", *builds)
        }
        Warning::NotComparable { vendor } => super::runners::not_comparable(vendor),
        Warning::NoDocker { runner } => super::runners::no_docker(runner),
        Warning::NotInPlan { runner, plan } => super::runners::not_in_plan(runner, plan),
        Warning::TotalStaysOnDemand => Note::new(
            "total_stays_on_demand",
            "Usage known only as a total stays on demand, because its start times are unknown.",
        ),
        Warning::StaysInRegion {
            service,
            meter,
            region,
            to,
            listed,
        } => Note::new(
            "stays_in_region",
            format!(
                "{service} {meter} stays in {region}: not offered in {to} (AWS price list of {listed})."
            ),
        )
        .with("service", service.as_str())
        .with("meter", meter.as_str())
        .with("region", region.as_str())
        .with("to", to.as_str())
        .with("listed", *listed),
        Warning::NoneLeft {
            change,
            quantity,
            month,
        } => Note::new(
            "none_left",
            format!("{change} removes all of the {} in {month}.", number(*quantity)),
        )
        .with("change", change.as_str())
        .with("quantity", *quantity)
        .with("month", month.to_string()),
    }
}

/// Says what the figures assume.
pub(crate) fn assumption(assumption: &Assumption) -> Note {
    match assumption {
        Assumption::IncludesStorage => Note::new(
            "includes_storage",
            "Both sides include stored logs and artifacts at their billed prices; a bill lists them \
             under CloudWatch and S3.",
        ),
        Assumption::SameDuration { compute } => Note::new(
            "same_duration",
            format!("Unchanged build time on {compute}. Measure it, then set speed=…"),
        )
        .with("compute", compute.as_str()),
        Assumption::Speed { compute, speed } => Note::new(
            "speed",
            format!("Builds run at {} × speed on {compute}. Measure it.", number(*speed)),
        )
        .with("compute", compute.as_str())
        .with("speed", *speed),
        Assumption::MinutesFromBuilds => Note::new(
            "minutes_from_builds",
            "V2 minutes of V1 pipelines are their build minutes plus one source minute per run. V1 \
             records no deployments or other actions: if there are any, set minutes=…",
        ),
        Assumption::MinutesLikeOthers => Note::new(
            "minutes_like_others",
            "V2 minutes of V1 pipelines without recorded runs are the mean of the V2 pipelines. To \
             override, set minutes=…",
        ),
        Assumption::Expiry { days } => Note::new(
            "expiry",
            format!(
                "Expired data is deleted within {days} days. Daily growth is that of the busiest month \
                 on record; for logs, at least 15 % of what is ingested."
            ),
        )
        .with("days", u64::from(*days)),
        Assumption::NeverWait { builds } => Note::new(
            "never_wait",
            format!(
                "{} without start times never wait for a machine and never overflow.",
                counted(*builds, "build")
            ),
        )
        .with("builds", *builds),
        Assumption::Fleet {
            month,
            region,
            account,
            used,
        } => {
            let place = account
                .as_ref()
                .map_or_else(String::new, |account| format!(", {account}"));
            let mut note = Note::new(
                "fleet_use",
                format!(
                    "{month}, {region}{place}: {}. Billed for every provisioned minute, idle or not.",
                    fleet_use(used)
                ),
            )
            .with("month", month.to_string())
            .with("region", region.as_str());
            if let Some(account) = account {
                note = note.with("account", account.as_str());
            }
            with_fleet_use(note, used)
        }
        Assumption::Repository { vendor, is_public } => {
            super::runners::repository(vendor, *is_public)
        }
        Assumption::NoPlan { vendor, id } => super::runners::no_plan(vendor, id),
        Assumption::IncludedMinutes { plan, minutes } => super::runners::included(plan, *minutes),
        Assumption::SecurityBaseline { pipelines, runs } => Note::new(
            "security_baseline",
            format!(
                "Security baseline: assumed usage for {} pipelines and {} runs, added to what the bill \
                 already has.",
                number(*pipelines),
                number(*runs)
            ),
        )
        .with("pipelines", *pipelines)
        .with("runs", *runs),
    }
}

/// Says how busy a fleet is.
pub(super) fn fleet_use(used: &FleetUse) -> String {
    let mut text = format!(
        "a fleet of {} runs {}, busy {} % of the time",
        used.machines,
        counted(used.builds, "build"),
        number(used.busy_percent)
    );
    if used.overflowed > 0 {
        text += &format!("; {} overflow to on demand", count(used.overflowed));
    }
    if used.waited > 0 {
        text += &format!(
            "; {} wait, at most {} s",
            count(used.waited),
            count(used.longest_wait)
        );
    }
    text
}

/// Adds the numbers of a fleet to a note.
pub(super) fn with_fleet_use(note: Note, used: &FleetUse) -> Note {
    note.with("machines", u64::from(used.machines))
        .with("builds", used.builds)
        .with("busy_percent", Cell::Percent(used.busy_percent))
        .with("overflowed", used.overflowed)
        .with("waited", used.waited)
        .with("longest_wait_seconds", used.longest_wait)
}

/// Says what has no price, or cannot be known.
pub(crate) fn unknown(unknown: &Unknown) -> Note {
    match unknown {
        Unknown::Price {
            meter,
            region,
            reason,
        } => Note::new(
            "unpriced",
            format!("{meter} in {region}: {}.", unpriced(reason)),
        )
        .with("service_code", meter.service.as_str())
        .with("usage_type", meter.usage_type.as_str())
        .with("region", region.as_str())
        .with("reason", reason.code()),
        Unknown::PipelineMinutes { pipeline } => {
            let shown = pipeline.as_deref().unwrap_or("unnamed pipelines");
            Note::new(
                "pipeline_minutes_unknown",
                format!("V2 minutes of {shown}. Set them, e.g. pipeline_type[…]=V2,minutes=200."),
            )
            .with(
                "pipeline",
                pipeline.as_deref().map_or(Cell::Empty, Cell::text),
            )
        }
        Unknown::Retention { store, days } => Note::new(
            "retention_unknown",
            format!(
                "Size of {store} after {} days: too little history.",
                number(*days)
            ),
        )
        .with("store", store.as_str())
        .with("days", *days),
        Unknown::IncludedMinutes { vendor, os } => super::runners::included_unknown(vendor, os),
        Unknown::Exchange { vendor, currency } => super::runners::exchange(vendor, currency),
        Unknown::FleetArrivals => Note::new(
            "fleet_arrivals_unknown",
            "Start times of added or removed builds: builds*=… cannot be combined with a fleet.",
        ),
    }
}

/// Says in a few words why something has no price.
pub(crate) fn unpriced(reason: &Unpriced) -> String {
    reason.reason()
}

/// Says what a change was applied to.
fn applied(change: &Change, coverage: &ChangeCoverage) -> Note {
    let mut parts = Vec::new();
    if coverage.builds > 0 {
        parts.push(format!(
            "{} re-metered individually",
            counted(coverage.builds, "build")
        ));
    }
    if coverage.pipelines > 0 {
        parts.push(counted(coverage.pipelines, "pipeline"));
    }
    let totals: Vec<String> = coverage
        .totals
        .iter()
        .filter(|(_, quantity)| !quantity.is_zero() || parts.is_empty())
        .map(|(unit, quantity)| show_quantity(Quantity::new(*quantity, *unit)))
        .collect();
    if let [_, ..] = &totals[..] {
        let noun = if totals.len() == 1 {
            "the total"
        } else {
            "totals"
        };
        parts.push(format!("applied to {noun} ({})", totals.join(", ")));
    }
    if parts.is_empty() {
        parts.push(match change {
            Change::SecurityBaseline => "assumed usage".to_owned(),
            _ => "no usage in these months".to_owned(),
        });
    }
    Note::new("applied", format!("{change}: {}.", parts.join(", ")))
        .with("change", change.to_string())
        .with("builds", coverage.builds)
        .with("pipelines", coverage.pipelines)
}

/// Returns what a comparison says of itself: the most important first.
pub(crate) fn notes(comparison: &Comparison) -> Vec<Note> {
    let mut notes: Vec<Note> = Vec::new();
    if let Some(note) = &comparison.scenario.note {
        notes.push(Note::new("scenario_note", note.clone()));
    }
    let coverage = comparison.scenario.changes.iter().zip(&comparison.reach);
    let coverage = coverage.filter(|(change, _)| !change.is_of_terms());
    notes.extend(coverage.map(|(change, coverage)| applied(change, coverage)));
    notes.extend(remarks(
        &comparison.unknown,
        &comparison.warnings,
        &comparison.assumptions,
    ));
    let waterfall = &comparison.waterfall;
    let is_whole = comparison.total.whole.both();
    if waterfall.steps.is_empty() && !comparison.scenario.changes.is_empty() && is_whole {
        notes.push(Note::new(
            "no_bars",
            "No bars: applied one at a time, the changes pass through usage without a known price.",
        ));
    }
    if waterfall.steps.len() > 1 && is_whole {
        notes.push(if waterfall.order_free && !waterfall.every_order {
            Note::new(
                "bars_of_some_orders",
                "Each bar is a change's mean effect over the orders in which everything has a price; \
                 the bars sum to the difference.",
            )
        } else if waterfall.order_free {
            Note::new(
                "shapley_bars",
                "Each bar is a change's Shapley value; the bars sum to the difference.",
            )
        } else {
            Note::new(
                "bars_in_order",
                "More than six changes: each bar is a change's effect after those above it, so the \
                 bars depend on the order.",
            )
        });
    }
    notes
}

/// Labels what is unknown, what could break and what is assumed.
pub(crate) fn remarks(
    unknowns: &[Unknown],
    warnings: &[Warning],
    assumptions: &[Assumption],
) -> Vec<Note> {
    let labelled = |label: &str, note: Note| Note {
        text: format!("{label}: {}", note.text),
        ..note
    };
    let unknowns = unknowns.iter().map(|it| labelled("Unknown", unknown(it)));
    let warnings = warnings.iter().map(|it| labelled("Risk", warning(it)));
    let assumptions = assumptions
        .iter()
        .map(|it| labelled("Assumes", assumption(it)));
    unknowns.chain(warnings).chain(assumptions).collect()
}

/// Says that both sides lack some usage.
pub(crate) fn missing(gap: &Gap) -> Note {
    of_gap("Missing on both sides", gap)
}

/// Says that the baseline is not what AWS billed.
pub(crate) fn rerated(billed: Money, sharing: Policy, currency: &Currency) -> Note {
    let share = match sharing {
        Policy::Chronological => "give free units to the earliest usage",
        Policy::AsBilled | Policy::Proportional => "share free units by quantity",
    };
    Note::new(
        "rerated",
        format!(
            "AWS billed {} for this usage. Both sides are re-rated under the same rules, which {share}.",
            show_money(billed, currency)
        ),
    )
    .with("billed", Cell::Money(billed, currency.clone()))
}

/// Says where the futures of both sides come from.
pub(crate) fn simulated(paths: usize, learnt_from: &str) -> Note {
    Note::new(
        "simulated",
        format!(
            "{} simulations, each rated with and without the change. The effect on usage is measured \
             on {learnt_from} and scaled. Columns are medians and need not add up.",
            count(paths as u64)
        ),
    )
    .with("simulations", paths as u64)
    .with("measured_on", learnt_from)
}

/// Says how a factor is written in sentences: `0.65 ×`.
pub(super) fn factor(factor: Decimal) -> String {
    format!("{} ×", number(factor))
}
