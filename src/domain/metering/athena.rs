//! Athena bills the bytes that a query scans.

use rust_decimal::Decimal;

use crate::domain::quantity::{Quantity, Unit};

const MEGABYTE: u64 = 1 << 20;
const MEGABYTES_A_TERABYTE: u64 = 1 << 20;
/// Every query bills at least so many megabytes.
const LEAST: u64 = 10;

/// Returns what one query bills: started megabytes, ten at least.
pub fn billed_scan(bytes: u64) -> Quantity {
    let megabytes = bytes.div_ceil(MEGABYTE).max(LEAST);
    let terabytes = Decimal::from(megabytes) / Decimal::from(MEGABYTES_A_TERABYTE);
    Quantity::new(terabytes, Unit::Tb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_bills_started_megabytes_and_ten_at_least() {
        for (bytes, megabytes) in [
            (0, 10),
            (1, 10),
            (10 << 20, 10),
            ((10 << 20) + 1, 11),
            (1 << 40, 1 << 20),
        ] {
            let billed = billed_scan(bytes).value * Decimal::from(MEGABYTES_A_TERABYTE);
            assert_eq!(billed, Decimal::from(megabytes), "{bytes} bytes");
        }
    }
}
