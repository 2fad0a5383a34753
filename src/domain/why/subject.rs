//! Who uses something.

use std::sync::Arc;

use crate::domain::ids::{AccountId, Region, ServiceCode};

/// Who uses something: a project, a pipeline, or an account where the source names no resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Subject {
    pub(super) service: ServiceCode,
    pub(super) account: Option<AccountId>,
    pub(super) region: Region,
    pub(super) name: Option<Arc<str>>,
    /// What is asked to be told apart.
    pub(super) part: Option<String>,
    pub(super) started: Started,
}

/// Which builds of a project are meant.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Started {
    /// All.
    Anyhow,
    /// Those that a pipeline started, or none.
    By(Option<Arc<str>>),
}
