//! What a finding proposes, rests on, assumes and risks.
//!
//! Long, because it is one flat list: a sentence for each thing that is said of findings.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Note, count, counted, discounts, number, of_gap, price, scenario};
use crate::{
    domain::{
        catalog::Grain,
        ids::{Currency, Region},
        number::percent_of,
        optimize::{
            Assumption, Evidence, Finding, NotCompared, Observation, Optimization, Proposed, Risk,
            Worth,
        },
        plan::PipelineType,
        storage::StorageKind,
    },
    report::{Cell, show_money, show_quantity},
};

/// Says a change in a few words, for tables and names.
pub(crate) fn title(proposed: &Proposed) -> String {
    let pipelines = |n: usize| counted(n as u64, "pipeline");
    match proposed {
        Proposed::PipelineTypes { to_v1: 0, to_v2 } => format!("{} to V2", pipelines(*to_v2)),
        Proposed::PipelineTypes { to_v1, to_v2: 0 } => format!("{} to V1", pipelines(*to_v1)),
        Proposed::PipelineTypes { to_v1, to_v2 } => {
            format!("{} to V1, {to_v2} to V2", pipelines(*to_v1))
        }
        Proposed::IdlePipelines {
            only: Some(name), ..
        } => format!("{name}: kept active by one change a month"),
        Proposed::IdlePipelines { pipelines: n, .. } => {
            format!("{} kept active by one change a month", pipelines(*n))
        }
        Proposed::Compute { builds, from, to } => format!("{builds}: {from} to {to}"),
        Proposed::Fleet {
            compute,
            region,
            machines,
        } => format!("{compute} in {region}: reserved fleet of {machines}"),
        Proposed::Shorter { builds, percent } => {
            format!("{builds}: {percent} % shorter, ending before the next minute")
        }
        Proposed::Retries { builds } => format!("{builds}: failed builds that are retried"),
        Proposed::Forgotten {
            kind, only, stores, ..
        } => match only {
            Some(name) => format!("{name}: unused {}", store(*kind)),
            None => format!("{} unused {}s", count(*stores as u64), store(*kind)),
        },
        Proposed::Retention {
            kind,
            only,
            stores,
            days,
        } => match only {
            Some(name) => format!("{name}: keep {days} days"),
            None => format!(
                "{} {}s: keep {days} days",
                count(*stores as u64),
                store(*kind)
            ),
        },
    }
}

fn store(kind: StorageKind) -> &'static str {
    match kind {
        StorageKind::Logs => "log group",
        StorageKind::Artifacts => "artifact bucket",
    }
}

fn unit(grain: Grain) -> &'static str {
    match grain {
        Grain::Second => "s",
        Grain::Minute | Grain::Provisioned => "min",
    }
}

fn gb(value: Decimal) -> String {
    number(value.round_dp(1))
}

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
            let note = Note::new("fleet_use", format!("{}.", super::capital(&text)));
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

/// Says what a saving assumes.
pub(crate) fn assumption(assumption: &Assumption) -> Note {
    match assumption {
        Assumption::Scenario(of) => scenario::assumption(of),
        Assumption::PipelinesGone => Note::new(
            "pipelines_gone",
            "The pipeline is disabled or removed, or its change is deployed another way.",
        ),
        Assumption::SpeedHalfway { speed } => Note::new(
            "speed_halfway",
            format!(
                "{} speed: halfway between builds unaffected by CPU and builds that use every CPU.",
                scenario::factor(*speed)
            ),
        )
        .with("speed", *speed),
        Assumption::Machines { compute, size } => {
            Note::new("machines", format!("Machines are {compute}: {size}."))
                .with("compute", compute.as_str())
                .with("size", size.as_str())
        }
        Assumption::AllShorter { percent } => Note::new(
            "all_shorter",
            format!("Every build is {percent} % shorter, e.g. with a cache or a smaller image."),
        )
        .with("percent", Decimal::from(*percent)),
        Assumption::NoRetries => Note::new(
            "no_retries",
            "No retry would be needed: an upper bound. A build counts as a retry if it soon follows a \
             failed one; AWS does not record retries.",
        ),
        Assumption::AllDeleted => Note::new("all_deleted", "All stored data is deleted."),
        Assumption::NotReadLater(kind) => Note::new(
            "not_read_later",
            format!("No {} is read after it expires.", store(*kind)),
        ),
    }
}

