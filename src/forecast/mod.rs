//! Where usage goes from here: drivers first, money later.
//!
//! Usage is forecast, never dollars: with free tiers a bill is not linear in usage. The way:
//!
//! | file | step |
//! |---|---|
//! | `series.rs` | records → drivers: one daily series for each meter, account and region; gaps apart from zeros |
//! | `costs.rs` | costs in place of quantities, where a source states no more |
//! | `methods.rs`, `stl.rs`, `ets.rs` | the methods that know a week of seven days |
//! | `ensemble.rs`, `calendar.rs` | weights from a backtest, holidays, the middle of three: the point forecast |
//! | `interval.rs` | the range around a month's total: fitted scale and split conformal quantiles |
//! | `units.rs` | active pipelines and users: whole units that come, stay and go |
//! | `events.rs` | growth and known events as multipliers |
//! | `expect.rs` | all of that for the rest of this month and the months after |
//! | `paths.rs` | ten thousand futures: weeks of the past drawn jointly, stretched to the ranges |
//! | `sampler.rs`, `columns.rs` | the same for all drivers, and sums over paths |
//! | `rated.rs` | each future rated with free tiers and whole-pipeline fees |
//! | `predict.rs` | the bill's P10, P50 and P90, by month, service and part; the chance of passing a budget |
//! | `compared.rs` | the same futures with and without a scenario |
//! | `backtest.rs` | how it would have done on this history |
//! | `spikes.rs` | days that the days before them would not have led one to expect |
//! | `remainder.rs` | one series by itself, as the study in `benches/study` asks |

#![allow(
    clippy::float_arithmetic,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "statistics, not money: the one place that calculates with floats"
)]

mod backtest;
pub mod calendar;
mod columns;
mod compared;
mod costs;
mod ensemble;
mod ets;
mod events;
mod expect;
mod interval;
mod methods;
mod numbers;
mod options;
mod paths;
mod predict;
mod random;
mod rated;
mod remainder;
mod sampler;
mod series;
mod spikes;
mod stl;
mod units;

pub use backtest::{Backtest, Trial, backtest};
pub use compared::{Compared, ComparedMonth, ScenarioRating, compared};
pub use costs::settle;
pub use events::{Event, EventError, Growth};
pub use options::ForecastOptions;
pub use predict::{
    DriverForecast, Forecast, ForecastResult, MonthForecast, Rating, Unplaced, forecast,
};
pub use remainder::{Remainder, remainder};
pub use series::Coverage;
pub use spikes::spikes;
