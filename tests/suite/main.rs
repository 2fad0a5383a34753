//! Every integration test in one binary: one link instead of a dozen. `tests/README.md` says what
//! is where.

mod cases;
mod catalog;
mod laws;
mod support;
mod tidy;
