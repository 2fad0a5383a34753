//! What an import brought: files read, months replaced, and everything that was not kept, by name.

use std::path::Path;

use super::{
    Answer, Block, Document, Note, Table,
    value::{Amount, Calendar, Day, Known, object, row},
    words::imported as words,
};
use crate::domain::{
    export::ImportedPeriod,
    ids::Currency,
    import::{Delivery, JobsKept, Replaced},
    money::Money,
};

object! {
    /// What an import brought.
    pub struct ImportAnswer = "pipebill.import/1" {
        /// The months it put into the ledger.
        rows: Vec<ImportedMonth>,
        /// The CI jobs it put into the ledger, by repository.
        ci_jobs: Vec<ImportedJobs>,
        /// What a reader should know: the files, and everything that was not kept.
        notes: Vec<Note>,
    }
}

row! {
    /// One month of one source.
    pub struct ImportedMonth {
        /// What kind of export it is from.
        kind: String = shown("Kind", 1),
        /// The payer or source.
        source: String = shown("Payer or source", 2),
        /// The month.
        month: Calendar = shown("Month", 0),
        /// How many records it has now.
        records: u64 = shown("Records", 0),
        /// What they cost; null in several currencies.
        cost: Known<Amount> = shown("Cost", 0),
        /// What the costs are in.
        currency: Option<String> = file,
        /// How many records it had; null if it is new or unchanged.
        records_before: Option<u64> = shown("Before", 4),
        /// What they cost.
        cost_before: Option<Known<Amount>> = shown("Cost before", 3),
        /// new, replaced, replaced by less or unchanged.
        status: &'static str = shown("", 0),
    }
}

row! {
    /// The CI jobs of one repository.
    pub struct ImportedJobs {
        /// The repository.
        repository: String = shown("Repository", 0),
        /// How many there are in the files.
        jobs: u64 = shown("Jobs", 0),
        /// Of them not known before.
        new: u64 = shown("New", 1),
        /// Of them known, and different now.
        changed: u64 = shown("Changed", 2),
        /// The first day of them.
        from: Option<Day> = shown("From", 0),
        /// The last day of them.
        to: Option<Day> = shown("To", 0),
    }
}

/// Lays out an import.
pub fn answer(
    delivery: &Delivery,
    replaced: &[Replaced],
    jobs: &[JobsKept],
    quarantine: Option<&Path>,
) -> Answer<'static> {
    let mut rows = Vec::new();
    for month in replaced {
        let currency = currency_of(delivery, month);
        let status = match (month.unchanged, month.rows_before) {
            (true, _) => "unchanged",
            _ if month.larger_before.is_some() => "replaced by less",
            (false, 0) => "new",
            (false, _) => "replaced",
        };
        let before = month.rows_before > 0 && !month.unchanged;
        rows.push(ImportedMonth {
            kind: month.kind.to_string(),
            source: month.source.clone(),
            month: Calendar(month.month),
            records: month.rows_after,
            cost: cost(month.cost_after, currency),
            currency: currency.map(ToString::to_string),
            records_before: before.then_some(month.rows_before),
            cost_before: before.then(|| cost(month.cost_before, currency)),
            status,
        });
    }
    let smaller = replaced.iter();
    let mut notes: Vec<Note> = smaller
        .filter_map(|it| Some(words::smaller(it.month, it.larger_before.as_ref()?)))
        .collect();
    notes.extend(delivery.slices.iter().filter_map(words::reach_unknown));
    notes.extend(delivery.files.iter().map(words::file));
    notes.extend(words::other_services(&delivery.other_services()));
    notes.extend(delivery.notes.iter().map(|text| words::reading(text)));
    notes.extend(quarantine.map(words::quarantine));
    notes.extend((!jobs.is_empty()).then(words::jobs));
    let ci_jobs: Vec<ImportedJobs> = jobs.iter().map(imported_jobs).collect();
    let mut blocks = Vec::new();
    if !rows.is_empty() || ci_jobs.is_empty() {
        blocks.push(Block::Table(Table::of(&rows)));
    }
    if !ci_jobs.is_empty() {
        blocks.push(Block::Table(Table::of(&ci_jobs)));
    }
    blocks.push(Block::All(notes.clone()));
    let document = Document {
        title: "Imported".to_owned(),
        blocks,
    };
    let value = ImportAnswer {
        rows,
        ci_jobs,
        notes,
    };
    Answer::new(document, value)
}

fn imported_jobs(kept: &JobsKept) -> ImportedJobs {
    ImportedJobs {
        repository: kept.repository.clone(),
        jobs: kept.jobs,
        new: kept.new,
        changed: kept.changed,
        from: kept.days.map(|(first, _)| Day(first)),
        to: kept.days.map(|(_, last)| Day(last)),
    }
}

/// Returns the one currency of a month; a month in several has no sum worth a name.
fn currency_of<'d>(delivery: &'d Delivery, month: &Replaced) -> Option<&'d Currency> {
    let of_month = |slice: &&ImportedPeriod| {
        (slice.kind, &slice.source, slice.month) == (month.kind, &month.source, month.month)
    };
    let mut records = delivery
        .slices
        .iter()
        .filter(of_month)
        .flat_map(|slice| &slice.records);
    let first = &records.next()?.currency;
    records
        .all(|record| record.currency == *first)
        .then_some(first)
}

fn cost(amount: Money, currency: Option<&Currency>) -> Known<Amount> {
    match currency {
        Some(currency) => Known::Is(Amount::new(amount, currency)),
        None if amount.is_zero() => Known::Not(""),
        None => Known::Not("several currencies"),
    }
}
