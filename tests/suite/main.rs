//! Every integration test in one binary: one link instead of a dozen.

mod catalog;
#[cfg(feature = "aws")]
mod collect;
mod import;
