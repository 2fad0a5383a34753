//! Every integration test in one binary: one link instead of a dozen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod catalog;
mod cmd;
mod import;
mod samples;
