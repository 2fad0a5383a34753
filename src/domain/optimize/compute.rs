//! Projects on another compute type: ARM, a smaller machine, Lambda for short builds.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    Assumption, Billing, Evidence, FindingKind, Found, Proposal, Proposed, Refused, Risk, Sizing,
    need::{Need, Needs},
    prices::{Prices, Shift},
    projects::Project,
    slowdown::max_slowdown,
};
use crate::domain::{
    catalog::{Catalog, Compute, Grain},
    money::Money,
    scenario::{
        Change, LAMBDA_LIMIT, Target,
        workload::{DurationFactor, billed_units},
    },
    usage::UsageKey,
};

/// Looks for a cheaper compute type for each project.
pub(super) fn find(
    projects: &[Project<'_>],
    needs: &Needs<'_>,
    prices: &Prices<'_, '_>,
    catalog: &Catalog,
    found: &mut Found,
) {
    for project in projects {
        let from = project.compute;
        let need = needs.of_project(project);
        if let Some(arm) = arm_of(from, catalog) {
            consider(project, need, arm, FindingKind::Arm, prices, found);
        }
        // What was measured may fit a machine that is smaller by more than one size.
        let fits = |to: &Compute| {
            let known = need.filter(|need| need.busy.is_some());
            let memory = known.and_then(|need| need.against(to));
            memory.is_some_and(|memory| memory.needed <= memory.machine)
        };
        let known = found.drafts.len();
        let mut smaller = smaller_than(from, catalog).into_iter();
        let next = smaller.next();
        for to in next.into_iter().chain(smaller.filter(|to| fits(to))) {
            consider(project, need, to, FindingKind::Downsize, prices, found);
        }
        keep_best(&mut found.drafts, known);
        lambda(project, need, prices, catalog, found);
    }
}

/// Keeps the draft with the largest saving of those from a place on.
fn keep_best(drafts: &mut Vec<Proposal>, from: usize) {
    let mut best = drafts.split_off(from);
    best.sort_by(|a, b| (b.estimate, &a.proposed).cmp(&(a.estimate, &b.proposed)));
    drafts.extend(best.into_iter().next());
}

/// The same size on ARM.
fn arm_of<'c>(from: &Compute, catalog: &'c Catalog) -> Option<&'c Compute> {
    let size = from.name.strip_prefix("general1.")?;
    let name = format!("arm1.{size}");
    catalog.computes.iter().find(|compute| compute.name == name)
}

fn family(compute: &Compute) -> &str {
    compute
        .name
        .rsplit_once('.')
        .map_or("", |(family, _)| family)
}

/// The smaller machines of the same family, the largest first.
fn smaller_than<'c>(from: &Compute, catalog: &'c Catalog) -> Vec<&'c Compute> {
    if from.grain != Grain::Minute {
        return Vec::new();
    }
    let same = catalog.computes.iter().filter(|compute| {
        family(compute) == family(from)
            && compute.grain == from.grain
            && compute.memory.is_some()
            && compute.memory < from.memory
    });
    let mut smaller: Vec<&Compute> = same.collect();
    smaller.sort_by_key(|compute| std::cmp::Reverse(compute.memory));
    smaller
}

/// The larger machines of the same family, the smallest first.
pub(super) fn larger_than<'c>(from: &Compute, catalog: &'c Catalog) -> Vec<&'c Compute> {
    let same = catalog.computes.iter().filter(|compute| {
        family(compute) == family(from)
            && compute.grain == from.grain
            && compute.grain != Grain::Provisioned
            && from.memory.is_some()
            && compute.memory > from.memory
    });
    let mut larger: Vec<&Compute> = same.collect();
    larger.sort_by_key(|compute| compute.memory);
    larger
}

/// Half-way between builds unaffected by fewer processors and builds that use every processor.
fn assumed_speed(from: &Compute, to: &Compute) -> Decimal {
    match (from.processors, to.processors) {
        (Some(from), Some(to)) if !from.is_zero() => {
            ((Decimal::ONE + to / from) / Decimal::TWO).round_dp(2)
        }
        _ => Decimal::ONE,
    }
}

