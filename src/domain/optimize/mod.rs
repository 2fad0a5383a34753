//! What would cost less: findings, each a scenario that `whatif` can run.
//!
//! A finding is proposed by one of the files beside this one, from the last month; then it is valued
//! like any scenario, on every month there is. Nothing is proposed at a price that is not known: what
//! could be judged if a price were stated is named instead.
//!
//! | file | looks for |
//! |---|---|
//! | `pipelines.rs` | the cheapest type of every pipeline, all together |
//! | `compute.rs` | ARM, a size down, Lambda, for each project |
//! | `fleets.rs` | reserved fleets, and how many machines |
//! | `waste.rs` | minutes lost to rounding and to failed builds |
//! | `idle.rs` | pipelines that one commit keeps active, free units left over, storage that grows |

mod compute;
mod fleets;
mod idle;
pub mod pipelines;
mod waste;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{
    money::Money,
    number::plain,
    rating::RatingError,
    scenario::{
        Change, Scenario, Spread, Target, Value, Valuer,
        knob::{self, Knob},
        unpriced,
        workload::Facts,
    },
};

/// What kind of saving it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Pipelines of the other type.
    PipelineTypes,
    /// ARM in place of x86.
    Arm,
    /// A smaller machine.
    Smaller,
    /// Lambda compute.
    Lambda,
    /// A reserved fleet.
    Fleet,
    /// Minutes lost to rounding.
    Rounding,
    /// Builds that failed.
    Failed,
    /// Pipelines that hardly anything runs through.
    Idle,
    /// Storage that only grows.
    Storage,
}

impl Kind {
    /// Returns its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::PipelineTypes => "pipeline-types",
            Self::Arm => "arm",
            Self::Smaller => "smaller",
            Self::Lambda => "lambda",
            Self::Fleet => "fleet",
            Self::Rounding => "rounding",
            Self::Failed => "failed",
            Self::Idle => "idle",
            Self::Storage => "storage",
        }
    }
}

/// A change worth making.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of saving.
    pub kind: Kind,
    /// What to do, in a line.
    pub title: String,
    /// The scenario behind it.
    pub scenario: Scenario,
    /// What it saves in a month.
    pub saving: Spread,
    /// What it saves in the last month.
    pub last_month: Money,
    /// From how many months that is known.
    pub months: usize,
    /// The speed from which on it pays; none where speed does not matter or it always pays.
    pub break_even_speed: Option<Decimal>,
    /// What it rests on.
    pub evidence: Vec<String>,
    /// What the figures assume.
    pub assumptions: Vec<String>,
    /// What could break.
    pub risks: Vec<String>,
    /// Other findings about the same usage, by their place in the ranking from 1: their savings do not
    /// add up.
    pub overlaps: Vec<usize>,
}

/// Something that cannot be judged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct NotJudged {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// What a look through the usage brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Optimization {
    /// What is worth doing, the largest saving first.
    pub findings: Vec<Finding>,
    /// What cannot be judged.
    pub not_judged: Vec<NotJudged>,
    /// What costs or is left over without a scenario of its own.
    pub observations: Vec<String>,
    /// How many further changes would save something, too little to be valued on every month.
    pub smaller: usize,
}

/// A proposal, not yet valued.
struct Candidate {
    kind: Kind,
    title: String,
    changes: Vec<Change>,
    /// The lots it touches; none where it is about more than builds.
    lots: Option<Vec<usize>>,
    /// What else it touches, to find overlaps.
    touches: Vec<usize>,
    evidence: Vec<String>,
    assumptions: Vec<String>,
    risks: Vec<String>,
}

/// What the finders look at.
struct Look<'a> {
    valuer: &'a Valuer<'a>,
    facts: &'a Facts,
    before: &'a Value,
    candidates: Vec<Candidate>,
    not_judged: BTreeSet<NotJudged>,
    observations: Vec<String>,
}

/// The most findings that are valued on every month.
const MOST: usize = 40;

