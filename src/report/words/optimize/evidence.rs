//! The numbers that a finding rests on.

use rust_decimal::Decimal;

use super::{gb, scenario, unit};
use crate::{
    domain::{
        catalog::Grain,
        ids::Currency,
        number::percent_of,
        optimize::{Evidence, Memory},
        plan::PipelineType,
        storage::StorageKind,
        utilization::{MARGIN_PERCENT, MEGABYTES},
    },
    report::{
        Cell, show_money,
        words::{Note, capital, count, counted, number, price},
    },
};

/// Says what a finding rests on.
#[expect(
    clippy::too_many_lines,
    reason = "a sentence for each kind of evidence"
)]
pub(crate) fn evidence(evidence: &Evidence, currency: &Currency) -> Note {
    let money = |amount| show_money(amount, currency);
    let amount = |amount| Cell::Money(amount, currency.clone());
    match evidence {
        Evidence::CheapestSplit {
            pipelines,
            free_pipelines,
            free_minutes,
            pipeline_price,
            minutes,
        } => Note::new(
            "cheapest_split",
            format!(
                "Cheapest split of {} sharing the free tier ({} V1, {} V2 minutes). A V1 pipeline costs \
                 {} a month, as much as {} V2 minutes.",
                counted(*pipelines as u64, "pipeline"),
                number(*free_pipelines),
                number(*free_minutes),
                money(*pipeline_price),
                minutes.map_or_else(|| "any number of".to_owned(), |it| number(it.round_dp(1)))
            ),
        )
        .with("pipelines", *pipelines as u64)
        .with("free_pipelines", *free_pipelines)
        .with("free_minutes", *free_minutes)
        .with("pipeline_price", amount(*pipeline_price))
        .with("minutes_for_a_pipeline", minutes.map_or(Cell::Empty, Cell::Number)),
        Evidence::Pipeline {
            pipeline,
            to,
            minutes,
            runs,
            as_v1,
            as_v2,
        } => {
            let to = match to {
                PipelineType::V1 => "V1",
                PipelineType::V2 => "V2",
            };
            Note::new(
                "pipeline",
                format!(
                    "{pipeline} to {to}: {} action minutes{} cost {} as V2, {} as V1.",
                    number(*minutes),
                    runs.map_or_else(String::new, |runs| format!(" in {}", counted(runs, "run"))),
                    money(*as_v2),
                    money(*as_v1)
                ),
            )
            .with("pipeline", pipeline.as_str())
            .with("to", to)
            .with("minutes", *minutes)
            .with("runs", runs.map_or(Cell::Empty, Cell::Count))
            .with("as_v1", amount(*as_v1))
            .with("as_v2", amount(*as_v2))
        }
        Evidence::IdlePipeline {
            pipeline,
            code_changes,
            runs,
        } => Note::new(
            "idle_pipeline",
            format!(
                "{pipeline}: {} in {}.",
                counted(*code_changes, "code change"),
                counted(*runs, "run")
            ),
        )
        .with("pipeline", pipeline.as_str())
        .with("code_changes", *code_changes)
        .with("runs", *runs),
        Evidence::Units { from, to } => Note::new(
            "units",
            format!(
                "{} {} at {} on {}; {} {} at {} on {}.",
                number(from.units),
                unit(from.grain),
                price(from.price, currency),
                from.compute,
                number(to.units.round_dp(1)),
                unit(to.grain),
                price(to.price, currency),
                to.compute
            ),
        )
        .with("compute_before", from.compute.as_str())
        .with("units_before", from.units)
        .with("unit_before", unit(from.grain))
        .with("price_before", Cell::Price(from.price))
        .with("compute_after", to.compute.as_str())
        .with("units_after", to.units)
        .with("unit_after", unit(to.grain))
        .with("price_after", Cell::Price(to.price)),
        Evidence::Memory(memory) => {
            let note = Note::new(
                "memory",
                format!(
                    "Memory peaks at {} GB ({}, {} measured); {} GB with a margin of {} %, of {} GB.",
                    gigabytes(memory.peak),
                    memory.day,
                    counted(memory.days, "day"),
                    number(memory.needed.round_dp(2)),
                    number(MARGIN_PERCENT),
                    number(memory.machine)
                ),
            );
            with_memory(note, memory)
        }
        Evidence::NearlyFull {
            share,
            day,
            days,
            of,
        } => Note::new(
            "nearly_full",
            format!(
                "Memory is up to {} % in use ({day}), and nearly full on {} of {} measured.",
                number(*share),
                count(*days),
                counted(*of, "day")
            ),
        )
        .with("percent", *share)
        .with("day", day.to_string())
        .with("days", *days)
        .with("days_measured", *of),
        Evidence::FailedWhenFull {
            failed,
            retried,
            builds,
            units,
            grain,
            cost,
        } => Note::new(
            "failed_when_full",
            format!(
                "On those days {} of {} failed, {} retried{}: what more memory may avoid.",
                count(*failed),
                counted(*builds, "build"),
                count(*retried),
                cost.filter(|_| *failed > 0).map_or_else(String::new, |cost| format!(
                    " ({} {}, {} before free units)",
                    number(*units),
                    unit(*grain),
                    money(cost)
                ))
            ),
        )
        .with("failed", *failed)
        .with("retried", *retried)
        .with("builds", *builds)
        .with("units", *units)
        .with("unit", unit(*grain))
        .with("cost", cost.map_or(Cell::Empty, amount)),
        Evidence::Builds {
            builds,
            shortest,
            longest,
        } => Note::new(
            "builds",
            format!(
                "{} of {} to {} s, each rounded up.",
                counted(*builds, "build"),
                number(Decimal::from(*shortest)),
                number(Decimal::from(*longest))
            ),
        )
        .with("builds", *builds)
        .with("shortest_seconds", Decimal::from(*shortest))
        .with("longest_seconds", Decimal::from(*longest)),
        Evidence::FleetUse(used) => {
            let text = scenario::fleet_use(used);
            let note = Note::new("fleet_use", format!("{}.", capital(&text)));
            scenario::with_fleet_use(note, used)
        }
        Evidence::CheapestFleet { minutes } => Note::new(
            "cheapest_fleet",
            format!(
                "Cheapest size, by simulating the builds on every size. Pays for {} minutes, idle or \
                 not.",
                number(*minutes)
            ),
        )
        .with("minutes", *minutes),
        Evidence::JustOver { over, builds } => Note::new(
            "just_over_a_minute",
            format!(
                "{} of {} end within 12 s of a new minute and are billed for all of it.",
                count(*over),
                counted(*builds, "build")
            ),
        )
        .with("builds_over", *over)
        .with("builds", *builds),
        Evidence::FewerMinutes {
            shorter,
            before,
            after,
        } => {
            let less = percent_of(before - after, *before).unwrap_or_default();
            Note::new(
                "fewer_minutes",
                format!(
                    "{shorter} % shorter builds bill {} minutes instead of {}: {} % less.",
                    number(*after),
                    number(*before),
                    number(less.round_dp(0))
                ),
            )
            .with("shorter_percent", Decimal::from(*shorter))
            .with("minutes_before", *before)
            .with("minutes_after", *after)
        }
        Evidence::Retried {
            failed,
            builds,
            retried,
            within,
            billed,
            of,
            grain,
        } => {
            let unit = match grain {
                Grain::Second => "seconds",
                Grain::Minute | Grain::Provisioned => "minutes",
            };
            Note::new(
                "retried",
                format!(
                    "{} of {} failed. {} were retried within {within} minutes and had billed {} of {} \
                     {unit}.",
                    count(*failed as u64),
                    counted(*builds as u64, "build"),
                    count(*retried as u64),
                    number(*billed),
                    number(*of)
                ),
            )
            .with("builds", *builds as u64)
            .with("failed", *failed as u64)
            .with("retried", *retried as u64)
            .with("within_minutes", Decimal::from(*within))
            .with("billed", *billed)
            .with("billed_in_all", *of)
            .with("unit", unit)
        }
        Evidence::Forgotten {
            kind,
            store,
            gb: stored,
            cost,
            last_work,
            since,
        } => {
            let work = match kind {
                StorageKind::Logs => "build",
                StorageKind::Artifacts => "pipeline run",
            };
            let month = |month: Option<crate::domain::period::Month>| {
                month.map(|month| month.to_string()).unwrap_or_default()
            };
            let worked = match last_work {
                Some(_) => format!("last {work} in {}", month(*last_work)),
                None => format!("no {work} since {}", month(*since)),
            };
            Note::new(
                "unused_storage",
                format!("{store}: {} GB, {} a month; {worked}.", gb(*stored), money(*cost)),
            )
            .with("store", store.as_str())
            .with("gb", *stored)
            .with("cost", amount(*cost))
            .with("last_used", month(*last_work))
        }
        Evidence::Growing { days, saving } => Note::new(
            "growing_storage",
            format!(
                "Stored data grew in every month on record, so nothing expires. Keeping {days} days \
                 would save {}.",
                money(*saving)
            ),
        )
        .with("days", u64::from(*days))
        .with("saving", amount(*saving)),
        Evidence::Growth {
            store,
            gb: stored,
            cost,
            first_gb,
            first,
            ingested,
            days,
            kept,
        } => {
            let first = first.map(|month| month.to_string()).unwrap_or_default();
            let logs = if ingested.is_zero() {
                String::new()
            } else {
                format!("; {} GB of logs ingested", gb(*ingested))
            };
            Note::new(
                "storage_growth",
                format!(
                    "{store}: {} GB, {} a month, up from {} GB in {first}{logs}. {days} days are {} GB.",
                    gb(*stored),
                    money(*cost),
                    gb(*first_gb),
                    gb(*kept)
                ),
            )
            .with("store", store.as_str())
            .with("gb", *stored)
            .with("cost", amount(*cost))
            .with("first_gb", *first_gb)
            .with("first_month", first)
            .with("ingested_gb", *ingested)
            .with("days", u64::from(*days))
            .with("kept_gb", *kept)
        }
    }
}

/// Shows megabytes as gigabytes.
pub(super) fn gigabytes(megabytes: Decimal) -> String {
    number((megabytes / MEGABYTES).round_dp(2))
}

/// Adds the memory that is needed, and that of a machine, as facts.
pub(super) fn with_memory(note: Note, memory: &Memory) -> Note {
    note.with("peak_mb", memory.peak)
        .with("day", memory.day.to_string())
        .with("days", memory.days)
        .with("needed_gb", memory.needed)
        .with("machine_gb", memory.machine)
}
