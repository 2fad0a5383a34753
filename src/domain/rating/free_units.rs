//! Who gets the free and included units of a month.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{RatingOptions, draft::LineDraft, pools::pools};
use crate::domain::{
    allowance::{Allowance, FreeTier},
    bill::AllowanceUse,
    ids::AccountId,
    price_book::PriceBook,
    share_out::{Policy, share_quantity},
};

/// Draws every allowance, pool by pool, and covers the drafts with it.
pub(super) fn draw(
    drafts: &mut [LineDraft],
    book: &PriceBook<'_>,
    options: &RatingOptions,
) -> Vec<AllowanceUse> {
    let mut uses = Vec::new();
    let included = book.catalog.runners.included(&options.plans);
    for allowance in book.catalog.allowances().chain(included) {
        let counted = drafts
            .iter()
            .enumerate()
            .filter(|(_, draft)| draft.is_counted() && draft.mismatch.is_none())
            .map(|(at, draft)| (at, &draft.key, draft.billed.unit));
        for ((payer, _), members) in pools(allowance, book.catalog, counted) {
            let used_elsewhere = options.used.get(&allowance.id).copied().unwrap_or_default();
            let payer = payer.as_ref();
            let included = granted(allowance, drafts, payer, FreeTier::None);
            let granted = granted(allowance, drafts, payer, options.free_tier);
            if granted.is_zero() {
                continue;
            }
            let left = (granted - used_elsewhere).max(Decimal::ZERO);
            let drawn = cover(drafts, &members, left, options.sharing);
            include(drafts, &members, included - used_elsewhere);
            for at in members {
                drafts[at].allowance = Some(allowance.name.clone());
            }
            uses.push(AllowanceUse {
                id: allowance.id.clone(),
                name: allowance.name.clone(),
                unit: allowance.unit,
                granted,
                used_elsewhere: used_elsewhere.min(granted),
                drawn,
            });
        }
    }
    uses
}

fn granted(
    allowance: &Allowance,
    drafts: &[LineDraft],
    payer: Option<&AccountId>,
    free_tier: FreeTier,
) -> Decimal {
    let driver = allowance.further.as_ref().map_or(Decimal::ZERO, |further| {
        drafts
            .iter()
            .filter(|draft| draft.is_counted() && draft.key.meter == further.meter)
            .filter(|draft| draft.key.payer.as_ref() == payer)
            .map(|draft| draft.billed.value)
            .sum()
    });
    allowance.granted(driver, allowance.is_granted(free_tier))
}

/// Notes which covered units come with paid ones anyway: the list cost does not charge for them.
fn include(drafts: &mut [LineDraft], members: &[usize], left: Decimal) {
    let covered: Vec<Decimal> = members.iter().map(|&at| drafts[at].covered).collect();
    let included = covered.iter().sum::<Decimal>().min(left).max(Decimal::ZERO);
    for (&at, included) in members.iter().zip(share_quantity(included, &covered)) {
        drafts[at].included = included;
    }
}

/// Shares what is left of an allowance among the drafts that may draw on it.
fn cover(drafts: &mut [LineDraft], members: &[usize], left: Decimal, sharing: Policy) -> Decimal {
    let used: Decimal = members.iter().map(|&at| drafts[at].billed.value).sum();
    let drawn = used.min(left).max(Decimal::ZERO);
    match sharing {
        Policy::AsBilled => return cover_as_billed(drafts, members, left),
        Policy::Proportional => {
            let weights: Vec<Decimal> = members.iter().map(|&at| drafts[at].billed.value).collect();
            for (&at, covered) in members.iter().zip(share_quantity(drawn, &weights)) {
                drafts[at].covered = covered;
            }
        }
        Policy::Chronological => {
            let mut in_order: Vec<(NaiveDate, usize, Decimal)> = members
                .iter()
                .flat_map(|&at| {
                    drafts[at]
                        .by_day
                        .iter()
                        .map(move |(&day, &used)| (day, at, used))
                })
                .collect();
            in_order.sort();
            let mut left = drawn;
            for (_, at, used) in in_order {
                // A correction below zero covers nothing; the sum above has taken it into account.
                let covered = used.min(left).max(Decimal::ZERO);
                drafts[at].covered += covered;
                left -= covered;
            }
        }
    }
    drawn
}

/// Covers what the bill shows as free, as far as the allowance goes; what is left of it is shared
/// among usage that no bill speaks of.
fn cover_as_billed(drafts: &mut [LineDraft], members: &[usize], mut left: Decimal) -> Decimal {
    let mut drawn = Decimal::ZERO;
    for &at in members {
        let covered = drafts[at].shown_free().max(Decimal::ZERO).min(left);
        drafts[at].covered = covered;
        left -= covered;
        drawn += covered;
    }
    let unbilled: Vec<Decimal> = members.iter().map(|&at| drafts[at].unbilled).collect();
    let rest = unbilled.iter().sum::<Decimal>().min(left);
    for (&at, covered) in members.iter().zip(share_quantity(rest, &unbilled)) {
        drafts[at].covered += covered;
    }
    drawn + rest
}
