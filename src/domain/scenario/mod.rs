//! What would it cost if something were different?
//!
//! | file | step |
//! |---|---|
//! | `change.rs` | the changes, in the words of `--set` and of scenario files |
//! | `workload.rs` | a month's usage, with the builds behind the billed totals |
//! | `pace.rs` | longer and shorter builds, each rounded up |
//! | `apply.rs`, `fleet.rs`, `offered.rs` | a scenario applied: builds one by one, totals where they are not known; what is sold where |
//! | `compare.rs` | baseline and scenario rated, month by month and meter by meter |
//! | `waterfall.rs` | which change makes how much of the difference |
//! | `knob.rs` | one quantity turned: sweeps, tornadoes |
//! | `crossing.rs` | where a scenario starts and ceases to pay |
//! | `mapping.rs` | a scenario as a map of quantities, for sampled futures |

mod apply;
pub mod change;
mod compare;
pub mod crossing;
pub mod fleet;
pub mod knob;
pub mod mapping;
mod offered;
mod pace;
pub mod waterfall;
pub mod workload;

pub(crate) use apply::LAMBDA_LIMIT;
pub use apply::{Applied, Piece, Reach};
pub use change::{Adjust, Change, Pattern, Scenario, Selector, Target, Term, Total};
pub use compare::{
    Comparison, MeterDifference, MonthComparison, Spread, Totals, Value, Valuer, Whole, compare,
    percent_of, quantile, unpriced,
};
