//! Deliveries of a month side by side in one table, told apart by the folder of each row's file: nothing
//! is known of them but their names.

use std::collections::BTreeMap;

use super::{
    ImportError, choose,
    deliveries::{BESIDE, Spot, ambiguous},
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

/// Keeps the newest of the deliveries of each month, where nothing but their names is known of them,
/// and says what is left out.
pub(super) fn keep_newest<T>(
    found: BTreeMap<DeliveryId, T>,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, T)>, ImportError> {
    let mut kept: Vec<(DeliveryId, T)> = Vec::new();
    // The names of one month stand in order.
    for (id, value) in found {
        let before =
            kept.pop_if(|(before, _)| (&before.root, before.month) == (&id.root, id.month));
        if let Some((before, _)) = before {
            let place = id.place();
            if ![&before, &id]
                .into_iter()
                .all(|id| choose::is_dated(id.execution.as_deref()))
            {
                let names = [&before.execution, &id.execution];
                return Err(ambiguous(&place, names.into_iter()));
            }
            let name = before.execution.as_deref().unwrap_or(BESIDE);
            notes.push(format!(
                "{place}: {name} left out, a newer delivery of the same month is there"
            ));
        }
        kept.push((id, value));
    }
    Ok(kept
        .into_iter()
        .map(|(id, value)| (id.root, value))
        .collect())
}
