//! What a finding proposes, rests on, assumes and risks.

mod beside;
mod evidence;

pub(crate) use beside::{not_compared, observation};
pub(crate) use evidence::evidence;

use rust_decimal::{Decimal, RoundingStrategy};

use super::{Note, count, counted, discounts, number, scenario};
use crate::{
    domain::{
        catalog::Grain,
        optimize::{Assumption, Finding, Optimization, Proposed, Refused, Risk, Speed},
        storage::StorageKind,
    },
    report::{Cell, show_money},
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
        Assumption::SpeedMeasured(speed) => speed_measured(speed),
        Assumption::NotMeasured => Note::new(
            "not_measured",
            "CPU and memory were not measured; `pipebill collect --metrics` reads them, where CloudWatch \
             has them.",
        ),
        Assumption::NoFaster => Note::new(
            "no_faster",
            "More CPUs make builds no faster: an upper bound of the cost.",
        ),
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

fn speed_measured(speed: &Speed) -> Note {
    let busy = format!(
        "{} CPUs busy on average, {} at most, {} on the target",
        number(speed.average),
        number(speed.maximum),
        number(speed.processors)
    );
    let text = if speed.slow == Decimal::ONE {
        format!("Unchanged speed: {busy}.")
    } else {
        format!(
            "{} speed ({} to {}): {busy}.",
            scenario::factor(speed.speed),
            scenario::factor(speed.slow.round_dp(2)),
            scenario::factor(speed.fast.round_dp(2))
        )
    };
    Note::new("speed_measured", text)
        .with("speed", speed.speed)
        .with("speed_low", speed.slow)
        .with("speed_high", speed.fast)
        .with("cpus_busy_average", speed.average)
        .with("cpus_busy_maximum", speed.maximum)
        .with("cpus_target", speed.processors)
}

/// Says that a smaller machine lacks memory.
pub(crate) fn refused(refused: &Refused) -> Note {
    let memory = &refused.memory;
    let note = Note::new(
        "refused",
        format!(
            "Not proposed: {}: memory peaks at {} GB ({}), {} GB with the margin; the size has {} GB.",
            title(&refused.proposed),
            evidence::gigabytes(memory.peak),
            memory.day,
            number(memory.needed.round_dp(2)),
            number(memory.machine)
        ),
    )
    .with("title", title(&refused.proposed));
    evidence::with_memory(note, memory)
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
        Risk::Slower { slow, min_speed } => Note::new(
            "slower",
            format!(
                "At the low end of the range ({}) it costs more: it saves from {} on.",
                scenario::factor(slow.round_dp(2)),
                scenario::factor(
                    min_speed.round_dp_with_strategy(2, RoundingStrategy::AwayFromZero)
                )
            ),
        )
        .with("speed_low", *slow)
        .with("min_speed", *min_speed),
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
    if !found.larger.is_empty() {
        notes.push(
            Note::new(
                "nearly_full",
                format!(
                    "Memory is nearly full in {}; larger sizes cost more and are not among the savings.",
                    counted(found.larger.len() as u64, "project")
                ),
            )
            .with("projects", found.larger.len() as u64),
        );
    }
    if let [first, _, ..] = &found.refused[..] {
        notes.push(
            Note::new(
                "refused_sizes",
                format!(
                    "{} sizes lack memory, e.g. {}",
                    found.refused.len(),
                    super::after_label(&refused(first).text)
                ),
            )
            .with("sizes", found.refused.len() as u64),
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
    notes.extend(found.refused.iter().map(refused));
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
