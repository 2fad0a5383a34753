//! Each pipeline on the cheaper type, and pipelines that one change a month keeps on the bill.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    Assumption, Evidence, FindingKind, Found, NotCompared, PastMonth, Proposal, Proposed, Risk,
    prices::Prices,
    split::{Candidate, Charges, cheapest},
};
use crate::domain::{
    ids::{AccountId, Meter, Region},
    metering::codepipeline::V1Activity,
    money::Money,
    pattern::Pattern,
    plan::PipelineType,
    scenario::{
        Adjust, Change, Selector, Term, Total,
        workload::{Basis, PipelineUse},
    },
    services::{ACTION_MINUTE, ACTIVE_PIPELINE, CODEPIPELINE},
    usage::UsageKey,
};

/// Looks for pipelines of the dearer type, payer by payer.
pub(super) fn find(month: &PastMonth<'_>, prices: &Prices<'_, '_>, found: &mut Found) {
    let mut payers: BTreeMap<Option<&AccountId>, Vec<&PipelineUse>> = BTreeMap::new();
    for pipeline in &month.rater.workload.pipelines {
        let payer = pipeline.key.payer.as_ref();
        payers.entry(payer).or_default().push(pipeline);
    }
    for pipelines in payers.into_values() {
        split(month, &pipelines, prices, found);
    }
    idle(month, prices, found);
}

fn price_of(kind: PipelineType, key: &UsageKey, prices: &Prices<'_, '_>) -> Option<Decimal> {
    let usage_type = match kind {
        PipelineType::V1 => ACTIVE_PIPELINE,
        PipelineType::V2 => ACTION_MINUTE,
    };
    prices.of_key(&UsageKey {
        meter: Meter::new(CODEPIPELINE, usage_type),
        ..key.clone()
    })
}

/// Returns the free units that an allowance has for a meter.
fn free_units(month: &PastMonth<'_>, usage_type: &str) -> Decimal {
    let meter = Meter::new(CODEPIPELINE, usage_type);
    let terms = month.rater.terms;
    let mut allowances = month.rater.catalog.allowances();
    allowances
        .find(|allowance| allowance.meters.contains(&meter))
        .map_or(Decimal::ZERO, |allowance| {
            let left = allowance.left(terms.free_tier, &terms.used);
            left.max(Decimal::ZERO)
        })
}

