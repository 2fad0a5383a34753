//! What AWS's code services cost, why, and what would change it. See `docs/ARCHITECTURE.md`.

pub mod app;
mod atomic_file;
pub mod cli;
pub mod collect;
pub mod domain;
pub mod forecast;
pub mod ledger;
pub mod pricing;
pub mod report;
pub mod unknown_name;