/// Looks through months of usage, the last one first and foremost.
pub fn optimize(months: &[Valuer<'_>], facts: &Facts) -> Result<Optimization, RatingError> {
    let Some(last) = months.last() else {
        return Ok(Optimization::default());
    };
    let before = last.value(&[])?;
    let mut look = Look {
        valuer: last,
        facts,
        before: &before,
        candidates: Vec::new(),
        not_judged: BTreeSet::new(),
        observations: Vec::new(),
    };
    look.pipeline_types();
    look.compute();
    look.fleets();
    look.rounding();
    look.failed();
    look.idle();
    look.storage(months);
    look.left_over();
    let Look {
        candidates,
        mut not_judged,
        observations,
        ..
    } = look;
    let known = unpriced(&before);
    let mut saving: Vec<(Money, Candidate)> = Vec::new();
    for candidate in candidates {
        let changes: Vec<&Change> = candidate.changes.iter().collect();
        let after = match &candidate.lots {
            Some(lots) => last.value_of_few(&changes, lots)?,
            None => last.value(&changes)?,
        };
        let new: Vec<String> = unpriced(&after)
            .into_iter()
            .filter(|text| !known.contains(text))
            .collect();
        if !new.is_empty() {
            not_judged.insert(NotJudged {
                what: candidate.title,
                why: new.join("; "),
            });
            continue;
        }
        let saved = before.bill.total() - after.bill.total();
        if saved.to_cents() > Decimal::ZERO {
            saving.push((saved, candidate));
        }
    }
    saving.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.title.cmp(&b.1.title)));
    let smaller = saving.len().saturating_sub(MOST);
    saving.truncate(MOST);
    let baselines = months
        .iter()
        .map(|valuer| valuer.total(&[]))
        .collect::<Result<Vec<Money>, RatingError>>()?;
    let mut valued: Vec<(Finding, BTreeSet<usize>)> = Vec::new();
    for (saved, candidate) in saving {
        let touches = candidate
            .lots
            .iter()
            .flatten()
            .chain(&candidate.touches)
            .copied()
            .collect();
        if let Some(finding) = value(months, &baselines, saved, candidate)? {
            valued.push((finding, touches));
        }
    }
    valued.sort_by(|(a, _), (b, _)| {
        b.saving
            .p50
            .cmp(&a.saving.p50)
            .then_with(|| a.title.cmp(&b.title))
    });
    let touched: Vec<BTreeSet<usize>> = valued.iter().map(|(_, touches)| touches.clone()).collect();
    let mut findings: Vec<Finding> = valued.into_iter().map(|(finding, _)| finding).collect();
    for (at, finding) in findings.iter_mut().enumerate() {
        finding.overlaps = touched
            .iter()
            .enumerate()
            .filter(|(other, lots)| *other != at && !lots.is_disjoint(&touched[at]))
            .map(|(other, _)| other + 1)
            .collect();
    }
    Ok(Optimization {
        findings,
        not_judged: not_judged.into_iter().collect(),
        observations,
        smaller,
    })
}

/// Values a candidate on every month; none if it saves nothing in the usual one.
fn value(
    months: &[Valuer<'_>],
    baselines: &[Money],
    last_month: Money,
    candidate: Candidate,
) -> Result<Option<Finding>, RatingError> {
    let scenario = Scenario {
        name: candidate.title.clone(),
        note: None,
        changes: candidate.changes,
    };
    let mut savings = Vec::new();
    for (valuer, before) in months.iter().zip(baselines) {
        savings.push(*before - valuer.total_of(&scenario)?);
    }
    let count = savings.len();
    let saving = Spread::of(savings);
    if saving.p50.to_cents() <= Decimal::ZERO {
        return Ok(None);
    }
    let is_move = scenario.changes.iter().any(|change| {
        matches!(
            change,
            Change::Compute {
                to: Target::OnDemand(_),
                ..
            }
        )
    });
    let last = &months[months.len() - 1..];
    let break_even_speed = if is_move {
        let range = knob::usual_range(&Knob::Speed, last);
        let even = knob::break_even(last, &scenario, &Knob::Speed, range)?;
        even.crossings
            .iter()
            .find(|crossing| crossing.pays)
            .map(|crossing| crossing.at)
    } else {
        None
    };
    Ok(Some(Finding {
        kind: candidate.kind,
        title: candidate.title,
        scenario,
        saving,
        last_month,
        months: count,
        break_even_speed,
        evidence: candidate.evidence,
        assumptions: candidate.assumptions,
        risks: candidate.risks,
        overlaps: Vec::new(),
    }))
}

/// Builds of one project on one compute type in one account and region.
struct Project {
    name: String,
    compute: usize,
    lots: Vec<usize>,
    units: Decimal,
    builds: u64,
}

impl Look<'_> {
    /// Returns the builds of the month by project and compute type, in order.
    fn projects(&self) -> Vec<Project> {
        let workload = self.valuer.workload;
        let quantities = self.valuer.quantities();
        let mut found: BTreeMap<_, Project> = BTreeMap::new();
        for (at, lot) in workload.lots.iter().enumerate() {
            let computes = &self.valuer.catalog.computes;
            let compute = computes.iter().position(|c| c.meter == lot.key.meter);
            let (Some(compute), Some(name)) = (compute, lot.name()) else {
                continue;
            };
            let key = (
                name.clone(),
                lot.key.account.clone(),
                lot.key.region.clone(),
                compute,
            );
            let project = found.entry(key).or_insert_with(|| Project {
                name,
                compute,
                lots: Vec::new(),
                units: Decimal::ZERO,
                builds: 0,
            });
            project.lots.push(at);
            project.units += quantities[at];
            project.builds += lot.builds.len() as u64;
        }
        found.into_values().collect()
    }

    fn not_judged(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.not_judged.insert(NotJudged {
            what: what.into(),
            why: why.into(),
        });
    }
}

/// Returns a part of a whole in percent, in words.
fn percent(part: Decimal, of: Decimal) -> String {
    let share = part.checked_div(of).unwrap_or_default() * Decimal::ONE_HUNDRED;
    format!("{} %", plain(share.round_dp(1)))
}
