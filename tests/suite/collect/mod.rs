//! Collecting from a double of AWS that is held to AWS's published models (`tests/double`).
//!
//! Totals are those of `tests/double/expected.csv`, worked out by hand.

#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod access;
mod accounts;
mod again;
mod aws_forecast;
mod ci_jobs;
mod doctor;
mod faults;
mod metrics;
mod prices;
mod refusals;
mod totals;
