//! Machines whose memory is nearly full: the next larger size costs more, and what it may avoid is said.
//! None of it is a saving.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Assumption, Billing, Evidence, FindingKind, Found, Proposal, Proposed, Sizing,
    compute::{larger_than, moved},
    need::{Need, Needs},
    prices::{Prices, Shift},
    projects::Project,
    waste::failed,
};
use crate::domain::{
    catalog::Catalog,
    money::Money,
    scenario::{
        Change, Target,
        workload::{DurationFactor, billed_units},
    },
};

/// Memory is nearly full from this share on, in percent.
const NEARLY_FULL: Decimal = Decimal::from_parts(90, 0, 0, false, 0);

/// Looks for projects whose builds nearly fill the memory of their machine. Where they ran on several
/// compute types, nobody knows which of them was full.
pub(super) fn find(
    projects: &[Project<'_>],
    needs: &Needs<'_>,
    prices: &Prices<'_, '_>,
    catalog: &Catalog,
    found: &mut Found,
) {
    let mut larger: Vec<(Decimal, Proposal)> = Vec::new();
    for project in projects {
        let need = needs.of_project(project).filter(|need| !need.is_mixed);
        let proposed = need.and_then(|need| propose(project, need, prices, catalog));
        larger.extend(proposed);
    }
    larger
        .sort_by(|(a_share, a), (b_share, b)| (b_share, &a.proposed).cmp(&(a_share, &b.proposed)));
    found.larger = larger.into_iter().map(|(_, proposal)| proposal).collect();
}

/// Proposes the smallest larger machine in which the peak and its margin fit.
fn propose(
    project: &Project<'_>,
    need: &Need,
    prices: &Prices<'_, '_>,
    catalog: &Catalog,
) -> Option<(Decimal, Proposal)> {
    let full = need
        .shares
        .iter()
        .filter(|(_, share)| *share >= NEARLY_FULL);
    let full: Vec<(NaiveDate, Decimal)> = full.copied().collect();
    let (day, share) = *full
        .iter()
        .max_by_key(|(day, share)| (*share, std::cmp::Reverse(*day)))?;
    let from = project.compute;
    let to = larger_than(from, catalog).into_iter().find(|to| {
        let memory = need.against(to);
        memory.is_none_or(|memory| memory.needed <= memory.machine)
    })?;
    let units = project.units(DurationFactor::SAME);
    let mut evidence = vec![Evidence::NearlyFull {
        share,
        day,
        days: full.len() as u64,
        of: need.shares.len() as u64,
    }];
    let days: BTreeSet<NaiveDate> = full.iter().map(|(day, _)| *day).collect();
    evidence.push(failures(project, &days));
    evidence.extend(need.against(to).map(Evidence::Memory));
    let key = moved(project.key, to);
    let mut estimate = Money::ZERO;
    if let (Some(own), Some(price)) = (project.price, prices.of_key(&key)) {
        let shift = |key, units, price| Shift { key, units, price };
        let shifts = [shift(project.key, -units, own), shift(&key, units, price)];
        estimate = -prices.difference(&shifts);
        let billing = |compute: &str, price| Billing {
            compute: compute.to_owned(),
            grain: from.grain,
            units,
            price,
        };
        evidence.push(Evidence::Units {
            from: billing(&from.name, own),
            to: billing(&to.name, price),
        });
    }
    let shown = project.shown();
    let proposal = Proposal {
        kind: FindingKind::Upsize,
        proposed: Proposed::Compute {
            builds: shown.clone(),
            from: from.name.clone(),
            to: to.name.clone(),
        },
        subject: shown,
        evidence,
        changes: vec![Change::Compute {
            only: project.selector.clone(),
            to: Target::OnDemand(to.clone()),
            speed: Decimal::ONE,
        }],
        assumptions: vec![Assumption::NoFaster],
        risks: Vec::new(),
        estimate,
        pays_from_speed: None,
        sizing: Some(Sizing::Measured),
    };
    Some((share, proposal))
}

/// Counts the builds that failed on the days on which memory was nearly full.
fn failures(project: &Project<'_>, days: &BTreeSet<NaiveDate>) -> Evidence {
    let on = |day: NaiveDate| days.contains(&day);
    let failed: Vec<_> = failed(project).filter(|failed| on(failed.day)).collect();
    let grain = project.compute.grain;
    let units = failed.iter().map(|failed| {
        billed_units(
            std::slice::from_ref(&failed.build),
            grain,
            DurationFactor::SAME,
        )
    });
    let units = Decimal::from(units.sum::<i64>());
    Evidence::FailedWhenFull {
        failed: failed.len() as u64,
        retried: failed.iter().filter(|failed| failed.again).count() as u64,
        builds: project
            .seen
            .iter()
            .filter(|seen| on(seen.build.submitted.date_naive()))
            .count() as u64,
        units,
        grain,
        cost: project.price.map(|price| Money::of(units, price)),
    }
}
