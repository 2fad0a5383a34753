//! Which changes would save money? Every answer is a scenario, and what it saves is that scenario rated
//! in full.
//!
//! | file | what it looks for |
//! |---|---|
//! | `pipelines.rs`, `split.rs` | the cheapest split of pipelines between V1 and V2; pipelines that one change keeps active |
//! | `compute.rs`, `slowdown.rs` | ARM, smaller machines, Lambda; how slow builds may become there |
//! | `need.rs`, `sizing.rs` | memory and speed, from what builds were measured to use |
//! | `larger.rs` | machines whose memory is nearly full |
//! | `fleets.rs` | the cheapest size of a reserved fleet |
//! | `combine.rs` | which findings go together best |
//! | `storage.rs` | logs and artifacts without an end, or forgotten |
//! | `waste.rs` | rounding, retries, queues, free units that nobody uses |
//! | `reason.rs` | what a finding rests on, assumes and risks |
//! | `prices.rs`, `projects.rs` | what a change is worth before it is rated; builds by project |
//!
//! The last month decides what is proposed. Each proposal is then rated on every month of the past, and
//! the spread of its savings is what a month may bring.

pub mod combine;
mod compute;
pub mod fleets;
mod larger;
mod need;
mod pipelines;
mod prices;
mod projects;
mod reason;
mod sizing;
pub mod slowdown;
pub mod split;
mod storage;
mod together;
mod waste;

use self::{
    need::Needs,
    together::{overlaps, together, touches},
};
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use reason::{Assumption, Billing, Evidence, NotCompared, Observation, Proposed, Risk, Worth};
pub use sizing::{Memory, Refused, Sizing, Speed};

use super::{
    catalog::Compute,
    ids::{Currency, Meter, Region, ServiceCode},
    money::Money,
    percentiles::Percentiles,
    period::Month,
    price_book::PriceBook,
    rating::RatingError,
    scenario::{
        Change, Scenario, ScenarioRater, unpriced,
        workload::{MonthEvents, UsageGroup},
    },
    storage::History,
};

/// The most proposals that are rated in full; the best by a first estimate are.
const MOST_RATED: usize = 200;

/// A month that is looked through.
#[derive(Debug)]
pub struct PastMonth<'a> {
    /// Its usage, ready to be rated under scenarios.
    pub rater: ScenarioRater<'a>,
    /// What AWS's APIs say of it.
    pub facts: &'a MonthEvents,
    /// Its prices.
    pub book: PriceBook<'a>,
    /// Services of it that are known by their costs alone.
    pub costs_only: BTreeSet<&'a ServiceCode>,
}

/// Says what each of some scenarios saves in months to come; none of those it cannot say it of.
pub type Ahead<'f> = dyn Fn(&[&[Change]]) -> Vec<Option<Percentiles>> + 'f;

/// What kind of change a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FindingKind {
    /// Pipelines of the dearer type.
    PipelineTypes,
    /// Pipelines that hardly anything runs through.
    IdlePipelines,
    /// Builds that could run on ARM.
    Arm,
    /// Builds on a larger machine than they may need.
    Downsize,
    /// Builds that nearly fill the memory of their machine.
    Upsize,
    /// Short builds that could be billed by the second.
    Lambda,
    /// Builds that keep a machine of their own busy.
    Fleet,
    /// Builds that end just after a minute has begun.
    Rounding,
    /// Builds that fail and are tried again.
    Retries,
    /// Logs that nothing deletes.
    LogRetention,
    /// Logs of projects that no longer build.
    ForgottenLogs,
    /// Artifacts that nothing deletes.
    ArtifactRetention,
    /// Artifacts of pipelines that no longer run.
    ForgottenArtifacts,
}

impl FindingKind {
    /// Returns the name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::PipelineTypes => "pipeline-types",
            Self::IdlePipelines => "idle-pipelines",
            Self::Arm => "arm",
            Self::Downsize => "downsize",
            Self::Upsize => "upsize",
            Self::Lambda => "lambda",
            Self::Fleet => "fleet",
            Self::Rounding => "rounding",
            Self::Retries => "retries",
            Self::LogRetention => "log-retention",
            Self::ForgottenLogs => "forgotten-logs",
            Self::ArtifactRetention => "artifact-retention",
            Self::ForgottenArtifacts => "forgotten-artifacts",
        }
    }
}

