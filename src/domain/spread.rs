//! Sums of several days, spread over these days.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    quantity::Quantity,
    share_out::{share_money, share_quantity},
    usage::{Billed, UsageRecord},
};

/// Tells whether a record sums up several days that it can be spread over. Whole units are counted by
/// the month.
pub fn is_spread(record: &UsageRecord) -> bool {
    let by_month = record
        .quantity
        .is_some_and(|q| q.unit.is_counted_by_month());
    record.day < record.last_day && !by_month
}

/// Spreads sums of several days evenly over these days and without loss: a day then has what days had
/// on average.
pub fn spread(records: Vec<UsageRecord>) -> Vec<UsageRecord> {
    let mut spread = Vec::new();
    for record in records {
        if !is_spread(&record) {
            spread.push(record);
            continue;
        }
        let days = record.day.iter_days();
        let days: Vec<NaiveDate> = days.take_while(|day| *day <= record.last_day).collect();
        let evenly = vec![Decimal::ONE; days.len()];
        let quantities = record
            .quantity
            .map(|sum| share_quantity(sum.value, &evenly));
        let costs = record
            .billed
            .as_ref()
            .map(|sum| share_money(sum.cost, &evenly));
        for (at, day) in days.into_iter().enumerate() {
            let quantity = record.quantity.zip(quantities.as_ref());
            let billed = record.billed.clone().zip(costs.as_ref());
            spread.push(UsageRecord {
                day,
                last_day: day,
                quantity: quantity.map(|(sum, shares)| Quantity::new(shares[at], sum.unit)),
                billed: billed.map(|(sum, shares)| Billed {
                    cost: shares[at],
                    ..sum
                }),
                ..record.clone()
            });
        }
    }
    spread
}