/// The speed on another machine: from measurements where there are any. `None` where it is assumed to be
/// the same.
fn speed_on(project: &Project<'_>, need: Option<&Need>, to: &Compute) -> Option<Assumption> {
    let from = project.compute;
    if to.processors >= from.processors {
        return None;
    }
    let processors = to.processors?;
    if let Some(speed) = need.and_then(|need| need.speed(processors)) {
        return Some(Assumption::SpeedMeasured(speed));
    }
    let speed = assumed_speed(from, to);
    (speed != Decimal::ONE).then_some(Assumption::SpeedHalfway { speed })
}

fn value_of(speed: Option<&Assumption>) -> Decimal {
    match speed {
        Some(Assumption::SpeedMeasured(speed)) => speed.speed,
        Some(Assumption::SpeedHalfway { speed }) => *speed,
        _ => Decimal::ONE,
    }
}

/// Short builds by the second: the smallest size with as much memory as is needed. Where that was not
/// measured, as much as now, or the largest below it with at least half as much.
fn lambda(
    project: &Project<'_>,
    need: Option<&Need>,
    prices: &Prices<'_, '_>,
    catalog: &Catalog,
    found: &mut Found,
) {
    let from = project.compute;
    let family_name = match family(from) {
        "general1" => "lambda.x86-64",
        "arm1" => "lambda.arm",
        _ => return,
    };
    let Some(memory) = from.memory.filter(|_| !project.builds.is_empty()) else {
        return;
    };
    let measured = need.and_then(Need::memory);
    // No build may pass the limit, at the pace that fewer processors make likely.
    let fits = |to: &Compute| {
        let speed = value_of(speed_on(project, need, to).as_ref());
        let pace = DurationFactor::of(Decimal::ONE, speed);
        let mut builds = project.builds.iter();
        builds.all(|build| pace.milliseconds(build.length) <= LAMBDA_LIMIT)
    };
    let mut sizes: Vec<&Compute> = catalog
        .computes
        .iter()
        .filter(|compute| family(compute) == family_name)
        .collect();
    sizes.sort_by_key(|compute| compute.memory);
    let least = measured.unwrap_or(memory);
    let enough = sizes.iter().find(|size| size.memory >= Some(least));
    if let Some(enough) = enough {
        let is_priced = prices.of_key(&moved(project.key, enough)).is_some();
        if fits(enough) {
            consider(project, need, enough, FindingKind::Lambda, prices, found);
        }
        if is_priced {
            return;
        }
    }
    let half = memory / Decimal::TWO;
    let below = sizes.iter().rev().find(|size| {
        measured.is_none()
            && size.memory < Some(memory)
            && size.memory >= Some(half)
            && prices.of_key(&moved(project.key, size)).is_some()
    });
    if let Some(below) = below.filter(|below| fits(below)) {
        consider(project, need, below, FindingKind::Lambda, prices, found);
    }
}

pub(super) fn moved(key: &UsageKey, to: &Compute) -> UsageKey {
    UsageKey {
        meter: to.meter.clone(),
        ..key.clone()
    }
}

