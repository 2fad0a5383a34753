//! What an import brought: files read, months replaced, and everything that was not kept, by name.

use std::path::Path;

use super::{
    Answer, Block, Document, Note, Table,
    value::{Amount, Calendar, Known, object, row},
    words::imported as words,
};
use crate::domain::{
    export::ImportedPeriod,
    ids::Currency,
    import::{Delivery, Replaced},
    money::Money,
};

object! {
    /// What an import brought.
    pub struct ImportAnswer = "pipebill.import/1" {
        /// The months it put into the ledger.
        rows: Vec<ImportedMonth>,
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

/// Lays out an import.
pub fn answer(
    delivery: &Delivery,
    replaced: &[Replaced],
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
    let document = Document {
        title: "Imported".to_owned(),
        blocks: vec![Block::Table(Table::of(&rows)), Block::All(notes.clone())],
    };
    Answer::new(document, ImportAnswer { rows, notes })
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
