//! Builds that end just after a minute has begun, builds that fail and are retried, and what is
//! lost without being billed.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;

use super::{
    Assumption, Evidence, FindingKind, Found, Observation, PastMonth, Proposal, Proposed, Worth,
    prices::{Prices, Shift},
    projects::Project,
};
use crate::domain::{
    allowance::{Allowance, FreeTier},
    catalog::{Grain, ServiceKind},
    money::Money,
    quantity::{Quantity, Unit},
    scenario::{
        Change,
        workload::{DurationFactor, TimedBuild, billed_units},
    },
    services::{CODEBUILD, CODEPIPELINE},
};

/// A failed build counts as tried again if another one of its project follows within this time.
const RETRY_MINUTES: i64 = 30;

/// How much shorter builds might become: a tenth and a fifth.
const SHORTER: [i64; 2] = [90, 80];

/// Looks for minutes that are paid for and not built in.
pub(super) fn find(
    month: &PastMonth<'_>,
    projects: &[Project<'_>],
    prices: &Prices<'_, '_>,
    found: &mut Found,
) {
    for project in projects {
        rounding(project, prices, found);
        retries(project, prices, found);
    }
    let builds: u64 = projects.iter().map(Project::count).sum();
    if builds > 0 {
        rounded_away(projects, builds, found);
        queues(projects, found);
        failures(projects, found);
    }
    free_units(month, projects, found);
}

fn saved(project: &Project<'_>, units: Decimal, prices: &Prices<'_, '_>) -> Option<Money> {
    let shift = Shift {
        key: project.key,
        units: -units,
        price: project.price?,
    };
    Some(-prices.difference(&[shift]))
}

/// Builds for which a little less time is a lot less money: at least twice as much as it is shorter.
fn rounding(project: &Project<'_>, prices: &Prices<'_, '_>, found: &mut Found) {
    if project.compute.grain != Grain::Minute || project.builds.is_empty() {
        return;
    }
    let (before, known) = (project.units(DurationFactor::SAME), project.known());
    for percent in SHORTER {
        let times = Decimal::new(percent, 2);
        let after = project.units(DurationFactor::of(times, Decimal::ONE));
        let less = before - after;
        let expected = known * (Decimal::ONE - times);
        if less < expected * Decimal::TWO {
            continue;
        }
        let Some(saving) = saved(project, less, prices) else {
            return;
        };
        if saving < found.least {
            found.small += u64::from(saving > Money::ZERO);
            return;
        }
        let over: u64 = project
            .builds
            .iter()
            .filter(|build| {
                build.length > 60_000 && (1..=12_000).contains(&(build.length % 60_000))
            })
            .map(|build| u64::from(build.count))
            .sum();
        let shown = project.shown();
        let shorter = 100 - percent;
        found.drafts.push(Proposal {
            kind: FindingKind::Rounding,
            subject: shown.clone(),
            proposed: Proposed::Shorter {
                builds: shown,
                percent: shorter,
            },
            evidence: vec![
                Evidence::JustOver {
                    over,
                    builds: project.count(),
                },
                Evidence::FewerMinutes {
                    shorter,
                    before,
                    after,
                },
            ],
            changes: vec![Change::Minutes {
                only: project.selector.clone(),
                times,
            }],
            assumptions: vec![Assumption::AllShorter { percent: shorter }],
            risks: Vec::new(),
            estimate: saving,
            pays_from_speed: None,
            sizing: None,
        });
        return;
    }
}

/// A build that failed.
pub(super) struct Failed {
    pub(super) build: TimedBuild,
    /// The day it was submitted.
    pub(super) day: NaiveDate,
    /// Another one of its project followed soon.
    pub(super) again: bool,
}

/// The failed builds of a project.
pub(super) fn failed<'p>(project: &'p Project<'_>) -> impl Iterator<Item = Failed> + 'p {
    let seen = &project.seen;
    seen.iter().enumerate().filter_map(move |(at, build)| {
        let build = &build.build;
        let is_failed = matches!(
            build.status.as_deref(),
            Some("FAILED" | "FAULT" | "TIMED_OUT")
        );
        let ended = build.ended.filter(|_| is_failed)?;
        let until = ended + TimeDelta::minutes(RETRY_MINUTES);
        let again = seen[at + 1..]
            .iter()
            .take_while(|next| next.build.submitted <= until)
            .any(|next| next.build.submitted >= ended && next.build.pipeline == build.pipeline);
        let from = build.provisioned.unwrap_or(build.submitted);
        let timed = TimedBuild {
            start: None,
            length: (ended - from).num_milliseconds().max(0),
            count: 1,
        };
        Some(Failed {
            build: timed,
            day: build.submitted.date_naive(),
            again,
        })
    })
}

fn retries(project: &Project<'_>, prices: &Prices<'_, '_>, found: &mut Found) {
    let all = project.units(DurationFactor::SAME);
    let again: Vec<TimedBuild> = failed(project)
        .filter(|failed| failed.again)
        .map(|failed| failed.build)
        .collect();
    if again.is_empty() || all <= Decimal::ZERO {
        return;
    }
    let units = Decimal::from(billed_units(
        &again,
        project.compute.grain,
        DurationFactor::SAME,
    ));
    let Some(saving) = saved(project, units, prices) else {
        return;
    };
    if saving < found.least {
        found.small += u64::from(saving > Money::ZERO);
        return;
    }
    let times = (Decimal::ONE - units / all).max(Decimal::ZERO).round_dp(4);
    let shown = project.shown();
    let failures = failed(project).count();
    found.drafts.push(Proposal {
        kind: FindingKind::Retries,
        subject: shown.clone(),
        proposed: Proposed::Retries { builds: shown },
        evidence: vec![Evidence::Retried {
            failed: failures,
            builds: project.seen.len(),
            retried: again.len(),
            within: RETRY_MINUTES,
            billed: units,
            of: all,
            grain: project.compute.grain,
        }],
        changes: vec![Change::Builds {
            only: project.selector.clone(),
            times,
        }],
        assumptions: vec![Assumption::NoRetries],
        risks: Vec::new(),
        estimate: saving,
        pays_from_speed: None,
        sizing: None,
    });
}

fn rounded_away(projects: &[Project<'_>], builds: u64, found: &mut Found) {
    let (mut billed, mut built) = (Decimal::ZERO, Decimal::ZERO);
    for project in projects.iter().filter(|p| p.compute.grain == Grain::Minute) {
        billed += project.known();
        let time: i128 = project
            .builds
            .iter()
            .map(|build| i128::from(build.length) * i128::from(build.count))
            .sum();
        built += Decimal::from_i128_with_scale(time, 3) / Decimal::from(60);
    }
    if billed.is_zero() {
        return;
    }
    let lost = billed - built;
    found.observations.push(Observation::Rounding {
        added: lost,
        billed,
        builds,
    });
}

fn queues(projects: &[Project<'_>], found: &mut Found) {
    let waits: Vec<(i64, &str)> = projects
        .iter()
        .flat_map(|project| &project.seen)
        .filter_map(|seen| {
            let wait = seen.build.provisioned? - seen.build.submitted;
            Some((wait.num_milliseconds().max(0), seen.build.project.as_str()))
        })
        .collect();
    let Some((longest, project)) = waits.iter().max() else {
        return;
    };
    let all: i64 = waits.iter().map(|(wait, _)| wait).sum();
    let long = waits.iter().filter(|(wait, _)| *wait > 60_000).count();
    found.observations.push(Observation::Queue {
        minutes: Decimal::from(all) / Decimal::from(60_000),
        long,
        builds: waits.len(),
        longest: longest / 1000,
        project: (*project).to_owned(),
    });
}

fn failures(projects: &[Project<'_>], found: &mut Found) {
    let (mut count, mut again, mut cost) = (0_u64, 0_u64, Money::ZERO);
    for project in projects {
        for failed in failed(project) {
            count += 1;
            again += u64::from(failed.again);
            let units = billed_units(&[failed.build], project.compute.grain, DurationFactor::SAME);
            cost += Money::of(Decimal::from(units), project.price.unwrap_or_default());
        }
    }
    if count > 0 {
        found.observations.push(Observation::Failures {
            failed: count,
            retried: again,
            within: RETRY_MINUTES,
            cost,
        });
    }
}

/// Says what unused free units of a service are worth, at the lowest price paid for the like of them.
fn worth(allowance: &Allowance, left: Decimal, projects: &[Project<'_>]) -> Worth {
    let of = |service: &str| {
        let mut meters = allowance.meters.iter();
        meters.any(|meter| meter.service.as_str() == service)
    };
    if of(CODEPIPELINE) {
        return Worth::InSplit;
    }
    if !of(CODEBUILD) {
        return Worth::NotSaid;
    }
    // Free seconds are worth the minutes they stand for, at the same speed.
    let minutes = match allowance.unit {
        Unit::Second => left / Decimal::from(60),
        _ => left,
    };
    let paid = projects.iter().filter(|project| {
        let is_free = allowance.meters.contains(&project.compute.meter);
        project.compute.grain == Grain::Minute && !is_free
    });
    let mut prices: BTreeMap<(Decimal, &str), Decimal> = BTreeMap::new();
    for project in paid {
        if let Some(price) = project.price.filter(|price| !price.is_zero()) {
            let of_type = prices
                .entry((price, project.compute.name.as_str()))
                .or_default();
            *of_type += project.units(DurationFactor::SAME);
        }
    }
    match prices.into_iter().find(|(_, units)| *units > Decimal::ZERO) {
        Some(((price, name), units)) => {
            let minutes = minutes.min(units).round_dp(0);
            Worth::AtMost {
                minutes,
                compute: name.to_owned(),
                cost: Money::of(minutes, price),
            }
        }
        None => Worth::Nothing,
    }
}

/// Names free units that nothing drew on.
fn free_units(month: &PastMonth<'_>, projects: &[Project<'_>], found: &mut Found) {
    let (workload, catalog) = (month.rater.workload, month.rater.catalog);
    if month.rater.terms.free_tier != FreeTier::Payer {
        return;
    }
    for allowance in catalog.allowances() {
        let is_code = allowance.meters.iter().any(|meter| {
            let service = catalog.services.get(&meter.service);
            service.is_some_and(|service| service.kind == ServiceKind::Code)
        });
        let mut services = allowance.meters.iter().map(|meter| &meter.service);
        let is_counted = !services.any(|service| month.costs_only.contains(service));
        // What comes with people is not there to be used up; what is not counted may be used up.
        if !is_code || !is_counted || allowance.further.is_some() {
            continue;
        }
        let used: Decimal = workload
            .groups
            .iter()
            .filter(|group| allowance.meters.contains(&group.key.meter))
            .map(|group| workload.quantity(group, catalog))
            .sum();
        // Corrections of another month draw on nothing, and grant nothing.
        let used = used.max(Decimal::ZERO);
        let left = allowance.left(FreeTier::Payer, &month.rater.terms.used) - used;
        if left > Decimal::ZERO {
            found.observations.push(Observation::Unused {
                quantity: Quantity::new(left, allowance.unit),
                allowance: allowance.name.to_string(),
                worth: worth(allowance, left, projects),
            });
        }
    }
}
