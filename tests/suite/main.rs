//! Every integration test in one binary: one link instead of a dozen. `tests/README.md` says what
//! is where.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bill;
mod cases;
mod catalog;
#[cfg(feature = "aws")]
mod cloud;
mod cmd;
#[cfg(feature = "aws")]
mod collect;
mod deliveries;
mod forecast;
mod import;
mod laws;
mod parquet;
mod price_list;
mod samples;
mod support;
mod tidy;
