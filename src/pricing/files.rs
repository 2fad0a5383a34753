//! The files of `pricing/` as they are written. Numbers are text, so that no float gets in.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) code: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) kind: String,
    pub(super) scope: String,
    #[serde(default)]
    pub(super) rule: Vec<RuleEntry>,
    #[serde(default)]
    pub(super) meter: Vec<MeterEntry>,
    #[serde(default)]
    pub(super) allowance: Vec<AllowanceEntry>,
    #[serde(default)]
    pub(super) any: Vec<String>,
    pub(super) list: Option<ListEntry>,
    pub(super) utilization: Option<UtilizationEntry>,
    #[serde(default)]
    pub(super) source: BTreeMap<String, Source>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListEntry {
    pub(super) date: String,
    pub(super) page: String,
    #[serde(default)]
    pub(super) silent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UtilizationEntry {
    pub(super) regions: Vec<String>,
    pub(super) source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleEntry {
    pub(super) id: String,
    pub(super) rule: String,
    pub(super) rests_on: String,
    pub(super) source: String,
    pub(super) confidence: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeterEntry {
    pub(super) usage_type: String,
    pub(super) name: String,
    pub(super) unit: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) note: Option<String>,
    #[serde(default)]
    pub(super) each_region: bool,
    #[serde(default)]
    pub(super) listed: Vec<ListedEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListedEntry {
    pub(super) up_to: Option<String>,
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AllowanceEntry {
    pub(super) id: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) name: String,
    pub(super) meters: Vec<String>,
    pub(super) unit: String,
    pub(super) grant: String,
    pub(super) further: Option<FurtherEntry>,
    pub(super) scope: String,
    #[serde(default)]
    pub(super) not_in: Vec<String>,
    pub(super) source: String,
    #[serde(rename = "confidence")]
    pub(super) _confidence: String,
    #[serde(rename = "note")]
    pub(super) _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FurtherEntry {
    pub(super) meter: String,
    pub(super) beyond: String,
    pub(super) each: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) title: String,
    pub(super) date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    pub(super) item: Vec<BaselineEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BaselineEntry {
    pub(super) service: String,
    pub(super) usage_type: String,
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) per_pipeline: Option<String>,
    pub(super) per_run: Option<String>,
    pub(super) fixed: Option<String>,
    pub(super) basis: String,
}
