//! The keys of a usage file.

use std::{collections::BTreeMap, fmt, marker::PhantomData, str::FromStr};

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::domain::{
    number::{NumberError, parse_price, parse_quantity},
    period::Month,
    plan::parse_duration,
};
use crate::inputs::resolve;

/// A number, written as an integer or as text. A bare `1.5` would pass through a float.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer, parse_quantity).map(Self)
    }
}

pub(super) struct Price(pub(super) Decimal);

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer, parse_price).map(Self)
    }
}

/// A duration: seconds as a number, or text such as `95s`, `4m`, `1h`.
pub(super) struct Seconds(pub(super) TimeDelta);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = deserializer.deserialize_any(NumberVisitor)?;
        let duration = parse_duration(&text).or_else(|| parse_duration(&format!("{text}s")));
        let wrong = || {
            de::Error::custom(format!(
                "`{text}` is not a duration: write 95, \"95s\" or \"4m\""
            ))
        };
        duration.map(Self).ok_or_else(wrong)
    }
}

pub(super) fn number<'de, D: Deserializer<'de>>(
    deserializer: D,
    parse: fn(&str) -> Result<Decimal, NumberError>,
) -> Result<Decimal, D::Error> {
    let text = deserializer.deserialize_any(NumberVisitor)?;
    parse(&text).map_err(de::Error::custom)
}

pub(super) struct NumberVisitor;

impl de::Visitor<'_> for NumberVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or a decimal in quotes such as \"1.5\"")
    }

    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_str<E>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }
}

/// Text that a type of ours reads, so that its error carries the line.
pub(super) struct Parsed<T>(pub(super) T, PhantomData<T>);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map(|value| Self(value, PhantomData))
            .map_err(de::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) month: Option<Parsed<Month>>,
    pub(super) region: Option<Spanned<String>>,
    pub(super) codecommit: Option<CodeCommitEntry>,
    pub(super) codepipeline: Option<CodePipelineEntry>,
    #[serde(default)]
    pub(super) codebuild: Vec<BuildsEntry>,
    pub(super) codedeploy: Option<CodeDeployEntry>,
    #[serde(default)]
    pub(super) usage: Vec<MeteredEntry>,
    #[serde(default)]
    pub(super) pipeline: Vec<PipelineEntry>,
    pub(super) free_tier: Option<FreeTierEntry>,
    pub(super) discount: Option<Parsed<resolve::Percent>>,
    #[serde(default)]
    pub(super) price: Vec<PriceEntry>,
    pub(super) price_like: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeCommitEntry {
    pub(super) active_users: Option<Number>,
    pub(super) git_requests: Option<Number>,
    pub(super) storage_gb: Option<Number>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct CodePipelineEntry {
    pub(super) v1_pipelines: Option<Number>,
    pub(super) v1_trial_pipelines: Option<Number>,
    pub(super) v2_action_minutes: Option<Number>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeDeployEntry {
    pub(super) on_premises_updates: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BuildsEntry {
    pub(super) compute: Spanned<String>,
    pub(super) builds: Option<u32>,
    pub(super) seconds: Option<Seconds>,
    pub(super) minutes: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MeteredEntry {
    pub(super) service: Spanned<String>,
    pub(super) usage_type: String,
    pub(super) quantity: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PipelineEntry {
    pub(super) name: Spanned<String>,
    #[serde(rename = "type", default)]
    pub(super) kind: TypeEntry,
    pub(super) created: Option<Parsed<NaiveDate>>,
    pub(super) runs: Option<Number>,
    pub(super) runs_per_working_day: Option<Number>,
    pub(super) developers: Option<Number>,
    pub(super) pushes_per_day: Option<Number>,
    #[serde(default)]
    pub(super) stage: Vec<StageEntry>,
    #[serde(default)]
    pub(super) failed_runs: Vec<FailedRunsEntry>,
}

/// A pipeline with no stated type is V1, as in the API.
#[derive(Deserialize, Default)]
pub(super) enum TypeEntry {
    #[default]
    V1,
    V2,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageEntry {
    pub(super) name: String,
    pub(super) seconds: Seconds,
    pub(super) compute: Option<Spanned<String>>,
    pub(super) action: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) on_premises_targets: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailedRunsEntry {
    pub(super) count: u32,
    pub(super) stage: Spanned<String>,
    pub(super) seconds: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FreeTierEntry {
    #[serde(default)]
    pub(super) scope: ScopeEntry,
    #[serde(default)]
    pub(super) used: BTreeMap<Spanned<String>, Number>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum ScopeEntry {
    #[default]
    Payer,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PriceEntry {
    pub(super) usage_type: Spanned<String>,
    pub(super) price: Price,
}
