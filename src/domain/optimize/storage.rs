//! Logs that are kept for ever, artifacts that nobody deletes, and what is left of projects and
//! pipelines that no longer run.

use rust_decimal::Decimal;

use super::{FindingKind, Found, PastMonth, Proposal};
use crate::domain::{
    money::Money,
    number::plain,
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
        found.not_compared.insert(
            match told {
                ResourceDetail::NotImported => {
                    "logs and artifacts in storage: the bill was imported before they were read; \
                     import it again"
                }
                _ => {
                    "logs and artifacts in storage: the bill names no resources; a Cost and Usage \
                     Report with resource IDs does"
                }
            }
            .to_owned(),
        );
        return;
    }
    if history.months.last() != Some(&month.rater.workload.month) {
        return;
    }
    if history.months.len() < IN_A_ROW {
        found.not_compared.insert(format!(
            "logs and artifacts in storage: whether they grow or are forgotten shows in {IN_A_ROW} \
             months on record"
        ));
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
    let (noun, work, nouns) = match left {
        StorageKind::Logs => ("log group", "build", "log groups"),
        StorageKind::Artifacts => ("artifact bucket", "pipeline run", "artifact buckets"),
    };
    let title = match &all[..] {
        [] => return,
        [only] => format!("{}: a forgotten {noun}", only.store.name),
        several => format!("{} forgotten {nouns}", several.len()),
    };
    let evidence = |stored: &Stored<'_>| {
        let last = stored.last();
        let worked = match history.last_work(stored.store) {
            Some(month) => format!("last {work} billed in {month}"),
            None => format!(
                "no {work} billed since {}",
                history
                    .months
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            ),
        };
        format!(
            "{}: {} GB for {} a month; {worked}",
            stored.store.name,
            gb(last.stored),
            plain(last.cost.to_cents())
        )
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
        subject: nouns.to_owned(),
        title,
        evidence: Vec::new(),
        changes: Vec::new(),
        assumptions: vec!["All that is stored there is deleted.".to_owned()],
        risks: vec!["Somebody may keep them on purpose, e.g. for an audit.".to_owned()],
        estimate: Money::ZERO,
        pays_from_speed: None,
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
    let (noun, nouns) = match left {
        StorageKind::Logs => ("log group", "log groups"),
        StorageKind::Artifacts => ("artifact bucket", "artifact buckets"),
    };
    let title = match &all[..] {
        [] => return,
        [only] => format!("{}: keep {} days", only.store.name, DAYS[0]),
        several => format!("{} {nouns}: keep {} days", several.len(), DAYS[0]),
    };
    let longer: Money = all
        .iter()
        .filter_map(|stored| saving(stored, DAYS[1]))
        .sum();
    let evidence = |stored: &Stored<'_>| {
        let (first, last) = (stored.months[0], stored.last());
        let taken_in = if last.taken_in.is_zero() {
            String::new()
        } else {
            format!(", {} GB of logs taken in", gb(last.taken_in))
        };
        format!(
            "{}: {} GB for {} a month, {} GB in {}{taken_in}; {} days keep {} GB",
            stored.store.name,
            gb(last.stored),
            plain(last.cost.to_cents()),
            gb(first.stored),
            history
                .months
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            DAYS[0],
            gb(left_over(stored, DAYS[0]).unwrap_or_default())
        )
    };
    let change = |only| Change::Retention { left, only, days };
    let (kind, risk) = match left {
        StorageKind::Logs => (
            FindingKind::LogRetention,
            "Older logs are gone: export first what must be kept.",
        ),
        StorageKind::Artifacts => (
            FindingKind::ArtifactRetention,
            "What a pipeline would deploy again may be gone. In a bucket with versions, the rule must \
             expire old versions too.",
        ),
    };
    let draft = Proposal {
        kind,
        subject: nouns.to_owned(),
        title,
        evidence: vec![format!(
            "stored more in each month on record, so nothing expires; {} days would save {} {}",
            DAYS[1],
            plain(longer.to_cents()),
            found.currency
        )],
        changes: Vec::new(),
        assumptions: vec![format!("No {noun} is read back further than that.")],
        risks: vec![risk.to_owned()],
        estimate: Money::ZERO,
        pays_from_speed: None,
    };
    propose(history, all, draft, evidence, change, found);
}

/// Adds a proposal about some log groups or buckets, the dearest first.
fn propose(
    history: &History,
    mut all: Vec<Stored<'_>>,
    mut draft: Proposal,
    evidence: impl Fn(&Stored<'_>) -> String,
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

fn gb(value: Decimal) -> String {
    plain(value.round_dp(1))
}
