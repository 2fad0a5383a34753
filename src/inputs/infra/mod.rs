//! Infrastructure code: what is going to be created, read from the files that describe it.

pub mod cdk;
pub mod cloudformation;