/// A change that would have saved money.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What kind of change.
    pub kind: FindingKind,
    /// The project, the pipelines or the compute type.
    pub subject: String,
    /// The change.
    pub proposed: Proposed,
    /// What it rests on: numbers of the last month.
    pub evidence: Vec<Evidence>,
    /// What a month saves: P10, P50 and P90 over [`Optimization::months`], or over futures.
    pub saving: Percentiles,
    /// [`Finding::saving`] is over months to come.
    pub of_future: bool,
    /// What each month would have saved, in their order.
    pub by_month: Vec<Money>,
    /// The least speed on the new compute type at which the last month would not have cost more, to a
    /// cent, and at which every build ends within Lambda's limit; 0.8 is a quarter longer. None where
    /// builds are not known one by one or nothing moves.
    pub min_speed: Option<Decimal>,
    /// What the choice of the machine rests on; none where memory and processors are no fewer.
    pub sizing: Option<Sizing>,
    /// Rated build by build; else on totals of a bill.
    pub build_by_build: bool,
    /// What the saving assumes.
    pub assumptions: Vec<Assumption>,
    /// What could break.
    pub risks: Vec<Risk>,
    /// The change as `pipebill whatif` runs it.
    pub scenario: Scenario,
    /// Which findings, by their place in the list, change the same usage: their savings do not add up.
    pub overlaps: Vec<usize>,
    /// The oldest day of the price lists that the saving rests on.
    pub oldest_price: Option<NaiveDate>,
}

/// Findings that go together, rated as one scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BestCombination {
    /// Which, by their place in the list: of all combinations without an overlap, the one whose savings
    /// (P50) add up to the most.
    pub findings: Vec<usize>,
    /// No other combination adds up to more; else none was found in time.
    pub proven: bool,
    /// What a month saves.
    pub saving: Percentiles,
    /// All of their changes.
    pub scenario: Scenario,
}

/// Everything that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Optimization {
    /// What amounts are in.
    pub currency: Currency,
    /// The months looked through, in order; the last one decided what is proposed.
    pub months: Vec<Month>,
    /// What the last month costs, with its logs and artifacts in storage; charges other than usage are
    /// left out.
    pub cost: Money,
    /// All of it is priced.
    pub complete: bool,
    /// Savings are over months to come, but for those of storage.
    pub ahead: bool,
    /// Builds of the last month known one by one.
    pub builds: u64,
    /// The findings, the largest P50 first.
    pub findings: Vec<Finding>,
    /// The best of them that go together; none if there are fewer than two.
    pub best_combination: Option<BestCombination>,
    /// Larger machines for builds that nearly fill their memory, the fullest first. They cost more: their
    /// savings are below zero, and no sum has them.
    pub larger: Vec<Finding>,
    /// Machines that would cost less and lack memory, the largest saving first.
    pub refused: Vec<Refused>,
    /// What could not be compared, and what is missing: a price, usually.
    pub not_compared: Vec<NotCompared>,
    /// What is lost without being on the bill, and what is free and unused.
    pub observations: Vec<Observation>,
    /// Findings that would save less than the least that was asked for.
    pub below_min_saving: u64,
    /// Proposals that were not rated, being far down the list.
    pub unrated: usize,
}

/// A proposal.
#[derive(Debug)]
pub(super) struct Proposal {
    kind: FindingKind,
    subject: String,
    proposed: Proposed,
    evidence: Vec<Evidence>,
    changes: Vec<Change>,
    assumptions: Vec<Assumption>,
    risks: Vec<Risk>,
    /// About what it would have saved in the last month.
    estimate: Money,
    pays_from_speed: Option<Decimal>,
    sizing: Option<Sizing>,
}

/// A compute type whose price is not known somewhere.
#[derive(Debug)]
struct Unpriced {
    meter: Meter,
    regions: BTreeSet<Region>,
    projects: u64,
}

/// A compute type that is not sold somewhere: where, and the day of the list that says so.
type NotOffered = BTreeMap<String, (BTreeSet<Region>, NaiveDate)>;

/// What the searches found.
#[derive(Debug)]
struct Found {
    least: Money,
    drafts: Vec<Proposal>,
    /// What has no price, by compute type.
    unpriced: BTreeMap<String, Unpriced>,
    /// What is not sold, by compute type.
    not_offered: NotOffered,
    /// Fleets without a price, each with the price below which it would pay.
    fleets: Vec<(Decimal, NotCompared)>,
    larger: Vec<Proposal>,
    refused: Vec<Refused>,
    not_compared: BTreeSet<NotCompared>,
    observations: Vec<Observation>,
    small: u64,
}

