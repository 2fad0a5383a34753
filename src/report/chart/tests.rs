use rust_decimal::Decimal;

use super::*;
use crate::domain::ids::Currency;

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2))
}

fn month(text: &str) -> Month {
    text.parse().unwrap()
}
