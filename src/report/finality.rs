//! How final a month is, in words.

use super::Note;
use crate::domain::{bill::Bill, finality::NotFinal, usage::Gap};

/// Says why a bill is not final: one reason each, what is missing included.
pub(super) fn why(bill: &Bill) -> Vec<String> {
    let reasons = bill.finality.reasons.iter().map(NotFinal::reason);
    let gaps = bill.gaps.iter();
    let is_reason = |gap: &&Gap| {
        let mut missing = bill.finality.reasons.iter().filter(|why| why.is_missing());
        missing.any(|why| why.gap(bill.month) == **gap)
    };
    let gaps = gaps.filter(|gap| !is_reason(gap));
    let mut why: Vec<String> = reasons
        .chain(gaps.map(|gap| format!("{}: {}", gap.what, gap.reason)))
        .collect();
    if bill.is_final().is_none() {
        why.push("its source does not state whether AWS has invoiced it".to_owned());
    }
    why
}

/// Returns why a bill is not final, as programs read it.
pub(super) fn typed(bill: &Bill) -> Vec<Note> {
    let reasons = bill.finality.reasons.iter();
    reasons
        .map(|why| Note::new(why.code(), why.reason()))
        .collect()
}
