//! Adapters that bring usage in: AWS's APIs, a hand-written file, billing exports, the embedded
//! sample.

#[cfg(feature = "aws")]
pub mod aws;
pub mod exports;
pub mod gl_mapping;
pub mod sample;
pub mod scenario_file;
pub mod stated;
pub mod usage_file;
