//! What AWS's code services cost, why, and what would change it. See `docs/ARCHITECTURE.md`.

pub mod collect;
pub mod domain;
pub mod ledger;