/// The exact optimum over all pipelines of one payer whose both prices and minutes are known.
fn split(
    month: &PastMonth<'_>,
    pipelines: &[&PipelineUse],
    prices: &Prices<'_, '_>,
    found: &mut Found,
) {
    let both = |pipeline: &PipelineUse| {
        let v1 = price_of(PipelineType::V1, &pipeline.key, prices)?;
        let v2 = price_of(PipelineType::V2, &pipeline.key, prices)?;
        Some((v1, v2))
    };
    let Some((v1, v2)) = pipelines.iter().find_map(|pipeline| both(pipeline)) else {
        return;
    };
    let (free_pipelines, free_minutes) = (
        free_units(month, ACTIVE_PIPELINE),
        free_units(month, ACTION_MINUTE),
    );
    let mut charges = Charges {
        pipeline: v1,
        minute: v2,
        free_pipelines,
        free_minutes,
    };
    let activity = |pipeline: &PipelineUse| {
        let name = pipeline.name.as_deref()?;
        let mut seen = month.facts.pipelines.iter();
        let seen = seen.find(|seen| {
            seen.pipeline.name == name && Some(&seen.place.account) == pipeline.key.account.as_ref()
        });
        Some(seen?.activity)
    };
    let mut chosen: Vec<(&PipelineUse, Candidate)> = Vec::new();
    let (mut v2_used, mut guessed) = (Decimal::ZERO, 0_u64);
    let mut elsewhere: BTreeMap<&Region, Vec<&str>> = BTreeMap::new();
    for pipeline in pipelines {
        let known = pipeline
            .minutes
            .filter(|(_, basis)| *basis != Basis::LikeOthers)
            .filter(|_| pipeline.name.is_some() && pipeline.count == Decimal::ONE)
            .filter(|_| both(pipeline) == Some((v1, v2)))
            // In its first thirty days V1 is free, which says nothing about the next month.
            .filter(|_| activity(pipeline) != Some(V1Activity::Trial))
            .filter(|_| pipeline.kind == PipelineType::V2 || pipeline.counts);
        let name = pipeline.name.as_deref();
        let elsewhere_name = name.filter(|_| known.is_none() && both(pipeline) != Some((v1, v2)));
        if let Some(name) = elsewhere_name {
            let names = elsewhere.entry(&pipeline.key.region).or_default();
            names.push(name);
        }
        match (known, pipeline.kind) {
            (Some((minutes, _)), now) => {
                if now == PipelineType::V2 {
                    v2_used += minutes;
                }
                chosen.push((
                    pipeline,
                    Candidate {
                        now,
                        counts: pipeline.counts,
                        minutes,
                    },
                ));
            }
            (None, PipelineType::V1) => {
                if pipeline.counts {
                    charges.free_pipelines -= pipeline.count;
                }
                if elsewhere_name.is_none() && pipeline.counts {
                    guessed += u64::try_from(pipeline.count.ceil()).unwrap_or(u64::MAX);
                }
            }
            (None, PipelineType::V2) => {}
        }
    }
    for (region, names) in elsewhere {
        found.not_compared.insert(NotCompared::OtherPrices {
            region: region.clone(),
            pipelines: names.into_iter().map(str::to_owned).collect(),
        });
    }
    if guessed > 0 {
        found
            .not_compared
            .insert(NotCompared::UnknownMinutes { pipelines: guessed });
    }
    // Minutes of V2 pipelines that are not among those that may move.
    let payer = pipelines[0].key.payer.as_ref();
    let minutes: Decimal = month
        .rater
        .workload
        .groups
        .iter()
        .filter(|group| group.key.payer.as_ref() == payer)
        .filter(|group| group.key.meter == Meter::new(CODEPIPELINE, ACTION_MINUTE))
        .map(|group| month.rater.workload.quantity(group, month.rater.catalog))
        .sum();
    charges.free_minutes -= minutes - v2_used;
    let candidates: Vec<Candidate> = chosen.iter().map(|(_, candidate)| *candidate).collect();
    let types = cheapest(&candidates, &charges);
    let cost = |types: &[PipelineType]| {
        let (mut active, mut minutes) = (Decimal::ZERO, Decimal::ZERO);
        for (candidate, kind) in candidates.iter().zip(types) {
            match kind {
                PipelineType::V1 if candidate.counts => active += Decimal::ONE,
                PipelineType::V1 => {}
                PipelineType::V2 => minutes += candidate.minutes,
            }
        }
        charges.cost(active, minutes)
    };
    let now: Vec<PipelineType> = candidates.iter().map(|candidate| candidate.now).collect();
    let saving = cost(&now) - cost(&types);
    if saving < found.least {
        return;
    }
    let mut moves: Vec<(&PipelineUse, Decimal, PipelineType)> = chosen
        .iter()
        .zip(&types)
        .filter(|((_, candidate), to)| candidate.now != **to)
        .map(|((pipeline, candidate), to)| (*pipeline, candidate.minutes, *to))
        .collect();
    moves.sort_by_key(|(pipeline, minutes, to)| {
        (
            *to == PipelineType::V2,
            std::cmp::Reverse(*minutes),
            pipeline.name.clone(),
        )
    });
    let count = |kind: PipelineType| moves.iter().filter(|(_, _, to)| *to == kind).count();
    let (to_v1, to_v2) = (count(PipelineType::V1), count(PipelineType::V2));
    let mut evidence = vec![Evidence::CheapestSplit {
        pipelines: chosen.len(),
        free_pipelines,
        free_minutes,
        pipeline_price: Money::new(v1),
        minutes: v1.checked_div(v2),
    }];
    for (pipeline, minutes, to) in &moves {
        evidence.push(Evidence::Pipeline {
            pipeline: pipeline.name.clone().unwrap_or_default(),
            to: *to,
            minutes: *minutes,
            runs: pipeline.runs,
            as_v1: Money::new(if pipeline.counts { v1 } else { Decimal::ZERO }),
            as_v2: Money::of(*minutes, v2),
        });
    }
    let mut risks = Vec::new();
    if to_v1 > 0 {
        risks.push(Risk::V1Features);
    }
    if to_v2 > 0 {
        risks.push(Risk::V2Minutes);
    }
    let by_type = [PipelineType::V1, PipelineType::V2].map(|kind| {
        let of_kind = moves.iter().filter(|(_, _, to)| *to == kind);
        let meant: Vec<&PipelineUse> = of_kind.map(|(pipeline, ..)| *pipeline).collect();
        let selectors = only(&meant, &month.rater.workload.pipelines);
        selectors.into_iter().map(move |only| Change::PipelineType {
            only,
            to: kind,
            minutes: None,
        })
    });
    found.drafts.push(Proposal {
        kind: FindingKind::PipelineTypes,
        subject: "pipelines".to_owned(),
        proposed: Proposed::PipelineTypes { to_v1, to_v2 },
        evidence,
        changes: by_type.into_iter().flatten().collect(),
        assumptions: Vec::new(),
        risks,
        estimate: saving,
        pays_from_speed: None,
        sizing: None,
    });
}