/// Says what could break.
pub(crate) fn risk(risk: &Risk) -> Note {
    match risk {
        Risk::Scenario(warning) => scenario::warning(warning),
        Risk::V1Features => Note::new(
            "v1_features",
            "V1 has no trigger filters (branches, tags, paths), no pipeline variables and one execution \
             mode. Whether these pipelines use them is not recorded.",
        ),
        Risk::V2Minutes => Note::new(
            "v2_minutes",
            "V2 bills every action minute: longer or more frequent runs cost more.",
        ),
        Risk::RarelyChanged => Note::new(
            "rarely_changed",
            "A pipeline that rarely changes may still be needed.",
        ),
        Risk::LessMemory { from, to } => Note::new(
            "less_memory",
            format!(
                "Memory falls from {} to {} GB; how much the builds need is not recorded.",
                number(*from),
                number(*to)
            ),
        )
        .with("gb_before", *from)
        .with("gb_after", *to),
        Risk::PaidIdle => Note::new(
            "paid_idle",
            "A fleet is billed at night and at weekends; fewer builds do not make it cheaper.",
        ),
        Risk::KeptOnPurpose => Note::new(
            "kept_on_purpose",
            "Someone may keep them on purpose, e.g. for an audit.",
        ),
        Risk::Expired(StorageKind::Logs) => Note::new(
            "expired_logs",
            "Older logs are deleted: first export those that must be kept.",
        ),
        Risk::Expired(StorageKind::Artifacts) => Note::new(
            "expired_artifacts",
            "Artifacts needed for a rollback may be deleted. In a versioned bucket the rule must expire \
             old versions too.",
        ),
    }
}

/// Says what was seen beside the findings.
pub(crate) fn observation(observation: &Observation, currency: &Currency) -> Note {
    let money = |amount| show_money(amount, currency);
    match observation {
        Observation::Missing(gap) => of_gap("Missing", gap),
        Observation::CostsOnly { services } => super::costs::excluded(services, currency),
        Observation::Discount {
            service,
            of,
            replaced: false,
        } => discounts::on_both_sides(service, of),
        Observation::Discount { service, of, .. } => discounts::replaced(service, of),
        Observation::Rounding {
            added,
            billed,
            builds,
        } => {
            let percent = percent_of(*added, *billed);
            Note::new(
                "rounding",
                format!(
                    "Rounding up adds {} of {} billed build minutes ({} %), over {}.",
                    number(added.round_dp(0)),
                    number(*billed),
                    number(percent.unwrap_or_default().round_dp(0)),
                    counted(*builds, "build")
                ),
            )
            .with("minutes_added", *added)
            .with("minutes_billed", *billed)
            .with("builds", *builds)
        }
        Observation::Queue {
            minutes,
            long,
            builds,
            longest,
            project,
        } => Note::new(
            "queue",
            format!(
                "Builds waited {} minutes in queues: {} of {} longer than a minute, at most {} s \
                 ({project}). AWS does not bill it, so this costs waiting, not money. A reserved fleet \
                 or a higher limit on concurrent builds shortens it.",
                number(minutes.round_dp(0)),
                count(*long as u64),
                count(*builds as u64),
                number(Decimal::from(*longest))
            ),
        )
        .with("minutes", *minutes)
        .with("longer_than_a_minute", *long as u64)
        .with("builds", *builds as u64)
        .with("longest_seconds", Decimal::from(*longest))
        .with("project", project.as_str()),
        Observation::Failures {
            failed,
            retried,
            within,
            cost,
        } => Note::new(
            "failures",
            format!(
                "{} failed, {} of them retried within {within} minutes. Failed builds cost {} before \
                 free units.",
                counted(*failed, "build"),
                count(*retried),
                money(*cost)
            ),
        )
        .with("failed", *failed)
        .with("retried", *retried)
        .with("within_minutes", Decimal::from(*within))
        .with("cost", Cell::Money(*cost, currency.clone())),
        Observation::Unused {
            quantity,
            allowance,
            worth,
        } => {
            let mut note = Note::new("free_units_unused", String::new())
                .with("allowance", allowance.as_str())
                .with("quantity", *quantity);
            let worth = match worth {
                Worth::NotSaid => String::new(),
                Worth::InSplit => " The pipeline split already uses them.".to_owned(),
                Worth::Nothing => " No paid build could use them.".to_owned(),
                Worth::AtMost {
                    minutes,
                    compute,
                    cost,
                } => {
                    note = note
                        .with("worth", Cell::Money(*cost, currency.clone()))
                        .with("worth_minutes", *minutes)
                        .with("worth_compute", compute.as_str());
                    format!(
                        " Worth at most {} a month: {} paid minutes on {compute}.",
                        money(*cost),
                        number(*minutes)
                    )
                }
            };
            note.text = format!(
                "Unused free tier: {} of {allowance}.{worth}",
                show_quantity(*quantity)
            );
            note
        }
    }
}

