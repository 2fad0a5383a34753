//! Logs that are kept for ever, artifacts that nobody deletes, and what is left of projects and
//! pipelines that no longer run.

use rust_decimal::Decimal;

use super::{
    Assumption, Evidence, FindingKind, Found, NotCompared, PastMonth, Proposal, Proposed, Risk,
};
use crate::domain::{
    money::Money,
    pattern::Pattern,
    scenario::{Change, Selector, Term},
    storage::{History, IN_A_ROW, InMonth, ResourceDetail, StorageKind, Store},
};

/// For how long logs and artifacts might be kept, and a longer time to compare with.
const DAYS: [u32; 2] = [30, 90];

/// What is stored may move by a hundredth: bills round each day's part.
const STILL: Decimal = Decimal::from_parts(101, 0, 0, false, 2);

/// A log group or bucket in the last month.
struct Stored<'h> {
    store: &'h Store,
    months: &'h [InMonth],
    /// What would be saved a month.
    saving: Money,
}

impl Stored<'_> {
    fn last(&self) -> InMonth {
        self.months.last().copied().unwrap_or_default()
    }
}

/// Looks for storage that need not be.
pub(super) fn find(month: &PastMonth<'_>, history: &History, found: &mut Found) {
    // Stated usage has none.
    let Some(told) = history.told else { return };
    if told != ResourceDetail::Present {
        found.not_compared.insert(match told {
            ResourceDetail::NotImported => NotCompared::StorageNotImported,
            _ => NotCompared::StorageNotInExport,
        });
        return;
    }
    if history.months.last() != Some(&month.rater.workload.month) {
        return;
    }
    if history.months.len() < IN_A_ROW {
        found
            .not_compared
            .insert(NotCompared::StorageMonths { needed: IN_A_ROW });
        return;
    }
    for left in [StorageKind::Logs, StorageKind::Artifacts] {
        forgotten(history, left, found);
        retention(history, left, found);
    }
}

fn of(history: &History, left: StorageKind) -> impl Iterator<Item = Stored<'_>> {
    let of_kind = history.stores.iter().filter(move |(s, _)| s.kind == left);
    let stored = of_kind.map(|(store, months)| Stored {
        store,
        months,
        saving: months.last().map_or(Money::ZERO, |month| month.cost),
    });
    stored.filter(|stored| stored.saving > Money::ZERO)
}

/// Nothing was built or run in the last months, nothing came in, and what is there is paid for.
fn forgotten(history: &History, left: StorageKind, found: &mut Found) {
    let first = history.months[history.months.len() - IN_A_ROW];
    let is_forgotten = |stored: &Stored<'_>| {
        let recent = &stored.months[stored.months.len() - IN_A_ROW..];
        let is_quiet = recent.iter().all(|month| month.taken_in.is_zero())
            && recent.iter().all(|month| !month.stored.is_zero())
            && stored.last().stored <= recent[0].stored * STILL;
        // Other log groups and buckets may have users that no bill names.
        let is_known = match left {
            StorageKind::Logs => stored.store.project().is_some(),
            StorageKind::Artifacts => stored.store.name.starts_with("codepipeline-"),
        };
        let worked = history.last_work(stored.store);
        is_quiet && is_known && worked.is_none_or(|month| month < first)
    };
    let all: Vec<Stored<'_>> = of(history, left).filter(is_forgotten).collect();
    if all.is_empty() {
        return;
    }
    let evidence = |stored: &Stored<'_>| {
        let last = stored.last();
        Evidence::Forgotten {
            kind: left,
            store: stored.store.name.clone(),
            gb: last.stored,
            cost: last.cost,
            last_work: history.last_work(stored.store),
            since: history.months.first().copied(),
        }
    };
    let change = |only| Change::Storage {
        left,
        only,
        times: Decimal::ZERO,
    };
    let kind = match left {
        StorageKind::Logs => FindingKind::ForgottenLogs,
        StorageKind::Artifacts => FindingKind::ForgottenArtifacts,
    };
    let draft = Proposal {
        kind,
        subject: nouns(left).to_owned(),
        proposed: Proposed::Forgotten {
            kind: left,
            only: name_of_only(&all),
            stores: all.len(),
        },
        evidence: Vec::new(),
        changes: Vec::new(),
        assumptions: vec![Assumption::AllDeleted],
        risks: vec![Risk::KeptOnPurpose],
        estimate: Money::ZERO,
        pays_from_speed: None,
        sizing: None,
    };
    propose(history, all, draft, evidence, change, found);
}

