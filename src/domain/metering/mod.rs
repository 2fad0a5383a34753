//! From what happened to what AWS counts: one file for each service.
//!
//! Rounding of *usage* happens here and nowhere else, at the grain AWS bills: each build, each
//! action, each update. Rounding a sum instead would make every bill with short builds too low.

pub mod athena;
pub mod codebuild;
pub mod codecommit;
pub mod codedeploy;
pub mod codepipeline;
pub mod events;
mod fleets;
pub mod from_events;
pub mod options;
