//! A page of an answer, as the API writes it.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    #[serde(default)]
    pub(super) group_definitions: Vec<GroupDefinition>,
    pub(super) results_by_time: Vec<Interval>,
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize, Clone, PartialEq, Eq)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GroupDefinition {
    pub(super) r#type: String,
    pub(super) key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Interval {
    pub(super) time_period: TimePeriod,
    #[serde(default)]
    pub(super) total: Option<BTreeMap<String, Metric>>,
    #[serde(default)]
    pub(super) groups: Vec<Group>,
    #[serde(default)]
    pub(super) estimated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TimePeriod {
    pub(super) start: String,
    pub(super) end: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Group {
    pub(super) keys: Vec<String>,
    pub(super) metrics: BTreeMap<String, Metric>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    pub(super) amount: Option<String>,
    pub(super) unit: Option<String>,
}