/// What grew from month to month, and would not if it expired.
fn retention(history: &History, left: StorageKind, found: &mut Found) {
    let days = Decimal::from(DAYS[0]);
    let left_over = |stored: &Stored<'_>, days: u32| {
        let a_day = history.daily_growth(stored.store)?;
        a_day.kept(stored.last().stored, Decimal::from(days))
    };
    let saving = |stored: &Stored<'_>, days: u32| {
        let last = stored.last();
        let share = left_over(stored, days)?.checked_div(last.stored)?;
        Some(last.cost - Money::of(last.cost.amount(), share))
    };
    let mut all = Vec::new();
    for mut stored in of(history, left).filter(|stored| history.grows(stored.store)) {
        stored.saving = saving(&stored, DAYS[0]).unwrap_or_default();
        if stored.saving > Money::ZERO {
            all.push(stored);
        }
    }
    if all.is_empty() {
        return;
    }
    let longer: Money = all
        .iter()
        .filter_map(|stored| saving(stored, DAYS[1]))
        .sum();
    let evidence = |stored: &Stored<'_>| {
        let (first, last) = (stored.months[0], stored.last());
        Evidence::Growth {
            store: stored.store.name.clone(),
            gb: last.stored,
            cost: last.cost,
            first_gb: first.stored,
            first: history.months.first().copied(),
            ingested: last.taken_in,
            days: DAYS[0],
            kept: left_over(stored, DAYS[0]).unwrap_or_default(),
        }
    };
    let change = |only| Change::Retention { left, only, days };
    let kind = match left {
        StorageKind::Logs => FindingKind::LogRetention,
        StorageKind::Artifacts => FindingKind::ArtifactRetention,
    };
    let draft = Proposal {
        kind,
        subject: nouns(left).to_owned(),
        proposed: Proposed::Retention {
            kind: left,
            only: name_of_only(&all),
            stores: all.len(),
            days: DAYS[0],
        },
        evidence: vec![Evidence::Growing {
            days: DAYS[1],
            saving: longer,
        }],
        changes: Vec::new(),
        assumptions: vec![Assumption::NotReadLater(left)],
        risks: vec![Risk::Expired(left)],
        estimate: Money::ZERO,
        pays_from_speed: None,
        sizing: None,
    };
    propose(history, all, draft, evidence, change, found);
}

/// Adds a proposal about some log groups or buckets, the dearest first.
fn propose(
    history: &History,
    mut all: Vec<Stored<'_>>,
    mut draft: Proposal,
    evidence: impl Fn(&Stored<'_>) -> Evidence,
    change: impl Fn(Selector) -> Change,
    found: &mut Found,
) {
    all.sort_by(|a, b| (b.saving, a.store).cmp(&(a.saving, b.store)));
    draft.estimate = all.iter().map(|stored| stored.saving).sum();
    if draft.estimate < found.least {
        found.small += u64::from(draft.estimate > Money::ZERO);
        return;
    }
    draft.evidence.extend(all.iter().map(evidence));
    let stores: Vec<&Store> = all.iter().map(|stored| stored.store).collect();
    draft.changes = only(&stores, history).into_iter().map(change).collect();
    found.drafts.push(draft);
}

/// Means these log groups or buckets and no other: by name, and those whose name is not theirs alone
/// by place.
fn only(meant: &[&Store], history: &History) -> Vec<Selector> {
    let (mut names, mut selectors) = (Vec::new(), Vec::new());
    for store in meant {
        let pattern = Pattern::exactly(&store.name);
        let others = history
            .stores
            .keys()
            .filter(|other| other.kind == store.kind);
        if others.filter(|other| pattern.matches(&other.name)).count() <= 1 {
            names.push(store.name.as_str());
            continue;
        }
        let mut terms = vec![Term::Resource(pattern)];
        if let Some(account) = &store.account {
            terms.push(Term::Account(Pattern(account.to_string())));
        }
        terms.push(Term::Region(Pattern(store.region.to_string())));
        selectors.push(Selector { terms });
    }
    if !names.is_empty() {
        names.sort_unstable();
        selectors.push(Selector {
            terms: vec![Term::Resource(Pattern::any_of(names))],
        });
    }
    selectors
}

/// Returns the name of a log group or bucket, if it is one.
fn name_of_only(all: &[Stored<'_>]) -> Option<String> {
    match all {
        [only] => Some(only.store.name.clone()),
        _ => None,
    }
}

/// What files call log groups and buckets.
fn nouns(kind: StorageKind) -> &'static str {
    match kind {
        StorageKind::Logs => "log groups",
        StorageKind::Artifacts => "artifact buckets",
    }
}