impl Found {
    /// Notes that a project could not be compared for want of a price.
    fn unpriced(&mut self, compute: &Compute, region: &Region) {
        let known = self.unpriced.entry(compute.name.clone());
        let known = known.or_insert_with(|| Unpriced {
            meter: compute.meter.clone(),
            regions: BTreeSet::new(),
            projects: 0,
        });
        known.regions.insert(region.clone());
        known.projects += 1;
    }

    /// Notes that AWS does not sell a compute type in a region.
    fn not_offered(&mut self, compute: &Compute, region: &Region, listed: NaiveDate) {
        let known = self.not_offered.entry(compute.name.clone());
        let (regions, _) = known.or_insert_with(|| (BTreeSet::new(), listed));
        regions.insert(region.clone());
    }

    fn refused(&mut self) -> Vec<Refused> {
        let mut all = std::mem::take(&mut self.refused);
        all.sort_by(|a, b| (b.saving, &a.proposed).cmp(&(a.saving, &b.proposed)));
        all
    }

    fn not_compared(&mut self) -> Vec<NotCompared> {
        let mut all: Vec<NotCompared> =
            std::mem::take(&mut self.not_compared).into_iter().collect();
        let unpriced = std::mem::take(&mut self.unpriced).into_iter();
        all.extend(unpriced.map(|(compute, unpriced)| NotCompared::Unpriced {
            compute,
            regions: unpriced.regions,
            projects: unpriced.projects,
            usage_type: unpriced.meter.usage_type,
        }));
        let not_offered = std::mem::take(&mut self.not_offered).into_iter();
        all.extend(
            not_offered.map(|(compute, (regions, listed))| NotCompared::NotOffered {
                compute,
                regions,
                listed,
            }),
        );
        let mut fleets = std::mem::take(&mut self.fleets);
        fleets.sort_by(|a, b| b.cmp(a));
        all.extend(fleets.into_iter().map(|(_, fleet)| fleet));
        all
    }
}

