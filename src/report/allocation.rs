//! A shared bill: whose part is how much, and what belongs to nobody.

use super::{
    Answer, Block, Cell, Document, Note, Table,
    ci_jobs::CiJobs,
    json::Gap,
    value::{Amount, Calendar, Value, object, row},
    words,
};
use crate::domain::{allocation::Allocation, bill::Bill, ci_jobs::MonthJobs};

object! {
    /// A bill shared by a dimension: the parts add up to it.
    pub struct AllocationAnswer = "pipebill.allocation/1" {
        /// The month.
        period: Calendar,
        /// What it is shared by, as `--by` says it.
        by: String,
        /// How free units are shared.
        policy: &'static str,
        /// What every amount is in.
        currency: String,
        /// What the parts come to.
        total: Amount,
        /// What they would come to without free tier.
        list_total: Amount,
        /// Whether everything has a price and nothing is missing.
        complete: bool,
        /// The parts.
        rows: Vec<Share>,
        /// What is missing of the month.
        gaps: Vec<Gap>,
        /// How CI jobs and builds came together; null unless the bill is shared by jobs.
        ci_jobs: Option<CiJobs>,
        /// What a reader should know.
        notes: Vec<Note>,
    }
}

row! {
    /// One part.
    pub struct Share {
        /// The month.
        period: Calendar = file,
        /// What the bill is shared by.
        by: String = file,
        /// Whose it is.
        part: String = shown("Part", 0),
        /// Whether it is what belongs to nobody.
        residual: bool = file,
        /// How many CI jobs ran; null unless the bill is shared by jobs.
        runs: Option<u64> = shown("Runs", 2),
        /// What one of them costs on average; null unless the bill is shared by jobs.
        cost_per_run: Option<Amount> = shown("Per run", 2),
        /// What it costs.
        cost: Amount = shown("Cost", 0),
        /// What it would cost without free tier.
        list_cost: Amount = shown("Without free tier", 1),
        /// What the amounts are in.
        currency: String = file,
        /// How free units are shared.
        policy: &'static str = file,
        /// Whether something in it has no price.
        partial: bool = file,
    }
}

/// Lays out the shares of a bill.
pub fn answer(
    allocation: &Allocation,
    bill: &Bill,
    jobs: Option<&MonthJobs>,
    title: String,
) -> Answer<'static> {
    let money = |amount, is_whole| Amount::of(amount, &bill.currency, is_whole);
    let policy = allocation.policy.name();
    let runs = |share: &crate::domain::allocation::Share| {
        let runs = jobs?.runs.get(&share.part).copied();
        runs.filter(|runs| *runs > 0)
    };
    let share = |share: &crate::domain::allocation::Share| Share {
        period: Calendar(bill.month),
        by: allocation.by.key(),
        part: share.part.clone(),
        residual: share.residual,
        runs: runs(share),
        cost_per_run: runs(share).map(|runs| money(share.cost.per(runs), !share.partial)),
        cost: money(share.cost, !share.partial),
        list_cost: money(share.list_cost, !share.partial),
        currency: bill.currency.to_string(),
        policy,
        partial: share.partial,
    };
    let rows: Vec<Share> = allocation.shares.iter().map(share).collect();
    let total = money(bill.total(), bill.is_complete());
    let list_total = money(bill.list_total(), bill.list_is_complete());
    let mut table = Table::of(&rows);
    table.columns[2].heading = allocation.by.heading();
    let mut sums = vec![Cell::Empty; table.columns.len()];
    sums[2] = Cell::text("Total");
    sums[6] = total.cell();
    sums[7] = list_total.cell();
    table.totals.push(sums);
    if jobs.is_none() {
        // Columns of jobs.
        table.columns.drain(4..6);
        for row in table.rows.iter_mut().chain(&mut table.totals) {
            row.drain(4..6);
        }
    }
    let mut notes = jobs.map_or_else(Vec::new, words::ci_jobs::notes);
    notes.push(words::allocation(allocation.policy));
    notes.extend(words::bill::of_month(bill));
    let blocks = vec![Block::Table(table), Block::Notes(notes.clone())];
    let value = AllocationAnswer {
        period: Calendar(bill.month),
        by: allocation.by.key(),
        policy,
        currency: bill.currency.to_string(),
        total,
        list_total,
        complete: bill.is_complete(),
        rows,
        gaps: bill.gaps.iter().map(Gap::of).collect(),
        ci_jobs: jobs.map(|jobs| CiJobs::of(&jobs.summary)),
        notes,
    };
    Answer::new(Document { title, blocks }, value)
}
