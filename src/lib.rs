//! What AWS's code services cost, why, and what would change it. See `docs/ARCHITECTURE.md`.

pub mod app;
mod atomic_file;
#[cfg(feature = "aws")]
pub mod aws;
pub mod cli;
pub mod domain;
pub mod exports;
pub mod forecast;
pub mod inputs;
pub mod ledger;
pub mod pricing;
pub mod report;
pub mod sample;
pub mod unknown_name;
