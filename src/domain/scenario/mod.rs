//! What would it cost if something were different?
//!
//! | file | step |
//! |---|---|
//! | `change.rs` | the changes, in the words of `--set` and of scenario files |
//! | `workload.rs` | a month's usage, with the builds behind the billed totals |
//! | `duration.rs` | longer and shorter builds, each rounded up |
//! | `apply.rs`, `fleet.rs`, `offered.rs` | a scenario applied: builds one by one, totals where they are not known; what is sold where |
//! | `compare.rs` | baseline and scenario rated, month by month and meter by meter |
//! | `waterfall.rs` | which change makes how much of the difference |
//! | `parameter.rs` | one quantity turned: sweeps, tornadoes |
//! | `break_even.rs` | where a scenario starts and ceases to pay |
//! | `remark.rs` | what there is to say beside the figures |
//! | `mapping.rs` | a scenario as a map of quantities, for sampled futures |

mod apply;
pub mod break_even;
pub mod change;
mod compare;
mod duration;
pub mod fleet;
pub mod mapping;
mod offered;
pub mod parameter;
pub mod remark;
pub mod waterfall;
pub mod workload;

pub use apply::{Applied, ChangeCoverage, ScenarioUsage};
pub(crate) use change::LAMBDA_LIMIT;
pub use change::{Adjust, Change, Scenario, Selector, Target, Term, Total};
pub use compare::{
    Comparison, Completeness, MeterDifference, MonthComparison, ScenarioRater, Totals, Value,
    compare, percent_of, unpriced,
};
