//! Adapters that bring usage in: a hand-written file, billing exports, the embedded sample.

pub mod exports;
pub mod sample;
pub mod stated;
pub mod study_files;
pub mod usage_file;
