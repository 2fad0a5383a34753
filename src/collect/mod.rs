//! Where usage comes from: adapters that turn what AWS and its exports say into usage records.

pub mod sample;
