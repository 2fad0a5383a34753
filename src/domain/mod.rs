//! The billing rules as pure functions of values: no files, clock, network or floats.
//!
//! The order is the contract: meter, allowance, rate, discount, total. See `docs/ARCHITECTURE.md`.

pub mod allocation;
pub mod allowance;
pub mod alternatives;
pub mod aws_forecast;
pub mod bill;
pub mod budget;
pub mod catalog;
pub mod ci_jobs;
pub mod collection;
pub mod costs;
pub mod discounts;
pub mod exchange;
pub mod export;
pub mod finality;
pub mod focus_rows;
pub mod gl;
pub mod ids;
pub mod import;
pub mod journal;
pub mod metering;
pub mod money;
pub mod number;
pub mod optimize;
pub mod overview;
pub mod pattern;
pub mod percentiles;
pub mod period;
pub mod plan;
pub mod price_book;
pub mod quantity;
pub mod rating;
pub mod reconcile;
pub mod remark;
pub mod scenario;
pub mod scenario_summary;
pub mod services;
pub mod share_out;
mod spelling;
pub mod spread;
pub mod storage;
pub mod tariff;
pub mod usage;
pub mod usage_summary;
pub mod utilization;
pub mod why;
