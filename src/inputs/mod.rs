//! What people write: stated usage, scenarios, the mapping to accounts of a general ledger, infrastructure
//! code, and the names in all of them.

pub mod gl_mapping;
pub mod infra;
pub mod report_definition;
pub mod resolve;
pub mod scenario_file;
pub mod usage_file;
