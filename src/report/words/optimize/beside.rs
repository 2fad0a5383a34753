//! What was seen beside the findings, and what could not be compared.

use rust_decimal::Decimal;

use super::{discounts, scenario, title};
use crate::{
    domain::{
        ids::{Currency, Region},
        number::percent_of,
        optimize::{NotCompared, Observation, Worth},
    },
    report::{
        Cell, show_money, show_quantity,
        words::{Note, costs, count, counted, number, of_gap, price},
    },
};

/// Says what was seen beside the findings.
pub(crate) fn observation(observation: &Observation, currency: &Currency) -> Note {
    let money = |amount| show_money(amount, currency);
    match observation {
        Observation::Missing(gap) => of_gap("Missing", gap),
        Observation::CostsOnly { services } => costs::excluded(services, currency),
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
