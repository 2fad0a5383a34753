//! What AWS's code services cost, why, and what would change it.
//!
//! [`App`] answers every question: each use case is a method that takes a request and returns an answer,
//! or an [`AppError`] that names the [`Field`] of the request it is about. `examples/forecast_and_sweep.rs`
//! asks two of them. Amounts and quantities are those of [`domain`], futures those of [`forecast`];
//! [`report`] makes tables, files and pages of answers. Everything else is how the command `pipebill` does
//! its work, and may change. See `docs/ARCHITECTURE.md`.

#[doc(hidden)]
pub mod app;
mod atomic_file;
#[cfg(feature = "aws")]
#[doc(hidden)]
pub mod aws;
#[doc(hidden)]
pub mod cli;
pub mod domain;
#[doc(hidden)]
pub mod exports;
pub mod forecast;
#[doc(hidden)]
pub mod inputs;
#[doc(hidden)]
pub mod ledger;
#[doc(hidden)]
pub mod pricing;
pub mod report;
#[doc(hidden)]
pub mod sample;
#[doc(hidden)]
pub mod unknown_name;

#[doc(inline)]
pub use app::*;
