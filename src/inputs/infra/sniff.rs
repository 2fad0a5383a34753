//! What kind of file it is, by its content: names and endings say nothing reliable.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    error::{Foreign, InfraError},
    text::Json,
};

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sniffed {
    Plan,
    /// `show -json` of a state.
    StateValues,
    StateV4,
    StateV3,
    Preview,
    EventLog,
    Foreign(Foreign),
}

/// Names at the top level, which tell the kind.
#[derive(Deserialize)]
struct Top {
    format_version: Option<IgnoredAny>,
    planned_values: Option<IgnoredAny>,
    resource_changes: Option<IgnoredAny>,
    configuration: Option<IgnoredAny>,
    values: Option<IgnoredAny>,
    version: Option<serde_json::Value>,
    lineage: Option<IgnoredAny>,
    terraform_version: Option<IgnoredAny>,
    steps: Option<IgnoredAny>,
    sequence: Option<IgnoredAny>,
    deployment: Option<IgnoredAny>,
    #[serde(rename = "changeSummary")]
    change_summary: Option<IgnoredAny>,
    #[serde(rename = "preludeEvent")]
    prelude: Option<IgnoredAny>,
    #[serde(rename = "@level")]
    level: Option<IgnoredAny>,
    #[serde(rename = "Resources")]
    resources: Option<IgnoredAny>,
    #[serde(rename = "AWSTemplateFormatVersion")]
    template: Option<IgnoredAny>,
}

/// Tells what a text is that holds JSON.
pub(super) fn json(json: Json<'_>) -> Result<Sniffed, InfraError> {
    let (top, _) = json.read::<Top>()?;
    let version = top.version.as_ref().and_then(serde_json::Value::as_u64);
    Ok(if top.level.is_some() {
        Sniffed::Foreign(Foreign::PlanMessages)
    } else if top.planned_values.is_some()
        || top.resource_changes.is_some()
        || top.format_version.is_some() && top.configuration.is_some()
    {
        Sniffed::Plan
    } else if top.format_version.is_some()
        && (top.values.is_some() || top.terraform_version.is_some())
    {
        Sniffed::StateValues
    } else if top.prelude.is_some() || top.sequence.is_some() {
        Sniffed::EventLog
    } else if top.steps.is_some() || top.change_summary.is_some() {
        Sniffed::Preview
    } else if top.deployment.is_some() {
        Sniffed::Foreign(Foreign::PulumiState)
    } else if top.resources.is_some() || top.template.is_some() {
        Sniffed::Foreign(Foreign::Template)
    } else if top.lineage.is_some() || top.terraform_version.is_some() {
        match version {
            Some(4) => Sniffed::StateV4,
            Some(3) => Sniffed::StateV3,
            _ => Sniffed::Foreign(Foreign::StateVersion),
        }
    } else if version == Some(4) {
        Sniffed::StateV4
    } else {
        Sniffed::Foreign(Foreign::Unknown)
    })
}

/// Tells what a text is that holds none.
pub(super) fn other(text: &str) -> Foreign {
    let jinja = text.lines().position(|line| {
        let line = line.trim_start();
        line.starts_with("{%") || line.contains("{% ") || line.contains("{%-")
    });
    if let Some(at) = jinja {
        return Foreign::Jinja { line: at + 1 };
    }
    let begins = |words: &[&str]| {
        text.lines()
            .any(|line| words.iter().any(|word| line.starts_with(word)))
    };
    if text.starts_with("PK\u{3}\u{4}") {
        Foreign::BinaryPlan
    } else if text.trim().is_empty() {
        Foreign::Empty
    } else if begins(&[
        "resource \"",
        "module \"",
        "terraform {",
        "provider \"",
        "variable \"",
    ]) {
        Foreign::TerraformCode
    } else if begins(&["Resources:", "AWSTemplateFormatVersion"]) {
        Foreign::Template
    } else {
        Foreign::Unknown
    }
}
