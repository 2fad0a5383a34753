//! Deliveries of a month side by side in one table, told apart by the folder of each row's file: nothing
//! is known of them but their names.

use std::collections::BTreeMap;

use super::{
    ImportError,
    deliveries::{BESIDE, Spot, ambiguous},
    file_names,
};
use crate::domain::period::Month;

/// Finds the delivery of a month that a row is of by the folder of its file.
pub(super) fn delivery_of(folder: &str) -> DeliveryId {
    let spot = Spot::of(&format!("{folder}/"));
    match spot.month {
        Some(_) => DeliveryId {
            root: spot.root,
            month: spot.month,
            execution: spot.execution,
        },
        // Nothing tells deliveries apart.
        None => DeliveryId::default(),
    }
}

/// A delivery of a month of an export.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct DeliveryId {
    root: String,
    month: Option<Month>,
    execution: Option<String>,
}

impl DeliveryId {
    fn place(&self) -> String {
        let month = self.month.map(|month| format!(" of {month}"));
        format!("{}{}", self.root, month.unwrap_or_default())
    }
}

/// Keeps the newest of the deliveries of each month, where nothing but their names and `rows` is known
/// of them, and says what is left out.
pub(super) fn keep_newest<T>(
    found: BTreeMap<DeliveryId, T>,
    rows: impl Fn(&T) -> u64,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, T)>, ImportError> {
    let mut kept: Vec<(DeliveryId, T)> = Vec::new();
    // The names of one month stand in order.
    for (id, value) in found {
        let before =
            kept.pop_if(|(before, _)| (&before.root, before.month) == (&id.root, id.month));
        if let Some((before, older)) = before {
            let place = id.place();
            if ![&before, &id]
                .into_iter()
                .all(|id| file_names::is_dated(id.execution.as_deref()))
            {
                let names = [&before.execution, &id.execution];
                return Err(ambiguous(&place, names.into_iter()));
            }
            let name = before.execution.as_deref().unwrap_or(BESIDE);
            let (newer, older) = (rows(&value), rows(&older));
            let doubt = if newer < older {
                "it may still be being written"
            } else {
                "whether it is complete is unknown"
            };
            notes.push(format!(
                "{place}: {name} is ignored: a newer delivery of the month has {newer} rows instead of \
                 {older}; {doubt}. To check: `pipebill import {}`",
                id.root
            ));
        }
        kept.push((id, value));
    }
    Ok(kept
        .into_iter()
        .map(|(id, value)| (id.root, value))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_delivery_counts_and_doubts_about_it_are_said() {
        let month = "s3://b/cur/data/BILLING_PERIOD=2026-10";
        let of = |name: &str| delivery_of(&format!("{month}/{name}"));
        let [first, second] = ["2026-11-02T01:02:03Z-b", "2026-11-03T01:02:03Z-a"].map(of);
        for (rows, doubt) in [
            (
                [10, 12],
                "12 rows instead of 10; whether it is complete is unknown",
            ),
            (
                [12, 10],
                "10 rows instead of 12; it may still be being written",
            ),
        ] {
            let found = BTreeMap::from([(first.clone(), rows[0]), (second.clone(), rows[1])]);
            let mut notes = Vec::new();
            let kept = keep_newest(found, |rows| *rows, &mut notes).expect("they are dated");
            assert_eq!(kept, [("s3://b/cur".to_owned(), rows[1])]);
            let [note] = &notes[..] else {
                panic!("{notes:?}");
            };
            assert!(
                note.contains(doubt) && note.ends_with("To check: `pipebill import s3://b/cur`")
            );
        }
    }
}