fn consider(
    project: &Project<'_>,
    need: Option<&Need>,
    to: &Compute,
    kind: FindingKind,
    prices: &Prices<'_, '_>,
    found: &mut Found,
) {
    let from = project.compute;
    let by_use = speed_on(project, need, to);
    let speed = value_of(by_use.as_ref());
    let key = moved(project.key, to);
    let Some(own) = project.price else {
        return found.unpriced(from, &project.key.region);
    };
    let Some(price) = prices.of_key(&key) else {
        let region = &project.key.region;
        return match prices.not_offered(&key) {
            Some(listed) => found.not_offered(to, region, listed),
            None => found.unpriced(to, region),
        };
    };
    let before = project.units(DurationFactor::SAME);
    let leaves = Shift {
        key: project.key,
        units: -before,
        price: own,
    };
    let in_units = |pace: DurationFactor| {
        let known = Decimal::from(billed_units(&project.builds, to.grain, pace));
        let rest = match (from.grain, to.grain) {
            (Grain::Minute, Grain::Second) => project.rest * Decimal::from(60),
            (Grain::Second, Grain::Minute) => project.rest / Decimal::from(60),
            _ => project.rest,
        };
        known + pace.times(rest)
    };
    let difference = |units: Decimal| {
        let comes = Shift {
            key: &key,
            units,
            price,
        };
        prices.difference(&[
            Shift {
                key: leaves.key,
                ..leaves
            },
            comes,
        ])
    };
    let after = in_units(DurationFactor::of(Decimal::ONE, speed));
    let saving = -difference(after);
    if saving < found.least {
        if saving > Money::ZERO {
            found.small += 1;
        }
        return;
    }
    let (count, shown) = (project.count(), project.shown());
    let proposed = Proposed::Compute {
        builds: shown.clone(),
        from: from.name.clone(),
        to: to.name.clone(),
    };
    let memory = need.and_then(|need| need.against(to));
    if let Some(memory) = memory
        .as_ref()
        .filter(|memory| memory.machine < memory.needed)
    {
        let memory = memory.clone();
        found.refused.push(Refused {
            proposed,
            memory,
            saving,
        });
        return;
    }
    let billing = |compute: &Compute, units: Decimal, price: Decimal| Billing {
        compute: compute.name.clone(),
        grain: compute.grain,
        units,
        price,
    };
    let mut evidence = vec![Evidence::Units {
        from: billing(from, before, own),
        to: billing(to, after, price),
    }];
    if count > 0 {
        let shortest = project.builds.iter().map(|build| build.length).min();
        let longest = project.builds.iter().map(|build| build.length).max();
        evidence.push(Evidence::Builds {
            builds: count,
            shortest: shortest.unwrap_or(0) / 1000,
            longest: longest.unwrap_or(0) / 1000,
        });
    }
    // As many units as cost what the builds cost now; the tariff only rises with them.
    let break_even = if project.rest.is_zero() && !project.builds.is_empty() {
        let most = most_units(in_units(DurationFactor::SAME), |units| {
            difference(Decimal::from(units)) <= Money::ZERO
        });
        let length = match to.grain {
            Grain::Second => 1000,
            Grain::Minute | Grain::Provisioned => 60_000,
        };
        max_slowdown(&project.builds, length, most).map(|ratio| {
            // Rounded towards the side on which it still pays.
            let fraction = |over: i128, under: i128| {
                (Decimal::from_i128_with_scale(over, 0) / Decimal::from_i128_with_scale(under, 0))
                    .round_dp_with_strategy(4, RoundingStrategy::AwayFromZero)
            };
            let pays = fraction(ratio.under, ratio.over);
            let longest = project.builds.iter().map(|build| build.length).max();
            // Builds that pass Lambda's limit would have to stay.
            let fits = fraction(longest.unwrap_or(0).into(), LAMBDA_LIMIT.into());
            if kind == FindingKind::Lambda {
                pays.max(fits)
            } else {
                pays
            }
        })
    } else {
        None
    };
    let mut risks = Vec::new();
    let less_memory = from.memory.zip(to.memory).filter(|(from, to)| to < from);
    let is_measured = match (less_memory, &memory) {
        (Some((from, to)), None) => {
            risks.push(Risk::LessMemory { from, to });
            false
        }
        _ => !matches!(by_use, Some(Assumption::SpeedHalfway { .. })),
    };
    let sizing = if less_memory.is_none() && by_use.is_none() {
        None
    } else if is_measured {
        Some(Sizing::Measured)
    } else {
        Some(Sizing::Assumed)
    };
    if let (Some(Assumption::SpeedMeasured(speed)), Some(min_speed)) = (&by_use, break_even)
        && speed.slow < min_speed
    {
        let slow = speed.slow;
        risks.push(Risk::Slower { slow, min_speed });
    }
    evidence.extend(memory.map(Evidence::Memory));
    let mut assumptions: Vec<Assumption> = by_use.into_iter().collect();
    if sizing == Some(Sizing::Assumed) {
        assumptions.push(Assumption::NotMeasured);
    }
    found.drafts.push(Proposal {
        kind,
        proposed,
        subject: shown,
        evidence,
        changes: vec![Change::Compute {
            only: project.selector.clone(),
            to: Target::OnDemand(to.clone()),
            speed,
        }],
        assumptions,
        risks,
        estimate: saving,
        pays_from_speed: break_even,
        sizing,
    });
}

/// Returns the most units at which a condition holds that holds for none, and ceases to hold once.
fn most_units(begin: Decimal, holds: impl Fn(i128) -> bool) -> i128 {
    let mut high = i128::try_from(begin.ceil()).unwrap_or(1).max(1);
    while holds(high) {
        if high > 1 << 60 {
            return high;
        }
        high *= 2;
    }
    let mut low = 0;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