/// Says what could not be compared, and what is missing for it.
pub(crate) fn not_compared(not_compared: &NotCompared, currency: &Currency) -> Note {
    let regions = |regions: &std::collections::BTreeSet<Region>| {
        let names: Vec<&str> = regions.iter().map(Region::as_str).collect();
        names.join(" and ")
    };
    match not_compared {
        NotCompared::Proposal { proposed, unknown } => {
            let missing = scenario::unknown(unknown);
            let mut note = Note::new(
                "proposal",
                format!("Not compared: {}: {}", title(proposed), missing.text),
            )
            .with("title", title(proposed))
            .with("unknown", missing.code);
            note.facts.extend(missing.facts);
            note
        }
        NotCompared::StorageNotImported => Note::new(
            "storage_not_imported",
            "Not compared: stored logs and artifacts, because the bill was imported by an older version. \
             Import it again.",
        ),
        NotCompared::StorageNotInExport => Note::new(
            "storage_not_in_export",
            "Not compared: stored logs and artifacts, because the bill has no resource IDs. Import a \
             Cost and Usage Report with resource IDs.",
        ),
        NotCompared::StorageMonths { needed } => Note::new(
            "storage_months",
            format!("Not compared: stored logs and artifacts, which takes {needed} months of history."),
        )
        .with("months_needed", *needed as u64),
        NotCompared::OtherPrices { region, pipelines } => Note::new(
            "other_prices",
            format!(
                "Not compared: pipelines in {region}, where V1 or V2 prices differ or are unknown: {}.",
                pipelines.join(", ")
            ),
        )
        .with("region", region.as_str())
        .with("pipelines", pipelines.join(" ")),
        NotCompared::UnknownMinutes { pipelines } => Note::new(
            "unknown_minutes",
            format!(
                "Not compared: {} without known V2 minutes. Run `pipebill collect`, or set \
                 pipeline_type[pipeline:NAME]=V2,minutes=200.",
                counted(*pipelines, "V1 pipeline")
            ),
        )
        .with("pipelines", *pipelines),
        NotCompared::Unpriced {
            compute,
            regions: places,
            projects,
            usage_type,
        } => Note::new(
            "unpriced",
            format!(
                "Not compared: {compute} in {} for {}, because its price is not known. Set it: \
                 --price {usage_type}=…",
                regions(places),
                counted(*projects, "project")
            ),
        )
        .with("compute", compute.as_str())
        .with("regions", regions(places))
        .with("projects", *projects)
        .with("usage_type", usage_type.as_str()),
        NotCompared::NotOffered {
            compute,
            regions: places,
            listed,
        } => Note::new(
            "not_offered",
            format!(
                "Not compared: {compute}, not offered in {} (AWS price list of {listed}).",
                regions(places)
            ),
        )
        .with("compute", compute.as_str())
        .with("regions", regions(places))
        .with("listed", *listed),
        NotCompared::Fleet {
            compute,
            region,
            account,
            below,
        } => {
            let of = account
                .as_ref()
                .map_or_else(String::new, |account| format!(" of {account}"));
            let note = Note::new(
                "fleet_unpriced",
                format!(
                    "Not compared: a reserved fleet for {compute} in {region}{of}, because its price is \
                     not known. One machine saves money below {} a minute; set it with --price.",
                    price(*below, currency)
                ),
            )
            .with("compute", compute.as_str())
            .with("region", region.as_str())
            .with("saves_below", Cell::Price(*below));
            match account {
                Some(account) => note.with("account", account.as_str()),
                None => note,
            }
        }
    }
}

