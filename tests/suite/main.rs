//! Every integration test in one binary: one link instead of a dozen. `tests/README.md` says what
//! is where.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bill;
mod bombs;
mod browser;
#[cfg(feature = "aws")]
mod bucket;
mod cases;
mod catalog;
mod circles;
#[cfg(feature = "aws")]
mod cloud;
mod cmd;
#[cfg(feature = "aws")]
mod collect;
mod compare;
mod costs;
mod crossing;
mod deliveries;
#[cfg(feature = "aws")]
mod double;
mod finality;
mod finance;
mod finance_laws;
mod forecast;
mod full_disk;
mod fuzzed;
mod import;
mod import_shapes;
mod infra;
#[cfg(feature = "aws")]
mod json;
mod laws;
#[cfg(feature = "aws")]
mod net_cost;
mod odd;
mod optimize;
mod page;
mod parquet;
mod price_list;
#[cfg(feature = "aws")]
mod price_update;
mod prices;
mod report;
#[cfg(feature = "aws")]
mod resume;
mod samples;
mod scenario;
mod sizes;
mod storage;
#[cfg(feature = "aws")]
mod sums;
mod support;
#[cfg(feature = "aws")]
mod tables;
mod tidy;
mod use_cases;
mod why;
