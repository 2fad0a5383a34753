//! The files of `pricing/` as they are written. Numbers are text, so that no float gets in.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Regions {
    pub(super) region: Vec<RegionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RegionEntry {
    pub(super) id: String,
    pub(super) prefix: String,
    pub(super) name: String,
    pub(super) partition: String,
    pub(super) currency: String,
    #[serde(rename = "confidence")]
    pub(super) _confidence: String,
}

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
    pub(super) meter: Vec<MeterEntry>,
    #[serde(default)]
    pub(super) allowance: Vec<AllowanceEntry>,
    #[serde(default)]
    pub(super) compute: Vec<ComputeEntry>,
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
    #[serde(rename = "note")]
    pub(super) _note: Option<String>,
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
pub(super) struct ComputeEntry {
    pub(super) name: String,
    #[serde(default)]
    pub(super) aliases: Vec<String>,
    pub(super) usage_type: String,
    #[serde(rename = "family")]
    pub(super) _family: String,
    pub(super) grain: String,
    pub(super) minimum: Option<String>,
    pub(super) memory_gb: Option<String>,
    pub(super) vcpus: Option<String>,
    pub(super) os: Option<String>,
    #[serde(rename = "note")]
    pub(super) _note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rates {
    pub(super) region: String,
    #[serde(default)]
    pub(super) partitions: Vec<String>,
    pub(super) currency: String,
    pub(super) source: BTreeMap<String, Source>,
    pub(super) rate: Vec<Rate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    title: String,
    url: Option<String>,
    pub(super) date: String,
}

impl Source {
    pub(super) fn title(&self) -> String {
        match &self.url {
            Some(url) => format!("{}, {url}", self.title),
            None => self.title.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    pub(super) usage_type: String,
    pub(super) unit: String,
    pub(super) price: Option<String>,
    pub(super) per: Option<String>,
    pub(super) tiers: Option<Vec<Tier>>,
    pub(super) shape: Option<String>,
    pub(super) from: String,
    pub(super) until: Option<String>,
    pub(super) source: String,
    #[serde(default)]
    pub(super) also: Vec<String>,
    pub(super) confidence: String,
    pub(super) sku: Option<String>,
    pub(super) note: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tier {
    pub(super) up_to: Option<String>,
    pub(super) price: String,
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