/// Looks through months, in order of time, for changes that save at least so much a month.
pub fn optimize(
    months: &[PastMonth<'_>],
    storage: &History,
    least: Money,
    ahead: Option<&Ahead<'_>>,
) -> Result<Option<Optimization>, RatingError> {
    let Some(latest) = months.last() else {
        return Ok(None);
    };
    // What saves nothing is no finding, however little is asked for.
    let least = least.max(Money::new(Decimal::new(1, 6)));
    let mut found = Found {
        least,
        drafts: Vec::new(),
        unpriced: BTreeMap::new(),
        not_offered: BTreeMap::new(),
        fleets: Vec::new(),
        larger: Vec::new(),
        refused: Vec::new(),
        not_compared: BTreeSet::new(),
        observations: Vec::new(),
        small: 0,
    };
    search(latest, &Needs::of(months), storage, &mut found);
    let mut drafts = std::mem::take(&mut found.drafts);
    drafts
        .sort_by(|a, b| (b.estimate, a.kind, &a.proposed).cmp(&(a.estimate, b.kind, &b.proposed)));
    let unrated = drafts.len().saturating_sub(MOST_RATED);
    drafts.truncate(MOST_RATED);
    let mut before = Vec::new();
    for month in months {
        before.push(month.rater.value(&[])?);
    }
    let mut findings = Vec::new();
    for draft in drafts {
        match rated(draft, months, &before)? {
            Rated::Saves(finding) => findings.push(*finding),
            Rated::Unknown(what) => {
                found.not_compared.insert(what);
            }
        }
    }
    let mut larger = Vec::new();
    for draft in std::mem::take(&mut found.larger)
        .into_iter()
        .take(MOST_RATED)
    {
        match rated(draft, months, &before)? {
            Rated::Saves(finding) => larger.push(*finding),
            Rated::Unknown(what) => {
                found.not_compared.insert(what);
            }
        }
    }
    if let Some(ahead) = ahead {
        let changes: Vec<&[Change]> = findings.iter().map(|f| &*f.scenario.changes).collect();
        let savings = ahead(&changes);
        for (finding, saving) in findings.iter_mut().zip(savings) {
            finding.saving = saving.unwrap_or(finding.saving);
            finding.of_future = saving.is_some();
        }
    }
    let proposed = findings.len();
    findings.retain(|finding| finding.saving.p50 >= least);
    found.small += (proposed - findings.len()) as u64;
    sizing::rank(&mut findings);
    overlaps(&mut findings, latest);
    let together = together(&findings, months, &before, ahead)?;
    let cost = before.last().map(|value| value.bill.total());
    Ok(Some(Optimization {
        currency: latest.rater.workload.currency.clone(),
        months: months
            .iter()
            .map(|month| month.rater.workload.month)
            .collect(),
        cost: cost.unwrap_or_default(),
        complete: before.iter().all(super::scenario::Value::is_complete)
            && latest.costs_only.is_empty(),
        ahead: ahead.is_some(),
        builds: latest.rater.workload.builds,
        findings,
        best_combination: together,
        larger,
        refused: found.refused(),
        not_compared: found.not_compared(),
        observations: found.observations,
        below_min_saving: found.small,
        unrated,
    }))
}

fn search(month: &PastMonth<'_>, needs: &Needs<'_>, storage: &History, found: &mut Found) {
    let prices = prices::Prices::of(month);
    let projects = projects::projects(month, &prices);
    pipelines::find(month, &prices, found);
    compute::find(&projects, needs, &prices, month.rater.catalog, found);
    larger::find(&projects, needs, &prices, month.rater.catalog, found);
    fleets::find(month, &projects, &prices, found);
    waste::find(month, &projects, &prices, found);
    storage::find(month, storage, found);
}

/// What became of a proposal.
enum Rated {
    Saves(Box<Finding>),
    /// Something in it has no price.
    Unknown(NotCompared),
}

/// Rates a proposal on every month.
fn rated(
    draft: Proposal,
    months: &[PastMonth<'_>],
    before: &[super::scenario::Value],
) -> Result<Rated, RatingError> {
    let changes: Vec<&Change> = draft.changes.iter().collect();
    let mut by_month = Vec::with_capacity(months.len());
    let mut oldest_price: Option<NaiveDate> = None;
    let mut risks = draft.risks;
    let mut assumptions = draft.assumptions;
    for (month, before) in months.iter().zip(before) {
        let after = month.rater.value(&changes)?;
        let was = unpriced(before);
        if let Some(new) = unpriced(&after).difference(&was).next() {
            return Ok(Rated::Unknown(NotCompared::Proposal {
                proposed: draft.proposed,
                unknown: new.clone(),
            }));
        }
        by_month.push(before.bill.total() - after.bill.total());
        oldest_price = oldest_price
            .into_iter()
            .chain(after.bill.oldest_price())
            .min();
        if by_month.len() == months.len() {
            let applied = after.applied;
            risks.extend(applied.warnings.into_iter().map(Risk::Scenario));
            assumptions.extend(applied.assumptions.into_iter().map(Assumption::Scenario));
        }
    }
    assumptions = sizing::without_doubles(assumptions, draft.kind);
    let last = months.last().map(|month| &month.rater);
    let build_by_build = last.is_some_and(|rater| {
        let touched = |group: &&UsageGroup| {
            let touches = |change: &&Change| touches(change, group, rater.catalog);
            changes.iter().any(touches)
        };
        let mut groups = rater.workload.groups.iter().filter(touched);
        groups.any(|group| !group.builds.is_empty())
    }) || months.last().is_some_and(|month| {
        let of_pipelines = matches!(
            draft.kind,
            FindingKind::PipelineTypes | FindingKind::IdlePipelines
        );
        of_pipelines && !month.facts.pipelines.is_empty()
    });
    Ok(Rated::Saves(Box::new(Finding {
        kind: draft.kind,
        scenario: Scenario {
            name: format!("{} {}", draft.kind.name(), draft.subject),
            note: None,
            changes: draft.changes,
        },
        subject: draft.subject,
        proposed: draft.proposed,
        evidence: draft.evidence,
        saving: Percentiles::of(by_month.clone()),
        of_future: false,
        by_month,
        min_speed: draft.pays_from_speed,
        sizing: draft.sizing,
        build_by_build,
        assumptions,
        risks,
        overlaps: Vec::new(),
        oldest_price,
    })))
}