/// Means these pipelines and no other: by name, and those whose name is not theirs alone by place.
fn only(meant: &[&PipelineUse], all: &[PipelineUse]) -> Vec<Selector> {
    let mut selectors = Vec::new();
    let mut names = Vec::new();
    for pipeline in meant {
        let name = pipeline.name.as_deref().unwrap_or_default();
        let pattern = Pattern::exactly(name);
        let matching = all.iter().filter_map(|other| other.name.as_deref());
        if matching.filter(|other| pattern.matches(other)).count() <= 1 {
            names.push(name);
            continue;
        }
        let mut terms = vec![Term::Pipeline(pattern)];
        if let Some(account) = &pipeline.key.account {
            terms.push(Term::Account(Pattern(account.to_string())));
        }
        if pipeline.key.region != Region::global() {
            terms.push(Term::Region(Pattern(pipeline.key.region.to_string())));
        }
        selectors.push(Selector { terms });
    }
    if !names.is_empty() {
        names.sort_unstable();
        selectors.push(Selector {
            terms: vec![Term::Pipeline(Pattern::any_of(names))],
        });
    }
    selectors
}

/// Active V1 pipelines through which one change or none ran.
fn idle(month: &PastMonth<'_>, prices: &Prices<'_, '_>, found: &mut Found) {
    let all = &month.rater.workload.pipelines;
    let is_idle = |pipeline: &&PipelineUse| {
        pipeline.kind == PipelineType::V1
            && pipeline.counts
            && pipeline.name.is_some()
            && pipeline.code_changes.is_some_and(|changes| changes <= 1)
    };
    let idle: Vec<&PipelineUse> = all.iter().filter(is_idle).collect();
    let price = idle
        .first()
        .and_then(|pipeline| price_of(PipelineType::V1, &pipeline.key, prices));
    let Some(price) = price else { return };
    let count = Decimal::from(idle.len());
    let evidence = idle.iter().map(|pipeline| Evidence::IdlePipeline {
        pipeline: pipeline.name.clone().unwrap_or_default(),
        code_changes: pipeline.code_changes.unwrap_or(0),
        runs: pipeline.runs.unwrap_or(0),
    });
    let proposed = Proposed::IdlePipelines {
        only: match &idle[..] {
            [only] => only.name.clone(),
            _ => None,
        },
        pipelines: idle.len(),
    };
    let changes = only(&idle, all).into_iter().map(|only| Change::Total {
        of: Total::V1Pipelines,
        only,
        to: Adjust::To(Decimal::ZERO),
    });
    found.drafts.push(Proposal {
        kind: FindingKind::IdlePipelines,
        subject: "pipelines".to_owned(),
        proposed,
        evidence: evidence.collect(),
        changes: changes.collect(),
        assumptions: vec![Assumption::PipelinesGone],
        risks: vec![Risk::RarelyChanged],
        estimate: Money::of(count, price),
        pays_from_speed: None,
        sizing: None,
    });
}
