//! What is left after free units, at its price: usage that shares tiers is priced together.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{Charge, charge, draft::LineDraft};
use crate::domain::{price_book::Priced, share_out::largest_remainder, tariff::Rate};

/// Prices the drafts, those that share tiers together.
pub(super) fn price(drafts: &mut [LineDraft]) {
    let mut start = 0;
    while start < drafts.len() {
        let run = drafts[start..]
            .iter()
            .take_while(|d| drafts[start].shares_tiers_with(d))
            .count();
        let end = start + run.max(1);
        price_group(&mut drafts[start..end]);
        start = end;
    }
}

/// Prices the usage of one meter in one region: each tariff in turn, in the order of its days.
fn price_group(drafts: &mut [LineDraft]) {
    let mut tariffs: Vec<(NaiveDate, Priced, Vec<usize>)> = Vec::new();
    for (at, draft) in drafts.iter_mut().enumerate() {
        let chargeable = draft.chargeable();
        let Some(priced) = draft.tariff().cloned() else {
            if draft.is_counted() {
                draft.charge.unpriced = chargeable;
                draft.list.unpriced = draft.listed();
            }
            continue;
        };
        let first = *draft
            .by_day
            .keys()
            .next()
            .expect("a draft begins with a record");
        match tariffs.iter_mut().find(|(_, known, _)| *known == priced) {
            Some((day, _, members)) => {
                *day = first.min(*day);
                members.push(at);
            }
            None => tariffs.push((first, priced, vec![at])),
        }
    }
    tariffs.sort_by_key(|(first, ..)| *first);
    let mut charged_before = Decimal::ZERO;
    let mut listed_before = Decimal::ZERO;
    for (_, priced, members) in tariffs {
        let rate = &priced.tariff.rate;
        let chargeable: Vec<Decimal> = members.iter().map(|&at| drafts[at].chargeable()).collect();
        let billed: Vec<Decimal> = members.iter().map(|&at| drafts[at].listed()).collect();
        let charges = share_charge(rate, charged_before, &chargeable);
        let lists = share_charge(rate, listed_before, &billed);
        for ((at, charge), list) in members.into_iter().zip(charges).zip(lists) {
            drafts[at].charge = charge;
            drafts[at].list = list;
        }
        charged_before += chargeable.iter().sum::<Decimal>();
        listed_before += billed.iter().sum::<Decimal>();
    }
}

/// Prices quantities together and gives each its share of every step.
fn share_charge(rate: &Rate, before: Decimal, quantities: &[Decimal]) -> Vec<Charge> {
    if let Rate::PerUnit(_) = rate {
        return quantities
            .iter()
            .map(|&quantity| charge(rate, before, quantity))
            .collect();
    }
    let whole = charge(rate, before, quantities.iter().sum());
    let mut shares = vec![Charge::default(); quantities.len()];
    // A flat amount or a package counts once however many share it, so it is split finely; so are
    // tiers, for a share of one without a price to fit the shares of the others.
    let split = |quantity: Decimal| match quantities {
        [_] => vec![quantity],
        _ => largest_remainder(quantity, quantities, Decimal::new(1, 10)),
    };
    for step in &whole.steps {
        for (share, part) in shares.iter_mut().zip(split(step.quantity)) {
            if !part.is_zero() {
                share.add(part, Some(step.unit_price));
            }
        }
    }
    for (share, part) in shares.iter_mut().zip(split(whole.unpriced)) {
        share.unpriced = part;
    }
    shares
}