/// Says how slow the builds of a finding may become.
pub(crate) fn min_speed(finding: &Finding) -> Option<Note> {
    let speed = finding.min_speed?;
    // Rounded towards the side on which it pays.
    let shown = speed.round_dp_with_strategy(2, RoundingStrategy::AwayFromZero);
    let text = format!("{} or faster saves money.", scenario::factor(shown));
    Some(Note::new("min_speed", text).with("speed", speed))
}

/// Returns what a reader of the findings should know: what they are taken from first.
pub(crate) fn notes(found: &Optimization, top: usize) -> Vec<Note> {
    let currency = &found.currency;
    let mut notes = Vec::new();
    if let Some(best) = &found.best_combination {
        let proven = if best.proven {
            ", the best combination"
        } else {
            ""
        };
        let show = |amount| show_money(amount, currency);
        notes.push(
            Note::new(
                "best_combination",
                format!(
                    "Together {} save {} a month ({} to {}){proven}. The other findings overlap these; \
                     their savings do not add up.",
                    crate::report::optimize::numbers(&best.findings),
                    show(best.saving.p50),
                    show(best.saving.p10),
                    show(best.saving.p90)
                ),
            )
            .with("findings", crate::report::optimize::numbers(&best.findings))
            .with("saving", Cell::Money(best.saving.p50, currency.clone())),
        );
    } else if found.findings.is_empty() {
        notes.push(Note::new(
            "none_found",
            "No change saves that much. To see smaller ones: --min-saving 0.",
        ));
    }
    if found.findings.len() > top {
        notes.push(
            Note::new(
                "more_findings",
                format!(
                    "Showing {top} of {} findings (--top); --explain shows the evidence.",
                    found.findings.len()
                ),
            )
            .with("shown", top as u64)
            .with("findings", found.findings.len() as u64),
        );
    }
    notes.push(basis(found));
    if found.ahead {
        notes.push(Note::new(
            "simulated",
            "Savings and P10 to P90 are for the next whole month, from 2,000 simulations. Storage is not \
             forecast: its savings are those of recent months.",
        ));
    }
    if found.below_min_saving > 0 {
        notes.push(
            Note::new(
                "below_min_saving",
                format!(
                    "{} not shown: less than --min-saving.",
                    counted(found.below_min_saving, "saving")
                ),
            )
            .with("savings", found.below_min_saving),
        );
    }
    if found.unrated > 0 {
        notes.push(
            Note::new(
                "not_rated",
                format!(
                    "{} with lower estimates were not rated.",
                    counted(found.unrated as u64, "more proposal")
                ),
            )
            .with("proposals", found.unrated as u64),
        );
    }
    let missing = &found.not_compared;
    if let [first, _, ..] = &missing[..] {
        // One line for all of them; `--explain` has each.
        notes.push(
            Note::new(
                "not_compared",
                format!(
                    "{} changes could not be compared, e.g. {}",
                    missing.len(),
                    super::after_label(&not_compared(first, currency).text)
                ),
            )
            .with("changes", missing.len() as u64),
        );
    }
    notes.extend(
        found
            .observations
            .iter()
            .map(|it| observation(it, currency)),
    );
    notes.extend(missing.iter().map(|it| not_compared(it, currency)));
    notes
}

/// Says what the findings are taken from.
fn basis(found: &Optimization) -> Note {
    let months = found.months.len() as u64;
    let last = found.months.last().map(ToString::to_string);
    let text = match (found.builds, months) {
        (0, _) => format!(
            "From the totals of {}. For rounding, fleets, Lambda and retries, run `pipebill collect`, \
             which reads individual builds.",
            counted(months, "month")
        ),
        (builds, 1) => format!(
            "From {} in {}. One month gives no range.",
            counted(builds, "build"),
            last.unwrap_or_default()
        ),
        (builds, _) => format!(
            "From {} in {}, the last of {months} months{}.",
            counted(builds, "build"),
            last.unwrap_or_default(),
            if found.ahead {
                ""
            } else {
                "; P10 to P90 are over these months"
            }
        ),
    };
    Note::new("basis", text)
        .with("builds", found.builds)
        .with("months", months)
}
